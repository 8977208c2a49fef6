internal import Hashing

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension SeedFile {
  /// Whether there is a file, be it one or not.
  public static func exists(at path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Writes a new file for its owner alone (0600), and returns when it is on the disk, its name included. Throws `.exists`: a seed is never
  /// overwritten. The folder must be there.
  public static func create(
    at path: String, _ seed: borrowing MasterSeed, passphrase: String? = nil, cost: Cost = .moderate
  ) throws(SeedError) {
    guard !exists(at: path) else { throw .exists(path: path) }
    var bytes = try encode(seed, passphrase: passphrase, cost: cost)
    defer { wipe(&bytes) }
    // Whole or not at all: written beside, then linked to its name, which fails if there is one.
    let temporary = path + ".new"
    _ = unsafe unlink(temporary)
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unusable(path: temporary, reason: lastError) }
    defer { _ = unsafe unlink(temporary) }
    let written = unsafe write(descriptor, bytes, bytes.count)
    let isWritten = written == bytes.count && fsync(descriptor) == 0
    let reason = lastError
    guard close(descriptor) == 0, isWritten else { throw .unusable(path: temporary, reason: reason) }
    guard unsafe link(temporary, path) == 0 else {
      throw errno == EEXIST ? .exists(path: path) : .unusable(path: path, reason: lastError)
    }
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let folderDescriptor = unsafe open(folder, O_RDONLY | O_CLOEXEC)
    if folderDescriptor >= 0 {
      _ = fsync(folderDescriptor)
      _ = close(folderDescriptor)
    }
  }

  /// The bytes of a file. Throws `.missing`, `.malformed` above 4 KiB, `.readableByOthers` when it is not encrypted and its permissions
  /// let others read it.
  public static func read(at path: String) throws(SeedError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .missing(path: path) : .unusable(path: path, reason: lastError)
    }
    defer { _ = close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .unusable(path: path, reason: lastError) }
    var buffer = [UInt8](repeating: 0, count: 4097)
    defer { wipe(&buffer) }
    let count = unsafe pread(descriptor, &buffer, buffer.count, 0)
    guard count >= 0 else { throw .unusable(path: path, reason: lastError) }
    guard count <= 4096 else { throw .malformed }
    let bytes = Array(buffer.prefix(count))
    guard try isEncrypted(bytes) || status.st_mode & 0o077 == 0 else { throw .readableByOthers(path: path) }
    return bytes
  }

  private static var lastError: String {
    let code = errno
    return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
  }
}
