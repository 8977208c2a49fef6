public import Encoding

/// Where a miniscript stands; the two differ in keys, in multisig and in resource limits (BIP 379).
public enum MiniscriptContext: Hashable, Sendable {
  /// A witness script, keys of 33 bytes.
  case p2wsh
  /// A taproot leaf, keys of 32 bytes.
  case tapscript
}

/// One node of a miniscript. Subexpressions and keys are places in the lists that the node belongs to.
///
/// Sugar is spelled out: `pk`, `pkh`, `and_n`, `t:`, `l:` and `u:` are nodes of what BIP 379 says they stand for.
public enum MiniscriptFragment: Hashable, Sendable {
  case zero
  case one
  case pkK(key: Int)
  case pkH(key: Int)
  case older(UInt32)
  case after(UInt32)
  case sha256(Bytes32)
  case hash256(Bytes32)
  case ripemd160(Bytes20)
  case hash160(Bytes20)
  case andor(Int, Int, Int)
  case andV(Int, Int)
  case andB(Int, Int)
  case orB(Int, Int)
  case orC(Int, Int)
  case orD(Int, Int)
  case orI(Int, Int)
  case thresh(required: Int, [Int])
  case multi(required: Int, keys: [Int])
  case multiA(required: Int, keys: [Int])
  case wrapA(Int)
  case wrapS(Int)
  case wrapC(Int)
  case wrapD(Int)
  case wrapV(Int)
  case wrapJ(Int)
  case wrapN(Int)

  /// As BIP 379 writes it, without arguments.
  public var name: String {
    switch self {
    case .zero: "0"
    case .one: "1"
    case .pkK: "pk_k"
    case .pkH: "pk_h"
    case .older: "older"
    case .after: "after"
    case .sha256: "sha256"
    case .hash256: "hash256"
    case .ripemd160: "ripemd160"
    case .hash160: "hash160"
    case .andor: "andor"
    case .andV: "and_v"
    case .andB: "and_b"
    case .orB: "or_b"
    case .orC: "or_c"
    case .orD: "or_d"
    case .orI: "or_i"
    case .thresh: "thresh"
    case .multi: "multi"
    case .multiA: "multi_a"
    case .wrapA: "a:"
    case .wrapS: "s:"
    case .wrapC: "c:"
    case .wrapD: "d:"
    case .wrapV: "v:"
    case .wrapJ: "j:"
    case .wrapN: "n:"
    }
  }

  /// The subexpressions, from left to right.
  public var subexpressions: [Int] {
    switch self {
    case .zero, .one, .pkK, .pkH, .older, .after, .sha256, .hash256, .ripemd160, .hash160, .multi, .multiA: []
    case .andor(let x, let y, let z): [x, y, z]
    case .andV(let x, let y), .andB(let x, let y), .orB(let x, let y), .orC(let x, let y), .orD(let x, let y),
      .orI(let x, let y):
      [x, y]
    case .thresh(_, let subs): subs
    case .wrapA(let x), .wrapS(let x), .wrapC(let x), .wrapD(let x), .wrapV(let x), .wrapJ(let x), .wrapN(let x): [x]
    }
  }
}

/// Why a text or tree is no miniscript, or not one that should hold money.
public enum MiniscriptError: Error, Hashable, Sendable {
  /// A text longer than any script needs.
  case tooLong
  /// A character that cannot stand at this offset.
  case syntax(at: Int)
  case unknownFragment(String)
  case unknownWrapper(String)
  /// Not a number, or out of the range that BIP 379 gives the fragment.
  case invalidNumber(fragment: String)
  /// Not hex of the length of the hash.
  case invalidHash(fragment: String)
  case invalidKey(String)
  /// More keys than the fragment takes: 20 for `multi`, 999 for `multi_a`.
  case tooManyKeys(Int)
  /// `multi` in tapscript, `multi_a` in P2WSH.
  case wrongContext(fragment: String)
  /// The subexpressions do not have the types that the fragment requires (BIP 379 §Correctness).
  case typeMismatch(fragment: String)
  /// Larger than the context allows: 3,600 bytes in P2WSH.
  case scriptTooLarge(Int)

  // What is not sane.

  /// The whole is not of type B.
  case notOfTypeB
  /// A third party could change a satisfaction.
  case malleable
  /// Some satisfaction needs no signature.
  case needsNoSignature
  /// Some path needs a height and a time of the same kind of timelock.
  case mixesTimelocks
  case duplicateKeys
  /// More than 201 operations may be executed in P2WSH.
  case tooManyOperations(Int)
  /// A witness of more than 100 elements in P2WSH, or a stack of more than 1,000 in tapscript.
  case stackTooLarge(Int)
  case unsatisfiable
}
