// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {DeafWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice Sales for tokens by voucher, escrow, its release, refunds from it, claims for custodied accounts.
contract EscrowTest is Base {
    function _ticket(uint16 index) private view returns (uint64) {
        return TicketId.first(tokenEventId, 0) + index;
    }

    function _escrow() private view returns (uint256 amount) {
        (amount,,) = ledger.escrowOf(tokenEventId);
    }

    function _one(uint64 id) private pure returns (uint64[] memory ids) {
        ids = new uint64[](1);
        ids[0] = id;
    }

    function _assertSolvent() private view {
        address[6] memory accounts = [alice.account, bob.account, carol.account, organizer, payeeA, payeeB];
        uint256 owed = ledger.potOf(tokenEventId) + _escrow();
        for (uint256 i = 0; i < accounts.length; ++i) {
            owed += ledger.creditOf(accounts[i], address(token));
        }
        vm.assertEq(token.balanceOf(address(ledger)), owed);
    }

    // ------------------------------------------------------------------------------------------------ buy

    function test_Buy() external {
        token.mint(bob.account, FACE * UNIT);
        bytes memory voucher = _voucher(_ticket(0), 0, FACE, bob.account, NEVER);
        vm.startPrank(bob.account);
        token.approve(address(ledger), FACE * UNIT);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Bought(_ticket(0), bob.account, 1, FACE, REF);
        ledger.buy(_ticket(0), 0, FACE, REF, NEVER, voucher);
        _assertTicket(_ticket(0), bob.account, false, 1, FACE);
        vm.assertEq(_escrow(), FACE * UNIT);
        vm.assertEq(ledger.balanceOf(bob.account), 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotInStock.selector, _ticket(0)));
        ledger.buy(_ticket(0), 0, FACE, REF, NEVER, voucher);
    }

    function _expectRefused(address buyer, uint64 id, uint40 price, bytes memory voucher, bytes memory problem)
        private
    {
        vm.expectRevert(problem);
        vm.prank(buyer);
        ledger.buy(id, 0, price, REF, NEVER, voucher);
    }

    function test_RevertWhen_VoucherIsForAnother() external {
        uint64 id = _ticket(0);
        bytes memory problem = abi.encodeWithSelector(Ledger_BadAttestation.selector);
        _expectRefused(bob.account, id, FACE, "", problem);
        _expectRefused(bob.account, id, FACE, _voucher(id, 0, FACE, alice.account, NEVER), problem);
        _expectRefused(bob.account, id, FACE, _voucher(id + 1, 0, FACE, bob.account, NEVER), problem);
        _expectRefused(bob.account, id, FACE, _voucher(id, 1, FACE, bob.account, NEVER), problem);
        _expectRefused(bob.account, id, FACE, _voucher(id, 0, FACE - 1, bob.account, NEVER), problem);
        _expectRefused(bob.account, id, FACE, _voucher(id, 0, FACE, bob.account, NEVER - 1), problem);
    }

    function test_RevertWhen_VoucherExpired() external {
        bytes memory voucher = _voucher(_ticket(0), 0, FACE, bob.account, START - 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Expired.selector, _ticket(0), START - 1));
        vm.prank(bob.account);
        ledger.buy(_ticket(0), 0, FACE, REF, START - 1, voucher);
    }

    function test_RevertWhen_BoughtAtAnotherPriceThanFace() external {
        uint64 id = _ticket(0);
        bytes memory voucher = _voucher(id, 0, 1, bob.account, NEVER);
        _expectRefused(bob.account, id, 1, voucher, abi.encodeWithSelector(Ledger_WrongPrice.selector, id, 1, FACE));
    }

    function test_RevertWhen_NotForSaleForTokens() external {
        uint64 id = _id(0);
        bytes memory voucher = _voucher(id, 0, FACE, bob.account, NEVER);
        _expectRefused(bob.account, id, FACE, voucher, abi.encodeWithSelector(Ledger_WrongRail.selector, eventId));
        id = _ticket(SUPPLY);
        voucher = _voucher(id, 0, FACE, bob.account, NEVER);
        _expectRefused(bob.account, id, FACE, voucher, abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id));
        id = _ticket(0);
        voucher = _voucher(id, 0, FACE, bob.account, NEVER);
        _setStatus(tokenEventId, 2);
        bytes memory problem = abi.encodeWithSelector(Ledger_NotOnSale.selector, tokenEventId, 2);
        _expectRefused(bob.account, id, FACE, voucher, problem);
    }

    function test_RevertWhen_BuyerIsRefused() external {
        uint64 id = _ticket(0);
        address wrapper = address(new DeafWallet());
        bytes memory voucher = _voucher(id, 0, FACE, wrapper, NEVER);
        _expectRefused(wrapper, id, FACE, voucher, abi.encodeWithSelector(Ledger_RefusedAccount.selector, wrapper));
        ILedgerTypes.Terms memory terms = _terms();
        (terms.token, terms.capBps, terms.holderLimit) = (address(token), 10_000, 1);
        tokenEventId = _createEvent(terms);
        id = _ticket(0);
        _deliverLine(tokenEventId, _delivery(id + 1, bob.account, false, 0, 0));
        voucher = _voucher(id, 0, FACE, bob.account, NEVER);
        bytes memory problem = abi.encodeWithSelector(Ledger_HolderLimit.selector, bob.account, 1);
        _expectRefused(bob.account, id, FACE, voucher, problem);
    }

    // ------------------------------------------------------------------------------------------------ release

    function test_ReleaseEscrow() external {
        _buyTicket(alice.account, _ticket(0), 0);
        vm.warp(RELEASE);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.EscrowReleased(tokenEventId, organizer, FACE * UNIT);
        vm.prank(stranger);
        ledger.releaseEscrow(tokenEventId);
        vm.assertEq(ledger.creditOf(organizer, address(token)), FACE * UNIT);
        (uint256 amount, uint32 releaseAt, bool released) = ledger.escrowOf(tokenEventId);
        vm.assertEq(amount, 0);
        vm.assertEq(releaseAt, RELEASE);
        vm.assertTrue(released);
        _assertSolvent();
    }

    function test_RevertWhen_ReleasedOnFiatRailOrUnknown() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongRail.selector, eventId));
        ledger.releaseEscrow(eventId);
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        ledger.releaseEscrow(99);
    }

    // ------------------------------------------------------------------------------------------------ refunds from escrow

    function test_CancelledEventRefundsFaceFromEscrow() external {
        _buyTicket(alice.account, _ticket(0), 0);
        _buyTicket(bob.account, _ticket(1), 0);
        _deliverLine(tokenEventId, _delivery(_ticket(2), carol.account, false, 0, 0));
        vm.warp(RESALE_OPENS);
        // Carol buys alice's ticket for less: face is in escrow all the same. Her own one was complimentary.
        token.mint(carol.account, 6_000 * UNIT);
        vm.prank(carol.account);
        token.approve(address(ledger), 6_000 * UNIT);
        bytes memory consent = _sign(alice.key, _tokenOffer(_ticket(0), 1, 6_000, address(0)));
        vm.prank(carol.account);
        ledger.buyResale(_ticket(0), 1, 6_000, address(0), NEVER, consent);
        _assertSolvent();

        _setStatus(tokenEventId, 3);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RefundedCancelled(_ticket(0), carol.account, 3, FACE);
        ledger.refundCancelled(tokenEventId, _one(_ticket(0)));
        ledger.refundCancelled(tokenEventId, _one(_ticket(1)));
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RefundedCancelled(_ticket(2), carol.account, 2, 0);
        ledger.refundCancelled(tokenEventId, _one(_ticket(2)));
        vm.assertEq(_escrow(), 0);
        vm.assertEq(ledger.creditOf(carol.account, address(token)), FACE * UNIT);
        vm.assertEq(ledger.creditOf(bob.account, address(token)), FACE * UNIT);
        vm.assertEq(ledger.creditOf(alice.account, address(token)), 5_500 * UNIT);
        _assertSolvent();
    }

    function test_UsedTicketIsRefundedOnceFromEscrow() external {
        _buyTicket(alice.account, _ticket(0), 0);
        uint40 fiat = eventId;
        eventId = tokenEventId;
        _redeemOne(0, 1);
        eventId = fiat;
        _setStatus(tokenEventId, 3);
        vm.assertEq(ledger.refundCancelled(tokenEventId, _one(_ticket(0))).length, 0);
        vm.assertEq(ledger.refundCancelled(tokenEventId, _one(_ticket(0))).length, 1);
        vm.assertEq(ledger.creditOf(alice.account, address(token)), FACE * UNIT);
        _assertSolvent();
    }

    // ------------------------------------------------------------------------------------------------ claimFor

    function _claimConsent(address to, uint256 nonce, uint40 deadline) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Claim(address account,address token,address to,uint256 nonce,uint40 deadline)");
        return _sign(alice.key, keccak256(abi.encode(typeHash, alice.account, address(token), to, nonce, deadline)));
    }

    function _credit(uint16 index) private {
        vm.warp(START);
        _deliverLine(tokenEventId, _delivery(_ticket(index), alice.account, true, 0, 0));
        vm.warp(RESALE_OPENS);
        token.mint(bob.account, FACE * UNIT);
        bytes memory consent = _sign(alice.key, _tokenOffer(_ticket(index), 1, FACE, address(0)));
        vm.startPrank(bob.account);
        token.approve(address(ledger), FACE * UNIT);
        ledger.buyResale(_ticket(index), 1, FACE, address(0), NEVER, consent);
        vm.stopPrank();
    }

    function test_ClaimForACustodiedAccount() external {
        _credit(0);
        bytes memory consent = _claimConsent(carol.account, 0, NEVER);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.CreditClaimed(alice.account, address(token), 9_500 * UNIT);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.CreditForwarded(alice.account, carol.account);
        ledger.claimFor(alice.account, address(token), carol.account, NEVER, consent);
        vm.assertEq(token.balanceOf(carol.account), 9_500 * UNIT);
        vm.assertEq(ledger.claimNonceOf(alice.account), 1);
        _credit(1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSignature.selector, alice.account));
        ledger.claimFor(alice.account, address(token), carol.account, NEVER, consent);
        ledger.claimFor(alice.account, address(token), carol.account, NEVER, _claimConsent(carol.account, 1, NEVER));
        _assertSolvent();
    }

    function test_RevertWhen_ClaimedWithoutConsent() external {
        _credit(0);
        bytes memory problem = abi.encodeWithSelector(Ledger_BadSignature.selector, alice.account);
        bytes memory consent = _claimConsent(carol.account, 0, NEVER);
        vm.expectRevert(problem);
        ledger.claimFor(alice.account, address(token), stranger, NEVER, consent);
        consent = _claimConsent(carol.account, 0, START);
        vm.expectRevert(problem);
        ledger.claimFor(alice.account, address(token), carol.account, START, consent);
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(0)));
        ledger.claimFor(alice.account, address(token), address(0), NEVER, consent);
        consent = _claimConsent(carol.account, 0, NEVER);
        ledger.claimFor(alice.account, address(token), carol.account, NEVER, consent);
        consent = _claimConsent(carol.account, 1, NEVER);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NoCredit.selector, alice.account, address(token)));
        ledger.claimFor(alice.account, address(token), carol.account, NEVER, consent);
    }

    function test_RevertWhen_ClaimedForTheLedgerItself() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(ledger)));
        ledger.claimFor(alice.account, address(token), address(ledger), NEVER, "");
    }
}
