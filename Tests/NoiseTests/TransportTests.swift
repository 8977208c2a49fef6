import Encoding
import Foundation
import Hashing
import Noise
import Secp256k1
import Testing
import VectorSupport

struct TransportTests {
  private func pair(nonce: UInt64 = 0) throws -> Transport {
    let chainingKey = try Bytes32(hex: Appendix.chainingKey)
    let key = try Bytes32(hex: Appendix.initiatorSends)
    guard let encryptor = Encryptor(key: key, chainingKey: chainingKey, nonce: nonce),
      let decryptor = Decryptor(key: key, chainingKey: chainingKey, nonce: nonce)
    else { throw VectorError.unexpected("nonce \(nonce)") }
    return Transport(encryptor: encryptor, decryptor: decryptor)
  }

  private func run(_ expected: [Int: String]) throws {
    var transport = try pair()
    let hello = [UInt8]("hello".utf8)
    for number in 0...1001 {
      let message = try transport.encryptor.encrypt(hello)
      if let expected = expected[number] { #expect(Hex.encode(message) == expected, "message \(number)") }
      let received = try decrypt(message, &transport.decryptor)
      #expect(received == hello, "message \(number)")
    }
  }

  @Test func messagesAndTheirKeysRotateAsInBOLT8() throws { try run(Appendix.messages) }

  @Test(.vectors("../spec/bolts/08-transport.md"))
  func everyMessagePrintedInBOLT8() throws {
    let text = String(decoding: try Vectors.data("../spec/bolts/08-transport.md"), as: UTF8.self)
    var expected: [Int: String] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" || $0 == ":" }
      guard words.count == 3, words[0] == "output", let number = Int(words[1]) else { continue }
      expected[number] = String(words[2].dropFirst(2))
    }
    #expect(expected.keys.sorted() == [0, 1, 500, 501, 1000, 1001])
    try run(expected)
    Vectors.report("BOLT 8 appendix A, messages", cases: expected.count)
  }

  @Test(arguments: [0, 1, 65_534, 65_535])
  func messagesOfEverySizePass(byteCount: Int) throws {
    var transport = try pair()
    let message = [UInt8](repeating: 7, count: byteCount)
    let encrypted = try transport.encryptor.encrypt(message)
    #expect(encrypted.count == byteCount + 34)
    let received = try decrypt(encrypted, &transport.decryptor)
    #expect(received == message)
  }

  @Test func aMessageThatIsTooLongIsRefusedAndLeavesTheKeysUnused() throws {
    var transport = try pair()
    let failure = refusal(of: &transport) { transport throws(TransportError) in
      _ = try transport.encryptor.encrypt([UInt8](repeating: 0, count: 65_536))
    }
    #expect(failure == .messageTooLong(65_536))
    let nonce = transport.encryptor.nonce
    #expect(nonce == 0)
  }

  @Test func aChangedBitClosesTheConnection() throws {
    for bit in stride(from: 0, to: 39 * 8, by: 5) {
      var transport = try pair()
      var message = try transport.encryptor.encrypt([UInt8]("hello".utf8))
      message[bit / 8] ^= 1 << UInt8(bit % 8)
      let header = Array(message.prefix(18))
      let body = Array(message.dropFirst(18))
      let failure = refusal(of: &transport) { transport throws(TransportError) in
        _ = try transport.decryptor.decryptLength(header)
        _ = try transport.decryptor.decryptMessage(body)
      }
      #expect(failure == (bit / 8 < 18 ? .badLengthTag : .badMessageTag), "bit \(bit)")
      let needed = transport.decryptor.neededByteCount
      #expect(needed == 0)
      #expect(refusalOfLength(header, &transport) == .closed)
      #expect(refusalOfMessage(body, &transport) == .closed)
    }
  }

  @Test func stepsOutOfOrderAndWrongSizesAreErrors() throws {
    var transport = try pair()
    let message = try transport.encryptor.encrypt([UInt8]("hello".utf8))
    let header = Array(message.prefix(18))
    #expect(refusalOfMessage(message, &transport) == .outOfOrder)
    for count in [0, 17, 19] {
      #expect(
        refusalOfLength(Array(message.prefix(count)), &transport) == .wrongLength(expected: 18, actual: count))
    }
    #expect(refusalOfLength(header, &transport) == nil)
    #expect(refusalOfLength(header, &transport) == .outOfOrder)
    #expect(refusalOfMessage([], &transport) == .wrongLength(expected: 21, actual: 0))
    let received = try transport.decryptor.decryptMessage(Array(message.dropFirst(18)))
    #expect(received == [UInt8]("hello".utf8))
  }

  @Test func aReplayedMessageIsRefused() throws {
    var transport = try pair()
    let message = try transport.encryptor.encrypt([1])
    _ = try decrypt(message, &transport.decryptor)
    #expect(refusalOfLength(Array(message.prefix(18)), &transport) == .badLengthTag)
  }

  @Test func aKeyIsNeverUsedBeyondAThousandTimes() throws {
    for nonce in [1000, 1001, UInt64.max] {
      let encryptor = Encryptor(key: Bytes32(), chainingKey: Bytes32(), nonce: nonce)
      let decryptor = Decryptor(key: Bytes32(), chainingKey: Bytes32(), nonce: nonce)
      let made = encryptor != nil || decryptor != nil
      #expect(!made, "nonce \(nonce)")
    }
    // An odd start rotates between a length and its message.
    var transport = try pair(nonce: 999)
    let message = try transport.encryptor.encrypt([1, 2])
    let nonce = transport.encryptor.nonce
    #expect(nonce == 1)
    let received = try decrypt(message, &transport.decryptor)
    #expect(received == [1, 2])
  }

  @Test func theKeysAreWipedAtTheEnd() throws {
    let seen = Seen()
    try SecretBytesObserver.$current.withValue(SecretBytesObserver { seen.add($0.array) }) {
      let transport = try pair()
      _ = consume transport
    }
    #expect(seen.all.count == 4)
    #expect(seen.all.allSatisfy { $0 == [UInt8](repeating: 0, count: 32) })
  }

  private func refusal(
    of transport: inout Transport, _ body: (inout Transport) throws(TransportError) -> Void
  ) -> TransportError? {
    do throws(TransportError) {
      try body(&transport)
      return nil
    } catch {
      return error
    }
  }

  private func refusalOfLength(_ header: [UInt8], _ transport: inout Transport) -> TransportError? {
    refusal(of: &transport) { transport throws(TransportError) in _ = try transport.decryptor.decryptLength(header) }
  }

  private func refusalOfMessage(_ body: [UInt8], _ transport: inout Transport) -> TransportError? {
    refusal(of: &transport) { transport throws(TransportError) in _ = try transport.decryptor.decryptMessage(body) }
  }
}

private final class Seen: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [[UInt8]] = []
  func add(_ value: [UInt8]) { lock.withLock { values.append(value) } }
  var all: [[UInt8]] { lock.withLock { values } }
}
