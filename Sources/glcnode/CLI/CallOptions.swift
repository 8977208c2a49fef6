internal import Configuration
internal import RPC

/// What every call of the API takes besides the method's own parameters.
struct CallOptions {
  enum Color: String, CaseIterable {
    case auto, always, never
  }

  var json = false
  var unit = AmountUnit.sat
  var color = Color.auto
  /// Ids in full.
  var full = false
  var wantsHelp = false
  var socket: String?
  /// For the configuration: which socket it is.
  var place: [String] = []

  /// An option with what stands for its value, nil for none.
  static let all: [(name: String, placeholder: String?, help: String)] = [
    ("data-dir", "PATH", "The node's folder. Default: ~/.glc."),
    ("network", "NETWORK", "mainnet, testnet4, signet or regtest. Default: regtest."),
    ("socket", "PATH", "The node's socket itself. Default: DATA-DIR/NETWORK/lightning-rpc."),
    ("json", nil, "Print the reply as JSON."),
    ("unit", "sat|msat|btc", "The unit of amounts in tables. Default: sat."),
    ("full", nil, "Print ids in full."),
    ("color", "auto|always|never", "Default: auto, on a terminal and without NO_COLOR."),
    ("help", nil, "Explain the method."),
  ]

  /// Where the node answers.
  func socketPath() throws(CommandFailure) -> String {
    if let socket { return socket }
    do throws(ConfigurationError) {
      return try ConfigurationLoader.load(arguments: place).configuration.rpcSocketPath
    } catch {
      throw CommandFailure(.usage, error.description)
    }
  }

  /// Takes the option `name`; false when it is none of these. `value` gives what stands behind it.
  mutating func take(_ name: String, value: () throws(CommandFailure) -> String) throws(CommandFailure) -> Bool {
    switch name {
    case "json": json = true
    case "full": full = true
    case "help": wantsHelp = true
    case "socket": socket = try value()
    case "data-dir", "network": place += ["--\(name)", try value()]
    case "unit": unit = try Self.choice(name, try value())
    case "color": color = try Self.choice(name, try value())
    default: return false
    }
    return true
  }

  private static func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ text: String
  ) throws(CommandFailure) -> Value {
    guard let value = Value(rawValue: text) else {
      let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure(.usage, "--\(name): expected one of \(words), got '\(text)'")
    }
    return value
  }
}
