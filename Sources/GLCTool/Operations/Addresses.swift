internal import Bitcoin
internal import Encoding
internal import JSON

extension OperationGroup {
  static let addresses = OperationGroup("Addresses", [decode, encode])
}

private let decode = Operation(
  "address.decode", "Reads an address of any kind.",
  Parameter("address", .string), Parameter(optional: "network", .namedNetwork, "the address must be of it"),
  returns: [
    "script_pubkey": "hex", "network": "as it was given, or the first that fits: test networks share their addresses",
  ]
) { text, expected in
  let address = try Address(text, expecting: expected?.network)
  return [
    "script_pubkey": .hex(address.scriptPubKey), "network": .string(expected?.name ?? address.network.toolName),
  ]
}

private let encode = Operation(
  "address.encode", "Writes the address of a script.",
  Parameter("script_pubkey", .script), Parameter("network", .network),
  returns: ["address": "text"]
) { script, network in
  guard let address = Address(scriptPubKey: script, on: network) else {
    throw ToolError("no_address", "scripts of this kind have no address")
  }
  return ["address": .string(address.description)]
}

extension Network {
  var toolName: String {
    switch self {
    case .bitcoin: "bitcoin"
    case .testnet: "testnet"
    case .testnet4: "testnet4"
    case .signet: "signet"
    case .regtest: "regtest"
    }
  }
}

extension Kind where Value == Network {
  static var network: Self {
    let named = Kind<NamedNetwork>.namedNetwork
    return named.map(named.description) { (named) throws(ToolError) in named.network }
  }
}

/// A network and the name by which it was asked for.
private struct NamedNetwork: Sendable {
  let network: Network
  let name: String
}

extension Kind where Value == NamedNetwork {
  fileprivate static var namedNetwork: Self {
    let names = Network.allCases.map(\.toolName).joined(separator: " | ")
    return Kind<String>.string.map(names) { (name) throws(ToolError) in
      // Bitcoin Core's names of the chains are understood too.
      let found = Network.allCases.first { $0.toolName == name || $0.chainName == name }
      guard let network = found ?? (name == "mainnet" ? .bitcoin : nil) else {
        throw ToolError("unknown_network", "\(quoted(name)) is none of \(names)")
      }
      return NamedNetwork(network: network, name: name)
    }
  }
}

extension AddressError: Refusal {
  var refusal: ToolError {
    switch self {
    case .invalidText(let error): ToolError("bad_address", "not Base58Check, Bech32 or Bech32m: \(error)")
    case .unknownPrefix: ToolError("bad_address", "a version or a prefix of no network")
    case .wrongLength: ToolError("bad_address", "a hash or a witness program of a wrong length")
    case .invalidWitnessVersion: ToolError("bad_address", "no witness version from 0 to 16")
    case .wrongChecksumVariant:
      ToolError("bad_address", "BIP 350 wants Bech32 for witness version 0 and Bech32m for all others")
    case .wrongNetwork(let networks):
      ToolError("wrong_network", "an address of \(networks.map(\.toolName).joined(separator: ", "))")
    }
  }
}
