import Encoding
import Foundation
import Hashing
import Secp256k1
import Sphinx
import Testing
import VectorSupport

/// What BOLT 4 §Test Vector prints about attribution data, by node: index 0 is the first hop.
private struct PrintedAttribution {
  var payload: [UInt8] = []
  var reasons: [Int: [UInt8]] = [:]
  var failureData: [Int: [UInt8]] = [:]
  var fulfilmentData: [Int: [UInt8]] = [:]
  var sharedSecrets: [[UInt8]] = []
  var holdTimes: [UInt32] = []

  init(text: String) throws {
    let start = try #require(text.range(of: "# Test Vector\n"))
    var isSuccess = false
    var awaitedNode: Int?
    for line in text[start.upperBound...].split(separator: "\n") {
      let line = line.trimmingCharacters(in: .whitespaces)
      if let node = awaitedNode {
        fulfilmentData[node] = try bytes(line)
        awaitedNode = nil
      } else if line.hasPrefix("## Returning success") {
        isSuccess = true
      } else if line.hasPrefix("htlc_hold_time["), let value = UInt32(line.drop { $0 != "=" }.dropFirst(2)) {
        holdTimes.append(value)
      } else if line.hasPrefix("payload = ") {
        payload = try bytes(String(line.dropFirst(10)))
      } else if line.hasPrefix("shared_secret = ") {
        let secret = try bytes(String(line.dropFirst(16)))
        // Printed when the failure is made, and again when it is forwarded.
        if sharedSecrets.first != secret { sharedSecrets.insert(secret, at: 0) }
      } else if line.hasPrefix("error packet for node ") {
        let words = line.dropFirst(22).split(separator: ":")
        reasons[try #require(Int(words[0]))] = try bytes(String(words[1]))
      } else if line.hasPrefix("attribution data for node ") {
        let words = line.dropFirst(26).split(separator: ":")
        let node = try #require(Int(words[0]))
        if isSuccess { awaitedNode = node } else { failureData[node] = try bytes(String(words[1])) }
      }
    }
  }
}

struct AttributionTests {
  @Test(.vectors("../spec/bolts/04-onion-routing.md"))
  func everyAttributionPrintedInBOLT4() throws {
    let text = String(decoding: try Vectors.data("../spec/bolts/04-onion-routing.md"), as: UTF8.self)
    let printed = try PrintedAttribution(text: text)
    // The text gives node 0 the hold time 1 and node 4 the hold time 5; its data were made the other way round.
    #expect(printed.holdTimes == [1, 2, 3, 4, 5])
    let holdTimes: [UInt32] = printed.holdTimes.reversed()
    #expect(printed.reasons.count == 5 && printed.failureData.count == 5 && printed.fulfilmentData.count == 5)
    let secrets = try printed.sharedSecrets.map { SharedSecret(try Bytes32($0)) }
    #expect(secrets.count == 5)

    var reader = ByteReader(printed.payload.bytes)
    let message = try reader.readArray(count: Int(try reader.readUInt16()))
    let padded = message.count + Int(try reader.readUInt16())
    #expect(try FailureMessage(decoding: message).code == .incorrectOrUnknownPaymentDetails)

    var packet = try #require(
      FailurePacket(
        message: message, sharedSecret: secrets[4], holdTime: holdTimes[4], paddedByteCount: padded))
    for node in (0..<5).reversed() {
      if node < 4 { packet.wrap(sharedSecret: secrets[node], holdTime: holdTimes[node]) }
      #expect(packet.reason == printed.reasons[node], "reason at node \(node)")
      #expect(packet.attribution?.bytes == printed.failureData[node], "attribution data at node \(node)")
    }
    let received = packet.unwrap(sharedSecrets: secrets)
    #expect(received.origin == 4)
    #expect(received.message == message)
    #expect(received.holdTimes == holdTimes)

    var attribution = Attribution.fulfilled(sharedSecret: secrets[4], holdTime: holdTimes[4])
    for node in (0..<5).reversed() {
      if node < 4 {
        attribution = .relayFulfilled(attribution, sharedSecret: secrets[node], holdTime: holdTimes[node])
      }
      #expect(attribution.bytes == printed.fulfilmentData[node], "fulfilment at node \(node)")
    }
    #expect(attribution.fulfilledHoldTimes(sharedSecrets: secrets) == holdTimes)
    Vectors.report("BOLT 4 attribution data", cases: 15)
  }

  private static let secrets = Figures.sharedSecrets

