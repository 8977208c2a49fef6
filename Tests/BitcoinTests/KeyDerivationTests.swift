import Bitcoin
import Encoding
import Foundation
import JSON
import Secp256k1
import Testing
import VectorSupport

@Suite struct KeyDerivationTests {
  /// BIP 32 §Test Vectors 1 to 4.
  static let vectors: [(seed: String, chains: [(path: String, xpub: String, xprv: String)])] = [
    (
      seed: "000102030405060708090a0b0c0d0e0f",
      chains: [
        (
          "m",
          "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
          "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
        ),
        (
          "m/0h",
          "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
          "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7"
        ),
        (
          "m/0h/1",
          "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ",
          "xprv9wTYmMFdV23N2TdNG573QoEsfRrWKQgWeibmLntzniatZvR9BmLnvSxqu53Kw1UmYPxLgboyZQaXwTCg8MSY3H2EU4pWcQDnRnrVA1xe8fs"
        ),
        (
          "m/0h/1/2h",
          "xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5",
          "xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiM"
        ),
        (
          "m/0h/1/2h/2",
          "xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV",
          "xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7RtyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334"
        ),
        (
          "m/0h/1/2h/2/1000000000",
          "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy",
          "xprvA41z7zogVVwxVSgdKUHDy1SKmdb533PjDz7J6N6mV6uS3ze1ai8FHa8kmHScGpWmj4WggLyQjgPie1rFSruoUihUZREPSL39UNdE3BBDu76"
        ),
      ]
    ),
    (
      seed:
        "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542",
      chains: [
        (
          "m",
          "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
          "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U"
        ),
        (
          "m/0",
          "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH",
          "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt"
        ),
        (
          "m/0/2147483647h",
          "xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uNRts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a",
          "xprv9wSp6B7kry3Vj9m1zSnLvN3xH8RdsPP1Mh7fAaR7aRLcQMKTR2vidYEeEg2mUCTAwCd6vnxVrcjfy2kRgVsFawNzmjuHc2YmYRmagcEPdU9"
        ),
        (
          "m/0/2147483647h/1",
          "xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DCWh89LojfZ537wTfunKau47EL2dhHKon",
          "xprv9zFnWC6h2cLgpmSA46vutJzBcfJ8yaJGg8cX1e5StJh45BBciYTRXSd25UEPVuesF9yog62tGAQtHjXajPPdbRCHuWS6T8XA2ECKADdw4Ef"
        ),
        (
          "m/0/2147483647h/1/2147483646h",
          "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL",
          "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc"
        ),
        (
          "m/0/2147483647h/1/2147483646h/2",
          "xpub6FnCn6nSzZAw5Tw7cgR9bi15UV96gLZhjDstkXXxvCLsUXBGXPdSnLFbdpq8p9HmGsApME5hQTZ3emM2rnY5agb9rXpVGyy3bdW6EEgAtqt",
          "xprvA2nrNbFZABcdryreWet9Ea4LvTJcGsqrMzxHx98MMrotbir7yrKCEXw7nadnHM8Dq38EGfSh6dqA9QWTyefMLEcBYJUuekgW4BYPJcr9E7j"
        ),
      ]
    ),
    (
      seed:
        "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be",
      chains: [
        (
          "m",
          "xpub661MyMwAqRbcEZVB4dScxMAdx6d4nFc9nvyvH3v4gJL378CSRZiYmhRoP7mBy6gSPSCYk6SzXPTf3ND1cZAceL7SfJ1Z3GC8vBgp2epUt13",
          "xprv9s21ZrQH143K25QhxbucbDDuQ4naNntJRi4KUfWT7xo4EKsHt2QJDu7KXp1A3u7Bi1j8ph3EGsZ9Xvz9dGuVrtHHs7pXeTzjuxBrCmmhgC6"
        ),
        (
          "m/0h",
          "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y",
          "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L"
        ),
      ]
    ),
    (
      seed: "3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678",
      chains: [
        (
          "m",
          "xpub661MyMwAqRbcGczjuMoRm6dXaLDEhW1u34gKenbeYqAix21mdUKJyuyu5F1rzYGVxyL6tmgBUAEPrEz92mBXjByMRiJdba9wpnN37RLLAXa",
          "xprv9s21ZrQH143K48vGoLGRPxgo2JNkJ3J3fqkirQC2zVdk5Dgd5w14S7fRDyHH4dWNHUgkvsvNDCkvAwcSHNAQwhwgNMgZhLtQC63zxwhQmRv"
        ),
        (
          "m/0h",
          "xpub69AUMk3qDBi3uW1sXgjCmVjJ2G6WQoYSnNHyzkmdCHEhSZ4tBok37xfFEqHd2AddP56Tqp4o56AePAgCjYdvpW2PU2jbUPFKsav5ut6Ch1m",
          "xprv9vB7xEWwNp9kh1wQRfCCQMnZUEG21LpbR9NPCNN1dwhiZkjjeGRnaALmPXCX7SgjFTiCTT6bXes17boXtjq3xLpcDjzEuGLQBM5ohqkao9G"
        ),
        (
          "m/0h/1h",
          "xpub6BJA1jSqiukeaesWfxe6sNK9CCGaujFFSJLomWHprUL9DePQ4JDkM5d88n49sMGJxrhpjazuXYWdMf17C9T5XnxkopaeS7jGk1GyyVziaMt",
          "xprv9xJocDuwtYCMNAo3Zw76WENQeAS6WGXQ55RCy7tDJ8oALr4FWkuVoHJeHVAcAqiZLE7Je3vZJHxspZdFHfnBEjHqU5hG1Jaj32dVoS6XLT1"
        ),
      ]
    ),
  ]

