import Base
import Bitcoin
import Encoding
import GLC
import GLCTesting
import Synchronization
import Testing

/// An extension whose bookkeeping can break.
private struct Fickle: ChannelExtension {
  final class Fuse: Sendable {
    let isBlown = Mutex(false)
  }

  static let id = ExtensionID(rawValue: 0x7f02)
  let fuse: Fuse

  struct Note: BinaryCodable {
    init() {}
    init(from reader: inout ByteReader) throws(DecodingError) {}
    func encode(to writer: inout ByteWriter) {}
  }

  static func manifest(_ parameters: Nothing) -> Manifest {
    Manifest(name: "fickle", phase: .contracts, messageTypes: [45_182])
  }
  func emptyLedger(_ parameters: Nothing) -> Note { Note() }
  func lockedValue(_ ledger: Note) -> MilliSatoshi { .zero }
  func validate(
    _ update: Note, by party: Party, in ledger: Note, settled: Note, _ parameters: Nothing
  ) throws(ProtocolViolation) {}
  func apply(
    _ update: Note, by party: Party, to ledger: inout Note, moving balances: inout Balances, _ parameters: Nothing
  ) throws(ProtocolViolation) {
    if fuse.isBlown.withLock({ $0 }) { throw ProtocolViolation(.failChannel, "the fuse is blown") }
  }
  func summary(_ ledger: Note, _ parameters: Nothing, _ trim: TrimContext) -> ContractSummary { .none }
  func contribute(_ ledger: Note, _ parameters: Nothing, to draft: inout CommitmentDraft) throws(DraftError) {}
  func decode(type: UInt16, body: RawSpan) throws(ProtocolViolation) -> Note { Note() }
  func encode(_ update: Note) -> WireMessage { WireMessage(type: 45_182, body: []) }
}

private struct Silence: SimulatedTraffic {
  func proposal(by index: Int, in channel: Channel, _ random: inout SeededGenerator) -> UpdateContent? { nil }
  func resolution(by index: Int, in channel: Channel, _ random: inout SeededGenerator) -> UpdateContent? { nil }
}

@Suite struct FailingStepTests {
  /// What has become irrevocable is carried over, or else the step is not taken: an update is never lost.
  @Test func anUpdateThatCannotBeCarriedOverFailsTheStep() throws {
    let fuse = Fickle.Fuse()
    let stack = try ChannelStack(
      funding: WitnessScriptFunding(),
      extensions: [
        Slot(MainOutputs(), .init(remoteFormat: .fixed)), Slot(Fickle(fuse: fuse), Nothing()),
      ])
    let simulator = try TwoPartySimulator(seed: 1, stack: stack, traffic: Silence())
    var channels = simulator.parties.map(\.channel)
    let signers = simulator.parties.map(\.signer)
    func messages(_ effects: [ChannelEffect]) -> [ChannelMessage] {
      effects.compactMap { if case .send(let message) = $0 { message } else { nil } }
    }
    let position = try #require(stack.extensions.firstIndex { $0.id == Fickle.id })
    let update = UpdateContent.extension(position, AnyUpdate(Fickle.Note(), of: Fickle.self))
    for message in messages(try channels[0].propose(update)) { _ = try channels[1].receive(message, signers[1]) }
    for (from, to) in [(0, 1), (1, 0)] {
      for message in messages(try channels[from].commit(signers[from])) {
        for answer in messages(try channels[to].receive(message, signers[to])) {
          guard from == 1 else {
            _ = try channels[from].receive(answer, signers[from])
            continue
          }
          // With this revocation, the update is irrevocable for its receiver.
          let before = channels[1].encoded
          fuse.isBlown.withLock { $0 = true }
          #expect(throws: ChannelError.self) { try channels[1].receive(answer, signers[1]) }
          #expect(channels[1].encoded == before)
          #expect(channels[1].awaitsRevocation)
          fuse.isBlown.withLock { $0 = false }
          _ = try channels[1].receive(answer, signers[1])
          #expect(!channels[1].awaitsRevocation)
          #expect(channels[1].log.entries.isEmpty)
        }
      }
    }
  }
}
