public import Testing

extension Trait where Self == ConditionTrait {
  /// Runs the test only where the named suites are; elsewhere it is reported as skipped, with their names.
  public static func vectors(_ paths: String...) -> Self {
    let missing = paths.filter { !Vectors.has($0) }
    return .enabled(if: missing.isEmpty, "larger suite not found: \(missing.joined(separator: ", ")) (set GLC_VECTORS)")
  }
}