  /// BIP 32 §Test vector 5.
  static let invalid = [
    (
      "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6LBpB85b3D2yc8sfvZU521AAwdZafEz7mnzBBsz4wKY5fTtTQBm",
      ExtendedKeyError.invalidKey
    ),
    (
      "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGTQQD3dC4H2D5GBj7vWvSQaaBv5cxi9gafk7NF3pnBju6dwKvH",
      .invalidKey
    ),
    (
      "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Txnt3siSujt9RCVYsx4qHZGc62TG4McvMGcAUjeuwZdduYEvFn",
      .invalidKey
    ),
    (
      "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFGpWnsj83BHtEy5Zt8CcDr1UiRXuWCmTQLxEK9vbz5gPstX92JQ",
      .invalidKey
    ),
    (
      "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6N8ZMMXctdiCjxTNq964yKkwrkBJJwpzZS4HS2fxvyYUA4q2Xe4",
      .invalidKey
    ),
    (
      "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFAzHGBP2UuGCqWLTAPLcMtD9y5gkZ6Eq3Rjuahrv17fEQ3Qen6J",
      .invalidKey
    ),
    (
      "xprv9s2SPatNQ9Vc6GTbVMFPFo7jsaZySyzk7L8n2uqKXJen3KUmvQNTuLh3fhZMBoG3G4ZW1N2kZuHEPY53qmbZzCHshoQnNf4GvELZfqTUrcv",
      .nonzeroParentAtDepthZero
    ),
    (
      "xpub661no6RGEX3uJkY4bNnPcw4URcQTrSibUZ4NqJEw5eBkv7ovTwgiT91XX27VbEXGENhYRCf7hyEbWrR3FewATdCEebj6znwMfQkhRYHRLpJ",
      .nonzeroParentAtDepthZero
    ),
    (
      "xprv9s21ZrQH4r4TsiLvyLXqM9P7k1K3EYhA1kkD6xuquB5i39AU8KF42acDyL3qsDbU9NmZn6MsGSUYZEsuoePmjzsB3eFKSUEh3Gu1N3cqVUN",
      .nonzeroNumberAtDepthZero
    ),
    (
      "xpub661MyMwAuDcm6CRQ5N4qiHKrJ39Xe1R1NyfouMKTTWcguwVcfrZJaNvhpebzGerh7gucBvzEQWRugZDuDXjNDRmXzSZe4c7mnTK97pTvGS8",
      .nonzeroNumberAtDepthZero
    ),
    (
      "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHGMQzT7ayAmfo4z3gY5KfbrZWZ6St24UVf2Qgo6oujFktLHdHY4",
      .unknownVersion(0)
    ),
    (
      "DMwo58pR1QLEFihHiXPVykYB6fJmsTeHvyTp7hRThAtCX8CvYzgPcn8XnmdfHPmHJiEDXkTiJTVV9rHEBUem2mwVbbNfvT2MTcAqj3nesx8uBf9",
      .unknownVersion(0)
    ),
    (
      "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzF93Y5wvzdUayhgkkFoicQZcP3y52uPPxFnfoLZB21Teqt1VvEHx",
      .invalidKey
    ),
    (
      "xprv9s21ZrQH143K24Mfq5zL5MhWK9hUhhGbd45hLXo2Pq2oqzMMo63oStZzFAzHGBP2UuGCqWLTAPLcMtD5SDKr24z3aiUvKr9bJpdrcLg1y3G",
      .invalidKey
    ),
    (
      "xpub661MyMwAqRbcEYS8w7XLSVeEsBXy79zSzH1J8vCdxAZningWLdN3zgtU6Q5JXayek4PRsn35jii4veMimro1xefsM58PgBMrvdYre8QyULY",
      .invalidKey
    ),
    (
      "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHL",
      .invalidText(.badChecksum)
    ),
  ]

