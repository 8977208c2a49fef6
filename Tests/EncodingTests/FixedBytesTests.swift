import Encoding
import Testing

/// Of interest in a release build above all: see `FixedSizeBytes.bytes`.
@Suite struct FixedBytesTests {
  @Test("fixed bytes written through generic code of another module are the bytes that they are")
  func writtenThroughGenerics() throws {
    let hashes = (1...4).map { byte in Bytes32(InlineArray(repeating: byte)) }
    let key = Bytes33(InlineArray(repeating: 0xee))
    var writer = ByteWriter()
    writer.write(key)
    for hash in hashes { writer.write(hash) }
    var expected = [UInt8](repeating: 0xee, count: 33)
    for byte: UInt8 in 1...4 { expected += [UInt8](repeating: byte, count: 32) }
    #expect(writer.bytes == expected)

    var reader = ByteReader(writer.bytes.bytes)
    #expect(try reader.read(Bytes33.self) == key)
    for hash in hashes { #expect(try reader.read(Bytes32.self) == hash) }
    #expect(hashes.map(\.array) == (1...4).map { [UInt8](repeating: $0, count: 32) })
    #expect(hashes.map(\.hex) == ["01", "02", "03", "04"].map { String(repeating: $0, count: 32) })
    #expect(reversed(hashes.map { Tag($0) }) == [UInt8](expected.dropFirst(33).reversed()))
    let inline: InlineArray<3, UInt8> = [7, 8, 9]
    #expect(bytes(of: inline) == [7, 8, 9])
  }

  @Test("fixed bytes are compared and hashed by all that tells them apart") func comparison() {
    var hashes: [Bytes32] = []
    for position in 0..<32 {
      var hash = Bytes32()
      hash[position] = 1
      hashes.append(hash)
    }
    #expect(Set(hashes).count == 32)
    #expect(hashes.sorted() == hashes.reversed())
    #expect(hashes.allSatisfy { $0 != Bytes32() && $0 > Bytes32() })
  }

  private struct Tag: TypedBytes {
    let raw: Bytes32
    var bytes: RawSpan { @_lifetime(borrow self) get { raw.bytes } }
    init(_ raw: Bytes32) { self.raw = raw }
  }

  private func reversed(_ values: [some FixedSizeBytes]) -> [UInt8] {
    var result: [UInt8] = []
    for value in values.reversed() { result += value.bytes.array.reversed() }
    return result
  }

  private func bytes<let count: Int>(of array: InlineArray<count, UInt8>) -> [UInt8] { array.bytes.array }
}
