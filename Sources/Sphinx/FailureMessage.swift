public import Bitcoin
public import Encoding

/// What went wrong with a payment, as the erring node tells the sender (BOLT 4 §Failure Messages): a 2-byte code, fields, and perhaps
/// more that nobody here understands.
public struct FailureMessage: Hashable, Sendable {
  public var failure: Failure
  /// BOLT 4: "The message data is followed by an optional TLV stream", and the origin "MUST ignore any extra bytes": kept as they are.
  public var extra: [UInt8]

  public init(_ failure: Failure, extra: [UInt8] = []) {
    self.failure = failure
    self.extra = extra
  }

  /// Each failure with its fields. A `channelUpdate` is a `channel_update` message, or empty.
  public enum Failure: Hashable, Sendable {
    case temporaryNodeFailure
    case permanentNodeFailure
    case requiredNodeFeatureMissing
    case invalidOnionVersion(sha256OfOnion: Bytes32)
    case invalidOnionHMAC(sha256OfOnion: Bytes32)
    case invalidOnionKey(sha256OfOnion: Bytes32)
    case temporaryChannelFailure(channelUpdate: [UInt8])
    case permanentChannelFailure
    case requiredChannelFeatureMissing
    case unknownNextPeer
    case amountBelowMinimum(htlcMsat: MilliSatoshi, channelUpdate: [UInt8])
    case feeInsufficient(htlcMsat: MilliSatoshi, channelUpdate: [UInt8])
    case incorrectCLTVExpiry(cltvExpiry: UInt32, channelUpdate: [UInt8])
    case expiryTooSoon(channelUpdate: [UInt8])
    case incorrectOrUnknownPaymentDetails(htlcMsat: MilliSatoshi, height: UInt32)
    case finalIncorrectCLTVExpiry(cltvExpiry: UInt32)
    case finalIncorrectHTLCAmount(incomingHTLCAmount: MilliSatoshi)
    case channelDisabled(disabledFlags: UInt16, channelUpdate: [UInt8])
    case expiryTooFar
    case invalidOnionPayload(type: UInt64, offset: UInt16)
    case mppTimeout
    case invalidOnionBlinding(sha256OfOnion: Bytes32)
    case temporaryTrampolineFailure
    case trampolineFeeOrExpiryInsufficient(
      feeBaseMsat: UInt32, feeProportionalMillionths: UInt32, cltvExpiryDelta: UInt16)
    case unknownNextTrampoline
    /// A code that BOLT 4 does not define, or one whose fields are cut off.
    case unrecognized(FailureCode, data: [UInt8])
  }

  /// Reads a `failuremsg`. Throws `.truncated` below two bytes; everything else is some failure.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    let code = FailureCode(rawValue: try reader.readUInt16())
    do throws(DecodingError) {
      if let failure = try Self.fields(of: code, from: &reader) {
        self.init(failure, extra: reader.readRest())
        return
      }
    } catch {}
    self.init(.unrecognized(code, data: bytes.extracting(2..<bytes.byteCount).array))
  }

  public init(decoding bytes: [UInt8]) throws(DecodingError) { try self.init(decoding: bytes.bytes) }

  @_lifetime(reader: copy reader)
  private static func fields(of code: FailureCode, from reader: inout ByteReader) throws(DecodingError) -> Failure? {
    switch code {
    case .temporaryNodeFailure: return .temporaryNodeFailure
    case .permanentNodeFailure: return .permanentNodeFailure
    case .requiredNodeFeatureMissing: return .requiredNodeFeatureMissing
    case .invalidOnionVersion: return .invalidOnionVersion(sha256OfOnion: try reader.read())
    case .invalidOnionHMAC: return .invalidOnionHMAC(sha256OfOnion: try reader.read())
    case .invalidOnionKey: return .invalidOnionKey(sha256OfOnion: try reader.read())
    case .temporaryChannelFailure: return .temporaryChannelFailure(channelUpdate: try update(&reader))
    case .permanentChannelFailure: return .permanentChannelFailure
    case .requiredChannelFeatureMissing: return .requiredChannelFeatureMissing
    case .unknownNextPeer: return .unknownNextPeer
    case .amountBelowMinimum:
      return .amountBelowMinimum(htlcMsat: MilliSatoshi(try reader.readUInt64()), channelUpdate: try update(&reader))
    case .feeInsufficient:
      return .feeInsufficient(htlcMsat: MilliSatoshi(try reader.readUInt64()), channelUpdate: try update(&reader))
    case .incorrectCLTVExpiry:
      return .incorrectCLTVExpiry(cltvExpiry: try reader.readUInt32(), channelUpdate: try update(&reader))
    case .expiryTooSoon: return .expiryTooSoon(channelUpdate: try update(&reader))
    case .incorrectOrUnknownPaymentDetails:
      return .incorrectOrUnknownPaymentDetails(
        htlcMsat: MilliSatoshi(try reader.readUInt64()), height: try reader.readUInt32())
    case .finalIncorrectCLTVExpiry: return .finalIncorrectCLTVExpiry(cltvExpiry: try reader.readUInt32())
    case .finalIncorrectHTLCAmount:
      return .finalIncorrectHTLCAmount(incomingHTLCAmount: MilliSatoshi(try reader.readUInt64()))
    case .channelDisabled:
      return .channelDisabled(disabledFlags: try reader.readUInt16(), channelUpdate: try update(&reader))
    case .expiryTooFar: return .expiryTooFar
    case .invalidOnionPayload:
      return .invalidOnionPayload(type: try reader.readBigSize(), offset: try reader.readUInt16())
    case .mppTimeout: return .mppTimeout
    case .invalidOnionBlinding: return .invalidOnionBlinding(sha256OfOnion: try reader.read())
    case .temporaryTrampolineFailure: return .temporaryTrampolineFailure
    case .trampolineFeeOrExpiryInsufficient:
      return .trampolineFeeOrExpiryInsufficient(
        feeBaseMsat: try reader.readUInt32(), feeProportionalMillionths: try reader.readUInt32(),
        cltvExpiryDelta: try reader.readUInt16())
    case .unknownNextTrampoline: return .unknownNextTrampoline
    default: return nil
    }
  }

  @_lifetime(reader: copy reader)
  private static func update(_ reader: inout ByteReader) throws(DecodingError) -> [UInt8] {
    try reader.readArray(count: Int(try reader.readUInt16()))
  }
}

