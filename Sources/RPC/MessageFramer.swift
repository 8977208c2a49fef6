/// Finds where one JSON object ends and the next begins in a stream without separators: "Request: one JSON object with no
/// terminator". Nothing is parsed here beyond braces and strings, and no more is kept than one message may have.
struct MessageFramer {
  /// Why a stream cannot be read on: where the next message begins is not known any more.
  enum Fault: Error, Hashable {
    /// The text between messages begins with this byte.
    case noObject(UInt8)
    case tooLong(limit: Int)
    case tooDeep(limit: Int)
  }

  private let maximumByteCount: Int
  private let maximumDepth: Int

  private var buffer: [UInt8] = []
  /// Where the message being read begins.
  private var start = 0
  /// The first byte that was not looked at yet.
  private var position = 0
  private var depth = 0
  private var isInString = false
  private var isEscaped = false

  init(maximumByteCount: Int, maximumDepth: Int) {
    self.maximumByteCount = maximumByteCount
    self.maximumDepth = maximumDepth
  }

  /// How many bytes wait for the rest of their message.
  var bufferedByteCount: Int { buffer.count - start }

  mutating func append(_ bytes: [UInt8]) { buffer.append(contentsOf: bytes) }

  /// The next whole message; nil when more bytes are needed.
  mutating func next() throws(Fault) -> [UInt8]? {
    while position < buffer.count {
      let byte = buffer[position]
      if depth == 0 {
        switch byte {
        case 0x20, 0x0a, 0x0d, 0x09:
          position += 1
          start = position
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): break
        default: throw .noObject(byte)
        }
      }
      position += 1
      guard position - start <= maximumByteCount else { throw .tooLong(limit: maximumByteCount) }
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        guard depth <= maximumDepth else { throw .tooDeep(limit: maximumDepth) }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 {
          let message = Array(buffer[start..<position])
          start = position
          return message
        }
      default: break
      }
    }
    // Nothing more to be had: give back the room of what was handed out.
    buffer.removeFirst(start)
    position -= start
    start = 0
    return nil
  }
}
