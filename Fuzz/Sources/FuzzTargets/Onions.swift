internal import Encoding
internal import Hashing
internal import Secp256k1
internal import Sphinx

extension FuzzTarget {
  /// Onions. The first byte: 0 a packet as it came; 1 the hop payloads of a packet whose HMAC is right, as the node decrypts them;
  /// 2 payloads for a route, of which an onion is made, peeled to its end, and damaged.
  static let onion = FuzzTarget(
    "onion",
    seeds: {
      var seeds: [[UInt8]] = [[0], [0, 0] + [UInt8](repeating: 2, count: 97), [1], [2]]
      guard let key = Sample.secretKey(1) else { return seeds }
      guard let node = Sample.publicKey(2) else { return seeds }
      let hop = OnionHop(publicKey: node, payload: [2, 1, 9, 4, 1, 8])
      if let onion = try? Onion.create(sessionKey: key, hops: [hop, hop], payloadsByteCount: 100) {
        seeds.append([0] + onion.packet.bytes)
      }
      for head: [UInt8] in [[2, 2, 0], [0], [1, 5], [0xfd, 0, 0xfd], [0xfd, 1, 0], [0xfe, 0, 1, 0, 0], [0xff]] {
        seeds.append([1] + head + [UInt8](repeating: 3, count: 400))
        seeds.append([1] + head + [UInt8](repeating: 0, count: 300))
      }
      seeds.append([2, 0, 3, 1, 0, 20, 1, 0x2c, 5, 5, 5])
      seeds.append([2, 5, 1, 4, 0, 2, 0, 0xfc, 0, 0xfd, 0, 40, 9, 9, 9, 9])
      return seeds
    },
    run: { input throws(Violation) in
      guard input.byteCount > 0, input.byteCount <= 4096, let key = Sample.secretKey(1) else { return .refused }
      var reader = InputReader(input)
      switch reader.byte() % 3 {
      case 0:
        guard let packet = try? OnionPacket(reader.rest()) else { return .refused }
        try law(peel(packet, key, []) == nil, "nobody makes an onion by chance: \(packet)")
        return .refused
      case 1: return try checkPayloads(reader.rest(), key)
      default: return try checkRoute(&reader)
      }
    })

  private static func peel(
    _ packet: OnionPacket, _ key: borrowing SecretKey, _ associatedData: [UInt8]
  ) -> PeeledOnion? {
    try? Onion.peel(packet, associatedData: associatedData, nodeKey: key)
  }

  /// `plain` are hop payloads under the node's stream, with a right HMAC: what a malicious sender can send.
  private static func checkPayloads(_ plain: [UInt8], _ key: borrowing SecretKey) throws(Violation) -> Outcome {
    guard let ephemeral = Sample.secretKey(9) else { return .refused }
    let secret = key.sharedSecret(with: ephemeral.publicKey)
    let rho = HMACSHA256(key: Array("rho".utf8)).authenticate(secret.bytes)
    let mu = HMACSHA256(key: Array("mu".utf8)).authenticate(secret.bytes)
    var payloads = plain
    ChaCha20.apply(key: rho, nonce: FixedBytes(), to: &payloads)
    let hmac = HMACSHA256(key: mu.bytes).authenticate(payloads.bytes)
    guard let packet = try? OnionPacket([0] + ephemeral.publicKey.array + payloads + hmac.array) else {
      throw Violation(description: "a packet of its parts")
    }
    // BOLT 4 by the letter, over the plaintext: a length, the payload, an HMAC, and as many bytes behind it as before.
    var reader = ByteReader(plain.bytes)
    let length = try? reader.readBigSize()
    let payload: [UInt8]? = length.flatMap { length in
      guard length >= 2, UInt64(reader.remaining) >= length, reader.remaining - Int(length) >= 32 else { return nil }
      return plain[reader.offset..<reader.offset + Int(length)].map { $0 }
    }
    let peeled = peel(packet, key, [])
    try law(peeled?.payload == payload, "the payload is what its length says: \(Hex.encode(plain))")
    guard let peeled, let payload else { return .refused }
    let end = reader.offset + payload.count
    let nextHMAC = plain[end..<end + 32]
    try law(peeled.isFinal == nextHMAC.allSatisfy { $0 == 0 }, "an HMAC of zeros ends the route")
    if let next = peeled.next {
      try law(next.bytes.count == packet.bytes.count, "an onion keeps its size")
      try law(next.hmac.elementsEqual(Array(nextHMAC).bytes), "the next HMAC is passed on")
    }
    return .accepted
  }

