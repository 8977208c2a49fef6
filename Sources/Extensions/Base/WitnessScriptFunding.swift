public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

/// The funding output of the BOLTs: a version 0 witness script that asks for both signatures.
public struct WitnessScriptFunding: FundingScheme {
  public static let id = ExtensionID(rawValue: 0x0100)
  public static let name = "witness-script-funding"

  public init() {}

  public var keys: [KeyRef] { [KeyRef(.funding, .holder), KeyRef(.funding, .counterparty)] }

  /// BOLT 3 §Funding Transaction Output: 2 <pubkey1> <pubkey2> 2 OP_CHECKMULTISIG, the lexicographically lesser key first.
  public func lock(_ keys: CommitmentKeys) throws(DraftError) -> OutputLock {
    let holder = try keys(KeyRef(.funding, .holder))
    let counterparty = try keys(KeyRef(.funding, .counterparty))
    return .witnessScript(
      Script {
        $0.append(.op2)
        $0.append(push: min(holder, counterparty))
        $0.append(push: max(holder, counterparty))
        $0.append(.op2)
        $0.append(.checkMultiSig)
      })
  }

  /// BOLT 3 Appendix A: a witness of 222 bytes and the two bytes of the witness header.
  public var expectedWitnessWeight: Weight { Weight(224) }

  public var counterSignature: SignatureSlot { .ecdsa(KeyRef(.funding, .counterparty), .all) }

  /// BOLT 3: 0 <signature_for_pubkey1> <signature_for_pubkey2>; the signatures stand in the order of the keys.
  public func witness(_ keys: CommitmentKeys) throws(DraftError) -> [WitnessElement] {
    let own = WitnessElement.signature(KeyRef(.funding, .holder), .all)
    let theirs = WitnessElement.counterSignature(counterSignature)
    let holderIsFirst = try keys(KeyRef(.funding, .holder)) < keys(KeyRef(.funding, .counterparty))
    return [.literal([])] + (holderIsFirst ? [own, theirs] : [theirs, own]) + [.witnessScript]
  }
}
