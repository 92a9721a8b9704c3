// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {Ghosts} from "./Ghosts.sol";

/// @notice Whether a ticket may change from one word to another, for the reason its log gives. Written from the design, not from the
/// contract's rules: a transition that is not allowed here is a breach, whichever call made it.
abstract contract Judge is Ghosts {
    function _judge(uint64 id, TicketWord was, TicketWord next, Kind kind) internal {
        bool held = was.holder() != address(0);
        bool moved = was.holder() != next.holder() || was.isCustodied() != next.isCustodied();
        if (kind == Kind.None) convict(Rule.Logs, "a ticket changed and no event says so");
        _judgeEpoch(was, next, kind, moved);
        _judgeDead(was, next, kind);
        _judgeStock(was, next, kind);
        if (held && moved) _judgeConsent(id, was, kind);
        _judgePrice(id, was, next, kind);
        _judgeGifts(id, was, next, kind);
        if (held) _judgeTimes(id, was, kind);
    }

    /// @dev Each move and each revocation makes the epoch one more, and nothing else changes it.
    function _judgeEpoch(TicketWord was, TicketWord next, Kind kind, bool moved) private {
        bool flagsOnly = kind == Kind.Flagged || kind == Kind.Redeemed;
        bool refundedInPlace = kind == Kind.RefundedCancelled && (was.isRedeemed() || was.isPooled());
        uint16 expected = flagsOnly || refundedInPlace ? was.epoch() : was.epoch() + 1;
        if (next.epoch() != expected) convict(Rule.Epoch, "the epoch did not grow by one");
        if (moved && next.epoch() <= was.epoch()) convict(Rule.Epoch, "a ticket moved at the same epoch");
    }

    /// @dev A used ticket stays where it is; a void one stays as it is.
    function _judgeDead(TicketWord was, TicketWord next, Kind kind) private {
        if (was.isVoid()) convict(Rule.Dead, "a void ticket changed");
        if (!was.isRedeemed()) return;
        bool same = was.holder() == next.holder() && was.flags() == next.flags() && was.epoch() == next.epoch();
        if (!same || kind != Kind.RefundedCancelled) convict(Rule.Dead, "a used ticket changed");
    }

    /// @dev Out of stock only by a sale, and never back to "never sold".
    function _judgeStock(TicketWord was, TicketWord next, Kind kind) private {
        bool sale = kind == Kind.Delivered || kind == Kind.Bought || kind == Kind.ExchangedIn;
        bool sold = was.holder() == address(0) && next.holder() != address(0);
        if (sold != sale) convict(Rule.Reborn, "a ticket left stock without a sale, or was sold twice");
        if (TicketWord.unwrap(next) == 0) convict(Rule.Reborn, "a ticket is as if it was never sold");
    }

    /// @dev By the holder's agreement, or by one of the three movers without it, each in its own case.
    function _judgeConsent(uint64 id, TicketWord was, Kind kind) private {
        if (kind == Kind.RefundedCancelled) {
            if (statusOf[TicketId.eventOf(id)] != 3) convict(Rule.Consent, "refunded though not cancelled");
        } else if (kind == Kind.Voided) {
            bool ownPayment = was.gifts() == 0;
            bool fiat = _rules[TicketId.eventOf(id)].token == address(0);
            if (!fiat || !(ownPayment || was.isFrozen())) convict(Rule.Consent, "void outside its cases");
        } else if (kind == Kind.Reissued) {
            Announced memory announced = _announced[id];
            bool due = announced.readyAt != 0 && time >= announced.readyAt && announced.epoch == was.epoch();
            if (!due) convict(Rule.Consent, "reissued without announcement and 48 hours");
        } else {
            Agreement memory agreed = _agreed[id];
            bool agrees = agreed.step == _step && agreed.holder == was.holder();
            if (!agrees) convict(Rule.Consent, "a held ticket moved without its holder's consent");
        }
    }

    function _judgePrice(uint64 id, TicketWord was, TicketWord next, Kind kind) private {
        uint40 face = _faceOf(id);
        if (kind == Kind.Settled || kind == Kind.Resold || kind == Kind.Pooled) {
            if (next.price() > _capOf(id, was)) convict(Rule.Price, "resold over the cap");
        } else if (kind == Kind.Delivered) {
            bool within = next.price() >= was.price() && next.price() <= _capOf(id, was);
            if (was.isPooled() && !within) convict(Rule.Price, "sold from the pool outside its prices");
        } else if (kind == Kind.Bought) {
            if (next.price() != face) convict(Rule.Price, "bought at another price than face");
        } else if (kind == Kind.Refunded || kind == Kind.RefundedCancelled || kind == Kind.Voided) {
            if (next.price() != 0) convict(Rule.Price, "a price is left of what was given back");
        } else if (kind != Kind.ExchangedIn && kind != Kind.ExchangedAway) {
            if (next.price() != was.price()) convict(Rule.Price, "the price changed without a sale");
        }
    }

    function _judgeGifts(uint64 id, TicketWord was, TicketWord next, Kind kind) private {
        EventRules memory rules = _rules[TicketId.eventOf(id)];
        if (kind == Kind.Given) {
            uint8 expected = was.gifts() == 7 ? 7 : was.gifts() + 1;
            bool within = rules.giftLimit == 7 || was.gifts() < rules.giftLimit;
            if (!within || next.gifts() != expected) convict(Rule.Gifts, "given away too often, or not counted");
        } else if (kind == Kind.Settled || kind == Kind.Resold || kind == Kind.Delivered || kind == Kind.Bought) {
            if (next.gifts() != 0) convict(Rule.Gifts, "a purchase did not clear the gifts");
        } else if (kind == Kind.Rehoused) {
            bool same = next.gifts() == was.gifts() && next.since() == was.since();
            address wallet = was.isCustodied() ? next.holder() : was.holder();
            address account = was.isCustodied() ? was.holder() : next.holder();
            (address owner, uint40 since) = ledger.accountOf(wallet);
            bool own = owner == account && since <= was.since();
            if (!same || !own) convict(Rule.Gifts, "moved uncounted to a wallet that is not the holder's own");
        } else if (kind == Kind.Reissued || kind == Kind.Revoked) {
            if (next.gifts() != was.gifts()) convict(Rule.Gifts, "the gift counter changed without a gift");
        }
    }

    /// @dev Windows, closing, cool-down, status and stops, for a ticket somebody holds.
    function _judgeTimes(uint64 id, TicketWord was, Kind kind) private {
        bool withoutConsent = kind == Kind.RefundedCancelled || kind == Kind.Voided;
        if (withoutConsent || kind == Kind.Redeemed) return;
        if (kind == Kind.Flagged) return;
        uint40 eventId = TicketId.eventOf(id);
        EventRules memory rules = _rules[eventId];
        ILedgerTypes.Schedule memory schedule = ledger.scheduleOf(eventId);
        bool resale = kind == Kind.Settled || kind == Kind.Resold || kind == Kind.Pooled;
        if (time >= schedule.movesCloseAt) convict(Rule.Times, "moved after closing");
        if (was.isStopped()) convict(Rule.Times, "moved though activated or frozen");
        if (statusOf[eventId] == 3) convict(Rule.Times, "moved though cancelled");
        if (resale && statusOf[eventId] != 1) convict(Rule.Times, "resold while paused");
        bool rested = time >= uint256(was.since()) + rules.cooldown;
        if (!rested && (resale || kind == Kind.Given)) convict(Rule.Times, "moved before the cool-down was over");
        bool open = time >= schedule.resaleOpensAt && time <= schedule.resaleClosesAt;
        if (resale && !open) convict(Rule.Times, "resold outside the window");
        if (kind == Kind.Given && time > schedule.giftsCloseAt) convict(Rule.Times, "given after the last gift");
    }

    // ------------------------------------------------------------------------------------------------ arithmetic of the design

    function _faceOf(uint64 id) internal view returns (uint40) {
        return ledger.batchOf(TicketId.eventOf(id), uint8(id >> 16)).face();
    }

    function _capOf(uint64 id, TicketWord was) internal view returns (uint256 cap) {
        EventRules memory rules = _rules[TicketId.eventOf(id)];
        cap = uint256(_faceOf(id)) * rules.capBps / 10_000;
        if (rules.capAtPaid && was.holder() != address(0) && was.price() < cap) cap = was.price();
    }

    function _royaltyOf(uint64 id, uint256 price) internal view returns (uint256 royalty) {
        uint256 face = _faceOf(id);
        royalty = (price > face ? price : face) * _rules[TicketId.eventOf(id)].royaltyBps / 10_000;
        if (royalty > price) royalty = price;
    }
}
