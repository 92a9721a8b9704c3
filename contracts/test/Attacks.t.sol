// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {Payment} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {DeafWallet, MockWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice What people would try against this design, by name. Each must fail, or change nothing that matters.
contract AttacksTest is Base {
    // ------------------------------------------------------------------------------------------------ escrow

    function test_Attack_EscrowReleasedEarly() external {
        _buyTicket(alice.account, TicketId.first(tokenEventId, 0), 0);
        vm.warp(RELEASE - 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_EscrowLocked.selector, tokenEventId, RELEASE));
        ledger.releaseEscrow(tokenEventId);
    }

    function test_Attack_EscrowReleasedTwice() external {
        _buyTicket(alice.account, TicketId.first(tokenEventId, 0), 0);
        vm.warp(RELEASE);
        ledger.releaseEscrow(tokenEventId);
        ledger.releaseEscrow(tokenEventId);
        vm.assertEq(ledger.creditOf(organizer, address(token)), FACE * UNIT);
        vm.assertEq(token.balanceOf(address(ledger)), FACE * UNIT);
    }

    function test_Attack_EscrowReleasedOfACancelledEvent() external {
        _buyTicket(alice.account, TicketId.first(tokenEventId, 0), 0);
        _setStatus(tokenEventId, 3);
        vm.warp(RELEASE);
        vm.expectRevert(abi.encodeWithSelector(Ledger_EscrowLocked.selector, tokenEventId, 0));
        ledger.releaseEscrow(tokenEventId);
    }

    function test_Attack_EventCancelledAfterRelease() external {
        _buyTicket(alice.account, TicketId.first(tokenEventId, 0), 0);
        vm.warp(RELEASE);
        ledger.releaseEscrow(tokenEventId);
        vm.expectRevert(abi.encodeWithSelector(Ledger_EscrowReleased.selector, tokenEventId));
        vm.prank(organizer);
        ledger.cancel(tokenEventId, "why");
    }

    function test_Attack_EventMovedBackToReleaseEscrow() external {
        ILedgerTypes.Schedule memory schedule = _schedule();
        schedule.doorsAt = START;
        schedule.releaseAt = START;
        vm.startPrank(organizer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, bytes32("releaseAt")));
        ledger.setSchedule(tokenEventId, schedule, "earlier");
        schedule.releaseAt = RELEASE;
        ledger.setSchedule(tokenEventId, schedule, "earlier");
        vm.expectRevert(abi.encodeWithSelector(Ledger_EscrowLocked.selector, tokenEventId, RELEASE));
        ledger.releaseEscrow(tokenEventId);
        // Postponed: the release goes with the doors, and does not come back with them.
        schedule.doorsAt = RELEASE + 1 days;
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, bytes32("releaseAt")));
        ledger.setSchedule(tokenEventId, schedule, "later");
        schedule.releaseAt = RELEASE + 1 days;
        ledger.setSchedule(tokenEventId, schedule, "later");
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, bytes32("releaseAt")));
        ledger.setSchedule(tokenEventId, _schedule(), "back");
    }

    function test_Attack_ReleaseBeforeTheTermsEarliest() external {
        ILedgerTypes.Schedule memory schedule = _schedule();
        schedule.releaseAt = RELEASE - 1;
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, bytes32("releaseAt")));
        vm.prank(organizer);
        ledger.createEvent(organizer, "ref", _terms(), schedule);
    }

    // ------------------------------------------------------------------------------------------------ hidden sales

    function test_Attack_WithdrawAsUncappedSale() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _register(alice, bob.account); // after the sale: too late
        _withdraw(alice, id, 1, bob.account);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
    }

    function test_Attack_DepositAsUncappedSale() external {
        uint64 id = _soldLongAgo(bob.account, false);
        _register(carol, bob.account); // after the sale: too late
        _deposit(bob, id, 1, carol.account);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
        for (uint16 epoch = 2; epoch <= GIFT_LIMIT; ++epoch) {
            vm.warp(block.timestamp + COOLDOWN);
            _withdraw(carol, id, epoch, alice.account);
        }
        vm.warp(block.timestamp + COOLDOWN);
        bytes memory consent = _sign(alice.key, _moveHash("Deposit", id, GIFT_LIMIT + 1, carol.account));
        vm.expectRevert(abi.encodeWithSelector(Ledger_GiftLimit.selector, id, GIFT_LIMIT));
        ledger.deposit(id, GIFT_LIMIT + 1, carol.account, NEVER, consent);
    }

    /// @notice A wallet registered for two accounts would be a bridge between them.
    function test_Attack_WalletAsABridgeBetweenTwoAccounts() external {
        _register(alice, bob.account);
        bytes32 typeHash = keccak256("RegisterWallet(address account,address wallet,uint40 deadline)");
        bytes memory consent = _sign(carol.key, keccak256(abi.encode(typeHash, carol.account, bob.account, NEVER)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_WalletTaken.selector, bob.account, alice.account));
        vm.prank(bob.account);
        ledger.registerWallet(carol.account, NEVER, consent);

        uint64 id = _sold(alice.account, true);
        _withdraw(alice, id, 1, bob.account);
        vm.warp(START + COOLDOWN);
        _deposit(bob, id, 2, carol.account);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
    }

    function test_Attack_SwapAsHiddenSale() external {
        // Bob's complimentary ticket for alice's dear one: the swap is a gift each, so no more of them than gifts.
        uint64 id = _sold(alice.account, true);
        _deliverLine(eventId, _delivery(id + 1, bob.account, true, 0, 0));
        for (uint16 epoch = 1; epoch <= GIFT_LIMIT; ++epoch) {
            vm.warp(block.timestamp + COOLDOWN);
            (Fan memory one, Fan memory other) = epoch == 1 ? (alice, bob) : (bob, alice);
            ledger.swap(_swapSide(one, id, epoch, id + 1, epoch), _swapSide(other, id + 1, epoch, id, epoch));
        }
        vm.warp(block.timestamp + COOLDOWN);
        ILedgerTypes.SwapSide memory side = _swapSide(alice, id, 3, id + 1, 3);
        ILedgerTypes.SwapSide memory otherSide = _swapSide(bob, id + 1, 3, id, 3);
        vm.expectRevert(abi.encodeWithSelector(Ledger_GiftLimit.selector, id, GIFT_LIMIT));
        ledger.swap(side, otherSide);
    }

    function test_Attack_ExchangeAsHiddenSale() external {
        // The new ticket stays with the same holder, at a price that follows from the face prices alone, and keeps the gifts.
        uint64 id = _soldLongAgo(alice.account, true);
        _giftBy(alice, id, 1, bob.account, true);
        vm.warp(block.timestamp + COOLDOWN);
        _exchange(bob, ILedgerTypes.Exchange(id, 2, id + 1, 0, 0, REF, NEVER));
        _assertTicket(id + 1, bob.account, true, 1, FACE);
        vm.assertEq(ledger.ticketOf(id + 1).gifts, 1);
    }

    function test_Attack_PoolAsUncappedSale() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _poolReturn(alice, id, 1, FACE);
        vm.assertEq(
            _deliverLine(eventId, _delivery(id, bob.account, true, 2, 99_999)),
            abi.encodeWithSelector(Ledger_WrongPrice.selector, id, 99_999, FACE)
        );
    }

    function test_Attack_TokenPriceOneToSkipRoyalty() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _settleLine(_settlement(id, bob.account, true, 1, 1, _sign(alice.key, _openOffer(id, 1, 1))));
        vm.assertEq(ledger.potOf(eventId), 1); // all of it: 5 % of face would be 500
    }

    function test_Attack_TokenPriceOneToSkipRoyaltyOnTheTokenRail() external {
        uint64 id = _tokenTicket(alice.account);
        token.mint(bob.account, UNIT);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, 1, address(0)));
        vm.startPrank(bob.account);
        token.approve(address(ledger), UNIT);
        ledger.buyResale(id, 1, 1, address(0), NEVER, consent);
        vm.assertEq(ledger.potOf(tokenEventId), UNIT);
        vm.assertEq(ledger.creditOf(alice.account, address(token)), 0);
    }

    function test_Attack_WrapperDeployedAtTheRecipientsAddressLater() external {
        uint64 id = _soldLongAgo(bob.account, false);
        vm.etch(bob.account, address(new DeafWallet()).code); // as CREATE2 could
        // Its own key says nothing any more, and whatever it does is still a gift under the gift rules.
        bytes memory consent = _sign(bob.key, _giftHash(id, 1, carol.account, false, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, bob.account));
        ledger.gift(id, 1, carol.account, false, NEVER, consent);
        vm.prank(bob.account);
        ledger.transferFrom(bob.account, carol.account, id);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
        vm.warp(block.timestamp + COOLDOWN);
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, bob.account));
        vm.prank(carol.account);
        ledger.transferFrom(carol.account, bob.account, id);
    }

    // ------------------------------------------------------------------------------------------------ old or missing consent

    function test_Attack_OldOfferAfterDelistOrRelist() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory old = _sign(alice.key, _openOffer(id, 1, 5_000));
        ledger.revoke(id, 1, NEVER, _sign(alice.key, _revokeHash(id, 1, NEVER))); // delisted
        bytes memory stale = abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 2);
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, 5_000, old)), stale);
        bytes memory bad = abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account);
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 2, 5_000, old)), bad);
        bytes memory relisted = _sign(alice.key, _openOffer(id, 2, FACE));
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 2, 5_000, relisted)), bad);
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 2, FACE, relisted)), "");
    }

    function test_Attack_SettlementWithoutAttestation() external {
        uint64 id = _soldLongAgo(alice.account, true);
        Settlement[] memory lines = new Settlement[](1);
        lines[0] = _settlement(id, bob.account, true, 1, FACE, _sign(alice.key, _openOffer(id, 1, FACE)));
        vm.startPrank(relayer);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), "");
        bytes memory attestation = _attestSettlements(tokenEventId, lines);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
    }

    function test_Attack_ALineUsedTwice() external {
        uint64 id = _id(0);
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](2);
        lines[0] = lines[1] = _delivery(id, alice.account, true, 0, FACE);
        bytes memory attestation = _attestDeliveries(eventId, lines);
        vm.startPrank(relayer);
        bytes[] memory problems = ledger.deliver(eventId, lines, attestation);
        vm.assertEq(problems[0], "");
        vm.assertEq(problems[1], abi.encodeWithSelector(Ledger_NotInStock.selector, id));
        problems = ledger.deliver(eventId, lines, attestation);
        vm.assertEq(problems[0], abi.encodeWithSelector(Ledger_NotInStock.selector, id));
    }

    function test_Attack_ASettlementUsedTwice() external {
        uint64 id = _soldLongAgo(alice.account, true);
        Settlement[] memory lines = new Settlement[](2);
        lines[0] = lines[1] = _settlement(id, bob.account, true, 1, FACE, _sign(alice.key, _openOffer(id, 1, FACE)));
        bytes memory attestation = _attestSettlements(eventId, lines);
        bytes memory problem = abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 2);
        vm.startPrank(relayer);
        bytes[] memory problems = ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.assertEq(problems[0], "");
        vm.assertEq(problems[1], problem);
        problems = ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.assertEq(problems[0], problem);
        vm.assertEq(problems[1], problem);
        vm.assertEq(ledger.potOf(eventId), 500);
    }

    function test_Attack_BulkLineSkippedAndLost() external {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](3);
        lines[0] = _delivery(_id(0), alice.account, true, 0, FACE);
        lines[1] = _delivery(_id(1), alice.account, true, 7, FACE);
        lines[2] = _delivery(_id(2), alice.account, true, 0, FACE);
        bytes memory attestation = _attestDeliveries(eventId, lines);
        bytes memory problem = abi.encodeWithSelector(Ledger_StaleEpoch.selector, _id(1), 7, 0);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Skipped(_id(1), REF, problem);
        vm.prank(relayer);
        bytes[] memory problems = ledger.deliver(eventId, lines, attestation);
        vm.assertEq(problems.length, 3);
        vm.assertEq(problems[1], problem);
        vm.assertEq(ledger.holderOf(_id(1)), address(0));
        vm.assertEq(_deliverLine(eventId, _delivery(_id(1), alice.account, true, 0, FACE)), "");
    }

    function test_Attack_GasBurningWalletInABulkCall() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        _deliverLine(eventId, _delivery(_id(0), address(wallet), false, 0, FACE));
        _deliverLine(eventId, _delivery(_id(1), alice.account, true, 0, FACE));
        vm.warp(RESALE_OPENS + COOLDOWN);
        wallet.setWasteful(true);
        Settlement[] memory lines = new Settlement[](2);
        lines[0] = _settlement(_id(0), bob.account, true, 1, FACE, _sign(alice.key, _openOffer(_id(0), 1, FACE)));
        lines[1] = _settlement(_id(1), bob.account, true, 1, FACE, _sign(alice.key, _openOffer(_id(1), 1, FACE)));
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        bytes[] memory problems =
            ledger.settleResales{gas: 600_000}(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.assertEq(problems[0], abi.encodeWithSelector(Ledger_BadConsent.selector, _id(0), address(wallet)));
        vm.assertEq(problems[1], "");
    }

    function test_Attack_CustodiedTicketMovedByPlainErc721Calls() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory problem =
            abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, alice.account, id, ledger);
        vm.startPrank(alice.account);
        vm.expectRevert(problem);
        ledger.transferFrom(alice.account, bob.account, id);
        vm.expectRevert(problem);
        ledger.safeTransferFrom(alice.account, bob.account, id);
        problem = abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, alice.account, id);
        vm.expectRevert(problem);
        ledger.transferFrom(address(ledger), bob.account, id);
        vm.expectRevert(problem);
        ledger.safeTransferFrom(address(ledger), bob.account, id, "");
    }

    // ------------------------------------------------------------------------------------------------ power over held tickets

    /// @notice Void: a payment in dispute only. Freeze: this holder's payment, or the one of who gave it. Reissue: by the terms only.
    function test_Attack_VoidFreezeReissueOutsideTheThreeCases() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _giftBy(alice, id, 1, bob.account, true);
        bytes memory attestation = _sign(attestor.key, _voidHash(id, 2, REF));
        vm.startPrank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotFrozen.selector, id));
        ledger.voidTicket(id, 2, REF, attestation);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotInTerms.selector, eventId));
        ledger.announceReissue(id, 2, carol.account, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotAnnounced.selector, id));
        ledger.reissue(id);
        bytes32 typeHash = keccak256("Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)");
        attestation = _sign(attestor.key, keccak256(abi.encode(typeHash, id, uint16(2), uint16(2), REF)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_OtherPayment.selector, id, 1));
        ledger.freeze(id, 2, 2, REF, attestation);
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.freeze(id, 2, 1, REF, attestation);
    }

    function test_Attack_PartsCalledDirectlyHaveNoPower() external {
        address desk = _next(address(ledger));
        address office = _next(desk);
        vm.assertTrue(office.code.length > 0);
        vm.startPrank(relayer);
        (bool success,) = desk.call(abi.encodeCall(ledger.announceReissue, (_id(0), 0, bob.account, true)));
        vm.assertFalse(success);
        vm.startPrank(admin);
        (success,) = office.call(abi.encodeCall(ledger.setRoles, (0, admin, ADMIN)));
        vm.assertFalse(success);
        (success,) = address(ledger).call("unknown");
        vm.assertFalse(success);
        (success,) = address(ledger).call{value: 1}("");
        vm.assertFalse(success);
    }

    function _next(address part) private view returns (address next) {
        (, bytes memory answer) = part.staticcall(abi.encodeWithSignature("nextPart()"));
        next = abi.decode(answer, (address));
    }

    // ------------------------------------------------------------------------------------------------ ends of the ranges

    function test_Attack_EpochAtItsMaximum() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _force(id, uint256(uint160(alice.account)) | (uint256(65_535) << 168) | (uint256(FACE) << 216));
        bytes memory problem = abi.encodeWithSelector(Ledger_LastEpoch.selector, id);
        vm.startPrank(alice.account);
        vm.expectRevert(problem);
        ledger.transferFrom(alice.account, bob.account, id);
        vm.expectRevert(problem);
        ledger.revoke(id, 65_535, 0, "");
        vm.stopPrank();
        vm.assertEq(_redeemOne(0, 65_535), "");
    }

    function test_Attack_PriceOver40Bits() external {
        uint64 id = _id(0);
        ILedgerTypes.Delivery memory line = _delivery(id, alice.account, true, 0, 0);
        line.payment = Payment.wrap(uint256(uint128(REF)) | (uint256(1) << 168));
        vm.assertEq(_deliverLine(eventId, line), abi.encodeWithSelector(Ledger_BadLine.selector, id));
        vm.prank(organizer);
        id = ledger.issue(eventId, 1, ILedgerTypes.Batch(1, 1, 0, 7, type(uint40).max), "manifest");
        line = _delivery(id, alice.account, true, 0, type(uint40).max);
        vm.assertEq(_deliverLine(eventId, line), "");
        vm.assertEq(ledger.ticketOf(id).price, type(uint40).max);
        (bool success,) = address(ledger)
            .call(abi.encodeWithSelector(ledger.buyResale.selector, id, 1, uint256(1) << 40, address(0), NEVER, ""));
        vm.assertFalse(success);
    }
}
