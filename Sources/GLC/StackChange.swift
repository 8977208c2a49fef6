internal import Bitcoin
public import Encoding
internal import Hashing
internal import Secp256k1

// Another stack for an open channel. A change of the stack is an entry of the update log, and the only one as long as it is there: it goes
// through the usual dance, so that each side's commitment with the new stack is signed before its last one with the old stack is revoked.
// Whatever happens, the commitments that are in force say which stack is.

/// What a channel becomes.
public struct StackChange: Sendable {
  /// As this party has it.
  public var stack: ChannelStack
  /// Of keys that the stack before did not name, each party's.
  public var basepoints: PerParty<Basepoints>

  public init(stack: ChannelStack, basepoints: PerParty<Basepoints>) {
    self.stack = stack
    self.basepoints = basepoints
  }

  /// The same for the other party's eyes, read with the extensions of a registry.
  public func mirrored(_ registry: ExtensionRegistry) throws(StoredStateError) -> StackChange {
    StackChange(
      stack: try stack.mirrored(registry),
      basepoints: PerParty(local: basepoints.remote, remote: basepoints.local))
  }
}

/// Why a stack cannot take the place of another.
public struct StackRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: UInt8, Hashable, Sendable, CaseIterable {
    /// The extension is not known here.
    case unknown = 0
    /// The funding output would have to be another one.
    case funding = 1
    /// Extensions exclude each other, or one is missing.
    case composition = 2
    /// It is to go, or to have other parameters, and still holds something.
    case holdsSomething = 3
    /// Its parameters are not acceptable.
    case parameters = 4
    /// Keys are missing, or are not what they were.
    case keys = 5
    /// The funder could not pay for commitments of the new stack.
    case unaffordable = 6
    /// It is what the channel has.
    case unchanged = 7
    /// Not now: the channel is being closed, or is not in operation.
    case notNow = 8
    /// Not wanted.
    case policy = 9
  }

  public var reason: Reason
  /// The extension that is to blame, where one is.
  public var extensionID: ExtensionID?
  /// For people.
  public var text: String

  public init(_ reason: Reason, _ extensionID: ExtensionID? = nil, _ text: String) {
    self.reason = reason
    self.extensionID = extensionID
    self.text = text
  }

  public var description: String { text }
}

extension ChannelStack {
  /// The same stack as the other party has it.
  public func mirrored(_ registry: ExtensionRegistry) throws(StoredStateError) -> ChannelStack {
    var slots: [any ExtensionSlot] = []
    for slot in extensions { slots.append(try registry.slot(slot.id, parameters: slot.mirroredParameters.bytes)) }
    do { return try ChannelStack(funding: funding, extensions: slots, transforms: transforms) } catch {
      throw .stack(error)
    }
  }

  /// SHA-256 of the stack as the funder has it: the same for both.
  func digest(funder: Party) -> Bytes32 {
    var writer = ByteWriter()
    writer.write(type(of: self.funding).id.rawValue)
    writer.writeBigSize(UInt64(extensions.count))
    for slot in extensions {
      let parameters = funder == .local ? slot.encodedParameters : slot.mirroredParameters
      writer.write(slot.id.rawValue)
      writer.writeBigSize(UInt64(parameters.count))
      writer.write(parameters)
    }
    for transform in transforms { writer.write(type(of: transform).id.rawValue) }
    return sha256(writer.bytes)
  }

  /// The same extensions with the same parameters.
  public func isSame(as other: ChannelStack) -> Bool {
    type(of: funding).id == type(of: other.funding).id
      && extensions.map(\.id) == other.extensions.map(\.id)
      && extensions.map(\.encodedParameters) == other.extensions.map(\.encodedParameters)
      && transforms.map { type(of: $0).id } == other.transforms.map { type(of: $0).id }
  }

  /// Whether `other` can take the place of this stack while its funding output stays.
  func checkReplacement(by other: ChannelStack) throws(StackRefusal) {
    guard !isSame(as: other) else { throw StackRefusal(.unchanged, nil, "the channel has this stack") }
    guard type(of: funding).id == type(of: other.funding).id else {
      throw StackRefusal(.funding, type(of: other.funding).id, "another funding scheme needs another funding output")
    }
    // What both parties' balances become is not for extensions to come and go.
    func balances(_ stack: ChannelStack) -> [[UInt8]] {
      zip(stack.extensions, stack.phases).filter { $0.1 == .balances }.map { slot, _ in
        [UInt8(slot.id.rawValue >> 8), UInt8(truncatingIfNeeded: slot.id.rawValue)] + slot.encodedParameters
      }
    }
    guard balances(self) == balances(other) else {
      throw StackRefusal(.composition, nil, "the outputs of the balances have to stay")
    }
  }
}

