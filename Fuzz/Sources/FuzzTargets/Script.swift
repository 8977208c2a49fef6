internal import Bitcoin
internal import Encoding

extension FuzzTarget {
  static let script = FuzzTarget(
    "script",
    seeds: { Sample.scripts.map(\.bytes) },
    run: { input throws(Violation) in
      let script = Script(input.array)
      try checkAssembly(script)
      try checkNumbers(script)
      try checkKind(script)
      guard let instructions = script.instructions else {
        try law(!script.isPushOnly, "a script that breaks off is not push only")
        try law(script.asm.hasSuffix("[error]"), "assembly shows where a script breaks off")
        return .refused
      }
      var end = 0
      for instruction in instructions {
        try law(instruction.data.lowerBound > end, "instructions come one after the other")
        try law(instruction.isPush || instruction.data.isEmpty, "only pushes have data")
        end = instruction.data.upperBound
      }
      try law(end == script.count, "instructions cover the whole script")
      try law(
        script.isPushOnly == instructions.allSatisfy { $0.opcode.rawValue <= Opcode.op16.rawValue },
        "push only is what BIP 16 calls so")
      return .accepted
    })

  /// Assembly that can be read means what it meant.
  private static func checkAssembly(_ script: Script) throws(Violation) {
    guard let again = try? Script(asm: script.asm) else { return }
    guard let instructions = script.instructions else {
      throw Violation(description: "assembly of a script that breaks off can be read: \(script.asm)")
    }
    var shortest = Script()
    for instruction in instructions {
      if instruction.isPush && !instruction.data.isEmpty {
        shortest.append(push: Array(script.bytes[instruction.data]))
      } else {
        shortest.append(instruction.opcode)
      }
    }
    try law(again == shortest, "reading \(script.asm) gives the script with its pushes in the shortest form")
  }

  /// A script that is recognised is the one that its kind would be built as.
  private static func checkKind(_ script: Script) throws(Violation) {
    let rebuilt: Script?
    switch script.kind {
    case .p2pkh(let hash): rebuilt = .p2pkh(hash)
    case .p2sh(let hash): rebuilt = .p2sh(hash)
    case .p2wpkh(let hash): rebuilt = .p2wpkh(hash)
    case .p2wsh(let hash): rebuilt = .p2wsh(hash)
    case .p2tr(let key): rebuilt = .witness(version: 1, program: key.array)
    case .p2a: rebuilt = .witness(version: 1, program: [0x4e, 0x73])
    case .witness(let version, let program): rebuilt = .witness(version: version, program: program)
    case .multisig(let required, let keys):
      try law(1...keys.count ~= required && keys.count <= 20, "\(required) of \(keys.count) keys")
      rebuilt = nil
    case .p2pk, .opReturn, .nonstandard: rebuilt = nil
    }
    if let rebuilt { try law(rebuilt == script, "\(script.kind) is built as \(rebuilt)") }
  }

  /// Numbers have one minimal form.
  private static func checkNumbers(_ script: Script) throws(Violation) {
    for size in 0...min(9, script.count) {
      let bytes = Array(script.bytes[..<size])
      if let number = ScriptNumber.decode(bytes, maximumSize: 8) {
        try law(ScriptNumber.encode(number) == bytes, "\(number) is minimal as \(Hex.encode(bytes))")
      }
      let lenient = ScriptNumber.decode(bytes, maximumSize: 8, requireMinimal: false)
      try law((lenient != nil) == (size <= 8), "any bytes are a number where minimal encoding is not asked for")
      if let lenient {
        let again = ScriptNumber.decode(ScriptNumber.encode(lenient), maximumSize: 9)
        try law(again == lenient || lenient.magnitude >> 63 == 1, "\(lenient) survives, not \(again as Any)")
      }
      try law(
        size <= 4 || ScriptNumber.decode(bytes) == nil,
        "numbers longer than four bytes are refused where four is the limit")
    }
  }
}
