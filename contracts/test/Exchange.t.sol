// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {DeafWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice Swap, exchange, pool.
contract ExchangeTest is Base {
    // ------------------------------------------------------------------------------------------------ swap

    function _two() private returns (uint64 id, uint64 otherId) {
        (id, otherId) = (_id(0), _id(1));
        _deliverLine(eventId, _delivery(id, alice.account, true, 0, FACE));
        _deliverLine(eventId, _delivery(otherId, bob.account, false, 0, 9_000));
        vm.warp(RESALE_OPENS);
    }

    function test_Swap() external {
        (uint64 id, uint64 otherId) = _two();
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Swapped(id, otherId, bob.account, alice.account, 2, 2);
        ledger.swap(_swapSide(alice, id, 1, otherId, 1), _swapSide(bob, otherId, 1, id, 1));
        _assertTicket(id, bob.account, false, 2, FACE);
        _assertTicket(otherId, alice.account, true, 2, 9_000);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
        vm.assertEq(ledger.ticketOf(otherId).gifts, 1);
        vm.assertEq(ledger.balanceOf(bob.account), 1);
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
        vm.assertEq(ledger.paidEpochOf(id), 1);
    }

    function test_SwapAtTheHolderLimit() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.holderLimit = 1;
        eventId = _createEvent(terms);
        (uint64 id, uint64 otherId) = _two();
        ledger.swap(_swapSide(alice, id, 1, otherId, 1), _swapSide(bob, otherId, 1, id, 1));
        vm.assertEq(ledger.holdingOf(eventId, alice.account), 1);
        vm.assertEq(ledger.holdingOf(eventId, bob.account), 1);
    }

    function test_RevertWhen_SwapNeedsBothConsents() external {
        (uint64 id, uint64 otherId) = _two();
        ILedgerTypes.SwapSide memory one = _swapSide(alice, id, 1, otherId, 1);
        ILedgerTypes.SwapSide memory other = _swapSide(alice, otherId, 1, id, 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, otherId, bob.account));
        ledger.swap(one, other);
        other = _swapSide(bob, otherId, 1, id, 2);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, otherId, bob.account));
        ledger.swap(one, other);
    }

    function test_RevertWhen_SwapIsOfUnequalFaceOrEvent() external {
        (uint64 id,) = _two();
        vm.prank(organizer);
        uint64 dear = ledger.issue(eventId, 1, ILedgerTypes.Batch(1, 1, 0, 7, FACE + 1), "manifest");
        ILedgerTypes.SwapSide memory one = _swapSide(alice, id, 1, dear, 1);
        ILedgerTypes.SwapSide memory other = _swapSide(bob, dear, 1, id, 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnequalFace.selector, id, FACE, FACE + 1));
        ledger.swap(one, other);
        other.id = TicketId.first(tokenEventId, 0);
        vm.expectRevert(abi.encodeWithSelector(Ledger_OtherEvent.selector, other.id, eventId));
        ledger.swap(one, other);
    }

    function test_RevertWhen_SwapWithOneselfOrAWrapper() external {
        (uint64 id, uint64 otherId) = _two();
        _deliverLine(eventId, _delivery(_id(2), alice.account, true, 0, FACE));
        vm.warp(RESALE_OPENS + COOLDOWN);
        ILedgerTypes.SwapSide memory one = _swapSide(alice, id, 1, _id(2), 1);
        ILedgerTypes.SwapSide memory other = _swapSide(alice, _id(2), 1, id, 1);
        bytes memory problem = abi.encodeWithSelector(Ledger_RefusedAccount.selector, alice.account);
        vm.expectRevert(problem);
        ledger.swap(one, other);
        vm.expectRevert(problem);
        ledger.swap(one, one);
        vm.etch(bob.account, address(new DeafWallet()).code);
        one = _swapSide(alice, id, 1, otherId, 1);
        other = _swapSide(bob, otherId, 1, id, 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, bob.account));
        ledger.swap(one, other);
    }

    function test_RevertWhen_SwapIsNotUnderTheGiftRules() external {
        (uint64 id, uint64 otherId) = _two();
        ILedgerTypes.SwapSide memory one = _swapSide(alice, id, 1, otherId, 1);
        ILedgerTypes.SwapSide memory other = _swapSide(bob, otherId, 1, id, 1);
        vm.warp(GIFTS_CLOSE + 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_GiftsClosed.selector, id, GIFTS_CLOSE));
        ledger.swap(one, other);
    }

    // ------------------------------------------------------------------------------------------------ exchange

    function _upgrade(uint40 face) private returns (ILedgerTypes.Exchange memory line) {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.prank(organizer);
        uint64 toId = ledger.issue(eventId, 1, ILedgerTypes.Batch(9, 1, 0, 7, face), "manifest");
        line = ILedgerTypes.Exchange(id, 1, toId, 0, int48(uint48(face)) - int48(uint48(FACE)), REF, NEVER);
    }

    function _expectExchangeRefused(ILedgerTypes.Exchange memory line, bytes memory problem) private {
        vm.expectRevert(problem);
        this.exchangeOfAlice(line);
    }

    function exchangeOfAlice(ILedgerTypes.Exchange memory line) external {
        _exchange(alice, line);
    }

    function test_ExchangeForADearerTicket() external {
        ILedgerTypes.Exchange memory line = _upgrade(15_000);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Exchanged(line.id, line.toId, alice.account, 2, 1, 15_000, 5_000, REF);
        _exchange(alice, line);
        vm.assertEq(_word(line.id), uint256(2) << 168);
        _assertTicket(line.toId, alice.account, true, 1, 15_000);
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
        (uint128 due,) = ledger.refundsOf(eventId);
        vm.assertEq(due, 0);
    }

    function test_ExchangeForACheaperTicketOwesTheDifference() external {
        _exchange(alice, _upgrade(4_000));
        (uint128 due,) = ledger.refundsOf(eventId);
        vm.assertEq(due, 6_000);
        _assertTicket(TicketId.first(eventId, 1), alice.account, true, 1, 4_000);
    }

    function test_ExchangeForAnotherDay() external {
        uint64 id = _soldLongAgo(alice.account, false);
        uint40 second = _createEvent(_terms());
        uint64 toId = TicketId.first(second, 0);
        _exchange(alice, ILedgerTypes.Exchange(id, 1, toId, 0, 0, REF, NEVER));
        _assertTicket(toId, alice.account, false, 1, FACE);
        vm.assertEq(ledger.balanceOf(alice.account), 1);
    }

    function test_ExchangeKeepsTheGiftCounterAndKnowsItsPayment() external {
        ILedgerTypes.Exchange memory line = _upgrade(15_000);
        _giftBy(alice, line.id, 1, bob.account, true);
        line.epoch = 2;
        _exchange(bob, line);
        vm.assertEq(ledger.ticketOf(line.toId).gifts, 1);
        vm.assertEq(ledger.paidEpochOf(line.toId), 1);
        vm.warp(block.timestamp + COOLDOWN);
        _giftBy(bob, line.toId, 1, carol.account, true);
        vm.assertEq(ledger.paidEpochOf(line.toId), 1);
    }

    function test_RevertWhen_DifferenceIsNotThatOfTheFacePrices() external {
        ILedgerTypes.Exchange memory line = _upgrade(15_000);
        line.difference = 4_999;
        _expectExchangeRefused(
            line, abi.encodeWithSelector(Ledger_WrongDifference.selector, line.id, int48(4_999), int48(5_000))
        );
    }

    function test_RevertWhen_MoreIsGivenBackThanWasPaid() external {
        vm.prank(organizer);
        uint64 toId = ledger.issue(eventId, 1, ILedgerTypes.Batch(9, 1, 0, 7, 1_000), "manifest");
        uint64 id = _id(0);
        _deliverLine(eventId, _delivery(id, alice.account, true, 0, 8_999));
        ILedgerTypes.Exchange memory line = ILedgerTypes.Exchange(id, 1, toId, 0, -9_000, REF, NEVER);
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_OverRefund.selector, id, 9_000, 8_999));
    }

    function test_RevertWhen_ExchangePriceIsOver40Bits() external {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.prank(organizer);
        uint64 toId = ledger.issue(eventId, 1, ILedgerTypes.Batch(9, 1, 0, 7, type(uint40).max), "manifest");
        _settleLine(_settlement(id, bob.account, true, 1, 11_000, _sign(alice.key, _openOffer(id, 1, 11_000))));
        int48 difference = int48(uint48(type(uint40).max)) - int48(uint48(FACE));
        ILedgerTypes.Exchange memory line = ILedgerTypes.Exchange(id, 2, toId, 0, difference, REF, NEVER);
        vm.expectPartialRevert(SafeCast.SafeCastOverflowedUintDowncast.selector);
        this.exchangeBy(bob, line);
    }

    function exchangeBy(Fan memory fan, ILedgerTypes.Exchange memory line) external {
        _exchange(fan, line);
    }

    function test_RevertWhen_ExchangeWithoutConsentOrAttestation() external {
        ILedgerTypes.Exchange memory line = _upgrade(15_000);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, line.id, alice.account));
        this.exchangeBy(bob, line);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger));
        vm.prank(stranger);
        ledger.exchange(line, "", "");
        Fan memory attestor_ = attestor;
        attestor = bob;
        vm.expectRevert(Ledger_BadAttestation.selector);
        this.exchangeOfAlice(line);
        attestor = attestor_;
    }

    function test_RevertWhen_StockIsNotForSale() external {
        ILedgerTypes.Exchange memory line = _upgrade(15_000);
        _deliverLine(eventId, _delivery(line.toId, bob.account, true, 0, 15_000));
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_NotInStock.selector, line.toId));
        line.toId += 9;
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_NoSuchTicket.selector, line.toId));
        line.toId -= 1;
        _setStatus(eventId, 2);
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_NotOnSale.selector, eventId, 2));
    }

    function test_RevertWhen_OrganizerCurrencyOrRailDiffers() external {
        uint64 id = _soldLongAgo(alice.account, false);
        ILedgerTypes.Terms memory terms = _terms();
        terms.currency = "CHF";
        uint40 other = _createEvent(terms);
        ILedgerTypes.Exchange memory line = ILedgerTypes.Exchange(id, 1, TicketId.first(other, 0), 0, 0, REF, NEVER);
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_OtherOrganizer.selector, eventId, other));
        line.toId = TicketId.first(tokenEventId, 0);
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_WrongRail.selector, eventId));
        organizer = stranger;
        other = _createEvent(_terms());
        line.toId = TicketId.first(other, 0);
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_OtherOrganizer.selector, eventId, other));
    }

    function test_RevertWhen_ExchangeWouldPassTheHolderLimit() external {
        uint64 id = _soldLongAgo(alice.account, false);
        uint40 first = eventId;
        ILedgerTypes.Terms memory terms = _terms();
        terms.holderLimit = 1;
        eventId = _createEvent(terms);
        _sold(alice.account, true);
        ILedgerTypes.Exchange memory line = ILedgerTypes.Exchange(id, 1, _id(1), 0, 0, REF, NEVER);
        _expectExchangeRefused(line, abi.encodeWithSelector(Ledger_HolderLimit.selector, alice.account, 1));
        line.id = _id(0); // within the event no ticket is added
        _exchange(alice, line);
        vm.assertEq(ledger.holdingOf(eventId, alice.account), 1);
        eventId = first;
    }

    // ------------------------------------------------------------------------------------------------ pool

    function test_PoolReturnAndSale() external {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.PoolReturned(id, alice.account, 2, 10_500);
        _poolReturn(alice, id, 1, 10_500);
        (address seller, uint40 paid) = ledger.poolOf(id);
        vm.assertEq(seller, alice.account);
        vm.assertEq(paid, FACE);
        vm.assertEq(ledger.holderOf(id), address(0));
        vm.assertEq(ledger.balanceOf(address(ledger)), 0);

        vm.expectEmit(address(ledger));
        emit ILedgerTypes.PoolSold(id, alice.account, 10_500, 525);
        vm.assertEq(_deliverLine(eventId, _delivery(id, bob.account, true, 2, 10_500)), "");
        _assertTicket(id, bob.account, true, 3, 10_500);
        vm.assertEq(ledger.potOf(eventId), 525);
        (seller,) = ledger.poolOf(id);
        vm.assertEq(seller, address(0));
    }

    /// @dev Else the shop could resell past the cap, and keep what the seller does not get.
    function test_PoolIsSoldAtTheSellersPriceOnly() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _poolReturn(alice, id, 1, FACE);
        vm.assertEq(
            _deliverLine(eventId, _delivery(id, bob.account, true, 2, FACE - 1)),
            abi.encodeWithSelector(Ledger_WrongPrice.selector, id, FACE - 1, FACE)
        );
        vm.assertEq(
            _deliverLine(eventId, _delivery(id, bob.account, true, 2, FACE + 1)),
            abi.encodeWithSelector(Ledger_WrongPrice.selector, id, FACE + 1, FACE)
        );
        vm.assertEq(
            _deliverLine(eventId, _delivery(id, bob.account, true, 1, FACE)),
            abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 2)
        );
    }

    function test_RevertWhen_PoolReturnIsOverCapClosedOrWithoutConsent() external {
        uint64 id = _sold(alice.account, true);
        vm.warp(START + COOLDOWN);
        vm.expectPartialRevert(Ledger_ResaleClosed.selector);
        ledger.poolReturn(id, 1, FACE, NEVER, "");
        vm.warp(RESALE_OPENS);
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverCap.selector, id, 11_001, 11_000));
        ledger.poolReturn(id, 1, 11_001, NEVER, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.poolReturn(id, 1, FACE, NEVER, "");
        uint64 tokens = _tokenTicket(alice.account);
        vm.warp(RESALE_OPENS + COOLDOWN);
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongRail.selector, tokenEventId));
        ledger.poolReturn(tokens, 1, FACE, NEVER, "");
    }

    /// @dev It could never be delivered, so its seller would have lost it for nothing.
    function test_RevertWhen_PoolReturnWouldReachTheLastEpoch() external {
        uint64 id = _soldLongAgo(alice.account, true);
        uint256 word = _word(id) & ~(uint256(type(uint16).max) << 168);
        _force(id, word | (uint256(65_534) << 168));
        bytes memory consent = _sign(alice.key, _poolReturnHash(id, 65_534, FACE));
        vm.expectRevert(abi.encodeWithSelector(Ledger_LastEpoch.selector, id));
        ledger.poolReturn(id, 65_534, FACE, NEVER, consent);
        _force(id, word | (uint256(65_533) << 168));
        _poolReturn(alice, id, 65_533, FACE);
        vm.assertEq(_deliverLine(eventId, _delivery(id, bob.account, true, 65_534, FACE)), "");
    }

    function test_RevertWhen_ExchangedForATicketInThePool() external {
        uint64 id = _soldLongAgo(alice.account, true);
        uint64 other = _id(1);
        _deliverLine(eventId, _delivery(other, bob.account, true, 0, FACE));
        vm.warp(block.timestamp + COOLDOWN);
        _poolReturn(bob, other, 1, FACE);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotInStock.selector, other));
        vm.prank(relayer);
        ledger.exchange(ILedgerTypes.Exchange(id, 1, other, 2, 0, REF, NEVER), "", "");
    }

    function test_SellerInThePoolIsRefundedWhenTheEventIsCancelled() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _poolReturn(alice, id, 1, 11_000);
        _setStatus(eventId, 3);
        uint64[] memory ids = new uint64[](1);
        ids[0] = id;
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RefundedCancelled(id, alice.account, 2, FACE);
        ledger.refundCancelled(eventId, ids);
        vm.assertEq(_word(id), uint256(2) << 168);
        vm.assertEq(ledger.refundCancelled(eventId, ids).length, 1);
    }
}
