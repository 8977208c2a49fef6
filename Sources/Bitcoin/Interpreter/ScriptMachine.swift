internal import Encoding

/// Runs scripts, one after another, on one stack: Bitcoin Core's `EvalScript`.
struct ScriptMachine<Checker: SignatureChecker> {
  let flags: ScriptFlags
  let checker: Checker
  var stack = ScriptStack()
  var execution = TaprootExecution()

  // What follows belongs to the script that runs.
  var version = SignatureVersion.base
  var conditions = ConditionStack()
  var operationCount = 0
  /// Behind the last executed OP_CODESEPARATOR.
  var codeStart = 0

  init(flags: ScriptFlags, checker: Checker) {
    self.flags = flags
    self.checker = checker
  }

  mutating func run(_ script: RawSpan, version: SignatureVersion) throws(ScriptError) {
    self.version = version
    conditions = ConditionStack()
    operationCount = 0
    codeStart = 0
    execution.codeSeparatorPosition = .max
    stack.beginScript()
    // BIP 342: "The maximum script size of 10000 bytes does not apply." and "The maximum non-push opcodes limit of 201 per
    // script does not apply."
    let isTapscript = version == .tapscript
    if !isTapscript && script.byteCount > ScriptLimits.scriptSize { throw .scriptSize }

    let requireMinimal = flags.contains(.minimalData)
    var position: UInt32 = 0
    var offset = 0
    while offset < script.byteCount {
      guard let instruction = script.scriptInstruction(at: &offset) else { throw .badOpcode }
      let opcode = instruction.opcode
      let isExecuted = conditions.allTrue
      if opcode.rawValue <= Opcode.pushData4.rawValue {
        if instruction.data.count > ScriptLimits.elementSize { throw .pushSize }
        if isExecuted {
          let data = script.extracting(instruction.data)
          if requireMinimal && !data.isMinimallyPushed(by: opcode) { throw .minimalData }
          stack.push(data)
        }
      } else {
        if !isTapscript && opcode.rawValue > Opcode.op16.rawValue {
          operationCount += 1
          if operationCount > ScriptLimits.operationCount { throw .opCount }
        }
        if opcode.isDisabled { throw .disabledOpcode }
        if opcode == .codeSeparator && version == .base && flags.contains(.constScriptCode) { throw .opCodeSeparator }
        if isExecuted || Opcode.if.rawValue...Opcode.endIf.rawValue ~= opcode.rawValue {
          if opcode == .codeSeparator {
            codeStart = offset
            execution.codeSeparatorPosition = position
          } else {
            try execute(opcode, script, isExecuted: isExecuted)
          }
        }
      }
      if stack.count + stack.alternativeCount > ScriptLimits.stackCount { throw .stackSize }
      position &+= 1
    }
    if !conditions.isEmpty { throw .unbalancedConditional }
  }

  private mutating func execute(_ opcode: Opcode, _ script: RawSpan, isExecuted: Bool) throws(ScriptError) {
    switch opcode.rawValue {
    case Opcode.negativeOne.rawValue: stack.push(0x81 as UInt8)
    case Opcode.op1.rawValue...Opcode.op16.rawValue: stack.push(opcode.rawValue - 0x50)
    case Opcode.nop.rawValue...Opcode.return.rawValue: try control(opcode, isExecuted: isExecuted)
    case Opcode.toAltStack.rawValue...Opcode.tuck.rawValue, Opcode.size.rawValue: try rearrange(opcode)
    case Opcode.equal.rawValue...Opcode.equalVerify.rawValue: try compare(opcode)
    case Opcode.oneAdd.rawValue...Opcode.within.rawValue: try calculate(opcode)
    case Opcode.ripemd160.rawValue...Opcode.hash256.rawValue: try hash(opcode)
    case Opcode.checkSig.rawValue...Opcode.checkMultiSigVerify.rawValue, Opcode.checkSigAdd.rawValue:
      try checkSignatures(opcode, script)
    case Opcode.nop1.rawValue...Opcode.nop10.rawValue: try upgradableNop(opcode)
    default: throw .badOpcode
    }
  }

  // MARK: Control

  private mutating func control(_ opcode: Opcode, isExecuted: Bool) throws(ScriptError) {
    switch opcode {
    case .nop: break
    case .if, .notIf:
      var condition = false
      if isExecuted {
        try stack.require(1)
        try checkCondition()
        condition = stack.isTrue(at: 1) == (opcode == .if)
        stack.drop()
      }
      conditions.push(condition)
    case .else:
      if conditions.isEmpty { throw .unbalancedConditional }
      conditions.toggleTop()
    case .endIf:
      if conditions.isEmpty { throw .unbalancedConditional }
      conditions.pop()
    case .verify:
      try stack.require(1)
      guard stack.isTrue(at: 1) else { throw .verify }
      stack.drop()
    case .return: throw .opReturn
    default: throw .badOpcode
    }
  }

  private func checkCondition() throws(ScriptError) {
    let condition = stack.bytes(at: 1)
    if condition.byteCount == 0 || (condition.byteCount == 1 && condition[0] == 1) { return }
    // BIP 342: "The input argument to the OP_IF and OP_NOTIF opcodes must be either exactly 0 (the empty vector) or exactly 1
    // (the one-byte vector with value 1)."
    if version == .tapscript { throw .tapscriptMinimalIf }
    if version == .witnessV0 && flags.contains(.minimalIf) { throw .minimalIf }
  }

  private func upgradableNop(_ opcode: Opcode) throws(ScriptError) {
    switch opcode {
    case .checkLockTimeVerify:
      guard flags.contains(.checkLockTimeVerify) else { return }
      let lockTime = try lockArgument()
      if !checker.satisfies(lockTime: lockTime) { throw .unsatisfiedLockTime }
    case .checkSequenceVerify:
      guard flags.contains(.checkSequenceVerify) else { return }
      let sequence = try lockArgument()
      // BIP 112: "the disable flag (1 << 31) of the top stack item is set" means a NOP.
      if sequence & 1 << 31 != 0 { return }
      if !checker.satisfies(sequence: sequence) { throw .unsatisfiedLockTime }
    case .nop4 where flags.contains(.checkTemplateVerify):
      // BIP 119: "There is at least one element on the stack, fail otherwise".
      try stack.require(1)
      let template = stack.bytes(at: 1)
      if template.byteCount == 32 {
        if !checker.satisfies(template: template) { throw .templateMismatch }
      } else if flags.contains(.discourageUpgradableNops) {
        throw .discourageUpgradableNops
      }
    default:
      if flags.contains(.discourageUpgradableNops) { throw .discourageUpgradableNops }
    }
  }

  /// The top, which stays where it is: up to 5 bytes, because lock times are unsigned.
  private func lockArgument() throws(ScriptError) -> Int64 {
    try stack.require(1)
    let number = try stack.bytes(at: 1).scriptNumber(maximumSize: 5, requireMinimal: flags.contains(.minimalData))
    if number < 0 { throw .negativeLockTime }
    return number
  }
}

/// Consensus limits, which tapscript keeps in part (BIP 342).
enum ScriptLimits {
  /// Bytes; not in tapscript.
  static let scriptSize = 10_000
  /// Bytes of one element.
  static let elementSize = 520
  /// Main and alternative stack together.
  static let stackCount = 1000
  /// Operations that do more than push, and keys of CHECKMULTISIG; not in tapscript.
  static let operationCount = 201
  static let keysPerMultiSig = 20
  /// BIP 342: the budget of a tapscript starts at 50 plus the size of the witness, and each signature takes 50.
  static let weightPerSignature = 50
}
