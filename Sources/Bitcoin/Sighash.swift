public import Encoding
internal import Hashing

/// The 32 bytes that a signature in a transaction signs.
public struct Sighash: TypedBytes {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// Which parts of the transaction a signature covers.
public struct SighashType: RawRepresentable, Hashable, Sendable {
  /// As written behind a signature. Legacy hashing takes all 32 bits into the hash; signatures carry one byte.
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Taproot only: as `all`, and the signature is 64 bytes long (BIP 341).
  public static let `default` = SighashType(rawValue: 0)
  public static let all = SighashType(rawValue: 1)
  public static let none = SighashType(rawValue: 2)
  public static let single = SighashType(rawValue: 3)
  public static let anyoneCanPay = SighashType(rawValue: 0x80)
  public static let allAnyoneCanPay = SighashType(rawValue: 0x81)
  public static let noneAnyoneCanPay = SighashType(rawValue: 0x82)
  /// What second-stage transactions of anchor channels sign with.
  public static let singleAnyoneCanPay = SighashType(rawValue: 0x83)

  public var isAnyoneCanPay: Bool { rawValue & 0x80 != 0 }
  var base: UInt32 { rawValue & 0x1f }
  public var isSingle: Bool { base == 3 }
  public var isNone: Bool { base == 2 }
}

public enum SighashError: Error, Hashable, Sendable {
  /// The transaction has no such input.
  case noSuchInput(Int)
  /// BIP 341 needs every spent output.
  case prevoutsMissing
  /// BIP 341: a hash type that is not one of 0, 1, 2, 3, 0x81, 0x82, 0x83.
  case invalidType(UInt32)
  /// BIP 341: SIGHASH_SINGLE without an output of the same index.
  case noMatchingOutput
}

/// The hashes over a whole transaction that the sighashes of all its inputs share (BIP 143, BIP 341), and BIP 119's, computed
/// once.
public struct SighashParts: Sendable {
  let prevouts: Bytes32
  let sequences: Bytes32
  let outputs: Bytes32
  /// BIP 119 only: all scriptSigs; nil when they are all empty.
  let scriptSigs: Bytes32?
  /// BIP 341 only: hashes of the amounts and scripts of all spent outputs.
  let spent: (amounts: Bytes32, scripts: Bytes32)?

  // BIP 143 hashes each part twice.
  let doublePrevouts: Bytes32
  let doubleSequences: Bytes32
  let doubleOutputs: Bytes32

  /// `spentOutputs`, one for each input in order, are needed for taproot alone.
  public init(_ transaction: Transaction, spentOutputs: [TxOutput]? = nil) {
    var writer = ByteWriter(reservingCapacity: 36 * transaction.inputs.count)
    for input in transaction.inputs { input.previousOutput.encode(to: &writer) }
    prevouts = sha256(writer.bytes.bytes)
    writer.bytes.removeAll(keepingCapacity: true)
    for input in transaction.inputs { writer.writeLE(input.sequence) }
    sequences = sha256(writer.bytes.bytes)
    writer.bytes.removeAll(keepingCapacity: true)
    for output in transaction.outputs { output.encode(to: &writer) }
    outputs = sha256(writer.bytes.bytes)
    if transaction.inputs.allSatisfy(\.scriptSig.isEmpty) {
      scriptSigs = nil
    } else {
      writer.bytes.removeAll(keepingCapacity: true)
      for input in transaction.inputs { writer.writeCompactSized(input.scriptSig.bytes) }
      scriptSigs = sha256(writer.bytes.bytes)
    }
    doublePrevouts = sha256(prevouts.bytes)
    doubleSequences = sha256(sequences.bytes)
    doubleOutputs = sha256(outputs.bytes)
    if let spentOutputs, spentOutputs.count == transaction.inputs.count {
      writer.bytes.removeAll(keepingCapacity: true)
      for output in spentOutputs { writer.writeLE(output.value.rawValue) }
      let amounts = sha256(writer.bytes.bytes)
      writer.bytes.removeAll(keepingCapacity: true)
      for output in spentOutputs { writer.writeCompactSized(output.scriptPubKey.bytes) }
      spent = (amounts, sha256(writer.bytes.bytes))
    } else {
      spent = nil
    }
  }
}

/// BIP 341: SHA-256 of the annex, its first byte 0x50 included, with its length in front.
func annexHash(_ annex: [UInt8]) -> Bytes32 {
  var sized = ByteWriter(reservingCapacity: annex.count + 5)
  sized.writeCompactSized(annex)
  return sha256(sized.bytes)
}

extension Transaction {
  /// The original signature hash. `scriptCode` is taken as it is, except that OP_CODESEPARATOR is left out, as consensus does.
  /// Throws `.noSuchInput`.
  public func legacySighash(
    input index: Int, scriptCode: Script, type: SighashType
  ) throws(SighashError) -> Sighash {
    try legacySighash(input: index, scriptCode: scriptCode.bytes.bytes, type: type)
  }

