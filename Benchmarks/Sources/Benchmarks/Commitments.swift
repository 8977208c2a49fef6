internal import BOLT
internal import Bitcoin
internal import CFloor
internal import Encoding
internal import GLC
internal import HTLC
internal import Hashing
internal import Secp256k1
internal import Signer

/// A channel with pending payments in both directions, and the same in C.
struct SampleCommitment {
  let stack: ChannelStack
  let holder: BasepointSecrets
  let counterparty: BasepointSecrets
  let point = sampleKey(40).publicKey
  let state: CommitmentState
  let floor: OpaquePointer
  /// The counterparty's secrets for funding and HTLCs.
  let floorKeys: [UInt8]

  static let names = [
    (ChannelType.staticRemoteKey, "legacy"), (.anchors, "anchors"), (.zeroFeeCommitments, "zero-fee"),
  ]

  init(_ type: ChannelType, htlcs count: Int) {
    stack = try! type.stack()
    let basepoints: [Basepoint] = [.funding, .revocation, .payment, .delayedPayment, .htlc]
    holder = BasepointSecrets(basepoints) { sampleKey(50 + $0.rawValue) }
    counterparty = BasepointSecrets(basepoints) { sampleKey(60 + $0.rawValue) }
    let entries = (0..<count).map { index in
      let hash = sha256([UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8), 7])
      // Between 10,000 and 1,000,000 satoshi, without order.
      let value = 10_000 + UInt64(hash[0]) << 12 + UInt64(hash[1]) << 4 + UInt64(hash[2]) & 15
      return HTLCEntry(
        id: UInt64(index / 2), offeredBy: index.isMultiple(of: 2) ? .local : .remote,
        amount: MilliSatoshi(value * 1000), paymentHash: PaymentHash(hash), cltvExpiry: 800_000 + UInt32(hash[3]))
    }
    let rate = FeeRate(satPerKiloWeight: type == .zeroFeeCommitments ? 0 : 2500)
    let ledgers: [any LedgerSlot] = stack.extensions.map { slot in
      guard let typed = slot as? Slot<HTLCExtension> else { return slot.makeLedger() }
      return TypedLedger(base: typed.base, parameters: typed.parameters, ledger: HTLCLedger(entries))
    }
    let pending = ledgers.reduce(0) { $0 + $1.lockedValue.rawValue }
    state = CommitmentState(
      stack: stack,
      balances: Balances(
        local: MilliSatoshi(Self.capacity.rawValue * 1000 - 3_000_000_000 - pending),
        remote: MilliSatoshi(3_000_000_000)),
      ledgers: ledgers, feeRate: rate)

    // The figures that the floor does not work out.
    let commitment = Self.build(stack, holder, counterparty, point, state, number: 0)
    func value(_ tag: (OutputTag) -> Bool) -> UInt64 {
      commitment.outputs.first { tag($0.output.tag) }?.output.value.rawValue ?? 0
    }
    var channel = floor_channel()
    let format: HTLCExtension.Format
    switch type {
    case .anchors: (channel.format, format) = (FLOOR_ANCHORS, .anchors)
    case .zeroFeeCommitments: (channel.format, format) = (FLOOR_ZERO_FEE, .zeroFee)
    default: (channel.format, format) = (FLOOR_LEGACY, .legacy)
    }
    var outPoint = ByteWriter()
    Self.outPoint.encode(to: &outPoint)
    withUnsafeMutableBytes(of: &channel.outpoint36) { $0.copyBytes(from: outPoint.bytes) }
    channel.capacity = Self.capacity.rawValue
    channel.to_holder = value { $0 == .balance(of: .holder) }
    channel.to_counterparty = value { $0 == .balance(of: .counterparty) }
    channel.anchor = value { $0.owner.rawValue & 0xff00 == 0x0300 }
    channel.obscuring_factor = Self.obscuring
    channel.timeout_fee = format.childrenPayFees ? rate.fee(for: format.timeoutWeight)!.rawValue : 0
    channel.success_fee = format.childrenPayFees ? rate.fee(for: format.successWeight)!.rawValue : 0
    channel.delay = 144
    let mine = holder.basepoints
    let theirs = counterparty.basepoints
    let keys = [
      theirs[.revocation]!, mine[.delayedPayment]!, mine[.htlc]!, theirs[.htlc]!, theirs[.payment]!, mine[.funding]!,
      theirs[.funding]!,
    ]
    floor = floor_commitment_new(&channel, keys.flatMap(\.array), point.array)
    for entry in entries {
      floor_commitment_add(
        floor, entry.offeredBy == .local ? 1 : 0, entry.amount.rawValue / 1000, entry.cltvExpiry,
        ripemd160(entry.paymentHash.bytes).array)
    }
    var secrets: [UInt8] = []
    for ref in [KeyRef(.funding, .counterparty), KeyRef(KeyRole(.htlc, .perCommitment), .counterparty)] {
      let key = try! counterparty.secret(ref, side: .counterparty, perCommitmentPoint: point)
      secrets += key.bytes.array
    }
    floorKeys = secrets
  }

  static let capacity = Satoshi(1_000_000_000)
  static let outPoint = OutPoint(txid: TxID(sample(30)), vout: 1)
  static let obscuring: UInt64 = 0x1234_5678_9abc

  static func build(
    _ stack: ChannelStack, _ holder: BasepointSecrets, _ counterparty: BasepointSecrets, _ point: PublicKey,
    _ state: CommitmentState, number: UInt64
  ) -> Commitment {
    build(stack, holder.basepoints, counterparty.basepoints, point, state, number: number)
  }

  static func build(
    _ stack: ChannelStack, _ holder: Basepoints, _ counterparty: Basepoints, _ point: PublicKey,
    _ state: CommitmentState, number: UInt64
  ) -> Commitment {
    let keys = try! CommitmentKeys(
      holder: holder, counterparty: counterparty, perCommitmentPoint: point, resolving: stack.keys)
    let context = CommitmentContext(
      holder: .local, funder: .local, number: number, fundingOutpoint: outPoint, capacity: capacity,
      dustLimit: Satoshi(354), contestDelay: 144, feeRate: state.feeRate, keys: keys, obscuringFactor: obscuring)
    return try! stack.commitment(context, balances: state.balances, ledgers: state.ledgers)
  }

  var commitment: Commitment { Self.build(stack, holder, counterparty, point, state, number: 0) }
}

