internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Onchain
internal import Secp256k1
internal import Signer

/// One end of a channel that goes to the chain.
struct ClosingParty {
  var resolver: Resolver
  /// The resolver as it was made durable last.
  var stored: [UInt8]
  /// Reads it back.
  let restore: @Sendable ([UInt8]) throws(ResolverDecodingError) -> Resolver
  let signer: LocalSigner
  var secrets: BasepointSecrets { signer.secrets }
  let wallet: Script
  let walletWitness: Witness
  /// Our commitment, signed.
  var commitment: Transaction?
  /// It hears of nothing below this height.
  var offlineUntil: UInt32 = 0
  /// The lowest height that the chain has fallen back to since it was heard of last.
  var fork: UInt32?
}

extension TwoPartySimulator {
  /// Takes the channel to a chain as it is now, has both resolvers act until nothing is left to do, and checks: nothing comes or goes, both
  /// see the same, every output is resolved, and each side gets at least what it is owed, fees counted exactly. One that cheats gets
  /// nothing that the other could take.
  /// - Parameters:
  ///   - wanted: how it ends, where its state allows that; random otherwise.
  ///   - idle: a party that does nothing but publish its commitment: the other one then gets all that it could.
  public mutating func close(_ wanted: ClosingReport.Way? = nil, idle: Int? = nil) throws -> ClosingReport {
    var closing = try ClosingSimulator(self, wanted, idle: idle)
    try closing.run()
    random = closing.random
    return closing.report
  }
}

struct ClosingSimulator<Traffic: SimulatedTraffic> {
  let simulator: TwoPartySimulator<Traffic>
  let idle: Int?
  var random: SeededGenerator
  var report: ClosingReport
  var chain: VirtualChain
  var parties: [ClosingParty] = []
  /// The commitments that are published, by holder.
  var published: [Int: ResolverInput.LocalCommitment] = [:]
  var closing: SimulatedClosing?
  /// A revoked commitment that its holder shows without meaning to: its resolver knows better.
  var accident: ResolverInput.LocalCommitment?
  /// What a party is about to tell its resolver of claims that it could not publish.
  private var obstacles: [Obstacle] = []

  private struct Obstacle {
    var party: Int
    var outPoints: [OutPoint]
    var kind: ClaimObstacle
    var taken: [OutPoint] = []
  }
  /// Transactions that a party is about to see before they are confirmed.
  private var rumours: [(party: Int, transaction: Transaction)] = []
  var authors: [TxID: Int] = [:]
  var allFees: [TxID: Satoshi] = [:]
  let walletStart: [UInt64]
  let funding: Funding
  var log: [String] = []
  /// What each party could not claim when it wanted to, because its wallet had no coin. Of that, what is hardly worth its fee is nobody's by
  /// right.
  var unfunded: [Set<OutPoint>] = [[], []]
  /// The secrets that each resolver has told of.
  var learned: [Set<SecretID>] = [[], []]
  /// What each resolver has found to be worth less than its fee.
  var abandoned: [Set<OutPoint>] = [[], []]
  /// The heights at which each party heard of nothing, and those at which confirmations were expensive.
  var away: [Set<UInt32>] = [[], []]
  var expensive: Set<UInt32> = []
  private let start: UInt32
  private var expensiveUntil: UInt32 = 0
  private var price = FeeRate(satPerKiloWeight: 500)

  /// Coins of a well filled wallet. Others have one or two.
  static var coinCount: Int { 40 }
  static var coinValue: UInt64 { 2_000_000 }

  func fail(_ reason: String) -> SimulationFailure {
    let trace = log.suffix(60).joined(separator: "\n  ")
    return simulator.fail("\(report.way) close by \(report.holder), height \(chain.height): \(reason)\n  \(trace)")
  }

