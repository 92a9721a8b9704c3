// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {MockToken} from "../mocks/MockToken.sol";
import {Ghosts} from "./Ghosts.sol";
import {World} from "./World.sol";

/// @notice What holds after every call of any history. The numbers are those of the contract study, 3.1; see the README beside.
contract InvariantsTest is World {
    /// @dev Whatever changed outside a handler is judged too; then nobody may have broken this rule.
    modifier unbroken(Ghosts.Rule rule) {
        vm.warp(store.time());
        store.observe();
        vm.assertEq(store.breach(rule), "");
        _;
    }

    // ------------------------------------------------------------------------------------------------ tickets

    /// @dev 1, and no id is sold beyond what was committed.
    function invariant_01_SoldTicketsAreWithinTheirBatch() external unbroken(Ghosts.Rule.Power) {
        for (uint256 i = 0; i < 4; ++i) {
            uint40 event_ = store.events(i);
            uint256 issued = 0;
            for (uint8 number = 0; number < ledger.batchesOf(event_); ++number) {
                uint64 beyond = TicketId.first(event_, number) + ledger.batchOf(event_, number).supply();
                vm.assertEq(_word(beyond), 0);
                issued += ledger.batchOf(event_, number).supply();
            }
            (uint24 committed, uint24 counted) = ledger.suppliesOf(event_, 0);
            vm.assertEq(counted, issued);
            vm.assertTrue(counted <= committed);
        }
    }

    /// @dev 2
    function invariant_02_NoIdIsReborn() external unbroken(Ghosts.Rule.Reborn) {}

    /// @dev 3: one owner each, and the balances are the sums.
    function invariant_03_OwnersAndBalancesAreThoseOfTheTransferLogs() external unbroken(Ghosts.Rule.Logs) {
        (, uint256 tickets, uint256 people,) = store.counts();
        uint256 owned = 0;
        for (uint256 i = 0; i < tickets; ++i) {
            uint64 id = store.ids(i);
            TicketWord word = ledger.ticketWordOf(id);
            address owner = word.isCustodied() ? address(ledger) : word.holder();
            vm.assertEq(store.ownerOf(id), owner);
            if (owner != address(0)) ++owned;
        }
        uint256 sum = ledger.balanceOf(address(ledger));
        vm.assertEq(sum, store.balanceOf(address(ledger)));
        for (uint256 i = 0; i < people; ++i) {
            address account = store.accounts(i);
            vm.assertEq(ledger.balanceOf(account), store.balanceOf(account));
            sum += ledger.balanceOf(account);
        }
        vm.assertEq(sum, owned);
    }

    /// @dev 4
    function invariant_04_NoPathExceedsTheCap() external unbroken(Ghosts.Rule.Price) {}

    /// @dev 9
    function invariant_09_AUsedOrVoidTicketNeverMoves() external unbroken(Ghosts.Rule.Dead) {}

    /// @dev 10: used is who entered, and nobody else.
    function invariant_10_UsedIsWhoEntered() external unbroken(Ghosts.Rule.Entries) {
        (, uint256 tickets,,) = store.counts();
        for (uint256 i = 0; i < tickets; ++i) {
            uint64 id = store.ids(i);
            vm.assertTrue(ledger.ticketWordOf(id).isRedeemed() == (store.entriesOf(id) > 0));
        }
    }

    /// @dev 11: here entries are counted, or one a day.
    function invariant_11_NobodyEntersMoreOftenThanTheTermsAllow() external unbroken(Ghosts.Rule.Entries) {}

    /// @dev 12
    function invariant_12_AHeldTicketMovesOnlyByConsent() external unbroken(Ghosts.Rule.Consent) {}

    /// @dev 12: whoever tries with a signature of its own, or a role that has no say.
    function invariant_12_NobodyHasMorePowerThanTheirRole() external unbroken(Ghosts.Rule.Power) {}

    /// @dev 13: batches, orders, settlements, vouchers and consents.
    function invariant_13_NothingWorksASecondTime() external unbroken(Ghosts.Rule.Replay) {}

    /// @dev 14
    function invariant_14_TheEpochStrictlyGrows() external unbroken(Ghosts.Rule.Epoch) {}

    /// @dev 18, with the holder limit.
    function invariant_18_GiftsAndHoldingsStayWithinTheTerms() external unbroken(Ghosts.Rule.Gifts) {
        (,, uint256 people,) = store.counts();
        for (uint256 i = 0; i < 4; ++i) {
            uint40 event_ = store.events(i);
            uint8 limit = store.rulesOf(event_).holderLimit;
            if (limit == 0) continue;
            for (uint256 j = 0; j < people; ++j) {
                address account = store.accounts(j);
                uint256 held = _held(event_, account);
                vm.assertEq(ledger.holdingOf(event_, account), held);
                vm.assertTrue(held <= limit);
            }
        }
    }

    function _held(uint40 event_, address account) private view returns (uint256 held) {
        (, uint256 tickets,,) = store.counts();
        for (uint256 i = 0; i < tickets; ++i) {
            uint64 id = store.ids(i);
            if (TicketId.eventOf(id) == event_ && ledger.holderOf(id) == account) ++held;
        }
    }

    /// @dev 19
    function invariant_19_WindowsClosingAndCooldownHold() external unbroken(Ghosts.Rule.Times) {}

    /// @dev 20; `Fold.t.sol` rebuilds the words themselves.
    function invariant_20_EveryChangeHasExactlyOneEvent() external unbroken(Ghosts.Rule.Logs) {}

    // ------------------------------------------------------------------------------------------------ money

    /// @dev 5: royalties are what the pot has and had; the shares of a release leave nothing.
    function invariant_05_PartsSumToThePrice() external unbroken(Ghosts.Rule.Parts) {
        for (uint256 i = 0; i < 4; ++i) {
            uint40 event_ = store.events(i);
            Ghosts.EventMoney memory told = store.moneyOf(event_);
            vm.assertEq(ledger.potOf(event_) + told.released, told.royalties);
            (uint128 due, uint128 paid) = ledger.refundsOf(event_);
            vm.assertEq(due, told.due);
            vm.assertEq(paid, told.paid);
            vm.assertTrue(paid <= due);
        }
    }

    /// @dev 6, over all events and both tokens: what was given away beside, nobody owns.
    function invariant_06_TokensHeldAreTokensOwed() external unbroken(Ghosts.Rule.Parts) {
        for (uint256 i = 0; i < 2; ++i) {
            address token_ = store.tokens(i);
            uint256 credits = _credits(token_);
            vm.assertEq(credits, store.credited(token_) - store.claimed(token_));
            uint256 owed = credits + _pledged(token_) + store.donated(token_);
            vm.assertEq(MockToken(token_).balanceOf(address(ledger)), owed);
        }
    }

    function _credits(address token_) private view returns (uint256 sum) {
        (,, uint256 people,) = store.counts();
        for (uint256 i = 0; i < people; ++i) {
            sum += ledger.creditOf(store.accounts(i), token_);
        }
    }

    /// @dev Escrows and pots.
    function _pledged(address token_) private view returns (uint256 sum) {
        for (uint256 i = 0; i < 4; ++i) {
            uint40 event_ = store.events(i);
            if (store.rulesOf(event_).token != token_) continue;
            (uint256 escrow,,) = ledger.escrowOf(event_);
            sum += ledger.potOf(event_) + escrow;
        }
    }

    /// @dev 7: were the event cancelled now, every ticket bought for tokens gets its face, and nothing is left.
    function invariant_07_EscrowCoversEveryRefund() external unbroken(Ghosts.Rule.Parts) {
        for (uint256 i = 2; i < 4; ++i) {
            uint40 event_ = store.events(i);
            (uint256 escrow,, bool released) = ledger.escrowOf(event_);
            vm.assertEq(escrow, _refundable(event_));
            if (released) continue;
            if (store.statusOf(event_) != 3) _setStatus(event_, 3);
            ledger.refundCancelled(event_, store.idsOf(event_));
            (escrow,,) = ledger.escrowOf(event_);
            vm.assertEq(escrow, 0);
        }
    }

    function _refundable(uint40 event_) private view returns (uint256 sum) {
        (, uint256 tickets,,) = store.counts();
        uint256 unit = store.rulesOf(event_).unit;
        for (uint256 i = 0; i < tickets; ++i) {
            uint64 id = store.ids(i);
            if (TicketId.eventOf(id) != event_ || !store.escrowed(id)) continue;
            sum += ledger.batchOf(event_, uint8(id >> 16)).face() * unit;
        }
    }

    /// @dev 17: the token refuses one of the payees; all others draw what is theirs, and nothing but the refused part is left of it.
    function invariant_17_ARevertingPayeeBlocksNobody() external unbroken(Ghosts.Rule.Parts) {
        (,, uint256 people,) = store.counts();
        for (uint256 i = 0; i < 2; ++i) {
            MockToken token_ = MockToken(store.tokens(i));
            token_.refuse(payeeA);
            ledger.release(store.events(2 + i), _payees());
            for (uint256 j = 0; j < people; ++j) {
                address account = store.accounts(j);
                if (account == payeeA || ledger.creditOf(account, address(token_)) == 0) continue;
                vm.prank(account);
                ledger.claim(address(token_));
            }
            vm.assertEq(_credits(address(token_)), ledger.creditOf(payeeA, address(token_)));
        }
    }

    // ------------------------------------------------------------------------------------------------ events

    /// @dev 8
    function invariant_08_TermsNeverChangeAndCancelledIsFinal() external unbroken(Ghosts.Rule.Status) {
        for (uint256 i = 0; i < 4; ++i) {
            uint40 event_ = store.events(i);
            vm.assertEq(_hashTerms(event_), _termsHash[event_]);
            vm.assertEq(ledger.policyWordOf(event_).status(), store.statusOf(event_));
        }
    }

    /// @dev Of a paused event every holder of a ticket that may move can take it out (to a wallet with room), give it back, or use it.
    function invariant_21_APausedLedgerStillLetsHoldersExit() external unbroken(Ghosts.Rule.Status) {
        (, uint256 tickets,,) = store.counts();
        for (uint256 i = 0; i < 4; ++i) {
            if (store.statusOf(store.events(i)) == 1) _setStatus(store.events(i), 2);
        }
        for (uint256 i = 0; i < tickets; ++i) {
            _exit(store.ids(i), i);
        }
    }

    function _exit(uint64 id, uint256 i) private {
        TicketWord word = ledger.ticketWordOf(id);
        uint40 event_ = TicketId.eventOf(id);
        uint16 epoch = word.epoch();
        bool open = block.timestamp < ledger.scheduleOf(event_).movesCloseAt && store.statusOf(event_) != 3;
        if (!open || !word.isFreeAt(epoch)) return;
        Fan memory holder = Fan(word.holder(), store.keyOf(word.holder()));
        address wallet = _fan("alice's wallet").account;
        uint8 limit = store.rulesOf(event_).holderLimit;
        bool room = limit == 0 || ledger.holdingOf(event_, wallet) < limit;
        if (word.isCustodied() && holder.account == alice.account && room) {
            _withdraw(holder, id, epoch, wallet);
        } else if (store.rulesOf(event_).token == address(0) && i % 2 == 0) {
            bytes memory consent = _sign(holder.key, _refundHash(id, epoch, 0, NEVER));
            vm.prank(relayer);
            ledger.refund(id, epoch, 0, REF, NEVER, consent);
        } else {
            eventId = event_;
            vm.assertEq(_redeemNumber(uint24(id), epoch), "");
        }
    }

    function _redeemNumber(uint24 number, uint16 epoch) private returns (bytes memory) {
        vm.prank(gate);
        return _only(ledger.redeem(eventId, _redemptions(number, epoch)));
    }
}
