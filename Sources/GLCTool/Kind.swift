public import JSON

/// What a parameter may be, and how it is read: JSON in, a value of the library out, or a reason why not.
public struct Kind<Value>: Sendable {
  /// For `glcnode tool list`: "33 bytes of hex".
  public let description: String
  let read: @Sendable (JSONValue) throws(ToolError) -> Value

  public init(_ description: String, read: @escaping @Sendable (JSONValue) throws(ToolError) -> Value) {
    self.description = description
    self.read = read
  }

  /// A kind that is this one, taken further.
  func map<Other>(
    _ description: String, _ transform: @escaping @Sendable (Value) throws(ToolError) -> Other
  ) -> Kind<Other> {
    let read = read
    return Kind<Other>(description) { (json) throws(ToolError) in try transform(read(json)) }
  }

  /// The same kind, described otherwise.
  func described(_ description: String) -> Kind { Kind(description, read: read) }
}

/// A named member of an object: a parameter of an operation, or a member of a `record`.
public struct Parameter<Value>: Sendable {
  public let information: ParameterInformation
  let read: @Sendable (JSONObject) throws(ToolError) -> Value

  /// A member that must be there.
  public init(_ name: String, _ kind: Kind<Value>, _ note: String = "") {
    information = ParameterInformation(name: name, kind: kind.description, isRequired: true, note: note)
    read = { (object) throws(ToolError) in
      guard let json = object[name], !json.isNull else {
        throw ToolError(.missingParameter, "\(name) is missing")
      }
      do throws(ToolError) {
        return try kind.read(json)
      } catch {
        throw error.within(name)
      }
    }
  }

  /// A member that may be absent or null.
  public init<Wrapped>(optional name: String, _ kind: Kind<Wrapped>, _ note: String = "") where Value == Wrapped? {
    information = ParameterInformation(name: name, kind: kind.description, isRequired: false, note: note)
    read = { (object) throws(ToolError) in
      guard let json = object[name], !json.isNull else { return nil }
      do throws(ToolError) {
        return try kind.read(json)
      } catch {
        throw error.within(name)
      }
    }
  }
}

/// What `glcnode tool list` says about a parameter.
public struct ParameterInformation: Hashable, Sendable {
  public let name: String
  /// What it may be: "33 bytes of hex".
  public let kind: String
  public let isRequired: Bool
  /// What it is for, where name and kind do not say it.
  public let note: String
}

/// Refuses members that nobody asked for, by name.
func refuseUnknown(_ object: JSONObject, known: [ParameterInformation]) throws(ToolError) {
  for member in object.members where !known.contains(where: { $0.name == member.name }) {
    let names = known.map(\.name).joined(separator: ", ")
    throw ToolError(
      .unknownParameter,
      "there is no parameter \(quoted(member.name))" + (known.isEmpty ? "" : "; there are: \(names)"))
  }
}
