internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1
internal import Signer
internal import Wire

extension FuzzTarget {
  /// What a peer says on a channel with payments locked by points, once both have found each other again: updates, presignatures, other stacks.
  /// An input is a scene, what we do first, and messages, each with its length (2).
  static let composedChannel = FuzzTarget(
    "composedchannel",
    seeds: { ComposedScene.all?.seeds ?? [] },
    run: { input throws(Violation) in
      guard let scenes = ComposedScene.all?.scenes, input.byteCount >= 2 else { return .refused }
      let scene = scenes[Int(input[0]) % scenes.count]
      guard var channel = scene.reconnected else { throw Violation(description: "a scene can be set") }
      scene.act(Int(input[1]), &channel)
      var reader = ByteReader(input.extracting(last: input.byteCount - 2))
      var isRefused = true
      while let size = try? reader.readUInt16(), let bytes = try? reader.readArray(count: Int(size)) {
        let effects = ComposedScene.deliver(bytes, to: &channel) + channel.flush(ComposedScene.context)
        isRefused = effects.contains {
          switch $0 {
          case .disconnect, .forceClose, .forget, .dataLoss: true
          default: false
          }
        }
        try scene.check(channel)
        if isRefused { break }
      }
      return isRefused ? .refused : .accepted
    })
}

/// One end of a channel as it was stored, and what the other end says first.
struct ComposedScene: Sendable {
  let index: Int
  let stored: [UInt8]
  let greeting: [UInt8]

  static let all = try? Rehearsal()
  static let points = ExtensionID(rawValue: 0x0500)
  static let capacity = Satoshi(1_000_000)
  static let features = FeatureSet(bits: [1, 5, 9, 13, 15, 23, 27, 35, 45, 47, 61, 81, 83, 4441])
  static let stacks = [
    "musig2 + htlc + ptlc(single-signer) + anchors", "musig2 + htlc + ptlc(musig2) + anchors",
    "musig2 + htlc + anchors",
  ]

  static var context: ChannelContext {
    ChannelContext(localFeatures: features, remoteFeatures: features, height: 110)
  }

  static func signer(_ index: Int, _ marks: LocalSigner.Marks = LocalSigner.Marks()) -> LocalSigner {
    LocalSigner(
      channelSeed: sha256([UInt8(truncatingIfNeeded: index), 17]), basepoints: ExtensionRegistry.shipped.basepoints,
      marks: marks)
  }

  static func read(_ stored: [UInt8], _ index: Int) throws(StoredStateError) -> LightningChannel {
    try LightningChannel(
      decoding: stored.bytes, registry: .shipped, policy: ChannelPolicy(), makeSigner: { signer(index, $1) })
  }

  static func deliver(_ bytes: [UInt8], to channel: inout LightningChannel) -> [LightningEffect] {
    guard bytes.count >= 2 else { return [] }
    let type = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    if channel.ownsMessage(type) {
      return channel.receive(type: type, body: Array(bytes.dropFirst(34)).bytes, context)
    }
    guard let message = try? Message(decoding: bytes, custom: LightningChannel.customTypes) else { return [] }
    return channel.receive(message, context)
  }

  /// The channel, started again, connected and established.
  var reconnected: LightningChannel? {
    guard var channel = try? Self.read(stored, index) else { return nil }
    _ = channel.connect(Self.context)
    _ = Self.deliver(greeting, to: &channel)
    _ = channel.flush(Self.context)
    return channel
  }

  /// What our own side does before the peer says anything more.
  @discardableResult
  func act(_ number: Int, _ channel: inout LightningChannel) -> [LightningEffect] {
    var effects: [LightningEffect] = []
    switch number {
    case 1...3:
      if let wish = try? ExtensionRegistry.shipped.description(parsing: Self.stacks[number - 1]) {
        try? channel.upgrade(to: wish, Self.context)
      }
    case 4: effects += (try? channel.offer(Rehearsal.offer(index + 10), origin: []))?.effects ?? []
    case 5, 6:
      for payment in channel.pendingPayments where payment.offeredBy == .remote {
        let more =
          number == 6
          ? try? channel.refuse(payment.name, reason: [1], attribution: nil)
          : try? channel.settle(payment.name, with: Rehearsal.witness(1 - index), attribution: nil)
        effects += more ?? []
      }
    default: break
    }
    return effects + channel.flush(Self.context)
  }

