internal import Dispatch
internal import Glibc

/// The signals that a node obeys: SIGTERM and SIGINT stop it, SIGHUP makes it open its log anew. They are heard while this lives.
final class Signals {
  enum Request: Sendable { case stop, reload }

  let stream: AsyncStream<Request>
  private let sources: [any DispatchSourceSignal]

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: Request.self)
    self.stream = stream
    sources = [(SIGTERM, Request.stop), (SIGINT, .stop), (SIGHUP, .reload)].map { number, request in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { continuation.yield(request) }
      source.resume()
      return source
    }
    signal(SIGPIPE, SIG_IGN)
  }
}
