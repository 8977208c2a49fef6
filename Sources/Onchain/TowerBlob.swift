public import Bitcoin
public import Encoding
public import GLC
internal import Hashing
public import Secp256k1

/// What a watchtower needs to punish one revoked commitment. It holds signed transactions and no key, so that a tower can do what it
/// is there for and nothing else.
public struct TowerPayload: Hashable, Sendable {
  /// What the outputs are, so that the tower knows what to look at.
  public var record: RevocationRecord
  /// The keys that the record names, which a tower cannot derive.
  public var keys: [Entry]
  /// Signed penalty transactions, cheapest first.
  public var penalties: [Transaction]

  public struct Entry: Hashable, Sendable {
    public var ref: KeyRef
    public var key: PublicKey

    public init(ref: KeyRef, key: PublicKey) {
      self.ref = ref
      self.key = key
    }
  }

  public init(record: RevocationRecord, keys: [Entry], penalties: [Transaction]) {
    self.record = record
    self.keys = keys
    self.penalties = penalties
  }

  static let version: UInt8 = 1

  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(Self.version)
    writer.writeCompactSized(record.bytes)
    writer.writeCompactSize(keys.count)
    for entry in keys {
      writer.write(entry.ref.role.basepoint.rawValue)
      writer.write(entry.ref.role.derivation.rawValue << 1 | entry.ref.side.rawValue)
      writer.write(entry.key)
    }
    writer.writeCompactSize(penalties.count)
    for penalty in penalties { writer.writeCompactSized(penalty.encoded) }
    return writer.bytes
  }

  public init(decoding bytes: RawSpan) throws(TowerError) {
    var reader = ByteReader(bytes)
    do throws(DecodingError) {
      guard try reader.readUInt8() == Self.version else { throw .malformed("unknown version") }
      record = RevocationRecord(bytes: try reader.readCompactSizedBytes().array)
      keys = []
      for _ in 0..<(try reader.readCount(minimumSize: 35)) {
        let basepoint = Basepoint(rawValue: try reader.readUInt8())
        let flags = try reader.readUInt8()
        guard let derivation = KeyDerivation(rawValue: flags >> 1), let side = Side(rawValue: flags & 1) else {
          throw .malformed("unknown key")
        }
        keys.append(Entry(ref: KeyRef(KeyRole(basepoint, derivation), side), key: try reader.read()))
      }
      penalties = []
      for _ in 0..<(try reader.readCount(minimumSize: 10)) {
        penalties.append(try Transaction(decoding: try reader.readCompactSizedBytes()))
      }
      try reader.finish()
    } catch {
      throw .malformed(error)
    }
  }
}

public enum TowerError: Error, Hashable, Sendable {
  /// The transaction is not the one that opens this blob, or the blob was changed.
  case wrongKey
  case malformed(DecodingError)
}

/// A payload that opens once its commitment is seen on the chain: the key is the hash of the commitment's txid, which the tower learns
/// only then. Until then it knows 16 bytes of that txid, by which it finds the blob.
public struct TowerBlob: Hashable, Sendable {
  public static let hintByteCount = 16

  /// The first 16 bytes of the txid, in its internal order.
  public let hint: FixedBytes<16>
  /// 12 bytes of nonce, then ChaCha20-Poly1305 with its tag.
  public let sealed: [UInt8]

  public init(hint: FixedBytes<16>, sealed: [UInt8]) {
    self.hint = hint
    self.sealed = sealed
  }

  public init(_ payload: TowerPayload, commitment txid: TxID) {
    let plaintext = payload.encoded
    hint = Self.hint(txid)
    // From what is sealed: two payloads for one commitment never share a nonce, and sealing needs no randomness.
    let digest = HMACSHA256(key: Self.key(txid).bytes).authenticate(plaintext.bytes)
    let nonceBytes = Array(digest.array[..<12])
    let nonce = (try? FixedBytes<12>(nonceBytes)) ?? FixedBytes<12>()
    sealed =
      nonceBytes
      + ChaCha20Poly1305.seal(
        key: Self.key(txid), nonce: nonce, associatedData: hint.bytes, plaintext: plaintext.bytes)
  }

