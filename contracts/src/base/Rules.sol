// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DeliveryTarget, Payment} from "../types/Lines.sol";
import {PolicyWord, PolicyWords} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {Tickets} from "./Tickets.sol";

/// @title Rules: whether a ticket may move now
/// @notice Every rule is decided here, once, for single calls, bulk calls and views alike. `Reasons` tells why a rule says no.
/// @dev A rule never writes, but for the batch it remembers in `Bulk`. What depends on the event only is asked once in a bulk call.
abstract contract Rules is Tickets {
    uint8 private constant UNLIMITED_GIFTS = 7;

    // ------------------------------------------------------------------------------------------------ of an event

    /// @dev Held tickets of the event may move.
    function _areMovesOpen(PolicyWord policy) internal view returns (bool) {
        return !policy.isCancelled() && block.timestamp < policy.movesCloseAt();
    }

    function _areGiftsOpen(PolicyWord policy) internal view returns (bool) {
        return _areMovesOpen(policy) && block.timestamp <= policy.giftsCloseAt();
    }

    function _areResalesOpen(PolicyWord policy) internal view returns (bool) {
        return policy.isLive() && block.timestamp < policy.movesCloseAt() && _isResaleWindow(policy);
    }

    function _isResaleWindow(PolicyWord policy) internal view returns (bool) {
        return block.timestamp >= policy.resaleOpensAt() && block.timestamp <= policy.resaleClosesAt();
    }

    // ------------------------------------------------------------------------------------------------ of a ticket

    /// @dev The ticket is held at this epoch, nothing stops it, and moves are open.
    function _mayMove(TicketWord word, PolicyWord policy, uint16 epoch) internal view returns (bool) {
        return word.isFreeAt(epoch) && _areMovesOpen(policy);
    }

    /// @dev The ticket may be given away, to whomever.
    function _mayGive(TicketWord word, PolicyWord policy, uint16 epoch) internal view returns (bool) {
        return word.isFreeAt(epoch) && _isRested(word, policy) && _areGiftsOpen(policy)
            && (policy.giftLimit() == UNLIMITED_GIFTS || word.gifts() < policy.giftLimit());
    }

    /// @dev The ticket may be resold at this price, while resales are open.
    /// @param cap of its event and face price
    function _mayResell(TicketWord word, PolicyWord policy, uint16 epoch, uint256 price, uint256 cap)
        internal
        view
        returns (bool)
    {
        if (!word.isFreeAt(epoch) || !_isRested(word, policy)) return false;
        return price <= _resaleCapOf(word, policy, cap);
    }

    /// @dev The last move is long enough ago.
    function _isRested(TicketWord word, PolicyWord policy) internal view returns (bool) {
        unchecked {
            return block.timestamp >= uint256(word.since()) + policy.cooldown();
        }
    }

    /// @dev The event's cap, or what the seller paid if the terms say so and that is less.
    function _resaleCapOf(TicketWord word, PolicyWord policy, uint256 cap) internal pure returns (uint256) {
        return policy.has(PolicyWords.CAP_AT_PAID) && word.price() < cap ? word.price() : cap;
    }

    // ------------------------------------------------------------------------------------------------ of an account

    /// @dev The account is another one than the holder, fit for a ticket, and may hold one more of the event.
    function _mayReceive(uint40 eventId, TicketWord word, PolicyWord policy, address to, bool custodied)
        internal
        view
        returns (bool)
    {
        if (to == word.holder() || !_isFit(to, custodied)) return false;
        return !_isFull(eventId, policy, to);
    }

    /// @dev The account has as many tickets as the event allows.
    function _isFull(uint40 eventId, PolicyWord policy, address account) internal view returns (bool) {
        uint8 limit = policy.holderLimit();
        if (limit == 0) return false;
        return _holdings[eventId][account] >= limit;
    }

    // ------------------------------------------------------------------------------------------------ of a bulk call's line

    /// @dev A ticket of this event is in stock, at no more than face, or in the pool at what its seller asks, at the expected epoch, and its
    /// buyer is fit for it.
    function _mayDeliver(Bulk memory bulk, TicketWord word, DeliveryTarget target, Payment payment)
        internal
        view
        returns (bool)
    {
        if (!_isOfBulk(bulk, target.id()) || !bulk.open || !payment.isPlain()) return false;
        if (word.isInStockAt(target.epoch())) {
            if (payment.price() > bulk.batch.face()) return false;
        } else if (!_mayLeavePool(word, target.epoch(), payment.price())) {
            return false;
        }
        // What is sold for tokens must be paid in tokens.
        if (payment.price() > 0 && bulk.policy.isTokenRail()) return false;
        return _mayReceive(bulk.eventId, word, bulk.policy, target.holder(), target.isCustodied());
    }

    /// @dev The ticket is in the pool, at this epoch, and sold for what its seller asks, which was within the cap: nobody else may add to it.
    function _mayLeavePool(TicketWord word, uint16 epoch, uint40 price) internal pure returns (bool) {
        return word.isPooled() && word.unpooled().isInStockAt(epoch) && price == word.price();
    }

    /// @dev A held ticket of this event may be resold at this price to this buyer.
    function _maySettle(Bulk memory bulk, TicketWord word, DeliveryTarget target, Payment payment)
        internal
        view
        returns (bool)
    {
        if (!_isOfBulk(bulk, target.id()) || !bulk.open) return false;
        if (!_mayResell(word, bulk.policy, target.epoch(), payment.price(), bulk.cap)) return false;
        return _mayReceive(bulk.eventId, word, bulk.policy, target.holder(), target.isCustodied());
    }

    /// @dev The ticket was issued for this bulk call's event. Its batch is read once for all lines in a row that have it.
    function _isOfBulk(Bulk memory bulk, uint64 id) private view returns (bool) {
        uint48 key = TicketId.batchKeyOf(id);
        if (key != bulk.batchKey) {
            if (TicketId.eventOf(id) != bulk.eventId) return false;
            bulk.batchKey = key;
            bulk.batch = _batches[key];
            bulk.cap = bulk.policy.capOf(bulk.batch.face());
        }
        return TicketId.indexOf(id) < bulk.batch.supply();
    }
}
