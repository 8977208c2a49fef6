internal import Encoding
public import Secp256k1

/// The side that is connected to. Made from act one; send `actTwo`, hand the answer to `receive`. A handshake is used up by each step,
/// whether it succeeds or not.
public struct ResponderHandshake: ~Copyable, Sendable {
  /// What to answer, 50 bytes.
  public let actTwo: [UInt8]
  private var state: SymmetricState
  private let ephemeral: SecretKey

  /// BOLT 8 §Act One, receiver actions, and §Act Two, sender actions. `localStatic` is the key of our node id; `ephemeral` a fresh
  /// random key, except in tests. Throws what is wrong with act one; the connection must then be closed without any byte sent.
  public init(
    actOne: RawSpan, localStatic: borrowing SecretKey, ephemeral: consuming SecretKey = .random()
  ) throws(HandshakeError) {
    let remoteEphemeral = try readKeyAct(.one, actOne)
    var state = SymmetricState(responderStatic: localStatic.publicKey)
    state.mixHash(remoteEphemeral.bytes)
    state.mixKey(localStatic, remoteEphemeral)
    // BOLT 8: If the MAC check in this operation fails, then the initiator does _not_ know the responder's static public key.
    guard state.decrypt(nonce: 0, actOne.extracting(34..<50)) != nil else {
      throw HandshakeError(act: .one, reason: .badTag)
    }
    let publicKey = ephemeral.publicKey
    state.mixHash(publicKey.bytes)
    state.mixKey(ephemeral, remoteEphemeral)
    var act: [UInt8] = [0]
    act.reserveCapacity(50)
    act.append(contentsOf: publicKey.array)
    state.encrypt(nonce: 0, RawSpan(), appendingTo: &act)
    actTwo = act
    self.state = state
    self.ephemeral = ephemeral
  }

  public init(
    actOne: [UInt8], localStatic: borrowing SecretKey, ephemeral: consuming SecretKey = .random()
  ) throws(HandshakeError) {
    try self.init(actOne: actOne.bytes, localStatic: localStatic, ephemeral: ephemeral)
  }

  /// BOLT 8 §Act Three, receiver actions. Throws what is wrong with act three; the connection must then be closed.
  public consuming func receive(actThree: RawSpan) throws(HandshakeError) -> EstablishedSession {
    guard actThree.byteCount == 66 else {
      throw HandshakeError(act: .three, reason: .wrongLength(actThree.byteCount))
    }
    guard actThree[0] == 0 else { throw HandshakeError(act: .three, reason: .badVersion(actThree[0])) }
    // Still under temp_k2, whose nonce 0 act two has used.
    guard let staticBytes = state.decrypt(nonce: 1, actThree.extracting(1..<50)) else {
      throw HandshakeError(act: .three, reason: .badCiphertext)
    }
    guard let remoteStatic = PublicKey(parsing: staticBytes.bytes) else {
      throw HandshakeError(act: .three, reason: .badPublicKey)
    }
    state.mixKey(ephemeral, remoteStatic)
    guard state.decrypt(nonce: 0, actThree.extracting(50..<66)) != nil else {
      throw HandshakeError(act: .three, reason: .badTag)
    }
    return EstablishedSession(
      remoteStatic: remoteStatic, transport: state.split(isInitiator: false), actThree: [])
  }
  public consuming func receive(actThree: [UInt8]) throws(HandshakeError) -> EstablishedSession {
    try receive(actThree: actThree.bytes)
  }
}
