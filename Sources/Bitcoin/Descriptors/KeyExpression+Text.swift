internal import Encoding
internal import Secp256k1

extension KeyExpression: CustomStringConvertible {
  /// Without secrets.
  public var description: String { text(withSecrets: false) }

  func text(withSecrets: Bool) -> String {
    var prefix = ""
    if let origin {
      let steps = origin.path.steps.map { "/" + $0.text(apostrophes: usesApostrophes) }
      prefix = "[" + origin.fingerprint.hex + steps.joined() + "]"
    }
    switch kind {
    case .publicKey(let key, let form): return prefix + Self.hex(key, form)
    case .secretKey(let shared, let form):
      return prefix + (withSecrets ? shared.wif.text : Self.hex(shared.wif.secretKey.publicKey, form))
    case .extended(let key):
      let path = key.path.text(apostrophes: usesApostrophes)
      if withSecrets, let secret = key.secretKey { return prefix + secret.key.text + path }
      return prefix + key.publicKey.description + path
    case .musig(let key):
      let participants = key.participants.map { $0.text(withSecrets: withSecrets) }
      return "musig(" + participants.joined(separator: ",") + ")" + key.path.text(apostrophes: false)
    }
  }

  private static func hex(_ key: PublicKey, _ form: Form) -> String {
    switch form {
    case .compressed: key.hex
    case .uncompressed: key.uncompressed.hex
    case .xOnly: key.xOnly.key.hex
    }
  }

  /// The public expression that needs no secret to derive (BIP 380 §Normalization of Key Expressions with Hardened Derivation): the
  /// `xpub` behind the last hardened step, its way there added to the origin.
  func normalized() throws(DescriptorError) -> KeyExpression {
    switch kind {
    case .publicKey, .secretKey: return self
    case .musig(let key):
      var participants: [KeyExpression] = []
      for participant in key.participants { participants.append(try participant.normalized()) }
      return KeyExpression(
        kind: .musig(Musig(participants: participants, path: key.path)), origin: nil, usesApostrophes: usesApostrophes)
    case .extended(let key):
      guard key.path.hasHardenedSteps, key.path.wildcard != .hardened else { return self }
      guard let secret = key.secretKey else { throw .hardenedDerivationNeedsSecretKey }
      guard let fixed = key.path.fixed else { throw .multipath }
      let last = fixed.steps.lastIndex(where: \.isHardened) ?? 0
      let way = DerivationPath(Array(fixed.steps[...last]))
      let start = origin ?? KeyOrigin(fingerprint: secret.key.fingerprint)
      do {
        let derived = try secret.key.derive(way).extendedPublicKey
        let rest = KeyExpressionPath(
          steps: fixed.steps[(last + 1)...].map { .child($0) }, wildcard: key.path.wildcard)
        return KeyExpression(
          kind: .extended(Extended(publicKey: derived, secretKey: nil, path: rest)),
          origin: KeyOrigin(fingerprint: start.fingerprint, path: start.path + way), usesApostrophes: usesApostrophes)
      } catch {
        throw .derivation(error)
      }
    }
  }
}
