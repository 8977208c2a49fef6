/// The type of a miniscript expression: one of B, V, K, W, and its properties (BIP 379 §Type System). The empty type is that of an
/// expression whose parts do not fit.
public struct MiniscriptType: OptionSet, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private static let letters = Array("BVKWzonduefsmxghijk")

  /// Letters as BIP 379 writes them, and these: `m` non-malleable, `x` the last operation has no VERIFY form; `g`, `h`, `i`, `j` contains
  /// a relative timelock by time or height, an absolute one by time or height; `k` does not mix them.
  init(_ letters: StaticString) {
    var bits: UInt32 = 0
    for letter in letters.description {
      if let index = Self.letters.firstIndex(of: letter) { bits |= 1 << UInt32(index) }
    }
    rawValue = bits
  }

  public var description: String {
    String(Self.letters.enumerated().filter { rawValue & 1 << UInt32($0.offset) != 0 }.map(\.element))
  }

  // Correctness.
  public static let base = MiniscriptType(rawValue: 1 << 0)
  public static let verify = MiniscriptType(rawValue: 1 << 1)
  public static let key = MiniscriptType(rawValue: 1 << 2)
  public static let wrapped = MiniscriptType(rawValue: 1 << 3)
  public static let zeroArg = MiniscriptType(rawValue: 1 << 4)
  public static let oneArg = MiniscriptType(rawValue: 1 << 5)
  public static let nonzero = MiniscriptType(rawValue: 1 << 6)
  public static let dissatisfiable = MiniscriptType(rawValue: 1 << 7)
  public static let unit = MiniscriptType(rawValue: 1 << 8)
  // Malleability.
  public static let expressive = MiniscriptType(rawValue: 1 << 9)
  public static let forced = MiniscriptType(rawValue: 1 << 10)
  public static let signed = MiniscriptType(rawValue: 1 << 11)
  public static let nonMalleable = MiniscriptType(rawValue: 1 << 12)
  /// The last operation has no VERIFY form.
  public static let expensiveVerify = MiniscriptType(rawValue: 1 << 13)
  // Timelocks.
  public static let relativeTime = MiniscriptType(rawValue: 1 << 14)
  public static let relativeHeight = MiniscriptType(rawValue: 1 << 15)
  public static let absoluteTime = MiniscriptType(rawValue: 1 << 16)
  public static let absoluteHeight = MiniscriptType(rawValue: 1 << 17)
  public static let noTimelockMix = MiniscriptType(rawValue: 1 << 18)

  static let basic: MiniscriptType = [.base, .verify, .key, .wrapped]
  static let timelocks: MiniscriptType = [.relativeTime, .relativeHeight, .absoluteTime, .absoluteHeight]

  /// Whether all of `properties` hold.
  func has(_ properties: MiniscriptType) -> Bool { isSuperset(of: properties) }

  func when(_ condition: Bool) -> MiniscriptType { condition ? self : [] }
}

extension MiniscriptFragment {
  /// The type of this node, from those of its subexpressions. Empty when they do not fit.
  func type(of subs: (Int) -> MiniscriptType, in context: MiniscriptContext) -> MiniscriptType {
    let type = computeType(subs, context)
    // Exactly one basic type, or the parts did not fit.
    return type.intersection(.basic).isEmpty ? [] : type
  }

