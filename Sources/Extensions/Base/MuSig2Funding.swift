public import Bitcoin
public import Encoding
public import GLC
internal import Secp256k1

/// The funding output of simple taproot channels (lightning/bolts#995): both funding keys are aggregated to one (MuSig2), and a
/// commitment has one signature that both sides make together.
public struct MuSig2Funding: FundingScheme {
  public static let id = ExtensionID(rawValue: 0x0102)
  public static let name = "musig2-funding"

  /// `simple_taproot_nums`, a point whose discrete logarithm nobody knows:
  /// 02dca094751109d0bd055d03565874e8276dd53e926b44e3bd1bb6bf4bc130a279. (The section on `to_remote` quotes another one; the test vectors
  /// have this.)
  public static let unspendable: Bytes32 = {
    let x: InlineArray<32, UInt8> = [
      0xdc, 0xa0, 0x94, 0x75, 0x11, 0x09, 0xd0, 0xbd, 0x05, 0x5d, 0x03, 0x56, 0x58, 0x74, 0xe8, 0x27, 0x6d, 0xd5, 0x3e,
      0x92, 0x6b, 0x44, 0xe3, 0xbd, 0x1b, 0xb6, 0xbf, 0x4b, 0xc1, 0x30, 0xa2, 0x79,
    ]
    return Bytes32(x)
  }()

  public init() {}

  public var keys: [KeyRef] { [KeyRef(.funding, .holder), KeyRef(.funding, .counterparty)] }
  public var scripts: ScriptBackend { .taproot(unspendable: Self.unspendable) }

  /// combined_funding_key = musig2.KeyAgg(musig2.KeySort(pubkey1, pubkey2)), and funding_key = combined_funding_key +
  /// tagged_hash("TapTweak", combined_funding_key) · G: there is no way to spend it by a script.
  public func lock(_ keys: CommitmentKeys) throws(DraftError) -> OutputLock {
    let internalKey = try keys.paired(.funding).xOnlyPublicKey
    do { return .taproot(try TaprootOutput(internalKey: internalKey)) } catch {
      throw .unusableKey(KeyRef(.funding, .counterparty))
    }
  }

  /// The count, a signature of 64 bytes with its length, and the two bytes of the witness header.
  public var expectedWitnessWeight: Weight { Weight(68) }

  public var counterSignature: SignatureSlot { .musigPartial(KeyRef(.funding, .counterparty), .default) }

  public func witness(_ keys: CommitmentKeys) throws(DraftError) -> [WitnessElement] {
    [.counterSignature(counterSignature)]
  }
}
