#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Keeps a folder for one process. The operating system lets go of it when the process ends, however it ends.
struct FolderLock: ~Copyable, Sendable {
  private let descriptor: Int32

  /// Makes the folder (0700), if need be, and takes `FOLDER/lock`. Throws `.locked` with the other's process id, `.unusable`.
  init(folder: String) throws(StoreError) {
    try Files.makeFolder(folder)
    let path = folder + "/lock"
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unusable(path: path, reason: Files.lastError) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isTaken = errno == EWOULDBLOCK
      let reason = Files.lastError
      let pid = Self.readPID(descriptor)
      _ = close(descriptor)
      throw isTaken ? .locked(folder: folder, pid: pid) : .unusable(path: path, reason: reason)
    }
    // For people and for the message above: the lock itself is the kernel's.
    let text = [UInt8]("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { _ = unsafe pwrite(descriptor, text, text.count, 0) }
    self.descriptor = descriptor
  }

  /// The lock is let go of by name: a process that is just being started elsewhere in this one has the descriptor, too, until it runs its
  /// program.
  deinit {
    _ = flock(descriptor, LOCK_UN)
    _ = close(descriptor)
  }

  private static func readPID(_ descriptor: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = unsafe pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: buffer.prefix(while: { 0x30...0x39 ~= $0 }), as: UTF8.self))
  }
}

/// The few calls of the operating system that a store needs beside SQLite's own.
enum Files {
  static var lastError: String {
    let code = errno
    return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
  }

  /// Makes a folder and those above it, for the owner alone (0700), and waits until its name is on the disk.
  static func makeFolder(_ path: String) throws(StoreError) {
    guard !path.isEmpty else { throw .unusable(path: path, reason: "an empty path") }
    var missing: [String] = []
    var next = path
    while unsafe access(next, F_OK) != 0 {
      guard errno == ENOENT else { throw .unusable(path: next, reason: lastError) }
      missing.append(next)
      next = parent(of: next)
    }
    for folder in missing.reversed() {
      guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
        throw .unusable(path: folder, reason: lastError)
      }
      synchronizeFolder(parent(of: folder))
    }
  }

  /// Makes an empty file (0600) unless there is one, so that SQLite's files never have wider permissions.
  static func makeFile(_ path: String) throws(StoreError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw errno == EROFS || errno == EACCES ? .readOnly : .unusable(path: path, reason: lastError)
    }
    _ = close(descriptor)
    synchronizeFolder(parent(of: path))
  }

  /// The first bytes of a file; empty when there is none.
  static func head(of path: String, count: Int) throws(StoreError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return [] }
      throw .unusable(path: path, reason: lastError)
    }
    defer { _ = close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: count)
    let got = unsafe read(descriptor, &buffer, count)
    guard got >= 0 else { throw .unusable(path: path, reason: lastError) }
    return Array(buffer.prefix(got))
  }

  /// Writes zeros behind a file's end until it has that size. A file that cannot grow so far stays as it was.
  static func extend(_ path: String, to size: Int) {
    let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { _ = close(descriptor) }
    let old = Int(lseek(descriptor, 0, SEEK_END))
    guard old >= 0, old < size else { return }
    let zeros = [UInt8](repeating: 0, count: 1 << 20)
    var end = old
    while end < size {
      let count = unsafe pwrite(descriptor, zeros, min(zeros.count, size - end), off_t(end))
      guard count > 0 else {
        _ = ftruncate(descriptor, off_t(old))
        return
      }
      end += count
    }
    _ = fsync(descriptor)
  }

  /// A file's name is durable when its folder is. Some file systems cannot do that; then there is nothing better to be had.
  private static func synchronizeFolder(_ path: String) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    _ = close(descriptor)
  }

  private static func parent(of path: String) -> String {
    var bytes = Array(path.utf8)
    while bytes.count > 1, bytes.last == 0x2f { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: 0x2f) else { return "." }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
  }
}
