public import GLC
internal import Encoding
public import Signer

/// One end of a simulated channel: the channel, its signer, and what would be on disk.
public struct SimulatedParty: Sendable {
  public var channel: Channel
  public private(set) var signer: LocalSigner
  /// The channel's bytes and the signer's marks as they were persisted last.
  private var durable: (channel: [UInt8], marks: LocalSigner.Marks)
  private let makeSigner: @Sendable (LocalSigner.Marks) -> LocalSigner
  private let registry: ExtensionRegistry

  /// - Parameter registry: the extensions of every stack that the channel may have; nil: of the one that it has.
  public init(
    channel: Channel, registry: ExtensionRegistry? = nil,
    makeSigner: @escaping @Sendable (LocalSigner.Marks) -> LocalSigner
  ) {
    self.channel = channel
    self.registry = registry ?? ExtensionRegistry(channel.stack)
    self.makeSigner = makeSigner
    signer = makeSigner(LocalSigner.Marks())
    durable = (channel.encoded, LocalSigner.Marks())
  }

  /// Makes the present state durable.
  public mutating func persist() { durable = (channel.encoded, signer.currentMarks) }

  /// A signer of its own, for a copy that goes another way.
  mutating func detach() { signer = makeSigner(signer.currentMarks) }

  /// Starts again from what was persisted: everything in memory is lost.
  public mutating func restart() throws {
    let stored = durable.channel
    channel = try Channel(decoding: stored.bytes, registry: registry)
    guard channel.encoded == stored else {
      throw StoredStateError.malformed(.malformed("it is stored differently again"))
    }
    signer = makeSigner(durable.marks)
  }
}
