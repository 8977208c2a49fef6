internal import Encoding

/// A network that speaks Bitcoin's protocol, with what tells its texts apart.
public enum Network: Hashable, Sendable, CaseIterable {
  case bitcoin
  /// The third test network.
  case testnet
  /// The fourth test network (BIP 94).
  case testnet4
  /// The default signet (BIP 325).
  case signet
  case regtest

  /// Bitcoin Core's name of the chain: `main`, `test`, `testnet4`, `signet`, `regtest`.
  public var chainName: String {
    switch self {
    case .bitcoin: "main"
    case .testnet: "test"
    case .testnet4: "testnet4"
    case .signet: "signet"
    case .regtest: "regtest"
    }
  }

  public init?(chainName: String) {
    guard let network = Self.allCases.first(where: { $0.chainName == chainName }) else { return nil }
    self = network
  }

  /// Whether the coins have a value. Keys and Base58 addresses are written alike on all networks where they have none.
  public var kind: NetworkKind { self == .bitcoin ? .main : .test }

  /// The human-readable part of segwit addresses (BIP 173).
  public var segwitPrefix: String {
    switch self {
    case .bitcoin: "bc"
    case .testnet, .testnet4, .signet: "tb"
    case .regtest: "bcrt"
    }
  }

  /// The hash of the first block: BOLT 2's `chain_hash`.
  public var genesisBlockHash: BlockHash {
    let display =
      switch self {
      case .bitcoin: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
      case .testnet: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"
      case .testnet4: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"
      case .signet: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"
      case .regtest: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
      }
    // Cannot fail: 64 hex digits each.
    return (try? BlockHash(display: display)) ?? BlockHash(Bytes32())
  }
}

/// What the texts of keys tell about the network: BIP 32 and WIF know only these two.
public enum NetworkKind: Hashable, Sendable, CaseIterable {
  case main
  case test

  /// The networks of this kind.
  public var networks: [Network] { self == .main ? [.bitcoin] : [.testnet, .testnet4, .signet, .regtest] }
}