  @Test(arguments: vectors.indices) func `the chains of BIP 32 follow from their seeds`(index: Int) throws {
    let vector = Self.vectors[index]
    let master = try ExtendedSecretKey(seed: Hex.decode(vector.seed), networkKind: .main)
    for (path, xpub, xprv) in vector.chains {
      let path = try DerivationPath(path)
      let secret = try master.derive(path)
      #expect(secret.text == xprv, "\(path)")
      #expect(secret.extendedPublicKey.description == xpub, "\(path)")
      #expect(try ExtendedPublicKey(xpub).description == xpub)
      #expect(try ExtendedSecretKey(xprv).text == xprv)
      #expect(throws: ExtendedKeyError.secretKeyWherePublicExpected) { try ExtendedPublicKey(xprv) }
      #expect(throws: ExtendedKeyError.publicKeyWhereSecretExpected) { _ = try ExtendedSecretKey(xpub) }
      // N(CKDpriv) = CKDpub(N) for a normal child; a hardened one cannot be had.
      let normal = try secret.child(.normal(7)).extendedPublicKey
      #expect(try secret.extendedPublicKey.child(.normal(7)) == normal)
      #expect(throws: ExtendedKeyError.hardenedChildOfPublicKey) { try secret.extendedPublicKey.child(.hardened(7)) }
    }
  }

  @Test(arguments: invalid) func `the invalid keys of BIP 32 are refused with the reason`(
    text: String, reason: ExtendedKeyError
  ) throws {
    let expected = { (error: ExtendedKeyError) in
      if case .unknownVersion = reason, case .unknownVersion = error { true } else { error == reason }
    }
    for isSecret in [false, true] {
      do {
        if isSecret { _ = try ExtendedSecretKey(text) } else { _ = try ExtendedPublicKey(text) }
        Issue.record("\(text) was read")
      } catch .secretKeyWherePublicExpected where !isSecret {
      } catch .publicKeyWhereSecretExpected where isSecret {
      } catch {
        #expect(expected(error), "\(error) instead of \(reason)")
      }
    }
  }

  @Test(arguments: [
    ("m", []), ("", []), ("m/0", [0]), ("M/0h/1'/2H", [0x8000_0000, 0x8000_0001, 0x8000_0002]),
    ("0/2147483647", [0, 0x7fff_ffff]), ("m/2147483647'", [0xffff_ffff]), ("00/01", [0, 1]),
  ]) func `a path is read with any mark of hardening`(text: String, steps: [UInt32]) throws {
    #expect(try DerivationPath(text).steps.map(\.rawValue) == steps)
    #expect(try DerivationPath(DerivationPath(text).description).steps.map(\.rawValue) == steps)
  }

  @Test(arguments: [
    "m/", "/", "m//0", "m/2147483648", "m/-1", "m/+1", "m/1 ", "m/0x1", "m/h", "m/1hh", "m/1h'", "n/1", "m/m", "m/*",
    "m/\u{661}", "m/99999999999999999999999999999999999999", "0/m", "m" + String(repeating: "/0", count: 256),
  ]) func `what is no path is refused`(text: String) {
    #expect(throws: ExtendedKeyError.malformedPath) { try DerivationPath(text) }
  }

  @Test func `no key is derived below depth 255`() throws {
    let seed = [UInt8](repeating: 1, count: 16)
    let master = try ExtendedSecretKey(seed: seed, networkKind: .test)
    let deepest = try master.derive(DerivationPath([ChildNumber](repeating: .normal(0), count: 255)))
    #expect(deepest.depth == 255)
    #expect(throws: ExtendedKeyError.tooDeep) { _ = try deepest.child(.normal(0)) }
    #expect(throws: ExtendedKeyError.tooDeep) { try deepest.extendedPublicKey.child(.normal(0)) }
    #expect(deepest.text.hasPrefix("tprv") && deepest.extendedPublicKey.description.hasPrefix("tpub"))
  }

