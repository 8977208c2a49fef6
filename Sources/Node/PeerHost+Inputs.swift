internal import Bitcoin
internal import Chain
internal import Logging
internal import Negotiation

// What a peer puts into a funding transaction has to be there: the chain says so.

extension PeerHost {
  func checkInputs(_ id: NegotiationID, _ check: InputCheck) {
    let (hub, mailbox) = (hub, mailbox)
    batch.afterwards.append { mailbox.post(.inputsChecked(id, await hub.fault(with: check))) }
  }

  func inputsChecked(_ id: NegotiationID, _ fault: Refusal?) {
    guard let signer = composition.openings[id]?.signer else { return }
    guard let fault else { return step(id) { $0.vouch(signer) } }
    logger.warning("what the peer puts in cannot be used", metadata: ["reason": "\(fault)"])
    step(id) { $0.decline(fault) }
  }
}

extension Hub {
  /// Nil when all that the other side spends is there. What the node itself would not put in is not taken from others either: BOLT 2, with
  /// `require_confirmed_inputs`: MUST fail the negotiation if one of the inputs added by the other peer is unconfirmed.
  func fault(with check: InputCheck) async -> Refusal? {
    do throws(ChainError) {
      let spenders = try await source.mempoolSpenders(of: check.outPoints)
      for outPoint in check.outPoints {
        guard let found = try await source.unspentOutput(outPoint), let confirmed = found.confirmationHeight else {
          return Refusal(.input, "\(outPoint) is not an unspent output of a block")
        }
        // Consensus: a coinbase is spent 100 blocks later at the earliest.
        if found.isCoinbase, UInt64(confirmed) + 100 > UInt64(height) + 1 {
          return Refusal(.input, "\(outPoint) is of a coinbase and cannot be spent yet")
        }
        if let spender = spenders[outPoint], !check.replaced.contains(spender) {
          return Refusal(.input, "\(outPoint) is spent by \(spender), which waits for a block")
        }
      }
      return nil
    } catch {
      logger.error("the chain gives no answer", metadata: ["about": "a peer's inputs", "reason": "\(error)"])
      // What the node's own trouble is, is nobody else's business.
      return Refusal(.busy, "the chain gives no answer at the moment")
    }
  }
}
