internal import Encoding

/// The stack and the alternative stack of a running script.
///
/// The bytes of all elements lie in one buffer; an element is a range of it, and never changes. So a push copies its bytes once and
/// allocates nothing, and what only rearranges the stack (DUP, ROLL, …) moves ranges.
struct ScriptStack {
  struct Element {
    var start: Int
    var count: Int
    var isEmpty: Bool { count == 0 }
  }

  private var buffer = ByteWriter(reservingCapacity: 512)
  private var main: [Element] = []
  private var alternative: [Element] = []
  private var saved: [Element] = []
  /// How large the buffer may become before what nothing refers to is thrown out.
  private var compactionSize = 1 << 20

  init() { main.reserveCapacity(16) }

  var count: Int { main.count }
  var alternativeCount: Int { alternative.count }

  /// The elements that the operations of a script may refer to, so that they need not check each.
  func require(_ count: Int) throws(ScriptError) {
    if main.count < count { throw .invalidStackOperation }
  }

  /// The element at a depth, the top at 1. There must be that many.
  func element(_ depth: Int) -> Element { main[main.count - depth] }

  @_lifetime(borrow self)
  func bytes(_ element: Element) -> RawSpan {
    buffer.bytes.bytes.extracting(element.start..<element.start + element.count)
  }

  /// The bytes of the element at a depth, the top at 1. There must be that many.
  @_lifetime(borrow self)
  func bytes(at depth: Int) -> RawSpan { bytes(element(depth)) }

  /// Whether the element at a depth counts as true: any bit set, but for the sign of a zero.
  func isTrue(at depth: Int) -> Bool {
    let bytes = bytes(at: depth)
    for offset in 0..<bytes.byteCount where bytes[offset] != 0 {
      return !(offset == bytes.byteCount - 1 && bytes[offset] == 0x80)
    }
    return false
  }

  // MARK: Pushing and popping

  mutating func push(_ bytes: RawSpan) {
    reserve()
    main.append(Element(start: buffer.count, count: bytes.byteCount))
    buffer.write(bytes)
  }

  mutating func push(_ byte: UInt8) {
    reserve()
    main.append(Element(start: buffer.count, count: 1))
    buffer.write(byte)
  }

  mutating func push(_ truth: Bool) {
    if truth { push(1 as UInt8) } else { main.append(Element(start: 0, count: 0)) }
  }

  /// Pushes a number in its script encoding.
  mutating func push(number: Int64) {
    reserve()
    let start = buffer.count
    var magnitude = number.magnitude
    let sign: UInt8 = number < 0 ? 0x80 : 0
    while magnitude > 0xff {
      buffer.write(UInt8(truncatingIfNeeded: magnitude))
      magnitude >>= 8
    }
    let last = UInt8(magnitude)
    if last & 0x80 != 0 {
      buffer.write(last)
      buffer.write(sign)
    } else if last != 0 {
      buffer.write(last | sign)
    }
    main.append(Element(start: start, count: buffer.count - start))
  }

  mutating func push(_ element: Element) { main.append(element) }

  /// Removes the top elements. There must be that many.
  mutating func drop(_ count: Int = 1) { main.removeLast(count) }

  /// Removes the element at a depth, the top at 1, and returns it. There must be that many.
  mutating func remove(at depth: Int) -> Element { main.remove(at: main.count - depth) }

  mutating func insert(_ element: Element, at depth: Int) { main.insert(element, at: main.count - depth) }

  mutating func swap(_ a: Int, _ b: Int) { main.swapAt(main.count - a, main.count - b) }

  mutating func toAlternative() { alternative.append(main.removeLast()) }

  mutating func fromAlternative() { main.append(alternative.removeLast()) }

  // MARK: Between scripts

  /// Forgets the alternative stack: each script begins with an empty one.
  mutating func beginScript() { alternative.removeAll(keepingCapacity: true) }

  /// Keeps a copy of the stack, for the redeem script of a script hash.
  mutating func save() { saved = main }

  mutating func restoreSaved() { main = saved }

  // MARK: Memory

  private mutating func reserve() {
    if buffer.count > compactionSize { compact() }
  }

  /// Keeps what elements refer to. Elements are few and short, so that this is rare and the buffer stays small.
  private mutating func compact() {
    let old = buffer.bytes
    buffer = ByteWriter()
    for index in main.indices { main[index].start = keep(main[index], of: old) }
    for index in alternative.indices { alternative[index].start = keep(alternative[index], of: old) }
    for index in saved.indices { saved[index].start = keep(saved[index], of: old) }
    compactionSize = max(1 << 20, 2 * buffer.count)
  }

  private mutating func keep(_ element: Element, of old: [UInt8]) -> Int {
    buffer.write(old.bytes.extracting(element.start..<element.start + element.count))
    return buffer.count - element.count
  }
}
