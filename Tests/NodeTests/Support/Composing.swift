import Anchors
import BOLT
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import PTLC
import Payments
import Secp256k1
import Signer
import Testing
import Wallet
import Wire

@testable import Node

extension PeerHost {
  /// Takes over a channel that its two ends have agreed on elsewhere.
  func adopt(_ channel: LightningChannel, _ effects: [LightningEffect], keyIndex: UInt64) {
    var hosted = HostedChannel(channel: channel, policy: hub.defaultPolicy(channel.capacity))
    hosted.channel.closingScript = hub.sweepScript
    hosted.openedAt = hub.height
    channels[channel.id] = hosted
    batch.changes.append(hub.keyIndexChange(keyIndex))
    apply(effects, to: channel.id)
  }
}

extension TestNetwork {
  /// `musig2 + htlc + ptlc + anchors`, or with other contracts.
  static func taproot(_ contracts: [any ExtensionSlot] = [htlc, ptlc]) throws -> ChannelStack {
    try ChannelStack(
      funding: MuSig2Funding(),
      extensions: [Slot(MainOutputs(), .init(remoteFormat: .fixedAfterOneBlock))] + contracts + [
        Slot(Anchors(), Nothing())
      ])
  }

  static let htlc: any ExtensionSlot = Slot(HTLCExtension(), .init(format: .anchors))
  static let ptlc: any ExtensionSlot = Slot(PTLCExtension(), .init(delaysOneBlock: true))

  /// A channel of any stack between two nodes, funded by the first one; what both would have negotiated is simply there.
  @discardableResult func compose(
    _ a: Int, _ b: Int, _ capacity: Satoshi = Satoshi(10_000_000), pushing: MilliSatoshi = .zero,
    stack: ChannelStack? = nil, announced: Bool = false
  ) async throws -> ChannelID {
    try await connect(a, b)
    let stack = try stack ?? Self.taproot()
    let hubs = [nodes[a].hub, nodes[b].hub]
    let keys = hubs.map { $0.nextKeyIndex() }
    let signers = try (0..<2).map { try hubs[$0].signer(keys[$0]) }
    let delay = nodes[a].hub.settings.channels.contestDelay
    func party(_ index: Int) -> PartyParameters {
      PartyParameters(
        dustLimit: Satoshi(354), contestDelay: delay, reserve: Satoshi(10_000), basepoints: signers[index].basepoints)
    }
    let factor = obscuringFactor(
      openerPaymentBasepoint: try #require(signers[0].basepoints[.payment]),
      acceptorPaymentBasepoint: try #require(signers[1].basepoints[.payment]))
    let rest = try #require(capacity.milliSatoshi?.subtracting(pushing))
    func core(_ index: Int, _ outPoint: OutPoint) throws -> Channel {
      Channel(
        stack: stack,
        parameters: ChannelParameters(
          funder: index == 0 ? .local : .remote, parties: PerParty(local: party(index), remote: party(1 - index)),
          obscuringFactor: factor),
        funding: Funding(outPoint: outPoint, capacity: capacity),
        balances: Balances(local: index == 0 ? rest : pushing, remote: index == 0 ? pushing : rest),
        feeRate: FeeRate(satPerKiloWeight: 2500), firstRemotePoint: try signers[1 - index].perCommitmentPoint(0))
    }
    let nowhere = OutPoint(txid: TxID(Bytes32()), vout: 0)
    let script = try #require(try core(0, nowhere).localCommitments(signers[0]).first?.fundingLock.scriptPubKey)
    let (spend, transaction) = try await hubs[0].wallet.make(
      SpendRequest(paying: .exactly(capacity), to: script, feeRate: FeeRate(satPerKiloWeight: 2500)))
    let outPoint = OutPoint(txid: transaction.txid, vout: try #require(spend.outPoint?.vout))
    let name = ChannelID(hubs[0].randomBytes32())
    var id: ChannelID?
    for index in 0..<2 {
      let own = try core(index, outPoint)
      let nonce = stack.funding.signsTogether ? try signers[index].nonce(0, on: outPoint) : nil
      let signatures = try core(1 - index, outPoint).remoteCommitments()[0].map {
        try signers[1 - index].sign($0, nonce: nonce)
      }
      let peer = nodes[index == 0 ? b : a].nodeID
      let (channel, effects) = try LightningChannel.composed(
        own.signed(signatures),
        ComposedOpening(
          peer: peer, keyIndex: keys[index], isOpener: index == 0, temporaryID: name, pushed: pushing, minimumDepth: 1,
          alias: hubs[index].randomAlias(), isAnnounced: announced),
        funding: transaction, signer: signers[index], policy: hubs[index].settings.channels)
      id = channel.id
      await hubs[index].hostOrNew(peer).adopt(channel, effects, keyIndex: keys[index])
      // A batch ends with the next input.
      _ = await nodes[index == 0 ? a : b].channels()
    }
    let channelID = try #require(id)
    try await wait("the funding transaction") { try await !self.chain.mempoolTransactions().isEmpty }
    try await mine(6)
    try await isUsable(channelID, a, b)
    return channelID
  }

  func isUsable(_ id: ChannelID, _ a: Int, _ b: Int) async throws {
    for index in [a, b] {
      try await wait("channel of \(index) is usable") {
        await self.nodes[index].inspect().contains {
          $0.channel.id == id && $0.channel.canOffer && $0.peerPolicy != nil
        }
      }
    }
  }

  func pointInvoice(_ payee: Int, _ amount: MilliSatoshi) async throws -> Bolt11Invoice {
    var terms = InvoiceTerms(amount: amount, label: "invoice \(UInt64.random(in: 0...(.max)))", description: "test")
    terms.kind = PTLCExtension.id
    return try Bolt11Invoice(decoding: try await nodes[payee].createInvoice(terms).bolt11)
  }

  /// Starts a payment to a point that the payee holds.
  func holdPoint(_ payer: Int, _ payee: Int, _ amount: MilliSatoshi) async throws -> Held {
    let secret = sha256(Array("scalar \(UInt64.random(in: 0...(.max)))".utf8))
    var terms = InvoiceTerms(amount: amount, label: "invoice \(UInt64.random(in: 0...(.max)))", description: "test")
    terms.holdTarget = PaymentLock(kind: PTLCExtension.id, bytes: try SecretKey(secret).publicKey.array)
    let invoice = try Bolt11Invoice(decoding: try await nodes[payee].createInvoice(terms).bolt11)
    return Held(
      preimage: secret, hash: invoice.contents.paymentHash, payee: payee, paying: Paying(nodes[payer], invoice))
  }

  /// The points that lock payments on a channel, as one of its ends sees them.
  func points(_ index: Int, _ id: ChannelID) async throws -> [PublicKey] {
    let pending = await channel(index, id)?.pendingPayments ?? []
    return try pending.filter { $0.lock.kind == PTLCExtension.id }.map {
      try #require(PublicKey(parsing: $0.lock.bytes))
    }
  }
}