  func legacySighash(input index: Int, scriptCode: RawSpan, type: SighashType) throws(SighashError) -> Sighash {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    // SIGHASH_SINGLE without a matching output signs the number one: a bug that consensus keeps.
    if type.isSingle && index >= outputs.count {
      var one = Bytes32()
      one[0] = 1
      return Sighash(one)
    }
    let signsOneOutputOrNone = type.isNone || type.isSingle
    let inputCount = type.isAnyoneCanPay ? 1 : inputs.count
    var writer = ByteWriter(reservingCapacity: 41 * inputCount + scriptCode.byteCount + 34 * outputs.count + 32)
    writer.writeLE(version)
    writer.writeCompactSize(inputCount)
    for position in type.isAnyoneCanPay ? index..<index + 1 : inputs.indices {
      inputs[position].previousOutput.encode(to: &writer)
      if position == index {
        writer.writeScriptCode(scriptCode)
        writer.writeLE(inputs[position].sequence)
      } else {
        writer.write(0 as UInt8)
        writer.writeLE(signsOneOutputOrNone ? 0 : inputs[position].sequence)
      }
    }
    if type.isNone {
      writer.write(0 as UInt8)
    } else if type.isSingle {
      writer.writeCompactSize(index + 1)
      for _ in 0..<index {
        // An output of value −1 and without script.
        writer.writeLE(UInt64.max)
        writer.write(0 as UInt8)
      }
      outputs[index].encode(to: &writer)
    } else {
      writer.writeCompactSize(outputs.count)
      for output in outputs { output.encode(to: &writer) }
    }
    writer.writeLE(lockTime)
    writer.writeLE(type.rawValue)
    return Sighash(sha256d(writer.bytes))
  }

  /// The signature hash of witness version 0 (BIP 143). `parts` must be this transaction's. Throws `.noSuchInput`.
  public func segwitV0Sighash(
    input index: Int, scriptCode: Script, amount: Satoshi, type: SighashType, parts: SighashParts
  ) throws(SighashError) -> Sighash {
    try segwitV0Sighash(input: index, scriptCode: scriptCode.bytes.bytes, amount: amount, type: type, parts: parts)
  }

  func segwitV0Sighash(
    input index: Int, scriptCode: RawSpan, amount: Satoshi, type: SighashType, parts: SighashParts
  ) throws(SighashError) -> Sighash {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    var preimage = SegwitV0Preimage(
      version: version, input: inputs[index].previousOutput, sequence: inputs[index].sequence, amount: amount,
      lockTime: lockTime, type: type, prevouts: parts.doublePrevouts, sequences: parts.doubleSequences)
    if !type.isSingle && !type.isNone {
      preimage.outputs = parts.doubleOutputs
    } else if type.isSingle && index < outputs.count {
      preimage.outputs = sha256d(outputs[index].encoded)
    }
    return preimage.hash(scriptCode: scriptCode)
  }

  /// How a taproot output is spent, as far as the signature hash depends on it.
  public struct TapscriptContext: Hashable, Sendable {
    public var leafHash: Bytes32
    /// The opcode position of the last executed OP_CODESEPARATOR (BIP 342).
    public var codeSeparatorPosition: UInt32

    public init(leafHash: Bytes32, codeSeparatorPosition: UInt32 = .max) {
      self.leafHash = leafHash
      self.codeSeparatorPosition = codeSeparatorPosition
    }
  }

  fileprivate static let tapSighashTag = taggedHash("TapSighash")

  /// The signature hash of witness version 1 (BIP 341, BIP 342). `parts` must be this transaction's, made with its
  /// `spentOutputs`. `tapscript` is nil for a key path spend; `annex` includes its first byte, 0x50.
  public func taprootSighash(
    input index: Int, spentOutputs: [TxOutput], type: SighashType, tapscript: TapscriptContext? = nil,
    annex: [UInt8]? = nil, parts: SighashParts
  ) throws(SighashError) -> Sighash {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    guard spentOutputs.count == inputs.count else { throw .prevoutsMissing }
    return try taprootSighash(
      input: index, spentOutput: spentOutputs[index], type: type, tapscript: tapscript, annexHash: annex.map(annexHash),
      parts: parts)
  }

