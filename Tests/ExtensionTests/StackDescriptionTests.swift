import Anchors
import Base
import Bitcoin
import Encoding
import GLC
import GLCTesting
import HTLC
import PTLC
import Testing

private var registry: ExtensionRegistry {
  var registry = ExtensionRegistry()
  registry.register(WitnessScriptFunding())
  registry.register(MuSig2Funding())
  registry.register(MainOutputs())
  registry.register(HTLCExtension())
  registry.register(PTLCExtension())
  registry.register(Anchors())
  registry.register(SharedAnchor())
  return registry
}

/// Every stack that these parts can make.
let composableStacks: [String] = ["witness-script", "musig2"].flatMap { funding in
  ["", " + anchors", " + shared-anchor"].flatMap { anchors in
    (funding == "musig2" ? ["htlc", "ptlc", "htlc + ptlc", "ptlc(musig2)", "htlc + ptlc(musig2)"] : ["htlc"]).map {
      "\(funding) + \($0)\(anchors)"
    }
  }
}

@Suite struct StackDescriptionTests {
  private func stack(
    _ text: String, limits: AgreementLimits = .none, acceptable: StackSetting.Acceptable = .anything
  ) throws -> ChannelStack {
    let description = try registry.description(parsing: text)
    return try registry.propose(
      description, try registry.setting(for: description, limits: limits, acceptable: acceptable))
  }

  @Test(arguments: composableStacks) func aTextIsAStackAndAStackIsAText(text: String) throws {
    let stack = try stack(text)
    #expect(registry.text(of: StackDescription(stack)) == text)
    // Every stack has the outputs of the balances, said or not.
    #expect(stack.extensions.contains { $0.id == MainOutputs.id })
  }

  /// Whatever can be composed keeps the laws: nobody picks a combination by hand.
  @Test(arguments: composableStacks) func everyStackThatCanBeComposedKeepsTheLaws(text: String) throws {
    var scenario = try mixedScenario(try stack(text))
    if scenario.stack.fixesFeeRate { scenario.feeRate = FeeRate(satPerKiloWeight: 0) }
    let report = try checkExtension(scenario)
    #expect(report.violations.isEmpty)
  }

  /// Who names a form gets it, whoever proposes first; who names none takes the other's.
  @Test(arguments: PTLCExtension.Scheme.allCases) func aFormIsTheWishOfWhoNamesIt(scheme: PTLCExtension.Scheme) throws {
    let word = scheme == .musig2 ? "ptlc(musig2)" : "ptlc(single-signer)"
    let wish = try registry.description(parsing: "musig2 + htlc + \(word) + anchors")
    #expect(registry.text(of: wish) == "musig2 + htlc + \(word) + anchors")
    let none = StackDescription(funding: wish.funding, extensions: wish.extensions)
    func agree(_ description: StackDescription, to stack: ChannelStack) throws -> ChannelStack {
      let parameters = Dictionary(uniqueKeysWithValues: stack.extensions.map { ($0.id, $0.encodedParameters) })
      return try registry.agree(
        to: parameters, asSeenBy: .remote, description, try registry.setting(for: description))
    }
    func name(_ stack: ChannelStack) -> String? { stack.extensions.first { $0.id == PTLCExtension.id }?.manifest.name }
    let wished = try registry.propose(wish, try registry.setting(for: wish))
    #expect(name(wished) == scheme.name)
    #expect(name(try agree(none, to: wished)) == scheme.name)
    #expect(name(try agree(wish, to: try registry.propose(none, try registry.setting(for: none)))) == scheme.name)
    for other in PTLCExtension.Scheme.allCases {
      let asked = try stack("musig2 + htlc + ptlc(\(other == .musig2 ? "musig2" : "single-signer")) + anchors")
      #expect(name(try agree(wish, to: asked)) == scheme.name, "a wish is not given up")
    }
  }

