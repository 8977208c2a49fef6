public import Encoding
internal import Hashing
public import Secp256k1

/// A hash that a miniscript wants the preimage of.
public enum MiniscriptHash: Hashable, Sendable {
  case sha256(Bytes32)
  case hash256(Bytes32)
  case ripemd160(Bytes20)
  case hash160(Bytes20)
}

/// What is at hand to satisfy a miniscript.
public protocol MiniscriptSatisfier<Key> {
  associatedtype Key
  /// The signature with its sighash byte (none for SIGHASH_DEFAULT in tapscript); nil when there is none.
  func signature(for key: Key) -> [UInt8]?
  /// 32 bytes; nil when they are not known.
  func preimage(of hash: MiniscriptHash) -> [UInt8]?
  /// The transaction's version, the input's sequence and the transaction's lock time.
  var timelocks: SpendingTimelocks { get }
}

/// What a spending transaction says about time.
public struct SpendingTimelocks: Hashable, Sendable {
  public var version: UInt32
  public var sequence: UInt32
  public var lockTime: UInt32

  public init(version: UInt32 = 2, sequence: UInt32, lockTime: UInt32) {
    self.version = version
    self.sequence = sequence
    self.lockTime = lockTime
  }

  /// Whether OP_CHECKSEQUENCEVERIFY passes (BIP 112).
  public func satisfiesOlder(_ number: UInt32) -> Bool {
    // BIP 68: bit 31 disables, bit 22 chooses time, the low 16 bits are the value.
    guard version >= 2, sequence & 1 << 31 == 0 else { return false }
    guard number & 1 << 22 == sequence & 1 << 22 else { return false }
    return number & 0xffff <= sequence & 0xffff
  }

  /// Whether OP_CHECKLOCKTIMEVERIFY passes (BIP 65).
  public func satisfiesAfter(_ number: UInt32) -> Bool {
    guard sequence != .max, (number < 500_000_000) == (lockTime < 500_000_000) else { return false }
    return number <= lockTime
  }
}

/// A way to satisfy or dissatisfy an expression: the elements that it takes, bottom first.
private struct Solution {
  var elements: [[UInt8]]
  var size: Int
  /// BIP 379: HASSIG.
  var hasSignature = false
  /// BIP 379: DONTUSE.
  var isMalleable = false

  static let nothing = Solution([])
  static let zero = Solution([[]])
  static let one = Solution([[1]])

  init(_ elements: [[UInt8]]) {
    self.elements = elements
    size = elements.reduce(0) { $0 + compactSizeLength($1.count) + $1.count }
  }

  var malleable: Solution {
    var solution = self
    solution.isMalleable = true
    return solution
  }

  /// `first` is executed first: its elements lie on top.
  static func join(_ last: Solution?, _ first: Solution?) -> Solution? {
    guard var joined = last, let first else { return nil }
    joined.elements += first.elements
    joined.size += first.size
    joined.hasSignature = joined.hasSignature || first.hasSignature
    joined.isMalleable = joined.isMalleable || first.isMalleable
    return joined
  }

  /// BIP 379 §Non-malleable Satisfaction Algorithm: which of two to take.
  static func best(_ a: Solution?, _ b: Solution?) -> Solution? {
    guard let a, let b else { return a ?? b }
    switch (a.hasSignature, b.hasSignature) {
    // If instead exactly one does not have the HASSIG marker, return that solution.
    case (false, true): return a
    case (true, false): return b
    // If among all valid solutions more than one does not have the HASSIG marker, return DONTUSE.
    case (false, false): return (a.size <= b.size ? a : b).malleable
    // Otherwise, all not-DONTUSE options are valid, so return the smallest one.
    case (true, true):
      if a.isMalleable != b.isMalleable { return a.isMalleable ? b : a }
      return a.size <= b.size ? a : b
    }
  }
}

