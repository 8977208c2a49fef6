internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Onchain
internal import Secp256k1
internal import Signer

/// How a simulated channel ended on the chain.
public struct ClosingReport: Sendable {
  public enum Way: String, Sendable, CaseIterable {
    /// One party publishes its latest commitment.
    case unilateral
    /// Both do, at the same time.
    case both
    /// One party publishes its latest commitment, which the other one has already replaced.
    case previous
    /// One party publishes a commitment that it has revoked.
    case revoked
  }

  public var way: Way
  /// Whose commitment was confirmed.
  public var holder: Int
  /// What each party brought home and what it paid for that, in satoshi.
  public var gains: [Int64] = [0, 0]
  public var fees: [UInt64] = [0, 0]
  /// What each party was owed at least.
  public var owed: [UInt64] = [0, 0]
  /// Owed, but worth less than its fee: still there.
  public var uneconomic: [UInt64] = [0, 0]
  public var outputs = 0
  public var blocks = 0
  public var transactions = 0
  public var replacements = 0
  public var reorganisations = 0
}

/// One end of a channel that goes to the chain.
private struct ClosingParty {
  var resolver: Resolver
  let secrets: BasepointSecrets
  let wallet: Script
  let walletWitness: Witness
  /// Our commitment, signed.
  var commitment: Transaction?
  /// Done when it is online again.
  var waiting: [ResolverAction] = []
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
  private var chain: VirtualChain
  private var parties: [ClosingParty] = []
  /// The commitments that are published, by holder.
  private var published: [Int: ResolverInput.LocalCommitment] = [:]
  private var authors: [TxID: Int] = [:]
  private var allFees: [TxID: Satoshi] = [:]
  private var offlineUntil: [UInt32] = [0, 0]
  private let walletStart: [UInt64]
  private let funding: Funding
  private var log: [String] = []
  /// What each resolver has found to be worth less than its fee.
  private var abandoned: [Set<OutPoint>] = [[], []]

  static var coinCount: Int { 24 }
  static var coinValue: UInt64 { 2_000_000 }

  private func fail(_ reason: String) -> SimulationFailure {
    let trace = log.suffix(40).joined(separator: "\n  ")
    return simulator.fail("\(report.way) close by \(report.holder), height \(chain.height): \(reason)\n  \(trace)")
  }

