public import Bitcoin
internal import Encoding
internal import Hashing
public import Secp256k1

/// What locks an output: the script on the chain, and what must be shown to spend it.
public struct OutputLock: Hashable, Sendable {
  public let scriptPubKey: Script
  public let reveal: Reveal

  public enum Reveal: Hashable, Sendable {
    /// Version 0 witness script (P2WSH).
    case witnessScript(Script)
    /// Version 0 key hash (P2WPKH): its key.
    case publicKey(PublicKey)
    case taproot(TaprootOutput)
    /// Nothing: anyone can spend it (P2A).
    case nothing
  }

  @inlinable public init(scriptPubKey: Script, reveal: Reveal) {
    self.scriptPubKey = scriptPubKey
    self.reveal = reveal
  }

  /// OP_0 and the SHA-256 of the script.
  public static func witnessScript(_ script: Script) -> OutputLock {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(34)
    bytes.append(0x00)
    bytes.append(0x20)
    let hash = sha256(script.bytes.bytes)
    for index in 0..<32 { bytes.append(hash[index]) }
    return OutputLock(scriptPubKey: Script(bytes), reveal: .witnessScript(script))
  }

  /// OP_0 and the HASH160 of the key.
  public static func publicKeyHash(_ key: PublicKey) -> OutputLock {
    OutputLock(
      scriptPubKey: Script {
        $0.append(.op0)
        $0.append(push: hash160(key.bytes))
      }, reveal: .publicKey(key))
  }

  public static func taproot(_ output: TaprootOutput) -> OutputLock {
    OutputLock(scriptPubKey: output.scriptPubKey, reveal: .taproot(output))
  }

  /// OP_1 <0x4e73> (BIP 433).
  public static let payToAnchor = OutputLock(scriptPubKey: Script([0x51, 0x02, 0x4e, 0x73]), reveal: .nothing)

  /// What a BIP 143 signature commits to: the witness script, or the P2PKH form of a key hash. Nil for other kinds.
  public var scriptCode: Script? {
    switch reveal {
    case .witnessScript(let script): script
    case .publicKey(let key):
      Script {
        $0.append(.dup)
        $0.append(.hash160)
        $0.append(push: hash160(key.bytes))
        $0.append(.equalVerify)
        $0.append(.checkSig)
      }
    case .taproot, .nothing: nil
    }
  }

  /// The weight of an output with this script: (8 + 1 + script) · 4.
  public var outputWeight: Weight { Weight(UInt64(9 + scriptPubKey.count) * 4) }
}
