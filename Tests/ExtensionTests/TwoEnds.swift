import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Signer

/// Both ends of a channel; end 0 funds it. What one sends reaches the other when a test says so.
struct TwoEnds {
  var channels: [Channel] = []
  let signers: [LocalSigner]
  /// Updates that became irrevocable, by end.
  var irrevocable: [[UpdateContent]] = [[], []]

  init(
    _ stack: ChannelStack, feeRate: UInt32 = 2500, balances: [UInt64] = [600_000_000, 400_000_000],
    dustLimits: [UInt64] = [354, 354], reserve: UInt64 = 10_000, maximumDustExposure: UInt64 = 50_000_000
  ) throws {
    let basepoints = Array(Set(stack.keys.map(\.role.basepoint) + [.payment])).sorted()
    signers = (0..<2).map { LocalSigner(channelSeed: sha256([UInt8($0), 99]), basepoints: basepoints) }
    let funding = Funding(
      outPoint: OutPoint(txid: TxID(sha256([1, 2, 3])), vout: 0), capacity: Satoshi(balances.reduce(0, +) / 1000))
    let factor = obscuringFactor(
      openerPaymentBasepoint: signers[0].basepoints[.payment]!,
      acceptorPaymentBasepoint: signers[1].basepoints[.payment]!)
    func nonces(of index: Int, _ number: UInt64) throws -> [FundingNonce] {
      guard stack.funding.signsTogether else { return [] }
      return [
        FundingNonce(
          funding: funding.outPoint.txid, nonce: try signers[index].nonce(number, on: funding.outPoint))
      ]
    }
    for index in 0..<2 {
      func own(_ index: Int) -> PartyParameters {
        PartyParameters(
          dustLimit: Satoshi(dustLimits[index]), contestDelay: 144, reserve: Satoshi(reserve),
          basepoints: signers[index].basepoints)
      }
      channels.append(
        Channel(
          stack: stack,
          parameters: ChannelParameters(
            funder: index == 0 ? .local : .remote, parties: PerParty(local: own(index), remote: own(1 - index)),
            obscuringFactor: factor, maximumDustExposure: MilliSatoshi(maximumDustExposure)),
          funding: funding,
          balances: Balances(local: MilliSatoshi(balances[index]), remote: MilliSatoshi(balances[1 - index])),
          feeRate: FeeRate(satPerKiloWeight: feeRate),
          remotePoints: (
            try signers[1 - index].perCommitmentPoint(0), try signers[1 - index].perCommitmentPoint(1)
          ), remoteNonces: try nonces(of: 1 - index, 1)))
    }
    for index in 0..<2 {
      let nonce = try nonces(of: index, 0).first?.nonce
      let signatures = try channels[1 - index].remoteCommitments()[0].map {
        try signers[1 - index].sign($0, nonce: nonce)
      }
      channels[index] = channels[index].signed(signatures)
    }
  }

  /// An update of ours arrives.
  mutating func update(_ content: UpdateContent, by index: Int) throws {
    try deliver(try channels[index].propose(content), from: index)
  }

  /// Both sign until nothing is left to sign.
  mutating func commit() throws {
    while let index = channels.indices.first(where: { channels[$0].canCommit }) {
      try deliver(try channels[index].commit(signers[index]), from: index)
    }
  }

  mutating func deliver(_ effects: [ChannelEffect], from index: Int) throws {
    for effect in effects {
      switch effect {
      case .send(let message):
        try deliver(try channels[1 - index].receive(message, signers[1 - index]), from: 1 - index)
      case .irrevocable(let content, _): irrevocable[index].append(content)
      default: break
      }
    }
  }

  /// What the other end says of a message that this one would not send.
  mutating func refusal(of content: UpdateContent, by index: Int) -> ChannelError? {
    do throws(ChannelError) {
      _ = try channels[1 - index].receive(.update(content), signers[1 - index])
      return nil
    } catch {
      return error
    }
  }
}

extension UpdateContent {
  /// Of the HTLC extension, which stands first in every stack of the BOLTs.
  static func htlc(_ update: HTLCUpdate) -> UpdateContent { .extension(0, AnyUpdate(update, of: HTLCExtension.self)) }

  static func add(
    _ id: UInt64, _ amount: UInt64, expiry: UInt32 = 500, onion: Int = HTLCUpdate.onionByteCount, preimage: UInt8 = 1,
    extra: TLVStream = TLVStream()
  ) -> UpdateContent {
    htlc(
      .add(
        id: id, amount: MilliSatoshi(amount), paymentHash: PaymentHash(sha256([UInt8](repeating: preimage, count: 32))),
        cltvExpiry: expiry, onion: [UInt8](repeating: 7, count: onion), extra: extra))
  }

  static func fulfill(_ id: UInt64, preimage: UInt8 = 1) -> UpdateContent {
    htlc(.fulfill(id: id, preimage: Bytes32(InlineArray(repeating: preimage)), extra: TLVStream()))
  }

  static func fail(_ id: UInt64) -> UpdateContent { htlc(.fail(id: id, reason: [1, 2], extra: TLVStream())) }

  static func fee(_ rate: UInt32) -> UpdateContent { .feeRate(FeeRate(satPerKiloWeight: rate)) }
}
