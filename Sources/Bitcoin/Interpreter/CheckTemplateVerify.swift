public import Encoding
internal import Hashing

extension Transaction {
  /// BIP 119's DefaultCheckTemplateVerifyHash: what this transaction is, apart from what it spends, at one of its inputs. `parts`
  /// must be this transaction's. Any number is an input here; a script knows its own.
  public func templateHash(input index: UInt32, parts: SighashParts) -> Bytes32 {
    var writer = ByteWriter(reservingCapacity: 116)
    writer.writeLE(version)
    writer.writeLE(lockTime)
    if let scriptSigs = parts.scriptSigs { writer.write(scriptSigs) }
    writer.writeLE(UInt32(truncatingIfNeeded: inputs.count))
    writer.write(parts.sequences)
    writer.writeLE(UInt32(truncatingIfNeeded: outputs.count))
    writer.write(parts.outputs)
    writer.writeLE(index)
    return sha256(writer.bytes)
  }
}
