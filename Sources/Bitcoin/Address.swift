public import Encoding
internal import Hashing
public import Secp256k1

/// A scriptPubKey that has an address.
public enum Destination: Hashable, Sendable {
  /// HASH160 of a public key.
  case p2pkh(Bytes20)
  /// HASH160 of a script (BIP 16).
  case p2sh(Bytes20)
  /// A native segwit output (BIP 141).
  case witness(WitnessProgram)

  /// Recognises the script; nil when it has no address. (A bare key has none, whatever it is called in old software.)
  public init?(scriptPubKey: Script) {
    switch scriptPubKey.kind {
    case .p2pkh(let hash): self = .p2pkh(hash)
    case .p2sh(let hash): self = .p2sh(hash)
    case .p2wpkh, .p2wsh, .p2tr, .p2a, .witness:
      guard let program = WitnessProgram(scriptPubKey: scriptPubKey) else { return nil }
      self = .witness(program)
    case .p2pk, .multisig, .opReturn, .nonstandard: return nil
    }
  }

  public var scriptPubKey: Script {
    switch self {
    case .p2pkh(let hash): .p2pkh(hash)
    case .p2sh(let hash): .p2sh(hash)
    case .witness(let program): program.scriptPubKey
    }
  }

  // MARK: Common kinds

  public static func p2pkh(_ key: PublicKey) -> Destination { .p2pkh(hash160(key.bytes)) }
  public static func p2wpkh(_ key: PublicKey) -> Destination { .witness(.p2wpkh(hash160(key.bytes))) }
  public static func p2sh(_ redeemScript: Script) -> Destination { .p2sh(hash160(redeemScript.bytes)) }
  public static func p2wsh(_ witnessScript: Script) -> Destination { .witness(.p2wsh(sha256(witnessScript.bytes))) }
  public static func p2tr(_ outputKey: XOnlyPublicKey) -> Destination { .witness(.p2tr(outputKey.x)) }
  /// Pay-to-anchor, spendable by anyone (BIP 433).
  public static let p2a: Destination = .witness(.p2a)
}

/// A witness version from 0 to 16 with 2 to 40 bytes (BIP 141); 20 or 32 bytes for version 0.
public struct WitnessProgram: Hashable, Sendable {
  public let version: UInt8
  public let program: [UInt8]

  /// Nil for a version or length that BIP 141 does not allow.
  public init?(version: UInt8, program: [UInt8]) {
    guard version <= 16, 2...40 ~= program.count else { return nil }
    // BIP 141: If the version byte is 0, but the witness program is neither 20 nor 32 bytes, the script must fail.
    if version == 0 { guard program.count == 20 || program.count == 32 else { return nil } }
    self.version = version
    self.program = program
  }

  private init(unchecked version: UInt8, _ program: [UInt8]) {
    self.version = version
    self.program = program
  }

  /// Nil for any script that is not a version and one push of 2 to 40 bytes. (A version 0 program of another length than 20 or 32 is
  /// none either: it can never be spent.)
  public init?(scriptPubKey: Script) {
    guard let (version, program) = scriptPubKey.witnessProgram else { return nil }
    self.init(version: UInt8(version), program: program)
  }

  public static func p2wpkh(_ keyHash: Bytes20) -> WitnessProgram { WitnessProgram(unchecked: 0, keyHash.array) }
  public static func p2wsh(_ scriptHash: Bytes32) -> WitnessProgram { WitnessProgram(unchecked: 0, scriptHash.array) }
  public static func p2tr(_ outputKey: Bytes32) -> WitnessProgram { WitnessProgram(unchecked: 1, outputKey.array) }
  /// BIP 433: the two bytes are chosen to spell "fees" in bech32m.
  public static let p2a = WitnessProgram(unchecked: 1, [0x4e, 0x73])

  public var scriptPubKey: Script {
    Script {
      $0.append(version == 0 ? .op0 : Opcode(rawValue: 0x50 + version))
      $0.append(push: program)
    }
  }
}
