internal import Bitcoin
internal import Encoding
internal import Secp256k1

// The presign phase. An output of a commitment that its counterparty can only take by a transaction that the holder signs is worth nothing
// to the counterparty without that signature: so the counterparty has it before it signs the commitment.
//
//   committer                      holder
//     │  propose(number, nonces)     │   the committer fixes what it will sign, and offers nothing more until it has
//     │─────────────────────────────▶│   the holder makes that commitment
//     │            presign(number)   │
//     │◀─────────────────────────────│
//     │  (persists)  commit          │   the usual dance goes on
//     │─────────────────────────────▶│
//
// Both see the same commitment, because messages arrive in their order and nothing becomes due for it in between: the committer offers nothing,
// and a commitment of its own that it gets meanwhile is acknowledged behind `commit` alone. What that acknowledgement makes due is late, and
// left to the commitment behind. Nobody waits for ever: `propose` is answered at once, whatever else is open. The channel stores nothing for
// it before `commit`: a connection that is lost in between leaves both as they were, and a presignature on a commitment that nobody signed is
// worth nothing. Where second stages are signed together, the holder's signer remembers with which nonces it has answered (docs/PRESIGN.md).

/// What was handed over for one commitment besides its signatures, for each funding.
public struct Handover: Hashable, Sendable {
  /// The holder's, on the counterparty's second stage, and its parts of what both sign.
  public internal(set) var presignatures: [[CounterSignature]]
  /// The counterparty's, on the holder's second stage. Kept by the counterparty as well where they are adaptor signatures: with what the
  /// holder makes of them on the chain they give a secret away.
  public internal(set) var signatures: [[CounterSignature]]

  static let none = Handover(presignatures: [], signatures: [])

  init(presignatures: [[CounterSignature]], signatures: [[CounterSignature]]) {
    self.presignatures = presignatures
    self.signatures = signatures
  }
}

extension Channel {
  /// Asks for presignatures, where the next remote commitment needs any. Nil when it does not.
  mutating func proposal(
    _ commitments: [Commitment], _ signer: some ChannelSigner
  ) throws(ChannelError) -> [ChannelEffect]? {
    guard stack.needsPresign || log.changesStack, commitments.contains(where: { !$0.presignIndex.isEmpty }) else {
      return nil
    }
    let nonces = try signer.pairNonces(commitments)
    isFixed.remote = true
    return [.send(.propose(number: remoteNumber + 1, nonces: nonces.allSatisfy(\.isEmpty) ? [] : nonces))]
  }

  mutating func receive(
    propose number: UInt64, _ nonces: [[MuSigPublicNonce]], _ signer: some ChannelSigner
  ) throws(ChannelError) -> [ChannelEffect] {
    guard stack.needsPresign || log.changesStack else {
      throw .violation(ProtocolViolation(.warning, "a proposal where nothing is presigned"))
    }
    guard number == localNumber + 1, !isFixed.local, log.hasChanges(for: .local) else {
      throw .violation(ProtocolViolation(.failChannel, "commitment \(number) cannot be proposed now"))
    }
    var next = self
    for index in fundings.indices { next.fundings[index].local = try nextState(of: .local, on: fundings[index]) }
    let commitments = try next.commitments(of: .local, number: number, point: try point(number, signer)) { $0.local }
    // None at all stand for none on each funding.
    let given = nonces.isEmpty ? commitments.map { _ in [] } : nonces
    guard given.count == commitments.count,
      zip(given, commitments).allSatisfy({ $0.count == $1.presignIndex.pairCount })
    else { throw .violation(ProtocolViolation(.failChannel, "a proposal with another number of nonces")) }
    let presignatures = try signer.presignatures(commitments, given)
    // Nothing has changed but that.
    isFixed.local = true
    // A part of a signature is given for these nonces and for no others, also after a restart.
    return (nonces.isEmpty ? [] : [.persist]) + [.send(.presign(number: number, presignatures))]
  }
}

extension ChannelSigner {
  /// - Parameter nonces: the other side's, a list for each commitment.
  func presignatures(
    _ commitments: [Commitment], _ nonces: [[MuSigPublicNonce]]
  ) throws(ChannelError) -> [[CounterSignature]] {
    var result: [[CounterSignature]] = []
    for (commitment, nonces) in zip(commitments, nonces) {
      do { result.append(try presign(commitment, nonces: nonces)) } catch { throw .signer(error) }
    }
    return result
  }

  func pairNonces(_ commitments: [Commitment]) throws(ChannelError) -> [[MuSigPublicNonce]] {
    var result: [[MuSigPublicNonce]] = []
    for commitment in commitments {
      do { result.append(try pairNonces(commitment)) } catch { throw .signer(error) }
    }
    return result
  }
}

extension Handover {
  static func read(_ reader: inout ByteReader) throws(DecodingError) -> [[CounterSignature]] {
    let count = try reader.readBigSize()
    guard count <= 64 else { throw .tooLarge }
    var sets: [[CounterSignature]] = []
    for _ in 0..<count {
      let count = try reader.readBigSize()
      guard count <= UInt64(reader.remaining / 65) else { throw .truncated }
      var set: [CounterSignature] = []
      for _ in 0..<count { set.append(try CounterSignature(from: &reader)) }
      sets.append(set)
    }
    return sets
  }

  static func write(_ sets: [[CounterSignature]], _ writer: inout ByteWriter) {
    writer.writeBigSize(UInt64(sets.count))
    for set in sets {
      writer.writeBigSize(UInt64(set.count))
      for signature in set { signature.encode(to: &writer) }
    }
  }

  init(from reader: inout ByteReader) throws(DecodingError) {
    self.init(presignatures: try Self.read(&reader), signatures: try Self.read(&reader))
  }

  func encode(to writer: inout ByteWriter) {
    Self.write(presignatures, &writer)
    Self.write(signatures, &writer)
  }
}