  func taprootSighash(
    input index: Int, spentOutput: TxOutput, type: SighashType, tapscript: TapscriptContext?, annexHash: Bytes32?,
    parts: SighashParts
  ) throws(SighashError) -> Sighash {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    guard let spent = parts.spent else { throw .prevoutsMissing }
    switch type.rawValue {
    case 0...3, 0x81...0x83: break
    default: throw .invalidType(type.rawValue)
    }
    // BIP 341: the low two bits are the output type; SIGHASH_DEFAULT counts as SIGHASH_ALL.
    let outputType = type.rawValue & 3
    if outputType == 3 && index >= outputs.count { throw .noMatchingOutput }
    var hash = Self.tapSighashTag
    var head = FixedByteWriter<171>()
    head.write(0 as UInt8)  // epoch
    head.write(UInt8(truncatingIfNeeded: type.rawValue))
    head.writeLE(version)
    head.writeLE(lockTime)
    if !type.isAnyoneCanPay {
      head.write(parts.prevouts)
      head.write(spent.amounts)
      head.write(spent.scripts)
      head.write(parts.sequences)
    }
    if outputType < 2 { head.write(parts.outputs) }
    head.write((tapscript == nil ? 0 : 2) + (annexHash == nil ? 0 : 1) as UInt8)  // spend_type
    hash.update(head.bytes)
    var tail = FixedByteWriter<105>()
    if type.isAnyoneCanPay {
      var input = ByteWriter(reservingCapacity: 53 + spentOutput.scriptPubKey.count)
      inputs[index].previousOutput.encode(to: &input)
      spentOutput.encode(to: &input)
      input.writeLE(inputs[index].sequence)
      hash.update(input.bytes)
    } else {
      tail.writeLE(UInt32(truncatingIfNeeded: index))
    }
    if let annexHash { tail.write(annexHash) }
    if outputType == 3 { tail.write(sha256(outputs[index].encoded)) }
    if let tapscript {
      tail.write(tapscript.leafHash)
      tail.write(0 as UInt8)  // key_version
      tail.writeLE(tapscript.codeSeparatorPosition)
    }
    hash.update(tail.bytes)
    return Sighash(hash.finish())
  }
}

/// What BIP 341's signature hash of a transaction with a single input depends on, for who has no `Transaction` at hand.
public struct SingleInputTaprootPreimage: Sendable {
  private let version: UInt32
  private let input: OutPoint
  private let sequence: UInt32
  private let amount: Satoshi
  private let scriptPubKey: FixedBytes<34>
  private let lockTime: UInt32
  private let type: SighashType
  /// SHA-256 of the outputs that the type covers, as they stand in the transaction; of no use when it covers none.
  public var outputs = Bytes32()

  /// - Parameters:
  ///   - amount, scriptPubKey: of the spent output.
  public init(
    version: UInt32, input: OutPoint, sequence: UInt32, amount: Satoshi, scriptPubKey: FixedBytes<34>,
    lockTime: UInt32, type: SighashType
  ) {
    self.version = version
    self.input = input
    self.sequence = sequence
    self.amount = amount
    self.scriptPubKey = scriptPubKey
    self.lockTime = lockTime
    self.type = type
  }

