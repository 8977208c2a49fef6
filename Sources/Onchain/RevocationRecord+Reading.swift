internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Secp256k1

/// What outputs that are alike have in common, read back.
struct RecordForm {
  var owner: ExtensionID
  var kind: UInt8
  var pattern: [(kind: PatternSegment, bytes: [UInt8], count: Int)]
  var paths: [SpendPath]

  /// Second stages lie one in another; nobody makes more than one.
  static let maximumDepth = 4

  static func read(_ reader: inout ByteReader, _ keys: CommitmentKeys) throws(DecodingError) -> [RecordForm] {
    let refCount = try reader.readCount(minimumSize: 2)
    var refs: [KeyRef] = []
    for _ in 0..<refCount {
      let basepoint = Basepoint(rawValue: try reader.readUInt8())
      let flags = try reader.readUInt8()
      guard let derivation = KeyDerivation(rawValue: flags >> 1), let side = Side(rawValue: flags & 1) else {
        throw .malformed("unknown key")
      }
      refs.append(KeyRef(KeyRole(basepoint, derivation), side))
    }
    let count = try reader.readCount()
    var forms: [RecordForm] = []
    for _ in 0..<count {
      let owner = ExtensionID(rawValue: try reader.readUInt16())
      let kind = try reader.readUInt8()
      let pattern = try readPattern(&reader, refs, keys)
      forms.append(
        RecordForm(
          owner: owner, kind: kind, pattern: pattern, paths: try readPaths(&reader, refs, keys, depth: 0)))
    }
    return forms
  }

  private static func readPattern(
    _ reader: inout ByteReader, _ refs: [KeyRef], _ keys: CommitmentKeys
  ) throws(DecodingError) -> [(kind: PatternSegment, bytes: [UInt8], count: Int)] {
    let count = try reader.readCount()
    var size = 0
    var pattern: [(kind: PatternSegment, bytes: [UInt8], count: Int)] = []
    for _ in 0..<count {
      let head = try reader.readUInt8()
      // Two bits have four values.
      guard let kind = PatternSegment(rawValue: head & 3) else { throw .malformed("unknown segment") }
      var number = UInt64(head >> 2)
      if number == 63 { number = try reader.readBigSize() }
      switch kind {
      case .literal:
        guard number <= UInt64(reader.remaining) else { throw .truncated }
        pattern.append((kind, try reader.readArray(count: Int(number)), 0))
      case .hole:
        guard number <= UInt64(reader.remaining) else { throw .truncated }
        pattern.append((kind, [], Int(number)))
      case .key, .keyHash:
        // Behind the keys come their x coordinates, which stand in taproot outputs.
        let isXOnly = kind == .key && number >= UInt64(refs.count)
        let index = isXOnly ? number - UInt64(refs.count) : number
        guard index < UInt64(refs.count), let key = try? keys(refs[Int(index)]) else {
          throw .malformed("unknown key")
        }
        let bytes = isXOnly ? key.xOnly.key.array : kind == .key ? key.array : hash160(key.bytes).array
        pattern.append((.literal, bytes, 0))
      }
      // No script is longer (MAX_SCRIPT_SIZE), and nothing small may unfold into more.
      size += pattern[pattern.count - 1].bytes.count + pattern[pattern.count - 1].count
      guard size <= 10_000 else { throw .tooLarge }
    }
    return pattern
  }

  private static func readPaths(
    _ reader: inout ByteReader, _ refs: [KeyRef], _ keys: CommitmentKeys, depth: Int
  ) throws(DecodingError) -> [SpendPath] {
    guard depth < maximumDepth else { throw .tooLarge }
    let count = try reader.readCount()
    var paths: [SpendPath] = []
    for _ in 0..<count {
      let flags = try reader.readUInt8()
      guard flags < 128, let side = Side(rawValue: flags & 1) else { throw .malformed("unknown path") }
      var conditions = SpendConditions(revoked: flags & 2 != 0)
      if flags & 4 != 0 { conditions.height = 0 }
      if flags & 8 != 0 {
        let age = try reader.readBigSize()
        guard age <= UInt64(UInt16.max) else { throw .tooLarge }
        conditions.age = UInt16(age)
      }
      if flags & 48 != 0 {
        conditions.secret = SecretID(kind: flags & 16 != 0 ? .sha256 : .point, value: Bytes32())
      }
      var witness: [WitnessElement] = []
      if side == .counterparty {
        let elements = try reader.readCount()
        for _ in 0..<elements { witness.append(try readElement(&reader, refs)) }
      }
      var execution = SpendPath.Execution.free(witnessWeight: Weight(0))
      if flags & 64 != 0 {
        let outputCount = try reader.readCount()
        var outputs: [ChildOutput] = []
        for _ in 0..<outputCount {
          let kind = try reader.readUInt8()
          let body = try readPattern(&reader, refs, keys).flatMap(\.bytes)
          outputs.append(
            ChildOutput(
              value: .zero, lock: try OutputLock(kind: kind, body: body),
              paths: try readPaths(&reader, refs, keys, depth: depth + 1)))
        }
        execution = .presigned(.recorded(outputs))
      } else if side == .counterparty {
        execution = .free(witnessWeight: Weight(try reader.readBigSize()))
      }
      paths.append(SpendPath("", by: side, when: conditions, witness: witness, execution: execution))
    }
    return paths
  }

  private static func readElement(
    _ reader: inout ByteReader, _ refs: [KeyRef]
  ) throws(DecodingError) -> WitnessElement {
    func ref(_ index: UInt8) throws(DecodingError) -> KeyRef {
      guard Int(index) < refs.count else { throw .malformed("unknown key") }
      return refs[Int(index)]
    }
    switch try reader.readUInt8() {
    case 0: return .signature(try ref(reader.readUInt8()), SighashType(rawValue: UInt32(try reader.readUInt8())))
    case 1: return .secret
    case 2: return .literal(try reader.readCompactSizedBytes().array)
    case 3: return .publicKey(try ref(reader.readUInt8()))
    case 4: return .witnessScript
    case 5:
      let leaf = try reader.readBigSize()
      guard leaf < 1 << 16 else { throw .tooLarge }
      return .tapLeaf(Int(leaf))
    case 6:
      return .custom(
        ExtensionID(rawValue: try reader.readUInt16()), try reader.readCompactSizedBytes().array)
    default: throw .malformed("unknown witness element")
    }
  }

  /// One output of this form.
  func output(
    _ index: UInt32, _ reader: inout ByteReader, _ keys: CommitmentKeys
  ) throws(DecodingError) -> RecordedOutput {
    let tag = OutputTag(owner, try reader.readBigSize())
    var body: [UInt8] = []
    for segment in pattern {
      body += segment.kind == .hole ? try reader.readArray(count: segment.count) : segment.bytes
    }
    var paths = self.paths
    for position in paths.indices where paths[position].spender == .counterparty {
      if paths[position].conditions.height != nil {
        let height = try reader.readBigSize()
        guard height <= UInt64(UInt32.max) else { throw .tooLarge }
        paths[position].conditions.height = UInt32(height)
      }
      if paths[position].conditions.secret != nil { paths[position].conditions.secret?.value = try reader.read() }
    }
    return RecordedOutput(index: index, tag: tag, lock: try OutputLock(kind: kind, body: body), paths: paths)
  }
}