extension Miniscript {
  /// The witness elements, bottom first, without the script and control block, that satisfy this expression so that no third party can
  /// change them; the smallest there are. Nil when what is at hand is not enough for that.
  ///
  /// `publicKey` resolves a key to the one that stands in the script.
  public func satisfy<Satisfier: MiniscriptSatisfier>(
    with satisfier: Satisfier, publicKey: (Key) -> PublicKey
  ) -> Witness? where Satisfier.Key == Key {
    // BIP 379: If no valid satisfaction is returned, or it is DONTUSE, fail. Otherwise, if any timelocking is used in the script but the
    // result does not have the HASSIG flag, also fail. (We want the flag in any case: see `checkSanity`.)
    guard let solution = solve(with: satisfier, publicKey: publicKey), !solution.isMalleable, solution.hasSignature
    else { return nil }
    return Witness(solution.elements)
  }

  private func solve<Satisfier: MiniscriptSatisfier>(
    with satisfier: Satisfier, publicKey: (Key) -> PublicKey
  ) -> Solution? where Satisfier.Key == Key {
    var solutions: [(sat: Solution?, dsat: Solution?)] = []
    solutions.reserveCapacity(tree.nodes.count)
    for node in tree.nodes {
      let children = node.subexpressions.map { solutions[$0] }
      // A subexpression has one parent: its solutions are not asked for again.
      for child in node.subexpressions { solutions[child] = (nil, nil) }
      solutions.append(solve(node, children, satisfier, publicKey))
    }
    return solutions.last?.sat
  }

  private func signature<Satisfier: MiniscriptSatisfier>(
    _ key: Int, _ satisfier: Satisfier
  ) -> Solution? where Satisfier.Key == Key {
    guard let signature = satisfier.signature(for: keys[key]) else { return nil }
    var solution = Solution([signature])
    solution.hasSignature = true
    return solution
  }

  private func preimage(_ hash: MiniscriptHash, _ satisfier: some MiniscriptSatisfier) -> Solution? {
    // BIP 379: len(x) = 32.
    guard let preimage = satisfier.preimage(of: hash), preimage.count == 32 else { return nil }
    return Solution([preimage])
  }

