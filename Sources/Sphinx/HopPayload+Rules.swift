internal import Encoding

extension HopPayload {
  /// What a hop is, which decides what its payload must and must not hold.
  public enum Role: String, Hashable, Sendable, CaseIterable {
    /// Outside of blinded paths.
    case forward, final
    /// Inside a blinded path: `path_key` came with `update_add_htlc`.
    case blindedForward = "blinded_forward"
    case blindedFinal = "blinded_final"
    /// The introduction point of a blinded path: the path key is in the payload.
    case introductionForward = "introduction_forward"
    case introductionFinal = "introduction_final"
    /// The payload of a trampoline onion, outside of blinded paths.
    case trampolineForward = "trampoline_forward"
    case trampolineFinal = "trampoline_final"

    public var isBlinded: Bool {
      switch self {
      case .blindedForward, .blindedFinal, .introductionForward, .introductionFinal: true
      case .forward, .final, .trampolineForward, .trampolineFinal: false
      }
    }
  }

  /// The role that a payload of a payment's onion speaks to. `isFinal` is what the onion's encryption says; `hasPathKey` whether
  /// `path_key` is set in the incoming `update_add_htlc`.
  public func role(isFinal: Bool, hasPathKey: Bool) -> Role {
    if hasPathKey { return isFinal ? .blindedFinal : .blindedForward }
    if encryptedRecipientData != nil { return isFinal ? .introductionFinal : .introductionForward }
    return isFinal ? .final : .forward
  }

  /// Checks what BOLT 4's reader must check of the records alone (§`payload` format, Requirements): amounts, expiries and channels are
  /// judged by whoever knows the HTLC. `knownTypes` are even types beyond BOLT 4's that the caller understands. With
  /// `supportsTrampoline`, the types of the trampoline proposal are known too. Throws the record at fault.
  public func validate(
    as role: Role, supportsTrampoline: Bool = false, knownTypes: Set<UInt64> = []
  ) throws(InvalidPayload) {
    let readsTrampoline = supportsTrampoline || role == .trampolineForward || role == .trampolineFinal
    for type in types where type.isMultiple(of: 2) {
      let isKnown =
        Self.knownTypes.contains(type) || knownTypes.contains(type)
        || readsTrampoline && Self.trampolineTypes.contains(type)
      if !isKnown { throw refusal(type, .unknownEven) }
    }
    switch role {
    case .forward:
      try refuseBlinding()
      // BOLT 4: MUST return an error if `amt_to_forward` or `outgoing_cltv_value` are not present.
      // MUST return an error if: `short_channel_id` is not present.
      try require(2, 4)
      if shortChannelID == nil && !(supportsTrampoline && outgoingNodeID != nil) { throw refusal(6, .missing) }
    case .final, .trampolineFinal:
      // The proposal puts the path key of a blinded trampoline hop beside the trampoline onion.
      try refuseBlinding(exceptPathKey: supportsTrampoline && trampolineOnionPacket != nil)
      try require(2, 4)
    case .trampolineForward:
      try refuseBlinding()
      try require(2, 4)
      if outgoingNodeID == nil && recipientBlindedPaths == nil { throw refusal(14, .missing) }
    case .blindedForward:
      try require(10)
      // BOLT 4: MUST return an error if `current_path_key` is present.
      // MUST return an error if the payload contains other tlv fields than `encrypted_recipient_data` and `current_path_key`.
      try refuseAll(but: 10)
    case .introductionForward:
      // BOLT 4: MUST return an error if `current_path_key` is not present.
      try require(10, 12)
      try refuseAll(but: 10, 12)
    case .blindedFinal:
      // BOLT 4: MUST return an error if the payload contains other tlv fields than `encrypted_recipient_data`,
      // `current_path_key`, `amt_to_forward`, `outgoing_cltv_value` and `total_amount_msat`.
      // MUST return an error if `amt_to_forward`, `outgoing_cltv_value` or `total_amount_msat` are not present.
      try require(10, 2, 4, 18)
      try refuseAll(but: 2, 4, 10, 18)
    case .introductionFinal:
      try require(10, 12, 2, 4, 18)
      try refuseAll(but: 2, 4, 10, 12, 18)
    }
  }

  /// BOLT 4: "Otherwise (it is not part of a blinded route): MUST return an error if (...) `current_path_key` is present."
  /// And what says that it is part of one contradicts the role.
  private func refuseBlinding(exceptPathKey: Bool = false) throws(InvalidPayload) {
    if encryptedRecipientData != nil { throw refusal(10, .notAllowed) }
    if currentPathKey != nil && !exceptPathKey { throw refusal(12, .notAllowed) }
  }

  private func require(_ required: UInt64...) throws(InvalidPayload) {
    let present = types
    for type in required where !present.contains(type) { throw refusal(type, .missing) }
  }

  private func refuseAll(but allowed: UInt64...) throws(InvalidPayload) {
    for type in types where !allowed.contains(type) { throw refusal(type, .notAllowed) }
  }

  /// What is said of a record at fault, with the place where it stands.
  public func refusal(_ type: UInt64, _ reason: InvalidPayload.Reason) -> InvalidPayload {
    // Every record has one encoding only, so that the place in `encoded` is the place in what was read.
    InvalidPayload(
      type: type, offset: reason == .missing ? 0 : recordOffset(of: type, in: encoded), reason: reason)
  }

  /// The value of a record that BOLT 4 does not have.
  public func record(_ type: UInt64) -> [UInt8]? { unknown.first { $0.type == type }?.value }

  private static let knownTypes: Set<UInt64> = [2, 4, 6, 8, 10, 12, 16, 18, keysendType]
  private static let trampolineTypes: Set<UInt64> = [14, 20, 22]
}
