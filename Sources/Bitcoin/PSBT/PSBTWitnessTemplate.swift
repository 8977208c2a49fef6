public import Encoding
internal import Hashing
public import Secp256k1

/// Knows how to satisfy scripts of some shape.
public protocol PSBTWitnessTemplate: Sendable {
  /// The stack that satisfies `spend.script`, bottom first, without the script itself (and without redeem script and control
  /// block: the finalizer adds them). Nil when the script is of another shape, or when a part is missing.
  func satisfy(_ spend: PSBTSpend) -> [[UInt8]]?
}

/// A script to be satisfied, and what the PSBT has to satisfy it with. Signatures are handed out only when they are valid.
public struct PSBTSpend: Sendable {
  public enum Kind: Hashable, Sendable {
    /// The scriptPubKey itself or a P2SH redeem script.
    case legacy
    /// A P2WSH witness script, or the script that P2WPKH stands for.
    case segwitV0
    case tapscript(TapLeaf, Bytes32)
  }

  public let kind: Kind
  public let script: Script
  /// The whole PSBT, for what else a template needs: proprietary records above all.
  public let psbt: PSBT
  /// Which input is spent.
  public let index: Int
  /// The output that is spent.
  public let output: TxOutput
  private let spending: PSBT.Spending
  private let context: PSBT.SighashContext

  init(
    _ psbt: PSBT, _ index: Int, _ spending: PSBT.Spending, _ kind: Kind, script: Script, _ context: PSBT.SighashContext
  ) {
    self.kind = kind
    self.script = script
    self.psbt = psbt
    self.index = index
    output = spending.output
    self.spending = spending
    self.context = context
  }

  public var input: PSBT.Input { psbt.inputs[index] }
  /// The transaction that spends, without scriptSigs and witnesses.
  public var transaction: Transaction { context.transaction }

  /// The ECDSA signature for a key as it stands in the script (33 or 65 bytes), with its sighash byte. Nil in tapscript.
  public func ecdsaSignature(for key: [UInt8]) -> [UInt8]? {
    if case .tapscript = kind { return nil }
    guard let key = PSBT.ScriptKey(key.bytes) else { return nil }
    return valid(input.partialSignatures[key], key)
  }

  /// The key and signature for a HASH160 of the key.
  public func ecdsaSignature(forHash hash: Bytes20) -> (key: [UInt8], signature: [UInt8])? {
    if case .tapscript = kind { return nil }
    for (key, signature) in input.partialSignatures where hash160(key.bytes) == hash {
      if let signature = valid(signature, key) { return (key.bytes, signature) }
    }
    return nil
  }

  /// The Schnorr signature for a key in a leaf, 64 or 65 bytes. Nil outside tapscript.
  public func schnorrSignature(for key: XOnlyPublicKey) -> [UInt8]? {
    guard case .tapscript(_, let leafHash) = kind,
      let signature = input.tapScriptSignatures[PSBT.TapScriptSignatureKey(publicKey: key, leafHash: leafHash)],
      let sighash = try? context.taproot(index, leafHash: leafHash, type: signature.sighashType),
      key.isValidSchnorr(signature.signature, for: sighash.raw)
    else { return nil }
    return signature.bytes
  }

  private func valid(_ signature: PSBT.PartialSignature?, _ key: PSBT.ScriptKey) -> [UInt8]? {
    // BIP 143 §Restrictions on public key type: compressed keys alone in witnesses. High s is refused by relay policy (BIP 146).
    guard let signature, kind == .legacy || key.isCompressed, let parsed = signature.signature, parsed.isLowS,
      let sighash = try? context.ecdsa(index, spending, type: signature.sighashType),
      key.key.isValidECDSA(parsed, for: sighash.raw)
    else { return nil }
    return signature.bytes
  }
}

/// The shapes that need no knowledge beyond Bitcoin's own: single keys, multisig, and tapscripts that check signatures.
struct StandardTemplate: PSBTWitnessTemplate {
  func satisfy(_ spend: PSBTSpend) -> [[UInt8]]? {
    if case .tapscript = spend.kind { return satisfyTapscript(spend) }
    switch spend.script.kind {
    case .p2pk(let key): return spend.ecdsaSignature(for: key).map { [$0] }
    case .p2pkh(let hash): return spend.ecdsaSignature(forHash: hash).map { [$0.signature, $0.key] }
    case .multisig(let required, let keys):
      var signatures: [[UInt8]] = []
      for key in keys where signatures.count < required {
        if let signature = spend.ecdsaSignature(for: key) { signatures.append(signature) }
      }
      // OP_CHECKMULTISIG takes one element more than it uses; BIP 147 wants it empty.
      return signatures.count == required ? [[]] + signatures : nil
    default: return nil
    }
  }

  /// Keys that are checked one after the other: `<a> CHECKSIGVERIFY <b> CHECKSIG`, in which all must sign, and
  /// `<a> CHECKSIG <b> CHECKSIGADD … <k> NUMEQUAL`, in which k do.
  private func satisfyTapscript(_ spend: PSBTSpend) -> [[UInt8]]? {
    guard let instructions = spend.script.instructions else { return nil }
    var keys: [XOnlyPublicKey] = []
    var checks: [Opcode] = []
    var rest = instructions[...]
    while rest.count >= 2, rest[rest.startIndex].opcode.rawValue == 32 {
      let data = spend.script.bytes[rest[rest.startIndex].data]
      guard let key = try? XOnlyPublicKey(copying: data.bytes) else { return nil }
      keys.append(key)
      checks.append(rest[rest.startIndex + 1].opcode)
      rest = rest.dropFirst(2)
    }
    guard let first = checks.first, let last = checks.last else { return nil }
    let required: Int
    if rest.isEmpty {
      guard last == .checkSig, checks.dropLast().allSatisfy({ $0 == .checkSigVerify }) else { return nil }
      required = keys.count
    } else {
      guard first == .checkSig, checks.dropFirst().allSatisfy({ $0 == .checkSigAdd }), rest.count == 2,
        rest[rest.startIndex + 1].opcode == .numEqual, let number = number(rest[rest.startIndex], in: spend.script),
        1...keys.count ~= number
      else { return nil }
      required = number
    }
    var count = 0
    var stack: [[UInt8]] = []
    for key in keys {
      if count < required, let signature = spend.schnorrSignature(for: key) {
        count += 1
        stack.append(signature)
      } else {
        stack.append([])
      }
    }
    // The first key's signature is on top.
    return count == required ? stack.reversed() : nil
  }

  private func number(_ instruction: ScriptInstruction, in script: Script) -> Int? {
    if 0x51...0x60 ~= instruction.opcode.rawValue { return Int(instruction.opcode.rawValue) - 0x50 }
    guard instruction.isPush else { return nil }
    return ScriptNumber.decode(Array(script.bytes[instruction.data])).flatMap { Int(exactly: $0) }
  }
}
