import Encoding
import GLC
import Hashing
import Payments
import Secp256k1
import Sphinx
import Testing

/// A scalar by name: SHA-256 of it, which is below the order of the curve for the names here.
private func scalar(_ name: String) -> Bytes32 { sha256(Array(name.utf8)) }

private let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

@Suite struct MultiHopLockTests {
  /// Computed with plain affine arithmetic in another language.
  @Test func locksAreThoseOfTheVector() throws {
    let secret = scalar("payment secret")
    let point = try SecretKey(secret).publicKey
    #expect(point.hex == "03f2abfdfa49c15a238d5d566c4fd1b5f55ebe65deea46da94b4fd48775668150c")
    let locks = try MultiHopLocks(to: point, tweaks: (0..<4).map { scalar("tweak \($0)") })
    #expect(
      locks.points.map(\.hex) == [
        "02eadf44cd646012e91de6968385eacbfbd70ac4cefde8e00b37cc756af037c243",
        "0335ab1fc43d48c4a5cf46c8879e854354dd279aefdf7584091090244c04807f97",
        "0310835459db0c3f7b76d5a0a3885091b657f33556da18ccffe25583f9cc4e27c8",
        "024c98f9202ddd8178b374e6ba102292dfe7a71ca7dcfe2c67bd9e997381b7eaf8",
      ])
    #expect(locks.payeeTweak.hex == "9b95266fffb31ad4617260e57a7159630313fcabeb4e539a0f8c5bc1d9e22b07")
    #expect(locks.payerTweak == scalar("tweak 0"))
    // From the payee back: each hop opens its left lock with what opened its right one.
    var opened = try MultiHopLocks.secret(opening: secret, tweak: locks.payeeTweak)
    let expected = [
      "4459133a2558f22defa2fe104327fece8f6c6f044d93f18aee90f3ee12e56ec3",
      "944271df5de4d7ead12513f386157eeb8445f1881c3463ec83aba3fe3e30d967",
      "8e617c932c6c364d95efec3b205857a0e315d6147ae7d168c448b9625cf8bfc5",
      "de14c2d06c2580e9535594bcc12c824707ba2f84342289a03a454ce281da4151",
    ]
    for hop in (0..<4).reversed() {
      #expect(opened.hex == expected[3 - hop])
      #expect(try SecretKey(opened).publicKey == locks.points[hop])
      opened = try MultiHopLocks.secret(before: opened, tweak: locks.tweaks[hop])
    }
    #expect(opened == secret)
  }

  @Test(arguments: 1...20)
  func everyHopMakesTheNextLockAndOpensItsOwn(hops: Int) throws {
    for round in 0..<5 {
      let secret = scalar("secret \(hops) \(round)")
      let point = try SecretKey(secret).publicKey
      let locks = try MultiHopLocks(to: point, tweaks: (0..<hops).map { scalar("\(hops) \(round) \($0)") })
      #expect(locks.points.count == hops)
      for hop in 0..<hops - 1 {
        #expect(
          try MultiHopLocks.point(after: locks.points[hop], tweak: locks.tweaks[hop + 1]) == locks.points[hop + 1])
      }
      #expect(try MultiHopLocks.paymentPoint(of: locks.points[hops - 1], tweak: locks.payeeTweak) == point)
      var opened = try MultiHopLocks.secret(opening: secret, tweak: locks.payeeTweak)
      for hop in (0..<hops).reversed() {
        #expect(try SecretKey(opened).publicKey == locks.points[hop])
        opened = try MultiHopLocks.secret(before: opened, tweak: locks.tweaks[hop])
      }
      #expect(opened == secret)
    }
  }

  @Test func whatIsNoScalarIsRefused() throws {
    let point = try SecretKey(scalar("z")).publicKey
    let tweak = scalar("y")
    for bad in [Bytes32(), try Bytes32(hex: order), try Bytes32(hex: String(repeating: "f", count: 64))] {
      #expect(throws: MultiHopLockError.invalidTweak) { try MultiHopLocks(to: point, tweaks: [bad]) }
      #expect(throws: MultiHopLockError.invalidTweak) { try MultiHopLocks(to: point, tweaks: [tweak, bad]) }
      #expect(throws: MultiHopLockError.invalidTweak) { try MultiHopLocks.point(after: point, tweak: bad) }
      #expect(throws: MultiHopLockError.invalidTweak) { try MultiHopLocks.paymentPoint(of: point, tweak: bad) }
      #expect(throws: MultiHopLockError.invalidTweak) { try MultiHopLocks.secret(before: tweak, tweak: bad) }
      #expect(throws: MultiHopLockError.invalidTweak) { try MultiHopLocks.secret(opening: tweak, tweak: bad) }
      #expect(throws: MultiHopLockError.invalidSecret) { try MultiHopLocks.secret(before: bad, tweak: tweak) }
      #expect(throws: MultiHopLockError.invalidSecret) { try MultiHopLocks.secret(opening: bad, tweak: tweak) }
    }
    #expect(throws: MultiHopLockError.noHops) { try MultiHopLocks(to: point, tweaks: []) }
  }

  @Test func whatCancelsOutIsRefused() throws {
    let secret = scalar("z")
    let point = try SecretKey(secret).publicKey
    let negated = try Bytes32(copying: SecretKey(secret).negated().bytes)
    #expect(throws: MultiHopLockError.infinity) { try MultiHopLocks.point(after: point, tweak: negated) }
    #expect(throws: MultiHopLockError.infinity) { try MultiHopLocks.paymentPoint(of: point, tweak: secret) }
    #expect(throws: MultiHopLockError.infinity) { try MultiHopLocks(to: point, tweaks: [negated]) }
    #expect(throws: MultiHopLockError.invalidSecret) { try MultiHopLocks.secret(before: secret, tweak: secret) }
    #expect(throws: MultiHopLockError.invalidSecret) { try MultiHopLocks.secret(opening: secret, tweak: negated) }
    let tweak = try SecretKey(scalar("y"))
    let opposite = try Bytes32(copying: tweak.negated().bytes)
    #expect(throws: MultiHopLockError.tweaksCancel) {
      try MultiHopLocks(to: point, tweaks: [scalar("y"), opposite])
    }
  }
}

