internal import Encoding

/// One map as it stands in the bytes: where its records lie, in ascending order of their keys, no key twice.
struct PSBTRawMap {
  struct Record {
    var type: UInt64
    // Offsets: the key from its type on, the data behind the type, the value, and its end. 32 bits each, so that the list of
    // records is never much larger than the records.
    var key: UInt32
    var data: UInt32
    var keyEnd: UInt32
    var value: UInt32
    var end: UInt32
  }

  var records: [Record]

  /// Reads up to the separator and leaves `offset` behind it.
  init(_ bytes: [UInt8], offset: inout Int, location: PSBT.Location) throws(PSBTError) {
    records = []
    let start = offset
    let rest = bytes[start...]
    var reader = ByteReader(rest.bytes)
    var ascending = true
    do {
      while true {
        let keyLength = try reader.readCount()
        if keyLength == 0 { break }
        let key = start + reader.offset
        let keyBytes = try reader.read(count: keyLength)
        var keyReader = ByteReader(keyBytes)
        // BIP 174: "This compact size unsigned integer must be minimally encoded".
        let type = try keyReader.readCompactSize()
        let data = key + keyReader.offset
        let valueLength = try reader.readCount()
        let value = start + reader.offset
        try reader.skip(valueLength)
        let record = Record(
          type: type, key: UInt32(key), data: UInt32(data), keyEnd: UInt32(key + keyLength), value: UInt32(value),
          end: UInt32(value + valueLength))
        if let last = records.last, !Self.precedes(last, record, in: bytes) { ascending = false }
        records.append(record)
      }
    } catch {
      throw .malformedMap(location, error)
    }
    offset = start + reader.offset
    guard !ascending else { return }
    records.sort { Self.precedes($0, $1, in: bytes) }
    for index in records.indices.dropFirst() where !Self.precedes(records[index - 1], records[index], in: bytes) {
      throw .duplicateKey(location, key: Array(bytes[records[index].keyRange]))
    }
  }

  private static func precedes(_ a: Record, _ b: Record, in bytes: [UInt8]) -> Bool {
    bytes[a.keyRange].lexicographicallyPrecedes(bytes[b.keyRange])
  }
}

extension PSBTRawMap.Record {
  var keyRange: Range<Int> { Int(key)..<Int(keyEnd) }
  var dataRange: Range<Int> { Int(data)..<Int(keyEnd) }
  var valueRange: Range<Int> { Int(value)..<Int(end) }
}

/// A record of a type that is known, being read.
struct PSBTRecord {
  let field: PSBT.Field
  let data: ArraySlice<UInt8>
  let value: ArraySlice<UInt8>

  init(_ field: PSBT.Field, _ record: PSBTRawMap.Record, in bytes: [UInt8]) {
    self.field = field
    data = bytes[record.dataRange]
    value = bytes[record.valueRange]
  }

  var bytes: [UInt8] { Array(value) }
  var script: Script { Script(bytes) }

  // MARK: Keys

  func requireNoKeyData() throws(PSBTError) {
    guard data.isEmpty else { throw .invalidKeyLength(field, count: data.count) }
  }

  /// Key data of a fixed size.
  func key<T: FixedSizeBytes>(_ type: T.Type = T.self) throws(PSBTError) -> T {
    guard data.count == T.byteCount else { throw .invalidKeyLength(field, count: data.count) }
    do { return try T(copying: data.bytes) } catch { throw .invalidKey(field) }
  }

  func scriptKey() throws(PSBTError) -> PSBT.ScriptKey {
    guard data.count == 33 || data.count == 65 else { throw .invalidKeyLength(field, count: data.count) }
    guard let key = PSBT.ScriptKey(data.bytes) else { throw .invalidKey(field) }
    return key
  }

  // MARK: Values

  /// A value of a fixed size.
  func fixed<T: FixedSizeBytes>(_ type: T.Type = T.self) throws(PSBTError) -> T {
    guard value.count == T.byteCount else { throw .invalidValueLength(field, count: value.count) }
    do { return try T(copying: value.bytes) } catch { throw Self.invalidValue(field, error) }
  }

  func uint32() throws(PSBTError) -> UInt32 {
    guard value.count == 4 else { throw .invalidValueLength(field, count: value.count) }
    return try read { (reader) throws(DecodingError) in try reader.readUInt32LE() }
  }

  func uint64() throws(PSBTError) -> UInt64 {
    guard value.count == 8 else { throw .invalidValueLength(field, count: value.count) }
    return try read { (reader) throws(DecodingError) in try reader.readUInt64LE() }
  }

  /// The value as `body` reads it, which must use it up.
  func read<T>(_ body: (inout ByteReader) throws(DecodingError) -> T) throws(PSBTError) -> T {
    var reader = ByteReader(value.bytes)
    do {
      let result = try body(&reader)
      try reader.finish()
      return result
    } catch {
      throw Self.invalidValue(field, error)
    }
  }

  func keyOrigin() throws(PSBTError) -> PSBT.KeyOrigin {
    // 4 bytes and 4 for each step.
    guard value.count >= 4, value.count % 4 == 0 else { throw .invalidValueLength(field, count: value.count) }
    return try read { (reader) throws(DecodingError) in try PSBT.KeyOrigin(from: &reader) }
  }

  func tapKeyOrigin() throws(PSBTError) -> PSBT.TapKeyOrigin {
    try read { (reader) throws(DecodingError) in
      let count = try reader.readCount(minimumSize: 32)
      var hashes: [Bytes32] = []
      hashes.reserveCapacity(count)
      for _ in 0..<count { hashes.append(try reader.read()) }
      guard reader.remaining >= 4, reader.remaining % 4 == 0 else { throw .truncated }
      return PSBT.TapKeyOrigin(leafHashes: hashes, origin: try PSBT.KeyOrigin(from: &reader))
    }
  }

  private static func invalidValue(_ field: PSBT.Field, _ error: DecodingError) -> PSBTError {
    switch error {
    case .malformed(let reason): .invalidValue(field, reason)
    case .wrongLength(_, let actual): .invalidValueLength(field, count: actual)
    case .truncated: .invalidValue(field, "it is cut off")
    case .trailingBytes: .invalidValue(field, "something lies behind it")
    case .notMinimal: .invalidValue(field, "a number is not in its shortest form")
    default: .invalidValue(field, "it is malformed")
    }
  }
}

extension PSBT.KeyOrigin {
  /// Reads to the end.
  init(from reader: inout ByteReader) throws(DecodingError) {
    fingerprint = try reader.read()
    path = []
    path.reserveCapacity(reader.remaining / 4)
    while !reader.isAtEnd { path.append(try reader.readUInt32LE()) }
  }

  func encode(to writer: inout ByteWriter) {
    writer.write(fingerprint)
    for step in path { writer.writeLE(step) }
  }
}
