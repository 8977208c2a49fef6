import Encoding
import Testing
import Wire

@Suite("Features")
struct FeatureTests {
  /// BOLT 9's table (lightning/bolts@a3772650): bit, name, context, dependencies.
  static let table: [(bit: Int, name: String, context: String, dependency: String?)] = [
    (4, "option_upfront_shutdown_script", "IN", nil), (10, "gossip_queries_ex", "IN", nil),
    (16, "basic_mpp", "IN9", "payment_secret"), (18, "option_support_large_channel", "IN", nil),
    (22, "option_anchors", "INT", nil), (24, "option_route_blinding", "IN9", nil),
    (26, "option_shutdown_anysegwit", "IN", nil), (28, "option_dual_fund", "IN", nil),
    (34, "option_quiesce", "IN", nil),
    (36, "option_attribution_data", "IN9", nil), (38, "option_onion_messages", "IN", nil),
    (42, "option_provide_storage", "IN", nil), (46, "option_scid_alias", "INT", nil),
    (48, "option_payment_metadata", "9", nil), (50, "option_zeroconf", "INT", "option_scid_alias"),
    (60, "option_simple_close", "IN", "option_shutdown_anysegwit"), (62, "option_splice", "IN", nil),
  ]
  static let assumed = [
    (0, "option_data_loss_protect"), (8, "var_onion_optin"), (12, "option_static_remotekey"), (14, "payment_secret"),
    (44, "option_channel_type"),
  ]

  @Test("have BOLT 9's bits, names, contexts and dependencies")
  func names() throws {
    let letters: [Character: Feature.Contexts] = [
      "I": .initMessage, "N": .nodeAnnouncement, "9": .invoice, "T": .channelType, "B": .blindedPath,
    ]
    for (bit, name, context, dependency) in Self.table {
      let feature = try #require(Feature.named(bit: bit))
      #expect(Feature.named(bit: bit + 1) == feature)
      #expect(Feature.named(name) == feature)
      #expect(feature.name == name)
      #expect(feature.contexts == Feature.Contexts(context.compactMap { letters[$0] }), "\(name)")
      #expect(feature.dependencies.map(\.name) == (dependency.map { [$0] } ?? []), "\(name)")
      #expect(!feature.isAssumed)
    }
    for (bit, name) in Self.assumed {
      #expect(Feature.named(bit: bit)?.name == name)
      #expect(Feature.named(bit: bit)?.isAssumed == true)
    }
    // The table and the assumed ones, and `gossip_queries`, for which it has no context.
    #expect(Feature.merged.count == Self.table.count + Self.assumed.count + 1)
    let all = Feature.merged + Feature.proposed
    #expect(Set(all.map(\.bit)).count == all.count)
    #expect(Set(all.map(\.name)).count == all.count)
  }

  @Test("are counted from the last byte's lowest bit, and keep zeros in front")
  func bits() {
    #expect(FeatureSet(bytes: [0x02, 0xa2]).bits == [1, 5, 7, 9])
    #expect(FeatureSet(bits: [1, 5, 7, 9]).bytes == [0x02, 0xa2])
    let padded = FeatureSet(bytes: [0, 0, 0x02])
    #expect(padded == FeatureSet(bits: [1]) && padded.bytes.count == 3 && !padded.isMinimal)
    #expect(padded.hashValue == FeatureSet(bits: [1]).hashValue)
    #expect(padded.minimal.bytes == [2] && FeatureSet().isMinimal)
    #expect(!padded[24] && !padded[-1] && !padded[.max])
    var set = FeatureSet()
    set[.max] = true
    set[-5] = true
    set[100] = false
    #expect(set.bytes.isEmpty)
    set[FeatureSet.maximumBit] = true
    #expect(set.bytes.count == 65_535 && set.bits == [FeatureSet.maximumBit])
    #expect(FeatureSet(bits: [0]).union(FeatureSet(bits: [9])).bits == [0, 9])
    #expect(FeatureSet(bits: [9]).union(FeatureSet(bits: [0])).bits == [0, 9])
  }

  @Test("A peer's half a million bits take no more than a line")
  func manyBits() throws {
    let all = FeatureSet(bytes: Array(repeating: 0xff, count: 65_535))
    #expect(all.description.utf8.count < 4000 && all.description.hasSuffix("and 524180 more"))
    #expect(all.unknownRequiredBit(supported: Feature.merged) == 2)
    #expect(ChannelType(features: all).description.utf8.count < 4000)
  }

  @Test("Even beats odd; setting one form clears the other")
  func support() {
    var set = FeatureSet(bits: [22, 23])
    #expect(set[.anchors] == .required)
    set[.anchors] = .optional
    #expect(set.bits == [23] && set[.anchors] == .optional)
    set[.anchors] = nil
    #expect(set.isEmpty && set[.anchors] == nil)
    #expect(FeatureSet([.quiesce: .optional, .splice: .required]).bits == [35, 62])
  }

