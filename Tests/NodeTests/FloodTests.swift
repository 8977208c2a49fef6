import BOLT
import Bitcoin
import Chain
import Encoding
import Foundation
import GLC
import NIOCore
import NIOPosix
import Payments
import Peers
import Secp256k1
import Testing
import Wallet
import Wire

@testable import Node

/// Ten thousand connections of strangers to a node that has work to do.
@Suite(.serialized) struct FloodTests {
  /// In waves, so that the files of a modest process suffice: both ends of each are in this one.
  private static let (waves, each) = (20, 500)

  @Test func nodeServesItsPeerWhileStrangersFloodIt() async throws {
    let network = try await TestNetwork(nodes: 2)
    for index in 0..<2 { try await network.fund(index) }
    let id = try await network.open(0, 1, pushing: MilliSatoshi(2_000_000_000))
    let target = try #require(network.nodes[1].addresses.first)
    let limits = network.launches[1].peers.limits
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var resident: [Int] = []
    var paid: UInt64 = 2_000_000_000
    var staying: [PeerNetwork] = []
    for _ in 0..<Self.waves {
      let channels = try await flood(target, group)
      // Some who know the protocol, and stay.
      for _ in 0..<4 {
        let stranger = PeerNetwork(
          secretKey: .random(),
          configuration: PeerConfiguration(
            features: NodeSettings.plainFeatures, networks: [network.nodes[1].settings.chainHash]), group: group
        ) { _ in }
        _ = try await stranger.connect(to: network.nodes[1].nodeID, at: [target])
        staying.append(stranger)
      }
      // In the middle of it: the peer is heard and answered.
      _ = try await network.pay(0, 1, MilliSatoshi(1_000_000))
      _ = try await network.pay(1, 0, MilliSatoshi(400_000))
      paid += 600_000
      #expect(network.nodes[1].network.connectionCounts.uninitialised <= limits.uninitialisedConnections)
      for channel in channels { channel.close(promise: nil) }
      resident.append(try Self.residentKilobytes())
    }
    // Those who say nothing have gone; its peer and those who behave are there.
    try await network.wait("the silent ones are gone") {
      network.nodes[1].network.connectionCounts.all == staying.count + 1
    }
    #expect(network.nodes[1].network.peers.count == staying.count + 1)
    try await network.calm(id)
    #expect(await network.balance(1).rawValue == paid)
    #expect(await network.channel(1, id)?.phase == .normal)
    // The first waves may fill what is kept; after that, a wave is like the other.
    print("flood: kilobytes after each wave of \(Self.each): \(resident)")
    let grown = (resident.last ?? 0) - resident[3]
    #expect(grown < 48 * 1024, "kilobytes after each wave: \(resident)")
    for stranger in staying { await stranger.stop() }
    await network.stop()
    try await group.shutdownGracefully()
  }

  /// A third says nothing, a third talks nonsense, a third begins a handshake of nobody's. Whether it is heard to the end is not its business.
  private func flood(_ target: NodeAddress, _ group: MultiThreadedEventLoopGroup) async throws -> [any NIOCore.Channel]
  {
    let port = Int(target.port)
    return try await withThrowingTaskGroup(of: (any NIOCore.Channel).self) { tasks in
      for number in 0..<Self.each {
        tasks.addTask {
          let channel = try await ClientBootstrap(group: group).connectTimeout(.seconds(60))
            .connect(host: "127.0.0.1", port: port).get()
          let words: [UInt8]? =
            switch number % 3 {
            case 0: nil
            case 1: [UInt8](repeating: UInt8(number % 251), count: 4_000)
            // BOLT 8, act one: a version, a key and a tag.
            default: [0] + SecretKey.random().publicKey.array + [UInt8](repeating: 0, count: 16)
            }
          if let words { channel.writeAndFlush(ByteBuffer(bytes: words), promise: nil) }
          return channel
        }
      }
      var channels: [any NIOCore.Channel] = []
      for try await channel in tasks { channels.append(channel) }
      return channels
    }
  }

  /// Linux tells it in pages of four kilobytes.
  private static func residentKilobytes() throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let fields = text.split(separator: " ")
    return try #require(fields.count > 1 ? Int(fields[1]) : nil) * 4
  }
}
