internal import ArgumentParser
internal import GLCTool
internal import JSON

/// `glcnode tool`: the library as JSON in, JSON out.
struct ToolCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tool",
    abstract: "Run one function of the library, or a stream of them: JSON in, JSON out.",
    usage: """
      glcnode tool OP ['{…}']      run one operation
      glcnode tool batch           a request a line in, an answer a line out
      glcnode tool list [PREFIX]   the operations with their parameters
      glcnode tool costs           docs/COSTS.md
      """,
    discussion: """
      Bytes are hex, amounts are integers, transaction ids are in display order. A parameter that an operation does not know is \
      refused by name.

        $ glcnode tool address.decode '{"address": "bc1pfeessrawgf"}'
        {"ok":true,"result":{"script_pubkey":"51024e73","network":"bitcoin"}}

        $ glcnode tool address.decode '{"address": "x"}'
        {"ok":false,"error":{"code":"bad_address","message":"…"}}

      The exit status is 0 when the answer is "ok":true, 1 when it is "ok":false, and 64 when the command line is not understood.

      docs/TOOL.md has examples for other languages.
      """,
    subcommands: [RunOperation.self, RunBatch.self, ListOperations.self, PrintCosts.self],
    defaultSubcommand: RunOperation.self)
}

struct RunOperation: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run one operation. The word 'run' may be left out.")

  @Argument(help: "The operation, for example tx.decode.")
  var op: String

  @Argument(help: "Its parameters as a JSON object, {} when left out; - reads them from the standard input.")
  var params: String = "{}"

  func run() throws {
    let text = params == "-" ? StandardStreams.readAll(upTo: Batch.maximumLineByteCount + 1) : Array(params.utf8)
    let answer = Toolbox.standard.answer(op, parameters: text)
    var line: [UInt8] = []
    answer.json.write(to: &line)
    line.append(UInt8(ascii: "\n"))
    try StandardStreams.write(line)
    if !answer.isOK { throw ExitCode(1) }
  }
}

struct RunBatch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch", abstract: "Answer requests, a line in and a line out, until the input ends.",
    discussion: """
      A request is one line, and so is its answer:

        {"id": 1, "op": "address.decode", "params": {"address": "x"}}
        {"id":1,"ok":true,"result":{…}}
        {"id":1,"ok":false,"error":{"code":"…","message":"…"}}

      The id may be any JSON and comes back as it is. Answers are in the order of the requests, and each is written before the \
      next request is waited for. A line that is no request is answered like one that fails.
      """)

  func run() throws {
    try Batch(.standard).run(nextByte: StandardStreams.nextByte, write: StandardStreams.write)
  }
}

struct ListOperations: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print every operation with its parameters and results.")

  @Flag(help: "Print one JSON object instead.")
  var json = false

  @Argument(help: "Only operations whose name starts so, for example schnorr.")
  var prefix: String?

  func run() throws {
    let toolbox = Toolbox.standard.filtered(prefix: prefix ?? "")
    let text = json ? toolbox.listingJSON.text(pretty: true) + "\n" : toolbox.listing
    try StandardStreams.write(Array(text.utf8))
  }
}

struct PrintCosts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "costs", abstract: "Print what each stack weighs and costs, as docs/COSTS.md.")

  func run() throws { try StandardStreams.write(Array(CostSheet().markdown().utf8)) }
}
