internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import JSON
internal import RPC
internal import Wire

extension Handlers {
  /// What each part of a stack does, by its name.
  private static let summaries = [
    "witness-script-funding": "The funding output: both keys in a witness script",
    "main-outputs": "What each party has beside all contracts",
    "htlc": "Payments that a secret settles and time gives back",
    "anchors": "An output for each party, to raise the fee with",
    "shared-anchor": "One output that anybody can spend, to pay the fee with",
  ]

  private static func names(_ stack: ChannelStack) -> [String] {
    [fundingName] + stack.extensions.map(\.manifest.name)
      + stack.transforms.map { "transform \(type(of: $0).id.rawValue)" }
  }
  /// The only one so far.
  private static let fundingName = "witness-script-funding"

  /// `to_local`, `to_remote`, or the extension with a number of its own.
  private static func name(of tag: OutputTag, _ owners: [ExtensionID: String]) -> String {
    if tag.owner == .core { return tag == .balance(of: .holder) ? "to_local" : "to_remote" }
    return "\(owners[tag.owner] ?? "\(tag.owner)") \(tag.index)"
  }

  func extensions(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    var seen: Set<String> = [Self.fundingName]
    var found: [JSONValue] = [
      [
        "name": .string(Self.fundingName), "kind": "funding",
        "summary": .string(Self.summaries[Self.fundingName] ?? ""),
      ]
    ]
    for type in BOLT.ChannelType.allCases {
      for slot in try type.stack().extensions where seen.insert(slot.manifest.name).inserted {
        let manifest = slot.manifest
        found.append([
          "name": .string(manifest.name), "kind": "channel", "phase": .string("\(manifest.phase)"),
          "summary": .string(Self.summaries[manifest.name] ?? ""),
        ])
      }
    }
    return ["extensions": .array(found)]
  }

  func stacks(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    [
      "stacks": .array(
        try BOLT.ChannelType.allCases.map { type in
          [
            "name": .string(type.rawValue),
            "channel_type": .channelType(Wire.ChannelType(features: FeatureSet(bits: type.featureBits))),
            "extensions": .array(try Self.names(type.stack()).map { .string($0) }),
          ]
        })
    ]
  }

  func stack(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let channel = try await channel(arguments).channel
    guard let core = channel.core, let commitment = try core.localCommitments(channel.signer).first,
      let state = core.fundings.first?.local
    else { throw RPCError(.failure, "the channel has no commitment yet") }
    let report = core.stack.report(commitment, at: state.feeRate)
    let owners = Dictionary(core.stack.extensions.map { ($0.id, $0.manifest.name) }) { first, _ in first }
    let outputs = commitment.outputs.map { sealed -> JSONValue in
      let output = sealed.output
      let name = Self.name(of: output.tag, owners)
      return [
        "name": .string(name), "extension": .string(owners[output.tag.owner] ?? "main-outputs"),
        "amount_msat": .msat(output.value), "script": .hex(output.lock.scriptPubKey.bytes),
        "paths": .array(output.paths.map { .string($0.name) }),
      ]
    }
    return [
      "channel_id": .text(channel.id), "stack": .string(channel.stackType?.rawValue ?? "\(channel.type)"),
      "extensions": .array(Self.names(core.stack).map { .string($0) }), "holder": "local",
      "commitment_number": .unsigned(core.localNumber), "feerate_perkw": .int(state.feeRate.satPerKiloWeight),
      "weight": .unsigned(report.commitmentWeight.rawValue), "fee_msat": .msat(commitment.fee),
      "outputs": .array(outputs),
    ]
  }
}
