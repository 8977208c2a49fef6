internal import Bitcoin
internal import Wire

/// What gossip knows of one peer.
struct GossipPeer: Sendable {
  let offersQueries: Bool
  let offersExtendedQueries: Bool
  let sharesChain: Bool
  /// Whether it composes channels of extensions, and believes in announcements of such.
  let composes: Bool
  /// We have asked for its news.
  var givesNews = false
  /// What it wants to hear of; nil: nothing that is not ours.
  var filter: GossipTimestampFilter?
  /// What it gets, in this order.
  var jobs: [Job] = []
  /// What it gets with the next flush, each thing once.
  var news: [GossipKey] = []
  var newsSet: Set<GossipKey> = []
  /// Channels that are announced, of which it wanted no update yet.
  var untold: Set<ShortChannelID> = []
  var nextFlush: UInt32 = 0
  var sync = Sync.idle
  /// Whether it is asked for everything, or for some channels only.
  var isFullSync = false
  /// When it was asked for everything; 0: never.
  var lastSync: UInt32 = 0

  enum Job: Sendable {
    case message([UInt8])
    /// Kept messages from a place on.
    case keys([GossipKey], Int)
    /// The answer to `query_short_channel_ids`, from a place on.
    case channels([ShortChannelID], [QueryFlags]?, Int, sentNodes: Set<NodeKey>)
    /// The last of an answer: the peer may ask again.
    case endOfAnswer([UInt8])
    case endOfRange([UInt8])
    /// All channels after this one, as the filter has it; then all nodes from this place on.
    case backlog(after: ShortChannelID?)
    case nodeBacklog(Int)
  }

  /// What we have asked the peer.
  enum Sync: Sendable {
    case idle
    /// Which channels it has. What is wanted so far, and how far the replies have come.
    case ranging(wanted: [Wanted], reached: UInt32, deadline: UInt32)
    /// The channels that are wanted, in parts; those before `next` have been asked for.
    case querying(wanted: [Wanted], asked: Range<Int>, deadline: UInt32)

    var isIdle: Bool { if case .idle = self { true } else { false } }

    var deadline: UInt32? {
      switch self {
      case .idle: nil
      case .ranging(_, _, let deadline), .querying(_, _, let deadline): deadline
      }
    }

    var waitingIDs: [ShortChannelID] {
      switch self {
      case .idle: []
      case .ranging(let wanted, _, _): wanted.map(\.id)
      case .querying(let wanted, _, _): wanted.map(\.id)
      }
    }
  }

  struct Wanted: Sendable {
    let id: ShortChannelID
    let flags: QueryFlags
  }

  init(offersQueries: Bool, offersExtendedQueries: Bool, sharesChain: Bool, composes: Bool) {
    self.offersQueries = offersQueries
    self.offersExtendedQueries = offersExtendedQueries
    self.sharesChain = sharesChain
    self.composes = composes
  }

  mutating func send(_ message: some WireMessage) {
    guard let bytes = try? message.encoded() else { return }
    jobs.append(.message(bytes))
  }

  func wants(_ timestamp: UInt32, isOurs: Bool) -> Bool {
    guard sharesChain else { return false }
    return isOurs || filter?.admits(timestamp) == true
  }

  mutating func add(_ key: GossipKey, limit: Int) {
    guard news.count < limit, newsSet.insert(key).inserted else { return }
    news.append(key)
  }

  mutating func miss(_ channel: ShortChannelID, limit: Int) {
    if sharesChain, untold.count < limit { untold.insert(channel) }
  }

  var isAnswering: Bool {
    jobs.contains {
      switch $0 {
      case .channels, .endOfAnswer: true
      default: false
      }
    }
  }

  var isAnsweringRange: Bool {
    jobs.contains {
      if case .endOfRange = $0 { true } else { false }
    }
  }
}
