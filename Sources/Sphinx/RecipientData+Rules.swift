public import Bitcoin

extension RecipientData {
  /// Whose data it is: what BOLT 4 asks of it depends on that.
  public enum Role: Hashable, Sendable, CaseIterable {
    case paymentForward, paymentFinal, messageForward, messageFinal
  }

  /// Checks what BOLT 4's readers of payments and onion messages must check. `knownFeatures` are the bits of `allowed_features` that we
  /// understand. Throws the record at fault.
  public func validate(as role: Role, knownFeatures: Set<Int> = []) throws(InvalidPayload) {
    // BOLT 4: `encrypted_recipient_data.allowed_features.features` contains an unknown feature bit (even if it is odd).
    guard Self.bits(of: allowedFeatures ?? []).isSubset(of: knownFeatures) else { throw refusal(14, .notAllowed) }
    switch role {
    case .paymentForward:
      // BOLT 4: contains both `short_channel_id` and `next_node_id`.
      if shortChannelID != nil && nextNodeID != nil { throw refusal(4, .notAllowed) }
      // BOLT 4: does not contain either `short_channel_id` or `next_node_id`.
      if shortChannelID == nil && nextNodeID == nil { throw refusal(2, .missing) }
      // BOLT 4: MUST return an error if `encrypted_recipient_data` does not contain `payment_relay`.
      if paymentRelay == nil { throw refusal(10, .missing) }
    case .paymentFinal:
      if shortChannelID != nil && nextNodeID != nil { throw refusal(4, .notAllowed) }
    case .messageForward:
      // BOLT 4: if the `encrypted_data_tlv` contains `path_id`: MUST ignore the message.
      if pathID != nil { throw refusal(6, .notAllowed) }
      if shortChannelID == nil && nextNodeID == nil { throw refusal(4, .missing) }
    case .messageFinal: break
    }
  }

  /// BOLT 4: "MUST return an error if: the expiry is greater than `max_cltv_expiry`; the amount is below `htlc_minimum_msat`."
  public func allows(amount: MilliSatoshi, cltvExpiry: UInt32) -> Bool {
    guard let paymentConstraints else { return true }
    return cltvExpiry <= paymentConstraints.maxCLTVExpiry && amount >= paymentConstraints.htlcMinimumMsat
  }

  /// BOLT 4: "SHOULD add padding data to ensure all `encrypted_data_tlv[i]` have the same length". Replaces what padding there is.
  public static func pad(_ all: inout [RecipientData]) {
    for index in all.indices { all[index].padding = nil }
    let byteCounts = all.map(\.encoded.count)
    // A record takes two bytes at least, and there is none of 255 or 256 bytes: its length then takes three.
    guard let longest = byteCounts.max(),
      let target = (longest...longest + 1024).first(where: { target in
        byteCounts.allSatisfy { paddingByteCount(filling: target - $0) != nil }
      })
    else { return }
    for index in all.indices where byteCounts[index] < target {
      all[index].padding = paddingByteCount(filling: target - byteCounts[index]).map {
        [UInt8](repeating: 0, count: $0)
      }
    }
  }

  /// The padding whose record takes so many bytes; nil when there is none. (0 bytes are no record.)
  private static func paddingByteCount(filling room: Int) -> Int? {
    switch room {
    case 0: 0
    case 2...254: room - 2
    case 257...65_539: room - 4
    default: nil
    }
  }

  private func refusal(_ type: UInt64, _ reason: InvalidPayload.Reason) -> InvalidPayload {
    InvalidPayload(
      type: type, offset: reason == .missing ? 0 : recordOffset(of: type, in: encoded), reason: reason)
  }

  private static func bits(of features: [UInt8]) -> Set<Int> {
    var bits: Set<Int> = []
    for (index, byte) in features.reversed().enumerated() {
      for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 { bits.insert(index * 8 + bit) }
    }
    return bits
  }
}
