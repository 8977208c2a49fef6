public import Bitcoin
public import Encoding
public import Secp256k1

/// Outputs of one commitment that are alike: what they share is made once, and each member is a number. Scripts and paths of a member
/// are written out only for who wants to see them, so that building and signing a commitment takes no memory for each output.
///
/// What a family says in short must be what it says at length: `checkExtension` compares both.
public protocol OutputFamily: Sendable {
  /// A P2WSH lock, whose script's hash the draft was given, or a taproot output, whose key it was.
  func lock(of member: Int) -> OutputLock
  /// Every way to spend a member. At most one of the paths of each side is pre-signed, by the other side alone, with one output.
  func paths(of member: Int) -> [SpendPath]
  /// The witness script of a member, which signatures for its second stage commit to (BIP 143). Nothing for taproot outputs.
  func writeWitnessScript(of member: Int, to writer: inout ByteWriter)
  /// The path of a member that a side has pre-signed for the other, in short; nil when there is none.
  func secondStage(of member: Int, signedBy signer: Side) -> SecondStageSketch?
  /// Whether a member has one.
  func hasSecondStage(_ member: Int, signedBy signer: Side) -> Bool
}

/// A second-stage transaction with one output, as far as its signature hash depends on it.
public struct SecondStageSketch: Sendable {
  public var version: UInt32
  public var lockTime: UInt32
  public var sequence: UInt32
  public var counterSignature: SignatureSlot
  /// What its signature is for, where that is not the key of its reference alone: a key that is bound to a point is made once.
  public var boundKey: PublicKey?
  /// The hash of the leaf that is spent (BIP 342); nil where there is a witness script.
  public var leaf: Bytes32?
  public var value: Satoshi
  /// The 34 bytes of a version 0 witness script hash or of a taproot output.
  public var scriptPubKey: FixedBytes<34>

  @inlinable public init(
    version: UInt32, lockTime: UInt32, sequence: UInt32, counterSignature: SignatureSlot, boundKey: PublicKey? = nil,
    leaf: Bytes32? = nil, value: Satoshi, scriptPubKey: FixedBytes<34>
  ) {
    self.version = version
    self.lockTime = lockTime
    self.sequence = sequence
    self.counterSignature = counterSignature
    self.boundKey = boundKey
    self.leaf = leaf
    self.value = value
    self.scriptPubKey = scriptPubKey
  }
}
