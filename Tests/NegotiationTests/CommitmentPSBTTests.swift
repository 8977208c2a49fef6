import BOLT
import Bitcoin
import BitcoindSupport
import Chain
import Encoding
import GLC
import GLCTesting
import HTLC
import JSON
import Negotiation
import Secp256k1
import Signer
import Testing

/// A channel in the middle of its life, with payments of both directions in its commitments.
private struct Scene {
  let simulator: TwoPartySimulator<HTLCTraffic>

  init(_ type: BOLT.ChannelType) throws {
    let stack = try type.stack()
    self.stack = stack
    for seed in 0..<100 as Range<UInt64> {
      var options = TwoPartySimulator<HTLCTraffic>.Options()
      if stack.fixesFeeRate { options.feeRate = FeeRate(satPerKiloWeight: 0) }
      var simulator = try TwoPartySimulator(
        seed: 400 + seed, stack: stack, traffic: HTLCTraffic(in: stack, patience: 20), options: options)
      try simulator.interrupt(after: 200)
      let own = simulator.parties[0]
      guard let commitment = try own.channel.localCommitments(own.signer).first,
        commitment.outputs.count(where: { !$0.children.isEmpty }) > 3
      else { continue }
      self.simulator = simulator
      return
    }
    throw NoSuchChannel()
  }

  struct NoSuchChannel: Error {}

  let stack: ChannelStack

  func own(_ index: Int) throws -> (commitment: Commitment, signatures: CommitmentSignatures) {
    let party = simulator.parties[index]
    let commitment = try #require(try party.channel.localCommitments(party.signer).first)
    return (commitment, try #require(party.channel.signatures.first))
  }
}

@Suite struct CommitmentPSBTTests {
  @Test(arguments: BOLT.ChannelType.allCases)
  func bothSidesMakeTheSameBytesOfTheSameCommitment(type: BOLT.ChannelType) throws {
    let scene = try Scene(type)
    for index in 0..<2 {
      let (commitment, _) = try scene.own(index)
      let mirrored = try #require(
        try scene.simulator.parties[1 - index].channel.remoteCommitments().joined()
          .first { $0.txid == commitment.txid })
      #expect(try commitment.psbt().encoded == mirrored.psbt().encoded)
      for output in commitment.outputs.indices {
        let (a, b) = (
          try commitment.secondStages(of: output),
          try mirrored.secondStages(of: output)
        )
        #expect(a.map(\.path) == b.map(\.path) && a.map(\.psbt) == b.map(\.psbt))
        #expect(a.count == commitment.outputs[output].children.count)
      }
      #expect(try commitment.secondStages(of: commitment.outputs.count).isEmpty)
      #expect(try commitment.secondStages(of: -1).isEmpty)
    }
  }

  @Test(arguments: BOLT.ChannelType.allCases)
  func aPSBTIsTheTransactionAndSurvivesBothVersions(type: BOLT.ChannelType) throws {
    let scene = try Scene(type)
    let (commitment, signatures) = try scene.own(0)
    let psbt = try commitment.psbt(signature: signatures.funding)
    #expect(try psbt.unsignedTransaction() == commitment.transaction)
    #expect(try PSBT(decoding: psbt.encoded.bytes) == psbt)
    let old = try psbt.converted(to: .v0)
    #expect(try PSBT(decoding: old.encoded.bytes) == old)
    #expect(try old.unsignedTransaction().txid == commitment.txid)
    // Every output says what it is and every way to spend it.
    for (output, sealed) in zip(psbt.outputs, commitment.outputs) {
      let own = output.proprietary.filter { $0.key.identifier == Array("GLC".utf8) }
      #expect(own.count { $0.key.subtype == 0 } == 1)
      #expect(own.count { $0.key.subtype == 1 } == sealed.output.paths.count)
    }
    let parameters = psbt.proprietary.filter { $0.key.subtype == 1 }
    #expect(parameters.count == scene.stack.extensions.count)
    var number = 0
    for index in commitment.outputs.indices {
      let stages = try commitment.secondStages(of: index, signatures: signatures.children)
      for (stage, child) in zip(stages, commitment.outputs[index].children) {
        let expected = child.template.transaction(spending: commitment.outputs[index].outPoint)
        #expect(try stage.psbt.unsignedTransaction() == expected)
        #expect(stage.psbt.inputs[0].hasSignatures, "the other side's signature")
        number += 1
      }
    }
    #expect(number > 3)
  }

