import Anchors
import BOLT
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import PTLC
import Secp256k1
import Signer
import Testing
import Wire

/// A pair whose channel is a composition: opened through the core, as a negotiation would leave it.
extension ChannelPair {
  /// `musig2 + htlc + ptlc + anchors`, or without one of them.
  static func taproot(_ contracts: [any ExtensionSlot]) throws -> ChannelStack {
    try ChannelStack(
      funding: MuSig2Funding(),
      extensions: [Slot(MainOutputs(), .init(remoteFormat: .fixedAfterOneBlock))] + contracts + [
        Slot(Anchors(), Nothing())
      ])
  }

  static let htlc: any ExtensionSlot = Slot(HTLCExtension(), .init(format: .anchors))
  static let ptlc = ptlc(.singleSigner)

  static func ptlc(_ scheme: PTLCExtension.Scheme) -> any ExtensionSlot {
    Slot(PTLCExtension(), .init(delaysOneBlock: true, scheme: scheme))
  }

  /// The remote party's `limits` are the same as ours.
  mutating func openComposed(
    _ stack: ChannelStack, capacity: Satoshi = Satoshi(1_000_000), pushed: MilliSatoshi = MilliSatoshi(400_000_000),
    feeRate: FeeRate = FeeRate(satPerKiloWeight: 2500), depth: UInt32 = 3
  ) throws {
    let signers = (0..<2).map { Self.signer($0, 7) }
    let funding = OutPoint(txid: TxID(Bytes32()), vout: 0)
    func party(_ index: Int) -> PartyParameters {
      PartyParameters(
        dustLimit: Satoshi(354), contestDelay: 144, reserve: Satoshi(10_000), basepoints: signers[index].basepoints)
    }
    let factor = obscuringFactor(
      openerPaymentBasepoint: try #require(signers[0].basepoints[.payment]),
      acceptorPaymentBasepoint: try #require(signers[1].basepoints[.payment]))
    let rest = try #require(capacity.milliSatoshi?.subtracting(pushed))
    func core(_ index: Int, _ outPoint: OutPoint) throws -> Channel {
      Channel(
        stack: stack,
        parameters: ChannelParameters(
          funder: index == 0 ? .local : .remote, parties: PerParty(local: party(index), remote: party(1 - index)),
          obscuringFactor: factor),
        funding: Funding(outPoint: outPoint, capacity: capacity),
        balances: Balances(local: index == 0 ? rest : pushed, remote: index == 0 ? pushed : rest), feeRate: feeRate,
        firstRemotePoint: try signers[1 - index].perCommitmentPoint(0))
    }
    let script = try #require(try core(0, funding).localCommitments(signers[0]).first?.fundingLock.scriptPubKey)
    let transaction = Transaction(
      version: 2, inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([2])), vout: 0), sequence: 0xffff_fffd)],
      outputs: [TxOutput(value: capacity, scriptPubKey: script)], lockTime: 0)
    let outPoint = OutPoint(txid: transaction.txid, vout: 0)
    for index in 0..<2 {
      let own = try core(index, outPoint)
      let nonce = stack.funding.signsTogether ? try signers[index].nonce(0, on: outPoint) : nil
      let signatures = try core(1 - index, outPoint).remoteCommitments()[0].map {
        try signers[1 - index].sign($0, nonce: nonce)
      }
      let (channel, effects) = try LightningChannel.composed(
        own.signed(signatures),
        ComposedOpening(
          peer: Self.node(1 - index), keyIndex: 7, isOpener: index == 0,
          temporaryID: ChannelID(sha256(Array("composed".utf8))), pushed: pushed, minimumDepth: depth,
          alias: ShortChannelID(rawValue: UInt64(11 * (index + 1)))),
        funding: transaction, signer: signers[index], policy: policy)
      ends[index].channel = channel
      ends[index].channel?.closingScript = Self.script(index)
      try carryOut(effects, index)
    }
    try run()
  }

  static func scalar(_ number: Int) -> PaymentScalar { PaymentScalar(sha256(Array("scalar \(number)".utf8))) }

  static func lock(_ number: Int, _ kind: ExtensionID) throws -> PaymentLock {
    kind == PTLCExtension.id
      ? PaymentLock(kind: kind, bytes: try #require(scalar(number).point).encoded)
      : PaymentLock(kind: kind, bytes: preimage(number).paymentHash.encoded)
  }

  static func witness(_ number: Int, _ kind: ExtensionID) -> PaymentWitness {
    PaymentWitness(kind: kind, bytes: kind == PTLCExtension.id ? scalar(number).encoded : preimage(number).encoded)
  }

  /// Offers a payment of a kind; its origin is its number.
  @discardableResult
  mutating func offer(_ number: Int, _ kind: ExtensionID, by index: Int, _ amount: UInt64) throws -> PaymentName? {
    let offer = AnyPaymentOffer(
      id: 0, amount: MilliSatoshi(amount), lock: try Self.lock(number, kind), expiry: height + 100,
      onion: [UInt8](repeating: 7, count: 1366))
    let result = try ends[index].channel?.offer(offer, origin: Array("\(number)".utf8))
    try carryOut(result?.effects ?? [], index)
    return result?.id
  }

  mutating func settle(_ payment: PaymentName, number: Int, by index: Int) throws {
    let effects = try ends[index].channel?.settle(
      payment, with: Self.witness(number, payment.kind), attribution: nil)
    try carryOut(effects ?? [], index)
  }

  mutating func refuse(_ payment: PaymentName, by index: Int) throws {
    try carryOut(try ends[index].channel?.refuse(payment, reason: [1, 2, 3], attribution: nil) ?? [], index)
  }

  /// What the other side has offered to this one, for good.
  func offers(to index: Int) -> [PaymentName] {
    ends[index].channel?.pendingPayments.filter { $0.offeredBy == .remote }.map(\.name) ?? []
  }

  /// Asks for another stack, by its text.
  mutating func upgrade(_ text: String, by index: Int) throws {
    let description = try ExtensionRegistry.shipped.description(parsing: text)
    let context = context(index)
    try ends[index].channel?.upgrade(to: description, context)
  }
}
