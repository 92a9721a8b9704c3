// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {Handler} from "./Handler.sol";
import {Store} from "./Store.sol";

/// @notice Holders: gifts, transfers, custody, swaps, pool, revocation.
contract FanHandler is Handler {
    constructor(Store store_) Handler(store_) {}

    function gift(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayGive);
        address to = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id == 0 || to == address(0)) return;
        bool custodied = _custody(dice, to);
        bytes memory consent = _signBy(word.holder(), _giftHash(id, word.epoch(), to, custodied, NEVER));
        store.agree(id, word.holder());
        _sendOnce(stranger, abi.encodeCall(ledger.gift, (id, word.epoch(), to, custodied, NEVER, consent)));
    }

    function transfer(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayGiveOwn);
        address to = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id == 0 || to == address(0)) return;
        string memory way = _roll(dice, "way") % 2 == 0 ? "transferFrom" : "safeTransferFrom";
        store.agree(id, word.holder());
        _send(
            word.holder(),
            abi.encodeWithSignature(string.concat(way, "(address,address,uint256)"), word.holder(), to, id)
        );
    }

    function withdraw(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayGiveCustodied);
        address to = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id != 0 && to != address(0)) _withdrawTo(id, word, to);
    }

    function withdrawHome(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayGoHome);
        if (id != 0) _withdrawTo(id, word, _wallet());
    }

    function _withdrawTo(uint64 id, TicketWord word, address to) private {
        bytes memory consent = _signBy(word.holder(), _moveHash("Withdraw", id, word.epoch(), to));
        store.agree(id, word.holder());
        _sendOnce(stranger, abi.encodeCall(ledger.withdraw, (id, word.epoch(), to, NEVER, consent)));
    }

    function deposit(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayGiveOwn);
        address to = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id != 0 && to != address(0) && to.code.length == 0) _depositTo(id, word, to);
    }

    function depositFromHome(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isHome);
        if (id != 0) _depositTo(id, word, alice.account);
    }

    function _depositTo(uint64 id, TicketWord word, address to) private {
        bytes memory consent = _signBy(word.holder(), _moveHash("Deposit", id, word.epoch(), to));
        store.agree(id, word.holder());
        _sendOnce(stranger, abi.encodeCall(ledger.deposit, (id, word.epoch(), to, NEVER, consent)));
    }

    /// @dev The wallet registered for alice before any ticket was sold.
    function _wallet() private pure returns (address) {
        return _fan("alice's wallet").account;
    }

    function _mayGoHome(uint64 id, TicketWord word) private view returns (bool) {
        bool hers = word.isCustodied() && word.holder() == alice.account;
        return hers && _isFree(id, word) && !_isFull(TicketId.eventOf(id), _wallet());
    }

    function _isHome(uint64 id, TicketWord word) private view returns (bool) {
        bool home = !word.isCustodied() && word.holder() == _wallet();
        return home && _isFree(id, word) && !_isFull(TicketId.eventOf(id), alice.account);
    }

    function swap(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayGive);
        if (id == 0) return;
        (, uint256 count,,) = store.counts();
        for (uint256 i = 0; i < count; ++i) {
            uint64 other = store.ids(i);
            TicketWord otherWord = ledger.ticketWordOf(other);
            bool alike = other >> 16 == id >> 16; // of one batch, so of one face price
            if (!alike || !_mayGive(other, otherWord) || otherWord.holder() == word.holder()) continue;
            return _swap(id, word, other, otherWord);
        }
    }

    function _swap(uint64 id, TicketWord word, uint64 other, TicketWord otherWord) private {
        Fan memory one = Fan(word.holder(), store.keyOf(word.holder()));
        Fan memory two = Fan(otherWord.holder(), store.keyOf(otherWord.holder()));
        store.agree(id, one.account);
        store.agree(other, two.account);
        _sendOnce(
            stranger,
            abi.encodeCall(
                ledger.swap,
                (
                    _swapSide(one, id, word.epoch(), other, otherWord.epoch()),
                    _swapSide(two, other, otherWord.epoch(), id, word.epoch())
                )
            )
        );
    }

    function revoke(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isFree);
        if (id == 0) return;
        bytes memory consent = _signBy(word.holder(), _revokeHash(id, word.epoch(), NEVER));
        bool itself = !word.isCustodied() && _roll(dice, "itself") % 2 == 0;
        if (itself) _sendOnce(word.holder(), abi.encodeCall(ledger.revoke, (id, word.epoch(), NEVER, "")));
        else _sendOnce(stranger, abi.encodeCall(ledger.revoke, (id, word.epoch(), NEVER, consent)));
    }

    /// @dev Rarely, for nothing but the gate is left to such a ticket.
    function activate(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isFree);
        if (id == 0 || _roll(dice, "rarely") % 3 != 0) return;
        bytes memory consent = _signBy(word.holder(), _plainHash("Activate", id, word.epoch()));
        _sendOnce(stranger, abi.encodeCall(ledger.activate, (id, word.epoch(), NEVER, consent)));
    }

    function poolReturn(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayOfferFiat);
        if (id == 0) return;
        uint40 price = uint40(_roll(dice, "price") % (uint256(ledger.capOf(id)) + 1));
        bytes memory consent = _signBy(word.holder(), _poolReturnHash(id, word.epoch(), price));
        store.agree(id, word.holder());
        _sendOnce(stranger, abi.encodeCall(ledger.poolReturn, (id, word.epoch(), price, NEVER, consent)));
    }
}
