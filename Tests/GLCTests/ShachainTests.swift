import Encoding
import GLC
import Testing

/// The figures are those of BOLT 3 appendix D.
@Suite struct ShachainTests {
  private static let zeroSeed = Bytes32()
  private static let fullSeed = Bytes32(InlineArray(repeating: 0xff))

  @Test(
    "secrets are derived from the seed",
    arguments: [
      (0x00, 281_474_976_710_655, "02a40c85b6f28da08dfdbe0926c53fab2de6d28c10301f8f7c4073d5e42e3148"),
      (0xff, 281_474_976_710_655, "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc"),
      (0xff, 0xaaa_aaaa_aaaa, "56f4008fb007ca9acf0e15b054d5c9fd12ee06cea347914ddbaed70d1c13a528"),
      (0xff, 0x5555_5555_5555, "9015daaeb06dba4ccc05b91b2f73bd54405f2be9f217fbacd3c5ac2e62327d31"),
      (0x01, 1, "915c75942a26bb3a433a8ce2cb0427c29ec6c1775cfc78328b57f6ba7bfeaa9c"),
    ] as [(UInt8, UInt64, String)])
  func derivation(_ seedByte: UInt8, _ index: UInt64, _ secret: String) throws {
    let index = try #require(ShachainIndex(rawValue: index))
    #expect(PerCommitmentSecret(seed: Bytes32(InlineArray(repeating: seedByte)), index: index).hex == secret)
  }

  /// The first eight secrets of the seed FF…FF, from index 281474976710655 downwards.
  private static let right = [
    "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
    "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
    "2273e227a5b7449b6e70f1fb4652864038b1cbf9cd7c043a7d6456b7fc275ad8",
    "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
    "c65716add7aa98ba7acb236352d665cab17345fe45b55fb879ff80e6bd0c41dd",
    "969660042a28f32d9be17344e09374b379962d03db1574df5a8a5a47e19ce3f2",
    "a5a64476122ca0925fb344bdc1854c1c0a59fc614298e50a33e331980a220f32",
    "05cde6323d949933f7f7b78776bcc1ea6d9b31447732e3802e1f7ac44b650e17",
  ]
  /// Those of the seed 00…00, the incorrect ones.
  private static let wrong = [
    "02a40c85b6f28da08dfdbe0926c53fab2de6d28c10301f8f7c4073d5e42e3148",
    "dddc3a8d14fddf2b68fa8c7fbad2748274937479dd0f8930d5ebb4ab6bd866a3",
    "c51a18b13e8527e579ec56365482c62f180b7d5760b46e9477dae59e87ed423a",
    "ba65d7b0ef55a3ba300d4e87af29868f394f8f138d78a7011669c79b37b936f4",
    "631373ad5f9ef654bb3dade742d09504c567edd24320d2fcd68e3cc47e2ff6a6",
    "b7e76a83668bde38b373970155c868a653304308f9896692f904a23731224bb1",
    "e7971de736e01da8ed58b94c2fc216cb1dca9e326f3a96e7194fe8ea8af6c0a3",
    "a7efbc61aac46d34f77778bac22c8a20c6a46ca460addc49009bda875ec88fa4",
  ]

  /// Which of a sequence are incorrect, how long it is, and whether its last secret is refused.
  @Test(
    "an incorrect secret is found as soon as its parent is revealed",
    arguments: [
      ([], 8, false), ([0], 2, true), ([0, 1], 4, true), ([2], 4, true), ([0, 1, 2, 3], 8, true), ([4], 6, true),
      ([4, 5], 8, true), ([6], 8, true), ([7], 8, true),
    ] as [([Int], Int, Bool)])
  func storage(_ incorrect: [Int], _ count: Int, _ isRefused: Bool) throws {
    var store = ShachainStore()
    for position in 0..<count {
      let index = try #require(ShachainIndex(commitmentNumber: UInt64(position)))
      let text = incorrect.contains(position) ? Self.wrong[position] : Self.right[position]
      let secret = try PerCommitmentSecret(hex: text)
      guard position == count - 1 && isRefused else {
        try store.insert(secret, at: index)
        #expect(store.secret(at: index) == secret)
        continue
      }
      let before = store
      #expect(throws: ShachainError.inconsistent(index)) { try store.insert(secret, at: index) }
      #expect(store == before)
      #expect(store.secret(at: index) == nil)
    }
  }

  @Test("all that was received is known, in at most 49 entries, and nothing else")
  func longSequence() throws {
    var store = ShachainStore()
    let count: UInt64 = 5000
    for number in 0..<count {
      let index = try #require(ShachainIndex(commitmentNumber: number))
      try store.insert(PerCommitmentSecret(seed: Self.fullSeed, index: index), at: index)
    }
    #expect(store.entries.compactMap { $0 }.count <= 14)
    for number in 0..<count {
      let index = try #require(ShachainIndex(commitmentNumber: number))
      #expect(store.secret(at: index) == PerCommitmentSecret(seed: Self.fullSeed, index: index))
    }
    let next = try #require(ShachainIndex(commitmentNumber: count))
    #expect(store.secret(at: next) == nil)
    #expect(store.secret(at: try #require(ShachainIndex(rawValue: 0))) == nil)
  }

  @Test("the seed itself, index 0, opens everything")
  func seed() throws {
    var store = ShachainStore()
    let zero = try #require(ShachainIndex(rawValue: 0))
    try store.insert(PerCommitmentSecret(Self.fullSeed), at: zero)
    #expect(store.entries.count == 49)
    #expect(store.secret(at: .first)?.hex == Self.right[0])
    // Another secret for an index that is known.
    let lie = try PerCommitmentSecret(hex: Self.wrong[0])
    #expect(throws: ShachainError.inconsistent(.first)) { try store.insert(lie, at: .first) }
  }

  @Test("indices have 48 bits and run against the commitment numbers")
  func indices() {
    #expect(ShachainIndex(rawValue: 1 << 48) == nil)
    #expect(ShachainIndex(commitmentNumber: 1 << 48) == nil)
    #expect(ShachainIndex(commitmentNumber: 0) == .first)
    #expect(ShachainIndex.first.rawValue == 281_474_976_710_655)
    #expect(ShachainIndex(commitmentNumber: 281_474_976_710_655)?.rawValue == 0)
    #expect(ShachainIndex(rawValue: 5)?.commitmentNumber == 281_474_976_710_650)
  }
}
