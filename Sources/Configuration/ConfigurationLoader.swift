internal import Bitcoin
internal import Encoding
internal import FoundationEssentials

/// A configuration and where it came from.
public struct LoadedConfiguration: Sendable {
  public let configuration: NodeConfiguration
  /// Every option with its value as it was written (the default's text when it was not) and its source; secrets are not shown.
  public let settings: [(option: ConfigurationOption, value: String, source: SettingSource)]
  /// What is odd and no error.
  public let warnings: [String]
  /// The file that was read; nil when there was none.
  public let file: String?
  /// Arguments that are no options.
  public let rest: [String]
}

/// Puts together the file, the environment and the command line; what comes later in this list is stronger.
public enum ConfigurationLoader {
  /// Reads the configuration of a node.
  ///
  /// - Parameters:
  ///   - arguments: those behind `glcnode start`.
  ///   - environment: nil for the process's own.
  ///   - readFile: the bytes of a file, nil when it is not there; for tests.
  public static func load(
    arguments: [String], environment: [String: String]? = nil,
    readFile: (String) throws -> [UInt8]? = Self.read
  ) throws(ConfigurationError) -> LoadedConfiguration {
    var (flags, rest) = try Self.flags(arguments)
    let (variables, warnings) = Self.variables(environment ?? ProcessInfo.processInfo.environment)
    flags = variables + flags

    func lone(_ option: ConfigurationOption) throws(ConfigurationError) -> String? {
      guard let setting = flags.last(where: { $0.option.name == option.name }) else { return nil }
      var scratch = NodeConfiguration()
      try Self.assign(setting, to: &scratch)
      return setting.values.last.map(HomeFolder.expand)
    }
    let named = try lone(NodeOptions.configuration)
    let directory = try lone(NodeOptions.dataDirectory)
    let path = named ?? (directory ?? HomeFolder.expand("~/.glc")) + "/glc.toml"
    let bytes: [UInt8]?
    do {
      bytes = try readFile(path)
    } catch {
      throw ConfigurationError(path, "cannot be read: \(error)")
    }
    if bytes == nil, named != nil { throw ConfigurationError(path, "there is no such file") }
    var all = try bytes.map { bytes throws(ConfigurationError) in try Self.settings(bytes, path: path) } ?? []
    if named == nil, let setting = all.first(where: { $0.option.name == NodeOptions.dataDirectory.name }) {
      throw ConfigurationError(
        setting.source, "data-dir cannot be set here: it says where this file is; give it as --data-dir or GLC_DATA_DIR"
      )
    }
    all += flags

    var configuration = NodeConfiguration()
    configuration.dataDirectory = HomeFolder.expand("~/.glc")
    var effective: [String: Setting] = [:]
    for setting in all { effective[setting.option.name] = setting }
    // In the order of the options, so that of several faults always the same one is told.
    for option in NodeOptions.all {
      if let setting = effective[option.name] { try Self.assign(setting, to: &configuration) }
    }
    try Self.check(configuration) { effective[$0]?.source }
    return LoadedConfiguration(
      configuration: configuration,
      settings: NodeOptions.all.map { option in
        let setting = effective[option.name]
        let value = setting.map { $0.values.joined(separator: ", ") } ?? option.defaultText ?? ""
        return (option, option.isSecret && setting != nil ? "…" : value, setting?.source ?? .defaultValue)
      }, warnings: warnings, file: bytes == nil ? nil : path, rest: rest)
  }

