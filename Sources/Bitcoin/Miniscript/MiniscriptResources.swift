/// What a miniscript costs: bytes of script, operations, witness and stack, in the worst case of a non-malleable satisfaction
/// (BIP 379 §Resource Limits).
struct MiniscriptResources: Hashable, Sendable {
  /// The most of something over satisfactions and over dissatisfactions; nil where there is none at all.
  struct Bounds<Value: Hashable & Sendable>: Hashable, Sendable {
    var sat: Value?
    var dsat: Value?
  }

  /// Bytes of the script.
  var scriptSize: Int
  /// Non-push operations that are always counted.
  var operations: Int
  /// Keys of executed OP_CHECKMULTISIGs, which count as operations.
  var checkedKeys: Bounds<Int>
  /// Bytes of the witness, every element with one byte for its length.
  var witnessSize: Bounds<Int>
  var stack: Bounds<StackUse>

  static let maximumP2WSHScriptSize = 3_600
  static let maximumOperations = 201
  static let maximumP2WSHStackItems = 100
  static let maximumStackSize = 1_000

  /// The largest leaf that a standard transaction (400,000 weight units) with one input and one output can spend, even with 1,000 elements
  /// of 65 bytes and the longest control block. Tapscript itself has no limit.
  static let maximumTapscriptSize: Int = {
    let body = (8 + 1 + 41 + 1 + 43) * 4 + 2
    let witness = 3 + (1 + 65) * maximumStackSize + 3 + 33 + 32 * 128
    let script = 400_000 - body - witness
    return script - 5
  }()
}

/// How high the stack stands before and during a piece of script, compared to after it.
struct StackUse: Hashable, Sendable {
  var difference: Int
  var peak: Int

  /// Nothing at all, also an operation that replaces the top element.
  static let none = StackUse(difference: 0, peak: 0)
  /// One element more afterwards.
  static let push = StackUse(difference: -1, peak: 0)
  /// One element fewer afterwards: OP_IF, OP_VERIFY, OP_ADD, OP_EQUAL, OP_CHECKSIG.
  static let pop = StackUse(difference: 1, peak: 1)
  /// OP_EQUALVERIFY.
  static let popTwo = StackUse(difference: 2, peak: 2)

  /// One after the other.
  static func + (a: StackUse, b: StackUse) -> StackUse {
    StackUse(difference: a.difference + b.difference, peak: max(b.peak, b.difference + a.peak))
  }

  /// The worse of two alternatives, in every respect.
  static func worse(_ a: StackUse, _ b: StackUse) -> StackUse {
    StackUse(difference: max(a.difference, b.difference), peak: max(a.peak, b.peak))
  }
}

extension MiniscriptFragment {
  /// The cost of this node, from those of its subexpressions and their types.
  func resources(
    of subs: (Int) -> MiniscriptResources, types: (Int) -> MiniscriptType, in context: MiniscriptContext
  ) -> MiniscriptResources {
    let children = subexpressions.map(subs)
    return MiniscriptResources(
      scriptSize: scriptSize(children, types, context), operations: operations(children, types),
      checkedKeys: bounds(children, CheckedKeys()),
      witnessSize: bounds(children, WitnessSize(context: context)), stack: bounds(children, StackHeight()))
  }

  private func scriptSize(
    _ children: [MiniscriptResources], _ types: (Int) -> MiniscriptType, _ context: MiniscriptContext
  ) -> Int {
    let below = children.reduce(0) { $0 + $1.scriptSize }
    let keySize = context == .tapscript ? 33 : 34
    switch self {
    case .zero, .one: return 1
    case .pkK: return keySize
    case .pkH: return 3 + 21
    case .older(let number), .after(let number): return 1 + Self.pushSize(Int(number))
    case .sha256, .hash256: return 6 + 33
    case .ripemd160, .hash160: return 6 + 21
    case .multi(let required, let keys):
      return 1 + Self.pushSize(required) + Self.pushSize(keys.count) + keySize * keys.count
    case .multiA(let required, let keys): return (keySize + 1) * keys.count + Self.pushSize(required) + 1
    case .andV: return below
    case .wrapV(let x): return below + (types(x).has(.expensiveVerify) ? 1 : 0)
    case .wrapS, .wrapC, .wrapN, .andB, .orB: return below + 1
    case .wrapA, .orC: return below + 2
    case .wrapD, .orD, .orI, .andor: return below + 3
    case .wrapJ: return below + 4
    case .thresh(let required, let subs): return below + subs.count + Self.pushSize(required)
    }
  }

  /// The bytes of the push of a number from 1 on.
  private static func pushSize(_ number: Int) -> Int {
    number <= 16 ? 1 : 1 + ScriptNumber.encode(Int64(number)).count
  }

