internal import FoundationEssentials

/// The time of day.
enum WallClock {
  /// Since 1970.
  static var milliseconds: UInt64 { UInt64(max(Date().timeIntervalSince1970 * 1000, 0)) }
  static var seconds: UInt64 { milliseconds / 1000 }
}
