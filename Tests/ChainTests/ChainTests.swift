import Testing
@testable import Chain
