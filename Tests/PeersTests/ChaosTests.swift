import Encoding
import Peers
import Secp256k1
import Testing
import Wire

/// Everything at once.
@Suite struct ChaosTests {
  @Test(arguments: 1...3) func `Nodes that connect, talk, close and stop at random leave nothing behind`(
    round: Int
  ) async throws {
    var nodes: [TestNode] = []
    var addresses: [NodeAddress] = []
    for _ in 0..<6 {
      let node = TestNode {
        $0.times.pingInterval = .milliseconds(30)
        $0.times.pong = .seconds(300)
        $0.limits.pingsPerSecond = 1_000
        $0.limits.inboundBytes = 20_000
        $0.threads = 2
      }
      addresses.append(try await node.listen())
      nodes.append(node)
    }
    let (all, places) = (nodes, addresses)
    try await withTimeLimit("they did not come to rest", .seconds(300)) {
      await withTaskGroup(of: Void.self) { group in
        for index in 0..<6 {
          // Who takes what comes, and gives some back.
          group.addTask {
            await withTaskGroup(of: Void.self) { readers in
              for await connection in all[index].connections {
                readers.addTask {
                  while let batch = await connection.nextBatch() {
                    for message in batch where message.bytes.count < 5_000 && message.type == 0x8001 {
                      connection.send([0x80, 0x03] + message.bytes)
                    }
                  }
                  // A connection that has ended says why.
                  #expect(connection.closeReason != nil)
                }
              }
            }
          }
          group.addTask {
            for step in 0..<150 {
              let other = (index + 1 + Int.random(in: 0..<5)) % 6
              let peer = all[other].nodeID
              switch Int.random(in: 0..<12) {
              case 0: all[index].network.keepConnected(peer, at: [places[other]])
              case 1: all[index].network.release(peer)
              case 2:
                all[index].network.peer(peer)?.close("enough", after: Warning(channelID: .all, data: PeerText("bye")))
              case 3: all[index].network.peer(peer)?.close("enough")
              case 4: _ = try? await all[index].network.connect(to: peer, at: [places[other]])
              case 5: try? await Task.sleep(for: .milliseconds(Int.random(in: 0..<10)))
              case 6: await all[index].network.peer(peer)?.waitUntilWritable()
              case 7: all[index].network.peer(peer)?.sendGossip((0..<20).map { note($0, byteCount: 3_000) })
              default:
                all[index].network.peer(peer)?.send((0..<20).map { note($0, byteCount: Int.random(in: 8..<9_000)) })
              }
              // Some stop in the middle of it.
              if step == 100, index < 3 { await all[index].network.stop() }
            }
            await all[index].network.stop()
            all[index].finish()
          }
        }
      }
    }
    for node in nodes {
      #expect(node.network.connectionCounts.all == 0)
      #expect(node.network.peers.isEmpty)
    }
  }
}
