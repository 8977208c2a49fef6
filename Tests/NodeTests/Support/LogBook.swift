import Logging
import Synchronization

/// What a node has logged, for tests that want to read it.
final class LogBook: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }
  func contains(_ text: String) -> Bool { lines.withLock { $0.contains { $0.contains(text) } } }
  func clear() { lines.withLock { $0 = [] } }

  /// Writes to the book from `noting` on, and to standard error from `level` on.
  func logger(_ label: String, level: Logger.Level, noting: Logger.Level = .info) -> Logger {
    var stream = StreamLogHandler.standardError(label: label)
    stream.logLevel = level
    let handlers: [any LogHandler] = [stream, Writer(book: self, logLevel: noting)]
    return Logger(label: label) { _ in MultiplexLogHandler(handlers) }
  }

  private struct Writer: LogHandler {
    let book: LogBook
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    init(book: LogBook, logLevel: Logger.Level) {
      self.book = book
      self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      let rest = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      book.lines.withLock { $0.append("\(event.level): \(event.message)\(rest)") }
    }
  }
}