  /// - Parameter leaf: the hash of the leaf that is spent (BIP 342); nil for the key path.
  public func hash(leaf: Bytes32? = nil) throws(SighashError) -> Sighash {
    switch type.rawValue {
    case 0...3, 0x81...0x83: break
    default: throw .invalidType(type.rawValue)
    }
    var hash = Transaction.tapSighashTag
    var head = FixedByteWriter<10>()
    head.write(0 as UInt8)  // epoch
    head.write(UInt8(truncatingIfNeeded: type.rawValue))
    head.writeLE(version)
    head.writeLE(lockTime)
    hash.update(head.bytes)
    var outPoint = FixedByteWriter<36>()
    input.encode(to: &outPoint)
    var spent = FixedByteWriter<43>()
    spent.writeLE(amount.rawValue)
    spent.write(34 as UInt8)
    spent.write(scriptPubKey.bytes)
    var sequences = FixedByteWriter<4>()
    sequences.writeLE(sequence)
    if !type.isAnyoneCanPay {
      hash.update(sha256(outPoint.bytes))
      hash.update(sha256(spent.bytes.extracting(0..<8)))
      hash.update(sha256(spent.bytes.extracting(8..<43)))
      hash.update(sha256(sequences.bytes))
    }
    let outputType = type.rawValue & 3
    if outputType < 2 { hash.update(outputs) }
    var index = FixedByteWriter<5>()
    index.write(leaf == nil ? 0 : 2 as UInt8)  // spend_type
    if type.isAnyoneCanPay {
      hash.update(index.bytes)
      hash.update(outPoint.bytes)
      hash.update(spent.bytes)
      hash.update(sequences.bytes)
    } else {
      index.writeLE(0 as UInt32)
      hash.update(index.bytes)
    }
    if outputType == 3 { hash.update(outputs) }
    if let leaf {
      var tail = FixedByteWriter<37>()
      tail.write(leaf)
      tail.write(0 as UInt8)  // key_version
      tail.writeLE(UInt32.max)
      hash.update(tail.bytes)
    }
    return Sighash(hash.finish())
  }
}

/// The fields of BIP 143's signature hash around the script code, for who has no `Transaction` at hand.
public struct SegwitV0Preimage: Sendable {
  private let version: UInt32
  private let input: OutPoint
  private let sequence: UInt32
  private let amount: Satoshi
  private let lockTime: UInt32
  private let type: SighashType
  private let prevouts: Bytes32
  private let sequences: Bytes32
  /// Double SHA-256 of the outputs that the type covers; zeros when it covers none.
  public var outputs = Bytes32()

  init(
    version: UInt32, input: OutPoint, sequence: UInt32, amount: Satoshi, lockTime: UInt32, type: SighashType,
    prevouts: Bytes32, sequences: Bytes32
  ) {
    self.version = version
    self.input = input
    self.sequence = sequence
    self.amount = amount
    self.lockTime = lockTime
    self.type = type
    self.prevouts = type.isAnyoneCanPay ? Bytes32() : prevouts
    self.sequences = type.isAnyoneCanPay || type.isSingle || type.isNone ? Bytes32() : sequences
  }

  /// Of a transaction with a single input.
  public init(
    version: UInt32, input: OutPoint, sequence: UInt32, amount: Satoshi, lockTime: UInt32, type: SighashType
  ) {
    if type.isAnyoneCanPay {
      self.init(
        version: version, input: input, sequence: sequence, amount: amount, lockTime: lockTime, type: type,
        prevouts: Bytes32(), sequences: Bytes32())
    } else {
      var outPoint = FixedByteWriter<36>()
      input.encode(to: &outPoint)
      var sequences = FixedByteWriter<4>()
      sequences.writeLE(sequence)
      self.init(
        version: version, input: input, sequence: sequence, amount: amount, lockTime: lockTime, type: type,
        prevouts: sha256d(outPoint.bytes), sequences: sha256d(sequences.bytes))
    }
  }

  public func hash(scriptCode: RawSpan) -> Sighash {
    var head = FixedByteWriter<113>()
    head.writeLE(version)
    head.write(prevouts)
    head.write(sequences)
    input.encode(to: &head)
    head.writeCompactSize(scriptCode.byteCount)
    var tail = FixedByteWriter<52>()
    tail.writeLE(amount.rawValue)
    tail.writeLE(sequence)
    tail.write(outputs)
    tail.writeLE(lockTime)
    tail.writeLE(type.rawValue)
    var hash = SHA256()
    hash.update(head.bytes)
    hash.update(scriptCode)
    hash.update(tail.bytes)
    return Sighash(sha256(hash.finish().bytes))
  }
}

extension OutPoint {
  fileprivate func encode<let capacity: Int>(to writer: inout FixedByteWriter<capacity>) {
    writer.write(txid.raw)
    writer.writeLE(vout)
  }
}

extension ByteWriter {
  /// Writes the script without its OP_CODESEPARATORs, its length in front. Where it ends inside a push, the length counts what is
  /// not written, as in Bitcoin Core's `SerializeScriptCode`: no valid script gets there.
  fileprivate mutating func writeScriptCode(_ script: RawSpan) {
    var separators = 0
    var offset = 0
    while let instruction = script.scriptInstruction(at: &offset) {
      if instruction.opcode == .codeSeparator { separators += 1 }
    }
    writeCompactSize(script.byteCount - separators)
    var written = 0
    if separators > 0 {
      offset = 0
      while let instruction = script.scriptInstruction(at: &offset) {
        if instruction.opcode == .codeSeparator {
          write(script.extracting(written..<offset - 1))
          written = offset
        }
      }
    }
    write(script.extracting(written..<offset))
  }
}