  /// The bytes of a file, at most as many as a file of settings may have, and one more.
  public static func read(_ path: String) throws -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let size = (try FileManager.default.attributesOfItem(atPath: path))[.size] as? Int ?? 0
    guard size <= SettingsFileParser.maximumByteCount else {
      return [UInt8](repeating: 0, count: SettingsFileParser.maximumByteCount + 1)
    }
    return [UInt8](try Data(contentsOf: URL(filePath: path)))
  }

  private struct Setting {
    var option: ConfigurationOption
    var values: [String]
    var source: SettingSource
  }

  private static func assign(_ setting: Setting, to configuration: inout NodeConfiguration) throws(ConfigurationError) {
    do throws(ConfigurationOption.BadValue) {
      try setting.option.assign(&configuration, setting.values)
    } catch {
      let got = setting.option.isSecret ? "" : ", got '\(error.text)'"
      let subject = setting.source.namesOption ? "" : "\(setting.option.name): "
      throw ConfigurationError(setting.source, "\(subject)expected \(setting.option.expectation)\(got)")
    }
  }

  // MARK: Command line

  private static func flags(_ arguments: [String]) throws(ConfigurationError) -> ([Setting], rest: [String]) {
    var settings: [Setting] = []
    var rest: [String] = []
    var index = 0
    func add(_ option: ConfigurationOption, _ value: String, _ flag: String) {
      if option.isList, let at = settings.firstIndex(where: { $0.option.name == option.name }) {
        settings[at].values.append(value)
      } else {
        settings.removeAll { $0.option.name == option.name }
        settings.append(Setting(option: option, values: [value], source: .flag(flag)))
      }
    }
    while index < arguments.count {
      let argument = arguments[index]
      index += 1
      guard argument.hasPrefix("--"), argument.count > 2 else {
        if argument.hasPrefix("-"), argument.count > 1 {
          throw ConfigurationError(argument, "no such option; options begin with two dashes")
        }
        rest.append(argument)
        continue
      }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      let flag = "--\(name)"
      guard let option = NodeOptions.all.first(where: { $0.name == name }) else {
        if name.hasPrefix("no-"), parts.count == 1,
          let option = NodeOptions.all.first(where: { $0.name == name.dropFirst(3) && $0.isSwitch })
        {
          add(option, "false", flag)
          continue
        }
        throw ConfigurationError(flag, unknown(name, "no such option", prefix: "--"))
      }
      if parts.count == 2 {
        add(option, String(parts[1]), flag)
      } else if option.isSwitch {
        add(option, "true", flag)
      } else {
        guard index < arguments.count else {
          throw ConfigurationError(flag, "a value is missing: \(option.expectation)")
        }
        add(option, arguments[index], flag)
        index += 1
      }
    }
    return (settings, rest)
  }

  private static func unknown(_ name: String, _ what: String, prefix: String = "") -> String {
    let names = NodeOptions.all.map(\.name)
    return NearestName.of(name, in: names).map { "\(what), did you mean \(prefix)\($0)?" } ?? what
  }

  // MARK: Environment

  /// A list is separated by commas. Other programs may have variables of this prefix, so a strange one is a warning.
  private static func variables(_ environment: [String: String]) -> ([Setting], warnings: [String]) {
    var settings: [Setting] = []
    var warnings: [String] = []
    for option in NodeOptions.all {
      guard let value = environment[option.environmentName] else { continue }
      let values = option.isList ? value.split { $0 == "," || $0 == " " }.map(String.init) : [value]
      settings.append(Setting(option: option, values: values, source: .environment(option.environmentName)))
    }
    // Without what they all begin with, which would make strangers look alike.
    let prefix = "GLC_"
    let names = NodeOptions.all.map { String($0.environmentName.dropFirst(prefix.count)) }
    for name in environment.keys.sorted() where name.hasPrefix(prefix) {
      let own = String(name.dropFirst(prefix.count))
      guard !names.contains(own), let near = NearestName.of(own, in: names) else { continue }
      warnings.append("\(name) is no option, did you mean \(prefix)\(near)?")
    }
    return (settings, warnings)
  }

  // MARK: File

  private static func settings(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> [Setting] {
    let entries: [FileSetting]
    do throws(SettingsFileError) {
      entries = try SettingsFileParser.parse(bytes)
    } catch {
      throw ConfigurationError(SettingSource.file(path: path, line: error.line), error.message)
    }
    var settings: [Setting] = []
    for entry in entries {
      let source = SettingSource.file(path: path, line: entry.line)
      let written = entry.path.joined(separator: ".")
      guard let name = entry.path.last, entry.path.count <= 2 else {
        throw ConfigurationError(source, "unknown key \(written): keys stand in a section, not deeper")
      }
      if entry.path.count == 2, ConfigurationOption.Section(rawValue: entry.path[0]) == nil {
        let near = NearestName.of(entry.path[0], in: ConfigurationOption.Section.allCases.map(\.rawValue))
        throw ConfigurationError(
          source, "unknown section [\(entry.path[0])]" + (near.map { ", did you mean [\($0)]?" } ?? ""))
      }
      guard let option = NodeOptions.all.first(where: { $0.name == name }) else {
        throw ConfigurationError(source, unknown(name, "unknown key \(name)"))
      }
      guard option.name != NodeOptions.configuration.name else {
        throw ConfigurationError(source, "a file cannot name another one; give --config or GLC_CONFIG")
      }
      guard entry.path.count == 2, option.section.rawValue == entry.path[0] else {
        throw ConfigurationError(source, "\(name) stands in the section [\(option.section.rawValue)]")
      }
      guard let values = texts(entry.value) else {
        throw ConfigurationError(source, "\(name): expected \(option.expectation)")
      }
      if case .array = entry.value, !option.isList {
        throw ConfigurationError(source, "\(name): expected one value, \(option.expectation), got a list")
      }
      settings.append(Setting(option: option, values: values, source: source))
    }
    return settings
  }

  private static func texts(_ value: FileValue) -> [String]? {
    switch value {
    case .string(let text), .float(let text), .date(let text): return [text]
    case .integer(let number): return ["\(number)"]
    case .bool(let value): return ["\(value)"]
    case .array(let elements):
      var result: [String] = []
      for element in elements {
        if case .array = element { return nil }
        guard let texts = texts(element) else { return nil }
        result += texts
      }
      return result
    }
  }

  // MARK: What must fit together

  private static func check(
    _ configuration: NodeConfiguration, source: (String) -> SettingSource?
  ) throws(ConfigurationError) {
    func refuse(_ name: String, _ message: String) -> ConfigurationError {
      ConfigurationError(source(name)?.description ?? "--\(name)", message)
    }
    let chain = configuration.chain
    if configuration.chainSource == .embedded, configuration.network != .regtest {
      throw refuse("chain", "the embedded chain is a regtest chain; set network to regtest, or chain to bitcoind")
    }
    if configuration.chainSource == .bitcoind, chain.blockInterval != nil {
      throw refuse("block-interval", "only the embedded chain makes blocks by the clock")
    }
    if configuration.chainSource == .embedded {
      for name in ["bitcoind-url", "bitcoind-cookie", "bitcoind-user", "bitcoind-password", "zmq-block", "zmq-tx"] {
        if source(name) != nil {
          throw refuse(name, "\(name) is for chain = bitcoind, and the chain is the embedded one")
        }
      }
    }
    if (chain.bitcoind.user == nil) != (chain.bitcoind.password == nil) {
      let name = chain.bitcoind.user == nil ? "bitcoind-password" : "bitcoind-user"
      throw refuse(name, "bitcoind-user and bitcoind-password go together")
    }
    if chain.bitcoind.user != nil, chain.bitcoind.cookieFile != nil {
      throw refuse("bitcoind-cookie", "either the cookie or user and password, not both")
    }
    if configuration.peers.alwaysUsesProxy, configuration.peers.proxy == nil {
      throw refuse("always-use-proxy", "there is no proxy; set proxy, for example to 127.0.0.1:9050")
    }
    if let maximum = configuration.channels.maximumFunding, maximum < configuration.channels.minimumFunding {
      throw refuse(
        "max-funding-sat", "is less than min-funding-sat (\(configuration.channels.minimumFunding.rawValue))")
    }
    if let maximum = configuration.forwarding.htlcMaximum, maximum < configuration.forwarding.htlcMinimum {
      throw refuse(
        "htlc-maximum-msat", "is less than htlc-minimum-msat (\(configuration.forwarding.htlcMinimum.rawValue))")
    }
    // BOLT 2: the receiving node MUST fail the channel if dust_limit_satoshis is smaller than 354 satoshis.
    if configuration.channels.dustLimit < Satoshi(354) {
      throw refuse("dust-limit-sat", "a dust limit below 354 sat makes transactions that are not relayed")
    }
    if configuration.network == .bitcoin, configuration.developer != DeveloperSettings() {
      let name = NodeOptions.all.first { $0.section == .developer && source($0.name) != nil }?.name ?? "developer"
      throw refuse(name, "switches for tests are refused on mainnet: they give money away")
    }
  }
}

