internal import Configuration
internal import JSON
internal import Logging
internal import Node
internal import RPC

/// A node that was started.
protocol RunningNode: Sendable {
  /// Ends everything in good order and returns when nothing runs any more. May be called again.
  func stop() async
  /// Returns when the node has ended, by `stop()` or on its own (`glcnode stop`). Throws when it ended because it could not go on.
  func waitUntilStopped() async throws
}

/// What `glcnode start` starts. It returns when the API answers, and throws with a text for a person.
struct NodeRunner: Sendable {
  let start: @Sendable (LoadedConfiguration, NodeLog) async throws -> any RunningNode

  /// The node of this build.
  static let standard = NodeRunner { loaded, log in try await APIOnlyNode.start(loaded, log) }
}

/// A node with nothing but its API: it can be asked for its options and its log, and be stopped.
final class APIOnlyNode: RunningNode {
  private let server: RPCServer
  private let ended: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation

  private init(_ server: RPCServer, _ ended: AsyncStream<Void>, _ end: AsyncStream<Void>.Continuation) {
    self.server = server
    self.ended = ended
    self.end = end
  }

  static func start(_ loaded: LoadedConfiguration, _ log: NodeLog) async throws -> APIOnlyNode {
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    var registry = RPCRegistry()
    for method in NodeAPI.methods where method.name == "stop" {
      registry.register(method) { _, _ in
        end.finish()
        return ["result": "Shutdown complete"]
      }
    }
    CommonMethods.register(in: &registry, configuration: loaded, log: log)
    let server = try await RPCServer.start(
      path: loaded.configuration.rpcSocketPath, registry: registry, logger: log.logger("rpc"))
    return APIOnlyNode(server, ended, end)
  }

  func stop() async {
    end.finish()
    await server.stop()
  }

  func waitUntilStopped() async throws {
    for await _ in ended {}
    await server.stop()
  }
}
