#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// What the operating system says when a call fails.
struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  let action: String
  let number: Int32

  init(_ action: String) {
    self.action = action
    number = errno
  }

  var isNotFound: Bool { number == ENOENT }
  var description: String { "\(action): \(Self.text(number))" }

  /// What the system says to an error number.
  static func text(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }
}

/// Seconds since 1970.
func wallClock() -> Int64 {
  var now = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &now)
  return Int64(now.tv_sec)
}

/// A file of our own, written at its end only, and locked against other processes. Closed when it goes away.
final class AppendFile {
  private let descriptor: Int32
  let path: String

  /// Opens or creates the file, readable and writable by its owner alone. Throws when another process has it.
  init(_ path: String) throws(SystemError) {
    self.path = path
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError("open \(path)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let error = SystemError("lock \(path) (another process has it)")
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  /// The lock is let go of by name: a process that is just being started elsewhere in this one has the descriptor, too.
  deinit {
    _ = flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  func readAll() throws(SystemError) -> [UInt8] {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw SystemError("seek in \(path)") }
    return try readToEnd(descriptor, path)
  }

  func append(_ bytes: [UInt8]) throws(SystemError) { try writeAll(bytes, to: descriptor, path) }

  func truncate(to count: Int) throws(SystemError) {
    guard ftruncate(descriptor, off_t(count)) == 0 else { throw SystemError("truncate \(path)") }
  }
}

/// A small file's bytes.
func readFile(_ path: String) throws(SystemError) -> [UInt8] {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw SystemError("open \(path)") }
  defer { close(descriptor) }
  return try readToEnd(descriptor, path)
}

/// Replaces a file at once, readable by its owner alone.
func writePrivateFile(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
  let temporary = path + ".new"
  let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
  guard descriptor >= 0 else { throw SystemError("create \(temporary)") }
  do {
    defer { close(descriptor) }
    try writeAll(bytes, to: descriptor, temporary)
  }
  guard unsafe rename(temporary, path) == 0 else { throw SystemError("rename \(temporary)") }
}

func removeFile(_ path: String) { _ = unsafe unlink(path) }

private func readToEnd(_ descriptor: Int32, _ path: String) throws(SystemError) -> [UInt8] {
  var result: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    if count == 0 { return result }
    if count < 0 {
      if errno == EINTR { continue }
      throw SystemError("read \(path)")
    }
    result += chunk[..<count]
  }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(SystemError) {
  var offset = 0
  while offset < bytes.count {
    let count = unsafe bytes.withUnsafeBytes { buffer in
      unsafe write(descriptor, buffer.baseAddress?.advanced(by: offset), bytes.count - offset)
    }
    if count < 0 {
      if errno == EINTR { continue }
      throw SystemError("write \(path)")
    }
    offset += count
  }
}
