internal import Encoding
internal import Secp256k1

/// What a script expression allows inside.
enum DescriptorContext {
  case top
  case p2sh
  case p2wpkh
  case p2wsh
  case p2tr
  /// A participant of `musig`.
  case musig

  var permitsUncompressedKeys: Bool { self == .top || self == .p2sh }
}

extension KeyExpression {
  /// Reads a key expression as it may stand in `context`.
  init(parsing text: ArraySlice<UInt8>, in context: DescriptorContext) throws(DescriptorError) {
    if text.starts(with: "musig(".utf8) {
      self = try Self.musig(text, context)
      return
    }
    var rest = text
    var apostrophes = false
    var origin: KeyOrigin?
    if let close = text.firstIndex(of: 0x5d) {
      guard text.first == 0x5b else { throw .malformedOrigin }
      origin = try Self.origin(text[(text.startIndex + 1)..<close], &apostrophes)
      rest = text[(close + 1)...]
      guard !rest.contains(0x5d) else { throw .malformedOrigin }
    }
    let kind = try Self.key(rest, context, &apostrophes)
    self.init(kind: kind, origin: origin, usesApostrophes: apostrophes)
  }

  private static func origin(
    _ text: ArraySlice<UInt8>, _ apostrophes: inout Bool
  ) throws(DescriptorError) -> KeyOrigin {
    let parts = text.split(separator: 0x2f, omittingEmptySubsequences: false)
    // BIP 380: Exactly 8 hex characters for the fingerprint.
    guard let first = parts.first, first.count == 8,
      let fingerprint = try? FixedBytes<4>(hex: String(decoding: first, as: UTF8.self))
    else { throw .malformedOrigin }
    var path = DerivationPath()
    for part in parts.dropFirst() { path.steps.append(try step(part, &apostrophes)) }
    return KeyOrigin(fingerprint: KeyFingerprint(fingerprint), path: path)
  }

  private static func step(
    _ text: ArraySlice<UInt8>, _ apostrophes: inout Bool
  ) throws(DescriptorError) -> ChildNumber {
    var digits = text
    var isHardened = false
    // BIP 380 allows h and ', and no H.
    if let last = digits.last, last == 0x27 || last == 0x68 {
      isHardened = true
      apostrophes = last == 0x27
      digits.removeLast()
    }
    guard let index = ChildNumber.number(digits), let number = ChildNumber(index: index, isHardened: isHardened) else {
      throw .malformedPath
    }
    return number
  }

  /// BIP 389 sets no limit. Every choice is a descriptor of its own, to be derived and checked.
  private static let maximumChoices = 1_000

  /// The steps behind a key.
  private static func path(
    _ parts: ArraySlice<ArraySlice<UInt8>>, _ apostrophes: inout Bool
  ) throws(DescriptorError) -> KeyExpressionPath {
    var parts = parts
    var path = KeyExpressionPath()
    switch parts.last.map({ String(decoding: $0, as: UTF8.self) }) {
    case "*": path.wildcard = .normal
    case "*h": (path.wildcard, apostrophes) = (.hardened, false)
    case "*'": (path.wildcard, apostrophes) = (.hardened, true)
    default: break
    }
    if path.wildcard != .none { parts.removeLast() }
    guard parts.count <= DerivationPath.maximumDepth else { throw .malformedPath }
    for part in parts {
      guard part.first == 0x3c, part.last == 0x3e, part.count >= 2 else {
        path.steps.append(.child(try step(part, &apostrophes)))
        continue
      }
      // BIP 389: only one <NUM;NUM;...;NUM> specifier is allowed in a Key Expression.
      guard path.multipathCount == 1 else { throw .malformedPath }
      var numbers: [ChildNumber] = []
      let choices = part.dropFirst().dropLast().split(separator: 0x3b, omittingEmptySubsequences: false)
      for choice in choices { numbers.append(try step(choice, &apostrophes)) }
      // BIP 389: Duplicate NUMs within a tuple are not allowed.
      guard 2...maximumChoices ~= numbers.count, Set(numbers).count == numbers.count else { throw .malformedPath }
      path.steps.append(.choice(numbers))
    }
    return path
  }

