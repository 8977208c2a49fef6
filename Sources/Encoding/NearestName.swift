/// Finds what somebody may have meant.
public enum NearestName {
  /// The name that takes the fewest changes of a letter, within a third of its length; nil when none is near. A name that
  /// the text begins is near.
  public static func of(_ text: String, in names: some Sequence<String>) -> String? { all(text, in: names).first }

  /// All near names, the nearest first, at most three.
  public static func all(_ text: String, in names: some Sequence<String>) -> [String] {
    let wanted = Array(text.lowercased().utf8.prefix(64))
    guard !wanted.isEmpty else { return [] }
    return names.compactMap { name -> (name: String, distance: Int)? in
      let letters = Array(name.lowercased().utf8.prefix(64))
      let distance = distance(wanted, letters)
      if distance <= max(1, min(wanted.count, letters.count) / 3) { return (name, distance) }
      return wanted.count >= 3 && letters.starts(with: wanted) ? (name, letters.count) : nil
    }.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  /// How many letters to insert, remove, replace or swap with the next.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
