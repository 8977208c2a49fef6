internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1

// How records are written. Each begins with a version; a reader that meets another one refuses it.

extension ByteWriter {
  mutating func writeSized(_ bytes: [UInt8]) {
    writeBigSize(UInt64(bytes.count))
    write(bytes)
  }

  mutating func writeSized(_ text: String) { writeSized(Array(text.utf8)) }
  mutating func write(_ amount: MilliSatoshi) { write(amount.rawValue) }
  mutating func write(_ time: PaymentTime) { write(time.milliseconds) }
  mutating func write(_ flag: Bool) { write((flag ? 1 : 0) as UInt8) }

  mutating func writeOptional<T>(_ value: T?, _ body: (inout ByteWriter, T) -> Void) {
    write(value != nil)
    if let value { body(&self, value) }
  }

  mutating func writeList<T>(_ values: [T], _ body: (inout ByteWriter, T) -> Void) {
    writeBigSize(UInt64(values.count))
    for value in values { body(&self, value) }
  }
}

extension ByteReader {
  @_lifetime(self: copy self)
  mutating func readSizedBytes() throws(DecodingError) -> [UInt8] {
    let count = try readBigSize()
    guard count <= UInt64(remaining) else { throw .truncated }
    return try readArray(count: Int(count))
  }

  @_lifetime(self: copy self)
  mutating func readText() throws(DecodingError) -> String {
    guard let text = String(validating: try readSizedBytes(), as: UTF8.self) else { throw .malformed("not UTF-8") }
    return text
  }

  @_lifetime(self: copy self)
  mutating func readAmount() throws(DecodingError) -> MilliSatoshi { MilliSatoshi(try readUInt64()) }
  @_lifetime(self: copy self)
  mutating func readTime() throws(DecodingError) -> PaymentTime { PaymentTime(milliseconds: try readUInt64()) }

  @_lifetime(self: copy self)
  mutating func readFlag() throws(DecodingError) -> Bool {
    switch try readUInt8() {
    case 0: false
    case 1: true
    default: throw .malformed("neither true nor false")
    }
  }

  /// How many values of at least so many bytes follow: no more than can be there.
  @_lifetime(self: copy self)
  mutating func readCount(of minimumSize: Int) throws(DecodingError) -> Int {
    let count = try readBigSize()
    guard count <= UInt64(remaining / minimumSize) else { throw .truncated }
    return Int(count)
  }

  @_lifetime(self: copy self)
  mutating func readLock() throws(DecodingError) -> PaymentLock {
    let bytes = try readSizedBytes()
    return try PaymentLock(decoding: bytes.bytes)
  }

  /// The version of a record of which older forms are read too.
  @_lifetime(self: copy self)
  mutating func readVersion(upTo latest: UInt8) throws(DecodingError) -> UInt8 {
    let version = try readUInt8()
    guard 1...latest ~= version else { throw .malformed("a record of an unknown version") }
    return version
  }

  @_lifetime(self: copy self)
  mutating func readVersion(_ known: UInt8) throws(DecodingError) {
    guard try readUInt8() == known else { throw .malformed("a record of an unknown version") }
  }
}
