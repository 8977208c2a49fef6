internal import CFloor
internal import Encoding
internal import Secp256k1

extension Suite {
  mutating func addSigning() {
    group = "Signatures"
    let key = sampleKey(1).bytes.array
    let publicKey = sampleKey(1).publicKey
    let hash = sample(2)
    let auxRand = sample(3)

    for grindLowR in [false, true] {
      let secret = sampleKey(1)
      add(grindLowR ? "ecdsa sign, low r" : "ecdsa sign") { count in
        var message = hash
        var sum: UInt64 = 0
        for turn in 0..<count {
          message.put(turn: turn)
          sum &+= secret.signECDSA(message, grindLowR: grindLowR).compact.word
        }
        return sum
      } floor: {
        floor_ecdsa_sign($0, key, hash.array, grindLowR ? 1 : 0)
      }
    }

    let ecdsa = sampleKey(1).signECDSA(hash)
    let floorPoint = floor_point_new(publicKey.array)
    let floorSignature = floor_signature_new(ecdsa.compact.array)
    add("ecdsa verify") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= publicKey.isValidECDSA(ecdsa, for: hash) ? 1 : 0 }
      return sum
    } floor: {
      floor_ecdsa_verify($0, floorPoint, floorSignature, hash.array)
    }

    let der = ecdsa.der
    add("ecdsa parse der") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= (try? ECDSASignature(der: der.bytes)) != nil ? 1 : 0 }
      return sum
    } floor: {
      floor_ecdsa_parse_der($0, der, der.count)
    }

    let pair = KeyPair(sampleKey(1))
    let floorPair = floor_pair_new(key)
    add("schnorr sign") { count in
      var message = hash
      var sum: UInt64 = 0
      for turn in 0..<count {
        message.put(turn: turn)
        sum &+= pair.signSchnorr(message, auxRand: auxRand).word
      }
      return sum
    } floor: {
      floor_schnorr_sign($0, floorPair, hash.array, auxRand.array)
    }

    let xOnly = publicKey.xOnly.key
    let schnorr = KeyPair(sampleKey(1)).signSchnorr(hash, auxRand: auxRand)
    add("schnorr verify") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= xOnly.isValidSchnorr(schnorr, for: hash) ? 1 : 0 }
      return sum
    } floor: {
      floor_schnorr_verify($0, floorPoint, schnorr.array, hash.array)
    }
  }

  mutating func addMuSig() {
    group = "MuSig2"
    let secrets = sampleKey(1).bytes.array + sampleKey(4).bytes.array
    let hash = sample(2)
    let floor = floor_musig_new(secrets, hash.array)
    let pair = KeyPair(sampleKey(1))
    let other = KeyPair(sampleKey(4))
    let keys = try! MuSigKeyAggregation([pair.publicKey, other.publicKey])

    func secret(_ turn: Int) -> Bytes32 {
      var secret = Bytes32(InlineArray(repeating: 0x5a))
      secret.put(turn: turn)
      return secret
    }
    func nonce(_ turn: Int, _ pair: borrowing KeyPair) -> MuSigSecretNonce {
      let secret = secret(turn)
      return try! MuSigSecretNonce(sessionSecret: secret.bytes, signer: pair, message: hash, keys: keys)
    }
    let nonces = [nonce(0, pair).publicNonce, nonce(1, other).publicNonce]
    let session = MuSigSession(keys: keys, aggregateNonce: try! MuSigAggregateNonce(nonces), message: hash)
    let signature = try! session.sign(with: pair, nonce: nonce(0, pair))

    let signer = KeyPair(sampleKey(1))
    add("musig nonce") { count in
      var sum: UInt64 = 0
      for turn in 0..<count {
        let secret = secret(turn)
        let nonce = try! MuSigSecretNonce(sessionSecret: secret.bytes, signer: signer, message: hash, keys: keys)
        sum &+= nonce.publicNonce.bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt64.self)
      }
      return sum
    } floor: {
      floor_musig_nonce($0, floor)
    }

    // A nonce is used up when it signs: they are made before the clock runs.
    let second = KeyPair(sampleKey(1))
    let third = KeyPair(sampleKey(1))
    let boxes = NonceBoxes()
    add("musig partial sign") { count in
      var sum: UInt64 = 0
      for turn in 0..<count { sum &+= try! session.sign(with: second, nonce: boxes.take(turn)).word }
      return sum
    } floor: {
      floor_musig_sign($0, floor)
    } prepare: { count in
      boxes.fill(count) { nonce(0, third) }
    }

    // What one signature costs a signer.
    let fourth = KeyPair(sampleKey(1))
    add("musig nonce and partial sign") { count in
      var sum: UInt64 = 0
      for turn in 0..<count {
        let secret = secret(turn)
        let nonce = try! MuSigSecretNonce(sessionSecret: secret.bytes, signer: fourth, message: hash, keys: keys)
        sum &+= try! session.sign(with: fourth, nonce: nonce).word
      }
      return sum
    } floor: {
      floor_musig_nonce_and_sign($0, floor)
    }

    let publicKey = pair.publicKey
    add("musig partial verify") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= session.isValid(signature, of: publicKey, nonce: nonces[0]) ? 1 : 0 }
      return sum
    } floor: {
      floor_musig_verify($0, floor)
    }
  }

  mutating func addKeys() {
    group = "Keys"
    let key = sampleKey(1).bytes.array
    let point = sampleKey(5).publicKey
    let floorPoint = floor_point_new(point.array)
    let tweak = sample(6)

    let ecdhSecret = sampleKey(1)
    add("ecdh") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= ecdhSecret.sharedSecret(with: point).word }
      return sum
    } floor: {
      floor_ecdh($0, key, floorPoint)
    }

    add("public key of secret key") { count in
      var bytes = try! Bytes32(key)
      var sum: UInt64 = 0
      for turn in 0..<count {
        bytes.put(turn: turn + 1, at: 24)
        let secret = try! SecretKey(bytes)
        sum &+= secret.publicKey.bytes.unsafeLoadUnaligned(fromByteOffset: 25, as: UInt64.self)
      }
      return sum
    } floor: {
      floor_public_key_create($0, key)
    }

    let pointBytes = point.array
    add("public key parse") { count in
      var sum: UInt64 = 0
      for _ in 0..<count { sum &+= (try! PublicKey(copying: pointBytes.bytes)).word != 0 ? 1 : 0 }
      return sum
    } floor: {
      floor_public_key_parse($0, pointBytes)
    }

    add("public key tweak add") { count in
      var value = tweak
      var sum: UInt64 = 0
      for turn in 0..<count {
        value.put(turn: turn, at: 24)
        sum &+= (try! point.adding(value)).bytes.unsafeLoadUnaligned(fromByteOffset: 25, as: UInt64.self)
      }
      return sum
    } floor: {
      floor_public_key_tweak_add($0, floorPoint, tweak.array)
    }

    let tweaked = sampleKey(1)
    add("secret key tweak add") { count in
      var value = tweak
      var sum: UInt64 = 0
      for turn in 0..<count {
        value.put(turn: turn, at: 24)
        let result = try! tweaked.adding(value)
        sum &+= result.bytes.unsafeLoadUnaligned(as: UInt64.self)
      }
      return sum
    } floor: {
      floor_secret_key_tweak_add($0, key, tweak.array)
    }
  }
}

/// Nonces by index: arrays cannot hold what cannot be copied.
private final class NonceBoxes {
  private final class Box {
    var nonce: MuSigSecretNonce?
    init(_ nonce: consuming MuSigSecretNonce) { self.nonce = consume nonce }
  }

  private var boxes: [Box] = []

  func fill(_ count: Int, _ make: () -> MuSigSecretNonce) { boxes = (0..<count).map { _ in Box(make()) } }

  func take(_ index: Int) -> MuSigSecretNonce { boxes[index].nonce.take()! }
}
