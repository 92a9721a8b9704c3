// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {DeliveryTargets, Payments} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {MerkleTree} from "./mocks/MerkleTree.sol";
import {Base} from "./Base.t.sol";

/// @notice One rule, all movers: whatever would move a ticket is refused for the same reason, with the same error. Each test puts the
/// ticket, the event or the time into one state and goes through everything that might move it then.
contract RefusalsTest is Base {
    enum Mover {
        Gift,
        GiftListed,
        Withdraw,
        Deposit,
        Swap,
        Settle,
        BuyResale,
        PoolReturn,
        Exchange,
        Refund,
        Revoke,
        Activate,
        Announce,
        Freeze,
        Void,
        Identity
    }

    uint8 private constant GIVING = uint8(Mover.Swap);
    uint8 private constant MOVING = uint8(Mover.Announce);
    address private _to;
    uint40 private _deadline = NEVER;
    uint40 private _price = FACE;

    /// @dev Ticket 0 is alice's, custodied; 1 is bob's and 2 alice's, own; all at epoch 1, some time ago.
    function setUp() public override {
        super.setUp();
        ILedgerTypes.Terms memory terms = _terms();
        (terms.reissue, terms.identity) = (true, true);
        _start(terms);
    }

    function _start(ILedgerTypes.Terms memory terms) private {
        vm.warp(START);
        eventId = _createEvent(terms);
        _to = carol.account;
        _deliverLine(eventId, _delivery(_id(0), alice.account, true, 0, FACE));
        _deliverLine(eventId, _delivery(_id(1), bob.account, false, 0, FACE));
        _deliverLine(eventId, _delivery(_id(2), alice.account, false, 0, FACE));
        vm.warp(RESALE_OPENS);
    }

    // ------------------------------------------------------------------------------------------------ the calls

    /// @dev Unsigned: rules are asked before signatures.
    function _callOf(Mover mover, uint64 id, uint16 epoch) private view returns (bytes memory) {
        if (mover == Mover.Gift) return abi.encodeCall(ledger.gift, (id, epoch, _to, true, _deadline, ""));
        if (mover == Mover.GiftListed) {
            ILedgerTypes.ListedGift memory line = ILedgerTypes.ListedGift(id, epoch, _to, true, _deadline);
            return abi.encodeCall(ledger.giftListed, (line, "", new bytes32[](0)));
        }
        if (mover == Mover.Withdraw) return abi.encodeCall(ledger.withdraw, (id, epoch, _to, _deadline, ""));
        if (mover == Mover.Deposit) return abi.encodeCall(ledger.deposit, (id, epoch, _to, _deadline, ""));
        if (mover == Mover.Swap) {
            ILedgerTypes.SwapSide memory one = ILedgerTypes.SwapSide(id, epoch, _deadline, "");
            return abi.encodeCall(ledger.swap, (one, ILedgerTypes.SwapSide(_id(1), 1, _deadline, "")));
        }
        if (mover == Mover.BuyResale) {
            return abi.encodeCall(ledger.buyResale, (id, epoch, _price, address(0), _deadline, ""));
        }
        if (mover == Mover.PoolReturn) return abi.encodeCall(ledger.poolReturn, (id, epoch, _price, _deadline, ""));
        if (mover == Mover.Exchange) {
            return
                abi.encodeCall(
                    ledger.exchange, (ILedgerTypes.Exchange(id, epoch, _id(9), 0, 0, REF, _deadline), "", "")
                );
        }
        if (mover == Mover.Refund) return abi.encodeCall(ledger.refund, (id, epoch, FACE, REF, _deadline, ""));
        if (mover == Mover.Revoke) return abi.encodeCall(ledger.revoke, (id, epoch, _deadline, "x"));
        if (mover == Mover.Activate) return abi.encodeCall(ledger.activate, (id, epoch, _deadline, ""));
        if (mover == Mover.Announce) return abi.encodeCall(ledger.announceReissue, (id, epoch, _to, true));
        if (mover == Mover.Freeze) return abi.encodeCall(ledger.freeze, (id, epoch, 1, REF, ""));
        if (mover == Mover.Void) return abi.encodeCall(ledger.voidTicket, (id, epoch, REF, ""));
        return abi.encodeCall(ledger.commitIdentity, (id, epoch, "me", _deadline, ""));
    }

    function _expect(Mover mover, uint64 id, uint16 epoch, bytes memory problem) private {
        if (mover == Mover.Settle) return _expectSettle(id, epoch, problem);
        bytes memory data = _callOf(mover, id, epoch);
        vm.prank(relayer);
        (bool success, bytes memory answer) = address(ledger).call(data);
        vm.assertFalse(success);
        vm.assertEq(answer, problem);
    }

    function _expectSettle(uint64 id, uint16 epoch, bytes memory problem) private {
        Settlement memory line;
        line.target = DeliveryTargets.pack(_to, id, epoch, true);
        line.payment = Payments.packResale(REF, _price, _deadline, false);
        vm.assertEq(_settleLine(line), problem);
    }

    function _expectAll(uint8 first, uint8 last, uint64 id, uint16 epoch, bytes memory problem) private {
        for (uint8 mover = first; mover <= last; ++mover) {
            _expect(Mover(mover), id, epoch, problem);
        }
    }

    /// @dev All that moves a ticket, and the views that tell beforehand.
    function _expectUnmoved(uint64 id, uint16 epoch, bytes memory problem) private {
        _expectAll(0, MOVING, id, epoch, problem);
        vm.assertEq(ledger.checkGift(id, epoch, _to), problem);
        vm.assertEq(ledger.checkOffer(id, epoch, _price), problem);
    }

    /// @dev What may also be done to tickets that can't move.
    function _expectUntouched(uint64 id, uint16 epoch, bytes memory problem) private {
        _expectAll(MOVING + 1, uint8(type(Mover).max), id, epoch, problem);
    }

    // ------------------------------------------------------------------------------------------------ states of a ticket

    function test_RefusedWhen_NoSuchTicket() external {
        uint64 id = _id(SUPPLY);
        bytes memory problem = abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id);
        _expectUnmoved(id, 0, problem);
        _expectUntouched(id, 0, problem);
        vm.expectRevert(problem);
        ledger.paidEpochOf(id);
        vm.expectRevert(problem);
        ledger.getTokenStatus(id);
    }

    function test_RefusedWhen_InStock() external {
        bytes memory problem = abi.encodeWithSelector(Ledger_NotHeld.selector, _id(8));
        _expectUnmoved(_id(8), 0, problem);
        _expectUntouched(_id(8), 0, problem);
    }

    function test_RefusedWhen_InThePool() external {
        _poolReturn(alice, _id(0), 1, FACE);
        bytes memory problem = abi.encodeWithSelector(Ledger_NotHeld.selector, _id(0));
        _expectUnmoved(_id(0), 2, problem);
        _expectUntouched(_id(0), 2, problem);
    }

    function test_RefusedWhen_Voided() external {
        _voidIt(_id(0), 1);
        bytes memory problem = abi.encodeWithSelector(Ledger_Voided.selector, _id(0));
        _expectUnmoved(_id(0), 2, problem);
        _expectUntouched(_id(0), 2, problem);
    }

    function test_RefusedWhen_Redeemed() external {
        _redeemOne(0, 1);
        bytes memory problem = abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, _id(0));
        _expectUnmoved(_id(0), 1, problem);
        _expectUntouched(_id(0), 1, problem);
    }

    function test_RefusedWhen_EpochIsStale() external {
        for (uint16 epoch = 0; epoch <= 2; epoch += 2) {
            bytes memory problem = abi.encodeWithSelector(Ledger_StaleEpoch.selector, _id(0), epoch, 1);
            _expectUnmoved(_id(0), epoch, problem);
            _expectUntouched(_id(0), epoch, problem);
        }
    }

    function test_RefusedWhen_EpochIsTheLast() external {
        uint256 word = uint256(uint160(alice.account)) | (uint256(1) << 160) | (uint256(65_535) << 168);
        _force(_id(0), word | (uint256(FACE) << 216));
        _expectUnmoved(_id(0), 65_535, abi.encodeWithSelector(Ledger_LastEpoch.selector, _id(0)));
    }

    function test_RefusedWhen_Activated() external {
        _activate(alice, _id(0), 1);
        _expectUnmoved(_id(0), 1, abi.encodeWithSelector(Ledger_Stopped.selector, _id(0), 8 | 1));
    }

    function test_RefusedWhen_Frozen() external {
        _freeze(_id(0), 1, 1);
        _expectUnmoved(_id(0), 1, abi.encodeWithSelector(Ledger_Stopped.selector, _id(0), 16 | 1));
    }

    // ------------------------------------------------------------------------------------------------ states of an event

    function test_RefusedWhen_Cancelled() external {
        _setStatus(eventId, 3);
        _expectUnmoved(_id(0), 1, abi.encodeWithSelector(Ledger_Cancelled.selector, eventId));
    }

    function test_RefusedWhen_MovesClosed() external {
        vm.warp(MOVES_CLOSE);
        _expectUnmoved(_id(0), 1, abi.encodeWithSelector(Ledger_MovesClosed.selector, _id(0), MOVES_CLOSE));
    }

    /// @dev Paused: sales and resales only.
    function test_RefusedWhen_Paused() external {
        _setStatus(eventId, 2);
        bytes memory problem = abi.encodeWithSelector(Ledger_NotOnSale.selector, eventId, 2);
        _expectAll(uint8(Mover.Settle), uint8(Mover.Exchange), _id(0), 1, problem);
        vm.assertEq(ledger.checkOffer(_id(0), 1, FACE), problem);
        vm.assertEq(ledger.checkGift(_id(0), 1, _to), "");
    }

    // ------------------------------------------------------------------------------------------------ resales

    function test_RefusedWhen_ResaleIsClosed() external {
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(i == 0 ? RESALE_OPENS - 1 : RESALE_CLOSES + 1);
            bytes memory problem =
                abi.encodeWithSelector(Ledger_ResaleClosed.selector, _id(0), RESALE_OPENS, RESALE_CLOSES);
            _expectAll(uint8(Mover.Settle), uint8(Mover.PoolReturn), _id(0), 1, problem);
            vm.assertEq(ledger.checkOffer(_id(0), 1, FACE), problem);
        }
    }

    function test_RefusedWhen_PriceIsOverTheCap() external {
        _price = 11_001;
        bytes memory problem = abi.encodeWithSelector(Ledger_OverCap.selector, _id(0), 11_001, 11_000);
        _expectAll(uint8(Mover.Settle), uint8(Mover.PoolReturn), _id(0), 1, problem);
        vm.assertEq(ledger.checkOffer(_id(0), 1, 11_001), problem);
    }

    function test_RefusedWhen_PriceIsOverWhatWasPaid() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.capAtPaid = true;
        _start(terms);
        _price = FACE + 1;
        bytes memory problem = abi.encodeWithSelector(Ledger_OverCap.selector, _id(0), FACE + 1, FACE);
        _expectAll(uint8(Mover.Settle), uint8(Mover.PoolReturn), _id(0), 1, problem);
        vm.assertEq(ledger.checkOffer(_id(0), 1, FACE + 1), problem);
    }

    // ------------------------------------------------------------------------------------------------ gifts

    /// @dev Deposit is of ticket 2, which is not custodied.
    function _expectUngiven(uint16 epoch, bytes4 selector, uint256 argument, bool alsoSwap) private {
        for (uint8 mover = 0; mover <= (alsoSwap ? GIVING : GIVING - 1); ++mover) {
            uint64 id = Mover(mover) == Mover.Deposit ? _id(2) : _id(0);
            _expect(Mover(mover), id, epoch, abi.encodeWithSelector(selector, id, argument));
        }
        vm.expectRevert(abi.encodeWithSelector(selector, _id(2), argument));
        vm.prank(alice.account);
        ledger.transferFrom(alice.account, _to, _id(2));
    }

    function test_RefusedWhen_TicketHasNotRested() external {
        vm.warp(START + COOLDOWN - 1);
        _expectUngiven(1, Ledger_Cooldown.selector, START + COOLDOWN, true);
        bytes memory problem = abi.encodeWithSelector(Ledger_Cooldown.selector, _id(0), START + COOLDOWN);
        _expectAll(uint8(Mover.Settle), uint8(Mover.PoolReturn), _id(0), 1, problem);
        vm.assertEq(ledger.checkGift(_id(0), 1, _to), problem);
        vm.assertEq(ledger.checkOffer(_id(0), 1, FACE), problem);
    }

    function test_RefusedWhen_GiftsAreClosed() external {
        vm.warp(GIFTS_CLOSE + 1);
        _expectUngiven(1, Ledger_GiftsClosed.selector, GIFTS_CLOSE, true);
    }

    function test_RefusedWhen_GivenTooOften() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.giftLimit = 0;
        _start(terms);
        _expectUngiven(1, Ledger_GiftLimit.selector, 0, true);
    }

    function _expectNotReceived(bytes memory problem) private {
        for (uint8 mover = 0; mover < GIVING; ++mover) {
            _expect(Mover(mover), Mover(mover) == Mover.Deposit ? _id(2) : _id(0), 1, problem);
        }
        vm.expectRevert(problem);
        vm.prank(alice.account);
        ledger.transferFrom(alice.account, _to, _id(2));
        vm.assertEq(ledger.checkGift(_id(0), 1, _to), problem);
    }

    function test_RefusedWhen_RecipientIsNobodyOrLedgerOrHolder() external {
        address[3] memory refused = [address(0), address(ledger), alice.account];
        for (uint256 i = 0; i < 3; ++i) {
            _to = refused[i];
            _expectNotReceived(abi.encodeWithSelector(Ledger_RefusedAccount.selector, _to));
            if (i > 0) _expect(Mover.Settle, _id(0), 1, abi.encodeWithSelector(Ledger_RefusedAccount.selector, _to));
        }
    }

    function test_RefusedWhen_RecipientIsNotListed() external {
        address[] memory listed = new address[](1);
        listed[0] = stranger;
        ILedgerTypes.Terms memory terms = _terms();
        terms.giftRoot = MerkleTree.root(listed);
        _start(terms);
        _expectNotReceived(abi.encodeWithSelector(Ledger_NotListed.selector, _to));
    }

    function test_RefusedWhen_RecipientHasAsManyAsAllowed() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.holderLimit = 2;
        _start(terms);
        _deliverLine(eventId, _delivery(_id(3), carol.account, true, 0, FACE));
        _deliverLine(eventId, _delivery(_id(4), carol.account, true, 0, FACE));
        bytes memory problem = abi.encodeWithSelector(Ledger_HolderLimit.selector, _to, 2);
        _expectNotReceived(problem);
        _expect(Mover.Settle, _id(0), 1, problem);
    }

    function test_RefusedWhen_TokenBuyerHasAsManyAsAllowed() external {
        ILedgerTypes.Terms memory terms = _terms();
        (terms.token, terms.capBps, terms.holderLimit) = (address(token), 10_000, 1);
        tokenEventId = _createEvent(terms);
        uint64 id = TicketId.first(tokenEventId, 0);
        vm.warp(START);
        _deliverLine(tokenEventId, _delivery(id, alice.account, false, 0, 0));
        _deliverLine(tokenEventId, _delivery(id + 1, relayer, false, 0, 0));
        vm.warp(RESALE_OPENS);
        _expect(Mover.BuyResale, id, 1, abi.encodeWithSelector(Ledger_HolderLimit.selector, relayer, 1));
    }

    // ------------------------------------------------------------------------------------------------ consent

    /// @dev Everything with a deadline, one second too late; and unsigned.
    function test_RefusedWhen_ConsentIsTooOldOrMissing() external {
        for (uint256 i = 0; i < 2; ++i) {
            _deadline = uint40(block.timestamp) - 1 + uint40(i);
            for (uint8 mover = 0; mover <= uint8(Mover.Activate); ++mover) {
                if (Mover(mover) == Mover.BuyResale) continue; // of the token rail
                _expectNoConsent(Mover(mover), i == 0);
            }
            _expectNoConsent(Mover.Identity, i == 0);
        }
    }

    function _expectNoConsent(Mover mover, bool late) private {
        uint64 id = mover == Mover.Deposit ? _id(2) : _id(0);
        bytes memory expired = abi.encodeWithSelector(Ledger_Expired.selector, id, _deadline);
        bytes memory missing = abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account);
        _expect(mover, id, 1, late ? expired : missing);
    }

    function test_RefusedWhen_VetoIsTooOld() external {
        vm.prank(relayer);
        ledger.announceReissue(_id(0), 1, carol.account, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Expired.selector, _id(0), 1));
        ledger.vetoReissue(_id(0), 1, 1, "x");
    }

    // ------------------------------------------------------------------------------------------------ reissue

    /// @dev Announced in time; whatever else happened until it is carried out.
    function test_RefusedWhen_ReissuedTicketCanNotMove() external {
        for (uint16 i = 0; i < 3; ++i) {
            vm.prank(relayer);
            ledger.announceReissue(_id(i), 1, stranger, true);
        }
        vm.warp(block.timestamp + 48 hours);
        _redeemOne(0, 1);
        _activate(bob, _id(1), 1);
        _expectReissueRefused(_id(0), abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, _id(0)));
        _expectReissueRefused(_id(1), abi.encodeWithSelector(Ledger_Stopped.selector, _id(1), 8));
        vm.warp(MOVES_CLOSE);
        _expectReissueRefused(_id(2), abi.encodeWithSelector(Ledger_MovesClosed.selector, _id(2), MOVES_CLOSE));
        _setStatus(eventId, 3);
        _expectReissueRefused(_id(2), abi.encodeWithSelector(Ledger_Cancelled.selector, eventId));
    }

    function _expectReissueRefused(uint64 id, bytes memory problem) private {
        vm.expectRevert(problem);
        vm.prank(relayer);
        ledger.reissue(id);
    }
}