  @Test("Peers must know what is even, and bring what their features need")
  func check() throws {
    let supported = Feature.merged
    try FeatureSet(bits: [12, 23, 101]).check(supported: supported)
    #expect(throws: FeatureError.unknownRequired(bit: 100)) {
      try FeatureSet(bits: [12, 100, 200]).check(supported: supported)
    }
    #expect(throws: FeatureError.unknownRequired(bit: 28)) {
      try FeatureSet(bits: [28]).check(supported: supported.filter { $0 != .dualFund })
    }
    #expect(throws: FeatureError.missingDependency(of: .zeroconf, on: .scidAlias)) {
      try FeatureSet(bits: [51]).check(supported: supported)
    }
    try FeatureSet(bits: [47, 51]).check(supported: supported)
    // What is assumed need not be there.
    try FeatureSet(bits: [17]).check(supported: supported)
    // Through another dependency: taproot needs simple close, which needs any segwit.
    let withTaproot = supported + [.simpleTaproot]
    #expect(throws: FeatureError.missingDependency(of: .simpleClose, on: .shutdownAnysegwit)) {
      try FeatureSet(bits: [61, 81]).check(supported: withTaproot)
    }
    #expect(throws: FeatureError.missingDependency(of: .simpleTaproot, on: .simpleClose)) {
      try FeatureSet(bits: [81]).check(supported: withTaproot)
    }
    #expect(throws: FeatureError.missingDependency(of: .simpleClose, on: .shutdownAnysegwit)) {
      try FeatureSet(bits: [61, 81]).check(supported: [.simpleTaproot])
    }
    try FeatureSet(bits: [27, 61, 81]).check(supported: withTaproot)
    #expect(FeatureError.unknownRequired(bit: 100).consequence == .closeConnection)
  }

  @Test("Negotiated is what both offer, or what we require")
  func negotiation() {
    let optional = FeatureSet(bits: [35])
    let required = FeatureSet(bits: [34])
    #expect(optional.isNegotiated(.quiesce, with: optional) && optional.isNegotiated(.quiesce, with: required))
    #expect(required.isNegotiated(.quiesce, with: FeatureSet()))
    #expect(
      !optional.isNegotiated(.quiesce, with: FeatureSet()) && !FeatureSet().isNegotiated(.quiesce, with: required))
  }

  @Test("We present ourselves only as BOLT 9 lets us")
  func own() throws {
    let supported = Feature.merged
    let all = FeatureSet([
      .varOnionOptin: .required, .basicMPP: .optional, .anchors: .optional, .paymentMetadata: .optional,
      .scidAlias: .optional,
    ])
    #expect(all.presented(in: .initMessage, supported: supported).bits == [8, 17, 23, 47])
    #expect(all.presented(in: .invoice, supported: supported).bits == [8, 17, 49])
    #expect(all.presented(in: .channelAnnouncement, supported: supported).bits == [8])
    try all.presented(in: .initMessage, supported: supported).checkOwn(in: .initMessage, supported: supported)
    #expect(throws: FeatureError.wrongContext(.paymentMetadata)) {
      try all.checkOwn(in: .initMessage, supported: supported)
    }
    #expect(throws: FeatureError.bothBits(.anchors)) {
      try FeatureSet(bits: [22, 23]).checkOwn(in: .initMessage, supported: supported)
    }
    #expect(throws: FeatureError.unknownRequired(bit: 101)) {
      try FeatureSet(bits: [101]).checkOwn(in: .initMessage, supported: supported)
    }
    #expect(throws: FeatureError.missingDependency(of: .zeroconf, on: .scidAlias)) {
      try FeatureSet(bits: [51]).checkOwn(in: .initMessage, supported: supported)
    }
    let odd = Feature(bit: 301, name: "test", contexts: [.initMessage, .channelAnnouncementOptional])
    #expect(FeatureSet([odd: .required]).presented(in: .channelAnnouncement, supported: [odd]).bits == [301])
    #expect(throws: FeatureError.wrongContext(odd)) {
      try FeatureSet([odd: .required]).checkOwn(in: .channelAnnouncement, supported: [odd])
    }
  }

  @Test("Channel types are the defined ones and their variations, nothing else")
  func channelTypes() {
    #expect(ChannelType.anchors.features.bits == [12, 22])
    #expect(ChannelType.staticRemotekey.isDefined && ChannelType.anchors.with(.scidAlias).with(.zeroconf).isDefined)
    #expect(ChannelType.anchors.with(.scidAlias).basic == .anchors)
    #expect(!ChannelType(.anchors).isDefined && !ChannelType(features: FeatureSet(bits: [12, 23])).isDefined)
    #expect(!ChannelType(.staticRemotekey, .quiesce).isDefined && !ChannelType(features: FeatureSet()).isDefined)
    #expect(ChannelType.simpleTaproot.isDefined && ChannelType.zeroFeeCommitments.isDefined)
    #expect(ChannelType.anchors.with(.zeroconf).description == "option_static_remotekey+option_anchors+option_zeroconf")
  }
}