  @Test func whatParametersSayOfLocalAndRemoteIsTheOpeners() throws {
    let (a, b) = (
      HTLCExtension.Limits(minimum: MilliSatoshi(1), maximumInFlight: MilliSatoshi(2), maximumAccepted: 3),
      HTLCExtension.Limits(minimum: MilliSatoshi(4), maximumInFlight: MilliSatoshi(5), maximumAccepted: 6)
    )
    let ours = try BOLT.ChannelType.anchors.stack(limits: PerParty(local: a, remote: b))
    let theirs = try BOLT.ChannelType.anchors.stack(limits: PerParty(local: b, remote: a))
    #expect(ours.extensions.map(\.encodedParameters) != theirs.extensions.map(\.encodedParameters))
    #expect(ours.extensions.map(\.encodedParameters) == theirs.extensions.map(\.mirroredParameters))
  }

  /// The PSBT has all that it takes: our key, and any tool that knows BIP 174 finishes it.
  @Test(arguments: BOLT.ChannelType.allCases.filter { try! !$0.stack().funding.signsTogether })
  func anySignerCanFinishACommitment(type: BOLT.ChannelType) throws {
    let scene = try Scene(type)
    let (commitment, signatures) = try scene.own(1)
    var psbt = try commitment.psbt(signature: signatures.funding)
    let key = try scene.simulator.parties[1].signer.secrets.secret(
      KeyRef(.funding, .holder), side: .holder, perCommitmentPoint: commitment.context.keys.perCommitmentPoint)
    #expect(try psbt.sign(with: key).signatures == 1)
    #expect(try psbt.finalize().isComplete)
    let transaction = try psbt.extractTransaction()
    #expect(transaction.txid == commitment.txid && transaction.inputs[0].witness.elements.count == 4)
  }

  /// The same of a channel whose two keys are one: the signers, their nonces and the other side's part are where BIP 373 wants them.
  @Test(arguments: BOLT.ChannelType.allCases.filter { try! $0.stack().funding.signsTogether })
  func signersThatSignTogetherAreNamed(type: BOLT.ChannelType) throws {
    let scene = try Scene(type)
    let (commitment, signatures) = try scene.own(0)
    let psbt = try commitment.psbt(signature: signatures.funding)
    let target = try #require(try psbt.musig2Targets(input: 0).first)
    let theirs = try commitment.context.keys(KeyRef(.funding, .counterparty))
    #expect(target.participants.contains(theirs))
    #expect(psbt.inputs[0].musig2PartialSignatures.keys == [target.key(of: theirs)])
    #expect(psbt.inputs[0].musig2PublicNonces.keys == [target.key(of: theirs)])
    // The signatures of second stages stand under key and leaf.
    let index = try #require(commitment.outputs.firstIndex { !$0.children.isEmpty })
    let stage = try #require(
      try commitment.secondStages(of: index, signatures: signatures.children).first)
    #expect(stage.psbt.inputs[0].tapScriptSignatures.count == 1 && stage.psbt.inputs[0].tapLeafScripts.count == 1)
  }

  @Test(.enabled(if: RunningBitcoind.executable != nil, "\(RunningBitcoind.reason)")) func bitcoindReadsAllOfThem()
    async throws
  {
    let chain = try await BitcoindChain.start()
    for type in BOLT.ChannelType.allCases {
      let scene = try Scene(type)
      let (commitment, signatures) = try scene.own(0)
      var psbts = [try commitment.psbt(signature: signatures.funding)]
      for index in commitment.outputs.indices {
        psbts += try commitment.secondStages(of: index, signatures: signatures.children).map(\.psbt)
      }
      for psbt in psbts {
        let text = JSONValue.string(try psbt.converted(to: .v0).base64)
        let decoded = try await chain.bitcoind.call("decodepsbt", [text])
        #expect(decoded["tx"]?["txid"]?.stringValue == "\(try psbt.unsignedTransaction().txid)", "\(type)")
        let analysis = try await chain.bitcoind.call("analyzepsbt", [text])
        #expect(analysis["error"] == nil, "\(type): \(analysis)")
        #expect(analysis["inputs"]?.arrayValue?.first?["has_utxo"]?.boolValue == true, "\(type)")
      }
      print("bitcoind reads \(psbts.count) PSBTs of \(type)")
    }
    await chain.stop()
  }
}
