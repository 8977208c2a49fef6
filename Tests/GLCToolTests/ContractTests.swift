import GLCTool
import JSON
import Testing

/// What TOOL.md promises for every operation, tried on every operation.
@Suite struct ContractTests {
  static let operations = Toolbox.standard.groups.flatMap(\.operations)
  /// Codes that say that an operation did not even start.
  static let reserved: Set = ["unknown_op", "unknown_param", "missing_param"]

  @Test("names are unique, and every operation has an example")
  func names() {
    let names = Self.operations.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Set(names).subtracting(Example.all.map(\.op)) == [])
  }

  @Test("every example gives the result of its source", arguments: Example.all)
  func example(_ example: Example) throws {
    let found = try result(example.op, example.parameters)
    #expect(found == example.result, "\(found)")
  }

  @Test("a parameter that nobody knows is refused by name", arguments: Example.all)
  func unknownParameter(_ example: Example) throws {
    for value in [1, .null, "x"] as [JSONValue] {
      let answer = try answer(example.op, example.parameters.setting("no_such", value))
      #expect(answer["error"]?["code"] == "unknown_param")
      #expect(answer["error"]?["message"]?.stringValue?.contains("no_such") == true, "\(answer)")
    }
  }

  @Test("a parameter that is needed is missing when it is absent or null", arguments: Example.all)
  func missingParameter(_ example: Example) throws {
    for parameter in try Toolbox.standard.operation(example.op).parameters where parameter.isRequired {
      for value in [nil, .null] as [JSONValue?] {
        let answer = try answer(example.op, example.parameters.setting(parameter.name, value))
        #expect(answer["error"]?["code"] == "missing_param", "\(parameter.name): \(answer)")
        #expect(answer["error"]?["message"]?.stringValue?.contains(parameter.name) == true, "\(answer)")
      }
    }
  }

  @Test("null for an optional parameter is as if it were absent", arguments: Example.all)
  func nullIsAbsent(_ example: Example) throws {
    var parameters = example.parameters
    for parameter in try Toolbox.standard.operation(example.op).parameters
    where !parameter.isRequired && parameters[parameter.name] == nil {
      parameters = parameters.setting(parameter.name, .null)
    }
    #expect(try result(example.op, parameters) == example.result)
  }

  @Test("a value of the wrong kind in place of any parameter is refused, and nothing traps", arguments: Example.all)
  func wrongValues(_ example: Example) throws {
    let wrong: [JSONValue] = [
      true, -1, .decimal("1.5"), .unsigned(.max), .decimal("18446744073709551616"), "", "zz", "0", "00",
      .string(String(repeating: "00", count: 32)), .string(String(repeating: "ff", count: 32)),
      .string(String(repeating: "ff", count: 33)), .string(String(repeating: "02", count: 200)), "🦊", [], ["00"], [[]],
      [1, 2, 3], [.null], .object([:]), ["a": 1], .array(Array(repeating: [], count: 300)),
    ]
    for parameter in try Toolbox.standard.operation(example.op).parameters {
      for value in wrong {
        let answer = try answer(example.op, example.parameters.setting(parameter.name, value))
        // Some are right by chance: an empty message, a list of nothing.
        guard answer["ok"] == false else { continue }
        let code = try #require(answer["error"]?["code"]?.stringValue)
        if case .object = value { continue }  // a record may lack its members
        #expect(!["unknown_op", "unknown_param"].contains(code), "\(parameter.name) \(value): \(answer)")
      }
    }
  }

  @Test(
    "hex is refused when it has an odd number of digits or other characters, and read in either case",
    arguments: Example.all)
  func hex(_ example: Example) throws {
    for parameter in try Toolbox.standard.operation(example.op).parameters where parameter.kind.contains("hex") {
      guard let text = example.parameters[parameter.name]?.stringValue, !text.isEmpty else { continue }
      #expect(try refusal(example.op, example.parameters.setting(parameter.name, .string(text + "0"))) == "bad_hex")
      #expect(try refusal(example.op, example.parameters.setting(parameter.name, .string("0x" + text))) == "bad_hex")
      #expect(try refusal(example.op, example.parameters.setting(parameter.name, .string(" " + text))) == "bad_hex")
      #expect(
        try refusal(example.op, example.parameters.setting(parameter.name, .array([.string(text)]))) == "bad_type")
      let upper = example.parameters.setting(parameter.name, .string(text.uppercased()))
      #expect(try result(example.op, upper) == example.result)
    }
  }

  @Test("every byte of a hex parameter may be anything without a trap", arguments: Example.all)
  func changedBytes(_ example: Example) throws {
    for parameter in try Toolbox.standard.operation(example.op).parameters {
      guard let text = example.parameters[parameter.name]?.stringValue else { continue }
      let characters = Array(text.utf8)
      for index in characters.indices where index < 200 || index % 37 == 0 {
        for character in "0f9" {
          var changed = characters
          changed[index] = character.asciiValue ?? 0
          _ = try answer(
            example.op,
            example.parameters.setting(parameter.name, .string(String(decoding: changed, as: UTF8.self))))
        }
        _ = try answer(
          example.op,
          example.parameters.setting(parameter.name, .string(String(decoding: characters[..<index], as: UTF8.self))))
      }
    }
  }

  @Test("the list names every operation with its parameters and results")
  func listing() throws {
    let text = Toolbox.standard.listing
    let json = try JSONValue(parsing: Toolbox.standard.listingJSON.text(pretty: true))
    let listed = try #require(json["operations"]?.arrayValue)
    #expect(listed.compactMap { $0["name"]?.stringValue } == Self.operations.map(\.name))
    for operation in Self.operations {
      #expect(text.contains("\n  \(operation.name)\n"))
      #expect(!operation.summary.isEmpty && !operation.results.isEmpty)
      #expect(operation.parameters.allSatisfy { text.contains($0.name) })
    }
    #expect(Toolbox.standard.filtered(prefix: "hmac.").listing.contains("hmac.sha512"))
    #expect(!Toolbox.standard.filtered(prefix: "hmac.").listing.contains("ecdh"))
  }

  @Test("integers are refused outside their range and when they are written otherwise")
  func integers() throws {
    let parameters: JSONValue = ["ikm": "", "salt": "", "info": "", "length": 8160]
    #expect(try result("hkdf.sha256", parameters)["okm"]?.stringValue?.utf8.count == 16320)
    #expect(try refusal("hkdf.sha256", parameters.setting("length", 8161)) == "bad_value")
    #expect(try refusal("hkdf.sha256", parameters.setting("length", -1)) == "bad_value")
    #expect(try refusal("hkdf.sha256", parameters.setting("length", .decimal("1.0"))) == "bad_type")
    #expect(try refusal("hkdf.sha256", parameters.setting("length", .decimal("1e3"))) == "bad_type")
    #expect(try refusal("hkdf.sha256", parameters.setting("length", "32")) == "bad_type")
    #expect(try refusal("hkdf.sha256", parameters.setting("length", .decimal("99999999999999999999"))) == "bad_value")
  }
}
