import Bitcoin
import Encoding
import JSON
import Secp256k1
import Testing
import VectorSupport

/// The scripts of Lightning channels as descriptors and miniscripts, where these can say them, and why where they cannot.
@Suite struct DescriptorChannelTests {
  // BOLT 3 Appendix C.
  static let localFunding = "023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb"
  static let remoteFunding = "030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c1"

  @Test func `the funding output of BOLT 3 is sortedmulti`() throws {
    for keys in ["\(Self.localFunding),\(Self.remoteFunding)", "\(Self.remoteFunding),\(Self.localFunding)"] {
      let output = try #require(try Descriptor("wsh(sortedmulti(2,\(keys)))").outputs().first)
      #expect(output.witnessScript?.hex == "5221\(Self.localFunding)21\(Self.remoteFunding)52ae")
      #expect(output.scriptPubKey.hex == "0020c015c4a6be010e21657068fc2e6a9d02b27ebe4d490a25846f7237f104d1a3cd")
    }
  }

  @Test func `to_remote with anchors is a sane miniscript`() throws {
    // BOLT 3: <remotepubkey> OP_CHECKSIGVERIFY 1 OP_CHECKSEQUENCEVERIFY.
    let descriptor = try Descriptor("wsh(and_v(v:pk(\(Self.remoteFunding)),older(1)))")
    let expected = Script {
      $0.append(push: (try? Hex.decode(Self.remoteFunding)) ?? [])
      $0.append(.checkSigVerify)
      $0.append(number: 1)
      $0.append(.checkSequenceVerify)
    }
    #expect(try descriptor.outputs()[0].witnessScript == expected)
  }

  @Test func `an anchor is a miniscript, but not a sane one`() throws {
    // BOLT 3: <funding_pubkey> OP_CHECKSIG OP_IFDUP OP_NOTIF OP_16 OP_CHECKSEQUENCEVERIFY OP_ENDIF. Anyone may take it after 16 blocks.
    let text = "or_d(pk(\(Self.localFunding)),older(16))"
    let anchor = try Miniscript<PublicKey>(text, context: .p2wsh)
    let expected = try Script(asm: "\(Self.localFunding) OP_CHECKSIG OP_IFDUP OP_NOTIF OP_16 OP_CSV OP_ENDIF")
    #expect(anchor.script == expected)
    #expect(throws: MiniscriptError.needsNoSignature) { try anchor.checkSanity() }
    #expect(throws: DescriptorError.miniscript(.needsNoSignature)) { try Descriptor("wsh(\(text))") }
    // A descriptor can still name the output.
    let output = Script.p2wsh(expected)
    #expect(try Descriptor("raw(\(output.hex))").scripts() == [output])
  }

  @Test func `to_local has OP_DROP where miniscript has OP_VERIFY`() throws {
    let (revocation, delayed) = (Self.localFunding, Self.remoteFunding)
    let bolt3 = try Script(asm: "OP_IF \(revocation) OP_ELSE 9000 OP_CSV OP_DROP \(delayed) OP_ENDIF OP_CHECKSIG")
    let miniscript = try Miniscript<PublicKey>(
      "c:or_i(pk_k(\(revocation)),and_v(v:older(144),pk_k(\(delayed))))", context: .p2wsh)
    try miniscript.checkSanity()
    let differences = zip(bolt3.bytes, miniscript.script.bytes).enumerated().filter { $0.element.0 != $0.element.1 }
    #expect(bolt3.count == miniscript.script.count && differences.count == 1)
    #expect(differences.first?.element.0 == Opcode.drop.rawValue)
    #expect(differences.first?.element.1 == Opcode.verify.rawValue)
  }

  /// Outputs of simple taproot channels (BOLT proposal 995): a descriptor with names of keys, and the output in the vectors.
  static let taproot = [
    ("tr(musig(local_funding_pubkey,remote_funding_pubkey))", "funding"),
    ("tr(nums_point,and_v(v:pk(remote_payment_basepoint),older(1)))", "to_remote"),
    (
      "tr(derived_revocation_pubkey,{and_v(v:pk(derived_local_htlc_pubkey),pk(derived_remote_htlc_pubkey)),and_v(v:hash160(HASH),and_v(v:pk(derived_remote_htlc_pubkey),older(1)))})",
      "offered_htlc_local_commit"
    ),
    (
      "tr(derived_revocation_pubkey,{and_v(v:pk(derived_local_htlc_pubkey),and_v(v:older(1),after(500))),and_v(v:hash160(HASH),and_v(v:pk(derived_remote_htlc_pubkey),pk(derived_local_htlc_pubkey)))})",
      "accepted_htlc_local_commit"
    ),
    (
      "tr(derived_revocation_pubkey,and_v(v:pk(derived_local_delayed_pubkey),older(144)))", "second_level_htlc_success"
    ),
  ]

  @Test(.vectors("bolts/bolt03/simple-taproot-test.json")) func `outputs of taproot channels are descriptors`() throws {
    let file = try Vectors.json("bolts/bolt03/simple-taproot-test.json")
    let params = try file.required("params")
    let keys = try #require(params.required("keys").objectValue)
    let outputs = try file.required("scripts")
    for (template, name) in Self.taproot {
      let expected = try outputs.required(name)
      var text = template.replacing("HASH", with: "b8bcb07f6344b42ab04250c86a6e8b75d3fdbbc6")
      text = text.replacing("nums_point", with: try params.required("nums_point").string)
      // Longer names first: some contain others.
      for (key, value) in keys.members.sorted(by: { $0.name.count > $1.name.count }) {
        text = text.replacing(key, with: try value.string)
      }
      let descriptor = try Descriptor(text)
      let output = try #require(try descriptor.outputs().first)
      #expect(try output.scriptPubKey.hex == expected.required("pkscript").string, "\(text)")
      let leaves = Set(output.taproot?.paths.map(\.leaf.script.hex) ?? [])
      let scripts = Set(try expected["scripts"]?.objectValue?.members.map { try $0.value.string } ?? [])
      #expect(leaves == scripts, "\(text)")
    }
    // The revocation leaf drops a key (OP_DROP), and anyone may spend an anchor's leaf: neither is a sane miniscript.
    let anchor = try Miniscript<PublicKey>("older(16)", context: .tapscript)
    #expect(anchor.script.hex == "60b2")
    #expect(throws: MiniscriptError.needsNoSignature) { try anchor.checkSanity() }
  }
}
