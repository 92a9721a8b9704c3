// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Everything of an event that a move needs to know, in one word. Zero: there is no such event.
///
///      255      224 223       192 191        160 159      128 127    96
///     +------------+-------------+--------------+------------+----------+
///     | resale     | resale      | gifts        | moves      | doors    |
///     | closes 32  | opens 32    | close 32     | close 32   | at 32    |
///     +------------+-------------+--------------+------------+----------+
///      95         72 71     64 63        56 55      48 47        32 31     16 15       8 7       0
///     +-------------+---------+------------+----------+------------+---------+----------+---------+
///     | cooldown 24 | holder  | unit       | gift     | royalty    | cap     | switches | status  |
///     |             | limit 8 | exponent 8 | limit 8  | bps 16     | bps 16  |    8     |    8    |
///     +-------------+---------+------------+----------+------------+---------+----------+---------+
///
/// - status: 0 none, 1 live, 2 paused (no sales, no resales), 3 cancelled (for good)
/// - switches: bit 0 DELEGATED   relayers act for the organizer
///             bit 1 TOKEN_RAIL  sales and resales settle in an ERC-20
///             bit 2 REISSUE     a lost ticket may be reissued
///             bit 3 CAP_AT_PAID no resale over what the seller paid
///             bit 4 GIFT_LIST   gifts go to listed accounts only
///             bit 5 REENTRY     a ticket is good for more than one entry
///             bit 6 IDENTITY    holders may commit to an identity
/// - the rest: the event's terms and schedule, see `ITicketLedger`
type PolicyWord is uint256;

using PolicyWords for PolicyWord global;

