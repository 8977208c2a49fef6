public import Encoding

/// Why a gossip message is not taken in, or not used.
public enum GossipFault: Error, Hashable, Sendable {
  /// The signature of this field is not valid.
  case badSignature(FieldName)
  /// `node_id_1` is not less than `node_id_2`.
  case nodesOutOfOrder
  /// Another chain than ours.
  case unknownChain
  /// `timestamp` is 0.
  case noTimestamp
  /// `timestamp` is too far in the future.
  case fromTheFuture
  /// `timestamp` is more than two weeks old.
  case stale
  /// `timestamp` is not greater than the last one's.
  case notNewer
  /// Another `channel_update` came with the same `timestamp` and other content.
  case sameTimestamp
  /// `addresses` cannot be read.
  case badAddresses(DecodingError)

  public var consequence: Consequence {
    switch self {
    case .badSignature, .badAddresses:
      // BOLT 7, of each announcement and update: SHOULD send a `warning`. MAY close the connection. MUST NOT process the message further.
      .warn
    case .nodesOutOfOrder, .noTimestamp:
      // What the origin MUST NOT do, and about which the receiver is told nothing.
      .warn
    case .unknownChain, .fromTheFuture, .stale, .notNewer, .sameTimestamp:
      // BOLT 7: MUST ignore the message. MAY discard the `channel_update`. SHOULD ignore the message.
      .ignore
    }
  }
}

extension GossipFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .badSignature(let field): "\(field) is not valid"
    case .nodesOutOfOrder: "node_id_1 is not less than node_id_2"
    case .unknownChain: "another chain"
    case .noTimestamp: "timestamp is 0"
    case .fromTheFuture: "timestamp is too far in the future"
    case .stale: "timestamp is more than two weeks old"
    case .notNewer: "timestamp is not greater than the last one"
    case .sameTimestamp: "another update with the same timestamp"
    case .badAddresses(let error): "addresses: \(error)"
    }
  }
}