  private func solve<Satisfier: MiniscriptSatisfier>(
    _ node: MiniscriptFragment, _ subs: [(sat: Solution?, dsat: Solution?)], _ satisfier: Satisfier,
    _ publicKey: (Key) -> PublicKey
  ) -> (sat: Solution?, dsat: Solution?) where Satisfier.Key == Key {
    // The dissatisfaction of a hash is any other 32 bytes, which anyone can replace by others.
    let wrongPreimage = Solution([[UInt8](repeating: 0, count: 32)]).malleable
    switch node {
    case .zero: return (nil, .nothing)
    case .one: return (.nothing, nil)
    case .pkK(let key): return (signature(key, satisfier), .zero)
    case .pkH(let key):
      let push = Solution([context.keyBytes(publicKey(keys[key]))])
      return (.join(signature(key, satisfier), push), .join(.zero, push))
    case .older(let number): return (satisfier.timelocks.satisfiesOlder(number) ? .nothing : nil, nil)
    case .after(let number): return (satisfier.timelocks.satisfiesAfter(number) ? .nothing : nil, nil)
    case .sha256(let hash): return (preimage(.sha256(hash), satisfier), wrongPreimage)
    case .hash256(let hash): return (preimage(.hash256(hash), satisfier), wrongPreimage)
    case .ripemd160(let hash): return (preimage(.ripemd160(hash), satisfier), wrongPreimage)
    case .hash160(let hash): return (preimage(.hash160(hash), satisfier), wrongPreimage)
    case .multi(let required, let keys):
      // OP_CHECKMULTISIG takes one element too many; signatures stand in the order of their keys.
      var counts: [Solution?] = [.zero]
      for key in keys {
        counts = Self.extend(counts, upTo: required, without: .nothing, with: signature(key, satisfier)) {
          .join($0, $1)
        }
      }
      let zeros = Solution([[UInt8]](repeating: [], count: required + 1))
      return (required < counts.count ? counts[required] : nil, zeros)
    case .multiA(let required, let keys):
      // The first key's signature is on top.
      var counts: [Solution?] = [.nothing]
      for key in keys {
        counts = Self.extend(counts, upTo: required, without: .zero, with: signature(key, satisfier)) {
          .join($1, $0)
        }
      }
      let zeros = Solution([[UInt8]](repeating: [], count: keys.count))
      return (required < counts.count ? counts[required] : nil, zeros)
    case .andor:
      return (
        .best(.join(subs[1].sat, subs[0].sat), .join(subs[2].sat, subs[0].dsat)),
        .best(.join(subs[1].dsat, subs[0].sat), .join(subs[2].dsat, subs[0].dsat))
      )
    case .andV: return (.join(subs[1].sat, subs[0].sat), .join(subs[1].dsat, subs[0].sat))
    case .andB:
      let overcomplete = Solution.best(
        Solution.join(subs[1].sat, subs[0].dsat)?.malleable, Solution.join(subs[1].dsat, subs[0].sat)?.malleable)
      return (
        .join(subs[1].sat, subs[0].sat), .best(.join(subs[1].dsat, subs[0].dsat), overcomplete)
      )
    case .orB:
      let one = Solution.best(.join(subs[1].dsat, subs[0].sat), .join(subs[1].sat, subs[0].dsat))
      return (
        .best(one, Solution.join(subs[1].sat, subs[0].sat)?.malleable), .join(subs[1].dsat, subs[0].dsat)
      )
    case .orC: return (.best(subs[0].sat, .join(subs[1].sat, subs[0].dsat)), nil)
    case .orD:
      return (.best(subs[0].sat, .join(subs[1].sat, subs[0].dsat)), .join(subs[1].dsat, subs[0].dsat))
    case .orI:
      return (
        .best(.join(subs[0].sat, .one), .join(subs[1].sat, .zero)),
        .best(.join(subs[0].dsat, .one), .join(subs[1].dsat, .zero))
      )
    case .thresh(let required, _): return solveThresh(required, subs)
    case .wrapA, .wrapS, .wrapC, .wrapN: return subs[0]
    case .wrapD: return (.join(subs[0].sat, .one), .zero)
    case .wrapV: return (subs[0].sat, nil)
    case .wrapJ:
      // A dissatisfaction of X may start with a nonzero element and then be another way: it counts as one unless it needs a signature.
      let other = subs[0].dsat
      return (subs[0].sat, other.map { $0.hasSignature } ?? true ? .zero : Solution.zero.malleable)
    }
  }

  /// From the best solutions with 0, 1, … signatures those with one key more.
  private static func extend(
    _ counts: [Solution?], upTo required: Int, without: Solution?, with: Solution?,
    _ join: (Solution?, Solution?) -> Solution?
  ) -> [Solution?] {
    var next: [Solution?] = []
    for satisfied in 0...min(counts.count, required) {
      let skipped = satisfied < counts.count ? join(counts[satisfied], without) : nil
      let taken = satisfied > 0 ? join(counts[satisfied - 1], with) : nil
      next.append(.best(skipped, taken))
    }
    return next
  }

  private func solveThresh(
    _ required: Int, _ subs: [(sat: Solution?, dsat: Solution?)]
  ) -> (sat: Solution?, dsat: Solution?) {
    // The best way for every number of satisfied subexpressions. All of them matter: another number than `required` is a
    // dissatisfaction, which BIP 379 calls overcomplete.
    var counts: [Solution?] = [.nothing]
    for sub in subs {
      counts = Self.extend(counts, upTo: .max, without: sub.dsat, with: sub.sat) { .join($1, $0) }
    }
    var dsat = counts[0]
    for (satisfied, solution) in counts.enumerated() where satisfied != 0 && satisfied != required {
      dsat = .best(dsat, solution?.malleable)
    }
    return (required < counts.count ? counts[required] : nil, dsat)
  }
}
