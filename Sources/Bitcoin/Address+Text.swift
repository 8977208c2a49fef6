public import Encoding

/// A destination on a network, as people write it.
///
/// Test networks share their prefixes: Base58 addresses look alike on all of them, segwit addresses on testnet, testnet4 and
/// signet. Say which one is expected where it matters; without, the first of `Network.allCases` that fits is taken.
public struct Address: Hashable, Sendable, CustomStringConvertible {
  public var destination: Destination
  public var network: Network

  public init(_ destination: Destination, on network: Network) {
    self.destination = destination
    self.network = network
  }

  /// The address of a script; nil when it has none.
  public init?(scriptPubKey: Script, on network: Network) {
    guard let destination = Destination(scriptPubKey: scriptPubKey) else { return nil }
    self.init(destination, on: network)
  }

  public var scriptPubKey: Script { destination.scriptPubKey }

  /// All networks on which this destination is written the same way.
  public var possibleNetworks: [Network] {
    switch destination {
    case .p2pkh, .p2sh: network.kind.networks
    case .witness: Network.allCases.filter { $0.segwitPrefix == network.segwitPrefix }
    }
  }

  // MARK: Text

  public var description: String {
    switch destination {
    case .p2pkh(let hash): Base58Check.encode([Self.p2pkhVersion(network.kind)] + hash.array)
    case .p2sh(let hash): Base58Check.encode([Self.p2shVersion(network.kind)] + hash.array)
    case .witness(let program):
      // BIP 350: segregated witness outputs version 0 use Bech32, all others Bech32m.
      Bech32.encode(
        humanReadablePart: network.segwitPrefix, data: [program.version] + Bech32.fiveBit(from: program.program.bytes),
        variant: program.version == 0 ? .bech32 : .bech32m)
    }
  }

  /// Reads an address of any kind. Throws `.wrongNetwork` when it is a valid one, but not of the expected network.
  public init(_ text: String, expecting expected: Network? = nil) throws(AddressError) {
    let networks: [Network]
    if let segwit = try Self.segwit(text) {
      (destination, networks) = segwit
    } else {
      (destination, networks) = try Self.base58(text)
    }
    guard let first = networks.first else { throw .unknownPrefix }
    if let expected {
      guard networks.contains(expected) else { throw .wrongNetwork(possible: networks) }
      network = expected
    } else {
      network = first
    }
  }

  private static func p2pkhVersion(_ kind: NetworkKind) -> UInt8 { kind == .main ? 0 : 111 }
  private static func p2shVersion(_ kind: NetworkKind) -> UInt8 { kind == .main ? 5 : 196 }

  private static func base58(_ text: String) throws(AddressError) -> (Destination, [Network]) {
    let payload: [UInt8]
    do {
      // 25 bytes: 35 characters at most.
      payload = try Base58Check.decode(text, maximumLength: 36)
    } catch {
      throw .invalidText(error)
    }
    guard payload.count == 21, let hash = try? Bytes20(Array(payload[1...])) else { throw .wrongLength }
    for kind in NetworkKind.allCases {
      if payload[0] == p2pkhVersion(kind) { return (.p2pkh(hash), kind.networks) }
      if payload[0] == p2shVersion(kind) { return (.p2sh(hash), kind.networks) }
    }
    throw .unknownPrefix
  }

  /// Nil when the text does not start as a segwit address of any network.
  private static func segwit(_ text: String) throws(AddressError) -> (Destination, [Network])? {
    let lowered = text.prefix(5).lowercased()
    let networks = Network.allCases.filter { lowered.hasPrefix($0.segwitPrefix + "1") }
    guard !networks.isEmpty else { return nil }
    let decoded: Bech32.Decoded
    let program: [UInt8]
    do {
      decoded = try Bech32.decode(text)
      program = try Bech32.bytes(fromFiveBit: Array(decoded.data.dropFirst()))
    } catch {
      throw .invalidText(error)
    }
    guard decoded.humanReadablePart == networks.first?.segwitPrefix else { throw .unknownPrefix }
    guard let version = decoded.data.first, version <= 16 else { throw .invalidWitnessVersion }
    guard decoded.variant == (version == 0 ? .bech32 : .bech32m) else { throw .wrongChecksumVariant }
    guard let witness = WitnessProgram(version: version, program: program) else { throw .wrongLength }
    return (.witness(witness), networks)
  }
}

/// Why a text is not an address.
public enum AddressError: Error, Hashable, Sendable {
  /// Not Base58Check, Bech32 or Bech32m.
  case invalidText(DecodingError)
  /// A version byte or human-readable part of no network.
  case unknownPrefix
  /// A hash or witness program of a length that its kind does not allow.
  case wrongLength
  /// None, or above 16.
  case invalidWitnessVersion
  /// Bech32 where BIP 350 wants Bech32m, or the other way round.
  case wrongChecksumVariant
  /// An address of other networks than the expected one.
  case wrongNetwork(possible: [Network])
}
