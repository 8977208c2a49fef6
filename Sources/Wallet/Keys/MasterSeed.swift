public import Bitcoin
internal import Encoding
internal import Hashing

/// What everything of a node follows from: the entropy of a BIP 39 phrase, 32 bytes for a new node. It is never printed; its owner wipes it
/// by letting it go.
public struct MasterSeed: ~Copyable, Sendable {
  /// The entropy, zeros behind it when it is shorter than 32 bytes.
  private let memory: SecretBytes32
  /// 16, 20, 24, 28 or 32 bytes.
  let byteCount: Int

  /// A new seed of 24 words from the operating system's randomness.
  public static func random() -> MasterSeed { MasterSeed(memory: .random(), byteCount: 32) }

  private init(memory: consuming SecretBytes32, byteCount: Int) {
    self.memory = memory
    self.byteCount = byteCount
  }

  /// Copies entropy, which the caller wipes. Nil unless it is 16, 20, 24, 28 or 32 bytes.
  init?(entropy: RawSpan) {
    guard 16...32 ~= entropy.byteCount, entropy.byteCount.isMultiple(of: 4) else { return nil }
    var bytes = Bytes32()
    defer { wipe(&bytes) }
    for index in 0..<entropy.byteCount { bytes[index] = entropy[index] }
    self.init(memory: SecretBytes32(bytes), byteCount: entropy.byteCount)
  }

  /// The seed behind a phrase of 12 to 24 English words. Throws `MnemonicError`.
  public init(phrase: String) throws(MnemonicError) {
    var entropy = try Mnemonic(phrase, language: .english).entropy
    defer { wipe(&entropy) }
    guard let seed = MasterSeed(entropy: entropy.bytes) else { throw .invalidEntropyLength(entropy.count) }
    self = seed
  }

  /// The entropy, borrowed.
  var entropy: RawSpan { @_lifetime(borrow self) get { memory.bytes.extracting(0..<byteCount) } }

  /// The phrase, 24 words for a new node. For the one command that shows it, and nothing else: strings cannot be wiped.
  public func revealPhrase() -> String {
    // Cannot fail: the length was checked.
    (try? Mnemonic(entropy: entropy.array))?.phrase ?? ""
  }

  /// The 64 bytes that BIP 32 starts from (BIP 39 with an empty passphrase). The caller wipes them.
  func makeBIP32Seed() -> [UInt8] { (try? Mnemonic(entropy: entropy.array))?.seed() ?? [] }
}
