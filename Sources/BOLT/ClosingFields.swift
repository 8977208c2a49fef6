internal import Encoding
internal import GLC
internal import Wire

// The signatures of `closing_complete` and `closing_sig`, by the outputs that they cover.

extension ClosingComplete {
  func signature(_ variant: ClosingTransaction.Variant) -> CompactSignature? {
    switch variant {
    case .closerOutputOnly: closerOutputOnly
    case .closeeOutputOnly: closeeOutputOnly
    case .closerAndCloseeOutputs: closerAndCloseeOutputs
    }
  }

  func partial(_ variant: ClosingTransaction.Variant) -> PartialSignatureWithNonce? {
    switch variant {
    case .closerOutputOnly: taprootCloserOutputOnly
    case .closeeOutputOnly: taprootCloseeOutputOnly
    case .closerAndCloseeOutputs: taprootCloserAndCloseeOutputs
    }
  }

  func has(_ variant: ClosingTransaction.Variant, _ signsTogether: Bool) -> Bool {
    signsTogether ? partial(variant) != nil : signature(variant) != nil
  }

  mutating func set(_ signature: CounterSignature, for variant: ClosingTransaction.Variant) {
    let fields = signature.fundingFields
    let plain = fields.partial == nil ? fields.signature : nil
    switch variant {
    case .closerOutputOnly: (closerOutputOnly, taprootCloserOutputOnly) = (plain, fields.partial)
    case .closeeOutputOnly: (closeeOutputOnly, taprootCloseeOutputOnly) = (plain, fields.partial)
    case .closerAndCloseeOutputs: (closerAndCloseeOutputs, taprootCloserAndCloseeOutputs) = (plain, fields.partial)
    }
  }
}

extension ClosingSig {
  func signature(_ variant: ClosingTransaction.Variant) -> CompactSignature? {
    switch variant {
    case .closerOutputOnly: closerOutputOnly
    case .closeeOutputOnly: closeeOutputOnly
    case .closerAndCloseeOutputs: closerAndCloseeOutputs
    }
  }

  func partial(_ variant: ClosingTransaction.Variant) -> PartialSignatureBytes? {
    switch variant {
    case .closerOutputOnly: taprootCloserOutputOnly
    case .closeeOutputOnly: taprootCloseeOutputOnly
    case .closerAndCloseeOutputs: taprootCloserAndCloseeOutputs
    }
  }

  func has(_ variant: ClosingTransaction.Variant, _ signsTogether: Bool) -> Bool {
    signsTogether ? partial(variant) != nil : signature(variant) != nil
  }

  /// The nonce of a partial signature is known to the other side.
  mutating func set(_ signature: CounterSignature, for variant: ClosingTransaction.Variant) {
    let fields = signature.fundingFields
    let plain = fields.partial == nil ? fields.signature : nil
    let partial = fields.partial?.partialSignature
    switch variant {
    case .closerOutputOnly: (closerOutputOnly, taprootCloserOutputOnly) = (plain, partial)
    case .closeeOutputOnly: (closeeOutputOnly, taprootCloseeOutputOnly) = (plain, partial)
    case .closerAndCloseeOutputs: (closerAndCloseeOutputs, taprootCloserAndCloseeOutputs) = (plain, partial)
    }
  }
}
