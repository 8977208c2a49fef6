internal import BOLT
internal import Bitcoin
internal import CFloor
internal import Encoding
internal import Foundation
internal import GLC
internal import HTLC
internal import Hashing
internal import Secp256k1
internal import Signer
internal import Storage

/// Both ends of a channel in one process: what one sends, the other gets at once.
private struct Ends {
  var channels: [Channel] = []
  let signers: [LocalSigner]
  var nextID: UInt64 = 0
  /// By number: made once.
  let offers: [(preimage: Bytes32, hash: PaymentHash)]

  init(payments: Int) {
    let basepoints: [Basepoint] = [.funding, .revocation, .payment, .delayedPayment, .htlc]
    let signers = (0..<2).map { LocalSigner(channelSeed: sample(80 + UInt8($0)), basepoints: basepoints) }
    self.signers = signers
    offers = (0..<payments).map {
      let preimage = sha256([UInt8($0 & 0xff), UInt8($0 >> 8), 9])
      return (preimage, PaymentHash(sha256(preimage.bytes)))
    }
    let funding = Funding(outPoint: SampleCommitment.outPoint, capacity: SampleCommitment.capacity)
    let half = MilliSatoshi(SampleCommitment.capacity.rawValue * 500)
    let stack = try! ChannelType.anchors.stack()
    for index in 0..<2 {
      func own(_ index: Int) -> PartyParameters {
        PartyParameters(
          dustLimit: Satoshi(354), contestDelay: 144, reserve: Satoshi(10_000), basepoints: signers[index].basepoints)
      }
      channels.append(
        Channel(
          stack: stack,
          parameters: ChannelParameters(
            funder: index == 0 ? .local : .remote, parties: PerParty(local: own(index), remote: own(1 - index)),
            obscuringFactor: SampleCommitment.obscuring),
          funding: funding, balances: Balances(local: half, remote: half), feeRate: FeeRate(satPerKiloWeight: 2500),
          remotePoints: (
            try! signers[1 - index].perCommitmentPoint(0), try! signers[1 - index].perCommitmentPoint(1)
          )))
    }
    for index in 0..<2 {
      let signatures = try! channels[1 - index].remoteCommitments()[0].map {
        try! signers[1 - index].sign($0, nonce: nil)
      }
      channels[index] = channels[index].signed(signatures)
    }
  }

  /// End 0 pays end 1 so many times at once, and all of it is settled.
  mutating func pay(_ count: Int) {
    for index in 0..<count {
      propose(
        .add(
          id: nextID + UInt64(index), amount: MilliSatoshi(1_000_000), paymentHash: offers[index].hash,
          cltvExpiry: 800_000, onion: [UInt8](repeating: 0, count: HTLCUpdate.onionByteCount), extra: TLVStream()),
        by: 0)
    }
    sign()
    for index in 0..<count {
      propose(
        .fulfill(id: nextID + UInt64(index), preimage: offers[index].preimage, extra: TLVStream()), by: 1)
    }
    sign()
    nextID += UInt64(count)
  }

  private mutating func propose(_ update: HTLCUpdate, by index: Int) {
    deliver(try! channels[index].propose(.extension(0, AnyUpdate(update, of: HTLCExtension.self))), from: index)
  }

  private mutating func sign() {
    while let index = channels.indices.first(where: { channels[$0].canCommit }) {
      deliver(try! channels[index].commit(signers[index]), from: index)
    }
  }

  private mutating func deliver(_ effects: [ChannelEffect], from index: Int) {
    for case .send(let message) in effects {
      deliver(try! channels[1 - index].receive(message, signers[1 - index]), from: 1 - index)
    }
  }
}

private final class Box<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}

extension Suite {
  /// Both sides' work for payments over one channel, without onions, messages and disk. The floor is the signatures that are made and
  /// checked, on one core: of each payment four, and of each commitment one.
  mutating func addPayments() {
    group = "Payments in one process"
    let key = sampleKey(1).bytes.array
    let hash = sample(2)
    let point = floor_point_new(sampleKey(1).publicKey.array)
    let signature = floor_signature_new(sampleKey(1).signECDSA(hash).compact.array)
    for count in [1, 10, 100, 483] {
      let ends = Box(Ends(payments: count))
      add("\(count) payments at once, both sides", isComparable: false, isParallel: true) { turns in
        for _ in 0..<turns { ends.value.pay(count) }
        return ends.value.nextID
      } floor: { turns in
        floor_ecdsa_sign(turns * (2 * count + 4), key, hash.array, 0)
          &+ floor_ecdsa_verify(turns * (2 * count + 4), point, signature, hash.array)
      }
    }
  }

  /// A commit is acknowledged when it is on the disk. Beside it: as many pages, written and flushed.
  mutating func addStorage() {
    group = "Storage"
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("glc-bench-\(UUID().uuidString)").path
    guard let store = try? SQLiteStore(folder: folder, schema: StoreSchema(collections: ["alpha"])) else {
      FileHandle.standardError.write(Data("no store in \(folder): storage is not measured\n".utf8))
      return
    }
    atexit_remove(folder)
    let turn = Box(UInt64(0))
    for (records, size, pages) in [(3, 300, 3), (100, 1500, 60)] {
      add("commit of \(records) records of \(size) bytes", isComparable: false, isParallel: true) { turns in
        for _ in 0..<turns {
          turn.value += 1
          let changes = (0..<records).map { index -> Change in
            var writer = ByteWriter()
            writer.write(UInt64(index))
            return .put("alpha", key: writer.bytes, value: [UInt8](repeating: UInt8(turn.value & 0xff), count: size))
          }
          _ = waiting { (try? await store.commit(changes)) == nil ? 0 : 1 }
        }
        return turn.value
      } floor: {
        floor_write($0, folder + "/floor", pages)
      }
    }
  }
}

/// The folder is gone with the process.
private func atexit_remove(_ folder: String) {
  folderOfRun = folder
  atexit { if let folder = folderOfRun { try? FileManager.default.removeItem(atPath: folder) } }
}
nonisolated(unsafe) private var folderOfRun: String?
