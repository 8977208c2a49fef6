internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1

enum PatternSegment: UInt8 {
  case literal = 0
  case hole = 1
  case key = 2
  case keyHash = 3
}

extension ChildTemplate {
  /// A second stage of which only the outputs are known.
  static func recorded(_ outputs: [ChildOutput]) -> ChildTemplate {
    ChildTemplate(
      version: 0, lockTime: 0, sequence: 0, counterSignature: .ecdsa(KeyRef(.funding, .counterparty), .all),
      outputs: outputs, expectedWeight: Weight(0))
  }
}

extension OutputLock {
  /// 0 witness script, 1 key hash, 2 taproot, 3 nothing.
  var kind: Int {
    switch reveal {
    case .witnessScript: 0
    case .publicKey: 1
    case .taproot: 2
    case .nothing: 3
    }
  }

  /// What the lock is made from: script, key, tree (internal key, then depth, version and script of each leaf), or scriptPubKey.
  func body() throws(RecordError) -> [UInt8] {
    switch reveal {
    case .witnessScript(let script): return script.bytes
    case .publicKey(let key): return key.array
    case .nothing: return scriptPubKey.bytes
    case .taproot(let output):
      var writer = ByteWriter()
      writer.write(output.internalKey)
      for path in output.paths {
        writer.write(UInt8(clamping: path.hashes.count))
        writer.write(path.leaf.version)
        writer.writeCompactSized(path.leaf.script.bytes)
      }
      return writer.bytes
    }
  }

  init(kind: UInt8, body: [UInt8]) throws(DecodingError) {
    switch kind {
    case 0: self = .witnessScript(Script(body))
    case 1:
      var reader = ByteReader(body.bytes)
      self = .publicKeyHash(try reader.read())
      try reader.finish()
    case 2:
      var reader = ByteReader(body.bytes)
      let internalKey: XOnlyPublicKey = try reader.read()
      // Leaves come depth first: two of the same depth are siblings.
      var open: [(depth: Int, tree: TapTree)] = []
      while !reader.isAtEnd {
        let depth = Int(try reader.readUInt8())
        let version = try reader.readUInt8()
        let script = Script(try reader.readCompactSizedBytes().array)
        open.append((depth, .leaf(TapLeaf(script: script, version: version))))
        while open.count > 1, open[open.count - 1].depth == open[open.count - 2].depth {
          let right = open.removeLast()
          let left = open.removeLast()
          guard left.depth > 0 else { throw .malformed("a tree with two roots") }
          open.append((left.depth - 1, .branch(left.tree, right.tree)))
        }
      }
      guard open.count <= 1, open.first?.depth ?? 0 == 0 else { throw .malformed("an incomplete tree") }
      guard let output = try? TaprootOutput(internalKey: internalKey, tree: open.first?.tree) else {
        throw .malformed("a tree that cannot be")
      }
      self = .taproot(output)
    case 3: self = OutputLock(scriptPubKey: Script(body), reveal: .nothing)
    default: throw .malformed("unknown lock")
    }
  }
}
