internal import ArgumentParser
internal import Foundation

/// The standard input by bytes, the standard output by whole pieces.
enum StandardStreams {
  /// The next byte of the standard input; nil at its end. Blocks only when nothing is there: C's buffer takes what a
  /// pipe holds and does not wait until it is full, as FileHandle does.
  static func nextByte() -> UInt8? { UInt8(exactly: getchar_unlocked()) }

  /// All of the standard input, at most so many bytes.
  static func readAll(upTo limit: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit, let byte = nextByte() { bytes.append(byte) }
    return bytes
  }

  /// Writes all bytes at once, past any buffer. Ends the process quietly when nobody reads them any more.
  static func write(_ bytes: [UInt8]) throws {
    do {
      try output.write(contentsOf: Data(bytes))
    } catch {
      throw ExitCode(isPipeClosed(error) ? 0 : 74)
    }
  }

  /// Without the signal that ends a process for writing to a closed pipe: the write then fails instead.
  private static let output: FileHandle = {
    signal(SIGPIPE, SIG_IGN)
    return FileHandle.standardOutput
  }()

  private static func isPipeClosed(_ error: any Error) -> Bool {
    let error = error as NSError
    let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
    return underlying.domain == NSPOSIXErrorDomain && underlying.code == Int(EPIPE)
  }
}
