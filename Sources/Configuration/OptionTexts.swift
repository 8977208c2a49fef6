/// The texts that come from the descriptions of the options.
public enum OptionTexts {
  /// All options for a terminal so many characters wide.
  public static func help(width: Int = 100) -> String {
    var text = ""
    for section in ConfigurationOption.Section.allCases {
      text += "\(section.title.uppercased())\n"
      for option in NodeOptions.all where option.section == section {
        text += "  --\(option.name)\(option.placeholder.isEmpty ? "" : " \(option.placeholder)")\n"
        var help = option.help
        if let value = option.defaultText, !option.isSwitch || value != "false" { help += " Default: \(value)." }
        for line in lines(help, width: max(40, width) - 10) { text += "          \(line)\n" }
      }
      text += "\n"
    }
    text += """
      Every option can also stand in the file (key and flag have the same name; `glcnode start --sample-config` prints a file with \
      all of them) or in the environment: --bitcoind-url is GLC_BITCOIND_URL, lists are separated by commas. The command line is \
      stronger than the environment, the environment is stronger than the file.

      """
    return text
  }

  /// A file in which every option stands as a comment with its default.
  public static var sample: String {
    var text = """
      # Settings of a GLC node. Everything in here is optional: what is a comment shows the default, or an example where there is
      # none. A flag on the command line (--alias) is stronger than an environment variable (GLC_ALIAS), and that is stronger
      # than this file. Read from DATA-DIR/glc.toml, or from where --config says.

      """
    for section in ConfigurationOption.Section.allCases {
      text += "\n# \(section.title)\n[\(section.rawValue)]\n"
      for option in NodeOptions.all where option.section == section && option.name != NodeOptions.configuration.name {
        var help = option.help
        if let value = option.defaultText, value != option.example { help += " Default: \(value)." }
        text += "\n"
        for line in lines(help, width: 98) { text += "# \(line)\n" }
        text += "# \(option.name) = \(value(option))\n"
      }
    }
    return text
  }

  private static func value(_ option: ConfigurationOption) -> String {
    let value = option.isSwitch || option.isNumber ? option.example : "\"\(option.example)\""
    return option.isList ? "[\(value)]" : value
  }

  /// Broken between words.
  static func lines(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}