extension ExtensionRegistry {
  /// What this node wants in place of a stack: what stays keeps its parameters, unless it is wished in another form; the rest is proposed.
  public func propose(
    _ description: StackDescription, replacing present: ChannelStack, limits: AgreementLimits
  ) throws(StackRefusal) -> ChannelStack {
    do throws(ComposingError) {
      let proposed = try propose(description, setting(for: description, limits: limits))
      return try proposed.keeping(present.extensions.filter { hasWishedForm($0, description) })
    } catch {
      throw StackRefusal(error)
    }
  }

  /// What this node says to a stack that the other party wants in place of another, as this party sees it: the same for what stays; to the rest,
  /// and to what gets another form, what each extension agrees to.
  public func agree(
    to theirs: ChannelStack, replacing present: ChannelStack, limits: AgreementLimits,
    acceptable: StackSetting.Acceptable
  ) throws(StackRefusal) -> ChannelStack {
    let description = StackDescription(theirs)
    if let unknown = description.extensions.first(where: { !knows($0) }) {
      // What may be ignored elsewhere cannot be agreed on.
      throw StackRefusal(.unknown, unknown, "extension \(unknown) is not known here")
    }
    do throws(ComposingError) {
      let setting = try setting(for: description, limits: limits, acceptable: acceptable)
      var slots: [any ExtensionSlot] = []
      for slot in theirs.extensions {
        if let same = present.extensions.first(where: { $0.id == slot.id }) {
          if same.encodedParameters == slot.encodedParameters {
            slots.append(same)
            continue
          }
          guard form(of: same) != form(of: slot) else {
            throw ComposingError.refused(slot.id, NegotiationFault("an extension that stays keeps its parameters"))
          }
        }
        do throws(ParameterFault) {
          guard
            let agreed = try reader(slot.id)?.agree(
              to: slot.encodedParameters.bytes, asSeenBy: .local, for: setting)
          else { continue }
          slots.append(agreed)
        } catch {
          switch error {
          case .malformed(let reason): throw ComposingError.malformed(slot.id, reason)
          case .refused(let fault): throw ComposingError.refused(slot.id, fault)
          }
        }
      }
      do { return try ChannelStack(funding: theirs.funding, extensions: slots, transforms: theirs.transforms) } catch {
        throw ComposingError.stack(error)
      }
    } catch {
      throw StackRefusal(error)
    }
  }
}

extension ChannelStack {
  /// With the parameters of these for the extensions that are among them.
  fileprivate func keeping(_ present: [any ExtensionSlot]) throws(ComposingError) -> ChannelStack {
    do {
      return try ChannelStack(
        funding: funding,
        extensions: extensions.map { slot in present.first { $0.id == slot.id } ?? slot },
        transforms: transforms)
    } catch {
      throw .stack(error)
    }
  }
}

extension StackRefusal {
  init(_ error: ComposingError) {
    switch error {
    case .unknown(let ids): self.init(.unknown, ids.first, "\(error)")
    case .missingParameters(let id), .malformed(let id, _), .refused(let id, _): self.init(.parameters, id, "\(error)")
    case .stack: self.init(.composition, nil, "\(error)")
    }
  }
}

extension CommitmentState {
  /// Carries the ledgers over. An extension that goes leaves its ledger behind, which must hold nothing, so that it counts on where it
  /// stopped should it come back.
  mutating func replaceStack(by other: ChannelStack) throws(StackRefusal) {
    var kept: [ExtensionID: any LedgerSlot] = [:]
    for (slot, ledger) in zip(stack.extensions, ledgers) {
      if let same = other.extensions.first(where: { $0.id == slot.id }),
        same.encodedParameters == slot.encodedParameters
      {
        kept[slot.id] = ledger
        continue
      }
      guard ledger.lockedValue == .zero else {
        throw StackRefusal(.holdsSomething, slot.id, "\(slot.manifest.name) still holds \(ledger.lockedValue)")
      }
      retired[slot.id] = ledger.encoded
    }
    var next: [any LedgerSlot] = []
    for slot in other.extensions {
      if let ledger = kept[slot.id] {
        next.append(ledger)
      } else if let before = retired.removeValue(forKey: slot.id) {
        guard let ledger = try? slot.decodeLedger(before.bytes), ledger.lockedValue == .zero else {
          throw StackRefusal(.parameters, slot.id, "what \(slot.manifest.name) held before cannot be read")
        }
        next.append(ledger)
      } else {
        next.append(slot.makeLedger())
      }
    }
    ledgers = next
    stack = other
  }
}

