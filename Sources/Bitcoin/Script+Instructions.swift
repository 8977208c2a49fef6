public import Encoding

/// One instruction of a script: an operation and, when it pushes data, where that data lies.
public struct ScriptInstruction: Hashable, Sendable {
  public var opcode: Opcode
  /// The range of the pushed bytes in the script; empty for everything that is not a push.
  public var data: Range<Int>

  @inlinable public init(opcode: Opcode, data: Range<Int>) {
    self.opcode = opcode
    self.data = data
  }

  /// OP_0 and everything below OP_PUSHDATA4: what has data behind it.
  public var isPush: Bool { opcode.rawValue <= Opcode.pushData4.rawValue }
}

extension Script {
  /// Reads the instruction at `offset` and moves behind it. Nil at the end, and when a push runs past the end (`offset` is then
  /// not at the end).
  @inlinable public func instruction(at offset: inout Int) -> ScriptInstruction? {
    guard offset >= 0, offset < bytes.count else { return nil }
    let opcode = Opcode(rawValue: bytes[offset])
    var next = offset + 1
    let length: Int
    switch opcode.rawValue {
    case 0x01...0x4b: length = Int(opcode.rawValue)
    case 0x4c:
      guard next < bytes.count else { return nil }
      length = Int(bytes[next])
      next += 1
    case 0x4d:
      guard next + 1 < bytes.count else { return nil }
      length = Int(bytes[next]) | Int(bytes[next + 1]) << 8
      next += 2
    case 0x4e:
      guard next + 3 < bytes.count else { return nil }
      length = Int(bytes[next]) | Int(bytes[next + 1]) << 8 | Int(bytes[next + 2]) << 16 | Int(bytes[next + 3]) << 24
      next += 4
    default: length = 0
    }
    guard length <= bytes.count - next else { return nil }
    offset = next + length
    return ScriptInstruction(opcode: opcode, data: next..<offset)
  }

  /// All instructions; nil when the script ends inside a push.
  public var instructions: [ScriptInstruction]? {
    var result: [ScriptInstruction] = []
    var offset = 0
    while let instruction = instruction(at: &offset) { result.append(instruction) }
    return offset == bytes.count ? result : nil
  }

  /// Whether there is nothing but pushes (OP_1NEGATE, OP_RESERVED and OP_1 to OP_16 count), as BIP 16 defines it.
  public var isPushOnly: Bool {
    var offset = 0
    while let instruction = instruction(at: &offset) {
      if instruction.opcode.rawValue > Opcode.op16.rawValue { return false }
    }
    return offset == bytes.count
  }

  /// The script as Bitcoin Core's assembly: operations by name, pushed data as hex, `[error]` where it breaks off.
  public var asm: String {
    var words: [String] = []
    var offset = 0
    while offset < bytes.count {
      guard let instruction = instruction(at: &offset) else {
        words.append("[error]")
        break
      }
      if instruction.isPush && !instruction.data.isEmpty {
        words.append(Hex.encode(bytes[instruction.data].bytes))
      } else {
        words.append(instruction.opcode.name ?? "OP_UNKNOWN")
      }
    }
    return words.joined(separator: " ")
  }

  /// Reads assembly: operations by name (`OP_` may be left out, except that of `OP_10` to `OP_16`: two bare digits are data, as
  /// `asm` writes them), data as hex or `<hex>`, pushed in the shortest way.
  public init(asm: String) throws(DecodingError) {
    self.init()
    for word in asm.split(whereSeparator: \.isWhitespace) {
      let isByte = word.utf8.count == 2 && word.allSatisfy(\.isHexDigit)
      if !isByte, let opcode = Opcode(name: word) {
        append(opcode)
      } else {
        let digits = word.hasPrefix("<") && word.hasSuffix(">") ? word.dropFirst().dropLast() : word
        append(push: try Hex.decode(digits))
      }
    }
  }
}

// MARK: - Building

extension Script {
  /// Builds a script step by step.
  ///
  ///     let script = Script { $0.append(.dup); $0.append(.hash160); $0.append(push: hash) }
  public init(reservingCapacity capacity: Int = 0, _ build: (inout Script) -> Void) {
    self.init()
    if capacity > 0 { bytes.reserveCapacity(capacity) }
    build(&self)
  }

