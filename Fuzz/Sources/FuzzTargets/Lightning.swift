internal import Encoding
internal import Sphinx
internal import Wire

extension FuzzTarget {
  /// Messages of BOLT 1, 2, 4 and 7.
  static let message = FuzzTarget(
    "message",
    seeds: {
      MessageType.all.flatMap { type -> [[UInt8]] in
        let head = [UInt8(type.type >> 8), UInt8(type.type & 0xff)]
        return [head, head + [UInt8](repeating: 2, count: 600), head + [UInt8](repeating: 0, count: 200)]
      } + [[0xff, 0xff, 1, 2, 3]]
    },
    run: { input throws(Violation) in
      guard let message = try? Message(decoding: input) else { return .refused }
      guard let encoded = try? message.encoded() else { throw Violation(description: "what was read can be written") }
      try law(encoded.bytes.elementsEqual(input), "a message is written as it was read: \(Hex.encode(encoded))")
      guard let again = try? Message(decoding: encoded) else { throw Violation(description: "own encoding is read") }
      try law(again == message, "a message is read as it is written")
      let named = message.named
      try law((try? Message(named: named)) == message, "a message's named form is the same message: \(named)")
      return .accepted
    })

  /// What comes back to a sender: failure messages and attribution data.
  static let failure = FuzzTarget(
    "failure",
    seeds: {
      [
        [], [0x00, 0x01], [0x10, 0x07, 0x00, 0x02, 1, 1], [0x40, 0x0f] + [UInt8](repeating: 1, count: 12),
        [0x20, 0x02],
      ]
        + [[UInt8](repeating: 5, count: Attribution.byteCount)]
    },
    run: { input throws(Violation) in
      if let attribution = try? Attribution(decoding: input) {
        try law(attribution.bytes.bytes.elementsEqual(input), "attribution data is kept as it is")
      }
      guard let failure = try? FailureMessage(decoding: input) else { return .refused }
      let encoded = failure.encoded
      try law(encoded.bytes.elementsEqual(input), "a failure is written as it was read: \(Hex.encode(encoded))")
      return .accepted
    })

  /// What onions carry: the first byte says what it is.
  static let payload = FuzzTarget(
    "payload",
    seeds: {
      let point = Sample.publicKey(1)?.array ?? []
      let path = point + point + [1] + point + [0, 3, 1, 2, 3]
      let hop: [UInt8] = [2, 2, 1, 0, 4, 1, 9, 6, 8, 0, 0, 1, 0, 0, 2, 0, 3]
      return [
        [0] + hop, [0, 8, 33] + [UInt8](repeating: 5, count: 33), [0, 10, 2, 1, 1, 12, 33] + point, [0, 253, 1, 1, 0],
        [1, 4, 33] + point,
        [1, 1, 2, 0, 0, 2, 8] + [UInt8](repeating: 1, count: 8) + [10, 8, 0, 6, 0, 0, 0, 1, 3, 232],
        [1, 12, 5, 0, 0, 1, 0, 1], [2] + path,
        [2, 0] + [UInt8](repeating: 0, count: 8) + point + [1] + point + [0, 0],
        [3, 2, UInt8(path.count)] + path, [3, 4, 1, 0, 64, 1, 5],
      ]
    },
    run: { input throws(Violation) in
      guard input.byteCount > 0 else { return .refused }
      let rest = input.extracting(last: input.byteCount - 1)
      let encoded: [UInt8]?
      switch input[0] & 3 {
      case 0:
        guard let payload = try? HopPayload(decoding: rest) else { return .refused }
        encoded = payload.encoded
      case 1:
        guard let data = try? RecipientData(decoding: rest) else { return .refused }
        encoded = data.encoded
      case 2:
        guard let path = try? BlindedPath(decoding: rest) else { return .refused }
        encoded = path.encoded
      default:
        guard let payload = try? OnionMessagePayload(decoding: rest) else { return .refused }
        encoded = payload.encoded
      }
      guard let encoded else { throw Violation(description: "what was read can be written") }
      try law(encoded.bytes.elementsEqual(rest), "every record has one form: \(Hex.encode(encoded))")
      return .accepted
    })
}
