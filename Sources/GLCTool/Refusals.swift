internal import Bitcoin
internal import Encoding
internal import Secp256k1
internal import GLC

// The codes of the library's errors.

/// The case of an enum in words, for errors that have no description: `tooManyKeys(limit: 20)` is "too many keys (limit: 20)".
func words(of error: some Error) -> String {
  let text = String(describing: error)
  let name = text.prefix { $0 != "(" }
  var words = ""
  for character in name {
    if character.isUppercase && words.last?.isUppercase != true { words += " " }
    words += character.lowercased()
  }
  return name.count == text.count ? words : "\(words) \(text[name.endIndex...])"
}

extension DecodingError: Refusal {
  var refusal: ToolError { ToolError("bad_encoding", "\(self)") }
}

extension Secp256k1Error: Refusal {
  var refusal: ToolError {
    switch self {
    case .invalidSecretKey: ToolError(.badSecretKey, "not a number from 1 to n − 1")
    case .invalidPublicKey: ToolError(.badPublicKey, "not a point on secp256k1")
    case .invalidScalar: ToolError(.badValue, "not a number below n, or 0")
    case .invalidTweak: ToolError("bad_tweak", "the tweak is not below n, or leads to zero or to infinity")
    case .pointAtInfinity: ToolError("infinity", "the points add up to infinity, or there are none")
    case .invalidSignature: ToolError(.badSignature, "not the encoding of a signature")
    case .unrecoverableSignature: ToolError(.badSignature, "no public key can be recovered from the signature")
    case .invalidContribution(let contribution, let signer):
      ToolError(
        "invalid_contribution",
        "\(signer.map { "signer \($0)" } ?? "the aggregator of the nonces") sent an invalid \(contribution.rawValue)")
    case .unknownSigner: ToolError(.badValue, "the public key takes no part in the session")
    case .nonceOfAnotherKey: ToolError("bad_nonce", "the nonce was made for another key")
    case .invalidNonce: ToolError("bad_nonce", "not a nonce, or one that cannot be made of these inputs")
    case .invalidPartialSignature: ToolError("bad_partial_sig", "not a partial signature, or not one for each signer")
    case .invalidAdaptorSignature: ToolError("bad_adaptor_sig", "not an adaptor signature, or one that cannot be made")
    case .wrongAdaptorSecret:
      ToolError("wrong_secret", "the signature does not reveal the secret of this point from this adaptor signature")
    case .invalidProof: ToolError("bad_proof", "a proof that cannot be made of these inputs")
    }
  }
}

extension SighashError: Refusal {
  var refusal: ToolError {
    switch self {
    case .noSuchInput(let index): ToolError(.badIndex, "the transaction has no input \(index)")
    case .prevoutsMissing: ToolError(.badValue, "prevouts: one is needed for each input")
    case .invalidType(let type): ToolError(.badValue, "type: BIP 341 has no hash type \(type)")
    case .noMatchingOutput: ToolError(.badValue, "type: SIGHASH_SINGLE without an output of the input's index")
    }
  }
}

extension TaprootError: Refusal {
  var refusal: ToolError {
    switch self {
    case .treeTooDeep: ToolError(.badValue, "tree: deeper than the 128 levels of BIP 341")
    case .invalidTweak: ToolError("bad_tweak", "the tweak is not below n, or leads to infinity")
    case .invalidControlBlock: ToolError(.badValue, "not a control block")
    }
  }
}

extension ShachainError: Refusal {
  var refusal: ToolError { ToolError(.badValue, "\(self)") }
}
