internal import CZeroMQ
internal import NIOPosix
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Hears what publishers send over ZMQ, on a thread of its own. libzmq connects, and connects again when a connection is lost or goes
/// silent; what was published meanwhile is gone.
final class ZMQSubscriber: Sendable {
  struct Subscription: Hashable, Sendable {
    /// Such as `tcp://127.0.0.1:28332`.
    var endpoint: String
    var topics: [String]
  }

  enum Event: Hashable, Sendable {
    case connected(String)
    case disconnected(String)
    /// Three frames: topic, body, and a number that counts the publisher's messages of this topic.
    case message(endpoint: String, topic: String, body: [UInt8], sequence: UInt32)
    /// Nothing is heard from here, now or later.
    case failed(String, reason: String)
  }

  /// The longest message, in bytes: a block has four million at most.
  private static let maximumSize: Int64 = 16 << 20

  private let isStopping = Atomic(false)
  private let thread = NIOThreadPool(numberOfThreads: 1)

  /// - Parameter receive: called on the subscriber's thread.
  init(_ subscriptions: [Subscription], receive: @escaping @Sendable (Event) -> Void) {
    thread.start()
    thread.submit { [self] state in
      if case .active = state { run(subscriptions, receive) }
    }
  }

  /// Returns at once; the thread ends within a quarter of a second.
  func stop() {
    isStopping.store(true, ordering: .relaxed)
    thread.shutdownGracefully { _ in }
  }

  private func run(_ subscriptions: [Subscription], _ receive: (Event) -> Void) {
    guard let context = unsafe zmq_ctx_new() else {
      for one in subscriptions { receive(.failed(one.endpoint, reason: Self.error())) }
      return
    }
    var sockets: [Socket] = []
    for (index, subscription) in subscriptions.enumerated() {
      if let socket = unsafe Socket(context, subscription, number: index) {
        sockets.append(socket)
      } else {
        receive(.failed(subscription.endpoint, reason: Self.error()))
      }
    }
    while !sockets.isEmpty, !isStopping.load(ordering: .relaxed) {
      var items = unsafe sockets.flatMap { unsafe [$0.item($0.data), $0.item($0.monitor)] }
      let count = unsafe zmq_poll(&items, Int32(items.count), 200)
      if count < 0, zmq_errno() != EINTR { break }
      // Connections first: what they have lost is known before what they bring.
      for socket in sockets {
        while let event = socket.nextChange() { receive(event) }
        while let event = socket.nextMessage() { receive(event) }
      }
    }
    for socket in sockets { socket.close() }
    unsafe zmq_ctx_term(context)
  }

  private static func error() -> String { unsafe String(cString: zmq_strerror(zmq_errno())) }

  /// One connection with its monitor. Used by the subscriber's thread alone.
  @safe private struct Socket {
    let endpoint: String
    let data: UnsafeMutableRawPointer
    let monitor: UnsafeMutableRawPointer

    init?(_ context: UnsafeMutableRawPointer, _ subscription: Subscription, number: Int) {
      endpoint = subscription.endpoint
      guard let data = unsafe zmq_socket(context, ZMQ_SUB) else { return nil }
      guard let monitor = unsafe zmq_socket(context, ZMQ_PAIR) else {
        unsafe zmq_close(data)
        return nil
      }
      unsafe self.data = data
      unsafe self.monitor = monitor
      let place = "inproc://monitor-\(number)"
      let changes = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED
      guard unsafe zmq_socket_monitor(data, place, changes) == 0, unsafe zmq_connect(monitor, place) == 0,
        setOptions(), subscription.topics.allSatisfy(subscribe), unsafe zmq_connect(data, endpoint) == 0
      else {
        close()
        return nil
      }
    }

    private func setOptions() -> Bool {
      let options: [(Int32, Int32)] = [
        (ZMQ_LINGER, 0), (ZMQ_IPV6, 1), (ZMQ_RCVHWM, 100_000),
        // A publisher that is away is looked for after 0.1 s, later every 5 s.
        (ZMQ_RECONNECT_IVL, 100), (ZMQ_RECONNECT_IVL_MAX, 5000),
        // One that says nothing for a minute is gone.
        (ZMQ_HEARTBEAT_IVL, 30_000), (ZMQ_HEARTBEAT_TIMEOUT, 30_000),
      ]
      for (option, value) in options {
        var value = value
        guard unsafe zmq_setsockopt(data, option, &value, MemoryLayout<Int32>.size) == 0 else { return false }
      }
      var size = ZMQSubscriber.maximumSize
      return unsafe zmq_setsockopt(data, ZMQ_MAXMSGSIZE, &size, MemoryLayout<Int64>.size) == 0
    }

    private func subscribe(_ topic: String) -> Bool {
      unsafe zmq_setsockopt(data, ZMQ_SUBSCRIBE, topic, topic.utf8.count) == 0
    }

    func item(_ socket: UnsafeMutableRawPointer) -> zmq_pollitem_t {
      unsafe zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }

    func close() {
      unsafe zmq_socket_monitor(data, nil, 0)
      unsafe zmq_close(data)
      unsafe zmq_close(monitor)
    }

    /// The frames of one message; nil when none is there.
    private func receive(from socket: UnsafeMutableRawPointer) -> [[UInt8]]? {
      var frames: [[UInt8]] = []
      while true {
        var message = zmq_msg_t()
        unsafe zmq_msg_init(&message)
        defer { unsafe zmq_msg_close(&message) }
        guard unsafe zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0 else { return nil }
        let size = unsafe zmq_msg_size(&message)
        let bytes = unsafe UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: size)
        frames.append(unsafe [UInt8](bytes))
        if unsafe zmq_msg_more(&message) == 0 { return frames }
      }
    }

    func nextMessage() -> Event? {
      while let frames = unsafe receive(from: data) {
        // Not bitcoind's, or not for us.
        guard frames.count == 3, frames[2].count == 4 else { continue }
        let sequence = frames[2].reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        let topic = String(decoding: frames[0], as: UTF8.self)
        return .message(endpoint: endpoint, topic: topic, body: frames[1], sequence: sequence)
      }
      return nil
    }

    func nextChange() -> Event? {
      while let frames = unsafe receive(from: monitor) {
        guard let first = frames.first, first.count >= 2 else { continue }
        switch Int32(first[0]) | Int32(first[1]) << 8 {
        case ZMQ_EVENT_CONNECTED: return .connected(endpoint)
        case ZMQ_EVENT_DISCONNECTED: return .disconnected(endpoint)
        default: continue
        }
      }
      return nil
    }
  }
}
