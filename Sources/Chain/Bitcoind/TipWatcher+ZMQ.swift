internal import Bitcoin
internal import Encoding
internal import JSON
internal import Logging

/// Where a bitcoind publishes over ZMQ.
public struct ZMQEndpoints: Hashable, Sendable {
  /// Its `zmqpubrawblock` or `zmqpubhashblock`, and `zmqpubsequence` when that has the same address.
  public var blocks: String?
  /// Its `zmqpubrawtx`.
  public var transactions: String?

  public init(blocks: String? = nil, transactions: String? = nil) {
    self.blocks = blocks
    self.transactions = transactions
  }

  var subscriptions: [ZMQSubscriber.Subscription] {
    var topics: [String: [String]] = [:]
    if let blocks { topics[blocks, default: []] += ["rawblock", "hashblock", "sequence"] }
    if let transactions { topics[transactions, default: []] += ["rawtx"] }
    return topics.keys.sorted().map { ZMQSubscriber.Subscription(endpoint: $0, topics: topics[$0] ?? []) }
  }
}

/// Whether messages were missed: each topic of each publisher counts its own.
struct ZMQSequences {
  private struct Stream: Hashable {
    var endpoint: String
    var topic: String
  }

  private var last: [Stream: UInt32] = [:]

  /// How many are missing before this one; nil when nobody can tell, because the publisher counts from the beginning.
  mutating func missing(_ sequence: UInt32, topic: String, endpoint: String) -> UInt32? {
    let stream = Stream(endpoint: endpoint, topic: topic)
    guard let before = last.updateValue(sequence, forKey: stream) else { return 0 }
    let gap = sequence &- before &- 1
    // A number that was there before: it has restarted.
    return gap < 1 << 31 ? gap : nil
  }
}

extension TipWatcher {
  /// Which publishers are connected, and what they have said last.
  struct Listening {
    var subscriber: ZMQSubscriber
    var task: Task<Void, Never>
    var connected: Set<String> = []
    var sequences = ZMQSequences()
    var hasWarned = false
  }

  func listen() {
    let subscriptions = options.zmq.subscriptions
    guard !subscriptions.isEmpty, listening == nil else { return }
    let (events, continuation) = AsyncStream.makeStream(
      of: ZMQSubscriber.Event.self, bufferingPolicy: .bufferingNewest(65_536))
    let subscriber = ZMQSubscriber(subscriptions) { event in
      // Of a block, its coming is all that counts.
      if case .message(let endpoint, "rawblock", let body, let sequence) = event {
        continuation.yield(
          .message(endpoint: endpoint, topic: "rawblock", body: Array(body.prefix(80)), sequence: sequence))
      } else {
        continuation.yield(event)
      }
    }
    let task = Task { [weak self] in
      for await event in events { await self?.take(event) }
    }
    listening = Listening(subscriber: subscriber, task: task)
    Task { [weak self] in
      try? await Task.sleep(for: .seconds(10))
      await self?.warnOfSilence()
    }
  }

  func stopListening() {
    listening?.subscriber.stop()
    listening?.task.cancel()
    listening = nil
  }

  private func warnOfSilence() {
    guard let listening, !listening.hasWarned else { return }
    for subscription in options.zmq.subscriptions where !listening.connected.contains(subscription.endpoint) {
      self.listening?.hasWarned = true
      logger.warning(
        "nothing answers at bitcoind's ZMQ address; it is asked every few seconds instead",
        metadata: [
          "address": "\(subscription.endpoint)",
          "hint": "\(ZMQEndpoints.setting(for: subscription)) in bitcoin.conf, or leave the option out",
        ])
    }
  }

  private func take(_ event: ZMQSubscriber.Event) async {
    switch event {
    case .connected(let endpoint):
      logger.info("hears bitcoind over ZMQ", metadata: ["address": "\(endpoint)"])
      listening?.connected.insert(endpoint)
      // What was published before this moment was not heard, and the subscription takes a moment to arrive.
      resynchronise()
      Task { [weak self] in
        try? await Task.sleep(for: .seconds(1))
        await self?.resynchronise()
      }
    case .disconnected(let endpoint):
      guard listening?.connected.remove(endpoint) != nil else { return }
      logger.warning(
        "bitcoind's ZMQ is gone: it is asked instead until it comes back", metadata: ["address": "\(endpoint)"])
      resynchronise()
    case .failed(let endpoint, let reason):
      logger.error("no ZMQ", metadata: ["address": "\(endpoint)", "reason": "\(reason)"])
    case .message(let endpoint, let topic, let body, let sequence):
      let missing = listening?.sequences.missing(sequence, topic: topic, endpoint: endpoint)
      if missing != 0 {
        logger.notice(
          "ZMQ messages were missed: bitcoind is asked for what they said",
          metadata: ["topic": "\(topic)", "count": "\(missing.map(String.init) ?? "unknown: bitcoind has restarted")"])
        resynchronise()
      }
      await take(topic, body)
    }
  }

  private func take(_ topic: String, _ body: [UInt8]) async {
    switch topic {
    case "rawblock", "hashblock": look()
    case "rawtx":
      if let transaction = try? Transaction(decoding: body) {
        heard(transaction)
      } else {
        logger.debug("a transaction over ZMQ that is none")
      }
    case "sequence":
      // The hash as people read it, and what has happened: a block connected or disconnected, a transaction added or removed.
      guard body.count >= 33 else { return }
      switch body[32] {
      case UInt8(ascii: "C"), UInt8(ascii: "D"): look()
      case UInt8(ascii: "A") where options.zmq.transactions == nil:
        let txid = JSONValue.string(Hex.encode(Array(body.prefix(32))))
        if let transaction = (try? await client.call("getrawtransaction", [txid]))?.transactionValue {
          heard(transaction)
        }
      default: break
      }
    default: break
    }
  }
}

extension ZMQEndpoints {
  /// What makes bitcoind publish this.
  static func setting(for subscription: ZMQSubscriber.Subscription) -> String {
    let name = subscription.topics.contains("rawtx") ? "zmqpubrawtx" : "zmqpubrawblock"
    return "\(name)=\(subscription.endpoint)"
  }
}
