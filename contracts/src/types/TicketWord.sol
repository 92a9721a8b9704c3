// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DeliveryTarget, Payment} from "./Lines.sol";

/// @notice All that is stored of a ticket, from its first delivery on. Zero: never sold.
///
///      255            216 215            184 183    168 167    160 159                  0
///     +------------------+------------------+----------+----------+----------------------+
///     |     price 40     |     since 32     | epoch 16 |  flags 8 |      holder 160      |
///     +------------------+------------------+----------+----------+----------------------+
///
/// flags: bit 0 CUSTODIED   the holder's key is kept by the service; ERC-721 owner is the ledger
///        bit 1 REDEEMED    used at the gate; never moves again
///        bit 2 VOID        dead for ever
///        bit 3 ACTIVATED   its holder closed its moves for good
///        bit 4 FROZEN      its payment is disputed; it can't move
///        bits 5-7          gifts since it was last bought, at most 7
///
/// - price: minor units paid at the last purchase
/// - since: time of the last move, Unix seconds
/// - epoch: moves and revocations so far
/// - holder: zero while the ticket is in stock or void
///
/// In stock nothing is left but the epoch; a ticket in the pool (returned by a seller, to be sold on) has since and price of its return.
type TicketWord is uint256;

using TicketWords for TicketWord global;

