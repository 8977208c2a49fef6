import Anchors
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Testing

@Suite struct ConditionalPaymentTests {
  let slot: any ExtensionSlot = Slot(HTLCExtension(), HTLCExtension.Parameters(format: .anchors))
  let preimage = Preimage(sha256([7]))
  var lock: PaymentLock { PaymentLock(kind: HTLCExtension.id, bytes: preimage.paymentHash.array) }
  var witness: PaymentWitness { PaymentWitness(kind: HTLCExtension.id, bytes: preimage.array) }

  @Test func updatesOfAnErasedPaymentReadBackAsWhatTheyWereMadeOf() throws {
    let payments = try #require(slot as? any PaymentSlot)
    let key = SecretKey.random().publicKey
    var records = TLVStream()
    records[65537] = [1, 2]
    let offer = AnyPaymentOffer(
      id: 3, amount: MilliSatoshi(5000), lock: lock, expiry: 700, onion: [UInt8](repeating: 9, count: 1366),
      pathKey: key, records: records)
    let attribution = [UInt8](repeating: 4, count: 920)
    let events: [AnyPaymentUpdate] = [
      .offered(offer), .settled(id: 3, witness, attribution: attribution),
      .failed(id: 3, reason: [1, 2, 3], attribution: nil),
      .failedMalformed(id: 3, onionHash: sha256([1]), code: 0xc005),
    ]
    let updates: [AnyUpdate?] = [
      payments.offer(offer), payments.settle(3, with: witness, attribution: attribution),
      payments.fail(3, reason: [1, 2, 3], attribution: nil),
      payments.failMalformed(3, onionHash: sha256([1]), code: 0xc005),
    ]
    for (event, update) in zip(events, updates) {
      let update = try #require(update)
      #expect(payments.event(update) == event)
      let encoded = update.encoded
      let stored = try slot.decodeUpdate(encoded.bytes)
      #expect(payments.event(stored) == event)
    }
  }

  @Test func aLedgerListsItsOffersAndTheNextId() throws {
    let payments = try #require(slot as? any PaymentSlot)
    var ledger = slot.makeLedger()
    var balances = Balances(local: MilliSatoshi(10_000), remote: MilliSatoshi(10_000))
    let offer = AnyPaymentOffer(id: 0, amount: MilliSatoshi(5000), lock: lock, expiry: 700, onion: [])
    try ledger.apply(try #require(payments.offer(offer)), by: .remote, moving: &balances)
    #expect(
      payments.pending(in: ledger) == [
        PendingPayment(id: 0, offeredBy: .remote, amount: MilliSatoshi(5000), lock: lock, expiry: 700)
      ])
    #expect(payments.nextID(of: .remote, in: ledger) == 1)
    #expect(payments.nextID(of: .local, in: ledger) == 0)
  }

  @Test func locksOfAnotherKindAreRefused() throws {
    let payments = try #require(slot as? any PaymentSlot)
    let other = ExtensionID(rawValue: 0x0500)
    let offer = AnyPaymentOffer(
      id: 0, amount: MilliSatoshi(1), lock: PaymentLock(kind: other, bytes: lock.bytes), expiry: 1, onion: [])
    #expect(payments.offer(offer)?.owner == nil)
    #expect(payments.settle(0, with: PaymentWitness(kind: other, bytes: witness.bytes), attribution: nil)?.owner == nil)
    #expect(payments.secretID(of: PaymentLock(kind: HTLCExtension.id, bytes: [1])) == nil)
  }

  @Test func aSecretFromTheChainOpensItsLockAlone() throws {
    let payments = try #require(slot as? any PaymentSlot)
    #expect(payments.secretID(of: lock) == SecretID(kind: .sha256, value: preimage.paymentHash.raw))
    #expect(payments.witness(from: preimage.array, opening: lock) == witness)
    #expect(payments.secret(of: witness) == preimage.array)
    #expect(payments.witness(from: [UInt8](repeating: 1, count: 32), opening: lock) == nil)
    #expect(payments.witness(from: [1], opening: lock) == nil)
  }

  @Test func aStackKnowsWhichOfItsExtensionsArePayments() throws {
    let stack = try ChannelStack(
      funding: WitnessScriptFunding(),
      extensions: [
        Slot(Anchors(), Nothing()), Slot(MainOutputs(), .init(remoteFormat: .fixedAfterOneBlock)), slot,
      ])
    #expect(stack.payments.map { stack.extensions[$0.position].id } == [HTLCExtension.id])
    #expect(stack.payments.map(\.slot.id) == [HTLCExtension.id])
  }
}