  private static func checkRoute(_ reader: inout InputReader) throws(Violation) -> Outcome {
    let hopCount = Int(reader.byte() % 6) + 1
    let size = Int(reader.byte()) * 8
    let damage = reader.number()
    var hops: [OnionHop] = []
    for number in 1...UInt8(hopCount) {
      guard let key = Sample.publicKey(number) else { return .refused }
      let length = reader.number() % 700
      let bytes = reader.take(min(length, 4))
      hops.append(
        OnionHop(publicKey: key, payload: bytes + [UInt8](repeating: number, count: max(0, length - bytes.count))))
    }
    let needed = hops.reduce(0) { $0 + $1.byteCount }
    guard let session = Sample.secretKey(77) else { return .refused }
    let associatedData = reader.take(32)
    let made = try? Onion.create(
      sessionKey: session, hops: hops, associatedData: associatedData.bytes, payloadsByteCount: size)
    try law((made != nil) == (needed <= size && hops.allSatisfy { $0.payload.count >= 2 }), "made when there is room")
    guard let made else { return .refused }
    try law(made.packet.bytes.count == size + OnionPacket.overhead, "an onion has the size asked for")
    var packet = made.packet
    for (index, hop) in hops.enumerated() {
      guard let key = Sample.secretKey(UInt8(index + 1)) else { return .refused }
      var damaged = packet.bytes
      damaged[damage % damaged.count] ^= UInt8(truncatingIfNeeded: damage / damaged.count) | 1
      if let damaged = try? OnionPacket(damaged) {
        try law(peel(damaged, key, associatedData) == nil, "a damaged onion is refused")
      }
      try law(peel(packet, key, associatedData + [1]) == nil, "other data is not associated with it")
      guard let peeled = peel(packet, key, associatedData) else {
        throw Violation(description: "hop \(index) peels its layer")
      }
      try law(peeled.payload == hop.payload, "hop \(index) reads its payload")
      try law(peeled.sharedSecret == made.sharedSecrets[index], "hop \(index) has its secret")
      try law(peeled.isFinal == (index == hops.count - 1), "only the last hop is final")
      if let next = peeled.next { packet = next }
    }
    return .accepted
  }

  private static var secrets: [SharedSecret] { (1...5).map { SharedSecret(Sample.hash($0)) } }

