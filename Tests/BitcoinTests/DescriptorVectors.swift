/// The tables of BIP 380 to 390 (BSD-2-Clause and CC0), a line each; `$` and a letter stand for a key of the list below.
enum DescriptorVectors {
  static let keys: [Character: String] = [
    "a":
      "xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL",
    "b": "03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd",
    "c":
      "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y",
    "d": "L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1",
    "e":
      "xprvA1RpRA33e1JQ7ifknakTFpgNXPmW2YvmhqLQYMmrj4xJXXWYpDPS3xz7iAxn8L39njGVyuoseXzU6rcxFLJ8HFsTjSyQbLYnMpCqE2VbFWc",
    "f":
      "04a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235",
    "g": "0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600",
    "h":
      "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U",
    "i": "03dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
    "j": "023590a94e768f8e1815c2f24b4d80a8e3149316c3518ce7b7ad338368d038ca66",
    "k": "5KYZdUEo39z3FPrtuX2QbbwGnNP5zTd7yyr2SC1j299sBCnWjss",
    "l": "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
    "m":
      "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
    "n": "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0",
    "o": "a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd",
    "p":
      "xprv9uPDJpEQgRQfDcW7BkF7eTya6RPxXeJCqCJGHuCJ4GiRVLzkTXBAJMu2qaMWPrS7AANYqdq6vcBcBUdJCVVFceUvJFjaPdGZ2y9WACViL4L",
    "q": "03669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
    "r":
      "xpub661MyMwAqRbcGDZQUKLqmWodYLcoBQnQH33yYkkF3jjxeLvY8qr2wWGEWkiKFaaQfJCoi3HeEq3Dc5DptfbCyjD38fNhSqtKc1UHaP4ba3t",
    "s":
      "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH",
    "t":
      "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    "u":
      "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt",
    "v": "KzoAz5CanayRKex3fSLQ2BwJpN7U52gZvxMyk78nDMHuqrUxuSJy",
    "w": "0362a74e399c39ed5593852a30147f2959b56bb827dfa3e60e464b02ccf87dc5e8",
    "x": "0261345b53de74a4d721ef877c255429961b7e43714171ac06168d7e08c542a8b8",
    "y": "02da72e8b46901a65d4374fe6315538d8f368557dda3a1dcf9ea903f3afe7314c8",
    "z": "0318c82dd0b53fd3a932d16e0ba9e278fcc937c582d5781be626ff16e201f72286",
    "A": "0297ccef1ef99f9d73dec9ad37476ddb232f1238aff877af19e72ba04493361009",
    "B": "02e502cfd5c3f972fe9a3e2a18827820638f96b6f347e54d63deb839011fd5765d",
    "C": "03e687710f0e3ebe81c1037074da939d409c0025f17eb86adb9427d28f0f7ae0e9",
    "D": "02c04d3a5274952acdbc76987f3184b346a483d43be40874624b29e3692c1df5af",
    "E": "02ed06e0f418b5b43a7ec01d1d7d27290fa15f75771cb69b642a51471c29c84acd",
    "F": "036d46073cbb9ffee90473f3da429abc8de7f8751199da44485682a989a4bebb24",
    "G": "02f5d1ff7c9029a80a4e36b9a5497027ef7f3e73384a4a94fbfe7c4e9164eec8bc",
    "H": "02e41deffd1b7cce11cde209a781adcffdabd1b91c0ba0375857a2bfd9302419f3",
    "I": "02d76625f7956a7fc505ab02556c23ee72d832f1bac391bcd2d3abce5710a13d06",
    "J": "0399eb0a5487515802dc14544cf10b3666623762fbed2ec38a3975716e2c29c232",
    "K": "KwGNz6YCCQtYvFzMtrC6D3tKTKdBBboMrLTsjr2NYVBwapCkn7Mr",
    "L": "KxogYhiNfwxuswvXV66eFyKcCpm7dZ7TqHVqujHAVUjJxyivxQ9X",
    "M": "L2BUNduTSyZwZjwNHynQTF14mv2uz2NRq5n5sYWTb4FkkmqgEE9f",
    "N": "L1okJGHGn1kFjdXHKxXjwVVtmCMR2JA5QsbKCSpSb7ReQjezKeoD",
    "O": "KxDCNSST75HFPaW5QKpzHtAyaCQC7p9Vo3FYfi2u4dXD1vgMiboK",
    "P": "L5edQjFtnkcf5UWURn6UuuoFrabgDQUHdheKCziwN42aLwS3KizU",
    "Q": "KzF8UWFcEC7BYTq8Go1xVimMkDmyNYVmXV5PV7RuDicvAocoPB8i",
    "R": "L3nHUboKG2w4VSJ5jYZ5CBM97oeK6YuKvfZxrefdShECcjEYKMWZ",
    "S": "KyjHo36dWkYhimKmVVmQTq3gERv3pnqA4xFCpvUgbGDJad7eS8WE",
    "T": "KwsfyHKRUTZPQtysN7M3tZ4GXTnuov5XRgjdF2XCG8faAPmFruRF",
    "U": "KzCUbGhN9LJhdeFfL9zQgTJMjqxdBKEekRGZX24hXdgCNCijkkap",
    "V": "KzgpMBwwsDLwkaC5UrmBgCYaBD2WgZ7PBoGYXR8KT7gCA9UTN5a3",
    "W": "KyBXTPy4T7YG4q9tcAM3LkvfRpD1ybHMvcJ2ehaWXaSqeGUxEdkP",
    "X": "KzJDe9iwJRPtKP2F2AoN6zBgzS7uiuAwhWCfGdNeYJ3PC1HNJ8M8",
    "Y": "L1xbHrxynrqLKkoYc4qtoQPx6uy5qYXR5ZDYVYBSRmCV5piU3JG9",
    "Z": "KzRedjSwMggebB3VufhbzpYJnvHfHe9kPJSjCU5QpJdAW3NSZxYS",
    "0": "Kyjtp5858xL7JfeV4PNRCKy2t6XvgqNNepArGY9F9F1SSPqNEMs3",
    "1": "L2D4RLHPiHBidkHS8ftx11jJk1hGFELvxh8LoxNQheaGT58dKenW",
    "2": "KyLPZdwY4td98bKkXqEXTEBX3vwEYTQo1yyLjX2jKXA63GBpmSjv",
    "3": "669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0",
    "4":
      "xprvA2JDeKCSNNZky6uBCviVfJSKyQ1mDYahRjijr5idH2WwLsEd4Hsb2Tyh8RfQMuPh7f7RtyzTtdrbdqqsunu5Mm3wDvUAKRHSC34sJ7in334",
    "5": "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
  ]

