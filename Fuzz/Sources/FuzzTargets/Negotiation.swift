internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Negotiation
internal import Secp256k1
internal import Signer

extension FuzzTarget {
  /// What another node says to compose a channel: every message, its parts, and proposals at a node that waits for one. PSBTs with our
  /// records come along inside.
  static let negotiation = FuzzTarget(
    "negotiation",
    seeds: { NegotiationSample.shared.map { $0.seeds } ?? [] },
    run: { input throws(Violation) in
      var assembler = MessageAssembler()
      _ = try? assembler.take(input)
      try law(assembler.byteCount <= NegotiationLimits.whole, "no peer fills the memory")
      guard let message = try? NegotiationMessage.decode(input) else { return .refused }
      let encoded = message.encoded
      guard let again = try? NegotiationMessage.decode(encoded.bytes) else {
        throw Violation(description: "own encoding is read: \(Hex.encode(encoded))")
      }
      try law(again.encoded == encoded, "a message is written as it was read")
      // Whatever arrives, a negotiation goes on or ends, and never both.
      for node in NegotiationSample.shared?.nodes ?? [] {
        var opening = node.opening
        var effects = opening.receive(message, node.signer)
        if effects.contains(where: { if case .checkInputs = $0 { true } else { false } }) {
          effects += opening.vouch(node.signer)
        }
        let ends = effects.contains { if case .ended = $0 { true } else { false } }
        try law(ends == (opening.stage == .ended), "a negotiation that ends says so")
        if ends {
          try law(!effects.contains { if case .persist = $0 { true } else { false } }, "what has ended is not stored")
        }
      }
      return .accepted
    })
}

/// Two nodes in the middle of a negotiation, and what they have said.
struct NegotiationSample: Sendable {
  struct Node: Sendable {
    var opening: Opening
    let signer: LocalSigner
  }

  var nodes: [Node] = []
  var seeds: [[UInt8]] = []

  static let shared = try? NegotiationSample()

  private init() throws {
    let registry = ExtensionRegistry.shipped
    let stack = try registry.description(parsing: "musig2 + htlc + ptlc + anchors")
    let deal = Deal(
      chain: sha256([1]), stack: stack, fundingFeeRate: FeeRate(satPerKiloWeight: 1000),
      commitmentFeeRate: FeeRate(satPerKiloWeight: 2500))
    let basepoints: [Basepoint] = (0..<5).map { Basepoint(rawValue: $0) } + [Basepoint(rawValue: 16)]
    let signers = (0..<2).map { LocalSigner(channelSeed: sha256([UInt8($0), 42]), basepoints: basepoints) }
    let keys = try (0..<2).map { try SecretKey(sha256([UInt8($0), 99])).publicKey }
    func terms(_ index: Int, _ contribution: UInt64) throws -> OpeningTerms {
      OpeningTerms(
        contribution: Satoshi(contribution), dustLimit: Satoshi(354), contestDelay: 144, minimumDepth: 1,
        basepoints: signers[index].basepoints, firstPoint: try signers[index].perCommitmentPoint(0))
    }
    let id = sha256([9])
    var (opener, effects) = try Opening.inquire(
      id: id, deal: deal, terms: try terms(0, 600_000), nodes: PerParty(local: keys[0], remote: keys[1]),
      policy: OpeningPolicy(), registry: registry)
    nodes.append(Node(opening: opener, signer: signers[0]))
    guard case .send(.inquire(let inquiry)) = effects.first else { return }
    seeds.append(NegotiationMessage.inquire(inquiry).encoded)
    let (acceptor, answer) = try Opening.answer(
      inquiry, chain: sha256([1]), terms: try terms(1, 0), nodes: PerParty(local: keys[1], remote: keys[0]),
      policy: OpeningPolicy(), registry: registry)
    nodes.append(Node(opening: acceptor, signer: signers[1]))
    guard case .send(let offer) = answer.first else { return }
    seeds.append(offer.encoded)
    _ = opener.receive(offer, signers[0])
    let previous = Transaction(
      version: 2, inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([3])), vout: 0), sequence: 0)],
      outputs: [TxOutput(value: Satoshi(900_000), scriptPubKey: .p2wpkh(keys[0]))], lockTime: 0)
    effects = opener.contribute(
      Opening.Contribution(
        inputs: [.init(previous: previous, vout: 0)],
        outputs: [TxOutput(value: Satoshi(290_000), scriptPubKey: .p2wpkh(keys[0]))]), signers[0])
    guard case .send(let proposal) = effects.first else { return }
    seeds.append(proposal.encoded)
    nodes.append(Node(opening: opener, signer: signers[0]))
    var waiting = acceptor
    _ = waiting.receive(proposal, signers[1])
    // It looks for the opener's inputs.
    nodes.append(Node(opening: waiting, signer: signers[1]))
    for effect in waiting.vouch(signers[1]) {
      guard case .send(let completion) = effect else { continue }
      seeds.append(completion.encoded)
      for effect in opener.receive(completion, signers[0]) {
        if case .send(let message) = effect { seeds.append(message.encoded) }
      }
    }
    nodes.append(Node(opening: waiting, signer: signers[1]))
    nodes.append(Node(opening: opener, signer: signers[0]))
    let txid = opener.plan.transaction.txid
    seeds.append(
      NegotiationMessage.sign(FundingSignatures(id: id, txid: txid, witnesses: [])).encoded)
    seeds.append(
      NegotiationMessage.resume(Resumption(id: id, txid: txid, hasCommitment: true, hasSignatures: false)).encoded)
    seeds.append(NegotiationMessage.refuse(id, Refusal(.parameters, extensions: [stack.extensions[0]], "no")).encoded)
    seeds.append(NegotiationMessage.catalogue(Catalogue(registry)).encoded)
  }
}
