public import Encoding

/// What the outputs of a commitment are locked with. The funding scheme chooses it for all of them, and an extension makes its outputs
/// in the form that the draft asks for: its agreements, its updates and its trimming are the same in each.
public enum ScriptBackend: Hashable, Sendable {
  /// Version 0 witness scripts, as in BOLT 3. Signatures are ECDSA.
  case witnessScript
  /// Taproot outputs, each way to spend them the key path or a leaf: see `TapContract`. Signatures are Schnorr.
  /// - `unspendable`: the x coordinate of a point whose discrete logarithm nobody knows, for outputs without key path.
  case taproot(unspendable: Bytes32)
}
