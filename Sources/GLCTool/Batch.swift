internal import JSON

/// `glcnode tool batch`: a line in, a line out.
public struct Batch: Sendable {
  /// The longest line that is read: room for the hex of the largest transaction of a block twice over. A longer one is
  /// skipped to its end and answered with `too_long`.
  public static let maximumLineByteCount = 16 << 20

  private let toolbox: Toolbox

  public init(_ toolbox: Toolbox) { self.toolbox = toolbox }

  /// Reads bytes until there are none, and writes each answer, with its line end, before it asks for the first byte of
  /// the next line. A last line may lack its line end. Throws what `write` throws.
  public func run<E: Error>(
    nextByte: () -> UInt8?, write: ([UInt8]) throws(E) -> Void
  ) throws(E) {
    var line: [UInt8] = []
    var isTooLong = false
    var output: [UInt8] = []
    while true {
      let byte = nextByte()
      if let byte, byte != UInt8(ascii: "\n") {
        if line.count < Self.maximumLineByteCount { line.append(byte) } else { isTooLong = true }
        continue
      }
      if byte == nil && line.isEmpty { return }
      if isTooLong {
        let error = ToolError(.tooLong, "a line of more than \(Self.maximumLineByteCount) bytes")
        Toolbox.answer(error).write(to: &output)
      } else {
        toolbox.answer(line: line, to: &output)
      }
      output.append(UInt8(ascii: "\n"))
      try write(output)
      if byte == nil { return }
      // The memory is kept for the next line, unless this one was of an unusual size.
      output.removeAll(keepingCapacity: output.count < 1 << 20)
      line.removeAll(keepingCapacity: line.count < 1 << 20)
      isTooLong = false
    }
  }
}
