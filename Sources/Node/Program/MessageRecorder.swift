internal import Encoding
internal import Foundation
internal import Logging
internal import Peers
internal import Synchronization

/// Writes what goes to and from peers, decrypted, to a file: a line for each message, which `glcnode tool batch` answers with what is in it
/// and `glcnode glc-replay` draws.
///
///     {"id":7,"op":"message.decode","params":{"message":"0010…"},"time":"2026-11-20T23:18:08.394112Z","peer":"02ab…","way":"sent"}
///
/// The thread that moves bytes hands lines over; they are written on another one. When the disk is too slow, messages are left out, and
/// a line of the log says how many: a node does not wait for its recorder.
final class MessageRecorder: Sendable {
  private struct State {
    var waiting: [UInt8] = []
    var number = 0
    var leftOut = 0
    var isWriting = false
  }

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "glc.recorder")
  private let file: FileHandle
  private let logger: Logger
  private let start: (clock: ContinuousClock.Instant, date: Date)

  /// What may wait for the disk.
  private static let maximumWaiting = 67_108_864

  /// Appends to the file, which nobody else can read: what peers say to each other is nobody's business.
  init(path: String, logger: Logger) throws {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    guard let file = FileHandle(forWritingAtPath: path) else {
      throw NodeError.start("record: the file \(path) cannot be opened")
    }
    try file.seekToEnd()
    self.file = file
    self.logger = logger
    start = (.now, Date())
    logger.warning(
      "what goes to and from peers is recorded: the file tells everything about their channels",
      metadata: ["file": "\(path)"])
  }

  func record(_ message: RecordedMessage) {
    let seconds = (message.time - start.clock) / .seconds(1)
    let time = Self.text(start.date.addingTimeInterval(seconds))
    let isFirst = state.withLock { state in
      guard state.waiting.count + 2 * message.bytes.count < Self.maximumWaiting else {
        state.leftOut += 1
        return false
      }
      state.number += 1
      state.waiting += Array(
        "{\"id\":\(state.number),\"op\":\"message.decode\",\"params\":{\"message\":\"\(Hex.encode(message.bytes))\"},\"time\":\"\(time)\",\"peer\":\"\(message.nodeID)\",\"way\":\"\(message.way)\"}\n"
          .utf8)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if isFirst { queue.async { self.write() } }
  }

  private static func text(_ date: Date) -> String {
    // Whole seconds in words, the rest in digits: the format has milliseconds at most.
    let whole = date.timeIntervalSince1970.rounded(.down)
    let micro = min(max(Int((date.timeIntervalSince1970 - whole) * 1_000_000), 0), 999_999)
    let text = Date(timeIntervalSince1970: whole).formatted(Date.ISO8601FormatStyle())
    let digits = "\(1_000_000 + micro)".dropFirst()
    return text.dropLast() + ".\(digits)Z"
  }

  private func write() {
    while true {
      let (bytes, leftOut) = state.withLock { state in
        let taken = (state.waiting, state.leftOut)
        state.waiting = []
        state.leftOut = 0
        if taken.0.isEmpty { state.isWriting = false }
        return taken
      }
      if leftOut > 0 {
        logger.warning("messages were not recorded: the disk is too slow", metadata: ["count": "\(leftOut)"])
      }
      guard !bytes.isEmpty else { return }
      do { try file.write(contentsOf: bytes) } catch {
        logger.error("messages were not recorded", metadata: ["reason": "\(error)"])
      }
    }
  }

  /// Returns when everything is in the file.
  func close() {
    queue.sync { write() }
    try? file.synchronize()
    try? file.close()
  }
}
