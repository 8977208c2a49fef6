public import Encoding

/// Which parts a channel is composed of, without their parameters: `musig2 + anchors` and what else there is.
///
/// The words are the names of funding schemes (without `-funding`), extensions and transforms. Whatever stands in every stack, the outputs
/// of the balances, need not be named; nor does a witness script as the funding scheme. A word may say which form of an extension is wished:
/// `name(form)`.
public struct StackDescription: Hashable, Sendable {
  public let funding: ExtensionID
  /// In ascending order, which is the order in every stack that is negotiated.
  public let extensions: [ExtensionID]
  /// In the order in which they are applied.
  public let transforms: [ExtensionID]
  /// What this side wishes of the forms of extensions: `StackSetting.variants`. It is said to the other side by their parameters alone.
  public let variants: [ExtensionID: String]

  public init(
    funding: ExtensionID, extensions: [ExtensionID], transforms: [ExtensionID] = [],
    variants: [ExtensionID: String] = [:]
  ) {
    self.funding = funding
    self.extensions = extensions.sorted()
    self.transforms = transforms
    self.variants = variants
  }

  /// Of a stack that there is.
  public init(_ stack: ChannelStack) {
    self.init(
      funding: type(of: stack.funding).id, extensions: stack.extensions.map(\.id),
      transforms: stack.transforms.map { type(of: $0).id },
      variants: Dictionary(
        stack.extensions.compactMap { slot in
          Self.parts(of: slot.manifest.name).variant.map { (slot.id, $0) }
        }
      ) { first, _ in first })
  }

  /// `name` or `name(variant)`.
  static func parts(of word: String) -> (name: String, variant: String?) {
    guard word.hasSuffix(")"), let open = word.firstIndex(of: "(") else { return (word, nil) }
    return (String(word[..<open]), String(word[word.index(after: open)...].dropLast()))
  }
}

/// Why a text does not describe a stack.
public enum StackTextError: Error, Hashable, Sendable, CustomStringConvertible {
  case empty
  /// - near: what may have been meant, the nearest first. - known: every word that there is.
  case unknownWord(String, near: [String], known: [String])
  case repeated(String)
  case twoFundings(String, String)
  /// No scheme is registered that stands for none.
  case noFunding(known: [String])
  /// The parts do not fit together.
  case stack(StackError)

  public var description: String {
    switch self {
    case .empty: "a stack has at least one word"
    case .unknownWord(let word, let near, let known):
      near.isEmpty
        ? "\"\(word)\" is no part of a stack; there are \(known.joined(separator: ", "))"
        : "\"\(word)\" is no part of a stack; did you mean \(near.joined(separator: " or "))?"
    case .repeated(let word): "\(word) is there twice"
    case .twoFundings(let a, let b): "\(a) and \(b) both say who can spend the funding output"
    case .noFunding(let known): "who can spend the funding output? There are \(known.joined(separator: ", "))"
    case .stack(let error): "\(error)"
    }
  }
}

// What a program can compose: the registry as a catalogue with names.
extension ExtensionRegistry {
  /// A part that can be named.
  public struct Part: Hashable, Sendable {
    public enum Kind: UInt8, Hashable, Sendable {
      case funding = 0
      case `extension` = 1
      case transform = 2
    }

    public var kind: Kind
    public var id: ExtensionID
    public var name: String

    public init(kind: Kind, id: ExtensionID, name: String) {
      self.kind = kind
      self.id = id
      self.name = name
    }
  }

  /// Every part: funding schemes, extensions, transforms, each in ascending order.
  public var parts: [Part] {
    fundingIDs.map { Part(kind: .funding, id: $0, name: name(ofFunding: $0)) }
      + extensionIDs.map { Part(kind: .extension, id: $0, name: name(ofExtension: $0)) }
      + transformIDs.map { Part(kind: .transform, id: $0, name: "transform-\($0.rawValue)") }
  }

  /// For people: `musig2`. Of a scheme that is not registered, its number.
  public func name(ofFunding id: ExtensionID) -> String {
    guard let scheme = funding(id) else { return "funding-\(id.rawValue)" }
    let name = type(of: scheme).name
    let suffix = "-funding"
    return name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
  }

