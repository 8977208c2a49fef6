internal import Bitcoin
internal import JSON
internal import RPC

/// Shows replies to a person: the methods that have a table of their own with it, all others by the shape of their reply.
struct ReplyPrinter {
  let format: CellFormat

  func text(_ method: String, _ reply: JSONValue) -> String {
    var text = ""
    var rest = reply.objectValue ?? JSONObject()
    for list in ReplyTables.tables[method] ?? [] {
      guard let rows = rest[list.member]?.arrayValue else { continue }
      rest[list.member] = nil
      if !text.isEmpty { text += "\n" }
      if let title = list.title { text += "\(format.palette.bold(title))\n" }
      text += Table.text(rows, list.columns, format, empty: list.empty)
      text += sums(rows, list)
    }
    if method == "help", let own = help(&rest) { text += own }
    let generic = generic(.object(rest))
    if !generic.isEmpty { text += (text.isEmpty ? "" : "\n") + generic }
    guard case .object = reply else { return self.generic(reply) }
    return text.isEmpty ? "\(format.palette.good("done"))\n" : text
  }

  /// What the amounts of a column come to.
  private func sums(_ rows: [JSONValue], _ list: ReplyTable) -> String {
    guard rows.count > 1 else { return "" }
    var pairs: [(name: String, value: String)] = []
    for column in list.columns where list.summed.contains(column.path) {
      var sum = MilliSatoshi.zero
      for row in rows {
        guard let value = column.value(in: row)?.unsignedValue, let more = sum.adding(MilliSatoshi(value)) else {
          return ""
        }
        sum = more
      }
      pairs.append(("\(column.title), all", "\(format.amount(sum)) \(format.unit.rawValue)"))
    }
    return pairs.isEmpty ? "" : "\n" + Table.pairs(pairs, format.palette)
  }

  /// Methods by what they are about.
  private func help(_ rest: inout JSONObject) -> String? {
    guard let entries = rest["help"]?.arrayValue else { return nil }
    rest["help"] = nil
    if entries.count == 1, let verbose = entries[0]["verbose"]?.stringValue {
      return verbose.split(separator: "\n", omittingEmptySubsequences: false).map { TerminalText.plain(String($0)) }
        .joined(separator: "\n")
    }
    return Table.text(
      entries, [Column("method", "command"), Column("what it does", "description")], format, empty: "no methods")
  }

  // MARK: By shape

  /// Scalars as pairs, lists of objects as tables, objects in objects by paths.
  private func generic(_ reply: JSONValue) -> String {
    var pairs: [(name: String, value: String)] = []
    var lists: [(name: String, rows: [JSONValue])] = []
    collect(reply, path: "", &pairs, &lists, depth: 0)
    var text = pairs.isEmpty ? "" : Table.pairs(pairs, format.palette)
    for list in lists {
      if !text.isEmpty { text += "\n" }
      text += "\(format.palette.bold(list.name))\n" + rows(list.rows)
    }
    return text
  }

  private func collect(
    _ value: JSONValue, path: String, _ pairs: inout [(name: String, value: String)],
    _ lists: inout [(name: String, rows: [JSONValue])], depth: Int
  ) {
    switch value {
    case .object(let object) where depth > 0 && Self.isTable(object):
      // Objects of one shape by name, each a row with its name.
      let rows = object.members.map { member in
        var row: JSONObject = ["name": .string(member.name)]
        for column in member.value.objectValue?.members ?? [] { row[column.name] = column.value }
        return JSONValue.object(row)
      }
      lists.append((path, rows))
    case .object(let object) where depth < 8:
      for member in object.members {
        let name = TerminalText.plain(member.name)
        collect(member.value, path: path.isEmpty ? name : "\(path).\(name)", &pairs, &lists, depth: depth + 1)
      }
    case .array(let elements) where elements.contains { $0.objectValue != nil }: lists.append((path, elements))
    case .array(let elements):
      pairs.append((path, elements.isEmpty ? "none" : elements.map { format.text($0, .text) }.joined(separator: ", ")))
    default:
      let name = path.split(separator: ".").last.map(String.init) ?? path
      let style = CellStyle.guess(name, value)
      var text = format.color(format.text(value, style), style)
      if case .msat = style { text += " \(format.unit.rawValue)" }
      pairs.append((path, text))
    }
  }

  private static func isTable(_ object: JSONObject) -> Bool {
    guard object.members.count > 1, let names = object.members[0].value.objectValue?.names, !names.contains("name")
    else {
      return false
    }
    return object.members.allSatisfy { member in
      guard let row = member.value.objectValue, row.names == names else { return false }
      return row.members.allSatisfy { $0.value.objectValue == nil && $0.value.arrayValue == nil }
    }
  }

  /// A table of all members that are no lists or objects.
  private func rows(_ rows: [JSONValue]) -> String {
    var columns: [Column] = []
    for row in rows.prefix(1000) {
      for member in row.objectValue?.members ?? [] where !columns.contains(where: { $0.path == member.name }) {
        switch member.value {
        case .array, .object: continue
        default: break
        }
        // A point would be taken for a path.
        if member.name.contains(".") || columns.count >= 24 { continue }
        var style = CellStyle.guess(member.name, member.value)
        if case .text = style, let text = member.value.stringValue, text.utf8.count >= 40 { style = .id }
        columns.append(Column(TerminalText.plain(member.name), member.name, style))
      }
    }
    return Table.text(rows, columns, format, empty: "none")
  }
}
