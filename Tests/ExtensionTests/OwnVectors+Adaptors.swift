import Encoding
import Hashing
import JSON
import Secp256k1

extension OwnVectors {
  /// A number of 32 bytes that belongs to a case.
  static func bytes(_ text: String) -> Bytes32 { sha256(Array("glc vectors: \(text)".utf8)) }

  static let schnorrAdaptors = OwnVectors(
    name: "schnorr-adaptors",
    inputs: {
      (0..<8).map { index in
        (
          "adaptor signature \(index)",
          [
            "secret_key": .hex(bytes("secret key \(index)")), "message": .hex(bytes("message \(index)")),
            "secret": .hex(bytes("secret \(index)")),
            "aux_rand": .hex(index % 2 == 0 ? Bytes32() : bytes("aux rand \(index)")),
          ]
        )
      }
    },
    output: { input in
      let pair = KeyPair(try SecretKey(input.bytes32("secret_key")))
      let secret = try SecretKey(input.bytes32("secret"))
      let point = secret.publicKey
      let message = try input.bytes32("message")
      let presignature = try pair.signSchnorrAdaptor(message, point: point, auxRand: try input.bytes32("aux_rand"))
      guard pair.xOnlyPublicKey.isValidSchnorrAdaptor(presignature, for: message, point: point) else {
        throw Fields.Missing(name: "a valid presignature")
      }
      return [
        "public_key": .hex(pair.xOnlyPublicKey), "point": .hex(point), "presignature": .hex(presignature),
        "signature": .hex(presignature.adapted(with: secret)),
      ]
    })

  static let muSigAdaptors = OwnVectors(
    name: "musig2-adaptors",
    inputs: {
      (0..<8).map { index in
        var tweaks: [JSONValue] = []
        if index % 4 > 0 { tweaks.append(["tweak": .hex(bytes("plain tweak \(index)")), "xonly": false]) }
        if index % 4 > 1 { tweaks.append(["tweak": .hex(bytes("x-only tweak \(index)")), "xonly": true]) }
        return (
          "MuSig2 adaptor signature \(index), \(tweaks.count) tweaks",
          [
            "secret_keys": .array((0..<2).map { .hex(bytes("signer \($0) of \(index)")) }),
            "tweaks": .array(tweaks), "message": .hex(bytes("MuSig2 message \(index)")),
            "secret": .hex(bytes("MuSig2 secret \(index)")),
            "nonce_randomness": .array((0..<2).map { .hex(bytes("nonce \($0) of \(index)")) }),
          ]
        )
      }
    },
    output: { input in
      let secretKeys = try input.hashes("secret_keys")
      let publicKeys = try secretKeys.map { try SecretKey($0).publicKey }
      var keys = try MuSigKeyAggregation(publicKeys)
      for tweak in try input.records("tweaks") {
        try keys.apply(MuSigTweak(try tweak.bytes32("tweak"), try tweak.bool("xonly") ? .xOnly : .plain))
      }
      let message = try input.bytes32("message")
      let secret = try SecretKey(input.bytes32("secret"))
      let point = secret.publicKey
      func nonce(_ index: Int) throws -> MuSigSecretNonce {
        let randomness = try input.hashes("nonce_randomness")[index]
        return try MuSigSecretNonce(
          sessionSecret: randomness.bytes, signer: KeyPair(try SecretKey(secretKeys[index])), message: message,
          keys: keys)
      }
      let nonces = try (0..<2).map { try nonce($0).publicNonce }
      let aggregate = try MuSigAggregateNonce(nonces)
      let session = MuSigAdaptorSession(keys: keys, aggregateNonce: aggregate, point: point, message: message)
      let partials = try (0..<2).map {
        try session.sign(with: KeyPair(try SecretKey(secretKeys[$0])), nonce: try nonce($0))
      }
      let presignature = try session.aggregate(partials)
      guard keys.xOnlyPublicKey.isValidSchnorrAdaptor(presignature, for: message, point: point) else {
        throw Fields.Missing(name: "a valid presignature")
      }
      return [
        "public_keys": .array(publicKeys.map { .hex($0) }), "aggregate_key": .hex(keys.xOnlyPublicKey),
        "point": .hex(point), "public_nonces": .array(nonces.map { .hex($0) }), "aggregate_nonce": .hex(aggregate),
        "partial_signatures": .array(partials.map { .hex($0) }), "presignature": .hex(presignature),
        "signature": .hex(presignature.adapted(with: secret)),
      ]
    })
}
