import Logging
import Synchronization
import Testing
@testable import Node

@Suite struct NodeLogTests {
  /// Lines without their time.
  private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func append(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 }.map { String($0.drop { $0 != " " }.dropFirst()) } }
  }

  @Test("levels are by subsystem and change while loggers live")
  func levels() {
    let lines = Lines()
    let log = NodeLog(level: .info, levels: ["peers": .debug], write: lines.append)
    let (peers, chain) = (log.logger("peers"), log.logger("chain"))
    peers.debug("a")
    chain.debug("b")
    chain.info("c")
    log.set(.debug, of: nil)
    log.set(.error, of: "peers")
    peers.info("d")
    chain.debug("e")
    #expect(lines.all == ["debug peers a", "info chain c", "debug chain e"])
    #expect(log.levels.general == .debug)
    #expect(log.levels.bySubsystem == ["peers": .error])
    #expect(peers.label == "glc.peers")
  }

  @Test("an event is one line, whatever a peer puts into it")
  func escaping() {
    let lines = Lines()
    var logger = NodeLog(write: lines.append).logger("peers")
    logger[metadataKey: "peer"] = "02ab"
    logger.info("said \u{1b}[2J\nfake line", metadata: ["alias": "é \u{202e}\u{0}", "empty": ""])
    #expect(
      lines.all == [
        #"info peers said \u{1b}[2J\u{a}fake line alias="é \u{202e}\u{0}" empty="" peer=02ab"#
      ])
  }
}
