internal import Configuration
internal import Foundation
internal import Logging
internal import Node
internal import RPC

/// `glcnode start`
enum StartCommand {
  static func run(_ words: [String], runner: NodeRunner = .standard) async throws(CommandFailure) {
    if words.contains("--help") || words.contains("-h") {
      try Output.write(HelpTexts.start)
      return
    }
    if words.contains("--sample-config") {
      try Output.write(OptionTexts.sample)
      return
    }
    let loaded: LoadedConfiguration
    do throws(ConfigurationError) {
      loaded = try ConfigurationLoader.load(arguments: words.filter { $0 != "--check" })
    } catch {
      throw CommandFailure(.usage, error.description)
    }
    if let word = loaded.rest.first {
      throw CommandFailure(.usage, "'\(TerminalText.plain(word))' is no option; options begin with two dashes")
    }
    for warning in loaded.warnings { Output.writeError("glcnode: warning: \(warning)\n") }
    if words.contains("--check") {
      try Output.write(table(loaded))
      return
    }
    try makeFolder(loaded.configuration)
    if loaded.configuration.isDaemon, ProcessInfo.processInfo.environment[Daemon.variable] == nil {
      try await Daemon.start(words, loaded.configuration)
      return
    }
    try await serve(loaded, runner)
  }

  private static func table(_ loaded: LoadedConfiguration) -> String {
    var text = loaded.file.map { "Settings from \($0)\n\n" } ?? ""
    text += Table.pairs(
      loaded.settings.map { setting in
        let source = setting.source == .defaultValue ? "" : "  (\(setting.source))"
        return (setting.option.name, TerminalText.plain(setting.value) + source)
      }, Palette(isOn: false))
    return text
  }

  /// The network's folder, which only its owner can enter.
  private static func makeFolder(_ configuration: NodeConfiguration) throws(CommandFailure) {
    do {
      try FileManager.default.createDirectory(
        atPath: configuration.networkDirectory, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw CommandFailure(
        .usage,
        "the folder \(configuration.networkDirectory) cannot be made; give another one with --data-dir (\(error.localizedDescription))"
      )
    }
  }

  private static func serve(_ loaded: LoadedConfiguration, _ runner: NodeRunner) async throws(CommandFailure) {
    let file: LogFile
    do {
      file = try LogFile(loaded.configuration.logFile)
    } catch {
      throw error as? CommandFailure ?? CommandFailure(.usage, "\(error)")
    }
    let settings = loaded.configuration.log
    let log = NodeLog(
      level: Logger.Level(settings.level), levels: settings.levels.mapValues { Logger.Level($0) }, write: file.write)
    let logger = log.logger("node")
    logger.info(
      "starting",
      metadata: [
        "network": .string(loaded.configuration.networkName), "folder": .string(loaded.configuration.networkDirectory),
        "process": .stringConvertible(ProcessInfo.processInfo.processIdentifier),
      ])
    // Before the node starts, so that no signal ends the process without it.
    let signals = Signals()
    let node: any RunningNode
    do {
      node = try await runner.start(loaded, log)
    } catch {
      logger.critical("did not start", metadata: ["reason": .string("\(error)")])
      throw CommandFailure(.refused, settings.file == nil && !loaded.configuration.isDaemon ? "" : "\(error)")
    }
    logger.info("ready", metadata: ["socket": .string(loaded.configuration.rpcSocketPath)])
    let stream = signals.stream
    let listener = Task {
      var isStopping = false
      for await signal in stream {
        switch signal {
        case .reload:
          do {
            try file.reopen()
            logger.notice("log opened anew")
          } catch {
            logger.error("the log file could not be opened anew", metadata: ["reason": .string("\(error)")])
          }
        case .stop:
          if isStopping { exit(ExitStatus.interrupted.rawValue) }
          isStopping = true
          logger.notice("stopping; again to stop at once")
          Task { await node.stop() }
        }
      }
    }
    defer { withExtendedLifetime(signals) { listener.cancel() } }
    do {
      try await node.waitUntilStopped()
    } catch {
      logger.critical("ended", metadata: ["reason": .string("\(error)")])
      throw CommandFailure(.refused, "\(error)")
    }
    logger.info("stopped")
  }
}

extension Logger.Level {
  init(_ level: LogLevel) { self = Logger.Level(rawValue: level.rawValue) ?? .info }
}
