import JSON

extension Example {
  static let lightning: [(op: String, source: String, json: String)] = [
    (
      "message.decode", "BOLT 7, extended-queries.json",
      #"""
      {"params":{"message":"01080f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e22060001ddde000005dc010019\#
      00000000000000304300000000000778d6000000000046e1c1011900000282c1000e77c5000778ad00490ab00000b57800955bff031800000457\#
      000008ae00000d050000115c000015b300001a0a"},"result":{"type":264,"name":"reply_channel_range","fields":{"chain_hash":\#
      "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206","first_blocknum":122334,"number_of_blocks":1500,\#
      "sync_complete":1,"encoded_short_ids":"00000000000000304300000000000778d6000000000046e1c1"},"tlvs":[{"type":1,\#
      "length":25,"value":"00000282c1000e77c5000778ad00490ab00000b57800955bff"},{"type":3,"length":24,"value":"00000457000\#
      008ae00000d050000115c000015b300001a0a"}]}}
      """#
    ),
    (
      "message.decode", "BOLT 1, appendix C",
      #"""
      {"params":{"message":"001000000000c9012acb0104"},"result":{"type":16,"name":"init","fields":{"globalfeatures":"",\#
      "features":""},"tlvs":[{"type":201,"length":1,"value":"2a"},{"type":203,"length":1,"value":"04"}]}}
      """#
    ),
    (
      "message.decode", "BOLT 1: an unknown odd type",
      #"""
      {"params":{"message":"800102030405"},"result":{"type":32769,"name":null,"fields":{"payload":"02030405"},"tlvs":[]}}
      """#
    ),
    (
      "message.encode", "BOLT 1, appendix C",
      #"""
      {"params":{"type":16,"name":"init","fields":{"globalfeatures":"","features":""},"tlvs":[{"type":201,"length":1,\#
      "value":"2a"},{"type":203,"length":1,"value":"04"}]},"result":{"message":"001000000000c9012acb0104"}}
      """#
    ),
    (
      "message.encode", "ACINQ/eclair, tx_init_rbf",
      #"""
      {"params":{"type":72,"fields":{"feerate":4000,"locktime":0,"channel_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\#
      aaaaaaaaaaaaaaaaaaaaa"},"tlvs":[{"type":0,"value":"ffffffffffff9e58"}]},"result":{"message":"0048aaaaaaaaaaaaaaaaaaa\#
      aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000000000fa00008ffffffffffff9e58"}}
      """#
    ),
    ("wire.decode", "BOLT 1, appendix A", #"{"params":{"type":"bigsize","bytes":"fd00fd"},"result":{"value":253}}"#),
    (
      "wire.decode", "BOLT 1, appendix B",
      #"{"params":{"type":"tu64","bytes":"0100000000"},"result":{"value":4294967296}}"#
    ),
    (
      "wire.decode", "BOLT 7 §Definition of short_channel_id",
      #"{"params":{"type":"short_channel_id","bytes":"083a8400034d0001"},"result":{"value":"539268x845x1"}}"#
    ),
    (
      "wire.decode", "BOLT 7 §The node_announcement Message",
      #"{"params":{"type":"address","bytes":"01c00002012607"},"result":{"value":"192.0.2.1:9735"}}"#
    ),
    ("wire.decode", "BOLT 9", #"{"params":{"type":"features","bytes":"0002a2"},"result":{"value":[1,5,7,9]}}"#),
    (
      "wire.encode", "BOLT 1, appendix A",
      #"{"params":{"type":"bigsize","value":18446744073709551615},"result":{"bytes":"ffffffffffffffffff"}}"#
    ),
    ("wire.encode", "BOLT 1", #"{"params":{"type":"tu16","value":0},"result":{"bytes":""}}"#),
    ("wire.encode", "BOLT 1", #"{"params":{"type":"tu32","value":256},"result":{"bytes":"0100"}}"#),
    ("wire.encode", "BOLT 1", #"{"params":{"type":"tu64","value":1},"result":{"bytes":"01"}}"#),
    (
      "wire.encode", "BOLT 7 §Definition of short_channel_id",
      #"{"params":{"type":"short_channel_id","value":"539268x845x1"},"result":{"bytes":"083a8400034d0001"}}"#
    ),
    (
      "wire.encode", "BOLT 7 §The node_announcement Message",
      #"{"params":{"type":"address","value":"example.com:9735"},"result":{"bytes":"050b6578616d706c652e636f6d2607"}}"#
    ),
    ("wire.encode", "BOLT 9", #"{"params":{"type":"features","value":[9,1,7,5]},"result":{"bytes":"02a2"}}"#),
    (
      "gossip.verify", "ElementsProject/lightning, tests/test_gossip.py: a channel of testnet",
      #"""
      {"params":{"message":"0100bb8d7b6998cca3c2b3ce12a6bd73a8872c808bb48de2a30c5ad9cdf835905d1e27505755087e675fb517bbac6beb\#
      227629b694ea68f49d357458327138978ebfd7adfde1c69d0d2f497154256f6d5567a5cf2317c589e0046c0cc2b3e986cf9b6d3b44742bd57bce\#
      32d72cd1180a7f657795976130b20508b239976d3d4cdc4d0d6e6fbb9ab6471f664a662972e406f519eab8bce87a8c0365646df5acbc04c91540\#
      b4c7c518cec680a4a6af14dae1aca0fd5525220f7f0e96fcd2adef3c803ac9427fe71034b55a50536638820ef21903d09ccddd38396675b59858\#
      7fa886ca711415c813fc6d69f46552b9a0a539c18f265debd0e2e286980a118ba349c216000043497fd7f826957108f4a30fd9cec3aeba799720\#
      84e90ead01ea33090000000013a63c0000b50001021bf3de4e84e3d52f9a3e36fbdcd2c4e8dbf203b9ce4fc07c2f03be6c21d0c67503f113414e\#
      bdc6c1fb0f33c99cd5a1d09dd79e7fdf2468cf1fe1af6674361695d203801fd8ab98032f11cc9e4916dd940417082727077609d5c7f8cc6e9a3a\#
      d25dd102517164b97ab46cee3826160841a36c46a2b7b9c74da37bdc070ed41ba172033a"},"result":{"valid":true,"error":null}}
      """#
    ),
    (
      "gossip.verify", "ElementsProject/lightning, tests/test_gossip.py: one of its nodes",
      #"""
      {"params":{"message":"0101cf5d870bc7ecabcb7cd16898ef66891e5f0c6c5851bd85b670f03d325bc44d7544d367cd852e18ec03f7f4ff369b\#
      06860a3b12b07b29f36fb318ca11348bf8ec00005aab817c03f113414ebdc6c1fb0f33c99cd5a1d09dd79e7fdf2468cf1fe1af6674361695d239\#
      74b250757a7a6c6549544300000000000000000000000000000000000000000000000007010566933e2607"},"result":{"valid":true,"err\#
      or":null}}
      """#
    ),
    (
      "gossip.verify", "ElementsProject/lightning, tests/test_gossip.py: an update changed by hand after it was signed",
      #"""
      {"params":{"message":"01021ea7c2eadf8a29eb8690511a519b5656e29aa0a853771c4e38e65c5abf43d907295a915e69e451f4c7a0c3dc13dd\#
      943cfbe3ae88c0b96667cd7d58955dbfedcf43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea33090000000013a63c0000b50001\#
      5b8d9b440100009000000000000003e8000003e8000000010000000000ffffff","node_id":"021bf3de4e84e3d52f9a3e36fbdcd2c4e8dbf2\#
      03b9ce4fc07c2f03be6c21d0c675"},"result":{"valid":false,"error":"signature is not valid"}}
      """#
    ),
  ]
}
