/// What the command ends with. docs/CLI.md lists these.
enum ExitStatus: Int32 {
  case success = 0
  /// The node refused, or a node did not start.
  case refused = 1
  /// The command line or the configuration is wrong; nothing was asked of a node.
  case usage = 2
  /// No node answers.
  case unreachable = 3
  /// The node hung up, or sent what is no reply: what became of the call is not known.
  case unknownOutcome = 4
  /// Interrupted with Ctrl-C.
  case interrupted = 130
}

/// Ends the command with a message on the standard error stream.
struct CommandFailure: Error {
  let status: ExitStatus
  let message: String

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}
