public import Bitcoin
public import Encoding
public import GLC
internal import Hashing
public import Secp256k1
internal import Synchronization

/// The signer of one channel: its secrets in memory, and the few numbers that keep it from ever signing what it must not.
///
/// - It signs remote commitments with rising numbers; the latest one again, if it is the same transaction.
/// - It reveals the secret of a commitment of ours only when told that the next one is in force, and from then on refuses to sign
///   the revoked one for broadcasting.
public final class LocalSigner: ChannelSigner {
  public let secrets: BasepointSecrets
  private let seed: Bytes32
  private let marks: Mutex<Marks>
  let announced = AnnouncedNonces()
  let audit: NonceAudit?

  /// What must survive a restart together with the channel's state.
  public struct Marks: Hashable, Sendable {
    /// The number and identifier of the latest remote commitment that was signed, for each funding.
    public var signed: [Signed] = []
    /// The number of our oldest commitment that is not revoked.
    public var unrevoked: UInt64 = 0
    /// What the nonces of our own commitments have signed, where both sign together.
    public var completed: [Completed] = []
    /// With which nonces second stages were signed together, on the latest commitments of each side.
    public var paired: [Paired] = []

    /// One of our commitments that was signed for broadcasting.
    public struct Completed: Hashable, Sendable {
      public var funding: Bytes32
      public var number: UInt64
      /// A hash of the other side's nonce and of what was signed: another one would give the key away.
      public var session: Bytes32

      public init(funding: Bytes32, number: UInt64, session: Bytes32) {
        self.funding = funding
        self.number = number
        self.session = session
      }
    }

    public struct Signed: Hashable, Sendable {
      public var funding: Bytes32
      public var number: UInt64
      public var txid: Bytes32

      public init(funding: Bytes32, number: UInt64, txid: Bytes32) {
        self.funding = funding
        self.number = number
        self.txid = txid
      }
    }

    public init() {}
  }

  /// - Parameters:
  ///   - seed: of the per-commitment secrets, 32 bytes that belong to this channel alone.
  ///   - audit: what watches its nonces.
  public init(secrets: BasepointSecrets, seed: Bytes32, marks: Marks = Marks(), audit: NonceAudit? = nil) {
    self.audit = audit
    self.secrets = secrets
    self.seed = seed
    self.marks = Mutex(marks)
  }

  /// Derives all secrets of a channel from one seed: HKDF-SHA256 with a label for each. `perCommitmentSeed` is for tests that want a
  /// certain one.
  public convenience init(
    channelSeed: Bytes32, basepoints: [Basepoint], perCommitmentSeed: Bytes32? = nil, marks: Marks = Marks(),
    audit: NonceAudit? = nil
  ) {
    let secrets = BasepointSecrets(basepoints) { basepoint in
      Self.secretKey(channelSeed, label: "glc/basepoint/\(basepoint.rawValue)")
    }
    let seed = perCommitmentSeed ?? Self.derive(channelSeed, label: "glc/per-commitment")
    self.init(secrets: secrets, seed: seed, marks: marks, audit: audit)
  }

  private static func derive(_ seed: Bytes32, label: String) -> Bytes32 {
    HMACSHA256(key: seed.bytes).authenticate([UInt8](label.utf8).bytes)
  }

  private static func secretKey(_ seed: Bytes32, label: String) -> SecretKey {
    // One try fails with a probability of 2^-128.
    var counter = 0
    while true {
      if let key = try? SecretKey(derive(seed, label: "\(label)/\(counter)")) { return key }
      counter += 1
    }
  }

  public var currentMarks: Marks { marks.withLock { $0 } }

  private func secret(_ number: UInt64) throws(SignerRefusal) -> Bytes32 {
    guard let index = ShachainIndex(commitmentNumber: number) else {
      throw SignerRefusal("commitment numbers are used up")
    }
    return PerCommitmentSecret(seed: seed, index: index).raw
  }

  public func perCommitmentPoint(_ number: UInt64) throws(SignerRefusal) -> PublicKey {
    do { return try SecretKey(secret(number)).publicKey } catch {
      throw SignerRefusal("no point for commitment \(number)")
    }
  }

  public func revocationSecret(_ number: UInt64) throws(SignerRefusal) -> Bytes32 {
    let secret = try secret(number)
    try marks.withLock { (marks) throws(SignerRefusal) in
      guard number <= marks.unrevoked else {
        throw SignerRefusal("commitment \(number) is ahead of \(marks.unrevoked), which is not revoked yet")
      }
      marks.unrevoked = max(marks.unrevoked, number + 1)
    }
    return secret
  }

  public func revocationSecretForProof(_ number: UInt64) throws(SignerRefusal) -> Bytes32 { try secret(number) }

  public func nonce(_ number: UInt64, on funding: OutPoint) throws(SignerRefusal) -> MuSigPublicNonce {
    try secretNonce(number, on: funding).publicNonce
  }

