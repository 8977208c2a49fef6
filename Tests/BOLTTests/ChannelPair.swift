import BOLT
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Signer
import Testing
import Wire

/// Two ends of a channel that talk to each other through bytes; each end is stored whenever it asks for it, and can be started again
/// from what was stored.
struct ChannelPair {
  struct End {
    var channel: LightningChannel?
    var stored: [UInt8]?
    var features: FeatureSet
    var index: Int
    var inbox: [[UInt8]] = []
    var notices: [PaymentNotice] = []
    var broadcasts: [Transaction] = []
    var failures: [String] = []
    var warnings: [String] = []
    var isReadySeen = false
    var announces = 0
    var upgrades: [UpgradeOutcome] = []
    var stackChanges = 0
  }

  var ends: [End]
  var height: UInt32 = 100
  var closingRate = FeeRate(satPerKiloWeight: 1000)
  /// By the estimates of both.
  var maximumRate: FeeRate?
  /// Counts messages that are delivered; the connection is cut before the one with this number.
  var cutBefore: Int?
  var restartsAtCut = false
  var delivered = 0
  /// What a man in the middle makes of each message.
  var rewrite: ([UInt8]) -> [UInt8] = { $0 }
  var policy = ChannelPolicy()
  /// The extensions that each end has.
  var registries = [ExtensionRegistry.shipped, ExtensionRegistry.shipped]
  /// That end dies before its nth effect from now on, and both find each other again.
  var dies: (end: Int, effect: Int)?

  static let features = FeatureSet(bits: [1, 5, 9, 13, 15, 23, 27, 35, 45, 47, 61, 81, 83, 4441])

  init(features: FeatureSet = Self.features) {
    ends = (0..<2).map { End(features: features, index: $0) }
  }

  static func signer(_ index: Int, _ key: UInt64, _ marks: LocalSigner.Marks = LocalSigner.Marks()) -> LocalSigner {
    LocalSigner(
      channelSeed: sha256(Array("pair \(index) \(key)".utf8)),
      basepoints: ExtensionRegistry.shipped.basepoints, marks: marks)
  }

  static func node(_ index: Int) -> NodeID {
    NodeID(try! SecretKey(sha256(Array("node \(index)".utf8))).publicKey)
  }

  static func script(_ index: Int) -> Script { Script.p2wpkh(hash160(Array("script \(index)".utf8))) }

  func context(_ index: Int) -> ChannelContext {
    ChannelContext(
      localFeatures: ends[index].features, remoteFeatures: ends[1 - index].features, height: height,
      closingFeeRate: closingRate, maximumFeeRate: maximumRate, registry: registries[index])
  }

  /// Whether signatures that are due for settlements alone are held back until something else is due.
  var holdsCommitments = false

  mutating func open(
    type: Wire.ChannelType = .anchors, capacity: Satoshi = Satoshi(1_000_000), pushed: MilliSatoshi = .zero,
    feeRate: FeeRate = FeeRate(satPerKiloWeight: 2500), announced: Bool = false, shutdown: Script? = nil
  ) throws {
    let request = OpenRequest(
      peer: Self.node(1), keyIndex: 1, temporaryID: ChannelID(sha256(Array("temporary".utf8))), chainHash: .regtest,
      type: type, capacity: capacity, pushed: pushed, feeRate: feeRate, isAnnounced: announced,
      shutdownScript: shutdown, alias: ShortChannelID(rawValue: 11))
    let (channel, effects) = try LightningChannel.open(
      request, policy: policy, signer: Self.signer(0, 1), context(0))
    ends[0].channel = channel
    ends[0].channel?.closingScript = Self.script(0)
    try carryOut(effects, 0)
  }

