internal import BOLT
internal import Encoding
internal import GLC
internal import Storage
internal import Wire

/// Updates of a channel in records of their own: each is written once, together with those that came with it, and its record is deleted when
/// none of them is in the channel's log any more. The channel's own record then stays small, however many payments are pending.
struct StoredUpdates: Sendable {
  /// By the first serial number: those that are still wanted.
  private var records: [UInt64: Int] = [:]
  /// In which record an update stands.
  private var places: [UInt64: UInt64] = [:]

  init() {}

  /// Smaller ones are written with the channel each time: a record of their own costs more.
  private static let smallest = 200

  /// The channel's record, and what else has to be written so that it can be read.
  mutating func encode(_ channel: LightningChannel, to changes: inout [Change]) {
    var fresh: [(serial: UInt64, bytes: [UInt8])] = []
    var wanted: [UInt64: UInt64] = [:]
    wanted.reserveCapacity(places.count)
    let bytes = channel.encoded { serial, update in
      if let place = places[serial] {
        wanted[serial] = place
        return true
      }
      let bytes = update.encoded
      guard bytes.count >= Self.smallest else { return false }
      fresh.append((serial, bytes))
      return true
    }
    changes.append(.put(.channels, key: channel.id.array, value: bytes))
    for (serial, place) in places where wanted[serial] == nil {
      let left = records[place, default: 1] - 1
      records[place] = left > 0 ? left : nil
      if left == 0 { changes.append(.delete(.updates, key: channel.id.key(place))) }
    }
    places = wanted
    guard let first = fresh.first else { return }
    var writer = ByteWriter(reservingCapacity: fresh.count * 1500)
    writer.write(1 as UInt8)
    for (serial, bytes) in fresh {
      places[serial] = first.serial
      writer.write(serial)
      writer.writeBigSize(UInt64(bytes.count))
      writer.write(bytes)
    }
    records[first.serial] = fresh.count
    changes.append(.put(.updates, key: channel.id.key(first.serial), value: writer.bytes))
  }

  /// Reads what was written, into `found` by serial number. Some of it may have left the channel's log since.
  init(_ stored: [StoreRecord], found: inout [UInt64: [UInt8]]) throws(DecodingError) {
    for record in stored where record.key.count == 40 {
      var reader = ByteReader(record.value.bytes)
      guard try reader.readUInt8() == 1 else { throw .malformed("unknown version of updates") }
      let place = record.key[32...].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      while reader.remaining > 0 {
        let serial = try reader.readUInt64()
        let count = try reader.readBigSize()
        guard count <= UInt64(reader.remaining) else { throw .truncated }
        found[serial] = try reader.readArray(count: Int(count))
        places[serial] = place
        records[place, default: 0] += 1
      }
    }
  }
}
