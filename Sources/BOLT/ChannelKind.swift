public import GLC
public import Wire

/// How two nodes came to agree on a channel. What it is composed of, its stack says.
public enum ChannelKind: Hashable, Sendable {
  /// As one of the channel types of the BOLTs, by `open_channel` and `accept_channel`.
  case type(Wire.ChannelType)
  /// As a stack of extensions, by nodes that compose channels.
  case composed(Options)

  /// What `channel_type` says besides the stack.
  public struct Options: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `option_scid_alias`: the place in the chain is told nobody.
    public static let hidesShortChannelID = Options(rawValue: 1)
  }

  public var hidesShortChannelID: Bool {
    switch self {
    case .type(let type): type.contains(.scidAlias)
    case .composed(let options): options.contains(.hidesShortChannelID)
    }
  }

  /// Of the stack that it begins with, as long as there is none.
  var signsTogether: Bool { if case .type(let type) = self { type.signsTogether } else { false } }
}

extension LightningChannel {
  /// `channel_type`, where the channel has one.
  public var type: Wire.ChannelType? { if case .type(let type) = kind { type } else { nil } }

  /// What it is composed of, once there is a funding output.
  public var stack: ChannelStack? { core?.stack }

  /// Whether commitments are signed together (taproot).
  var signsTogether: Bool { core?.signsTogether ?? kind.signsTogether }

  /// Whether commitments keep the fee rate that they began with.
  public var fixesFeeRate: Bool { core?.stack.fixesFeeRate ?? false }

  /// Whether a child can pay for a commitment.
  public var raisesFees: Bool { core.map { $0.stack.feeBumping != .none } ?? false }
}

extension Wire.ChannelType {
  /// Whether both sides sign commitments together: taproot channels, which cannot be announced.
  public var signsTogether: Bool { contains(.simpleTaproot) || contains(.taprootZeroFeeCommitments) }
  /// Commitments of version 3 pay no fee.
  public var paysNoFees: Bool { contains(.zeroFeeCommitments) || contains(.taprootZeroFeeCommitments) }
}
