/// A binary heap of (cost, node), the least cost first.
struct MinHeap {
  struct Entry {
    var cost: UInt64
    var node: Int32
  }

  private var entries: [Entry] = []

  mutating func push(_ entry: Entry) {
    var index = entries.count
    entries.append(entry)
    while index > 0 {
      let parent = (index - 1) / 2
      guard entries[parent].cost > entry.cost else { break }
      entries[index] = entries[parent]
      index = parent
    }
    entries[index] = entry
  }

  mutating func pop() -> Entry? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    guard !entries.isEmpty else { return first }
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < entries.count else { break }
      if child + 1 < entries.count, entries[child + 1].cost < entries[child].cost { child += 1 }
      guard entries[child].cost < last.cost else { break }
      entries[index] = entries[child]
      index = child
    }
    entries[index] = last
    return first
  }
}
