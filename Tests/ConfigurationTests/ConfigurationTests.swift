import Bitcoin
import Encoding
import Foundation
import Testing
@testable import Configuration

@Suite struct ConfigurationTests {
  private func load(
    _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:]
  ) throws(ConfigurationError) -> LoadedConfiguration {
    try ConfigurationLoader.load(arguments: ["--data-dir", "/d"] + arguments, environment: environment) { path in
      path == "/d/glc.toml" ? file.map { Array($0.utf8) } : nil
    }
  }

  private func message(
    _ arguments: [String] = [], file: String? = nil, environment: [String: String] = [:]
  ) -> String? {
    do {
      _ = try load(arguments, file: file, environment: environment)
      return nil
    } catch { return "\(error)" }
  }

  @Test("nothing set is a regtest node on a chain of its own")
  func defaults() throws {
    let loaded = try ConfigurationLoader.load(arguments: [], environment: [:]) { _ in nil }
    let configuration = loaded.configuration
    #expect(configuration.network == .regtest)
    #expect(configuration.chainSource == .embedded)
    #expect(configuration.dataDirectory == HomeFolder.path + "/.glc")
    #expect(configuration.rpcSocketPath == HomeFolder.path + "/.glc/regtest/lightning-rpc")
    #expect(configuration.listenAddresses == [HostPort(host: "127.0.0.1", port: 19846)])
    #expect(configuration.minimumDepth == 1)
    #expect(configuration.maximumFeeRateFactor == nil)
    #expect(loaded.file == nil)
    #expect(loaded.settings.allSatisfy { $0.source == .defaultValue })
    #expect(loaded.settings.count == NodeOptions.all.count)
    let mainnet = try load(["--network", "mainnet"]).configuration
    #expect(mainnet.networkDirectory == "/d/mainnet")
    #expect(mainnet.chainSource == .bitcoind)
    #expect(mainnet.bitcoindURL == "http://127.0.0.1:8332")
    #expect(mainnet.bitcoindCookieFile == HomeFolder.path + "/.bitcoin/.cookie")
    #expect(mainnet.listenAddresses.map(\.description) == ["0.0.0.0:9735", "[::]:9735"])
    #expect(mainnet.minimumDepth == 3)
    #expect(mainnet.maximumFeeRateFactor == 10)
  }

  @Test("the command line is stronger than the environment, and that is stronger than the file")
  func precedence() throws {
    let file =
      "[node]\nalias = \"file\"\ncolor = \"010203\"\n[peers]\nmax-peers = 1\nlisten = [\"1.1.1.1:1\", \"2.2.2.2:2\"]\n"
    let environment = ["GLC_COLOR": "040506", "GLC_MAX_PEERS": "2", "GLC_LISTEN": "3.3.3.3:3, [::1]:4"]
    let loaded = try load(["--max-peers=3", "--daemon"], file: file, environment: environment)
    let configuration = loaded.configuration
    #expect(configuration.alias == "file")
    #expect(configuration.color == [4, 5, 6])
    #expect(configuration.peers.maximumPeers == 3)
    #expect(configuration.listenAddresses == [HostPort(host: "3.3.3.3", port: 3), HostPort(host: "::1", port: 4)])
    #expect(configuration.isDaemon)
    #expect(configuration.logFile == "/d/regtest/log")
    let sources = Dictionary(uniqueKeysWithValues: loaded.settings.map { ($0.option.name, $0.source) })
    #expect(sources["alias"] == .file(path: "/d/glc.toml", line: 2))
    #expect(sources["color"] == .environment("GLC_COLOR"))
    #expect(sources["max-peers"] == .flag("--max-peers"))
    #expect(sources["proxy"] == .defaultValue)
    let replaced = try load(["--listen", "4.4.4.4:4", "--listen=5.5.5.5:5"], file: file, environment: environment)
    #expect(replaced.configuration.listenAddresses.map(\.port) == [4, 5])
    #expect(try load(file: "[peers]\nlisten = []").configuration.listenAddresses == [])
    #expect(try load(["--no-daemon"], file: "[node]\ndaemon = true").configuration.isDaemon == false)
    #expect(try load(["--no-announce"]).configuration.channels.announces == false)
  }

  @Test("faults are told with their place and what to do")
  func faults() {
    let cases: [(arguments: [String], file: String?, environment: [String: String], message: String)] = [
      (["--lisen", "x"], nil, [:], "--lisen: no such option, did you mean --listen?"),
      (["--zzzzzzzz"], nil, [:], "--zzzzzzzz: no such option"),
      (["-d"], nil, [:], "-d: no such option; options begin with two dashes"),
      (
        ["--alias"], nil, [:],
        "--alias: a value is missing: a name of at most 32 bytes of UTF-8 without control characters"
      ),
      (["--max-peers", "x"], nil, [:], "--max-peers: expected an integer from 1 to 100000, got 'x'"),
      (["--max-peers", "0"], nil, [:], "--max-peers: expected an integer from 1 to 100000, got '0'"),
      (["--network", "main"], nil, [:], "--network: expected mainnet, testnet4, signet, regtest, got 'main'"),
      ([], nil, ["GLC_MAX_PEERS": ""], "GLC_MAX_PEERS: expected an integer from 1 to 100000, got ''"),
      ([], "[peers]\n\nlisen = \"x\"", [:], "/d/glc.toml:3: unknown key lisen, did you mean listen?"),
      ([], "[peer]\nlisten = \"x\"", [:], "/d/glc.toml:2: unknown section [peer], did you mean [peers]?"),
      ([], "alias = \"x\"", [:], "/d/glc.toml:1: alias stands in the section [node]"),
      ([], "[peers]\nalias = \"x\"", [:], "/d/glc.toml:2: alias stands in the section [node]"),
      (
        [], "[peers]\nmax-peers = \"many\"", [:],
        "/d/glc.toml:2: max-peers: expected an integer from 1 to 100000, got 'many'"
      ),
      (
        [], "[peers]\nmax-peers = [1]", [:],
        "/d/glc.toml:2: max-peers: expected one value, an integer from 1 to 100000, got a list"
      ),
      ([], "[peers\n", [:], "/d/glc.toml:1: expected ] behind the name of the section"),
      (
        [], "[node]\ndata-dir = \"/x\"", [:],
        "/d/glc.toml:2: data-dir cannot be set here: it says where this file is; give it as --data-dir or GLC_DATA_DIR"
      ),
      (
        [], "[node]\nconfig = \"/x\"", [:], "/d/glc.toml:2: a file cannot name another one; give --config or GLC_CONFIG"
      ),
      (["--config", "/none"], nil, [:], "/none: there is no such file"),
      (
        ["--network", "signet", "--chain", "embedded"], nil, [:],
        "--chain: the embedded chain is a regtest chain; set network to regtest, or chain to bitcoind"
      ),
      (
        ["--bitcoind-url", "http://h:1"], nil, [:],
        "--bitcoind-url: bitcoind-url is for chain = bitcoind, and the chain is the embedded one"
      ),
      (
        ["--chain", "bitcoind", "--bitcoind-user", "x"], nil, [:],
        "--bitcoind-user: bitcoind-user and bitcoind-password go together"
      ),
      (
        ["--always-use-proxy"], nil, [:],
        "--always-use-proxy: there is no proxy; set proxy, for example to 127.0.0.1:9050"
      ),
      (["--max-funding-sat", "5"], nil, [:], "--max-funding-sat: is less than min-funding-sat (10000)"),
      (
        ["--dust-limit-sat", "353"], nil, [:],
        "--dust-limit-sat: a dust limit below 354 sat makes transactions that are not relayed"
      ),
      (
        ["--network", "mainnet", "--dev-fast-gossip"], nil, [:],
        "--dev-fast-gossip: switches for tests are refused on mainnet: they give money away"
      ),
      (["--dev-node-key", "secret"], nil, [:], "--dev-node-key: expected 64 hex digits"),
    ]
    for (arguments, file, environment, expected) in cases {
      #expect(message(arguments, file: file, environment: environment) == expected)
    }
  }

  @Test("a variable that looks like an option is a warning")
  func strangeVariables() throws {
    let loaded = try load(environment: ["GLC_LISEN": "x", "GLC_VECTORS": "y", "OTHER": "z"])
    #expect(loaded.warnings == ["GLC_LISEN is no option, did you mean GLC_LISTEN?"])
  }

  @Test("secrets are not among what is shown")
  func secrets() throws {
    let loaded = try load(["--chain", "bitcoind", "--bitcoind-user", "u", "--bitcoind-password", "hunter2"])
    #expect(loaded.configuration.chain.bitcoind.password == "hunter2")
    #expect(!loaded.settings.contains { $0.value.contains("hunter2") })
    #expect(loaded.configuration.bitcoindCookieFile == nil)
  }

  @Test("hosts and ports in every notation")
  func hostPorts() {
    for (text, host, port) in [
      ("127.0.0.1:9735", "127.0.0.1", 9735), ("[::1]:1", "::1", 1), ("[fe80::1%25]:65535", "fe80::1%25", 65535),
      ("node.example:0", "node.example", 0), ("abc.onion:9735", "abc.onion", 9735),
    ] as [(String, String, UInt16)] {
      #expect(HostPort(text) == HostPort(host: host, port: port), "\(text)")
      #expect(HostPort(text)?.description == text)
    }
    for text in [
      "", ":1", "h", "h:", "h:x", "h:65536", "h:-1", "h:+1", "[::1]", "[::1]1", "[]:1", "[h]:1", "a b:1", "a/b:1",
      "::1",
      "u@h:1", String(repeating: "a", count: 254) + ":1",
    ] { #expect(HostPort(text) == nil, "\(text)") }
    #expect(HostPort("::1", defaultPort: 5) == HostPort(host: "::1", port: 5))
    #expect(HostPort("h", defaultPort: 5) == HostPort(host: "h", port: 5))
  }

  @Test("log levels for all and for one subsystem")
  func logLevels() throws {
    let log = try load(["--log-level", "debug", "--log-level", "peers=trace", "--log-level=glc.chain=error"])
      .configuration.log
    #expect(log == LogSettings(level: .debug, levels: ["peers": .trace, "chain": .error]))
    for text in ["loud", "=info", "peers=", "peers", "a b=info"] {
      #expect(message(["--log-level", text]) != nil, "\(text)")
    }
  }

  @Test("every option has a name, an environment variable and help of its own, and takes its example")
  func descriptions() throws {
    #expect(Set(NodeOptions.all.map(\.name)).count == NodeOptions.all.count)
    for option in NodeOptions.all {
      #expect(option.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
      #expect(option.help.hasSuffix("."), "\(option.name)")
      var configuration = NodeConfiguration()
      do {
        try option.assign(&configuration, [option.example])
      } catch { Issue.record("\(option.name) does not take its example '\(option.example)'") }
      #expect(OptionTexts.help().contains("--\(option.name)"))
    }
  }

  @Test("the sample file is valid, with and without its comments")
  func sample() throws {
    _ = try load(file: OptionTexts.sample)
    var names: Set<String> = []
    for setting in try SettingsFileParser.parse(Array(uncommented.utf8)) {
      names.insert(setting.path.joined(separator: "."))
    }
    #expect(names == Set(NodeOptions.all.filter { $0.name != "config" }.map { "\($0.section.rawValue).\($0.name)" }))
    // Each by itself: not all go together.
    for option in NodeOptions.all where option.name != "config" && option.name != "data-dir" {
      let line = try #require(uncommented.split(separator: "\n").first { $0.hasPrefix("\(option.name) = ") })
      guard let text = message(file: "[\(option.section.rawValue)]\n\(line)") else { continue }
      #expect(!text.contains("expected"), "\(text)")
    }
  }

  private var uncommented: String {
    let names = NodeOptions.all.map(\.name)
    return OptionTexts.sample.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let text = line.hasPrefix("# ") ? line.dropFirst(2) : line
      return names.contains { text.hasPrefix("\($0) = ") } ? String(text) : String(line)
    }.joined(separator: "\n")
  }

  @Test("a file is read from the disk, one of too many bytes is refused")
  func disk() throws {
    let folder = NSTemporaryDirectory() + "/c\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/my.toml"
    try Data("[node]\nalias = \"é\"\ndata-dir = \"/elsewhere\"\n".utf8).write(to: URL(fileURLWithPath: path))
    let loaded = try ConfigurationLoader.load(arguments: ["--config", path], environment: [:])
    #expect(loaded.configuration.alias == "é")
    #expect(loaded.configuration.dataDirectory == "/elsewhere")
    #expect(loaded.file == path)
    try Data(repeating: 35, count: 2 << 20).write(to: URL(fileURLWithPath: path))
    #expect(throws: ConfigurationError.self) {
      try ConfigurationLoader.load(arguments: ["--config", path], environment: [:])
    }
    #expect(throws: ConfigurationError.self) {
      try ConfigurationLoader.load(arguments: ["--config", folder], environment: [:])
    }
  }
}
