internal import BOLT
internal import Bitcoin
public import GLC
internal import Logging
public import Wire

// Another stack for an open channel.

extension PeerHost {
  func upgrade(_ id: ChannelID, _ description: StackDescription, _ reply: @escaping Reply<Void>) {
    guard var hosted = channels[id] else { return reply(.failure(.unknownChannel(id))) }
    guard let context = context(hub.height) else { return reply(.failure(.notConnected(peer))) }
    do {
      try hosted.channel.upgrade(to: description, context)
      hosted.upgrading = reply
      channels[id] = hosted
      batch.touched.insert(id)
    } catch {
      reply(.failure(.stackRefused(error.text)))
    }
  }

  func upgraded(_ id: ChannelID, _ outcome: UpgradeOutcome) {
    guard let reply = channels[id]?.upgrading else { return }
    channels[id]?.upgrading = nil
    let result: Result<Void, NodeError> =
      switch outcome {
      case .changed: .success(())
      case .refused(let refusal): .failure(.stackRefused(refusal.text))
      case .interrupted: .failure(.stackRefused("the connection was lost: the channel is what it was"))
      }
    answer(reply, result)
  }

  func stackChanged(_ id: ChannelID) {
    let name = channels[id]?.channel.stackName ?? ""
    logger.notice("the channel has another stack", metadata: ["channel": "\(id)", "stack": "\(name)"])
    hub.events.send(.channel(id, state: "stack \(name)"))
  }

  /// BOLT 2 §Channel Quiescence: MUST disconnect after 60 seconds of quiescence if the HTLCs are pending.
  func watchQuiescence(_ id: ChannelID) {
    guard let hosted = channels[id] else { return }
    guard hosted.channel.isQuiescent else {
      channels[id]?.quiescence = nil
      return
    }
    guard hosted.quiescence == nil else { return }
    quiescences += 1
    let number = quiescences
    channels[id]?.quiescence = number
    let (mailbox, limit) = (mailbox, hub.settings.quiescenceSeconds)
    Task {
      try? await Task.sleep(for: .seconds(Int64(limit)))
      mailbox.post(.quiescenceIsOver(id, number))
    }
  }

  func quiescenceIsOver(_ id: ChannelID, _ number: UInt64) {
    guard let hosted = channels[id], hosted.quiescence == number, hosted.channel.isQuiescent else { return }
    channels[id]?.quiescence = nil
    batch.disconnect = "the channel was quiescent for too long"
  }
}

extension Node {
  /// Exchanges the stack of an open channel together with the peer; returns when both sides' commitments have the new one.
  public func upgrade(_ channel: ChannelID, to description: StackDescription) async throws {
    guard let host = hub.host(of: channel) else { throw NodeError.unknownChannel(channel) }
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      let reply: Reply<Void> = { continuation.resume(with: $0.mapError { $0 as any Error }) }
      if !host.mailbox.post(.upgrade(channel, description, reply)) { reply(.failure(.unknownChannel(channel))) }
    }
  }
}