extension FailureMessage {
  public var code: FailureCode {
    switch failure {
    case .temporaryNodeFailure: .temporaryNodeFailure
    case .permanentNodeFailure: .permanentNodeFailure
    case .requiredNodeFeatureMissing: .requiredNodeFeatureMissing
    case .invalidOnionVersion: .invalidOnionVersion
    case .invalidOnionHMAC: .invalidOnionHMAC
    case .invalidOnionKey: .invalidOnionKey
    case .temporaryChannelFailure: .temporaryChannelFailure
    case .permanentChannelFailure: .permanentChannelFailure
    case .requiredChannelFeatureMissing: .requiredChannelFeatureMissing
    case .unknownNextPeer: .unknownNextPeer
    case .amountBelowMinimum: .amountBelowMinimum
    case .feeInsufficient: .feeInsufficient
    case .incorrectCLTVExpiry: .incorrectCLTVExpiry
    case .expiryTooSoon: .expiryTooSoon
    case .incorrectOrUnknownPaymentDetails: .incorrectOrUnknownPaymentDetails
    case .finalIncorrectCLTVExpiry: .finalIncorrectCLTVExpiry
    case .finalIncorrectHTLCAmount: .finalIncorrectHTLCAmount
    case .channelDisabled: .channelDisabled
    case .expiryTooFar: .expiryTooFar
    case .invalidOnionPayload: .invalidOnionPayload
    case .mppTimeout: .mppTimeout
    case .invalidOnionBlinding: .invalidOnionBlinding
    case .temporaryTrampolineFailure: .temporaryTrampolineFailure
    case .trampolineFeeOrExpiryInsufficient: .trampolineFeeOrExpiryInsufficient
    case .unknownNextTrampoline: .unknownNextTrampoline
    case .unrecognized(let code, _): code
    }
  }

  /// The `failuremsg`. A `channelUpdate` longer than 65,535 bytes is left out: no message could hold it.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(code.rawValue)
    switch failure {
    case .invalidOnionVersion(let hash), .invalidOnionHMAC(let hash), .invalidOnionKey(let hash),
      .invalidOnionBlinding(let hash):
      writer.write(hash)
    case .temporaryChannelFailure(let update), .expiryTooSoon(let update): write(update, to: &writer)
    case .amountBelowMinimum(let amount, let update), .feeInsufficient(let amount, let update):
      writer.write(amount.rawValue)
      write(update, to: &writer)
    case .incorrectCLTVExpiry(let expiry, let update):
      writer.write(expiry)
      write(update, to: &writer)
    case .incorrectOrUnknownPaymentDetails(let amount, let height):
      writer.write(amount.rawValue)
      writer.write(height)
    case .finalIncorrectCLTVExpiry(let expiry): writer.write(expiry)
    case .finalIncorrectHTLCAmount(let amount): writer.write(amount.rawValue)
    case .channelDisabled(let flags, let update):
      writer.write(flags)
      write(update, to: &writer)
    case .invalidOnionPayload(let type, let offset):
      writer.writeBigSize(type)
      writer.write(offset)
    case .trampolineFeeOrExpiryInsufficient(let base, let proportional, let delta):
      writer.write(base)
      writer.write(proportional)
      writer.write(delta)
    case .unrecognized(_, let data): writer.write(data)
    case .temporaryNodeFailure, .permanentNodeFailure, .requiredNodeFeatureMissing, .permanentChannelFailure,
      .requiredChannelFeatureMissing, .unknownNextPeer, .expiryTooFar, .mppTimeout, .temporaryTrampolineFailure,
      .unknownNextTrampoline:
      break
    }
    writer.write(extra)
    return writer.bytes
  }

  private func write(_ channelUpdate: [UInt8], to writer: inout ByteWriter) {
    guard let count = UInt16(exactly: channelUpdate.count) else {
      writer.write(0 as UInt16)
      return
    }
    writer.write(count)
    writer.write(channelUpdate)
  }
}
