/// The type of a failure message (BOLT 4 §Failure Messages).
public struct FailureCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  private init(_ number: UInt16, _ flags: UInt16...) { rawValue = flags.reduce(number, |) }

  static let badOnionFlag: UInt16 = 0x8000
  static let permFlag: UInt16 = 0x4000
  static let nodeFlag: UInt16 = 0x2000
  static let updateFlag: UInt16 = 0x1000

  /// BADONION: unparsable onion encrypted by sending peer.
  public var isBadOnion: Bool { rawValue & Self.badOnionFlag != 0 }
  /// PERM: permanent failure (otherwise transient).
  public var isPermanent: Bool { rawValue & Self.permFlag != 0 }
  /// NODE: node failure (otherwise channel).
  public var isNodeFailure: Bool { rawValue & Self.nodeFlag != 0 }
  /// UPDATE: channel forwarding parameter was violated.
  public var isUpdate: Bool { rawValue & Self.updateFlag != 0 }

  public static let temporaryNodeFailure = FailureCode(2, nodeFlag)
  public static let permanentNodeFailure = FailureCode(2, permFlag, nodeFlag)
  public static let requiredNodeFeatureMissing = FailureCode(3, permFlag, nodeFlag)
  public static let invalidOnionVersion = FailureCode(4, badOnionFlag, permFlag)
  public static let invalidOnionHMAC = FailureCode(5, badOnionFlag, permFlag)
  public static let invalidOnionKey = FailureCode(6, badOnionFlag, permFlag)
  public static let temporaryChannelFailure = FailureCode(7, updateFlag)
  public static let permanentChannelFailure = FailureCode(8, permFlag)
  public static let requiredChannelFeatureMissing = FailureCode(9, permFlag)
  public static let unknownNextPeer = FailureCode(10, permFlag)
  public static let amountBelowMinimum = FailureCode(11, updateFlag)
  public static let feeInsufficient = FailureCode(12, updateFlag)
  public static let incorrectCLTVExpiry = FailureCode(13, updateFlag)
  public static let expiryTooSoon = FailureCode(14, updateFlag)
  public static let incorrectOrUnknownPaymentDetails = FailureCode(15, permFlag)
  public static let finalIncorrectCLTVExpiry = FailureCode(18)
  public static let finalIncorrectHTLCAmount = FailureCode(19)
  public static let channelDisabled = FailureCode(20, updateFlag)
  public static let expiryTooFar = FailureCode(21)
  public static let invalidOnionPayload = FailureCode(22, permFlag)
  public static let mppTimeout = FailureCode(23)
  public static let invalidOnionBlinding = FailureCode(24, badOnionFlag, permFlag)
  // Of the trampoline proposal (BOLTs pull request 836).
  public static let temporaryTrampolineFailure = FailureCode(25, nodeFlag)
  public static let trampolineFeeOrExpiryInsufficient = FailureCode(26, nodeFlag)
  public static let unknownNextTrampoline = FailureCode(27, permFlag)

  /// BOLT 4's name; nil for a code that it does not define.
  public var name: String? { Self.names[self] }

  public var description: String { name ?? "failure code \(rawValue)" }

  private static let names: [FailureCode: String] = [
    .temporaryNodeFailure: "temporary_node_failure",
    .permanentNodeFailure: "permanent_node_failure",
    .requiredNodeFeatureMissing: "required_node_feature_missing",
    .invalidOnionVersion: "invalid_onion_version",
    .invalidOnionHMAC: "invalid_onion_hmac",
    .invalidOnionKey: "invalid_onion_key",
    .temporaryChannelFailure: "temporary_channel_failure",
    .permanentChannelFailure: "permanent_channel_failure",
    .requiredChannelFeatureMissing: "required_channel_feature_missing",
    .unknownNextPeer: "unknown_next_peer",
    .amountBelowMinimum: "amount_below_minimum",
    .feeInsufficient: "fee_insufficient",
    .incorrectCLTVExpiry: "incorrect_cltv_expiry",
    .expiryTooSoon: "expiry_too_soon",
    .incorrectOrUnknownPaymentDetails: "incorrect_or_unknown_payment_details",
    .finalIncorrectCLTVExpiry: "final_incorrect_cltv_expiry",
    .finalIncorrectHTLCAmount: "final_incorrect_htlc_amount",
    .channelDisabled: "channel_disabled",
    .expiryTooFar: "expiry_too_far",
    .invalidOnionPayload: "invalid_onion_payload",
    .mppTimeout: "mpp_timeout",
    .invalidOnionBlinding: "invalid_onion_blinding",
    .temporaryTrampolineFailure: "temporary_trampoline_failure",
    .trampolineFeeOrExpiryInsufficient: "trampoline_fee_or_expiry_insufficient",
    .unknownNextTrampoline: "unknown_next_trampoline",
  ]
}

extension OnionError {
  /// The failure that BOLT 4 names for this. A replay has none of its own: to the sender it looks like a node in trouble.
  public var code: FailureCode {
    switch self {
    case .invalidOnionVersion: .invalidOnionVersion
    case .invalidOnionKey: .invalidOnionKey
    case .invalidOnionHMAC: .invalidOnionHMAC
    case .invalidOnionPayload: .invalidOnionPayload
    case .replayed: .temporaryNodeFailure
    }
  }

  /// The secret under which the failure is returned to the sender; nil where there is none and the peer is told instead, by
  /// `update_fail_malformed_htlc`.
  public var sharedSecret: SharedSecret? {
    switch self {
    case .invalidOnionPayload(let secret), .replayed(let secret): secret
    case .invalidOnionVersion, .invalidOnionKey, .invalidOnionHMAC: nil
    }
  }
}
