// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";

import {DeliveryTarget, Payment} from "../types/Lines.sol";
import {PolicyWord, PolicyWords} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {Rules} from "./Rules.sol";

/// @title Reasons: why a rule says no
/// @notice A *problem* is the encoded error of the first thing in the way, or empty if nothing is. Single calls revert with it, bulk calls skip
/// the line with it, and the views `checkOffer` and `checkGift` show it.
/// @dev `_...Problem` asks the rule first, so it is empty exactly if the rule says yes. `_whyNot...` is asked after a rule said no, and is never empty.
abstract contract Reasons is Rules {
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

    /// @dev The ticket is held at this epoch and was not used.
    function _heldProblem(uint64 id, TicketWord word, uint16 epoch) internal view returns (bytes memory problem) {
        if (!word.isUnusedAt(epoch)) problem = _whyNotHeld(id, word, epoch);
    }

    /// @dev The ticket is in stock, at this epoch.
    function _stockProblem(uint64 id, TicketWord word, uint16 epoch) internal view returns (bytes memory problem) {
        if (!_isIssued(id)) problem = _noSuchProblem(id);
        else if (word.isPooled()) problem = abi.encodeWithSelector(Ledger_NotInStock.selector, id);
        else if (!word.isInStockAt(epoch)) problem = _whyNotInStock(id, word, epoch);
    }

    /// @dev The ticket may move now.
    function _moveProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        if (_mayMove(word, policy, epoch)) return problem;
        if (!word.isFreeAt(epoch)) return _whyNotFree(id, word, epoch);
        if (policy.isCancelled()) return abi.encodeWithSelector(Ledger_Cancelled.selector, TicketId.eventOf(id));
        return abi.encodeWithSelector(Ledger_MovesClosed.selector, id, policy.movesCloseAt());
    }

    /// @dev The ticket may be given away now.
    function _givingProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        internal
        view
        returns (bytes memory problem)
    {
        if (_mayGive(word, policy, epoch)) return problem;
        problem = _restProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (!_areGiftsOpen(policy)) {
            return abi.encodeWithSelector(Ledger_GiftsClosed.selector, id, policy.giftsCloseAt());
        }
        return abi.encodeWithSelector(Ledger_GiftLimit.selector, id, policy.giftLimit());
    }

    /// @dev The ticket may be given to this account now.
    /// @param listed whether the account is proven to be on the event's list
    function _giftProblem(
        uint64 id,
        TicketWord word,
        PolicyWord policy,
        uint16 epoch,
        address to,
        bool custodied,
        bool listed
    ) internal view returns (bytes memory problem) {
        problem = _givingProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        bool isListed = listed || !policy.has(PolicyWords.GIFT_LIST);
        if (isListed && _mayReceive(TicketId.eventOf(id), word, policy, to, custodied)) return problem;
        if (to == word.holder() || !_isFit(to, custodied)) return _refusedProblem(to);
        if (!isListed) return abi.encodeWithSelector(Ledger_NotListed.selector, to);
        return _holderLimitProblem(to, policy);
    }

    /// @dev The ticket, of this face price, may be resold at this price now.
    function _resaleProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch, uint40 price, uint40 face)
        internal
        view
        returns (bytes memory problem)
    {
        uint256 cap = policy.capOf(face);
        if (_areResalesOpen(policy) && _mayResell(word, policy, epoch, price, cap)) return problem;
        problem = _restProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        cap = _resaleCapOf(word, policy, cap);
        if (!_isResaleWindow(policy)) return _resaleClosedProblem(id, policy);
        if (price > cap) return _overCapProblem(id, price, cap);
        return _notOnSaleProblem(TicketId.eventOf(id), policy);
    }

    /// @dev The account is another one than the holder, fit for a ticket, and may hold one more.
    function _receiverProblem(uint64 id, TicketWord word, PolicyWord policy, address to, bool custodied)
        internal
        view
        returns (bytes memory problem)
    {
        if (_mayReceive(TicketId.eventOf(id), word, policy, to, custodied)) return problem;
        if (to == word.holder() || !_isFit(to, custodied)) return _refusedProblem(to);
        return _holderLimitProblem(to, policy);
    }

    // ------------------------------------------------------------------------------------------------ why not: lines of bulk calls

    /// @dev Why `_mayDeliver` says no.
    function _whyNotDelivered(Bulk memory bulk, TicketWord word, DeliveryTarget target, Payment payment)
        internal
        view
        returns (bytes memory)
    {
        uint64 id = target.id();
        (uint16 epoch, uint40 price) = (target.epoch(), payment.price());
        if (TicketId.eventOf(id) != bulk.eventId) return _otherEventProblem(id, bulk.eventId);
        if (!_isIssued(id)) return _noSuchProblem(id);
        if (!payment.isPlain()) return abi.encodeWithSelector(Ledger_BadLine.selector, id);
        if (word.isInStockAt(epoch)) {
            uint40 face = bulk.batch.face();
            if (price > face) return _wrongPriceProblem(id, price, face);
        } else if (!_mayLeavePool(word, epoch, price)) {
            return _whyNotFromPool(id, word, epoch, price);
        }
        if (price > 0 && bulk.policy.isTokenRail()) {
            return abi.encodeWithSelector(Ledger_WrongRail.selector, bulk.eventId);
        }
        if (!bulk.open) return _notOnSaleProblem(bulk.eventId, bulk.policy);
        return _receiverProblem(id, word, bulk.policy, target.holder(), target.isCustodied());
    }

    /// @dev Why a ticket that is not in stock may not leave the pool at this price either.
    function _whyNotFromPool(uint64 id, TicketWord word, uint16 epoch, uint40 price)
        private
        pure
        returns (bytes memory)
    {
        if (!word.isPooled() || !word.unpooled().isInStockAt(epoch)) {
            return _whyNotInStock(id, word, epoch);
        }
        return _wrongPriceProblem(id, price, word.price());
    }

    /// @dev Why `_maySettle` says no.
    function _whyNotSettled(Bulk memory bulk, TicketWord word, DeliveryTarget target, Payment payment)
        internal
        view
        returns (bytes memory problem)
    {
        uint64 id = target.id();
        if (TicketId.eventOf(id) != bulk.eventId) return _otherEventProblem(id, bulk.eventId);
        problem = _resaleProblem(id, word, bulk.policy, target.epoch(), payment.price(), _faceOf(id));
        if (problem.length > 0) return problem;
        return _receiverProblem(id, word, bulk.policy, target.holder(), target.isCustodied());
    }

    // ------------------------------------------------------------------------------------------------ why not: tickets

    /// @dev The ticket may move, and has rested; empty if so.
    function _restProblem(uint64 id, TicketWord word, PolicyWord policy, uint16 epoch)
        private
        view
        returns (bytes memory problem)
    {
        problem = _moveProblem(id, word, policy, epoch);
        if (problem.length > 0 || _isRested(word, policy)) return problem;
        return abi.encodeWithSelector(Ledger_Cooldown.selector, id, uint256(word.since()) + policy.cooldown());
    }

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
        return _noSuchProblem(id);
    }

    function _whyNotAtEpoch(uint64 id, TicketWord word, uint16 epoch) internal pure returns (bytes memory) {
        if (epoch != word.epoch()) return abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, epoch, word.epoch());
        return abi.encodeWithSelector(Ledger_LastEpoch.selector, id);
    }

    // ------------------------------------------------------------------------------------------------ encoded errors

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

    function _wrongPriceProblem(uint64 id, uint40 price, uint40 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_WrongPrice.selector, id, price, expected);
    }

    function _overCapProblem(uint64 id, uint40 price, uint256 cap) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_OverCap.selector, id, price, cap);
    }

    function _notOnSaleProblem(uint40 eventId, PolicyWord policy) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_NotOnSale.selector, eventId, policy.status());
    }

    function _resaleClosedProblem(uint64 id, PolicyWord policy) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Ledger_ResaleClosed.selector, id, policy.resaleOpensAt(), policy.resaleClosesAt());
    }
}
