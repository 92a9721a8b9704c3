// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {MerkleTree} from "./mocks/MerkleTree.sol";
import {Base} from "./Base.t.sol";

/// @notice What only some events' terms ask for: supply classes, holder limit, listed gifts, re-entry, cap at paid, identity.
contract TermsTest is Base {
    // ------------------------------------------------------------------------------------------------ supply classes

    function test_CommittedSuppliesAreKept() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.supplies = [uint24(6_000), 0, 10, 0];
        eventId = _createEvent(terms);
        (uint24 committed, uint24 issued) = ledger.suppliesOf(eventId, 0);
        vm.assertEq(committed, 6_000);
        vm.assertEq(issued, SUPPLY);
        vm.startPrank(organizer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverSupply.selector, eventId, 0, 1_000));
        ledger.issue(eventId, 1, ILedgerTypes.Batch(1_001, 1, 0, 7, FACE), "manifest");
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverSupply.selector, eventId, 1, 0));
        ledger.issue(eventId, 1, ILedgerTypes.Batch(1, 1, 1, 7, FACE), "manifest");
        ledger.issue(eventId, 1, ILedgerTypes.Batch(1_000, 1, 0, 7, FACE), "manifest");
        ledger.issue(eventId, 2, ILedgerTypes.Batch(10, 1, 2, 7, FACE), "manifest");
        (committed, issued) = ledger.suppliesOf(eventId, 2);
        vm.assertEq(committed, issued);
    }

    function test_RevertWhen_SupplyClassIsUnknown() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadTerms.selector, bytes32("supplyClass")));
        vm.prank(organizer);
        ledger.issue(eventId, 1, ILedgerTypes.Batch(1, 1, 4, 7, FACE), "manifest");
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadTerms.selector, bytes32("supplyClass")));
        ledger.suppliesOf(eventId, 4);
    }

    function test_RevertWhen_NothingIsPromised() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.supplies = [uint24(0), 0, 0, 0];
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadTerms.selector, bytes32("supplies")));
        vm.prank(organizer);
        ledger.createEvent(organizer, "ref", terms, _schedule());
    }

    // ------------------------------------------------------------------------------------------------ holder limit

    function test_HolderLimit() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.holderLimit = 2;
        eventId = _createEvent(terms);
        uint64 id = _sold(alice.account, true);
        vm.assertEq(_deliverLine(eventId, _delivery(id + 1, alice.account, true, 0, FACE)), "");
        bytes memory problem = abi.encodeWithSelector(Ledger_HolderLimit.selector, alice.account, 2);
        vm.assertEq(_deliverLine(eventId, _delivery(id + 2, alice.account, true, 0, FACE)), problem);
        vm.assertEq(_deliverLine(eventId, _delivery(id + 2, bob.account, true, 0, FACE)), "");
        vm.warp(RESALE_OPENS);
        vm.assertEq(ledger.checkGift(id + 2, 1, alice.account), problem);
        bytes memory offer = _sign(bob.key, _openOffer(id + 2, 1, FACE));
        vm.assertEq(_settleLine(_settlement(id + 2, alice.account, true, 1, FACE, offer)), problem);

        _giftBy(alice, id + 1, 1, bob.account, true);
        vm.assertEq(ledger.holdingOf(eventId, alice.account), 1);
        vm.assertEq(ledger.holdingOf(eventId, bob.account), 2);
        vm.assertEq(_settleLine(_settlement(id + 2, alice.account, true, 1, FACE, offer)), "");
        vm.assertEq(ledger.holdingOf(eventId, alice.account), 2);
    }

    function test_HoldingsAreNotCountedWithoutALimit() external {
        _sold(alice.account, true);
        vm.assertEq(ledger.holdingOf(eventId, alice.account), 0);
    }

    // ------------------------------------------------------------------------------------------------ listed gifts

    function test_GiftListed() external {
        address[] memory listed = new address[](3);
        (listed[0], listed[1], listed[2]) = (alice.account, bob.account, stranger);
        ILedgerTypes.Terms memory terms = _terms();
        terms.giftRoot = MerkleTree.root(listed);
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, true);
        ILedgerTypes.ListedGift memory line = ILedgerTypes.ListedGift(id, 1, bob.account, false, NEVER);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, false, NEVER));
        bytes32[] memory proof = MerkleTree.proof(listed, 0);
        bytes memory problem = abi.encodeWithSelector(Ledger_NotListed.selector, bob.account);

        vm.assertEq(ledger.checkGift(id, 1, bob.account), problem);
        vm.expectRevert(problem);
        ledger.gift(id, 1, bob.account, false, NEVER, consent);
        vm.expectRevert(problem);
        ledger.giftListed(line, consent, proof);
        proof = MerkleTree.proof(listed, 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.giftListed(line, "", proof);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Given(id, alice.account, bob.account, false, 2);
        ledger.giftListed(line, consent, proof);
        _assertTicket(id, bob.account, false, 2, FACE);
        (bytes32 root,) = ledger.specialTermsOf(eventId);
        vm.assertEq(root, terms.giftRoot);

        vm.warp(block.timestamp + COOLDOWN);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotListed.selector, alice.account));
        vm.prank(bob.account);
        ledger.transferFrom(bob.account, alice.account, id);
    }

    // ------------------------------------------------------------------------------------------------ re-entry

    function _eventWithEntries(uint8 entries) private {
        ILedgerTypes.Terms memory terms = _terms();
        terms.entries = entries;
        eventId = _createEvent(terms);
        _sold(alice.account, true);
    }

    function test_CountedReentry() external {
        _eventWithEntries(3);
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(_redeemOne(0, 1), "");
        }
        vm.assertEq(_redeemOne(0, 1), abi.encodeWithSelector(Ledger_NoEntryLeft.selector, _id(0), 3));
        vm.assertEq(_redeemOne(0, 2), abi.encodeWithSelector(Ledger_StaleEpoch.selector, _id(0), 2, 1));
        vm.assertEq(_redeemOne(1, 0), abi.encodeWithSelector(Ledger_NotHeld.selector, _id(1)));
    }

    function test_DailyReentry() external {
        _eventWithEntries(255);
        bytes memory problem = abi.encodeWithSelector(Ledger_NoEntryLeft.selector, _id(0), 255);
        for (uint256 day = 1; day < 5; ++day) {
            vm.warp(START - START % 1 days + day * 1 days);
            vm.assertEq(_redeemOne(0, 1), "");
            vm.warp(block.timestamp + 1 days - 1);
            vm.assertEq(_redeemOne(0, 1), problem);
        }
    }

    function test_EnteredTicketNeverMovesThoughItMayReenter() external {
        _eventWithEntries(3);
        _redeemOne(0, 1);
        vm.warp(RESALE_OPENS);
        vm.assertEq(
            ledger.checkGift(_id(0), 1, bob.account), abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, _id(0))
        );
    }

    // ------------------------------------------------------------------------------------------------ cap at paid

    function test_CapAtPaid() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.capAtPaid = true;
        eventId = _createEvent(terms);
        uint64 id = _id(0);
        vm.assertEq(ledger.capOf(id), 11_000);
        _deliverLine(eventId, _delivery(id, alice.account, true, 0, 7_000));
        vm.warp(RESALE_OPENS);
        vm.assertEq(ledger.capOf(id), 7_000);
        vm.assertEq(ledger.checkOffer(id, 1, 7_001), abi.encodeWithSelector(Ledger_OverCap.selector, id, 7_001, 7_000));
        vm.assertEq(ledger.checkOffer(id, 1, 7_000), "");
    }

    // ------------------------------------------------------------------------------------------------ identity

    function _identity(uint64 id, uint16 epoch) private view returns (bytes memory) {
        return _identity(id, epoch, "me");
    }

    function _identity(uint64 id, uint16 epoch, bytes32 commitment) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Identity(uint64 id,uint16 epoch,bytes32 commitment,uint40 deadline)");
        return _sign(alice.key, keccak256(abi.encode(typeHash, id, epoch, commitment, NEVER)));
    }

    function test_CommitIdentityHoldsUntilTheTicketMoves() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.identity = true;
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, true);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.IdentityCommitted(id, alice.account, 1, "me");
        ledger.commitIdentity(id, 1, "me", NEVER, _identity(id, 1));
        vm.assertEq(ledger.identityOf(id), "me");
        _giftBy(alice, id, 1, bob.account, true);
        vm.assertEq(ledger.identityOf(id), bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, bob.account));
        ledger.commitIdentity(id, 2, "me", NEVER, _identity(id, 2));
        vm.expectRevert(abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 2));
        ledger.commitIdentity(id, 1, "me", NEVER, _identity(id, 1));
    }

    /// @dev So nobody can put an older consent of the holder over a newer one.
    function test_RevertWhen_CommittedTwiceAtOneEpoch() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.identity = true;
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, true);
        ledger.commitIdentity(id, 1, "me", NEVER, _identity(id, 1));
        bytes memory other = _identity(id, 1, "me too");
        vm.expectRevert(abi.encodeWithSelector(Ledger_AlreadyCommitted.selector, id, 1));
        ledger.commitIdentity(id, 1, "me too", NEVER, other);
        ledger.revoke(id, 1, NEVER, _sign(alice.key, _revokeHash(id, 1, NEVER)));
        ledger.commitIdentity(id, 2, "me too", NEVER, _identity(id, 2, "me too"));
        vm.assertEq(ledger.identityOf(id), "me too");
    }

    function test_RevertWhen_EventAsksForNoIdentity() external {
        uint64 id = _sold(alice.account, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotInTerms.selector, eventId));
        ledger.commitIdentity(id, 1, "me", NEVER, _identity(id, 1));
    }

    function test_CapAtPaidNeverRaisesTheCap() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.capAtPaid = true;
        terms.capBps = 9_000;
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, true); // paid 10,000, over the cap
        vm.assertEq(ledger.capOf(id), 9_000);
        vm.assertEq(ledger.checkOffer(id, 1, 9_001), abi.encodeWithSelector(Ledger_OverCap.selector, id, 9_001, 9_000));
        vm.assertEq(ledger.checkOffer(id, 1, 9_000), "");
    }
}
