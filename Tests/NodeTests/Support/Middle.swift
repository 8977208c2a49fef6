import Logging
import Peers
import Synchronization
import Wallet
import Wire

@testable import Node

/// A man in the middle who has the keys of both nodes, so that each takes him for the other: every message between them passes through his
/// hands, and he may change it, keep it, say more, or hang up. To the node that listens, a peer lies or goes away.
final class Middle: Sendable {
  enum Way: Hashable, Sendable {
    /// From the node that has connected to the other.
    case there
    case back
  }

  enum Answer: Sendable {
    case pass
    /// In its place.
    case say([[UInt8]])
    /// What is said last; then both connections end.
    case hangUp(after: [[UInt8]])
  }

  /// One call at a time.
  typealias Rule = @Sendable (Way, RawMessage) -> Answer

  private let front: PeerNetwork
  private let back: PeerNetwork
  private let target: Mutex<(id: NodeID, addresses: [NodeAddress])>
  private let rule = Mutex<Rule>({ _, _ in .pass })
  private let seen = Mutex<[(way: Way, message: RawMessage)]>([])
  private let address = Mutex<NodeAddress?>(nil)

  init(_ from: Node, _ to: Node) async throws {
    let (incoming, found) = AsyncStream.makeStream(of: PeerConnection.self)
    front = PeerNetwork(secretKey: to.hub.keys.nodeSecret(), configuration: Self.configuration(to)) { found.yield($0) }
    back = PeerNetwork(secretKey: from.hub.keys.nodeSecret(), configuration: Self.configuration(from)) { _ in }
    target = Mutex((to.nodeID, to.addresses))
    let bound = try await front.listen(on: NodeAddress(text: "127.0.0.1:0"))
    address.withLock { $0 = bound }
    Task { [self] in
      for await connection in incoming { await serve(connection) }
    }
  }

  private static func configuration(_ node: Node) -> PeerConfiguration {
    var configuration = PeerConfiguration(features: node.settings.features, networks: [node.settings.chainHash])
    configuration.knowsEvenType = { MessageType.known($0) != nil || $0 >= 32_768 }
    configuration.logger.logLevel = .critical
    // What it is told is for the other.
    configuration.knowsEvenType = { _ in true }
    return configuration
  }

  /// Where the node that is to be betrayed connects to.
  var addresses: [NodeAddress] { address.withLock { $0.map { [$0] } ?? [] } }

  /// From the next message on.
  func set(_ next: @escaping Rule) { rule.withLock { $0 = next } }
  func behave() { set { _, _ in .pass } }

  /// All that was said so far.
  var messages: [(way: Way, message: RawMessage)] { seen.withLock { $0 } }
  func types(_ way: Way) -> [UInt16] { messages.filter { $0.way == way }.map(\.message.type) }

  private func serve(_ near: PeerConnection) async {
    let (id, addresses) = target.withLock { $0 }
    // A connection of before would be taken for this one.
    if let old = back.peer(id) {
      old.close("the near side has gone")
      await old.waitUntilClosed()
    }
    guard let far = try? await back.connect(to: id, at: addresses) else { return near.close("the far side is away") }
    Task { await pump(.there, from: near, to: far) }
    Task { await pump(.back, from: far, to: near) }
  }

  private func pump(_ way: Way, from: PeerConnection, to: PeerConnection) async {
    pumping: while let batch = await from.nextBatch() {
      for message in batch {
        seen.withLock { $0.append((way, message)) }
        switch rule.withLock({ $0(way, message) }) {
        case .pass: to.send(message.bytes)
        case .say(let others): to.send(others)
        case .hangUp(let last):
          to.send(last)
          break pumping
        }
      }
    }
    to.close("the other side has gone")
    from.close("the other side has gone")
  }

  func stop() async {
    await front.stop()
    await back.stop()
  }
}

extension RawMessage {
  /// With a bit turned over, `offset` bytes behind its type.
  func spoilt(at offset: Int) -> [UInt8] {
    var copy = bytes
    let index = offset < 0 ? copy.count + offset : 2 + offset
    if copy.indices.contains(index) { copy[index] ^= 1 }
    return copy
  }

  /// With other bytes, `offset` bytes behind its type.
  func replacing(at offset: Int, with other: [UInt8]) -> [UInt8] {
    var copy = bytes
    copy.replaceSubrange((2 + offset)..<(2 + offset + other.count), with: other)
    return copy
  }
}
