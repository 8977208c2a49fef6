internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1

// Pieces of messages and records.

extension ByteReader {
  @_lifetime(self: copy self)
  mutating func readSized(atMost limit: Int = NegotiationLimits.whole) throws(DecodingError) -> [UInt8] {
    let count = try readBigSize()
    guard count <= UInt64(limit) else { throw .malformed("more bytes than are allowed") }
    guard count <= UInt64(remaining) else { throw .truncated }
    return try readArray(count: Int(count))
  }

  /// A number of things that take at least so many bytes each.
  @_lifetime(self: copy self)
  mutating func readCount(ofAtLeast size: Int, atMost limit: Int) throws(DecodingError) -> Int {
    let count = try readBigSize()
    guard count <= UInt64(limit) else { throw .malformed("more than are allowed") }
    guard count <= UInt64(remaining / max(size, 1)) else { throw .truncated }
    return Int(count)
  }

  @_lifetime(self: copy self)
  mutating func readFlag() throws(DecodingError) -> Bool {
    switch try readUInt8() {
    case 0: return false
    case 1: return true
    default: throw .malformed("a flag that is neither 0 nor 1")
    }
  }

  @_lifetime(self: copy self)
  mutating func readBasepoints() throws(DecodingError) -> Basepoints {
    var keys: [Basepoint: PublicKey] = [:]
    var last: UInt8?
    for _ in 0..<(try readCount(ofAtLeast: 34, atMost: 64)) {
      let number = try readUInt8()
      if let last, last >= number { throw .malformed("basepoints that are not in ascending order") }
      last = number
      keys[Basepoint(rawValue: number)] = try read()
    }
    return Basepoints(keys)
  }

  @_lifetime(self: copy self)
  mutating func readTransaction() throws(DecodingError) -> Transaction {
    try Transaction(decoding: readSized())
  }

  @_lifetime(self: copy self)
  mutating func readWitness() throws(DecodingError) -> Witness {
    let bytes = try readSized(atMost: Int(NegotiationLimits.weight.rawValue))
    var reader = ByteReader(bytes.bytes)
    let witness = try Witness(from: &reader)
    try reader.finish()
    return witness
  }

  @_lifetime(self: copy self)
  mutating func readExtensions() throws(DecodingError) -> [ExtensionID] {
    var ids: [ExtensionID] = []
    for _ in 0..<(try readCount(ofAtLeast: 2, atMost: 64)) { ids.append(ExtensionID(rawValue: try readUInt16())) }
    return ids
  }
}

extension ByteWriter {
  mutating func write(flag: Bool) { write(flag ? 1 : 0 as UInt8) }

  mutating func write(_ basepoints: Basepoints) {
    writeBigSize(UInt64(basepoints.all.count))
    for entry in basepoints.all {
      write(entry.basepoint.rawValue)
      write(entry.key)
    }
  }

  mutating func write(_ ids: [ExtensionID]) {
    writeBigSize(UInt64(ids.count))
    for id in ids { write(id.rawValue) }
  }

  mutating func write(_ witness: Witness) {
    var inner = ByteWriter()
    witness.encode(to: &inner)
    writeBigSized(inner.bytes)
  }

  mutating func write<Value>(optional value: Value?, _ body: (Value, inout ByteWriter) -> Void) {
    write(flag: value != nil)
    if let value { body(value, &self) }
  }
}
