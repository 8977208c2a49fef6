internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1

/// Outputs that are alike: what they have in common, and the body of each.
private struct Form {
  var owner: ExtensionID
  var kind: Int
  var lockLength: Int
  var paths: [SpendPath]
  var bodies: [[UInt8]] = []
  var holes: [Range<Int>] = []

  /// Deep comparisons last.
  func includes(_ output: DraftOutput, lockLength length: Int, paths other: [SpendPath]) -> Bool {
    owner == output.tag.owner && lockLength == length && kind == output.lock.kind && paths == other
  }
}

/// An output of some form.
private struct Member {
  var form: Int
  /// Which of the form's bodies.
  var body: Int
  var tag: UInt64
  /// What its paths have of their own.
  var conditions: [UInt8]
}

struct RecordWriter {
  let keys: CommitmentKeys
  let refs: [KeyRef]

  init(keys: CommitmentKeys, refs: [KeyRef]) {
    self.keys = keys
    self.refs = refs
  }

  mutating func write(_ commitment: Commitment) throws(RecordError) -> [UInt8] {
    var forms: [Form] = []
    var places: [Member?] = []
    places.reserveCapacity(commitment.outputs.count)
    for sealed in commitment.outputs {
      let output = sealed.output
      let paths = relevantPaths(output.paths)
      guard paths.contains(where: { $0.isOfUse }) else {
        places.append(nil)
        continue
      }
      let body = try output.lock.body()
      let common = paths.map(\.withoutInstance)
      let form: Int
      if let known = forms.firstIndex(where: { $0.includes(output, lockLength: body.count, paths: common) }) {
        form = known
      } else {
        form = forms.count
        forms.append(
          Form(owner: output.tag.owner, kind: output.lock.kind, lockLength: body.count, paths: common))
      }
      places.append(
        Member(
          form: form, body: forms[form].bodies.count, tag: output.tag.index, conditions: Self.ownConditions(paths)))
      forms[form].bodies.append(body)
    }
    guard forms.count < 255 else { throw .unsupported }

    var writer = ByteWriter()
    writer.write(RevocationRecord.version)
    writer.writeCompactSize(refs.count)
    for ref in refs {
      writer.write(ref.role.basepoint.rawValue)
      writer.write(ref.role.derivation.rawValue << 1 | ref.side.rawValue)
    }
    writer.writeCompactSize(forms.count)
    for index in forms.indices {
      let form = forms[index]
      let holes = Self.holes(form.bodies)
      forms[index].holes = holes
      writer.write(form.owner.rawValue)
      writer.write(UInt8(form.kind))
      write(pattern: form.bodies[0], holes: holes, &writer)
      try write(form.paths, &writer)
    }
    writer.writeCompactSize(places.count)
    for place in places { writer.write(UInt8(place.map { $0.form + 1 } ?? 0)) }
    for case let place? in places {
      writer.writeBigSize(place.tag)
      let form = forms[place.form]
      for hole in form.holes { writer.write(Array(form.bodies[place.body][hole])) }
      writer.write(place.conditions)
    }
    return writer.bytes
  }

  /// What a form leaves open of the counterparty's paths: heights and secrets.
  private static func ownConditions(_ paths: [SpendPath]) -> [UInt8] {
    let own = paths.filter {
      $0.spender == .counterparty && ($0.conditions.height != nil || $0.conditions.secret != nil)
    }
    if own.isEmpty { return [] }
    var writer = ByteWriter()
    for path in own {
      if let height = path.conditions.height { writer.writeBigSize(UInt64(height)) }
      if let secret = path.conditions.secret { writer.write(secret.value) }
    }
    return writer.bytes
  }

  /// Ours by revocation where there is such a path, or else all of ours; and what of the counterparty's can get in between. When that is
  /// does not matter: whoever broadcasts what was revoked is expected to try everything at once.
  private func relevantPaths(_ paths: [SpendPath]) -> [SpendPath] {
    let own = paths.filter { $0.spender == .counterparty }
    let punishing = own.filter(\.conditions.revoked)
    let theirs = paths.filter { $0.spender == .holder }.map { path -> SpendPath in
      var path = path
      path.conditions.height = nil
      path.conditions.secret = nil
      path.witness = []
      path.name = ""
      switch path.execution {
      case .free: path.execution = .free(witnessWeight: Weight(0))
      case .presigned(let template):
        path.execution = .presigned(
          .recorded(
            template.outputs.map {
              ChildOutput(value: .zero, lock: $0.lock, paths: relevantPaths($0.paths))
            }))
      }
      return path
    }
    return (punishing.isEmpty ? own : punishing) + theirs
  }

  /// Where bodies of the same length differ.
  static func holes(_ bodies: [[UInt8]]) -> [Range<Int>] {
    guard let first = bodies.first, bodies.count > 1 else { return [] }
    var holes: [Range<Int>] = []
    for position in first.indices where bodies.contains(where: { $0[position] != first[position] }) {
      if let last = holes.last, position - last.upperBound <= 2 {
        // A pattern's segment costs two bytes: nearer ones are one.
        holes[holes.count - 1] = last.lowerBound..<(position + 1)
      } else {
        holes.append(position..<(position + 1))
      }
    }
    return holes
  }

