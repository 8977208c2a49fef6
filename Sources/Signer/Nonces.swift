internal import Bitcoin
internal import Encoding
public import GLC
internal import Hashing
public import Secp256k1
internal import Synchronization

/// Watches that no nonce ever signs two things: whoever sees two signatures with one nonce knows the key. For tests and simulations, where
/// one of these outlives the signers of a party, which die and start again.
public final class NonceAudit: Sendable {
  private let sessions = Mutex<[MuSigPublicNonce: Bytes32]>([:])

  public init() {}

  /// How many nonces have signed something.
  public var count: Int { sessions.withLock { $0.count } }

  /// Throws when the nonce has signed something else before, or together with another nonce of the other side.
  func record(_ nonce: MuSigPublicNonce, _ session: Bytes32) throws(SigningError) {
    let known = sessions.withLock { sessions in
      defer { if sessions[nonce] == nil { sessions[nonce] = session } }
      return sessions[nonce]
    }
    if let known, known != session { throw .nonceReuse }
  }
}

/// Nonces whose public half the other side has been told, each until it is used.
final class AnnouncedNonces: Sendable {
  private final class Box: Sendable {
    private let nonce: Mutex<MuSigSecretNonce?>

    init(_ nonce: consuming MuSigSecretNonce) { self.nonce = Mutex(nonce) }

    func take() -> MuSigSecretNonce? { nonce.withLock { $0.take() } }
  }

  private let boxes = Mutex<[MuSigPublicNonce: Box]>([:])

  func add(_ nonce: consuming MuSigSecretNonce) {
    let publicNonce = nonce.publicNonce
    let box = Box(nonce)
    boxes.withLock { $0[publicNonce] = box }
  }

  func take(_ nonce: MuSigPublicNonce) -> MuSigSecretNonce? {
    boxes.withLock { $0.removeValue(forKey: nonce) }?.take()
  }
}

extension LocalSigner {
  /// A fresh nonce for a signature that the other side will ask for. It lives in memory alone: after a restart it is gone.
  public func announceNonce() throws(SignerRefusal) -> MuSigPublicNonce {
    let nonce: MuSigSecretNonce
    do { nonce = MuSigSecretNonce(signer: KeyPair(try secrets.fundingSecret())) } catch {
      throw SignerRefusal("no funding key")
    }
    let publicNonce = nonce.publicNonce
    announced.add(nonce)
    return publicNonce
  }

  func takeAnnounced(_ nonce: MuSigPublicNonce) -> MuSigSecretNonce? { announced.take(nonce) }

  /// Tells the audit, where there is one, what a nonce is about to sign.
  func record(_ nonce: MuSigPublicNonce, _ theirs: MuSigPublicNonce, _ hash: Sighash) throws(SigningError) {
    guard let audit else { return }
    var state = SHA256()
    state.update(theirs)
    state.update(hash)
    try audit.record(nonce, state.finish())
  }
}