  @Test func `a seed has 16 to 64 bytes`() {
    for count in [0, 15, 65] {
      #expect(throws: ExtendedKeyError.invalidSeedLength(count)) {
        _ = try ExtendedSecretKey(seed: [UInt8](repeating: 7, count: count), networkKind: .main)
      }
    }
  }

  // MARK: Accounts

  static let abandon = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

  /// BIP 84 and BIP 86 §Test vectors, and BIP 49's.
  static let accounts: [(AccountPurpose, NetworkKind, Bool, UInt32, String)] = [
    (.segwit, .main, false, 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
    (.segwit, .main, false, 1, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
    (.segwit, .main, true, 0, "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
    (.taproot, .main, false, 0, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
    (.taproot, .main, false, 1, "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"),
    (.taproot, .main, true, 0, "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"),
    (.nestedSegwit, .test, false, 0, "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"),
    (.legacy, .main, false, 0, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"),
  ]

  @Test(arguments: accounts.indices) func `accounts have the addresses of BIP 44, 49, 84 and 86`(index: Int) throws {
    let (purpose, kind, isChange, number, address) = Self.accounts[index]
    let master = try ExtendedSecretKey(seed: Mnemonic(Self.abandon).seed(), networkKind: kind)
    let account = try master.derive(purpose.accountPath(networkKind: kind)).extendedPublicKey
    let key = try account.derive([.normal(isChange ? 1 : 0), .normal(number)]).publicKey
    #expect(try Address(purpose.destination(of: key), on: kind.networks[0]).description == address)
    let path = purpose.path(isChange: isChange, index: number, networkKind: kind)
    #expect(try master.derive(path).publicKey == key)
  }

  @Test func `the versions of SLIP 132 are refused by name, and replaced when asked`() throws {
    // BIP 84 §Test vectors: account 0.
    let zpub =
      "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
    let zprv =
      "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE"
    #expect(throws: ExtendedKeyError.slip132Version(0x04b2_4746)) { try ExtendedPublicKey(zpub) }
    #expect(throws: ExtendedKeyError.slip132Version(0x04b2_430c)) { _ = try ExtendedSecretKey(zprv) }
    let master = try ExtendedSecretKey(seed: Mnemonic(Self.abandon).seed(), networkKind: .main)
    let account = try master.derive(AccountPurpose.segwit.accountPath(networkKind: .main)).extendedPublicKey
    #expect(ExtendedPublicKey.replacingSLIP132Version(zpub) == account)
    #expect(ExtendedPublicKey.replacingSLIP132Version(account.description) == nil)
    #expect(ExtendedPublicKey.replacingSLIP132Version(zprv) == nil)
    #expect(ExtendedPublicKey.replacingSLIP132Version("zpub") == nil)
  }

  // MARK: Secrets

  /// What was seen of the memory of secrets just before it was freed.
  final class Seen: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    private var wiped: [[UInt8]] = []
    func add(_ bytes: [UInt8]) { lock.withLock { wiped.append(bytes) } }
    func made() { lock.withLock { count += 1 } }
    var all: [[UInt8]] { lock.withLock { wiped } }
    var madeCount: Int { lock.withLock { count } }
  }

  @Test func `every secret of a derivation is wiped when it goes`() throws {
    let seen = Seen()
    let observer = SecretMemoryObserver(made: { _ in seen.made() }, wiped: { seen.add($0.array) })
    try SecretMemoryObserver.$current.withValue(observer) {
      let master = try ExtendedSecretKey(seed: [UInt8](repeating: 9, count: 32), networkKind: .main)
      let child = try master.derive(DerivationPath("m/84h/0h/0h/0/1"))
      let again = try ExtendedSecretKey(child.text)
      #expect(again.publicKey == child.publicKey)
      let wif = try PrivateKeyWIF(PrivateKeyWIF(secretKey: child.secretKey.copy(), networkKind: .main).text)
      #expect(wif.secretKey.publicKey == child.publicKey)
      _ = try Descriptor("wpkh(\(child.text)/0h/*h)").scripts(in: 0...1)
    }
    // The master, five steps of the path and their parent, the copies and what was read again.
    #expect(seen.all.count >= 10 && seen.all.count == seen.madeCount)
    #expect(seen.all.allSatisfy { $0.allSatisfy { $0 == 0 } })
  }
}
