internal import ArgumentParser

@main
struct GLCNode: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "glcnode",
    abstract: "Generalized Lightning channels: payment channels as compositions of extension objects.",
    discussion: """
      New here? These show what the library does:

        glcnode demo                                     a channel pays, a thief is punished
        glcnode tool list                                every operation with its parameters
        glcnode tool tx.decode '{"tx": "0200…"}'         one operation, JSON in and JSON out
        glcnode tool --help                              how to script it from any language
      """,
    subcommands: [DemoCommand.self, ToolCommand.self])
}
