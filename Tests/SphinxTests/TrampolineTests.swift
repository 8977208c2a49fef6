import Bitcoin
import Encoding
import JSON
import Secp256k1
import Sphinx
import Testing
import VectorSupport

/// Onions in onions (BOLTs pull request 836).
struct TrampolineTests {
  private let folder = "bolts/bolt04-trampoline/"

  /// Makes an onion of hops whose payloads are printed with their lengths, of the printed onion's size, and compares.
  private func check(
    hops: [JSONValue], id: String, payload: (JSONValue) throws -> [UInt8], sessionKey: JSONValue,
    associatedData: [UInt8], onion: [UInt8]
  ) throws -> [SharedSecret] {
    let created = try Onion.create(
      sessionKey: try secretKey(sessionKey.string),
      hops: try hops.map { OnionHop(publicKey: try $0.key(id), payload: try withoutLength(payload($0))) },
      associatedData: associatedData, payloadsByteCount: onion.count - 66)
    #expect(created.packet.bytes == onion)
    for (index, hop) in hops.enumerated() {
      if let secret = hop["shared_secret"] {
        #expect(created.sharedSecrets[index].hex == (try secret.string))
      }
      // What each payload says is what the library makes of it.
      let bytes = try withoutLength(payload(hop))
      #expect(try HopPayload(decoding: bytes).encoded == bytes)
    }
    return created.sharedSecrets
  }

  private func checkGenerated(_ section: JSONValue) throws {
    let associatedData = try section.hex("associated_data")
    if let trampolineHops = section["trampoline_hops"] {
      _ = try check(
        hops: try trampolineHops.array, id: "node_id", payload: { try $0.required("payload").hex("hex") },
        sessionKey: try section.required("trampoline_session_key"), associatedData: associatedData,
        onion: try section.hex("trampoline_onion"))
    }
    _ = try check(
      hops: try section.hops(), id: "node_id", payload: { try $0.required("payload").hex("hex") },
      sessionKey: try section.required("session_key"), associatedData: associatedData,
      onion: try section.hex("onion"))
  }

