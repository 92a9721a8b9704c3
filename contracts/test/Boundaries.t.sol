// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {Base} from "./Base.t.sol";

/// @notice Every time is compared in the safe direction, to the second; every price fits its 40 bits, to the last.
/// forge-config: default.fuzz.runs = 200
contract BoundariesTest is Base {
    /// @dev At, before or after one of these times: most fuzzed seconds are near to none.
    function _near(uint256 dice, uint32[4] memory times) private pure returns (uint256) {
        return uint256(times[dice % 4]) + (dice >> 8) % 5 - 2;
    }

    // ------------------------------------------------------------------------------------------------ windows

    function testFuzz_GiftAtAnySecond(uint256 dice) external {
        uint64 id = _sold(alice.account, false);
        uint256 time = _near(dice, [START + COOLDOWN, GIFTS_CLOSE, MOVES_CLOSE, START]);
        vm.warp(time);
        bool allowed = time >= START + COOLDOWN && time <= GIFTS_CLOSE && time < MOVES_CLOSE;
        vm.assertTrue((ledger.checkGift(id, 1, bob.account).length == 0) == allowed);
        vm.prank(alice.account);
        (bool moved,) = address(ledger).call(abi.encodeCall(ledger.transferFrom, (alice.account, bob.account, id)));
        vm.assertTrue(moved == allowed);
    }

    function testFuzz_ResaleAtAnySecond(uint256 dice, uint32 restless) external {
        vm.warp(START + restless % (2 * uint32(COOLDOWN)) + 22 hours);
        uint256 since = block.timestamp;
        uint64 id = _sold(alice.account, true);
        uint256 time = _near(dice, [RESALE_OPENS, RESALE_CLOSES, MOVES_CLOSE, uint32(since) + COOLDOWN]);
        if (time < since) time = since;
        vm.warp(time);
        bool allowed = time >= since + COOLDOWN && time >= RESALE_OPENS && time <= RESALE_CLOSES && time < MOVES_CLOSE;
        vm.assertTrue((ledger.checkOffer(id, 1, FACE).length == 0) == allowed);
        bytes memory consent = _sign(alice.key, _openOffer(id, 1, FACE));
        vm.assertTrue((_settleLine(_settlement(id, bob.account, true, 1, FACE, consent)).length == 0) == allowed);
    }

    /// @notice All windows that end at closing end before it: at that second nothing moves.
    function testFuzz_NothingMovesAtClosing(uint256 dice, uint8 mover) external {
        ILedgerTypes.Terms memory terms = _terms();
        ILedgerTypes.Schedule memory schedule = _schedule();
        (schedule.giftsCloseAt, schedule.resaleClosesAt) = (MOVES_CLOSE, MOVES_CLOSE);
        vm.startPrank(organizer);
        eventId = ledger.createEvent(organizer, "mine", terms, schedule);
        ledger.issue(eventId, 0, _batch(), "manifest");
        vm.stopPrank();
        uint64 id = _sold(alice.account, true);
        uint256 time = _near(dice, [MOVES_CLOSE, MOVES_CLOSE, MOVES_CLOSE, MOVES_CLOSE]);
        vm.warp(time);
        vm.assertTrue(this.move(mover % 6, id) == (time < MOVES_CLOSE));
    }

    /// @return moved whether this mover may move alice's ticket at epoch 1
    function move(uint8 mover, uint64 id) external returns (bool moved) {
        bytes memory data;
        if (mover == 0) {
            bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, true, NEVER));
            data = abi.encodeCall(ledger.gift, (id, 1, bob.account, true, NEVER, consent));
        } else if (mover == 1) {
            bytes memory consent = _sign(alice.key, _moveHash("Withdraw", id, 1, bob.account));
            data = abi.encodeCall(ledger.withdraw, (id, 1, bob.account, NEVER, consent));
        } else if (mover == 2) {
            data =
                abi.encodeCall(ledger.poolReturn, (id, 1, FACE, NEVER, _sign(alice.key, _poolReturnHash(id, 1, FACE))));
        } else if (mover == 3) {
            data = abi.encodeCall(ledger.revoke, (id, 1, NEVER, _sign(alice.key, _revokeHash(id, 1, NEVER))));
        } else if (mover == 4) {
            bytes memory consent = _sign(alice.key, _refundHash(id, 1, 0, NEVER));
            data = abi.encodeCall(ledger.refund, (id, 1, 0, REF, NEVER, consent));
        } else {
            bytes memory consent = _sign(alice.key, _openOffer(id, 1, FACE));
            return _settleLine(_settlement(id, bob.account, true, 1, FACE, consent)).length == 0;
        }
        vm.prank(relayer);
        (moved,) = address(ledger).call(data);
    }

    function testFuzz_ScheduleIsFixedFromClosingOn(uint256 dice) external {
        uint256 time = _near(dice, [MOVES_CLOSE, MOVES_CLOSE, MOVES_CLOSE, MOVES_CLOSE]);
        vm.warp(time);
        ILedgerTypes.Schedule memory schedule = _schedule();
        schedule.movesCloseAt = MOVES_CLOSE + 1 days;
        vm.prank(organizer);
        (bool changed,) = address(ledger).call(abi.encodeCall(ledger.setSchedule, (eventId, schedule, "why")));
        vm.assertTrue(changed == (time < MOVES_CLOSE));
    }

    // ------------------------------------------------------------------------------------------------ deadlines

    function testFuzz_DeadlineIsTheLastSecond(uint40 deadline, uint8 later) external {
        deadline = uint40(_bound(deadline, RESALE_OPENS, GIFTS_CLOSE - 9));
        uint64 id = _sold(alice.account, true);
        uint256 time = uint256(deadline) + later % 3 - 1;
        vm.warp(time);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, true, deadline));
        (bool given,) = address(ledger).call(abi.encodeCall(ledger.gift, (id, 1, bob.account, true, deadline, consent)));
        vm.assertTrue(given == (time <= deadline));
    }

    function testFuzz_OfferEndsAtItsLastSecond(uint40 deadline, uint8 later) external {
        deadline = uint40(_bound(deadline, RESALE_OPENS + 1, RESALE_CLOSES - 9));
        uint64 id = _sold(alice.account, true);
        uint256 time = uint256(deadline) + later % 3 - 1;
        vm.warp(time);
        bytes memory consent = _sign(alice.key, _offerHash(Offer(id, 1, FACE, "EUR", address(0), address(0), deadline)));
        bytes memory problem = _settleLine(_settlementUntil(deadline, id, bob.account, true, 1, FACE, consent));
        vm.assertTrue((problem.length == 0) == (time <= deadline));
    }

    function testFuzz_VoucherEndsAtItsLastSecond(uint40 expiry, uint8 later) external {
        expiry = uint40(_bound(expiry, START + 1, NEVER - 9));
        uint64 id = TicketId.first(tokenEventId, 0);
        uint256 time = uint256(expiry) + later % 3 - 1;
        vm.warp(time);
        token.mint(bob.account, FACE * UNIT);
        vm.prank(bob.account);
        token.approve(address(ledger), FACE * UNIT);
        bytes memory voucher = _voucher(id, 0, FACE, bob.account, expiry);
        vm.prank(bob.account);
        (bool bought,) = address(ledger).call(abi.encodeCall(ledger.buy, (id, 0, FACE, REF, expiry, voucher)));
        vm.assertTrue(bought == (time <= expiry));
    }

    function testFuzz_EscrowIsReleasedFromItsSecondOn(uint256 dice) external {
        _buyTicket(bob.account, TicketId.first(tokenEventId, 0), 0);
        uint256 time = _near(dice, [RELEASE, RELEASE, RELEASE, RELEASE]);
        vm.warp(time);
        (bool released,) = address(ledger).call(abi.encodeCall(ledger.releaseEscrow, (tokenEventId)));
        vm.assertTrue(released == (time >= RELEASE));
        vm.assertEq(ledger.creditOf(organizer, address(token)), released ? FACE * UNIT : 0);
    }

    function testFuzz_ReissueWaits48Hours(uint8 later) external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.reissue = true;
        eventId = _createEvent(terms);
        uint64 id = _sold(alice.account, false);
        vm.prank(relayer);
        ledger.announceReissue(id, 1, carol.account, true);
        vm.warp(uint256(START) + 48 hours + later % 3 - 1);
        vm.prank(relayer);
        (bool reissued,) = address(ledger).call(abi.encodeCall(ledger.reissue, (id)));
        vm.assertTrue(reissued == (later % 3 >= 1));
    }

    /// @notice Registered in the second of the sale or before: no gift. One second later: a gift.
    function testFuzz_OwnWalletIsRegisteredBeforeTheSale(uint8 later) external {
        address wallet = _fan("wallet").account;
        vm.warp(START + 1);
        uint64 id = _sold(alice.account, true);
        vm.warp(uint256(START) + later % 3);
        _register(alice, wallet);
        vm.warp(START + 1 + COOLDOWN);
        _withdraw(alice, id, 1, wallet);
        vm.assertEq(ledger.ticketOf(id).gifts, later % 3 == 2 ? 1 : 0);
    }

    function testFuzz_DailyEntryStartsAtMidnight(uint32 first, uint32 second) external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.entries = 255;
        eventId = _createEvent(terms);
        _sold(alice.account, true);
        uint256 time = uint256(START) + first % 10 days;
        vm.warp(time);
        vm.assertEq(_redeemOne(0, 1), "");
        uint256 next = time + second % 2 days;
        vm.warp(next);
        vm.assertTrue((_redeemOne(0, 1).length == 0) == (next / 1 days > time / 1 days));
    }

    // ------------------------------------------------------------------------------------------------ prices

    /// @notice The dearest ticket there can be goes through a whole life.
    function testFuzz_DearestTicket(uint40 price, uint16 royaltyBps) external {
        uint40 most = type(uint40).max;
        ILedgerTypes.Terms memory terms = _terms();
        (terms.capBps, terms.royaltyBps) = (65_535, uint16(_bound(royaltyBps, 0, 10_000)));
        vm.startPrank(organizer);
        eventId = ledger.createEvent(organizer, "dear", terms, _schedule());
        uint64 id = ledger.issue(eventId, 0, ILedgerTypes.Batch(2, 0, 0, 0, most), "manifest");
        vm.stopPrank();
        vm.assertEq(_deliverLine(eventId, _delivery(id, alice.account, true, 0, most)), "");
        vm.warp(RESALE_OPENS);
        vm.assertEq(ledger.capOf(id), most);
        bytes memory consent = _sign(alice.key, _openOffer(id, 1, price));
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, price, consent)), "");
        uint256 royalty = uint256(most) * terms.royaltyBps / 10_000;
        vm.assertEq(ledger.potOf(eventId), royalty < price ? royalty : price);
        vm.warp(block.timestamp + COOLDOWN);
        _poolReturn(bob, id, 2, most);
        vm.assertEq(_deliverLine(eventId, _delivery(id, carol.account, true, 3, most)), "");
        consent = _sign(carol.key, _refundHash(id, 4, most, NEVER));
        vm.prank(relayer);
        ledger.refund(id, 4, most, REF, NEVER, consent);
        (uint128 due,) = ledger.refundsOf(eventId);
        vm.assertEq(due, most);
    }

    /// @notice Whatever is written above the price in a line's word, no price is cut: the line of a sale is refused, a resale's is another offer.
    function testFuzz_NothingAboveThePriceIsCut(uint88 above) external {
        if (above == 0) above = 1;
        uint64 id = _id(0);
        ILedgerTypes.Delivery memory line = _delivery(id, alice.account, true, 0, FACE);
        uint256 word = uint256(bytes32(abi.encode(line.payment))) | (uint256(above) << 168);
        line = abi.decode(abi.encode(line.target, word), (ILedgerTypes.Delivery));
        vm.assertEq(_deliverLine(eventId, line), abi.encodeWithSelector(Ledger_BadLine.selector, id));
    }

    /// @notice At the largest unit and price: no sum overflows.
    function testFuzz_DearestTokens(uint40 price) external {
        ILedgerTypes.Terms memory terms = _terms();
        (terms.token, terms.capBps, terms.unitExponent) = (address(token), 10_000, 24);
        vm.startPrank(organizer);
        tokenEventId = ledger.createEvent(organizer, "dear", terms, _schedule());
        uint64 id = ledger.issue(tokenEventId, 0, ILedgerTypes.Batch(9, 0, 0, 0, price), "manifest");
        vm.stopPrank();
        uint256 amount = uint256(price) * 1e24;
        token.mint(bob.account, amount);
        bytes memory voucher = _voucher(id, 0, price, bob.account, NEVER);
        vm.startPrank(bob.account);
        token.approve(address(ledger), amount);
        ledger.buy(id, 0, price, REF, NEVER, voucher);
        vm.stopPrank();
        (uint256 escrow,,) = ledger.escrowOf(tokenEventId);
        vm.assertEq(escrow, amount);
        vm.warp(RELEASE);
        ledger.releaseEscrow(tokenEventId);
        vm.assertEq(ledger.creditOf(organizer, address(token)), amount);
    }
}
