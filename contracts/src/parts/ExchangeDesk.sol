// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {LedgerBase} from "../base/LedgerBase.sol";
import {ITicketDesk} from "../interfaces/ITicketDesk.sol";
import {PolicyWord} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";

/// @title ExchangeDesk: a ticket for another one, with another holder or with stock; and the pool
abstract contract ExchangeDesk is LedgerBase, ITicketDesk {
    bytes32 private constant SWAP_TYPEHASH =
        keccak256("Swap(uint64 id,uint16 epoch,uint64 otherId,uint16 otherEpoch,uint40 deadline)");
    bytes32 private constant EXCHANGE_TYPEHASH =
        keccak256("Exchange(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline)");
    bytes32 private constant EXCHANGE_PAID_TYPEHASH =
        keccak256("ExchangePaid(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference)");
    bytes32 private constant POOL_RETURN_TYPEHASH =
        keccak256("PoolReturn(uint64 id,uint16 epoch,uint40 price,uint40 deadline)");

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketDesk
    function poolOf(uint64 id) external view returns (address seller, uint40 paid) {
        PoolEntry memory entry = _pool[id];
        return (entry.seller, entry.paid);
    }

    // ------------------------------------------------------------------------------------------------ swap

    /// @inheritdoc ITicketDesk
    function swap(SwapSide calldata one, SwapSide calldata other) external {
        uint40 eventId = TicketId.eventOf(one.id);
        if (TicketId.eventOf(other.id) != eventId) revert Ledger_OtherEvent(other.id, eventId);
        (uint40 face, uint40 otherFace) = (_faceOf(one.id), _faceOf(other.id));
        if (face != otherFace) revert Ledger_UnequalFace(one.id, face, otherFace);

        TicketWord word = _tickets[one.id].word;
        TicketWord otherWord = _tickets[other.id].word;
        _checkSide(one, other, word, otherWord);
        _checkSide(other, one, otherWord, word);
        PolicyWord policy = _policies[eventId];
        TicketWord next = _hand(one.id, word, otherWord, policy);
        TicketWord otherNext = _hand(other.id, otherWord, word, policy);
        emit Swapped(one.id, other.id, next.holder(), otherNext.holder(), next.epoch(), otherNext.epoch());
    }

    /// @dev The ticket may be given to the other's holder, and its own holder agrees.
    function _checkSide(SwapSide calldata side, SwapSide calldata other, TicketWord word, TicketWord otherWord)
        private
        view
    {
        _check(_givingProblem(side.id, word, _policies[TicketId.eventOf(side.id)], side.epoch));
        address to = otherWord.holder();
        if (to == word.holder() || !_isFit(to, otherWord.isCustodied())) revert Ledger_RefusedAccount(to);
        bytes32 structHash =
            keccak256(abi.encode(SWAP_TYPEHASH, side.id, side.epoch, other.id, other.epoch, side.deadline));
        _checkConsent(side.id, word, structHash, side.deadline, side.consent);
    }

    /// @dev Gives the ticket to the other's holder.
    function _hand(uint64 id, TicketWord word, TicketWord otherWord, PolicyWord policy)
        private
        returns (TicketWord next)
    {
        next = word.given(otherWord.holder(), otherWord.isCustodied(), uint32(block.timestamp));
        _move(id, word, next, policy);
    }

    // ------------------------------------------------------------------------------------------------ exchange

    /// @inheritdoc ITicketDesk
    function exchange(Exchange calldata line, bytes calldata consent, bytes calldata attestation) external {
        _checkRole(LEDGER, RELAYER);
        TicketWord word = _tickets[line.id].word;
        TicketWord stock = _tickets[line.toId].word;
        _checkExchange(line, word, stock);
        _checkSignatures(line, word, consent, attestation);

        TicketWord next = word.returned();
        TicketWord taken = stock.exchanged(word, uint32(block.timestamp), _priceAfter(line, word.price()));
        _move(line.id, word, next, _policies[TicketId.eventOf(line.id)]);
        _move(line.toId, stock, taken, _policies[TicketId.eventOf(line.toId)]);
        if (taken.gifts() > 0) _mark(line.toId, taken.epoch(), taken);
        if (line.difference < 0) _oweRefund(TicketId.eventOf(line.id), uint128(uint48(-line.difference)));
        _logExchange(line, next.epoch(), taken);
    }

    function _logExchange(Exchange calldata line, uint16 epoch, TicketWord taken) private {
        emit Exchanged(
            line.id, line.toId, taken.holder(), epoch, taken.epoch(), taken.price(), line.difference, line.ref
        );
    }

    /// @dev The one ticket may move, the other is for sale, by the same organizer, in the same money.
    function _checkExchange(Exchange calldata line, TicketWord word, TicketWord stock) private view {
        (uint40 eventId, uint40 toEvent) = (TicketId.eventOf(line.id), TicketId.eventOf(line.toId));
        (PolicyWord policy, PolicyWord toPolicy) = (_policies[eventId], _policies[toEvent]);
        _check(_moveProblem(line.id, word, policy, line.epoch));
        _check(_stockProblem(line.toId, stock, line.toEpoch));
        _checkOnSale(toEvent, toPolicy);
        if (policy.isTokenRail() || toPolicy.isTokenRail()) revert Ledger_WrongRail(eventId);
        bool sameSeller = _moneyTerms[eventId].organizer == _moneyTerms[toEvent].organizer
            && _moneyTerms[eventId].currency == _moneyTerms[toEvent].currency;
        if (!sameSeller) revert Ledger_OtherOrganizer(eventId, toEvent);
        bool full = eventId != toEvent && _isFull(toEvent, toPolicy, word.holder());
        if (full) revert Ledger_HolderLimit(word.holder(), toPolicy.holderLimit());
    }

    function _checkSignatures(
        Exchange calldata line,
        TicketWord word,
        bytes calldata consent,
        bytes calldata attestation
    ) private view {
        int48 expected = int48(uint48(_faceOf(line.toId))) - int48(uint48(_faceOf(line.id)));
        if (line.difference != expected) revert Ledger_WrongDifference(line.id, line.difference, expected);
        bytes32 agreed = keccak256(
            abi.encode(EXCHANGE_TYPEHASH, line.id, line.epoch, line.toId, line.toEpoch, line.difference, line.deadline)
        );
        _checkConsent(line.id, word, agreed, line.deadline, consent);
        bytes32 paid = keccak256(
            abi.encode(EXCHANGE_PAID_TYPEHASH, line.id, line.epoch, line.toId, line.toEpoch, line.difference, line.ref)
        );
        _checkAttested(paid, attestation);
    }

    /// @dev What the holder has paid in all; no more is given back than that.
    function _priceAfter(Exchange calldata line, uint40 paid) private pure returns (uint40) {
        int256 price = int256(uint256(paid)) + line.difference;
        if (price < 0) revert Ledger_OverRefund(line.id, uint40(uint48(-line.difference)), paid);
        return SafeCast.toUint40(uint256(price));
    }

    // ------------------------------------------------------------------------------------------------ pool

    /// @inheritdoc ITicketDesk
    function poolReturn(uint64 id, uint16 epoch, uint40 price, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _tickets[id].word;
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        _check(_resaleProblem(id, word, policy, epoch, price, _faceOf(id)));
        if (policy.isTokenRail()) revert Ledger_WrongRail(TicketId.eventOf(id));
        _checkConsent(
            id, word, keccak256(abi.encode(POOL_RETURN_TYPEHASH, id, epoch, price, deadline)), deadline, consent
        );

        TicketWord next = word.pooled(uint32(block.timestamp), price);
        // At its last epoch it could never be sold on, and its seller would not be paid.
        if (next.isAtLastEpoch()) revert Ledger_LastEpoch(id);
        _pool[id] = PoolEntry(word.holder(), word.price());
        _move(id, word, next, policy);
        emit PoolReturned(id, word.holder(), next.epoch(), price);
    }
}