  // The tables of BIP 379 §Correctness, §Timelock Type Mixing and §Malleability, line by line.
  private func computeType(_ type: (Int) -> MiniscriptType, _ context: MiniscriptContext) -> MiniscriptType {
    switch self {
    case .zero: return Types.zero
    case .one: return Types.one
    case .pkK: return Types.pkK
    case .pkH: return Types.pkH
    case .older(let number):
      // BIP 68: bit 22 says that the number counts units of 512 seconds.
      return Types.timelock.union(number & 1 << 22 != 0 ? .relativeTime : .relativeHeight)
    case .after(let number):
      // Bitcoin's LOCKTIME_THRESHOLD: from 500,000,000 on a time.
      return Types.timelock.union(number >= 500_000_000 ? .absoluteTime : .absoluteHeight)
    case .sha256, .hash256, .ripemd160, .hash160: return Types.hash
    case .multi: return Types.multi
    case .multiA: return Types.multiA
    case .wrapA(let x): return Rules.wrapA(type(x))
    case .wrapS(let x): return Rules.wrapS(type(x))
    case .wrapC(let x): return Rules.wrapC(type(x))
    case .wrapD(let x): return Rules.wrapD(type(x), context)
    case .wrapV(let x): return Rules.wrapV(type(x))
    case .wrapJ(let x): return Rules.wrapJ(type(x))
    case .wrapN(let x): return Rules.wrapN(type(x))
    case .andV(let x, let y): return Rules.andV(type(x), type(y))
    case .andB(let x, let y): return Rules.andB(type(x), type(y))
    case .orB(let x, let z): return Rules.orB(type(x), type(z))
    case .orC(let x, let z): return Rules.orC(type(x), type(z))
    case .orD(let x, let z): return Rules.orD(type(x), type(z))
    case .orI(let x, let z): return Rules.orI(type(x), type(z))
    case .andor(let x, let y, let z): return Rules.andor(type(x), type(y), type(z))
    case .thresh(let required, let subs): return Rules.thresh(required, subs.map(type))
    }
  }
}

private enum Types {
  static let zero = MiniscriptType("Bzudesmxk")
  static let one = MiniscriptType("Bzufmxk")
  static let pkK = MiniscriptType("Konudesmxk")
  static let pkH = MiniscriptType("Knudesmxk")
  static let timelock = MiniscriptType("Bzfmxk")
  static let hash = MiniscriptType("Bonudmk")
  static let multi = MiniscriptType("Bnudesmk")
  static let multiA = MiniscriptType("Budesmk")
}

private enum Rules {
  // MARK: - Wrappers

  static func wrapA(_ x: MiniscriptType) -> MiniscriptType {
    MiniscriptType.wrapped.when(x.has(.base))
      .union(x.intersection([.dissatisfiable, .unit, .signed, .forced, .expressive, .nonMalleable]))
      .union(.expensiveVerify).union(x.timelockProperties)
  }

  static func wrapS(_ x: MiniscriptType) -> MiniscriptType {
    MiniscriptType.wrapped.when(x.has([.base, .oneArg]))
      .union(x.intersection([.dissatisfiable, .unit, .signed, .forced, .expressive, .nonMalleable, .expensiveVerify]))
      .union(x.timelockProperties)
  }

  static func wrapC(_ x: MiniscriptType) -> MiniscriptType {
    MiniscriptType.base.when(x.has(.key))
      .union(x.intersection([.oneArg, .nonzero, .dissatisfiable, .forced, .expressive, .nonMalleable]))
      .union([.unit, .signed]).union(x.timelockProperties)
  }

  static func wrapD(_ x: MiniscriptType, _ context: MiniscriptContext) -> MiniscriptType {
    MiniscriptType.base.when(x.has([.verify, .zeroArg]))
      .union([.oneArg, .nonzero, .dissatisfiable, .expensiveVerify])
      // Tapscript only: MINIMALIF is consensus there, so what OP_IF consumed was an exact 1.
      .union(MiniscriptType.unit.when(context == .tapscript))
      .union(MiniscriptType.expressive.when(x.has(.forced)))
      .union(x.intersection([.signed, .nonMalleable])).union(x.timelockProperties)
  }

  static func wrapV(_ x: MiniscriptType) -> MiniscriptType {
    MiniscriptType.verify.when(x.has(.base))
      .union(x.intersection([.zeroArg, .oneArg, .nonzero, .signed, .nonMalleable]))
      .union([.forced, .expensiveVerify]).union(x.timelockProperties)
  }

  static func wrapJ(_ x: MiniscriptType) -> MiniscriptType {
    MiniscriptType.base.when(x.has([.base, .nonzero]))
      .union(x.intersection([.oneArg, .unit, .signed, .nonMalleable]))
      .union([.nonzero, .dissatisfiable, .expensiveVerify])
      .union(MiniscriptType.expressive.when(x.has(.forced))).union(x.timelockProperties)
  }

