internal import Foundation
internal import GLCTool
internal import JSON

/// `glcnode glc-replay FILE`: what `glcnode start --record FILE` has written, as a sequence diagram in text.
enum ReplayCommand {
  static let name = "glc-replay"

  static let help = """
    glcnode glc-replay FILE [--peer PREFIX] [--gossip]

    Draws the messages that `glcnode start --record FILE` has written: when, which way, and what is in them. FILE is - for the
    standard input.

      --peer PREFIX    only the peers whose ids begin so
      --gossip         also pings, pongs, announcements and queries about the network

    """

  static func run(_ words: [String]) throws(CommandFailure) {
    if words.contains("--help") || words.contains("-h") { return try Output.write(help) }
    var replay = Replay()
    var path: String?
    var rest = words[...]
    while let word = rest.popFirst() {
      switch word {
      case "--gossip": replay.showsGossip = true
      case "--peer":
        guard let prefix = rest.popFirst() else {
          throw CommandFailure(.usage, "--peer: the beginning of a node id is missing")
        }
        replay.peerPrefix = prefix
      case let word where word.hasPrefix("--"):
        throw CommandFailure(.usage, "'\(TerminalText.plain(word))' is no option of \(name)")
      case let word where path == nil: path = word
      default: throw CommandFailure(.usage, "one file at a time")
      }
    }
    guard let path else { throw CommandFailure(.usage, "the file is missing\n\n\(help)") }
    let handle: FileHandle
    if path == "-" {
      handle = .standardInput
    } else {
      guard let opened = FileHandle(forReadingAtPath: path) else {
        throw CommandFailure(.usage, "the file \(TerminalText.plain(path)) cannot be read")
      }
      handle = opened
    }
    try Output.write(replay.heading)
    // Line by line, in pieces: a recording may be larger than the memory.
    var left: [UInt8] = []
    while let piece = try? handle.read(upToCount: 1 << 20), !piece.isEmpty {
      left += piece
      guard let end = left.lastIndex(of: UInt8(ascii: "\n")) else { continue }
      var text = ""
      for line in left[..<end].split(separator: UInt8(ascii: "\n")) { text += replay.draw(Array(line)) }
      left.removeSubrange(...end)
      try Output.write(text)
    }
    if !left.isEmpty { try Output.write(replay.draw(left)) }
    try Output.write(replay.ending)
  }
}

/// Draws one line after the other.
struct Replay {
  var showsGossip = false
  var peerPrefix = ""
  private var number = 0
  private var hidden = 0
  private var unreadable = 0

  /// The messages about the network and about the connection itself: there are many, and they say little about channels.
  static let gossip: Set<String> = [
    "ping", "pong", "channel_announcement", "node_announcement", "channel_update", "query_short_channel_ids",
    "reply_short_channel_ids_end", "query_channel_range", "reply_channel_range", "gossip_timestamp_filter",
  ]

  static let nameWidth = 26

  var heading: String { Self.padded("time", 27) + Self.padded("us", Self.nameWidth + 8) + "peer\n" }

  var ending: String {
    var text = "\(number) messages"
    if hidden > 0 { text += ", \(hidden) not shown (--gossip shows those about the network, --peer others)" }
    if unreadable > 0 { text += ", \(unreadable) lines that are no recorded messages" }
    return text + "\n"
  }

  /// The line of the diagram for a line of the recording; nothing for what is not to be seen.
  mutating func draw(_ line: [UInt8]) -> String {
    guard let request = try? JSONValue(parsing: line), let peer = request["peer"]?.stringValue,
      let way = request["way"]?.stringValue,
      let time = request["time"]?.stringValue, let parameters = request["params"]
    else {
      unreadable += 1
      return "?? a line that is no recorded message\n"
    }
    number += 1
    guard peer.hasPrefix(peerPrefix) else {
      hidden += 1
      return ""
    }
    var text: [UInt8] = []
    parameters.write(to: &text)
    let answer = Toolbox.standard.answer("message.decode", parameters: text).json
    guard let result = answer["result"] else {
      let reason = answer["error"]?["message"]?.stringValue ?? "it cannot be read"
      return Self.line(time, "??", way, peer, TerminalText.plain(reason))
    }
    let name = result["name"]?.stringValue ?? "type \(result["type"]?.unsignedValue ?? 0)"
    guard showsGossip || !Self.gossip.contains(name) else {
      hidden += 1
      return ""
    }
    return Self.line(time, name, way, peer, Self.fields(result))
  }

  private static func line(_ time: String, _ name: String, _ way: String, _ peer: String, _ fields: String) -> String {
    let dashes = String(repeating: "─", count: max(2, nameWidth - name.count))
    let arrow = way == "sent" ? "│── \(name) \(dashes)▶" : "│◀─ \(name) \(dashes)─"
    return "\(time) \(arrow) \(peer.prefix(12))  \(fields)\n"
  }

  /// What fits on a line: numbers as they are, ids by their beginning; keys and signatures are not for reading.
  private static func fields(_ result: JSONValue) -> String {
    guard let members = result["fields"]?.objectValue?.members else { return "" }
    var parts: [String] = []
    for (name, value) in members {
      switch value {
      case .string(let text) where text.utf8.count > 40:
        if name.hasSuffix("channel_id") || name.hasSuffix("payment_hash") || name.hasSuffix("txid")
          || name.hasSuffix("preimage")
        {
          parts.append("\(name) \(text.prefix(8))…")
        }
      case .string(let text):
        if !text.isEmpty { parts.append("\(name) \(TerminalText.plain(text))") }
      case .object: break
      case .array(let elements): parts.append("\(elements.count) \(name)")
      default:
        var text: [UInt8] = []
        value.write(to: &text)
        parts.append("\(name) \(String(decoding: text, as: UTF8.self))")
      }
    }
    return parts.joined(separator: ", ")
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