  /// Whatever was said, nothing is lost, and what is stored is read.
  func check(_ channel: LightningChannel) throws(Violation) {
    for funding in channel.core?.fundings ?? [] {
      for state in [funding.base, funding.local] + funding.remote {
        try law(state.total == Self.capacity.milliSatoshi, "value is conserved")
      }
    }
    let encoded = channel.encoded
    let again: LightningChannel
    do { again = try Self.read(encoded, index) } catch {
      throw Violation(description: "what is stored is read, not \(error): \(Hex.encode(encoded))")
    }
    try law(again.encoded == encoded, "a channel is stored as it was stored")
  }
}

/// Two ends of a channel that talk to each other, and what they say.
struct Rehearsal: Sendable {
  private(set) var scenes: [ComposedScene] = []
  private(set) var seeds: [[UInt8]] = []
  private var ends: [LightningChannel] = []
  private var inboxes: [[[UInt8]]] = [[], []]
  /// Since the last scene, by receiver.
  private var heard: [[[UInt8]]] = [[], []]

  static func secret(_ number: Int) -> Bytes32 { sha256([UInt8(truncatingIfNeeded: number), 18]) }

  static func offer(_ number: Int) throws -> AnyPaymentOffer {
    AnyPaymentOffer(
      id: 0, amount: MilliSatoshi(20_000_000),
      lock: PaymentLock(kind: ComposedScene.points, bytes: try SecretKey(secret(number)).publicKey.array), expiry: 200,
      onion: [UInt8](repeating: 7, count: 1366))
  }

  static func witness(_ number: Int) -> PaymentWitness {
    PaymentWitness(kind: ComposedScene.points, bytes: secret(number).array)
  }

  fileprivate init() throws {
    for stack in ComposedScene.stacks.prefix(2) {
      try open(stack)
      // Whatever one end does, the other hears it: seeds for both.
      for action in 1...4 {
        for actor in 0..<2 { try rehearse(action, by: actor) }
      }
      for index in 0..<2 {
        let (_, effects) = try ends[index].offer(Self.offer(index), origin: [])
        carryOut(effects, index)
      }
      run()
      for action in [1, 4, 5, 6] {
        for actor in 0..<2 { try rehearse(action, by: actor) }
      }
    }
  }

