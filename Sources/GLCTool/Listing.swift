public import JSON

// What `glcnode tool list` prints.

extension Toolbox {
  /// For people: every operation with its parameters and results under the headings of the groups.
  public var listing: String {
    groups.map { group in
      "\(group.title)\n\n" + group.operations.map(\.listing).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// For programs.
  public var listingJSON: JSONValue {
    let operations = groups.flatMap { group in
      group.operations.map { operation -> JSONValue in
        [
          "name": .string(operation.name), "group": .string(group.title), "summary": .string(operation.summary),
          "params": .array(
            operation.parameters.map { parameter in
              [
                "name": .string(parameter.name), "kind": .string(parameter.kind),
                "required": .bool(parameter.isRequired), "note": .string(parameter.note),
              ]
            }),
          "result": .array(
            operation.results.map { ["name": .string($0.name), "description": .string($0.description)] }),
        ]
      }
    }
    return ["operations": .array(operations)]
  }
}

extension Operation {
  /// The operation for people, several lines.
  public var listing: String {
    var text = "  \(name)\n      \(summary)\n"
    let width = (parameters.map { $0.name.count + ($0.isRequired ? 0 : 1) } + results.map { $0.name.count }).max() ?? 0
    func line(_ mark: String, _ name: String, _ description: String) {
      let padding = String(repeating: " ", count: max(0, width - name.count))
      text += "      \(mark) \(name)\(padding)  \(description)\n"
    }
    for parameter in parameters {
      let note = parameter.note.isEmpty ? "" : ": \(parameter.note)"
      line(" ", parameter.name + (parameter.isRequired ? "" : "?"), parameter.kind + note)
    }
    for result in results { line("→", result.name, result.description) }
    return text
  }
}

extension Toolbox {
  /// The operations whose names start with `prefix`.
  public func filtered(prefix: String) -> Toolbox {
    let kept = groups.map { group in
      OperationGroup(group.title, group.operations.filter { $0.name.hasPrefix(prefix) })
    }
    return Toolbox(kept.filter { !$0.operations.isEmpty })
  }
}