  static func wrapN(_ x: MiniscriptType) -> MiniscriptType {
    x.intersection([
      .base, .zeroArg, .oneArg, .nonzero, .dissatisfiable, .forced, .expressive, .nonMalleable, .signed,
    ])
    .union([.unit, .expensiveVerify]).union(x.timelockProperties)
  }

  // MARK: - Combinators

  static func andV(_ x: MiniscriptType, _ y: MiniscriptType) -> MiniscriptType {
    y.intersection([.base, .key, .verify]).when(x.has(.verify))
      .union(sequence(x, y)).union(x.intersection(y).intersection([.zeroArg, .nonMalleable]))
      .union(x.union(y).intersection(.signed))
      .union(MiniscriptType.forced.when(x.has(.signed) || y.has(.forced)))
      .union(y.intersection([.unit, .expensiveVerify])).union(joined(x, y))
  }

  static func andB(_ x: MiniscriptType, _ y: MiniscriptType) -> MiniscriptType {
    let both = x.intersection(y)
    return MiniscriptType.base.when(x.has(.base) && y.has(.wrapped))
      .union(sequence(x, y)).union(both.intersection([.dissatisfiable, .zeroArg, .nonMalleable]))
      .union(MiniscriptType.expressive.when(both.has([.expressive, .signed])))
      .union(
        MiniscriptType.forced.when(both.has(.forced) || x.has([.signed, .forced]) || y.has([.signed, .forced]))
      )
      .union(x.union(y).intersection(.signed)).union([.unit, .expensiveVerify]).union(joined(x, y))
  }

  /// What and_v and and_b have in common: o=zXoY or zYoX; n=nX or zXnY.
  static func sequence(_ x: MiniscriptType, _ y: MiniscriptType) -> MiniscriptType {
    x.union(y).intersection(.oneArg).when(x.union(y).has(.zeroArg))
      .union(x.intersection(.nonzero)).union(y.intersection(.nonzero).when(x.has(.zeroArg)))
  }

  static func orB(_ x: MiniscriptType, _ z: MiniscriptType) -> MiniscriptType {
    let both = x.intersection(z)
    let either = x.union(z)
    return MiniscriptType.base.when(x.has([.base, .dissatisfiable]) && z.has([.wrapped, .dissatisfiable]))
      .union(either.intersection(.oneArg).when(either.has(.zeroArg)))
      .union(MiniscriptType.nonMalleable.when(both.has([.nonMalleable, .expressive]) && either.has(.signed)))
      .union(both.intersection([.zeroArg, .signed, .expressive]))
      .union([.dissatisfiable, .unit, .expensiveVerify]).union(separate(x, z))
  }

  static func orC(_ x: MiniscriptType, _ z: MiniscriptType) -> MiniscriptType {
    z.intersection(.verify).when(x.has([.base, .dissatisfiable, .unit]))
      .union(alternative(x, z)).union([.forced, .expensiveVerify]).union(separate(x, z))
  }

  static func orD(_ x: MiniscriptType, _ z: MiniscriptType) -> MiniscriptType {
    z.intersection(.base).when(x.has([.base, .dissatisfiable, .unit]))
      .union(alternative(x, z)).union(z.intersection([.unit, .forced, .dissatisfiable, .expressive]))
      .union(.expensiveVerify).union(separate(x, z))
  }

  /// What or_c and or_d have in common: z=zXzZ; o=oXzZ; s=sXsZ; non-malleable when eX and (sX or sZ).
  static func alternative(_ x: MiniscriptType, _ z: MiniscriptType) -> MiniscriptType {
    x.intersection(.oneArg).when(z.has(.zeroArg))
      .union(
        x.intersection(z).intersection(.nonMalleable).when(x.has(.expressive) && x.union(z).has(.signed))
      )
      .union(x.intersection(z).intersection([.zeroArg, .signed]))
  }

  static func orI(_ x: MiniscriptType, _ z: MiniscriptType) -> MiniscriptType {
    let both = x.intersection(z)
    return both.intersection([.base, .key, .verify, .unit, .forced, .signed])
      .union(MiniscriptType.oneArg.when(both.has(.zeroArg)))
      .union(x.union(z).intersection(.dissatisfiable))
      .union(
        MiniscriptType.expressive.when(
          (x.has(.expressive) && z.has(.forced)) || (z.has(.expressive) && x.has(.forced)))
      )
      .union(both.intersection(.nonMalleable).when(x.union(z).has(.signed)))
      .union(.expensiveVerify).union(separate(x, z))
  }

