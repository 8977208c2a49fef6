internal import FuzzTargets
internal import Glibc

// libFuzzer brings `main`. One executable holds every target, so that one build serves them all; the environment says which
// one runs:
//
//   FUZZ_TARGET=list                     print the names
//   FUZZ_TARGET=NAME FUZZ_PREPARE=DIR    write the seeds to DIR/seeds and the dictionary to DIR/dictionary
//   FUZZ_TARGET=NAME                     fuzz

private func environment(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

private func fail(_ message: String) -> Never {
  print("fuzzer: \(message)")
  exit(2)
}

private let target: FuzzTarget = {
  guard let name = environment("FUZZ_TARGET") else { fail("set FUZZ_TARGET to a name, or to 'list'") }
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else { fail("no target is named \(name)") }
  return target
}()

private func write(_ bytes: [UInt8], to path: String) {
  guard let file = unsafe fopen(path, "wb") else { fail("cannot write \(path)") }
  defer { unsafe fclose(file) }
  guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else { fail("cannot write \(path)") }
}

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ argc: UnsafeMutablePointer<Int32>?,
  _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>?
) -> Int32 {
  if environment("FUZZ_TARGET") == "list" {
    for target in FuzzTarget.all { print(target.name) }
    exit(0)
  }
  if let folder = environment("FUZZ_PREPARE") {
    unsafe mkdir(folder + "/seeds", 0o755)
    for (index, seed) in target.seeds().enumerated() { write(seed, to: "\(folder)/seeds/seed-\(index)") }
    write(Array(target.dictionaryFile.utf8), to: folder + "/dictionary")
    exit(0)
  }
  _ = target
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  do {
    _ = try target.run(unsafe RawSpan(_unsafeStart: data, byteCount: count))
  } catch {
    fatalError("\(target.name) broke a law: \(error)")
  }
  return 0
}
