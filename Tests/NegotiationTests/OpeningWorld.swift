import Anchors
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Negotiation
import PTLC
import Secp256k1
import Signer
import Testing

/// Everything that a channel can be composed of.
var wholeRegistry: ExtensionRegistry {
  var registry = ExtensionRegistry()
  registry.register(WitnessScriptFunding())
  registry.register(MuSig2Funding())
  registry.register(MainOutputs())
  registry.register(HTLCExtension())
  registry.register(PTLCExtension())
  registry.register(Anchors())
  registry.register(SharedAnchor())
  return registry
}

/// Within expectations, where a span cannot stand.
func decodeMessage(_ bytes: [UInt8]) throws -> NegotiationMessage? { try NegotiationMessage.decode(bytes.bytes) }

/// One coin of a test's wallet.
struct TestCoin {
  enum Kind { case segwit, taproot, legacy }
  let secret: Bytes32
  let previous: Transaction
  let vout: UInt32

  init(secret: Bytes32, previous: Transaction, vout: UInt32) {
    self.secret = secret
    self.previous = previous
    self.vout = vout
  }

  init(_ seed: UInt8, value: UInt64, kind: Kind = .segwit) throws {
    secret = sha256([seed, 7, 7])
    let key = try SecretKey(secret).publicKey
    let script: Script
    switch kind {
    case .segwit: script = .p2wpkh(key)
    case .taproot: script = try TaprootOutput(internalKey: key.xOnly.key).scriptPubKey
    case .legacy: script = .p2pkh(key)
    }
    previous = Transaction(
      version: 2,
      inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([seed, 1])), vout: 0), sequence: 0xffff_fffd)],
      outputs: [
        TxOutput(value: Satoshi(1_000), scriptPubKey: .p2wpkh(key)),
        TxOutput(value: Satoshi(value), scriptPubKey: script),
      ], lockTime: 0)
    vout = 1
  }

  var outPoint: OutPoint { OutPoint(txid: previous.txid, vout: vout) }

  func witness(_ transaction: Transaction, _ spending: [TxOutput], sighash: SighashType? = nil) throws -> Witness {
    var psbt = try PSBT(unsignedTransaction: transaction)
    let index = try #require(transaction.inputs.firstIndex { $0.previousOutput == outPoint })
    for (index, output) in spending.enumerated() { psbt.inputs[index].witnessUTXO = output }
    let key = try SecretKey(secret)
    if case .p2tr = spending[index].scriptPubKey.kind { psbt.inputs[index].tapInternalKey = key.publicKey.xOnly.key }
    var options = PSBT.SigningOptions()
    // The same signature each time.
    options.auxRand = Bytes32()
    if let sighash {
      options.sighashType = sighash
      options.acceptableSighashTypes.insert(sighash)
    }
    _ = try psbt.sign(with: key, options: options)
    _ = try psbt.finalize()
    return try #require(psbt.inputs[index].finalScriptWitness)
  }
}

/// One of the two nodes.
struct Negotiator {
  let number: UInt8
  private(set) var signer: LocalSigner
  var policy = OpeningPolicy()
  var registry = wholeRegistry
  var terms: OpeningTerms
  var coins: [TestCoin]
  var opening: Opening?
  /// The one whose funding transaction is to be replaced.
  var previous: Opening?
  var stored: [UInt8]?
  var opened: OpenedChannel?
  var broadcast: [Transaction] = []
  var refusals: [Refusal] = []
  var sent: [NegotiationMessage] = []
  /// Whether the wallet answers at once.
  var answers = true
  var requests: [CoinRequest] = []
  /// Outputs that this node's chain does not have.
  var absent: Set<OutPoint> = []
  /// Whether this node's chain answers at once.
  var looks = true
  var checks: [InputCheck] = []

  static let basepoints: [Basepoint] = [.funding, .revocation, .payment, .delayedPayment, .htlc, .ptlc]

