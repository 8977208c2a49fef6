internal import Synchronization

/// One gossip message to be verified: everything that has a signature.
public enum GossipMessage: Hashable, Sendable {
  indirect case channelAnnouncement(ChannelAnnouncement)
  indirect case nodeAnnouncement(NodeAnnouncement)
  /// `signer` comes from the channel's announcement: `ChannelUpdate.signer(in:)`.
  indirect case channelUpdate(ChannelUpdate, signer: NodeID)

  /// Checks what needs neither clock nor chain nor features: the form and the signatures.
  public func verify() throws(GossipFault) {
    var sink = BinaryFieldSink(reservingCapacity: 512)
    try verify(&sink)
  }

  fileprivate func verify(_ sink: inout BinaryFieldSink) throws(GossipFault) {
    switch self {
    case .channelAnnouncement(let message):
      try message.checkForm()
      try message.verifySignatures(hash: message.signatureHash(from: ChannelAnnouncement.signedFrom, &sink))
    case .nodeAnnouncement(let message):
      _ = try message.addressList()
      try message.verifySignature(hash: message.signatureHash(from: NodeAnnouncement.signedFrom, &sink))
    case .channelUpdate(let message, let signer):
      try message.checkForm()
      try message.verifySignature(hash: message.signatureHash(from: ChannelUpdate.signedFrom, &sink), by: signer)
    }
  }
}

/// Verifies many gossip messages at once, spread over cores. The signatures are nearly all of the work of taking in the graph.
public enum GossipBatch {
  /// Small pieces, so that no task waits long for another that got the expensive messages.
  private static let pieceLength = 32

  /// The faults found, nil for a message that is good; in the order of the messages. `workers` tasks share the messages.
  public static func verify(_ messages: [GossipMessage], workers: Int = 4) async -> [GossipFault?] {
    var faults = [GossipFault?](repeating: nil, count: messages.count)
    let length = max(1, min(pieceLength, messages.count / max(workers, 1)))
    let next = Counter()
    let helpers = min(max(workers, 1), (messages.count + length - 1) / length) - 1
    // The caller is a worker too.
    let own = await withTaskGroup(of: [(Int, GossipFault)].self) { group in
      for _ in 0..<max(helpers, 0) { group.addTask { found(in: messages, length, next) } }
      var all = found(in: messages, length, next)
      for await found in group { all += found }
      return all
    }
    for (index, fault) in own { faults[index] = fault }
    return faults
  }

  /// One worker's part: piece after piece, until somebody has taken the last one.
  private static func found(
    in messages: [GossipMessage], _ length: Int, _ next: Counter
  ) -> [(Int, GossipFault)] {
    var found: [(Int, GossipFault)] = []
    var sink = BinaryFieldSink(reservingCapacity: 512)
    while true {
      let start = next.value.wrappingAdd(length, ordering: .relaxed).oldValue
      guard start < messages.count else { return found }
      for index in start..<min(start + length, messages.count) {
        do throws(GossipFault) { try messages[index].verify(&sink) } catch { found.append((index, error)) }
      }
    }
  }

  private final class Counter: Sendable { let value = Atomic(0) }
}
