// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {ITicketOffice} from "../src/interfaces/ITicketOffice.sol";
import {DeafWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice Resales paid in tokens; the pot, its release, credits.
contract TokenRailTest is Base {
    function setUp() public override {
        super.setUp();
        token.mint(bob.account, 10 * FACE * UNIT);
        vm.prank(bob.account);
        token.approve(address(ledger), type(uint256).max);
    }

    function _buy(Fan memory seller, address buyer, uint64 id, uint16 epoch, uint40 price) private {
        bytes memory consent = _sign(seller.key, _tokenOffer(id, epoch, price, address(0)));
        vm.prank(buyer);
        ledger.buyResale(id, epoch, price, address(0), NEVER, consent);
    }

    function _assertSolvent() private view {
        address[6] memory accounts = [alice.account, bob.account, carol.account, payeeA, payeeB, payeeC];
        uint256 owed = ledger.potOf(tokenEventId);
        for (uint256 i = 0; i < accounts.length; ++i) {
            owed += ledger.creditOf(accounts[i], address(token));
        }
        vm.assertEq(token.balanceOf(address(ledger)), owed);
    }

    function test_BuyResale() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, bob.account));
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Resold(id, alice.account, bob.account, 2, FACE, 500);
        vm.prank(bob.account);
        ledger.buyResale(id, 1, FACE, bob.account, NEVER, consent);

        _assertTicket(id, bob.account, false, 2, FACE);
        vm.assertEq(ledger.balanceOf(bob.account), 1);
        vm.assertEq(ledger.balanceOf(alice.account), 0);
        vm.assertEq(token.balanceOf(address(ledger)), FACE * UNIT);
        vm.assertEq(ledger.creditOf(alice.account, address(token)), 9_500 * UNIT);
        vm.assertEq(ledger.potOf(tokenEventId), 500 * UNIT);
    }

    function test_BuyResaleOfCustodiedSeller() external {
        uint64 id = _tokenTicket(alice.account);
        ledger.gift(id, 1, carol.account, true, NEVER, _sign(alice.key, _giftHash(id, 1, carol.account, true, NEVER)));
        vm.warp(block.timestamp + COOLDOWN);
        _buy(carol, bob.account, id, 2, FACE);
        _assertTicket(id, bob.account, false, 3, FACE);
        vm.assertEq(ledger.balanceOf(address(ledger)), 0);
    }

    function testFuzz_PriceIsSharedExactly(uint40 price) external {
        price = uint40(_bound(price, 0, FACE));
        uint64 id = _tokenTicket(alice.account);
        _buy(alice, bob.account, id, 1, price);
        uint256 royalty = price < 500 ? price : 500;
        vm.assertEq(ledger.potOf(tokenEventId), royalty * UNIT);
        vm.assertEq(ledger.creditOf(alice.account, address(token)), (price - royalty) * UNIT);
        _assertSolvent();
    }

    // ------------------------------------------------------------------------------------------------ refused purchases

    function test_RevertWhen_OfferIsForAnotherBuyer() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, carol.account));
        vm.startPrank(bob.account);
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, bob.account));
        ledger.buyResale(id, 1, FACE, carol.account, NEVER, consent);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.buyResale(id, 1, FACE, bob.account, NEVER, consent);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
    }

    function test_RevertWhen_PriceIsNotTheOffered() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        vm.prank(bob.account);
        ledger.buyResale(id, 1, 1, address(0), NEVER, consent);
    }

    function test_RevertWhen_OverCapOnTokenRail() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE + 1, address(0)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverCap.selector, id, FACE + 1, FACE));
        vm.prank(bob.account);
        ledger.buyResale(id, 1, FACE + 1, address(0), NEVER, consent);
    }

    function test_RevertWhen_BuyerIsSellerOrWrapper() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, alice.account));
        vm.prank(alice.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
        address wrapper = address(new DeafWallet());
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, wrapper));
        vm.prank(wrapper);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
    }

    function test_RevertWhen_BoughtOnFiatRail() external {
        uint64 id = _soldLongAgo(alice.account, false);
        bytes memory consent = _sign(alice.key, _openOffer(id, 1, FACE));
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongRail.selector, eventId));
        vm.prank(bob.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
    }

    function test_RevertWhen_OfferExpired() external {
        uint64 id = _tokenTicket(alice.account);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Expired.selector, id, 1));
        vm.prank(bob.account);
        ledger.buyResale(id, 1, FACE, address(0), 1, "");
    }

    function test_RevertWhen_TokenTakesAFee() external {
        uint64 id = _tokenTicket(alice.account);
        token.setFee(100);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        uint256 price = FACE * UNIT;
        vm.expectRevert(
            abi.encodeWithSelector(Ledger_WrongTokenAmount.selector, address(token), price * 99 / 100, price)
        );
        vm.prank(bob.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
    }

    function test_RevertWhen_BuyerHasNoTokens() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        vm.expectRevert();
        vm.prank(carol.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
        _assertTicket(id, alice.account, false, 1, 0);
    }

    function test_RevertWhen_TokenReenters() external {
        uint64 id = _tokenTicket(alice.account);
        token.callBack(address(ledger), abi.encodeCall(ITicketOffice.claim, (address(token))));
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        vm.prank(bob.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
    }

    // ------------------------------------------------------------------------------------------------ release, claim

    function testFuzz_ReleaseSplitsExactly(uint40 price, uint16 bpsA, uint16 bpsB) external {
        price = uint40(_bound(price, 1, FACE));
        bpsA = uint16(_bound(bpsA, 0, 10_000));
        bpsB = uint16(_bound(bpsB, 0, 10_000 - bpsA));
        ILedgerTypes.Terms memory terms = _terms();
        terms.token = address(token);
        terms.capBps = 10_000;
        terms.unitExponent = 0;
        terms.payees[0].bps = bpsA;
        terms.payees[1].bps = bpsB;
        terms.payees[2].bps = 10_000 - bpsA - bpsB;
        tokenEventId = _createEvent(terms);
        uint64 id = _tokenTicket(alice.account);
        _buy(alice, bob.account, id, 1, price);

        uint256 pot = ledger.potOf(tokenEventId);
        ledger.release(tokenEventId, terms.payees);
        uint256 partA = pot * bpsA / 10_000;
        uint256 partB = pot * bpsB / 10_000;
        vm.assertEq(ledger.creditOf(payeeA, address(token)), partA);
        vm.assertEq(ledger.creditOf(payeeB, address(token)), partB);
        vm.assertEq(ledger.creditOf(payeeC, address(token)), pot - partA - partB);
        vm.assertEq(ledger.potOf(tokenEventId), 0);
        _assertSolvent();
    }

    function test_ReleaseOnFiatRailRecordsWhatIsDue() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _sign(alice.key, _openOffer(id, 1, 10_020));
        _settleLine(_settlement(id, bob.account, true, 1, 10_020, consent));
        vm.assertEq(ledger.potOf(eventId), 501);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Released(eventId, payeeA, 166);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Released(eventId, payeeB, 166);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Released(eventId, payeeC, 169);
        ledger.release(eventId, _payees());
        vm.assertEq(ledger.potOf(eventId), 0);
        vm.assertEq(ledger.creditOf(payeeA, address(0)), 0);
    }

    function test_ReleaseOfEmptyPotDoesNothing() external {
        vm.recordLogs();
        ledger.release(eventId, _payees());
        vm.assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_RevertWhen_ReleasedToOtherPayees() external {
        ILedgerTypes.Payee[] memory payees = _payees();
        payees[0].account = stranger;
        vm.expectRevert(Ledger_BadPayees.selector);
        ledger.release(eventId, payees);
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        ledger.release(99, payees);
    }

    function test_Claim() external {
        _buy(alice, bob.account, _tokenTicket(alice.account), 1, FACE);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.CreditClaimed(alice.account, address(token), 9_500 * UNIT);
        vm.prank(alice.account);
        ledger.claim(address(token));
        vm.assertEq(token.balanceOf(alice.account), 9_500 * UNIT);
        _assertSolvent();
        vm.expectRevert(abi.encodeWithSelector(Ledger_NoCredit.selector, alice.account, address(token)));
        vm.prank(alice.account);
        ledger.claim(address(token));
    }

    function test_PayeeThatRevertsBlocksNobody() external {
        _buy(alice, bob.account, _tokenTicket(alice.account), 1, FACE);
        token.refuse(payeeA);
        ledger.release(tokenEventId, _payees());
        vm.expectRevert("refused");
        vm.prank(payeeA);
        ledger.claim(address(token));
        vm.prank(payeeB);
        ledger.claim(address(token));
        vm.prank(payeeC);
        ledger.claim(address(token));
        vm.prank(alice.account);
        ledger.claim(address(token));
        vm.assertEq(token.balanceOf(address(ledger)), ledger.creditOf(payeeA, address(token)));
        token.refuse(address(0));
        vm.prank(payeeA);
        ledger.claim(address(token));
        vm.assertEq(token.balanceOf(address(ledger)), 0);
    }
}
