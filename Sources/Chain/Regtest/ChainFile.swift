internal import Bitcoin
internal import Encoding
internal import Hashing

/// The history of a regtest chain: what happened, in order, so that doing it again leads to the same state.
///
/// A file of records behind eight bytes of magic. A record is a type (1 byte), a length (4 bytes, little-endian), that many bytes, and
/// the first 4 bytes of the double SHA-256 of all before. A record that breaks off at the end of the file was being written when
/// its process died: it is cut off. One that is damaged elsewhere is an error.
struct ChainFile {
  enum Record: Hashable, Sendable {
    case block(Block)
    case invalidate(BlockHash)
    case reconsider(BlockHash)
    /// Entered the mempool together.
    case transactions([Transaction])
  }

  static let magic: [UInt8] = Array("GLCCHN\u{0}\u{1}".utf8)
  private let file: AppendFile

  /// Opens or creates the file, and reads what it holds.
  static func open(_ path: String) throws(ChainError) -> (ChainFile, [Record]) {
    do {
      let file = try AppendFile(path)
      let bytes = try file.readAll()
      guard bytes.count >= magic.count else {
        // Nothing yet, or not even the magic was written.
        guard magic.starts(with: bytes) else { throw ChainError.storage("\(path) is not a chain file") }
        try file.truncate(to: 0)
        try file.append(magic)
        return (ChainFile(file: file), [])
      }
      guard bytes.starts(with: magic) else { throw ChainError.storage("\(path) is not a chain file") }
      let (records, end) = try parse(bytes, path: path)
      if end < bytes.count { try file.truncate(to: end) }
      return (ChainFile(file: file), records)
    } catch let error as SystemError {
      throw .storage(error.description)
    } catch let error as ChainError {
      throw error
    } catch {
      throw .storage("\(error)")
    }
  }

  func append(_ record: Record) throws(ChainError) {
    do { try file.append(Self.encode(record)) } catch { throw .storage(error.description) }
  }

  // MARK: Format

  static func encode(_ record: Record) -> [UInt8] {
    var payload = ByteWriter()
    let type: UInt8
    switch record {
    case .block(let block):
      type = 1
      payload.write(block.encoded)
    case .invalidate(let hash):
      type = 2
      payload.write(hash)
    case .reconsider(let hash):
      type = 3
      payload.write(hash)
    case .transactions(let transactions):
      type = 4
      payload.writeCompactSize(transactions.count)
      for transaction in transactions { transaction.encode(to: &payload) }
    }
    var writer = ByteWriter(reservingCapacity: payload.count + 9)
    writer.write(type)
    writer.writeLE(UInt32(payload.count))
    writer.write(payload.bytes)
    let checksum = sha256d(writer.bytes)
    writer.write(Array(checksum.array.prefix(4)))
    return writer.bytes
  }

  /// The records, and where the last whole one ends.
  static func parse(_ bytes: [UInt8], path: String) throws(ChainError) -> ([Record], end: Int) {
    var records: [Record] = []
    var start = magic.count
    while start < bytes.count {
      let rest = bytes.count - start
      guard rest >= 9 else { break }
      let length = (1...4).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * ($1 - 1)) }
      guard length <= rest - 9 else { break }
      let end = start + 5 + length
      let checksum = sha256d(bytes[start..<end].bytes)
      guard bytes[end..<end + 4].elementsEqual(checksum.array.prefix(4)) else {
        if end + 4 == bytes.count { break }
        throw .storage("\(path) is damaged at offset \(start)")
      }
      do {
        records.append(try decode(bytes[start], bytes[start + 5..<end].bytes))
      } catch {
        throw .storage("\(path) is damaged at offset \(start): \(error)")
      }
      start = end + 4
    }
    return (records, start)
  }

  private static func decode(_ type: UInt8, _ payload: RawSpan) throws(DecodingError) -> Record {
    var reader = ByteReader(payload)
    let record: Record
    switch type {
    case 1: record = .block(try Block(from: &reader))
    case 2: record = .invalidate(try reader.read())
    case 3: record = .reconsider(try reader.read())
    case 4:
      var transactions: [Transaction] = []
      for _ in 0..<(try reader.readCount(minimumSize: 60)) { transactions.append(try Transaction(from: &reader)) }
      record = .transactions(transactions)
    default: throw .malformed("unknown record")
    }
    try reader.finish()
    return record
  }
}
