internal import Bitcoin
internal import Encoding
internal import Secp256k1

extension FuzzTarget {
  /// Addresses as text, and the addresses of scripts.
  static let address = FuzzTarget(
    "address", dictionary: ["bc1q", "bc1p", "tb1q", "bcrt1p", "1", "3", "m", "n", "2"],
    seeds: {
      Sample.scripts.prefix(7).flatMap { script -> [[UInt8]] in
        let texts = Network.allCases.compactMap { Address(scriptPubKey: script, on: $0)?.description }
        return [script.bytes] + texts.map { Array($0.utf8) }
      }
    },
    run: { input throws(Violation) in
      let script = Script(input.array)
      if let destination = Destination(scriptPubKey: script) {
        try law(destination.scriptPubKey == script, "a destination is its script: \(destination)")
        for network in Network.allCases {
          let address = Address(destination, on: network)
          try law(address.possibleNetworks.contains(network), "an address is possible on its network")
          let again = try? Address(address.description, expecting: network)
          try law(again == address, "\(address) is read as it is written")
        }
      }
      let text = String(decoding: input.array, as: UTF8.self)
      guard let address = try? Address(text) else { return .refused }
      let written = address.description
      try law(written == text || written == text.lowercased(), "\(text) is written as \(written)")
      try law(Destination(scriptPubKey: address.scriptPubKey) == address.destination, "a script has one destination")
      for network in Network.allCases {
        try law(
          ((try? Address(text, expecting: network)) != nil) == address.possibleNetworks.contains(network),
          "\(text) is for \(address.possibleNetworks) and no other network")
      }
      return .accepted
    })

  /// Private keys as text, and Base58Check.
  static let wif = FuzzTarget(
    "wif", dictionary: ["5", "K", "L", "c", "9"],
    seeds: {
      var seeds: [[UInt8]] = []
      for kind in NetworkKind.allCases {
        for isCompressed in [false, true] {
          guard let key = Sample.secretKey(9) else { continue }
          let wif = PrivateKeyWIF(secretKey: key, isCompressed: isCompressed, networkKind: kind)
          seeds.append(Array(wif.text.utf8))
        }
      }
      return seeds + [[0], [0x80] + [UInt8](repeating: 0xff, count: 32), Array("1".utf8)].map { $0 }
    },
    run: { input throws(Violation) in
      if input.byteCount <= 76 {
        let text = Base58Check.encode(input)
        try law((try? Base58Check.decode(text)) == input.array, "any bytes can be written and read")
      }
      let text = String(decoding: input.array, as: UTF8.self)
      if let payload = try? Base58Check.decode(text) {
        try law(Base58Check.encode(payload) == text, "text is written as it was read")
      }
      do {
        let wif = try PrivateKeyWIF(text)
        try law(wif.text == text, "a key is written as it was read")
        try law(
          wif.publicKeyBytes.count == (wif.isCompressed ? 33 : 65), "the public key has the form that was asked for")
        return .accepted
      } catch let violation as Violation {
        throw violation
      } catch {
        return .refused
      }
    })
}
