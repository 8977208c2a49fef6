internal import NIOCore
internal import Wire

/// Who is connected, who is about to be, and whether there is room. A value: `PeerNetwork` keeps it behind a lock.
struct PeerRegistry {
  private struct Entry {
    let channel: any Channel
    let direction: PeerDirection
    let hostKey: UInt64?
    /// The place in `uninitialised`; nil once `init` has come, and for our own connections.
    var place: Int?
    var isInitialised = false
    var isStranger = false
  }

  private let limits: PeerConfiguration.Limits
  private let crossing: TimeAmount
  private let ourself: NodeID
  private var entries: [ObjectIdentifier: Entry] = [:]
  private var uninitialised: [ObjectIdentifier] = []
  private var perHost: [UInt64: Int] = [:]
  private var strangers = 0
  private var initialised = 0
  private(set) var peers: [NodeID: PeerConnection] = [:]
  var isStopped = false

  init(ourself: NodeID, limits: PeerConfiguration.Limits, crossing: TimeAmount) {
    self.ourself = ourself
    self.limits = limits
    self.crossing = crossing
  }

  var channels: [any Channel] { entries.values.map(\.channel) }
  var connectionCount: Int { entries.count }
  var uninitialisedCount: Int { uninitialised.count }

  // MARK: Connections

  enum Acceptance {
    case accepted
    /// In its place another one has to go, picked at random: so nobody keeps others out by opening connections and saying nothing.
    case acceptedInsteadOf(any Channel)
    case refused
  }

  /// A peer has connected.
  mutating func accept(_ channel: any Channel, from address: NodeAddress?) -> Acceptance {
    guard !isStopped else { return .refused }
    let hostKey = address.flatMap { $0.isLoopback && !limits.countsLoopback ? nil : $0.hostKey }
    if let hostKey {
      guard perHost[hostKey, default: 0] < limits.connectionsPerHost else { return .refused }
      perHost[hostKey, default: 0] += 1
    }
    var victim: (any Channel)?
    if uninitialised.count >= limits.uninitialisedConnections, let id = uninitialised.randomElement() {
      victim = entries[id]?.channel
      leaveUninitialised(id)
    }
    let id = ObjectIdentifier(channel)
    entries[id] = Entry(channel: channel, direction: .incoming, hostKey: hostKey, place: uninitialised.count)
    uninitialised.append(id)
    return victim.map { .acceptedInsteadOf($0) } ?? .accepted
  }

  /// We are connecting. False when the network stops.
  mutating func dialled(_ channel: any Channel) -> Bool {
    guard !isStopped else { return false }
    entries[ObjectIdentifier(channel)] = Entry(channel: channel, direction: .outgoing, hostKey: nil, place: nil)
    return true
  }

  private mutating func leaveUninitialised(_ id: ObjectIdentifier) {
    guard let place = entries[id]?.place else { return }
    entries[id]?.place = nil
    let last = uninitialised.removeLast()
    if last != id {
      uninitialised[place] = last
      entries[last]?.place = place
    }
  }

  mutating func closed(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    leaveUninitialised(id)
    guard let entry = entries.removeValue(forKey: id) else { return }
    if let hostKey = entry.hostKey, let count = perHost[hostKey] { perHost[hostKey] = count > 1 ? count - 1 : nil }
    if entry.isInitialised { initialised -= 1 }
    if entry.isStranger { strangers -= 1 }
  }

  // MARK: Peers

  enum Admission {
    case admitted(replacing: PeerConnection?)
    case refused(PeerCloseReason)
  }

  /// A peer's `init` was acceptable. BOLT 1: Implementations MUST use a single connection per peer. Of two, the newer one stays: the
  /// older is most likely dead, and nobody but the peer can open one in its name. But when both sides connected to each other within a
  /// moment, "newer" may mean another one to each of them, and both would be closed: then the one stays that the node with the
  /// lesser id opened.
  mutating func admit(_ connection: PeerConnection, isKept: Bool) -> Admission {
    guard !isStopped else { return .refused(.stopped) }
    let older = peers[connection.nodeID]
    if let older, older.direction != connection.direction, connection.established - older.established < crossing {
      let opener = connection.direction == .outgoing ? ourself : connection.nodeID
      let olderOpener = older.direction == .outgoing ? ourself : connection.nodeID
      guard opener < olderOpener else { return .refused(.duplicate) }
    }
    let id = ObjectIdentifier(connection.channel)
    if connection.direction == .incoming {
      // One that takes another's place needs no room.
      if older == nil {
        guard isKept || strangers < limits.incomingConnections else { return .refused(.tooManyConnections) }
        guard initialised < limits.incomingConnections + limits.reservedConnections else {
          return .refused(.tooManyConnections)
        }
      }
      // One that has gone meanwhile is not counted: nobody would count it out.
      guard entries[id] != nil else { return .refused(.tooManyConnections) }
      leaveUninitialised(id)
      entries[id]?.isInitialised = true
      initialised += 1
      if !isKept {
        entries[id]?.isStranger = true
        strangers += 1
      }
    }
    peers[connection.nodeID] = connection
    return .admitted(replacing: older)
  }

  mutating func remove(_ connection: PeerConnection) {
    if peers[connection.nodeID] === connection { peers[connection.nodeID] = nil }
  }
}