  /// Failures on their way back. The first byte: 0 a packet as it came; 1 a packet whose HMAC of the third hop is right; 2 a message,
  /// wrapped by each hop.
  static let failurePacket = FuzzTarget(
    "failurepacket",
    seeds: {
      [
        [0], [0] + [UInt8](repeating: 1, count: 292), [0] + [UInt8](repeating: 1, count: 31), [1],
        [1, 0, 2, 0x20, 0x02, 0, 1, 9], [1, 0xff, 0xff], [1, 0, 1, 1, 0xff, 0xff],
        [2, 0, 0x20, 0x02], [2, 4, 0x40, 0x0f] + [UInt8](repeating: 1, count: 12), [2, 0x92] + [1, 2, 3],
      ]
    },
    run: { input throws(Violation) in
      guard input.byteCount > 0, input.byteCount <= 4096 else { return .refused }
      var reader = InputReader(input)
      let mode = reader.byte() % 3
      switch mode {
      case 0:
        let received = FailurePacket(reason: reader.rest()).unwrap(sharedSecrets: secrets)
        try law(received.origin == nil && received.message == nil, "nobody makes an HMAC by chance")
        return .refused
      case 1:
        let content = reader.rest()
        let um = HMACSHA256(key: Array("um".utf8)).authenticate(secrets[2].bytes)
        var reason = HMACSHA256(key: um.bytes).authenticate(content.bytes).array + content
        for secret in secrets[0...2].reversed() {
          let ammag = HMACSHA256(key: Array("ammag".utf8)).authenticate(secret.bytes)
          ChaCha20.apply(key: ammag, nonce: FixedBytes(), to: &reason)
        }
        let received = FailurePacket(reason: reason).unwrap(sharedSecrets: secrets)
        try law(received.origin == 2, "the third hop made it, not \(String(describing: received.origin))")
        guard let message = received.message else { return .refused }
        try law(content.count >= message.count + 4, "a message lies within its packet")
        try law(content[2..<2 + message.count] == message[...], "a message is what its length says")
        return .accepted
      default:
        let choice = reader.byte()
        let origin = Int(choice % 5)
        let holdTime: UInt32? = choice & 0x80 != 0 ? UInt32(choice) : nil
        let message = reader.rest()
        guard var packet = FailurePacket(message: message, sharedSecret: secrets[origin], holdTime: holdTime) else {
          throw Violation(description: "a message of \(message.count) bytes has a packet")
        }
        try law(packet.reason.count >= 292, "short messages are padded")
        for secret in secrets[..<origin].reversed() { packet.wrap(sharedSecret: secret, holdTime: holdTime) }
        let received = packet.unwrap(sharedSecrets: secrets)
        try law(received.origin == origin && received.message == message, "the sender learns who and what")
        let proven = holdTime.map { [UInt32](repeating: $0, count: origin + 1) } ?? []
        try law(Array(received.holdTimes.prefix(origin + 1)) == proven, "hold times are proven")
        var damaged = packet.reason
        damaged[Int(choice) % damaged.count] ^= 1
        let refused = FailurePacket(reason: damaged, attribution: packet.attribution).unwrap(sharedSecrets: secrets)
        try law(refused.origin == nil, "a damaged failure has no origin")
        try law((refused.blamedHop != nil) == (holdTime != nil), "attribution data says whom to blame")
        return .accepted
      }
    })

  /// Attribution data of a fulfilment: raw, or hold times for each hop and a place to damage.
  static let attribution = FuzzTarget(
    "attribution",
    seeds: {
      [
        [0], [0] + [UInt8](repeating: 0, count: 920), [0] + [UInt8](repeating: 1, count: 919), [1, 1, 2, 3, 4, 5],
        [1, 0xff, 0xff, 0, 0, 9, 0, 3, 1],
      ]
    },
    run: { input throws(Violation) in
      guard input.byteCount > 0 else { return .refused }
      var reader = InputReader(input)
      if reader.byte() & 1 == 0 {
        let bytes = reader.rest()
        let attribution = try? Attribution(bytes)
        try law((attribution != nil) == (bytes.count == Attribution.byteCount), "it has one size")
        guard let attribution else { return .refused }
        try law(attribution.bytes == bytes, "attribution data is kept as it is")
        _ = Attribution.relayFulfilled(attribution, sharedSecret: secrets[0], holdTime: 1)
        _ = attribution.fulfilledHoldTimes(sharedSecrets: secrets)
        return .accepted
      }
      let damage = reader.number()
      let count = Int(reader.byte() % 24) + 1
      let all = (1...UInt8(count)).map { SharedSecret(Sample.hash($0)) }
      let holdTimes = all.map { _ in UInt32(reader.number()) << UInt32(reader.byte() % 17) }
      var attribution = Attribution.fulfilled(sharedSecret: all[count - 1], holdTime: holdTimes[count - 1])
      for index in (0..<count - 1).reversed() {
        attribution = .relayFulfilled(attribution, sharedSecret: all[index], holdTime: holdTimes[index])
      }
      let room = min(count, Attribution.maximumHopCount)
      let proven = attribution.fulfilledHoldTimes(sharedSecrets: all)
      try law(count > room || proven == holdTimes, "hold times are proven: \(proven), not \(holdTimes)")
      var damaged = attribution.bytes
      damaged[damage % damaged.count] ^= 0x40
      guard let broken = try? Attribution(damaged) else { throw Violation(description: "its size did not change") }
      let rest = broken.fulfilledHoldTimes(sharedSecrets: all)
      try law(count > room || rest[...] == holdTimes.prefix(rest.count), "a wrong hold time is not proven")
      return .accepted
    })
}
