internal import Foundation
internal import Glibc
internal import JSON
internal import Node
internal import RPC
internal import Synchronization

/// Runs a method of the API for a person or a script.
enum CallCommand {
  static func run(_ words: [String]) async throws(CommandFailure) {
    guard let call = try MethodCall(words) else {
      throw CommandFailure(.usage, "no command is given; `glcnode help` lists what there is")
    }
    if call.options.wantsHelp {
      try Output.write(HelpTexts.method(call.method))
      return
    }
    // `help` needs no node: what it says comes from the same descriptions.
    let client = RPCClient(path: try call.options.socketPath())
    let progress = ProgressLine(
      isOn: !call.options.json && TerminalText.isTerminal(STDERR_FILENO) && call.method.isSlow)
    var tell: (@Sendable (RPCProgress) -> Void)?
    if progress.isOn { tell = { progress.show($0) } }
    let outcome: Result<JSONValue, RPCClientError>
    do throws(RPCClientError) {
      outcome = .success(try await client.call(call.method.name, call.params, onProgress: tell))
    } catch {
      outcome = .failure(error)
    }
    progress.end()
    switch outcome {
    case .success(let reply):
      let text =
        call.options.json
        ? reply.text(pretty: true) + "\n" : ReplyPrinter(format: call.options.format).text(call.method.name, reply)
      try Output.write(text)
    case .failure(let error): try fail(error, json: call.options.json)
    }
  }

  /// `glcnode rpc METHOD [JSON]`: as it is, for methods that this command does not know.
  static func raw(_ words: [String]) async throws(CommandFailure) {
    var options = CallOptions()
    var rest: [String] = []
    var index = 0
    while index < words.count {
      let word = words[index]
      index += 1
      guard word.hasPrefix("--") else {
        rest.append(word)
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isKnown = try options.take(String(parts[0])) { () throws(CommandFailure) in
        if parts.count == 2 { return String(parts[1]) }
        guard index < words.count else { throw CommandFailure(.usage, "\(word): a value is missing") }
        index += 1
        return words[index - 1]
      }
      guard isKnown else { throw CommandFailure(.usage, "there is no option \(TerminalText.plain(word))") }
    }
    guard let method = rest.first, rest.count <= 2, !options.wantsHelp else {
      throw CommandFailure(.usage, "usage: glcnode rpc METHOD ['{…}' or '[…]' or - for the standard input]")
    }
    var text = rest.count == 2 ? rest[1] : "{}"
    if text == "-" { text = String(decoding: StandardStreams.readAll(upTo: 4 << 20), as: UTF8.self) }
    let params: JSONValue
    do {
      params = try JSONValue(parsing: text)
    } catch {
      throw CommandFailure(.usage, "the parameters are no JSON: \(error)")
    }
    let client = RPCClient(path: try options.socketPath())
    let outcome: Result<JSONValue, RPCClientError>
    do throws(RPCClientError) {
      outcome = .success(try await client.call(method, params))
    } catch {
      outcome = .failure(error)
    }
    switch outcome {
    case .success(let reply): try Output.write(reply.text(pretty: true) + "\n")
    case .failure(let error): try fail(error, json: true)
    }
  }

  /// With --json the error is JSON on the standard output, for scripts; a message otherwise.
  static func fail(_ error: RPCClientError, json: Bool) throws(CommandFailure) {
    switch error {
    case .refused(let refusal):
      if json { try Output.write(refusal.json.text(pretty: true) + "\n") }
      throw CommandFailure(.refused, json ? "" : TerminalText.plain(refusal.description))
    case .unreachable: throw CommandFailure(.unreachable, error.description)
    case .disconnected, .malformed: throw CommandFailure(.unknownOutcome, TerminalText.plain(error.description))
    case .cancelled: throw CommandFailure(.interrupted, error.description)
    }
  }
}

extension CallOptions {
  var format: CellFormat {
    let isColored: Bool
    switch color {
    case .always: isColored = true
    case .never: isColored = false
    case .auto:
      // https://no-color.org: "when present and not an empty string (regardless of its value), prevents the addition of ANSI color".
      let noColor = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
      isColored = noColor.isEmpty && TerminalText.isTerminal(STDOUT_FILENO)
    }
    return CellFormat(unit: unit, full: full, palette: Palette(isOn: isColored))
  }
}

/// The standard streams of the command.
enum Output {
  static func write(_ text: String) throws(CommandFailure) {
    do {
      try StandardStreams.write(Array(text.utf8))
    } catch {
      // Nobody reads any more, or the disk is full; the call itself went well.
      throw CommandFailure(.success, "")
    }
  }

  static func writeError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// One line of the terminal that says how a call is going.
final class ProgressLine: Sendable {
  let isOn: Bool
  private let state = Mutex((text: "", seconds: 0))
  private let ticker = Mutex<Task<Void, Never>?>(nil)

  init(isOn: Bool) {
    self.isOn = isOn
    guard isOn else { return }
    let task = Task { [weak self] in
      while (try? await Task.sleep(for: .seconds(1))) != nil { self?.tick() }
    }
    ticker.withLock { $0 = task }
  }

  func show(_ progress: RPCProgress) {
    var text = TerminalText.plain(progress.message)
    if let steps = progress.steps { text += " (\(steps.done) of \(steps.total))" }
    state.withLock { state in
      state.text = text
      draw(state)
    }
  }

  private func tick() {
    state.withLock { state in
      state.seconds += 1
      draw(state)
    }
  }

  private func draw(_ state: (text: String, seconds: Int)) {
    let time = state.seconds > 0 ? " \(state.seconds) s" : ""
    Output.writeError("\r\u{1b}[K… \(state.text)\(time)")
  }

  /// Clears the line.
  func end() {
    guard isOn else { return }
    ticker.withLock { $0?.cancel() }
    state.withLock { _ in Output.writeError("\r\u{1b}[K") }
  }
}
