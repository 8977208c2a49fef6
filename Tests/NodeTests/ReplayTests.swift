import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Sphinx
import Storage
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// Somebody on the way offers an onion once more that it has seen before. BOLT 4: MUST abort processing the packet and fail.
@Suite(.serialized) struct ReplayTests {
  private final class Copy: Sendable {
    private let offer = Mutex<OutgoingPayment?>(nil)
    func keep(_ other: OutgoingPayment) { offer.withLock { $0 = $0 ?? other } }
    var value: OutgoingPayment? { offer.withLock { $0 } }
  }

  /// Offers what was offered before, from below the payment engine, and sees how the peer ends it.
  private func replay(_ copy: Copy, _ network: TestNetwork, _ middle: Middle, _ number: UInt8) async throws {
    var offer = try #require(copy.value)
    // Nobody knows it: what comes of it is forgotten.
    offer.origin = [0xff, number]
    let (node, peer) = (network.nodes[0], network.nodes[1].nodeID)
    func count(_ type: UInt16) -> Int { middle.types(.back).count { $0 == type } }
    let (refused, taken) = (count(UpdateFailHTLC.type), count(UpdateFulfillHTLC.type))
    try #require(node.hub.host(peer)).mailbox.post(.offer(offer))
    try await network.wait("the copy is refused") { count(UpdateFailHTLC.type) == refused + 1 }
    #expect(count(UpdateFulfillHTLC.type) == taken)
  }

  @Test(arguments: [false, true])
  func onionIsTakenOnceAlsoAfterAStart(_ isPending: Bool) async throws {
    let network = try await TestNetwork(nodes: 2, configure: { launch, _ in launch.reconnectsQuickly() })
    try await network.fund(0)
    let middle = try await network.middle(0, 1)
    let id = try await network.open(0, 1)
    let copy = Copy()
    let invoice = try await network.invoice(1, MilliSatoshi(10_000_000))
    var request = network.request(network.route([0, 1], [try await network.name(id)], 10_000_000), invoice)
    if isPending {
      // Half of it, so that it waits for the rest.
      request.total = MilliSatoshi(20_000_000)
      _ = try await network.begin(0, request, changing: { copy.keep($0) })
    } else {
      #expect(try await network.send(0, request, changing: { copy.keep($0) }) == nil)
    }
    let pending = isPending ? 1 : 0
    try await network.calm(id, pending: pending)
    let balance = await network.balance(1)
    for number in 0..<3 as Range<UInt8> {
      if number == 2 {
        try await network.restart(1)
        try await network.connect(0, 1)
        try await network.wait("the channel is usable") {
          for index in 0..<2 where await network.channel(index, id)?.canOffer != true { return false }
          return true
        }
      }
      try await replay(copy, network, middle, number)
      try await network.calm(id, pending: pending)
    }
    #expect(await network.balance(1) == balance)
    await network.stop()
  }

  /// A copy is not passed on: the next node never sees it.
  @Test func onionIsPassedOnOnce() async throws {
    let network = try await TestNetwork(nodes: 3)
    for index in 0..<2 { try await network.fund(index) }
    let (near, far) = (try await network.middle(0, 1), try await network.middle(1, 2))
    let names = [
      try await network.name(try await network.open(0, 1)), try await network.name(try await network.open(1, 2)),
    ]
    let copy = Copy()
    let invoice = try await network.invoice(2, MilliSatoshi(10_000_000))
    let request = network.request(network.route([0, 1, 2], names, 10_000_000), invoice)
    #expect(try await network.send(0, request, changing: { copy.keep($0) }) == nil)
    try await replay(copy, network, near, 1)
    #expect(far.types(.there).count { $0 == UpdateAddHTLC.type } == 1)
    await network.stop()
  }
}