  init(_ number: UInt8, contribution: UInt64, coins: [TestCoin], audit: NonceAudit) throws {
    self.number = number
    signer = LocalSigner(channelSeed: sha256([number, 42]), basepoints: Self.basepoints, audit: audit)
    self.coins = coins
    terms = OpeningTerms(
      contribution: Satoshi(contribution), dustLimit: Satoshi(354), contestDelay: UInt16(144 + Int(number)),
      minimumDepth: 1 + UInt32(number), basepoints: signer.basepoints, firstPoint: try signer.perCommitmentPoint(0))
    policy.limits = AgreementLimits(
      minimum: MilliSatoshi(UInt64(number) + 1), maximumInFlight: MilliSatoshi(500_000_000),
      maximumCount: 30 + UInt16(number))
  }

  /// Keys that no other negotiation has.
  mutating func renewKeys(_ number: UInt8) throws {
    signer = LocalSigner(channelSeed: sha256([self.number, number]), basepoints: Self.basepoints)
    terms.basepoints = signer.basepoints
    terms.firstPoint = try signer.perCommitmentPoint(0)
  }

  var key: PublicKey { get throws { try SecretKey(sha256([number, 99])).publicKey } }
}

/// Two nodes and what is between them. Messages wait until the test delivers them.
struct OpeningWorld {
  var nodes: [Negotiator]
  let deal: Deal
  var wire: [(from: Int, bytes: [UInt8])] = []
  /// Changes what is sent, on the way: by number of the message.
  var tamper: ((Int, NegotiationMessage) throws -> NegotiationMessage)?
  var count = 0
  var numbers: [UInt32] = [0, 0]
  var assemblers = [MessageAssembler(), MessageAssembler()]
  var transcript: [(from: Int, message: NegotiationMessage)] = []
  let audit: NonceAudit
  static let chain = sha256([1])
  static let id = sha256([9, 9, 9])
  var id = OpeningWorld.id

  init(
    _ text: String = "musig2 + htlc + ptlc + anchors", contributions: [UInt64] = [600_000, 0],
    coins: [[TestCoin]]? = nil, pushed: UInt64 = 0, adjust: (inout Deal) -> Void = { _ in }
  ) throws {
    let registry = wholeRegistry
    let stack = try registry.description(parsing: text)
    let isZeroFee = stack.extensions.contains(SharedAnchor.id)
    var deal = Deal(
      chain: Self.chain, stack: stack, fundingFeeRate: FeeRate(satPerKiloWeight: 1000),
      commitmentFeeRate: FeeRate(satPerKiloWeight: isZeroFee ? 0 : 2500), pushed: MilliSatoshi(pushed),
      wished: Satoshi(contributions[1]))
    adjust(&deal)
    self.deal = deal
    audit = NonceAudit()
    let usual = [
      [try TestCoin(1, value: 500_000), try TestCoin(2, value: 400_000, kind: .taproot)],
      contributions[1] > 0 ? [try TestCoin(3, value: 700_000), try TestCoin(4, value: 300_000, kind: .taproot)] : [],
    ]
    nodes = []
    for index in 0..<2 {
      nodes.append(
        try Negotiator(
          UInt8(index), contribution: contributions[index], coins: (coins ?? usual)[index], audit: audit))
    }
  }

  func keys(of index: Int) throws -> PerParty<PublicKey> {
    PerParty(local: try nodes[index].key, remote: try nodes[1 - index].key)
  }

  /// The first question is on its way.
  mutating func inquire() throws {
    let (opening, effects) = try Opening.inquire(
      id: id, deal: deal, terms: nodes[0].terms, nodes: try keys(of: 0), policy: nodes[0].policy,
      registry: nodes[0].registry, replacing: nodes[0].previous)
    nodes[0].opening = opening
    try apply(effects, to: 0)
  }

  /// All the way.
  mutating func run() throws {
    try inquire()
    try deliverAll()
  }

  mutating func deliverAll(limit: Int = 200) throws {
    var steps = 0
    while !wire.isEmpty {
      steps += 1
      try #require(steps < limit, "it does not end")
      try deliver()
    }
  }

  /// The next message arrives.
  mutating func deliver() throws {
    let (from, bytes) = wire.removeFirst()
    let to = 1 - from
    let type = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    try #require(bytes.count <= 65_535 && NegotiationMessage.types.contains(type))
    var whole = bytes
    if type == NegotiationMessage.partType {
      guard let complete = try assemblers[to].take(bytes.bytes) else { return }
      whole = complete
    }
    guard let message = try NegotiationMessage.decode(whole.bytes) else { return }
    #expect(message.encoded == whole, "reading and writing is the same")
    try receive(message, at: to)
  }

