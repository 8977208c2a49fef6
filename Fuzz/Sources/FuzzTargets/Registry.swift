extension FuzzTarget {
  /// Every target, in the order in which `scripts/fuzz all` runs them. A corpus folder of the same name belongs to each.
  public static let all: [FuzzTarget] =
    [
      transaction, script, interpreter, spend, controlBlock, keys, musig, psbt, descriptor, miniscript, address, wif,
      extendedKey, mnemonic, signedMessage, block, filter, message, payload, failure, onion, failurePacket,
      attribution, noise, invoice, offer, storedChannel, negotiation, composedChannel, json, tool, tlv, integers,
      bech32, base58, base64, hex,
    ] + wireTexts + eachMessage
}
