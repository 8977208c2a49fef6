public import Encoding
public import Secp256k1

/// What stands behind the type in the key of a record.
public protocol PSBTKeyData: Hashable, Sendable {
  /// The bytes as written.
  var keyData: [UInt8] { get }
}

extension PSBT {
  /// All records of one type in one map, in ascending order of their key data, no key twice.
  public struct Records<Key: PSBTKeyData, Value: Hashable & Sendable>: Hashable, Sendable, RandomAccessCollection {
    private struct Entry: Hashable, Sendable {
      var key: Key
      var value: Value
    }

    private var entries: [Entry] = []

    public init() {}

    public var startIndex: Int { 0 }
    public var endIndex: Int { entries.count }
    public subscript(position: Int) -> (key: Key, value: Value) { (entries[position].key, entries[position].value) }

    public var keys: [Key] { entries.map(\.key) }
    public var values: [Value] { entries.map(\.value) }

    /// The value of a key; setting nil removes the record.
    public subscript(key: Key) -> Value? {
      get {
        let (index, found) = search(key)
        return found ? entries[index].value : nil
      }
      set {
        let (index, found) = search(key)
        switch (newValue, found) {
        case (let value?, true): entries[index].value = value
        case (let value?, false): entries.insert(Entry(key: key, value: value), at: index)
        case (nil, true): entries.remove(at: index)
        case (nil, false): break
        }
      }
    }

    /// The first place whose key is not below `key`, and whether it is `key`'s.
    private func search(_ key: Key) -> (index: Int, found: Bool) {
      let wanted = key.keyData
      var low = 0
      var high = entries.count
      while low < high {
        let middle = (low + high) / 2
        if entries[middle].key.keyData.lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
      }
      return (low, low < entries.count && entries[low].key.keyData == wanted)
    }

    /// For keys that come in ascending order, as in decoding.
    mutating func append(_ key: Key, _ value: Value) { entries.append(Entry(key: key, value: value)) }

    /// Takes over what `other` has beyond this one. True when a key has different values: the first stays.
    mutating func merge(_ other: Self) -> Bool {
      guard !other.isEmpty, entries != other.entries else { return false }
      var conflict = false
      var merged: [Entry] = []
      merged.reserveCapacity(Swift.max(entries.count, other.entries.count))
      var rest = other.entries[...]
      for entry in entries {
        let key = entry.key.keyData
        while let next = rest.first, next.key.keyData.lexicographicallyPrecedes(key) {
          merged.append(next)
          rest.removeFirst()
        }
        if let next = rest.first, next.key == entry.key {
          if next.value != entry.value { conflict = true }
          rest.removeFirst()
        }
        merged.append(entry)
      }
      merged.append(contentsOf: rest)
      entries = merged
      return conflict
    }
  }

  // MARK: - Keys

  /// A public key in one of the forms that scripts know: 33 bytes, or 65 for the old ones.
  public struct ScriptKey: PSBTKeyData, CustomStringConvertible {
    public let key: PublicKey
    /// 2 or 3 for compressed, 4 for uncompressed, 6 or 7 for hybrid.
    private let prefix: UInt8

    public init(_ key: PublicKey) {
      self.key = key
      prefix = key.bytes[0]
    }

    public init(uncompressed key: PublicKey) {
      self.key = key
      prefix = 4
    }

    /// Nil unless the bytes are a point in one of the forms.
    public init?(_ bytes: RawSpan) {
      guard bytes.byteCount == 33 || bytes.byteCount == 65, let key = PublicKey(parsing: bytes) else { return nil }
      self.key = key
      prefix = bytes[0]
    }

    public var isCompressed: Bool { prefix < 4 }

    public var bytes: [UInt8] {
      guard !isCompressed else { return key.array }
      var bytes = key.uncompressed.array
      bytes[0] = prefix
      return bytes
    }

    public var keyData: [UInt8] { bytes }
    public var description: String { Hex.encode(bytes) }
  }

  /// What a taproot script signature is filed under (BIP 371): 64 bytes.
  public struct TapScriptSignatureKey: PSBTKeyData {
    public var publicKey: XOnlyPublicKey
    public var leafHash: Bytes32

    public init(publicKey: XOnlyPublicKey, leafHash: Bytes32) {
      self.publicKey = publicKey
      self.leafHash = leafHash
    }

    public var keyData: [UInt8] { publicKey.array + leafHash.array }
  }

  /// What a MuSig2 public nonce or partial signature is filed under (BIP 373): 66 or 98 bytes.
  public struct MuSig2Key: PSBTKeyData {
    public var participant: PublicKey
    /// The key that the signature is for: the taproot output key with its parity, or the key in the leaf.
    public var aggregate: PublicKey
    /// Nil for a key path signature.
    public var leafHash: Bytes32?

    public init(participant: PublicKey, aggregate: PublicKey, leafHash: Bytes32? = nil) {
      self.participant = participant
      self.aggregate = aggregate
      self.leafHash = leafHash
    }

    public var keyData: [UInt8] { participant.array + aggregate.array + (leafHash?.array ?? []) }
  }

  /// The key of a proprietary record (BIP 174 §Proprietary Use Type).
  public struct ProprietaryKey: PSBTKeyData {
    public var identifier: [UInt8]
    public var subtype: UInt64
    /// What follows the subtype.
    public var data: [UInt8]

    public init(identifier: [UInt8], subtype: UInt64, data: [UInt8] = []) {
      self.identifier = identifier
      self.subtype = subtype
      self.data = data
    }

    public var keyData: [UInt8] {
      var writer = ByteWriter(reservingCapacity: identifier.count + data.count + 10)
      writer.writeCompactSized(identifier)
      writer.writeCompactSize(subtype)
      writer.write(data)
      return writer.bytes
    }
  }

  /// The key of a record of a type that nobody here knows.
  public struct UnknownKey: PSBTKeyData {
    public var type: UInt64
    public var data: [UInt8]

    public init(type: UInt64, data: [UInt8] = []) {
      self.type = type
      self.data = data
    }

    /// The type with it, because records of all unknown types stand together.
    public var keyData: [UInt8] {
      var writer = ByteWriter(reservingCapacity: data.count + 3)
      writer.writeCompactSize(type)
      writer.write(data)
      return writer.bytes
    }
  }

  /// A serialized extended public key (BIP 32), 78 bytes.
  public struct ExtendedPublicKeyBytes: TypedBytes, PSBTKeyData {
    public let raw: FixedBytes<78>
    public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
    public init(_ raw: FixedBytes<78>) { self.raw = raw }

    public var depth: UInt8 { raw[4] }
    public var keyData: [UInt8] { array }
  }
}

extension FixedBytes: PSBTKeyData {
  public var keyData: [UInt8] { array }
}

extension PublicKey: PSBTKeyData {
  public var keyData: [UInt8] { array }
}

extension XOnlyPublicKey: PSBTKeyData {
  public var keyData: [UInt8] { array }
}

extension ControlBlock: PSBTKeyData {
  public var keyData: [UInt8] { encoded }
}