  /// BOLT 4's failure and fulfilment in short: the SHA-256 of what node 0 returns.
  @Test func theFiguresOfBOLT4InShort() throws {
    let secrets = try Self.secrets.map { try secret($0) }
    let message = try bytes("400f0000000000000064000c3500fd84d1fd012c") + [UInt8](repeating: 0x80, count: 300)
    var packet = try #require(
      FailurePacket(message: message, sharedSecret: secrets[4], holdTime: 1, paddedByteCount: 1024))
    var attribution = Attribution.fulfilled(sharedSecret: secrets[4], holdTime: 1)
    for node in (0..<4).reversed() {
      packet.wrap(sharedSecret: secrets[node], holdTime: UInt32(5 - node))
      attribution = .relayFulfilled(attribution, sharedSecret: secrets[node], holdTime: UInt32(5 - node))
    }
    #expect(sha256(packet.reason).hex == "0709ced8da7a15dae982a2c0edfe44fefa1a2aab5db8e207f63890455799ec07")
    #expect(
      sha256(packet.attribution?.bytes ?? []).hex == "7fe8cee92a9d62492c9ef65d54f363f41563be0050c6bce084fbb0034405646b")
    #expect(sha256(attribution.bytes).hex == "7c8edc31d5900c0c8df5393c534cf54fa88d3fd91a6d0760f7353b98feae0587")
    #expect(packet.unwrap(sharedSecrets: secrets).holdTimes == [5, 4, 3, 2, 1])
  }

  @Test func whoeverChangesTheFailureIsBlamed() throws {
    let secrets = try Self.secrets.map { try secret($0) }
    for culprit in 0..<5 {
      for damage in 0..<3 {
        var packet = try #require(FailurePacket(message: [0x20, 2], sharedSecret: secrets[4], holdTime: 5))
        for node in (0..<5).reversed() {
          if node < 4 { packet.wrap(sharedSecret: secrets[node], holdTime: UInt32(node + 1)) }
          guard node == culprit else { continue }
          var reason = packet.reason
          var data = try #require(packet.attribution).bytes
          switch damage {
          case 0: reason[100] ^= 1
          case 1: data[2] ^= 1
          default: for index in 80..<data.count { data[index] ^= 1 }
          }
          packet = FailurePacket(reason: reason, attribution: try Attribution(data))
        }
        let received = packet.unwrap(sharedSecrets: secrets)
        #expect(received.holdTimes == Array([1, 2, 3, 4, 5].prefix(culprit)), "node \(culprit), damage \(damage)")
        if damage == 0 {
          #expect(received.origin == nil)
          #expect(received.blamedHop == culprit)
        } else {
          #expect(received.origin == 4, "the failure itself is intact")
        }
      }
    }
  }

  @Test func aNodeWithoutAttributionEndsTheChain() throws {
    let secrets = try Self.secrets.map { try secret($0) }
    var packet = try #require(FailurePacket(message: [0x20, 2], sharedSecret: secrets[4], holdTime: 5))
    packet.wrap(sharedSecret: secrets[3], holdTime: 4)
    packet.wrap(sharedSecret: secrets[2])
    #expect(packet.attribution == nil)
    packet.wrap(sharedSecret: secrets[1], holdTime: 2)
    packet.wrap(sharedSecret: secrets[0], holdTime: 1)
    let received = packet.unwrap(sharedSecrets: secrets)
    #expect(received.origin == 4)
    #expect(received.holdTimes == [1, 2])
  }

  @Test func routesOfUpToTwentyHopsAreProvenWhole() throws {
    for count in [1, 19, 20, 21, 27] {
      let secrets = (0..<count).map { SharedSecret(sha256([UInt8($0)])) }
      var attribution = Attribution.fulfilled(sharedSecret: secrets[count - 1], holdTime: .max)
      for node in (0..<count - 1).reversed() {
        attribution = .relayFulfilled(attribution, sharedSecret: secrets[node], holdTime: UInt32(node))
      }
      let holdTimes = attribution.fulfilledHoldTimes(sharedSecrets: secrets)
      #expect(holdTimes == (0..<count).prefix(20).map { $0 == count - 1 ? .max : UInt32($0) }, "\(count) hops")
    }
  }

  @Test func otherSizesAreNoAttributionData() throws {
    for count in [0, 919, 921] {
      #expect(throws: DecodingError.wrongLength(expected: 920, actual: count)) {
        try Attribution([UInt8](repeating: 0, count: count))
      }
    }
    #expect(try Attribution([UInt8](repeating: 0, count: 920)).fulfilledHoldTimes(sharedSecrets: []) == [])
    #expect(
      try Attribution([UInt8](repeating: 0, count: 920)).fulfilledHoldTimes(
        sharedSecrets: [SharedSecret(Bytes32())]) == [])
  }
}
