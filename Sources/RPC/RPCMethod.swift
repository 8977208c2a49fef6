/// A method, described once: `help`, the command line's subcommands, completion scripts and docs/RPC.md all come from here.
public struct RPCMethod: Sendable {
  public let name: String
  public let category: RPCCategory
  /// One line, without a full stop.
  public let summary: String
  /// More, in whole sentences; paragraphs are separated by an empty line. May be empty.
  public let details: String
  /// In the order in which values are given without names.
  public let parameters: [RPCParameter]
  /// The members of the reply, in order.
  public let results: [RPCResult]
  /// It may take long, so a person wants to see that something happens.
  public let isSlow: Bool

  public init(
    _ name: String, _ category: RPCCategory, _ summary: String, details: String = "",
    parameters: [RPCParameter] = [], results: [RPCResult] = [], isSlow: Bool = false
  ) {
    self.name = name
    self.category = category
    self.summary = summary
    self.details = details
    self.parameters = parameters
    self.results = results
    self.isSlow = isSlow
  }

  /// The name and its parameters, those that may be left out in brackets: `close id [unilateraltimeout]`.
  public var usage: String {
    ([name] + parameters.map { $0.isRequired ? $0.name : "[\($0.name)]" }).joined(separator: " ")
  }
}

/// What a method is about; headings of `help`.
public enum RPCCategory: String, CaseIterable, Sendable {
  case node
  case peers
  case channels
  case payments
  case invoices
  case network
  case wallet
  case utility
  case glc
  case chain
  case developer

  public var title: String {
    switch self {
    case .node: "Node"
    case .peers: "Peers"
    case .channels: "Channels"
    case .payments: "Payments"
    case .invoices: "Invoices"
    case .network: "Network"
    case .wallet: "Wallet"
    case .utility: "Utilities"
    case .glc: "Generalized channels"
    case .chain: "Chain control"
    case .developer: "Developers"
    }
  }
}

/// A parameter of a method.
public struct RPCParameter: Sendable {
  public let name: String
  public let kind: RPCKind
  public let isRequired: Bool
  /// What holds when it is left out, for a person.
  public let defaultText: String?
  /// One or two sentences.
  public let help: String

  /// Must be given.
  public static func required(_ name: String, _ kind: RPCKind, _ help: String) -> RPCParameter {
    RPCParameter(name: name, kind: kind, isRequired: true, defaultText: nil, help: help)
  }

  /// May be left out, or null.
  public static func optional(
    _ name: String, _ kind: RPCKind, default defaultText: String? = nil, _ help: String
  ) -> RPCParameter {
    RPCParameter(name: name, kind: kind, isRequired: false, defaultText: defaultText, help: help)
  }
}

/// A member of a reply. `path` is its name; `outputs[].txid` is a member of each element.
public struct RPCResult: Sendable {
  public let path: String
  public let type: String
  public let help: String
  /// It is there only when there is something to say.
  public let isOptional: Bool

  public init(_ path: String, _ type: String, _ help: String, optional: Bool = false) {
    self.path = path
    self.type = type
    self.help = help
    isOptional = optional
  }
}
