internal import Bitcoin
internal import Encoding
internal import Wire

extension FuzzTarget {
  /// A target for each message of the BOLTs; the input is what follows the type.
  static let eachMessage: [FuzzTarget] = [
    message(Warning.self), message(Stfu.self), message(PeerStorage.self), message(PeerStorageRetrieval.self),
    message(Init.self), message(ErrorMessage.self), message(Ping.self), message(Pong.self), message(OpenChannel.self),
    message(AcceptChannel.self), message(FundingCreated.self), message(FundingSigned.self), message(ChannelReady.self),
    message(Shutdown.self), message(ClosingSigned.self), message(ClosingComplete.self), message(ClosingSig.self),
    message(OpenChannel2.self), message(AcceptChannel2.self), message(TxAddInput.self), message(TxAddOutput.self),
    message(TxRemoveInput.self), message(TxRemoveOutput.self), message(TxComplete.self), message(TxSignatures.self),
    message(TxInitRbf.self), message(TxAckRbf.self), message(TxAbort.self), message(SpliceLocked.self),
    message(SpliceInit.self), message(SpliceAck.self), message(StartBatch.self), message(UpdateAddHTLC.self),
    message(UpdateFulfillHTLC.self), message(UpdateFailHTLC.self), message(CommitmentSigned.self),
    message(RevokeAndAck.self), message(UpdateFee.self), message(UpdateFailMalformedHTLC.self),
    message(ChannelReestablish.self), message(ChannelAnnouncement.self), message(NodeAnnouncement.self),
    message(ChannelUpdate.self), message(AnnouncementSignatures.self), message(QueryShortChannelIDs.self),
    message(ReplyShortChannelIDsEnd.self), message(QueryChannelRange.self), message(ReplyChannelRange.self),
    message(GossipTimestampFilter.self), message(OnionMessage.self),
  ]

  private static func message<M: WireMessage>(_: M.Type) -> FuzzTarget {
    FuzzTarget(
      "message-\(M.name)",
      seeds: {
        [false, true].compactMap { withRecords in
          var source = SampleFields(hasRecords: withRecords)
          guard let message = try? M(from: &source), let bytes = try? message.encoded() else { return nil }
          return Array(bytes.dropFirst(2))
        }
      },
      run: { input throws(Violation) in
        guard let message = try? Message(type: M.type, payload: input) else { return .refused }
        try law(message.type == M.type, "a message has its type")
        guard let encoded = try? message.encoded() else { throw Violation(description: "what was read can be written") }
        try law(encoded.dropFirst(2) == input.array[...], "written as read: \(Hex.encode(encoded))")
        try law((try? M(decoding: encoded)) != nil, "the type alone reads it as well")
        try law((try? Message(named: message.named)) == message, "the named form is the same message: \(message.named)")
        return .accepted
      })
  }

  /// The values of messages that have a text form.
  static let wireTexts: [FuzzTarget] = [
    FuzzTarget(
      "text-short_channel_id", dictionary: ["x", "16777215", "65535"],
      seeds: { ["539268x845x1", "0x0x0", "16777215x16777215x65535", "1x2", "01x1x1"].map { Array($0.utf8) } },
      run: { input throws(Violation) in
        let text = String(decoding: input.array, as: UTF8.self)
        guard let id = try? ShortChannelID(text: text) else { return .refused }
        try law(id.description == text, "\(text) is written as \(id)")
        return .accepted
      }),
    FuzzTarget(
      "text-node_address", dictionary: [":9735", ".onion", "[", "]", "::", "."],
      seeds: {
        [
          "192.0.2.1:9735", "[2001:db8::1]:9735", "example.com:80", "expyuzz4wqqyqhjn.onion:80",
          "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:9735", "[::]:1", "x",
        ].map { Array($0.utf8) }
      },
      run: { input throws(Violation) in
        let text = String(decoding: input.array, as: UTF8.self)
        guard let address = try? NodeAddress(text: text) else { return .refused }
        try law((try? NodeAddress(text: address.description)) == address, "\(text) is written as \(address)")
        let list = try? NodeAddresses([address]).list()
        try law(list?.addresses == [address], "\(address) is read as it is written")
        return .accepted
      }),
    FuzzTarget(
      "text-peer",
      seeds: { [Array("internal error".utf8), [0x1b, 0x5b, 0x33, 0x31, 0x6d], Array("⚡\u{202e}".utf8)] },
      run: { input throws(Violation) in
        let text = PeerText(bytes: input.array).safeText(limit: 64)
        let verbatim = text.split(separator: "…", maxSplits: 1).first ?? ""
        try law(verbatim.utf8.allSatisfy { 0x20...0x7e ~= $0 }, "printable ASCII alone: \(verbatim)")
        try law(text.count <= 64 + 32, "no longer than asked for")
        guard let alias = Alias(String(decoding: input.array, as: UTF8.self)) else { return .refused }
        try law(alias.safeText.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }, "no controls")
        return .accepted
      }),
  ]
}

/// Gives a message the plainest fields there are, and records all or none.
private struct SampleFields: FieldSource {
  let hasRecords: Bool

  /// The generator: the only value here that cannot be zeros is a point.
  private static let point: [UInt8] = [
    0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b,
    0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
  ]

  func field<T: WireField>(_ name: FieldName, as: T.Type) throws(WireError) -> T {
    let bytes = T.minimumByteCount == 33 ? Self.point : [UInt8](repeating: 0, count: T.minimumByteCount)
    do throws(DecodingError) {
      var reader = ByteReader(bytes.bytes)
      return try T(from: &reader)
    } catch {
      throw .unknownMessage
    }
  }

  func field<T: WireField>(_ name: FieldName, length: FieldName, as: T.Type) throws(WireError) -> T {
    try field(name, as: T.self)
  }

  func bytes(_ name: FieldName, length: FieldName) throws(WireError) -> [UInt8] { [1, 2, 3] }

  func list<T: WireListElement>(_ name: FieldName, count: FieldName, as: T.Type) throws(WireError) -> [T] {
    [try field(name, as: T.self)]
  }

  func record<T: WireField>(_ type: UInt64, as: T.Type) throws(WireError) -> T? {
    hasRecords ? try field("record", as: T.self) : nil
  }

  func otherRecords() throws(WireError) -> TLVStream {
    var others = TLVStream()
    if hasRecords { others[0x1_0001] = [1, 2, 3] }
    return others
  }

  func excess() throws(WireError) -> [UInt8] { hasRecords ? [1, 1, 0] : [] }
}
