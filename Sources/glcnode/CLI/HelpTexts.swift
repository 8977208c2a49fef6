internal import Configuration
internal import Node
internal import RPC

/// The texts of `glcnode help`.
enum HelpTexts {
  /// Everything there is, in short.
  static var overview: String {
    var text = """
      glcnode: generalized Lightning channels, payment channels as compositions of extension objects.

      USAGE  glcnode COMMAND [VALUE…] [--PARAMETER VALUE…] [OPTION…]

      To begin with:
        glcnode demo                            channels, payments, a theft and its punishment
        glcnode start                           a node on a regtest chain of its own
        glcnode help COMMAND                    what a command does and takes


      """
    text += "COMMANDS\n" + lines(CommandNames.summaries)
    for category in RPCCategory.allCases {
      let methods = NodeAPI.methods.filter { $0.category == category && !CommandNames.all.contains($0.name) }
      if methods.isEmpty { continue }
      text += "\n\(category.title.uppercased())\n" + lines(methods.map { ($0.name, $0.summary) })
    }
    text += "\nOPTIONS of every command that asks a node\n" + options
    text += """

      Exit status: 0 done, 1 the node refused, 2 wrong usage or configuration, 3 no node answers, 4 the node hung up (what became of
      the call is not known), 130 interrupted.

      """
    return text
  }

  private static func lines(_ entries: [(name: String, summary: String)]) -> String {
    entries.map { "  \(padded($0.name, 24)) \($0.summary)\n" }.joined()
  }

  static var options: String {
    CallOptions.all.map { option in
      let flag = "--\(option.name)" + (option.placeholder.map { " \($0)" } ?? "")
      return "  \(padded(flag, 30)) \(option.help)\n"
    }.joined()
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  static func method(_ method: RPCMethod) -> String {
    "glcnode " + MethodHelp.text(method) + """

      Values stand in this order or behind their names: --\(method.parameters.first?.name ?? "name") VALUE. Amounts are written \
      123 (msat; sat where the kind is sat), 123sat, 123msat or 0.001btc; lists are separated by commas or are JSON.

      OPTIONS

      """ + options
  }

  static var start: String {
    """
    glcnode start [OPTION…]

    Runs a node until it is stopped (`glcnode stop`, Ctrl-C, SIGTERM). SIGHUP opens the log file anew.

      glcnode start --sample-config     print a file with all settings
      glcnode start --check             read the configuration, print it and stop


    """ + OptionTexts.help(width: 110)
  }

  static var markdown: String { MethodHelp.markdown(NodeAPI.methods, introduction: NodeAPI.introduction) }
}

/// `glcnode help`.
enum HelpCommand {
  static func run(_ words: [String]) async throws(CommandFailure) {
    switch words.first {
    case nil: try Output.write(HelpTexts.overview)
    case "--markdown": try Output.write(HelpTexts.markdown)
    case "start": try Output.write(HelpTexts.start)
    case "help":
      try Output.write("glcnode help [COMMAND]\nglcnode help --markdown     all methods of the API as one document\n")
    case .some(let name):
      if let method = NodeAPI.method(name) {
        try Output.write(HelpTexts.method(method))
      } else if CommandNames.all.contains(name) {
        throw CommandFailure(.usage, "see `glcnode \(name) --help`")
      } else {
        throw CommandFailure(.usage, MethodCall.unknownMethod(name))
      }
    }
  }
}
