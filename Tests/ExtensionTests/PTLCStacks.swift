import Anchors
import Base
import GLC
import HTLC
import PTLC

/// Taproot channels with payments locked by points, alone and beside those locked by hashes, with adaptor signatures of one signer or of both.
enum PTLCStack: String, CaseIterable {
  case points, mixed, mixedZeroFee, pairedPoints, pairedMixed, pairedZeroFee

  var paysNoFee: Bool { self == .mixedZeroFee || self == .pairedZeroFee }
  var scheme: PTLCExtension.Scheme {
    switch self {
    case .points, .mixed, .mixedZeroFee: .singleSigner
    case .pairedPoints, .pairedMixed, .pairedZeroFee: .musig2
    }
  }
  /// Whether there are payments locked by hashes as well.
  var isMixed: Bool { self != .points && self != .pairedPoints }

  var stack: ChannelStack {
    get throws {
      var extensions: [any ExtensionSlot] = [
        Slot(MainOutputs(), .init(remoteFormat: paysNoFee ? .fixed : .fixedAfterOneBlock))
      ]
      if isMixed { extensions.append(Slot(HTLCExtension(), .init(format: paysNoFee ? .zeroFee : .anchors))) }
      extensions.append(Slot(PTLCExtension(), .init(delaysOneBlock: !paysNoFee, scheme: scheme)))
      extensions.append(paysNoFee ? Slot(SharedAnchor(), Nothing()) : Slot(Anchors(), Nothing()))
      return try ChannelStack(funding: MuSig2Funding(), extensions: extensions)
    }
  }
}

extension ChannelStack {
  /// The same without an extension.
  func without(_ id: ExtensionID) throws -> ChannelStack {
    try ChannelStack(funding: funding, extensions: extensions.filter { $0.id != id }, transforms: transforms)
  }
}
