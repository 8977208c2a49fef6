internal import BOLT
internal import Encoding
internal import GLC
internal import GLCTesting

extension FuzzTarget {
  /// The stored form of a channel, as a backup or a damaged disk may hand it to us.
  static let storedChannel = FuzzTarget(
    "storedchannel",
    seeds: {
      var seeds: [[UInt8]] = [[], [1], [2]]
      for (seed, type) in BOLT.ChannelType.allCases.enumerated() {
        guard let stack = try? type.stack(),
          var simulator = try? TwoPartySimulator(
            seed: UInt64(seed + 1), stack: stack, traffic: HTLCTraffic(in: stack))
        else { continue }
        for steps in [0, 12, 30] {
          guard (try? simulator.interrupt(after: steps)) != nil else { continue }
          seeds += simulator.parties.map(\.channel.encoded)
        }
      }
      return seeds.filter { $0.count < 4096 }
    },
    run: { input throws(Violation) in
      guard let channel = try? Channel(decoding: input, registry: .shipped) else { return .refused }
      let encoded = channel.encoded
      guard let again = try? Channel(decoding: encoded.bytes, registry: .shipped) else {
        throw Violation(description: "own encoding is read: \(Hex.encode(encoded))")
      }
      try law(again.encoded == encoded, "a channel is stored as it was stored: \(Hex.encode(encoded))")
      return .accepted
    })
}
