// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ITicketLedger} from "../interfaces/ITicketLedger.sol";
import {DeliveryTarget, Payment} from "../types/Lines.sol";

/// @title LineLog: the lines of a bulk call, hashed and logged from where they lie
/// @notice A bulk call copies its lines once into memory, hashes them there for the attestation, moves the applied ones to the front and
/// logs those. The compiler's own coding of lists of structs would cost some 600 gas more for each line.
/// @dev The memory of `uint256[] words`, made by `reserve`. Its first two words are kept for the ABI head of a list:
///
///      length, at last 0x20 | words[0], at last the count | line 0 | line 1 | ...
library LineLog {
    /// @dev Words of a line: target and payment.
    uint256 internal constant PAIR = 2;

    /// @notice Room for this many words of lines.
    function reserve(uint256 count) internal pure returns (uint256[] memory words) {
        return new uint256[](count + 1);
    }

    /// @notice The lines, which lie in calldata just as they are needed.
    function copy(ITicketLedger.Delivery[] calldata lines) internal pure returns (uint256[] memory words) {
        words = reserve(lines.length * PAIR);
        assembly ("memory-safe") {
            calldatacopy(add(words, 0x40), lines.offset, mul(lines.length, 0x40))
        }
    }

    /// @notice keccak256(target0 ++ payment0 ++ target1 ++ payment1 ...), which the attestor signs.
    function hash(uint256[] memory words) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(add(words, 0x40), mul(sub(mload(words), 1), 0x20))
        }
    }

    /// @notice Line `i`, which must be one of those reserved.
    function lineAt(uint256[] memory words, uint256 i) internal pure returns (DeliveryTarget target, Payment payment) {
        assembly ("memory-safe") {
            let place := add(add(words, 0x40), mul(i, 0x40))
            target := mload(place)
            payment := mload(add(place, 0x20))
        }
    }

    /// @notice Writes line `i`, which must be one of those reserved.
    function put(uint256[] memory words, uint256 i, DeliveryTarget target, Payment payment) internal pure {
        assembly ("memory-safe") {
            let place := add(add(words, 0x40), mul(i, 0x40))
            mstore(place, target)
            mstore(add(place, 0x20), payment)
        }
    }

    /// @notice Logs the first `count` lines, if any, as an event `(uint40 indexed eventId, Delivery[] lines)`. `words` is used up.
    function log(uint256[] memory words, uint256 count, bytes32 selector, uint40 eventId) internal {
        if (count == 0) return;
        assembly ("memory-safe") {
            mstore(words, 0x20)
            mstore(add(words, 0x20), count)
            log2(words, add(0x40, mul(count, 0x40)), selector, eventId)
        }
    }
}
