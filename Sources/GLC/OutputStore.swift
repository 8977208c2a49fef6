internal import Bitcoin
internal import Encoding

/// An output of a draft or a commitment, as short as it can be: what stands in the transaction, and where the rest is.
struct OutputEntry: Sendable {
  var value: Satoshi
  /// Value, length and scriptPubKey as they stand in the transaction, when that is a witness program of 32 bytes; otherwise the value
  /// alone.
  var encoded: FixedBytes<43>
  var tieBreak: UInt32
  var source: Source
  var tag: OutputTag

  enum Source: Sendable {
    /// In `OutputStore.described`.
    case described(Int32)
    /// A member of one of `OutputStore.families`.
    case member(Int32, of: Int16)
  }
}

/// The outputs of a draft or a commitment.
struct OutputStore: Sendable {
  var entries: [OutputEntry] = []
  var described: [DraftOutput] = []
  var families: [any OutputFamily] = []

  mutating func append(_ output: DraftOutput) {
    var writer = FixedByteWriter<43>()
    writer.writeLE(output.value.rawValue)
    let script = output.lock.scriptPubKey
    if script.count == 34 {
      writer.write(34 as UInt8)
      writer.write(script.bytes.bytes)
    }
    entries.append(
      OutputEntry(
        value: output.value, encoded: writer.padded, tieBreak: output.tieBreak,
        source: .described(Int32(described.count)), tag: output.tag))
    described.append(output)
  }

  mutating func append(
    _ member: Int, of family: Int, tag: OutputTag, value: Satoshi, version: Opcode, program: Bytes32, tieBreak: UInt32
  ) {
    var writer = FixedByteWriter<43>()
    writer.writeLE(value.rawValue)
    writer.write(34 as UInt8)
    writer.write(version.rawValue)
    writer.write(0x20 as UInt8)
    writer.write(program)
    entries.append(
      OutputEntry(
        value: value, encoded: writer.padded, tieBreak: tieBreak,
        source: .member(Int32(truncatingIfNeeded: member), of: Int16(truncatingIfNeeded: family)), tag: tag))
  }

  /// The output at a position, written out.
  func output(at position: Int) -> DraftOutput {
    let entry = entries[position]
    switch entry.source {
    case .described(let index): return described[Int(index)]
    case .member(let member, let family):
      let family = families[Int(family)]
      return DraftOutput(
        tag: entry.tag, value: entry.value, lock: family.lock(of: Int(member)), paths: family.paths(of: Int(member)),
        tieBreak: entry.tieBreak)
    }
  }

  /// The script of an output whose script has 34 bytes.
  func script(at position: Int) -> FixedBytes<34> {
    var writer = FixedByteWriter<34>()
    let encoded = entries[position].encoded
    writer.write(encoded.bytes.extracting(9..<43))
    return writer.padded
  }

  /// The script when it is not one of 34 bytes.
  private func otherScript(_ entry: OutputEntry) -> Script? {
    if entry.encoded[8] == 34 { return nil }
    guard case .described(let index) = entry.source else { return nil }
    return described[Int(index)].lock.scriptPubKey
  }

  /// In bytes.
  func outputSize(at position: Int) -> Int {
    guard let script = otherScript(entries[position]) else { return 43 }
    return 8 + (script.count < 0xfd ? 1 : script.count < 0x10000 ? 3 : 5) + script.count
  }

  func write(_ position: Int, to writer: inout ByteWriter) {
    let entry = entries[position]
    if let script = otherScript(entry) {
      writer.writeLE(entry.value.rawValue)
      writer.writeCompactSized(script.bytes)
    } else {
      writer.write(entry.encoded)
    }
  }

  func txOutput(at position: Int) -> TxOutput {
    let entry = entries[position]
    return TxOutput(
      value: entry.value,
      scriptPubKey: otherScript(entry) ?? Script(entry.encoded.bytes.extracting(9..<43).array))
  }

  /// BOLT 3 §Transaction Output Ordering: by value, then script, then, for outputs that are alike, `cltv_expiry`.
  mutating func sort() {
    guard entries.count > 1 else { return }
    // Numbers are moved rather than entries.
    var places: [Place] = []
    places.reserveCapacity(entries.count)
    for index in entries.indices {
      places.append(Place(value: entries[index].value.rawValue, index: Int32(truncatingIfNeeded: index)))
    }
    if places.count < 64 {
      places.sort { $0.value != $1.value ? $0.value < $1.value : scriptPrecedes(Int($0.index), Int($1.index)) }
    } else {
      places.sortByValue()
      sortEqualValues(&places)
    }
    var sorted: [OutputEntry] = []
    sorted.reserveCapacity(entries.count)
    for place in places { sorted.append(entries[Int(place.index)]) }
    entries = sorted
  }

  private func sortEqualValues(_ places: inout [Place]) {
    var start = 0
    while start < places.count {
      var end = start + 1
      while end < places.count, places[end].value == places[start].value { end += 1 }
      if end - start > 1 { places[start..<end].sort { scriptPrecedes(Int($0.index), Int($1.index)) } }
      start = end
    }
  }

  private func scriptPrecedes(_ a: Int, _ b: Int) -> Bool {
    if entries[a].encoded[8] == 34 && entries[b].encoded[8] == 34 {
      if entries[a].encoded != entries[b].encoded { return entries[a].encoded < entries[b].encoded }
    } else {
      let first = txOutput(at: a).scriptPubKey
      let second = txOutput(at: b).scriptPubKey
      if first != second { return first.bytes.lexicographicallyPrecedes(second.bytes) }
    }
    return entries[a].tieBreak < entries[b].tieBreak
  }
}

/// Where an output stands before it is sorted.
private struct Place {
  var value: UInt64
  var index: Int32
}

extension [Place] {
  /// By the bytes of the values, the lowest first, as far as they differ: the time grows with the count alone.
  fileprivate mutating func sortByValue() {
    var differences: UInt64 = 0
    for place in self { differences |= place.value ^ self[0].value }
    var other = self
    for shift in stride(from: UInt64(0), to: 64, by: 8) where differences >> shift & 0xff != 0 {
      var next = InlineArray<256, Int>(repeating: 0)
      for place in self { next[Int(place.value >> shift & 0xff)] += 1 }
      var sum = 0
      for byte in 0..<256 {
        let count = next[byte]
        next[byte] = sum
        sum += count
      }
      for place in self {
        let byte = Int(place.value >> shift & 0xff)
        other[next[byte]] = place
        next[byte] += 1
      }
      swap(&self, &other)
    }
  }
}