  init(_ channel: TwoPartySimulator<Traffic>, _ wanted: ClosingReport.Way?, idle: Int?) throws {
    self.idle = idle
    funding = channel.parties[0].channel.fundings[0].funding
    var random = channel.random
    start = random.chance(oneIn: 3) ? UInt32(490 + random.below(14)) : 400
    chain = VirtualChain(height: start)
    let coinCounts = [0, 1].map { _ in random.chance(oneIn: 2) ? 1 + Int(random.below(2)) : Self.coinCount }
    walletStart = coinCounts.map { Self.coinValue * UInt64($0) }

    let ways = ClosingReport.Way.allCases
    var way = wanted ?? ways[Int(random.below(UInt64(ways.count)))]
    var holder = Int(random.below(2))
    // Only what the other side has the secret of is revoked.
    func revoked(_ index: Int) -> [Channel] {
      let limit = channel.parties[1 - index].channel.remoteUnrevoked
      return channel.past[index].filter { $0.localNumber < limit }
    }
    func isPrevious(_ index: Int) -> Bool {
      let other = channel.parties[1 - index].channel
      return other.awaitsRevocation && channel.parties[index].channel.localNumber == other.remoteUnrevoked
    }
    if way == .previous {
      if !isPrevious(holder) { holder = 1 - holder }
      if !isPrevious(holder) { way = .unilateral }
    }
    var cheat: Channel?
    if way == .revoked {
      if revoked(holder).isEmpty { holder = 1 - holder }
      let candidates = revoked(holder)
      if candidates.isEmpty {
        way = .unilateral
      } else {
        cheat = candidates[Int(random.below(UInt64(candidates.count)))]
      }
    }
    report = ClosingReport(way: way, holder: holder)
    self.random = random
    var simulator = channel.copy
    // BOLT 2: a closing is negotiated when there are no updates left.
    if way == .cooperative { try simulator.settle() }
    self.simulator = simulator

    let wallets = [Script([0x51]), Script([0x52])].map { OutputLock.witnessScript($0) }
    if way == .cooperative {
      closing = try SimulatedClosing(
        simulator, paying: wallets.map(\.scriptPubKey), feeRate: FeeRate(satPerKiloWeight: 1000))
    }
    if let old = cheat, idle == nil, simulator.stack.paysFees, self.random.chance(oneIn: 2) {
      accident = try ResolverInput(
        old, signer: simulator.parties[holder].signer, destination: Script(), records: { _, _ in nil }
      ).local.first
      cheat = nil
    }
    for index in 0..<2 {
      let party = simulator.parties[index]
      let channel = index == holder ? cheat ?? party.channel : party.channel
      guard case .witnessScript(let script) = wallets[index].reveal else { continue }
      let wallet = wallets[index].scriptPubKey
      let kept = simulator.records[index]
      let records = { @Sendable (number: UInt64, _: OutPoint) in kept[number] }
      let signer = party.signer
      let registry = simulator.registry
      let input = try ResolverInput(
        channel, signer: signer, destination: wallet, closings: closing.map { [$0.transaction.txid] } ?? [],
        records: records)
      var options = Resolver.Options()
      options.depth = 40
      var resolver = Resolver(input, options: options)
      for (id, secret) in simulator.traffic.secrets(of: index, in: party.channel) {
        _ = resolver.handle(.learned(id, secret))
      }
      parties.append(
        ClosingParty(
          resolver: resolver, stored: resolver.encoded,
          restore: { bytes throws(ResolverDecodingError) in
            try Resolver(
              decoding: bytes.bytes, registry: registry, points: { try? signer.perCommitmentPoint($0) },
              records: records)
          },
          signer: signer, wallet: wallet, walletWitness: Witness([script.bytes])))
      for coin in 0..<coinCounts[index] {
        chain.fund(
          OutPoint(txid: TxID(sha256(Array("coin \(index)".utf8))), vout: UInt32(coin)),
          TxOutput(value: Satoshi(Self.coinValue), scriptPubKey: wallet))
      }
    }
    guard let lock = parties[0].resolver.input.local.first?.commitment.fundingLock else {
      throw simulator.fail("there is no commitment to close with")
    }
    chain.fund(funding.outPoint, TxOutput(value: funding.capacity, scriptPubKey: lock.scriptPubKey))
  }

  // MARK: Running

