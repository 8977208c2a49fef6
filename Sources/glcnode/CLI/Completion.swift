internal import ArgumentParser
internal import Configuration
internal import Node
internal import RPC

/// `glcnode completion SHELL`: argument-parser's script for its commands, and around it what it does not know, the methods of the API
/// with their parameters and the options of `start`.
enum Completion {
  static let shells = ["bash", "zsh", "fish"]

  static func run(_ words: [String]) async throws(CommandFailure) {
    guard words.count == 1, let script = script(words[0]) else {
      throw CommandFailure(
        .usage,
        """
        usage: glcnode completion bash|zsh|fish
          bash: glcnode completion bash > ~/.local/share/bash-completion/completions/glcnode
          zsh:  glcnode completion zsh > a folder of $fpath, as _glcnode
          fish: glcnode completion fish > ~/.config/fish/completions/glcnode.fish
        """)
    }
    try Output.write(script)
  }

  static func script(_ shell: String) -> String? {
    switch shell {
    case "bash": bash
    case "zsh": zsh
    case "fish": fish
    default: nil
    }
  }

  /// Commands of argument-parser, whose own scripts know them best.
  private static let parsed = ["demo", "tool", "chain"]

  private static var names: [(name: String, summary: String)] {
    CommandNames.summaries
      + NodeAPI.methods.filter { !CommandNames.all.contains($0.name) }.map { ($0.name, $0.summary) }
  }

  private static var common: [String] { CallOptions.all.map { "--\($0.name)" } }

  /// The flags behind a command.
  private static func flags(_ method: RPCMethod) -> [String] { method.parameters.map { "--\($0.name)" } + common }

  private static var startFlags: [String] {
    NodeOptions.all.map { "--\($0.name)" } + ["--sample-config", "--check", "--help"]
  }

  /// The words that a parameter can be; empty for anything.
  private static func words(_ kind: RPCKind) -> [String] {
    switch kind {
    case .choice(let words): words
    case .bool: ["true", "false"]
    case .feeRate: ["slow", "normal", "urgent"]
    case .satOrAll, .msatOrAll: ["all"]
    case .msatOrAny: ["any"]
    default: []
    }
  }

  private static let optionWords: [(option: String, words: [String])] = [
    ("--network", NodeConfiguration.networks.map(NodeConfiguration.name)),
    ("--unit", AmountUnit.allCases.map(\.rawValue)),
    ("--color", CallOptions.Color.allCases.map(\.rawValue)), ("--chain", ChainSettings.Source.allCases.map(\.rawValue)),
    ("--log-level", LogLevel.allCases.map(\.rawValue)),
  ]

  /// In single quotes of a shell.
  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  private static var bash: String {
    var text = GLCNode.completionScript(for: .bash)
    text += "\n\n__glcnode_words() {\n  case \"$1\" in\n"
    for method in NodeAPI.methods {
      text += "    \(method.name)) echo \(quoted(flags(method).joined(separator: " "))) ;;\n"
    }
    text += "    start) echo \(quoted(startFlags.joined(separator: " "))) ;;\n"
    text += "    rpc) echo \(quoted((common + NodeAPI.methods.map(\.name)).joined(separator: " "))) ;;\n"
    text += "    completion) echo \(quoted(shells.joined(separator: " "))) ;;\n"
    text += "    help) echo \(quoted(names.map(\.name).joined(separator: " "))) ;;\n"
    text += "  esac\n}\n\n__glcnode_values() {\n  case \"$1 $2\" in\n"
    for method in NodeAPI.methods {
      for parameter in method.parameters where !words(parameter.kind).isEmpty {
        text +=
          "    \(quoted("\(method.name) --\(parameter.name)"))) echo \(quoted(words(parameter.kind).joined(separator: " "))) ;;\n"
      }
    }
    for (option, words) in optionWords {
      text += "    *\" \(option)\") echo \(quoted(words.joined(separator: " "))) ;;\n"
    }
    text += """
        esac
      }

      __glcnode() {
        local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="${COMP_WORDS[1]}"
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W \(quoted(names.map(\.name).joined(separator: " "))) -- "$current"))
          return
        fi
        case "$command" in
          \(parsed.joined(separator: "|"))) _glcnode "$@"; return ;;
        esac
        local values="$(__glcnode_values "$command" "$previous")"
        if [ -n "$values" ]; then
          COMPREPLY=($(compgen -W "$values" -- "$current"))
          return
        fi
        case "$previous" in
          --data-dir|--socket|--rpc-socket|--config|--log-file|--passphrase-file|--bitcoind-cookie)
            COMPREPLY=($(compgen -f -- "$current")); return ;;
        esac
        COMPREPLY=($(compgen -W "$(__glcnode_words "$command")" -- "$current"))
      }

      complete -o filenames -F __glcnode glcnode

      """
    return text
  }

