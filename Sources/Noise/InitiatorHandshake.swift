internal import Encoding
public import Secp256k1

/// The side that connects: it knows the other's node id beforehand. Send `actOne`, hand the answer to `receive`, send the act three
/// that comes out. A handshake is used up by each step, whether it succeeds or not.
public struct InitiatorHandshake: ~Copyable, Sendable {
  /// What to send first, 50 bytes.
  public let actOne: [UInt8]
  private var state: SymmetricState
  private let ephemeral: SecretKey
  private let remoteStatic: PublicKey

  /// BOLT 8 §Act One, sender actions. `ephemeral` is a fresh random key, except in tests: "For each session, a node MUST generate a
  /// new ephemeral key with strong cryptographic randomness."
  public init(remoteStatic: PublicKey, ephemeral: consuming SecretKey = .random()) {
    var state = SymmetricState(responderStatic: remoteStatic)
    let publicKey = ephemeral.publicKey
    state.mixHash(publicKey.bytes)
    state.mixKey(ephemeral, remoteStatic)
    var act: [UInt8] = [0]
    act.reserveCapacity(50)
    act.append(contentsOf: publicKey.array)
    state.encrypt(nonce: 0, RawSpan(), appendingTo: &act)
    actOne = act
    self.state = state
    self.ephemeral = ephemeral
    self.remoteStatic = remoteStatic
  }

  /// BOLT 8 §Act Two, receiver actions, and §Act Three, sender actions. `localStatic` is the key of our node id.
  /// Throws what is wrong with act two; the connection must then be closed without another byte.
  public consuming func receive(
    actTwo: RawSpan, localStatic: borrowing SecretKey
  ) throws(HandshakeError) -> EstablishedSession {
    let remoteEphemeral = try readKeyAct(.two, actTwo)
    state.mixHash(remoteEphemeral.bytes)
    state.mixKey(ephemeral, remoteEphemeral)
    guard state.decrypt(nonce: 0, actTwo.extracting(34..<50)) != nil else {
      throw HandshakeError(act: .two, reason: .badTag)
    }
    var act: [UInt8] = [0]
    act.reserveCapacity(66)
    state.encrypt(nonce: 1, localStatic.publicKey.bytes, appendingTo: &act)
    state.mixKey(localStatic, remoteEphemeral)
    state.encrypt(nonce: 0, RawSpan(), appendingTo: &act)
    return EstablishedSession(
      remoteStatic: remoteStatic, transport: state.split(isInitiator: true), actThree: act)
  }

  public consuming func receive(
    actTwo: [UInt8], localStatic: borrowing SecretKey
  ) throws(HandshakeError) -> EstablishedSession {
    try receive(actTwo: actTwo.bytes, localStatic: localStatic)
  }
}

/// Both sides know each other, and have the keys of the transport.
@frozen public struct EstablishedSession: ~Copyable, Sendable {
  /// The other's node id.
  public let remoteStatic: PublicKey
  public var transport: Transport
  /// What the initiator still has to send, 66 bytes; empty for the responder.
  public let actThree: [UInt8]
}

/// Reads act one or act two up to the tag: version and ephemeral key.
func readKeyAct(_ act: HandshakeError.Act, _ bytes: RawSpan) throws(HandshakeError) -> PublicKey {
  guard bytes.byteCount == act.byteCount else {
    throw HandshakeError(act: act, reason: .wrongLength(bytes.byteCount))
  }
  guard bytes[0] == 0 else { throw HandshakeError(act: act, reason: .badVersion(bytes[0])) }
  guard let key = PublicKey(parsing: bytes.extracting(1..<34)) else {
    throw HandshakeError(act: act, reason: .badPublicKey)
  }
  return key
}
