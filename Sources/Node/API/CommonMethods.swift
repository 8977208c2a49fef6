public import Configuration
internal import JSON
internal import Logging
public import RPC

/// Methods that need no more of a node than its configuration and its log.
public enum CommonMethods {
  public static func register(in registry: inout RPCRegistry, configuration: LoadedConfiguration, log: NodeLog) {
    let configs = configs(configuration)
    for method in NodeAPI.methods {
      switch method.name {
      case "listconfigs":
        registry.register(method) { arguments, _ in
          guard let name = try arguments.string(ifPresent: "config") else { return ["configs": .object(configs)] }
          guard let config = configs[name] else { throw arguments.invalid("config", "should be the name of an option") }
          return ["configs": .object([name: config])]
        }
      case "glc-loglevel": registry.register(method) { arguments, _ in try levels(arguments, log) }
      default: break
      }
    }
  }

  private static func configs(_ configuration: LoadedConfiguration) -> JSONObject {
    var object = JSONObject()
    for (option, value, source) in configuration.settings {
      object[option.name] = ["value_str": .string(value), "source": .string(source.description)]
    }
    return object
  }

  private static func levels(_ arguments: RPCArguments, _ log: NodeLog) throws(RPCError) -> JSONValue {
    let subsystem = try arguments.string(ifPresent: "subsystem")
    if let text = try arguments.string(ifPresent: "level"), let level = Logger.Level(rawValue: text) {
      log.set(
        level, of: subsystem == "all" ? nil : subsystem.map { $0.hasPrefix("glc.") ? String($0.dropFirst(4)) : $0 })
    }
    let levels = log.levels
    var object: JSONObject = ["all": .string(levels.general.rawValue)]
    for (name, level) in levels.bySubsystem.sorted(by: { $0.key < $1.key }) { object[name] = .string(level.rawValue) }
    return ["levels": .object(object)]
  }
}
