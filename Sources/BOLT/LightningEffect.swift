public import Bitcoin
public import Encoding
public import GLC
public import Onchain
public import Wire

/// What is to be done after a step of a channel, in this order. Whatever is to be stored must be durable before anything behind it
/// happens.
public enum LightningEffect: Sendable {
  /// Store the channel as it is after the step.
  case persist
  /// Store this together with the channel.
  case record(ChannelRecord)
  /// A message for the peer, its type included.
  case send([UInt8])
  /// The opener is to make a transaction with this output, without broadcasting it, and to call `fund`.
  case makeFunding(script: Script, amount: Satoshi)
  /// Tell the channel about the depth of this output, and about what spends it.
  case watchFunding(OutPoint, Script)
  case broadcast(Transaction, Purpose)
  case payment(PaymentNotice)
  /// Both sides have sent `channel_ready`: payments can flow.
  case ready
  /// What became of our wish for another stack.
  case upgrade(UpgradeOutcome)
  /// Both sides' commitments have another stack than before, for good.
  case stackChanged
  /// The funding output is deep enough to be announced: `announcement` has what is to be signed.
  case announce
  /// Both sides' signatures for the announcement are there.
  case announced(AnnouncementSignatures)
  /// Send this warning and close the connection; the channel stays.
  case disconnect(String)
  /// The channel goes to the chain.
  case forceClose(String)
  /// Nothing is at stake: the channel never came to be, and can be forgotten.
  case forget(String)
  /// We have lost data, as the remote party has proven. It is asked to close the channel.
  case dataLoss

  public enum Purpose: String, Hashable, Sendable {
    case funding
    case close
  }
}

/// What is stored along with a channel, under a name of its own.
public enum ChannelRecord: Sendable {
  /// What is needed to punish a commitment that the remote party has given up.
  case revocation(number: UInt64, funding: OutPoint, RevocationRecord)
  /// A payment that the remote party has offered, for good.
  case incoming(IncomingOffer)
  /// That payment has been removed for good.
  case incomingGone(PaymentName)
  /// What became of an offer of ours, under its origin.
  case outcome(origin: [UInt8], OfferOutcome)
}

/// A payment that the remote party has offered; nothing can take it back any more.
public struct IncomingOffer: Hashable, Sendable {
  public var channel: ChannelID
  public var offer: AnyPaymentOffer

  /// It is dust, and more of it than `max_dust_htlc_exposure_msat` allows: to be refused.
  public var exceedsDustExposure: Bool

  public init(channel: ChannelID, offer: AnyPaymentOffer, exceedsDustExposure: Bool = false) {
    self.channel = channel
    self.offer = offer
    self.exceedsDustExposure = exceedsDustExposure
  }
}

/// How an offer of ours ended.
public enum OfferOutcome: Hashable, Sendable {
  /// The receiver has shown what opens the lock.
  case settled(PaymentWitness, attribution: [UInt8]?)
  /// `reason`: the encrypted failure.
  case failed(reason: [UInt8], attribution: [UInt8]?)
  /// The receiver could not read the onion.
  case malformed(code: UInt16, onionHash: Bytes32)
}

/// What payments have to know of a channel.
public enum PaymentNotice: Sendable {
  case incoming(IncomingOffer)
  /// An offer of ours has ended: for good, or, when it was settled, as good as that.
  case outcome(origin: [UInt8], OfferOutcome)
  /// An incoming payment has been removed for good.
  case incomingGone(channel: ChannelID, PaymentName)
}
