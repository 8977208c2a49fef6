public import Bitcoin
public import Encoding
internal import Secp256k1
public import Wire

/// One direction of a channel. Text: `539268x845x1/0`.
public struct DirectedChannel: Hashable, Comparable, Sendable, CustomStringConvertible {
  public var channel: ShortChannelID
  /// From `node_id_2` to `node_id_1`.
  public var isFromNode2: Bool

  public init(_ channel: ShortChannelID, isFromNode2: Bool) {
    self.channel = channel
    self.isFromNode2 = isFromNode2
  }

  public var description: String { "\(channel)/\(isFromNode2 ? 1 : 0)" }

  public static func < (a: Self, b: Self) -> Bool {
    a.channel == b.channel ? !a.isFromNode2 && b.isFromNode2 : a.channel < b.channel
  }
}

/// A node id, 33 bytes, that was not parsed: as what it is looked up and kept.
public typealias NodeKey = Bytes33

extension NodeID {
  public var key: NodeKey { publicKey.compressed }
}

/// What a gossip message is about: under this name its bytes are kept, and passed on. A newer one takes the place of an older.
public enum GossipKey: Hashable, Sendable {
  case channel(ShortChannelID)
  case update(DirectedChannel)
  case node(NodeKey)
}

/// What has to be done to the bytes that are kept.
public enum GossipChange: Hashable, Sendable {
  /// The message with its two bytes of type.
  case store(GossipKey, [UInt8])
  case remove(GossipKey)
}