extension Suite {
  mutating func addCommitments() {
    for (type, name) in SampleCommitment.names {
      group = "Commitments: \(name)"
      for count in [0, 10, 100, 483, 966] {
        let sample = SampleCommitment(type, htlcs: count)
        let holder = sample.holder.basepoints
        let counterparty = sample.counterparty.basepoints
        add("commitment build, \(name), \(count) htlcs") { turns in
          var sum: UInt64 = 0
          for turn in 0..<turns {
            let commitment = SampleCommitment.build(
              sample.stack, holder, counterparty, sample.point, sample.state, number: UInt64(turn))
            let sighash = try! commitment.fundingSighash()
            sum &+= commitment.txid.word &+ sighash.word
          }
          return sum
        } floor: {
          floor_commitment_build($0, sample.floor)
        }
      }
    }
    for (type, name) in SampleCommitment.names {
      group = "Commitment signatures: \(name)"
      for count in type == .anchors ? [0, 10, 100, 483, 966] : [483] {
        for (workers, label) in [(Workers.one, ", 1 core"), (Workers(2), ", 2 cores")] {
          if workers != .one && count < 100 { continue }
          addSigning(SampleCommitment(type, htlcs: count), "\(name), \(count) htlcs\(label)", workers)
        }
      }
    }
    addLog()
  }

  private mutating func addSigning(_ sample: SampleCommitment, _ name: String, _ workers: Workers) {
    let commitment = sample.commitment
    func signed(_ lowR: Bool) -> (Int) -> UInt64 {
      { turns in
        var sum: UInt64 = 0
        for _ in 0..<turns {
          let set = try! commitment.sign(asCounterparty: sample.counterparty, grindLowR: lowR, workers: workers)
          for case .ecdsa(let signature) in [set.funding] + set.children { sum &+= signature.compact.word }
        }
        return sum
      }
    }
    _ = floor_commitment_build(1, sample.floor)
    _ = floor_commitment_sign(1, sample.floor, sample.floorKeys, 0)
    add("sign \(name)", isParallel: workers != .one, ours: signed(false)) {
      floor_commitment_sign($0, sample.floor, sample.floorKeys, 0)
    }
    let signatures = try! commitment.sign(asCounterparty: sample.counterparty)
    add("verify \(name)", isParallel: workers != .one) { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns {
        do {
          try commitment.verify(signatures, workers: workers)
          sum &+= 1
        } catch {}
      }
      return sum
    } floor: {
      floor_commitment_verify($0, sample.floor)
    }
  }

  /// One more update on top of those that are pending.
  private mutating func addLog() {
    group = "Update log"
    for pending in [10, 100, 482] {
      var channel = SampleChannel.make()
      for index in 0..<pending { _ = try! channel.propose(SampleChannel.add(UInt64(index))) }
      let full = channel
      let next = SampleChannel.add(UInt64(pending))
      let amounts = [UInt64](repeating: 1, count: pending)
      add("propose with \(pending) pending", isComparable: false) { turns in
        var sum: UInt64 = 0
        for _ in 0..<turns {
          var channel = full
          sum &+= UInt64((try! channel.propose(next)).count)
        }
        return sum
      } floor: {
        floor_walk($0, amounts, amounts.count)
      }
    }
  }
}

enum SampleChannel {
  static func make() -> Channel {
    let sample = SampleCommitment(.anchors, htlcs: 0)
    func party(_ secrets: BasepointSecrets) -> PartyParameters {
      PartyParameters(
        dustLimit: Satoshi(354), contestDelay: 144, reserve: Satoshi(10_000), basepoints: secrets.basepoints)
    }
    return Channel(
      stack: sample.stack,
      parameters: ChannelParameters(
        funder: .local, parties: PerParty(local: party(sample.holder), remote: party(sample.counterparty)),
        obscuringFactor: SampleCommitment.obscuring),
      funding: Funding(outPoint: SampleCommitment.outPoint, capacity: SampleCommitment.capacity),
      balances: sample.state.balances, feeRate: FeeRate(satPerKiloWeight: 2500),
      remotePoints: (sampleKey(41).publicKey, sampleKey(42).publicKey))
  }

  static func add(_ id: UInt64) -> UpdateContent {
    let update = HTLCUpdate.add(
      id: id, amount: MilliSatoshi(1_000_000), paymentHash: PaymentHash(sample(UInt8(truncatingIfNeeded: id))),
      cltvExpiry: 800_000, onion: [UInt8](repeating: 0, count: HTLCUpdate.onionByteCount), extra: TLVStream())
    return .extension(0, AnyUpdate(update, of: HTLCExtension.self))
  }
}
