internal import Encoding
public import Secp256k1
public import Sphinx

/// What only the holder of the node's key can do for payments.
public protocol NodeKey: Sendable {
  var nodeID: PublicKey { get }
  /// Takes our layer off an onion.
  func peel(
    _ packet: OnionPacket, associatedData: [UInt8], pathKey: PublicKey?
  ) throws(OnionError) -> PeeledOnion
  /// Reads our part of a blinded route.
  func unblind(_ encryptedRecipientData: [UInt8], pathKey: PublicKey) throws(UnblindingError) -> UnblindedData
  func sign(_ invoice: Bolt11Invoice.Contents) throws(Bolt11Error) -> Bolt11Invoice
}

/// A node's key in this process.
public final class LocalNodeKey: NodeKey {
  private let secretKey: SecretKey
  public let nodeID: PublicKey

  public init(_ secretKey: consuming SecretKey) {
    nodeID = secretKey.publicKey
    self.secretKey = secretKey
  }

  public func peel(
    _ packet: OnionPacket, associatedData: [UInt8], pathKey: PublicKey?
  ) throws(OnionError) -> PeeledOnion {
    let blinding = pathKey.map { BlindingSecret(pathKey: $0, nodeKey: secretKey) }
    return try Onion.peel(packet, associatedData: associatedData, nodeKey: secretKey, blinding: blinding)
  }

  public func unblind(
    _ encryptedRecipientData: [UInt8], pathKey: PublicKey
  ) throws(UnblindingError) -> UnblindedData {
    try BlindingSecret(pathKey: pathKey, nodeKey: secretKey).unblind(encryptedRecipientData)
  }

  public func sign(_ invoice: Bolt11Invoice.Contents) throws(Bolt11Error) -> Bolt11Invoice {
    try invoice.sign(with: secretKey)
  }
}
