internal import Bitcoin
internal import Encoding
internal import Secp256k1

extension FuzzTarget {
  static let descriptor = FuzzTarget(
    "descriptor",
    dictionary: [
      "pk(", "pkh(", "wpkh(", "sh(", "wsh(", "tr(", "multi(", "sortedmulti(", "multi_a(", "sortedmulti_a(", "combo(",
      "addr(",
      "raw(", "rawtr(", "musig(", "/*", "/*'", "<0;1>", "/0h", "[", "]", "{", "}", "#",
    ],
    seeds: { Sample.descriptors.map { Array($0.utf8) } + Sample.scripts.map(\.bytes) },
    run: { input throws(Violation) in
      let script = Script(input.array)
      let inferred = Descriptor(inferredFrom: script, on: .bitcoin)
      try law((try? inferred.scripts()) == [script], "a script is what its descriptor says: \(inferred)")
      // An empty script is `raw()`, which Bitcoin Core writes as well, and does not read either.
      if !script.isEmpty { try checkText(of: inferred) }

      let text = String(decoding: input.array, as: UTF8.self)
      guard let descriptor = try? Descriptor(text) else { return .refused }
      try checkText(of: descriptor)
      let secret = descriptor.text(withSecrets: true)
      let again = try? Descriptor(secret, requireChecksum: true)
      try law(again?.text(withSecrets: true) == secret, "text with secrets is read as it is written: \(secret)")
      for expanded in descriptor.expandingMultipath.prefix(3) {
        try law(expanded.multipathCount == 1, "an expanded descriptor stands for one")
        try checkText(of: expanded)
      }
      return .accepted
    })

  private static func checkText(of descriptor: Descriptor) throws(Violation) {
    let text = descriptor.description
    guard let again = try? Descriptor(text, requireChecksum: true) else {
      throw Violation(description: "own text is read: \(text)")
    }
    try law(again.description == text, "\(text) is read as it is written")
    try law(again.isRanged == descriptor.isRanged && again.keys.count == descriptor.keys.count, "the same keys")
    for index: UInt32 in [0, 7] {
      guard let scripts = try? again.scripts(at: index) else { continue }
      try law((try? descriptor.scripts(at: index)) == scripts, "\(text) has the same scripts once it was read")
    }
    // Like Bitcoin Core, a hardened wildcard stays as it is: nothing can be derived of it in public.
    if let normalized = try? descriptor.normalizedText(), !normalized.contains("*h"), !normalized.contains("*'") {
      guard let again = try? Descriptor(normalized, requireChecksum: true) else {
        throw Violation(description: "normalised text is read: \(normalized)")
      }
      try law(
        (try? again.scripts(at: 7)) == (try? descriptor.scripts(at: 7)),
        "normalised it has the same scripts: \(normalized)")
    }
  }

  static let miniscript = FuzzTarget(
    "miniscript",
    dictionary: [
      "pk(", "pkh(", "pk_k(", "pk_h(", "older(", "after(", "sha256(", "hash256(", "ripemd160(", "hash160(", "andor(",
      "and_v(",
      "and_b(", "and_n(", "or_b(", "or_c(", "or_d(", "or_i(", "thresh(", "multi(", "multi_a(", "0", "1", "a:", "s:",
      "c:", "d:",
      "v:", "j:", "n:", "t:", "l:", "u:",
    ],
    seeds: { Sample.miniscripts.map { Array($0.utf8) } },
    run: { input throws(Violation) in
      let text = String(decoding: input.array, as: UTF8.self)
      var outcome = Outcome.refused
      for context in [MiniscriptContext.p2wsh, .tapscript] {
        guard let miniscript = try? Miniscript<PublicKey>(text, context: context) else { continue }
        outcome = .accepted
        let script = miniscript.script
        try law(miniscript.scriptSize == script.count, "\(text) is \(script.count) bytes, not \(miniscript.scriptSize)")
        try law(script.instructions != nil, "\(text) is a whole script")
        guard let again = try? Miniscript<PublicKey>(miniscript.text, context: context) else {
          throw Violation(description: "own text is read: \(miniscript.text)")
        }
        try law(again.text == miniscript.text && again.script == script, "\(text) is read as it is written")
        try law(again.type == miniscript.type, "the type does not depend on sugar")
        if (try? miniscript.checkSanity()) != nil {
          try law(miniscript.isNonMalleable && miniscript.needsSignature, "sane is safe")
          try law(miniscript.maximumSatisfactionSize != nil, "sane can be satisfied")
        }
      }
      return outcome
    })

