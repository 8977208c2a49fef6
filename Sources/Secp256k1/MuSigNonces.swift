internal import CGLC
internal import CSecp256k1
public import Encoding

/// What a signer sends in the first round of MuSig2: two points, 66 bytes. Wraps `secp256k1_musig_pubnonce`.
public struct MuSigPublicNonce: FixedSizeBytes {
  public let raw: FixedBytes<66>
  let parsed: secp256k1_musig_pubnonce

  public static var byteCount: Int { 66 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }

  init(parsed: secp256k1_musig_pubnonce) {
    var raw = FixedBytes<66>()
    unsafe raw.withMutablePointer { out in
      unsafe withUnsafePointer(to: parsed) { nonce in
        mustSucceed(unsafe secp256k1_musig_pubnonce_serialize(Context.pointer, out, nonce))
      }
    }
    self.raw = raw
    self.parsed = parsed
  }

  /// Reads 66 bytes. Throws `.wrongLength`, or `.malformed` when either half is no compressed point.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    raw = try FixedBytes<66>(copying: bytes)
    var parsed = secp256k1_musig_pubnonce()
    let succeeded = unsafe raw.withPointer { bytes in
      unsafe secp256k1_musig_pubnonce_parse(Context.pointer, &parsed, bytes)
    }
    guard succeeded == 1 else { throw .malformed("not two points on secp256k1") }
    self.parsed = parsed
  }

  public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  public func hash(into hasher: inout Hasher) { raw.hash(into: &hasher) }
}

/// The sum of the signers' public nonces: two points, either of which may be infinity (33 zero bytes); 66 bytes.
/// Wraps `secp256k1_musig_aggnonce`.
public struct MuSigAggregateNonce: FixedSizeBytes {
  public let raw: FixedBytes<66>
  let parsed: secp256k1_musig_aggnonce

  public static var byteCount: Int { 66 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }

  /// Reads 66 bytes. Throws `.wrongLength`, or `.malformed` when either half is neither a compressed point nor zero.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    raw = try FixedBytes<66>(copying: bytes)
    var parsed = secp256k1_musig_aggnonce()
    let succeeded = unsafe raw.withPointer { bytes in
      unsafe secp256k1_musig_aggnonce_parse(Context.pointer, &parsed, bytes)
    }
    guard succeeded == 1 else { throw .malformed("not two points on secp256k1") }
    self.parsed = parsed
  }

  /// Adds up the nonces of all signers, in any order (`NonceAgg`). Throws `.pointAtInfinity` for no nonces.
  public init(_ nonces: [MuSigPublicNonce]) throws(Secp256k1Error) {
    guard !nonces.isEmpty else { throw .pointAtInfinity }
    var aggregate = secp256k1_musig_aggnonce()
    var raw = FixedBytes<66>()
    unsafe nonces.map(\.parsed).withUnsafeBufferPointer { nonces in
      unsafe nonces.withElementPointers { pointers in
        mustSucceed(
          unsafe secp256k1_musig_nonce_agg(Context.pointer, &aggregate, pointers.baseAddress!, pointers.count))
      }
    }
    unsafe raw.withMutablePointer { out in
      mustSucceed(unsafe secp256k1_musig_aggnonce_serialize(Context.pointer, out, &aggregate))
    }
    self.raw = raw
    parsed = aggregate
  }

  /// Adds up nonces as the signers sent them. BIP 327: "fail if that fails and blame signer i for invalid pubnonce":
  /// throws `.invalidContribution(.publicNonce, signer:)`, and as above.
  public init(encoded nonces: [FixedBytes<66>]) throws(Secp256k1Error) {
    var parsed: [MuSigPublicNonce] = []
    parsed.reserveCapacity(nonces.count)
    for (signer, bytes) in nonces.enumerated() {
      guard let nonce = try? MuSigPublicNonce(copying: bytes.bytes) else {
        throw .invalidContribution(.publicNonce, signer: signer)
      }
      parsed.append(nonce)
    }
    try self.init(parsed)
  }

  /// Reads what the party that aggregates the nonces sent. BIP 327: "fail if that fails and blame nonce aggregator for
  /// invalid aggnonce": throws `.invalidContribution(.aggregateNonce, signer: nil)`.
  public init(encoded bytes: FixedBytes<66>) throws(Secp256k1Error) {
    guard let nonce = try? Self(copying: bytes.bytes) else {
      throw .invalidContribution(.aggregateNonce, signer: nil)
    }
    self = nonce
  }

  /// R1 and R2. Both were read when this value was made.
  var points: (GroupElement, GroupElement) {
    (
      GroupElement(extendedBytes: raw.bytes.extracting(0..<33)) ?? .infinity,
      GroupElement(extendedBytes: raw.bytes.extracting(33..<66)) ?? .infinity
    )
  }

  init(_ first: GroupElement, _ second: GroupElement) {
    var raw = FixedBytes<66>()
    let (one, two) = (first.extendedBytes, second.extendedBytes)
    for index in 0..<33 {
      raw[index] = one[index]
      raw[33 + index] = two[index]
    }
    var parsed = secp256k1_musig_aggnonce()
    unsafe raw.withPointer { bytes in
      mustSucceed(unsafe secp256k1_musig_aggnonce_parse(Context.pointer, &parsed, bytes))
    }
    self.raw = raw
    self.parsed = parsed
  }

  public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  public func hash(into hasher: inout Hasher) { raw.hash(into: &hasher) }
}

