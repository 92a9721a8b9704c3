// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {Redemption, Redemptions} from "../src/types/Lines.sol";
import {MockWallet} from "./mocks/MockWallet.sol";
import {Vm} from "./Vm.sol";
import {Base} from "./Base.t.sol";

/// @notice Refund, void, revoke, redeem.
contract EndingsTest is Base {
    // ------------------------------------------------------------------------------------------------ refund

    function _refund(uint64 id, uint16 epoch, uint40 amount) private {
        bytes memory consent = _sign(alice.key, _refundHash(id, epoch, amount, NEVER));
        vm.prank(relayer);
        ledger.refund(id, epoch, amount, REF, NEVER, consent);
    }

    function _expectRefundRefused(uint64 id, uint16 epoch, uint40 amount, bytes memory problem) private {
        bytes memory consent = _sign(alice.key, _refundHash(id, epoch, amount, NEVER));
        vm.expectRevert(problem);
        vm.prank(relayer);
        ledger.refund(id, epoch, amount, REF, NEVER, consent);
    }

    function test_Refund() external {
        uint64 id = _sold(alice.account, false);
        bytes memory consent = _sign(alice.key, _refundHash(id, 1, FACE, NEVER));
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(alice.account, address(0), id);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Refunded(id, alice.account, 2, FACE, REF);
        vm.prank(relayer);
        ledger.refund(id, 1, FACE, REF, NEVER, consent);

        vm.assertEq(_word(id), uint256(2) << 168);
        vm.assertEq(ledger.holderOf(id), address(0));
        vm.assertEq(ledger.balanceOf(alice.account), 0);
        vm.expectRevert();
        ledger.ownerOf(id);
    }

    function test_RefundOfCustodiedTicket() external {
        uint64 id = _sold(alice.account, true);
        _refund(id, 1, 1);
        vm.assertEq(ledger.balanceOf(address(ledger)), 0);
    }

    function test_RefundedTicketIsSoldAgainAtTheNextEpoch() external {
        uint64 id = _sold(alice.account, false);
        _refund(id, 1, FACE);
        vm.assertEq(
            _deliverLine(eventId, _delivery(id, bob.account, true, 0, FACE)),
            abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 0, 2)
        );
        vm.assertEq(_deliverLine(eventId, _delivery(id, bob.account, true, 2, FACE)), "");
        _assertTicket(id, bob.account, true, 3, FACE);
    }

    function test_RevertWhen_RefundOverPrice() external {
        uint64 id = _sold(alice.account, false);
        _expectRefundRefused(id, 1, FACE + 1, abi.encodeWithSelector(Ledger_OverRefund.selector, id, FACE + 1, FACE));
    }

    /// @dev What a buyer paid over the face price went to the seller; the house has only the face price to give back.
    function test_RevertWhen_RefundOfAResaleOverFace() external {
        uint64 id = _soldLongAgo(alice.account, true);
        uint40 price = FACE + FACE / 10;
        bytes memory offer = _sign(alice.key, _openOffer(id, 1, price));
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, price, offer)), "");
        bytes memory consent = _sign(bob.key, _refundHash(id, 2, price, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverRefund.selector, id, price, FACE));
        vm.prank(relayer);
        ledger.refund(id, 2, price, REF, NEVER, consent);
    }

    function test_RevertWhen_RefundWithoutConsent() external {
        uint64 id = _sold(alice.account, false);
        bytes memory consent = _sign(alice.key, _refundHash(id, 1, FACE, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        vm.prank(relayer);
        ledger.refund(id, 1, FACE - 1, REF, NEVER, consent);
    }

    function test_RevertWhen_RefundNotByRelayer() external {
        uint64 id = _sold(alice.account, false);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, alice.account));
        vm.prank(alice.account);
        ledger.refund(id, 1, FACE, REF, NEVER, "");
    }

    function test_RevertWhen_RefundOnTokenRail() external {
        uint64 id = _tokenTicket(alice.account);
        _expectRefundRefused(id, 1, 0, abi.encodeWithSelector(Ledger_WrongRail.selector, tokenEventId));
    }

    function test_RevertWhen_RefundRedeemedOrClosedOrInStock() external {
        _expectRefundRefused(_id(1), 0, 0, abi.encodeWithSelector(Ledger_NotHeld.selector, _id(1)));
        uint64 id = _sold(alice.account, false);
        vm.warp(MOVES_CLOSE);
        _expectRefundRefused(id, 1, FACE, abi.encodeWithSelector(Ledger_MovesClosed.selector, id, MOVES_CLOSE));
        _redeemOne(0, 1);
        _expectRefundRefused(id, 1, FACE, abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id));
    }

    function test_RevertWhen_RefundExpired() external {
        uint64 id = _sold(alice.account, false);
        bytes memory consent = _sign(alice.key, _refundHash(id, 1, FACE, START - 1));
        vm.expectRevert(abi.encodeWithSelector(Ledger_Expired.selector, id, START - 1));
        vm.prank(relayer);
        ledger.refund(id, 1, FACE, REF, START - 1, consent);
    }

    // ------------------------------------------------------------------------------------------------ void

    function _void(uint64 id, uint16 epoch, bytes memory attestation) private {
        vm.prank(relayer);
        ledger.voidTicket(id, epoch, REF, attestation);
    }

    function test_Void() external {
        uint64 id = _sold(alice.account, true);
        vm.warp(MOVES_CLOSE);
        bytes memory attestation = _sign(attestor.key, _voidHash(id, 1, REF));
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(address(ledger), address(0), id);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Voided(id, alice.account, 2, REF);
        _void(id, 1, attestation);
        ILedgerTypes.Ticket memory ticket = ledger.ticketOf(id);
        vm.assertTrue(ticket.voided);
        vm.assertEq(ticket.holder, address(0));
        vm.assertEq(ticket.epoch, 2);
        vm.assertEq(ledger.balanceOf(address(ledger)), 0);
    }

    function test_VoidAtTheLastEpoch() external {
        uint64 id = _sold(alice.account, false);
        _force(id, uint256(uint160(alice.account)) | (uint256(65_535) << 168));
        _void(id, 65_535, _sign(attestor.key, _voidHash(id, 65_535, REF)));
        vm.assertTrue(ledger.ticketOf(id).voided);
    }

    function test_RevertWhen_VoidIsNotAttestedOrNotByRelayer() external {
        uint64 id = _sold(alice.account, true);
        bytes memory attestation = _sign(attestor.key, _voidHash(id, 1, REF));
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, attestor.account));
        vm.prank(attestor.account);
        ledger.voidTicket(id, 1, REF, attestation);
        attestation = _sign(attestor.key, _voidHash(id, 1, "other"));
        vm.expectRevert(Ledger_BadAttestation.selector);
        _void(id, 1, attestation);
    }

    function test_RevertWhen_VoidInStockOrStaleOrRedeemedOrVoid() external {
        uint64 id = _sold(alice.account, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotHeld.selector, _id(1)));
        _void(_id(1), 0, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 0, 1));
        _void(id, 0, "");
        bytes memory attestation = _sign(attestor.key, _voidHash(id, 1, REF));
        _redeemOne(0, 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id));
        _void(id, 1, attestation);
        id = _id(2);
        _deliverLine(eventId, _delivery(id, alice.account, true, 0, FACE));
        _void(id, 1, _sign(attestor.key, _voidHash(id, 1, REF)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_Voided.selector, id));
        _void(id, 2, "");
    }

    // ------------------------------------------------------------------------------------------------ revoke

    function test_RevokeByHolder() external {
        uint64 id = _sold(alice.account, false);
        uint256 before = _word(id);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Revoked(id, alice.account, 2);
        vm.prank(alice.account);
        ledger.revoke(id, 1, 0, "");
        vm.assertEq(_word(id), before + (uint256(1) << 168));
    }

    function test_RevokeByConsentOfCustodiedHolder() external {
        uint64 id = _sold(alice.account, true);
        ledger.revoke(id, 1, NEVER, _sign(alice.key, _revokeHash(id, 1, NEVER)));
        _assertTicket(id, alice.account, true, 2, FACE);
    }

    function test_RevokeByContractWallet() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _sold(address(wallet), false);
        ledger.revoke(id, 1, NEVER, _sign(alice.key, _revokeHash(id, 1, NEVER)));
        vm.prank(address(wallet));
        ledger.revoke(id, 2, NEVER, "");
        vm.assertEq(ledger.ticketOf(id).epoch, 3);
    }

    function test_RevertWhen_RevokedWithoutConsent() external {
        uint64 id = _sold(alice.account, true);
        bytes memory problem = abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account);
        vm.expectRevert(problem);
        vm.prank(alice.account);
        ledger.revoke(id, 1, NEVER, "");
        vm.expectRevert(problem);
        vm.prank(stranger);
        ledger.revoke(id, 1, NEVER, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_Expired.selector, id, 1));
        ledger.revoke(id, 1, 1, "");
    }

    function test_RevertWhen_RevokedStaleOrClosed() external {
        uint64 id = _sold(alice.account, false);
        vm.startPrank(alice.account);
        vm.expectRevert(abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 0, 1));
        ledger.revoke(id, 0, NEVER, "");
        vm.warp(MOVES_CLOSE);
        vm.expectRevert(abi.encodeWithSelector(Ledger_MovesClosed.selector, id, MOVES_CLOSE));
        ledger.revoke(id, 1, NEVER, "");
    }

    // ------------------------------------------------------------------------------------------------ redeem

    function test_Redeem() external {
        uint64 id = _sold(alice.account, true);
        Redemption[] memory lines = new Redemption[](1);
        lines[0] = Redemptions.pack(uint24(id), 1);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Redeemed(eventId, gate, lines);
        vm.prank(gate);
        vm.assertEq(ledger.redeem(eventId, lines).length, 0);
        vm.assertTrue(ledger.ticketOf(id).redeemed);
        _assertTicket(id, alice.account, true, 1, FACE);
    }

    function test_SecondRedeemInTheSameBulkIsSkipped() external {
        uint64 id = _sold(alice.account, true);
        _deliverLine(eventId, _delivery(_id(1), bob.account, false, 0, FACE));
        Redemption[] memory lines = new Redemption[](3);
        lines[0] = _redemption(0, 1);
        lines[1] = _redemption(0, 1);
        lines[2] = _redemption(1, 1);
        bytes memory problem = abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id);
        Redemption[] memory applied = new Redemption[](2);
        applied[0] = lines[0];
        applied[1] = lines[2];
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Skipped(id, 0, problem);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Redeemed(eventId, gate, applied);
        vm.prank(gate);
        bytes[] memory problems = ledger.redeem(eventId, lines);
        vm.assertEq(problems[0], "");
        vm.assertEq(problems[1], problem);
        vm.assertEq(problems[2], "");
    }

    function test_RedeemAtTheLastEpoch() external {
        uint64 id = _sold(alice.account, false);
        _force(id, uint256(uint160(alice.account)) | (uint256(65_535) << 168));
        vm.assertEq(_redeemOne(0, 65_535), "");
    }

    function test_SkippedWhen_NotRedeemable() external {
        uint64 id = _sold(alice.account, true);
        vm.recordLogs();
        vm.assertEq(_redeemOne(0, 0), abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 0, 1));
        vm.assertEq(_redeemOne(1, 0), abi.encodeWithSelector(Ledger_NotHeld.selector, _id(1)));
        vm.assertEq(_redeemOne(SUPPLY, 0), abi.encodeWithSelector(Ledger_NoSuchTicket.selector, _id(SUPPLY)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 3);
        vm.assertEq(logs[2].topics[0], ILedgerTypes.Skipped.selector);
        _void(id, 1, _sign(attestor.key, _voidHash(id, 1, REF)));
        vm.assertEq(_redeemOne(0, 2), abi.encodeWithSelector(Ledger_Voided.selector, id));
    }

    function test_RelayerRedeemsWhileDelegated() external {
        vm.prank(organizer);
        ledger.setDelegation(eventId, true);
        _sold(alice.account, true);
        Redemption[] memory lines = new Redemption[](1);
        lines[0] = _redemption(0, 1);
        vm.prank(relayer);
        vm.assertEq(ledger.redeem(eventId, lines).length, 0);
    }

    function test_RevertWhen_RedeemedByAnother() external {
        Redemption[] memory lines = new Redemption[](0);
        address[3] memory others = [relayer, organizer, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, eventId, GATE, others[i]));
            vm.prank(others[i]);
            ledger.redeem(eventId, lines);
        }
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        vm.prank(gate);
        ledger.redeem(99, lines);
    }

    function test_RevertWhen_GateOfAnotherEvent() external {
        vm.prank(organizer);
        ledger.setRoles(tokenEventId, gate, 0);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, tokenEventId, GATE, gate));
        vm.prank(gate);
        ledger.redeem(tokenEventId, new Redemption[](0));
    }
}
