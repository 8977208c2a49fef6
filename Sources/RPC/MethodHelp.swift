/// The texts that come from a method's description.
public enum MethodHelp {
  /// For a person at a terminal.
  public static func text(_ method: RPCMethod) -> String {
    var text = "\(method.usage)\n\n\(method.summary).\n"
    if !method.details.isEmpty { text += "\n\(method.details)\n" }
    if !method.parameters.isEmpty {
      text += "\nPARAMETERS\n"
      for parameter in method.parameters {
        text += "  \(parameter.name) (\(parameter.kind.name)\(note(parameter)))\n      \(parameter.help)\n"
      }
    }
    if !method.results.isEmpty {
      text += "\nRESULT\n"
      for result in method.results {
        text += "  \(result.path) (\(result.type)\(result.isOptional ? ", optional" : "")): \(result.help)\n"
      }
    }
    return text
  }

  private static func note(_ parameter: RPCParameter) -> String {
    if parameter.isRequired { return ", required" }
    return parameter.defaultText.map { ", default \($0)" } ?? ""
  }

  /// All methods as one document.
  public static func markdown(_ methods: [RPCMethod], introduction: String) -> String {
    var text = introduction
    for category in RPCCategory.allCases {
      let members = methods.filter { $0.category == category }.sorted { $0.name < $1.name }
      if members.isEmpty { continue }
      text += "\n## \(category.title)\n"
      for method in members { text += "\n" + markdown(method) }
    }
    return text
  }

  private static func markdown(_ method: RPCMethod) -> String {
    var text = "### \(method.name)\n\n`\(method.usage)`\n\n\(method.summary).\n"
    if !method.details.isEmpty { text += "\n\(method.details)\n" }
    if !method.parameters.isEmpty {
      text += "\n| parameter | kind | |\n|---|---|---|\n"
      for parameter in method.parameters {
        let name = parameter.isRequired ? "**`\(parameter.name)`**" : "`\(parameter.name)`"
        var help = parameter.help
        if let value = parameter.defaultText { help += " Default: \(value)." }
        text += "| \(name) | \(cell(parameter.kind.name)) | \(cell(help)) |\n"
      }
    }
    if !method.results.isEmpty {
      text += "\n| result | type | |\n|---|---|---|\n"
      for result in method.results {
        text +=
          "| `\(result.path)` | \(cell(result.type)) | \(cell(result.help))\(result.isOptional ? " (optional)" : "") |\n"
      }
    }
    return text
  }

  private static func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }
}