  private func operations(_ children: [MiniscriptResources], _ types: (Int) -> MiniscriptType) -> Int {
    let below = children.reduce(0) { $0 + $1.operations }
    switch self {
    case .zero, .one, .pkK: return 0
    case .pkH: return 3
    case .older, .after, .multi: return 1
    case .sha256, .hash256, .ripemd160, .hash160: return 4
    case .multiA(_, let keys): return keys.count + 1
    case .andV: return below
    case .wrapV(let x): return below + (types(x).has(.expensiveVerify) ? 1 : 0)
    case .wrapS, .wrapC, .wrapN, .andB, .orB: return below + 1
    case .wrapA, .orC: return below + 2
    case .wrapD, .orD, .orI, .andor: return below + 3
    case .wrapJ: return below + 4
    case .thresh(_, let subs): return below + subs.count
    }
  }

  // MARK: Worst cases

  /// Combines what one kind of cost makes of the ways to satisfy a node: BIP 379's table of (dis)satisfactions without the options that a
  /// non-malleable satisfaction cannot use.
  private func bounds<Kind: MiniscriptCost>(
    _ children: [MiniscriptResources], _ kind: Kind
  ) -> MiniscriptResources.Bounds<Kind.Value> {
    let values = children.map { kind.bounds(of: $0) }
    func plus(_ parts: Kind.Value?...) -> Kind.Value? {
      parts.reduce(kind.zero) { sum, part in
        guard let sum, let part else { return nil }
        return kind.sum(sum, part)
      }
    }
    func worse(_ a: Kind.Value?, _ b: Kind.Value?) -> Kind.Value? {
      guard let a, let b else { return a ?? b }
      return kind.worse(a, b)
    }
    typealias Result = MiniscriptResources.Bounds<Kind.Value>
    switch self {
    case .zero, .one, .pkK, .pkH, .older, .after, .sha256, .hash256, .ripemd160, .hash160, .multi, .multiA:
      return kind.leaf(self)
    case .wrapA, .wrapS, .wrapN: return values[0]
    case .wrapC: return Result(sat: plus(values[0].sat, kind.pop), dsat: plus(values[0].dsat, kind.pop))
    case .wrapD:
      return Result(sat: plus(kind.duplicate, kind.ifTrue, values[0].sat), dsat: plus(kind.duplicate, kind.ifFalse))
    case .wrapJ: return Result(sat: plus(kind.sizeIf, values[0].sat), dsat: kind.sizeIfEmpty)
    case .wrapV: return Result(sat: plus(values[0].sat, kind.pop), dsat: nil)
    case .andV: return Result(sat: plus(values[0].sat, values[1].sat), dsat: nil)
    case .andB:
      return Result(
        sat: plus(values[0].sat, values[1].sat, kind.pop), dsat: plus(values[0].dsat, values[1].dsat, kind.pop))
    case .orB:
      let sat = worse(plus(values[0].sat, values[1].dsat), plus(values[0].dsat, values[1].sat))
      return Result(sat: plus(sat, kind.pop), dsat: plus(values[0].dsat, values[1].dsat, kind.pop))
    case .orC:
      return Result(
        sat: worse(plus(values[0].sat, kind.pop), plus(values[0].dsat, kind.pop, values[1].sat)), dsat: nil)
    case .orD:
      return Result(
        sat: worse(
          plus(values[0].sat, kind.push, kind.pop), plus(values[0].dsat, kind.pop, values[1].sat)),
        dsat: plus(values[0].dsat, kind.pop, values[1].dsat))
    case .orI:
      return Result(
        sat: worse(plus(kind.ifTrue, values[0].sat), plus(kind.ifFalse, values[1].sat)),
        dsat: worse(plus(kind.ifTrue, values[0].dsat), plus(kind.ifFalse, values[1].dsat)))
    case .andor:
      return Result(
        sat: worse(plus(values[0].sat, kind.pop, values[1].sat), plus(values[0].dsat, kind.pop, values[2].sat)),
        dsat: plus(values[0].dsat, kind.pop, values[2].dsat))
    case .thresh(let required, _):
      // For each number of satisfied subexpressions so far the worst case; more than needed are of no interest.
      var counts: [Kind.Value?] = [kind.zero]
      for (index, value) in values.enumerated() {
        let add = index > 0 ? kind.pop : kind.zero
        var next: [Kind.Value?] = []
        for satisfied in 0...min(counts.count, required) {
          let without = satisfied < counts.count ? plus(counts[satisfied], value.dsat, add) : nil
          let with = satisfied > 0 ? plus(counts[satisfied - 1], value.sat, add) : nil
          next.append(worse(without, with))
        }
        counts = next
      }
      let sat = required < counts.count ? counts[required] : nil
      return Result(sat: plus(sat, kind.push, kind.pop), dsat: plus(counts[0], kind.push, kind.pop))
    }
  }
}

/// One kind of cost that adds up along a script.
private protocol MiniscriptCost {
  associatedtype Value: Hashable & Sendable
  var zero: Value { get }
  func sum(_ a: Value, _ b: Value) -> Value
  func worse(_ a: Value, _ b: Value) -> Value
  func bounds(of resources: MiniscriptResources) -> MiniscriptResources.Bounds<Value>
  func leaf(_ fragment: MiniscriptFragment) -> MiniscriptResources.Bounds<Value>
  /// Operations that move the stack alone.
  var push: Value { get }
  var pop: Value { get }
  /// OP_DUP before OP_IF.
  var duplicate: Value { get }
  /// OP_IF and the element that it takes, 1 or empty.
  var ifTrue: Value { get }
  var ifFalse: Value { get }
  /// OP_SIZE OP_0NOTEQUAL OP_IF, with the subexpression's own element or with an empty one.
  var sizeIf: Value { get }
  var sizeIfEmpty: Value { get }
}

