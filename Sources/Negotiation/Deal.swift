public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1

/// What a negotiation is about, as the opener asks for it. It does not change: whoever wants something else begins another one.
public struct Deal: Hashable, Sendable {
  /// Of this protocol.
  public static let version: UInt8 = 1

  /// The chain's genesis block, as it is hashed.
  public var chain: Bytes32
  public var stack: StackDescription
  /// Of the funding transaction.
  public var fundingFeeRate: FeeRate
  /// Of commitments; 0 where they pay no fee.
  public var commitmentFeeRate: FeeRate
  /// Of the funding transaction.
  public var lockTime: UInt32
  /// What the acceptor is given of the opener's contribution at the beginning.
  public var pushed: MilliSatoshi
  /// What the opener would like the acceptor to put in.
  public var wished: Satoshi
  /// Whether the channel will be announced to the network.
  public var isAnnounced: Bool
  /// A negotiation whose funding transaction is not confirmed yet and is to be replaced by one that pays more.
  public var replaces: NegotiationID?

  public init(
    chain: Bytes32, stack: StackDescription, fundingFeeRate: FeeRate, commitmentFeeRate: FeeRate,
    lockTime: UInt32 = 0, pushed: MilliSatoshi = .zero, wished: Satoshi = .zero, isAnnounced: Bool = false,
    replaces: NegotiationID? = nil
  ) {
    self.chain = chain
    self.stack = stack
    self.fundingFeeRate = fundingFeeRate
    self.commitmentFeeRate = commitmentFeeRate
    self.lockTime = lockTime
    self.pushed = pushed
    self.wished = wished
    self.isAnnounced = isAnnounced
    self.replaces = replaces
  }
}

extension Deal: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    chain = try reader.read()
    let funding = ExtensionID(rawValue: try reader.readUInt16())
    let extensions = try reader.readExtensions()
    guard zip(extensions, extensions.dropFirst()).allSatisfy(<) else {
      throw .malformed("extensions that are not in ascending order")
    }
    stack = StackDescription(funding: funding, extensions: extensions, transforms: try reader.readExtensions())
    fundingFeeRate = FeeRate(satPerKiloWeight: try reader.readUInt32())
    commitmentFeeRate = FeeRate(satPerKiloWeight: try reader.readUInt32())
    lockTime = try reader.readUInt32()
    pushed = MilliSatoshi(try reader.readUInt64())
    wished = Satoshi(try reader.readUInt64())
    let flags = try reader.readUInt8()
    // Bits of later versions: one that matters comes with another version of the protocol.
    isAnnounced = flags & 1 != 0
    guard flags < 4 else { throw .malformed("unknown flags") }
    if flags & 2 != 0 { replaces = try reader.read() }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(chain)
    writer.write(stack.funding.rawValue)
    writer.write(stack.extensions)
    writer.write(stack.transforms)
    writer.write(fundingFeeRate.satPerKiloWeight)
    writer.write(commitmentFeeRate.satPerKiloWeight)
    writer.write(lockTime)
    writer.write(pushed.rawValue)
    writer.write(wished.rawValue)
    writer.write((isAnnounced ? 1 : 0) | (replaces == nil ? 0 : 2) as UInt8)
    if let replaces { writer.write(replaces) }
  }
}

/// What a party says of itself, and asks of the other one.
public struct OpeningTerms: Hashable, Sendable {
  /// What it puts into the funding output.
  public var contribution: Satoshi
  /// Below it, its own commitment has no outputs.
  public var dustLimit: Satoshi
  /// How many blocks the other party waits for its own outputs.
  public var contestDelay: UInt16
  /// Confirmations that it waits for.
  public var minimumDepth: UInt32
  public var basepoints: Basepoints
  /// Of its commitment 0.
  public var firstPoint: PublicKey
  /// Where its money goes when the channel is closed together, if it has bound itself.
  public var shutdownScript: Script?

  public init(
    contribution: Satoshi, dustLimit: Satoshi, contestDelay: UInt16, minimumDepth: UInt32, basepoints: Basepoints,
    firstPoint: PublicKey, shutdownScript: Script? = nil
  ) {
    self.contribution = contribution
    self.dustLimit = dustLimit
    self.contestDelay = contestDelay
    self.minimumDepth = minimumDepth
    self.basepoints = basepoints
    self.firstPoint = firstPoint
    self.shutdownScript = shutdownScript
  }
}

