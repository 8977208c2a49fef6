import GLC
import Testing

@Suite struct WorkersTests {
  @Test(arguments: [1, 2, 3, 8, 64], [0, 1, 7, 8, 15, 16, 17, 483, 1000])
  func resultsDoNotDependOnTheNumberOfWorkers(workers: Int, count: Int) {
    let squares = Workers(workers).map(count, smallestPiece: 8) { range in range.map { $0 * $0 } }
    #expect(squares == (0..<count).map { $0 * $0 })
  }

  struct Refusal: Error, Equatable { var position: Int }

  @Test(arguments: [1, 2, 5])
  func theErrorOfTheLowestPositionIsThrown(workers: Int) {
    #expect(throws: Refusal(position: 100)) {
      try Workers(workers).map(500, smallestPiece: 1) { (range) throws(Refusal) -> [Int] in
        for position in range where position >= 100 { throw Refusal(position: position) }
        return Array(range)
      }
    }
  }

  @Test func fewerThanOneWorkerIsOne() {
    #expect(Workers(0) == .one)
    #expect(Workers(-3) == .one)
    #expect(Workers.all.count >= 1)
  }
}
