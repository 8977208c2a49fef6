public import Encoding
internal import Hashing
public import Secp256k1

/// What a scriptPubKey (or a redeem or witness script) is, as Bitcoin Core's `Solver` sorts them.
///
/// Keys are as they stand in the script, 33 or 65 bytes with a fitting first byte: whether they are points is not checked, as
/// consensus does not care before a signature is checked.
public enum ScriptKind: Hashable, Sendable {
  /// ⟨key⟩ OP_CHECKSIG.
  case p2pk([UInt8])
  /// OP_DUP OP_HASH160 ⟨20 bytes⟩ OP_EQUALVERIFY OP_CHECKSIG.
  case p2pkh(Bytes20)
  /// OP_HASH160 ⟨20 bytes⟩ OP_EQUAL (BIP 16).
  case p2sh(Bytes20)
  /// OP_0 ⟨20 bytes⟩ (BIP 141).
  case p2wpkh(Bytes20)
  /// OP_0 ⟨32 bytes⟩ (BIP 141).
  case p2wsh(Bytes32)
  /// OP_1 ⟨32 bytes⟩ (BIP 341). The bytes need not be the x coordinate of a point.
  case p2tr(Bytes32)
  /// OP_1 ⟨0x4e73⟩, pay to anchor (BIP 433).
  case p2a
  /// k ⟨key⟩ … n OP_CHECKMULTISIG, 1 ≤ k ≤ n ≤ 20.
  case multisig(required: Int, keys: [[UInt8]])
  /// OP_RETURN and nothing but pushes behind it.
  case opReturn
  /// A witness program of a version from 1 to 16 that has no meaning yet: 2 to 40 bytes.
  case witness(version: Int, program: [UInt8])
  /// Everything else, also programs of version 0 that are neither 20 nor 32 bytes long.
  case nonstandard
}

extension Script {
  /// BIP 11 and consensus: OP_CHECKMULTISIG takes at most 20 keys.
  public static let maximumMultisigKeys = 20

  public var kind: ScriptKind {
    // Patterns in the order in which Bitcoin Core tries them.
    if let hash = p2shHash { return .p2sh(hash) }
    if let (version, program) = witnessProgram {
      switch (version, program.count) {
      case (0, 20): return (try? Bytes20(program)).map { .p2wpkh($0) } ?? .nonstandard
      case (0, 32): return (try? Bytes32(program)).map { .p2wsh($0) } ?? .nonstandard
      case (0, _): return .nonstandard
      case (1, 32): return (try? Bytes32(program)).map { .p2tr($0) } ?? .nonstandard
      case (1, 2) where program == [0x4e, 0x73]: return .p2a
      default: return .witness(version: version, program: program)
      }
    }
    if bytes.first == Opcode.return.rawValue {
      return Script(Array(bytes.dropFirst())).isPushOnly ? .opReturn : .nonstandard
    }
    if let key = p2pkKey { return .p2pk(key) }
    if let hash = p2pkhHash { return .p2pkh(hash) }
    if let multisig = parseMultisig() { return .multisig(required: multisig.required, keys: multisig.keys) }
    return .nonstandard
  }

  /// Version (0 to 16) and program (2 to 40 bytes) of a witness scriptPubKey (BIP 141); nil for any other script.
  public var witnessProgram: (version: Int, program: [UInt8])? {
    guard 4...42 ~= bytes.count, Int(bytes[1]) == bytes.count - 2 else { return nil }
    switch bytes[0] {
    case 0: return (0, Array(bytes[2...]))
    case 0x51...0x60: return (Int(bytes[0]) - 0x50, Array(bytes[2...]))
    default: return nil
    }
  }

  private var p2shHash: Bytes20? {
    guard bytes.count == 23, bytes[0] == Opcode.hash160.rawValue, bytes[1] == 20, bytes[22] == Opcode.equal.rawValue
    else { return nil }
    return try? Bytes20(copying: bytes[2..<22].bytes)
  }

  private var p2pkhHash: Bytes20? {
    guard bytes.count == 25, bytes[0] == Opcode.dup.rawValue, bytes[1] == Opcode.hash160.rawValue, bytes[2] == 20,
      bytes[23] == Opcode.equalVerify.rawValue, bytes[24] == Opcode.checkSig.rawValue
    else { return nil }
    return try? Bytes20(copying: bytes[3..<23].bytes)
  }

  private var p2pkKey: [UInt8]? {
    guard bytes.count == 35 || bytes.count == 67, Int(bytes[0]) == bytes.count - 2,
      bytes[bytes.count - 1] == Opcode.checkSig.rawValue
    else { return nil }
    let key = Array(bytes[1..<(bytes.count - 1)])
    return Self.looksLikeKey(key) ? key : nil
  }

  /// Whether length and first byte are those of a compressed (33 bytes), uncompressed or hybrid (65 bytes) key.
  static func looksLikeKey(_ key: [UInt8]) -> Bool {
    switch key.first {
    case 2, 3: key.count == 33
    case 4, 6, 7: key.count == 65
    default: false
    }
  }

