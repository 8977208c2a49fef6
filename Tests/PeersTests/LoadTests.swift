import Encoding
import NIOCore
import NIOPosix
import Peers
import Secp256k1
import Synchronization
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

/// Many messages, many peers.
@Suite(.serialized) struct LoadTests {
  @Test func `A hundred thousand messages between two nodes, in order`() async throws {
    let unlimited: (inout PeerConfiguration) -> Void = {
      $0.limits.messagesPerSecond = 1e9
      $0.limits.messageBurst = 1e9
      $0.limits.bytesPerSecond = 1e12
      $0.limits.byteBurst = 1e12
    }
    let alice = TestNode(unlimited)
    let bob = TestNode(unlimited)
    let toBob = try await alice.network.connect(to: bob.nodeID, at: [try await bob.listen()])
    let toAlice = try await bob.nextConnection()
    let count = 100_000
    let start = ContinuousClock.now
    let sender = Task {
      // As commitments would come: a hundred at a time, about 150 bytes each.
      for batch in 0..<count / 100 {
        await toBob.waitUntilWritable()
        toBob.send((0..<100).map { note(batch * 100 + $0, byteCount: 150) })
      }
    }
    let (received, batches) = try await withTimeLimit("they did not all come", .seconds(300)) {
      var next = 0
      var count = 0
      while next < 100_000, let batch = await toAlice.nextBatch() {
        count += 1
        for message in batch {
          guard message.bytes == note(next, byteCount: 150) else { throw Failure("message \(next) is wrong") }
          next += 1
        }
      }
      return (next, count)
    }
    _ = await sender.value
    let time = ContinuousClock.now - start
    #expect(received == count)
    print(
      "peers: \(count) messages of 152 bytes in \(time), \(batches) batches, \(Int(Double(count) / (time / .seconds(1)))) per second"
    )
    await alice.network.stop()
    await bob.network.stop()
  }

  @Test func `Thousands of connections, with bounded memory and room for one more`() async throws {
    let files = raiseFileLimit()
    // Both ends are ours.
    let wanted = min(10_000, (files - 1_500) / 2)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let bob = TestNode {
      $0.limits.incomingConnections = 20_000
      $0.limits.uninitialisedConnections = 20_000
      $0.times.handshake = .seconds(600)
    }
    let address = try await bob.listen()
    let before = residentKilobytes()
    // A tenth of them are peers, the rest never says a word.
    let peers = wanted / 10
    var silent: [any Channel] = []
    for start in stride(from: 0, to: wanted - peers, by: 500) {
      let count = min(500, wanted - peers - start)
      silent += try await withThrowingTaskGroup(of: (any Channel).self) { tasks in
        for _ in 0..<count {
          tasks.addTask {
            try await ClientBootstrap(group: group).connectTimeout(.seconds(60))
              .connect(host: "127.0.0.1", port: Int(address.port)).get()
          }
        }
        var channels: [any Channel] = []
        for try await channel in tasks { channels.append(channel) }
        return channels
      }
    }
    let idle = residentKilobytes()
    var speakers: [RawPeer] = []
    for _ in 0..<peers {
      let peer = try await RawPeer(to: address)
      try await peer.introduce(to: bob.nodeID)
      speakers.append(peer)
    }
    try await until("not all are connected") { bob.network.connectionCounts.all == wanted }
    try await until("not all have introduced themselves") { bob.network.peers.count == peers }
    let after = residentKilobytes()
    // Everybody is served: each one's message arrives.
    for (number, peer) in speakers.enumerated() { peer.push(try peer.encrypt(note(number))) }
    var heard: Set<[UInt8]> = []
    for connection in bob.network.peers { heard.formUnion(try await receive(1, from: connection).map(\.bytes)) }
    #expect(heard == Set((0..<peers).map { note($0) }))
    let alice = TestNode()
    let one = try await alice.network.connect(to: bob.nodeID, at: [address])
    #expect(one.send(note(1)))
    let each = (idle - before) / max(1, wanted - peers)
    let eachPeer = (after - idle) / max(1, peers)
    print(
      "peers: \(wanted) connections, \(peers) of them peers; both ends: \(each) kB for a silent one, \(eachPeer) kB for a peer"
    )
    // Both ends of each are in this process.
    #expect(each < 60 && eachPeer < 150)
    await alice.network.stop()
    await bob.network.stop()
    for channel in silent { try? await channel.close() }
    for peer in speakers { await peer.close() }
    try await group.shutdownGracefully()
  }
}

/// How many files this process may open now.
private func raiseFileLimit() -> Int {
  var limit = rlimit()
  guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
  var raised = limit
  raised.rlim_cur = limit.rlim_max
  if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
  return Int(clamping: limit.rlim_cur)
}

/// From /proc; 0 where there is none.
private func residentKilobytes() -> Int {
  guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
  defer { unsafe fclose(file) }
  var buffer = [CChar](repeating: 0, count: 256)
  guard unsafe fgets(&buffer, 256, file) != nil else { return 0 }
  let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let fields = text.split(separator: " ")
  return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * 4
}
