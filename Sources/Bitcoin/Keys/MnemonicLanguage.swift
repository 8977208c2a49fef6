/// The languages with a word list: those of BIP 39, and Russian and Turkish of its reference implementation.
public enum MnemonicLanguage: String, Hashable, Sendable, CaseIterable {
  case english, japanese, korean, spanish, chineseSimplified, chineseTraditional, french, italian, czech, portuguese
  case russian, turkish

  /// What stands between two words: BIP 39 wants an ideographic space for Japanese.
  public var separator: String { self == .japanese ? "\u{3000}" : " " }

  /// The 2,048 words in order, in NFKD.
  public var words: [String] { list.words }

  /// The place of a word in NFKD in the list, 0 to 2047.
  func index(of word: String) -> Int? { list.indices[word] }

  struct List: Sendable {
    let words: [String]
    let indices: [String: Int]

    init(_ text: String) {
      let normalized = UnicodeNormalization.nfkd(text)
      words = normalized.split(whereSeparator: \.isWhitespace).map(String.init)
      indices = Dictionary(words.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Of words of one character each.
    init(characters text: String) { self.init(text.map { "\($0) " }.joined()) }
  }

  private var list: List {
    switch self {
    case .english: Self.englishList
    case .japanese: Self.japaneseList
    case .korean: Self.koreanList
    case .spanish: Self.spanishList
    case .chineseSimplified: Self.chineseSimplifiedList
    case .chineseTraditional: Self.chineseTraditionalList
    case .french: Self.frenchList
    case .italian: Self.italianList
    case .czech: Self.czechList
    case .portuguese: Self.portugueseList
    case .russian: Self.russianList
    case .turkish: Self.turkishList
    }
  }

  private static let englishList = List(englishWords)
  private static let japaneseList = List(japaneseWords)
  private static let koreanList = List(koreanWords)
  private static let spanishList = List(spanishWords)
  private static let chineseSimplifiedList = List(characters: chineseSimplifiedWords)
  private static let chineseTraditionalList = List(characters: chineseTraditionalWords)
  private static let frenchList = List(frenchWords)
  private static let italianList = List(italianWords)
  private static let czechList = List(czechWords)
  private static let portugueseList = List(portugueseWords)
  private static let russianList = List(russianWords)
  private static let turkishList = List(turkishWords)
}
