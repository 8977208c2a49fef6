internal import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
public import Signer

/// One end of a simulated channel: the channel, its signer, and what would be on disk.
public struct SimulatedParty: Sendable {
  public var channel: Channel
  /// The channel and the signer's marks as they were persisted last.
  public private(set) var durable: (channel: Channel, marks: LocalSigner.Marks)
  public private(set) var signer: LocalSigner
  private let makeSigner: @Sendable (LocalSigner.Marks) -> LocalSigner

  public init(channel: Channel, makeSigner: @escaping @Sendable (LocalSigner.Marks) -> LocalSigner) {
    self.channel = channel
    self.makeSigner = makeSigner
    signer = makeSigner(LocalSigner.Marks())
    durable = (channel, LocalSigner.Marks())
  }

  /// Makes the present state durable.
  public mutating func persist() { durable = (channel, signer.currentMarks) }

  /// Starts again from what was persisted: everything in memory is lost.
  public mutating func restart() {
    channel = durable.channel
    signer = makeSigner(durable.marks)
    channel.disconnect()
  }
}
