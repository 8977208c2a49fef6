internal import Bitcoin
internal import Encoding
internal import GLC
internal import Onchain

extension ClosingSimulator {
  func checkRecognition(_ kind: FundingSpend, by index: Int) throws {
    switch kind {
    case .local: return
    case .remote(_, let isLatest):
      if report.way != .previous || isLatest == false { return }
    case .revoked: if report.way == .revoked && index != report.holder { return }
    case .own(_, let isRevoked, _, _): if accident != nil && index == report.holder && isRevoked { return }
    case .closing: if report.way == .cooperative { return }
    default: break
    }
    throw fail("party \(index) takes the commitment for \(kind)")
  }

  /// After a closing that both have signed, each has its balance, to the satoshi.
  mutating func checkCooperative(_ closing: SimulatedClosing) throws {
    let txid = closing.transaction.txid
    guard chain.blocks.contains(where: { block in block.transactions.contains { $0.txid == txid } }) else {
      throw fail("the closing transaction is not confirmed")
    }
    for index in 0..<2 {
      let end = chain.coins(for: parties[index].wallet).reduce(0) { $0 + $1.coin.output.value.rawValue }
      report.gains[index] = Int64(end) - Int64(walletStart[index])
      report.owed[index] = closing.shares[index]
      guard report.gains[index] == Int64(closing.shares[index]) else {
        throw fail("party \(index) gets \(report.gains[index]) sat of \(closing.shares[index])")
      }
    }
    report.outputs = closing.transaction.outputs.count
    report.transactions += 1
  }

  mutating func check() throws {
    if let closing { return try checkCooperative(closing) }
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

    if report.way != .revoked, accident == nil { for sealed in commitment.outputs { try checkSecret(of: sealed) } }
    for sealed in commitment.outputs {
      guard let winner = winner(of: sealed, of: commitment, confirmedAt: confirmed.height) else { continue }
      let value = sealed.output.value.rawValue
      report.owed[winner] += value
      let isSmallAndUnfunded = value <= 4_000 && unfunded[winner].contains(sealed.outPoint)
      if abandoned[winner].contains(sealed.outPoint) || left[sealed.outPoint] != nil || isSmallAndUnfunded {
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

  /// Whoever takes an output by completing a pre-signature shows its secret to the other party, who needs it elsewhere.
  private func checkSecret(of sealed: SealedOutput) throws {
    guard case .taproot(let output) = sealed.output.lock.reveal else { return }
    let spenders = chain.blocks.lazy.flatMap(\.transactions).compactMap { transaction in
      transaction.inputs.first { $0.previousOutput == sealed.outPoint }.map { (transaction.txid, $0.witness.elements) }
    }
    guard let (txid, witness) = spenders.first, let taker = authors[txid], 1 - taker != idle else { return }
    let leaf = witness.count > 1 ? witness[witness.count - 2] : nil
    for path in sealed.output.paths {
      guard let id = path.conditions.secret, id.kind == .point,
        path.witness.tapLeaf.map({ output.paths[$0].leaf.script.bytes }) == leaf
      else { continue }
      guard learned[1 - taker].contains(id) else {
        throw fail("party \(1 - taker) does not read the secret of \(sealed.output.tag), which \(taker) has taken")
      }
    }
  }

  /// Who must get an output: the one who can take it before the other. Nil when it is a race, or nobody's.
  func winner(of sealed: SealedOutput, of commitment: Commitment, confirmedAt: UInt32) -> Int? {
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
    case (let a?, let b?):
      guard a != b else { return nil }
      let winner = a < b ? 0 : 1
      // Who had but a few blocks, and was away or could not get into them, has no right to it: so it is with the smallest anchors.
      let time = (min(a, b) - 1)..<max(a, b)
      let isRace = time.count < 60 && time.contains { away[winner].contains($0) || expensive.contains($0) }
      return isRace ? nil : winner
    case (_?, nil): return 0
    case (nil, _?): return 1
    case (nil, nil): return nil
    }
  }
}
