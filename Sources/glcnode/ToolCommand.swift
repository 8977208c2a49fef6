internal import ArgumentParser
internal import GLCTool
internal import JSON

/// `glcnode tool`: the library as JSON in, JSON out.
struct ToolCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tool",
    abstract: "Run one function of the library, or a stream of them, as JSON in and JSON out.",
    usage: """
      glcnode tool OP ['{…}']      run one operation
      glcnode tool batch           a request a line in, an answer a line out
      glcnode tool list [--json]   every operation with its parameters
      """,
    discussion: """
      Bytes are hex, amounts are integers in satoshi or millisatoshi, transaction ids stand in display order. Parameters that an \
      operation does not know are refused by name.

        $ glcnode tool hmac.sha256 '{"key": "00", "message": ""}'
        {"ok":true,"result":{"mac":"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"}}

        $ printf '{"id": 1, "op": "hmac.sha256", "params": {"key": "00", "message": ""}}\\n' | glcnode tool batch
        {"id":1,"ok":true,"result":{"mac":"b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"}}

      Exit status: 0 when the operation was carried out, 1 when it was refused ("ok":false), 64 for a command that does not exist.
      """,
    subcommands: [RunOperation.self, RunBatch.self, ListOperations.self], defaultSubcommand: RunOperation.self)
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
      A request is a JSON object on one line: {"id": any JSON, "op": "name", "params": {…}}. The answer is one line with the same id: \
      {"id":…,"ok":true,"result":{…}}, or {"id":…,"ok":false,"error":{"code":"…","message":"…"}}. Answers come in the order of the \
      requests, each before the next request is waited for. A line that is no request is answered like one that fails.
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
