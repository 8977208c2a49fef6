internal import Encoding
internal import JSON

// Kinds of plain values and of what is made of them.

extension Kind where Value == String {
  public static var string: Self {
    Self("text") { (json) throws(ToolError) in
      guard case .string(let text) = json else { throw ToolError(.badType, "expected a string, got \(json.typeName)") }
      return text
    }
  }

  /// One of a few words.
  public static func word(_ words: String...) -> Self {
    string.map(words.joined(separator: " | ")) { (text) throws(ToolError) in
      guard words.contains(text) else {
        throw ToolError(.badValue, "\(quoted(text)) is none of \(words.joined(separator: ", "))")
      }
      return text
    }
  }
}

extension Kind where Value == Bool {
  public static var bool: Self {
    Self("true | false") { (json) throws(ToolError) in
      guard case .bool(let value) = json else {
        throw ToolError(.badType, "expected true or false, got \(json.typeName)")
      }
      return value
    }
  }
}

extension Kind where Value: FixedWidthInteger & Sendable {
  /// A whole number within these bounds, and within the type's. 1.0 and 1e3 are none.
  public static func integer(_ bounds: ClosedRange<Value> = Value.min...Value.max) -> Self {
    Self("integer from \(bounds.lowerBound) to \(bounds.upperBound)") { (json) throws(ToolError) in
      let value: Value?
      switch json {
      case .unsigned(let number): value = Value(exactly: number)
      case .negative(let number): value = Value(exactly: number)
      case .decimal(let text) where text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2d }) && text != "-0":
        value = nil  // more than 64 bits
      default: throw ToolError(.badType, "expected an integer, got \(json.typeName)")
      }
      guard let value, bounds.contains(value) else {
        throw ToolError(.badValue, "\(json) is not from \(bounds.lowerBound) to \(bounds.upperBound)")
      }
      return value
    }
  }
}

extension Kind where Value == UInt32 {
  public static var uint32: Self { integer().described("integer (32 bits)") }
}

extension Kind where Value == UInt64 {
  public static var uint64: Self { integer().described("integer (64 bits)") }
}

extension Kind where Value == Int {
  /// A position in a list.
  public static var index: Self { integer(0...Int(UInt32.max)).described("integer, counted from 0") }
}

extension Kind where Value == [UInt8] {
  /// Any number of bytes.
  public static var hex: Self {
    Kind<String>.string.map("hex") { (text) throws(ToolError) in
      do throws(DecodingError) {
        return try Hex.decode(text)
      } catch .truncated {
        throw ToolError(.badHex, "an odd number of hex digits")
      } catch {
        throw ToolError(.badHex, "not hex: \(error)")
      }
    }
  }

  /// Exactly so many bytes.
  public static func hex(bytes count: Int) -> Self {
    hex.map("\(count) bytes of hex") { (bytes) throws(ToolError) in
      guard bytes.count == count else {
        throw ToolError(.badLength, "expected \(count) bytes, got \(bytes.count)")
      }
      return bytes
    }
  }
}

extension Kind where Value: FixedSizeBytes {
  /// A hash, a key or an identifier; `invalid` is the answer to bytes of the right number that are none.
  static func fixed(_ description: String? = nil, invalid: ToolError.Code = .badValue) -> Self {
    Kind<[UInt8]>.hex.map(description ?? "\(Value.byteCount) bytes of hex") { (bytes) throws(ToolError) in
      do throws(DecodingError) {
        return try Value(copying: bytes.bytes)
      } catch .wrongLength(let expected, let actual) {
        throw ToolError(.badLength, "expected \(expected) bytes, got \(actual)")
      } catch {
        throw ToolError(invalid, "\(error)")
      }
    }
  }
}

extension Kind {
  /// A list of values of one kind.
  public static func list<Element>(_ kind: Kind<Element>) -> Kind where Value == [Element] {
    Kind("[\(kind.description)]") { (json) throws(ToolError) in
      guard case .array(let elements) = json else { throw ToolError(.badType, "expected a list, got \(json.typeName)") }
      var values: [Element] = []
      values.reserveCapacity(elements.count)
      for (index, element) in elements.enumerated() {
        do throws(ToolError) {
          values.append(try kind.read(element))
        } catch {
          throw error.within("[\(index)]")
        }
      }
      return values
    }
  }

  /// An object of known members.
  public static func record<each Member>(
    _ member: repeat Parameter<each Member>,
    make: @escaping @Sendable (repeat each Member) throws(ToolError) -> Value
  ) -> Kind {
    var known: [ParameterInformation] = []
    repeat known.append((each member).information)
    let members = known
    let names = members.map { $0.isRequired ? $0.name : $0.name + "?" }.joined(separator: ", ")
    return Kind("{\(names)}") { (json) throws(ToolError) in
      guard case .object(let object) = json else {
        throw ToolError(.badType, "expected an object, got \(json.typeName)")
      }
      try refuseUnknown(object, known: members)
      return try make(repeat (each member).read(object))
    }
  }
}

extension JSONValue {
  /// For messages.
  var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .negative, .unsigned, .decimal: "the number \(self)"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
