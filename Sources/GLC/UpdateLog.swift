public import Bitcoin
internal import Encoding

/// How far an update has come (BOLT 2 §Normal Operation). "Sender" is its author, "receiver" the other party; "committed" means
/// that a signature on that party's commitment covers it.
public enum UpdateStage: UInt8, Hashable, Comparable, Sendable, CaseIterable {
  /// Sent, no signature covers it.
  case proposed = 0
  /// In the receiver's latest commitment.
  case receiverCommitted = 1
  /// … and the receiver has revoked its previous one.
  case receiverRevoked = 2
  /// … and in the sender's latest commitment.
  case senderCommitted = 3
  /// … and the sender has revoked its previous one: irrevocable.
  case irrevocable = 4

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// Whether an update of `author` at this stage is part of the latest signed commitment of `holder`.
  @inlinable public func isCommitted(for holder: Party, author: Party) -> Bool {
    self >= (holder == author ? .senderCommitted : .receiverCommitted)
  }

  /// Whether it will be part of the next commitment of `holder`, should that be signed now.
  @inlinable public func isDue(for holder: Party, author: Party) -> Bool {
    self >= (holder == author ? .receiverRevoked : .proposed)
  }
}

/// The four steps that move updates on. One of them happens with each `commitment_signed` and each `revoke_and_ack`.
public enum CommitmentStep: Hashable, Sendable {
  /// `holder` got a signature on its next commitment.
  case committed(holder: Party)
  /// `holder` revoked its previous commitment.
  case revoked(holder: Party)

  /// The life-cycle table: where an update of `author` at `stage` goes in this step. Nil: it stays.
  ///
  /// | step                    | its author's updates go        | the other's go                |
  /// |-------------------------|--------------------------------|-------------------------------|
  /// | committed(holder: author) | receiverRevoked → senderCommitted |                           |
  /// | committed(holder: other)  |                                | proposed → receiverCommitted  |
  /// | revoked(holder: author)   | senderCommitted → irrevocable  |                               |
  /// | revoked(holder: other)    |                                | receiverCommitted → receiverRevoked |
  @inlinable public func next(_ stage: UpdateStage, author: Party) -> UpdateStage? {
    switch (self, stage) {
    case (.committed(let holder), .proposed) where holder != author: .receiverCommitted
    case (.revoked(let holder), .receiverCommitted) where holder != author: .receiverRevoked
    case (.committed(let holder), .receiverRevoked) where holder == author: .senderCommitted
    case (.revoked(let holder), .senderCommitted) where holder == author: .irrevocable
    default: nil
    }
  }
}

/// What an update changes.
public enum UpdateContent: Sendable {
  /// `update_fee`.
  case feeRate(FeeRate)
  /// An update of the extension at this position of the stack.
  case `extension`(Int, AnyUpdate)
  /// The channel becomes a composition of other extensions.
  case stack(StackChange)
}

public struct LogEntry: Sendable {
  /// Names the entry within its channel: no two of them, at any time, have the same.
  public let serial: UInt64
  public let author: Party
  public let content: UpdateContent
  public internal(set) var stage: UpdateStage
  /// It became due for its author's next commitment when that was proposed already: it waits for the one behind it.
  private(set) var isLate = false

  init(serial: UInt64, author: Party, content: UpdateContent, stage: UpdateStage) {
    self.serial = serial
    self.author = author
    self.content = content
    self.stage = stage
  }

  var changesStack: Bool { if case .stack = content { true } else { false } }

  /// Whether it will be part of the next commitment of `holder`.
  func isDue(for holder: Party) -> Bool {
    stage.isDue(for: holder, author: author) && !(isLate && holder == author)
  }

  fileprivate mutating func advance(_ step: CommitmentStep, late: Bool) {
    if isLate, step == .committed(holder: author) {
      isLate = false
      return
    }
    guard let next = step.next(stage, author: author) else { return }
    stage = next
    if late, next == .receiverRevoked { isLate = true }
  }

  fileprivate mutating func catchUp() { isLate = false }
}

/// The updates that are not yet irrevocable, in the order in which this side sent or received them. That order is enough: an update
/// that builds on another one of the other party was sent after that one was received.
public struct UpdateLog: Sendable {
  public internal(set) var entries: [LogEntry] = []
  /// Rises with every change: what was derived from the log says from which one.
  private(set) var version: UInt64 = 0
  /// Of the next entry.
  var nextSerial: UInt64 = 0

  mutating func append(_ content: UpdateContent, by author: Party) {
    version += 1
    entries.append(LogEntry(serial: nextSerial, author: author, content: content, stage: .proposed))
    nextSerial += 1
  }

  /// Carries out one step; returns what has become irrevocable, in order, and forgets it.
  /// - Parameter late: the next commitment of the other party is proposed: what becomes due for it now is not part of it.
  mutating func advance(_ step: CommitmentStep, late: Bool = false) -> [LogEntry] {
    version += 1
    var finished: [LogEntry] = []
    var kept: [LogEntry] = []
    kept.reserveCapacity(entries.count)
    for var entry in entries {
      entry.advance(step, late: late)
      if entry.stage == .irrevocable { finished.append(entry) } else { kept.append(entry) }
    }
    entries = kept
    return finished
  }

  /// Whether a signature on the next commitment of `holder` would cover something new.
  public func hasChanges(for holder: Party) -> Bool { changes(for: holder).contains { _ in true } }

  /// What is new in the next commitment of `holder`.
  public func changes(for holder: Party) -> some Sequence<LogEntry> {
    entries.lazy.filter { $0.isDue(for: holder) && !$0.stage.isCommitted(for: holder, author: $0.author) }
  }

  /// What was proposed was not signed: nothing is late any more.
  mutating func catchUp() {
    version += 1
    for index in entries.indices { entries[index].catchUp() }
  }

  /// Whether the stack is about to change: there is nothing else in the log then.
  var changesStack: Bool { !entries.isEmpty && entries[0].changesStack }

  /// What no signature covers is not agreed on, whoever proposed it.
  mutating func forgetProposedStack() {
    version += 1
    entries.removeAll { $0.changesStack && $0.stage == .proposed }
  }

  /// BOLT 2: upon disconnection, MUST reverse any uncommitted updates sent by the other side.
  mutating func forgetUncommitted(by author: Party) {
    version += 1
    entries.removeAll { $0.author == author && $0.stage == .proposed }
  }
}
