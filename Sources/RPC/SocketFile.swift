internal import FoundationEssentials
internal import NIOCore
internal import NIOPosix

/// The file of a listening socket.
struct SocketFile: Sendable {
  let path: String
  /// So that only what we made is removed.
  let inode: UInt64?

  typealias Connections = NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>

  /// `sun_path` has 108 bytes, one of them for the zero at the end.
  static let maximumPathByteCount = 107

  /// Listens at a path with permissions 0600.
  ///
  /// The socket is made in a folder that only we can enter and moved to its place when its permissions are right, so at no
  /// moment can anybody else connect.
  static func listen(
    path: String, group: any EventLoopGroup
  ) async throws(RPCServerError) -> (listener: Connections, file: SocketFile) {
    try await checkFree(path, group: group)
    let folder = "\(Self.folder(of: path))/.s\(UInt32.random(in: 0 ... .max))"
    let temporary = folder + "/s"
    for path in [path, temporary] where path.utf8.count > maximumPathByteCount {
      throw .pathTooLong(path: path, limit: maximumPathByteCount)
    }
    let files = FileManager.default
    do {
      try files.createDirectory(
        atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    } catch {
      throw .system(path: path, reason: "no socket can be made in the folder (\(reason(error)))")
    }
    defer { try? files.removeItem(atPath: folder) }
    do {
      let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 1024)
        .childChannelOption(.allowRemoteHalfClosure, value: true)
        .bind(unixDomainSocketPath: temporary) { channel in
          channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
              wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
          }
        }
      do {
        try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: temporary)
        if files.fileExists(atPath: path) { try files.removeItem(atPath: path) }
        try files.moveItem(atPath: temporary, toPath: path)
      } catch {
        try? await listener.channel.close()
        throw error
      }
      return (listener, SocketFile(path: path, inode: Self.inode(path)))
    } catch {
      throw .system(path: path, reason: reason(error))
    }
  }

  /// Whether nothing is there, or a socket that nobody answers on.
  private static func checkFree(_ path: String, group: any EventLoopGroup) async throws(RPCServerError) {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return }
    guard attributes[.type] as? FileAttributeType == .typeSocket else { throw .notASocket(path: path) }
    guard path.utf8.count <= maximumPathByteCount else { return }
    guard let probe = try? await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get() else { return }
    try? await probe.close()
    throw .inUse(path: path)
  }

  /// Removes the file, unless another one took its place.
  func remove() {
    if let inode, Self.inode(path) == inode { try? FileManager.default.removeItem(atPath: path) }
  }

  private static func inode(_ path: String) -> UInt64? {
    let number = (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber]
    return number as? UInt64 ?? (number as? Int).flatMap { UInt64(exactly: $0) }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "" : String(path[..<slash])
  }

  private static func reason(_ error: any Error) -> String {
    if let error = error as? IOError { return error.localizedDescription }
    return "\(error)"
  }
}