  /// Literal bytes, holes, and keys in place of what follows from them.
  private func write(pattern: [UInt8], holes: [Range<Int>], _ writer: inout ByteWriter) {
    var segments: [(kind: PatternSegment, bytes: [UInt8], count: Int)] = []
    var literal: [UInt8] = []
    func flush() {
      if !literal.isEmpty { segments.append((.literal, literal, literal.count)) }
      literal = []
    }
    typealias Needle = (kind: PatternSegment, index: Int, bytes: [UInt8])
    let known = refs.enumerated().flatMap { index, ref -> [Needle] in
      guard let key = try? keys(ref) else { return [] }
      return [
        (.key, index, key.array), (.keyHash, index, hash160(key.bytes).array),
        (.key, refs.count + index, key.xOnly.key.array),
      ]
    }
    var position = 0
    scan: while position < pattern.count {
      if let hole = holes.first(where: { $0.lowerBound == position }) {
        flush()
        segments.append((.hole, [], hole.count))
        position = hole.upperBound
        continue
      }
      let limit = holes.first { $0.lowerBound > position }?.lowerBound ?? pattern.count
      for needle in known
      where position + needle.bytes.count <= limit
        && pattern[position..<(position + needle.bytes.count)].elementsEqual(needle.bytes)
      {
        flush()
        segments.append((needle.kind, [], needle.index))
        position += needle.bytes.count
        continue scan
      }
      literal.append(pattern[position])
      position += 1
    }
    flush()
    writer.writeCompactSize(segments.count)
    for segment in segments {
      // The kind and a count or index below 64 share a byte.
      writer.write(UInt8(segment.count < 63 ? segment.count : 63) << 2 | segment.kind.rawValue)
      if segment.count >= 63 { writer.writeBigSize(UInt64(segment.count)) }
      writer.write(segment.bytes)
    }
  }

  private func write(_ paths: [SpendPath], _ writer: inout ByteWriter) throws(RecordError) {
    writer.writeCompactSize(paths.count)
    for path in paths {
      let conditions = path.conditions
      var flags: UInt8 = path.spender.rawValue
      if conditions.revoked { flags |= 2 }
      if conditions.height != nil { flags |= 4 }
      if conditions.age != nil { flags |= 8 }
      if let secret = conditions.secret { flags |= secret.kind == .sha256 ? 16 : 32 }
      if case .presigned = path.execution { flags |= 64 }
      writer.write(flags)
      if let age = conditions.age { writer.writeBigSize(UInt64(age)) }
      if path.spender == .counterparty {
        writer.writeCompactSize(path.witness.count)
        for element in path.witness { try write(element, &writer) }
      }
      switch path.execution {
      case .free(let weight): if path.spender == .counterparty { writer.writeBigSize(weight.rawValue) }
      case .presigned(let template):
        writer.writeCompactSize(template.outputs.count)
        for output in template.outputs {
          writer.write(UInt8(output.lock.kind))
          write(pattern: try output.lock.body(), holes: [], &writer)
          try write(output.paths, &writer)
        }
      }
    }
  }

  private func write(_ element: WitnessElement, _ writer: inout ByteWriter) throws(RecordError) {
    func index(_ ref: KeyRef) throws(RecordError) -> UInt8 {
      guard let index = refs.firstIndex(of: ref), index < 255 else { throw .unsupported }
      return UInt8(index)
    }
    switch element {
    case .signature(let ref, let type):
      writer.write(0 as UInt8)
      writer.write(try index(ref))
      writer.write(UInt8(truncatingIfNeeded: type.rawValue))
    case .secret: writer.write(1 as UInt8)
    case .literal(let bytes):
      writer.write(2 as UInt8)
      writer.writeCompactSized(bytes)
    case .publicKey(let ref):
      writer.write(3 as UInt8)
      writer.write(try index(ref))
    case .witnessScript: writer.write(4 as UInt8)
    case .tapLeaf(let leaf):
      writer.write(5 as UInt8)
      writer.writeBigSize(UInt64(leaf))
    case .custom(let id, let bytes):
      writer.write(6 as UInt8)
      writer.write(id.rawValue)
      writer.writeCompactSized(bytes)
    case .counterSignature: throw .unsupported
    }
  }
}

extension SpendPath {
  /// Whether there is anything for us in it.
  var isOfUse: Bool {
    if spender == .counterparty { return true }
    guard case .presigned(let template) = execution else { return false }
    return template.outputs.contains { $0.paths.contains(where: \.isOfUse) }
  }

  /// Without what differs between outputs that are alike.
  var withoutInstance: SpendPath {
    var path = self
    path.name = ""
    if path.conditions.height != nil { path.conditions.height = 0 }
    if let secret = path.conditions.secret {
      path.conditions.secret = SecretID(kind: secret.kind, value: Bytes32())
    }
    return path
  }
}
