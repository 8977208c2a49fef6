import Testing
@testable import Peers
