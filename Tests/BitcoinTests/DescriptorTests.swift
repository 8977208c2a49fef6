import Bitcoin
import Encoding
import Secp256k1
import Testing
import VectorSupport

@Suite struct DescriptorTests {
  private func lines(_ text: String) -> [[String]] {
    text.split(separator: "\n").map { $0.split(separator: " ").map { DescriptorVectors.expand($0) } }
  }

  private func scripts(_ descriptor: Descriptor, count: Int) throws -> [Script] {
    try descriptor.scripts(in: descriptor.isRanged ? 0...UInt32(max(count, 1) - 1) : nil)
  }

  @Test func `the scripts of BIP 381 to 387 and 390 follow from their descriptors`() throws {
    var count = 0
    for line in lines(DescriptorVectors.valid) {
      let descriptor = try Descriptor(line[0])
      let expected = Array(line.dropFirst())
      // BIP 386 gives the last of its descriptors no script.
      let scripts = try scripts(descriptor, count: expected.count)
      if !expected.isEmpty { #expect(scripts.prefix(expected.count).map(\.hex) == expected, "\(line[0])") }
      // BIP 382 gives some ranged descriptors with a single script.
      try checkText(descriptor, line[0], scripts)
      count += 1
    }
    #expect(count == 60)
  }

  /// Both texts, with and without secrets, are read as the same scripts.
  private func checkText(_ descriptor: Descriptor, _ text: String, _ scripts: [Script]) throws {
    let withSecrets = descriptor.text(withSecrets: true)
    #expect(withSecrets.hasPrefix(text + "#"), "\(text) is written as \(withSecrets)")
    let again = try Descriptor(withSecrets, requireChecksum: true)
    #expect(again.text(withSecrets: true) == withSecrets)
    #expect(try self.scripts(again, count: scripts.count) == scripts)
    let publicText = descriptor.description
    #expect(!publicText.contains("prv"), "\(publicText)")
    let publicDescriptor = try Descriptor(publicText)
    #expect(publicDescriptor.description == publicText)
    do {
      #expect(try self.scripts(publicDescriptor, count: scripts.count) == scripts, "\(publicText)")
    } catch DescriptorError.hardenedDerivationNeedsSecretKey {
      // What a hardened step hides from the public text is in the normalized one, unless the last step is hardened.
      if !publicText.contains("/*h") && !publicText.contains("/*'") {
        #expect(throws: DescriptorError.hardenedDerivationNeedsSecretKey) { try publicDescriptor.normalizedText() }
        let normalized = try Descriptor(descriptor.normalizedText())
        #expect(try self.scripts(normalized, count: scripts.count) == scripts, "\(normalized)")
      }
    }
  }

  @Test func `combo has the scripts of BIP 384`() throws {
    for line in lines(DescriptorVectors.combo) {
      let descriptor = try Descriptor(line[0])
      let expected = Array(line.dropFirst())
      let range: ClosedRange<UInt32>? = descriptor.isRanged ? 0...UInt32(expected.count / 4 - 1) : nil
      #expect(try descriptor.scripts(in: range).map(\.hex) == expected, "\(line[0])")
    }
  }

  @Test func `what BIP 381 to 390 call invalid is refused`() {
    let invalid = lines(DescriptorVectors.invalid).map { $0.joined(separator: " ") }
    #expect(invalid.count == 61)
    for text in invalid {
      #expect(throws: DescriptorError.self, "\(text)") { try Descriptor(text) }
    }
  }

  @Test func `multipath descriptors expand as BIP 389 says`() throws {
    for line in lines(DescriptorVectors.multipath) {
      let descriptor = try Descriptor(line[0])
      #expect(descriptor.multipathCount == line.count - 1)
      let expanded = descriptor.expandingMultipath
      #expect(expanded.map { $0.text(withSecrets: true).prefix { $0 != "#" } } == line.dropFirst().map { $0[...] })
      #expect(throws: DescriptorError.multipath) { try descriptor.scripts(at: 0) }
      #expect(descriptor.text(withSecrets: true).hasPrefix(line[0] + "#"))
      for single in expanded { _ = try single.scripts(at: 0) }
    }
  }

  @Test func `key expressions are read as BIP 380 says`() throws {
    for line in lines(DescriptorVectors.validKeys) {
      let descriptor = try Descriptor("pk(\(line[0]))")
      let text = descriptor.text(withSecrets: true)
      let again = try Descriptor(text)
      #expect(again.text(withSecrets: true) == text)
      #expect(descriptor.isRanged == line[0].contains("*"))
      // A hardened step from an xpub can be written, but has no script.
      let key = line[0].split(separator: "]").last ?? ""
      let isUnderivable = key.hasPrefix("xpub") && key.split(separator: "/").dropFirst().contains { $0.last == "h" }
      if isUnderivable {
        #expect(throws: DescriptorError.hardenedDerivationNeedsSecretKey) { try descriptor.scripts(at: 0) }
      } else {
        #expect(try descriptor.scripts(at: 0).count == 1)
      }
    }
    for line in lines(DescriptorVectors.invalidKeys) {
      #expect(throws: DescriptorError.self, "\(line[0])") { try Descriptor("pk(\(line[0]))") }
    }
  }

  @Test func `checksums are as in BIP 380`() throws {
    #expect(try Descriptor("raw(deadbeef)#89f8spxm", requireChecksum: true).description == "raw(deadbeef)#89f8spxm")
    #expect(try Descriptor("raw(deadbeef)").description == "raw(deadbeef)#89f8spxm")
    #expect(throws: DescriptorError.missingChecksum) { try Descriptor("raw(deadbeef)", requireChecksum: true) }
    for text in ["raw(deadbeef)#", "raw(deadbeef)#89f8spxmx", "raw(deadbeef)#89f8spx", "raw(deadbeef)##9f8spxm"] {
      #expect(throws: DescriptorError.malformedChecksum, "\(text)") { try Descriptor(text) }
    }
    #expect(throws: DescriptorError.checksumMismatch(expected: "xj8ljs75")) { try Descriptor("raw(deedbeef)#89f8spxm") }
    #expect(throws: DescriptorError.invalidCharacter(at: 4)) { try Descriptor("raw(Ü)#00000000") }
    #expect(throws: DescriptorError.malformedChecksum) { try Descriptor("raw(deedbeef)##9f8spxm") }
  }

  @Test func `ranges are checked`() throws {
    let point = try PublicKey(hex: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    let key = ExtendedPublicKey.synthetic(point, networkKind: .main)
    let ranged = try Descriptor("pkh(\(key)/*)")
    #expect(throws: DescriptorError.rangeMissing) { try ranged.scripts(in: nil) }
    #expect(throws: DescriptorError.invalidRange) { try ranged.scripts(in: 0...0x8000_0000) }
    #expect(throws: DescriptorError.invalidRange) { try ranged.scripts(in: 0...1_000_000) }
    #expect(throws: DescriptorError.invalidRange) { try ranged.scripts(at: 0x8000_0000) }
    #expect(try ranged.scripts(in: 0x7fff_ffff...0x7fff_ffff).count == 1)
    #expect(try ranged.scripts(in: 5...7) == (5...7).flatMap { try ranged.scripts(at: $0) })
    #expect(throws: DescriptorError.rangeNotAllowed) { try Descriptor("raw(00)").scripts(in: 0...0) }
  }

  @Test func `nothing that comes from outside exhausts the stack`() {
    for piece in [
      "(", "sh(", "wsh(", "tr(", "{", "pk(", "musig(", "and_v(", "thresh(1,", "andor(", "n:", "or_i(0,", "wsh(or_i(",
      "a", "[", "<", ")", "}", ",",
    ] {
      for prefix in ["", "wsh(", "tr(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd,", "sh(wsh("] {
        let text = prefix + String(repeating: piece, count: 10_000)
        #expect(throws: DescriptorError.self, "\(text.prefix(60))") { try Descriptor(text) }
        let closed = text + "0" + String(repeating: ")", count: 10_000 + 2)
        #expect(throws: DescriptorError.self, "\(text.prefix(60))") { try Descriptor(closed) }
      }
    }
  }

  // MARK: What a node says

  @Test func `what a Bitcoin node refuses is refused`() {
    let refused = DescriptorNodeVectors.refused.split(separator: "\n")
    #expect(refused.count > 80)
    for line in refused {
      let text = DescriptorVectors.expand(line)
      #expect(throws: DescriptorError.self, "\(text)") { try Descriptor(text) }
    }
  }

  @Test func `what a Bitcoin node accepts has its text and its addresses`() throws {
    for line in DescriptorNodeVectors.accepted.split(separator: "\n") {
      let fields = line.split(separator: "\t").map { DescriptorVectors.expand($0) }
      let descriptor = try Descriptor(fields[0])
      #expect(descriptor.description == fields[1])
      let scripts = try descriptor.scripts(in: descriptor.isRanged ? 0...2 : nil)
      let addresses = scripts.compactMap { Address(scriptPubKey: $0, on: .bitcoin)?.description }
      #expect(addresses.joined(separator: " ") == fields[2], "\(fields[0])")
    }
  }

  @Test func `a secret anywhere in a descriptor opens the hardened steps of its xpub`() throws {
    let (xprv, xpub) = try {
      let key = try ExtendedSecretKey(seed: [UInt8](repeating: 3, count: 32), networkKind: .main)
      return (key.text, key.extendedPublicKey.description)
    }()
    let wif = PrivateKeyWIF(secretKey: try ExtendedSecretKey(xprv).secretKey.copy(), networkKind: .main).text
    let expected = try Descriptor("wsh(multi(1,\(xprv)/0,\(xprv)/1h))").scripts()
    #expect(try Descriptor("wsh(multi(1,\(xprv)/0,\(xpub)/1h))").scripts() == expected)
    #expect(try !Descriptor("wsh(multi(1,\(wif),\(xpub)/1h))").scripts().isEmpty)
    #expect(throws: DescriptorError.hardenedDerivationNeedsSecretKey) {
      try Descriptor("wsh(multi(1,\(xpub)/0,\(xpub)/1h))").scripts()
    }
  }

  @Test func `keys of a miniscript are told apart`() throws {
    let x = "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0"
    let other = "a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd"
    // Bitcoin Core takes 03… and the x coordinate alone for two keys; a signature for one is valid for the other.
    #expect(throws: DescriptorError.miniscript(.duplicateKeys)) {
      try Descriptor("tr(\(other),and_v(v:pk(03\(x)),pk(\(x))))")
    }
    let key = try ExtendedSecretKey(seed: [UInt8](repeating: 3, count: 32), networkKind: .main).text
    _ = try Descriptor("wsh(and_v(v:pk(\(key)/0h),pk(\(key)/1)))")
    #expect(throws: DescriptorError.miniscript(.duplicateKeys)) {
      try Descriptor("wsh(and_v(v:pk(\(key)/0h),pk(\(key)/1h)))")
    }
    #expect(throws: DescriptorError.miniscript(.duplicateKeys)) {
      try Descriptor("wsh(and_v(v:pk(\(key)/<0;1>),pk(\(key)/<2;1>)))")
    }
  }
}
