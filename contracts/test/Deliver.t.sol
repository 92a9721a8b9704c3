// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {DeafWallet, MockWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice Deliveries from stock.
contract DeliverTest is Base {
    function _expectSkipped(ILedgerTypes.Delivery memory line, bytes memory problem) private {
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Skipped(line.target.id(), REF, problem);
        vm.assertEq(_deliverLine(eventId, line), problem);
    }

    function test_DeliverToCustodiedFan() external {
        uint64 id = _sold(alice.account, true);
        _assertTicket(id, alice.account, true, 1, FACE);
        vm.assertEq(ledger.ownerOf(id), address(ledger));
        vm.assertEq(ledger.holderOf(id), alice.account);
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
        vm.assertEq(ledger.balanceOf(alice.account), 0);
        vm.assertEq(ledger.ticketOf(id).since, START);
    }

    function test_DeliverToOwnWallet() external {
        uint64 id = _sold(alice.account, false);
        _assertTicket(id, alice.account, false, 1, FACE);
        vm.assertEq(ledger.balanceOf(alice.account), 1);
        vm.assertEq(ledger.balanceOf(address(ledger)), 0);
    }

    function test_DeliverEmitsOnlyAppliedLines() external {
        _deliverLine(eventId, _delivery(_id(1), bob.account, false, 0, FACE));
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](4);
        lines[0] = _delivery(_id(0), alice.account, true, 0, 1);
        lines[1] = _delivery(_id(1), alice.account, true, 0, 2);
        lines[2] = _delivery(_id(2), alice.account, false, 0, 3);
        lines[3] = _delivery(_id(0), carol.account, true, 0, 4);
        ILedgerTypes.Delivery[] memory applied = new ILedgerTypes.Delivery[](2);
        applied[0] = lines[0];
        applied[1] = lines[2];

        bytes memory attestation = _attestDeliveries(eventId, lines);
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(address(0), address(ledger), _id(0));
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Skipped(_id(1), REF, abi.encodeWithSelector(Ledger_NotInStock.selector, _id(1)));
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(address(0), alice.account, _id(2));
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Skipped(_id(0), REF, abi.encodeWithSelector(Ledger_NotInStock.selector, _id(0)));
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Delivered(eventId, applied);
        vm.prank(relayer);
        bytes[] memory problems = ledger.deliver(eventId, lines, attestation);

        vm.assertEq(problems.length, 4);
        vm.assertEq(problems[0], "");
        vm.assertEq(problems[1], abi.encodeWithSelector(Ledger_NotInStock.selector, _id(1)));
        vm.assertEq(problems[2], "");
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
        _assertTicket(_id(1), bob.account, false, 1, FACE);
    }

    function test_DeliveryRepeatedIsSkipped() external {
        uint64 id = _sold(alice.account, false);
        _expectSkipped(
            _delivery(id, alice.account, false, 0, FACE), abi.encodeWithSelector(Ledger_NotInStock.selector, id)
        );
        _expectSkipped(
            _delivery(id, bob.account, false, 1, FACE), abi.encodeWithSelector(Ledger_NotInStock.selector, id)
        );
    }

    function test_DeliverNothing() external {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](0);
        bytes memory attestation = _attestDeliveries(eventId, lines);
        vm.recordLogs();
        vm.prank(relayer);
        vm.assertEq(ledger.deliver(eventId, lines, attestation).length, 0);
        vm.assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_DeliverAfterMovesClosed() external {
        vm.warp(MOVES_CLOSE + 1);
        _sold(alice.account, false);
    }

    function testFuzz_DeliverAtAnyPriceUpToFace(uint40 price) external {
        price = uint40(_bound(price, 0, FACE));
        _deliverLine(eventId, _delivery(_id(0), alice.account, true, 0, price));
        _assertTicket(_id(0), alice.account, true, 1, price);
    }

    // ------------------------------------------------------------------------------------------------ skipped lines

    /// @dev Nobody pays more than face for a first sale, whoever the shop is.
    function testFuzz_SkippedWhen_PriceOverFace(uint40 price) external {
        price = uint40(_bound(price, FACE + 1, type(uint40).max));
        _expectSkipped(
            _delivery(_id(0), alice.account, true, 0, price),
            abi.encodeWithSelector(Ledger_WrongPrice.selector, _id(0), price, FACE)
        );
    }

    function test_SkippedWhen_UnknownTicket() external {
        uint64 id = _id(SUPPLY);
        _expectSkipped(
            _delivery(id, alice.account, false, 0, FACE), abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id)
        );
        id = TicketId.first(eventId, 1);
        _expectSkipped(
            _delivery(id, alice.account, false, 0, FACE), abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id)
        );
    }

    function test_SkippedWhen_OtherEvent() external {
        uint64 id = TicketId.first(tokenEventId, 0);
        _expectSkipped(
            _delivery(id, alice.account, false, 0, 0), abi.encodeWithSelector(Ledger_OtherEvent.selector, id, eventId)
        );
    }

    function test_SkippedWhen_StaleEpoch() external {
        uint64 id = _id(0);
        _expectSkipped(
            _delivery(id, alice.account, false, 1, FACE), abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 0)
        );
    }

    function test_SkippedWhen_LastEpoch() external {
        uint64 id = _sold(alice.account, false);
        _force(id, uint256(65_535) << 168);
        _expectSkipped(
            _delivery(id, alice.account, false, 65_535, FACE), abi.encodeWithSelector(Ledger_LastEpoch.selector, id)
        );
    }

    function test_SkippedWhen_Voided() external {
        uint64 id = _sold(alice.account, false);
        bytes memory attestation = _sign(attestor.key, _voidHash(id, 1, REF));
        vm.prank(relayer);
        ledger.voidTicket(id, 1, REF, attestation);
        _expectSkipped(_delivery(id, alice.account, false, 2, FACE), abi.encodeWithSelector(Ledger_Voided.selector, id));
    }

    function test_SkippedWhen_SoldOnTheTokenRail() external {
        uint64 id = TicketId.first(tokenEventId, 0);
        vm.assertEq(
            _deliverLine(tokenEventId, _delivery(id, alice.account, false, 0, 1)),
            abi.encodeWithSelector(Ledger_WrongRail.selector, tokenEventId)
        );
        vm.assertEq(_deliverLine(tokenEventId, _delivery(id, alice.account, false, 0, 0)), "");
    }

    function test_SkippedWhen_RecipientRefused() external {
        address wrapper = address(new DeafWallet());
        address[3] memory refused = [address(0), address(ledger), wrapper];
        for (uint256 i = 0; i < refused.length; ++i) {
            _expectSkipped(
                _delivery(_id(0), refused[i], false, 0, FACE),
                abi.encodeWithSelector(Ledger_RefusedAccount.selector, refused[i])
            );
        }
        for (uint256 i = 0; i < 2; ++i) {
            _expectSkipped(
                _delivery(_id(0), refused[i], true, 0, FACE),
                abi.encodeWithSelector(Ledger_RefusedAccount.selector, refused[i])
            );
        }
    }

    function test_DeliverToAllowedAccountCode() external {
        address wallet = address(new MockWallet(alice.account));
        vm.prank(admin);
        ledger.allowAccountCode(wallet.codehash, true);
        _sold(wallet, false);
    }

    function test_DeliverToDelegatedAccount() external {
        vm.etch(alice.account, abi.encodePacked(hex"ef0100", address(token)));
        _sold(alice.account, false);
    }

    // ------------------------------------------------------------------------------------------------ refused calls

    function test_RevertWhen_NotByRelayer() external {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](0);
        bytes memory attestation = _attestDeliveries(eventId, lines);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger));
        vm.prank(stranger);
        ledger.deliver(eventId, lines, attestation);
    }

    function test_RevertWhen_UnknownEvent() external {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](0);
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        vm.prank(relayer);
        ledger.deliver(99, lines, "");
    }

    function test_RevertWhen_AttestationIsNotOverTheseLines() external {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](1);
        lines[0] = _delivery(_id(0), alice.account, false, 0, FACE);
        bytes memory attestation = _attestDeliveries(eventId, lines);
        bytes memory otherEvent = _attestDeliveries(tokenEventId, lines);
        lines[0] = _delivery(_id(0), alice.account, false, 0, FACE - 1);
        vm.startPrank(relayer);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.deliver(eventId, lines, attestation);
        lines[0] = _delivery(_id(0), alice.account, false, 0, FACE);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.deliver(eventId, lines, otherEvent);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.deliver(eventId, lines, "");
        ledger.deliver(eventId, lines, attestation);
    }

    function test_RevertWhen_AttestorLostItsRole() external {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](0);
        bytes memory attestation = _attestDeliveries(eventId, lines);
        vm.prank(admin);
        ledger.setRoles(0, attestor.account, 0);
        vm.expectRevert(Ledger_BadAttestation.selector);
        vm.prank(relayer);
        ledger.deliver(eventId, lines, attestation);
    }
}
