// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {Handler} from "./Handler.sol";
import {Store} from "./Store.sol";

/// @notice Organizers: batches, schedules, status, delegation; and time.
contract OrganizerHandler is Handler {
    uint256 private constant MOST_TICKETS = 28;

    constructor(Store store_) Handler(store_) {}

    function issue(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        (, uint256 tickets,,) = store.counts();
        if (tickets + 2 > MOST_TICKETS) return;
        uint8 number = uint8(ledger.batchesOf(event_));
        uint40 face = uint40(FACE + 500 * (_roll(dice, "face") % 5));
        ILedgerTypes.Batch memory batch = ILedgerTypes.Batch(2, 1, 0, 7, face);
        bytes memory answer =
            _sendOnce(organizer, abi.encodeCall(ledger.issue, (event_, number, batch, bytes32("manifest"))));
        uint64 first = abi.decode(answer, (uint64));
        store.addTicket(first);
        store.addTicket(first + 1);
    }

    /// @notice Doors and release later, fewer gifts.
    function postpone(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        ILedgerTypes.Schedule memory schedule = ledger.scheduleOf(event_);
        if (store.statusOf(event_) == 3 || block.timestamp >= schedule.movesCloseAt) return;
        uint32 later = uint32(_roll(dice, "later") % 2 hours);
        schedule.doorsAt += later;
        schedule.releaseAt += later;
        schedule.giftsCloseAt -= later / 4;
        _send(organizer, abi.encodeCall(ledger.setSchedule, (event_, schedule, "later")));
    }

    function pauseOrResume(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        uint8 status = store.statusOf(event_);
        if (status == 2) {
            _send(organizer, abi.encodeCall(ledger.resume, (event_, "why")));
        } else if (status == 1 && _roll(dice, "rarely") % 3 == 0) {
            _send(organizer, abi.encodeCall(ledger.pause, (event_, "why")));
        }
    }

    /// @dev Rarely, for only refunds are left then.
    function cancel(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        (,, bool released) = ledger.escrowOf(event_);
        if (released || store.statusOf(event_) == 3 || _roll(dice, "rarely") % 6 != 0) return;
        _send(organizer, abi.encodeCall(ledger.cancel, (event_, "why")));
    }

    function delegate(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        _send(organizer, abi.encodeCall(ledger.setDelegation, (event_, _roll(dice, "on") % 2 == 0)));
    }

    function pass(uint256 dice) external observed(dice) {
        store.pass(_roll(dice, "time") % 1 days);
    }
}
