import Bitcoin
import Encoding
import Foundation
import Hashing
import Secp256k1
import Testing

/// Random miniscripts of any shape: what satisfies them by their meaning must satisfy their script, and nothing else can.
@Suite struct MiniscriptSatisfactionTests {
  /// The seed of the random choices, and how many scripts: GLC_SEED and GLC_MINISCRIPTS.
  static let seed = UInt64(ProcessInfo.processInfo.environment["GLC_SEED"] ?? "") ?? 379
  static let count = Int(ProcessInfo.processInfo.environment["GLC_MINISCRIPTS"] ?? "") ?? 100

  /// What is at hand, by chance.
  struct Satisfier: MiniscriptSatisfier {
    var signatures: [PublicKey: [UInt8]]
    var preimages: [MiniscriptHash: [UInt8]]
    var timelocks: SpendingTimelocks
    func signature(for key: PublicKey) -> [UInt8]? { signatures[key] }
    func preimage(of hash: MiniscriptHash) -> [UInt8]? { preimages[hash] }
  }

  @Test(arguments: [MiniscriptContext.p2wsh, .tapscript]) func `a satisfaction is found when there is one, and spends`(
    context: MiniscriptContext
  ) throws {
    var random = SeededGenerator(seed: Self.seed)
    let world = World(context: context)
    let expressions = world.randomExpressions(count: Self.count, using: &random)
    #expect(expressions.count == Self.count, "seed \(Self.seed)")
    var spent = 0
    for text in expressions {
      let miniscript = try Miniscript<PublicKey>(text, context: context)
      try miniscript.checkSanity()
      let byHash = Dictionary(uniqueKeysWithValues: miniscript.keys.map { (context.hash(of: $0), $0) })
      let decoded = try #require(Miniscript(decoding: miniscript.script, context: context) { byHash[$0] }, "\(text)")
      // Of `andor` the script has the last part before the second.
      #expect(Set(decoded.keys.map(context.hash)) == Set(byHash.keys), "\(text) read as \(decoded.text)")
      #expect(throws: Never.self, "\(text) read as \(decoded.text)") { try decoded.checkSanity() }
      // Bytes changed at random are another miniscript or none, and nothing worse.
      for _ in 0..<20 {
        var bytes = miniscript.script.bytes
        bytes[.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
        let changed = Miniscript(decoding: Script(bytes), context: context) { byHash[$0] }
        #expect(changed == nil || changed?.script == Script(bytes))
        bytes.removeSubrange(.random(in: bytes.indices, using: &random)...)
        _ = Miniscript(decoding: Script(bytes), context: context) { byHash[$0] }
      }
      for _ in 0..<6 { if try world.spend(miniscript, text, using: &random) { spent += 1 } }
    }
    // Some of the tries succeed and some do not, or the test would show nothing.
    #expect(spent > Self.count && spent < Self.count * 6, "seed \(Self.seed): \(spent)")
  }

  /// Keys, hashes and the transaction that spends.
  struct World {
    let context: MiniscriptContext
    let secrets: [Bytes32]
    let keys: [PublicKey]
    let preimages: [[UInt8]]
    let hashes: [MiniscriptHash]

    init(context: MiniscriptContext) {
      self.context = context
      secrets = (0..<64).map { sha256([UInt8($0)]) }
      keys = secrets.compactMap { try? SecretKey($0).publicKey }
      preimages = (0..<4).map { sha256([0xff, UInt8($0)]).array }
      hashes = [
        .sha256(sha256(preimages[0])), .hash256(sha256d(preimages[1])), .ripemd160(ripemd160(preimages[2])),
        .hash160(hash160(preimages[3])),
      ]
    }

    // MARK: Making expressions

    /// Sane expressions. Larger ones are made of smaller ones with places for keys, so that no key is used twice.
    func randomExpressions(count: Int, using random: inout SeededGenerator) -> [String] {
      let multi = context == .p2wsh ? "multi" : "multi_a"
      let keys = ["pk_k(K)", "pk_h(K)", "pk(K)", "pkh(K)", "\(multi)(1,K,K)", "\(multi)(2,K,K,K)", "\(multi)(2,K,K)"]
      let others = [
        "0", "1", "older(10)", "older(4194400)", "after(100)", "after(500000100)", "sha256(\(hex(0)))",
        "hash256(\(hex(1)))", "ripemd160(\(hex(2)))", "hash160(\(hex(3)))",
      ]
      var pool = Pool()
      for leaf in keys + keys + others { pool.add(leaf, type(of: leaf)) }
      var found: [String] = []
      for _ in 0..<max(60_000, 400 * count) where found.count < count {
        let candidate = combine(pool, using: &random)
        guard candidate.utf8.count < 500 else { continue }
        let type = type(of: candidate)
        guard !type.isEmpty else { continue }
        pool.add(candidate, type)
        guard type.contains([.base, .signed, .nonMalleable, .noTimelockMix]) else { continue }
        let text = withKeys(candidate)
        guard let miniscript = try? Miniscript<PublicKey>(text, context: context), miniscript.keys.count > 1,
          (try? miniscript.checkSanity()) != nil
        else { continue }
        found.append(text)
      }
      return found
    }

    /// Templates by their basic type.
    struct Pool {
      var all: [UInt32: [String]] = [:]

      mutating func add(_ text: String, _ type: MiniscriptType) {
        let basic = type.intersection([.base, .verify, .key, .wrapped]).rawValue
        all[basic, default: []].append(text)
      }

      func pick(_ type: MiniscriptType, using random: inout SeededGenerator) -> String {
        let texts = all[type.rawValue] ?? []
        // Later ones are larger: prefer them now and then.
        let start = Bool.random(using: &random) ? 0 : texts.count * 3 / 4
        return texts.isEmpty ? "0" : texts[.random(in: start..<texts.count, using: &random)]
      }
    }

    private func type(of template: String) -> MiniscriptType {
      (try? Miniscript<String>(template, context: context, readKey: { $0 }))?.type ?? []
    }

    private func hex(_ index: Int) -> String {
      switch hashes[index] {
      case .sha256(let hash), .hash256(let hash): hash.hex
      case .ripemd160(let hash), .hash160(let hash): hash.hex
      }
    }

    private func combine(_ pool: Pool, using random: inout SeededGenerator) -> String {
      func wrap(_ letters: String, _ text: String) -> String {
        let letter = letters.randomElement(using: &random) ?? "a"
        let isWrapped = text.firstIndex(of: ":").map { text[..<$0].allSatisfy(\.isLetter) } ?? false
        return isWrapped ? "\(letter)\(text)" : "\(letter):\(text)"
      }
      let base = pool.pick(.base, using: &random)
      let other = pool.pick(.base, using: &random)
      let wrapped = pool.pick(.wrapped, using: &random)
      let verify = pool.pick(.verify, using: &random)
      let same: MiniscriptType = [.base, .verify, .key].randomElement(using: &random) ?? .base
      let (left, right) = (pool.pick(same, using: &random), pool.pick(same, using: &random))
      switch Int.random(in: 0..<14, using: &random) {
      case 0, 1, 2: return wrap("asasvvnjlu", base)
      case 3: return wrap("dt", verify)
      case 4: return wrap("c", pool.pick(.key, using: &random))
      case 5: return "andor(\(base),\(left),\(right))"
      case 6: return "and_v(\(verify),\(left))"
      case 7: return "and_b(\(base),\(wrapped))"
      case 8: return "and_n(\(base),\(other))"
      case 9: return "or_b(\(base),\(wrapped))"
      case 10: return "or_c(\(base),\(verify))"
      case 11: return "or_d(\(base),\(other))"
      case 12: return "or_i(\(left),\(right))"
      default:
        let subs = [base] + (0..<Int.random(in: 0...3, using: &random)).map { _ in pool.pick(.wrapped, using: &random) }
        return "thresh(\(Int.random(in: 1...subs.count, using: &random)),\(subs.joined(separator: ",")))"
      }
    }

    private func withKeys(_ template: String) -> String {
      var text = ""
      var next = 0
      for character in template {
        if character == "K" {
          text += keys[next % keys.count].hex
          next += 1
        } else {
          text.append(character)
        }
      }
      return text
    }

    // MARK: Spending

    /// Whether a random choice of what is at hand was enough.
    func spend(_ miniscript: Miniscript<PublicKey>, _ text: String, using random: inout SeededGenerator) throws -> Bool
    {
      let script = miniscript.script
      let leaf = TapLeaf(script: script)
      let output = try TaprootOutput(internalKey: keys[63].xOnly.key, tree: .leaf(leaf))
      let spent = TxOutput(
        value: Satoshi(100_000), scriptPubKey: context == .p2wsh ? .p2wsh(script) : output.scriptPubKey)
      let sequence: UInt32 = [0xffff_fffe, 5, 10, 200, 4_194_300, 4_194_500].randomElement(using: &random) ?? 0
      let lockTime: UInt32 = [0, 50, 100, 400, 500_000_000, 500_000_200].randomElement(using: &random) ?? 0
      var transaction = Transaction(
        inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([1])), vout: 0), sequence: sequence)],
        outputs: [TxOutput(value: Satoshi(90_000), scriptPubKey: .p2a)], lockTime: lockTime)
      let sighash =
        context == .p2wsh
        ? try transaction.segwitV0Sighash(
          input: 0, scriptCode: script, amount: spent.value, type: .all, parts: SighashParts(transaction))
        : try transaction.taprootSighash(
          input: 0, spentOutputs: [spent], type: .default, tapscript: .init(leafHash: leaf.hash),
          parts: SighashParts(transaction, spentOutputs: [spent]))
      let likely = Int.random(in: 2...10, using: &random)
      var signatures: [PublicKey: [UInt8]] = [:]
      for key in miniscript.keys where Int.random(in: 0..<10, using: &random) < likely {
        guard let index = keys.firstIndex(of: key) else { continue }
        let secret = try SecretKey(secrets[index])
        signatures[key] =
          context == .p2wsh
          ? secret.signECDSA(sighash.raw).der + [1] : KeyPair(secret).signSchnorr(sighash.raw, auxRand: Bytes32()).array
      }
      var known: [MiniscriptHash: [UInt8]] = [:]
      for (hash, preimage) in zip(hashes, preimages) where Int.random(in: 0..<10, using: &random) < likely {
        known[hash] = preimage
      }
      let timelocks = SpendingTimelocks(sequence: sequence, lockTime: lockTime)
      let satisfier = Satisfier(signatures: signatures, preimages: known, timelocks: timelocks)
      let isSatisfiable = meaning(miniscript, satisfier)
      guard let witness = miniscript.satisfy(with: satisfier, publicKey: { $0 }) else {
        #expect(!isSatisfiable, "\(text) has no satisfaction")
        return false
      }
      #expect(isSatisfiable, "\(text) has a satisfaction")
      #expect(witness.count <= miniscript.maximumStackItems ?? 0, "\(text)")
      let size = witness.elements.reduce(0) { $0 + 1 + $1.count }
      #expect(size <= miniscript.maximumSatisfactionSize ?? 0, "\(text)")
      transaction.inputs[0].witness = Witness(
        witness.elements + [script.bytes]
          + (context == .p2wsh ? [] : [output.controlBlock(for: output.paths[0]).encoded]))
      do {
        try ScriptVerifier.verify(input: 0, of: transaction, spending: [spent], flags: .standard)
      } catch {
        Issue.record(
          "\(error): \(text) seed \(MiniscriptSatisfactionTests.seed) witness \(witness.elements.map { Hex.encode($0) })"
        )
      }
      return true
    }

    /// Whether the policy that the expression stands for is met.
    private func meaning(_ miniscript: Miniscript<PublicKey>, _ satisfier: Satisfier) -> Bool {
      var met: [Bool] = []
      for node in miniscript.fragments {
        let subs = node.subexpressions.map { met[$0] }
        switch node {
        case .zero: met.append(false)
        case .one: met.append(true)
        case .pkK(let key), .pkH(let key): met.append(satisfier.signatures[miniscript.keys[key]] != nil)
        case .older(let number): met.append(satisfier.timelocks.satisfiesOlder(number))
        case .after(let number): met.append(satisfier.timelocks.satisfiesAfter(number))
        case .sha256(let hash): met.append(satisfier.preimages[.sha256(hash)] != nil)
        case .hash256(let hash): met.append(satisfier.preimages[.hash256(hash)] != nil)
        case .ripemd160(let hash): met.append(satisfier.preimages[.ripemd160(hash)] != nil)
        case .hash160(let hash): met.append(satisfier.preimages[.hash160(hash)] != nil)
        case .andor: met.append(subs[0] && subs[1] || subs[2])
        case .andV, .andB: met.append(subs[0] && subs[1])
        case .orB, .orC, .orD, .orI: met.append(subs[0] || subs[1])
        case .thresh(let required, _): met.append(subs.filter { $0 }.count >= required)
        case .multi(let required, let keys), .multiA(let required, let keys):
          met.append(keys.filter { satisfier.signatures[miniscript.keys[$0]] != nil }.count >= required)
        case .wrapA, .wrapS, .wrapC, .wrapD, .wrapV, .wrapJ, .wrapN: met.append(subs[0])
        }
      }
      return met.last ?? false
    }
  }
}
