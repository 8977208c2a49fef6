internal import Encoding
internal import Secp256k1

extension RawSpan {
  // MARK: Public keys, by their first byte and length alone

  var isCompressedPublicKey: Bool { byteCount == 33 && (self[0] == 2 || self[0] == 3) }

  var isCompressedOrUncompressedPublicKey: Bool { isCompressedPublicKey || (byteCount == 65 && self[0] == 4) }

  // MARK: ECDSA signatures with their hash type

  /// BIP 66: strict DER, with one byte of hash type behind it.
  ///
  /// "Format: 0x30 [total-length] 0x02 [R-length] [R] 0x02 [S-length] [S] [sighash]"
  var isStrictDERSignature: Bool {
    guard 9...73 ~= byteCount, self[0] == 0x30, Int(self[1]) == byteCount - 3 else { return false }
    let rCount = Int(self[3])
    guard 5 + rCount < byteCount else { return false }
    let sCount = Int(self[5 + rCount])
    guard rCount + sCount + 7 == byteCount else { return false }
    return isStrictDERInteger(at: 2, count: rCount) && isStrictDERInteger(at: 4 + rCount, count: sCount)
  }

  /// BIP 66: the tag, not empty, not negative, no zero byte in front but for the sake of the sign.
  private func isStrictDERInteger(at offset: Int, count: Int) -> Bool {
    guard self[offset] == 0x02, count > 0, self[offset + 2] & 0x80 == 0 else { return false }
    return !(count > 1 && self[offset + 2] == 0 && self[offset + 3] & 0x80 == 0)
  }

  /// ALL, NONE or SINGLE, with or without ANYONECANPAY. Must not be empty.
  var hasDefinedHashType: Bool { 1...3 ~= self[byteCount - 1] & ~0x80 }

  /// The signature that consensus before BIP 66 sees in these bytes, without hash type: DER with almost no rule enforced, as
  /// libsecp256k1's `ecdsa_signature_parse_der_lax` reads it. Nil where not even that is there. An r or s that is too large
  /// makes both zero: a signature that is never valid, and has a low s.
  var laxDERSignature: ECDSASignature? {
    // Nearly every signature is strict, and read faster so.
    if let signature = try? ECDSASignature(der: self) { return signature }
    var offset = 0
    // The sequence: its tag; its length is skipped, whatever it says.
    guard byteCount >= 2, self[0] == 0x30 else { return nil }
    offset = 2
    if self[1] & 0x80 != 0 {
      let lengthSize = Int(self[1] & 0x7f)
      guard lengthSize <= byteCount - offset else { return nil }
      offset += lengthSize
    }
    guard var r = laxDERInteger(at: &offset), var s = laxDERInteger(at: &offset) else { return nil }
    while let first = r.first, self[first] == 0 { r.removeFirst() }
    while let first = s.first, self[first] == 0 { s.removeFirst() }
    var compact = Bytes64()
    if r.count <= 32 && s.count <= 32 {
      for (index, position) in r.enumerated() { compact[32 - r.count + index] = self[position] }
      for (index, position) in s.enumerated() { compact[64 - s.count + index] = self[position] }
      if let signature = try? ECDSASignature(compact: compact) { return signature }
    }
    return try? ECDSASignature(compact: Bytes64())
  }

  /// The range of an integer's bytes; `offset` moves behind them.
  private func laxDERInteger(at offset: inout Int) -> Range<Int>? {
    guard byteCount - offset >= 2, self[offset] == 0x02 else { return nil }
    var count = Int(self[offset + 1])
    offset += 2
    if count & 0x80 != 0 {
      var lengthSize = count & 0x7f
      guard lengthSize <= byteCount - offset else { return nil }
      while lengthSize > 0 && self[offset] == 0 {
        offset += 1
        lengthSize -= 1
      }
      // Bitcoin Core takes lengths of up to three bytes.
      guard lengthSize < 4 else { return nil }
      count = 0
      for _ in 0..<lengthSize {
        count = count << 8 | Int(self[offset])
        offset += 1
      }
    }
    guard count <= byteCount - offset else { return nil }
    let start = offset
    offset += count
    return start..<offset
  }
}
