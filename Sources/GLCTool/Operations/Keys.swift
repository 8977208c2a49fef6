internal import Bitcoin
internal import Encoding
internal import JSON

extension OperationGroup {
  static let keys = OperationGroup("Keys and descriptors", [bip32Derive, bip39Seed, descriptorScripts])
}

private let bip32Derive = Operation(
  "bip32.derive",
  "Derives an extended key (BIP 32). One of seed, xprv and xpub is given; a seed is for Bitcoin's main network.",
  Parameter(optional: "seed", .hex, "16 to 64 bytes"), Parameter(optional: "xprv", .string),
  Parameter(optional: "xpub", .string), Parameter("path", .derivationPath),
  returns: ["xprv": "absent for a key derived from an xpub", "xpub": "text"]
) { seed, xprv, xpub, path in
  switch (seed, xprv, xpub) {
  case (let seed?, nil, nil): return try derived(ExtendedSecretKey(seed: seed, networkKind: .main), path)
  case (nil, let text?, nil): return try derived(ExtendedSecretKey(text), path)
  case (nil, nil, let text?): return ["xpub": .string(try ExtendedPublicKey(text).derive(path).description)]
  case (nil, nil, nil): throw ToolError(.missingParameter, "seed, xprv or xpub is missing")
  default: throw ToolError("conflicting_params", "one of seed, xprv and xpub is given, not more")
  }
}

private func derived(_ key: consuming ExtendedSecretKey, _ path: DerivationPath) throws -> JSONObject {
  let child = try key.derive(path)
  return ["xprv": .string(child.text), "xpub": .string(child.extendedPublicKey.description)]
}

private let bip39Seed = Operation(
  "bip39.seed", "Turns a seed phrase of any of BIP 39's languages into a seed.",
  Parameter("mnemonic", .string), Parameter("passphrase", .string, "may be empty"),
  returns: ["entropy": "16 to 32 bytes", "seed": "64 bytes"]
) { phrase, passphrase in
  let mnemonic = try Mnemonic(phrase)
  return ["entropy": .hex(mnemonic.entropy), "seed": .hex(mnemonic.seed(passphrase: passphrase))]
}

private let descriptorScripts = Operation(
  "descriptor.scripts", "Lists the output scripts of a descriptor (BIP 380 to 390), with miniscript and MuSig2.",
  Parameter("descriptor", .string, "the checksum may be left out"),
  Parameter(optional: "range", .descriptorRange, "[first, last], both included; for a descriptor with /*"),
  returns: ["scripts": "[hex], index by index; combo has several for each"]
) { text, range in
  ["scripts": .array(try Descriptor(text).scripts(in: range).map { .hex($0) })]
}

extension Kind where Value == DerivationPath {
  fileprivate static var derivationPath: Self {
    Kind<String>.string.map("text like m/84h/0h/0'/7") { (text) throws(ToolError) in
      do throws(ExtendedKeyError) {
        return try DerivationPath(text)
      } catch {
        throw ToolError("bad_path", "not steps of the form 0, 0h or 0' with / between")
      }
    }
  }
}

extension Kind where Value == ClosedRange<UInt32> {
  fileprivate static var descriptorRange: Self {
    Kind<[UInt32]>.list(.integer(0...0x7fff_ffff)).map("[integer, integer]") { (bounds) throws(ToolError) in
      guard bounds.count == 2, bounds[0] <= bounds[1] else {
        throw ToolError(.badValue, "expected [first, last], the first not above the last")
      }
      return bounds[0]...bounds[1]
    }
  }
}

extension ExtendedKeyError: Refusal {
  var refusal: ToolError {
    switch self {
    case .invalidText(let error): ToolError("bad_extended_key", "\(error)")
    case .invalidSeedLength(let count): ToolError(.badLength, "seed: 16 to 64 bytes, got \(count)")
    case .hardenedChildOfPublicKey, .invalidChild, .tooDeep: ToolError("bad_path", words(of: self))
    default: ToolError("bad_extended_key", words(of: self))
    }
  }
}

extension MnemonicError: Refusal {
  var refusal: ToolError { ToolError("bad_mnemonic", words(of: self)) }
}

extension DescriptorError: Refusal {
  var refusal: ToolError {
    switch self {
    case .rangeMissing, .rangeNotAllowed, .invalidRange: ToolError("bad_range", words(of: self))
    default: ToolError("bad_descriptor", words(of: self))
    }
  }
}
