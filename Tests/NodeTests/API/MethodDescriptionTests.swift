import Foundation
import JSON
import RPC
import Testing
@testable import Node

@Suite struct MethodDescriptionTests {
  @Test("the methods that scripts for Core Lightning count on are described")
  func names() {
    let expected = [
      "getinfo", "newaddr", "listfunds", "withdraw", "connect", "disconnect", "listpeers", "listpeerchannels",
      "fundchannel",
      "close", "invoice", "listinvoices", "delinvoice", "waitinvoice", "waitanyinvoice", "pay", "xpay", "keysend",
      "sendpay",
      "waitsendpay", "listpays", "listsendpays", "decode", "decodepay", "getroute", "listnodes", "listchannels",
      "listforwards",
      "listhtlcs", "listclosedchannels", "listtransactions", "listconfigs", "feerates", "setchannel", "signmessage",
      "checkmessage", "ping", "waitblockheight", "stop", "help", "check",
    ]
    for name in expected { #expect(NodeAPI.method(name) != nil, "\(name)") }
    #expect(Set(NodeAPI.methods.map(\.name)).count == NodeAPI.methods.count)
  }

  @Test("descriptions are complete and follow one form")
  func form() {
    for method in NodeAPI.methods {
      #expect(method.name.allSatisfy { $0.isLowercase || $0 == "-" }, "\(method.name)")
      #expect(!method.summary.isEmpty && !method.summary.hasSuffix("."), "\(method.name)")
      #expect(method.details.isEmpty || method.details.hasSuffix("."), "\(method.name)")
      #expect(Set(method.parameters.map(\.name)).count == method.parameters.count, "\(method.name)")
      // In order, a parameter that must be given cannot stand behind one that may be left out.
      let required = method.parameters.map(\.isRequired)
      #expect(required == required.sorted { $0 && !$1 }, "\(method.name)")
      for parameter in method.parameters {
        #expect(parameter.help.hasSuffix("."), "\(method.name) \(parameter.name)")
        #expect(
          parameter.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "_" }, "\(method.name) \(parameter.name)")
      }
      for result in method.results { #expect(!result.help.hasSuffix("."), "\(method.name) \(result.path)") }
    }
  }

  /// The calls that pyln-client 26.6.9 makes from its Python methods.
  private static let calls: [(method: String, params: String)] = [
    ("getinfo", "{}"), ("newaddr", #"{"addresstype": "bech32"}"#), ("newaddr", "{}"),
    ("connect", #"{"id": "ID", "host": "127.0.0.1", "port": 9735}"#),
    ("fundchannel", #"{"id": "ID", "amount": 100000, "announce": true}"#),
    ("fundchannel", #"{"id": "ID", "amount": 100000, "feerate": "1000perkw", "announce": false, "push_msat": 5}"#),
    ("invoice", #"{"amount_msat": 1000, "label": "lbl", "description": "desc"}"#),
    ("pay", #"{"bolt11": "lnbc"}"#), ("xpay", #"{"invstring": "lnbc"}"#), ("listpeerchannels", "{}"),
    ("listpeers", "{}"),
    ("listpeers", #"{"id": "ID"}"#), ("listfunds", "{}"), ("close", #"{"id": "ID"}"#),
    ("close", #"{"id": "ID", "unilateraltimeout": 1}"#), ("decode", #"["lnbc"]"#), ("decodepay", #"["lnbc"]"#),
    ("waitinvoice", #"{"label": "lbl"}"#), ("listinvoices", #"{"label": "lbl"}"#),
    ("waitblockheight", #"{"blockheight": 5}"#),
    ("sendpay", #"{"route": [{}], "payment_hash": "HASH", "payment_secret": "HASH"}"#),
    ("waitsendpay", #"{"payment_hash": "HASH"}"#), ("disconnect", #"{"id": "ID", "force": false}"#),
    ("listsendpays", #"{"bolt11": "b"}"#), ("listpays", #"{"bolt11": "b"}"#), ("feerates", #"{"style": "perkw"}"#),
    ("stop", "{}"), ("listchannels", "{}"), ("listnodes", "{}"),
    ("withdraw", #"{"destination": "addr", "satoshi": 1000}"#),
    ("ping", #"{"id": "ID", "len": 128, "pongbytes": 128}"#),
    ("getroute", #"{"id": "ID", "amount_msat": 1000, "riskfactor": 1, "cltv": 9}"#),
    ("delinvoice", #"{"label": "lbl", "status": "unpaid"}"#), ("waitanyinvoice", #"{"lastpay_index": 0}"#),
    ("signmessage", #"{"message": "m"}"#), ("checkmessage", #"{"message": "m", "zbase": "z"}"#),
    ("listtransactions", "{}"), ("listforwards", "{}"), ("setchannel", #"{"id": "ID"}"#),
    ("keysend", #"{"destination": "ID", "amount_msat": 1000}"#), ("listconfigs", "{}"), ("help", "{}"),
  ]

  @Test("every call of pyln-client fits its description")
  func pyln() throws {
    let id = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    for (name, params) in Self.calls {
      let text = params.replacingOccurrences(of: "ID", with: id)
        .replacingOccurrences(of: "HASH", with: String(repeating: "ab", count: 32))
      let method = try #require(NodeAPI.method(name))
      do {
        _ = try RPCArguments(method, params: try JSONValue(parsing: text))
      } catch { Issue.record("\(name) \(text): \(error)") }
    }
  }

  @Test("no value of a parameter ends the process, and each is taken or refused by its name")
  func hostileValues() throws {
    let texts = [
      "null", "true", "0", "-1", "-9223372036854775808", "18446744073709551615", "18446744073709551616", "1.5", "-0",
      "1e400",
      #""""#, #""x""#, #""all""#, #""any""#, #""0x0x0""#, #""99999999x99999999x99999999""#, #""x:1""#, #"":""#,
      #""1e9btc""#,
      #""99999999999999999999sat""#, #""0.00000000000001btc""#, #""perkw""#, #""99999999999perkw""#, #""\u0000""#,
      #""é😀""#,
      "\"\(String(repeating: "f", count: 66))\"", "\"\(String(repeating: "9", count: 100_000))\"", "[]", "[[]]",
      "[null]", "[1,\"x\",{}]",
      "{}", #"{"a":{"b":[]}}"#, String(repeating: "[", count: 60) + String(repeating: "]", count: 60),
    ]
    let values = try texts.map { try JSONValue(parsing: $0) }
    var taken = 0
    for method in NodeAPI.methods {
      for parameter in method.parameters {
        for value in values {
          do {
            let arguments = try RPCArguments(method, params: .object([parameter.name: value]))
            taken += 1
            // Whatever was taken can be read as something, or is refused in words.
            _ = try? arguments.amount(ifPresent: parameter.name)
            _ = try? arguments.integer(ifPresent: parameter.name, as: UInt16.self)
            _ = try? arguments.channel(ifPresent: parameter.name)
            _ = try? arguments.feeRate(ifPresent: parameter.name)
            _ = try? arguments.outpoints(ifPresent: parameter.name)
          } catch {
            #expect(error.code == .invalidParams)
            #expect(error.message.utf8.count < 1500, "\(error)")
          }
        }
      }
    }
    #expect(taken > 100)
  }

  @Test("docs/RPC.md is what the descriptions say")
  func document() throws {
    let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../docs/RPC.md").standardizedFileURL
    let current = try String(contentsOf: path, encoding: .utf8)
    let expected = MethodHelp.markdown(NodeAPI.methods, introduction: NodeAPI.introduction)
    #expect(current == expected, "run: glcnode help --markdown > docs/RPC.md")
  }
}
