// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {Steps} from "../support/Steps.sol";
import {Ghosts} from "./Ghosts.sol";
import {Store} from "./Store.sol";

/// @notice Turns a fuzzed number into one call that must work. What can't be done now is left undone; what is tried must not revert.
abstract contract Handler is Steps {
    Store internal immutable store;

    constructor(Store store_) {
        store = store_;
        ledger = store_.ledger();
    }

    /// @notice Some minutes pass, something is done, and the store looks at what came of it.
    modifier observed(uint256 dice) {
        store.pass(dice % 40 minutes);
        vm.warp(store.time());
        vm.recordLogs();
        _;
        store.observe();
    }

    // ------------------------------------------------------------------------------------------------ sending

    /// @notice The call works.
    function _send(address sender, bytes memory data) internal returns (bytes memory answer) {
        bool success;
        vm.prank(sender);
        (success, answer) = address(ledger).call(data);
        if (!success) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    /// @notice The call works, and must not work again.
    function _sendOnce(address sender, bytes memory data) internal returns (bytes memory answer) {
        answer = _send(sender, data);
        store.remember(sender, data);
    }

    /// @notice The holder's signature, by its key or the key of its wallet.
    function _signBy(address holder, bytes32 structHash) internal view returns (bytes memory) {
        return _sign(store.keyOf(holder), structHash);
    }

    function _attest(bytes32 structHash) internal view returns (bytes memory) {
        return _sign(attestor.key, structHash);
    }

    // ------------------------------------------------------------------------------------------------ choosing

    function _roll(uint256 dice, string memory salt) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(dice, salt)));
    }

    function _anyEvent(uint256 dice) internal view returns (uint40) {
        (uint256 count,,,) = store.counts();
        return store.events(_roll(dice, "event") % count);
    }

    /// @notice The first ticket from a random one on that suits; 0: none does.
    function _find(uint256 dice, function(uint64, TicketWord) internal view returns (bool) suits)
        internal
        view
        returns (uint64, TicketWord)
    {
        (, uint256 count,,) = store.counts();
        uint256 first = _roll(dice, "ticket") % count;
        for (uint256 i = 0; i < count; ++i) {
            uint64 id = store.ids((first + i) % count);
            TicketWord word = ledger.ticketWordOf(id);
            if (suits(id, word)) return (id, word);
        }
        return (0, TicketWord.wrap(0));
    }

    /// @notice Somebody who may get a ticket of this event; zero: nobody.
    /// @param except the ticket's present holder
    function _someone(uint256 dice, uint40 event_, address except) internal view returns (address) {
        (,, uint256 count,) = store.counts();
        uint256 first = _roll(dice, "account") % count;
        for (uint256 i = 0; i < count; ++i) {
            address account = store.accounts((first + i) % count);
            bool signs = store.keyOf(account) != 0;
            if (signs && account != except && !_isFull(event_, account)) return account;
        }
        return address(0);
    }

    function _isFull(uint40 event_, address account) internal view returns (bool) {
        uint8 limit = _rules(event_).holderLimit;
        return limit > 0 && ledger.holdingOf(event_, account) >= limit;
    }

    /// @notice Custodied or not; a wallet with code has no key that could sign for a custodied ticket.
    function _custody(uint256 dice, address account) internal view returns (bool) {
        return account.code.length == 0 && _roll(dice, "custody") % 2 == 0;
    }

    // ------------------------------------------------------------------------------------------------ what suits

    function _rules(uint40 event_) internal view returns (Ghosts.EventRules memory) {
        return store.rulesOf(event_);
    }

    function _isFiat(uint64 id) internal view returns (bool) {
        return _rules(TicketId.eventOf(id)).token == address(0);
    }

    function _isLive(uint40 event_) internal view returns (bool) {
        return store.statusOf(event_) == 1;
    }

    function _isFree(uint64 id, TicketWord word) internal view returns (bool) {
        uint40 event_ = TicketId.eventOf(id);
        bool open = block.timestamp < ledger.scheduleOf(event_).movesCloseAt;
        return word.isFreeAt(word.epoch()) && open && store.statusOf(event_) != 3;
    }

    function _mayGive(uint64 id, TicketWord word) internal view returns (bool) {
        return ledger.checkGift(id, word.epoch(), stranger).length == 0;
    }

    function _mayGiveOwn(uint64 id, TicketWord word) internal view returns (bool) {
        return !word.isCustodied() && _mayGive(id, word);
    }

    function _mayGiveCustodied(uint64 id, TicketWord word) internal view returns (bool) {
        return word.isCustodied() && _mayGive(id, word);
    }

    function _mayOffer(uint64 id, TicketWord word) internal view returns (bool) {
        return ledger.checkOffer(id, word.epoch(), 0).length == 0;
    }

    function _mayOfferFiat(uint64 id, TicketWord word) internal view returns (bool) {
        return _isFiat(id) && _mayOffer(id, word);
    }

    function _mayOfferTokens(uint64 id, TicketWord word) internal view returns (bool) {
        return !_isFiat(id) && _mayOffer(id, word);
    }

    function _isFreeFiat(uint64 id, TicketWord word) internal view returns (bool) {
        return _isFiat(id) && _isFree(id, word);
    }

    function _isUnusedFiat(uint64 id, TicketWord word) internal view returns (bool) {
        return _isFiat(id) && word.isUnusedAt(word.epoch());
    }
}
