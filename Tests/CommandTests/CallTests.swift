import Foundation
import JSON
import Logging
import Node
import RPC
import Testing

@Suite(.serialized) struct CallTests {
  private let id = "0334ffcc44db74ff0e52b68c94bda036534b5864f8b53a5a0b84cdf052993f957a"

  @Test("values and named parameters reach the node as what they are")
  func parameters() async throws {
    let echo: RPCHandler = { arguments, _ in
      var object = JSONObject()
      for parameter in arguments.method.parameters {
        object[parameter.name] = arguments.json(ifPresent: parameter.name)
      }
      return .object(object)
    }
    let cases: [(words: [String], params: JSONValue)] = [
      (["invoice", "1000", "7", "for tea"], ["amount_msat": 1000, "label": "7", "description": "for tea"]),
      (
        ["invoice", "any", "--description=a=b", "--label", "--odd", "--expiry", "60"],
        ["amount_msat": "any", "label": "--odd", "description": "a=b", "expiry": 60]
      ),
      (
        ["invoice", "1sat", "l", "--", "--description"],
        ["amount_msat": "1sat", "label": "l", "description": "--description"]
      ),
      (["close", "421x1x0", "--unilateraltimeout", "0"], ["id": "421x1x0", "unilateraltimeout": 0]),
      (["disconnect", id, "--force"], ["id": .string(id), "force": true]),
      (["disconnect", "--force", "false", id], ["id": .string(id), "force": false]),
      (
        ["withdraw", "addr", "all", "--feerate", "253perkw", "--minconf", "0"],
        ["destination": "addr", "satoshi": "all", "feerate": "253perkw", "minconf": 0]
      ),
      (
        [
          "withdraw", "addr", "5", "--utxos",
          String(repeating: "ab", count: 32) + ":0," + String(repeating: "cd", count: 32) + ":1",
        ],
        [
          "destination": "addr", "satoshi": 5,
          "utxos": [
            .string(String(repeating: "ab", count: 32) + ":0"), .string(String(repeating: "cd", count: 32) + ":1"),
          ],
        ]
      ),
      (
        ["fundchannel", "x", "100000", "--channel-type", "[12,22]"],
        ["id": "x", "amount": 100_000, "channel_type": [12, 22]]
      ),
      (
        ["fundchannel", "x", "100000", "--channel_type", "12,22"],
        ["id": "x", "amount": 100_000, "channel_type": [12, 22]]
      ),
    ]
    let names = Set(cases.map { $0.words[0] })
    try await withNode(Dictionary(uniqueKeysWithValues: names.map { ($0, echo) })) { socket in
      for (words, params) in cases {
        let run = try await Command.run(socket + ["--json"] + words)
        #expect(run.status == 0, "\(run.errors)")
        #expect((try? JSONValue(parsing: run.output)) == params, "\(words): \(run.output)")
      }
    }
  }

  @Test("wrong usage is told without asking a node, with status 2")
  func usage() async throws {
    for (words, message) in [
      (["lispeers"], "there is no command lispeers; did you mean listpeers"),
      (["zzzz"], "there is no command zzzz; `glcnode help` lists what there is"),
      (["--zzz", "getinfo"], "there is no option --zzz"), (["--unitt", "sat", "getinfo"], "did you mean --unit?"),
      (["getinfo", "x"], "getinfo takes no values, got 1"),
      (["getinfo", "--foo", "x"], "getinfo has no parameter foo"),
      (["close"], "missing required parameter: id"),
      (["close", "x"], "id: should be a peer id, a channel id or a short_channel_id"),
      (["close", "1x1x1", "--unilateral_timeout", "5"], "did you mean --unilateraltimeout?"),
      (["close", "1x1x1", "--id", "1x1x1"], "id is given twice"),
      (["close", "1x1x1", "--feerange"], "--feerange: a value is missing"),
      (["getinfo", "--unit", "eur"], "--unit: expected one of msat, sat, btc, got 'eur'"),
      (["keysend", id, "5", "--extratlvs", "{"], "extratlvs: should be an object in JSON"),
      (["--json"], "no command is given"), (["getinfo", "--network", "moon"], "--network: expected mainnet"),
      (["help", "nope"], "there is no command nope"), (["rpc"], "usage: glcnode rpc"),
      (["rpc", "x", "{"], "are no JSON"),
      (["completion", "tcsh"], "usage: glcnode completion"), (["start", "extra"], "'extra' is no option"),
      (["start", "--max-peers", "x"], "--max-peers: expected an integer"),
    ] {
      let run = try await Command.run(words)
      #expect(run.status == 2, "\(words): \(run.errors)")
      #expect(run.errors.contains(message), "\(words): \(run.errors)")
      #expect(run.output.isEmpty)
    }
  }

