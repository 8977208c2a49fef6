public import Encoding
internal import Hashing

/// The two directions of a connection after the handshake (BOLT 8 §Lightning Message Specification). They share nothing: a reader and
/// a writer can own one each.
@frozen public struct Transport: ~Copyable, Sendable {
  public var encryptor: Encryptor
  public var decryptor: Decryptor

  public init(encryptor: consuming Encryptor, decryptor: consuming Decryptor) {
    self.encryptor = encryptor
    self.decryptor = decryptor
  }

  /// BOLT 8: The *maximum* size of _any_ Lightning message MUST NOT exceed `65535` bytes.
  public static var maximumMessageByteCount: Int { 65_535 }
  /// The encrypted length and its tag.
  public static var headerByteCount: Int { 18 }
  /// What the tag adds to a message.
  public static var tagByteCount: Int { 16 }
}

public enum TransportError: Error, Hashable, Sendable {
  /// A message of more than 65,535 bytes was to be sent.
  case messageTooLong(Int)
  /// Another number of bytes than was asked for.
  case wrongLength(expected: Int, actual: Int)
  /// The tag of a length is wrong: the connection must be closed.
  case badLengthTag
  /// The tag of a message is wrong: the connection must be closed.
  case badMessageTag
  /// A length where a message was due, or the reverse.
  case outOfOrder
  /// Something was wrong before.
  case closed
}

/// One key of the transport with its chaining key and nonce.
struct CipherState: ~Copyable, Sendable {
  private(set) var key: SecretBytes32
  private(set) var chainingKey: SecretBytes32
  private(set) var nonce: UInt64

  /// `nonce` is below 1,000.
  init(key: consuming SecretBytes32, chainingKey: consuming SecretBytes32, nonce: UInt64 = 0) {
    self.key = key
    self.chainingKey = chainingKey
    self.nonce = nonce
  }

  mutating func encrypt(_ plaintext: RawSpan, appendingTo output: inout [UInt8]) {
    ChaCha20Poly1305.seal(
      key: key, nonce: noiseNonce(nonce), associatedData: RawSpan(), plaintext: plaintext, appendingTo: &output)
    advance()
  }

  mutating func decrypt(_ ciphertext: RawSpan) -> [UInt8]? {
    let plaintext = ChaCha20Poly1305.open(
      key: key, nonce: noiseNonce(nonce), associatedData: RawSpan(), ciphertext: ciphertext)
    advance()
    return plaintext
  }

  /// Like `decrypt`, for what has a length of its own: no array is made.
  mutating func decryptLength(_ ciphertext: RawSpan) -> Int? {
    let plaintext = ChaCha20Poly1305.open(
      key: key, nonce: noiseNonce(nonce), associatedData: RawSpan(), ciphertext: ciphertext, as: FixedBytes<2>.self)
    advance()
    return plaintext.map { Int($0[0]) << 8 | Int($0[1]) }
  }

  private mutating func advance() {
    nonce += 1
    // BOLT 8: A key is to be rotated after a party encrypts or decrypts 1000 times with it (i.e. every 500 messages).
    guard nonce >= Self.usesPerKey else { return }
    HKDFSHA256.rotate(chainingKey: &chainingKey, key: &key)
    nonce = 0
  }

  static let usesPerKey: UInt64 = 1000
}

/// What we send.
public struct Encryptor: ~Copyable, Sendable {
  private var state: CipherState

  init(state: consuming CipherState) { self.state = state }

  /// Continues from known keys, 32 bytes each. Nil for a nonce of 1,000 or more, at which a key is never used.
  public init?(key: Bytes32, chainingKey: Bytes32, nonce: UInt64 = 0) {
    guard nonce < CipherState.usesPerKey else { return nil }
    state = CipherState(key: SecretBytes32(key), chainingKey: SecretBytes32(chainingKey), nonce: nonce)
  }

