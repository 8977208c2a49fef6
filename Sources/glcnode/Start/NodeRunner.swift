internal import Configuration
internal import Logging
internal import Node

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
  static let standard = NodeRunner { loaded, log in try await NodeProgram.start(loaded, log) }
}

extension NodeProgram: RunningNode {}
