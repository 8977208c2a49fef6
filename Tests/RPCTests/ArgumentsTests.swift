import Bitcoin
import Encoding
import JSON
import Testing
@testable import RPC

@Suite struct ArgumentsTests {
  private let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

  private func bind(_ kind: RPCKind, _ value: JSONValue) throws -> RPCArguments {
    try RPCArguments(RPCMethod("m", .utility, "s", parameters: [.required("p", kind, "h")]), params: ["p": value])
  }

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch let error as RPCError {
      #expect(error.code == .invalidParams)
      return error.message
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  @Test("parameters are taken by name and in order, null is left out")
  func binding() throws {
    let method = RPCMethod(
      "m", .utility, "s",
      parameters: [.required("a", .string, "h"), .optional("b", .integer, "h"), .optional("c", .bool, "h")])
    for params: JSONValue in [["x", nil, true].json, ["a": "x", "c": true], ["c": true, "b": .null, "a": "x"]] {
      let arguments = try RPCArguments(method, params: params)
      #expect(try arguments.string("a") == "x")
      #expect(try arguments.integer(ifPresent: "b") == nil)
      #expect(try arguments.bool("c"))
      #expect(!arguments.has("b"))
    }
    #expect(message { _ = try RPCArguments(method, params: [:]) } == "missing required parameter: a")
    #expect(message { _ = try RPCArguments(method, params: .null) } == "missing required parameter: a")
    #expect(message { _ = try RPCArguments(method, params: []) } == "missing required parameter: a")
    #expect(
      message { _ = try RPCArguments(method, params: ["x", 1, true, 4]) } == "too many parameters: got 4, expected 3")
    #expect(message { _ = try RPCArguments(method, params: ["a": "x", "zzz": 1]) } == "unknown parameter: zzz")
    #expect(message { _ = try RPCArguments(method, params: 5) } == "Expected array or object for params")
    #expect(
      message { _ = try RPCArguments(method, params: ["a": 1]) } == "a: should be a string: invalid token '1'")
  }

  @Test("an unknown parameter names the nearest one")
  func nearest() {
    let method = RPCMethod("m", .utility, "s", parameters: [.optional("amount_msat", .msat, "h")])
    #expect(
      message { _ = try RPCArguments(method, params: ["amuont_msat": 1]) }
        == "unknown parameter: amuont_msat, did you mean amount_msat?")
    #expect(NearestName.all("listpeer", in: ["listpeers", "listpays", "getinfo"]).first == "listpeers")
    #expect(NearestName.of("zzzzzz", in: ["listpeers"]) == nil)
    #expect(NearestName.of("", in: ["a"]) == nil)
  }

  @Test("each kind takes what it should and says what it expects of the rest")
  func kinds() throws {
    let key = JSONValue.string(key)
    let hash = JSONValue.string(String(repeating: "ab", count: 32))
    let cases: [(kind: RPCKind, good: [JSONValue], bad: [JSONValue])] = [
      (.string, ["", "x"], [1, true, [], [:]]),
      (.label, ["x", 5, .decimal("1.5"), -3], [true, [], [:]]),
      (
        .integer, [0, .unsigned(.max), "5"],
        [-1, .decimal("1.5"), "", "x", "-1", "+1", true, .decimal("18446744073709551616")]
      ),
      (.integerIn(1...5), [1, 5, "3"], [0, 6, "9"]),
      (.number, [0, 1, .decimal("0.5"), "0.5"], [-1, "x", "nan", "inf", .decimal("-0.5"), true]),
      (.bool, [true, false, "true", "false"], [0, 1, "yes", []]),
      (.choice(["a", "b"]), ["a", "b"], ["c", "A", 1]),
      (.hex(count: nil), ["", "00ff", "00FF"], ["0", "zz", 1]),
      (.hex(count: 32), [hash], ["", "00", key]),
      (
        .nodeID, [key],
        [
          hash, "", .string("05" + String(repeating: "1", count: 64)),
          .string("02" + String(repeating: "ff", count: 32)),
        ]
      ),
      (
        .shortChannelID, ["421x1x0", "0x0x0", "16777215x16777215x65535"],
        ["421x1", "421x1x0x0", "x1x0", "16777216x0x0", "0x16777216x0", "0x0x65536", "-1x0x0", 5, "421:1:0"]
      ),
      (.channel, [key, hash, "421x1x0"], ["x", 5]),
      (
        .outpoint, [.string(String(repeating: "ab", count: 32) + ":1")],
        [hash, .string(":1"), .string(String(repeating: "ab", count: 32) + ":4294967296")]
      ),
      (.msat, [5, "5", "5msat", "5sat", "0.00000000005btc"], [-5, "any", "5.5", "5 sat", "", "sat", .decimal("5.5")]),
      (.msatOrAny, [5, "any"], ["all", "x"]),
      (.msatOrAll, [5, "all"], ["any", "x"]),
      (.sat, [5, "5", "5000msat", "0.001btc", "5sat"], ["5msat", "0.5sat", "all", .unsigned(.max)]),
      (.satOrAll, [5, "all"], ["any", "5msat"]),
      (
        .feeRate, ["normal", "253perkw", "1000perkb", 1000, "6blocks"],
        ["fast", "perkw", "0blocks", "1000sat", -1, "1e3"]
      ),
      (.list(.string), [[], ["a"]], ["a", [1]]),
      (.object, [[:]], [[], "x"]),
      (.json, [1, "x", [], [:]], []),
    ]
    for (kind, good, bad) in cases {
      for value in good { _ = try #require(try? bind(kind, value), "\(kind) should take \(value)") }
      for value in bad {
        let text = message { _ = try bind(kind, value) }
        #expect(text == "p: \(kind.expectation): invalid token '\(value)'")
      }
    }
  }

  @Test("values come out as they are meant")
  func values() throws {
    #expect(try bind(.shortChannelID, "421x1x2").shortChannelID("p").rawValue == 421 << 40 | 1 << 16 | 2)
    #expect(try bind(.nodeID, .string(key)).publicKey("p").description.contains(key))
    #expect(try bind(.satOrAll, 5).amount("p") == .exactly(MilliSatoshi(5000)))
    #expect(try bind(.satOrAll, "all").amount("p") == .all)
    #expect(try bind(.msatOrAny, "any").amount("p") == .any)
    #expect(try bind(.msatOrAny, 5).amount("p") == .exactly(MilliSatoshi(5)))
    #expect(try bind(.sat, "0.001btc").satoshi("p") == Satoshi(100_000))
    #expect(try bind(.label, 5).string("p") == "5")
    #expect(try bind(.feeRate, "1001perkb").feeRate("p") == .exactly(FeeRate(satPerKiloWeight: 251)))
    #expect(try bind(.feeRate, "253perkw").feeRate("p") == .exactly(FeeRate(satPerKiloWeight: 253)))
    #expect(try bind(.feeRate, "2blocks").feeRate("p") == .blocks(2))
    #expect(
      try bind(.channel, "1x2x3").channel("p") == .shortChannelID(ShortChannelID(rawValue: 1 << 40 | 2 << 16 | 3)))
    #expect(
      message { _ = try bind(.integer, 256).integer("p", as: UInt8.self) }
        == "p: should be an unsigned 8 bit integer: invalid token '256'")
    #expect(throws: RPCError.self) { try bind(.string, "x").integer("p") }
    #expect(throws: RPCError.self) { try bind(.string, "x").string("q") }
  }

  @Test(
    "amounts in every notation, to the last millisatoshi",
    arguments: [
      ("123", AmountUnit.msat, UInt64(123)), ("123", .sat, 123_000), ("123sat", .msat, 123_000), ("123msat", .sat, 123),
      ("0.001btc", .msat, 100_000_000), ("1btc", .msat, 100_000_000_000), ("0.00000000001btc", .msat, 1),
      ("1.5sat", .msat, 1500), ("18446744073709551615", .msat, .max), ("184467440.73709551615btc", .msat, .max),
    ] as [(String, AmountUnit, UInt64)])
  func amounts(text: String, bare: AmountUnit, msat: UInt64) {
    #expect(AmountText.parse(text, bare: bare) == MilliSatoshi(msat))
  }

  @Test(
    "texts that are no amounts",
    arguments: [
      "", "sat", "1.5", "1.5msat", "1.2345sat", "0.000000000001btc", "1e3", "-1", "+1", "1 sat", "1SAT", "1..5btc",
      ".5btc",
      "5.btc", "18446744073709551616", "184467440.73709551616btc", "0x10", "１sat", "1sat ",
    ])
  func badAmounts(text: String) { #expect(AmountText.parse(text, bare: .msat) == nil) }

  @Test(
    "amounts are printed exactly and read back as they were", arguments: [0, 1, 999, 1000, 1001, 123_456_789, .max])
  func format(msat: UInt64) {
    for unit in AmountUnit.allCases {
      let text = AmountText.format(MilliSatoshi(msat), in: unit)
      #expect(AmountText.parse(text, bare: unit) == MilliSatoshi(msat), "\(text) \(unit)")
    }
    #expect(AmountText.format(MilliSatoshi(1500), in: .sat) == "1.5")
    #expect(AmountText.format(MilliSatoshi(100_000_000_000), in: .btc) == "1.00000000")
    #expect(AmountText.format(MilliSatoshi(1), in: .btc) == "0.00000000001")
  }

  @Test("a filter keeps what it names")
  func filter() throws {
    let reply: JSONValue = ["a": 1, "list": [["x": 1, "y": 2], ["x": 3]], "deep": ["z": ["w": 1, "v": 2]]]
    func apply(_ filter: JSONValue) throws -> JSONValue { try ReplyFilter(filter).apply(to: reply) }
    #expect(try apply(["a": true]) == ["a": 1])
    #expect(try apply(["list": [["x": true]]]) == ["list": [["x": 1], ["x": 3]]])
    #expect(try apply(["deep": ["z": ["v": true]], "nope": true]) == ["deep": ["z": ["v": 2]]])
    #expect(try apply([:]) == [:])
    #expect(try apply(["a": [true]]) == ["warning_parameter_filter": "a is not an array"])
    for bad: JSONValue in [[], 1, ["a": false], ["a": [true, true]], ["a": 5], ["a": []]] {
      #expect(message { _ = try ReplyFilter(bad) } != nil, "\(bad)")
    }
  }
}

extension [JSONValue?] {
  fileprivate var json: JSONValue { .array(map { $0 ?? .null }) }
}
