internal import Encoding
internal import Hashing

public struct TxInput: Hashable, Sendable {
  public var previousOutput: OutPoint
  public var scriptSig: Script
  public var sequence: UInt32
  public var witness: Witness

  public init(
    previousOutput: OutPoint, scriptSig: Script = Script(), sequence: UInt32 = 0xffff_ffff, witness: Witness = Witness()
  ) {
    self.previousOutput = previousOutput
    self.scriptSig = scriptSig
    self.sequence = sequence
    self.witness = witness
  }
}

public struct TxOutput: Hashable, Sendable {
  public var value: Satoshi
  public var scriptPubKey: Script

  public init(value: Satoshi, scriptPubKey: Script) {
    self.value = value
    self.scriptPubKey = scriptPubKey
  }
}

/// A transaction, in memory. Nothing here is checked beyond that it can be written down: see `TransactionRules`.
public struct Transaction: Hashable, Sendable {
  /// 4 bytes; consensus reads them as unsigned since BIP 68.
  public var version: UInt32
  public var inputs: [TxInput]
  public var outputs: [TxOutput]
  public var lockTime: UInt32

  public init(version: UInt32 = 2, inputs: [TxInput], outputs: [TxOutput], lockTime: UInt32 = 0) {
    self.version = version
    self.inputs = inputs
    self.outputs = outputs
    self.lockTime = lockTime
  }

  public var hasWitness: Bool { inputs.contains { !$0.witness.isEmpty } }

  /// One input that points at nothing.
  public var isCoinbase: Bool { inputs.count == 1 && inputs[0].previousOutput == .null }

  public var txid: TxID { TxID(sha256d(encoded(withWitness: false).bytes)) }
  public var witnessTxID: WitnessTxID { WitnessTxID(sha256d(encoded.bytes)) }

  /// Size without witness, in bytes.
  public var baseSize: Int {
    var size = 8 + compactSizeLength(inputs.count) + compactSizeLength(outputs.count)
    for input in inputs { size += 40 + compactSizeLength(input.scriptSig.count) + input.scriptSig.count }
    for output in outputs { size += 8 + compactSizeLength(output.scriptPubKey.count) + output.scriptPubKey.count }
    return size
  }

  /// Size with witness, in bytes.
  public var totalSize: Int {
    guard hasWitness else { return baseSize }
    var size = baseSize + 2
    for input in inputs { size += input.witness.encodedSize }
    return size
  }

  /// BIP 141: base size · 3 + total size.
  public var weight: Weight { Weight(UInt64(baseSize) * 3 + UInt64(totalSize)) }
  /// The weight as a quarter, rounded up, in vbytes.
  public var virtualSize: UInt64 { weight.virtualSize }
}

extension Witness {
  /// The size of the stack as written in a transaction, in bytes (and so in weight units).
  public var encodedSize: Int {
    var size = compactSizeLength(elements.count)
    for element in elements { size += compactSizeLength(element.count) + element.count }
    return size
  }
}
