internal import ArgumentParser

/// The commands that argument-parser reads. The others come from descriptions: the methods of the API, and the options of `start`.
struct GLCNode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "glcnode",
    abstract: "Generalized Lightning channels: payment channels as compositions of extension objects.",
    subcommands: [ChainCommand.self, DemoCommand.self, ToolCommand.self])
}
