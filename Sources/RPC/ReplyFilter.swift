internal import JSON

/// Trims a reply to what the caller asked for. The template has the shape of the reply: `true` keeps a value, an object keeps the
/// members that it names, an array of one template applies it to each element.
///
///     {"outputs": [{"txid": true, "amount_msat": true}]}
struct ReplyFilter {
  private indirect enum Template {
    case keep
    case members([String: Template])
    case elements(Template)
  }

  private let template: Template

  init(_ json: JSONValue) throws(RPCError) {
    guard json.objectValue != nil else { throw .invalidParameter("filter", "Expected object", json) }
    template = try Self.template(json)
  }

  private static func template(_ json: JSONValue) throws(RPCError) -> Template {
    switch json {
    case .bool(true): return .keep
    case .object(let object):
      var members: [String: Template] = [:]
      for (name, value) in object.members { members[name] = try template(value) }
      return .members(members)
    case .array(let elements):
      guard elements.count == 1 else {
        throw .invalidParameter("filter", "an array should have one element, which applies to all", json)
      }
      return .elements(try template(elements[0]))
    default: throw .invalidParameter("filter", "should be true, an object or an array of one element", json)
    }
  }

  /// The trimmed reply. Where template and reply have different shapes the value is left out, and the member
  /// `warning_parameter_filter` says so, as with Core Lightning.
  func apply(to reply: JSONValue) -> JSONValue {
    var mismatch: String?
    guard case .object(var object)? = Self.apply(template, to: reply, path: "", &mismatch) else { return reply }
    if let mismatch { object["warning_parameter_filter"] = .string(mismatch) }
    return .object(object)
  }

  private static func apply(
    _ template: Template, to value: JSONValue, path: String, _ mismatch: inout String?
  ) -> JSONValue? {
    switch (template, value) {
    case (.keep, _): return value
    case (.members(let members), .object(let object)):
      var kept = JSONObject()
      for (name, value) in object.members {
        guard let member = members[name] else { continue }
        kept[name] = apply(member, to: value, path: path.isEmpty ? name : "\(path).\(name)", &mismatch)
      }
      return .object(kept)
    case (.elements(let element), .array(let values)):
      return .array(values.compactMap { apply(element, to: $0, path: "\(path)[]", &mismatch) })
    case (.members, _):
      mismatch = "\(path) is not an object"
      return nil
    case (.elements, _):
      mismatch = "\(path) is not an array"
      return nil
    }
  }
}
