internal import ArgumentParser
internal import Foundation

@main
enum Main {
  static func main() async {
    let words = Array(CommandLine.arguments.dropFirst())
    do throws(CommandFailure) {
      switch words.first {
      case "chain", "demo", "tool": await parsed(words)
      case nil, "--help", "-h": try await HelpCommand.run([])
      case "help": try await HelpCommand.run(Array(words.dropFirst()))
      case "start": try await StartCommand.run(Array(words.dropFirst()))
      case ReplayCommand.name: try ReplayCommand.run(Array(words.dropFirst()))
      case "completion": try await Completion.run(Array(words.dropFirst()))
      case "rpc": try await CallCommand.raw(Array(words.dropFirst()))
      default: try await CallCommand.run(words)
      }
    } catch {
      if !error.message.isEmpty { Output.writeError("glcnode: \(error.message)\n") }
      exit(error.status.rawValue)
    }
  }

  /// Argument-parser's own way through.
  private static func parsed(_ words: [String]) async {
    do {
      var command = try GLCNode.parseAsRoot(words)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error as CommandFailure {
      if !error.message.isEmpty { Output.writeError("glcnode: \(error.message)\n") }
      exit(error.status.rawValue)
    } catch {
      GLCNode.exit(withError: error)
    }
  }
}
