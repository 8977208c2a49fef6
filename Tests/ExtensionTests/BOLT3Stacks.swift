import Anchors
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Signer

/// The channel types of the BOLTs, composed.
enum BOLT3Stack: String, CaseIterable {
  case legacy, staticRemoteKey, anchorsWithFees, anchors, zeroFee, taproot, taprootZeroFee

  /// Commitments of version 3 pay no fee.
  var paysNoFee: Bool { self == .zeroFee || self == .taprootZeroFee }

  var stack: ChannelStack {
    get throws {
      let htlc: HTLCExtension.Format
      let remote: MainOutputs.RemoteFormat
      var funding: any FundingScheme = WitnessScriptFunding()
      var more: [any ExtensionSlot] = []
      switch self {
      case .legacy: (htlc, remote) = (.legacy, .perCommitment)
      case .staticRemoteKey: (htlc, remote) = (.legacy, .fixed)
      case .anchorsWithFees:
        (htlc, remote) = (.anchorsWithFees, .fixedAfterOneBlock)
        more = [Slot(Anchors(), Nothing())]
      case .anchors:
        (htlc, remote) = (.anchors, .fixedAfterOneBlock)
        more = [Slot(Anchors(), Nothing())]
      case .zeroFee:
        (htlc, remote) = (.zeroFee, .fixed)
        more = [Slot(SharedAnchor(), Nothing())]
      case .taproot:
        (funding, htlc, remote) = (MuSig2Funding(), .anchors, .fixedAfterOneBlock)
        more = [Slot(Anchors(), Nothing())]
      case .taprootZeroFee:
        (funding, htlc, remote) = (MuSig2Funding(), .zeroFee, .fixed)
        more = [Slot(SharedAnchor(), Nothing())]
      }
      return try ChannelStack(
        funding: funding,
        extensions: [
          Slot(MainOutputs(), .init(remoteFormat: remote)), Slot(HTLCExtension(), .init(format: htlc)),
        ] + more)
    }
  }
}

/// One commitment of a vector file, in the file's own terms: local is the holder and the opener.
struct CommitmentCase {
  var stack: BOLT3Stack
  var number: UInt64 = 42
  var fundingTxID: String
  var fundingIndex: UInt32 = 0
  var fundingAmount = Satoshi(10_000_000)
  var dustLimit = Satoshi(546)
  var delay: UInt16 = 144
  var feeRate: UInt32
  var toLocal: UInt64
  var toRemote: UInt64
  var htlcs: [HTLCEntry]
  var local: BasepointSecrets
  var remote: BasepointSecrets
  var perCommitmentPoint: PublicKey
  /// When only the remote revocation basepoint itself is known.
  var revocationBasepoint: PublicKey?

  func build() throws -> Commitment {
    let stack = try self.stack.stack
    var counterparty = remote.basepoints
    if let revocationBasepoint {
      counterparty = Basepoints(
        Dictionary(uniqueKeysWithValues: counterparty.all.map { ($0.basepoint, $0.key) }).merging(
          [.revocation: revocationBasepoint], uniquingKeysWith: { $1 }))
    }
    let holder = local.basepoints
    let keys = try CommitmentKeys(
      holder: holder, counterparty: counterparty, perCommitmentPoint: perCommitmentPoint, resolving: stack.keys)
    let context = CommitmentContext(
      holder: .local, funder: .local, number: number,
      fundingOutpoint: OutPoint(txid: try TxID(display: fundingTxID), vout: fundingIndex), capacity: fundingAmount,
      dustLimit: dustLimit, contestDelay: delay, feeRate: FeeRate(satPerKiloWeight: feeRate), keys: keys,
      obscuringFactor: obscuringFactor(
        openerPaymentBasepoint: holder[.payment]!, acceptorPaymentBasepoint: counterparty[.payment]!))
    let ledgers: [any LedgerSlot] = stack.extensions.map { slot in
      guard let typed = slot as? Slot<HTLCExtension> else { return slot.makeLedger() }
      return TypedLedger(base: typed.base, parameters: typed.parameters, ledger: HTLCLedger(htlcs))
    }
    return try stack.commitment(
      context, balances: Balances(local: MilliSatoshi(toLocal), remote: MilliSatoshi(toRemote)), ledgers: ledgers)
  }
}

func secrets(_ values: [Basepoint: String]) throws -> BasepointSecrets {
  try BasepointSecrets(Array(values.keys)) { basepoint in try SecretKey(Bytes32(hex: values[basepoint]!)) }
}

/// The keys of BOLT 3 Appendix C.
enum AppendixC {
  static func local() throws -> BasepointSecrets {
    let payment = String(repeating: "11", count: 32)
    return try secrets([
      .funding: "30ff4956bbdd3222d44cc5e8a1261dab1e07957bdac5ae88fe3261ef321f3749", .payment: payment, .htlc: payment,
      .delayedPayment: String(repeating: "33", count: 32), .revocation: String(repeating: "55", count: 32),
    ])
  }

  static func remote() throws -> BasepointSecrets {
    let payment = String(repeating: "44", count: 32)
    return try secrets([
      .funding: "1552dfba4f6cf29a62a0af13c8d6981d36d0ef8d61ba10fb0fe90da7634d7e13", .payment: payment, .htlc: payment,
      .revocation: String(repeating: "22", count: 32), .delayedPayment: String(repeating: "66", count: 32),
    ])
  }

  static let perCommitmentPoint = "025f7117a78150fe2ef97db7cfc83bd57b2e2c0d0dd25eaf467a4a1c2a45ce1486"
  static let fundingTxID = "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be"

  /// HTLCs 0 to 6: direction, millisatoshi, expiry and the byte that the preimage repeats.
  static let htlcs: [(isOffered: Bool, amount: UInt64, expiry: UInt32, preimage: UInt8)] = [
    (false, 1_000_000, 500, 0), (false, 2_000_000, 501, 1), (true, 2_000_000, 502, 2), (true, 3_000_000, 503, 3),
    (false, 4_000_000, 504, 4), (true, 5_000_000, 506, 5), (true, 5_000_001, 505, 5),
  ]

  static func entry(_ index: Int) -> HTLCEntry {
    let htlc = htlcs[index]
    return HTLCEntry(
      id: UInt64(index), offeredBy: htlc.isOffered ? .local : .remote, amount: MilliSatoshi(htlc.amount),
      paymentHash: PaymentHash(sha256([UInt8](repeating: htlc.preimage, count: 32))), cltvExpiry: htlc.expiry)
  }
}
