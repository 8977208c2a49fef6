public import Bitcoin
internal import Wire

/// What a node decides about payments.
public struct PaymentConfiguration: Hashable, Sendable {
  public var network: Network

  /// BOLT 4 §`max_htlc_cltv` Selection: 2016 blocks.
  public var maximumExpiryDelta: UInt32 = 2016
  /// G, how many blocks after an offer's expiry its channel is failed. BOLT 2: 1 or 2 blocks is reasonable.
  public var timeoutGrace: UInt32 = 2
  /// 2R + G + S, how many blocks before its expiry an offer that we can take must be taken. BOLT 2: 18 blocks is reasonable.
  public var fulfillmentMargin: UInt32 = 18
  /// How many blocks before that a hold invoice's payment goes back.
  public var holdMargin: UInt32 = 3
  /// For tests alone: no payment is failed and no channel is closed because of time.
  public var ignoresDeadlines = false
  /// What invoices ask for unless told otherwise: the margin, and some blocks that may be found while a payment is on its way.
  public var minFinalCLTVExpiryDelta: UInt32 = 24
  /// BOLT 4: SHOULD wait for at least 60 seconds after the initial HTLC.
  public var mppTimeoutMilliseconds: UInt64 = 60_000
  /// How many parts a payment to us may have.
  public var maximumIncomingParts = 200
  /// How many payments may be on their way through us.
  public var maximumPendingForwards = 20_000
  public var acceptsKeysend = true
  /// Whether we say how long we held a payment (`option_attribution_data`).
  public var sendsAttribution = true

  /// How many parts of one payment of ours are on their way at most.
  public var maximumParts = 16
  /// How many parts of one payment of ours are tried at most.
  public var maximumAttempts: UInt32 = 100
  /// No part is smaller, unless the whole payment is.
  public var minimumPart = MilliSatoshi(10_000_000)
  /// Blocks that we add to what a payee asks for: so many may be found while a payment is on its way.
  public var finalCLTVSlack: UInt32 = 3
  /// How often a payee may fail a part of a payment for a reason that passes.
  public var maximumDestinationFailures: UInt32 = 3

  public init(network: Network) { self.network = network }

  /// What our invoices say that we can do.
  var invoiceFeatures: FeatureSet {
    var features: [Feature: Feature.Support] = [
      .varOnionOptin: .required, .paymentSecret: .required, .basicMPP: .optional,
    ]
    if sendsAttribution { features[.attributionData] = .optional }
    return FeatureSet(features)
  }
}