  /// A channel of this stack, which is confirmed.
  private mutating func open(_ text: String) throws {
    let registry = ExtensionRegistry.shipped
    let description = try registry.description(parsing: text)
    let stack = try registry.propose(description, registry.setting(for: description))
    let signers = (0..<2).map { ComposedScene.signer($0) }
    let factor = obscuringFactor(
      openerPaymentBasepoint: signers[0].basepoints[.payment] ?? signers[0].basepoints.all[0].key,
      acceptorPaymentBasepoint: signers[1].basepoints[.payment] ?? signers[1].basepoints.all[0].key)
    func party(_ index: Int) -> PartyParameters {
      PartyParameters(
        dustLimit: Satoshi(354), contestDelay: 144, reserve: Satoshi(10_000), basepoints: signers[index].basepoints)
    }
    func core(_ index: Int, _ outPoint: OutPoint) throws -> Channel {
      Channel(
        stack: stack,
        parameters: ChannelParameters(
          funder: index == 0 ? .local : .remote, parties: PerParty(local: party(index), remote: party(1 - index)),
          obscuringFactor: factor),
        funding: Funding(outPoint: outPoint, capacity: ComposedScene.capacity),
        balances: Balances(local: MilliSatoshi(500_000_000), remote: MilliSatoshi(500_000_000)),
        feeRate: FeeRate(satPerKiloWeight: 2500), firstRemotePoint: try signers[1 - index].perCommitmentPoint(0))
    }
    let nowhere = OutPoint(txid: TxID(Bytes32()), vout: 0)
    guard let script = try core(0, nowhere).localCommitments(signers[0]).first?.fundingLock.scriptPubKey else { return }
    let transaction = Transaction(
      version: 2, inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([2])), vout: 0), sequence: 0xffff_fffd)],
      outputs: [TxOutput(value: ComposedScene.capacity, scriptPubKey: script)], lockTime: 0)
    let outPoint = OutPoint(txid: transaction.txid, vout: 0)
    ends = []
    inboxes = [[], []]
    var first: [[LightningEffect]] = []
    for index in 0..<2 {
      let nonce = try signers[index].nonce(0, on: outPoint)
      let signatures = try core(1 - index, outPoint).remoteCommitments()[0].map {
        try signers[1 - index].sign($0, nonce: nonce)
      }
      let (channel, effects) = try LightningChannel.composed(
        core(index, outPoint).signed(signatures),
        ComposedOpening(
          peer: NodeID(try SecretKey(sha256([UInt8(truncatingIfNeeded: 1 - index), 19])).publicKey), keyIndex: 7,
          isOpener: index == 0,
          temporaryID: ChannelID(sha256([20])), pushed: .zero, minimumDepth: 3,
          alias: ShortChannelID(rawValue: UInt64(11 * (index + 1)))),
        funding: transaction, signer: signers[index], policy: ChannelPolicy())
      ends.append(channel)
      first.append(effects)
    }
    for index in 0..<2 { carryOut(first[index], index) }
    run()
    let place = LightningChannel.FundingOutput.Confirmation(height: 101, transactionIndex: 1)
    for index in 0..<2 { carryOut(ends[index].fundingDepth(height: 110, place), index) }
    run()
  }

  private mutating func carryOut(_ effects: [LightningEffect], _ index: Int) {
    for case .send(let bytes) in effects { inboxes[1 - index].append(bytes) }
  }

  private mutating func run() {
    for _ in 0..<1000 {
      var hasMoved = false
      for index in 0..<2 {
        while !inboxes[index].isEmpty {
          let bytes = inboxes[index].removeFirst()
          heard[index].append(bytes)
          carryOut(ComposedScene.deliver(bytes, to: &ends[index]), index)
          hasMoved = true
        }
        let effects = ends[index].flush(ComposedScene.context)
        carryOut(effects, index)
        if !effects.isEmpty { hasMoved = true }
      }
      if !hasMoved { return }
    }
  }

  /// Both start again and find each other; one does something. Afterwards they are where they were.
  private mutating func rehearse(_ action: Int, by actor: Int) throws {
    let (before, stored) = (ends, ends.map(\.encoded))
    var greetings: [[UInt8]] = []
    for index in 0..<2 {
      var channel = try ComposedScene.read(stored[index], index)
      for case .send(let bytes) in channel.connect(ComposedScene.context) { greetings.append(bytes) }
      ends[index] = channel
    }
    guard greetings.count == 2 else { return }
    var scene: [ComposedScene] = []
    for index in 0..<2 {
      scene.append(ComposedScene(index: index, stored: stored[index], greeting: greetings[1 - index]))
      carryOut(ComposedScene.deliver(greetings[1 - index], to: &ends[index]), index)
    }
    run()
    heard = [[], []]
    carryOut(scene[actor].act(action, &ends[actor]), actor)
    run()
    for index in 0..<2 {
      // The same state may be a scene already.
      let place = scenes.firstIndex { $0.stored == scene[index].stored } ?? scenes.count
      if place == scenes.count { scenes.append(scene[index]) }
      var writer = ByteWriter(reservingCapacity: 4096)
      writer.write(UInt8(truncatingIfNeeded: place))
      writer.write(UInt8(truncatingIfNeeded: index == actor ? action : 0))
      for message in heard[index] {
        writer.write(UInt16(clamping: message.count))
        writer.write(message)
      }
      seeds.append(writer.bytes)
    }
    ends = before
    inboxes = [[], []]
  }
}
