internal import CGLC
package import Encoding

/// Overwrites bytes that were secret for the length of a call, in a way that the optimiser cannot remove.
package func wipe<let count: Int>(_ bytes: inout FixedBytes<count>) {
  unsafe bytes.withMutableBytes { buffer in
    if let start = buffer.baseAddress { unsafe glc_wipe(start, buffer.count) }
  }
}

/// Overwrites the elements. The array must not share its storage: a shared one is copied first, and the other copy stays.
package func wipe<Element: BitwiseCopyable>(_ bytes: inout [Element]) {
  unsafe bytes.withUnsafeMutableBytes { buffer in
    if let start = buffer.baseAddress { unsafe glc_wipe(start, buffer.count) }
  }
}
