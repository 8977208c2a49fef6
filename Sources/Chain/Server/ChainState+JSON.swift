internal import Bitcoin
internal import Encoding
internal import JSON

// What bitcoind says about blocks and transactions, field by field.

extension ChainState {
  func json(header entry: Entry) -> JSONValue {
    var object = JSONObject()
    let header = entry.block.header
    object["hash"] = .text(entry.hash)
    object["confirmations"] = .int(confirmations(of: entry))
    object["height"] = .int(entry.height)
    object["version"] = .int(header.version)
    object["versionHex"] = .string(Self.hex(UInt32(bitPattern: header.version)))
    object["merkleroot"] = .text(header.merkleRoot)
    object["time"] = .int(header.time)
    object["mediantime"] = .int(entry.medianTimePast)
    object["nonce"] = .int(header.nonce)
    object["bits"] = .string(Self.hex(header.bits.rawValue))
    object["difficulty"] = Self.difficulty
    object["chainwork"] = .text(entry.work)
    object["nTx"] = .int(entry.txids.count)
    if entry.height > 0 { object["previousblockhash"] = .text(header.previousBlock) }
    if isActive(entry), let next = self.entry(at: entry.height + 1) { object["nextblockhash"] = .text(next.hash) }
    return .object(object)
  }

  /// Of regtest's target, as every bitcoind prints it.
  static let difficulty = JSONValue.decimal("4.656542373906925e-10")

  /// −1 off the best chain.
  func confirmations(of entry: Entry) -> Int { isActive(entry) ? Int(height - entry.height) + 1 : -1 }

  static func hex(_ number: UInt32) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// - Parameter verbosity: 1: transaction ids; 2: transactions.
  func json(block entry: Entry, verbosity: Int) -> JSONValue {
    guard case .object(var object) = json(header: entry) else { return .null }
    let transactions = entry.block.transactions
    let overhead = 80 + (transactions.count < 253 ? 1 : 3)
    let stripped = overhead + transactions.reduce(0) { $0 + $1.baseSize }
    let size = overhead + transactions.reduce(0) { $0 + $1.totalSize }
    object["strippedsize"] = .int(stripped)
    object["size"] = .int(size)
    object["weight"] = .int(3 * stripped + size)
    object["tx"] = .array(
      verbosity < 2 ? entry.txids.map { .text($0) } : transactions.map { Self.json($0, withHex: true) })
    return .object(object)
  }

  static func json(_ transaction: Transaction, withHex: Bool) -> JSONValue {
    var object = JSONObject()
    object["txid"] = .text(transaction.txid)
    object["hash"] = .text(transaction.witnessTxID)
    object["version"] = .int(transaction.version)
    object["size"] = .int(transaction.totalSize)
    object["vsize"] = .int(transaction.virtualSize)
    object["weight"] = .int(transaction.weight.rawValue)
    object["locktime"] = .int(transaction.lockTime)
    object["vin"] = .array(transaction.inputs.map { json($0, isCoinbase: transaction.isCoinbase) })
    object["vout"] = .array(
      transaction.outputs.enumerated().map { index, output in
        [
          "value": .bitcoins(output.value.rawValue), "n": .int(index), "scriptPubKey": json(output.scriptPubKey),
        ]
      })
    if withHex { object["hex"] = .hex(transaction.encoded) }
    return .object(object)
  }

  private static func json(_ input: TxInput, isCoinbase: Bool) -> JSONValue {
    var object = JSONObject()
    if isCoinbase {
      object["coinbase"] = .hex(input.scriptSig.bytes)
    } else {
      object["txid"] = .text(input.previousOutput.txid)
      object["vout"] = .int(input.previousOutput.vout)
      object["scriptSig"] = ["asm": .string(input.scriptSig.asm), "hex": .hex(input.scriptSig.bytes)]
    }
    if !input.witness.isEmpty { object["txinwitness"] = .array(input.witness.elements.map { .hex($0) }) }
    object["sequence"] = .int(input.sequence)
    return .object(object)
  }

  static func json(_ script: Script) -> JSONValue {
    var object = JSONObject()
    object["asm"] = .string(script.asm)
    object["hex"] = .hex(script.bytes)
    if let address = Address(scriptPubKey: script, on: .regtest) { object["address"] = .text(address) }
    object["type"] = .string(script.kind.coreName)
    return .object(object)
  }

  func json(_ entry: MempoolEntry) -> JSONValue {
    let ancestors = mempool.ancestors(of: entry.transaction)
    let descendants = mempool.withDescendants([entry.txid])
    return [
      "vsize": .int(entry.size), "weight": .int(entry.weight), "time": .int(entry.time), "height": .int(entry.height),
      "descendantcount": .int(descendants.count), "descendantsize": .int(mempool.sizes(of: descendants)),
      "ancestorcount": .int(ancestors.count + 1), "ancestorsize": .int(mempool.sizes(of: ancestors) + entry.size),
      "wtxid": .text(entry.witnessTxID),
      "fees": [
        "base": .bitcoins(entry.fee), "modified": .bitcoins(entry.fee),
        "ancestor": .bitcoins(mempool.fees(of: ancestors) + entry.fee),
        "descendant": .bitcoins(mempool.fees(of: descendants)),
      ],
      "depends": .array(mempool.parents(of: entry.transaction).sorted().map { .text($0) }),
      "spentby": .array(mempool.children(of: entry).sorted().map { .text($0) }), "bip125-replaceable": true,
      "unbroadcast": false,
    ]
  }
}

extension ScriptKind {
  /// Bitcoin Core's name of the output type.
  var coreName: String {
    switch self {
    case .p2pk: "pubkey"
    case .p2pkh: "pubkeyhash"
    case .p2sh: "scripthash"
    case .p2wpkh: "witness_v0_keyhash"
    case .p2wsh: "witness_v0_scripthash"
    case .p2tr: "witness_v1_taproot"
    case .p2a: "anchor"
    case .multisig: "multisig"
    case .opReturn: "nulldata"
    case .witness: "witness_unknown"
    case .nonstandard: "nonstandard"
    }
  }
}
