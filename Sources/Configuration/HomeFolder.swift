internal import FoundationEssentials

/// `~` at the beginning of a path.
enum HomeFolder {
  static var path: String {
    if let home = ProcessInfo.processInfo.environment["HOME"], !home.isEmpty { return home }
    return FileManager.default.homeDirectoryForCurrentUser.path
  }

  static func expand(_ path: String) -> String {
    if path == "~" { return Self.path }
    return path.hasPrefix("~/") ? Self.path + path.dropFirst() : path
  }
}