  /// For people: `anchors`. Of an extension that is not registered, its number.
  public func name(ofExtension id: ExtensionID) -> String {
    manifest(id)?.name ?? "extension-\(id.rawValue)"
  }

  /// As it is with what this node would propose.
  public func manifest(_ id: ExtensionID) -> Manifest? {
    reader(id)?.propose(for: StackSetting(scripts: .witnessScript)).manifest
  }

  /// Reads a text such as `musig2 + anchors`; capitals and spaces do not matter, commas do for plus signs.
  public func description(parsing text: String) throws(StackTextError) -> StackDescription {
    let words = text.split(whereSeparator: { $0 == "+" || $0 == "," || $0.isWhitespace }).map { $0.lowercased() }
    guard !words.isEmpty else { throw .empty }
    let parts = parts
    var scheme: Part?
    var extensions: [ExtensionID] = []
    var transforms: [ExtensionID] = []
    var variants: [ExtensionID: String] = [:]
    for given in words {
      let (word, variant) = StackDescription.parts(of: given)
      guard let part = parts.first(where: { $0.name == word || $0.kind == .funding && "\($0.name)-funding" == word })
      else {
        let names = parts.map(\.name)
        throw .unknownWord(given, near: NearestName.all(word, in: names), known: names)
      }
      if let variant {
        let known = part.kind == .extension ? reader(part.id)?.variants ?? [] : []
        guard known.contains(variant) else {
          throw .unknownWord(given, near: known.map { "\(word)(\($0))" } + [word], known: parts.map(\.name))
        }
        variants[part.id] = variant
      }
      switch part.kind {
      case .funding:
        if let scheme { throw scheme == part ? .repeated(word) : .twoFundings(scheme.name, part.name) }
        scheme = part
      case .extension:
        if extensions.contains(part.id) { throw .repeated(word) }
        extensions.append(part.id)
      case .transform:
        if transforms.contains(part.id) { throw .repeated(word) }
        transforms.append(part.id)
      }
    }
    // The first scheme is the one of the BOLTs: whoever says nothing means it.
    guard let funding = scheme?.id ?? fundingIDs.first(where: { self.funding($0)?.scripts == .witnessScript }) else {
      throw .noFunding(known: parts.filter { $0.kind == .funding }.map(\.name))
    }
    let balances = extensionIDs.filter { manifest($0)?.phase == .balances }
    if !extensions.contains(where: balances.contains), let first = balances.first { extensions.append(first) }
    return StackDescription(funding: funding, extensions: extensions, transforms: transforms, variants: variants)
  }

  /// The text of a description: who can spend the funding output first, then what commitments carry, in their order.
  public func text(of description: StackDescription) -> String {
    let known = description.extensions.compactMap { id in manifest(id).map { (id, $0) } }
    let phases = Dictionary(known.map { ($0.0, $0.1.phase) }) { first, _ in first }
    let named = description.extensions.filter { phases[$0] != .balances }.sorted {
      (phases[$0] ?? .dependents, $0) < (phases[$1] ?? .dependents, $1)
    }
    let words =
      [name(ofFunding: description.funding)]
      + named.map { id in name(ofExtension: id) + (description.variants[id].map { "(\($0))" } ?? "") }
      + description.transforms.map { "transform-\($0.rawValue)" }
    return words.joined(separator: " + ")
  }

  /// What the extensions' parameters depend on, for a stack of these parts.
  public func setting(
    for description: StackDescription, limits: AgreementLimits = .none,
    acceptable: StackSetting.Acceptable = .anything
  ) throws(ComposingError) -> StackSetting {
    let missing = missing(description)
    guard missing.isEmpty, let scheme = funding(description.funding) else { throw .unknown(missing) }
    let bumping = description.extensions.compactMap { manifest($0)?.feeBumping }.max { $0.rawValue < $1.rawValue }
    var setting = StackSetting(
      scripts: scheme.scripts, feeBumping: bumping ?? .none, limits: limits, acceptable: acceptable)
    setting.variants = description.variants
    return setting
  }

  /// The stack, with what this node wants of each extension.
  public func propose(_ description: StackDescription, _ setting: StackSetting) throws(ComposingError) -> ChannelStack {
    try compose(description) { (id, reader) throws(ComposingError) in reader.propose(for: setting) }
  }