  @Test("the status says what became of the call")
  func statuses() async throws {
    try await withNode([
      "getinfo": { _, _ in ["id": "x"] },
      "pay": { _, _ in throw RPCError(.payRouteNotFound, "no route \u{1b}[31m", data: ["tried": 3]) },
    ]) { socket in
      #expect(try await Command.run(socket + ["getinfo"]).status == 0)
      let refused = try await Command.run(socket + ["pay", "lnbc"])
      #expect(refused.status == 1)
      #expect(refused.errors == "glcnode: no route \\u{1b}[31m (code 205)\n")
      let json = try await Command.run(socket + ["pay", "lnbc", "--json"])
      #expect(json.status == 1)
      #expect(
        try JSONValue(parsing: json.output) == ["code": 205, "message": "no route \u{1b}[31m", "data": ["tried": 3]])
      #expect(try await Command.run(socket + ["listpeers"]).status == 1)
    }
    let nobody = try await Command.run(["--data-dir", "/nowhere", "--network", "signet", "getinfo"])
    #expect(nobody.status == 3)
    #expect(nobody.errors.contains("no node answers at /nowhere/signet/lightning-rpc"))
    let variables = try await Command.run(["getinfo"], environment: ["GLC_DATA_DIR": "/elsewhere"])
    #expect(variables.errors.contains("/elsewhere/regtest/lightning-rpc"))
  }

  @Test("a node that hangs up in the middle leaves the outcome unknown")
  func hangup() async throws {
    try await withFolder { folder in
      var limits = RPCLimits()
      limits.stopGrace = .zero
      let (started, start) = AsyncStream.makeStream(of: Void.self)
      var registry = RPCRegistry()
      registry.register(try #require(NodeAPI.method("stop"))) { _, _ in
        start.finish()
        try await Task.sleep(for: .seconds(3600))
        return [:]
      }
      let logger = Logger(label: "glc.rpc") { _ in SwiftLogNoOpLogHandler() }
      let server = try await RPCServer.start(path: folder + "/rpc", registry: registry, limits: limits, logger: logger)
      async let run = Command.run(["stop", "--socket", server.path])
      for await _ in started {}
      await server.stop()
      // Either the connection broke, or the cancelled call was still refused.
      #expect([1, 4].contains(try await run.status))
    }
  }

  @Test("rpc calls any method with JSON as it is")
  func raw() async throws {
    try await withNode(["getinfo": { _, _ in ["id": "x"] }]) { socket in
      #expect(try await Command.run(["rpc"] + socket + ["getinfo"]).output == "{\n  \"id\": \"x\"\n}\n")
      #expect(
        try await Command.run(["rpc", "help", "-"] + socket, input: #"["getinfo"]"#).output.contains(
          "\"command\": \"getinfo\""))
      let unknown = try await Command.run(["rpc", "nope"] + socket)
      #expect(unknown.status == 1)
      #expect(unknown.output.contains("-32601"))
    }
  }

  @Test("tables are aligned, in the unit that was asked for, without colour for a file")
  func tables() async throws {
    let funds: JSONValue = [
      "outputs": [
        [
          "txid": "70404d2902a5713671a6d2e79096b052f6d80ed0efe2a9efa753699e36893deb", "output": 0,
          "amount_msat": 300_000_000_000, "status": "confirmed", "blockheight": 453, "reserved": false,
          "address": "bcrt1qx",
        ],
        [
          "txid": "ab", "output": 11, "amount_msat": 1_500, "status": "unconfirmed", "reserved": true,
          "address": "bcrt1qyy",
        ],
      ],
      "channels": [],
    ]
    try await withNode(["listfunds": { _, _ in funds }]) { socket in
      let sat = try await Command.run(socket + ["listfunds"])
      #expect(
        sat.output == """
          On the chain
          transaction    output  amount (sat)  status       block  set aside  address
          70404d2902a5…       0   300,000,000  confirmed      453  no         bcrt1qx
          ab                 11           1.5  unconfirmed         yes        bcrt1qyy

          amount, all  300,000,001.5 sat

          In channels
          no channels

          """)
      let btc = try await Command.run(socket + ["listfunds", "--unit", "btc", "--full"])
      #expect(btc.output.contains("3.00000000"))
      #expect(btc.output.contains("0.000000015"))
      #expect(btc.output.contains("70404d2902a5713671a6d2e79096b052f6d80ed0efe2a9efa753699e36893deb"))
      let colored = try await Command.run(socket + ["listfunds", "--color", "always"])
      #expect(colored.output.contains("\u{1b}[32mconfirmed\u{1b}[0m"))
      #expect(!sat.output.contains("\u{1b}"))
      #expect(try await Command.run(socket + ["listfunds", "--json"]).output == funds.text(pretty: true) + "\n")
    }
  }

  @Test(
    "replies without a table of their own are shown by their shape, and nothing that a terminal would obey is printed")
  func shapes() async throws {
    try await withNode([
      "getinfo": { _, _ in
        [
          "alias": "\u{1b}[2J\u{202e}evil\n", "fees_collected_msat": 502, "our_features": ["init": "80", "node": "88"],
          "binding": [["type": "ipv4", "address": "127.0.0.1", "port": 9901]], "address": [],
        ]
      },
      "listnodes": { _, _ in
        [
          "nodes": [
            ["nodeid": "02", "alias": "漢字 \u{7}"], ["nodeid": "03", "alias": "b", "last_timestamp": 1_795_216_688],
          ]
        ]
      },
      "listconfigs": { _, _ in
        [
          "configs": [
            "alias": ["value_str": "c1", "source": "file"], "network": ["value_str": "regtest", "source": "default"],
          ]
        ]
      },
      "disconnect": { _, _ in [:] },
    ]) { socket in
      let getinfo = try await Command.run(socket + ["getinfo"]).output
      #expect(
        getinfo == """
          alias                \\u{1b}[2J\\u{202e}evil\\u{a}
          fees_collected_msat  0.502 sat
          our_features.init    80
          our_features.node    88
          address              none

          binding
          type  address    port
          ipv4  127.0.0.1  9901

          """)
      let listnodes = try await Command.run(socket + ["listnodes"]).output
      #expect(
        listnodes == """
          node  alias       announced
          02    漢字 \\u{7}
          03    b           2026-11-20 23:18:08

          """)
      let listconfigs = try await Command.run(socket + ["listconfigs"]).output
      #expect(
        listconfigs == """
          configs
          name     value_str  source
          alias    c1         file
          network  regtest    default

          """)
      #expect(try await Command.run(socket + ["disconnect", id]).output == "done\n")
    }
  }

  @Test("help explains every command, completion scripts know every method")
  func help() async throws {
    let overview = try await Command.run([])
    #expect(overview.status == 0)
    for method in NodeAPI.methods { #expect(overview.output.contains("\n  \(method.name) "), "\(method.name)") }
    let close = try await Command.run(["help", "close"])
    #expect(close.output.contains("unilateraltimeout"))
    #expect(try await Command.run(["close", "--help"]).output == close.output)
    #expect(try await Command.run(["start", "--help"]).output.contains("--bitcoind-url URL"))
    #expect(try await Command.run(["start", "--sample-config"]).output.contains("# alias = \"my node\""))
    #expect(try await Command.run(["tool", "--help"]).status == 0)
    #expect(try await Command.run(["chain", "--help"]).output.contains("--block-interval"))
    for shell in ["bash", "zsh", "fish"] {
      let script = try await Command.run(["completion", shell])
      #expect(script.status == 0)
      for method in NodeAPI.methods { #expect(script.output.contains(method.name), "\(shell) \(method.name)") }
    }
  }

  @Test("no parameter of a method has the name of an option of all calls")
  func collisions() async throws {
    let help = try await Command.run(["help", "getinfo"]).output
    let options = Set(
      help.split(separator: "\n").compactMap { line -> String? in
        let word = line.split(separator: " ").first.map(String.init) ?? ""
        return word.hasPrefix("--") ? String(word.dropFirst(2)) : nil
      })
    #expect(options.contains("json") && options.contains("socket"))
    for method in NodeAPI.methods {
      for parameter in method.parameters {
        #expect(!options.contains(parameter.name), "\(method.name) \(parameter.name)")
      }
    }
  }

  @Test("bash completes methods, parameters and their values")
  func completion() async throws {
    let script = try await Command.run(["completion", "bash"]).output
    try await withFolder { folder in
      let cases = [
        (["glcnode", "listp"], ["listpays", "listpeerchannels", "listpeers"]),
        (["glcnode", "newaddr", "--addresstype", ""], ["p2tr", "bech32", "all"]),
        (["glcnode", "close", "--unil"], ["--unilateraltimeout"]),
        (["glcnode", "start", "--netw"], ["--network"]), (["glcnode", "start", "--network", "s"], ["signet"]),
        (["glcnode", "tool", "li"], ["list"]),
      ]
      for (words, expected) in cases {
        let test =
          script + """

            COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))); COMP_CWORD=\(words.count - 1)
            COMP_LINE='\(words.joined(separator: " "))'; COMP_POINT=${#COMP_LINE}
            __glcnode glcnode '\(words[words.count - 1])' '\(words[words.count - 2])'
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let file = folder + "/test"
        try test.write(toFile: file, atomically: false, encoding: .utf8)
        let process = try Command.start([], in: folder)
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [file]
        #expect(try await Command.end(process) == 0)
        let found = try Command.read("\(folder)/output").split(separator: "\n").map(String.init)
        let errors = try Command.read("\(folder)/errors")
        #expect(found == expected, "\(words) \(errors)")
      }
    }
  }
}