@Suite struct PointLockTests {
  private let scheme = PointLocks(kind: pointKind)

  private func lock(_ name: String) throws -> PaymentLock {
    PaymentLock(kind: pointKind, bytes: try SecretKey(scalar(name)).publicKey.array)
  }

  private func payload(_ records: [(UInt64, [UInt8])]) -> HopPayload {
    var payload = HopPayload()
    payload.unknown = records.map { TLVRecord(type: $0.0, value: $0.1) }
    return payload
  }

  @Test func aHopIsToldOneTweakAndThePayeeTheirSum() throws {
    let target = try #require(scheme.target(of: scalar("z")))
    var drawn = 0
    let locks = try scheme.locks(to: target, hops: 3) {
      drawn += 1
      return scalar("y \(drawn)")
    }
    #expect(drawn == 3)
    #expect(Set(locks.locks).count == 3)
    #expect(locks.records.map { $0.map(\.type) } == [[4_440_010], [4_440_010], [4_440_012]])
    var lock = locks.locks[0]
    var secrets: [[UInt8]] = []
    for hop in 0..<2 {
      let next = try scheme.next(after: lock, payload(locks.records[hop].map { ($0.type, $0.value) }))
      lock = next.lock
      secrets.append(next.secret)
      #expect(lock == locks.locks[hop + 1])
    }
    let received = try scheme.target(of: lock, payload(locks.records[2].map { ($0.type, $0.value) }))
    #expect(received.target == target)
    var witness = try #require(scheme.witness(of: scalar("z"), secret: received.secret))
    for secret in secrets.reversed() { witness = try #require(scheme.witness(from: witness, secret: secret)) }
    #expect(scheme.proof(of: witness, secret: locks.secret) == scalar("z"))
    #expect(scheme.identity(of: target) == sha256(try SecretKey(scalar("z")).publicKey.compressed.bytes))
  }

  @Test func aPayloadThatDoesNotSayIsRefusedByItsRecord() throws {
    let lock = try lock("left")
    let tweak = scalar("y").array
    let hop = PointLocks.hopTweakType
    let payee = PointLocks.payeeTweakType
    func fault<T>(_ body: () throws -> T) -> InvalidPayload? {
      do {
        _ = try body()
        return nil
      } catch { return error as? InvalidPayload }
    }
    #expect(
      fault { try scheme.next(after: lock, payload([])) } == InvalidPayload(type: hop, offset: 0, reason: .missing))
    #expect(
      fault { try scheme.target(of: lock, payload([])) } == InvalidPayload(type: payee, offset: 0, reason: .missing))
    // A record for the other role stands behind the first one of the two.
    let both = payload([(hop, tweak), (payee, tweak)])
    #expect(
      fault { try scheme.next(after: lock, both) } == InvalidPayload(type: payee, offset: 38, reason: .notAllowed))
    #expect(fault { try scheme.target(of: lock, both) } == InvalidPayload(type: hop, offset: 0, reason: .notAllowed))
    for length in [0, 31, 33] {
      let short = [UInt8](repeating: 1, count: length)
      #expect(fault { try scheme.next(after: lock, payload([(hop, short)])) }?.type == hop)
      #expect(fault { try scheme.target(of: lock, payload([(payee, short)])) }?.type == payee)
    }
    let negated = try Bytes32(copying: SecretKey(scalar("left")).negated().bytes)
    for bad in [Bytes32(), try Bytes32(hex: order), negated] {
      #expect(fault { try scheme.next(after: lock, payload([(hop, bad.array)])) }?.reason == .notAllowed)
    }
    for bad in [Bytes32(), try Bytes32(hex: order), scalar("left")] {
      #expect(fault { try scheme.target(of: lock, payload([(payee, bad.array)])) }?.reason == .notAllowed)
    }
    #expect(
      fault { try scheme.next(after: PaymentLock(kind: pointKind, bytes: [2, 3]), payload([(hop, tweak)])) }?.reason
        == .notAllowed)
  }

  @Test func locksOfOneKindAreNoneOfTheOther() throws {
    let hashes = HashLocks(kind: hashKind)
    let hash = try #require(hashes.target(of: scalar("z")))
    let point = try #require(scheme.target(of: scalar("z")))
    #expect(hashes.identity(of: point) == nil)
    #expect(scheme.identity(of: hash) == nil)
    #expect(scheme.target(paymentHash: scalar("h")) == nil)
    #expect(hashes.witness(from: PaymentWitness(kind: pointKind, bytes: scalar("t").array), secret: []) == nil)
    #expect(
      scheme.witness(from: PaymentWitness(kind: hashKind, bytes: scalar("t").array), secret: scalar("y").array) == nil)
    #expect(hashes.proof(of: PaymentWitness(kind: pointKind, bytes: scalar("t").array), secret: []) == nil)
    #expect(scheme.target(of: Bytes32()) == nil)
    #expect(throws: MultiHopLockError.infinity) { try scheme.locks(to: hash, hops: 2) { scalar("y") } }
  }
}
