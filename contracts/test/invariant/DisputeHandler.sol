// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {Handler} from "./Handler.sol";
import {Store} from "./Store.sol";

/// @notice What is done to a ticket without its holder's consent: freeze, void, reissue, refund of a cancelled event.
contract DisputeHandler is Handler {
    /// @dev The dispute that froze each ticket last; each has a reference of its own.
    mapping(uint64 id => bytes16 ref) private _disputeOf;
    uint128 private _disputes;

    constructor(Store store_) Handler(store_) {}

    /// @dev A ticket whose holder does not matter: the epoch's payment must be known.
    function freeze(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isUnusedFiat);
        if (id == 0 || word.isFrozen()) return;
        uint16 paidEpoch = ledger.paidEpochOf(id);
        if (paidEpoch == 0) return;
        bytes16 ref = bytes16(++_disputes);
        _disputeOf[id] = ref;
        bytes memory attestation = _attest(_freezeHash(id, word.epoch(), paidEpoch, ref));
        _sendOnce(relayer, abi.encodeCall(ledger.freeze, (id, word.epoch(), paidEpoch, ref, attestation)));
    }

    function unfreeze(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isFrozen);
        if (id == 0) return;
        bytes16 ref = _disputeOf[id];
        bytes memory attestation = _attest(_unfreezeHash(id, word.epoch(), ref));
        _sendOnce(relayer, abi.encodeCall(ledger.unfreeze, (id, word.epoch(), ref, attestation)));
    }

    function _isFrozen(uint64, TicketWord word) private pure returns (bool) {
        return word.isFrozen() && !word.isRedeemed();
    }

    /// @dev Rarely, for it is the end.
    function voidTicket(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayVoid);
        if (id == 0 || _roll(dice, "rarely") % 4 != 0) return;
        bytes memory attestation = _attest(_voidHash(id, word.epoch(), REF));
        _sendOnce(relayer, abi.encodeCall(ledger.voidTicket, (id, word.epoch(), REF, attestation)));
    }

    function _mayVoid(uint64 id, TicketWord word) private view returns (bool) {
        return _isUnusedFiat(id, word) && (word.gifts() == 0 || word.isFrozen());
    }

    function announceReissue(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayReissue);
        address to = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id == 0 || to == address(0)) return;
        _send(relayer, abi.encodeCall(ledger.announceReissue, (id, word.epoch(), to, _custody(dice, to))));
    }

    function _mayReissue(uint64 id, TicketWord word) private view returns (bool) {
        return TicketId.eventOf(id) == store.events(0) && _isFree(id, word);
    }

    function _isAnnounced(uint64 id, TicketWord word) private view returns (bool) {
        ILedgerTypes.Reissue memory announced = ledger.reissueOf(id);
        return announced.readyAt != 0 && announced.epoch == word.epoch() && _isFree(id, word);
    }

    function vetoReissue(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isAnnounced);
        if (id == 0 || _roll(dice, "rarely") % 2 != 0) return;
        bytes memory consent = _signBy(word.holder(), _plainHash("Veto", id, word.epoch()));
        _send(stranger, abi.encodeCall(ledger.vetoReissue, (id, word.epoch(), NEVER, consent)));
    }

    /// @dev Waits if it must.
    function reissue(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isAnnounced);
        if (id == 0) return;
        uint40 readyAt = ledger.reissueOf(id).readyAt;
        if (block.timestamp < readyAt) {
            store.pass(readyAt - block.timestamp);
            vm.warp(readyAt);
        }
        if (_isFree(id, word)) _sendOnce(relayer, abi.encodeCall(ledger.reissue, (id)));
    }

    /// @notice All tickets of a cancelled event, by anyone: what can't be refunded is skipped.
    function refundCancelled(uint256 dice) external observed(dice) {
        (uint64 id,) = _find(dice, _isCancelled);
        uint40 event_ = TicketId.eventOf(id);
        if (id == 0) return;
        _send(stranger, abi.encodeCall(ledger.refundCancelled, (event_, store.idsOf(event_))));
    }

    function _isCancelled(uint64 id, TicketWord word) private view returns (bool) {
        return store.statusOf(TicketId.eventOf(id)) == 3 && !word.isVoid() && TicketWord.unwrap(word) != 0;
    }
}
