public import Bitcoin
public import Encoding
public import GLC
internal import Hashing
internal import Secp256k1

/// An output of a revoked commitment, as it was recorded: what is needed to take it.
public struct RecordedOutput: Hashable, Sendable {
  public var index: UInt32
  public var tag: OutputTag
  public var lock: OutputLock
  public var paths: [SpendPath]

  public init(index: UInt32, tag: OutputTag, lock: OutputLock, paths: [SpendPath]) {
    self.index = index
    self.tag = tag
    self.lock = lock
    self.paths = paths
  }
}

/// Why a record cannot be made or used.
public enum RecordError: Error, Hashable, Sendable {
  case malformed(DecodingError)
  /// Written by a later version.
  case unknownVersion(UInt8)
  /// The transaction is not the commitment that was recorded.
  case otherTransaction
  case draft(DraftError)
  /// An output's lock or a path has a form that cannot be recorded.
  case unsupported
}

/// What is kept of a commitment that the counterparty has given up, so that all of it can be taken should it ever appear: for each
/// output its script and our ways to spend it, and the same for what the counterparty's second-stage transactions would make of it.
///
/// It is small, because it is written at every payment and kept for as long as the channel lives. Outputs that are alike share one
/// form; each has only the bytes in which its script differs. Keys, values and scriptPubKeys are not stored: keys follow from the
/// basepoints and the revealed secret, the rest stands in the transaction.
public struct RevocationRecord: Hashable, Sendable {
  public let bytes: [UInt8]

  static let version: UInt8 = 1

  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// Records a commitment held by the other party.
  public init(_ commitment: Commitment) throws(RecordError) {
    var writer = RecordWriter(keys: commitment.context.keys, refs: commitment.keyRefs)
    bytes = try writer.write(commitment)
  }

  /// The outputs that are ours to take, on a transaction that is the recorded commitment.
  /// - Parameter keys: of that commitment.
  public func outputs(_ keys: CommitmentKeys, of transaction: Transaction) throws(RecordError) -> [RecordedOutput] {
    let outputs = try outputs(keys)
    for output in outputs {
      guard transaction.outputs.indices.contains(Int(output.index)),
        transaction.outputs[Int(output.index)].scriptPubKey == output.lock.scriptPubKey
      else { throw .otherTransaction }
    }
    return outputs
  }

  /// The outputs that are ours to take.
  public func outputs(_ keys: CommitmentKeys) throws(RecordError) -> [RecordedOutput] {
    var reader = ByteReader(bytes.bytes)
    do throws(DecodingError) {
      let version = try reader.readUInt8()
      guard version == Self.version else { throw DecodingError.malformed("version") }
      let forms = try RecordForm.read(&reader, keys)
      let count = try reader.readCount()
      // A commitment has 966 contracts at most, and a few outputs more.
      guard count <= 4096 else { throw .tooLarge }
      var places: [Int] = []
      places.reserveCapacity(count)
      for _ in 0..<count { places.append(Int(try reader.readUInt8())) }
      var outputs: [RecordedOutput] = []
      for (index, place) in places.enumerated() where place > 0 {
        guard place <= forms.count else { throw .malformed("an output of an unknown form") }
        outputs.append(try forms[place - 1].output(UInt32(index), &reader, keys))
      }
      try reader.finish()
      return outputs
    } catch {
      if let first = bytes.first, first != Self.version { throw .unknownVersion(first) }
      throw .malformed(error)
    }
  }
}

extension Commitment {
  /// Every key that the paths and locks of its outputs can name.
  var keyRefs: [KeyRef] {
    var refs: [KeyRef] = []
    func add(_ paths: [SpendPath]) {
      for path in paths {
        for ref in path.keys where !refs.contains(ref) { refs.append(ref) }
        if case .presigned(let template) = path.execution { for output in template.outputs { add(output.paths) } }
      }
    }
    for output in outputs { add(output.output.paths) }
    return refs
  }
}
