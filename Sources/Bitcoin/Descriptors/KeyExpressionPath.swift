/// The steps behind a key in a descriptor (BIP 380, BIP 389).
struct KeyExpressionPath: Hashable, Sendable {
  enum Step: Hashable, Sendable {
    case child(ChildNumber)
    /// `<0;1>`: one descriptor for each number.
    case choice([ChildNumber])
  }

  enum Wildcard: Hashable, Sendable {
    case none
    /// `/*`
    case normal
    /// `/*h`
    case hardened
  }

  var steps: [Step] = []
  var wildcard = Wildcard.none

  var isEmpty: Bool { steps.isEmpty && wildcard == .none }

  var hasHardenedSteps: Bool {
    steps.contains { step in
      switch step {
      case .child(let number): number.isHardened
      case .choice(let numbers): numbers.contains(where: \.isHardened)
      }
    }
  }

  /// How many descriptors the path stands for.
  var multipathCount: Int {
    for step in steps { if case .choice(let numbers) = step { return numbers.count } }
    return 1
  }

  func selecting(_ choice: Int) -> KeyExpressionPath {
    var path = self
    path.steps = steps.map { step in
      if case .choice(let numbers) = step, numbers.indices.contains(choice) { .child(numbers[choice]) } else { step }
    }
    return path
  }

  /// The steps before the wildcard; nil while a choice is open.
  var fixed: DerivationPath? {
    var path = DerivationPath()
    for step in steps {
      guard case .child(let number) = step else { return nil }
      path.steps.append(number)
    }
    return path
  }

  func text(apostrophes: Bool) -> String {
    var text = ""
    for step in steps {
      switch step {
      case .child(let number): text += "/" + number.text(apostrophes: apostrophes)
      case .choice(let numbers):
        text += "/<" + numbers.map { $0.text(apostrophes: apostrophes) }.joined(separator: ";") + ">"
      }
    }
    switch wildcard {
    case .none: break
    case .normal: text += "/*"
    case .hardened: text += apostrophes ? "/*'" : "/*h"
    }
    return text
  }
}

extension ChildNumber {
  func text(apostrophes: Bool) -> String { isHardened ? "\(index)" + (apostrophes ? "'" : "h") : "\(index)" }
}