  public mutating func append(_ opcode: Opcode) { bytes.append(opcode.rawValue) }

  /// Pushes data with the shortest opcode for its length. OP_1 to OP_16 and OP_1NEGATE are used for numbers only: a one-byte
  /// datum is pushed as it is (see `append(number:)` and `append(minimalPush:)`).
  public mutating func append(push data: RawSpan) {
    switch data.byteCount {
    case ..<0x4c: bytes.append(UInt8(data.byteCount))
    case ...0xff:
      bytes.append(Opcode.pushData1.rawValue)
      bytes.append(UInt8(data.byteCount))
    case ...0xffff:
      bytes.append(Opcode.pushData2.rawValue)
      bytes.append(UInt8(data.byteCount & 0xff))
      bytes.append(UInt8(data.byteCount >> 8))
    default:
      bytes.append(Opcode.pushData4.rawValue)
      for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: data.byteCount >> shift)) }
    }
    for offset in 0..<data.byteCount { bytes.append(data[offset]) }
  }

  public mutating func append(push data: [UInt8]) { append(push: data.bytes) }
  public mutating func append(push data: some FixedSizeBytes) { append(push: data.bytes) }

  /// Pushes data so that the MINIMALDATA rule is content: small numbers by their own opcodes.
  public mutating func append(minimalPush data: [UInt8]) {
    switch (data.count, data.first) {
    case (1, .some(1...16)): append(Opcode(rawValue: 0x50 + data[0]))
    case (1, 0x81): append(.negativeOne)
    default: append(push: data)
    }
  }

  /// Pushes a number in its shortest form: OP_0, OP_1NEGATE, OP_1 to OP_16, or its script encoding.
  public mutating func append(number: Int64) {
    switch number {
    case 0: append(.op0)
    case -1: append(.negativeOne)
    case 1...16: append(Opcode(rawValue: 0x50 + UInt8(number)))
    default: append(push: ScriptNumber.encode(number))
    }
  }
}

extension FixedByteWriter {
  /// Writes what pushes a number onto the script stack, in its shortest form: at most 6 bytes.
  @inlinable public mutating func write(push number: UInt32) {
    guard number > 16 else { return write(number == 0 ? 0 : 0x50 + UInt8(truncatingIfNeeded: number)) }
    // The highest bit is the sign.
    let byteCount = (32 - number.leadingZeroBitCount) / 8 + 1
    write(UInt8(truncatingIfNeeded: byteCount))
    for index in 0..<byteCount { write(UInt8(truncatingIfNeeded: UInt64(number) >> UInt64(8 * index))) }
  }
}

/// Numbers on the script stack: little-endian with a sign bit, as short as possible, zero is empty.
public enum ScriptNumber {
  public static func encode(_ number: Int64) -> [UInt8] {
    guard number != 0 else { return [] }
    var magnitude = number.magnitude
    var bytes: [UInt8] = []
    while magnitude > 0 {
      bytes.append(UInt8(truncatingIfNeeded: magnitude))
      magnitude >>= 8
    }
    if bytes[bytes.count - 1] & 0x80 != 0 {
      bytes.append(number < 0 ? 0x80 : 0)
    } else if number < 0 {
      bytes[bytes.count - 1] |= 0x80
    }
    return bytes
  }

  /// The number, when it is at most `maximumSize` bytes long (4; 5 for lock times) and, if asked, minimally encoded.
  public static func decode(_ bytes: [UInt8], maximumSize: Int = 4, requireMinimal: Bool = true) -> Int64? {
    guard bytes.count <= min(maximumSize, 8) else { return nil }
    guard let last = bytes.last else { return 0 }
    if requireMinimal && last & 0x7f == 0 {
      // The last byte holds nothing but a sign bit: it must be there for the sake of the byte before.
      guard bytes.count > 1, bytes[bytes.count - 2] & 0x80 != 0 else { return nil }
    }
    var magnitude: UInt64 = 0
    for (index, byte) in bytes.enumerated() {
      let value = index == bytes.count - 1 ? byte & 0x7f : byte
      magnitude |= UInt64(value) << UInt64(8 * index)
    }
    let number = Int64(truncatingIfNeeded: magnitude)
    return last & 0x80 != 0 ? -number : number
  }
}
