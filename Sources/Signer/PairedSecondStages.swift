internal import Bitcoin
public import Encoding
public import GLC
internal import Hashing
public import Secp256k1

// Second stages whose signature both sides make together, up to the secret of a point (docs/PRESIGN.md).
//
// The commitment's counterparty signs *first*: it tells its nonce with the proposal, before it knows the other one, and uses it with the
// signature on the commitment. The holder signs *last*: it gets that nonce, and gives its own together with its part. Neither keeps a nonce.
// The first is made from the key and from all that is signed, and is used once, because a commitment is signed once. The last is made from the
// other side's nonce besides, as BIP 327 has it for a signer that keeps no state: another nonce, another session, another nonce of ours.

extension PathOpener {
  /// The nonce of who signs first.
  func firstNonce(_ stage: PairedStage) throws(SigningError) -> MuSigSecretNonce {
    try nonce("glc/musig2/second stage, first", stage, nil)
  }

  /// This side's part, with `firstNonce`.
  /// - Parameter nonce: the other side's.
  func signFirst(_ stage: PairedStage, nonce theirs: MuSigPublicNonce) throws(SigningError) -> PartialSignature {
    try sign(stage, with: try firstNonce(stage), theirs)
  }

  /// This side's part, for who signs last.
  /// - Parameter nonce: the other side's.
  func signLast(_ stage: PairedStage, nonce theirs: MuSigPublicNonce) throws(SigningError) -> PartialSignature {
    try sign(stage, with: try nonce("glc/musig2/second stage, last", stage, theirs), theirs)
  }

  private func nonce(
    _ label: String, _ stage: PairedStage, _ theirs: MuSigPublicNonce?
  ) throws(SigningError) -> MuSigSecretNonce {
    let keys = try aggregate(stage)
    let ref = KeyRef(stage.role, side)
    let secretKey = try key(ref)
    var writer = ByteWriter(reservingCapacity: 240)
    writer.write(Array(label.utf8))
    writer.write(stage.point)
    writer.write(keys.xOnlyPublicKey)
    writer.write(stage.hash)
    if let theirs { writer.write(theirs) }
    let secret = HMACSHA256(key: secretKey.bytes).authenticate(writer.bytes.bytes)
    let extra = theirs.map { sha256($0.bytes) } ?? sha256(stage.point.bytes)
    do {
      return try MuSigSecretNonce(
        sessionSecret: secret.bytes, signer: KeyPair(secretKey), message: stage.hash.raw, keys: keys, extraInput: extra)
    } catch {
      throw .unusableKey(ref)
    }
  }

  private func sign(
    _ stage: PairedStage, with nonce: consuming MuSigSecretNonce, _ theirs: MuSigPublicNonce
  ) throws(SigningError) -> PartialSignature {
    let pair = KeyPair(try key(KeyRef(stage.role, side)))
    let publicNonce = nonce.publicNonce
    do {
      let session = try MuSigAdaptorSession(
        keys: try aggregate(stage), nonces: publicNonce, theirs, point: stage.point, hash: stage.hash)
      return PartialSignature(signature: try session.sign(with: pair, nonce: nonce), nonce: publicNonce)
    } catch {
      throw .unusableKey(KeyRef(stage.role, side))
    }
  }

  private func aggregate(_ stage: PairedStage) throws(SigningError) -> MuSigKeyAggregation {
    do { return try stage.keys(keys) } catch { throw .signature(error) }
  }
}

extension Commitment {
  /// The nonces that the counterparty tells the holder with its proposal, in the order of the second stages that both sign.
  public func pairNonces(asCounterparty secrets: BasepointSecrets) throws(SigningError) -> [MuSigPublicNonce] {
    let opener = PathOpener(secrets, side: .counterparty, keys: context.keys)
    var nonces: [MuSigPublicNonce] = []
    for stage in try stages() { nonces.append(try opener.firstNonce(stage).publicNonce) }
    return nonces
  }

  fileprivate func stages() throws(SigningError) -> [PairedStage] {
    do { return try pairedStages() } catch { throw .signature(error) }
  }
}

// MARK: - What a signer remembers

extension LocalSigner.Marks {
  /// With which nonces of the other side we have given our parts of signatures on one commitment's second stages.
  public struct Paired: Hashable, Sendable {
    public var funding: Bytes32
    public var number: UInt64
    public var txid: Bytes32
    /// Whose commitment: 0 ours, 1 the other side's.
    public var side: UInt8
    /// A hash of the nonces.
    public var session: Bytes32

    public init(funding: Bytes32, number: UInt64, txid: Bytes32, side: UInt8, session: Bytes32) {
      self.funding = funding
      self.number = number
      self.txid = txid
      self.side = side
      self.session = session
    }
  }

  /// So many proposals for one number, all of them lost with the connection, are answered at most.
  static let maximumProposals = 256

  /// Takes note before signing. Throws when there is another answer already: one part with these nonces and one with those is one too many.
  mutating func note(_ new: Paired) throws(SignerRefusal) {
    // What was signed for an earlier commitment is in force, or never will be.
    paired.removeAll { $0.funding == new.funding && $0.side == new.side && $0.number < new.number }
    let known = paired.filter { $0.funding == new.funding && $0.side == new.side }
    guard known.allSatisfy({ $0.number == new.number }) else {
      throw SignerRefusal("second stages of commitment \(new.number) were signed before later ones")
    }
    if let same = known.first(where: { $0.txid == new.txid }) {
      guard same == new else {
        throw SignerRefusal("second stages of commitment \(new.number) were signed with other nonces before")
      }
      return
    }
    guard known.count < Self.maximumProposals else {
      throw SignerRefusal("commitment \(new.number) was proposed \(known.count) times")
    }
    paired.append(new)
  }
}

extension LocalSigner {
  public func pairNonces(_ commitment: Commitment) throws(SignerRefusal) -> [MuSigPublicNonce] {
    if commitment.presignIndex.pairCount == 0 { return [] }
    do { return try commitment.pairNonces(asCounterparty: secrets) } catch { throw SignerRefusal("\(error)") }
  }

  /// - Parameters:
  ///   - side: which side of the commitment we are.
  ///   - nonces: the other side's.
  func pairing(on commitment: Commitment, as side: Side, _ nonces: [MuSigPublicNonce]) -> Marks.Paired? {
    if nonces.isEmpty { return nil }
    var state = SHA256()
    for nonce in nonces { state.update(nonce) }
    return Marks.Paired(
      funding: commitment.context.fundingOutpoint.txid.raw, number: commitment.context.number,
      txid: commitment.txid.raw, side: side.rawValue, session: state.finish())
  }

  /// Tells the audit, where there is one, what the nonces of these parts have signed.
  func record(
    _ signatures: [CounterSignature], on commitment: Commitment, with theirs: [MuSigPublicNonce]
  ) throws(SigningError) {
    guard audit != nil, !theirs.isEmpty else { return }
    let own = signatures.compactMap(\.nonce)
    for ((stage, nonce), theirs) in zip(zip(try commitment.stages(), own), theirs) {
      var state = SHA256()
      state.update(stage.point)
      state.update(stage.hash)
      try record(nonce, theirs, Sighash(state.finish()))
    }
  }
}
