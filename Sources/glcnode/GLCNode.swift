internal import ArgumentParser

@main
struct GLCNode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "glcnode",
    abstract: "Generalized Lightning channels: payment channels as compositions of extension objects.",
    discussion: """
      To begin with:

        glcnode demo                 a channel, a payment, a theft and its punishment
        glcnode tool list            what the library can do, and how to ask for it
        glcnode tool --help          JSON in, JSON out, from any language
      """,
    subcommands: [DemoCommand.self, ToolCommand.self])
}
