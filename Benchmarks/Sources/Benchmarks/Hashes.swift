internal import CFloor
internal import Encoding
internal import Hashing

extension Suite {
  mutating func addHashing() {
    group = "Hashes and ciphers"
    for size in [32, 64, 1300] {
      add("sha256 of \(size) bytes") { count in
        var data = sampleBytes(size)
        var sum: UInt64 = 0
        for turn in 0..<count {
          data.put(turn: turn)
          sum &+= sha256(data.bytes).word
        }
        return sum
      } floor: { count in
        var data = sampleBytes(size)
        return floor_sha256(count, &data, size)
      }
    }

    add("sha256d of 80 bytes") { count in
      var data = sampleBytes(80)
      var sum: UInt64 = 0
      for turn in 0..<count {
        data.put(turn: turn)
        sum &+= sha256d(data.bytes).word
      }
      return sum
    } floor: { count in
      var data = sampleBytes(80)
      return floor_sha256d(count, &data, 80)
    }

    add("hash160 of 33 bytes") { count in
      var data = sampleBytes(33)
      var sum: UInt64 = 0
      for turn in 0..<count {
        data.put(turn: turn)
        sum &+= hash160(data.bytes).word
      }
      return sum
    } floor: { count in
      var data = sampleBytes(33)
      return floor_hash160(count, &data, 33)
    }

    let key = sample(1)
    let mac = HMACSHA256(key: key.bytes)
    add("hmac-sha256 of 32 bytes") { count in
      var data = sampleBytes(32)
      var sum: UInt64 = 0
      for turn in 0..<count {
        data.put(turn: turn)
        sum &+= mac.authenticate(data.bytes).word
      }
      return sum
    } floor: { count in
      var data = sampleBytes(32)
      return floor_hmac_sha256(count, key.array, &data, 32)
    }

    add("hmac-sha256 of 32 bytes, new key") { count in
      let data = sampleBytes(32)
      var key = key
      var sum: UInt64 = 0
      for turn in 0..<count {
        key.put(turn: turn)
        sum &+= HMACSHA256(key: key.bytes).authenticate(data.bytes).word
      }
      return sum
    } floor: { count in
      let data = sampleBytes(32)
      var key = key.array
      return floor_hmac_sha256_fresh_key(count, &key, data, 32)
    }

    let tag = taggedHash("BIP0340/challenge")
    let tagHash = sha256(Array("BIP0340/challenge".utf8)).array
    add("tagged hash of 96 bytes") { count in
      var data = sampleBytes(96)
      var sum: UInt64 = 0
      for turn in 0..<count {
        data.put(turn: turn)
        var state = tag
        state.update(data.bytes)
        sum &+= state.finish().word
      }
      return sum
    } floor: { count in
      var data = sampleBytes(96)
      return floor_tagged_hash(count, tagHash, &data, 96)
    }

    add("chacha20 of 1300 bytes") { count in
      var data = sampleBytes(1300)
      var nonce = FixedBytes<12>()
      var sum: UInt64 = 0
      for turn in 0..<count {
        nonce.put(turn: turn, at: 4)
        ChaCha20.apply(key: key, nonce: nonce, to: &data)
        sum &+= data.word
      }
      return sum
    } floor: { count in
      var data = sampleBytes(1300)
      var nonce = [UInt8](repeating: 0, count: 12)
      return floor_chacha20(count, &data, 1300, key.array, &nonce)
    }

    add("chacha20-poly1305 seal 1300 bytes") { count in
      let data = sampleBytes(1300)
      let none: [UInt8] = []
      var nonce = FixedBytes<12>()
      var sum: UInt64 = 0
      for turn in 0..<count {
        nonce.put(turn: turn, at: 4)
        sum &+= ChaCha20Poly1305.seal(key: key, nonce: nonce, associatedData: none.bytes, plaintext: data.bytes).word
      }
      return sum
    } floor: { count in
      var data = sampleBytes(1300)
      var nonce = [UInt8](repeating: 0, count: 12)
      return floor_chachapoly_seal(count, &data, 1300, key.array, &nonce)
    }

    let none: [UInt8] = []
    let plaintext = sampleBytes(1300)
    let sealed = ChaCha20Poly1305.seal(
      key: key, nonce: FixedBytes<12>(), associatedData: none.bytes, plaintext: plaintext.bytes)
    add("chacha20-poly1305 open 1300 bytes") { count in
      let nonce = FixedBytes<12>()
      var sum: UInt64 = 0
      for _ in 0..<count {
        let opened = ChaCha20Poly1305.open(
          key: key, nonce: nonce, associatedData: none.bytes, ciphertext: sealed.bytes)
        sum &+= opened?.word ?? 0
      }
      return sum
    } floor: {
      floor_chachapoly_open($0, sealed, sealed.count, key.array, [UInt8](repeating: 0, count: 12))
    }
  }
}
