internal import FoundationEssentials
public import Logging
internal import Synchronization

/// How much the node's loggers write, and in which form. One line for each event:
///
///     2026-11-20T23:18:08.394Z info peers connected direction=out peer=02ab…
///
/// Levels are set by subsystem (`peers` of the label `glc.peers`) and can change while the node runs.
public final class NodeLog: Sendable {
  private let state: Mutex<(level: Logger.Level, levels: [String: Logger.Level])>
  private let write: @Sendable (String) -> Void

  /// `write` gets each line without its end, from any thread.
  public init(
    level: Logger.Level = .info, levels: [String: Logger.Level] = [:], write: @escaping @Sendable (String) -> Void
  ) {
    state = Mutex((level, levels))
    self.write = write
  }

  /// A logger for a subsystem, for example `peers`.
  public func logger(_ subsystem: String) -> Logger {
    Logger(label: "glc.\(subsystem)") { _ in NodeLogHandler(log: self, subsystem: subsystem) }
  }

  /// Sets the level of a subsystem; nil for all that have none of their own.
  public func set(_ level: Logger.Level, of subsystem: String?) {
    state.withLock { state in
      if let subsystem {
        state.levels[subsystem] = level
      } else {
        state.level = level
      }
    }
  }

  /// The level for all, and those that were set for one.
  public var levels: (general: Logger.Level, bySubsystem: [String: Logger.Level]) {
    state.withLock { ($0.level, $0.levels) }
  }

  func level(of subsystem: String) -> Logger.Level { state.withLock { $0.levels[subsystem] ?? $0.level } }

  func append(_ line: String) { write(line) }
}

struct NodeLogHandler: LogHandler {
  let log: NodeLog
  let subsystem: String
  var metadata: Logger.Metadata = [:]
  /// Set for this logger alone; the subsystem's otherwise.
  private var ownLevel: Logger.Level?

  init(log: NodeLog, subsystem: String) {
    self.log = log
    self.subsystem = subsystem
  }

  var logLevel: Logger.Level {
    get { ownLevel ?? log.level(of: subsystem) }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let time = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    var text = "\(time) \(event.level.rawValue) \(subsystem) \(Self.plain("\(event.message)"))"
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for key in all.keys.sorted() {
      guard let value = all[key] else { continue }
      let plain = Self.plain("\(value)")
      text += " \(key)=" + (plain.contains(" ") || plain.isEmpty ? "\"\(plain)\"" : plain)
    }
    if let error = event.error { text += " error=\"\(Self.plain("\(error)"))\"" }
    log.append(text)
  }

  /// On one line, without what a terminal would obey: peers choose some of these texts.
  static func plain(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
