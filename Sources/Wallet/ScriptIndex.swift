internal import Bitcoin
internal import Encoding

/// Our output scripts by their hashes: every output of every block is looked up here, almost always in vain.
struct ScriptIndex: Sendable {
  private var segwit: [Bytes20: AddressPath] = [:]
  private var taproot: [Bytes32: AddressPath] = [:]

  var count: Int { segwit.count + taproot.count }

  mutating func insert(_ script: Script, _ path: AddressPath) {
    switch script.kind {
    case .p2wpkh(let hash): segwit[hash] = path
    case .p2tr(let key): taproot[key] = path
    default: break
    }
  }

  /// Where a script of ours comes from. Other scripts are turned away by their first bytes.
  func path(of script: Script) -> AddressPath? {
    let bytes = script.bytes
    switch bytes.count {
    case 22:
      guard bytes[0] == 0, bytes[1] == 20, let hash = try? Bytes20(copying: bytes.bytes.extracting(2..<22)) else {
        return nil
      }
      return segwit[hash]
    case 34:
      guard bytes[0] == 0x51, bytes[1] == 32, let key = try? Bytes32(copying: bytes.bytes.extracting(2..<34)) else {
        return nil
      }
      return taproot[key]
    default: return nil
    }
  }
}