  @Test func aFormThatIsNoneIsRefusedWithThoseThatThereAre() throws {
    for (text, near) in [
      ("ptlc(frost)", ["ptlc(single-signer)", "ptlc(musig2)", "ptlc"]), ("htlc(musig2)", ["htlc"]),
      ("musig2()", ["musig2"]),
    ] {
      #expect(throws: StackTextError.unknownWord(text, near: near, known: registry.parts.map(\.name))) {
        try registry.description(parsing: "musig2 + \(text)")
      }
    }
  }

  @Test func theStacksOfTheBOLTsHaveTexts() throws {
    func isSame(_ a: ChannelStack, _ b: ChannelStack) -> Bool {
      StackDescription(a) == StackDescription(b)
        && a.extensions.map(\.encodedParameters) == b.extensions.map(\.encodedParameters)
    }
    #expect(isSame(try stack("htlc"), try BOLT3Stack.staticRemoteKey.stack))
    #expect(isSame(try stack("htlc + anchors"), try BOLT3Stack.anchors.stack))
    #expect(isSame(try stack("HTLC, anchors, witness-script-funding"), try BOLT3Stack.anchors.stack))
    #expect(isSame(try stack("musig2+htlc+ptlc+anchors"), try PTLCStack.mixed.stack))
    #expect(isSame(try stack("shared-anchor musig2 ptlc htlc"), try PTLCStack.mixedZeroFee.stack))
  }

  @Test func aWordThatIsNoneNamesItsNearest() throws {
    func error(_ text: String) -> StackTextError? {
      do { _ = try registry.description(parsing: text) } catch { return error }
      return nil
    }
    #expect(error("musig + htlc") == .unknownWord("musig", near: ["musig2"], known: registry.parts.map(\.name)))
    #expect(error("musig + htlc")?.description.contains("musig2") == true)
    #expect(error("musig2 + anchor")?.description == "\"anchor\" is no part of a stack; did you mean anchors?")
    #expect(error("musig2 + dlc")?.description.contains("ptlc") == true)
    guard case .unknownWord("frobnicate", near: [], let known) = error("frobnicate") else {
      Issue.record("no near word")
      return
    }
    #expect(known.contains("htlc"))
    #expect(error("  + , ") == .empty)
    #expect(error("htlc + htlc") == .repeated("htlc"))
    #expect(error("musig2 + musig2-funding + htlc") == .repeated("musig2-funding"))
    #expect(error("musig2 + witness-script + htlc") == .twoFundings("musig2", "witness-script"))
    #expect(try ExtensionRegistry.init(.init(funding: MuSig2Funding(), extensions: [])).parts.count == 1)
  }

  @Test func whatDoesNotFitTogetherIsSaid() throws {
    #expect(throws: ComposingError.stack(.needsTaproot("ptlc", funding: "witness-script-funding"))) {
      try stack("ptlc + anchors")
    }
    #expect(throws: ComposingError.stack(.conflict("anchors", "shared-anchor"))) {
      try stack("htlc + anchors + shared-anchor")
    }
  }

  private let limits = AgreementLimits(
    minimum: MilliSatoshi(1000), maximumInFlight: MilliSatoshi(5_000_000_000), maximumCount: 30)
  private let others = AgreementLimits(
    minimum: MilliSatoshi(2000), maximumInFlight: MilliSatoshi(7_000_000_000), maximumCount: 20)

  private func agree(
    to theirs: ChannelStack, limits: AgreementLimits, acceptable: StackSetting.Acceptable = .anything
  ) throws -> ChannelStack {
    let description = StackDescription(theirs)
    let parameters = Dictionary(
      uniqueKeysWithValues: theirs.extensions.map { ($0.id, $0.encodedParameters) })
    return try registry.agree(
      to: parameters, asSeenBy: .remote, description,
      try registry.setting(for: description, limits: limits, acceptable: acceptable))
  }

  @Test(arguments: composableStacks) func twoPartiesAgreeAfterOneCounterProposal(text: String) throws {
    let first = try stack(text, limits: limits)
    // The acceptor has limits of its own: that is a counter-proposal …
    let second = try agree(to: first, limits: others)
    #expect(second.extensions.map(\.mirroredParameters) != first.extensions.map(\.encodedParameters))
    // … to which the proposer says the same parameters, and so does the acceptor to those.
    let third = try agree(to: second, limits: limits)
    #expect(third.extensions.map(\.mirroredParameters) == second.extensions.map(\.encodedParameters))
    let fourth = try agree(to: third, limits: others)
    #expect(fourth.extensions.map(\.encodedParameters) == second.extensions.map(\.encodedParameters))
    for slot in second.extensions {
      if let htlc = slot as? Slot<HTLCExtension> {
        #expect(
          htlc.parameters.limits.local.maximumAccepted == 20 && htlc.parameters.limits.remote.maximumAccepted == 30)
      }
    }
  }

  @Test func unreasonableWishesAreRefusedByTheExtension() throws {
    let acceptable = StackSetting.Acceptable(
      minimum: MilliSatoshi(500), count: 5, inFlight: MilliSatoshi(1_000_000))
    let first = try stack("musig2 + ptlc + anchors", limits: limits)
    #expect {
      try agree(to: first, limits: others, acceptable: acceptable)
    } throws: { error in
      guard case ComposingError.refused(PTLCExtension.id, let fault) = error else { return false }
      return fault.reason.contains("which is more than")
    }
    let tooMany = AgreementLimits(minimum: .zero, maximumInFlight: MilliSatoshi(.max), maximumCount: 484)
    #expect(throws: ComposingError.self) {
      try agree(to: try stack("htlc", limits: tooMany), limits: others)
    }
  }

  @Test func whatMustBeUnderstoodAndIsNotIsListed() throws {
    let strange = [ExtensionID(rawValue: 0x7f10), ExtensionID(rawValue: 0x7f12)]
    let description = StackDescription(
      funding: MuSig2Funding.id, extensions: [MainOutputs.id] + strange, transforms: [ExtensionID(rawValue: 0x7f20)])
    #expect(throws: ComposingError.unknown(strange + [ExtensionID(rawValue: 0x7f20)])) {
      try registry.propose(description, StackSetting(scripts: .witnessScript))
    }
    // What may be ignored comes back byte for byte.
    let odd = ExtensionID(rawValue: 0x7f11)
    let tolerant = StackDescription(funding: MuSig2Funding.id, extensions: [MainOutputs.id, odd])
    let setting = try registry.setting(for: tolerant)
    let main = try registry.propose(tolerant, setting).extensions.first { $0.id == MainOutputs.id }
    let stack = try registry.agree(
      to: [MainOutputs.id: try #require(main).encodedParameters, odd: [1, 2, 3]], asSeenBy: .remote, tolerant,
      setting)
    #expect(stack.extensions.first { $0.id == odd }?.encodedParameters == [1, 2, 3])
    #expect(throws: ComposingError.missingParameters(MainOutputs.id)) {
      try registry.agree(to: [:], asSeenBy: .local, tolerant, setting)
    }
    #expect(throws: ComposingError.self) {
      try registry.agree(to: [MainOutputs.id: [9]], asSeenBy: .local, tolerant, setting)
    }
  }
}