  /// The stack, with what this node says to what the other party wants: the same parameters for what it agrees to. What is not known here
  /// and may be ignored stays as it is.
  /// - Parameters:
  ///   - parameters: of each extension.
  ///   - party: who sees them as they stand there.
  public func agree(
    to parameters: [ExtensionID: [UInt8]], asSeenBy party: Party, _ description: StackDescription,
    _ setting: StackSetting
  ) throws(ComposingError) -> ChannelStack {
    try compose(description, ignoring: parameters) { (id, reader) throws(ComposingError) in
      guard let theirs = parameters[id] else { throw .missingParameters(id) }
      do throws(ParameterFault) {
        return try reader.agree(to: theirs.bytes, asSeenBy: party, for: setting)
      } catch {
        switch error {
        case .malformed(let reason): throw .malformed(id, reason)
        case .refused(let fault): throw .refused(id, fault)
        }
      }
    }
  }

  /// The stack with these parameters, whatever this node thinks of them.
  public func stack(
    _ description: StackDescription, parameters: [ExtensionID: [UInt8]], asSeenBy party: Party
  ) throws(ComposingError) -> ChannelStack {
    try compose(description, ignoring: parameters) { (id, reader) throws(ComposingError) in
      guard let given = parameters[id] else { throw .missingParameters(id) }
      do throws(DecodingError) {
        return try reader.read(given.bytes, asSeenBy: party)
      } catch {
        throw .malformed(id, error)
      }
    }
  }

  /// Whether a stack is what was described: the same parts, each in the form that was wished, where one was.
  public func fits(_ stack: ChannelStack, _ description: StackDescription) -> Bool {
    let own = StackDescription(stack)
    return own.funding == description.funding && own.extensions == description.extensions
      && own.transforms == description.transforms
      && stack.extensions.allSatisfy { hasWishedForm($0, description) }
  }

  func hasWishedForm(_ slot: any ExtensionSlot, _ description: StackDescription) -> Bool {
    description.variants[slot.id].map { $0 == form(of: slot) } ?? true
  }

  /// Of an extension that has forms.
  func form(of slot: any ExtensionSlot) -> String? {
    StackDescription.parts(of: slot.manifest.name).variant ?? reader(slot.id)?.variants.first
  }

  /// All of what must be understood and is not, said at once.
  private func missing(_ description: StackDescription) -> [ExtensionID] {
    [description.funding].filter { funding($0) == nil }
      + description.extensions.filter { reader($0) == nil && $0.mustBeUnderstood }
      + description.transforms.filter { transform($0) == nil }
  }

  private func compose(
    _ description: StackDescription, ignoring unknown: [ExtensionID: [UInt8]] = [:],
    _ slot: (ExtensionID, any SlotReader) throws(ComposingError) -> any ExtensionSlot
  ) throws(ComposingError) -> ChannelStack {
    let missing = missing(description)
    guard missing.isEmpty, let scheme = funding(description.funding) else { throw .unknown(missing) }
    var slots: [any ExtensionSlot] = []
    for id in description.extensions {
      if let reader = reader(id) {
        slots.append(try slot(id, reader))
      } else {
        slots.append(UnknownSlot(id: id, encodedParameters: unknown[id] ?? []))
      }
    }
    do {
      return try ChannelStack(
        funding: scheme, extensions: slots, transforms: description.transforms.compactMap { transform($0) })
    } catch {
      throw .stack(error)
    }
  }
}

/// Why a stack cannot be composed here.
public enum ComposingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// These must be understood, and are not.
  case unknown([ExtensionID])
  case missingParameters(ExtensionID)
  case malformed(ExtensionID, DecodingError)
  /// There is nothing to agree on.
  case refused(ExtensionID, NegotiationFault)
  case stack(StackError)

  public var description: String {
    switch self {
    case .unknown(let ids): "not known here: \(ids.map { "\($0)" }.joined(separator: ", "))"
    case .missingParameters(let id): "\(id) has no parameters"
    case .malformed(let id, let error): "the parameters of \(id) cannot be read: \(error)"
    case .refused(let id, let fault): "\(id): \(fault)"
    case .stack(let error): "\(error)"
    }
  }
}