  mutating func run() throws {
    for index in 0..<2 { try sync(index) }
    if let closing {
      try submit([closing.transaction], by: report.holder) { _ in false }
    } else if let accident {
      try publishCommitment(accident, by: report.holder)
    } else {
      for index in 0..<2 where report.way == .both || index == report.holder {
        try tell(.close(deadline: nil), to: index)
      }
    }
    for _ in 0..<2_000 {
      if random.chance(oneIn: 80), report.blocks > 3 { try reorganise() }
      changeWeather()
      let isExpensive = chain.height < expensiveUntil
      let minimum = FeeRate(satPerKiloWeight: isExpensive ? price.satPerKiloWeight / 2 : 0)
      let block = chain.mine(paying: minimum)
      report.blocks += 1
      if isExpensive {
        report.expensiveBlocks += 1
        expensive.insert(block.height)
      }
      for transaction in block.transactions { allFees[transaction.txid] = chain.fee(of: transaction.txid) }
      let first = Int(random.below(2))
      for index in [first, 1 - first] { try sync(index) }
      try spreadRumours()
      try reportObstacles()
      if parties.indices.allSatisfy({ $0 == idle || parties[$0].resolver.isResolved }) { return try check() }
    }
    let open = parties.map { party in
      party.resolver.outputs.filter { $0.spend == nil }.map { "\($0.tag.map { "\($0)" } ?? "?"): \($0.value)" }
    }
    throw fail("it is not resolved: \(open)")
  }

  /// At heights at which nothing ends soon, parties go away for a while and confirmations become expensive: who comes back in time loses
  /// nothing. Blocks may be late at any time when nothing was left for the last moment.
  private mutating func changeWeather() {
    let height = chain.height
    let isCalm = (start == 400 && height < 440) || height > 520
    if isCalm, random.chance(oneIn: 12) {
      let end = height + 1 + UInt32(random.below(40))
      parties[Int(random.below(2))].offlineUntil = height < 450 ? min(end, 450) : end
    } else if isCalm || start == 400, random.chance(oneIn: 10) {
      let index = Int(random.below(2))
      parties[index].offlineUntil = max(parties[index].offlineUntil, height + 2 + UInt32(random.below(2)))
    }
    if isCalm, height >= expensiveUntil, random.chance(oneIn: 25) {
      let end = height + 1 + UInt32(random.below(25))
      expensiveUntil = height < 450 ? min(end, 450) : end
      price = FeeRate(satPerKiloWeight: UInt32(1_000 + random.below(4_000)))
    }
  }

  private mutating func estimates() -> FeeEstimates {
    let now = chain.height < expensiveUntil ? price.satPerKiloWeight : 500
    return FeeEstimates([
      .init(blocks: 1, rate: FeeRate(satPerKiloWeight: now + now / 2)),
      .init(blocks: 12, rate: FeeRate(satPerKiloWeight: now)),
      .init(blocks: 100, rate: FeeRate(satPerKiloWeight: 260)),
    ])
  }

  /// Tells a party all that it has missed, unless it is away.
  private mutating func sync(_ index: Int) throws {
    guard chain.height >= parties[index].offlineUntil else {
      report.lateBlocks += 1
      away[index].insert(chain.height)
      return
    }
    while true {
      let height = parties[index].resolver.height
      if let fork = parties[index].fork, fork < height {
        try tell(.reorg(to: fork), to: index)
        continue
      }
      parties[index].fork = nil
      if height == 0 {
        try tell(.block(height: start, transactions: [], estimates: estimates()), to: index)
      } else if let block = chain.blocks.first(where: { $0.height > height }) {
        try tell(
          .block(height: block.height, transactions: block.transactions, estimates: estimates()), to: index)
      } else {
        return
      }
    }
  }

  /// What a node does: takes in the event, makes that durable, acts on it. It may die at any moment in between.
  private mutating func tell(_ event: ChainEvent, to index: Int) throws {
    let death = random.below(120)
    var actions = parties[index].resolver.handle(event)
    if death == 0, case .block = event {
      // Nothing was made durable: whoever starts again hears of it again.
      return try restart(index)
    }
    parties[index].stored = parties[index].resolver.encoded
    switch death {
    case 1: return try restart(index)
    case 2:
      actions = Array(actions.prefix(Int(random.below(UInt64(actions.count + 1)))))
      try perform(actions, by: index)
      try restart(index)
    default: try perform(actions, by: index)
    }
  }

