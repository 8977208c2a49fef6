internal import Bitcoin
internal import Encoding
internal import GLC

// The funding transaction as a PSBT, with everything that was agreed on in its global records, so that whoever reads it knows the whole channel.

extension FundingPlan {
  /// - Parameters:
  ///   - terms: the opener's and the acceptor's.
  ///   - lock: of the channel's output.
  func psbt(
    _ deal: Deal, opener: OpeningTerms, acceptor: OpeningTerms, stack: ChannelStack, seenBy opening: Party,
    lock: OutputLock
  ) throws(Refusal) -> PSBT {
    var psbt: PSBT
    do { psbt = try PSBT(transactionVersion: 2, fallbackLocktime: lockTime, txModifiable: nil) } catch {
      throw Refusal(.protocol, "\(error)")
    }
    stack.describe(in: &psbt, by: opening)
    psbt.describeFunding()
    psbt.proprietary[GLCField.key(GLCField.Global.deal)] = deal.encoded
    psbt.proprietary[GLCField.key(GLCField.Global.terms, [0])] = opener.encoded
    psbt.proprietary[GLCField.key(GLCField.Global.terms, [1])] = acceptor.encoded
    for input in inputs {
      var described = PSBT.Input(previousOutput: input.outPoint, sequence: input.sequence)
      described.nonWitnessUTXO = input.previous
      described.witnessUTXO = input.spent
      described.proprietary[GLCField.key(GLCField.Input.serial)] = GLCField.bytes(input.serial)
      psbt.inputs.append(described)
    }
    for output in outputs {
      var described = PSBT.Output(output.output)
      described.proprietary[GLCField.key(GLCField.Output.serial)] = GLCField.bytes(output.serial)
      if output.isChannel {
        described.proprietary[GLCField.key(GLCField.Output.channel)] = []
        described.reveal(lock)
      }
      psbt.outputs.append(described)
    }
    return psbt
  }

  /// What a proposed PSBT adds. What else stands in it is compared with what is made of this again.
  init(reading psbt: PSBT, lockTime: UInt32) throws(Refusal) {
    self.init(lockTime: lockTime)
    func malformed(_ reason: String) -> Refusal { Refusal(.funding, reason) }
    guard psbt.inputs.count <= NegotiationLimits.inputs, psbt.outputs.count <= NegotiationLimits.outputs else {
      throw malformed("more than 252 inputs or outputs")
    }
    for input in psbt.inputs {
      guard let serial = GLCField.serial(input.proprietary[GLCField.key(GLCField.Input.serial)]) else {
        throw malformed("an input without serial number")
      }
      guard let previous = input.nonWitnessUTXO else { throw malformed("an input without its previous transaction") }
      guard previous.txid == input.previousOutput.txid else {
        throw malformed("a previous transaction that is another one")
      }
      add(
        Input(
          serial: serial, previous: previous, vout: input.previousOutput.vout, sequence: input.sequence ?? .max))
    }
    for output in psbt.outputs {
      guard let serial = GLCField.serial(output.proprietary[GLCField.key(GLCField.Output.serial)]) else {
        throw malformed("an output without serial number")
      }
      add(
        Output(
          serial: serial, output: output.transactionOutput,
          isChannel: output.proprietary[GLCField.key(GLCField.Output.channel)] != nil))
    }
  }
}

extension PSBT {
  mutating func describeFunding() {
    var writer = ByteWriter(reservingCapacity: 10)
    writer.write(TransactionRole.funding.rawValue)
    writer.write(0 as UInt64)
    writer.write(0 as UInt8)
    proprietary[GLCField.key(GLCField.Global.role)] = writer.bytes
  }

  /// Each extension's parameters, as the opener has them.
  var glcParameters: [ExtensionID: [UInt8]] {
    var found: [ExtensionID: [UInt8]] = [:]
    for (key, value) in proprietary
    where key.identifier == GLCField.identifier && key.subtype == GLCField.Global.parameters.rawValue {
      guard key.data.count == 2 else { continue }
      found[ExtensionID(rawValue: UInt16(key.data[0]) << 8 | UInt16(key.data[1]))] = value
    }
    return found
  }

  /// Records of ours that must be understood and are not: each by where it stands.
  var unknownGLCFields: [String] {
    func unknown(_ records: Records<ProprietaryKey, [UInt8]>, _ place: String, _ known: Set<UInt64>) -> [String] {
      records.filter {
        $0.key.identifier == GLCField.identifier && !known.contains($0.key.subtype) && $0.key.subtype.isMultiple(of: 2)
      }.map { "\(place) \($0.key.subtype)" }
    }
    var found = unknown(proprietary, "global", Set(GLCField.Global.allCases.map(\.rawValue)))
    for input in inputs { found += unknown(input.proprietary, "input", Set(GLCField.Input.allCases.map(\.rawValue))) }
    for output in outputs {
      found += unknown(output.proprietary, "output", Set(GLCField.Output.allCases.map(\.rawValue)))
    }
    return found
  }
}
