/// Why a store did not open, read or commit. The text says what to do.
public enum StoreError: Error, Hashable, Sendable {
  // MARK: Opening

  /// Another process, or this one, has the folder open. The other's process id, when it can be read.
  case locked(folder: String, pid: Int32?)
  /// The folder or a file in it cannot be made or opened.
  case unusable(path: String, reason: String)
  /// A database of another program.
  case foreign(path: String)
  /// Written by a newer version of this program, in a form that this one does not know.
  case newer(path: String, found: String, supported: String)
  /// The file is no database, or its contents contradict each other.
  case damaged(path: String, reason: String)
  /// The schema that the program brings along is wrong.
  case invalidSchema(String)

  // MARK: Using

  /// The schema does not list this collection.
  case unknownCollection(String)
  /// A key above 4 KiB or a value above 256 MiB.
  case tooLarge
  /// No room is left on the disk. Nothing was written: the commit can be tried again when there is.
  case diskFull
  /// The file system or the file does not allow writing.
  case readOnly
  /// Something outside holds the database locked.
  case busy
  /// The disk failed. What it holds of the last commit is not known: close the store and open it again to find out.
  case inputOutput(String)
  /// An earlier `inputOutput` has stopped this store.
  case failed(String)
  /// The store has been closed.
  case closed
  /// Anything else that SQLite reports, with its extended result code.
  case database(code: Int32, message: String)
  /// Something that the changes build on could not be stored.
  case forerunnerMissing
  /// A record that a migration does not understand.
  case invalidRecord(collection: String, reason: String)
  /// A test took the power away.
  case powerLost

  /// Whether the store can go on: the commit failed, and others may succeed.
  public var isRecoverable: Bool {
    switch self {
    case .unknownCollection, .tooLarge, .diskFull, .readOnly, .busy, .invalidRecord, .forerunnerMissing: true
    default: false
    }
  }
}

extension StoreError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .locked(let folder, let pid?):
      "\(folder) is in use by process \(pid): stop it first, or choose another data folder"
    case .locked(let folder, nil):
      "\(folder) is in use by another process: stop it first, or choose another data folder"
    case .unusable(let path, let reason): "cannot use \(path): \(reason)"
    case .foreign(let path): "\(path) is a database of another program: choose another data folder"
    case .newer(let path, let found, let supported):
      "\(path) was written by a newer version (\(found)) than this one (\(supported)): install the newer version"
    case .damaged(let path, let reason):
      "\(path) is damaged (\(reason)): do not go on with it; keep a copy, check the disk, and ask for help"
    case .invalidSchema(let reason): "the program's own schema is wrong: \(reason)"
    case .unknownCollection(let name): "there is no collection \(name)"
    case .tooLarge: "a key or value is too large to be stored"
    case .diskFull: "the disk is full: make room, and what failed will be tried again"
    case .readOnly: "the database cannot be written to: check the permissions of the data folder and its file system"
    case .busy: "another program holds the database locked: close it"
    case .inputOutput(let reason): "the disk failed (\(reason)): check it, then start again"
    case .failed(let reason): "the store has stopped after a failure (\(reason)): start again"
    case .closed: "the store is closed"
    case .database(let code, let message): "SQLite reports \(message) (code \(code))"
    case .forerunnerMissing: "what came before could not be stored"
    case .invalidRecord(let collection, let reason): "a record of \(collection) cannot be read: \(reason)"
    case .powerLost: "the power is off"
    }
  }
}
