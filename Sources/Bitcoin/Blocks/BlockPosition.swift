/// A block's place in a chain.
public struct BlockPosition: Hashable, Sendable, CustomStringConvertible {
  public var height: UInt32
  public var hash: BlockHash

  public init(height: UInt32, hash: BlockHash) {
    self.height = height
    self.hash = hash
  }

  public var description: String { "block \(height) (\(hash))" }
}
