internal import BOLT
internal import GLC
internal import Payments
internal import Peers
internal import Storage
internal import Wire

// What a batch of inputs has led to: signed, stored, and only then sent and told.

extension PeerHost {
  func finishBatch() async {
    let height = hub.height
    for id in unfinished { tryRemovals(id) }
    for id in unfinished { offerWaiting(id) }
    for id in unfinished where channels[id].map({ $0.removals.isEmpty && $0.waiting.isEmpty }) ?? true {
      unfinished.remove(id)
    }
    if !waitingOffers.isEmpty { tryOffers() }
    // What the inputs have made due is signed now, once for all of them.
    for id in batch.touched {
      guard let context = context(height) else { break }
      guard var hosted = channels[id] else { continue }
      let holds = holdsCommitment(hosted)
      let effects = hosted.channel.flush(context, holdsCommitment: holds)
      channels[id]?.channel = hosted.channel
      if holds { hold(id) } else { channels[id]?.heldSince = nil }
      apply(effects, to: id)
      watchQuiescence(id)
    }
    if hub.settings.developer.hasMethods { for id in batch.touched { keepCommitment(id) } }
    for id in batch.touched where channels[id]?.isDirty == true {
      guard let hosted = channels[id] else { continue }
      channels[id]?.stored.encode(hosted.channel, to: &batch.changes)
      channels[id]?.isDirty = false
    }
    let batch = batch
    self.batch = Batch()
    // Before anybody hears of a payment: whoever acts on it finds the channel as it is now.
    for id in batch.touched { publish(id) }
    release(batch)
    // Otherwise what is sent, or what payments make of it, goes first.
    if batch.messages.isEmpty, batch.payments.isEmpty { prepare(batch.touched) }
    // Messages are worked off; what has come of them waits for the disk without us.
    for readOn in batch.read { readOn() }
    if batch.disconnect != nil || batch.stops || releases.count > Self.maximumPending { await releases.drain() }
    if let reason = batch.disconnect { disconnect(after: reason) }
    if batch.stops {
      isStopped = true
      for waiter in waiters { waiter.resume() }
      waiters = []
    }
  }

  /// Works out now what the next commitments will need.
  func prepare(_ ids: Set<ChannelID>) { for id in ids { channels[id]?.channel.prepare() } }

  private func holdsCommitment(_ hosted: HostedChannel) -> Bool {
    if let since = hosted.heldSince, since.duration(to: .now) >= HostedChannel.patience { return false }
    return hosted.waiting.isEmpty && waitingOffers.isEmpty && hosted.channel.owesSettlementsAlone
  }

  private func hold(_ id: ChannelID) {
    guard var hosted = channels[id] else { return }
    let since = hosted.heldSince ?? .now
    hosted.heldSince = since
    if !hosted.isHoldTimed {
      hosted.isHoldTimed = true
      let mailbox = mailbox
      Task {
        try? await Task.sleep(until: since + HostedChannel.patience)
        mailbox.post(.commit(id))
      }
    }
    channels[id] = hosted
  }

  /// Hands a batch to the store, and to the payments what they have to know: what they make of it is stored behind it. What is not stored has
  /// not happened: nothing of it is sent or said before.
  private func release(_ batch: Batch) {
    forerunners.removeAll(where: \.isKept)
    var item = Releases.Item(pledges: forerunners) { _ in }
    if !batch.changes.isEmpty {
      let pledge = Pledge()
      item = Releases.Item(changes: batch.changes, pledges: [pledge], behind: forerunners) { _ in }
      forerunners = [pledge]
    }
    let (mailbox, connection) = (mailbox, connection)
    let inspections = batch.inspections.map { (seen: seen($0.channel), body: $0.body) }
    item.happens = { isStored in
      if isStored {
        if !batch.messages.isEmpty {
          connection?.send(batch.messages)
          // While the peer is at work; before, it would keep the disk waiting for a processor.
          if !batch.touched.isEmpty { mailbox.post(.prepare(batch.touched)) }
        }
        for work in batch.afterwards { Task { await work() } }
      }
      for answer in batch.answers { answer(isStored) }
      for done in batch.done { done.resume() }
      for inspection in inspections { inspection.body(inspection.seen) }
    }
    // What nobody waits for is written together with what comes next, or a second later: should it be lost, the peer says it again.
    let isAwaited =
      !batch.messages.isEmpty || !batch.afterwards.isEmpty || !batch.answers.isEmpty || !batch.done.isEmpty
      || !batch.inspections.isEmpty
    if isAwaited || !batch.changes.isEmpty { releases.add(item, isUrgent: false) }
    // Payments make something of it at once, or see to it that it is written.
    let inputs = batch.payments.map { PaymentCommand.input($0) }
    let isTaken = !inputs.isEmpty && hub.payments.post(forerunners.map { .behind($0) } + inputs)
    if !isTaken, isAwaited || !inputs.isEmpty { hub.store.hurry() }
  }

  /// The channels as they are: one of them, or all.
  func seen(_ id: ChannelID?) -> [HostedChannel] {
    guard let id else { return Array(channels.values) }
    return channels[id].map { [$0] } ?? []
  }

  /// Answers once everything that has led to it is durable; says so when that will never be.
  func answer<Value: Sendable>(_ reply: @escaping Reply<Value>, _ result: Result<Value, NodeError>) {
    batch.answers.append { isStored in reply(isStored ? result : .failure(.start("nothing can be stored"))) }
  }
}
