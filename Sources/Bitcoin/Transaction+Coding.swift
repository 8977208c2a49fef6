public import Encoding

// The network format of BIP 144, read as strictly as Bitcoin Core reads it.

extension Transaction {
  /// The whole form, with witness when there is any.
  public var encoded: [UInt8] { encoded(withWitness: true) }

  public func encoded(withWitness: Bool) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: withWitness ? totalSize : baseSize)
    encode(to: &writer, withWitness: withWitness)
    return writer.bytes
  }

  public func encode(to writer: inout ByteWriter, withWitness: Bool = true) {
    let marked = withWitness && hasWitness
    writer.writeLE(version)
    if marked {
      writer.write(0 as UInt8)
      writer.write(1 as UInt8)
    }
    writer.writeCompactSize(inputs.count)
    for input in inputs {
      input.previousOutput.encode(to: &writer)
      writer.writeCompactSized(input.scriptSig.bytes)
      writer.writeLE(input.sequence)
    }
    writer.writeCompactSize(outputs.count)
    for output in outputs { output.encode(to: &writer) }
    if marked {
      for input in inputs { input.witness.encode(to: &writer) }
    }
    writer.writeLE(lockTime)
  }

  /// Reads one transaction that fills `bytes`.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    self = try Transaction(from: &reader)
    try reader.finish()
  }

  public init(decoding bytes: [UInt8]) throws(DecodingError) { try self.init(decoding: bytes.bytes) }

  /// Reads one transaction and leaves the reader behind it. `allowWitness` false reads the old format alone, in which a
  /// transaction without inputs is not mistaken for BIP 144's marker (as in a PSBT).
  public init(from reader: inout ByteReader, allowWitness: Bool = true) throws(DecodingError) {
    lockTime = 0
    version = try reader.readUInt32LE()
    inputs = []
    outputs = []
    inputs = try Self.readInputs(&reader)
    var flags: UInt8 = 0
    if inputs.isEmpty && allowWitness {
      // BIP 144: the marker, a zero byte, stands where the number of inputs would be.
      flags = try reader.readUInt8()
      if flags != 0 {
        inputs = try Self.readInputs(&reader)
        outputs = try Self.readOutputs(&reader)
      }
    } else {
      outputs = try Self.readOutputs(&reader)
    }
    if flags & 1 != 0 && allowWitness {
      flags ^= 1
      for index in inputs.indices { inputs[index].witness = try Witness(from: &reader) }
      // A transaction without witness has one form only.
      guard hasWitness else { throw .malformed("superfluous witness record") }
    }
    guard flags == 0 else { throw .malformed("unknown transaction optional data") }
    lockTime = try reader.readUInt32LE()
  }

  private static func readInputs(_ reader: inout ByteReader) throws(DecodingError) -> [TxInput] {
    let count = try reader.readCount(minimumSize: 41)
    var inputs: [TxInput] = []
    inputs.reserveCapacity(count)
    for _ in 0..<count {
      let previousOutput = try OutPoint(from: &reader)
      let scriptSig = Script(try reader.readCompactSizedBytes().array)
      inputs.append(
        TxInput(previousOutput: previousOutput, scriptSig: scriptSig, sequence: try reader.readUInt32LE()))
    }
    return inputs
  }

  private static func readOutputs(_ reader: inout ByteReader) throws(DecodingError) -> [TxOutput] {
    let count = try reader.readCount(minimumSize: 9)
    var outputs: [TxOutput] = []
    outputs.reserveCapacity(count)
    for _ in 0..<count { outputs.append(try TxOutput(from: &reader)) }
    return outputs
  }
}

extension OutPoint {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    txid = TxID(try reader.read())
    vout = try reader.readUInt32LE()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(txid)
    writer.writeLE(vout)
  }
}

extension TxOutput {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    value = Satoshi(try reader.readUInt64LE())
    scriptPubKey = Script(try reader.readCompactSizedBytes().array)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.writeLE(value.rawValue)
    writer.writeCompactSized(scriptPubKey.bytes)
  }

  public var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 9 + scriptPubKey.count)
    encode(to: &writer)
    return writer.bytes
  }
}

extension Witness {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    let count = try reader.readCount()
    elements = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try reader.readCompactSizedBytes().array) }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.writeCompactSize(elements.count)
    for element in elements { writer.writeCompactSized(element) }
  }
}
