import Bitcoin
import GLC
import HTLC
import Testing

/// Keys that were worked out beforehand.
@Suite struct KeyMemoryTests {
  @Test(arguments: [BOLT3Stack.staticRemoteKey, .anchors])
  func preparedKeysAreThoseThatWouldHaveBeenWorkedOut(_ kind: BOLT3Stack) throws {
    var plain = try TwoEnds(kind.stack)
    var prepared = try TwoEnds(kind.stack)
    for round in 0..<4 {
      for index in 0..<2 { prepared.channels[index].prepareKeys(prepared.signers[index]) }
      let update = UpdateContent.add(UInt64(round), 10_000_000, preimage: UInt8(round))
      try plain.update(update, by: 0)
      try prepared.update(update, by: 0)
      try plain.commit()
      for index in 0..<2 { prepared.channels[index].prepareKeys(prepared.signers[index]) }
      try prepared.commit()
      for index in 0..<2 {
        let (ours, same) = (prepared.channels[index], plain.channels[index])
        #expect(ours.encoded == same.encoded)
        #expect(
          try ours.localCommitments(prepared.signers[index]).map(\.txid)
            == same.localCommitments(plain.signers[index]).map(\.txid))
        #expect(try ours.remoteCommitments().map { $0.map(\.txid) } == same.remoteCommitments().map { $0.map(\.txid) })
      }
    }
  }
}
