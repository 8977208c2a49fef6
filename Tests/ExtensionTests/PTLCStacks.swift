import Anchors
import Base
import GLC
import HTLC
import PTLC

/// Taproot channels with payments locked by points, alone and beside those locked by hashes.
enum PTLCStack: String, CaseIterable {
  case points, mixed, mixedZeroFee

  var paysNoFee: Bool { self == .mixedZeroFee }

  var stack: ChannelStack {
    get throws {
      let isZeroFee = self == .mixedZeroFee
      var extensions: [any ExtensionSlot] = [
        Slot(MainOutputs(), .init(remoteFormat: isZeroFee ? .fixed : .fixedAfterOneBlock))
      ]
      if self != .points { extensions.append(Slot(HTLCExtension(), .init(format: isZeroFee ? .zeroFee : .anchors))) }
      extensions.append(Slot(PTLCExtension(), .init(delaysOneBlock: !isZeroFee)))
      extensions.append(isZeroFee ? Slot(SharedAnchor(), Nothing()) : Slot(Anchors(), Nothing()))
      return try ChannelStack(funding: MuSig2Funding(), extensions: extensions)
    }
  }
}
