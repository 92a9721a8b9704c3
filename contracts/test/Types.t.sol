// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BatchWord, BatchWords} from "../src/types/BatchWord.sol";
import {DeliveryTarget, DeliveryTargets, Payment, Payments, Redemption, Redemptions} from "../src/types/Lines.sol";
import {PolicyWord, PolicyWords} from "../src/types/PolicyWord.sol";
import {SupplyWord, SupplyWords} from "../src/types/SupplyWord.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {TicketWord, TicketWords} from "../src/types/TicketWord.sol";
import {Base} from "./Base.t.sol";

/// @notice Packed words come apart as they were put together, and lie as drawn.
contract TypesTest is Base {
    function setUp() public override {}

    function testFuzz_TicketWord(address holder, uint8 flags, uint16 epoch, uint32 since, uint40 price) external pure {
        TicketWord word = TicketWords.pack(holder, flags, epoch, since, price);
        vm.assertEq(word.holder(), holder);
        vm.assertEq(word.flags(), flags);
        vm.assertEq(word.epoch(), epoch);
        vm.assertEq(word.since(), since);
        vm.assertEq(word.price(), price);
        vm.assertEq(word.gifts(), flags >> 5);
        vm.assertTrue(word.isCustodied() == (flags & 1 != 0));
        vm.assertTrue(word.isRedeemed() == (flags & 2 != 0));
        vm.assertTrue(word.isVoid() == (flags & 4 != 0));
        vm.assertTrue(word.isStopped() == (flags & 24 != 0));
        uint256 drawn = uint256(uint160(holder)) + uint256(flags) * 2 ** 160 + uint256(epoch) * 2 ** 168
            + uint256(since) * 2 ** 184 + uint256(price) * 2 ** 216;
        vm.assertEq(TicketWord.unwrap(word), drawn);
    }

    function testFuzz_TicketWordStates(address holder, uint8 flags, uint16 epoch) external pure {
        TicketWord word = TicketWords.pack(holder, flags, epoch, 1, 2);
        bool held = holder != address(0);
        vm.assertTrue(word.isUnusedAt(epoch) == (held && flags & 6 == 0));
        vm.assertTrue(word.isFreeAt(epoch) == (held && flags & 30 == 0 && epoch != 65_535));
        unchecked {
            vm.assertFalse(word.isFreeAt(epoch + 1));
            vm.assertFalse(word.isUnusedAt(epoch + 1));
        }
        vm.assertFalse(word.isInStockAt(epoch));
        TicketWord stock = TicketWords.pack(address(0), 0, epoch, 0, 0);
        vm.assertTrue(stock.isInStockAt(epoch) == (epoch != 65_535));
    }

    function testFuzz_TicketWordChanges(address holder, uint8 flags, uint16 epoch, address to, bool custodied)
        external
        pure
    {
        epoch = uint16(_bound(epoch, 0, 65_534));
        TicketWord word = TicketWords.pack(holder, flags, epoch, 5, 77);
        uint8 gifts = flags >> 5;
        uint8 more = gifts == 7 ? 7 : gifts + 1;
        uint8 custody = custodied ? 1 : 0;
        _same(word.bought(to, custodied, 9, 88), TicketWords.pack(to, custody, epoch + 1, 9, 88));
        _same(word.given(to, custodied, 9), TicketWords.pack(to, (more << 5) | custody, epoch + 1, 9, 77));
        _same(word.returned(), TicketWords.pack(address(0), 0, epoch + 1, 0, 0));
        _same(word.voided(), TicketWords.pack(address(0), 4, epoch + 1, 0, 0));
        _same(word.revoked(), TicketWords.pack(holder, flags, epoch + 1, 5, 77));
        _same(word.redeemed(), TicketWords.pack(holder, flags | 2, epoch, 5, 77));
    }

    function testFuzz_TicketWordRarerChanges(address holder, uint8 flags, uint16 epoch, address to, bool custodied)
        external
        pure
    {
        epoch = uint16(_bound(epoch, 0, 65_534));
        TicketWord word = TicketWords.pack(holder, flags, epoch, 5, 77);
        uint8 kept = (flags & 0xfe) | (custodied ? 1 : 0);
        _same(word.rehoused(to, custodied), TicketWords.pack(to, kept, epoch + 1, 5, 77));
        _same(word.reissued(to, custodied, 9), TicketWords.pack(to, kept, epoch + 1, 9, 77));
        _same(word.pooled(9, 88), TicketWords.pack(address(0), 0, epoch + 1, 9, 88));
        _same(word.unpooled(), TicketWords.pack(address(0), 0, epoch, 0, 0));
        _same(word.unpaid(), TicketWords.pack(holder, flags, epoch, 5, 0));
        _same(word.stopped(8), TicketWords.pack(holder, flags | 8, epoch, 5, 77));
        _same(word.stopped(16).thawed(), TicketWords.pack(holder, flags & 0xef, epoch, 5, 77));
        TicketWord stock = TicketWords.pack(address(0), 0, 3, 0, 0);
        _same(stock.exchanged(word, 9, 88), TicketWords.pack(holder, flags, 4, 9, 88));
        vm.assertTrue(word.pooled(9, 88).isPooled());
        vm.assertFalse(word.returned().isPooled());
    }

    /// @notice The bulk calls' way to a bought word is the single calls'.
    function testFuzz_BoughtBy(uint256 target, uint256 payment, uint32 now_, uint8 flags) external pure {
        target = (target & ~(uint256(0xffff) << 224)) | (_bound(target >> 224, 0, 65_534) << 224);
        DeliveryTarget line = DeliveryTarget.wrap(target);
        Payment paid = Payment.wrap(payment);
        TicketWord word = TicketWords.pack(address(1), flags, line.epoch(), 5, 77);
        _same(
            TicketWords.boughtBy(line, paid, now_), word.bought(line.holder(), line.isCustodied(), now_, paid.price())
        );
    }

    function test_VoidedAtTheLastEpochStaysThere() external pure {
        _same(TicketWords.pack(address(1), 0, 65_535, 5, 77).voided(), TicketWords.pack(address(0), 4, 65_535, 0, 0));
    }

    function testFuzz_BatchWord(uint16 supply, uint16 priceClass, uint8 supplyClass, uint32 section, uint40 face)
        external
        pure
    {
        BatchWord word = BatchWords.pack(supply, priceClass, supplyClass, section, face);
        vm.assertEq(word.supply(), supply);
        vm.assertEq(word.priceClass(), priceClass);
        vm.assertEq(word.supplyClass(), supplyClass);
        vm.assertEq(word.section(), section);
        vm.assertEq(word.face(), face);
        uint256 drawn = uint256(supply) + uint256(priceClass) * 2 ** 16 + uint256(supplyClass) * 2 ** 32
            + uint256(section) * 2 ** 40 + uint256(face) * 2 ** 72;
        vm.assertEq(BatchWord.unwrap(word), drawn);
    }

    function testFuzz_PolicyWord(PolicyWords.Rules memory rules, uint32[5] memory times) external pure {
        PolicyWord word = PolicyWords.packRules(rules).withSchedule(times[0], times[1], times[2], times[3], times[4]);
        vm.assertTrue(word.exists());
        vm.assertEq(word.capBps(), rules.capBps);
        vm.assertEq(word.royaltyBps(), rules.royaltyBps);
        vm.assertEq(word.giftLimit(), rules.giftLimit);
        vm.assertEq(word.unitExponent(), rules.unitExponent);
        vm.assertEq(word.cooldown(), rules.cooldown);
        vm.assertEq(word.holderLimit(), rules.holderLimit);
        vm.assertTrue(word.isTokenRail() == (rules.switches & 2 != 0));
        vm.assertTrue(word.isDelegated() == (rules.switches & 1 != 0));
        vm.assertTrue(word.isLive() && !word.isCancelled());
        vm.assertEq(word.doorsAt(), times[0]);
        vm.assertEq(word.movesCloseAt(), times[1]);
        vm.assertEq(word.giftsCloseAt(), times[2]);
        vm.assertEq(word.resaleOpensAt(), times[3]);
        vm.assertEq(word.resaleClosesAt(), times[4]);
    }

    function testFuzz_PolicyWordStatusTouchesNothingElse(PolicyWord word, uint8 status) external pure {
        uint256 rest = PolicyWord.unwrap(word) & ~uint256(255);
        vm.assertEq(PolicyWord.unwrap(word.withStatus(status)), rest | status);
        vm.assertEq(word.withStatus(status).status(), status);
        vm.assertTrue(word.withStatus(3).isCancelled());
    }

    function testFuzz_SupplyWord(uint24[4] memory supplies, uint16 supply) external pure {
        SupplyWord word = SupplyWords.pack(supplies);
        for (uint8 class = 0; class < 4; ++class) {
            word = word.withBatch(class, supply).withBatch(class, supply);
        }
        vm.assertEq(word.batches(), 8);
        for (uint8 class = 0; class < 4; ++class) {
            vm.assertEq(word.committed(class), supplies[class]);
            vm.assertEq(word.issued(class), uint24(supply) * 2);
        }
    }

    function testFuzz_PolicyWordDelegationTouchesNothingElse(PolicyWord word) external pure {
        uint256 bit = 1 << 8;
        vm.assertEq(PolicyWord.unwrap(word.withDelegation(true)), PolicyWord.unwrap(word) | bit);
        vm.assertEq(PolicyWord.unwrap(word.withDelegation(false)), PolicyWord.unwrap(word) & ~bit);
    }

    function testFuzz_DeliveryTarget(address holder, uint64 id, uint16 epoch, bool custodied) external pure {
        DeliveryTarget target = DeliveryTargets.pack(holder, id, epoch, custodied);
        vm.assertEq(target.holder(), holder);
        vm.assertEq(target.id(), id);
        vm.assertEq(target.epoch(), epoch);
        vm.assertTrue(target.isCustodied() == custodied);
        uint256 drawn =
            uint256(uint160(holder)) + uint256(id) * 2 ** 160 + uint256(epoch) * 2 ** 224 + (custodied ? 2 ** 240 : 0);
        vm.assertEq(DeliveryTarget.unwrap(target), drawn);
    }

    function testFuzz_Payment(bytes16 ref, uint40 price) external pure {
        Payment payment = Payments.pack(ref, price);
        vm.assertEq(bytes32(payment.ref()), bytes32(ref));
        vm.assertEq(payment.price(), price);
        vm.assertEq(Payment.unwrap(payment), uint256(uint128(ref)) + uint256(price) * 2 ** 128);
    }

    function testFuzz_ResalePayment(bytes16 ref, uint40 price, uint40 deadline, bool bound) external pure {
        Payment payment = Payments.packResale(ref, price, deadline, bound);
        vm.assertEq(bytes32(payment.ref()), bytes32(ref));
        vm.assertEq(payment.price(), price);
        vm.assertEq(payment.deadline(), deadline);
        vm.assertTrue(payment.isBound() == bound);
        vm.assertTrue(payment.isPlain() == (deadline == 0 && !bound));
        uint256 drawn =
            uint256(uint128(ref)) + uint256(price) * 2 ** 128 + uint256(deadline) * 2 ** 168 + (bound ? 2 ** 208 : 0);
        vm.assertEq(Payment.unwrap(payment), drawn);
    }

    function testFuzz_Redemption(uint24 number, uint16 epoch) external pure {
        Redemption line = Redemptions.pack(number, epoch);
        vm.assertEq(line.number(), number);
        vm.assertEq(line.epoch(), epoch);
        vm.assertEq(Redemption.unwrap(line), uint256(epoch) + uint256(number) * 2 ** 16);
    }

    function testFuzz_TicketId(uint40 event_, uint8 batch, uint16 index) external pure {
        uint64 id = TicketId.first(event_, batch) + index;
        vm.assertEq(TicketId.eventOf(id), event_);
        vm.assertEq(TicketId.indexOf(id), index);
        vm.assertEq(TicketId.batchKeyOf(id), TicketId.batchKey(event_, batch));
        vm.assertEq(TicketId.ofNumber(event_, uint24(id)), id);
        vm.assertEq(id, uint256(event_) * 2 ** 24 + uint256(batch) * 2 ** 16 + index);
    }

    function _same(TicketWord left, TicketWord right) private pure {
        vm.assertEq(TicketWord.unwrap(left), TicketWord.unwrap(right));
    }
}
