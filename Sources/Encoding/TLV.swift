/// One record of a TLV stream (BOLT 1 §Type-Length-Value Format).
public struct TLVRecord: Hashable, Sendable {
  public var type: UInt64
  public var value: [UInt8]

  public init(type: UInt64, value: [UInt8]) {
    self.type = type
    self.value = value
  }
}

/// A TLV stream: records in strictly increasing order of type. Records that nobody knows survive unchanged.
public struct TLVStream: Hashable, Sendable {
  /// In strictly increasing order of type.
  public private(set) var records: [TLVRecord]

  public init() { records = [] }

  /// Reads records until the end of `bytes`. Refuses what BOLT 1 refuses: types or lengths that are not minimal, types
  /// that do not increase, values that are cut off. Unknown types are kept: see `refuseUnknownEven`.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    records = []
    var reader = ByteReader(bytes)
    while !reader.isAtEnd {
      let type = try reader.readBigSize()
      // BOLT 1: if decoded `type`s are not strictly-increasing (...): MUST fail to parse the `tlv_stream`.
      if let last = records.last, type <= last.type { throw .tlvOutOfOrder(type: type) }
      let length = try reader.readBigSize()
      // BOLT 1: if `length` exceeds the number of bytes remaining in the message: MUST fail to parse the `tlv_stream`.
      guard length <= UInt64(reader.remaining) else { throw .truncated }
      records.append(TLVRecord(type: type, value: try reader.readArray(count: Int(length))))
    }
  }

  /// Applies the even/odd rule. BOLT 1: if `type` is even: MUST fail to parse the `tlv_stream`; otherwise, if `type` is
  /// odd: MUST discard the next `length` bytes. (We keep them, so that what is passed on stays whole.)
  public func refuseUnknownEven(known: (UInt64) -> Bool) throws(DecodingError) {
    for record in records where record.type.isMultiple(of: 2) && !known(record.type) {
      throw .unknownEvenType(record.type)
    }
  }

  /// The value of a type; setting nil removes the record.
  public subscript(type: UInt64) -> [UInt8]? {
    get {
      let index = lowerBound(type)
      return index < records.count && records[index].type == type ? records[index].value : nil
    }
    set {
      let index = lowerBound(type)
      let exists = index < records.count && records[index].type == type
      switch (newValue, exists) {
      case (let value?, true): records[index].value = value
      case (let value?, false): records.insert(TLVRecord(type: type, value: value), at: index)
      case (nil, true): records.remove(at: index)
      case (nil, false): break
      }
    }
  }

  public func encode(to writer: inout ByteWriter) {
    for record in records {
      writer.writeBigSize(record.type)
      writer.writeBigSize(UInt64(record.value.count))
      writer.write(record.value)
    }
  }

  public var encoded: [UInt8] {
    var writer = ByteWriter()
    encode(to: &writer)
    return writer.bytes
  }

  private func lowerBound(_ type: UInt64) -> Int {
    var low = 0
    var high = records.count
    while low < high {
      let middle = (low + high) / 2
      if records[middle].type < type { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
