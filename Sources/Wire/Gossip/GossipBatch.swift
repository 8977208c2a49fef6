/// One gossip message to be verified: everything that has a signature.
public enum GossipMessage: Hashable, Sendable {
  indirect case channelAnnouncement(ChannelAnnouncement)
  indirect case nodeAnnouncement(NodeAnnouncement)
  /// `signer` comes from the channel's announcement: `ChannelUpdate.signer(in:)`.
  indirect case channelUpdate(ChannelUpdate, signer: NodeID)

  /// Checks what needs neither clock nor chain nor features: the form and the signatures.
  public func verify() throws(GossipFault) {
    switch self {
    case .channelAnnouncement(let message):
      try message.checkForm()
      try message.verifySignatures()
    case .nodeAnnouncement(let message):
      _ = try message.addressList()
      try message.verifySignature()
    case .channelUpdate(let message, let signer):
      try message.checkForm()
      try message.verifySignature(by: signer)
    }
  }
}

/// Verifies many gossip messages at once, spread over cores. The signatures are nearly all of the work of taking in the graph.
public enum GossipBatch {
  /// The faults found, nil for a message that is good; in the order of the messages. `workers` tasks share the messages.
  public static func verify(_ messages: [GossipMessage], workers: Int = 4) async -> [GossipFault?] {
    let workers = min(max(workers, 1), max(messages.count, 1))
    // Small pieces, so that no task waits long for another that got the expensive messages.
    let pieceLength = max(1, min(32, messages.count / workers))
    if messages.count <= pieceLength { return messages.map { fault(in: $0) } }
    let pieces = stride(from: 0, to: messages.count, by: pieceLength).map { $0..<min($0 + pieceLength, messages.count) }
    return await withTaskGroup(of: (Range<Int>, [GossipFault?]).self) { group in
      var faults = [GossipFault?](repeating: nil, count: messages.count)
      var waiting = pieces.makeIterator()
      func startNext() {
        guard let piece = waiting.next() else { return }
        group.addTask { (piece, messages[piece].map { fault(in: $0) }) }
      }
      for _ in 0..<workers { startNext() }
      while let (piece, found) = await group.next() {
        for (index, fault) in zip(piece, found) { faults[index] = fault }
        startNext()
      }
      return faults
    }
  }

  private static func fault(in message: GossipMessage) -> GossipFault? {
    do throws(GossipFault) {
      try message.verify()
      return nil
    } catch {
      return error
    }
  }
}
