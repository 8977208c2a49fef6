import Encoding
import Foundation
import Noise
import Secp256k1
import Testing
import VectorSupport

struct HandshakeTests {
  private let spec = "../spec/bolts/08-transport.md"

  @Test(.vectors("../spec/bolts/08-transport.md"))
  func everyHandshakePrintedInBOLT8() throws {
    let text = String(decoding: try Vectors.data(spec), as: UTF8.self)
    let cases = try HandshakeCase.cases(inText: text)
    #expect(cases.count == 15, "5 of the initiator, 10 of the responder")
    for one in cases {
      #expect(try one.run() == one.outputs, "\(one.name)")
    }
    Vectors.report("BOLT 8 appendix A, handshakes", cases: cases.count)
  }

  @Test func initiatorCompletesTheHandshake() throws {
    var one = HandshakeCase()
    one.remoteStatic = try Hex.decode(Appendix.responderStatic)
    one.localStatic = Alice.localStatic
    one.ephemeral = Alice.ephemeral
    one.inputs = [try Hex.decode(Appendix.actTwo)]
    #expect(
      try one.run() == [
        .bytes(try Hex.decode(Appendix.actOne)), .bytes(try Hex.decode(Appendix.actThree)),
        .keys(
          sending: try Hex.decode(Appendix.initiatorSends), receiving: try Hex.decode(Appendix.responderSends)),
      ])
  }

  @Test func responderCompletesTheHandshakeAndLearnsTheInitiatorsKey() throws {
    var one = HandshakeCase()
    one.localStatic = Bob.localStatic
    one.ephemeral = Bob.ephemeral
    one.inputs = [try Hex.decode(Appendix.actOne), try Hex.decode(Appendix.actThree)]
    #expect(
      try one.run() == [
        .bytes(try Hex.decode(Appendix.actTwo)),
        .keys(
          sending: try Hex.decode(Appendix.responderSends), receiving: try Hex.decode(Appendix.initiatorSends)),
      ])

    let handshake = try ResponderHandshake(
      actOne: one.inputs[0], localStatic: try SecretKey(Bytes32(Bob.localStatic)),
      ephemeral: try SecretKey(Bytes32(Bob.ephemeral)))
    let session = try handshake.receive(actThree: one.inputs[1])
    let remoteStatic = session.remoteStatic
    let chainingKey = session.transport.encryptor.chainingKey.array
    let rest = session.actThree
    #expect(remoteStatic.hex == Appendix.initiatorStatic)
    #expect(Hex.encode(chainingKey) == Appendix.chainingKey)
    #expect(rest.isEmpty)
  }

  @Test func initiatorRefusesEveryBadActTwo() throws {
    let good = try Hex.decode(Appendix.actTwo)
    try expectInitiator(refuses: Array(good.dropLast()), with: "ACT2_READ_FAILED")
    try expectInitiator(refuses: good + [0], with: "ACT2_READ_FAILED")
    try expectInitiator(refuses: [], with: "ACT2_READ_FAILED")
    try expectInitiator(refuses: try Appendix.bytes(Appendix.actTwo, first: 1), with: "ACT2_BAD_VERSION")
    try expectInitiator(refuses: try Appendix.bytes(Appendix.actTwo, key: 4), with: "ACT2_BAD_PUBKEY")
    try expectInitiator(refuses: try Appendix.bytes(Appendix.actTwo, last: 0xaf), with: "ACT2_BAD_TAG")
  }

  @Test func responderRefusesEveryBadActOne() throws {
    let good = try Hex.decode(Appendix.actOne)
    try expectResponder(refuses: [Array(good.dropLast())], with: "ACT1_READ_FAILED")
    try expectResponder(refuses: [good + [0]], with: "ACT1_READ_FAILED")
    try expectResponder(refuses: [[]], with: "ACT1_READ_FAILED")
    try expectResponder(refuses: [try Appendix.bytes(Appendix.actOne, first: 1)], with: "ACT1_BAD_VERSION")
    try expectResponder(refuses: [try Appendix.bytes(Appendix.actOne, key: 4)], with: "ACT1_BAD_PUBKEY")
    try expectResponder(refuses: [try Appendix.bytes(Appendix.actOne, last: 0x6b)], with: "ACT1_BAD_TAG")
  }

  @Test func responderRefusesEveryBadActThree() throws {
    let one = try Hex.decode(Appendix.actOne)
    let good = try Hex.decode(Appendix.actThree)
    try expectResponder(refuses: [one, Array(good.dropLast())], with: "ACT3_READ_FAILED")
    try expectResponder(refuses: [one, good + [0]], with: "ACT3_READ_FAILED")
    try expectResponder(refuses: [one, []], with: "ACT3_READ_FAILED")
    try expectResponder(refuses: [one, try Appendix.bytes(Appendix.actThree, first: 1)], with: "ACT3_BAD_VERSION")
    try expectResponder(
      refuses: [one, try Appendix.bytes(Appendix.actThree, key: 0xc9)], with: "ACT3_BAD_CIPHERTEXT")
    try expectResponder(refuses: [one, try Hex.decode(Appendix.actThreeWithBadKey)], with: "ACT3_BAD_PUBKEY")
    try expectResponder(refuses: [one, try Appendix.bytes(Appendix.actThree, last: 0xbb)], with: "ACT3_BAD_TAG")
  }

  @Test func anyChangedBitOfAnyActIsRefused() throws {
    let acts = [try Hex.decode(Appendix.actOne), try Hex.decode(Appendix.actThree)]
    for act in 0..<2 {
      for bit in 0..<(acts[act].count * 8) {
        var changed = acts
        changed[act][bit / 8] ^= 1 << UInt8(bit % 8)
        var one = HandshakeCase()
        one.localStatic = Bob.localStatic
        one.ephemeral = Bob.ephemeral
        one.inputs = changed
        guard case .failure(let name)? = try one.run().last else {
          Issue.record("act \(act * 2 + 1) with bit \(bit) flipped was accepted")
          continue
        }
        #expect(name.hasPrefix("ACT\(act * 2 + 1)"))
      }
    }
    let two = try Hex.decode(Appendix.actTwo)
    for bit in 0..<(two.count * 8) {
      var changed = two
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      var one = HandshakeCase()
      one.remoteStatic = try Hex.decode(Appendix.responderStatic)
      one.localStatic = Alice.localStatic
      one.ephemeral = Alice.ephemeral
      one.inputs = [changed]
      guard case .failure? = try one.run().last else {
        Issue.record("act 2 with bit \(bit) flipped was accepted")
        continue
      }
    }
  }

  @Test func strangersWithRandomKeysMeet() throws {
    for _ in 0..<10 {
      let alice = SecretKey.random()
      let bob = SecretKey.random()
      let initiator = InitiatorHandshake(remoteStatic: bob.publicKey)
      let responder = try ResponderHandshake(actOne: initiator.actOne, localStatic: bob)
      let answer = responder.actTwo
      var atAlice = try initiator.receive(actTwo: answer, localStatic: alice)
      var atBob = try responder.receive(actThree: atAlice.actThree)
      let seen = [atBob.remoteStatic, atAlice.remoteStatic]
      #expect(seen == [alice.publicKey, bob.publicKey])
      let there = try atAlice.transport.encryptor.encrypt([1, 2, 3])
      let arrivedThere = try decrypt(there, &atBob.transport.decryptor)
      #expect(arrivedThere == [1, 2, 3])
      let back = try atBob.transport.encryptor.encrypt([4])
      let arrivedBack = try decrypt(back, &atAlice.transport.decryptor)
      #expect(arrivedBack == [4])
    }
  }

  private func expectInitiator(refuses act: [UInt8], with name: String) throws {
    var one = HandshakeCase()
    one.remoteStatic = try Hex.decode(Appendix.responderStatic)
    one.localStatic = Alice.localStatic
    one.ephemeral = Alice.ephemeral
    one.inputs = [act]
    #expect(try one.run().last == .failure(name))
  }

  private func expectResponder(refuses acts: [[UInt8]], with name: String) throws {
    var one = HandshakeCase()
    one.localStatic = Bob.localStatic
    one.ephemeral = Bob.ephemeral
    one.inputs = acts
    #expect(try one.run().last == .failure(name))
  }
}

/// One whole message, header and body.
func decrypt(_ bytes: [UInt8], _ decryptor: inout Decryptor) throws -> [UInt8] {
  let byteCount = try decryptor.decryptLength(Array(bytes.prefix(18)))
  let needed = decryptor.neededByteCount
  #expect(byteCount == bytes.count - 18)
  #expect(needed == byteCount)
  return try decryptor.decryptMessage(Array(bytes.dropFirst(18)))
}
