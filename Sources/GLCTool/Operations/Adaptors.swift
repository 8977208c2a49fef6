internal import Encoding
internal import JSON
internal import Secp256k1

extension OperationGroup {
  static let adaptors = OperationGroup(
    "Adaptor signatures", [schnorrVerify, schnorrAdapt, schnorrExtract])
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
