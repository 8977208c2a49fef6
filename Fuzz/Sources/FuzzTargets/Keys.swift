internal import Encoding
internal import Secp256k1

extension FuzzTarget {
  /// Public keys, signatures and secret keys as they come from outside: the first byte says which.
  static let keys = FuzzTarget(
    "keys",
    seeds: { Sample.keyMaterial },
    run: { input throws(Violation) in
      guard input.byteCount > 0 else { return .refused }
      let rest = input.extracting(last: input.byteCount - 1)
      switch input[0] & 7 {
      case 0: return try checkDER(rest)
      case 1: return try checkPublicKey(rest)
      case 2: return try checkXOnly(rest)
      case 3: return try checkCompact(rest)
      case 4: return try checkSecret(rest)
      default: return try checkVerification(rest)
      }
    })

  private static func checkDER(_ bytes: RawSpan) throws(Violation) -> Outcome {
    guard let signature = try? ECDSASignature(der: bytes) else { return .refused }
    let der = signature.der
    try law(der.count <= ECDSASignature.maximumDERByteCount, "at most 72 bytes: \(der.count)")
    guard let again = try? ECDSASignature(der: der.bytes) else { throw Violation(description: "own DER is read") }
    try law(again == signature, "DER is read as it is written")
    try law(der.bytes.elementsEqual(bytes), "strict DER has one form")
    try law(signature.normalized.isLowS, "a normalised signature has a low s")
    try law(signature.isLowS == (signature.normalized == signature), "normalising changes a high s alone")
    return .accepted
  }

  private static func checkPublicKey(_ bytes: RawSpan) throws(Violation) -> Outcome {
    guard let key = PublicKey(parsing: bytes) else {
      try law((try? PublicKey(copying: bytes)) == nil, "no reader is laxer than the widest")
      return .refused
    }
    try law((try? PublicKey(copying: key.bytes)) == key, "the compressed form is read as it is written")
    try law(PublicKey(parsing: key.uncompressed.bytes) == key, "the uncompressed form is the same key")
    if bytes.byteCount == 33 {
      try law(key.bytes.elementsEqual(bytes), "a compressed key has one form")
    } else {
      try law(bytes.byteCount == 65, "keys are 33 or 65 bytes long")
      try law(
        key.uncompressed.bytes.extracting(last: 64).elementsEqual(bytes.extracting(last: 64)),
        "coordinates stay as they were")
    }
    try law(key.negated().negated() == key, "negating twice changes nothing")
    try law((try? key + key.negated()) == nil, "a key and its negative cancel out")
    return .accepted
  }

  private static func checkXOnly(_ bytes: RawSpan) throws(Violation) -> Outcome {
    guard let key = try? XOnlyPublicKey(copying: bytes) else { return .refused }
    try law(key.bytes.elementsEqual(bytes), "an x-only key has one form")
    let lifted = key.evenPoint.xOnly
    try law(lifted.key == key && !lifted.yIsOdd, "lift_x gives the even point")
    return .accepted
  }

  private static func checkCompact(_ bytes: RawSpan) throws(Violation) -> Outcome {
    guard let compact = try? Bytes64(copying: bytes), let signature = try? ECDSASignature(compact: compact) else {
      return .refused
    }
    try law(signature.compact == compact, "a compact signature has one form")
    guard let again = try? ECDSASignature(der: signature.der.bytes) else {
      throw Violation(description: "own DER is read")
    }
    try law(again == signature, "DER and compact form hold the same")
    return .accepted
  }

  private static func checkSecret(_ bytes: RawSpan) throws(Violation) -> Outcome {
    guard let secret = try? SecretKey(copying: bytes) else { return .refused }
    try law(secret.bytes.elementsEqual(bytes), "a secret key has one form")
    try law(KeyPair(secret).publicKey == secret.publicKey, "a key pair has its secret's public key")
    try law(secret.negated().publicKey == secret.publicKey.negated(), "−k · G is −(k · G)")
    return .accepted
  }

  /// Hash (32), key (33), signature (64): verifying never traps, and refuses what nobody signed.
  private static func checkVerification(_ bytes: RawSpan) throws(Violation) -> Outcome {
    guard bytes.byteCount == 129, let hash = try? Bytes32(copying: bytes.extracting(first: 32)),
      let key = PublicKey(parsing: bytes.extracting(32..<65)),
      let raw = try? Bytes64(copying: bytes.extracting(65..<129))
    else { return .refused }
    let schnorr = SchnorrSignature(raw)
    let isSchnorr = key.xOnly.key.isValidSchnorr(schnorr, for: hash)
    let isECDSA = (try? ECDSASignature(compact: raw)).map { key.isValidECDSA($0, for: hash) } ?? false
    try law(!(isSchnorr && isECDSA), "no signature is both")
    return isSchnorr || isECDSA ? .accepted : .refused
  }

  /// What signers send each other; the first byte says what it is.
  static let musig = FuzzTarget(
    "musig",
    seeds: { Sample.musigMaterial },
    run: { input throws(Violation) in
      guard input.byteCount > 0 else { return .refused }
      let rest = input.extracting(last: input.byteCount - 1)
      switch input[0] & 3 {
      case 0: return try checkFixed(MuSigPublicNonce.self, rest)
      case 1: return try checkFixed(MuSigAggregateNonce.self, rest)
      case 2: return try checkFixed(MuSigPartialSignature.self, rest)
      default:
        guard let signature = try? SchnorrAdaptorSignature(copying: rest), let secret = Sample.secretKey(4) else {
          return .refused
        }
        let adapted = signature.adapted(with: secret)
        if let found = try? signature.secret(from: adapted, point: secret.publicKey) {
          try law(found.bytes.elementsEqual(secret.bytes), "a signature reveals the secret that completed it")
        } else {
          throw Violation(description: "a completed signature reveals its secret")
        }
        return try checkFixed(SchnorrAdaptorSignature.self, rest)
      }
    })

  private static func checkFixed<T: FixedSizeBytes>(_ type: T.Type, _ bytes: RawSpan) throws(Violation) -> Outcome {
    guard let value = try? T(copying: bytes) else { return .refused }
    try law(value.bytes.elementsEqual(bytes), "\(T.self) has one form")
    try law((try? T(copying: value.bytes)) == value, "\(T.self) is read as it is written")
    try law((try? T(hex: value.hex)) == value, "\(T.self) is read as hex as it is written")
    return .accepted
  }
}
