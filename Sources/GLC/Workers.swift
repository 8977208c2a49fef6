internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// How many cores a computation may use. Work is cut into pieces whose results are put together in order: they do not depend on the
/// number of workers. The caller waits and works along; threads come from the process-wide pool, never more than there are cores.
public struct Workers: Hashable, Sendable {
  public let count: Int

  /// At least one.
  public init(_ count: Int) { self.count = max(1, count) }

  /// The calling thread alone.
  public static let one = Workers(1)
  /// Every core of the machine.
  public static let all = Workers(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Pieces for each worker: one that is held up leaves the rest to the others.
  private static let piecesPerWorker = 4

  /// Computes something for each position below `count`, a range of positions at a time, and joins the results in order. Below two
  /// pieces of `smallestPiece` positions everything happens on the calling thread. Throws the error of the lowest range.
  public func map<T: Sendable, E: Error>(
    _ count: Int, smallestPiece: Int, _ body: @Sendable (Range<Int>) throws(E) -> [T]
  ) throws(E) -> [T] {
    let pieces = min(count / max(1, smallestPiece), self.count * Self.piecesPerWorker)
    guard self.count > 1, pieces > 1 else { return try body(0..<count) }
    let results = Mutex<[Result<[T], E>?]>(Array(repeating: nil, count: pieces))
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(self.count, pieces)) { _ in
      while true {
        let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard piece < pieces else { return }
        let result: Result<[T], E>
        do throws(E) {
          result = .success(try body(count * piece / pieces..<count * (piece + 1) / pieces))
        } catch {
          result = .failure(error)
        }
        results.withLock { $0[piece] = result }
      }
    }
    var joined: [T] = []
    joined.reserveCapacity(count)
    for result in results.withLock({ $0 }) {
      if let result { joined += try result.get() }
    }
    return joined
  }
}
