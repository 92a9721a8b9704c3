// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice How many tickets an event may issue, class by class, and how many it has issued.
///
///      255      200 199     152 151     104 103      56 55       8 7         0
///     +------------+-----------+-----------+-----------+-----------+-----------+
///     |  (free) 56 |  class 3  |  class 2  |  class 1  |  class 0  | batches 8 |
///     +------------+-----------+-----------+-----------+-----------+-----------+
///                  |<- issued 24 | committed 24 ->| each
///
/// - batches: bits 0-7, batches issued so far, which is the next batch's number
/// - committed to class c: 24 bits from 8 + 48 * c, promised before the first sale and never changed
/// - issued of class c: 24 bits from 32 + 48 * c, never more than committed
///
/// Classes: 0 public, 1 held, 2 sponsor, 3 complimentary. Public tickets / all tickets is so provable from the chain alone.
type SupplyWord is uint256;

using SupplyWords for SupplyWord global;

/// @title SupplyWords: reading and changing supply words
library SupplyWords {
    uint8 internal constant CLASSES = 4;

    uint256 private constant COMMITTED_SHIFT = 8;
    uint256 private constant ISSUED_SHIFT = 32;
    uint256 private constant CLASS_SIZE = 48;

    /// @notice No batch yet, and these promises.
    function pack(uint24[4] memory supplies) internal pure returns (SupplyWord) {
        uint256 word = 0;
        for (uint256 class = 0; class < CLASSES; ++class) {
            word |= uint256(supplies[class]) << (COMMITTED_SHIFT + CLASS_SIZE * class);
        }
        return SupplyWord.wrap(word);
    }

    /// @notice Whether nothing at all is promised.
    function isEmpty(uint24[4] memory supplies) internal pure returns (bool) {
        return supplies[0] | supplies[1] | supplies[2] | supplies[3] == 0;
    }

    /// @notice The same with one batch more. The caller has checked that there are fewer than 255, and that the class has room.
    function withBatch(SupplyWord word, uint8 class, uint16 supply) internal pure returns (SupplyWord) {
        uint256 more = uint256(supply) << (ISSUED_SHIFT + CLASS_SIZE * class);
        return SupplyWord.wrap(SupplyWord.unwrap(word) + more + 1);
    }

    /// @notice Batches issued so far.
    function batches(SupplyWord word) internal pure returns (uint8) {
        return uint8(SupplyWord.unwrap(word));
    }

    /// @notice Most tickets of a class there will ever be.
    function committed(SupplyWord word, uint8 class) internal pure returns (uint24) {
        return uint24(SupplyWord.unwrap(word) >> (COMMITTED_SHIFT + CLASS_SIZE * class));
    }

    /// @notice Tickets of a class issued so far.
    function issued(SupplyWord word, uint8 class) internal pure returns (uint24) {
        return uint24(SupplyWord.unwrap(word) >> (ISSUED_SHIFT + CLASS_SIZE * class));
    }
}
