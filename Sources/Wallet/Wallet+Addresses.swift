public import Bitcoin
internal import Encoding

extension Wallet {
  /// A new address, never handed out before. Throws `.exhausted`.
  public mutating func newAddress(
    _ kind: AddressKind = .taproot
  ) throws(WalletError) -> (address: Address, update: WalletUpdate) {
    let path = try nextPath(KeyChain(kind: kind, isChange: false), skipping: [])
    markUsed(path)
    return (Address(try destination(path), on: network), flush())
  }

  /// Where an output script of ours comes from; nil for the others'.
  public func path(of script: Script) -> AddressPath? { scripts.path(of: script) }

  /// The address of a path.
  public func address(of path: AddressPath) throws(WalletError) -> Address {
    Address(try destination(path), on: network)
  }

  /// All addresses handed out so far, without change.
  public func addresses(_ kind: AddressKind) -> [Address] {
    let next = chains[KeyChain(kind: kind, isChange: false)]?.next ?? 0
    return (0..<next).compactMap { try? address(of: AddressPath(kind: kind, isChange: false, index: $0)) }
  }

  /// How many scripts are watched.
  public var watchedScripts: Int { scripts.count }

  func destination(_ path: AddressPath) throws(WalletError) -> Destination {
    do { return try keys.destination(path) } catch { throw .noSuchKey }
  }

  /// The next address that is neither used nor in `skipping`. It is not marked.
  func nextPath(_ chain: KeyChain, skipping: Set<AddressPath>) throws(WalletError) -> AddressPath {
    var path = AddressPath(kind: chain.kind, isChange: chain.isChange, index: chains[chain]?.next ?? 0)
    while path.index < ChildNumber.hardenedOffset {
      // BIP 32: an index without a key is passed over.
      if !skipping.contains(path), (try? keys.destination(path)) != nil { return path }
      path.index += 1
    }
    throw .exhausted
  }

  /// The address of the next change, which other transactions in the making do not use. It counts as used once it is: a draft that comes to
  /// nothing must not widen the gap that a recovery has to bridge.
  func changePath() throws(WalletError) -> AddressPath {
    try nextPath(
      KeyChain(kind: policy.changeKind, isChange: true), skipping: Set(reservations.values.compactMap(\.change)))
  }

  /// An address was handed out, or used by a transaction. True when more addresses are watched than before.
  @discardableResult
  mutating func markUsed(_ path: AddressPath) -> Bool {
    guard let state = chains[path.chain], path.index >= state.next else { return false }
    chains[path.chain]?.next = path.index + 1
    dirty.chains.insert(path.chain)
    return watch(path.chain)
  }

  /// Watches the gap behind the last used address. True when there is something new to watch.
  @discardableResult
  mutating func watch(_ chain: KeyChain) -> Bool {
    guard var state = chains[chain] else { return false }
    let end = min(state.next.addingReportingOverflow(max(policy.gapLimit, 1)).partialValue, ChildNumber.hardenedOffset)
    guard state.watched < end else { return false }
    for index in state.watched..<end {
      let path = AddressPath(kind: chain.kind, isChange: chain.isChange, index: index)
      if let destination = try? keys.destination(path) { scripts.insert(destination.scriptPubKey, path) }
    }
    state.watched = end
    chains[chain] = state
    return true
  }
}
