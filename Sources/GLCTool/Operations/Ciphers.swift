internal import Encoding
internal import Hashing
internal import JSON

extension OperationGroup {
  static let ciphers = OperationGroup(
    "Ciphers, key derivation and authentication", [open, seal, hkdf, hmac256, hmac512])
}

private let nonce = Parameter<FixedBytes<12>>("nonce", .fixed())

private let open = Operation(
  "chacha20poly1305.open", "Decrypts and authenticates (RFC 8439).",
  Parameter("key", .bytes32), nonce, Parameter("ad", .hex, "associated data"),
  Parameter("ciphertext", .hex, "with its tag of 16 bytes behind"),
  returns: ["plaintext": "hex"]
) { key, nonce, associatedData, ciphertext in
  guard ciphertext.count >= ChaCha20Poly1305.tagByteCount else {
    throw ToolError(.badLength, "ciphertext: shorter than the tag of \(ChaCha20Poly1305.tagByteCount) bytes")
  }
  guard
    let plaintext = ChaCha20Poly1305.open(
      key: key, nonce: nonce, associatedData: associatedData, ciphertext: ciphertext)
  else { throw ToolError("bad_tag", "the tag does not authenticate the ciphertext") }
  return ["plaintext": .hex(plaintext)]
}

private let seal = Operation(
  "chacha20poly1305.seal", "Encrypts and authenticates (RFC 8439).",
  Parameter("key", .bytes32), nonce, Parameter("ad", .hex, "associated data"), Parameter("plaintext", .hex),
  returns: ["ciphertext": "hex, with its tag of 16 bytes behind"]
) { key, nonce, associatedData, plaintext in
  [
    "ciphertext": .hex(
      ChaCha20Poly1305.seal(key: key, nonce: nonce, associatedData: associatedData, plaintext: plaintext))
  ]
}

private let hkdf = Operation(
  "hkdf.sha256", "Derives keys from keying material (RFC 5869, with SHA-256).",
  Parameter("ikm", .hex), Parameter("salt", .hex), Parameter("info", .hex),
  Parameter("length", .integer(0...8160) as Kind<Int>, "bytes"),
  returns: ["okm": "so many bytes"]
) { ikm, salt, info, length in
  let prk = HKDFSHA256.extract(salt: salt, ikm: ikm)
  guard let okm = HKDFSHA256.expand(prk: prk, info: info, byteCount: length) else {
    throw ToolError(.badValue, "length: more than 255 hashes")
  }
  return ["okm": .hex(okm)]
}

private let hmac256 = Operation(
  "hmac.sha256", "Authenticates a message (RFC 2104, with SHA-256).",
  Parameter("key", .hex), Parameter("message", .hex),
  returns: ["mac": "32 bytes"]
) { key, message in ["mac": .hex(HMACSHA256(key: key).authenticate(message))] }

private let hmac512 = Operation(
  "hmac.sha512", "Authenticates a message (RFC 2104, with SHA-512).",
  Parameter("key", .hex), Parameter("message", .hex),
  returns: ["mac": "64 bytes"]
) { key, message in ["mac": .hex(hmacSHA512(key: key, message))] }
