internal import Bitcoin
internal import Encoding
internal import JSON
internal import Secp256k1

// How values of the library look in results.

extension JSONValue {
  static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
  static func hex(_ value: some FixedSizeBytes) -> JSONValue { .string(value.hex) }
  static func hex(_ value: (some FixedSizeBytes)?) -> JSONValue { value.map { .hex($0) } ?? .null }
  /// In the open: this command is for looking at things.
  static func hex(_ key: borrowing SecretKey) -> JSONValue { .string(Hex.encode(key.bytes)) }
  static func hex(_ script: Script) -> JSONValue { .string(script.hex) }
  static func hex(_ witness: Witness) -> JSONValue { .array(witness.elements.map { .hex($0) }) }

  /// In display order.
  static func display(_ hash: some ReversedHash) -> JSONValue { .string(hash.description) }

  /// Bitcoin keeps amounts as signed 64-bit numbers: a transaction from anywhere may hold one below zero.
  static func amount(_ amount: Satoshi) -> JSONValue { .int(Int64(bitPattern: amount.rawValue)) }
}
