/// Commands that are no methods of the API.
enum CommandNames {
  static let summaries: [(name: String, summary: String)] = [
    ("start", "Run a node"),
    ("chain", "Serve a regtest chain to nodes in other processes"),
    ("demo", "Show what channels do, step by step"),
    ("tool", "Run one function of the library: JSON in, JSON out"),
    (ReplayCommand.name, "Draw the messages that a node has recorded"),
    ("rpc", "Call any method of a node: JSON in, JSON out"),
    ("completion", "Print a completion script for bash, zsh or fish"),
    ("help", "Explain everything, or one command"),
  ]

  static let all = summaries.map(\.name)
}
