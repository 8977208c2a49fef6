internal import Anchors
internal import Base
public import GLC
internal import HTLC
internal import PTLC

extension ExtensionRegistry {
  /// Every extension that comes with this package: what a node can read, compose and agree on. An author's own is one line more.
  public static let shipped: ExtensionRegistry = {
    var registry = ExtensionRegistry()
    registry.register(WitnessScriptFunding())
    registry.register(MuSig2Funding())
    registry.register(MainOutputs())
    registry.register(HTLCExtension(), basepoints: [.htlc])
    registry.register(PTLCExtension(), basepoints: [.ptlc])
    registry.register(Anchors())
    registry.register(SharedAnchor())
    return registry
  }()
}