  /// Peels the outer onion of a section and, at its end, the trampoline onion inside.
  @discardableResult
  private func checkPeeled(
    _ section: JSONValue, associatedData: [UInt8], pathKey: PublicKey? = nil
  ) throws -> (outer: PeeledOnion, trampoline: PeeledOnion?) {
    let key = try secretKey(section.required("node_privkey").string)
    let blinding = pathKey.map { BlindingSecret(pathKey: $0, nodeKey: key) }
    let outer = try Onion.peel(
      try OnionPacket(section.hex("onion")), associatedData: associatedData, nodeKey: key, blinding: blinding)
    if let next = section["next_onion"] { #expect(outer.next?.description == (try next.string)) }
    let payload = try HopPayload(decoding: outer.payload)
    if blinding == nil {
      try payload.validate(as: payload.role(isFinal: outer.isFinal, hasPathKey: false), supportsTrampoline: true)
    }
    if let printed = section["decrypted_payload"] {
      #expect(outer.payload == (try withoutLength(bytes(printed.string))))
    }
    guard let packet = payload.trampolineOnionPacket else { return (outer, nil) }
    #expect(outer.isFinal)
    // The path key of a blinded trampoline hop comes in the outer onion.
    let inner = try Onion.peel(
      packet, associatedData: associatedData, nodeKey: key,
      blinding: payload.currentPathKey.map { BlindingSecret(pathKey: $0, nodeKey: key) })
    if let next = section["next_trampoline_onion"] { #expect(inner.next?.description == (try next.string)) }
    if let printed = section["decrypted_trampoline_payload"] {
      #expect(inner.payload == (try withoutLength(bytes(printed.string))))
    }
    return (outer, inner)
  }

  @Test(.vectors("bolts/bolt04-trampoline/trampoline-payment-onion-test.json"))
  func trampolinePayment() throws {
    let file = try Vectors.json(folder + "trampoline-payment-onion-test.json")
    let associatedData = try file.required("generate_alice").hex("associated_data")
    try checkGenerated(file.required("generate_alice"))
    try checkGenerated(file.required("generate_carol"))
    try checkPeeled(file.required("decrypt_bob"), associatedData: associatedData)
    let carol = try checkPeeled(file.required("decrypt_carol"), associatedData: associatedData)
    try HopPayload(decoding: #require(carol.trampoline).payload).validate(as: .trampolineForward)
    try checkPeeled(file.required("decrypt_dave"), associatedData: associatedData)
    let eve = try checkPeeled(file.required("decrypt_eve"), associatedData: associatedData)
    let final = try HopPayload(decoding: #require(eve.trampoline).payload)
    try final.validate(as: .trampolineFinal)
    #expect(final.amtToForward == MilliSatoshi(100_000_000))
    #expect(eve.trampoline?.isFinal == true)
    Vectors.report(folder + "trampoline-payment-onion-test.json", cases: 1)
  }

  @Test(.vectors("bolts/bolt04-trampoline/trampoline-onion-error-test.json"))
  func trampolineFailure() throws {
    let cases = try Vectors.json(folder + "trampoline-onion-error-test.json").array
    for file in cases {
      let associatedData = try file.required("generate_alice").hex("associated_data")
      try checkGenerated(file.required("generate_alice"))
      try checkGenerated(file.required("generate_carol"))
      for name in ["decrypt_bob", "decrypt_carol", "decrypt_dave"] {
        try checkPeeled(file.required(name), associatedData: associatedData)
      }

      let eve = try file.required("failure_eve")
      let peeled = try checkPeeled(eve, associatedData: associatedData)
      let onionSecret = try secret(eve.required("onion_shared_secret").string)
      let trampolineSecret = try secret(eve.required("trampoline_onion_shared_secret").string)
      #expect(peeled.outer.sharedSecret == onionSecret)
      #expect(peeled.trampoline?.sharedSecret == trampolineSecret)
      let failure = try eve.required("failure")
      let message = FailureMessage(
        .incorrectOrUnknownPaymentDetails(
          htlcMsat: MilliSatoshi(UInt64(try failure.required("htlc_msat").integer)),
          height: UInt32(try failure.required("height").integer)))
      #expect(message.code.name == (try failure.required("type").string))
      var packet = try #require(FailurePacket(message: message.encoded, sharedSecret: trampolineSecret))
      packet.wrap(sharedSecret: onionSecret)
      #expect(packet.reason == (try eve.hex("failure_packet")))

      let dave = try file.required("failure_dave")
      packet.wrap(sharedSecret: try secret(dave.required("onion_shared_secret").string))
      #expect(packet.reason == (try dave.hex("failure_packet")))

      let carol = try file.required("failure_carol")
      let atCarol = packet.unwrap(
        sharedSecrets: try carol.required("downstream_shared_secrets").array.map { try secret($0.string) })
      #expect(atCarol.origin == nil)
      #expect(atCarol.remainder == (try carol.hex("downstream_unwrapped_failure")))
      packet = FailurePacket(reason: atCarol.remainder)
      packet.wrap(sharedSecret: try secret(carol.required("upstream_trampoline_onion_shared_secret").string))
      packet.wrap(sharedSecret: try secret(carol.required("upstream_onion_shared_secret").string))
      #expect(packet.reason == (try carol.hex("failure_packet")))

      let bob = try file.required("failure_bob")
      packet.wrap(sharedSecret: try secret(bob.required("onion_shared_secret").string))
      #expect(packet.reason == (try bob.hex("failure_packet")))

      let alice = try file.required("failure_alice")
      let outer = packet.unwrap(
        sharedSecrets: try alice.required("onion_shared_secrets").array.map { try secret($0.string) })
      #expect(outer.origin == nil)
      #expect(outer.remainder == (try alice.hex("unwrapped_onion_failure")))
      let inner = FailurePacket(reason: outer.remainder).unwrap(
        sharedSecrets: try alice.required("trampoline_onion_shared_secrets").array.map { try secret($0.string) })
      #expect(inner.remainder == (try alice.hex("unwrapped_trampoline_onion_failure")))
      #expect(inner.origin == 1)
      #expect(inner.message == message.encoded)
    }
    Vectors.report(folder + "trampoline-onion-error-test.json", cases: cases.count)
  }

  /// The blinded path from Dave to Eve: made again where its session key is printed, and read by both.
  private func checkPath(_ section: JSONValue) throws {
    let hops = try section.hops()
    if let sessionKey = section["session_key"] {
      let created = try BlindedPath.create(
        sessionKey: try secretKey(sessionKey.string),
        hops: try hops.map { (nodeID: try $0.key("node_id"), data: try $0.hex("encoded_tlvs")) })
      #expect(created.path.firstPathKey == (try section.key("path_key")))
      for (made, hop) in zip(created.path.hops, hops) {
        #expect(made.blindedNodeID == (try hop.key("blinded_node_id")))
        #expect(made.encryptedRecipientData == (try hop.hex("encrypted_data")))
      }
    }
    var pathKey = try section.key("path_key")
    for (index, hop) in hops.enumerated() {
      let node = try nodeKey(3 + index)
      let secret = BlindingSecret(pathKey: pathKey, nodeKey: node)
      #expect(try secret.blindedKey(of: node).publicKey == hop.key("blinded_node_id"))
      let unblinded = try secret.unblind(hop.hex("encrypted_data"))
      #expect(unblinded.data.encoded == (try hop.hex("encoded_tlvs")))
      pathKey = unblinded.nextPathKey
    }
  }

  @Test(.vectors("bolts/bolt04-trampoline/trampoline-to-blinded-path-payment-onion-test.json"))
  func trampolineToABlindedPath() throws {
    let cases = try Vectors.json(folder + "trampoline-to-blinded-path-payment-onion-test.json").array
    for file in cases {
      try checkPath(file.required("generate_blinded_path_eve"))
      for (name, section) in file.objectValue?.members ?? []
      where section["session_key"] != nil && name != "generate_blinded_path_eve" {
        let isTrampoline = section["trampoline_onion"] != nil
        // Without hops there is one: the section itself.
        let hops = try section["hops"]?.array ?? [section]
        _ = try check(
          hops: hops, id: section["hops"] == nil ? "trampoline_node_id" : "pubkey",
          payload: { try $0.hex("encoded_tlvs") }, sessionKey: try section.required("session_key"),
          associatedData: try section.hex("associated_data"),
          onion: try section.hex(isTrampoline ? "trampoline_onion" : "onion"))
      }
      let associatedData = try file.required("generate_payment_onion").hex("associated_data")
      for (name, section) in file.objectValue?.members ?? [] where section["node_privkey"] != nil {
        let pathKey = try section["path_key"].map { try publicKey($0.string) }
        let peeled = try checkPeeled(section, associatedData: associatedData, pathKey: pathKey)
        let outer = try HopPayload(decoding: peeled.outer.payload)
        let payload = try peeled.trampoline.map { try HopPayload(decoding: $0.payload) } ?? outer
        let key = try secretKey(section.required("node_privkey").string)
        if let encrypted = payload.encryptedRecipientData {
          // From the trampoline onion for the introduction point, from the outer onion or beside it for those behind.
          let used = try #require(payload.currentPathKey ?? outer.currentPathKey ?? pathKey)
          let unblinded = try BlindingSecret(pathKey: used, nodeKey: key).unblind(encrypted)
          if name.contains("dave") {
            #expect(unblinded.nextPathKey.hex == "02c952268f1501cf108839f4f5d0fbb41a97de778a6ead8caf161c569bd4df1ad7")
            #expect(unblinded.data.paymentRelay?.feeProportionalMillionths == 1000)
            try unblinded.data.validate(as: .paymentForward)
          } else {
            let printed =
              try section["path_id"]
              ?? section.required("tlvs").required("trampoline_onion").required("encrypted_recipient_data").required(
                "path_id")
            #expect(unblinded.data.pathID == (try bytes(printed.string)))
          }
        }
        if let paths = payload.recipientBlindedPaths {
          let printed = try file.required("generate_blinded_path_eve").hops()
          #expect(paths.count == 1)
          #expect(paths[0].path.hops.map(\.blindedNodeID) == (try printed.map { try $0.key("blinded_node_id") }))
          #expect(paths[0].paymentInfo.feeBaseMsat == 500 && paths[0].paymentInfo.cltvExpiryDelta == 36)
        }
      }
    }
    Vectors.report(folder + "trampoline-to-blinded-path-payment-onion-test.json", cases: cases.count)
  }

  // The first onion of trampoline-payment-onion-test.json (lightning/bolts pull request 836, CC-BY-4.0) in brief: it must not need the
  // file. Carol is the trampoline, Eve is paid.
  private static let onion =
    "0002531fe6068134503d2723133227c867ac8fa6c83c537e9a44c3c5bdbdcb1fe3371860c0749bfd613056cfc5718beecc25"
    + "a2f255fc7abbea3cd75ff820e9d30807d19b30f33626452fa54bb2d822e918558ed3e6714deb3f9a2a10895e7553c6f088c9"
    + "a852043530dbc9abcc486030894364b205f5de60171b451ff462664ebce23b672579bf2a444ebfe0a81875c26d2fa16d4267"
    + "95b9b02ccbc4bdf909c583f0c2ebe9136510645917153ecb05181ca0c1b207824578ee841804a148f4c3df7306dcea52d942"
    + "22907c9187bc31c0880fc084f0d88716e195c0abe7672d15217623"
  private static let nextOnion =
    "00035e5c85814fdb522b4efeef99b44fe8a5d3d3412057bc213b98d6f605edb022c2ae4a9141f6ac403790afeed975061f02"
    + "4e2723d485f9cb35a3eaf881732f468dc19009bf195b561590798fb895b7b7065b5537018dec330e509e8618700c9c6e1df5"
    + "d15b900ac3c34104b6abb1099fd2eca3b640d7d5fda9370e20c09035168fc64d954baa80361b965314c400da2d7a64d0536b"
    + "f9e494aebb80aec358327a4a1a667fcff1daf241c99dd8c4fa907de5b931fb9daed083c157f5ea1dd960d142952f8ebe4e1c"
    + "caee4d565a093e2b91f94b04a884ce2e8c60aced3565e8d2d10de5"

  @Test("A trampoline onion is the proposal's, at its maker's and behind its first node")
  func trampolineOnionInBrief() throws {
    let payloads = try [
      "020405f5e10004030c35000e2102edabbd16b41c8371b92ef2f04c1185b4f03b6dcd52ba9b78d9d7c89c8f221145",
      "020405f5e10004030c350008242a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a05f5e100",
    ].map(bytes)
    let associatedData = [UInt8](repeating: 0x42, count: 32)
    let nodes = try [nodeKey(2).publicKey, nodeKey(4).publicKey]
    let session = try SecretKey(Bytes32([UInt8](repeating: 3, count: 32)))
    let made = try Onion.create(
      sessionKey: session, hops: zip(nodes, payloads).map { OnionHop(publicKey: $0, payload: $1) },
      associatedData: associatedData, payloadsByteCount: 227 - OnionPacket.overhead)
    #expect(made.packet.description == Self.onion)
    let carol = try Onion.peel(made.packet, associatedData: associatedData, nodeKey: nodeKey(2))
    #expect(carol.payload == payloads[0])
    #expect(try HopPayload(decoding: carol.payload).outgoingNodeID == nodes[1])
    let next = try #require(carol.next)
    #expect(next.description == Self.nextOnion)
    let eve = try Onion.peel(next, associatedData: associatedData, nodeKey: nodeKey(4))
    #expect(eve.isFinal && eve.payload == payloads[1])
  }
}
