public import Bitcoin

/// Why the wallet cannot do what it was asked to. The text says what to do.
public enum WalletError: Error, Hashable, Sendable {
  // MARK: Records

  /// A record cannot be read.
  case damagedRecord(key: [UInt8])
  /// A record of a newer version of the program.
  case newerRecord(key: [UInt8])
  /// The records belong to another seed or network.
  case otherWallet

  // MARK: Chain

  /// The block does not follow on the tip, or is not the tip that is to be taken away.
  case outOfOrder(tip: BlockPosition?)
  /// More blocks were taken away than are remembered: rescan from further below.
  case reorganisationTooDeep

  // MARK: Spending

  /// That much can be spent, and so much more is missing, fees included.
  case insufficientFunds(available: Satoshi, missing: Satoshi)
  /// The funds would do, but they are the reserve that keeps channels safe.
  case anchorReserve(Satoshi)
  /// An output below what the network relays.
  case dust(Satoshi, minimum: Satoshi)
  case amountOutOfRange
  /// No recipient, or more than one that is to get all.
  case invalidRecipients
  /// A coin that is not ours, not there, spent, reserved or not yet mature.
  case unusableCoin(OutPoint)
  /// What somebody else is to rely on has to be confirmed.
  case unconfirmedCoin(OutPoint)
  /// No transaction of ours that it could be done to.
  case unknownTransaction(TxID)
  case alreadyConfirmed(TxID)
  /// It must not change its id (a channel depends on it), or spends what is not ours: let a child pay for it instead.
  case notReplaceable(TxID)
  /// A child can only pay for a parent whose fee is known.
  case unknownFee(TxID)
  /// It pays that rate already.
  case alreadyPays(FeeRate)
  /// The transaction would be too large to be relayed.
  case tooLarge
  /// All 2³¹ addresses were handed out.
  case exhausted
  /// There is no such reservation, or it has been released.
  case unknownReservation(UInt64)
  /// BIP 431, and other reasons of the claim itself.
  case claim(String)

  // MARK: Signing

  /// What is to be signed does not agree with what the wallet knows of its own outputs.
  case mismatch(input: Int)
  case psbt(PSBTError)
  /// A signature does not verify: nothing is handed out.
  case signingFailed(input: Int)
  case noSuchKey
}

extension WalletError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .damagedRecord: "a record of the wallet is damaged: restore the wallet from its words and rescan"
    case .newerRecord: "a record of the wallet was written by a newer version: install that"
    case .otherWallet: "the records belong to another seed or network"
    case .outOfOrder(let tip): "a block out of order: the tip is \(tip.map { "\($0)" } ?? "not known")"
    case .reorganisationTooDeep: "a reorganisation deeper than what is remembered: rescan"
    case .insufficientFunds(let available, let missing):
      "\(missing) are missing, fees included; \(available) can be spent"
    case .anchorReserve(let reserve): "\(reserve) must be left, to get anchor channels confirmed: spend less"
    case .dust(let amount, let minimum): "\(amount) is dust: an output like that needs at least \(minimum)"
    case .amountOutOfRange: "the amounts are out of range"
    case .invalidRecipients: "there must be at least one recipient, and one at most that gets all"
    case .unusableCoin(let outPoint): "\(outPoint) cannot be spent now"
    case .unconfirmedCoin(let outPoint): "\(outPoint) is not confirmed yet"
    case .unknownTransaction(let txid): "\(txid) is not a transaction of this wallet"
    case .alreadyConfirmed(let txid): "\(txid) is confirmed, or has been replaced"
    case .notReplaceable(let txid): "\(txid) cannot be replaced: let a child pay for it"
    case .unknownFee(let txid): "the fee of \(txid) is not known"
    case .alreadyPays(let rate): "it pays \(rate) already"
    case .tooLarge: "the transaction would be too large: spend less at once"
    case .exhausted: "there are no more addresses"
    case .unknownReservation(let id): "there is no reservation \(id)"
    case .claim(let reason): "the claim cannot be paid for: \(reason)"
    case .mismatch(let input): "input \(input) is not what the wallet knows it to be"
    case .psbt(let error): "\(error)"
    case .signingFailed(let input): "the signature of input \(input) does not verify"
    case .noSuchKey: "there is no such key"
    }
  }
}
