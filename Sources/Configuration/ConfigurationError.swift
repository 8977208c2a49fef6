/// Where a setting came from.
public enum SettingSource: Hashable, Sendable, CustomStringConvertible {
  case defaultValue
  case file(path: String, line: Int)
  /// The variable's name.
  case environment(String)
  /// The flag with its dashes.
  case flag(String)

  public var description: String {
    switch self {
    case .defaultValue: "default"
    case .file(let path, let line): "\(path):\(line)"
    case .environment(let name): name
    case .flag(let name): name
    }
  }
}

/// Why there is no configuration. The text says where the fault stands and what to do about it.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// `glc.toml:12`, `GLC_LISTEN`, `--listen`; empty when the fault is in how settings go together.
  public let place: String
  public let message: String

  init(_ place: some CustomStringConvertible, _ message: String) {
    self.place = place.description
    self.message = message
  }

  public var description: String { place.isEmpty ? message : "\(place): \(message)" }
}
