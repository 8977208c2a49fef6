internal import ArgumentParser

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Two parties, one channel: a payment, a theft, and what becomes of the thief.",
    discussion: """
      Everything happens in this process with the code that a node runs: commitments are composed of extensions, signed and revoked, \
      and the script interpreter decides what may be spent. The keys are made from a fixed seed, so every run prints the same.
      """)

  func run() throws {
    var demo = try Demo()
    try demo.run()
  }
}
