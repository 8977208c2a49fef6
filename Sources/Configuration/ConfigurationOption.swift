/// One option, described once: its flag, its key in the file, its environment variable, `--help` and the sample file come from here.
public struct ConfigurationOption: Sendable {
  public enum Section: String, CaseIterable, Sendable {
    case node, peers, chain, forwarding, channels, log, developer

    public var title: String {
      switch self {
      case .node: "The node"
      case .peers: "Peers"
      case .chain: "The chain"
      case .forwarding: "Forwarding payments"
      case .channels: "Channels that are accepted"
      case .log: "The log"
      case .developer: "Switches for tests, refused on mainnet"
      }
    }
  }

  /// The flag without its dashes, and the key in the file.
  public let name: String
  /// The table of the file that it stands in.
  public let section: Section
  /// What stands for the value in help: `HOST:PORT`.
  public let placeholder: String
  /// `an integer from 1 to 100`.
  public let expectation: String
  /// Takes no value on the command line, where it may be `--no-…` too.
  public let isSwitch: Bool
  public let isList: Bool
  /// Stands in the file without quotes.
  let isNumber: Bool
  /// What holds when it is not set, for a person; nil for nothing.
  public let defaultText: String?
  /// A value for the sample file.
  public let example: String
  public let help: String
  /// Its value is not shown to anybody.
  public let isSecret: Bool

  let assign: @Sendable (inout NodeConfiguration, [String]) throws(BadValue) -> Void

  /// The text that did not fit.
  struct BadValue: Error {
    let text: String
    /// More than the expectation, when there is more to say.
    var reason: String?
  }

  /// `GLC_BITCOIND_URL`
  public var environmentName: String { "GLC_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 }) }

  private init<Value>(
    _ name: String, _ section: Section, _ kind: OptionKind<Value>, isList: Bool, default defaultText: String?,
    example: String?, isSecret: Bool, help: String,
    assign: @escaping @Sendable (inout NodeConfiguration, [String]) throws(BadValue) -> Void
  ) {
    self.name = name
    self.section = section
    placeholder = kind.placeholder
    expectation = kind.expectation
    isSwitch = kind.isSwitch
    isNumber = kind.isNumber
    self.isList = isList
    self.defaultText = defaultText
    self.example = example ?? defaultText ?? kind.example
    self.help = help
    self.isSecret = isSecret
    self.assign = assign
  }

  /// With one value.
  static func one<Value>(
    _ name: String, _ section: Section, _ kind: OptionKind<Value>, default defaultText: String? = nil,
    example: String? = nil, isSecret: Bool = false, _ help: String,
    set: @escaping @Sendable (inout NodeConfiguration, Value) -> Void
  ) -> ConfigurationOption {
    ConfigurationOption(
      name, section, kind, isList: false, default: defaultText, example: example, isSecret: isSecret, help: help
    ) { configuration, texts throws(BadValue) in
      guard let text = texts.last, let value = kind.parse(text) else { throw BadValue(text: texts.last ?? "") }
      set(&configuration, value)
    }
  }

  /// With any number of values.
  static func list<Value>(
    _ name: String, _ section: Section, _ kind: OptionKind<Value>, default defaultText: String? = nil,
    example: String? = nil, _ help: String, set: @escaping @Sendable (inout NodeConfiguration, [Value]) -> Void
  ) -> ConfigurationOption {
    ConfigurationOption(
      name, section, kind, isList: true, default: defaultText, example: example, isSecret: false, help: help
    ) { configuration, texts throws(BadValue) in
      var values: [Value] = []
      for text in texts {
        guard let value = kind.parse(text) else { throw BadValue(text: text) }
        values.append(value)
      }
      set(&configuration, values)
    }
  }
}

/// How a value is written.
struct OptionKind<Value>: Sendable {
  let placeholder: String
  let expectation: String
  let example: String
  var isSwitch = false
  var isNumber = false
  let parse: @Sendable (String) -> Value?
}
