// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Payment, Payments} from "../../src/types/Lines.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {MockToken} from "../mocks/MockToken.sol";
import {Ghosts} from "./Ghosts.sol";
import {Handler} from "./Handler.sol";
import {Store} from "./Store.sol";

/// @notice Money: sales and resales in tokens, releases, credits, refunds paid.
contract MoneyHandler is Handler {
    constructor(Store store_) Handler(store_) {}

    // ------------------------------------------------------------------------------------------------ sales

    function buy(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isForTokens);
        address buyer = _someone(dice, TicketId.eventOf(id), address(0));
        if (id == 0 || buyer == address(0)) return;
        uint40 face = ledger.batchOf(TicketId.eventOf(id), uint8(id >> 16)).face();
        _fund(buyer, id, face);
        bytes memory voucher = _attest(_voucherHash(id, word.epoch(), face, buyer, NEVER));
        _sendOnce(buyer, abi.encodeCall(ledger.buy, (id, word.epoch(), face, REF, NEVER, voucher)));
    }

    function _isForTokens(uint64 id, TicketWord word) private view returns (bool) {
        return !_isFiat(id) && word.isInStockAt(word.epoch()) && _isLive(TicketId.eventOf(id));
    }

    function buyResale(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _mayOfferTokens);
        address buyer = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id == 0 || buyer == address(0)) return;
        uint256 cap = ledger.capOf(id);
        uint40 price = uint40(_roll(dice, "price") % 2 == 0 ? cap : _roll(dice, "lower") % (cap + 1));
        address named = _roll(dice, "named") % 2 == 0 ? buyer : address(0);
        _fund(buyer, id, price);
        Offer memory offer = Offer(id, word.epoch(), price, "EUR", _rules(TicketId.eventOf(id)).token, named, NEVER);
        bytes memory consent = _signBy(word.holder(), _offerHash(offer));
        store.agree(id, word.holder());
        _sendOnce(buyer, abi.encodeCall(ledger.buyResale, (id, word.epoch(), price, named, NEVER, consent)));
    }

    /// @dev The buyer has what it needs, and has approved it.
    function _fund(address buyer, uint64 id, uint40 price) private {
        Ghosts.EventRules memory rules = _rules(TicketId.eventOf(id));
        MockToken(rules.token).mint(buyer, price * rules.unit);
        vm.prank(buyer);
        MockToken(rules.token).approve(address(ledger), price * rules.unit);
    }

    // ------------------------------------------------------------------------------------------------ releases

    function release(uint256 dice) external observed(dice) {
        _send(stranger, abi.encodeCall(ledger.release, (_anyEvent(dice), _payees())));
    }

    function releaseEscrow(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        bool due = block.timestamp >= ledger.scheduleOf(event_).releaseAt;
        if (!due || _rules(event_).token == address(0) || store.statusOf(event_) == 3) return;
        _send(stranger, abi.encodeCall(ledger.releaseEscrow, (event_)));
    }

    function recordRefundsPaid(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        (uint128 due, uint128 paid) = ledger.refundsOf(event_);
        if (due == paid) return;
        Payment[] memory lines = new Payment[](2);
        lines[0] = Payments.pack(REF, uint40(1 + _roll(dice, "amount") % (due - paid)));
        lines[1] = Payments.pack(REF, 0);
        bytes memory attestation = _attest(_refundsPaidHash(event_, paid, lines));
        _sendOnce(relayer, abi.encodeCall(ledger.recordRefundsPaid, (event_, lines, attestation)));
    }

    // ------------------------------------------------------------------------------------------------ credits

    function claim(uint256 dice) external observed(dice) {
        (address account, address token_) = _creditor(dice);
        if (account != address(0)) _send(account, abi.encodeCall(ledger.claim, (token_)));
    }

    function claimFor(uint256 dice) external observed(dice) {
        (address account, address token_) = _creditor(dice);
        if (account == address(0) || store.keyOf(account) == 0 || account.code.length > 0) return;
        bytes32 hash = _claimHash(account, token_, stranger, ledger.claimNonceOf(account), NEVER);
        bytes memory consent = _signBy(account, hash);
        _sendOnce(stranger, abi.encodeCall(ledger.claimFor, (account, token_, stranger, NEVER, consent)));
    }

    /// @dev Somebody with a credit whom the token does not refuse.
    function _creditor(uint256 dice) private view returns (address account, address token_) {
        (,, uint256 count, uint256 kinds) = store.counts();
        token_ = store.tokens(_roll(dice, "token") % kinds);
        uint256 first = _roll(dice, "account") % count;
        for (uint256 i = 0; i < count; ++i) {
            account = store.accounts((first + i) % count);
            bool refused = MockToken(token_).refused() == account;
            if (!refused && ledger.creditOf(account, token_) > 0) return (account, token_);
        }
        return (address(0), token_);
    }

    /// @notice The token refuses one payee, or nobody any more.
    function refusePayee(uint256 dice) external observed(dice) {
        (,,, uint256 kinds) = store.counts();
        address refused = _roll(dice, "refused") % 2 == 0 ? payeeA : address(0);
        MockToken(store.tokens(_roll(dice, "token") % kinds)).refuse(refused);
    }

    /// @notice Somebody sends tokens to the ledger, for nothing.
    function donate(uint256 dice) external observed(dice) {
        (,,, uint256 kinds) = store.counts();
        address token_ = store.tokens(_roll(dice, "token") % kinds);
        MockToken(token_).mint(address(ledger), dice % 1e6);
        store.addDonation(token_, dice % 1e6);
    }
}
