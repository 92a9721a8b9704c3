// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {Payment, Payments} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {Base} from "./Base.t.sol";

/// @notice Pause, resume, cancel; refunds of cancelled events on the fiat rail, and what was paid of them.
contract StatusTest is Base {
    // ------------------------------------------------------------------------------------------------ pause, resume

    function test_Pause() external {
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.StatusChanged(eventId, 2, "why");
        vm.expectEmit(address(ledger));
        emit IERC4906.BatchMetadataUpdate(TicketId.first(eventId, 0), TicketId.first(eventId, 255) + 65_535);
        _setStatus(eventId, 2);
        vm.assertEq(uint8(uint256(bytes32(abi.encode(ledger.policyWordOf(eventId))))), 2);
    }

    function test_PauseStopsSalesAndResales() external {
        uint64 id = _soldLongAgo(alice.account, false);
        bytes memory offer = _sign(alice.key, _openOffer(id, 1, FACE));
        _setStatus(eventId, 2);
        bytes memory problem = abi.encodeWithSelector(Ledger_NotOnSale.selector, eventId, 2);
        vm.assertEq(_deliverLine(eventId, _delivery(id + 1, bob.account, true, 0, FACE)), problem);
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, FACE, offer)), problem);
        vm.assertEq(ledger.checkOffer(id, 1, FACE), problem);
        _setStatus(eventId, 1);
        vm.assertEq(_deliverLine(eventId, _delivery(id + 1, bob.account, true, 0, FACE)), "");
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, FACE, offer)), "");
    }

    function test_PausedLedgerStillLetsHoldersExit() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _deliverLine(eventId, _delivery(id + 1, alice.account, false, 0, FACE));
        _deliverLine(eventId, _delivery(id + 2, alice.account, false, 0, FACE));
        vm.warp(RESALE_OPENS + COOLDOWN);
        _setStatus(eventId, 2);
        bytes memory consent = _sign(alice.key, _moveHash("Withdraw", id, 1, bob.account));
        ledger.withdraw(id, 1, bob.account, NEVER, consent);
        consent = _sign(alice.key, _refundHash(id + 1, 1, FACE, NEVER));
        vm.prank(relayer);
        ledger.refund(id + 1, 1, FACE, REF, NEVER, consent);
        vm.assertEq(_redeemOne(2, 1), "");
    }

    function test_RevertWhen_StatusIsWrong() external {
        vm.startPrank(organizer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongStatus.selector, eventId, 1));
        ledger.resume(eventId, "why");
        ledger.pause(eventId, "why");
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongStatus.selector, eventId, 2));
        ledger.pause(eventId, "why");
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, bytes32("reason")));
        ledger.resume(eventId, "");
    }

    function test_RevertWhen_StrangerSetsStatus() external {
        bytes memory problem = abi.encodeWithSelector(Ledger_Unauthorized.selector, eventId, ORGANIZER, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(problem);
        ledger.pause(eventId, "why");
        vm.expectRevert(problem);
        ledger.resume(eventId, "why");
        vm.expectRevert(problem);
        ledger.cancel(eventId, "why");
    }

    // ------------------------------------------------------------------------------------------------ cancel

    function test_CancelIsFinal() external {
        _setStatus(eventId, 2);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.StatusChanged(eventId, 3, "why");
        _setStatus(eventId, 3);
        bytes memory problem = abi.encodeWithSelector(Ledger_WrongStatus.selector, eventId, 3);
        vm.startPrank(organizer);
        vm.expectRevert(problem);
        ledger.cancel(eventId, "why");
        vm.expectRevert(problem);
        ledger.resume(eventId, "why");
        vm.expectRevert(problem);
        ledger.pause(eventId, "why");
        vm.expectRevert(abi.encodeWithSelector(Ledger_Cancelled.selector, eventId));
        ledger.setSchedule(eventId, _schedule(), "why");
    }

    function test_CancelledEventOnlyRefunds() external {
        uint64 id = _soldLongAgo(alice.account, false);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, false, NEVER));
        _setStatus(eventId, 3);
        bytes memory problem = abi.encodeWithSelector(Ledger_Cancelled.selector, eventId);
        vm.assertEq(ledger.checkGift(id, 1, bob.account), problem);
        vm.assertEq(ledger.checkOffer(id, 1, FACE), problem);
        vm.expectRevert(problem);
        ledger.gift(id, 1, bob.account, false, NEVER, consent);
        vm.expectRevert(problem);
        _redeemOne(0, 1);
        problem = abi.encodeWithSelector(Ledger_NotOnSale.selector, eventId, 3);
        vm.assertEq(_deliverLine(eventId, _delivery(id + 1, bob.account, true, 0, FACE)), problem);
        vm.assertTrue(ledger.locked(id));
    }

    // ------------------------------------------------------------------------------------------------ refundCancelled

    function _ids(uint64 first, uint256 count) private pure returns (uint64[] memory ids) {
        ids = new uint64[](count);
        for (uint64 i = 0; i < count; ++i) {
            ids[i] = first + i;
        }
    }

    function test_RefundCancelled() external {
        uint64 id = _sold(alice.account, false);
        _deliverLine(eventId, _delivery(id + 1, bob.account, true, 0, 5_000));
        _setStatus(eventId, 3);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RefundedCancelled(id, alice.account, 2, FACE);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RefundedCancelled(id + 1, bob.account, 2, 5_000);
        vm.prank(stranger);
        vm.assertEq(ledger.refundCancelled(eventId, _ids(id, 2)).length, 0);
        (uint128 due, uint128 paid) = ledger.refundsOf(eventId);
        vm.assertEq(due, FACE + 5_000);
        vm.assertEq(paid, 0);
        vm.assertEq(_word(id), uint256(2) << 168);
        vm.assertEq(ledger.balanceOf(alice.account) + ledger.balanceOf(address(ledger)), 0);
    }

    /// @dev What was paid over face went to the seller: more than face is never owed.
    function test_RefundCancelledOwesAtMostFace() external {
        uint64 id = _soldLongAgo(alice.account, true);
        uint40 price = FACE + FACE / 10;
        bytes memory offer = _sign(alice.key, _openOffer(id, 1, price));
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, price, offer)), "");
        _setStatus(eventId, 3);
        ledger.refundCancelled(eventId, _ids(id, 1));
        (uint128 due,) = ledger.refundsOf(eventId);
        vm.assertEq(due, FACE);
    }

    function test_RefundCancelledSkipsBadLines() external {
        uint64 id = _sold(alice.account, false);
        _setStatus(eventId, 3);
        uint64[] memory ids = new uint64[](3);
        (ids[0], ids[1], ids[2]) = (id, id, id + SUPPLY);
        bytes[] memory problems = ledger.refundCancelled(eventId, ids);
        vm.assertEq(problems[0], "");
        vm.assertEq(problems[1], abi.encodeWithSelector(Ledger_NotHeld.selector, id));
        vm.assertEq(problems[2], abi.encodeWithSelector(Ledger_NoSuchTicket.selector, ids[2]));
        (uint128 due,) = ledger.refundsOf(eventId);
        vm.assertEq(due, FACE);
    }

    /// @dev Anybody may cancel an event of their own: it must not let them log anything about tickets of others.
    function test_RevertWhen_TicketsOfAnotherEventAreRefunded() external {
        _setStatus(eventId, 3);
        uint64[] memory ids = new uint64[](1);
        ids[0] = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(Ledger_OtherEvent.selector, ids[0], eventId));
        ledger.refundCancelled(eventId, ids);
    }

    function test_UsedTicketOfCancelledEventIsRefundedOnceAndKept() external {
        uint64 id = _sold(alice.account, false);
        _redeemOne(0, 1);
        _setStatus(eventId, 3);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RefundedCancelled(id, alice.account, 1, FACE);
        ledger.refundCancelled(eventId, _ids(id, 1));
        _assertTicket(id, alice.account, false, 1, 0);
        vm.assertTrue(ledger.ticketOf(id).redeemed);
        bytes memory problem = ledger.refundCancelled(eventId, _ids(id, 1))[0];
        vm.assertEq(problem, abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id));
    }

    /// @dev A frozen one once its dispute is over: its payment may be taken back already.
    function test_StoppedTicketsAreRefunded() external {
        uint64 id = _sold(alice.account, false);
        _deliverLine(eventId, _delivery(id + 1, alice.account, false, 0, FACE));
        _activate(alice, id, 1);
        _freeze(id + 1, 1, 1);
        vm.warp(MOVES_CLOSE);
        _setStatus(eventId, 3);
        bytes[] memory problems = ledger.refundCancelled(eventId, _ids(id, 2));
        vm.assertEq(problems[0], "");
        vm.assertEq(problems[1], abi.encodeWithSelector(Ledger_Stopped.selector, id + 1, 16));
        _unfreeze(id + 1, 1);
        vm.assertEq(ledger.refundCancelled(eventId, _ids(id + 1, 1)).length, 0);
        vm.assertEq(ledger.balanceOf(alice.account), 0);
    }

    function test_RefundCancelledAtTheLastEpoch() external {
        uint64 id = _sold(alice.account, false);
        _force(id, uint256(uint160(alice.account)) | (uint256(65_535) << 168) | (uint256(FACE) << 216));
        _setStatus(eventId, 3);
        vm.assertEq(ledger.refundCancelled(eventId, _ids(id, 1)).length, 0);
        vm.assertEq(_word(id), uint256(65_535) << 168);
    }

    function test_RevertWhen_RefundedWithoutCancellation() external {
        uint64 id = _sold(alice.account, false);
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongStatus.selector, eventId, 1));
        ledger.refundCancelled(eventId, _ids(id, 1));
    }

    // ------------------------------------------------------------------------------------------------ refunds due and paid

    function _attestPaid(uint128 before, Payment[] memory lines) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("RefundsPaid(uint40 eventId,uint128 paidBefore,bytes32 lines)");
        bytes32 hash = keccak256(abi.encodePacked(lines));
        return _sign(attestor.key, keccak256(abi.encode(typeHash, eventId, before, hash)));
    }

    function _refundAlice() private {
        uint64 id = _sold(alice.account, false);
        bytes memory consent = _sign(alice.key, _refundHash(id, 1, 6_000, NEVER));
        vm.prank(relayer);
        ledger.refund(id, 1, 6_000, REF, NEVER, consent);
    }

    function test_RecordRefundsPaid() external {
        _refundAlice();
        Payment[] memory lines = new Payment[](2);
        lines[0] = Payments.pack(REF, 1_000);
        lines[1] = Payments.pack(REF, 2_000);
        bytes memory attestation = _attestPaid(0, lines);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RefundsPaid(eventId, lines, 3_000);
        vm.startPrank(relayer);
        ledger.recordRefundsPaid(eventId, lines, attestation);
        (uint128 due, uint128 paid) = ledger.refundsOf(eventId);
        vm.assertEq(due, 6_000);
        vm.assertEq(paid, 3_000);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.recordRefundsPaid(eventId, lines, attestation);
    }

    function test_RevertWhen_NothingIsPaidOrEventUnknown() external {
        Payment[] memory lines = new Payment[](1);
        lines[0] = Payments.pack(REF, 0);
        bytes memory attestation = _attestPaid(0, lines);
        vm.startPrank(relayer);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.recordRefundsPaid(eventId, lines, attestation);
        eventId = 99;
        attestation = _attestPaid(0, lines);
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        ledger.recordRefundsPaid(99, lines, attestation);
    }

    function test_RevertWhen_MorePaidThanDue() external {
        _refundAlice();
        Payment[] memory lines = new Payment[](1);
        lines[0] = Payments.pack(REF, 6_001);
        bytes memory attestation = _attestPaid(0, lines);
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverPaid.selector, eventId, 6_001, 6_000));
        vm.prank(relayer);
        ledger.recordRefundsPaid(eventId, lines, attestation);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger));
        vm.prank(stranger);
        ledger.recordRefundsPaid(eventId, lines, attestation);
    }

    function test_AllThatIsDueIsPaid() external {
        _refundAlice();
        Payment[] memory lines = new Payment[](1);
        lines[0] = Payments.pack(REF, 6_000);
        bytes memory attestation = _attestPaid(0, lines);
        vm.prank(relayer);
        ledger.recordRefundsPaid(eventId, lines, attestation);
        (uint128 due, uint128 paid) = ledger.refundsOf(eventId);
        vm.assertEq(due, paid);
    }
}
