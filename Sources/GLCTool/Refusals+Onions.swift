internal import Noise
internal import Sphinx

// The codes of the errors of onions and of the transport. Where BOLT 4 and BOLT 8 have names, these are they.

extension HandshakeError: Refusal {
  var refusal: ToolError {
    let what =
      switch reason {
      case .wrongLength(let count): "expected \(act.byteCount) bytes, got \(count)"
      case .badVersion(let version): "version \(version), where only 0 is known"
      case .badPublicKey: "the key is not a point on secp256k1"
      case .badCiphertext: "the tag of the static key is wrong"
      case .badTag: "the tag is wrong"
      }
    return ToolError(.init(rawValue: description), "act \(act): \(what)")
  }
}

extension TransportError: Refusal {
  var refusal: ToolError {
    switch self {
    case .messageTooLong(let count): ToolError(.badLength, "a message has at most 65535 bytes, got \(count)")
    case .wrongLength(let expected, let actual): ToolError(.badLength, "expected \(expected) bytes, got \(actual)")
    case .badLengthTag: ToolError("bad_tag", "the tag of the length is wrong")
    case .badMessageTag: ToolError("bad_tag", "the tag of the message is wrong")
    case .outOfOrder, .closed: ToolError("refused", "\(self)")
    }
  }
}

extension OnionCreationError: Refusal {
  var refusal: ToolError {
    switch self {
    case .noHops: ToolError(.badValue, "hops: there are none")
    case .payloadTooShort(let hop): ToolError(.badLength, "hops[\(hop)].payload: lengths of 0 and 1 are reserved")
    case .payloadsTooLong(let needed, let available):
      ToolError("too_large", "the payloads take \(needed) bytes of \(available)")
    case .invalidSize(let size): ToolError(.badValue, "size: \(size)")
    case .associatedDataCount(let count): ToolError(.badValue, "associated data for \(count) hops")
    case .invalidSessionKey: ToolError(.badSecretKey, "session_key: take another one")
    }
  }
}

extension OnionError: Refusal {
  var refusal: ToolError {
    let what =
      switch self {
      case .invalidOnionVersion: "the version is not 0"
      case .invalidOnionKey: "the ephemeral key is not a point on secp256k1"
      case .invalidOnionHMAC:
        "the HMAC is wrong: the onion or the associated data was changed, or it is for another node"
      case .invalidOnionPayload: "the payload's length is malformed, reserved or too large"
      case .replayed: "the onion was seen before"
      }
    return ToolError(.init(rawValue: code.description), what)
  }
}

extension InvalidPayload: Refusal {
  var refusal: ToolError { ToolError("invalid_onion_payload", description) }
}

extension BlindedPath.CreationError: Refusal {
  var refusal: ToolError {
    switch self {
    case .invalidHopCount(let count): ToolError(.badValue, "hops: a path has from 1 to 255, got \(count)")
    case .dataTooLong(let hop): ToolError(.badLength, "hops[\(hop)].data: more than 65519 bytes")
    case .invalidSessionKey: ToolError(.badSecretKey, "session_key: take another one")
    }
  }
}

extension UnblindingError: Refusal {
  var refusal: ToolError {
    switch self {
    case .undecryptable: ToolError("invalid_onion_blinding", "not encrypted for this node under this path key")
    case .invalidData(let error): ToolError("invalid_onion_blinding", "no valid encrypted_data_tlv: \(error)")
    }
  }
}

extension OnionMessage.CreationError: Refusal {
  var refusal: ToolError {
    switch self {
    case .noHops: ToolError(.badValue, "path: it has no hops")
    case .onion(let error): error.refusal
    }
  }
}

extension OnionMessage.PeelingError: Refusal {
  var refusal: ToolError {
    switch self {
    case .onion(let error): error.refusal
    case .payload(let error): error.refusal
    case .unblinding(let error): error.refusal
    case .recipientData(let error): ToolError("invalid_onion_blinding", "encrypted_data_tlv: \(error)")
    }
  }
}
