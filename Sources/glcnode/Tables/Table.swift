internal import JSON
internal import RPC

/// A column of a table: its heading and where in a row its value is.
struct Column {
  let title: String
  /// `alias.local` is the member of a member.
  let path: String
  let style: CellStyle

  init(_ title: String, _ path: String, _ style: CellStyle = .text) {
    self.title = title
    self.path = path
    self.style = style
  }

  func value(in row: JSONValue) -> JSONValue? {
    var value: JSONValue? = row
    for name in path.split(separator: ".") { value = value?[String(name)] }
    return value
  }
}

/// Rows under headings, in columns as wide as their widest value.
struct Table {
  /// The text; `empty` when there are no rows. Columns without any value are left out.
  static func text(_ rows: [JSONValue], _ columns: [Column], _ format: CellFormat, empty: String) -> String {
    if rows.isEmpty { return format.palette.dim(empty) + "\n" }
    var shown: [(column: Column, cells: [String], width: Int)] = []
    for column in columns {
      let cells = rows.map { format.text(column.value(in: $0), column.style) }
      if cells.allSatisfy(\.isEmpty) { continue }
      let width = (cells + [heading(column, format)]).reduce(0) { max($0, TerminalText.width($1)) }
      shown.append((column, cells, width))
    }
    var text = line(shown.map { ($0.column, heading($0.column, format), $0.width) }) { format.palette.bold($1) }
    for row in rows.indices {
      text += line(shown.map { ($0.column, $0.cells[row], $0.width) }) { format.color($1, $0.style) }
    }
    return text
  }

  private static func heading(_ column: Column, _ format: CellFormat) -> String {
    switch column.style {
    case .msat, .sat: "\(column.title) (\(format.unit.rawValue))"
    default: column.title
    }
  }

  private static func line(
    _ cells: [(column: Column, text: String, width: Int)], _ color: (Column, String) -> String
  ) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let gap = String(repeating: " ", count: cell.width - TerminalText.width(cell.text))
      let isLast = index == cells.count - 1
      let colored = color(cell.column, cell.text)
      line += cell.column.style.isRightAligned ? gap + colored : isLast ? colored : colored + gap
      if !isLast { line += "  " }
    }
    while line.hasSuffix(" ") { line.removeLast() }
    return line + "\n"
  }

  /// Names and values under each other.
  static func pairs(_ pairs: [(name: String, value: String)], _ palette: Palette) -> String {
    let width = pairs.reduce(0) { max($0, TerminalText.width($1.name)) }
    return pairs.map { pair in
      let gap = String(repeating: " ", count: width - TerminalText.width(pair.name))
      return "\(palette.dim(pair.name))\(gap)  \(pair.value)\n"
    }.joined()
  }
}