  private mutating func spreadRumours() throws {
    let spread = rumours
    rumours = []
    for (index, transaction) in spread where chain.mempool.contains(where: { $0.txid == transaction.txid }) {
      try tell(.unconfirmed(transaction), to: index)
    }
  }

  /// What is refused is divided at once, until one output stands alone.
  private mutating func reportObstacles() throws {
    while let obstacle = obstacles.popLast() {
      if obstacle.kind == .unfunded { unfunded[obstacle.party].formUnion(obstacle.outPoints) }
      try tell(.unpublished(obstacle.outPoints, obstacle.kind, taken: obstacle.taken), to: obstacle.party)
    }
  }

  private mutating func restart(_ index: Int) throws {
    report.restarts += 1
    let stored = parties[index].stored
    do { parties[index].resolver = try parties[index].restore(stored) } catch {
      throw fail("party \(index)'s resolver cannot be read back: \(error)")
    }
    guard parties[index].resolver.encoded == stored else {
      throw fail("party \(index)'s resolver is stored differently again")
    }
    log.append("\(chain.height): \(index) starts again at \(parties[index].resolver.height)")
    try perform(parties[index].resolver.resume(), by: index)
  }

  private mutating func reorganise() throws {
    report.reorganisations += 1
    let height = chain.reorganise(depth: 1 + Int(random.below(3)))
    log.append("reorganised to \(height)")
    if let closing, chain.coins[funding.outPoint] != nil {
      try submit([closing.transaction], by: report.holder) { _ in false }
    }
    if let accident, chain.coins[funding.outPoint] != nil { try publishCommitment(accident, by: report.holder) }
    for index in 0..<2 {
      // The chain has forgotten what waited. Who has not heard of the blocks that are gone is not told of them either: what it has broadcast it
      // broadcasts until it is confirmed.
      let known = parties[index].resolver.height
      if known > 0, known <= height { try perform(parties[index].resolver.resume(), by: index) }
      parties[index].fork = min(parties[index].fork ?? height, height)
      try sync(index)
    }
  }

  private mutating func perform(_ actions: [ResolverAction], by index: Int) throws {
    for action in actions {
      if case .publish(let claim) = action, index == idle {
        guard case .parent = claim.purpose else { continue }
      }
      switch action {
      case .publishCommitment(let own): try publishCommitment(own, by: index)
      case .publish(let claim): try publish(claim, by: index)
      case .recognised(let kind): try checkRecognition(kind, by: index)
      case .uneconomic(let outPoint, let value):
        guard value < Satoshi(40_000) else { throw fail("\(value) at \(outPoint) are given up by \(index)") }
        abandoned[index].insert(outPoint)
      case .learned(let id, _): learned[index].insert(id)
      case .watch, .spent, .lost, .resolved: break
      }
    }
  }

  private mutating func publishCommitment(_ own: ResolverInput.LocalCommitment, by index: Int) throws {
    // It may be a cheat.
    let signed = try parties[index].signer.signForBroadcastWithoutChecks(own.commitment, with: own.signatures)
    parties[index].commitment = signed
    published[index] = own
    try submit(
      [signed], by: index,
      mayFail: { refusal in
        // It waits for a child that pays for it.
        if case .feeTooLow = refusal { return true }
        return false
      })
  }

