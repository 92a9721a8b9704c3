// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {DeafWallet, MockWallet} from "./mocks/MockWallet.sol";
import {Vm} from "./Vm.sol";
import {Base} from "./Base.t.sol";

/// @notice Gifts by consent, and the rules they share with transfers and `checkGift`.
contract GiftTest is Base {
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function _give(Fan memory from, uint64 id, uint16 epoch, address to, bool custodied) private {
        ledger.gift(id, epoch, to, custodied, NEVER, _sign(from.key, _giftHash(id, epoch, to, custodied, NEVER)));
    }

    /// @notice The gift of ticket `id` by alice is refused for this problem, by the gift and by the view alike.
    function _expectRefused(uint64 id, uint16 epoch, address to, bytes memory problem) private {
        bytes memory consent = _sign(alice.key, _giftHash(id, epoch, to, false, NEVER));
        vm.assertEq(ledger.checkGift(id, epoch, to), problem);
        vm.expectRevert(problem);
        ledger.gift(id, epoch, to, false, NEVER, consent);
    }

    function test_GiftFromCustodyToOwnWallet() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, false, NEVER));
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(address(ledger), bob.account, id);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Given(id, alice.account, bob.account, false, 2);
        vm.prank(stranger);
        ledger.gift(id, 1, bob.account, false, NEVER, consent);

        _assertTicket(id, bob.account, false, 2, FACE);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
        vm.assertEq(ledger.ticketOf(id).since, RESALE_OPENS);
        vm.assertEq(ledger.balanceOf(address(ledger)), 0);
        vm.assertEq(ledger.balanceOf(bob.account), 1);
    }

    function test_GiftIntoCustody() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _give(alice, id, 1, bob.account, true);
        _assertTicket(id, bob.account, true, 2, FACE);
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
        vm.assertEq(ledger.balanceOf(alice.account), 0);
    }

    function test_GiftBetweenCustodiedFansIsNoTransfer() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, true, NEVER));
        vm.recordLogs();
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(logs[0].topics[0], ILedgerTypes.Given.selector);
        _assertTicket(id, bob.account, true, 2, FACE);
        vm.assertEq(ledger.balanceOf(address(ledger)), 1);
    }

    function test_GiftByContractWallet() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(address(wallet), false);
        _give(alice, id, 1, bob.account, false);
        _assertTicket(id, bob.account, false, 2, FACE);
    }

    function test_RevertWhen_ContractWalletDoesNotAgree() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(address(wallet), false);
        bytes memory consent = _sign(bob.key, _giftHash(id, 1, bob.account, false, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, address(wallet)));
        ledger.gift(id, 1, bob.account, false, NEVER, consent);
        vm.etch(address(wallet), address(new DeafWallet()).code);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, address(wallet)));
        ledger.gift(id, 1, bob.account, false, NEVER, consent);
    }

    function test_RevertWhen_HolderGrewCodeAndKeySigns() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.etch(alice.account, abi.encodePacked(hex"ef0100", address(new DeafWallet())));
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, false, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.gift(id, 1, bob.account, false, NEVER, consent);
    }

    function test_CustodiedHolderIsItsKeyWhateverItsCode() external {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.etch(alice.account, hex"00");
        _give(alice, id, 1, bob.account, true);
    }

    // ------------------------------------------------------------------------------------------------ consent

    function test_RevertWhen_ConsentIsForAnotherGift() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory problem = abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, false, NEVER));
        vm.expectRevert(problem);
        ledger.gift(id, 1, carol.account, false, NEVER, consent);
        vm.expectRevert(problem);
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
        vm.expectRevert(problem);
        ledger.gift(id, 1, bob.account, false, NEVER - 1, consent);
        vm.expectRevert(problem);
        ledger.gift(id, 1, bob.account, false, NEVER, "");
    }

    function test_RevertWhen_ConsentOfAnother() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _sign(bob.key, _giftHash(id, 1, bob.account, false, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.gift(id, 1, bob.account, false, NEVER, consent);
    }

    function test_RevertWhen_ConsentUsedTwice() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, true, NEVER));
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
        vm.warp(block.timestamp + COOLDOWN);
        vm.expectRevert(abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 2));
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
    }

    function test_RevertWhen_DeadlinePassed() external {
        uint64 id = _soldLongAgo(alice.account, true);
        uint40 deadline = uint40(block.timestamp);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, true, deadline));
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Expired.selector, id, deadline));
        ledger.gift(id, 1, bob.account, true, deadline, consent);
        vm.warp(deadline);
        ledger.gift(id, 1, bob.account, true, deadline, consent);
    }

    function test_RevertWhen_SignatureIsMalleable() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes32 digest = _digest(_giftHash(id, 1, bob.account, true, NEVER));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(alice.key, digest);
        bytes memory twin = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.gift(id, 1, bob.account, true, NEVER, twin);
        ledger.gift(id, 1, bob.account, true, NEVER, abi.encodePacked(r, s, v));
    }

    function test_CompactSignature() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _signCompact(alice.key, _giftHash(id, 1, bob.account, true, NEVER));
        bytes memory tooLong = abi.encodePacked(consent, uint16(0));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.gift(id, 1, bob.account, true, NEVER, tooLong);
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
        _assertTicket(id, bob.account, true, 2, FACE);
    }

    function test_RevertWhen_SignedForAnotherChain() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, true, NEVER));
        uint256 home = 31_337; // of forge
        vm.chainId(home + 1);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
        vm.chainId(home);
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
    }

    // ------------------------------------------------------------------------------------------------ rules

    function test_RevertWhen_NoSuchTicket() external {
        uint64 id = _id(SUPPLY);
        _expectRefused(id, 0, bob.account, abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id));
    }

    function test_RevertWhen_InStock() external {
        _expectRefused(_id(0), 0, bob.account, abi.encodeWithSelector(Ledger_NotHeld.selector, _id(0)));
    }

    function test_RevertWhen_StaleEpoch() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _expectRefused(id, 0, bob.account, abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 0, 1));
        _expectRefused(id, 2, bob.account, abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 2, 1));
    }

    function test_RevertWhen_LastEpoch() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _force(id, uint256(uint160(alice.account)) | (uint256(65_535) << 168));
        _expectRefused(id, 65_535, bob.account, abi.encodeWithSelector(Ledger_LastEpoch.selector, id));
    }

    function test_RevertWhen_ActivatedOrFrozen() external {
        uint64 id = _soldLongAgo(alice.account, false);
        for (uint256 flag = 8; flag <= 16; flag *= 2) {
            _force(id, uint256(uint160(alice.account)) | (flag << 160) | (uint256(1) << 168));
            _expectRefused(id, 1, bob.account, abi.encodeWithSelector(Ledger_Stopped.selector, id, flag));
        }
    }

    function test_RevertWhen_Redeemed() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _redeemOne(0, 1);
        _expectRefused(id, 1, bob.account, abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id));
    }

    function test_RevertWhen_Voided() external {
        uint64 id = _soldLongAgo(alice.account, false);
        bytes memory attestation = _sign(attestor.key, _voidHash(id, 1, REF));
        vm.prank(relayer);
        ledger.voidTicket(id, 1, REF, attestation);
        _expectRefused(id, 2, bob.account, abi.encodeWithSelector(Ledger_Voided.selector, id));
    }

    function test_RevertWhen_MovesClosed() external {
        uint64 id = _sold(alice.account, false);
        vm.warp(MOVES_CLOSE);
        _expectRefused(id, 1, bob.account, abi.encodeWithSelector(Ledger_MovesClosed.selector, id, MOVES_CLOSE));
    }

    function test_RevertWhen_GiftsClosed() external {
        uint64 id = _sold(alice.account, false);
        vm.warp(GIFTS_CLOSE + 1);
        _expectRefused(id, 1, bob.account, abi.encodeWithSelector(Ledger_GiftsClosed.selector, id, GIFTS_CLOSE));
        vm.warp(GIFTS_CLOSE);
        _give(alice, id, 1, bob.account, false);
    }

    function test_RevertWhen_Cooldown() external {
        uint64 id = _sold(alice.account, false);
        vm.warp(START + COOLDOWN - 1);
        _expectRefused(id, 1, bob.account, abi.encodeWithSelector(Ledger_Cooldown.selector, id, START + COOLDOWN));
        vm.warp(START + COOLDOWN);
        _give(alice, id, 1, bob.account, false);
    }

    /// @dev From alice to bob at odd epochs, back at even ones.
    function _giveOn(uint64 id, uint16 epoch) private {
        (Fan memory from, Fan memory to) = epoch % 2 == 1 ? (alice, bob) : (bob, alice);
        _give(from, id, epoch, to.account, false);
    }

    function test_RevertWhen_GiftLimit() external {
        uint64 id = _sold(alice.account, false);
        for (uint16 epoch = 1; epoch <= GIFT_LIMIT; ++epoch) {
            vm.warp(block.timestamp + COOLDOWN);
            _giveOn(id, epoch);
        }
        vm.warp(block.timestamp + COOLDOWN);
        _expectRefused(id, 3, bob.account, abi.encodeWithSelector(Ledger_GiftLimit.selector, id, GIFT_LIMIT));
    }

    function test_UnlimitedGifts() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.giftLimit = 7;
        eventId = _createEvent(terms);
        uint64 id = _sold(alice.account, false);
        for (uint16 epoch = 1; epoch <= 9; ++epoch) {
            vm.warp(block.timestamp + COOLDOWN);
            _giveOn(id, epoch);
        }
        vm.assertEq(ledger.ticketOf(id).gifts, 7);
        vm.assertEq(ledger.ticketOf(id).epoch, 10);
    }

    function test_RevertWhen_RecipientRefused() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _expectRefused(id, 1, alice.account, abi.encodeWithSelector(Ledger_RefusedAccount.selector, alice.account));
        address wrapper = address(new DeafWallet());
        _expectRefused(id, 1, wrapper, abi.encodeWithSelector(Ledger_RefusedAccount.selector, wrapper));
        _expectRefused(id, 1, address(0), abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(0)));
        _expectRefused(id, 1, address(ledger), abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(ledger)));
    }

    function test_CheckGiftEmptyWhenAllowed() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.assertEq(ledger.checkGift(id, 1, bob.account), "");
    }
}
