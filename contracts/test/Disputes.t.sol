// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC5192} from "../src/interfaces/IERC5192.sol";
import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {DeafWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice Activate, freeze, void after it, reissue.
contract DisputesTest is Base {
    // ------------------------------------------------------------------------------------------------ activate

    function test_ActivateClosesTheTicketsMovesForGood() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Activated(id, alice.account, 1);
        vm.expectEmit(address(ledger));
        emit IERC5192.Locked(id);
        _activate(alice, id, 1);
        bytes memory problem = abi.encodeWithSelector(Ledger_Stopped.selector, id, 8);
        vm.assertEq(ledger.checkGift(id, 1, bob.account), problem);
        vm.assertEq(ledger.checkOffer(id, 1, FACE), problem);
        vm.assertTrue(ledger.locked(id));
        vm.expectRevert(problem);
        ledger.revoke(id, 1, NEVER, "");
        vm.expectRevert(problem);
        ledger.activate(id, 1, NEVER, "");
        vm.assertEq(_redeemOne(0, 1), "");
    }

    function test_RevertWhen_ActivatedWithoutConsent() external {
        uint64 id = _sold(alice.account, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.activate(id, 1, NEVER, "");
    }

    // ------------------------------------------------------------------------------------------------ freeze

    function _expectOtherPayment(uint64 id, uint16 epoch, uint16 named, uint16 paid) private {
        bytes32 typeHash = keccak256("Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)");
        bytes memory attestation = _sign(attestor.key, keccak256(abi.encode(typeHash, id, epoch, named, REF)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_OtherPayment.selector, id, paid));
        vm.prank(relayer);
        ledger.freeze(id, epoch, named, REF, attestation);
    }

    function test_FreezeAndUnfreeze() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Frozen(id, alice.account, 1, REF);
        vm.expectEmit(address(ledger));
        emit IERC5192.Locked(id);
        _freeze(id, 1, 1);
        vm.assertEq(ledger.checkGift(id, 1, bob.account), abi.encodeWithSelector(Ledger_Stopped.selector, id, 16));
        vm.assertTrue(ledger.locked(id));
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Unfrozen(id, alice.account, 1, REF);
        vm.expectEmit(address(ledger));
        emit IERC5192.Unlocked(id);
        _unfreeze(id, 1);
        vm.assertEq(ledger.checkGift(id, 1, bob.account), "");
        vm.assertFalse(ledger.locked(id));
    }

    /// @dev ERC-5192: what is locked already is not locked again, and does not unlock while its holder keeps it closed.
    function test_FreezeOfAnActivatedTicketChangesNoLock() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _activate(alice, id, 1);
        vm.recordLogs();
        _freeze(id, 1, 1);
        vm.assertEq(vm.getRecordedLogs().length, 1);
        _unfreeze(id, 1);
        vm.assertEq(vm.getRecordedLogs().length, 1);
        vm.assertTrue(ledger.locked(id));
    }

    /// @dev Else a relayer alone could freeze again with the attestation of a dispute that is over.
    function test_RevertWhen_DisputeFreezesTwice() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _freeze(id, 1, 1);
        bytes memory attestation = _sign(attestor.key, _freezeHash(id, 1, 1, "second"));
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Stopped.selector, id, 16));
        ledger.freeze(id, 1, 1, "second", attestation);
        _unfreeze(id, 1);
        bytes memory used = _sign(attestor.key, _freezeHash(id, 1, 1));
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_ReferenceUsed.selector, id, REF));
        ledger.freeze(id, 1, 1, REF, used);
    }

    /// @dev The end of one dispute does not lift the freeze of another one.
    function test_RevertWhen_UnfrozenByTheEndOfAnotherDispute() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _freeze(id, 1, 1);
        _unfreeze(id, 1);
        bytes memory attestation = _sign(attestor.key, _freezeHash(id, 1, 1, "second"));
        vm.prank(relayer);
        ledger.freeze(id, 1, 1, "second", attestation);
        bytes memory first = _sign(attestor.key, _unfreezeHash(id, 1));
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotFrozen.selector, id));
        ledger.unfreeze(id, 1, REF, first);
        bytes memory second = _sign(attestor.key, _unfreezeHash(id, 1, "second"));
        vm.prank(relayer);
        ledger.unfreeze(id, 1, "second", second);
        vm.assertFalse(ledger.locked(id));
    }

    function test_FreezeReachesATicketGivenAway() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _giftBy(alice, id, 1, bob.account, true);
        vm.assertEq(ledger.paidEpochOf(id), 1);
        _freeze(id, 2, 1);
        _voidIt(id, 2);
        vm.assertTrue(ledger.ticketOf(id).voided);
    }

    function test_RevokingDoesNotHideAPayment() external {
        uint64 id = _soldLongAgo(alice.account, true);
        for (uint16 epoch = 1; epoch < 4; ++epoch) {
            ledger.revoke(id, epoch, NEVER, _sign(alice.key, _revokeHash(id, epoch, NEVER)));
        }
        _giftBy(alice, id, 4, bob.account, true);
        ledger.revoke(id, 5, NEVER, _sign(bob.key, _revokeHash(id, 5, NEVER)));
        vm.warp(block.timestamp + COOLDOWN);
        _giftBy(bob, id, 6, alice.account, true);
        vm.assertEq(ledger.paidEpochOf(id), 1);
        _freeze(id, 7, 1);
    }

    function test_RevertWhen_APaidMoveFollowedTheDisputedPayment() external {
        uint64 id = _soldLongAgo(alice.account, true);
        ledger.revoke(id, 1, NEVER, _sign(alice.key, _revokeHash(id, 1, NEVER)));
        _settleLine(_settlement(id, bob.account, true, 2, FACE, _sign(alice.key, _openOffer(id, 2, FACE))));
        _expectOtherPayment(id, 3, 1, 3);
        vm.warp(block.timestamp + COOLDOWN);
        _giftBy(bob, id, 3, carol.account, true);
        _expectOtherPayment(id, 4, 1, 3);
        _freeze(id, 4, 3);
    }

    /// @notice Whatever gifts, revocations and resales happen, the epoch of the last payment is told exactly.
    function testFuzz_PaidEpoch(uint256 dice) external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.cooldown = 0;
        terms.giftLimit = 6;
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, true);
        (uint16 epoch, uint16 paid, uint16 gifts) = (1, 1, 0);
        (Fan memory holder, Fan memory other) = (alice, bob);
        for (uint256 i = 0; i < 24; ++i) {
            uint256 choice = (dice >> (8 * i)) % 8;
            if (choice < 3 && gifts < 6) {
                _giftBy(holder, id, epoch, other.account, true);
                (holder, other) = (other, holder);
                ++gifts;
            } else if (choice < 6) {
                ledger.revoke(id, epoch, NEVER, _sign(holder.key, _revokeHash(id, epoch, NEVER)));
            } else {
                bytes memory offer = _sign(holder.key, _openOffer(id, epoch, FACE));
                vm.assertEq(_settleLine(_settlement(id, other.account, true, epoch, FACE, offer)), "");
                (holder, other) = (other, holder);
                paid = epoch + 1;
                gifts = 0;
            }
            ++epoch;
            vm.assertEq(ledger.paidEpochOf(id), paid);
        }
    }

    function test_RevertWhen_PaymentIsUnknownAfterSevenGifts() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.cooldown = 0;
        terms.giftLimit = 7;
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, true);
        for (uint16 epoch = 1; epoch < 8; ++epoch) {
            (Fan memory from, Fan memory to) = epoch % 2 == 1 ? (alice, bob) : (bob, alice);
            _giftBy(from, id, epoch, to.account, true);
        }
        _expectOtherPayment(id, 8, 1, 0);
        _expectOtherPayment(id, 8, 0, 0);
    }

    function test_RevertWhen_FrozenWithoutAttestation() external {
        uint64 id = _sold(alice.account, true);
        vm.expectRevert(Ledger_BadAttestation.selector);
        vm.prank(relayer);
        ledger.freeze(id, 1, 1, REF, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger));
        vm.prank(stranger);
        ledger.freeze(id, 1, 1, REF, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotHeld.selector, id + 1));
        ledger.paidEpochOf(id + 1);
    }

    function test_RevertWhen_UnfrozenWrongly() external {
        uint64 id = _sold(alice.account, true);
        vm.startPrank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotFrozen.selector, id));
        ledger.unfreeze(id, 1, REF, "");
        vm.stopPrank();
        _freeze(id, 1, 1);
        vm.startPrank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 2, 1));
        ledger.unfreeze(id, 2, REF, "");
        vm.expectRevert(Ledger_BadAttestation.selector);
        ledger.unfreeze(id, 1, REF, "");
    }

    function test_RevertWhen_TokenPaymentIsDisputed() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory problem = abi.encodeWithSelector(Ledger_WrongRail.selector, tokenEventId);
        vm.startPrank(relayer);
        vm.expectRevert(problem);
        ledger.freeze(id, 1, 1, REF, "");
        vm.expectRevert(problem);
        ledger.voidTicket(id, 1, REF, "");
    }

    function test_RevertWhen_PartHasNoNext() external {
        bytes memory code =
            abi.encodePacked(vm.getCode("TicketLedger.sol:TicketLedger"), abi.encode(alice.account, "", stranger));
        address created;
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, stranger));
        assembly {
            created := create(0, add(code, 0x20), mload(code))
        }
    }

    // ------------------------------------------------------------------------------------------------ void

    function test_RevertWhen_GiftIsVoidedWithoutAFreeze() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _giftBy(alice, id, 1, bob.account, true);
        bytes memory attestation = _sign(attestor.key, _voidHash(id, 2, REF));
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotFrozen.selector, id));
        vm.prank(relayer);
        ledger.voidTicket(id, 2, REF, attestation);
    }

    // ------------------------------------------------------------------------------------------------ reissue

    function _reissuable() private returns (uint64) {
        ILedgerTypes.Terms memory terms = _terms();
        terms.reissue = true;
        eventId = _createEvent(terms);
        return _soldLongAgo(alice.account, false);
    }

    function _announce(uint64 id, uint16 epoch) private {
        vm.prank(relayer);
        ledger.announceReissue(id, epoch, carol.account, true);
    }

    function test_Reissue() external {
        uint64 id = _reissuable();
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.ReissueAnnounced(id, alice.account, carol.account, true, 1, RESALE_OPENS + 48 hours);
        _announce(id, 1);
        vm.assertEq(ledger.reissueOf(id).to, carol.account);
        vm.warp(block.timestamp + 48 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_TooEarly.selector, id, RESALE_OPENS + 48 hours));
        vm.prank(relayer);
        ledger.reissue(id);
        vm.warp(block.timestamp + 1);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Reissued(id, alice.account, carol.account, true, 2);
        vm.prank(relayer);
        ledger.reissue(id);
        _assertTicket(id, carol.account, true, 2, FACE);
        vm.assertEq(ledger.paidEpochOf(id), 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotAnnounced.selector, id));
        vm.prank(relayer);
        ledger.reissue(id);
    }

    function test_HolderVetoesAReissue() external {
        uint64 id = _reissuable();
        _announce(id, 1);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.ReissueVetoed(id, alice.account, 1);
        vm.prank(alice.account);
        ledger.vetoReissue(id, 1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotAnnounced.selector, id));
        vm.prank(relayer);
        ledger.reissue(id);

        _announce(id, 1);
        ledger.vetoReissue(id, 1, NEVER, _sign(alice.key, _plainHash("Veto", id, 1)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotAnnounced.selector, id));
        ledger.vetoReissue(id, 1, NEVER, "");
    }

    function test_AnyMoveOrRevocationKillsAReissue() external {
        uint64 id = _reissuable();
        _announce(id, 1);
        vm.prank(alice.account);
        ledger.revoke(id, 1, 0, "");
        vm.warp(block.timestamp + 48 hours);
        vm.startPrank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotAnnounced.selector, id));
        ledger.reissue(id);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotAnnounced.selector, id));
        ledger.vetoReissue(id, 2, NEVER, "");
    }

    function test_RevertWhen_ReissueIsNotInTheTerms() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotInTerms.selector, eventId));
        vm.prank(relayer);
        ledger.announceReissue(id, 1, carol.account, true);
    }

    function test_RevertWhen_ReissueIsNotByRelayerOrVetoNotByHolder() external {
        uint64 id = _reissuable();
        vm.startPrank(stranger);
        bytes memory problem = abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger);
        vm.expectRevert(problem);
        ledger.announceReissue(id, 1, carol.account, true);
        vm.expectRevert(problem);
        ledger.reissue(id);
        vm.stopPrank();
        _announce(id, 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        vm.prank(stranger);
        ledger.vetoReissue(id, 1, NEVER, "");
    }

    function test_RevertWhen_ReissuedToAWrapper() external {
        uint64 id = _reissuable();
        address wrapper = address(new DeafWallet());
        vm.startPrank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, wrapper));
        ledger.announceReissue(id, 1, wrapper, false);
        ledger.announceReissue(id, 1, stranger, false);
        vm.warp(block.timestamp + 48 hours);
        vm.etch(stranger, wrapper.code);
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, stranger));
        ledger.reissue(id);
    }

    function test_RevertWhen_ReissueWouldPassTheHolderLimit() external {
        ILedgerTypes.Terms memory terms = _terms();
        (terms.reissue, terms.holderLimit) = (true, 1);
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, false);
        _deliverLine(eventId, _delivery(id + 1, carol.account, true, 0, FACE));
        _announce(id, 1);
        vm.warp(block.timestamp + 48 hours);
        vm.expectRevert(abi.encodeWithSelector(Ledger_HolderLimit.selector, carol.account, 1));
        vm.prank(relayer);
        ledger.reissue(id);
    }

    function test_RevertWhen_VetoedAtAnEpochThatIsOver() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.reissue = true;
        eventId = _createEvent(terms);
        uint64 id = _soldLongAgo(alice.account, false);
        vm.prank(relayer);
        ledger.announceReissue(id, 1, carol.account, true);
        vm.startPrank(alice.account);
        ledger.revoke(id, 1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_NotAnnounced.selector, id));
        ledger.vetoReissue(id, 1, 0, "");
    }
}
