internal import Anchors
internal import BOLT
internal import Base
internal import Bitcoin
internal import CFloor
internal import Encoding
internal import GLC
internal import HTLC
internal import Hashing
internal import PTLC
internal import Secp256k1
internal import Signer

/// Commitments on taproot outputs, with payments locked by hashes or by points.
struct TaprootSample {
  let stack: ChannelStack
  let holder: BasepointSecrets
  let counterparty: BasepointSecrets
  let point = sampleKey(40).publicKey
  let state: CommitmentState

  init(points: Bool, payments count: Int) {
    stack =
      points
      ? try! ChannelStack(
        funding: MuSig2Funding(),
        extensions: [
          Slot(MainOutputs(), .init(remoteFormat: .fixedAfterOneBlock)),
          Slot(PTLCExtension(), .init(delaysOneBlock: true)), Slot(Anchors(), Nothing()),
        ])
      : try! ChannelType.simpleTaproot.stack()
    let basepoints = Array(Set(stack.keys.map(\.role.basepoint) + [.payment])).sorted()
    holder = BasepointSecrets(basepoints) { sampleKey(100 + $0.rawValue) }
    counterparty = BasepointSecrets(basepoints) { sampleKey(150 + $0.rawValue) }
    var pending: UInt64 = 0
    let values = (0..<count).map { index -> (hash: Bytes32, value: UInt64) in
      let hash = sha256([UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8), 7])
      let value = 10_000 + UInt64(hash[0]) << 12 + UInt64(hash[1]) << 4 + UInt64(hash[2]) & 15
      pending += value * 1000
      return (hash, value)
    }
    let ledgers: [any LedgerSlot] = stack.extensions.map { slot in
      func offeredBy(_ index: Int) -> Party { index.isMultiple(of: 2) ? .local : .remote }
      if let typed = slot as? Slot<HTLCExtension> {
        let entries = values.enumerated().map { index, entry in
          HTLCEntry(
            id: UInt64(index / 2), offeredBy: offeredBy(index), amount: MilliSatoshi(entry.value * 1000),
            paymentHash: PaymentHash(entry.hash), cltvExpiry: 800_000 + UInt32(entry.hash[3]))
        }
        return TypedLedger(base: typed.base, parameters: typed.parameters, ledger: HTLCLedger(entries))
      }
      guard let typed = slot as? Slot<PTLCExtension> else { return slot.makeLedger() }
      var writer = ByteWriter()
      let half = UInt64(count / 2)
      writer.write(half)
      writer.write(half)
      writer.writeBigSize(UInt64(count))
      for (index, entry) in values.enumerated() {
        writer.write(UInt64(index / 2))
        writer.write(offeredBy(index).rawValue)
        writer.write(entry.value * 1000)
        writer.write(try! SecretKey(entry.hash).publicKey)
        writer.write(800_000 + UInt32(entry.hash[3]))
      }
      let ledger = try! PTLCLedger(decoding: writer.bytes.bytes)
      return TypedLedger(base: typed.base, parameters: typed.parameters, ledger: ledger)
    }
    state = CommitmentState(
      stack: stack,
      balances: Balances(
        local: MilliSatoshi(SampleCommitment.capacity.rawValue * 1000 - 3_000_000_000 - pending),
        remote: MilliSatoshi(3_000_000_000)),
      ledgers: ledgers, feeRate: FeeRate(satPerKiloWeight: 2500))
  }

  var commitment: Commitment {
    SampleCommitment.build(stack, holder, counterparty, point, state, number: 0)
  }
}

extension Suite {
  /// The floor is put together of parts: keys, order and hashes of a commitment without contracts, and for each contract its leaves, their
  /// branch, the tweak and the key that it makes. It makes another transaction: the sums are not compared.
  mutating func addTaprootCommitments() {
    let internalKey = sampleKey(70).publicKey.array
    for (points, name, label) in [(false, "taproot", "htlcs"), (true, "points", "ptlcs")] {
      group = "Commitments: \(name)"
      let empty = SampleCommitment(.anchors, htlcs: 0)
      for count in [0, 10, 100, 483, 966] {
        let sample = TaprootSample(points: points, payments: count)
        let (holder, counterparty) = (sample.holder.basepoints, sample.counterparty.basepoints)
        add("commitment build, \(name), \(count) \(label)", isComparable: false) { turns in
          var sum: UInt64 = 0
          for turn in 0..<turns {
            let commitment = SampleCommitment.build(
              sample.stack, holder, counterparty, sample.point, sample.state, number: UInt64(turn))
            sum &+= commitment.txid.word &+ (try! commitment.fundingSighash()).word
          }
          return sum
        } floor: { turns in
          // Both main outputs have a leaf, and so have the anchors.
          floor_commitment_build(turns, empty.floor)
            &+ floor_taproot_outputs(turns, count, 2, points ? 1 : 0, internalKey)
            &+ floor_taproot_outputs(turns, 4, 1, 0, internalKey)
        }
      }
      group = "Commitment signatures: \(name)"
      for (workers, cores) in [(Workers.one, "1 core"), (Workers(2), "2 cores")] {
        addTaprootSigning(
          TaprootSample(points: points, payments: 483), "\(name), 483 \(label), \(cores)", workers)
      }
    }
  }

  private static var seed: Bytes32 { sample(51) }

  private mutating func addTaprootSigning(_ sample: TaprootSample, _ name: String, _ workers: Workers) {
    let commitment = sample.commitment
    let key = sampleKey(1).bytes.array
    let hash = sample.point.xOnly.key.x
    let floorPair = floor_pair_new(key)
    let floorPoint = floor_point_new(sampleKey(1).publicKey.array)
    let schnorr = KeyPair(sampleKey(1)).signSchnorr(hash, auxRand: Bytes32())
    let floorMusig = floor_musig_new(key + sampleKey(4).bytes.array, hash.array)
    let holder = LocalSigner(secrets: sample.holder, seed: Self.seed)
    let nonce = try! holder.nonce(0, on: SampleCommitment.outPoint)
    let count = 483
    add("sign \(name)", isComparable: false, isParallel: workers != .one) { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns {
        let set = try! commitment.sign(
          asCounterparty: sample.counterparty, nonce: nonce, grindLowR: false, workers: workers)
        sum &+= UInt64(set.children.count)
      }
      return sum
    } floor: { turns in
      floor_musig_nonce_and_sign(turns, floorMusig)
        &+ floor_schnorr_sign(turns * count, floorPair, hash.array, Bytes32().array)
    }
    let signatures = try! commitment.sign(asCounterparty: sample.counterparty, nonce: nonce)
    let children = signatures.children.count
    add("verify \(name)", isComparable: false, isParallel: workers != .one) { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns where (try? commitment.verify(signatures, nonce: nonce, workers: workers)) != nil { sum &+= 1 }
      return sum
    } floor: { turns in
      floor_musig_verify(turns, floorMusig)
        &+ floor_schnorr_verify(turns * children, floorPoint, schnorr.array, hash.array)
    }
  }
}