  private static var zsh: String {
    // The script ends by calling its function when it is loaded as one; ours takes its place.
    var text = "#compdef glcnode\n\n__glcnode_commands=(\n"
    for (name, summary) in names { text += "  \(quoted("\(name):\(summary)"))\n" }
    text += ")\n\n__glcnode_words() {\n  case \"$1\" in\n"
    for method in NodeAPI.methods {
      let entries =
        method.parameters.map { "--\($0.name):\($0.help)" } + CallOptions.all.map { "--\($0.name):\($0.help)" }
      text += "    \(method.name)) reply=(\(entries.map(quoted).joined(separator: " "))) ;;\n"
    }
    let start = NodeOptions.all.map { "--\($0.name):\($0.help)" }
    text += "    start) reply=(\(start.map(quoted).joined(separator: " "))) ;;\n"
    text += "    completion) reply=(\(shells.joined(separator: " "))) ;;\n"
    text += "    help|rpc) reply=(\"${__glcnode_commands[@]}\") ;;\n"
    text += "    *) reply=() ;;\n  esac\n}\n\n__glcnode_values() {\n  case \"$1 $2\" in\n"
    for method in NodeAPI.methods {
      for parameter in method.parameters where !words(parameter.kind).isEmpty {
        text +=
          "    \(quoted("\(method.name) --\(parameter.name)"))) reply=(\(words(parameter.kind).joined(separator: " "))) ;;\n"
      }
    }
    for (option, words) in optionWords { text += "    *\" \(option)\") reply=(\(words.joined(separator: " "))) ;;\n" }
    text += """
          *) reply=() ;;
        esac
      }

      _glcnode_all() {
        local -a reply
        if (( CURRENT == 2 )); then
          _describe command __glcnode_commands
          return
        fi
        __glcnode_values "${words[2]}" "${words[CURRENT-1]}"
        if (( ${#reply} )); then
          compadd -- "${reply[@]}"
          return
        fi
        case "${words[CURRENT-1]}" in
          --data-dir|--socket|--rpc-socket|--config|--log-file|--passphrase-file|--bitcoind-cookie) _files; return ;;
        esac
        case "${words[2]}" in
          \(parsed.joined(separator: "|"))) _glcnode; return ;;
        esac
        __glcnode_words "${words[2]}"
        _describe parameter reply
      }


      """
    // Its first line names the command again, and its last ones register its function.
    let generated = GLCNode.completionScript(for: .zsh).split(separator: "\n", omittingEmptySubsequences: false)
    text += generated.prefix { !$0.hasPrefix("if [[ \"${funcstack[1]}\"") }.filter { !$0.hasPrefix("#compdef") }
      .joined(separator: "\n")
    text +=
      "\n\nif [ \"$funcstack[1]\" = \"_glcnode\" ]; then\n  _glcnode_all \"$@\"\nelse\n  compdef _glcnode_all glcnode\nfi\n"
    return text
  }

  private static var fish: String {
    var text = GLCNode.completionScript(for: .fish)
    text += "\n\nfunction __glcnode_at_command\n  test (count (commandline -opc)) -eq 1\nend\n\n"
    text +=
      "function __glcnode_command\n  set -l words (commandline -opc)\n  test (count $words) -ge 2; and test $words[2] = $argv[1]\nend\n\n"
    for (name, summary) in names where !parsed.contains(name) {
      text += "complete -c glcnode -f -n __glcnode_at_command -a \(name) -d \(fishQuoted(summary))\n"
    }
    for method in NodeAPI.methods {
      let condition = "'__glcnode_command \(method.name)'"
      for parameter in method.parameters {
        let words = words(parameter.kind)
        text += "complete -c glcnode -f -n \(condition) -l \(parameter.name) -r -d \(fishQuoted(parameter.help))"
        text += words.isEmpty ? "\n" : " -a '\(words.joined(separator: " "))'\n"
      }
      for option in CallOptions.all {
        let words = optionWords.first { $0.option == "--\(option.name)" }?.words ?? []
        text += "complete -c glcnode -n \(condition) -l \(option.name)\(option.placeholder == nil ? "" : " -r")"
        text += " -d \(fishQuoted(option.help))" + (words.isEmpty ? "\n" : " -f -a '\(words.joined(separator: " "))'\n")
      }
    }
    for option in NodeOptions.all {
      text += "complete -c glcnode -n '__glcnode_command start' -l \(option.name)\(option.isSwitch ? "" : " -r")"
      text += " -d \(fishQuoted(option.help))\n"
    }
    text += "complete -c glcnode -f -n '__glcnode_command completion' -a '\(shells.joined(separator: " "))'\n"
    text += "complete -c glcnode -f -n '__glcnode_command help' -a '\(names.map(\.name).joined(separator: " "))'\n"
    return text
  }

  private static func fishQuoted(_ text: String) -> String {
    "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
  }
}
