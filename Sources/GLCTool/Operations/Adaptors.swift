internal import Encoding
internal import JSON
internal import Secp256k1

extension OperationGroup {
  static let adaptors = OperationGroup(
    "Adaptor signatures",
    [
      schnorrVerify, schnorrSign, schnorrAdapt, schnorrExtract, ecdsaVerify, ecdsaDecrypt, ecdsaRecover,
    ])
}

private let presignature = Parameter<SchnorrAdaptorSignature>(
  "presignature", .fixed("65 bytes of hex", invalid: "bad_adaptor_sig"), "compressed R+T, then s")

private let schnorrVerify = Operation(
  "adaptor.schnorr.verify", "Checks a Schnorr signature that is complete but for the secret of a point.",
  // As in BIP 340, a key, a point or a pre-signature that is none fails the verification.
  Parameter("xonly", .hex(bytes: 32)), Parameter("message", .hex), Parameter("point", .hex(bytes: 33)),
  Parameter("presignature", .hex, "65 bytes: compressed R+T, then s"),
  returns: ["valid": "true | false"]
) { xOnly, message, point, presignature in
  guard let key = try? XOnlyPublicKey(array: xOnly), let point = try? PublicKey(array: point),
    let signature = try? SchnorrAdaptorSignature(array: presignature)
  else { return ["valid": false] }
  return ["valid": .bool(key.isValidSchnorrAdaptor(signature, for: message, point: point))]
}

private let schnorrSign = Operation(
  "adaptor.schnorr.sign", "Signs a message up to the secret of a point.",
  Parameter("seckey", .secretKey), Parameter("message", .hex), Parameter("point", .publicKey),
  Parameter("aux_rand", .bytes32),
  returns: ["presignature": "65 bytes: compressed R+T, then s"]
) { secretKey, message, point, auxRand in
  let keys = KeyPair(try SecretKey(secretKey))
  return ["presignature": .hex(try keys.signSchnorrAdaptor(message, point: point, auxRand: auxRand))]
}

private let schnorrAdapt = Operation(
  "adaptor.schnorr.adapt", "Completes a pre-signature with the secret.",
  presignature, Parameter("secret", .secretKey),
  returns: ["signature": "64 bytes (BIP 340)"]
) { presignature, secret in ["signature": .hex(presignature.adapted(with: try SecretKey(secret)))] }

private let schnorrExtract = Operation(
  "adaptor.schnorr.extract", "Learns the secret from a pre-signature and the signature that it was completed to.",
  presignature, Parameter("signature", .bytes64), Parameter("point", .publicKey),
  returns: ["secret": "32 bytes; secret·G is the point"]
) { presignature, signature, point in
  let secret = try presignature.secret(from: SchnorrSignature(signature), point: point)
  return ["secret": .hex(secret)]
}

// MARK: ECDSA

private let adaptorSignature = Parameter<ECDSAAdaptorSignature>(
  "adaptor_sig", .fixed("162 bytes of hex", invalid: "bad_adaptor_sig"))

private let ecdsaVerify = Operation(
  "adaptor.ecdsa.verify", "Checks an ECDSA signature that is encrypted under a point (dlcspecs).",
  Parameter("pubkey", .publicKey), Parameter("message_hash", .bytes32), Parameter("encryption_key", .publicKey),
  Parameter("adaptor_sig", .hex, "162 bytes; what is none is not valid"),
  returns: ["valid": "true | false"]
) { publicKey, hash, encryptionKey, bytes in
  guard let signature = try? ECDSAAdaptorSignature(array: bytes) else { return ["valid": false] }
  return ["valid": .bool(signature.isValid(for: hash, publicKey: publicKey, encryptionKey: encryptionKey))]
}

private let ecdsaDecrypt = Operation(
  "adaptor.ecdsa.decrypt", "Decrypts an adaptor signature with the secret of its point.",
  adaptorSignature, Parameter("decryption_key", .secretKey),
  returns: ["signature": "64 bytes, low s"]
) { adaptorSignature, key in
  ["signature": .hex(try adaptorSignature.decrypted(with: SecretKey(key)).compact)]
}

private let ecdsaRecover = Operation(
  "adaptor.ecdsa.recover", "Learns the secret from an adaptor signature and the signature that it was decrypted to.",
  adaptorSignature, Parameter("signature", .bytes64, "a high s will do"), Parameter("encryption_key", .publicKey),
  returns: ["decryption_key": "32 bytes; the secret of encryption_key"]
) { adaptorSignature, signature, encryptionKey in
  let key = try adaptorSignature.secret(from: ECDSASignature(compact: signature), encryptionKey: encryptionKey)
  return ["decryption_key": .hex(key)]
}
