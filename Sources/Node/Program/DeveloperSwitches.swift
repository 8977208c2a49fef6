internal import Configuration
internal import Logging
internal import Payments

// Switches for tests. The configuration refuses them on mainnet; here they are put into force, and said aloud at every start.

extension DeveloperSettings {
  /// Each switch that is on, with what it means.
  var dangers: [(name: String, meaning: String)] {
    var found: [(String, String)] = []
    if nodeKey != nil { found.append(("dev-node-key", "the node's key is one that others know")) }
    if channelSecrets != nil {
      found.append(("dev-channel-secrets", "all channels have the same secrets, which others know"))
    }
    if shachainSeed != nil { found.append(("dev-shachain-seed", "others can revoke what was never revoked")) }
    if hasFastGossip { found.append(("dev-fast-gossip", "gossip is passed on at once")) }
    if hasFastPolling { found.append(("dev-fast-polling", "blocks are asked for several times a second")) }
    if hasNoHTLCTimeouts { found.append(("dev-no-htlc-timeouts", "payments that expire are lost")) }
    if hasMethods { found.append(("dev-methods", "a method publishes revoked commitments, which loses their money")) }
    return found
  }

  func warn(_ logger: Logger) {
    for danger in dangers {
      logger.warning(
        "a switch for tests is on: never with real money",
        metadata: ["switch": "\(danger.name)", "meaning": "\(danger.meaning)"])
    }
  }

  func apply(to settings: inout NodeSettings) {
    if hasFastGossip { settings.gossipInterval = 1 }
    settings.payments.ignoresDeadlines = hasNoHTLCTimeouts
    settings.developer.hasMethods = hasMethods
    settings.developer.channelSecrets = channelSecrets
    settings.developer.shachainSeed = shachainSeed
  }
}
