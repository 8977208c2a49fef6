import JSON

extension Example {
  static let invoices: [(op: String, source: String, json: String)] = [
    (
      "invoice.decode", "BOLT 11: On mainnet, with fallback address 1RustyRX2oai4EYYDpQGWvEL62",
      #"""
      {"params":{"invoice":"lnbc20m1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzq\#
      fqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqsfpp3qjmp7lwpagxun9\#
      pygexvgpjdc4jdj85fr9yq20q82gphp2nflc7jtzrcazrra7wwgzxqc8u7754cdlpfrmccae92qgzqvzq2ps8pqqqqqqpqqqqq9qqqvpeuqafq\#
      xu92d8lr6fvg0r5gv0heeeqgcrqlnm6jhphu9y00rrhy4grqszsvpcgpy9qqqqqqgqqqqq7qqzq9qrsgqdfjcdk6w3ak5pca9hwfwfh63zrrz0\#
      6wwfya0ydlzpgzxkn5xagsqz7x9j4jwe7yj7vaf2k9lqsdk45kts2fd0fkr28am0u4w95tt2nsq76cqw0"},"result":{"network":"bitco\#
      in","amount_msat":2000000000,"timestamp":1496314658,"payment_hash":"000102030405060708090001020304050607080900\#
      0102030405060708090102","payee":"03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad","descript\#
      ion":null,"description_hash":"3925b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1","expiry":null,\#
      "min_final_cltv":null,"route_hints":[[{"node_id":"029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78\#
      c77255","short_channel_id":"66051x263430x1800","fee_base_msat":1,"fee_proportional_millionths":20,"cltv_expiry\#
      _delta":3},{"node_id":"039e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255","short_channel_id":\#
      "197637x395016x2314","fee_base_msat":2,"fee_proportional_millionths":30,"cltv_expiry_delta":4}]],"fallbacks":[\#
      {"version":17,"program":"04b61f7dc1ea0dc99424464cc4064dc564d91e89","address":"1RustyRX2oai4EYYDpQGWvEL62BBGqN9\#
      T"}],"features":[8,14],"payment_secret":"1111111111111111111111111111111111111111111111111111111111111111","me\#
      tadata":null,"signature":"6a6586db4e8f6d40e3a5bb92e4df5110c627e9ce493af237e20a046b4e86ea200178c59564ecf892f33a\#
      9558bf041b6ad2cb8292d7a6c351fbb7f2ae2d16b54e","recovery_id":0,"unknown":[]}}
      """#
    ),
    (
      "invoice.decode", "BOLT 11: Please send 0.00967878534 BTC for a list of items within one",
      #"""
      {"params":{"invoice":"lnbc9678785340p1pwmna7lpp5gc3xfm08u9qy06djf8dfflhugl6p7lgza6dsjxq454gxhj9t7a0sd8dgfkx7cm\#
      twd68yetpd5s9xar0wfjn5gpc8qhrsdfq24f5ggrxdaezqsnvda3kkum5wfjkzmfqf3jkgem9wgsyuctwdus9xgrcyqcjcgpzgfskx6eqf9hzq\#
      nteypzxz7fzypfhg6trddjhygrcyqezcgpzfysywmm5ypxxjemgw3hxjmn8yptk7untd9hxwg3q2d6xjcmtv4ezq7pqxgsxzmnyyqcjqmt0wfj\#
      jq6t5v4khxsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygsxqyjw5qcqp2rzjq0gxwkzc8w6323m55m4jyxcjwmy7stt\#
      9hwkwe2qxmy8zpsgg7jcuwz87fcqqeuqqqyqqqqlgqqqqn3qq9q9qrsgqrvgkpnmps664wgkp43l22qsgdw4ve24aca4nymnxddlnp8vh9v2sd\#
      xlu5ywdxefsfvm0fq3sesf08uf6q9a2ke0hc9j6z6wlxg5z5kqpu2v9wz"},"result":{"network":"bitcoin","amount_msat":967878\#
      534,"timestamp":1572468703,"payment_hash":"462264ede7e14047e9b249da94fefc47f41f7d02ee9b091815a5506bc8abf75f","\#
      payee":"03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad","description":"Blockstream Store: \#
      88.85 USD for Blockstream Ledger Nano S x 1, \"Back In My Day\" Sticker x 2, \"I Got Lightning Working\" Stick\#
      er x 2 and 1 more items","description_hash":null,"expiry":604800,"min_final_cltv":10,"route_hints":[[{"node_id\#
      ":"03d06758583bb5154774a6eb221b1276c9e82d65bbaceca806d90e20c108f4b1c7","short_channel_id":"589390x3312x1","fee\#
      _base_msat":1000,"fee_proportional_millionths":2500,"cltv_expiry_delta":40}]],"fallbacks":[],"features":[8,14]\#
      ,"payment_secret":"1111111111111111111111111111111111111111111111111111111111111111","metadata":null,"signatur\#
      e":"1b1160cf6186b55722c1ac7ea502086baaccaabdc76b326e666b7f309d972b15069bfca11cd365304b36f48230cc12f3f13a017aab\#
      65f7c165a169df32282a58","recovery_id":1,"unknown":[]}}
      """#
    ),
    (
      "invoice.decode", "BOLT 11: Please send 0.01 BTC with payment metadata 0x01fafaf0",
      #"""
      {"params":{"invoice":"lnbc10m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdp9wpshjmt9de6zqmt\#
      9w3skgct5vysxjmnnd9jx2mq8q8a04uqsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs9q2gqqqqqqsgq7hf8he7ecf\#
      7n4ffphs6awl9t6676rrclv9ckg3d3ncn7fct63p6s365duk5wrk202cfy3aj5xnnp5gs3vrdvruverwwq7yzhkf5a3xqpd05wjc"},"result\#
      ":{"network":"bitcoin","amount_msat":1000000000,"timestamp":1496314658,"payment_hash":"00010203040506070809000\#
      10203040506070809000102030405060708090102","payee":"03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f\#
      934dd9ad","description":"payment metadata inside","description_hash":null,"expiry":null,"min_final_cltv":null,\#
      "route_hints":[],"fallbacks":[],"features":[8,14,48],"payment_secret":"111111111111111111111111111111111111111\#
      1111111111111111111111111","metadata":"01fafaf0","signature":"f5d27be7d9c27d3aa521bc35d77cabd6bda18f1f61716445\#
      b19e27e4e17a887508ea8de5a8e1d94f561248f65434e61a221160dac1f1991b9c0f1057b269d898","recovery_id":1,"unknown":[]\#
      }}
      """#
    ),
    (
      "invoice.encode", "BOLT 11: Please send $3 for a cup of coffee to the same pee",
      #"""
      {"params":{"private_key":"e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734","payment_hash":"00\#
      01020304050607080900010203040506070809000102030405060708090102","payment_secret":"1111111111111111111111111111\#
      111111111111111111111111111111111111","amount_msat":250000000,"timestamp":1496314658,"description":"1 cup coff\#
      ee","expiry":60,"features":[8,14]},"result":{"invoice":"lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zy\#
      g3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0\#
      rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh"}}
      """#
    ),
    (
      "invoice.encode", "BOLT 11: On mainnet, with fallback address 1RustyRX2oai4EYY",
      #"""
      {"params":{"private_key":"e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734","payment_hash":"00\#
      01020304050607080900010203040506070809000102030405060708090102","payment_secret":"1111111111111111111111111111\#
      111111111111111111111111111111111111","amount_msat":2000000000,"timestamp":1496314658,"description_hash":"3925\#
      b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1","route_hints":[[{"node_id":"029e03a901b85534ff1e\#
      92c43c74431f7ce72046060fcf7a95c37e148f78c77255","short_channel_id":"66051x263430x1800","fee_base_msat":1,"fee_\#
      proportional_millionths":20,"cltv_expiry_delta":3},{"node_id":"039e03a901b85534ff1e92c43c74431f7ce72046060fcf7\#
      a95c37e148f78c77255","short_channel_id":"197637x395016x2314","fee_base_msat":2,"fee_proportional_millionths":3\#
      0,"cltv_expiry_delta":4}]],"fallbacks":["1RustyRX2oai4EYYDpQGWvEL62BBGqN9T"],"features":[8,14]},"result":{"inv\#
      oice":"lnbc20m1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwz\#
      qfqqqsyqcyq5rqwzqfqypqhp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqsfpp3qjmp7lwpagxun9pygexvgpjdc4jdj\#
      85fr9yq20q82gphp2nflc7jtzrcazrra7wwgzxqc8u7754cdlpfrmccae92qgzqvzq2ps8pqqqqqqpqqqqq9qqqvpeuqafqxu92d8lr6fvg0r5\#
      gv0heeeqgcrqlnm6jhphu9y00rrhy4grqszsvpcgpy9qqqqqqgqqqqq7qqzq9qrsgqdfjcdk6w3ak5pca9hwfwfh63zrrz06wwfya0ydlzpgzx\#
      kn5xagsqz7x9j4jwe7yj7vaf2k9lqsdk45kts2fd0fkr28am0u4w95tt2nsq76cqw0"}}
      """#
    ),
    (
      "bolt12.decode", "BOLT 12, offers-test.json",
      #"""
      {"params":{"string":"lno1pgx9getnwss8vetrw3hhyuckyypwa3eyt44h6txtxquqh7lz5djge4afgfjn7k4rgrkuag0jsd5xvxg"},"re\#
      sult":{"kind":"offer","tlvs":[{"type":10,"length":12,"value":"5465737420766563746f7273"},{"type":22,"length":3\#
      3,"value":"02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619"}],"merkle_root":"e64a8c3f9b7d27\#
      014c54a31fba6e5a1dfb3946af41d1a3881c92aa0af19e302a","signature_valid":null}}
      """#
    ),
    (
      "bolt12.merkle", "BOLT 12, signature-test.json",
      #"""
      {"params":{"tlvs":[{"type":1,"value":"03e8"},{"type":2,"value":"0000010000020003"},{"type":3,"value":"0266e459\#
      8d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c0351800000000000000010000000000000002"}]},"result":{"merk\#
      le_root":"ab2e79b1283b0b31e0b035258de23782df6b89a38cfa7237bde69aed1a658c5d"}}
      """#
    ),
    (
      "message.sign", "RFC 6979 and the form of LND, computed apart",
      #"""
      {"params":{"private_key":"e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734","message":"is this\#
       compatible?"},"result":{"signature":"rn99s4pc9rj7dfttmhr7adwa3qzr4kgsr4ho7q1tkj9tnzmd56mcqote8k6p7jsqeejyd8a1\#
      ru6tn41nfzxfuqftfd83dzu8y44pyp38"}}
      """#
    ),
    (
      "message.verify", "a signature of an LND node",
      #"""
      {"params":{"message":"is this compatible?","signature":"rbgfioj114mh48d8egqx8o9qxqw4fmhe8jbeeabdioxnjk8z3t1ma1\#
      hu1fiswpakgucwwzwo6ofycffbsqusqdimugbh41n1g698hr9t"},"result":{"valid":true,"pubkey":"02b80cabdf82638aac86948e\#
      4c06e82064f547768dcef977677b9ea931ea75bab5"}}
      """#
    ),
  ]
}
