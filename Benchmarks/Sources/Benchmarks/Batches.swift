internal import CFloor
internal import Encoding
internal import GLC
internal import Secp256k1

extension Suite {
  /// Many signatures at a time, on one core and on two. The floor is one core's.
  mutating func addBatches() {
    group = "Batches of signatures"
    let key = sampleKey(1).bytes.array
    let publicKey = sampleKey(1).publicKey
    let hash = sample(2)
    let ecdsa = sampleKey(1).signECDSA(hash)
    let schnorr = KeyPair(sampleKey(1)).signSchnorr(hash, auxRand: Bytes32())
    let xOnly = publicKey.xOnly.key
    let floorPoint = floor_point_new(publicKey.array)
    let floorPair = floor_pair_new(key)
    let floorSignature = floor_signature_new(ecdsa.compact.array)
    for size in [1, 10, 100, 483] {
      for workers in [Workers.one, Workers(2)] {
        if workers != .one && size == 1 { continue }
        let label = "\(size), \(workers.count) core\(workers.count == 1 ? "" : "s")"
        addBatch("ecdsa sign \(label)", size, workers) { range in
          let secret = sampleKey(1)
          var message = hash
          var sum: UInt64 = 0
          for index in range {
            message.put(turn: index)
            sum &+= secret.signECDSA(message, grindLowR: false).compact.word
          }
          return sum
        } floor: {
          floor_ecdsa_sign($0, key, hash.array, 0)
        }
        addBatch("schnorr sign \(label)", size, workers) { range in
          let pair = KeyPair(sampleKey(1))
          var message = hash
          var sum: UInt64 = 0
          for index in range {
            message.put(turn: index)
            sum &+= pair.signSchnorr(message, auxRand: Bytes32()).word
          }
          return sum
        } floor: {
          floor_schnorr_sign($0, floorPair, hash.array, Bytes32().array)
        }
        addBatch("ecdsa verify \(label)", size, workers) { range in
          range.reduce(0) { sum, _ in sum &+ (publicKey.isValidECDSA(ecdsa, for: hash) ? 1 : 0) }
        } floor: {
          floor_ecdsa_verify($0, floorPoint, floorSignature, hash.array)
        }
        addBatch("schnorr verify \(label)", size, workers) { range in
          range.reduce(0) { sum, _ in sum &+ (xOnly.isValidSchnorr(schnorr, for: hash) ? 1 : 0) }
        } floor: {
          floor_schnorr_verify($0, floorPoint, schnorr.array, hash.array)
        }
      }
    }
  }

  private mutating func addBatch(
    _ name: String, _ size: Int, _ workers: Workers, _ body: @escaping @Sendable (Range<Int>) -> UInt64,
    floor: @escaping (Int) -> UInt64
  ) {
    add(name, isParallel: workers != .one) { turns in
      var sum: UInt64 = 0
      for turn in 0..<turns {
        let sums = workers.map(size, smallestPiece: 8) { range in
          [body(range.lowerBound + turn * size..<range.upperBound + turn * size)]
        }
        for part in sums { sum &+= part }
      }
      return sum
    } floor: {
      floor($0 * size)
    }
  }
}
