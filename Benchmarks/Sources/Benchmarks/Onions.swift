internal import CFloor
internal import Encoding
internal import Hashing
internal import Secp256k1
internal import Sphinx

extension Suite {
  mutating func addOnions() {
    group = "Onions"
    let session = sample(40)
    let paymentHash = sample(41)
    let data = paymentHash.array
    // What a forwarding node is told: an amount, a height and a channel.
    let payload: [UInt8] = [2, 3, 0x0f, 0x42, 0x40, 4, 3, 0x0c, 0x35, 0, 6, 8, 0, 0x0a, 0xae, 0x60, 0, 3, 0x1c, 0, 1]
    let keys = (1...27).map { sampleKey(UInt8($0)).publicKey }

    for count in [1, 4, 5, 8, 20, 27] {
      // 27 hops have room for 15 bytes each.
      let payload = Array(payload.prefix(1300 / count - 33))
      let hops = keys.prefix(count).map { OnionHop(publicKey: $0, payload: payload) }
      let route = floor_route_new(keys.prefix(count).flatMap(\.array), count, payload, payload.count)
      add("onion create, \(count) hop\(count == 1 ? "" : "s")") { turns in
        var session = session
        var sum: UInt64 = 0
        for turn in 0..<turns {
          session.put(turn: turn)
          let key = try! SecretKey(session)
          let onion = try! Onion.create(sessionKey: key, hops: hops, associatedData: paymentHash.bytes)
          sum &+= onion.packet.hmac.unsafeLoadUnaligned(as: UInt64.self)
        }
        return sum
      } floor: { turns in
        floor_onion_create(turns, route, session.array, data)
      }
    }

    let hops = keys.prefix(20).map { OnionHop(publicKey: $0, payload: payload) }
    let sessionKey = try! SecretKey(session)
    let onion = try! Onion.create(sessionKey: sessionKey, hops: hops, associatedData: paymentHash.bytes)
    let nodeKey = sampleKey(1)
    add("onion peel") { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns {
        let peeled = try! Onion.peel(onion.packet, associatedData: paymentHash.bytes, nodeKey: nodeKey)
        if let next = peeled.next {
          sum &+= next.hmac.unsafeLoadUnaligned(as: UInt64.self)
          sum &+= next.publicKey.unsafeLoadUnaligned(as: UInt64.self)
        }
      }
      return sum
    } floor: { turns in
      floor_onion_peel(turns, onion.packet.bytes, sample(1).array, data)
    }

    let secrets = onion.sharedSecrets
    let secretBytes = secrets.flatMap(\.array)
    let failure = [UInt8](repeating: 9, count: 12)
    for isAttributed in [false, true] {
      let suffix = isAttributed ? ", attributed" : ""
      let holdTime: UInt32? = isAttributed ? 1 : nil
      let packet = FailurePacket(message: failure, sharedSecret: secrets[19], holdTime: holdTime)!
      // What the last hop hands to the one before it, wrapped by nobody yet.
      add("failure wrap, 20 hops" + suffix) { turns in
        var sum: UInt64 = 0
        for _ in 0..<turns {
          var packet = FailurePacket(reason: packet.reason)
          for secret in secrets.reversed() { packet.wrap(sharedSecret: secret, holdTime: holdTime) }
          sum &+= packet.reason.word &+ (packet.attribution?.bytes.word ?? 0)
        }
        return sum
      } floor: { turns in
        floor_failure_wrap(turns, secretBytes, 20, packet.reason, packet.reason.count, isAttributed ? 1 : 0)
      }

      var returned = packet
      for secret in secrets.dropLast().reversed() { returned.wrap(sharedSecret: secret, holdTime: holdTime) }
      let received = returned
      let receivedBytes = received.reason + (received.attribution?.bytes ?? [])
      // The message's length and what stands at its start, as in the packet.
      add("failure unwrap, 20 hops" + suffix) { turns in
        var sum: UInt64 = 0
        for _ in 0..<turns {
          let failure = received.unwrap(sharedSecrets: secrets)
          sum &+= UInt64(failure.origin!) &+ failure.message!.word
          for holdTime in failure.holdTimes { sum &+= UInt64(holdTime) }
        }
        return sum
      } floor: { turns in
        floor_failure_unwrap(turns, secretBytes, 20, receivedBytes, received.reason.count, isAttributed ? 1 : 0)
      }
    }
  }
}
