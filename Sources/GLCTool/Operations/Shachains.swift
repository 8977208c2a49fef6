internal import Encoding
internal import JSON
internal import GLC

extension OperationGroup {
  static let shachains = OperationGroup("Per-commitment secrets", [derive, insert])
}

private let derive = Operation(
  "shachain.derive", "Derives a per-commitment secret from its seed (BOLT 3 §Per-commitment Secret Requirements).",
  Parameter("seed", .bytes32), Parameter("index", .shachainIndex),
  returns: ["secret": "32 bytes"]
) { seed, index in ["secret": .hex(PerCommitmentSecret(seed: seed, index: index))] }

private let insert = Operation(
  "shachain.insert",
  "Receives per-commitment secrets and keeps those that belong together (BOLT 3 §Efficient Per-commitment Secret Storage).",
  Parameter("secrets", .list(received)),
  Parameter(optional: "lookups", .list(.shachainIndex), "what to ask for afterwards"),
  returns: [
    "ok": "[bool]: whether each was accepted; one that was not is not stored",
    "secrets": "for each of the lookups the secret, or null where it is not known",
  ]
) { secrets, lookups in
  var store = ShachainStore()
  let accepted = secrets.map { entry in
    do throws(ShachainError) {
      try store.insert(PerCommitmentSecret(entry.secret), at: entry.index)
      return JSONValue.bool(true)
    } catch {
      return false
    }
  }
  return ["ok": .array(accepted), "secrets": .array((lookups ?? []).map { .hex(store.secret(at: $0)) })]
}

private let received = Kind<(index: ShachainIndex, secret: Bytes32)>.record(
  Parameter("index", .shachainIndex), Parameter("secret", .bytes32)
) { (index, secret) throws(ToolError) in (index, secret) }

extension Kind where Value == ShachainIndex {
  fileprivate static var shachainIndex: Self {
    Kind<UInt64>.integer(0...ShachainIndex.first.rawValue).map("integer (48 bits)") { (value) throws(ToolError) in
      guard let index = ShachainIndex(rawValue: value) else { throw ToolError(.badValue, "more than 48 bits") }
      return index
    }
  }
}