  /// Appends the encrypted message, 34 bytes longer than `message`: its length and itself, each with its tag.
  /// Throws `.messageTooLong`; the keys have then not been used.
  public mutating func encrypt(_ message: RawSpan, appendingTo output: inout [UInt8]) throws(TransportError) {
    guard let length = UInt16(exactly: message.byteCount) else { throw .messageTooLong(message.byteCount) }
    output.reserveCapacity(output.count + message.byteCount + Transport.headerByteCount + Transport.tagByteCount)
    let header: InlineArray<2, UInt8> = [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)]
    state.encrypt(header.bytes, appendingTo: &output)
    state.encrypt(message, appendingTo: &output)
  }

  public mutating func encrypt(_ message: RawSpan) throws(TransportError) -> [UInt8] {
    var output: [UInt8] = []
    try encrypt(message, appendingTo: &output)
    return output
  }

  public mutating func encrypt(_ message: [UInt8]) throws(TransportError) -> [UInt8] { try encrypt(message.bytes) }

  /// The secrets, for a tool that shows them.
  package var key: RawSpan { @_lifetime(borrow self) get { state.key.bytes } }
  package var chainingKey: RawSpan { @_lifetime(borrow self) get { state.chainingKey.bytes } }
  package var nonce: UInt64 { state.nonce }
}

/// What we receive, in two steps: 18 bytes that say how many follow, then those.
public struct Decryptor: ~Copyable, Sendable {
  private var state: CipherState
  private var expected = Expected.length

  private enum Expected: Sendable {
    case length
    case message(byteCount: Int)
    case nothing
  }

  init(state: consuming CipherState) { self.state = state }

  /// Continues from known keys, 32 bytes each. Nil for a nonce of 1,000 or more, at which a key is never used.
  public init?(key: Bytes32, chainingKey: Bytes32, nonce: UInt64 = 0) {
    guard nonce < CipherState.usesPerKey else { return nil }
    state = CipherState(key: SecretBytes32(key), chainingKey: SecretBytes32(chainingKey), nonce: nonce)
  }

  /// How many bytes the next step needs: 18 for a length, otherwise the message with its tag; 0 after an error.
  public var neededByteCount: Int {
    switch expected {
    case .length: Transport.headerByteCount
    case .message(let byteCount): byteCount + Transport.tagByteCount
    case .nothing: 0
    }
  }

  /// Reads the 18 bytes before a message. The number of bytes that follow them: the message's length and 16.
  public mutating func decryptLength(_ header: RawSpan) throws(TransportError) -> Int {
    guard case .length = expected else { throw refusal }
    guard header.byteCount == Transport.headerByteCount else {
      throw .wrongLength(expected: Transport.headerByteCount, actual: header.byteCount)
    }
    guard let length = state.decryptLength(header) else {
      expected = .nothing
      throw .badLengthTag
    }
    expected = .message(byteCount: length)
    return length + Transport.tagByteCount
  }

  /// Reads the encrypted message with its tag, as many bytes as `decryptLength` has said. The message.
  public mutating func decryptMessage(_ body: RawSpan) throws(TransportError) -> [UInt8] {
    guard case .message(let byteCount) = expected else { throw refusal }
    guard body.byteCount == byteCount + Transport.tagByteCount else {
      throw .wrongLength(expected: byteCount + Transport.tagByteCount, actual: body.byteCount)
    }
    guard let message = state.decrypt(body) else {
      expected = .nothing
      throw .badMessageTag
    }
    expected = .length
    return message
  }

  public mutating func decryptLength(_ header: [UInt8]) throws(TransportError) -> Int {
    try decryptLength(header.bytes)
  }

  public mutating func decryptMessage(_ body: [UInt8]) throws(TransportError) -> [UInt8] {
    try decryptMessage(body.bytes)
  }

  private var refusal: TransportError {
    if case .nothing = expected { .closed } else { .outOfOrder }
  }

  /// The secrets, for a tool that shows them.
  package var key: RawSpan { @_lifetime(borrow self) get { state.key.bytes } }
  package var chainingKey: RawSpan { @_lifetime(borrow self) get { state.chainingKey.bytes } }
  package var nonce: UInt64 { state.nonce }
}
