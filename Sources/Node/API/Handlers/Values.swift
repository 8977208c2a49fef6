internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import JSON
internal import Payments
internal import RPC
internal import Secp256k1
internal import Wire

extension JSONValue {
  static func text(_ value: some CustomStringConvertible) -> JSONValue { .string(value.description) }
  static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
  static func hex(_ bytes: Bytes32) -> JSONValue { .string(Hex.encode(bytes.array)) }
  static func msat(_ amount: MilliSatoshi) -> JSONValue { .unsigned(amount.rawValue) }
  static func msat(_ amount: Satoshi) -> JSONValue { .unsigned((amount.milliSatoshi ?? .zero).rawValue) }
  static func msat(_ amount: MilliSatoshi?) -> JSONValue? { amount.map { .msat($0) } }
  static func time(_ time: PaymentTime) -> JSONValue { .unsigned(time.seconds) }
  /// Seconds with milliseconds, where Core Lightning gives a fraction.
  static func preciseTime(_ time: PaymentTime) -> JSONValue {
    let rest = String(time.milliseconds % 1000)
    return .decimal("\(time.seconds).\(String(repeating: "0", count: 3 - rest.count))\(rest)")
  }

  /// Type, address and port.
  static func address(_ address: NodeAddress) -> JSONValue {
    let text = address.description
    let host = text[..<(text.lastIndex(of: ":") ?? text.endIndex)]
    let type =
      switch address {
      case .ipv4: "ipv4"
      case .ipv6: "ipv6"
      case .torV2: "torv2"
      case .torV3: "torv3"
      case .hostname: "dns"
      }
    return [
      "type": .string(type),
      "address": .string(String(host.first == "[" ? host.dropFirst().dropLast() : host)), "port": .int(address.port),
    ]
  }

  /// Bits and names, as Core Lightning names them.
  static func channelType(_ type: Wire.ChannelType) -> JSONValue {
    let bits = type.features.bits.sorted(by: >)
    return [
      "bits": .array(bits.map { .int($0) }),
      "names": .array(
        bits.map { bit in
          let known = Feature.merged.first { $0.bit == bit & ~1 }
          let name =
            known.map { $0.name.hasPrefix("option_") ? String($0.name.dropFirst(7)) : $0.name } ?? "\(bit & ~1)"
          return .string("\(name)/\(bit.isMultiple(of: 2) ? "even" : "odd")")
        }),
    ]
  }
}

extension FeatureSet {
  var hex: JSONValue { .hex(minimal.bytes) }
  /// Those that belong in a context.
  func features(in context: Feature.Contexts) -> FeatureSet {
    FeatureSet(
      bits: bits.filter { bit in Feature.merged.first { $0.bit == bit & ~1 }?.contexts.contains(context) ?? false })
  }
}

/// Waits for what comes first: the end of the work, or of the time. The work goes on when the time is over or the caller has gone: what pays
/// must not stop in the middle.
func firstOf<Value: Sendable>(
  _ time: Duration?, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
  let (stream, continuation) = AsyncThrowingStream.makeStream(of: Value?.self, throwing: (any Error).self)
  Task {
    do {
      continuation.yield(try await work())
      continuation.finish()
    } catch {
      continuation.finish(throwing: error)
    }
  }
  var timer: Task<Void, Never>?
  if let time {
    timer = Task {
      try? await Task.sleep(for: time)
      if !Task.isCancelled { continuation.yield(nil) }
    }
  }
  defer { timer?.cancel() }
  for try await value in stream { return value }
  throw CancellationError()
}

extension Handlers {
  /// Work that the caller's hanging up does not stop.
  func handedOver<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    guard let value = try await firstOf(nil, work) else { throw CancellationError() }
    return value
  }

  /// Reads something of the payment engine.
  /// - Parameter question: what the engine has to be told before, of what is over.
  func engine<Value: Sendable>(
    recalling question: RecallQuestion? = nil, _ read: @escaping @Sendable (PaymentEngine) -> Value
  ) async throws -> Value {
    try await hub.withPayments(recalling: question) { engine, _ in (read(engine), []) }
  }

  /// Changes something in the payment engine; returns when that is stored.
  func changeEngine<Value: Sendable>(
    recalling question: RecallQuestion? = nil,
    _ change: @escaping @Sendable (inout PaymentEngine, PaymentTime) throws -> (Value, [PaymentAction])
  ) async throws -> Value {
    let result = try await hub.withPayments(recalling: question) {
      engine, now -> (Result<Value, any Error>, [PaymentAction]) in
      do {
        let (value, actions) = try change(&engine, now)
        return (.success(value), actions)
      } catch {
        return (.failure(error), [])
      }
    }
    return try result.get()
  }

  func feeRate(_ arguments: RPCArguments, _ name: String = "feerate", default blocks: UInt32 = 6) throws -> FeeRate {
    let rate: FeeRate =
      switch try arguments.feeRate(ifPresent: name) {
      case nil: hub.fees.rate(within: blocks)
      case .exactly(let rate): rate
      case .blocks(let blocks): hub.fees.rate(within: blocks)
      case .named(let word):
        switch word {
        case "slow": hub.fees.rate(within: 144)
        case "urgent", "unilateral_close", "penalty": hub.fees.rate(within: 2)
        case "minimum": .relayFloor
        default: hub.fees.rate(within: 6)
        }
      }
    guard rate >= .relayFloor else {
      throw arguments.invalid(
        name, "should be at least \(FeeRate.relayFloor.satPerKiloWeight)perkw, or nobody relays it")
    }
    return rate
  }

  /// An address of the node's network.
  func address(_ arguments: RPCArguments, _ name: String) throws -> Address {
    do { return try Address(try arguments.string(name), expecting: network) } catch {
      throw arguments.invalid(name, "should be an address of \(network.chainName)")
    }
  }

  /// What a list is asked for: which index is counted, from where, and how many.
  struct Page: Sendable {
    var isByUpdate = false
    var start: UInt64 = 0
    var limit = Int.max
  }

  func page(_ arguments: RPCArguments) throws -> Page {
    guard let order = try arguments.string(ifPresent: "index") else { return Page() }
    return Page(
      isByUpdate: order == "updated", start: try arguments.integer(ifPresent: "start") ?? 0,
      limit: try arguments.integer(ifPresent: "limit").map { Int(clamping: $0) } ?? .max)
  }

  /// Some of a list that is at hand, one page of it where one is asked for.
  func page<Element>(
    _ all: [Element], _ arguments: RPCArguments, created: (Element) -> UInt64, updated: (Element) -> UInt64
  ) throws -> [Element] {
    guard arguments.has("index") else { return all }
    let page = try page(arguments)
    let index = page.isByUpdate ? updated : created
    return Array(all.filter { index($0) >= page.start }.sorted { index($0) < index($1) }.prefix(page.limit))
  }
}
