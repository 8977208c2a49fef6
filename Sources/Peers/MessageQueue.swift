/// Messages in their order, with the sum of their bytes; taking from the front costs nothing.
struct MessageQueue {
  private var messages: [[UInt8]] = []
  private var head = 0
  private(set) var byteCount = 0

  var isEmpty: Bool { head == messages.count }

  mutating func append(_ message: [UInt8]) {
    byteCount += message.count
    messages.append(message)
  }

  mutating func popFirst() -> [UInt8]? {
    guard head < messages.count else { return nil }
    let message = messages[head]
    messages[head] = []
    head += 1
    byteCount -= message.count
    if head == messages.count {
      // What a busy moment needed is not kept for ever.
      messages.removeAll(keepingCapacity: head <= 64)
      head = 0
    } else if head >= 1_024, head > messages.count / 2 {
      messages.removeFirst(head)
      head = 0
    }
    return message
  }

  mutating func removeAll() { self = MessageQueue() }
}