extension Channel {
  /// Whether the stack could become this one, as far as the stacks themselves and what is irrevocable say.
  public func check(_ other: ChannelStack) throws(StackRefusal) {
    try stack.checkReplacement(by: other)
    for funding in fundings {
      var state = funding.base
      try state.replaceStack(by: other)
      guard state.total == funding.base.total else { throw StackRefusal(.composition, nil, "value was not conserved") }
      for holder in Party.allCases {
        let funder = parameters.funder
        let before = funderCost(funding.base, heldBy: holder, withBuffer: false) ?? .zero
        guard let cost = funderCost(state, heldBy: holder, withBuffer: false),
          let needed = parameters.parties[funder].reserve.adding(cost)?.milliSatoshi,
          state.balances[funder] >= needed || cost <= before
        else { throw StackRefusal(.unaffordable, nil, "the funder could not pay for commitments of this stack") }
      }
    }
  }

  /// The channel with the change in its log.
  private func admitted(_ change: StackChange, by author: Party) throws(StackRefusal) -> Channel {
    guard log.entries.isEmpty, !awaitsRevocation, !isFixed.local, !isFixed.remote, heldRevocation == nil else {
      throw StackRefusal(.notNow, nil, "something is on its way")
    }
    try check(change.stack)
    var next = self
    for party in Party.allCases {
      var keys = Dictionary(parameters.parties[party].basepoints.all.map { ($0.basepoint, $0.key) }) { first, _ in first
      }
      for (basepoint, key) in change.basepoints[party].all {
        // What has ever been in a commitment stays: a revoked one may still appear.
        if let known = keys[basepoint], known != key, namedKeys.contains(where: { $0.role.basepoint == basepoint }) {
          throw StackRefusal(.keys, nil, "basepoint \(basepoint.rawValue) is another one than it was")
        }
        keys[basepoint] = key
      }
      for ref in change.stack.keys where keys[ref.role.basepoint] == nil {
        throw StackRefusal(.keys, nil, "basepoint \(ref.role.basepoint.rawValue) is missing")
      }
      next.parameters.parties[party].basepoints = Basepoints(keys)
    }
    next.log.append(.stack(change), by: author)
    for index in next.fundings.indices { next.fundings[index].prospects = nil }
    return next
  }

  /// Takes a change of the stack into the log.
  mutating func admit(_ change: StackChange, by author: Party) throws(ChannelError) {
    do throws(StackRefusal) {
      self = try admitted(change, by: author)
      awaitsStackChange = false
    } catch {
      guard author == .remote else { throw .notNow(error.text) }
      throw .violation(ProtocolViolation(error.reason == .notNow ? .warning : .failChannel, error.text))
    }
  }

  /// Whether a change of the stack is on its way.
  public var isChangingStack: Bool { log.changesStack || awaitsStackChange }

  /// Whether our change of the stack will be carried out, whatever happens: our signature on a commitment with it is out.
  public var hasSignedStackChange: Bool {
    log.entries.contains { entry in
      if case .stack = entry.content { entry.stage > .proposed } else { false }
    }
  }

  /// What `reestablish` says of stacks.
  var stackStatus: StackStatus {
    var pending: UInt64?
    if log.entries.contains(where: { entry in
      guard case .stack = entry.content else { return false }
      return entry.author == .local && entry.stage == .receiverCommitted
    }) {
      pending = remoteNumber
    }
    return StackStatus(
      inForce: (fundings.first?.local.stack ?? stack).digest(funder: parameters.funder), pending: pending)
  }

  /// Compares what the remote party says of its commitment with what we know of it.
  mutating func receive(_ status: StackStatus, nextCommitmentNumber: UInt64) throws(ChannelError) {
    guard nextCommitmentNumber > remoteUnrevoked, let funding = fundings.first else { return }
    if let index = Int(exactly: nextCommitmentNumber - 1 - remoteUnrevoked), funding.remote.indices.contains(index) {
      guard funding.remote[index].stack.digest(funder: parameters.funder) == status.inForce else {
        throw .violation(ProtocolViolation(.failChannel, "the remote party's commitment has another stack"))
      }
    }
    if let pending = status.pending, pending > 0, pending - 1 == localNumber { awaitsStackChange = true }
  }
}

/// What a party says of stacks after a lost connection.
public struct StackStatus: Hashable, Sendable {
  /// `ChannelStack.digest` of the sender's latest commitment: 32 bytes.
  public var inForce: Bytes32
  /// The number of the receiver's commitment with another stack that the sender has signed, and whose predecessor is not revoked.
  public var pending: UInt64?

  public init(inForce: Bytes32, pending: UInt64? = nil) {
    self.inForce = inForce
    self.pending = pending
  }
}
