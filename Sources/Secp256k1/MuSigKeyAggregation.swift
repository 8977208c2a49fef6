internal import CSecp256k1
public import Encoding

/// A number that is added to an aggregate key (BIP 327 §Applying Tweaks).
public struct MuSigTweak: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// Q + t · G: BIP 32 derivation.
    case plain
    /// lift_x(x(Q)) + t · G: taproot (BIP 341).
    case xOnly
  }

  public var value: Bytes32
  public var kind: Kind

  public init(_ value: Bytes32, _ kind: Kind) {
    self.value = value
    self.kind = kind
  }
}

/// The keys of the signers of a MuSig2 session and what they add up to: BIP 327's KeyAgg context.
/// Wraps `secp256k1_musig_keyagg_cache`.
public struct MuSigKeyAggregation: Hashable, Sendable {
  /// In the order in which they were aggregated: another order has another aggregate.
  public let publicKeys: [PublicKey]
  /// In the order in which they were applied.
  public private(set) var tweaks: [MuSigTweak]
  /// Q: the aggregate of the keys with all tweaks applied.
  public private(set) var aggregateKey: PublicKey
  var cache: secp256k1_musig_keyagg_cache

  /// Aggregates one or more keys, in this order (`KeyAgg`): sort them before where the parties have agreed on no order
  /// (`KeySort` is `sorted()`). Throws `.pointAtInfinity` for no keys, or when they cancel out, which needs keys made
  /// for it.
  public init(_ publicKeys: [PublicKey]) throws(Secp256k1Error) {
    guard !publicKeys.isEmpty else { throw .pointAtInfinity }
    var cache = secp256k1_musig_keyagg_cache()
    let succeeded = unsafe publicKeys.withParsedPointers { pointers in
      unsafe secp256k1_musig_pubkey_agg(Context.pointer, nil, &cache, pointers.baseAddress!, pointers.count)
    }
    guard succeeded == 1 else { throw .pointAtInfinity }
    self.publicKeys = publicKeys
    self.tweaks = []
    self.cache = cache
    var aggregate = secp256k1_pubkey()
    mustSucceed(unsafe secp256k1_musig_pubkey_get(Context.pointer, &aggregate, &cache))
    aggregateKey = PublicKey(parsed: aggregate)
  }

  /// Aggregates keys as the signers sent them. BIP 327: "fail if that fails and blame signer i for invalid individual
  /// public key": throws `.invalidContribution(.publicKey, signer:)`, and as above.
  public init(encoded publicKeys: [Bytes33]) throws(Secp256k1Error) {
    var parsed: [PublicKey] = []
    parsed.reserveCapacity(publicKeys.count)
    for (signer, bytes) in publicKeys.enumerated() {
      guard let key = try? PublicKey(copying: bytes.bytes) else {
        throw .invalidContribution(.publicKey, signer: signer)
      }
      parsed.append(key)
    }
    try self.init(parsed)
  }

  /// x(Q): the key that the signature is for (`GetXonlyPubkey`).
  public var xOnlyPublicKey: XOnlyPublicKey { aggregateKey.xOnly.key }

  /// Applies a tweak on top of those before (`ApplyTweak`).
  /// Throws `.invalidTweak` when it is n or more or the result is the point at infinity; nothing has changed then.
  public mutating func apply(_ tweak: MuSigTweak) throws(Secp256k1Error) {
    var result = secp256k1_pubkey()
    // The library leaves the cache as it is when it refuses, yet we do not build on that.
    var next = cache
    let succeeded = unsafe tweak.value.withPointer { value in
      switch tweak.kind {
      case .plain: unsafe secp256k1_musig_pubkey_ec_tweak_add(Context.pointer, &result, &next, value)
      case .xOnly: unsafe secp256k1_musig_pubkey_xonly_tweak_add(Context.pointer, &result, &next, value)
      }
    }
    guard succeeded == 1 else { throw .invalidTweak }
    cache = next
    aggregateKey = PublicKey(parsed: result)
    tweaks.append(tweak)
  }

  /// The same keys with one tweak more.
  public func tweaked(by value: Bytes32, _ kind: MuSigTweak.Kind) throws(Secp256k1Error) -> MuSigKeyAggregation {
    var result = self
    try result.apply(MuSigTweak(value, kind))
    return result
  }

  public static func == (a: Self, b: Self) -> Bool { a.publicKeys == b.publicKeys && a.tweaks == b.tweaks }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(aggregateKey)
    hasher.combine(publicKeys.count)
  }
}

extension [PublicKey] {
  /// Pointers to the parsed keys, valid during the call.
  func withParsedPointers<R>(_ body: (UnsafeMutableBufferPointer<UnsafePointer<secp256k1_pubkey>?>) -> R) -> R {
    unsafe map(\.parsed).withUnsafeBufferPointer { keys in unsafe keys.withElementPointers(body) }
  }
}

extension UnsafeBufferPointer {
  /// A pointer to each element, as C functions take several values; not on the heap where there are few.
  func withElementPointers<R>(_ body: (UnsafeMutableBufferPointer<UnsafePointer<Element>?>) -> R) -> R {
    unsafe withUnsafeTemporaryAllocation(of: UnsafePointer<Element>?.self, capacity: count) { pointers in
      for index in 0..<count { unsafe pointers.initializeElement(at: index, to: baseAddress! + index) }
      return unsafe body(pointers)
    }
  }
}
