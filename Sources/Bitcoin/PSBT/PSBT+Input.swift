public import Encoding
public import Secp256k1

extension PSBT {
  /// What is known of one input. Lists are by the key data of the records.
  public struct Input: Hashable, Sendable {
    /// PSBT_IN_PREVIOUS_TXID and PSBT_IN_OUTPUT_INDEX; in version 0 part of the unsigned transaction.
    public var previousOutput: OutPoint
    /// Nil is 0xffffffff.
    public var sequence: UInt32?
    /// Version 2 only: 500,000,000 or more, in seconds.
    public var requiredTimeLocktime: UInt32?
    /// Version 2 only: from 1 to 499,999,999, a block's height.
    public var requiredHeightLocktime: UInt32?

    public var nonWitnessUTXO: Transaction?
    public var witnessUTXO: TxOutput?
    public var partialSignatures = Records<ScriptKey, PartialSignature>()
    public var sighashType: SighashType?
    public var redeemScript: Script?
    public var witnessScript: Script?
    public var bip32Derivations = Records<ScriptKey, KeyOrigin>()
    public var finalScriptSig: Script?
    public var finalScriptWitness: Witness?
    public var porCommitment: [UInt8]?
    public var ripemd160Preimages = Records<Bytes20, [UInt8]>()
    public var sha256Preimages = Records<Bytes32, [UInt8]>()
    public var hash160Preimages = Records<Bytes20, [UInt8]>()
    public var hash256Preimages = Records<Bytes32, [UInt8]>()

    public var tapKeySignature: TapSignature?
    public var tapScriptSignatures = Records<TapScriptSignatureKey, TapSignature>()
    public var tapLeafScripts = Records<ControlBlock, TapLeaf>()
    public var tapBIP32Derivations = Records<XOnlyPublicKey, TapKeyOrigin>()
    public var tapInternalKey: XOnlyPublicKey?
    public var tapMerkleRoot: Bytes32?

    /// Under the aggregate key, the participants in the order of aggregation.
    public var musig2ParticipantPubkeys = Records<PublicKey, [PublicKey]>()
    /// 66 bytes each (BIP 327). Not checked to be points before they are used.
    public var musig2PublicNonces = Records<MuSig2Key, FixedBytes<66>>()
    /// 32 bytes each (BIP 327).
    public var musig2PartialSignatures = Records<MuSig2Key, Bytes32>()

    public var proprietary = Records<ProprietaryKey, [UInt8]>()
    public var unknown = Records<UnknownKey, [UInt8]>()

    public init(previousOutput: OutPoint, sequence: UInt32? = nil) {
      self.previousOutput = previousOutput
      self.sequence = sequence
    }

    /// Whether anything in it is signed, so that what the signatures cover must not change any more.
    public var hasSignatures: Bool {
      !partialSignatures.isEmpty || tapKeySignature != nil || !tapScriptSignatures.isEmpty
        || !musig2PartialSignatures.isEmpty || hasFinalScripts
    }

    /// Whether there is a final scriptSig or witness that is not empty.
    public var hasFinalScripts: Bool { finalScriptSig?.isEmpty == false || finalScriptWitness?.isEmpty == false }
  }

  /// A signature as it is pushed: DER and the byte of the sighash type. At most 73 bytes.
  public struct PartialSignature: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// Nil unless it is strict DER (BIP 66) and a defined sighash type, as Bitcoin Core wants it here.
    public init?(_ bytes: [UInt8]) {
      guard Self.isStrictDER(bytes), let type = bytes.last, 1...3 ~= type & ~0x80 else { return nil }
      self.bytes = bytes
    }

    public init(_ signature: ECDSASignature, sighashType: SighashType) {
      bytes = signature.der + [UInt8(truncatingIfNeeded: sighashType.rawValue)]
    }

    public var sighashType: SighashType { SighashType(rawValue: UInt32(bytes[bytes.count - 1])) }

    /// Nil when r or s is not below the group order.
    public var signature: ECDSASignature? {
      let der = bytes.dropLast()
      return try? ECDSASignature(der: der.bytes)
    }

    public var description: String { Hex.encode(bytes) }

    /// BIP 66 §DER encoding reference: 0x30 [total] 0x02 [r] 0x02 [s] [sighash], r and s positive and minimal.
    private static func isStrictDER(_ bytes: [UInt8]) -> Bool {
      guard 9...73 ~= bytes.count, bytes[0] == 0x30, Int(bytes[1]) == bytes.count - 3 else { return false }
      let rCount = Int(bytes[3])
      guard bytes[2] == 2, rCount > 0, 5 + rCount < bytes.count else { return false }
      let sCount = Int(bytes[5 + rCount])
      guard bytes[4 + rCount] == 2, sCount > 0, rCount + sCount + 7 == bytes.count else { return false }
      func isMinimal(at start: Int, count: Int) -> Bool {
        if bytes[start] & 0x80 != 0 { return false }
        return count == 1 || bytes[start] != 0 || bytes[start + 1] & 0x80 != 0
      }
      return isMinimal(at: 4, count: rCount) && isMinimal(at: 6 + rCount, count: sCount)
    }
  }

  /// A BIP 340 signature as it stands in a witness: 64 bytes, or 65 with a sighash type other than SIGHASH_DEFAULT.
  public struct TapSignature: Hashable, Sendable, CustomStringConvertible {
    public let signature: SchnorrSignature
    public let sighashType: SighashType

    public init(_ signature: SchnorrSignature, sighashType: SighashType = .default) {
      self.signature = signature
      self.sighashType = sighashType
    }

    /// Nil unless the bytes are 64 or 65, the last of 65 a type that BIP 341 defines and not 0.
    public init?(_ bytes: RawSpan) {
      guard bytes.byteCount == 64 || bytes.byteCount == 65 else { return nil }
      var reader = ByteReader(bytes)
      guard let signature = try? reader.read(SchnorrSignature.self) else { return nil }
      self.signature = signature
      if bytes.byteCount == 64 {
        sighashType = .default
      } else {
        guard 1...3 ~= bytes[64] & ~0x80 else { return nil }
        sighashType = SighashType(rawValue: UInt32(bytes[64]))
      }
    }

    public var bytes: [UInt8] {
      sighashType == .default
        ? signature.array : signature.array + [UInt8(truncatingIfNeeded: sighashType.rawValue)]
    }

    public var description: String { Hex.encode(bytes) }
  }
}
