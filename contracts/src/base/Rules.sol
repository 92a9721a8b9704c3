// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ITicketLedger} from "../interfaces/ITicketLedger.sol";
import {DeliveryTarget, Payment} from "../types/Lines.sol";
import {PolicyWord} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {Tickets} from "./Tickets.sol";

/// @title Rules: whether a ticket may move now
/// @notice Each rule answers with a *problem*: the encoded error of the first thing in the way, or empty. Single calls revert with it, bulk
/// calls skip the line with it, and the views `checkOffer` and `checkGift` show it: the same rules for all three.
/// @dev A rule never writes. An empty problem costs no memory.
abstract contract Rules is Tickets {
    uint8 private constant UNLIMITED_GIFTS = 7;

    // ------------------------------------------------------------------------------------------------ views

    /// @inheritdoc ITicketLedger
    function capOf(uint64 id) external view returns (uint40) {
        if (!_isIssued(id)) revert Ledger_NoSuchTicket(id);
        return _capOf(_policies[TicketId.eventOf(id)], _faceOf(id));
    }

    /// @inheritdoc ITicketLedger
    function checkOffer(uint64 id, uint16 epoch, uint40 price) external view returns (bytes memory problem) {
        return _resaleProblem(id, _tickets[id].word, _policies[TicketId.eventOf(id)], epoch, price, _faceOf(id));
    }

    /// @inheritdoc ITicketLedger
    function checkGift(uint64 id, uint16 epoch, address to) external view returns (bytes memory problem) {
        return _giftProblem(id, _tickets[id].word, epoch, to, false);
    }

    // ------------------------------------------------------------------------------------------------ rules

    /// @dev A ticket of this event is in stock at the expected epoch, and its buyer is fit for it.
    function _deliveryProblem(Bulk memory bulk, TicketWord word, DeliveryTarget target, Payment payment)
        internal
        view
        returns (bytes memory problem)
    {
        uint64 id = target.id();
        if (TicketId.eventOf(id) != bulk.eventId) {
            problem = _otherEventProblem(id, bulk.eventId);
        } else if (TicketId.indexOf(id) >= _batchOf(bulk, id).supply()) {
            problem = abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id);
        } else if (!word.isInStockAt(target.epoch())) {
            problem = _whyNotInStock(id, word, target.epoch());
        } else if (payment.price() > 0 && bulk.policy.isTokenRail()) {
            // What is sold on the token rail must be paid in tokens; nobody can attest that.
            problem = abi.encodeWithSelector(Ledger_WrongRail.selector, bulk.eventId);
        } else if (!_isFit(target.holder(), target.isCustodied())) {
            problem = _refusedProblem(target.holder());
        }
    }

    /// @dev The ticket may be given to this account now.
    function _giftProblem(uint64 id, TicketWord word, uint16 epoch, address to, bool custodied)
        internal
        view
        returns (bytes memory problem)
    {
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        uint8 limit = policy.giftLimit();
        problem = _restedMoveProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (block.timestamp > policy.giftsCloseAt()) {
            problem = abi.encodeWithSelector(Ledger_GiftsClosed.selector, id, policy.giftsCloseAt());
        } else if (limit != UNLIMITED_GIFTS && word.gifts() >= limit) {
            problem = abi.encodeWithSelector(Ledger_GiftLimit.selector, id, limit);
        } else if (!_isFit(to, custodied)) {
            problem = _refusedProblem(to);
        }
    }

    /// @dev The ticket, of this face price, may be resold at this price now.
    function _resaleProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch, uint40 price, uint40 face)
        internal
        view
        returns (bytes memory problem)
    {
        uint40 cap = _capOf(policy, face);
        problem = _restedMoveProblem(id, word, policy, epoch);
        if (problem.length > 0) {
            // the ticket can't move at all
        } else if (block.timestamp < policy.resaleOpensAt() || block.timestamp > policy.resaleClosesAt()) {
            problem = _resaleClosedProblem(id, policy);
        } else if (price > cap) {
            problem = abi.encodeWithSelector(Ledger_OverCap.selector, id, price, cap);
        }
    }

    /// @dev The buyer is another account than the seller, and fit for a ticket.
    function _buyerProblem(TicketWord word, address buyer, bool custodied)
        internal
        view
        returns (bytes memory problem)
    {
        if (buyer == word.holder() || !_isFit(buyer, custodied)) {
            problem = _refusedProblem(buyer);
        }
    }

    /// @dev The ticket may move now, and its last move is long enough ago.
    function _restedMoveProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        uint256 until = uint256(word.since()) + policy.cooldown();
        problem = _moveProblem(id, word, policy, epoch);
        if (problem.length == 0 && block.timestamp < until) {
            problem = abi.encodeWithSelector(Ledger_Cooldown.selector, id, until);
        }
    }

    /// @dev The ticket is held at this epoch, nothing stops it, and moves are open.
    function _moveProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        if (!word.isFreeAt(epoch)) {
            problem = _whyNotFree(id, word, epoch);
        } else if (block.timestamp >= policy.movesCloseAt()) {
            problem = abi.encodeWithSelector(Ledger_MovesClosed.selector, id, policy.movesCloseAt());
        }
    }

    /// @dev The ticket is held at this epoch and was not used.
    function _heldProblem(uint64 id, TicketWord word, uint16 epoch) internal view returns (bytes memory problem) {
        if (!word.isUnusedAt(epoch)) problem = _whyNotHeld(id, word, epoch);
    }

    function _otherEventProblem(uint64 id, uint40 eventId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_OtherEvent.selector, id, eventId);
    }

    function _resaleClosedProblem(uint64 id, PolicyWord policy) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_ResaleClosed.selector, id, policy.resaleOpensAt(), policy.resaleClosesAt());
    }

    function _refusedProblem(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_RefusedAccount.selector, account);
    }

    // ------------------------------------------------------------------------------------------------ what to do with a problem

    /// @dev Single calls: reverts with the problem, if there is one.
    function _check(bytes memory problem) internal pure {
        if (problem.length > 0) LowLevelCall.bubbleRevert(problem);
    }

    /// @dev Highest resale price, rounded down: price <= cap is exactly price * 10,000 <= face * capBps.
    function _capOf(PolicyWord policy, uint40 face) private pure returns (uint40) {
        return uint40(Math.min(uint256(face) * policy.capBps() / BPS, type(uint40).max));
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

    function _whyNotAtEpoch(uint64 id, TicketWord word, uint16 epoch) private pure returns (bytes memory) {
        if (epoch != word.epoch()) return abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, epoch, word.epoch());
        return abi.encodeWithSelector(Ledger_LastEpoch.selector, id);
    }
}
