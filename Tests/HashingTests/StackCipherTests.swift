import Encoding
import Hashing
import Testing

/// The ciphers over bytes of a fixed size do what they do over arrays.
@Suite("Ciphers over bytes on the stack")
struct StackCipherTests {
  private let key = sha256([1])

  @Test("A stream is the same from every offset, across block boundaries")
  func streams() {
    for offset in [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 1300] {
      var fixed = FixedBytes<32>()
      for index in 0..<32 { fixed[index] = UInt8(index) }
      var array = fixed.array
      ChaCha20.apply(key: key, streamOffset: offset, to: &fixed)
      ChaCha20.apply(key: key, streamOffset: offset, to: &array, in: 0..<32)
      #expect(fixed.array == array, "offset \(offset)")
    }
    var none = FixedBytes<0>()
    ChaCha20.apply(key: key, streamOffset: 3, to: &none)
    #expect(none.array.isEmpty)
  }

  @Test("What was sealed is opened; another tag, length or key opens nothing")
  func opening() {
    let secret = SecretBytes32(key)
    let other = SecretBytes32(sha256([2]))
    let nonce = FixedBytes<12>()
    let plaintext: [UInt8] = [0xca, 0xfe]
    var sealed: [UInt8] = []
    ChaCha20Poly1305.seal(
      key: secret, nonce: nonce, associatedData: plaintext.bytes, plaintext: plaintext.bytes, appendingTo: &sealed)
    let opened = ChaCha20Poly1305.open(
      key: secret, nonce: nonce, associatedData: plaintext.bytes, ciphertext: sealed.bytes, as: FixedBytes<2>.self)
    #expect(opened?.array == plaintext)
    for size in [0, 1, 15, 16, 17] {
      let short = Array(sealed.prefix(size))
      let opened = ChaCha20Poly1305.open(
        key: secret, nonce: nonce, associatedData: plaintext.bytes, ciphertext: short.bytes, as: FixedBytes<2>.self)
      #expect(opened == nil, "\(size) bytes")
    }
    let larger = ChaCha20Poly1305.open(
      key: secret, nonce: nonce, associatedData: plaintext.bytes, ciphertext: sealed.bytes, as: FixedBytes<3>.self)
    #expect(larger == nil)
    let foreign = ChaCha20Poly1305.open(
      key: other, nonce: nonce, associatedData: plaintext.bytes, ciphertext: sealed.bytes, as: FixedBytes<2>.self)
    #expect(foreign == nil)
    for index in sealed.indices {
      var damaged = sealed
      damaged[index] ^= 1
      let opened = ChaCha20Poly1305.open(
        key: secret, nonce: nonce, associatedData: plaintext.bytes, ciphertext: damaged.bytes, as: FixedBytes<2>.self)
      #expect(opened == nil, "byte \(index)")
    }
  }
}
