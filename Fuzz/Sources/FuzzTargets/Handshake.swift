internal import Encoding
internal import Noise
internal import Secp256k1

extension FuzzTarget {
  /// BOLT 8. The first byte: 0, 1 and 2 take the rest for act one, two and three; 3, 4 and 5 damage the genuine act at a place that
  /// two bytes name; 6 cuts the rest into messages that go over a transport, and damages one.
  static let noise = FuzzTarget(
    "noise",
    seeds: {
      var seeds: [[UInt8]] = (0...2).map { [$0] }
      seeds += (0...2).map { [$0] + [UInt8](repeating: 0, count: 50) }
      seeds += [
        [3, 0, 0, 0], [3, 0, 5, 9], [4, 0, 0, 0], [4, 0, 40, 1], [5, 0, 3, 1], [5, 0, 60, 8], [5, 0, 0, 0],
      ]
      seeds += [[6, 0, 0, 0, 3, 1, 2, 3], [6, 1, 0, 40, 0, 0, 0, 1, 7], [6, 0, 0, 0, 0]]
      if let acts = Acts() {
        seeds += [[0] + acts.one, [1] + acts.two, [2] + acts.three]
      }
      return seeds
    },
    run: { input throws(Violation) in
      guard input.byteCount > 0, input.byteCount <= 4096, let acts = Acts(), let one = Sample.secretKey(1),
        let two = Sample.secretKey(2), let three = Sample.secretKey(3), let four = Sample.secretKey(4)
      else { return .refused }
      var reader = InputReader(input)
      let mode = reader.byte() % 7
      if mode == 6 { return try checkTransport(&reader) }
      let genuine = [acts.one, acts.two, acts.three][Int(mode % 3)]
      var act = mode < 3 ? reader.rest() : genuine
      if mode >= 3 {
        let place = reader.number() % act.count
        act[place] ^= reader.byte()
      }
      let number = mode % 3 + 1
      let isGenuine = act == genuine
      var refusal: HandshakeError?
      do throws(HandshakeError) {
        switch number {
        case 1: _ = try ResponderHandshake(actOne: act, localStatic: two, ephemeral: four)
        case 2:
          let initiator = InitiatorHandshake(remoteStatic: two.publicKey, ephemeral: three)
          _ = try initiator.receive(actTwo: act, localStatic: one)
        default:
          let responder = try ResponderHandshake(actOne: acts.one, localStatic: two, ephemeral: four)
          let session = try responder.receive(actThree: act)
          if session.remoteStatic != one.publicKey {
            throw HandshakeError(act: .three, reason: .badCiphertext)
          }
        }
      } catch {
        refusal = error
      }
      try law((refusal == nil) == isGenuine, "only the genuine act \(number) is taken")
      if let refusal {
        try law(refusal.act.rawValue == Int(number), "act \(number) is at fault, not \(refusal)")
        let isWrongLength = act.count != refusal.act.byteCount
        try law((refusal.reason == .wrongLength(act.count)) == isWrongLength, "a length is judged first: \(refusal)")
      }
      return isGenuine ? .accepted : .refused
    })

  /// One handshake between the keys 1 and 2, with 3 and 4 as ephemeral ones.
  private struct Acts {
    let one: [UInt8]
    let two: [UInt8]
    let three: [UInt8]

    init?() {
      guard let initiatorKey = Sample.secretKey(1), let responderKey = Sample.secretKey(2),
        let first = Sample.secretKey(3), let second = Sample.secretKey(4)
      else { return nil }
      let initiator = InitiatorHandshake(remoteStatic: responderKey.publicKey, ephemeral: first)
      one = initiator.actOne
      do throws(HandshakeError) {
        let responder = try ResponderHandshake(
          actOne: initiator.actOne, localStatic: responderKey, ephemeral: second)
        two = responder.actTwo
        three = try initiator.receive(actTwo: responder.actTwo, localStatic: initiatorKey).actThree
      } catch {
        return nil
      }
    }
  }

  private static func checkTransport(_ reader: inout InputReader) throws(Violation) -> Outcome {
    let nonce = UInt64(reader.number())
    guard var encryptor = Encryptor(key: Sample.hash(1), chainingKey: Sample.hash(2), nonce: nonce),
      var decryptor = Decryptor(key: Sample.hash(1), chainingKey: Sample.hash(2), nonce: nonce)
    else {
      try law(nonce >= 1000, "a key has 1,000 uses")
      return .refused
    }
    try law(nonce < 1000, "a key has no more than 1,000 uses")
    let damage = reader.byte()
    for _ in 0..<8 {
      let isDamaged = reader.remaining == 0
      let message = reader.take(Int(reader.byte()) << 4 | Int(reader.byte() & 15))
      guard var sent = try? encryptor.encrypt(message) else {
        throw Violation(description: "\(message.count) bytes can be sent")
      }
      try law(sent.count == message.count + 34, "a message grows by 34 bytes")
      if isDamaged { sent[Int(damage) % sent.count] ^= 1 }
      let header = Array(sent.prefix(decryptor.neededByteCount))
      let body = Array(sent.dropFirst(header.count))
      let length = try? decryptor.decryptLength(header)
      let received = length == nil ? nil : try? decryptor.decryptMessage(body)
      if isDamaged {
        try law(received == nil, "a damaged message is refused")
        try law(decryptor.neededByteCount == 0, "and nothing is read after it")
        try law((try? decryptor.decryptLength(header)) == nil, "whatever comes")
        return .accepted
      }
      try law(length == body.count, "the length is that of what follows")
      try law(received == message, "a message arrives as it was sent")
    }
    return .accepted
  }
}
