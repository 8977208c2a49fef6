import Bitcoin
import Encoding
import Secp256k1
import Testing

@testable import Wallet

/// Numbers that a seed gives again.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    // SplitMix64.
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

enum Fixture {
  /// BIP 39's all-zero phrases.
  static let phrase12 = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
  static let phrase24 = Array(repeating: "abandon", count: 23).joined(separator: " ") + " art"

  static let ring: KeyRing = ring(phrase24, .test)

  static func ring(_ phrase: String, _ kind: NetworkKind) -> KeyRing {
    do { return try KeyRing(MasterSeed(phrase: phrase), networkKind: kind) } catch { preconditionFailure("\(error)") }
  }

  static func p2wpkh(_ byte: UInt8) -> Script { .p2wpkh(Bytes20(InlineArray(repeating: byte))) }
}

/// A chain built by hand, a wallet that follows it, and what the wallet has stored. Everything that the wallet makes is checked by the script
/// interpreter; after every step the stored records must make the same wallet again.
struct World {
  var wallet: Wallet
  let ring: KeyRing
  var stored: [[UInt8]: [UInt8]] = [:]
  var blocks: [Block] = []
  var generator: SeededGenerator
  var notices: [WalletNotice] = []
  /// Outputs that exist, of blocks and of what was paid without any.
  var outputs: [OutPoint: TxOutput] = [:]
  private var counter: UInt32 = 0

  /// `height` empty blocks stand at the start.
  init(seed: UInt64 = 1, policy: WalletPolicy = WalletPolicy(), height: Int = 0, ring: KeyRing = Fixture.ring) throws {
    self.ring = ring
    generator = SeededGenerator(seed)
    wallet = Wallet(keys: ring.walletKeys, network: .regtest, birth: 0, policy: policy)
    try take(wallet.initialUpdate())
    for _ in 0...height { try mine() }
  }

  var height: UInt32 { UInt32(blocks.count - 1) }

  mutating func take(_ update: WalletUpdate, restores: Bool = true) throws {
    notices = update.notices
    for change in update.changes { stored[change.key] = change.value }
    guard restores else { return }
    let again = try restored()
    #expect(again.coins.map(\.outPoint) == wallet.coins.map(\.outPoint))
    #expect(again.unspent == wallet.unspent)
    #expect(again.history == wallet.history)
    #expect(again.tip == wallet.tip)
    #expect(again.locator == wallet.locator)
    #expect(again.watchedScripts == wallet.watchedScripts)
    let all = Dictionary(uniqueKeysWithValues: wallet.allRecords().map { ($0.key, $0.value ?? []) })
    let differing = Set(all.keys).union(stored.keys).filter { all[$0] != stored[$0] }
    #expect(differing.isEmpty)
  }

  func restored() throws -> Wallet {
    let wallet = try Wallet.restore(
      stored.map { (key: $0.key, value: $0.value) }, keys: ring.walletKeys, network: .regtest, policy: wallet.policy)
    return try #require(wallet)
  }

  /// What a crash leaves: the stored records.
  mutating func restart() throws {
    let anchors = wallet.anchorChannels
    wallet = try restored()
    wallet.setAnchorChannels(anchors)
  }

  // MARK: Chain

  /// A block on top, with a coinbase that pays somebody else unless told.
  mutating func makeBlock(_ transactions: [Transaction], coinbase: TxOutput? = nil) -> Block {
    counter += 1
    let height = UInt32(blocks.count)
    let coinbase = Transaction(
      inputs: [
        TxInput(
          previousOutput: .null,
          scriptSig: Script {
            $0.append(number: Int64(height))
            $0.append(number: Int64(counter) + 1000)
          })
      ],
      outputs: [coinbase ?? TxOutput(value: Satoshi(50_0000_0000), scriptPubKey: Fixture.p2wpkh(0xcb))])
    let all = [coinbase] + transactions
    let header = BlockHeader(
      version: 4, previousBlock: blocks.last?.hash ?? BlockHash(Bytes32()), merkleRoot: MerkleRoot(Bytes32()),
      time: 1_700_000_000 + height * 600, bits: CompactTarget(rawValue: 0x207f_ffff), nonce: counter)
    var block = Block(header: header, transactions: all)
    block.header.merkleRoot = block.merkleRoot ?? header.merkleRoot
    return block
  }

  @discardableResult
  mutating func mine(_ transactions: [Transaction] = [], coinbase: TxOutput? = nil, restores: Bool = true) throws
    -> Block
  {
    let block = makeBlock(transactions, coinbase: coinbase)
    for transaction in block.transactions { note(transaction) }
    blocks.append(block)
    try take(try wallet.connect(block, height: UInt32(blocks.count - 1)), restores: restores)
    return block
  }

  mutating func mine(count: Int) throws {
    for index in 0..<count { try mine(restores: index == count - 1) }
  }

  @discardableResult
  mutating func disconnect() throws -> Block {
    let block = blocks.removeLast()
    try take(try wallet.disconnect(block.hash))
    return block
  }

  mutating func note(_ transaction: Transaction) {
    let txid = transaction.txid
    for (vout, output) in transaction.outputs.enumerated() {
      outputs[OutPoint(txid: txid, vout: UInt32(vout))] = output
    }
  }

