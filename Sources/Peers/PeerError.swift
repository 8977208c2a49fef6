public import Noise
public import Wire

/// Why a connection ended, or never came to be.
public enum PeerCloseReason: Error, Hashable, Sendable {
  /// The peer closed it, or it broke.
  case closedByPeer
  case connectionFailed(String)
  case proxyRefused(String)
  case handshakeFailed(HandshakeError)
  case handshakeTimedOut
  /// Something that cannot be decrypted.
  case transportFailed(TransportError)
  case initTimedOut
  case invalidInit(WireError)
  /// Something else where `init` was due.
  case initMissing(type: UInt16)
  /// A second `init`.
  case initRepeated
  /// The peer sent `error` or `warning` instead of `init`.
  case refusedByPeer(PeerText)
  case featuresRefused(FeatureError)
  case noCommonChain
  /// The layer above does not want this peer.
  case refused(String)
  case tooManyConnections
  /// The connection led to ourselves.
  case ourself
  /// A newer connection with the same peer took its place, or an older one kept it.
  case duplicate
  case malformedMessage(WireError)
  case unknownEvenType(UInt16)
  case pingFlood
  case pongTimedOut
  /// The peer does not read what we send.
  case writeStalled
  case outboundOverflow
  /// The layer above closed it, for this reason.
  case closedByUs(String)
  case stopped
}

extension PeerCloseReason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .closedByPeer: "the peer closed the connection"
    case .connectionFailed(let text): text
    case .proxyRefused(let text): "the proxy could not connect: \(text)"
    case .handshakeFailed(HandshakeError(act: .one, reason: .badTag)):
      "handshake failed (ACT1_BAD_TAG): the peer looks for another node id than ours"
    case .handshakeFailed(let error): "handshake failed: \(error)"
    case .handshakeTimedOut: "the peer did not finish the handshake in time"
    case .transportFailed: "the peer sent something that cannot be decrypted"
    case .initTimedOut: "the peer did not send init in time"
    case .invalidInit(let error): "the peer's init is invalid: \(error)"
    case .initMissing(let type): "the peer's first message was of type \(type) instead of init"
    case .initRepeated: "the peer sent init twice"
    case .refusedByPeer(let text): "the peer refused the connection: \(text.safeText())"
    case .featuresRefused(let error): "the peer \(error)"
    case .noCommonChain: "the peer is on another chain"
    case .refused(let text): text
    case .tooManyConnections: "there are too many connections"
    case .ourself: "this is our own node"
    case .duplicate: "another connection with this peer took its place"
    case .malformedMessage(let error): "the peer sent a malformed message: \(error)"
    case .unknownEvenType(let type): "the peer sent a message of type \(type), which is even and unknown"
    case .pingFlood: "the peer sent too many pings"
    case .pongTimedOut: "the peer did not answer a ping in time"
    case .writeStalled: "the peer stopped reading"
    case .outboundOverflow: "the peer reads too slowly"
    case .closedByUs(let text): text
    case .stopped: "the node stops"
    }
  }

  /// Whether the peer did what no peer may do.
  var isViolation: Bool {
    switch self {
    case .transportFailed, .initRepeated, .malformedMessage, .unknownEvenType, .pingFlood: true
    default: false
    }
  }

  /// The text of the `warning` that a peer is sent before the connection is closed; nil when nothing is said.
  var warning: String? {
    switch self {
    case .initMissing, .invalidInit, .initRepeated, .featuresRefused, .noCommonChain, .malformedMessage,
      .unknownEvenType, .pingFlood:
      description
    default: nil
    }
  }
}

/// Why a peer could not be connected to, or an address not listened on.
public enum PeerError: Error, Hashable, Sendable {
  public struct Attempt: Hashable, Sendable {
    public let address: NodeAddress
    public let reason: PeerCloseReason

    public init(address: NodeAddress, reason: PeerCloseReason) {
      self.address = address
      self.reason = reason
    }
  }

  case stopped
  case ourself
  /// None of the peer's addresses can be used: none is known, or onion services alone and there is no proxy.
  case noUsableAddress
  /// What happened at each address.
  case unreachable([Attempt])
  case cannotListen(on: NodeAddress, reason: String)
  case cancelled
}

extension PeerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .stopped: "the node stops"
    case .ourself: "this is our own node id"
    case .noUsableAddress: "no address of this peer can be used; give one as host:port (onion services need a proxy)"
    case .unreachable(let attempts):
      attempts.map { "\($0.address): \($0.reason)" }.joined(separator: "; ")
    case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
    case .cancelled: "cancelled"
    }
  }
}