extension OpeningTerms: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) {
    contribution = Satoshi(try reader.readUInt64())
    dustLimit = Satoshi(try reader.readUInt64())
    contestDelay = try reader.readUInt16()
    minimumDepth = try reader.readUInt32()
    basepoints = try reader.readBasepoints()
    firstPoint = try reader.read()
    let script = try reader.readSized(atMost: 42)
    shutdownScript = script.isEmpty ? nil : Script(script)
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(contribution.rawValue)
    writer.write(dustLimit.rawValue)
    writer.write(contestDelay)
    writer.write(minimumDepth)
    writer.write(basepoints)
    writer.write(firstPoint)
    writer.writeBigSized(shutdownScript?.bytes ?? [])
  }
}

/// What this node asks of a channel that is negotiated, and what it accepts.
public struct OpeningPolicy: Hashable, Sendable {
  /// What is asked of the other party's agreements, and what it may ask of ours.
  public var limits = AgreementLimits.none
  public var acceptable = StackSetting.Acceptable.anything
  public var minimumCapacity = Satoshi(10_000)
  /// Nil: as large as can be.
  public var maximumCapacity: Satoshi?
  public var maximumDustLimit = Satoshi(10_000)
  public var maximumContestDelay: UInt16 = 2016
  public var maximumDepth: UInt32 = 144
  public var commitmentFeeRates = FeeRate.relayFloor...FeeRate(satPerKiloWeight: 100_000)
  public var fundingFeeRates = FeeRate.relayFloor...FeeRate(satPerKiloWeight: 100_000)
  public var maximumDustExposure = ChannelParameters.usualDustExposure
  public var allowsAnnouncement = true

  public init() {}

  /// BOLT 2 §Channel Establishment v2: the channel reserve is fixed at 1% of the total channel balance rounded down to the nearest whole
  /// satoshi or the `dust_limit_satoshis`, whichever is greater.
  static func reserve(capacity: Satoshi, dustLimits: Satoshi...) -> Satoshi {
    dustLimits.reduce(Satoshi(capacity.rawValue / 100), max)
  }

  func check(_ deal: Deal, paysNoFee: Bool) throws(Refusal) {
    // Commitments that pay no fee say so.
    guard
      paysNoFee
        ? deal.commitmentFeeRate == FeeRate(satPerKiloWeight: 0) : commitmentFeeRates.contains(deal.commitmentFeeRate)
    else { throw Refusal(.deal, "commitments at \(deal.commitmentFeeRate) are not acceptable") }
    guard fundingFeeRates.contains(deal.fundingFeeRate) else {
      throw Refusal(.deal, "a funding transaction at \(deal.fundingFeeRate) is not acceptable")
    }
    // A height beyond what any chain reaches soon, or a time: the transaction would wait.
    guard deal.lockTime < 500_000_000 else { throw Refusal(.deal, "the lock time is no height") }
    guard !deal.isAnnounced || allowsAnnouncement else { throw Refusal(.deal, "this channel cannot be announced") }
  }

  func check(_ theirs: OpeningTerms) throws(Refusal) {
    guard theirs.contribution.isInMoneyRange else { throw Refusal(.terms, "a contribution that is out of range") }
    // BOLT 2: `dust_limit_satoshis` is smaller than `354 satoshis`.
    guard theirs.dustLimit >= Satoshi(354), theirs.dustLimit <= maximumDustLimit else {
      throw Refusal(.terms, "a dust limit of \(theirs.dustLimit) is not between 354 sat and \(maximumDustLimit)")
    }
    guard theirs.contestDelay > 0, theirs.contestDelay <= maximumContestDelay else {
      throw Refusal(.terms, "a delay of \(theirs.contestDelay) blocks is not between 1 and \(maximumContestDelay)")
    }
    guard theirs.minimumDepth <= maximumDepth else {
      throw Refusal(.terms, "a depth of \(theirs.minimumDepth) is more than \(maximumDepth)")
    }
  }

  func checkCapacity(_ capacity: Satoshi) throws(Refusal) {
    guard capacity >= minimumCapacity else {
      throw Refusal(.deal, "a channel of \(capacity) is smaller than \(minimumCapacity)")
    }
    if let maximumCapacity, capacity > maximumCapacity {
      throw Refusal(.deal, "a channel of \(capacity) is larger than \(maximumCapacity)")
    }
  }
}
