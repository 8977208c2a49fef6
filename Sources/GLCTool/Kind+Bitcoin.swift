public import Bitcoin
public import Encoding
internal import JSON
public import Secp256k1

// Kinds of keys, transactions and what they spend.

extension Kind where Value == PublicKey {
  public static var publicKey: Self { fixed("public key, 33 bytes of hex", invalid: .badPublicKey) }
}

extension Kind where Value == XOnlyPublicKey {
  public static var xOnlyPublicKey: Self { fixed("x-only public key, 32 bytes of hex", invalid: .badPublicKey) }
}

extension Kind where Value == Bytes20 {
  public static var bytes20: Self { fixed() }
}

extension Kind where Value == Bytes32 {
  public static var bytes32: Self { fixed() }

  /// A number from 1 to n − 1. The body makes a `SecretKey` of it, which cannot be copied and so not be handed over.
  public static var secretKey: Self {
    bytes32.map("secret key, 32 bytes of hex") { (bytes) throws(ToolError) in
      do throws(Secp256k1Error) {
        _ = try SecretKey(bytes)
        return bytes
      } catch {
        throw error.refusal
      }
    }
  }
}

extension Kind where Value == Bytes64 {
  public static var bytes64: Self { fixed() }
}

extension Kind where Value == TxID {
  /// In display order.
  public static var txid: Self {
    Kind<Bytes32>.bytes32.map("transaction id, 32 bytes of hex in display order") { (bytes) throws(ToolError) in
      var reversed = Bytes32()
      for index in 0..<32 { reversed[index] = bytes[31 - index] }
      return TxID(reversed)
    }
  }
}

extension Kind where Value == Script {
  public static var script: Self { Kind<[UInt8]>.hex.map("script, hex") { (bytes) throws(ToolError) in Script(bytes) } }
}

extension Kind where Value == Satoshi {
  public static var satoshi: Self {
    Kind<UInt64>.uint64.map("integer, satoshi") { (value) throws(ToolError) in Satoshi(value) }
  }
}

extension Kind where Value == Transaction {
  public static var transaction: Self {
    Kind<[UInt8]>.hex.map("transaction, hex") { (bytes) throws(ToolError) in
      do throws(DecodingError) {
        return try Transaction(decoding: bytes)
      } catch {
        throw ToolError(.badTransaction, "\(error)")
      }
    }
  }
}

extension Kind where Value == SighashType {
  /// As a legacy signature hash takes it in, 32 bits: Bitcoin Core reads and prints them as a signed number.
  public static var sighashType: Self {
    Kind<Int64>.integer(Int64(Int32.min)...Int64(UInt32.max)).map("integer (32 bits, signed or unsigned)") {
      (value) throws(ToolError) in SighashType(rawValue: UInt32(truncatingIfNeeded: value))
    }
  }
}

/// The outputs that a transaction spends, one for each input, in the order of the inputs.
public struct SpentOutputs: Sendable {
  let outputs: [TxOutput]
  private let outpoints: [(txid: TxID?, vout: UInt32?)]

  fileprivate init(_ outputs: [(TxOutput, TxID?, UInt32?)]) {
    self.outputs = outputs.map(\.0)
    outpoints = outputs.map { ($0.1, $0.2) }
  }

  /// The outputs for this transaction. Throws when their number is another than that of the inputs, or when one names
  /// an outpoint that its input does not spend.
  func outputs(spentBy transaction: Transaction) throws(ToolError) -> [TxOutput] {
    guard outputs.count == transaction.inputs.count else {
      throw ToolError(
        .badValue, "prevouts: \(outputs.count) of them, but the transaction has \(transaction.inputs.count) inputs")
    }
    for (index, (input, outpoint)) in zip(transaction.inputs, outpoints).enumerated() {
      guard outpoint.txid == nil || outpoint.txid == input.previousOutput.txid,
        outpoint.vout == nil || outpoint.vout == input.previousOutput.vout
      else { throw ToolError(.badValue, "prevouts[\(index)]: input \(index) spends \(input.previousOutput)") }
    }
    return outputs
  }
}

extension Kind where Value == SpentOutputs {
  /// What each input spends, in order. An entry may also name its outpoint, which must then be the input's.
  public static var spentOutputs: Self {
    let output = Kind<(TxOutput, TxID?, UInt32?)>.record(
      Parameter("script_pubkey", .script), Parameter("amount_sat", .satoshi),
      Parameter(optional: "txid", .txid), Parameter(optional: "vout", .uint32)
    ) { (script, amount, txid, vout) throws(ToolError) in
      (TxOutput(value: amount, scriptPubKey: script), txid, vout)
    }
    return Kind<[(TxOutput, TxID?, UInt32?)]>.list(output).map(
      "[{script_pubkey, amount_sat}], one for each input in order"
    ) { (outputs) throws(ToolError) in SpentOutputs(outputs) }
  }
}

extension Kind where Value == TapTree {
  /// More leaves than anybody has use for, and few enough that their control blocks fit in memory.
  private static var maximumLeafCount: Int { 1 << 14 }

  /// `{script, leaf_version}`, or a list of two trees. A list of one tree is that tree.
  public static var tapTree: Self {
    let leaf = Kind<TapLeaf>.record(
      Parameter("script", .script), Parameter(optional: "leaf_version", .integer(0...255) as Kind<UInt8>)
    ) { (script, version) throws(ToolError) in
      let version = version ?? TapLeaf.tapscriptVersion
      // BIP 341, note on the leaf version: "the leaf version cannot be odd and it cannot be 0x50".
      guard version & 1 == 0, version != 0x50 else {
        throw ToolError(.badValue, "BIP 341 has no leaf version \(version): it must be even and not 80")
      }
      return TapLeaf(script: script, version: version)
    }
    return Self("{script, leaf_version?} or a list of two of these, nested") { (json) throws(ToolError) in
      var leafCount = 0
      // The recursion is bounded by the nesting that JSONValue reads.
      func tree(_ json: JSONValue) throws(ToolError) -> TapTree {
        guard case .array(let elements) = json else {
          leafCount += 1
          guard leafCount <= maximumLeafCount else {
            throw ToolError(.badValue, "more than \(maximumLeafCount) leaves")
          }
          return .leaf(try leaf.read(json))
        }
        func child(_ index: Int) throws(ToolError) -> TapTree {
          do throws(ToolError) {
            return try tree(elements[index])
          } catch {
            throw error.within("[\(index)]")
          }
        }
        switch elements.count {
        case 1: return try child(0)
        case 2: return .branch(try child(0), try child(1))
        default: throw ToolError(.badValue, "a branch has two children, got \(elements.count)")
        }
      }
      return try tree(json)
    }
  }
}
