/// The nested IFs of a running script. Scripts only ask whether all of them hold, so the depth and the outermost one that does not
/// hold say everything, and no operation takes longer the deeper it is nested (Bitcoin Core's `ConditionStack`).
struct ConditionStack {
  private var depth = 0
  private var firstFalse: Int?

  var isEmpty: Bool { depth == 0 }
  var allTrue: Bool { firstFalse == nil }

  mutating func push(_ condition: Bool) {
    if firstFalse == nil && !condition { firstFalse = depth }
    depth += 1
  }

  /// Must not be empty.
  mutating func pop() {
    depth -= 1
    if firstFalse == depth { firstFalse = nil }
  }

  /// Must not be empty.
  mutating func toggleTop() {
    if firstFalse == nil {
      firstFalse = depth - 1
    } else if firstFalse == depth - 1 {
      firstFalse = nil
    }
    // Otherwise an outer condition does not hold, and the top makes no difference until it is gone.
  }
}
