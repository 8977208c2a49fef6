internal import Encoding
internal import JSON
internal import Secp256k1

extension OperationGroup {
  static let signatures = OperationGroup(
    "Signatures and shared secrets", [ecdsaVerify, ecdsaSign, schnorrSign, schnorrVerify, ecdh])
}

private let ecdsaVerify = Operation(
  "ecdsa.verify", "Checks an ECDSA signature of a 32-byte hash. One with a high s is not valid.",
  Parameter("pubkey", .publicKey), Parameter("message_hash", .bytes32),
  Parameter("signature", .hex, "strict DER, or r and s in 64 bytes"),
  returns: ["valid": "true | false"]
) { publicKey, hash, bytes in
  // A DER signature of 64 bytes exists, if only for numbers that nobody meets by chance: either reading may be the
  // valid one.
  let readings = [try? ECDSASignature(der: bytes), (try? Bytes64(bytes)).flatMap { try? ECDSASignature(compact: $0) }]
  return ["valid": .bool(readings.contains { $0.map { publicKey.isValidECDSA($0, for: hash) } ?? false })]
}

private let ecdsaSign = Operation(
  "ecdsa.sign", "Signs a 32-byte hash with ECDSA as Bitcoin Core does: nonce of RFC 6979, low s, low r.",
  Parameter("seckey", .secretKey), Parameter("message_hash", .bytes32),
  returns: ["der": "strict DER", "compact": "r and s, 64 bytes"]
) { secretKey, hash in
  let signature = try SecretKey(secretKey).signECDSA(hash)
  return ["der": .hex(signature.der), "compact": .hex(signature.compact)]
}

private let schnorrSign = Operation(
  "schnorr.sign", "Signs a message of any length (BIP 340).",
  Parameter("seckey", .secretKey), Parameter("message", .hex), Parameter("aux_rand", .bytes32),
  returns: ["signature": "64 bytes"]
) { secretKey, message, auxRand in
  let keys = KeyPair(try SecretKey(secretKey))
  return ["signature": .hex(keys.signSchnorr(message, auxRand: auxRand))]
}

private let schnorrVerify = Operation(
  "schnorr.verify", "Checks a signature of a message of any length (BIP 340).",
  // BIP 340 §Verification: a key that is no point fails the verification, as any signature that is none.
  Parameter("xonly", .hex(bytes: 32)), Parameter("message", .hex), Parameter("signature", .hex),
  returns: ["valid": "true | false"]
) { xOnly, message, signature in
  guard let key = try? XOnlyPublicKey(array: xOnly), let signature = try? SchnorrSignature(array: signature)
  else { return ["valid": false] }
  return ["valid": .bool(key.isValidSchnorr(signature, for: message))]
}

private let ecdh = Operation(
  "ecdh", "Shares a secret between a secret key and a public key (BOLT 4, BOLT 8).",
  Parameter("seckey", .secretKey), Parameter("pubkey", .publicKey),
  returns: ["shared_secret": "SHA-256 of the compressed point, 32 bytes", "x": "the point's x coordinate, 32 bytes"]
) { secretKey, publicKey in
  let key = try SecretKey(secretKey)
  return [
    "shared_secret": .hex(key.sharedSecret(with: publicKey)),
    "x": .hex(key.sharedPoint(with: publicKey).xOnly.key),
  ]
}