/// @title TicketWords: reading and changing ticket words
/// @dev Each state change of a ticket is one pure function here. The callers have checked the rules and that the epoch can grow.
library TicketWords {
    uint8 internal constant CUSTODIED = 1;
    uint8 internal constant REDEEMED = 2;
    uint8 internal constant VOID = 4;
    uint8 internal constant ACTIVATED = 8;
    uint8 internal constant FROZEN = 16;

    uint256 private constant FLAGS_SHIFT = 160;
    uint256 private constant EPOCH_SHIFT = 168;
    uint256 private constant EPOCH_MASK = uint256(type(uint16).max) << EPOCH_SHIFT;
    uint16 private constant LAST_EPOCH = type(uint16).max;
    uint8 private constant GIFTS_SHIFT = 5;
    uint8 private constant GIFTS_MAX = 7;

    // ------------------------------------------------------------------------------------------------ reading

    /// @notice Account the ticket belongs to; zero in stock or void.
    function holder(TicketWord word) internal pure returns (address) {
        return address(uint160(TicketWord.unwrap(word)));
    }

    /// @notice All flags and the gift counter.
    function flags(TicketWord word) internal pure returns (uint8) {
        return uint8(TicketWord.unwrap(word) >> FLAGS_SHIFT);
    }

    /// @notice Moves and revocations so far.
    function epoch(TicketWord word) internal pure returns (uint16) {
        return uint16(TicketWord.unwrap(word) >> EPOCH_SHIFT);
    }

    /// @notice Time of the last move.
    function since(TicketWord word) internal pure returns (uint32) {
        return uint32(TicketWord.unwrap(word) >> 184);
    }

    /// @notice Minor units paid at the last purchase.
    function price(TicketWord word) internal pure returns (uint40) {
        return uint40(TicketWord.unwrap(word) >> 216);
    }

    /// @notice Gifts since the last purchase; stays at 7 once there.
    function gifts(TicketWord word) internal pure returns (uint8) {
        return flags(word) >> GIFTS_SHIFT;
    }

    /// @notice Whether the holder's key is kept by the service.
    function isCustodied(TicketWord word) internal pure returns (bool) {
        return TicketWord.unwrap(word) & (uint256(CUSTODIED) << FLAGS_SHIFT) != 0;
    }

    /// @notice Whether the ticket was used.
    function isRedeemed(TicketWord word) internal pure returns (bool) {
        return flags(word) & REDEEMED != 0;
    }

    /// @notice Whether the ticket is dead.
    function isVoid(TicketWord word) internal pure returns (bool) {
        return flags(word) & VOID != 0;
    }

    /// @notice Whether the ticket is held, was not used, and is at this epoch.
    function isUnusedAt(TicketWord word, uint16 epoch_) internal pure returns (bool) {
        uint256 state = TicketWord.unwrap(word) & (EPOCH_MASK | (uint256(REDEEMED | VOID) << FLAGS_SHIFT));
        return state == uint256(epoch_) << EPOCH_SHIFT && holder(word) != address(0);
    }

    /// @notice Whether the ticket is held, nothing stops it, it is at this epoch, and has one left.
    function isFreeAt(TicketWord word, uint16 epoch_) internal pure returns (bool) {
        uint256 stops = uint256(REDEEMED | VOID | ACTIVATED | FROZEN) << FLAGS_SHIFT;
        uint256 state = TicketWord.unwrap(word) & (EPOCH_MASK | stops);
        return state == uint256(epoch_) << EPOCH_SHIFT && holder(word) != address(0) && epoch_ != LAST_EPOCH;
    }

    /// @notice Whether the ticket is in stock, at this epoch, and has one left.
    function isInStockAt(TicketWord word, uint16 epoch_) internal pure returns (bool) {
        return TicketWord.unwrap(word) == uint256(epoch_) << EPOCH_SHIFT && epoch_ != LAST_EPOCH;
    }

    /// @notice Whether the ticket can never change hands again.
    function isAtLastEpoch(TicketWord word) internal pure returns (bool) {
        return epoch(word) == LAST_EPOCH;
    }

    /// @notice Whether the ticket is in the pool: a seller returned it, to be paid when it is sold on.
    function isPooled(TicketWord word) internal pure returns (bool) {
        return holder(word) == address(0) && since(word) != 0;
    }

    /// @notice Whether the ticket is frozen.
    function isFrozen(TicketWord word) internal pure returns (bool) {
        return flags(word) & FROZEN != 0;
    }

    /// @notice Whether its holder or a dispute keeps the ticket from moving.
    function isStopped(TicketWord word) internal pure returns (bool) {
        return flags(word) & (ACTIVATED | FROZEN) != 0;
    }

    // ------------------------------------------------------------------------------------------------ changing

    /// @notice Puts a word together.
    function pack(address holder_, uint8 flags_, uint16 epoch_, uint32 since_, uint40 price_)
        internal
        pure
        returns (TicketWord)
    {
        return TicketWord.wrap(
            uint256(uint160(holder_)) | (uint256(flags_) << FLAGS_SHIFT) | (uint256(epoch_) << EPOCH_SHIFT)
                | (uint256(since_) << 184) | (uint256(price_) << 216)
        );
    }

    /// @notice Bought by `to`, from stock or from its holder: gift counter at zero, epoch + 1.
    function bought(TicketWord word, address to, bool custodied, uint32 now_, uint40 price_)
        internal
        pure
        returns (TicketWord)
    {
        return pack(to, custodied ? CUSTODIED : 0, epoch(word) + 1, now_, price_);
    }

    /// @notice Bought as a line of a bulk call says, whose epoch is the ticket's: the same.
    function boughtBy(DeliveryTarget target, Payment payment, uint32 now_) internal pure returns (TicketWord) {
        uint256 line = DeliveryTarget.unwrap(target);
        unchecked {
            // Every field is cut to its width, and the callers have checked that the epoch is not the last.
            return TicketWord.wrap(
                uint256(uint160(line)) | (((line >> 240) & 1) << FLAGS_SHIFT)
                    | ((((line >> 224) & 0xffff) + 1) << EPOCH_SHIFT) | (uint256(now_) << 184)
                    | ((Payment.unwrap(payment) >> 128) << 216)
            );
        }
    }

    /// @notice Given to `to`: one gift more, price kept, epoch + 1.
    function given(TicketWord word, address to, bool custodied, uint32 now_) internal pure returns (TicketWord) {
        uint8 count = gifts(word);
        if (count < GIFTS_MAX) ++count;
        return pack(to, (count << GIFTS_SHIFT) | (custodied ? CUSTODIED : 0), epoch(word) + 1, now_, price(word));
    }

    /// @notice Moved between two accounts of one person: nothing but holder, custody and epoch (+ 1) changes.
    function rehoused(TicketWord word, address to, bool custodied) internal pure returns (TicketWord) {
        uint8 kept = flags(word) & ~CUSTODIED;
        return pack(to, kept | (custodied ? CUSTODIED : 0), epoch(word) + 1, since(word), price(word));
    }

    /// @notice Reissued to another address of its holder: as `rehoused`, since now.
    function reissued(TicketWord word, address to, bool custodied, uint32 now_) internal pure returns (TicketWord) {
        uint8 kept = flags(word) & ~CUSTODIED;
        return pack(to, kept | (custodied ? CUSTODIED : 0), epoch(word) + 1, now_, price(word));
    }

    /// @notice This ticket, in stock, taken in exchange for another one of the same holder, whose gift counter it keeps.
    function exchanged(TicketWord word, TicketWord old, uint32 now_, uint40 price_) internal pure returns (TicketWord) {
        return pack(holder(old), flags(old), epoch(word) + 1, now_, price_);
    }

    /// @notice Back in stock by way of the pool: epoch + 1, and what the seller asks.
    function pooled(TicketWord word, uint32 now_, uint40 price_) internal pure returns (TicketWord) {
        return pack(address(0), 0, epoch(word) + 1, now_, price_);
    }

    /// @notice Back in stock: nothing is left but the epoch, + 1. At the last epoch it stays there and is never sold again.
    function returned(TicketWord word) internal pure returns (TicketWord) {
        return pack(address(0), 0, _nextOrLast(word), 0, 0);
    }

    /// @notice Out of the pool, in stock: nothing is left but the epoch, the same.
    function unpooled(TicketWord word) internal pure returns (TicketWord) {
        return pack(address(0), 0, epoch(word), 0, 0);
    }

    /// @notice Dead: nothing is left but VOID and the epoch, + 1. At the last epoch it stays there, so that nobody can make a ticket
    /// safe from voiding by using its epochs up.
    function voided(TicketWord word) internal pure returns (TicketWord) {
        return pack(address(0), VOID, _nextOrLast(word), 0, 0);
    }

    /// @notice Revoked: only the epoch changes, + 1.
    function revoked(TicketWord word) internal pure returns (TicketWord) {
        return pack(holder(word), flags(word), epoch(word) + 1, since(word), price(word));
    }

    /// @notice With one of the flags ACTIVATED and FROZEN on.
    function stopped(TicketWord word, uint8 flag) internal pure returns (TicketWord) {
        return TicketWord.wrap(TicketWord.unwrap(word) | (uint256(flag) << FLAGS_SHIFT));
    }

    /// @notice No longer frozen.
    function thawed(TicketWord word) internal pure returns (TicketWord) {
        return TicketWord.wrap(TicketWord.unwrap(word) & ~(uint256(FROZEN) << FLAGS_SHIFT));
    }

    /// @notice Refunded but kept, as a used ticket of a cancelled event is: only the price goes.
    function unpaid(TicketWord word) internal pure returns (TicketWord) {
        return TicketWord.wrap(TicketWord.unwrap(word) & type(uint216).max);
    }

    /// @notice Used at the gate: only the flag changes.
    function redeemed(TicketWord word) internal pure returns (TicketWord) {
        return TicketWord.wrap(TicketWord.unwrap(word) | (uint256(REDEEMED) << FLAGS_SHIFT));
    }

    function _nextOrLast(TicketWord word) private pure returns (uint16) {
        uint16 last = epoch(word);
        return last == LAST_EPOCH ? last : last + 1;
    }
}