extension NodeConfiguration {
  /// Where blocks come from, decided.
  public var chainSource: ChainSettings.Source { chain.source ?? (network == .regtest ? .embedded : .bitcoind) }

  /// The address of bitcoind's RPC, decided.
  public var bitcoindURL: String { chain.bitcoind.url ?? BitcoindSettings.defaultURL(network) }

  /// The file with bitcoind's user and password; nil when both are set.
  public var bitcoindCookieFile: String? {
    if chain.bitcoind.user != nil { return nil }
    return chain.bitcoind.cookieFile ?? BitcoindSettings.defaultCookieFile(network, home: HomeFolder.path)
  }

  /// Blocks until a channel is used, decided.
  public var minimumDepth: UInt32 { channels.minimumDepth ?? (network == .regtest ? 1 : 3) }

  /// How many times our own estimate a peer's fee rate may be, decided; nil for no limit.
  public var maximumFeeRateFactor: UInt32? {
    let factor = channels.maximumFeeRateFactor ?? (network == .regtest ? 0 : 10)
    return factor == 0 ? nil : factor
  }

  /// The file of the log, decided; nil for the standard error stream.
  public var logFile: String? { log.file ?? (isDaemon ? "\(networkDirectory)/log" : nil) }
}

extension SettingSource {
  /// Whether the source already says which option it is.
  fileprivate var namesOption: Bool {
    switch self {
    case .environment, .flag: true
    case .file, .defaultValue: false
    }
  }
}
