internal import Encoding
internal import Hashing

// The operations that look at nothing but the stack.

extension ScriptMachine {
  mutating func rearrange(_ opcode: Opcode) throws(ScriptError) {
    switch opcode {
    case .toAltStack:
      try stack.require(1)
      stack.toAlternative()
    case .fromAltStack:
      guard stack.alternativeCount > 0 else { throw .invalidAltStackOperation }
      stack.fromAlternative()
    case .twoDrop:
      try stack.require(2)
      stack.drop(2)
    case .twoDup:
      try stack.require(2)
      for _ in 0..<2 { stack.push(stack.element(2)) }
    case .threeDup:
      try stack.require(3)
      for _ in 0..<3 { stack.push(stack.element(3)) }
    case .twoOver:
      try stack.require(4)
      for _ in 0..<2 { stack.push(stack.element(4)) }
    case .twoRot:
      try stack.require(6)
      for _ in 0..<2 { stack.push(stack.remove(at: 6)) }
    case .twoSwap:
      try stack.require(4)
      stack.swap(4, 2)
      stack.swap(3, 1)
    case .ifDup:
      try stack.require(1)
      if stack.isTrue(at: 1) { stack.push(stack.element(1)) }
    case .depth: stack.push(number: Int64(stack.count))
    case .drop:
      try stack.require(1)
      stack.drop()
    case .dup:
      try stack.require(1)
      stack.push(stack.element(1))
    case .nip:
      try stack.require(2)
      _ = stack.remove(at: 2)
    case .over:
      try stack.require(2)
      stack.push(stack.element(2))
    case .pick, .roll:
      try stack.require(2)
      let number = try number(at: 1)
      stack.drop()
      guard number >= 0 && number < stack.count else { throw .invalidStackOperation }
      let depth = Int(number) + 1
      stack.push(opcode == .pick ? stack.element(depth) : stack.remove(at: depth))
    case .rot:
      try stack.require(3)
      stack.push(stack.remove(at: 3))
    case .swap:
      try stack.require(2)
      stack.swap(2, 1)
    case .tuck:
      try stack.require(2)
      stack.insert(stack.element(1), at: 2)
    case .size:
      try stack.require(1)
      stack.push(number: Int64(stack.element(1).count))
    default: throw .badOpcode
    }
  }

  mutating func compare(_ opcode: Opcode) throws(ScriptError) {
    try stack.require(2)
    let isEqual = stack.bytes(at: 1).elementsEqual(stack.bytes(at: 2))
    stack.drop(2)
    if opcode == .equal {
      stack.push(isEqual)
    } else if !isEqual {
      throw .equalVerify
    }
  }

  mutating func hash(_ opcode: Opcode) throws(ScriptError) {
    try stack.require(1)
    switch opcode {
    case .ripemd160:
      let digest = Hashing.ripemd160(stack.bytes(at: 1))
      replaceTop(with: digest)
    case .sha1:
      let digest = Hashing.sha1(stack.bytes(at: 1))
      replaceTop(with: digest)
    case .sha256:
      let digest = Hashing.sha256(stack.bytes(at: 1))
      replaceTop(with: digest)
    case .hash160:
      let digest = Hashing.hash160(stack.bytes(at: 1))
      replaceTop(with: digest)
    default:
      let digest = Hashing.sha256d(stack.bytes(at: 1))
      replaceTop(with: digest)
    }
  }

  private mutating func replaceTop(with digest: some FixedSizeBytes) {
    stack.drop()
    stack.push(digest.bytes)
  }

  // MARK: Numbers

  /// The element at a depth as a number of up to 4 bytes.
  func number(at depth: Int) throws(ScriptError) -> Int64 {
    try stack.bytes(at: depth).scriptNumber(requireMinimal: flags.contains(.minimalData))
  }

  mutating func calculate(_ opcode: Opcode) throws(ScriptError) {
    switch opcode {
    case .oneAdd, .oneSub, .negate, .abs, .not, .zeroNotEqual:
      try stack.require(1)
      let a = try number(at: 1)
      let result: Int64 =
        switch opcode {
        case .oneAdd: a + 1
        case .oneSub: a - 1
        case .negate: -a
        case .abs: a < 0 ? -a : a
        case .not: a == 0 ? 1 : 0
        default: a != 0 ? 1 : 0
        }
      stack.drop()
      stack.push(number: result)
    case .within:
      try stack.require(3)
      let a = try number(at: 3)
      let low = try number(at: 2)
      let high = try number(at: 1)
      stack.drop(3)
      stack.push(low <= a && a < high)
    default: try calculateWithTwo(opcode)
    }
  }

  private mutating func calculateWithTwo(_ opcode: Opcode) throws(ScriptError) {
    try stack.require(2)
    let a = try number(at: 2)
    let b = try number(at: 1)
    // Four bytes each: no sum leaves 64 bits.
    let result: Int64 =
      switch opcode {
      case .add: a + b
      case .sub: a - b
      case .boolAnd: a != 0 && b != 0 ? 1 : 0
      case .boolOr: a != 0 || b != 0 ? 1 : 0
      case .numEqual, .numEqualVerify: a == b ? 1 : 0
      case .numNotEqual: a != b ? 1 : 0
      case .lessThan: a < b ? 1 : 0
      case .greaterThan: a > b ? 1 : 0
      case .lessThanOrEqual: a <= b ? 1 : 0
      case .greaterThanOrEqual: a >= b ? 1 : 0
      case .min: Swift.min(a, b)
      case .max: Swift.max(a, b)
      default: throw .badOpcode
      }
    stack.drop(2)
    if opcode == .numEqualVerify {
      if result == 0 { throw .numEqualVerify }
    } else {
      stack.push(number: result)
    }
  }
}