  private static func key(
    _ text: ArraySlice<UInt8>, _ context: DescriptorContext, _ apostrophes: inout Bool
  ) throws(DescriptorError) -> Kind {
    let parts = text.split(separator: 0x2f, omittingEmptySubsequences: false)
    let name = String(decoding: parts.first ?? [], as: UTF8.self)
    if let plain = try plainKey(name, context) {
      guard parts.count == 1 else { throw .derivationOfPlainKey }
      return plain
    }
    let secret = try? ExtendedSecretKey(name)
    if let secret {
      let path = try path(parts.dropFirst(), &apostrophes)
      let publicKey = secret.extendedPublicKey
      return .extended(Extended(publicKey: publicKey, secretKey: SharedExtendedSecretKey(secret), path: path))
    }
    do {
      let publicKey = try ExtendedPublicKey(name)
      return .extended(
        Extended(publicKey: publicKey, secretKey: nil, path: try path(parts.dropFirst(), &apostrophes)))
    } catch let error as DescriptorError {
      throw error
    } catch {
      throw .invalidKey(name)
    }
  }

  /// A public key in hex, or a WIF; nil for anything else. Throws for one that the context does not allow.
  private static func plainKey(_ text: String, _ context: DescriptorContext) throws(DescriptorError) -> Kind? {
    if let bytes = try? Hex.decode(text), !bytes.isEmpty {
      if bytes.count == 32 {
        // BIP 386: additionally, within tr(), a 64 hex character string representing an x-only public key.
        guard context == .p2tr, let key = try? XOnlyPublicKey(copying: bytes.bytes) else { throw .invalidKey(text) }
        return .publicKey(key.evenPoint, form: .xOnly)
      }
      // BIP 380: 66 characters beginning with 02 or 03, or 130 beginning with 04.
      guard bytes[0] == 2 || bytes[0] == 3 || bytes[0] == 4, let key = PublicKey(parsing: bytes.bytes) else {
        throw .invalidKey(text)
      }
      guard bytes.count == 33 || context.permitsUncompressedKeys else { throw .uncompressedKey }
      return .publicKey(key, form: bytes.count == 33 ? .compressed : .uncompressed)
    }
    let wif: PrivateKeyWIF
    do {
      wif = try PrivateKeyWIF(text)
    } catch {
      return nil
    }
    guard wif.isCompressed || context.permitsUncompressedKeys else { throw .uncompressedKey }
    let form: Form = context == .p2tr ? .xOnly : wif.isCompressed ? .compressed : .uncompressed
    return .secretKey(SharedSecretKey(wif), form: form)
  }

  // MARK: musig

  private static func musig(
    _ text: ArraySlice<UInt8>, _ context: DescriptorContext
  ) throws(DescriptorError) -> KeyExpression {
    // BIP 390: can only be used inside of a tr(), rawtr() or sp() expression. It additionally cannot be nested within another musig().
    guard context == .p2tr else { throw .musigNotAllowed }
    guard let close = text.firstIndex(of: 0x29) else { throw .malformedMusig }
    var participants: [KeyExpression] = []
    let inner = text[(text.startIndex + 6)..<close]
    for part in inner.split(separator: 0x2c, omittingEmptySubsequences: false) {
      participants.append(try KeyExpression(parsing: part, in: .musig))
    }
    let counts = Set(participants.map(\.multipathCount)).subtracting([1])
    guard counts.count <= 1 else { throw .multipathLengthsDiffer }
    var path = KeyExpressionPath()
    let behind = text[(close + 1)...]
    if !behind.isEmpty {
      guard behind.first == 0x2f else { throw .malformedMusig }
      var apostrophes = false
      let parts = behind.dropFirst().split(separator: 0x2f, omittingEmptySubsequences: false)
      path = try Self.path(parts[...], &apostrophes)
      guard participants.allSatisfy(\.isExtended) else { throw .musigDerivationNeedsExtendedKeys }
      guard !participants.contains(where: \.isRanged) else { throw .musigRangedTwice }
      // BIP 390: only unhardened derivation from the aggregate public key is allowed.
      guard !path.hasHardenedSteps, path.wildcard != .hardened else { throw .musigHardened }
      guard path.multipathCount == 1 || counts.isEmpty else { throw .musigMultipathTwice }
    }
    return KeyExpression(
      kind: .musig(Musig(participants: participants, path: path)), origin: nil, usesApostrophes: false)
  }
}