  init(_ simulator: TwoPartySimulator<Traffic>, _ wanted: ClosingReport.Way?, idle: Int?) throws {
    self.simulator = simulator
    self.idle = idle
    funding = simulator.parties[0].channel.fundings[0].funding
    var random = simulator.random
    chain = VirtualChain(height: random.chance(oneIn: 3) ? UInt32(490 + random.below(14)) : 400)
    walletStart = [Self.coinValue * UInt64(Self.coinCount), Self.coinValue * UInt64(Self.coinCount)]

    var way = wanted ?? ClosingReport.Way.allCases[Int(random.below(4))]
    var holder = Int(random.below(2))
    // Only what the other side has the secret of is revoked.
    func revoked(_ index: Int) -> [Channel] {
      let limit = simulator.parties[1 - index].channel.remoteUnrevoked
      return simulator.past[index].filter { $0.localNumber < limit }
    }
    func isPrevious(_ index: Int) -> Bool {
      let other = simulator.parties[1 - index].channel
      return other.awaitsRevocation && simulator.parties[index].channel.localNumber == other.remoteUnrevoked
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

    for index in 0..<2 {
      let party = simulator.parties[index]
      let channel = index == holder ? cheat ?? party.channel : party.channel
      let script = Script(index == 0 ? [0x51] : [0x52])
      let wallet = OutputLock.witnessScript(script).scriptPubKey
      let records = simulator.records[index]
      let input = try ResolverInput(
        channel, signer: party.signer, destination: wallet, records: { number, _ in records[number] })
      var options = Resolver.Options()
      options.depth = 8
      options.maximumReorganisation = 40
      var resolver = Resolver(input, options: options)
      for (id, secret) in simulator.traffic.secrets(of: index, in: party.channel) {
        _ = resolver.handle(.learned(id, secret))
      }
      parties.append(
        ClosingParty(
          resolver: resolver, secrets: party.signer.secrets, wallet: wallet, walletWitness: Witness([script.bytes])))
      for coin in 0..<Self.coinCount {
        chain.fund(
          OutPoint(txid: TxID(sha256(Array("coin \(index)".utf8))), vout: UInt32(coin)),
          TxOutput(value: Satoshi(Self.coinValue), scriptPubKey: wallet))
      }
    }
    guard let lock = parties[0].resolver.input.local.first?.commitment.fundingLock else {
      throw simulator.fail("there is no commitment to close with")
    }
    chain.fund(funding.outPoint, TxOutput(value: funding.capacity, scriptPubKey: lock.scriptPubKey))
    if chain.height < 450 {
      for index in 0..<2 { offlineUntil[index] = chain.height + UInt32(self.random.below(9)) }
    }
  }

  // MARK: Running

  mutating func run() throws {
    try announceBlock([])
    for index in 0..<2 where report.way == .both || index == report.holder {
      offlineUntil[index] = 0
      try perform(parties[index].resolver.handle(.close(deadline: nil)), by: index)
    }
    for _ in 0..<2_000 {
      if random.chance(oneIn: 80), report.blocks > 3 { try reorganise() }
      let block = chain.mine()
      report.blocks += 1
      try announceBlock(block.transactions)
      if parties.indices.allSatisfy({ $0 == idle || parties[$0].resolver.isResolved }) { return try check() }
    }
    let open = parties.map { party in
      party.resolver.outputs.filter { $0.spend == nil }.map { "\($0.tag.map { "\($0)" } ?? "?"): \($0.value)" }
    }
    throw fail("it is not resolved: \(open)")
  }

  private mutating func announceBlock(_ transactions: [Transaction]) throws {
    let estimates = FeeEstimates([
      .init(blocks: 1, rate: FeeRate(satPerKiloWeight: UInt32(700 + random.below(300)))),
      .init(blocks: 12, rate: FeeRate(satPerKiloWeight: 500)), .init(blocks: 100, rate: FeeRate(satPerKiloWeight: 260)),
    ])
    for transaction in transactions { allFees[transaction.txid] = chain.fee(of: transaction.txid) }
    let first = Int(random.below(2))
    for index in [first, 1 - first] {
      let event = ChainEvent.block(height: chain.height, transactions: transactions, estimates: estimates)
      let actions = parties[index].resolver.handle(event)
      try perform(actions, by: index)
    }
  }

  private mutating func reorganise() throws {
    report.reorganisations += 1
    let height = chain.reorganise(depth: 1 + Int(random.below(3)))
    log.append("reorganised to \(height)")
    for index in 0..<2 { try perform(parties[index].resolver.handle(.reorg(to: height)), by: index) }
    // Whoever has published a commitment does so until it is confirmed.
    for (index, own) in published.sorted(by: { $0.key < $1.key }) where chain.coins[funding.outPoint] != nil {
      try perform([.publishCommitment(own)], by: index)
    }
  }

  private mutating func perform(_ actions: [ResolverAction], by index: Int) throws {
    if chain.height < offlineUntil[index] {
      parties[index].waiting += actions
      return
    }
    let due = parties[index].waiting + actions
    parties[index].waiting = []
    for action in due {
      if case .publish(let claim) = action, index == idle {
        guard case .parent = claim.purpose else { continue }
      }
      switch action {
      case .publishCommitment(let own): try publishCommitment(own, by: index)
      case .publish(let claim): try publish(claim, by: index)
      case .recognised(let kind): try checkRecognition(kind, by: index)
      case .uneconomic(let outPoint, let value):
        guard value < Satoshi(4_000) else { throw fail("\(value) at \(outPoint) are given up by \(index)") }
        abandoned[index].insert(outPoint)
      case .watch, .spent, .learned, .lost, .resolved: break
      }
    }
  }

  private mutating func publishCommitment(_ own: ResolverInput.LocalCommitment, by index: Int) throws {
    let signed = try own.commitment.signedTransaction(asHolder: parties[index].secrets, with: own.signatures)
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
    if claim.needsWallet {
      guard let funded = try fund(claim, by: index) else { return }
      transaction = funded
    }
    do {
      try parties[index].secrets.sign(&transaction, taking: claim.spends, with: claim.keys)
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
    var package = [transaction]
    if case .parent(let parent, _, _) = claim.purpose {
      guard let commitment = parties[index].commitment, commitment.txid == parent.txid else { return }
      package = [commitment, transaction]
    }
    try submit(package, by: index) { _ in false }
  }

  private func fund(_ claim: Claim, by index: Int) throws -> Transaction? {
    let claimed = Set(claim.outPoints)
    // Coins of other transactions that wait are taken; those of a transaction that this one replaces are not.
    var busy: Set<OutPoint> = []
    for transaction in chain.mempool {
      let inputs = transaction.inputs.map(\.previousOutput)
      if claimed.isDisjoint(with: inputs) { busy.formUnion(inputs) }
    }
    let coins = chain.coins(for: parties[index].wallet).filter { !busy.contains($0.outPoint) }
      .sorted { $0.coin.output.value > $1.coin.output.value }
    guard let coin = coins.first else { throw fail("party \(index)'s wallet is empty") }
    let input = WalletInput(outPoint: coin.outPoint, output: coin.coin.output, witnessWeight: Weight(3))
    do { return try claim.funded(with: [input]) } catch { throw fail("a claim cannot be funded: \(error)") }
  }

  private mutating func submit(
    _ package: [Transaction], by index: Int, mayFail: (ChainRefusal) -> Bool
  ) throws {
    do {
      try chain.submit(package)
      for transaction in package { authors[transaction.txid] = authors[transaction.txid] ?? index }
      log.append("\(chain.height): \(index) publishes \(package.map { "\($0.txid)".prefix(8) })")
    } catch {
      log.append("\(chain.height): \(index) is refused \(package.map { "\($0.txid)".prefix(8) }): \(error)")
      switch error {
      // The other side was faster, or pays more.
      case .missingInput, .alreadyKnown, .replacementTooCheap: return
      case .version3("a second child"): return
      default: if !mayFail(error) { throw fail("party \(index)'s transaction is refused: \(error)") }
      }
    }
  }

  // MARK: Checking

  private func checkRecognition(_ kind: FundingSpend, by index: Int) throws {
    switch kind {
    case .local: return
    case .remote(_, let isLatest):
      if report.way != .previous || isLatest == false { return }
    case .revoked: if report.way == .revoked && index != report.holder { return }
    default: break
    }
    throw fail("party \(index) takes the commitment for \(kind)")
  }

  private mutating func check() throws {
    guard
      let spender = chain.blocks.lazy.flatMap(\.transactions).first(where: { [funding] transaction in
        transaction.inputs.contains { $0.previousOutput == funding.outPoint }
      }), let (holder, own) = published.first(where: { $0.value.commitment.txid == spender.txid }),
      let confirmed = chain.blocks.first(where: { block in block.transactions.contains { $0.txid == spender.txid } })
    else { throw fail("no commitment is confirmed") }
    report.holder = holder
    let commitment = own.commitment
    report.outputs = commitment.outputs.count

    // What belongs to this channel and is not spent.
    var family: Set<TxID> = [commitment.txid]
    var childFees = [UInt64](repeating: 0, count: 2)
    for transaction in chain.blocks.flatMap(\.transactions) {
      report.transactions += 1
      let txid = transaction.txid
      guard let fee = allFees[txid] else { throw fail("a fee is not known") }
      guard let author = authors[txid] else { throw fail("nobody published \(txid)") }
      if txid != commitment.txid { report.fees[author] += fee.rawValue }
      let isOfTheFamily = transaction.inputs.contains { family.contains($0.previousOutput.txid) }
      guard isOfTheFamily else { continue }
      let isSweep = transaction.outputs.allSatisfy { output in parties.contains { $0.wallet == output.scriptPubKey } }
      if !isSweep && txid != commitment.txid {
        family.insert(txid)
        childFees[author] += fee.rawValue
      }
    }
    var left: [OutPoint: UInt64] = [:]
    for (outPoint, coin) in chain.coins
    where family.contains(outPoint.txid) && !parties.contains(where: { $0.wallet == coin.output.scriptPubKey }) {
      left[outPoint] = coin.output.value.rawValue
    }
    for index in 0..<2 {
      let end = chain.coins(for: parties[index].wallet).reduce(0) { $0 + $1.coin.output.value.rawValue }
      report.gains[index] = Int64(end) - Int64(walletStart[index])
    }
    let sum = report.gains.reduce(0, +) + Int64(report.fees.reduce(0, +)) + Int64(left.values.reduce(0, +))
    guard sum + Int64(commitment.fee.rawValue) == Int64(funding.capacity.rawValue) else {
      throw fail("value was not conserved: \(report), left \(left)")
    }

    for sealed in commitment.outputs {
      guard let winner = winner(of: sealed, of: commitment, confirmedAt: confirmed.height) else { continue }
      let value = sealed.output.value.rawValue
      report.owed[winner] += value
      if abandoned[winner].contains(sealed.outPoint) || left[sealed.outPoint] != nil {
        report.uneconomic[winner] += value
      }
    }
    for (outPoint, value) in left {
      if outPoint.txid == commitment.txid {
        guard idle != nil || value <= 4_000 else { throw fail("\(value) sat were left behind at \(outPoint)") }
        continue
      }
      guard value <= 4_000 else { throw fail("\(value) sat were left behind at \(outPoint)") }
      // A second stage that was not worth sweeping: its publisher's, or, after a revocation, the other's.
      let victim = 1 - report.holder
      report.uneconomic[report.way == .revoked && idle != victim ? victim : authors[outPoint.txid] ?? 0] += value
    }
    for index in 0..<2 where index != idle {
      // A cheat may pay fees out of what it is about to lose.
      let burnt = report.way == .revoked && index != report.holder ? childFees[report.holder] : 0
      let got = report.gains[index] + Int64(report.fees[index] + report.uneconomic[index] + burnt)
      guard got >= Int64(report.owed[index]) else {
        throw fail("party \(index) gets \(got) sat of \(report.owed[index]): \(report), left \(left)")
      }
    }
  }

  /// Who must get an output: the one who can take it before the other. Nil when it is a race, or nobody's.
  private func winner(of sealed: SealedOutput, of commitment: Commitment, confirmedAt: UInt32) -> Int? {
    let holder = report.holder
    if let idle {
      // An anchor with which the idle party paid for its commitment.
      let spender = chain.blocks.lazy.flatMap(\.transactions).first { transaction in
        transaction.inputs.contains { $0.previousOutput == sealed.outPoint }
      }
      if let spender, authors[spender.txid] == idle { return nil }
    }
    var opens: [UInt32?] = [nil, nil]
    for index in 0..<2 where index != idle {
      let side: Side = index == holder ? .holder : .counterparty
      let known = simulator.traffic.secrets(of: index, in: simulator.parties[index].channel)
      for path in sealed.output.paths where path.spender == side {
        let conditions = path.conditions
        if conditions.revoked {
          if report.way == .revoked { return index }
          continue
        }
        if let secret = conditions.secret, known[secret] == nil { continue }
        let height = max(conditions.height.map { $0 + 1 } ?? 0, confirmedAt + UInt32(conditions.age ?? 1))
        opens[index] = min(opens[index] ?? .max, height)
      }
    }
    switch (opens[0], opens[1]) {
    case (let a?, let b?): return a < b ? 0 : b < a ? 1 : nil
    case (_?, nil): return 0
    case (nil, _?): return 1
    case (nil, nil): return nil
    }
  }
}
