internal import Foundation

extension Report {
  /// A picture: for each benchmark how many times the floor it takes, on a logarithmic axis, with times and allocations beside.
  func svg(title: String) -> String {
    let rowHeight = 20.0
    let labelWidth = 250.0
    let plotWidth = 420.0
    let columns = 350.0
    let top = 84.0
    let groups = measurements.map(\.group).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let height = top + Double(measurements.count) * rowHeight + Double(groups.count) * 30 + 24
    let width = labelWidth + plotWidth + columns
    // What takes longer than that is drawn at the end; its number stands beside.
    let most = 4.5
    let least = 0.9

    func x(_ ratio: Double) -> Double {
      let position = log(max(min(ratio, most), least) / least) / log(most / least)
      return labelWidth + position * plotWidth
    }
    func text(_ content: String, _ x: Double, _ y: Double, _ style: String) -> String {
      let escaped = content.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      return String(format: "<text x=\"%.1f\" y=\"%.1f\" class=\"%@\">%@</text>\n", x, y, style, escaped)
    }
    func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
      String(format: "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%@\"/>\n", x1, y1, x2, y2, style)
    }

    var body = ""
    body += text(title, 16, 26, "title")
    body += text(
      "Time against the floor: the C calls that cannot be avoided, in a tight loop of the same run.", 16, 46, "note")
    body += text("ratio", width - 290, top - 10, "head")
    body += text("ours", width - 204, top - 10, "head")
    body += text("floor", width - 124, top - 10, "head")
    body += text("allocations", width - 16, top - 10, "head")

    // The axis, with the band up to 3 % above the floor.
    let bottom = height - 20
    body += String(
      format: "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"band\"/>\n", x(1), top,
      x(1.03) - x(1),
      bottom - top)
    for tick in [1, 1.25, 1.5, 2, 3, 4] {
      body += line(x(tick), top, x(tick), bottom, tick == 1 ? "floor" : "grid")
      body += text(tick == 1 ? "floor" : Self.number(tick) + "×", x(tick), top - 10, "tick")
    }

    var y = top
    for group in groups {
      y += 22
      body += text(group, 16, y, "group")
      y += 8
      for measurement in measurements where measurement.group == group {
        let middle = y + rowHeight / 2
        let style = measurement.ratio <= 1.03 ? "good" : measurement.ratio <= 1.5 ? "fair" : "far"
        body += text(measurement.name, 28, middle + 4, "name")
        body += line(x(1), middle, x(measurement.ratio), middle, "bar \(style)")
        body += line(
          x(measurement.ratioInterval.lowerBound), middle, x(measurement.ratioInterval.upperBound), middle, "interval")
        body += String(
          format: "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" class=\"%@\"/>\n", x(measurement.ratio), middle, style)
        body += text(String(format: "%.3f", measurement.ratio), width - 290, middle + 4, "value \(style)-text")
        body += text(Self.time(measurement.medianNanoseconds), width - 204, middle + 4, "value")
        body += text(Self.time(measurement.floorNanoseconds), width - 124, middle + 4, "value")
        body += text(Self.number(measurement.allocations), width - 16, middle + 4, "value")
        y += rowHeight
      }
    }

    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(width))" height="\(Int(height))" \
      viewBox="0 0 \(Int(width)) \(Int(height))" font-family="Helvetica, Arial, sans-serif">
      <style>
      .title { font-size: 18px; font-weight: bold; fill: #1b2733 }
      .note { font-size: 12px; fill: #5b6875 }
      .group { font-size: 13px; font-weight: bold; fill: #1b2733 }
      .name { font-size: 12px; fill: #1b2733 }
      .value { font-size: 12px; fill: #1b2733; text-anchor: end }
      .head { font-size: 11px; fill: #5b6875; text-anchor: end }
      .tick { font-size: 11px; fill: #5b6875; text-anchor: middle }
      .grid { stroke: #e3e8ed; stroke-width: 1 }
      .floor { stroke: #1b2733; stroke-width: 1.5 }
      .band { fill: #dff3e4 }
      .bar { stroke-width: 3 }
      .interval { stroke: #1b2733; stroke-width: 1 }
      .good { stroke: #2e9e5b; fill: #2e9e5b }
      .fair { stroke: #d39a1e; fill: #d39a1e }
      .far { stroke: #c4502f; fill: #c4502f }
      .good-text { fill: #1d7a42 }
      .fair-text { fill: #95690a }
      .far-text { fill: #a63d1f }
      circle { stroke: white !important; stroke-width: 1 }
      </style>
      <rect width="100%" height="100%" fill="white"/>
      \(body)</svg>

      """
  }

  private static func time(_ nanoseconds: Double) -> String {
    nanoseconds < 1000
      ? String(format: "%.1f ns", nanoseconds) : String(format: "%.2f µs", nanoseconds / 1000)
  }
}
