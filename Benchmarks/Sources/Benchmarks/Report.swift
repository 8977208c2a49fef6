internal import Foundation

/// What a run found, in the forms in which it is kept.
struct Report {
  var measurements: [Measurement]

  static let header =
    pad("benchmark", 34) + pad("ours ns", 11, left: true) + pad("floor ns", 11, left: true)
    + pad("ratio", 8, left: true) + pad("95 %", 16, left: true) + pad("allocations", 13, left: true)

  static func row(_ measurement: Measurement) -> String {
    let interval = String(
      format: "%.3f–%.3f", measurement.ratioInterval.lowerBound, measurement.ratioInterval.upperBound)
    var allocations = number(measurement.allocations)
    if measurement.floorAllocations != 0 { allocations += " (floor \(number(measurement.floorAllocations)))" }
    return pad(measurement.name, 34) + pad(nanoseconds(measurement.medianNanoseconds), 11, left: true)
      + pad(nanoseconds(measurement.floorNanoseconds), 11, left: true)
      + pad(String(format: "%.3f", measurement.ratio), 8, left: true) + pad(interval, 16, left: true)
      + pad(allocations, 13, left: true)
  }

  /// A list of `{"name", "median_ns", "floor_ns", "ratio", "allocations"}`.
  var json: String {
    let rows = measurements.map { measurement in
      """
        {"name": "\(measurement.name)", "median_ns": \(Self.decimal(measurement.medianNanoseconds)), \
      "floor_ns": \(Self.decimal(measurement.floorNanoseconds)), \
      "ratio": \(String(format: "%.4f", measurement.ratio)), "allocations": \(Self.number(measurement.allocations))}
      """
    }
    return "[\n" + rows.joined(separator: ",\n") + "\n]\n"
  }

  private static func decimal(_ value: Double) -> String { String(format: "%.1f", value) }

  static func number(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : String(format: "%.2f", value)
  }

  static func nanoseconds(_ value: Double) -> String {
    value < 1000 ? String(format: "%.1f", value) : String(format: "%.0f", value)
  }

  private static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
    let padding = String(repeating: " ", count: max(0, width - text.count))
    return left ? padding + text : text + padding
  }
}

/// The most that a benchmark may cost: `{"name": {"allocations": n, "ratio": x}}`, one file for each compiler version.
struct Thresholds: Decodable {
  struct Limit: Codable {
    var allocations: Double
    var ratio: Double?
  }

  var limits: [String: Limit]

  init(contentsOf path: String) throws {
    limits = try JSONDecoder().decode(
      [String: Limit].self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// What is too much. A ratio counts only when all of its confidence interval is above the limit.
  func violations(in report: Report) -> [String] {
    report.measurements.flatMap { measurement -> [String] in
      guard let limit = limits[measurement.name] else { return ["\(measurement.name): no threshold"] }
      var violations: [String] = []
      if measurement.allocations > limit.allocations {
        violations.append(
          "\(measurement.name): \(Report.number(measurement.allocations)) allocations, at most "
            + Report.number(limit.allocations))
      }
      if let ratio = limit.ratio, measurement.ratioInterval.lowerBound > ratio {
        violations.append(
          String(format: "%@: %.3f of the floor, at most %.3f", measurement.name, measurement.ratio, ratio))
      }
      return violations
    }
  }
}
