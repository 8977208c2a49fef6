internal import Bitcoin
public import Configuration
internal import JSON
public import RPC

/// What the methods of the API need besides the node itself.
public struct NodeSurroundings: Sendable {
  public var configuration: NodeConfiguration
  /// For chains that can be told what to do; nil for real ones.
  public var control: (any ChainControl)?
  /// Reads the words of the seed.
  public var revealSeed: (@Sendable () throws -> String)?
  /// Ends the node; returns at once.
  public var stop: @Sendable () -> Void

  public init(
    configuration: NodeConfiguration, control: (any ChainControl)? = nil,
    revealSeed: (@Sendable () throws -> String)? = nil, stop: @escaping @Sendable () -> Void = {}
  ) {
    self.configuration = configuration
    self.control = control
    self.revealSeed = revealSeed
    self.stop = stop
  }
}

/// The API's methods over a running node.
public enum NodeHandlers {
  /// Registers every method that `NodeAPI` describes, but those of `CommonMethods`.
  public static func register(in registry: inout RPCRegistry, node: Node, surroundings: NodeSurroundings) {
    let handlers = Handlers(node: node, surroundings: surroundings)
    for (name, handler) in handlers.all {
      guard let method = NodeAPI.method(name) else { continue }
      registry.register(method) { arguments, context in
        do {
          return try await handler(arguments, context)
        } catch {
          throw RPCError(any: error)
        }
      }
    }
  }
}

/// One function for each method.
struct Handlers: Sendable {
  let node: Node
  let surroundings: NodeSurroundings

  var hub: Hub { node.hub }
  var network: Network { hub.settings.network }

  typealias Entry = (name: String, run: RPCHandler)

  var all: [Entry] {
    [
      ("getinfo", getinfo), ("stop", stop), ("connect", connect), ("disconnect", disconnect),
      ("listpeers", listpeers), ("ping", ping), ("decode", decode), ("decodepay", decodepay),
      ("signmessage", signmessage), ("checkmessage", checkmessage), ("waitblockheight", waitblockheight),
      ("fundchannel", fundchannel), ("close", close), ("glc-forceclose", forceClose),
      ("listpeerchannels", listpeerchannels),
      ("listclosedchannels", listclosedchannels), ("listhtlcs", listhtlcs), ("setchannel", setchannel),
      ("pay", pay), ("xpay", xpay), ("keysend", keysend), ("sendpay", sendpay), ("waitsendpay", waitsendpay),
      ("listpays", listpays), ("listsendpays", listsendpays), ("delpay", delpay), ("listforwards", listforwards),
      ("getroute", getroute), ("invoice", invoice), ("listinvoices", listinvoices), ("delinvoice", delinvoice),
      ("waitinvoice", waitinvoice), ("waitanyinvoice", waitanyinvoice), ("glc-holdinvoice", holdinvoice),
      ("glc-holdinvoice-settle", holdinvoiceSettle), ("glc-holdinvoice-cancel", holdinvoiceCancel),
      ("listnodes", listnodes), ("listchannels", listchannels), ("newaddr", newaddr), ("listfunds", listfunds),
      ("withdraw", withdraw), ("feerates", feerates), ("listtransactions", listtransactions),
      ("fundpsbt", fundpsbt), ("signpsbt", signpsbt), ("sendpsbt", sendpsbt), ("reserveinputs", reserveinputs),
      ("unreserveinputs", unreserveinputs), ("glc-bumpfee", bumpfee), ("glc-seed", seed),
      ("glc-extensions", extensions), ("glc-stacks", stacks), ("glc-proposals", proposals),
      ("glc-bumpfunding", bumpFunding), ("glc-stack", stack),
      ("glc-channel", channelPSBTs), ("glc-upgrade", upgrade), ("glc-chain", chain), ("glc-rescan", rescan),
      ("glc-generate", generate), ("glc-faucet", faucet), ("glc-mempool", mempool), ("glc-reorg", reorg),
      ("glc-dev-feerate", devFeeRate), ("glc-dev-revoked", devRevoked),
    ]
  }
}
