// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {DeliveryTarget, Payment} from "../types/Lines.sol";
import {PolicyWord, PolicyWords} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {Tickets} from "./Tickets.sol";

/// @title Rules: whether a ticket may move now
/// @notice Each rule answers with a *problem*: the encoded error of the first thing in the way, or empty. Single calls revert with it, bulk
/// calls skip the line with it, and the views `checkOffer` and `checkGift` show it: the same rules for all three.
/// @dev A rule never writes. An empty problem costs no memory.
abstract contract Rules is Tickets {
    uint8 private constant UNLIMITED_GIFTS = 7;

    // ------------------------------------------------------------------------------------------------ selling from stock

    /// @dev A ticket of this event is in stock, or in the pool at no less, at the expected epoch, and its buyer is fit for it.
    function _deliveryProblem(Bulk memory bulk, TicketWord word, DeliveryTarget target, Payment payment)
        internal
        view
        returns (bytes memory problem)
    {
        uint64 id = target.id();
        if (TicketId.eventOf(id) != bulk.eventId) return _otherEventProblem(id, bulk.eventId);
        if (TicketId.indexOf(id) >= _batchOf(bulk, id).supply()) return _noSuchProblem(id);
        if (!payment.isPlain()) return abi.encodeWithSelector(Ledger_BadLine.selector, id);
        if (!word.isInStockAt(target.epoch())) {
            problem = _poolProblem(bulk, word, target, payment.price());
            if (problem.length > 0) return problem;
        }
        if (payment.price() > 0 && bulk.policy.isTokenRail()) {
            // What is sold on the token rail must be paid in tokens; nobody can attest that.
            problem = abi.encodeWithSelector(Ledger_WrongRail.selector, bulk.eventId);
        } else if (!bulk.policy.isLive()) {
            problem = _notOnSaleProblem(bulk.eventId, bulk.policy);
        } else if (!_isFit(target.holder(), target.isCustodied())) {
            problem = _refusedProblem(target.holder());
        } else if (_isFull(bulk.eventId, bulk.policy, address(0), target.holder())) {
            problem = _holderLimitProblem(target.holder(), bulk.policy);
        }
    }

    /// @dev The ticket is in stock, at this epoch.
    function _stockProblem(uint64 id, TicketWord word, uint16 epoch) internal view returns (bytes memory problem) {
        if (!_isIssued(id)) problem = _noSuchProblem(id);
        else if (!word.isInStockAt(epoch)) problem = _whyNotInStock(id, word, epoch);
    }

    /// @dev The ticket is in the pool, at this epoch, and the price lies between what its seller gets and the cap.
    function _poolProblem(Bulk memory bulk, TicketWord word, DeliveryTarget target, uint40 price)
        private
        view
        returns (bytes memory problem)
    {
        uint64 id = target.id();
        uint40 cap = _capOf(bulk.policy, _batchOf(bulk, id).face());
        if (!word.isPooled() || !word.unpooled().isInStockAt(target.epoch())) {
            problem = _whyNotInStock(id, word, target.epoch());
        } else if (price < word.price()) {
            problem = abi.encodeWithSelector(Ledger_WrongPrice.selector, id, price, word.price());
        } else if (price > cap) {
            problem = abi.encodeWithSelector(Ledger_OverCap.selector, id, price, cap);
        }
    }

    // ------------------------------------------------------------------------------------------------ gifts

    /// @dev The ticket may be given to this account now.
    /// @param listed whether the account is proven to be on the event's list
    function _giftProblem(uint64 id, TicketWord word, uint16 epoch, address to, bool custodied, bool listed)
        internal
        view
        returns (bytes memory problem)
    {
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        problem = _givingProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (to == word.holder() || !_isFit(to, custodied)) {
            problem = _refusedProblem(to);
        } else if (!listed && policy.has(PolicyWords.GIFT_LIST)) {
            problem = abi.encodeWithSelector(Ledger_NotListed.selector, to);
        } else if (_isFull(TicketId.eventOf(id), policy, word.holder(), to)) {
            problem = _holderLimitProblem(to, policy);
        }
    }

    /// @dev The ticket may be given away now.
    function _givingProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        uint8 limit = policy.giftLimit();
        problem = _restedMoveProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (block.timestamp > policy.giftsCloseAt()) {
            problem = abi.encodeWithSelector(Ledger_GiftsClosed.selector, id, policy.giftsCloseAt());
        } else if (limit != UNLIMITED_GIFTS && word.gifts() >= limit) {
            problem = abi.encodeWithSelector(Ledger_GiftLimit.selector, id, limit);
        }
    }

    // ------------------------------------------------------------------------------------------------ resales

    /// @dev The ticket, of this face price, may be resold at this price now.
    function _resaleProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch, uint40 price, uint40 face)
        internal
        view
        returns (bytes memory problem)
    {
        uint40 cap = _resaleCapOf(policy, word, face);
        problem = _restedMoveProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (block.timestamp < policy.resaleOpensAt() || block.timestamp > policy.resaleClosesAt()) {
            problem = _resaleClosedProblem(id, policy);
        } else if (price > cap) {
            problem = abi.encodeWithSelector(Ledger_OverCap.selector, id, price, cap);
        } else if (!policy.isLive()) {
            problem = _notOnSaleProblem(TicketId.eventOf(id), policy);
        }
    }

    /// @dev The buyer is another account than the seller, fit for a ticket, and may hold one more.
    function _buyerProblem(uint64 id, TicketWord word, PolicyWord policy, address buyer, bool custodied)
        internal
        view
        returns (bytes memory problem)
    {
        if (buyer == word.holder() || !_isFit(buyer, custodied)) {
            problem = _refusedProblem(buyer);
        } else if (_isFull(TicketId.eventOf(id), policy, word.holder(), buyer)) {
            problem = _holderLimitProblem(buyer, policy);
        }
    }

    /// @dev Highest resale price, rounded down: price <= cap is exactly price * 10,000 <= face * capBps.
    function _capOf(PolicyWord policy, uint40 face) internal pure returns (uint40) {
        unchecked {
            // Below 2 ** 56.
            return uint40(Math.min(uint256(face) * policy.capBps() / BPS, type(uint40).max));
        }
    }

    /// @dev The same, or what the seller paid if the terms say so and that is less.
    function _resaleCapOf(PolicyWord policy, TicketWord word, uint40 face) internal pure returns (uint40 cap) {
        cap = _capOf(policy, face);
        if (policy.has(PolicyWords.CAP_AT_PAID) && word.price() < cap) cap = word.price();
    }

    // ------------------------------------------------------------------------------------------------ all moves

    /// @dev The ticket may move now, and its last move is long enough ago.
    function _restedMoveProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        uint256 until;
        unchecked {
            until = uint256(word.since()) + policy.cooldown();
        }
        problem = _moveProblem(id, word, policy, epoch);
        if (problem.length == 0 && block.timestamp < until) {
            problem = abi.encodeWithSelector(Ledger_Cooldown.selector, id, until);
        }
    }

    /// @dev The ticket is held at this epoch, nothing stops it, moves are open, and the event was not cancelled.
    function _moveProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        if (!word.isFreeAt(epoch)) {
            problem = _whyNotFree(id, word, epoch);
        } else if (policy.isCancelled()) {
            problem = abi.encodeWithSelector(Ledger_Cancelled.selector, TicketId.eventOf(id));
        } else if (block.timestamp >= policy.movesCloseAt()) {
            problem = abi.encodeWithSelector(Ledger_MovesClosed.selector, id, policy.movesCloseAt());
        }
    }

    /// @dev The ticket is held at this epoch and was not used.
    function _heldProblem(uint64 id, TicketWord word, uint16 epoch) internal view returns (bytes memory problem) {
        if (!word.isUnusedAt(epoch)) problem = _whyNotHeld(id, word, epoch);
    }

    /// @dev Whether the new holder has as many tickets as the event allows already.
    function _isFull(uint40 eventId, PolicyWord policy, address from, address to) internal view returns (bool) {
        uint8 limit = policy.holderLimit();
        return limit > 0 && from != to && _holdings[eventId][to] >= limit;
    }

    // ------------------------------------------------------------------------------------------------ what to do with a problem

    /// @dev Single calls: reverts with the problem, if there is one.
    function _check(bytes memory problem) internal pure {
        if (problem.length > 0) LowLevelCall.bubbleRevert(problem);
    }

    /// @dev Bulk calls: logs the problem of line `i`, and puts it into the answer, which is made with the first one.
    function _skip(bytes[] memory problems, uint256 count, uint256 i, uint64 id, bytes16 ref, bytes memory problem)
        internal
        returns (bytes[] memory)
    {
        if (problems.length == 0) problems = new bytes[](count);
        problems[i] = problem;
        emit Skipped(id, ref, problem);
        return problems;
    }

    // ------------------------------------------------------------------------------------------------ problems

    function _otherEventProblem(uint64 id, uint40 eventId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_OtherEvent.selector, id, eventId);
    }

    function _refusedProblem(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_RefusedAccount.selector, account);
    }

    function _holderLimitProblem(address account, PolicyWord policy) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_HolderLimit.selector, account, policy.holderLimit());
    }

    function _noSuchProblem(uint64 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id);
    }

    function _notOnSaleProblem(uint40 eventId, PolicyWord policy) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_NotOnSale.selector, eventId, policy.status());
    }

    function _resaleClosedProblem(uint64 id, PolicyWord policy) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_ResaleClosed.selector, id, policy.resaleOpensAt(), policy.resaleClosesAt());
    }

    // ------------------------------------------------------------------------------------------------ why not: never empty

    function _whyNotInStock(uint64 id, TicketWord word, uint16 epoch) private pure returns (bytes memory) {
        if (word.isVoid()) return abi.encodeWithSelector(Ledger_Voided.selector, id);
        if (word.holder() != address(0)) return abi.encodeWithSelector(Ledger_NotInStock.selector, id);
        return _whyNotAtEpoch(id, word, epoch);
    }

    function _whyNotFree(uint64 id, TicketWord word, uint16 epoch) private view returns (bytes memory) {
        if (!word.isUnusedAt(epoch)) return _whyNotHeld(id, word, epoch);
        if (word.isStopped()) return abi.encodeWithSelector(Ledger_Stopped.selector, id, word.flags());
        return _whyNotAtEpoch(id, word, epoch);
    }

    function _whyNotHeld(uint64 id, TicketWord word, uint16 epoch) private view returns (bytes memory) {
        if (word.isRedeemed()) return abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id);
        if (word.isVoid()) return abi.encodeWithSelector(Ledger_Voided.selector, id);
        if (word.holder() != address(0)) return _whyNotAtEpoch(id, word, epoch);
        if (_isIssued(id)) return abi.encodeWithSelector(Ledger_NotHeld.selector, id);
        return abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id);
    }

    function _whyNotAtEpoch(uint64 id, TicketWord word, uint16 epoch) internal pure returns (bytes memory) {
        if (epoch != word.epoch()) return abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, epoch, word.epoch());
        return abi.encodeWithSelector(Ledger_LastEpoch.selector, id);
    }
}
