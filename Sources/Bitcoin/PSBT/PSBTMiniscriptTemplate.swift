internal import Encoding
public import Secp256k1

/// Satisfies the script of one miniscript (BIP 379), in P2WSH or in a leaf, with the smallest witness that nobody can change.
public struct PSBTMiniscriptTemplate: PSBTWitnessTemplate {
  public let miniscript: Miniscript<PublicKey>
  private let script: Script

  public init(_ miniscript: Miniscript<PublicKey>) {
    self.miniscript = miniscript
    script = miniscript.script
  }

  public func satisfy(_ spend: PSBTSpend) -> [[UInt8]]? {
    guard spend.script == script else { return nil }
    return miniscript.satisfy(with: Satisfier(spend: spend)) { $0 }?.elements
  }

  private struct Satisfier: MiniscriptSatisfier {
    let spend: PSBTSpend

    func signature(for key: PublicKey) -> [UInt8]? {
      if case .tapscript = spend.kind { return spend.schnorrSignature(for: key.xOnly.key) }
      return spend.ecdsaSignature(for: key.array)
    }

    func preimage(of hash: MiniscriptHash) -> [UInt8]? {
      switch hash {
      case .sha256(let hash): spend.input.sha256Preimages[hash]
      case .hash256(let hash): spend.input.hash256Preimages[hash]
      case .ripemd160(let hash): spend.input.ripemd160Preimages[hash]
      case .hash160(let hash): spend.input.hash160Preimages[hash]
      }
    }

    var timelocks: SpendingTimelocks {
      SpendingTimelocks(
        version: spend.transaction.version, sequence: spend.input.sequence ?? .max, lockTime: spend.transaction.lockTime
      )
    }
  }
}
