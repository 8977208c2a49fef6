internal import Bitcoin
internal import Encoding
internal import GLCTool
internal import JSON

extension FuzzTarget {
  /// A line of `glcnode tool batch`. Lengths are bounded: what takes long for a long input is no finding here.
  static let tool = FuzzTarget(
    "tool",
    dictionary: Toolbox.standard.groups.flatMap { $0.operations.map(\.name) } + [
      #""params":{"#, "null", "-1", "[]", "{}",
    ],
    seeds: {
      Toolbox.standard.groups.flatMap(\.operations).flatMap { operation -> [[UInt8]] in
        [true, false].map { includesOptional in
          let parameters = operation.parameters.filter { $0.isRequired || includesOptional }
            .map { #""\#($0.name)":\#(sample(of: $0.kind))"# }
          return Array(#"{"id":1,"op":"\#(operation.name)","params":{\#(parameters.joined(separator: ","))}}"#.utf8)
        }
      }
    },
    run: { input throws(Violation) in
      guard input.byteCount <= 4096 else { return .refused }
      var output: [UInt8] = []
      Toolbox.standard.answer(line: input.array, to: &output)
      try law(!output.contains(0x0a), "an answer is one line")
      guard let answer = try? JSONValue(parsing: output), let isOK = answer["ok"]?.boolValue else {
        throw Violation(description: "an answer is JSON that says whether it went well: \(Hex.encode(output))")
      }
      if isOK {
        try law(answer["result"]?.objectValue != nil, "a result is an object")
      } else {
        try law(answer["error"]?["code"]?.stringValue != nil, "an error has a code")
      }
      return isOK ? .accepted : .refused
    })

  /// A value of a kind, by the words that describe it: right often enough to start from.
  private static func sample(of kind: String) -> String {
    func quoted(_ text: String) -> String { "\"\(text)\"" }
    if kind.contains("true") { return "true" }
    if kind.contains("list") || kind.contains("array") { return "[]" }
    if kind.contains("object") { return "{}" }
    if kind.contains("transaction") { return quoted(Sample.transactions.first.map { Hex.encode($0.encoded) } ?? "") }
    if kind.contains("33 bytes") { return quoted(Sample.publicKey(1)?.hex ?? "") }
    if kind.contains("32 bytes") { return quoted(Sample.hash(7).hex) }
    if let size = kind.split(separator: " ").lazy.compactMap({ Int($0) }).first, kind.contains("bytes"), size <= 4096 {
      return quoted(String(repeating: "2a", count: size))
    }
    if kind.contains("number") || kind.contains("integer") { return "1" }
    return quoted(kind.contains("hex") ? "51" : "bitcoin")
  }
}
