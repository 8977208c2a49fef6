internal import Logging
internal import NIOCore
internal import Synchronization
public import Wire

/// A peer that we want to be connected with.
struct KeptPeer {
  /// The one that worked last comes first.
  var addresses: [NodeAddress]
  var task: Task<Void, Never>
}

/// The pauses between attempts: each twice as long as the one before, up to a limit, more or less by a half.
struct BackOff {
  private let first: Duration
  private let longest: Duration
  private(set) var failures = 0

  init(_ times: PeerConfiguration.Times) {
    first = times.firstRetry
    longest = times.longestRetry
  }

  mutating func succeeded() { failures = 0 }

  mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
    let pause = min(longest, first * Int(1 << min(failures, 30)))
    failures += 1
    return pause * Double.random(in: 0.5...1.5, using: &generator)
  }
}

extension PeerNetwork {
  /// Stays connected with a peer from now on: connects, and connects anew whenever the connection is lost, at first after a second, then
  /// after ever longer pauses. A peer that is kept has a right to a place when strangers have taken all others. Calling it
  /// again adds addresses and tries at once.
  public func keepConnected(_ peer: NodeID, at addresses: [NodeAddress]) {
    guard peer != nodeID, !registry.withLock({ $0.isStopped }) else { return }
    kept.withLock { kept in
      var all = kept[peer]?.addresses ?? []
      all += addresses.filter { !all.contains($0) }
      kept[peer]?.task.cancel()
      kept[peer] = KeptPeer(addresses: all, task: Task { [self] in await keep(peer) })
    }
  }

  /// Leaves it to the peer to stay or to come back. An existing connection is not touched.
  public func release(_ peer: NodeID) {
    kept.withLock { $0.removeValue(forKey: peer) }?.task.cancel()
  }

  /// The peers that are kept, with their addresses.
  public var keptPeers: [NodeID: [NodeAddress]] { kept.withLock { $0.mapValues(\.addresses) } }

  private func keep(_ peer: NodeID) async {
    var backOff = BackOff(configuration.times)
    var generator = SystemRandomNumberGenerator()
    while !Task.isCancelled {
      let addresses = kept.withLock { $0[peer]?.addresses ?? [] }
      do throws(PeerError) {
        let connection = try await connect(to: peer, at: addresses)
        if connection.direction == .outgoing, let address = connection.address { prefer(address, of: peer) }
        let start = ContinuousClock.now
        await connection.waitUntilClosed()
        // A peer that hangs up at once is not tried again and again.
        if .now - start >= configuration.times.stable { backOff.succeeded() }
        if Task.isCancelled || self.peer(peer) != nil { continue }
      } catch {
        if case .stopped = error { return }
        configuration.logger.debug("peer not reached", metadata: ["peer": "\(peer)", "reason": "\(error)"])
      }
      try? await Task.sleep(for: backOff.next(using: &generator))
    }
  }

  private func prefer(_ address: NodeAddress, of peer: NodeID) {
    kept.withLock { kept in
      guard let index = kept[peer]?.addresses.firstIndex(of: address), index > 0 else { return }
      kept[peer]?.addresses.remove(at: index)
      kept[peer]?.addresses.insert(address, at: 0)
    }
  }
}