  /// What the opening of a node makes of a message; nothing is carried out.
  mutating func hand(_ message: NegotiationMessage, to index: Int) -> [OpeningEffect] {
    let signer = nodes[index].signer
    return nodes[index].opening?.receive(message, signer) ?? []
  }

  mutating func receive(_ message: NegotiationMessage, at to: Int) throws {
    if case .inquire(let inquiry) = message, nodes[to].opening == nil {
      do throws(Refusal) {
        let keys: PerParty<PublicKey>
        do { keys = try self.keys(of: to) } catch { throw Refusal(.protocol, "\(error)") }
        let (opening, effects) = try Opening.answer(
          inquiry, chain: Self.chain, terms: nodes[to].terms, nodes: keys, policy: nodes[to].policy,
          registry: nodes[to].registry, replacing: nodes[to].previous)
        nodes[to].opening = opening
        do { try apply(effects, to: to) } catch { throw Refusal(.protocol, "\(error)") }
      } catch {
        nodes[to].refusals.append(error)
        try send(.refuse(inquiry.id, error), from: to)
      }
      return
    }
    guard nodes[to].opening != nil else {
      if case .resume(let resumption) = message {
        try send(.refuse(resumption.id, Refusal(.unknown, "not known")), from: to)
      }
      return
    }
    try apply(hand(message, to: to), to: to)
  }

  mutating func send(_ message: NegotiationMessage, from index: Int) throws {
    var message = message
    transcript.append((index, message))
    if let tamper { message = try tamper(count, message) }
    count += 1
    nodes[index].sent.append(message)
    for frame in message.frames(number: &numbers[index]) { wire.append((index, frame)) }
  }

  mutating func apply(_ effects: [OpeningEffect], to index: Int) throws {
    for effect in effects {
      switch effect {
      case .send(let message): try send(message, from: index)
      case .persist:
        // What is written is the state after the step.
        if let opening = nodes[index].opening { nodes[index].stored = opening.encoded }
      case .chooseCoins(let request):
        nodes[index].requests.append(request)
        if nodes[index].answers { try contribute(index, request) }
      case .checkInputs(let check):
        nodes[index].checks.append(check)
        if nodes[index].looks { try look(index, check) }
      case .signFunding(let transaction, let spending):
        if nodes[index].answers { try sign(index, transaction, spending) }
      case .opened(let channel): nodes[index].opened = channel
      case .broadcast(let transaction): nodes[index].broadcast.append(transaction)
      case .ended(let refusal):
        nodes[index].refusals.append(refusal)
        nodes[index].opening = nil
        nodes[index].stored = nil
      }
    }
  }

  /// Coins, with change for what is too much.
  func contribution(_ index: Int, _ request: CoinRequest) throws -> Opening.Contribution {
    let node = nodes[index]
    let change = Script.p2wpkh(try SecretKey(sha256([node.number, 55])).publicKey)
    var weight = request.startWeight.rawValue + UInt64(4 * (9 + change.count))
    var total: UInt64 = 0
    for coin in node.coins {
      total += coin.previous.outputs[Int(coin.vout)].value.rawValue
      weight += 164 + 108
    }
    let fee = weight * UInt64(request.feeRate.satPerKiloWeight) / 1000 + 1
    let rest = total - min(total, fee + request.amount.rawValue)
    return Opening.Contribution(
      inputs: node.coins.map { .init(previous: $0.previous, vout: $0.vout) },
      outputs: rest > 1000 ? [TxOutput(value: Satoshi(rest), scriptPubKey: change)] : [])
  }

  mutating func contribute(_ index: Int, _ request: CoinRequest) throws {
    let contribution = try contribution(index, request)
    let signer = nodes[index].signer
    let effects = nodes[index].opening?.contribute(contribution, signer) ?? []
    try apply(effects, to: index)
  }