/// @title PolicyWords: reading and changing policy words
library PolicyWords {
    uint8 internal constant LIVE = 1;
    uint8 internal constant PAUSED = 2;
    uint8 internal constant CANCELLED = 3;

    uint8 internal constant DELEGATED = 1;
    uint8 internal constant TOKEN_RAIL = 2;
    uint8 internal constant REISSUE = 4;
    uint8 internal constant CAP_AT_PAID = 8;
    uint8 internal constant GIFT_LIST = 16;
    uint8 internal constant REENTRY = 32;
    uint8 internal constant IDENTITY = 64;
    uint256 private constant SWITCHES_SHIFT = 8;
    uint256 private constant SCHEDULE_SHIFT = 96;

    /// @notice What never changes (but for the switch DELEGATED), for `packRules`.
    struct Rules {
        uint16 capBps;
        uint16 royaltyBps;
        uint8 giftLimit;
        uint8 unitExponent;
        uint24 cooldown;
        uint8 holderLimit;
        uint8 switches;
    }

    // ------------------------------------------------------------------------------------------------ making, changing

    /// @notice A live event with these rules and no schedule yet.
    function packRules(Rules memory rules) internal pure returns (PolicyWord) {
        return PolicyWord.wrap(
            uint256(LIVE) | (uint256(rules.switches) << SWITCHES_SHIFT) | (uint256(rules.capBps) << 16)
                | (uint256(rules.royaltyBps) << 32) | (uint256(rules.giftLimit) << 48)
                | (uint256(rules.unitExponent) << 56) | (uint256(rules.holderLimit) << 64)
                | (uint256(rules.cooldown) << 72)
        );
    }

    /// @notice The same event with another status.
    function withStatus(PolicyWord word, uint8 status_) internal pure returns (PolicyWord) {
        return PolicyWord.wrap((PolicyWord.unwrap(word) & ~uint256(type(uint8).max)) | status_);
    }

    /// @notice The same event with another schedule.
    function withSchedule(
        PolicyWord word,
        uint32 doorsAt_,
        uint32 movesCloseAt_,
        uint32 giftsCloseAt_,
        uint32 resaleOpensAt_,
        uint32 resaleClosesAt_
    ) internal pure returns (PolicyWord) {
        uint256 times = uint256(doorsAt_) | (uint256(movesCloseAt_) << 32) | (uint256(giftsCloseAt_) << 64)
            | (uint256(resaleOpensAt_) << 96) | (uint256(resaleClosesAt_) << 128);
        uint256 rest = PolicyWord.unwrap(word) & ((1 << SCHEDULE_SHIFT) - 1);
        return PolicyWord.wrap(rest | (times << SCHEDULE_SHIFT));
    }

    /// @notice The same event with relayers acting for the organizer, or not.
    function withDelegation(PolicyWord word, bool delegated) internal pure returns (PolicyWord) {
        uint256 bit = uint256(DELEGATED) << SWITCHES_SHIFT;
        uint256 rest = PolicyWord.unwrap(word) & ~bit;
        return PolicyWord.wrap(delegated ? rest | bit : rest);
    }

    // ------------------------------------------------------------------------------------------------ reading

    /// @notice Whether there is such an event.
    function exists(PolicyWord word) internal pure returns (bool) {
        return uint8(PolicyWord.unwrap(word)) != 0;
    }

    /// @notice Whether the event sells: neither paused nor cancelled.
    function isLive(PolicyWord word) internal pure returns (bool) {
        return status(word) == LIVE;
    }

    /// @notice Whether the event was cancelled.
    function isCancelled(PolicyWord word) internal pure returns (bool) {
        return status(word) == CANCELLED;
    }

    /// @notice None, live, paused or cancelled.
    function status(PolicyWord word) internal pure returns (uint8) {
        return uint8(PolicyWord.unwrap(word));
    }

    /// @notice Whether two words agree in all but the doors.
    function differsOnlyInDoors(PolicyWord word, PolicyWord other) internal pure returns (bool) {
        uint256 doors = uint256(type(uint32).max) << SCHEDULE_SHIFT;
        return (PolicyWord.unwrap(word) | doors) == (PolicyWord.unwrap(other) | doors);
    }

    /// @notice Whether one of these switches is on.
    function has(PolicyWord word, uint8 switches) internal pure returns (bool) {
        return uint8(PolicyWord.unwrap(word) >> SWITCHES_SHIFT) & switches != 0;
    }

    /// @notice Whether relayers act for the organizer.
    function isDelegated(PolicyWord word) internal pure returns (bool) {
        return has(word, DELEGATED);
    }

    /// @notice Whether sales and resales settle in an ERC-20.
    function isTokenRail(PolicyWord word) internal pure returns (bool) {
        return has(word, TOKEN_RAIL);
    }

    /// @notice Highest resale price, basis points of face.
    function capBps(PolicyWord word) internal pure returns (uint16) {
        return uint16(PolicyWord.unwrap(word) >> 16);
    }

    /// @notice Highest resale price of a ticket of this face price, rounded down: price <= cap is exactly price * 10,000 <= face * capBps.
    function capOf(PolicyWord word, uint40 face) internal pure returns (uint256 cap) {
        unchecked {
            // Below 2 ** 56.
            cap = uint256(face) * capBps(word) / 10_000;
        }
        if (cap > type(uint40).max) cap = type(uint40).max;
    }

    /// @notice Royalty, basis points.
    function royaltyBps(PolicyWord word) internal pure returns (uint16) {
        return uint16(PolicyWord.unwrap(word) >> 32);
    }

    /// @notice Gifts allowed since a ticket was last bought; 7: no limit.
    function giftLimit(PolicyWord word) internal pure returns (uint8) {
        return uint8(PolicyWord.unwrap(word) >> 48);
    }

    /// @notice Token units of a minor unit = 10 ** unitExponent.
    function unitExponent(PolicyWord word) internal pure returns (uint8) {
        return uint8(PolicyWord.unwrap(word) >> 56);
    }

    /// @notice Token units of a minor unit.
    function unit(PolicyWord word) internal pure returns (uint256) {
        unchecked {
            // Terms keep the exponent below 25.
            return 10 ** uint256(unitExponent(word));
        }
    }

    /// @notice Tickets of the event that one account may hold; 0: no limit.
    function holderLimit(PolicyWord word) internal pure returns (uint8) {
        return uint8(PolicyWord.unwrap(word) >> 64);
    }

    /// @notice Seconds between two moves of a ticket.
    function cooldown(PolicyWord word) internal pure returns (uint24) {
        return uint24(PolicyWord.unwrap(word) >> 72);
    }

    /// @notice Doors open.
    function doorsAt(PolicyWord word) internal pure returns (uint32) {
        return uint32(PolicyWord.unwrap(word) >> SCHEDULE_SHIFT);
    }

    /// @notice From this second on no held ticket moves.
    function movesCloseAt(PolicyWord word) internal pure returns (uint32) {
        return uint32(PolicyWord.unwrap(word) >> 128);
    }

    /// @notice Last second of gifts.
    function giftsCloseAt(PolicyWord word) internal pure returns (uint32) {
        return uint32(PolicyWord.unwrap(word) >> 160);
    }

    /// @notice First second of resales.
    function resaleOpensAt(PolicyWord word) internal pure returns (uint32) {
        return uint32(PolicyWord.unwrap(word) >> 192);
    }

    /// @notice Last second of resales.
    function resaleClosesAt(PolicyWord word) internal pure returns (uint32) {
        return uint32(PolicyWord.unwrap(word) >> 224);
    }
}
