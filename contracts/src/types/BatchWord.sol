// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice All that is stored of a batch, however many tickets it has. Zero: never issued.
///
///      255           112 111              72 71            40 39             32 31            16 15         0
///     +-----------------+-------------------+----------------+-----------------+----------------+------------+
///     |   (free) 144    |      face 40      |   section 32   | supply class 8  | price class 16 |  supply 16 |
///     +-----------------+-------------------+----------------+-----------------+----------------+------------+
///
/// - face: all-in face price of each ticket, minor units
/// - supply class: 0 public, 1 held, 2 sponsor, 3 complimentary
/// - section, price class: codes of the organizer, explained by the batch's manifest
/// - supply: number of tickets, 1 to 65,535
type BatchWord is uint256;

using BatchWords for BatchWord global;

/// @title BatchWords: reading and making batch words
library BatchWords {
    /// @notice Puts a word together.
    function pack(uint16 supply_, uint16 priceClass_, uint8 supplyClass_, uint32 section_, uint40 face_)
        internal
        pure
        returns (BatchWord)
    {
        return BatchWord.wrap(
            uint256(supply_) | (uint256(priceClass_) << 16) | (uint256(supplyClass_) << 32) | (uint256(section_) << 40)
                | (uint256(face_) << 72)
        );
    }

    /// @notice Number of tickets; 0: there is no such batch.
    function supply(BatchWord word) internal pure returns (uint16) {
        return uint16(BatchWord.unwrap(word));
    }

    /// @notice What the tickets cost, as a code of the organizer.
    function priceClass(BatchWord word) internal pure returns (uint16) {
        return uint16(BatchWord.unwrap(word) >> 16);
    }

    /// @notice Whom the tickets are for: 0 public, 1 held, 2 sponsor, 3 complimentary.
    function supplyClass(BatchWord word) internal pure returns (uint8) {
        return uint8(BatchWord.unwrap(word) >> 32);
    }

    /// @notice Section of the venue, as a code of the organizer.
    function section(BatchWord word) internal pure returns (uint32) {
        return uint32(BatchWord.unwrap(word) >> 40);
    }

    /// @notice All-in face price in minor units.
    function face(BatchWord word) internal pure returns (uint40) {
        return uint40(BatchWord.unwrap(word) >> 72);
    }
}
