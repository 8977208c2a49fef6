internal import CFloor
internal import Encoding
internal import Noise

extension Suite {
  /// Messages of 1,450 bytes, about those of `update_add_htlc`. The change of keys every 500 messages is in ours alone.
  mutating func addTransport() {
    group = "Transport"
    let key = sample(50)
    let chainingKey = sample(51)
    let message = sampleBytes(1450)
    add("noise encrypt 1450 bytes") { turns in
      var encryptor = Encryptor(key: key, chainingKey: chainingKey)!
      var output: [UInt8] = []
      output.reserveCapacity(message.count + 34)
      var sum: UInt64 = 0
      for _ in 0..<turns {
        output.removeAll(keepingCapacity: true)
        try! encryptor.encrypt(message.bytes, appendingTo: &output)
        sum &+= output.word &+ output.bytes.unsafeLoadUnaligned(fromByteOffset: 18 + 1450, as: UInt64.self)
      }
      return sum
    } floor: { turns in
      floor_noise_encrypt(turns, key.array, message, message.count)
    }

    let sealed = SealedMessages(key: key, chainingKey: chainingKey, message: message)
    add("noise decrypt 1450 bytes") { turns in
      var decryptor = Decryptor(key: key, chainingKey: chainingKey)!
      let all = sealed.bytes
      let bytes = all.bytes
      var sum: UInt64 = 0
      for turn in 0..<turns {
        let start = turn * sealed.stride
        let length = try! decryptor.decryptLength(bytes.extracting(start..<start + 18))
        sum &+= try! decryptor.decryptMessage(bytes.extracting(start + 18..<start + 18 + length)).word
      }
      return sum
    } floor: { turns in
      floor_noise_decrypt(turns, key.array, sealed.bytes, message.count)
    } prepare: {
      sealed.fill($0)
    }
  }
}

/// Messages one after the other, under the nonces from 0 on.
private final class SealedMessages {
  private(set) var bytes: [UInt8] = []
  let stride: Int
  private let key: Bytes32
  private let chainingKey: Bytes32
  private let message: [UInt8]

  init(key: Bytes32, chainingKey: Bytes32, message: [UInt8]) {
    self.key = key
    self.chainingKey = chainingKey
    self.message = message
    stride = message.count + 34
  }

  func fill(_ count: Int) {
    // The floor does not change keys.
    precondition(count <= 500, "more messages than a key has")
    guard bytes.count < count * stride else { return }
    bytes = []
    bytes.reserveCapacity(count * stride)
    var encryptor = Encryptor(key: key, chainingKey: chainingKey)!
    let message = message
    for _ in 0..<count { try! encryptor.encrypt(message.bytes, appendingTo: &bytes) }
  }
}
