// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {DeliveryTargets, Payments} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {DeafWallet, MockWallet} from "./mocks/MockWallet.sol";
import {Vm} from "./Vm.sol";
import {Base} from "./Base.t.sol";

/// @notice Resales paid in fiat money, settled in bulk.
contract ResaleTest is Base {
    uint40 private constant CAP = 11_000;

    function _offered(uint64 id, uint16 epoch, uint40 price, address to) private view returns (Settlement memory) {
        return _settlement(id, to, true, epoch, price, _sign(alice.key, _openOffer(id, epoch, price)));
    }

    function _expectSkipped(Settlement memory line, bytes memory problem) private {
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Skipped(line.target.id(), REF, problem);
        vm.assertEq(_settleLine(line), problem);
    }

    function test_SettleBetweenCustodiedFans() external {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.recordLogs();
        vm.assertEq(_settleLine(_offered(id, 1, CAP, bob.account)), "");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(logs[0].topics[0], ILedgerTypes.Settled.selector);
        vm.assertEq(logs[0].topics[1], bytes32(uint256(eventId)));
        ILedgerTypes.Delivery[] memory applied = abi.decode(logs[0].data, (ILedgerTypes.Delivery[]));
        Settlement memory line = _settlement(id, bob.account, true, 1, CAP, "");
        vm.assertEq(abi.encode(applied[0]), abi.encode(line.target, line.payment));

        _assertTicket(id, bob.account, true, 2, CAP);
        vm.assertEq(ledger.ticketOf(id).since, RESALE_OPENS);
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
        vm.assertEq(ledger.potOf(eventId), 550);
    }

    function test_SettleFromOwnWalletIntoCustody() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(alice.account, address(ledger), id);
        vm.assertEq(_settleLine(_offered(id, 1, FACE, bob.account)), "");
        _assertTicket(id, bob.account, true, 2, FACE);
        vm.assertEq(ledger.balanceOf(alice.account), 0);
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
    }

    function test_SettleClearsGifts() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _giftBy(alice, id, 1, carol.account, true);
        vm.warp(block.timestamp + COOLDOWN);
        bytes memory consent = _sign(carol.key, _openOffer(id, 2, FACE));
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 2, FACE, consent)), "");
        vm.assertEq(ledger.ticketOf(id).gifts, 0);
    }

    function test_SettleOfferToThisBuyer() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes32 offer = _offerHash(Offer(id, 1, FACE, "EUR", address(0), bob.account, NEVER));
        bytes memory consent = _sign(alice.key, offer);
        _expectSkipped(
            _settlement(id, carol.account, true, 1, FACE, consent),
            abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account)
        );
        Settlement memory line = _settlement(id, bob.account, true, 1, FACE, consent);
        _expectSkipped(line, abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        line.payment = Payments.packResale(REF, FACE, NEVER, true);
        vm.assertEq(_settleLine(line), "");
    }

    function test_SettleOfferOfContractWallet() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(address(wallet), false);
        vm.assertEq(_settleLine(_offered(id, 1, FACE, bob.account)), "");
    }

    function test_WastefulWalletSpoilsOnlyItsLine() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        _deliverLine(eventId, _delivery(_id(1), alice.account, true, 0, FACE));
        uint64 id = _soldLongAgo(address(wallet), false);
        wallet.setWasteful(true);
        Settlement[] memory lines = new Settlement[](2);
        lines[0] = _offered(id, 1, FACE, bob.account);
        lines[1] = _offered(_id(1), 1, FACE, bob.account);
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        bytes[] memory problems =
            ledger.settleResales{gas: 600_000}(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.assertEq(problems[0], abi.encodeWithSelector(Ledger_BadConsent.selector, id, address(wallet)));
        vm.assertEq(problems[1], "");
    }

    function test_SecondResaleInTheSameBulkIsSkipped() external {
        uint64 id = _soldLongAgo(alice.account, true);
        Settlement[] memory lines = new Settlement[](2);
        lines[0] = _offered(id, 1, FACE, bob.account);
        lines[1] = _offered(id, 1, FACE, carol.account);
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        bytes[] memory problems = ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.assertEq(problems[1], abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 2));
        _assertTicket(id, bob.account, true, 2, FACE);
    }

    // ------------------------------------------------------------------------------------------------ cap, royalty

    function testFuzz_CapIsExact(uint40 face, uint16 capBps, bool over) external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.capBps = capBps;
        vm.startPrank(organizer);
        eventId = ledger.createEvent(organizer, "ref", terms, _schedule());
        ledger.issue(eventId, 0, ILedgerTypes.Batch(1, 0, 0, 0, face), "manifest");
        vm.stopPrank();
        uint64 id = _id(0);
        vm.assertEq(_deliverLine(eventId, _delivery(id, alice.account, true, 0, face)), "");
        vm.warp(RESALE_OPENS);
        uint256 cap = uint256(face) * capBps / 10_000;
        if (cap > type(uint40).max) cap = type(uint40).max;
        over = over && cap < type(uint40).max;
        uint40 price = uint40(over ? cap + 1 : cap);
        bytes memory problem = over ? abi.encodeWithSelector(Ledger_OverCap.selector, id, price, cap) : bytes("");
        vm.assertEq(ledger.checkOffer(id, 1, price), problem);
        vm.assertEq(_settleLine(_offered(id, 1, price, bob.account)), problem);
    }

    function testFuzz_Royalty(uint40 face, uint16 royaltyBps, uint40 price) external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.capBps = 65_535;
        terms.royaltyBps = uint16(_bound(royaltyBps, 0, 10_000));
        vm.startPrank(organizer);
        eventId = ledger.createEvent(organizer, "ref", terms, _schedule());
        ledger.issue(eventId, 0, ILedgerTypes.Batch(1, 0, 0, 0, face), "manifest");
        vm.stopPrank();
        uint64 id = _id(0);
        vm.assertEq(_deliverLine(eventId, _delivery(id, alice.account, true, 0, face)), "");
        vm.warp(RESALE_OPENS);
        price = uint40(_bound(price, 0, ledger.capOf(id)));
        vm.assertEq(_settleLine(_offered(id, 1, price, bob.account)), "");

        uint256 base = price > face ? price : face;
        uint256 royalty = base * terms.royaltyBps / 10_000;
        vm.assertEq(ledger.potOf(eventId), royalty < price ? royalty : price);
    }

    function test_RoyaltiesOfABulkAreAdded() external {
        Settlement[] memory lines = new Settlement[](3);
        for (uint16 i = 0; i < 3; ++i) {
            _deliverLine(eventId, _delivery(_id(i), alice.account, true, 0, FACE));
        }
        vm.warp(RESALE_OPENS);
        lines[0] = _offered(_id(0), 1, FACE, bob.account);
        lines[1] = _offered(_id(1), 1, CAP, bob.account);
        lines[2] = _offered(_id(2), 1, 100, bob.account);
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.assertEq(ledger.potOf(eventId), 500 + 550 + 100);
    }

    // ------------------------------------------------------------------------------------------------ skipped lines

    function _expectSkippedByRule(uint64 id, uint16 epoch, uint40 price, bytes memory problem) private {
        vm.assertEq(ledger.checkOffer(id, epoch, price), problem);
        _expectSkipped(_offered(id, epoch, price, bob.account), problem);
    }

    function test_SkippedWhen_NoSuchTicketOrInStock() external {
        uint64 id = _id(SUPPLY);
        _expectSkippedByRule(id, 0, 0, abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id));
        _expectSkippedByRule(_id(0), 0, 0, abi.encodeWithSelector(Ledger_NotHeld.selector, _id(0)));
    }

    function test_SkippedWhen_OtherEvent() external {
        uint64 id = _tokenTicket(alice.account);
        _expectSkipped(_offered(id, 1, 0, bob.account), abi.encodeWithSelector(Ledger_OtherEvent.selector, id, eventId));
    }

    function test_SkippedWhen_OverCap() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _expectSkippedByRule(id, 1, CAP + 1, abi.encodeWithSelector(Ledger_OverCap.selector, id, CAP + 1, CAP));
    }

    function test_SkippedWhen_ResaleClosed() external {
        uint64 id = _sold(alice.account, true);
        bytes memory problem = abi.encodeWithSelector(Ledger_ResaleClosed.selector, id, RESALE_OPENS, RESALE_CLOSES);
        vm.warp(RESALE_OPENS - 1);
        _expectSkippedByRule(id, 1, FACE, problem);
        vm.warp(RESALE_CLOSES + 1);
        _expectSkippedByRule(id, 1, FACE, problem);
        vm.warp(RESALE_CLOSES);
        vm.assertEq(_settleLine(_offered(id, 1, FACE, bob.account)), "");
    }

    function test_SkippedWhen_MovesClosedOrCooldown() external {
        vm.warp(RESALE_OPENS);
        uint64 id = _sold(alice.account, true);
        _expectSkippedByRule(id, 1, FACE, abi.encodeWithSelector(Ledger_Cooldown.selector, id, RESALE_OPENS + COOLDOWN));
        vm.warp(MOVES_CLOSE);
        _expectSkippedByRule(id, 1, FACE, abi.encodeWithSelector(Ledger_MovesClosed.selector, id, MOVES_CLOSE));
    }

    function test_SkippedWhen_Redeemed() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _redeemOne(0, 1);
        _expectSkippedByRule(id, 1, FACE, abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id));
    }

    function test_SkippedWhen_BuyerIsSellerOrRefused() external {
        uint64 id = _soldLongAgo(alice.account, true);
        address wrapper = address(new DeafWallet());
        _expectSkipped(
            _offered(id, 1, FACE, alice.account), abi.encodeWithSelector(Ledger_RefusedAccount.selector, alice.account)
        );
        Settlement memory line = _offered(id, 1, FACE, wrapper);
        line.target = DeliveryTargets.pack(wrapper, id, 1, false);
        _expectSkipped(line, abi.encodeWithSelector(Ledger_RefusedAccount.selector, wrapper));
    }

    function test_SkippedWhen_OfferExpired() external {
        uint64 id = _soldLongAgo(alice.account, true);
        uint40 deadline = uint40(block.timestamp) - 1;
        bytes memory consent = _sign(alice.key, _offerHash(Offer(id, 1, FACE, "EUR", address(0), address(0), deadline)));
        Settlement memory line = _settlementUntil(deadline, id, bob.account, true, 1, FACE, consent);
        _expectSkipped(line, abi.encodeWithSelector(Ledger_Expired.selector, id, deadline));
    }

    function test_SkippedWhen_OfferIsAnother() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory problem = abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account);
        Settlement memory line = _offered(id, 1, FACE, bob.account);
        line.payment = Payments.packResale(REF, FACE - 1, NEVER, false);
        _expectSkipped(line, problem);
        Offer memory offer = Offer(id, 1, FACE, "USD", address(0), address(0), NEVER);
        _expectSkipped(_settlement(id, bob.account, true, 1, FACE, _sign(alice.key, _offerHash(offer))), problem);
        offer = Offer(id, 1, FACE, "EUR", address(token), address(0), NEVER);
        _expectSkipped(_settlement(id, bob.account, true, 1, FACE, _sign(alice.key, _offerHash(offer))), problem);
        _expectSkipped(_settlement(id, bob.account, true, 1, FACE, ""), problem);
    }

    function test_OldOfferIsDeadAfterRevoke() external {
        uint64 id = _soldLongAgo(alice.account, false);
        Settlement memory line = _offered(id, 1, FACE, bob.account);
        vm.prank(alice.account);
        ledger.revoke(id, 1, 0, "");
        _expectSkipped(line, abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 2));
        line.target = DeliveryTargets.pack(bob.account, id, 2, true);
        _expectSkipped(line, abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
    }

    function test_OldOfferIsDeadAfterTheSellerBoughtBack() external {
        uint64 id = _soldLongAgo(alice.account, true);
        Settlement memory line = _offered(id, 1, FACE, bob.account);
        _settleLine(line);
        vm.warp(block.timestamp + COOLDOWN);
        bytes memory consent = _sign(bob.key, _openOffer(id, 2, FACE));
        vm.assertEq(_settleLine(_settlement(id, alice.account, true, 2, FACE, consent)), "");
        vm.warp(block.timestamp + COOLDOWN);
        line.target = DeliveryTargets.pack(bob.account, id, 3, true);
        _expectSkipped(line, abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
    }

    // ------------------------------------------------------------------------------------------------ refused calls

    function test_RevertWhen_SettledByStrangerOrUnattestedOrOnTokenRail() external {
        Settlement[] memory lines = new Settlement[](0);
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger));
        vm.prank(stranger);
        ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.startPrank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongRail.selector, tokenEventId));
        ledger.settleResales(tokenEventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        ledger.settleResales(99, _linesOf(lines), _consentsOf(lines), attestation);
        attestation = _attestDeliveries(eventId, new ILedgerTypes.Delivery[](0));
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
    }

    function test_RevertWhen_PriceIsNotTheAttestedOne() external {
        uint64 id = _soldLongAgo(alice.account, true);
        Settlement[] memory lines = new Settlement[](1);
        lines[0] = _offered(id, 1, FACE, bob.account);
        bytes memory attestation = _attestSettlements(eventId, lines);
        lines[0].payment = Payments.pack(REF, 1);
        vm.expectRevert(Ledger_BadAttestation.selector);
        vm.prank(relayer);
        ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
    }

    function test_CheckOfferOfUnknownEvent() external view {
        uint64 id = TicketId.first(99, 0);
        vm.assertEq(ledger.checkOffer(id, 0, 0), abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id));
    }

    function test_LinesOfTwoBatchesAreHeldToTheirOwn() external {
        vm.prank(organizer);
        uint64 second = ledger.issue(eventId, 1, ILedgerTypes.Batch(1, 1, 0, 7, FACE / 2), "manifest");
        uint64 id = _sold(alice.account, true);
        _deliverLine(eventId, _delivery(second, alice.account, true, 0, FACE / 2));
        vm.warp(RESALE_OPENS);
        Settlement[] memory lines = new Settlement[](2);
        lines[0] = _settlement(id, bob.account, true, 1, 11_000, _sign(alice.key, _openOffer(id, 1, 11_000)));
        lines[1] = _settlement(second, bob.account, true, 1, 5_501, _sign(alice.key, _openOffer(second, 1, 5_501)));
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        bytes[] memory problems = ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        vm.assertEq(problems[0], "");
        vm.assertEq(problems[1], abi.encodeWithSelector(Ledger_OverCap.selector, second, 5_501, 5_500));
    }
}