  mutating func look(_ index: Int, _ check: InputCheck) throws {
    let signer = nodes[index].signer
    let effects: [OpeningEffect]
    if let outPoint = check.outPoints.first(where: nodes[index].absent.contains) {
      effects = nodes[index].opening?.decline(Refusal(.input, "\(outPoint) is not there")) ?? []
    } else {
      effects = nodes[index].opening?.vouch(signer) ?? []
    }
    try apply(effects, to: index)
  }

  mutating func sign(
    _ index: Int, _ transaction: Transaction, _ spending: [TxOutput], sighash: SighashType? = nil
  ) throws {
    var witnesses: [Witness] = []
    for input in transaction.inputs {
      guard let coin = nodes[index].coins.first(where: { $0.outPoint == input.previousOutput }) else { continue }
      witnesses.append(try coin.witness(transaction, spending, sighash: sighash))
    }
    let effects = nodes[index].opening?.sign(witnesses) ?? []
    try apply(effects, to: index)
  }

  // MARK: Trouble

  /// The connection is gone with all that was on its way.
  mutating func cut() throws {
    wire = []
    assemblers = [MessageAssembler(), MessageAssembler()]
    for index in 0..<2 {
      let effects = nodes[index].opening?.disconnect() ?? []
      try apply(effects, to: index)
    }
  }

  mutating func reconnect() throws {
    for index in 0..<2 {
      let effects = nodes[index].opening?.connect() ?? []
      try apply(effects, to: index)
    }
  }

  /// A node dies and starts again with what it has stored.
  mutating func restart(_ index: Int) throws {
    let old = nodes[index]
    nodes[index].opening = nil
    guard let stored = old.stored else { return }
    let opening = try Opening(
      decoding: stored.bytes, policy: old.policy, registry: old.registry, signer: old.signer)
    #expect(opening.encoded == stored)
    nodes[index].opening = opening
  }

  /// Both have the same channel, and a funding transaction that pays for it.
  func expectOpened(_ comment: Comment? = nil) throws {
    let a = try #require(nodes[0].opened, comment)
    let b = try #require(nodes[1].opened, comment)
    #expect(a.funding == b.funding)
    #expect(a.outPoint == b.outPoint && a.minimumDepth == 2 && b.minimumDepth == 2)
    var prevouts: [OutPoint: TxOutput] = [:]
    for coin in nodes.flatMap(\.coins) { prevouts[coin.outPoint] = coin.previous.outputs[Int(coin.vout)] }
    try TransactionVerifier.verify(a.funding, prevouts: prevouts, flags: .standard)
    let total = a.funding.inputs.reduce(0) { $0 + (prevouts[$1.previousOutput]?.value.rawValue ?? 0) }
    let fee = total - a.funding.outputs.reduce(0) { $0 + $1.value.rawValue }
    let due = try #require(deal.fundingFeeRate.fee(for: a.funding.weight))
    #expect(fee + 4 >= due.rawValue, "it pays \(fee) of \(due)")
    #expect(fee <= due.rawValue + 200, "it pays \(fee) of \(due)")
    // Each holds the other's signature on a commitment that both know.
    for (own, other) in [(0, 1), (1, 0)] {
      let channel = try #require(nodes[own].opened?.channel)
      let mirrored = try #require(nodes[other].opened?.channel)
      let commitment = try #require(try channel.localCommitments(nodes[own].signer).first)
      #expect(commitment.txid == (try mirrored.remoteCommitments().first?.first?.txid))
      let signatures = try #require(channel.signatures.first)
      let transaction = try nodes[own].signer.signForBroadcast(commitment, with: signatures)
      let spent = a.funding.outputs[Int(a.outPoint.vout)]
      try TransactionVerifier.verify(transaction, prevouts: [a.outPoint: spent], flags: .standard)
    }
    #expect(nodes.allSatisfy { $0.broadcast.last == a.funding })
  }

  /// Nobody has a channel, and nobody keeps anything.
  func expectNothing(_ comment: Comment? = nil) {
    for node in nodes {
      #expect(node.opened == nil, comment)
      #expect(node.opening == nil && node.stored == nil, comment)
      #expect(node.broadcast.isEmpty, comment)
    }
  }
}
