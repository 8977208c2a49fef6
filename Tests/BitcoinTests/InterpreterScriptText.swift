import Bitcoin

/// A verdict in Bitcoin Core's words.
func verdict(_ body: () throws(ScriptError) -> Void) -> String {
  do {
    try body()
    return "OK"
  } catch {
    return error.rawValue
  }
}

/// The flags without those that lack the flag they depend on.
func trimmed(_ flags: ScriptFlags) -> ScriptFlags {
  var flags = flags
  if !flags.contains(.p2sh) { flags.remove(.witness) }
  if !flags.contains(.witness) { flags.subtract([.cleanStack, .taproot]) }
  return flags
}

/// The flags together with those that they depend on.
func filled(_ flags: ScriptFlags) -> ScriptFlags {
  var flags = flags
  if flags.contains(.cleanStack) || flags.contains(.taproot) { flags.insert(.witness) }
  if flags.contains(.witness) { flags.insert(.p2sh) }
  return flags
}

/// Numbers that look random and are the same each time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func flags() -> ScriptFlags { ScriptFlags(rawValue: UInt32(truncatingIfNeeded: next())).intersection(.all) }
}
