public import Wire

/// Why the node did not do what it was asked to.
public enum NodeError: Error, Hashable, Sendable, CustomStringConvertible {
  case unknownPeer(NodeID)
  case notConnected(NodeID)
  case unknownChannel(ChannelID)
  /// The channel is not in a state in which this can be done.
  case channelState(String)
  case openingFailed(String)
  /// What the peer said.
  case peerError(String)
  case closingFailed(String)
  /// Why a channel keeps its stack.
  case stackRefused(String)
  case wallet(String)
  case unconnectable(String)
  case storage(String)
  case start(String)
  case invalid(String)

  public var description: String {
    switch self {
    case .unknownPeer(let peer): "unknown peer \(peer)"
    case .notConnected(let peer): "peer \(peer) is not connected"
    case .unknownChannel(let id): "unknown channel \(id)"
    case .channelState(let reason), .openingFailed(let reason), .closingFailed(let reason), .stackRefused(let reason),
      .wallet(let reason),
      .unconnectable(let reason), .storage(let reason), .start(let reason), .invalid(let reason):
      reason
    case .peerError(let text): "the peer says: \(text)"
    }
  }
}