  // MARK: Others

  /// An output out of nowhere, that nobody else knows.
  mutating func foreignOutPoint() -> OutPoint {
    counter += 1
    var bytes = Bytes32()
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: counter >> UInt32(8 * index)) }
    bytes[31] = 0xff
    return OutPoint(txid: TxID(bytes), vout: 0)
  }

  /// A payment by somebody else.
  mutating func payment(_ outputs: [(Script, UInt64)], from input: OutPoint? = nil) -> Transaction {
    let transaction = Transaction(
      inputs: [TxInput(previousOutput: input ?? foreignOutPoint())],
      outputs: outputs.map { TxOutput(value: Satoshi($0.1), scriptPubKey: $0.0) })
    note(transaction)
    return transaction
  }

  mutating func newScript(_ kind: AddressKind = .taproot) throws -> Script {
    let (address, update) = try wallet.newAddress(kind)
    try take(update, restores: false)
    return address.scriptPubKey
  }

  /// Confirmed coins of these values, of both kinds in turn.
  mutating func fund(_ values: [UInt64]) throws {
    var payments: [Transaction] = []
    for (index, value) in values.enumerated() {
      payments.append(payment([(try newScript(index.isMultiple(of: 2) ? .taproot : .segwit), value)]))
    }
    try mine(payments)
  }

  // MARK: Us

  mutating func draft(_ request: SpendRequest) throws(WalletError) -> (spend: UnsignedSpend, update: WalletUpdate) {
    try wallet.spend(request, using: &generator)
  }

  mutating func bump(_ txid: TxID, to rate: FeeRate) throws(WalletError) -> (spend: UnsignedSpend, update: WalletUpdate)
  {
    try wallet.bump(txid, to: rate, using: &generator)
  }

  mutating func payForParent(
    _ txid: TxID, to rate: FeeRate, parentFee: Satoshi? = nil
  ) throws(WalletError) -> (spend: UnsignedSpend, update: WalletUpdate) {
    try wallet.payForParent(txid, to: rate, parentFee: parentFee, using: &generator)
  }

  /// Makes, signs and checks a transaction. It is not recorded.
  mutating func make(_ request: SpendRequest) throws -> (spend: UnsignedSpend, signed: Transaction) {
    let (spend, update) = try wallet.spend(request, using: &generator)
    try take(update)
    return (spend, try check(spend, request))
  }

  /// Signs, runs the scripts, and compares amounts and weights.
  func check(_ spend: UnsignedSpend, _ request: SpendRequest? = nil) throws -> Transaction {
    let signed = try ring.sign(spend)
    #expect(signed.txid == spend.transaction.txid)
    try verify(signed)
    // Conservation.
    let paid = try TransactionRules.fee(of: signed, spending: spend.spentOutputs)
    #expect(paid == spend.fee)
    // Signatures are at most as heavy as was thought; DER may be a few bytes shorter, rarely.
    #expect(signed.weight <= spend.weight)
    #expect(signed.weight.rawValue + 4 * UInt64(signed.inputs.count) >= spend.weight.rawValue)
    for output in signed.outputs {
      #expect(output.value >= RelayPolicy.dustThreshold(of: output.scriptPubKey))
    }
    #expect(signed.inputs.allSatisfy { $0.sequence == 0xffff_fffd })
    if let request {
      for (recipient, index) in zip(request.recipients, spend.recipientOutputs) {
        #expect(signed.outputs[index].scriptPubKey == recipient.script)
        if case .exactly(let amount) = recipient.amount { #expect(signed.outputs[index].value == amount) }
      }
      #expect(signed.outputs.count == request.recipients.count + (spend.changeOutput == nil ? 0 : 1))
    }
    return signed
  }

  /// By the interpreter, under relay policy. Everything that it spends is known here.
  func verify(_ transaction: Transaction) throws {
    try TransactionVerifier.verify(transaction, prevouts: outputs, flags: .standard)
  }

  mutating func record(_ transaction: Transaction, isReplaceable: Bool = true) throws {
    note(transaction)
    try take(wallet.record(transaction, isReplaceable: isReplaceable, time: 1))
  }

  /// Makes, signs, checks and records.
  @discardableResult
  mutating func send(_ request: SpendRequest) throws -> Transaction {
    let signed = try make(request).signed
    try record(signed)
    return signed
  }

  /// Our outputs in the chain that no transaction in the chain spends.
  var chainCoins: Set<OutPoint> {
    var coins: Set<OutPoint> = []
    for block in blocks {
      for transaction in block.transactions {
        for input in transaction.inputs { coins.remove(input.previousOutput) }
        let txid = transaction.txid
        for (vout, output) in transaction.outputs.enumerated() where wallet.path(of: output.scriptPubKey) != nil {
          coins.insert(OutPoint(txid: txid, vout: UInt32(vout)))
        }
      }
    }
    return coins
  }
}

/// 1 sat/vbyte and some.
let slow = FeeRate(satPerKiloWeight: 253)
let fast = FeeRate(satPerKiloWeight: 5_000)