private struct CheckedKeys: MiniscriptCost {
  var zero: Int { 0 }
  var push: Int { 0 }
  var pop: Int { 0 }
  var duplicate: Int { 0 }
  var ifTrue: Int { 0 }
  var ifFalse: Int { 0 }
  var sizeIf: Int { 0 }
  var sizeIfEmpty: Int { 0 }
  func sum(_ a: Int, _ b: Int) -> Int { a + b }
  func worse(_ a: Int, _ b: Int) -> Int { max(a, b) }
  func bounds(of resources: MiniscriptResources) -> MiniscriptResources.Bounds<Int> { resources.checkedKeys }

  func leaf(_ fragment: MiniscriptFragment) -> MiniscriptResources.Bounds<Int> {
    switch fragment {
    case .zero: .init(sat: nil, dsat: 0)
    case .multi(_, let keys): .init(sat: keys.count, dsat: keys.count)
    case .pkK, .pkH, .multiA: .init(sat: 0, dsat: 0)
    default: .init(sat: 0, dsat: nil)
    }
  }
}

private struct WitnessSize: MiniscriptCost {
  let context: MiniscriptContext
  var zero: Int { 0 }
  var push: Int { 0 }
  var pop: Int { 0 }
  var duplicate: Int { 0 }
  var ifTrue: Int { 2 }
  var ifFalse: Int { 1 }
  var sizeIf: Int { 0 }
  var sizeIfEmpty: Int { 1 }
  func sum(_ a: Int, _ b: Int) -> Int { a + b }
  func worse(_ a: Int, _ b: Int) -> Int { max(a, b) }
  func bounds(of resources: MiniscriptResources) -> MiniscriptResources.Bounds<Int> { resources.witnessSize }

  func leaf(_ fragment: MiniscriptFragment) -> MiniscriptResources.Bounds<Int> {
    // With its sighash byte: 72 bytes with a low s, 65 in tapscript.
    let signature = context == .tapscript ? 1 + 65 : 1 + 72
    let key = context == .tapscript ? 1 + 32 : 1 + 33
    return switch fragment {
    case .zero: .init(sat: nil, dsat: 0)
    case .pkK: .init(sat: signature, dsat: 1)
    case .pkH: .init(sat: signature + key, dsat: 1 + key)
    case .sha256, .hash256, .ripemd160, .hash160: .init(sat: 1 + 32, dsat: nil)
    case .multi(let required, _): .init(sat: required * signature + 1, dsat: required + 1)
    case .multiA(let required, let keys):
      .init(sat: required * signature + keys.count - required, dsat: keys.count)
    default: .init(sat: 0, dsat: nil)
    }
  }
}

private struct StackHeight: MiniscriptCost {
  var zero: StackUse { .none }
  var push: StackUse { .push }
  var pop: StackUse { .pop }
  var duplicate: StackUse { .push }
  var ifTrue: StackUse { .pop }
  var ifFalse: StackUse { .pop }
  var sizeIf: StackUse { .push + .pop }
  var sizeIfEmpty: StackUse { .push + .pop }
  func sum(_ a: StackUse, _ b: StackUse) -> StackUse { a + b }
  func worse(_ a: StackUse, _ b: StackUse) -> StackUse { .worse(a, b) }
  func bounds(of resources: MiniscriptResources) -> MiniscriptResources.Bounds<StackUse> { resources.stack }

  func leaf(_ fragment: MiniscriptFragment) -> MiniscriptResources.Bounds<StackUse> {
    switch fragment {
    case .zero: .init(sat: nil, dsat: .push)
    case .one, .older, .after: .init(sat: .push, dsat: nil)
    case .pkK: .init(sat: .push, dsat: .push)
    case .pkH:
      // OP_DUP OP_HASH160 ⟨hash⟩ OP_EQUALVERIFY.
      .init(sat: .push + .push + .popTwo, dsat: .push + .push + .popTwo)
    case .sha256, .hash256, .ripemd160, .hash160:
      // OP_SIZE ⟨32⟩ OP_EQUALVERIFY, the hash, ⟨hash⟩ OP_EQUAL.
      .init(sat: .push + .push + .popTwo + .push + .pop, dsat: nil)
    case .multi(let required, let keys):
      // From k + 1 elements to one, with n keys and two numbers above them in between.
      .init(
        sat: StackUse(difference: required, peak: required + keys.count + 2),
        dsat: StackUse(difference: required, peak: required + keys.count + 2))
    case .multiA(_, let keys):
      .init(
        sat: StackUse(difference: keys.count - 1, peak: keys.count),
        dsat: StackUse(difference: keys.count - 1, peak: keys.count))
    default: .init(sat: StackUse.none, dsat: nil)
    }
  }
}