  static func andor(_ x: MiniscriptType, _ y: MiniscriptType, _ z: MiniscriptType) -> MiniscriptType {
    let last = y.intersection(z)
    let forcedOnce = x.has(.signed) || y.has(.forced)
    let any = x.union(y).union(z)
    return last.intersection([.base, .key, .verify]).when(x.has([.base, .dissatisfiable, .unit]))
      .union(x.intersection(last).intersection(.zeroArg))
      .union(
        MiniscriptType.oneArg.when(
          (x.has(.zeroArg) && last.has(.oneArg)) || (x.has(.oneArg) && last.has(.zeroArg)))
      )
      .union(last.intersection(.unit)).union(z.intersection(.dissatisfiable))
      .union(z.intersection([.forced, .expressive]).when(forcedOnce))
      .union(z.intersection(.signed).when(x.union(y).has(.signed)))
      .union(
        x.intersection(last).intersection(.nonMalleable).when(x.has(.expressive) && any.has(.signed))
      )
      .union(.expensiveVerify)
      .union(any.intersection(.timelocks))
      // X and Y are needed together; Z stands alone.
      .union(MiniscriptType.noTimelockMix.when(x.intersection(last).has(.noTimelockMix) && !conflict(x, y)))
  }

  static func thresh(_ required: Int, _ subs: [MiniscriptType]) -> MiniscriptType {
    var arguments = 0
    var signed = 0
    var all = MiniscriptType(rawValue: .max)
    var locks = MiniscriptType.noTimelockMix
    for (index, sub) in subs.enumerated() {
      // BIP 379: X_1 is Bdu; others are Wdu.
      guard sub.has([index == 0 ? .base : .wrapped, .dissatisfiable, .unit]) else { return [] }
      all = all.intersection(sub)
      if sub.has(.signed) { signed += 1 }
      arguments += sub.has(.zeroArg) ? 0 : sub.has(.oneArg) ? 1 : 2
      locks = required > 1 ? joined(locks, sub) : separate(locks, sub)
    }
    let unsigned = subs.count - signed
    return MiniscriptType([.base, .dissatisfiable, .unit])
      .union(MiniscriptType.zeroArg.when(arguments == 0)).union(MiniscriptType.oneArg.when(arguments == 1))
      .union(MiniscriptType.expressive.when(all.has([.expressive, .signed])))
      .union(MiniscriptType.nonMalleable.when(all.has([.expressive, .nonMalleable]) && unsigned <= required))
      .union(MiniscriptType.signed.when(unsigned <= required - 1)).union(locks)
  }

  // MARK: - Timelocks

  /// BIP 379: it is illegal for both absolute height based and time based timelocks to appear, or for both relative height based and time
  /// based timelocks to appear.
  static func conflict(_ x: MiniscriptType, _ y: MiniscriptType) -> Bool {
    (x.has(.relativeTime) && y.has(.relativeHeight)) || (x.has(.relativeHeight) && y.has(.relativeTime))
      || (x.has(.absoluteTime) && y.has(.absoluteHeight)) || (x.has(.absoluteHeight) && y.has(.absoluteTime))
  }

  /// Of two that are needed together.
  static func joined(_ x: MiniscriptType, _ y: MiniscriptType) -> MiniscriptType {
    x.union(y).intersection(.timelocks)
      .union(MiniscriptType.noTimelockMix.when(x.intersection(y).has(.noTimelockMix) && !conflict(x, y)))
  }

  /// Of two of which one is enough.
  static func separate(_ x: MiniscriptType, _ z: MiniscriptType) -> MiniscriptType {
    x.union(z).intersection(.timelocks).union(x.intersection(z).intersection(.noTimelockMix))
  }
}

extension MiniscriptType {
  fileprivate var timelockProperties: MiniscriptType { intersection(Self.timelocks.union(.noTimelockMix)) }
}
