internal import Encoding
internal import JSON
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// How bitcoind knows us.
public enum BitcoindCredentials: Hashable, Sendable {
  /// The path of the cookie file that bitcoind writes anew at each start.
  case cookie(path: String)
  case password(user: String, password: String)
}

/// Calls to bitcoind over a few connections that are kept and opened anew as needed.
actor RPCClient {
  private let host: String
  private let port: Int
  private let credentials: BitcoindCredentials
  private let group: any EventLoopGroup
  private let maximumConnections: Int
  private var idle: [(connection: HTTPConnection, uses: Int)] = []
  private var openCount = 0
  private var queue: [CheckedContinuation<Void, Never>] = []
  private var authorisation: String?
  private var nextID: UInt64 = 0
  private var isClosed = false

  nonisolated var address: String { "\(host):\(port)" }

  init(
    host: String, port: Int, credentials: BitcoindCredentials, maximumConnections: Int = 8, group: any EventLoopGroup
  ) {
    self.host = host
    self.port = port
    self.credentials = credentials
    self.maximumConnections = maximumConnections
    self.group = group
  }

  deinit { for (connection, _) in idle { connection.close() } }

  func close() {
    isClosed = true
    for (connection, _) in idle { connection.close() }
    idle = []
  }

  /// - Parameter isRepeatable: whether the call may be made again when its connection is lost and nobody knows whether it arrived.
  func call(
    _ method: String, _ parameters: [JSONValue] = [], isRepeatable: Bool = true, timeout: Duration = .seconds(60)
  ) async throws(ChainError) -> JSONValue {
    nextID += 1
    let id = JSONValue.unsigned(nextID)
    var body: [UInt8] = []
    JSONValue.object(["jsonrpc": "1.0", "id": id, "method": .string(method), "params": .array(parameters)])
      .write(to: &body)
    var hasNewCookie = false
    var attempt = 0
    while true {
      attempt += 1
      let header: String
      if let authorisation { header = authorisation } else { header = try readCredentials() }
      authorisation = header
      let reply: HTTPReply
      do throws(HTTPFailure) {
        reply = try await exchange(body, header, timeout: timeout, isRepeatable: isRepeatable)
      } catch {
        if case .cancelled = error { throw .closed }
        throw .unreachable(address: address, reason: error.description)
      }
      switch reply.status {
      case 401:
        // A restarted bitcoind has a new cookie.
        authorisation = nil
        let current = try readCredentials()
        if !hasNewCookie, current != header {
          hasNewCookie = true
          continue
        }
        throw .unauthorised(address: address, reason: "wrong user or password")
      case 403: throw .unauthorised(address: address, reason: "not allowed from here: see rpcallowip and rpcwhitelist")
      case 503:
        // "Work queue depth exceeded": it has more to do than it has room for.
        guard attempt < 8 else { throw .unreachable(address: address, reason: "it is overloaded (raise rpcworkqueue)") }
        do { try await Task.sleep(for: .milliseconds(50 << attempt)) } catch { throw .closed }
      default: return try result(reply, id: id)
      }
    }
  }

  private func result(_ reply: HTTPReply, id: JSONValue) throws(ChainError) -> JSONValue {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: reply.body)
    } catch {
      let beginning = String(decoding: reply.body.prefix(80), as: UTF8.self)
      throw .badAnswer("HTTP status \(reply.status), \(beginning.isEmpty ? "nothing" : beginning) (\(error))")
    }
    if let error = value["error"], !error.isNull {
      let code = error["code"]?.integerValue ?? 0
      let message = error["message"]?.stringValue ?? error.description
      if code == RPCFault.warmingUp { throw .syncing(height: nil, of: nil, reason: message) }
      throw .rpc(code: Int(code), message: message)
    }
    guard reply.status == 200, value["id"] == id, let result = value["result"]
    else { throw .badAnswer("HTTP status \(reply.status), no result") }
    return result
  }

  // MARK: Credentials

  private func readCredentials() throws(ChainError) -> String {
    let text = try credentialText()
    return "Basic " + Base64.encode(text.bytes)
  }

  private func credentialText() throws(ChainError) -> [UInt8] {
    switch credentials {
    case .password(let user, let password): return Array("\(user):\(password)".utf8)
    case .cookie(let path):
      do {
        return try readFile(path)
      } catch {
        let reason =
          error.isNotFound
          ? "there is no cookie file \(path): bitcoind is not running, or has another datadir" : "\(error)"
        throw .unauthorised(address: address, reason: reason)
      }
    }
  }

  // MARK: Connections

  private func exchange(
    _ body: [UInt8], _ authorisation: String, timeout: Duration, isRepeatable: Bool
  ) async throws(HTTPFailure) -> HTTPReply {
    let headers: HTTPHeaders = [
      "Host": address, "Authorization": authorisation, "Content-Type": "application/json",
      "Content-Length": "\(body.count)", "Connection": "keep-alive",
    ]
    while true {
      let (connection, uses) = try await acquire()
      do throws(HTTPFailure) {
        let reply = try await connection.post(body, headers: headers, timeout: timeout)
        release(connection, uses: uses + 1)
        return reply
      } catch {
        connection.close()
        release(nil, uses: 0)
        // An idle connection that the server closed at its end: the next one will be new, at the latest after the last idle one.
        if case .closed = error, uses > 0, isRepeatable { continue }
        throw error
      }
    }
  }

  private func acquire() async throws(HTTPFailure) -> (HTTPConnection, uses: Int) {
    while true {
      if isClosed || Task.isCancelled { throw .cancelled }
      while let (connection, uses) = idle.popLast() {
        if connection.isOpen { return (connection, uses) }
        release(nil, uses: 0)
      }
      if openCount < maximumConnections {
        openCount += 1
        do throws(HTTPFailure) {
          return (try await HTTPConnection.open(host: host, port: port, timeout: .seconds(10), group: group), 0)
        } catch {
          release(nil, uses: 0)
          throw error
        }
      }
      await withCheckedContinuation { queue.append($0) }
    }
  }

  /// Gives a connection back, or says that one is gone.
  private func release(_ connection: HTTPConnection?, uses: Int) {
    if let connection, connection.isOpen, !isClosed {
      idle.append((connection, uses))
    } else {
      connection?.close()
      openCount -= 1
    }
    if !queue.isEmpty { queue.removeFirst().resume() }
  }
}