/// What a signer keeps between the two rounds of MuSig2: two numbers, known to nobody else, good for one signature.
///
/// To sign twice with one nonce gives the secret key away. So signing *consumes* this value: the compiler refuses a
/// second use, there is no way to copy it or to write it down, and its 132 bytes on the heap are wiped when it is used
/// or let go. Wraps `secp256k1_musig_secnonce`.
public struct MuSigSecretNonce: ~Copyable, Sendable {
  let memory: SecretMemory
  /// The key that it can sign with, and no other.
  public let publicKey: PublicKey
  /// What the other signers get in the first round.
  public let publicNonce: MuSigPublicNonce

  /// A nonce from fresh randomness of the operating system (`NonceGen`). What is known of the session already goes in
  /// as well: BIP 327 says that each input makes a failure of the randomness less harmful.
  ///
  /// - Parameters:
  ///   - message: the 32 bytes that will be signed.
  ///   - keys: the aggregated keys, with their tweaks.
  ///   - extraInput: 32 bytes that do not repeat, such as a counter.
  public init(
    signer: borrowing KeyPair, message: Bytes32? = nil, keys: MuSigKeyAggregation? = nil, extraInput: Bytes32? = nil
  ) {
    while true {
      let randomness = SecretMemory(count: 32)
      unsafe glc_random(randomness.start, 32)
      // Nil for randomness of zeros alone.
      if let made = Self(randomness, signer, message, keys, extraInput) {
        self = made
        return
      }
    }
  }

  /// A nonce that can be made again from the same inputs, for signers that keep no nonce on disk, as taproot channels
  /// derive the nonce of each of their own commitments (`NonceGen` with its randomness given).
  ///
  /// Only for a scheme that never signs two messages, nor with two sets of the other signers' nonces, under one
  /// `sessionSecret`: that would give the secret key away.
  ///
  /// - Parameter sessionSecret: 32 bytes, uniformly random to everybody else and used for one signature only.
  /// - Throws: `.invalidNonce` for another length and for zeros.
  public init(
    sessionSecret: RawSpan, signer: borrowing KeyPair, message: Bytes32? = nil, keys: MuSigKeyAggregation? = nil,
    extraInput: Bytes32? = nil
  ) throws(Secp256k1Error) {
    guard sessionSecret.byteCount == 32 else { throw .invalidNonce }
    guard let made = Self(SecretMemory(copying: sessionSecret), signer, message, keys, extraInput) else {
      throw .invalidNonce
    }
    self = made
  }

  /// Nil where the randomness is all zeros, which the library refuses. The randomness is used up.
  private init?(
    _ randomness: consuming SecretMemory, _ signer: borrowing KeyPair, _ message: Bytes32?,
    _ keys: MuSigKeyAggregation?,
    _ extraInput: Bytes32?
  ) {
    let memory = SecretMemory(count: MemoryLayout<secp256k1_musig_secnonce>.size)
    let secretKey = signer.secretKey()
    var nonce = secp256k1_musig_pubnonce()
    let succeeded = unsafe withUnsafePointer(to: signer.publicKey.parsed) { publicKey in
      unsafe message.withOptionalPointer { message in
        unsafe extraInput.withOptionalPointer { extraInput in
          unsafe withOptionalPointer(to: keys?.cache) { cache in
            unsafe secp256k1_musig_nonce_gen(
              Context.pointer, memory.secretNonce, &nonce, randomness.start, secretKey.memory.start, publicKey, message,
              cache, extraInput)
          }
        }
      }
    }
    guard succeeded == 1 else { return nil }
    self.memory = memory
    publicKey = signer.publicKey
    publicNonce = MuSigPublicNonce(parsed: nonce)
  }
}

extension SecretMemory {
  /// The memory of a `MuSigSecretNonce`.
  var secretNonce: UnsafeMutablePointer<secp256k1_musig_secnonce> {
    unsafe UnsafeMutableRawPointer(start).assumingMemoryBound(to: secp256k1_musig_secnonce.self)
  }
}

extension Bytes32? {
  fileprivate func withOptionalPointer<R>(_ body: (UnsafePointer<UInt8>?) -> R) -> R {
    if let self { unsafe self.withPointer { unsafe body($0) } } else { body(nil) }
  }
}

private func withOptionalPointer<T, R>(to value: T?, _ body: (UnsafePointer<T>?) -> R) -> R {
  if let value { unsafe withUnsafePointer(to: value) { unsafe body($0) } } else { body(nil) }
}