  /// The payload, given the txid of a transaction that was seen.
  public func open(with txid: TxID) throws(TowerError) -> TowerPayload {
    guard Self.hint(txid) == hint, sealed.count >= 12, let nonce = try? FixedBytes<12>(Array(sealed[..<12])) else {
      throw .wrongKey
    }
    let ciphertext = Array(sealed[12...])
    guard
      let plaintext = ChaCha20Poly1305.open(
        key: Self.key(txid), nonce: nonce, associatedData: hint.bytes, ciphertext: ciphertext.bytes)
    else { throw .wrongKey }
    return try TowerPayload(decoding: plaintext.bytes)
  }

  public static func hint(_ txid: TxID) -> FixedBytes<16> {
    (try? FixedBytes<16>(Array(txid.raw.array[..<16]))) ?? FixedBytes<16>()
  }

  private static func key(_ txid: TxID) -> Bytes32 { sha256(txid.raw.bytes) }
}

extension RevokedCommitment {
  /// The keys that open these commitments' outputs for us.
  public func spendingKeys(of commitment: Commitment) -> SpendingKeys {
    SpendingKeys(side: .counterparty, keys: commitment.context.keys, perCommitmentSecret: secret)
  }

  /// Claims of all that is ours at once on a revoked commitment, to be signed in advance for a tower: for each fee rate one that takes
  /// everything and, in case some of it is gone by then, one for each output. What is worth less than its fee is left out.
  public func penalties(
    of commitment: Commitment, destination: Script, feeRates: [FeeRate], dustLimit: Satoshi = Satoshi(330)
  ) -> [Claim] {
    let keys = spendingKeys(of: commitment)
    let spends = commitment.outputs.compactMap { sealed -> OutputSpend? in
      let output = sealed.output
      let path = output.paths.first { path in
        guard path.spender == .counterparty, path.conditions.height == nil, path.conditions.secret == nil,
          case .free = path.execution
        else { return false }
        return path.conditions.revoked || path.conditions.age ?? 0 <= 1
      }
      return path.map { OutputSpend(outPoint: sealed.outPoint, value: output.value, lock: output.lock, path: $0) }
    }
    var claims: [Claim] = []
    for rate in feeRates.sorted() {
      if let all = Claim(sweeping: spends, to: destination, at: rate, keys: keys, dustLimit: dustLimit) {
        claims.append(all)
      }
      guard spends.count > 1 else { continue }
      claims += spends.compactMap {
        Claim(sweeping: [$0], to: destination, at: rate, keys: keys, dustLimit: dustLimit)
      }
    }
    return claims
  }
}

extension Claim {
  /// A sweep at a fixed rate; nil when nothing would be left. Spends that cost more than they bring are left out.
  init?(
    sweeping spends: [OutputSpend], to destination: Script, at rate: FeeRate, keys: SpendingKeys, dustLimit: Satoshi
  ) {
    func weight(_ spend: OutputSpend) -> UInt64? {
      guard case .free(let witness) = spend.path.execution else { return nil }
      return 4 * 41 + witness.rawValue
    }
    let worthy = spends.filter { spend in
      guard let weight = weight(spend), let cost = rate.fee(for: Weight(weight)) else { return false }
      return spend.value > cost
    }
    let overhead = 4 + 4 + 1 + (worthy.count < 253 ? 1 : 3) + 9 + destination.count
    let total = Weight(worthy.reduce(UInt64(4 * overhead + 2)) { $0 + (weight($1) ?? 0) })
    let value = worthy.reduce(Satoshi.zero) { $0.adding($1.value) ?? $0 }
    guard !worthy.isEmpty, let fee = rate.fee(for: total), let rest = value.subtracting(fee), rest >= dustLimit else {
      return nil
    }
    self.init(
      purpose: .sweep, spends: worthy, sequences: worthy.map(\.path.sequence), version: 2,
      lockTime: worthy.compactMap(\.path.conditions.height).max() ?? 0, destination: destination, feeRate: rate,
      fee: fee, weight: total, deadline: nil, isReplacement: false, keys: keys)
  }
}
