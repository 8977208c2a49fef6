internal import Encoding

/// What BOLT 7 asks of a gossip message beyond its signatures, as far as the message itself shows it. What needs the chain or the
/// graph is the caller's: whether the funding output exists and is unspent, the channel's capacity, what was received before.
public struct GossipRules: Hashable, Sendable {
  public var chainHash: ChainHash
  /// Seconds since 1970.
  public var now: UInt32
  /// How far ahead of us a `timestamp` may be, in seconds. BOLT 7: if the `timestamp` is unreasonably far in the future: MAY discard
  /// the `channel_update`.
  public var futureTolerance: UInt32
  /// BOLT 7 §Recommendation on Pruning Stale Entries: older than two weeks (1209600 seconds).
  public var staleAfter: UInt32
  /// Whose even bits do not keep us from using a node or a channel.
  public var supported: Set<Feature>

  public init(
    chainHash: ChainHash, now: UInt32, futureTolerance: UInt32 = 86_400, staleAfter: UInt32 = 1_209_600,
    supported: Set<Feature> = Set(Feature.merged + Feature.own)
  ) {
    self.chainHash = chainHash
    self.now = now
    self.futureTolerance = futureTolerance
    self.staleAfter = staleAfter
    self.supported = supported
  }

  /// How a message that is taken in may be used.
  public struct Use: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Payments may go through it, as far as it alone decides.
    public static let route = Use(rawValue: 1)
    /// It may be passed on to other peers.
    public static let forward = Use(rawValue: 1 << 1)
  }

  public func check(_ announcement: ChannelAnnouncement) throws(GossipFault) -> Use {
    try announcement.checkForm()
    // BOLT 7: if the specified `chain_hash` is unknown to the receiver: MUST ignore the message.
    guard announcement.chainHash == chainHash else { throw .unknownChain }
    // BOLT 7: if there is an unknown even bit in the `features` field: MUST NOT attempt to route messages through the channel.
    return announcement.features.unknownRequiredBit(supported: supported) == nil ? [.route, .forward] : .forward
  }

  public func check(_ announcement: NodeAnnouncement) throws(GossipFault) -> Use {
    let list = try announcement.addressList()
    try check(timestamp: announcement.timestamp)
    var use: Use = []
    // BOLT 7: if `features` field contains _unknown even bits_: (…) MUST NOT route a payment _through_ the node.
    if announcement.features.unknownRequiredBit(supported: supported) == nil { use.insert(.route) }
    if list.mayBeForwarded { use.insert(.forward) }
    return use
  }

  public func check(_ update: ChannelUpdate) throws(GossipFault) -> Use {
    try update.checkForm()
    // BOLT 7: if the specified `chain_hash` value is unknown (…): MUST ignore the channel update.
    guard update.chainHash == chainHash else { throw .unknownChain }
    try check(timestamp: update.timestamp)
    if now > update.timestamp, now - update.timestamp > staleAfter { throw .stale }
    var use: Use = []
    if update.isRoutable { use.insert(.route) }
    if !update.messageFlags.contains(.dontForward) { use.insert(.forward) }
    return use
  }

  private func check(timestamp: UInt32) throws(GossipFault) {
    if timestamp > now, timestamp - now > futureTolerance { throw .fromTheFuture }
  }
}

extension ChannelAnnouncement {
  /// BOLT 7: MUST set `node_id_1` and `node_id_2` to the public keys of the two nodes operating the channel, such that `node_id_1` is
  /// the lexicographically-lesser of the two compressed keys sorted in ascending lexicographic order.
  func checkForm() throws(GossipFault) {
    guard nodeID1 < nodeID2 else { throw .nodesOutOfOrder }
  }
}

extension NodeAnnouncement {
  /// The addresses, read. Throws `.badAddresses`.
  public func addressList() throws(GossipFault) -> NodeAddresses.List {
    do throws(DecodingError) {
      return try addresses.list()
    } catch {
      throw .badAddresses(error)
    }
  }

  /// BOLT 7: if `timestamp` is NOT greater than the last-received `node_announcement` from this `node_id`: SHOULD ignore the message.
  public func checkReplaces(_ last: NodeAnnouncement) throws(GossipFault) {
    guard timestamp > last.timestamp else { throw .notNewer }
  }
}

extension ChannelUpdate {
  /// BOLT 7: MUST set `timestamp` to greater than 0.
  func checkForm() throws(GossipFault) {
    guard timestamp > 0 else { throw .noTimestamp }
  }

  /// BOLT 7: if `htlc_maximum_msat` < `htlc_minimum_msat`: SHOULD ignore this channel during route considerations.
  public var isRoutable: Bool { !channelFlags.contains(.disable) && htlcMaximumMsat >= htlcMinimumMsat }

  /// Compares with the last update of the same channel and direction.
  ///
  /// BOLT 7: if the `timestamp` is equal to the last-received `channel_update` (…): if the fields below `timestamp` differ: MAY
  /// blacklist this `node_id`. (…) if the fields below `timestamp` are equal: SHOULD ignore this message. If `timestamp` is lower
  /// (…): SHOULD ignore the message.
  public func checkReplaces(_ last: ChannelUpdate) throws(GossipFault) {
    if timestamp < last.timestamp { throw .notNewer }
    guard timestamp == last.timestamp else { return }
    // Signatures are malleable and made with random numbers: they do not count.
    var unsigned = self
    unsigned.signature = last.signature
    throw unsigned == last ? .notNewer : .sameTimestamp
  }
}
