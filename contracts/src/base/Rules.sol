// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";

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
        return _capOf(id, _policies[TicketId.eventOf(id)]);
    }

    /// @inheritdoc ITicketLedger
    function checkOffer(uint64 id, uint16 epoch, uint40 price) external view returns (bytes memory problem) {
        return _resaleProblem(id, _tickets[id], _policies[TicketId.eventOf(id)], epoch, price);
    }

    /// @inheritdoc ITicketLedger
    function checkGift(uint64 id, uint16 epoch, address to) external view returns (bytes memory problem) {
        return _giftProblem(id, _tickets[id], epoch, to, false);
    }

    // ------------------------------------------------------------------------------------------------ rules

    /// @dev A ticket of this event is in stock at the expected epoch, and its buyer is fit for it.
    function _deliveryProblem(uint40 eventId, bool tokenRail, TicketWord word, DeliveryTarget target, Payment payment)
        internal
        view
        returns (bytes memory problem)
    {
        uint64 id = target.id();
        if (TicketId.eventOf(id) != eventId) return _otherEventProblem(id, eventId);
        if (!_isIssued(id)) return abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id);
        if (word.isVoid()) return abi.encodeWithSelector(Ledger_Voided.selector, id);
        if (word.holder() != address(0)) return abi.encodeWithSelector(Ledger_NotInStock.selector, id);
        problem = _epochProblem(id, word, target.epoch());
        if (problem.length > 0) return problem;
        // What is sold on the token rail must be paid in tokens; nobody can attest that.
        if (tokenRail && payment.price() > 0) return abi.encodeWithSelector(Ledger_WrongRail.selector, eventId);
        return _recipientProblem(target.holder(), target.isCustodied());
    }

    /// @dev The ticket may be given to this account now.
    function _giftProblem(uint64 id, TicketWord word, uint16 epoch, address to, bool custodied)
        internal
        view
        returns (bytes memory problem)
    {
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        problem = _restedMoveProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (block.timestamp > policy.giftsCloseAt()) {
            return abi.encodeWithSelector(Ledger_GiftsClosed.selector, id, policy.giftsCloseAt());
        }
        uint8 limit = policy.giftLimit();
        if (limit != UNLIMITED_GIFTS && word.gifts() >= limit) {
            return abi.encodeWithSelector(Ledger_GiftLimit.selector, id, limit);
        }
        return _recipientProblem(to, custodied);
    }

    /// @dev The ticket may be resold at this price now.
    function _resaleProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch, uint40 price)
        internal
        view
        returns (bytes memory problem)
    {
        problem = _restedMoveProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (block.timestamp < policy.resaleOpensAt() || block.timestamp > policy.resaleClosesAt()) {
            return
                abi.encodeWithSelector(
                    Ledger_ResaleClosed.selector, id, policy.resaleOpensAt(), policy.resaleClosesAt()
                );
        }
        uint40 cap = _capOf(id, policy);
        if (price > cap) return abi.encodeWithSelector(Ledger_OverCap.selector, id, price, cap);
    }

    /// @dev The ticket may move now, and its last move is long enough ago.
    function _restedMoveProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        problem = _moveProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        uint40 until = uint40(word.since()) + policy.cooldown();
        if (block.timestamp < until) return abi.encodeWithSelector(Ledger_Cooldown.selector, id, until);
    }

    /// @dev The ticket is held at this epoch, nothing stops it, and moves are open.
    function _moveProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        problem = _heldProblem(id, word);
        if (problem.length > 0) return problem;
        if (word.isStopped()) return abi.encodeWithSelector(Ledger_Stopped.selector, id, word.flags());
        problem = _epochProblem(id, word, epoch);
        if (problem.length > 0) return problem;
        if (block.timestamp >= policy.movesCloseAt()) {
            return abi.encodeWithSelector(Ledger_MovesClosed.selector, id, policy.movesCloseAt());
        }
    }

    /// @dev The ticket is held and was not used.
    function _heldProblem(uint64 id, TicketWord word) internal view returns (bytes memory problem) {
        if (word.isRedeemed()) return abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id);
        if (word.holder() != address(0)) return problem;
        if (word.isVoid()) return abi.encodeWithSelector(Ledger_Voided.selector, id);
        bytes4 reason = _isIssued(id) ? Ledger_NotHeld.selector : Ledger_NoSuchTicket.selector;
        return abi.encodeWithSelector(reason, id);
    }

    /// @dev The ticket is at this epoch and has one left.
    function _epochProblem(uint64 id, TicketWord word, uint16 epoch) internal pure returns (bytes memory problem) {
        problem = _staleProblem(id, word, epoch);
        if (problem.length == 0 && epoch == type(uint16).max) {
            return abi.encodeWithSelector(Ledger_LastEpoch.selector, id);
        }
    }

    /// @dev The ticket is at this epoch.
    function _staleProblem(uint64 id, TicketWord word, uint16 epoch) internal pure returns (bytes memory problem) {
        if (epoch != word.epoch()) return abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, epoch, word.epoch());
    }

    function _otherEventProblem(uint64 id, uint40 eventId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_OtherEvent.selector, id, eventId);
    }

    // ------------------------------------------------------------------------------------------------ what to do with a problem

    /// @dev Single calls: reverts with the problem, if there is one.
    function _check(bytes memory problem) internal pure {
        if (problem.length > 0) LowLevelCall.bubbleRevert(problem);
    }

    /// @dev Highest resale price, rounded down: price <= cap is exactly price * 10,000 <= face * capBps.
    function _capOf(uint64 id, PolicyWord policy) private view returns (uint40) {
        uint256 cap = uint256(_faceOf(id)) * policy.capBps() / BPS;
        return cap > type(uint40).max ? type(uint40).max : uint40(cap);
    }
}
