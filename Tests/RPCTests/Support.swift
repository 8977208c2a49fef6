import Foundation
import JSON
import Logging
import NIOCore
import NIOPosix
import Testing
@testable import RPC

/// A folder that is removed at the end. Its path is short: those of sockets are limited.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = NSTemporaryDirectory() + "/r\(UInt32.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

/// What the methods of the test server saw.
actor Witness {
  var started = 0
  var cancelled = 0
  func start() { started += 1 }
  func cancel() { cancelled += 1 }
}

enum TestServer {
  static let logger = Logger(label: "glc.rpc") { _ in SwiftLogNoOpLogHandler() }

  static func registry(_ witness: Witness = Witness()) -> RPCRegistry {
    var registry = RPCRegistry()
    registry.register(
      RPCMethod("echo", .utility, "Give back what came", parameters: [.optional("value", .json, "Anything.")])
    ) { arguments, _ in ["value": arguments.json(ifPresent: "value") ?? .null] }
    registry.register(
      RPCMethod(
        "add", .utility, "Add", parameters: [.required("a", .integer, "One."), .required("b", .integer, "Two.")])
    ) { arguments, _ in
      let (sum, overflow) = try arguments.integer("a").addingReportingOverflow(try arguments.integer("b"))
      if overflow { throw RPCError(.fundCannotAfford, "too much", data: ["a": 1]) }
      return ["sum": .unsigned(sum)]
    }
    registry.register(RPCMethod("fail", .utility, "Fail")) { _, _ in throw MessageFramer.Fault.tooDeep(limit: 1) }
    registry.register(RPCMethod("wait", .utility, "Wait for ever")) { _, _ in
      await witness.start()
      do {
        while true { try await Task.sleep(for: .seconds(3600)) }
      } catch {
        await witness.cancel()
        throw error
      }
    }
    registry.register(
      RPCMethod("nap", .utility, "Wait a little", parameters: [.required("ms", .integer, "Milliseconds.")])
    ) { arguments, _ in
      await witness.start()
      try await Task.sleep(for: .milliseconds(Int(arguments.integer("ms", as: UInt16.self))))
      return ["slept": true]
    }
    registry.register(
      RPCMethod("steps", .utility, "Tell how it goes", isSlow: true)
    ) { _, context in
      for step in 1...3 { await context.progress("step \(step)", done: step, of: 3) }
      return ["told": .bool(context.wantsProgress)]
    }
    registry.register(
      RPCMethod("big", .utility, "Much", parameters: [.required("count", .integer, "Elements.")])
    ) { arguments, _ in
      [
        "list": .array(
          (0..<Int(try arguments.integer("count", as: UInt32.self))).map { ["number": .int($0), "text": "x"] })
      ]
    }
    return registry
  }

  /// Runs a server for the time of `body`.
  static func run<Result>(
    limits: RPCLimits = RPCLimits(), registry: RPCRegistry = registry(),
    _ body: (RPCServer, RPCClient) async throws -> Result
  ) async throws -> Result {
    try await withFolder { folder in
      var limits = limits
      if limits.stopGrace == RPCLimits().stopGrace { limits.stopGrace = .milliseconds(200) }
      let server = try await RPCServer.start(
        path: folder + "/rpc", registry: registry, limits: limits, logger: logger)
      do {
        let result = try await body(server, RPCClient(path: server.path))
        await server.stop()
        return result
      } catch {
        await server.stop()
        throw error
      }
    }
  }
}

/// A connection for texts as they are.
final class RawConnection {
  let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
  let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private var buffer: [UInt8] = []

  private init(
    _ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.channel = channel
    self.outbound = outbound
    iterator = inbound.makeAsyncIterator()
  }

  static func open<Result>(_ path: String, _ body: (RawConnection) async throws -> Result) async throws -> Result {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connect(unixDomainSocketPath: path) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await body(RawConnection(channel, inbound, outbound))
    }
  }

  func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

  /// The next reply as text, without the two line feeds; nil when the server hung up.
  func replyText() async throws -> String? {
    while true {
      if let end = buffer.indices.dropLast().first(where: { buffer[$0] == 10 && buffer[$0 + 1] == 10 }) {
        let text = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeFirst(end + 2)
        return text
      }
      guard let more = try? await iterator.next() else { return nil }
      buffer += Array(more.readableBytesView)
    }
  }

  func reply() async throws -> JSONValue? { try await replyText().map { try JSONValue(parsing: $0) } }
}

/// Waits until something holds; gives up after ten seconds.
func eventually(_ what: String, _ condition: () async -> Bool) async throws {
  for _ in 0..<2000 {
    if await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  Issue.record("never happened: \(what)")
}