  mutating func carryOut(_ effects: [LightningEffect], _ index: Int) throws {
    for effect in effects {
      if let dies, dies.end == index {
        guard dies.effect > 0 else {
          self.dies = nil
          try restart(index)
          return try reconnect(restarting: false)
        }
        self.dies = (index, dies.effect - 1)
      }
      switch effect {
      case .persist: ends[index].stored = ends[index].channel?.encoded
      case .record: break
      case .send(let bytes): ends[1 - index].inbox.append(bytes)
      case .makeFunding(let script, let amount):
        let transaction = Transaction(
          version: 2,
          inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([1])), vout: 0), sequence: 0xffff_fffd)],
          outputs: [TxOutput(value: amount, scriptPubKey: script)], lockTime: 0)
        let more = try ends[index].channel?.fund(with: transaction, output: 0) ?? []
        try carryOut(more, index)
      case .watchFunding: break
      case .broadcast(let transaction, _): ends[index].broadcasts.append(transaction)
      case .payment(let notice): ends[index].notices.append(notice)
      case .ready: ends[index].isReadySeen = true
      case .announce:
        ends[index].announces += 1
        guard let announcement = ends[index].channel?.announcement(of: Self.node(index), chainHash: .regtest),
          let (_, more) = ends[index].channel?.announce(announcement, nodeSignature: CompactSignature(Bytes64()))
        else { break }
        try carryOut(more, index)
      case .announced: break
      case .upgrade(let outcome): ends[index].upgrades.append(outcome)
      case .stackChanged: ends[index].stackChanges += 1
      case .disconnect(let reason): ends[index].warnings.append(reason)
      case .forceClose(let reason), .forget(let reason): ends[index].failures.append(reason)
      case .dataLoss: ends[index].failures.append("data loss")
      }
    }
  }

  mutating func deliver(to index: Int) throws {
    if delivered == cutBefore {
      delivered += 1
      try reconnect()
      return
    }
    delivered += 1
    let bytes = rewrite(ends[index].inbox.removeFirst())
    let type = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    let context = context(index)
    let message = try? Message(decoding: bytes, custom: LightningChannel.customTypes)
    if case .openChannel(let open)? = message {
      let (channel, effects) = try LightningChannel.accept(
        open, from: Self.node(0), keyIndex: 1, chainHash: .regtest, policy: policy, signer: Self.signer(1, 1),
        shutdownScript: nil, alias: ShortChannelID(rawValue: 22), context)
      ends[index].channel = channel
      ends[index].channel?.closingScript = Self.script(index)
      return try carryOut(effects, index)
    }
    guard ends[index].channel != nil else { return }
    let effects: [LightningEffect]
    if ends[index].channel?.ownsMessage(type) == true {
      let body = Array(bytes.dropFirst(34))
      effects = ends[index].channel!.receive(type: type, body: body.bytes, context)
    } else {
      effects = ends[index].channel!.receive(try #require(message), context)
    }
    try carryOut(effects, index)
  }

  /// Delivers and flushes until nothing moves.
  mutating func run() throws {
    for _ in 0..<10_000 {
      var moved = false
      for index in 0..<2 {
        while !ends[index].inbox.isEmpty {
          try deliver(to: index)
          moved = true
        }
        let context = context(index)
        let holds = holdsCommitments && ends[index].channel?.owesSettlementsAlone == true
        if let effects = ends[index].channel?.flush(context, holdsCommitment: holds), !effects.isEmpty {
          try carryOut(effects, index)
          moved = true
        }
      }
      if !moved { return }
    }
    Issue.record("the channel does not come to rest")
  }

  mutating func reconnect(restarting: Bool? = nil) throws {
    for index in 0..<2 {
      ends[index].inbox = []
      if let effects = ends[index].channel?.disconnect() { try carryOut(effects, index) }
    }
    if restarting ?? restartsAtCut { for index in 0..<2 { try restart(index) } }
    for index in 0..<2 {
      let context = context(index)
      if let effects = ends[index].channel?.connect(context) { try carryOut(effects, index) }
    }
  }

  mutating func restart(_ index: Int) throws {
    guard let stored = ends[index].stored else {
      ends[index].channel = nil
      return
    }
    ends[index].channel = try LightningChannel(
      decoding: stored.bytes, registry: .shipped, policy: policy, makeSigner: { Self.signer(index, $0, $1) })
    ends[index].channel?.closingScript = Self.script(index)
    #expect(ends[index].channel?.encoded == stored)
  }

  mutating func confirm(depth: UInt32 = 6) throws {
    let place = LightningChannel.FundingOutput.Confirmation(height: height + 1, transactionIndex: 1)
    height += depth
    for index in 0..<2 {
      if let effects = ends[index].channel?.fundingDepth(height: height, place) { try carryOut(effects, index) }
    }
    try run()
  }

  static func preimage(_ number: Int) -> Preimage { Preimage(sha256(Array("preimage \(number)".utf8))) }

  /// Offers a payment; its origin is its number.
  mutating func offer(_ number: Int, by index: Int, _ amount: UInt64) throws {
    let hash = Self.preimage(number).paymentHash
    let offer = AnyPaymentOffer(
      id: 0, amount: MilliSatoshi(amount), lock: PaymentLock(kind: HTLCExtension.id, bytes: hash.encoded),
      expiry: height + 100, onion: [UInt8](repeating: 7, count: 1366))
    let result = try ends[index].channel?.offer(offer, origin: Array("\(number)".utf8))
    try carryOut(result?.effects ?? [], index)
  }

  /// The ids of what the other side has offered to this one, for good.
  func incoming(_ index: Int) -> [(id: UInt64, lock: PaymentLock)] {
    ends[index].channel?.pendingPayments.filter { $0.offeredBy == .remote }.map { ($0.id, $0.lock) } ?? []
  }

  mutating func settle(_ id: UInt64, number: Int, by index: Int) throws {
    let witness = PaymentWitness(kind: HTLCExtension.id, bytes: Self.preimage(number).encoded)
    let effects = try ends[index].channel?.settle(PaymentName(HTLCExtension.id, id), with: witness, attribution: nil)
    try carryOut(effects ?? [], index)
  }

  mutating func fail(_ id: UInt64, by index: Int) throws {
    let effects = try ends[index].channel?.refuse(
      PaymentName(HTLCExtension.id, id), reason: [UInt8](repeating: 7, count: 292), attribution: nil)
    try carryOut(effects ?? [], index)
  }

  mutating func close(by index: Int) throws {
    let context = context(index)
    let effects = try ends[index].channel?.close(to: Self.script(index), context) ?? []
    try carryOut(effects, index)
  }

  var balances: [MilliSatoshi] { ends.map { $0.channel?.balances?[.local] ?? .zero } }
}
