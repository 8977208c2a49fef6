internal import Encoding
internal import Logging
internal import NIOCore
internal import Noise
internal import Secp256k1
internal import Wire

extension PeerHandler {
  /// The next act of BOLT 8.
  func handleAct(_ part: RawSpan) {
    do throws(HandshakeError) {
      if direction == .outgoing {
        guard let handshake = initiator.take() else { return }
        let session = try handshake.receive(actTwo: part, localStatic: owner.secretKey)
        writeRaw(session.actThree)
        established(session)
      } else if let handshake = responder.take() {
        established(try handshake.receive(actThree: part))
      } else {
        let handshake = try ResponderHandshake(actOne: part, localStatic: owner.secretKey)
        writeRaw(handshake.actTwo)
        responder = consume handshake
        context?.flush()
      }
    } catch {
      end(.handshakeFailed(error))
    }
  }

  /// Each side knows the other. BOLT 1: MUST send `init` as the first Lightning message for any connection.
  private func established(_ session: consuming EstablishedSession) {
    let peer = NodeID(session.remoteStatic)
    remote = peer
    let sending = session.transport.encryptor
    encryptor = consume sending
    let receiving = session.transport.decryptor
    decryptor = consume receiving
    phase = .initialising
    phaseDeadline = .now() + TimeAmount(owner.configuration.times.initMessage)
    if peer == owner.nodeID { return end(.ourself) }
    if let refusal = owner.configuration.refusal(peer, direction) { return end(.refused(refusal)) }
    let message = owner.initMessage(direction: direction, peer: address)
    ourInit = message
    guard let bytes = try? message.encoded() else { return end(.connectionFailed("our init is too long")) }
    control.append(bytes)
    writeControl()
    context?.flush()
    arm()
  }

  /// BOLT 1 §The `init` Message, the receiving node's part.
  func handleInit(_ bytes: [UInt8], type: UInt16) {
    switch type {
    case Init.type: break
    case ErrorMessage.type:
      return end((try? ErrorMessage(decoding: bytes)).map { .refusedByPeer($0.data) } ?? .initMissing(type: type))
    case Warning.type:
      return end((try? Warning(decoding: bytes)).map { .refusedByPeer($0.data) } ?? .initMissing(type: type))
    default: return end(.initMissing(type: type))
    }
    let theirs: Init
    do throws(WireError) {
      theirs = try Init(decoding: bytes)
    } catch {
      return end(.invalidInit(error))
    }
    let configuration = owner.configuration
    do throws(FeatureError) {
      try theirs.combinedFeatures.check(supported: configuration.supportedFeatures)
    } catch {
      return end(.featuresRefused(error))
    }
    guard theirs.sharesChain(with: configuration.networks) else { return end(.noCommonChain) }
    guard let remote, let ourInit, let context else { return }
    let connection = PeerConnection(
      nodeID: remote, address: address, direction: direction, theirInit: theirs, ourInit: ourInit,
      channel: context.channel, handler: self, limits: configuration.limits)
    switch owner.admit(connection) {
    case .refused(let reason): return end(reason)
    case .admitted(replacing: let older):
      self.connection = connection
      phase = .open
      pingSent = nil
      arm()
      older?.close(.duplicate, message: nil)
      ready?.succeed(connection)
      configuration.logger.debug("connected", metadata: metadata)
      owner.handUp(connection)
    }
  }
}