  /// Extended keys and derivation paths.
  static let extendedKey = FuzzTarget(
    "extendedkey", dictionary: ["xpub", "xprv", "tpub", "tprv", "m/", "/0'", "h", "2147483647"],
    seeds: {
      var seeds = ["m/44'/0h/2147483647'/0/1", "m", "", "0/1"].map { Array($0.utf8) }
      for kind in NetworkKind.allCases {
        guard let key = try? ExtendedSecretKey(seed: [UInt8](repeating: 1, count: 32), networkKind: kind) else {
          continue
        }
        if let child = try? key.child(.hardened(3)) { seeds.append(Array(child.text.utf8)) }
        seeds += [Array(key.text.utf8), Array(key.publicKey.description.utf8)]
      }
      return seeds
    },
    run: { input throws(Violation) in
      let text = String(decoding: input.array, as: UTF8.self)
      var outcome = Outcome.refused
      if let path = try? DerivationPath(text) {
        outcome = .accepted
        try law((try? DerivationPath(path.description)) == path, "\(text) is read as it is written")
      }
      if let key = try? ExtendedPublicKey(text) {
        outcome = .accepted
        try law(key.description == text, "a public key is written as it was read")
      }
      _ = ExtendedPublicKey.replacingSLIP132Version(text)
      do {
        let key = try ExtendedSecretKey(text)
        outcome = .accepted
        try law(key.text == text, "a secret key is written as it was read")
      } catch let violation as Violation {
        throw violation
      } catch {}
      return outcome
    })

  /// Seed phrases: the words as text, and the input as entropy.
  static let mnemonic = FuzzTarget(
    "mnemonic", dictionary: ["abandon", "zoo", " ", "\u{3000}"],
    seeds: {
      MnemonicLanguage.allCases.compactMap { language in
        (try? Mnemonic(entropy: Array(0..<16), language: language)).map { Array($0.phrase.utf8) }
      } + [[UInt8](repeating: 0, count: 32)]
    },
    run: { input throws(Violation) in
      var outcome = Outcome.refused
      for language in MnemonicLanguage.allCases {
        guard let made = try? Mnemonic(entropy: input.array, language: language) else { continue }
        outcome = .accepted
        let again = try? Mnemonic(made.phrase, language: language)
        try law(again == made, "\(made.phrase) is read as it is written")
      }
      guard let read = try? Mnemonic(String(decoding: input.array, as: UTF8.self)) else { return outcome }
      try law((try? Mnemonic(entropy: read.entropy, language: read.language)) == read, "a phrase is its entropy")
      return .accepted
    })

  /// Signed messages of both kinds: the input is the signature's text.
  static let signedMessage = FuzzTarget(
    "signedmessage",
    seeds: {
      guard let key = Sample.secretKey(8) else { return [] }
      return [
        LightningSignedMessage.sign("fuzz", with: key), BitcoinSignedMessage.sign("fuzz", with: key),
        BitcoinSignedMessage.sign("fuzz", with: key, compressed: false),
      ].map { Array($0.utf8) }
    },
    run: { input throws(Violation) in
      let text = String(decoding: input.array, as: UTF8.self)
      let lightning = try? LightningSignedMessage.recoverPublicKey(from: text, of: "fuzz")
      let bitcoin = try? BitcoinSignedMessage.recoverPublicKey(from: text, of: "fuzz")
      guard let key = lightning ?? bitcoin?.key else { return .refused }
      try law((try? PublicKey(copying: key.bytes)) == key, "what is recovered is a key")
      return .accepted
    })
}
