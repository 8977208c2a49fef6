internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import JSON
internal import Negotiation
internal import RPC
internal import Wire

extension Handlers {
  /// What each part of a stack does, by its name.
  private static let summaries = [
    "witness-script-funding": "The funding output: both keys in a witness script",
    "musig2-funding": "The funding output: both keys as one, with one signature",
    "main-outputs": "What each party has beside all contracts",
    "htlc": "Payments that a secret settles and time gives back",
    "anchors": "An output for each party, to raise the fee with",
    "shared-anchor": "One output that anybody can spend, to pay the fee with",
  ]

  private static func names(_ stack: ChannelStack) -> [String] {
    [type(of: stack.funding).name] + stack.extensions.map(\.manifest.name)
      + stack.transforms.map { "transform \(type(of: $0).id.rawValue)" }
  }

  /// `to_local`, `to_remote`, or the extension with a number of its own.
  private static func name(of tag: OutputTag, _ owners: [ExtensionID: String]) -> String {
    if tag.owner == .core { return tag == .balance(of: .holder) ? "to_local" : "to_remote" }
    return "\(owners[tag.owner] ?? "\(tag.owner)") \(tag.index)"
  }

  func extensions(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    var seen: Set<String> = []
    var found: [JSONValue] = []
    for channelType in BOLT.ChannelType.allCases {
      let stack = try channelType.stack()
      let funding = type(of: stack.funding).name
      if seen.insert(funding).inserted {
        found.append([
          "name": .string(funding), "kind": "funding", "summary": .string(Self.summaries[funding] ?? ""),
        ])
      }
      for slot in stack.extensions where seen.insert(slot.manifest.name).inserted {
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
    let (parts, peers) = await composableParts()
    return [
      "stacks": .array(
        try BOLT.ChannelType.allCases.map { type in
          [
            "name": .string(type.rawValue),
            "channel_type": .channelType(Wire.ChannelType(features: FeatureSet(bits: type.featureBits))),
            "extensions": .array(try Self.names(type.stack()).map { .string($0) }),
          ]
        }), "parts": parts, "peers": peers,
    ]
  }

  func stack(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let channel = try await channel(arguments).channel
    guard let core = channel.core, let commitment = try core.localCommitments(channel.signer).first,
      let state = core.fundings.first?.local
    else { throw RPCError(.failure, "the channel has no commitment yet") }
    // While another stack is on its way, it is the one that this commitment has.
    let stack = commitment.stack
    let report = stack.report(commitment, at: state.feeRate)
    let owners = Dictionary(stack.extensions.map { ($0.id, $0.manifest.name) }) { first, _ in first }
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
      "channel_id": .text(channel.id), "stack": .string(channel.name(of: stack)),
      "extensions": .array(Self.names(stack).map { .string($0) }), "holder": "local",
      "commitment_number": .unsigned(core.localNumber), "feerate_perkw": .int(state.feeRate.satPerKiloWeight),
      "weight": .unsigned(report.commitmentWeight.rawValue), "fee_msat": .msat(commitment.fee),
      "outputs": .array(outputs),
    ]
  }

  func upgrade(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let id = try await channel(arguments).channel.id
    let text = try arguments.string("stack")
    let description: StackDescription
    do throws(StackTextError) {
      description = try ExtensionRegistry.shipped.description(parsing: text)
    } catch {
      throw arguments.invalid("stack", "\(error)")
    }
    await context.progress("Agreeing on the stack with the peer")
    try await node.upgrade(id, to: description)
    guard let changed = await node.channel(id), let stack = changed.stack else {
      throw RPCError(.failure, "the channel was changed and is gone already")
    }
    return [
      "channel_id": .text(id), "stack": .string(changed.stackName),
      "extensions": .array(Self.names(stack).map { .string($0) }),
    ]
  }

  func channelPSBTs(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let channel = try await channel(arguments).channel
    guard let core = channel.core else { throw RPCError(.failure, "the channel has no commitment yet") }
    let writes = try arguments.bool(ifPresent: "psbt") ?? false
    let output = try arguments.integer(ifPresent: "output").flatMap { Int(exactly: $0) }
    var found: [JSONValue] = []
    func describe(_ commitment: Commitment, _ signatures: CommitmentSignatures?) throws {
      var children: [JSONValue] = []
      for index in commitment.outputs.indices where output ?? index == index {
        let stages = try commitment.secondStages(of: index, signatures: signatures?.children ?? [])
        for (path, psbt) in stages {
          var child: JSONObject = [
            "output": .int(index), "path": .string(path),
            "txid": .text(try psbt.unsignedTransaction().txid),
          ]
          if writes { child["psbt"] = .string(try psbt.converted(to: .v0).base64) }
          children.append(.object(child))
        }
      }
      var described: JSONObject = [
        "holder": .string("\(commitment.context.holder)"), "number": .unsigned(commitment.context.number),
        "txid": .text(commitment.txid), "stack": .string(channel.name(of: commitment.stack)),
      ]
      if writes {
        let psbt = try commitment.psbt(signature: signatures?.funding)
        described["psbt"] = .string(try psbt.converted(to: .v0).base64)
      }
      described["second_stages"] = .array(children)
      found.append(.object(described))
    }
    do {
      for (commitment, signatures) in zip(try core.localCommitments(channel.signer), core.signatures) {
        try describe(commitment, signatures)
      }
      for commitment in try core.remoteCommitments().joined() { try describe(commitment, nil) }
    } catch let error as PSBTError {
      throw RPCError(.failure, "not as a PSBT: \(error)")
    }
    return ["channel_id": .text(channel.id), "commitments": .array(found)]
  }
}

extension LightningChannel {
  /// The channel type of the BOLTs that it is, or the names of its parts.
  var stackName: String { name(of: stack) }

  /// Of a stack that it has, or that one of its commitments has.
  func name(of stack: ChannelStack?) -> String {
    let known = type.flatMap { BOLT.ChannelType(featureBits: Set($0.basic.features.bits)) }
    guard let stack else { return known?.rawValue ?? "none" }
    let description = StackDescription(stack)
    if let known, let original = try? known.stack(), StackDescription(original) == description { return known.rawValue }
    return ExtensionRegistry.shipped.text(of: description)
  }
}
