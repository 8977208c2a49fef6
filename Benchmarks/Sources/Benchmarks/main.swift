internal import Foundation

// Benchmarks [--json FILE] [--svg FILE] [--thresholds FILE] [--title TEXT] [FILTER]
// FILTER is a part of a name or of a group. With --profile COUNT our side alone runs COUNT times: for perf and callgrind.

var options: [String: String] = [:]
var filter = ""
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
  if argument.hasPrefix("--") {
    guard let value = arguments.popFirst() else { fatalError("\(argument) needs a value") }
    options[argument] = value
  } else {
    filter = argument.lowercased()
  }
}

var suite = Suite()
suite.addSigning()
suite.addMuSig()
suite.addBatches()
suite.addKeys()
suite.addHashing()
suite.addSighashes()
suite.addTransactions()
suite.addScripts()
suite.addOnions()
suite.addTransport()
suite.addMessages()
suite.addGossip()
suite.addCommitments()
suite.addTaprootCommitments()
suite.addPayments()
suite.addRoutes()
suite.addStorage()

func isWanted(_ benchmark: Benchmark, _ filter: String) -> Bool {
  filter.isEmpty || benchmark.name.contains(filter) || benchmark.group.lowercased().contains(filter)
}

if let count = options["--profile"].flatMap({ Int($0) }) {
  for benchmark in suite.benchmarks where isWanted(benchmark, filter) {
    benchmark.prepare?(count)
    print(benchmark.name, benchmark.ours(count))
  }
  exit(0)
}

var report = Report(measurements: [])
var group = ""
print(Report.header)
for benchmark in suite.benchmarks where isWanted(benchmark, filter) {
  if benchmark.group != group {
    group = benchmark.group
    print("\n\(group)")
  }
  let measurement = try benchmark.measure(Plan())
  print(Report.row(measurement))
  report.measurements.append(measurement)
}

@MainActor func write(_ text: String, to option: String) throws {
  guard let path = options[option] else { return }
  try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}
try write(report.json, to: "--json")
try write(report.svg(title: options["--title"] ?? "GLC"), to: "--svg")

if let path = options["--thresholds"] {
  let violations = try Thresholds(contentsOf: path).violations(in: report)
  for violation in violations { print("over the threshold: \(violation)") }
  if !violations.isEmpty { exit(1) }
}