  /// Taproot channels §Counter Based Nonce Generation: from a shachain of its own, whose root depends on the funding transaction. Our
  /// commitment 0 is signed before there is one: its nonce is told in `open_channel` or `accept_channel`.
  package func secretNonce(_ number: UInt64, on funding: OutPoint) throws(SignerRefusal) -> MuSigSecretNonce {
    guard let index = ShachainIndex(commitmentNumber: number) else {
      throw SignerRefusal("commitment numbers are used up")
    }
    var context = Array("taproot-rev-root".utf8)
    if number > 0 { context += funding.txid.raw.array }
    let root = HMACSHA256(key: context.bytes).authenticate(sha256(seed.bytes).bytes)
    let secret = PerCommitmentSecret(seed: root, index: index).raw
    do {
      let pair = KeyPair(try secrets.fundingSecret())
      return try MuSigSecretNonce(sessionSecret: secret.bytes, signer: pair)
    } catch {
      throw SignerRefusal("no nonce for commitment \(number)")
    }
  }

  public func sign(
    _ commitment: Commitment, nonce: MuSigPublicNonce?, presignatures: [CounterSignature]
  ) throws(SignerRefusal) -> CommitmentSignatures {
    let funding = commitment.context.fundingOutpoint.txid.raw
    let number = commitment.context.number
    let txid = commitment.txid.raw
    let theirs = presignatures.compactMap(\.nonce)
    let pairing = self.pairing(on: commitment, as: .counterparty, theirs)
    try marks.withLock { (marks) throws(SignerRefusal) in
      if let index = marks.signed.firstIndex(where: { $0.funding == funding }) {
        let last = marks.signed[index]
        guard number > last.number || (number == last.number && txid == last.txid) else {
          throw SignerRefusal("remote commitment \(number) is not newer than \(last.number), which is signed")
        }
        marks.signed[index].number = number
        marks.signed[index].txid = txid
      } else {
        marks.signed.append(Marks.Signed(funding: funding, number: number, txid: txid))
      }
      if let pairing { try marks.note(pairing) }
    }
    // BOLT 3 counts 73 bytes for each of these signatures: a low r would cost twice the time and gain nothing.
    do {
      let signatures = try commitment.sign(
        asCounterparty: secrets, nonce: nonce, presignatures: presignatures, grindLowR: false)
      try record(signatures.children, on: commitment, with: theirs)
      if case .musigPartial(let partial) = signatures.funding, let nonce {
        try record(partial.nonce, nonce, Sighash(txid))
      }
      return signatures
    } catch {
      throw SignerRefusal("\(error)")
    }
  }

  /// Refuses a commitment that is revoked.
  public func presign(
    _ commitment: Commitment, nonces: [MuSigPublicNonce]
  ) throws(SignerRefusal) -> [CounterSignature] {
    let number = commitment.context.number
    let pairing = self.pairing(on: commitment, as: .holder, nonces)
    try marks.withLock { (marks) throws(SignerRefusal) in
      guard number >= marks.unrevoked else { throw SignerRefusal("commitment \(number) is revoked") }
      if let pairing { try marks.note(pairing) }
    }
    do {
      let signatures = try commitment.presign(asHolder: secrets, nonces: nonces)
      try record(signatures, on: commitment, with: nonces)
      return signatures
    } catch {
      throw SignerRefusal("\(error)")
    }
  }

  /// Our own commitment, ready to be broadcast. Refuses one that is revoked.
  public func signForBroadcast(
    _ commitment: Commitment, with signatures: CommitmentSignatures
  ) throws(SignerRefusal) -> Transaction {
    let number = commitment.context.number
    let unrevoked = marks.withLock { $0.unrevoked }
    guard number >= unrevoked else { throw SignerRefusal("commitment \(number) is revoked") }
    if case .musigPartial(let theirs) = signatures.funding { try complete(commitment, with: theirs) }
    return try signForBroadcastWithoutChecks(commitment, with: signatures)
  }

  /// The same, though it may be revoked: what a cheat does, for tests and simulations.
  package func signForBroadcastWithoutChecks(
    _ commitment: Commitment, with signatures: CommitmentSignatures
  ) throws(SignerRefusal) -> Transaction {
    guard case .musigPartial(let theirs) = signatures.funding else {
      do { return try commitment.signedTransaction(asHolder: secrets, with: signatures) } catch {
        throw SignerRefusal("\(error)")
      }
    }
    let nonce = try secretNonce(commitment.context.number, on: commitment.context.fundingOutpoint)
    do {
      try record(nonce.publicNonce, theirs.nonce, Sighash(commitment.txid.raw))
      return try commitment.signedTransaction(asHolder: secrets, with: signatures, nonce: nonce)
    } catch {
      throw SignerRefusal("\(error)")
    }
  }

  /// A nonce of ours signs once: with the same nonce of the other side the same transaction, or nothing.
  private func complete(_ commitment: Commitment, with theirs: PartialSignature) throws(SignerRefusal) {
    var state = SHA256()
    state.update(theirs.nonce)
    state.update(commitment.txid)
    let completed = Marks.Completed(
      funding: commitment.context.fundingOutpoint.txid.raw, number: commitment.context.number,
      session: state.finish())
    try marks.withLock { (marks) throws(SignerRefusal) in
      if marks.completed.contains(completed) { return }
      guard !marks.completed.contains(where: { $0.funding == completed.funding && $0.number == completed.number })
      else { throw SignerRefusal("commitment \(completed.number) was signed in another way before") }
      marks.completed.append(completed)
    }
  }
}

extension LocalSigner {
  /// 32 bytes: see `secrets`.
  public var basepoints: Basepoints { secrets.basepoints }
}
