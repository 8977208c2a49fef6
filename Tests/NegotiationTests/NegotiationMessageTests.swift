import Bitcoin
import Encoding
import GLC
import Hashing
import Negotiation
import Testing

@Suite struct NegotiationMessageTests {
  private func large(_ size: Int) -> NegotiationMessage {
    .propose(
      Proposal(
        id: sha256([1]), round: 1, funding: (0..<size).map { UInt8(truncatingIfNeeded: $0 * 7) },
        commitments: [[1], [2]]))
  }

  @Test(arguments: [100, 65_400, 65_500, 66_000, 130_000, 200_000, 1_048_000])
  func aMessageOfAnySizeArrivesAsItWas(size: Int) throws {
    let message = large(size)
    var number: UInt32 = 0
    let frames = message.frames(number: &number)
    #expect(!frames.isEmpty && frames.allSatisfy { $0.count <= 65_535 })
    guard frames.count > 1 else {
      #expect(frames == [message.encoded])
      return
    }
    var assembler = MessageAssembler()
    var whole: [UInt8]?
    for (index, frame) in frames.enumerated() {
      whole = try assembler.take(frame.bytes)
      #expect((whole == nil) == (index + 1 < frames.count))
    }
    #expect(whole == message.encoded && assembler.byteCount == 0)
    #expect(try decodeMessage(try #require(whole)) == message)
  }

  @Test func whatIsTooLargeIsNotSent() {
    var number: UInt32 = 0
    #expect(large(1_048_600).frames(number: &number).isEmpty)
  }

  @Test func partsThatMakeNoMessageAreRefusedAndForgotten() throws {
    var number: UInt32 = 0
    let frames = large(200_000).frames(number: &number)
    let others = large(200_000).frames(number: &number)
    func fault(_ parts: [[UInt8]]) -> PartsFault? {
      var assembler = MessageAssembler()
      for part in parts {
        do { _ = try assembler.take(part.bytes) } catch {
          #expect(assembler.byteCount == 0)
          return error
        }
      }
      return nil
    }
    #expect(fault([frames[1]]) == .outOfOrder)
    #expect(fault([frames[0], frames[0]]) == .outOfOrder)
    #expect(fault([frames[0], frames[2]]) == .outOfOrder)
    #expect(fault([frames[0], others[1]]) == .outOfOrder)
    #expect(fault([frames[0].dropLast()]) == .uneven)
    #expect(fault([frames[0] + [0]]) == .uneven)
    var count = frames[0]
    count[9] = 18
    #expect(fault([count]) == .tooLarge)
    count[9] = 1
    #expect(fault([count]) == .notNeeded)
    #expect(fault([[0xb0, 0x1a, 0]]) == .malformed(.truncated))
    // A last part without anything.
    #expect(fault(Array(frames.dropLast()) + [Array(frames[frames.count - 1].prefix(10))]) == .uneven)
    // Parts of parts.
    var nested = frames
    nested[0][10] = 0xb0
    nested[0][11] = 0x1a
    #expect(fault(nested) == .notNeeded)
  }

  /// However many parts a peer begins, no more than one message is held.
  @Test func aPeerCannotFillTheMemory() throws {
    var number: UInt32 = 0
    let frames = large(1_048_000).frames(number: &number)
    var assembler = MessageAssembler()
    var most = 0
    for round in 0..<50 {
      for frame in frames.prefix(frames.count - 1) {
        _ = try? assembler.take(frame.bytes)
        most = max(most, assembler.byteCount)
      }
      _ = round
    }
    #expect(most <= NegotiationLimits.whole)
  }

  @Test func aCatalogueTellsWhatIsMissing() throws {
    let catalogue = Catalogue(wholeRegistry)
    let message = NegotiationMessage.catalogue(catalogue)
    #expect(try decodeMessage(message.encoded) == message)
    let stack = try wholeRegistry.description(parsing: "musig2 + ptlc + anchors")
    #expect(catalogue.missing(stack).isEmpty)
    var small = ExtensionRegistry()
    small.register(Dummy())
    #expect(Catalogue(small).missing(stack) == [stack.funding] + stack.extensions)
    let odd = StackDescription(funding: stack.funding, extensions: stack.extensions + [ExtensionID(rawValue: 0x7f13)])
    #expect(catalogue.missing(odd).isEmpty, "what may be ignored is not missing")
  }

  private struct Dummy: DraftTransform {
    static let id = ExtensionID(rawValue: 0x7f30)
    func transform(_ draft: inout CommitmentDraft) {}
  }

  @Test func whatALaterVersionAddsIsIgnoredOrRefused() throws {
    let message = NegotiationMessage.refuse(sha256([1]), Refusal(.cancelled, "no"))
    #expect(try decodeMessage((message.encoded + [3, 1, 9])) == message)
    #expect(throws: DecodingError.self) { try decodeMessage((message.encoded + [2, 1, 9])) }
    #expect(try decodeMessage([0xb0, 0x3f, 1]) == nil)
    #expect(throws: DecodingError.self) { try decodeMessage([0xb0, 0x3e, 1]) }
  }

  @Test func aRefusalSurvivesWhatever() throws {
    let refusal = Refusal(
      Refusal.Code(rawValue: 999), extensions: (0..<100).map { ExtensionID(rawValue: $0) },
      String(repeating: "ä", count: 1000))
    #expect(refusal.extensions.count == 64 && refusal.reason.utf8.count <= 402)
    let message = NegotiationMessage.refuse(sha256([1]), refusal)
    let decoded = try decodeMessage(message.encoded)
    guard case .refuse(_, let again) = decoded else {
      Issue.record("another message")
      return
    }
    #expect(again.code.name == "code-999" && again.extensions == refusal.extensions)
  }

  @Test func everyShortenedMessageIsRefusedWithoutHarm() throws {
    var world = try OpeningWorld(contributions: [600_000, 800_000])
    try world.run()
    for (_, message) in world.transcript {
      let bytes = message.encoded
      for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 60)) {
        #expect(throws: DecodingError.self, "\(message.name) of \(count)") {
          try decodeMessage(Array(bytes.prefix(count)))
        }
      }
    }
  }
}