  private func parseMultisig() -> (required: Int, keys: [[UInt8]])? {
    guard bytes.last == Opcode.checkMultiSig.rawValue else { return nil }
    var offset = 0
    guard let first = instruction(at: &offset), let required = smallNumber(first) else { return nil }
    var keys: [[UInt8]] = []
    while let next = instruction(at: &offset) {
      let data = Array(bytes[next.data])
      if next.isPush && Self.looksLikeKey(data) {
        guard keys.count < Self.maximumMultisigKeys else { return nil }
        keys.append(data)
        continue
      }
      guard smallNumber(next) == keys.count, keys.count >= required, offset == bytes.count - 1 else { return nil }
      return (required, keys)
    }
    return nil
  }

  /// A number from 1 to 20, pushed minimally.
  private func smallNumber(_ instruction: ScriptInstruction) -> Int? {
    switch instruction.opcode.rawValue {
    case 0x51...0x60: return Int(instruction.opcode.rawValue) - 0x50
    case 1:
      guard instruction.data.count == 1 else { return nil }
      let value = Int(bytes[instruction.data.lowerBound])
      return 17...Self.maximumMultisigKeys ~= value ? value : nil
    default: return nil
    }
  }
}

// MARK: - Constructors

extension Script {
  /// ⟨33 bytes⟩ OP_CHECKSIG.
  public static func p2pk(_ key: PublicKey) -> Script {
    Script {
      $0.append(push: key)
      $0.append(.checkSig)
    }
  }

  public static func p2pkh(_ keyHash: Bytes20) -> Script {
    Script {
      $0.append(.dup)
      $0.append(.hash160)
      $0.append(push: keyHash)
      $0.append(.equalVerify)
      $0.append(.checkSig)
    }
  }

  /// Pays to the compressed key.
  public static func p2pkh(_ key: PublicKey) -> Script { p2pkh(hash160(key.bytes)) }

  public static func p2sh(_ scriptHash: Bytes20) -> Script {
    Script {
      $0.append(.hash160)
      $0.append(push: scriptHash)
      $0.append(.equal)
    }
  }

  public static func p2sh(_ redeemScript: Script) -> Script { p2sh(hash160(redeemScript.bytes)) }

  public static func p2wpkh(_ keyHash: Bytes20) -> Script {
    Script {
      $0.append(.op0)
      $0.append(push: keyHash)
    }
  }

  public static func p2wpkh(_ key: PublicKey) -> Script { p2wpkh(hash160(key.bytes)) }

  public static func p2wsh(_ scriptHash: Bytes32) -> Script {
    Script {
      $0.append(.op0)
      $0.append(push: scriptHash)
    }
  }

  public static func p2wsh(_ witnessScript: Script) -> Script { p2wsh(sha256(witnessScript.bytes)) }

  /// Pays to a taproot output key, which is already tweaked (see `TaprootOutput`).
  public static func p2tr(outputKey: XOnlyPublicKey) -> Script {
    Script {
      $0.append(.op1)
      $0.append(push: outputKey)
    }
  }

  /// The output that anyone can spend with an empty witness (BIP 433): 51024e73.
  public static let p2a = Script([0x51, 0x02, 0x4e, 0x73])

  /// k ⟨key⟩ … n OP_CHECKMULTISIG, keys in the order given. Nil unless 1 ≤ k ≤ n ≤ 20.
  public static func multisig(required: Int, keys: [PublicKey]) -> Script? {
    guard 1...maximumMultisigKeys ~= keys.count, 1...keys.count ~= required else { return nil }
    return Script {
      $0.append(number: Int64(required))
      for key in keys { $0.append(push: key) }
      $0.append(number: Int64(keys.count))
      $0.append(.checkMultiSig)
    }
  }

  /// The same with the keys sorted as BIP 67 does: "lexicographically according to their binary representation".
  public static func sortedMultisig(required: Int, keys: [PublicKey]) -> Script? {
    multisig(required: required, keys: keys.sorted())
  }

  /// OP_RETURN and one push for each datum.
  public static func opReturn(_ data: [UInt8]...) -> Script {
    Script {
      $0.append(.return)
      for datum in data { $0.append(push: datum) }
    }
  }

  /// A witness scriptPubKey (BIP 141). Nil unless the version is from 0 to 16 and the program 2 to 40 bytes long.
  public static func witness(version: Int, program: [UInt8]) -> Script? {
    guard let opcode = Opcode.small(version), 2...40 ~= program.count else { return nil }
    return Script {
      $0.append(opcode)
      $0.append(push: program)
    }
  }

  /// The scriptCode of a P2WPKH input (BIP 143): the P2PKH script of the same hash.
  public static func p2wpkhScriptCode(_ keyHash: Bytes20) -> Script { p2pkh(keyHash) }
}