  static func expand(_ line: some StringProtocol) -> String {
    var text = ""
    var isKey = false
    for character in line {
      if isKey { text += keys[character] ?? "?" } else if character != "$" { text.append(character) }
      isKey = character == "$" && !isKey
    }
    return text
  }

  /// A descriptor and its scripts; for a ranged one those at 0, 1, ….
  static let valid = #"""
    pk($d) 2103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bdac
    pk($b) 2103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bdac
    pkh([deadbeef/1/2'/3/4']$d) 76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac
    pkh([deadbeef/1/2'/3/4']$b) 76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac
    pkh([deadbeef/1/2h/3/4h]$b) 76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac
    pk($k) 4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235ac
    pk($f) 4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235ac
    pkh($k) 76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac
    pkh($f) 76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac
    sh(pk($d)) a9141857af51a5e516552b3086430fd8ce55f7c1a52487
    sh(pk($b)) a9141857af51a5e516552b3086430fd8ce55f7c1a52487
    sh(pkh($d)) a9141a31ad23bf49c247dd531a623c2ef57da3c400c587
    sh(pkh($b)) a9141a31ad23bf49c247dd531a623c2ef57da3c400c587
    pkh($h/2147483647'/0) 76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac
    pkh([bd16bee5/2147483647h]xpub69H7F5dQzmVd3vPuLKtcXJziMEQByuDidnX3YdwgtNsecY5HRGtAAQC5mXTt4dsv9RzyjgDjAQs9VGVV6ydYCHnprc9vvaA5YtqWyL6hyds/0) 76a914ebdc90806a9c4356c1c88e42216611e1cb4c1c1788ac
    pk($p/0) 210379e45b3cf75f9c5f9befd8e9506fb962f6a9d185ac87001ec44a8d3df8d4a9e3ac
    pk($c/0) 210379e45b3cf75f9c5f9befd8e9506fb962f6a9d185ac87001ec44a8d3df8d4a9e3ac
    wpkh($d) 00149a1c78a507689f6f54b847ad1cef1e614ee23f1e
    wpkh($b) 00149a1c78a507689f6f54b847ad1cef1e614ee23f1e
    wpkh([ffffffff/13']$u/1/2/0) 0014326b2249e3a25d5dc60935f044ee835d090ba859
    wpkh([ffffffff/13']$s/1/2/*) 0014326b2249e3a25d5dc60935f044ee835d090ba859 0014af0bd98abc2f2cae66e36896a39ffe2d32984fb7 00141fa798efd1cbf95cebf912c031b8a4a6e9fb9f27
    sh(wpkh($t/10/20/30/40/*')) a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87 a914bed59fc0024fae941d6e20a3b44a109ae740129287 a9148483aa1116eb9c05c482a72bada4b1db24af654387
    sh(wpkh($t/10/20/30/40/*h)) a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87 a914bed59fc0024fae941d6e20a3b44a109ae740129287 a9148483aa1116eb9c05c482a72bada4b1db24af654387
    wsh(pkh($d)) 0020338e023079b91c58571b20e602d7805fb808c22473cbc391a41b1bd3a192e75b
    wsh(pkh($b)) 0020338e023079b91c58571b20e602d7805fb808c22473cbc391a41b1bd3a192e75b
    wsh(pk($d)) 00202e271faa2325c199d25d22e1ead982e45b64eeb4f31e73dbdf41bd4b5fec23fa
    wsh(pk($b)) 00202e271faa2325c199d25d22e1ead982e45b64eeb4f31e73dbdf41bd4b5fec23fa
    sh(wsh(pkh($d))) a914b61b92e2ca21bac1e72a3ab859a742982bea960a87
    sh(wsh(pkh($b))) a914b61b92e2ca21bac1e72a3ab859a742982bea960a87
    multi(1,$d,$k) 512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae
    multi(1,$b,$f) 512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae
    sortedmulti(1,$f,$b) 512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae
    sh(multi(2,[00000000/111'/222]$e,$p/0)) a91445a9a622a8b0a1269944be477640eedc447bbd8487
    sortedmulti(2,$a/*,$c/0/0/*) 5221025d5fc65ebb8d44a5274b53bac21ff8307fec2334a32df05553459f8b1f7fe1b62102fbd47cc8034098f0e6a94c6aeee8528abf0a2153a5d8e46d325b7284c046784652ae 52210264fd4d1f5dea8ded94c61e9641309349b62f27fbffe807291f664e286bfbe6472103f4ece6dfccfa37b211eb3d0af4d0c61dba9ef698622dc17eecdf764beeb005a652ae 5221022ccabda84c30bad578b13c89eb3b9544ce149787e5b538175b1d1ba259cbb83321024d902e1a2fc7a8755ab5b694c575fce742c48d9ff192e63df5193e4c7afe1f9c52ae
    wsh(multi(2,$h/2147483647'/0,$u/1/2/*,$t/10/20/30/40/*')) 0020b92623201f3bb7c3771d45b2ad1d0351ea8fbf8cfe0a0e570264e1075fa1948f 002036a08bbe4923af41cf4316817c93b8d37e2f635dd25cfff06bd50df6ae7ea203 0020a96e7ab4607ca6b261bfe3245ffda9c746b28d3f59e83d34820ec0e2b36c139c
    sh(wsh(multi(16,$q,$g,$w,$x,$y,$z,$A,$B,$C,$D,$E,$F,$G,$H,$I,$J))) a9147fc63e13dc25e8a95a3cee3d9a714ac3afd96f1e87
    wsh(multi(20,$v,$K,$L,$M,$N,$O,$P,$Q,$R,$S,$T,$U,$V,$W,$X,$Y,$Z,$0,$1,$2)) 0020376bd8344b8b6ebe504ff85ef743eaa1aa9272178223bcb6887e9378efb341ac
    sh(wsh(multi(20,$v,$K,$L,$M,$N,$O,$P,$Q,$R,$S,$T,$U,$V,$W,$X,$Y,$Z,$0,$1,$2))) a914c2c9c510e9d7f92fd6131e94803a8d34a8ef675e87
    raw(deadbeef) deadbeef
    raw(512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae) 512103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea23552ae
    raw(a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87) a9149a4d9901d6af519b2a23d4a2f51650fcba87ce7b87
    addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j) a914eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee87
    tr($o) 512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11
    tr($d) 512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11
    tr($e/0/*,pk($e/1/*)) 512078bc707124daa551b65af74de2ec128b7525e10f374dc67b64e00ce0ab8b3e12 512001f0a02a17808c20134b78faab80ef93ffba82261ccef0a2314f5d62b6438f11 512021024954fcec88237a9386fce80ef2ced5f1e91b422b26c59ccfc174c8d1ad25
    tr($o,pk($3)) 512017cf18db381d836d8923b1bdb246cfcd818da1a9f0e6e7907f187f0b2f937754
    tr($o,{pk($4/0),{{pk($a),pk(02df12b7035bdac8e3bab862a3a83d06ea6b17b6753d52edecba9be46f5d09e076)},pk($d)}}) 512071fff39599a7b78bc02623cbe814efebf1a404f5d8ad34ea80f213bd8943f574
    tr($o,pkh($d)) 
    tr($d,multi_a(1,$v)) 5120eb5bd3894327d75093891cc3a62506df7d58ec137fcd104cdd285d67816074f3
    tr($o,multi_a(1,$3)) 5120eb5bd3894327d75093891cc3a62506df7d58ec137fcd104cdd285d67816074f3
    tr($n,multi_a(2,[00000000/111'/222]$e,$p/0)) 51202eea93581594a43c0c8423b70dc112e5651df63984d108d4fc8ccd3b63b4eafa
    tr($n,sortedmulti_a(2,[00000000/111'/222]$e,$p/0)) 512016fa6a6ba7e98c54b5bf43b3144912b78a61b60b02f6a74172b8dcb35b12bc30
    tr($n,sortedmulti_a(2,$a/*,$c/0/0/*)) 5120abd47468515223f58a1a18edfde709a7a2aab2b696d59ecf8c34f0ba274ef772 5120fe62e7ed20705bd1d3678e072bc999acb014f07795fa02cb8f25a7aa787e8cbd 51201311093750f459039adaa2a5ed23b0f7a8ae2c2ffb07c5390ea37e2fb1050b41
    tr($n,multi_a(2,$h/2147483647'/0,$u/1/2/*,$t/10/20/30/40/*')) 5120e4c8f2b0a7d3a688ac131cb03248c0d4b0a59bbd4f37211c848cfbd22a981192 5120827faedaa21e52fca2ac83b53afd1ab7d4d1e6ce67ff42b19f2723d48b5a19ab 5120647495ed09de61a3a324704f9203c130d655bf3141f9b748df8f7be7e9af55a4
    rawtr(musig(KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU74sHUHy8S,$i,$j)) 5120789d937bade6673538f3e28d8368dda4d0512f94da44cf477a505716d26a1575
    tr(musig($l,$i,$j)) 512079e6c3e628c9bfbce91de6b7fb28e2aec7713d377cf260ab599dcbc40e542312
    rawtr(musig($a,$c)/0/*) 51209508c08832f3bb9d5e8baf8cb5cfa3669902e2f2da19acea63ff47b93faa9bfc 51205ca1102663025a83dd9b5dbc214762c5a6309af00d48167d2d6483808525a298 51207dbed1b89c338df6a1ae137f133a19cae6e03d481196ee6f1a5c7d1aeb56b166
    tr(musig($a,$c)/0/*,pk($5)) 51201d377b637b5c73f670f5c8a96a2c0bb0d1a682a1fca6aba91fe673501a189782 51208950c83b117a6c208d5205ffefcf75b187b32512eb7f0d8577db8d9102833036 5120a49a477c61df73691b77fcd563a80a15ea67bb9c75470310ce5c0f25918db60d
    tr($5,pk(musig($a,$c)/0/*)) 512068983d461174afc90c26f3b2821d8a9ced9534586a756763b68371a404635cc8 5120368e2d864115181bdc8bb5dc8684be8d0760d5c33315570d71a21afce4afd43e 512097a1e6270b33ad85744677418bae5f59ea9136027223bc6e282c47c167b471d5
    tr(musig($a/1,$a/1)/2) 5120a17ceacd6422bd5ffd9f165807b254b7d68ad39f179cc4f11545a6835227e97c
    """#

  /// combo and its scripts, those at 0 before those at 1.
  static let combo = #"""
    combo($d) 2103a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bdac 76a9149a1c78a507689f6f54b847ad1cef1e614ee23f1e88ac 00149a1c78a507689f6f54b847ad1cef1e614ee23f1e a91484ab21b1b2fd065d4504ff693d832434b6108d7b87
    combo($f) 4104a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd5b8dec5235a0fa8722476c7709c02559e3aa73aa03918ba2d492eea75abea235ac 76a914b5bd079c4d57cc7fc28ecf8213a6b791625b818388ac
    combo([01234567]$a) 2102d2b36900396c9282fa14628566582f206a5dd0bcc8d5e892611806cafb0301f0ac 76a91431a507b815593dfc51ffc7245ae7e5aee304246e88ac 001431a507b815593dfc51ffc7245ae7e5aee304246e a9142aafb926eb247cb18240a7f4c07983ad1f37922687
    combo($4/*) 2102df12b7035bdac8e3bab862a3a83d06ea6b17b6753d52edecba9be46f5d09e076ac 76a914f90e3178ca25f2c808dc76624032d352fdbdfaf288ac 0014f90e3178ca25f2c808dc76624032d352fdbdfaf2 a91408f3ea8c68d4a7585bf9e8bda226723f70e445f087 21032869a233c9adff9a994e4966e5b821fd5bac066da6c3112488dc52383b4a98ecac 76a914a8409d1b6dfb1ed2a3e8aa5e0ef2ff26b15b75b788ac 0014a8409d1b6dfb1ed2a3e8aa5e0ef2ff26b15b75b7 a91473e39884cb71ae4e5ac9739e9225026c99763e6687
    """#

  /// What is no descriptor.
  static let invalid = #"""
    pk(pk($b))
    pkh(pk($b))
    sh($b)
    sh(sh(pkh($b)))
    wpkh($k)
    sh(wpkh($k))
    wpkh($f)
    sh(wpkh($f))
    wsh(pk($k))
    wsh(pk($f))
    wsh(wpkh($b))
    wsh(wsh(pkh($b)))
    sh(wsh(wsh(pkh($b))))
    wpkh(wsh(pkh($b)))
    wsh($b)
    sh(multi(16,$q,$g,$w,$x,$y,$z,$A,$B,$C,$D,$E,$F,$G,$H,$I,$J))
    multi(a,$b,$f)
    multi(0,$b,$f)
    multi(3,$d,$k)
    raw(asdf)
    addr(asdf)
    sh(raw(deadbeef))
    wsh(raw(deadbeef))
    sh(addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j))
    wsh(addr(3PUNyaW7M55oKWJ3kDukwk9bsKvryra15j))
    tr($k)
    tr($f)
    wsh(tr($o))
    sh(tr($o))
    multi_a(1,$q)
    sh(multi_a(1,$q))
    wsh(multi_a(1,$q))
    tr($n,multi_a(a,$b))
    tr($n,multi_a(0,$b))
    tr($n,multi_a(1,$f))
    tr($n,multi_a(3,$d,$k))
    pk(musig($l,$i,$j))
    pkh(musig($l,$i,$j))
    wpkh(musig($l,$i,$j))
    combo(musig($l,$i,$j))
    sh(wpkh(musig($l,$i,$j)))
    sh(wsh(pk(musig($l,$i,$j))))
    wsh(musig($l,$i,$j))
    sh(musig($l,$i,$j))
    tr(musig($l,$i,$j)/0/0)
    tr(musig($a/*,$c)/0/*)
    tr(musig($a/<0;1>,$c)/<2;3>)
    tr(musig($a,$c)/0h/*)
    tr(musig($a,$c)/0/*h)
    tr(musig($a/*,$c/*)/1/2)
    pkh($h/<0;1>/<2;3>)
    pkh([deadbeef/<0;1>]$m/0)
    tr(xpub661MyMwAqRbcF3yVrV2KyYetLMYA5mCbv4BhrKwUrFE9LZM6JRR1AEt8Jq4V4C8LwtTke6YEEdCZqgXp85YRk2j74EfJKhe3QybQ9kcUjs4/<6;7;8;9>/*,{pk($a/<1;2;3>/0/*),pk($r/0/0/<3;4;5>/*)})
    sh(multi(2,$e/<1;2;3>/0/*,$p/0/*,xprv9s21ZrQH143K3jUwNHoqQNrtzJnJmx4Yup8NkNLdVQCymYbPbJXnPhwkfTfxZfptcs3rLAPUXS39oDLgrNKQGwbGsEmJJ8BU3RzQuvShEG4/0/0/<3;4>/*))
    wpkh($m/<>/*)
    wpkh($m/0>/*)
    wpkh($m/<0/*)
    wpkh($m/<0;>/*)
    sh(combo($b))
    wsh(combo($b))
    combo(pkh($b))
    """#

  /// A multipath descriptor and those that it stands for.
  static let multipath = #"""
    pk($c/<0;1>) pk($c/0) pk($c/1)
    pkh($h/<2147483647h;0>/0) pkh($h/2147483647h/0) pkh($h/0/0)
    wpkh([ffffffff/13h]$s/<1;3>/2/*) wpkh([ffffffff/13h]$s/1/2/*) wpkh([ffffffff/13h]$s/3/2/*)
    multi(2,$a/<1;2>/*,$c/<3;4>/0/*) multi(2,$a/1/*,$c/3/0/*) multi(2,$a/2/*,$c/4/0/*)
    pkh($m/<0;1;2>) pkh($m/0) pkh($m/1) pkh($m/2)
    sh(multi(2,$a/<1;2;3>/0/*,$c/0/*,$r/0/0/<3;4;5>/*)) sh(multi(2,$a/1/0/*,$c/0/*,$r/0/0/3/*)) sh(multi(2,$a/2/0/*,$c/0/*,$r/0/0/4/*)) sh(multi(2,$a/3/0/*,$c/0/*,$r/0/0/5/*))
    """#

  /// Key expressions of BIP 380.
  static let validKeys = #"""
    $g
    $f
    [deadbeef/0h/0h/0h]$g
    [deadbeef/0'/0'/0']$g
    [deadbeef/0'/0h/0']$g
    $k
    $d
    $a
    [deadbeef/0h/1h/2h]$a
    [deadbeef/0h/1h/2h]$a/3/4/5
    [deadbeef/0h/1h/2h]$a/3/4/5/*
    $a/3h/4h/5h/*
    $a/3h/4h/5h/*h
    [deadbeef/0h/1h/2]$a/3h/4h/5h/*h
    $e
    [deadbeef/0h/1h/2h]$e
    [deadbeef/0h/1h/2h]$e/3/4/5
    [deadbeef/0h/1h/2h]$e/3/4/5/*
    $e/3h/4h/5h/*
    $e/3h/4h/5h/*h
    [deadbeef/0h/1h/2]$e/3h/4h/5h/*h
    """#

  /// What BIP 380 calls an invalid key expression.
  static let invalidKeys = #"""
    [deadbeef/0h/0h/0h/*]$g
    [deadbeef/0h/0h/0h/]$g
    [deadbef/0h/0h/0h]$g
    [deadbeeef/0h/0h/0h]$g
    [deadbeef/0f/0f/0f]$g
    [deadbeef/-0/-0/-0]$g
    [deadbeef/0H/0H/0H]$g
    [deadbeef/0h/1h/2]$e/3H/4h/5h/*H
    $d/0
    $d/*
    $h/2147483648
    $h/1aa
    [aaaaaaaa][aaaaaaaa]$h/2147483647'/0
    aaaaaaaa]$h/2147483647'/0
    [gaaaaaaa]$h/2147483647'/0
    [deadbeef]
    """#
}
