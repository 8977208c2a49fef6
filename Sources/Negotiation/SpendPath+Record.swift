internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1

// A way to spend an output, as a record. It says what `SpendPath` says, in the same order; keys are references, a second stage stands with its
// outputs inside it. Two implementations of an extension that write the same record mean the same path.

extension SpendPath {
  var record: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 64)
    encode(to: &writer)
    return writer.bytes
  }

  private func encode(to writer: inout ByteWriter) {
    writer.writeBigSized(Array(name.utf8))
    writer.write(spender.rawValue)
    conditions.encode(to: &writer)
    writer.writeBigSize(UInt64(witness.count))
    for element in witness { element.encode(to: &writer) }
    switch execution {
    case .free(let weight):
      writer.write(0 as UInt8)
      writer.writeBigSize(weight.rawValue)
    case .presigned(let template):
      writer.write(1 as UInt8)
      template.encode(to: &writer)
    }
  }
}

extension SpendConditions {
  /// A byte with a bit for each condition that there is, then their values.
  fileprivate func encode(to writer: inout ByteWriter) {
    let bits: [(Bool, UInt8)] = [(revoked, 1), (height != nil, 2), (age != nil, 4), (secret != nil, 8)]
    writer.write(bits.reduce(0 as UInt8) { $1.0 ? $0 | $1.1 : $0 })
    if let height { writer.write(height) }
    if let age { writer.write(age) }
    if let secret {
      writer.write(secret.kind.rawValue)
      writer.write(secret.value)
    }
  }
}

extension WitnessElement {
  fileprivate func encode(to writer: inout ByteWriter) {
    switch self {
    case .signature(let ref, let type):
      writer.write(0 as UInt8)
      ref.encode(to: &writer)
      writer.write(type.rawByte)
    case .counterSignature(let slot):
      writer.write(1 as UInt8)
      slot.encode(to: &writer)
    case .secret: writer.write(2 as UInt8)
    case .literal(let bytes):
      writer.write(3 as UInt8)
      writer.writeBigSized(bytes)
    case .publicKey(let ref):
      writer.write(4 as UInt8)
      ref.encode(to: &writer)
    case .witnessScript: writer.write(5 as UInt8)
    case .tapLeaf(let index):
      writer.write(6 as UInt8)
      writer.write(UInt8(clamping: index))
    case .custom(let id, let bytes):
      writer.write(7 as UInt8)
      writer.write(id.rawValue)
      writer.writeBigSized(bytes)
    }
  }
}

extension KeyRef {
  /// Basepoint, derivation, side: three bytes.
  fileprivate func encode(to writer: inout ByteWriter) {
    writer.write(role.basepoint.rawValue)
    writer.write(role.derivation.rawValue)
    writer.write(side.rawValue)
  }
}

extension SignatureSlot {
  fileprivate func encode(to writer: inout ByteWriter) {
    switch self {
    case .ecdsa(let ref, let type): writer.writeSlot(0, ref, type)
    case .schnorr(let ref, let type): writer.writeSlot(1, ref, type)
    case .adaptor(let ref, let type, let point):
      writer.writeSlot(2, ref, type)
      writer.write(point)
    case .musigPartial(let ref, let type): writer.writeSlot(3, ref, type)
    case .musigAdaptor(let ref, let type, let point):
      writer.writeSlot(4, ref, type)
      writer.write(point)
    }
  }
}

extension ChildTemplate {
  fileprivate func encode(to writer: inout ByteWriter) {
    writer.write(version)
    writer.write(lockTime)
    writer.write(sequence)
    counterSignature.encode(to: &writer)
    writer.writeBigSize(expectedWeight.rawValue)
    writer.writeBigSize(UInt64(outputs.count))
    for output in outputs {
      writer.write(output.value.rawValue)
      writer.writeBigSized(output.lock.scriptPubKey.bytes)
      writer.writeBigSize(UInt64(output.paths.count))
      for path in output.paths { writer.writeBigSized(path.record) }
    }
  }
}

extension SighashType {
  /// As it stands behind a signature.
  fileprivate var rawByte: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
}

extension ByteWriter {
  mutating func writeBigSized(_ bytes: [UInt8]) {
    writeBigSize(UInt64(bytes.count))
    write(bytes)
  }

  fileprivate mutating func writeSlot(_ kind: UInt8, _ ref: KeyRef, _ type: SighashType) {
    write(kind)
    ref.encode(to: &self)
    write(type.rawByte)
  }
}