  private mutating func publish(_ claim: Claim, by index: Int) throws {
    var transaction = claim.transaction
    var claim = claim
    let wanted = claim.outPoints
    if claim.needsWallet {
      guard let funded = try fund(claim, by: index) else {
        report.unfunded += 1
        log.append("\(chain.height): \(index) has no coin for \(claim.spends.map { "\($0.path.name) of \($0.value)" })")
        return obstacles.append(Obstacle(party: index, outPoints: wanted, kind: .unfunded))
      }
      (claim, transaction) = funded
    }
    do {
      // BIP 341: a signature in a taproot output commits to all spent outputs.
      let inputs = transaction.inputs.compactMap { input in
        chain.coins[input.previousOutput].map { (input.previousOutput, $0.output) }
      }
      try parties[index].secrets.sign(
        &transaction, taking: claim.spends, with: claim.keys,
        others: Dictionary(inputs, uniquingKeysWith: { first, _ in first }))
    } catch {
      throw fail("a claim cannot be signed: \(error)")
    }
    let claimed = Set(claim.outPoints)
    for position in transaction.inputs.indices where !claimed.contains(transaction.inputs[position].previousOutput) {
      transaction.inputs[position].witness = parties[index].walletWitness
    }
    guard transaction.weight <= claim.weight || claim.needsWallet else {
      throw fail("a claim of \(transaction.weight) was declared as \(claim.weight)")
    }
    if claim.isReplacement { report.replacements += 1 }
    abandoned[index].subtract(claim.outPoints)
    var package = [transaction]
    if case .parent(let parent, _, _) = claim.purpose {
      if let commitment = parties[index].commitment, commitment.txid == parent.txid {
        package = [commitment, transaction]
      } else {
        // The other side's commitment, as long as it is still waiting.
        guard chain.mempool.contains(where: { $0.txid == parent.txid }) else { return }
      }
    }
    if claim.spends.count > 1, case .children = claim.purpose { report.joined += claim.spends.count }
    guard try submit(package, by: index, mayFail: { _ in false }) else {
      // Not everybody can look into the mempool.
      let taken = transaction.txid.raw[0].isMultiple(of: 4) ? [] : rivals(of: wanted, index)
      return obstacles.append(Obstacle(party: index, outPoints: wanted, kind: .contested, taken: taken))
    }
  }

  /// What a transaction of the other side's in the mempool takes.
  private func rivals(of outPoints: [OutPoint], _ index: Int) -> [OutPoint] {
    outPoints.filter { outPoint in
      chain.mempool.contains { transaction in
        authors[transaction.txid] != index && transaction.inputs.contains { $0.previousOutput == outPoint }
      }
    }
  }

  /// With the largest coin that is free; of second stages, as many as it pays for. Nil when no coin is free.
  private func fund(_ claim: Claim, by index: Int) throws -> (Claim, Transaction)? {
    let claimed = Set(claim.outPoints)
    // Coins of other transactions that wait are taken; those of a transaction that this one replaces are not.
    var busy: Set<OutPoint> = []
    for transaction in chain.mempool {
      let inputs = transaction.inputs.map(\.previousOutput)
      if claimed.isDisjoint(with: inputs) { busy.formUnion(inputs) }
    }
    let coins = chain.coins(for: parties[index].wallet).filter { !busy.contains($0.outPoint) }
      .sorted { $0.coin.output.value > $1.coin.output.value }
    guard let coin = coins.first else { return nil }
    let input = WalletInput(outPoint: coin.outPoint, output: coin.coin.output, witnessWeight: Weight(3))
    var part: Claim? = claim
    while let claim = part {
      do throws(ClaimError) { return (claim, try claim.funded(with: [input])) } catch {
        guard case .missing = error else { throw fail("a claim cannot be funded: \(error)") }
        part = claim.keeping(first: claim.spends.count - 1)
      }
    }
    return nil
  }

  /// False when the other side was faster, or pays more.
  @discardableResult private mutating func submit(
    _ package: [Transaction], by index: Int, mayFail: (ChainRefusal) -> Bool
  ) throws -> Bool {
    do {
      try chain.submit(package)
      for transaction in package { authors[transaction.txid] = authors[transaction.txid] ?? index }
      log.append("\(chain.height): \(index) publishes \(package.map { "\($0.txid)".prefix(8) })")
      // The other one may see it before it is confirmed.
      let other = 1 - index
      if random.chance(oneIn: 2), chain.height >= parties[other].offlineUntil, parties[other].resolver.height > 0 {
        for transaction in package { rumours.append((party: other, transaction: transaction)) }
      }
    } catch {
      log.append("\(chain.height): \(index) is refused \(package.map { "\($0.txid)".prefix(8) }): \(error)")
      switch error {
      case .alreadyKnown: break
      case .missingInput, .replacementTooCheap, .version3("a second child"): return false
      default: if !mayFail(error) { throw fail("party \(index)'s transaction is refused: \(error)") }
      }
    }
    return true
  }
}
