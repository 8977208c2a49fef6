/// A parser under attack: what is fed to it, and the laws that must hold whatever it is fed.
///
/// The same bodies run under libFuzzer (`scripts/fuzz`) and, over the checked-in corpora, as tests.
public struct FuzzTarget: Sendable {
  public let name: String
  /// Words that the format is made of, for the fuzzer to write into its inputs.
  public let dictionary: [String]
  /// Inputs that lead deep into the parser, to start from.
  public let seeds: @Sendable () -> [[UInt8]]
  /// Throws a `Violation` when a law breaks. A trap is one as well.
  public let run: @Sendable (RawSpan) throws(Violation) -> Outcome

  init(
    _ name: String, dictionary: [String] = [], seeds: @escaping @Sendable () -> [[UInt8]],
    run: @escaping @Sendable (RawSpan) throws(Violation) -> Outcome
  ) {
    self.name = name
    self.dictionary = dictionary
    self.seeds = seeds
    self.run = run
  }

  /// Breaks its only law: shows that a broken law is seen.
  public static let brokenOnPurpose = FuzzTarget(
    "broken", seeds: { [] },
    run: { _ throws(Violation) in
      try law(1 > 2, "one is more than two"); return .accepted
    })

  /// What the parser made of an input. A corpus needs some of both.
  public enum Outcome: Hashable, Sendable {
    case accepted
    case refused
  }

  /// The dictionary in libFuzzer's format.
  public var dictionaryFile: String {
    let digits = Array("0123456789abcdef")
    return dictionary.map { word in
      let escaped = word.utf8.map { byte in
        switch byte {
        case 0x22, 0x5c: "\\" + String(Character(UnicodeScalar(byte)))
        case 0x20..<0x7f: String(Character(UnicodeScalar(byte)))
        default: "\\x" + String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
      }
      return "\"" + escaped.joined() + "\"\n"
    }.joined()
  }
}

/// A law that did not hold.
public struct Violation: Error, CustomStringConvertible {
  public let description: String
}

/// Throws unless the law holds.
func law(_ holds: Bool, _ text: @autoclosure () -> String) throws(Violation) {
  if !holds { throw Violation(description: text()) }
}
