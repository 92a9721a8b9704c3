// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {DeliveryTargets, Payments, Redemption, Redemptions} from "../../src/types/Lines.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {Handler} from "./Handler.sol";
import {Store} from "./Store.sol";

/// @notice The service: deliveries, settled resales, refunds, exchanges; and the gate.
contract ServiceHandler is Handler {
    uint256 private constant LINES = 3;

    constructor(Store store_) Handler(store_) {}

    // ------------------------------------------------------------------------------------------------ bulk

    /// @notice Up to three tickets of one event from stock or pool; sometimes with one line twice, which must be skipped.
    function deliver(uint256 dice) external observed(dice) {
        (uint64 first,) = _find(dice, _isSellable);
        uint40 event_ = TicketId.eventOf(first);
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](LINES + 1);
        uint256 count = 0;
        (, uint256 tickets,,) = store.counts();
        for (uint256 i = 0; i < tickets && count < LINES; ++i) {
            uint64 id = store.ids((_roll(dice, "ticket") % tickets + i) % tickets);
            TicketWord word = ledger.ticketWordOf(id);
            if (TicketId.eventOf(id) != event_ || !_isSellable(id, word)) continue;
            address to = _other(dice, event_, count);
            uint40 price = _salePrice(dice, id, word);
            lines[count++] = _delivery(id, to, _custody(dice, to), word.epoch(), price);
        }
        if (count > 0) _deliver(event_, lines, count, _roll(dice, "twice") % 3 == 0);
    }

    function _deliver(uint40 event_, ILedgerTypes.Delivery[] memory lines, uint256 count, bool twice) private {
        if (twice) lines[count++] = lines[0];
        assembly {
            mstore(lines, count)
        }
        bytes memory attestation = _attestDeliveries(event_, lines);
        bytes memory answer = _sendOnce(relayer, abi.encodeCall(ledger.deliver, (event_, lines, attestation)));
        _checkApplied(answer, count, twice);
    }

    function _isSellable(uint64 id, TicketWord word) private view returns (bool) {
        return word.holder() == address(0) && !word.isVoid() && _isLive(TicketId.eventOf(id));
    }

    /// @dev Stock at any price up to face; the pool at what the seller asks; tokens are not attested.
    function _salePrice(uint256 dice, uint64 id, TicketWord word) private view returns (uint40) {
        uint256 price = _roll(dice, "price");
        if (!_isFiat(id)) return 0;
        if (!word.isPooled()) return uint40(_bound(price, 0, _faceOf(id)));
        return word.price();
    }

    function _faceOf(uint64 id) private view returns (uint40) {
        return ledger.batchOf(TicketId.eventOf(id), uint8(id >> 16)).face();
    }

    /// @dev Another buyer for each line, so that no holder limit is met on the way.
    function _other(uint256 dice, uint40 event_, uint256 line) private view returns (address) {
        address[] memory people = _buyers(event_);
        return people[(_roll(dice, "buyer") % people.length + line) % people.length];
    }

    function _buyers(uint40 event_) private view returns (address[] memory people) {
        (,, uint256 count,) = store.counts();
        people = new address[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < count; ++i) {
            address account = store.accounts(i);
            if (store.keyOf(account) != 0 && !_isFull(event_, account)) people[found++] = account;
        }
        assembly {
            mstore(people, found)
        }
    }

    /// @notice Up to three resales of one event; sometimes with one line twice.
    function settle(uint256 dice) external observed(dice) {
        (uint64 first,) = _find(dice, _mayOfferFiat);
        uint40 event_ = TicketId.eventOf(first);
        Settlement[] memory lines = new Settlement[](LINES + 1);
        uint256 count = 0;
        (, uint256 tickets,,) = store.counts();
        for (uint256 i = 0; i < tickets && count < LINES; ++i) {
            uint64 id = store.ids((_roll(dice, "ticket") % tickets + i) % tickets);
            TicketWord word = ledger.ticketWordOf(id);
            if (TicketId.eventOf(id) != event_ || !_mayOfferFiat(id, word)) continue;
            address buyer = _other(dice, event_, count);
            if (buyer == word.holder()) continue;
            lines[count++] = _resale(dice, id, word, buyer);
            store.agree(id, word.holder());
        }
        if (count > 0) _settle(event_, lines, count, _roll(dice, "twice") % 3 == 0);
    }

    /// @dev At up to the cap, and often just at it; to anyone or bound to this buyer.
    function _resale(uint256 dice, uint64 id, TicketWord word, address buyer) private view returns (Settlement memory) {
        uint256 cap = ledger.capOf(id);
        uint40 price = uint40(_roll(dice, "price") % 2 == 0 ? cap : _roll(dice, "lower") % (cap + 1));
        bool bound = _roll(dice, "bound") % 2 == 0;
        Offer memory offer = Offer(id, word.epoch(), price, "EUR", address(0), bound ? buyer : address(0), NEVER);
        return Settlement(
            DeliveryTargets.pack(buyer, id, word.epoch(), _custody(dice, buyer)),
            Payments.packResale(REF, price, NEVER, bound),
            _signBy(word.holder(), _offerHash(offer))
        );
    }

    function _settle(uint40 event_, Settlement[] memory lines, uint256 count, bool twice) private {
        if (twice) lines[count++] = lines[0];
        assembly {
            mstore(lines, count)
        }
        bytes memory attestation = _attestSettlements(event_, lines);
        bytes memory answer = _sendOnce(
            relayer, abi.encodeCall(ledger.settleResales, (event_, _linesOf(lines), _consentsOf(lines), attestation))
        );
        _checkApplied(answer, count, twice);
    }

    /// @dev All lines were applied but the last, if that is the first once more.
    function _checkApplied(bytes memory answer, uint256 count, bool twice) private pure {
        bytes[] memory problems = abi.decode(answer, (bytes[]));
        vm.assertEq(problems.length, twice ? count : 0);
        for (uint256 i = 0; i < problems.length; ++i) {
            vm.assertTrue((problems[i].length > 0) == (i == count - 1));
        }
    }

    /// @notice Three tickets at the gate, whether used before or not: the ledger tells which may enter.
    function redeem(uint256 dice) external observed(dice) {
        (uint64 id,) = _find(dice, _isHeld);
        uint40 event_ = TicketId.eventOf(id);
        if (id == 0 || store.statusOf(event_) == 3) return;
        Redemption[] memory lines = new Redemption[](LINES);
        for (uint16 i = 0; i < LINES; ++i) {
            lines[i] = Redemptions.pack(uint24(id) ^ (i % 2), ledger.ticketWordOf(id ^ (i % 2)).epoch());
        }
        bool byRelayer = ledger.isDelegated(event_) && _roll(dice, "relayer") % 2 == 0;
        _send(byRelayer ? relayer : gate, abi.encodeCall(ledger.redeem, (event_, lines)));
    }

    function _isHeld(uint64, TicketWord word) private pure returns (bool) {
        return word.holder() != address(0);
    }

    // ------------------------------------------------------------------------------------------------ refund, exchange

    function refund(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isFreeFiat);
        if (id == 0) return;
        uint40 face = _faceOf(id);
        uint40 most = word.price() < face ? word.price() : face;
        uint40 amount = uint40(_roll(dice, "amount") % (uint256(most) + 1));
        bytes memory consent = _signBy(word.holder(), _refundHash(id, word.epoch(), amount, NEVER));
        store.agree(id, word.holder());
        _sendOnce(relayer, abi.encodeCall(ledger.refund, (id, word.epoch(), amount, REF, NEVER, consent)));
    }

    function exchange(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isFreeFiat);
        (uint64 toId, TicketWord stock) = _find(_roll(dice, "stock"), _isForSale);
        if (id == 0 || toId == 0) return;
        (uint40 event_, uint40 toEvent) = (TicketId.eventOf(id), TicketId.eventOf(toId));
        int48 difference = int48(uint48(_faceOf(toId))) - int48(uint48(_faceOf(id)));
        if (int256(uint256(word.price())) + difference < 0) return;
        if (event_ != toEvent && _isFull(toEvent, word.holder())) return;
        ILedgerTypes.Exchange memory line =
            ILedgerTypes.Exchange(id, word.epoch(), toId, stock.epoch(), difference, REF, NEVER);
        bytes memory consent = _signBy(word.holder(), _exchangeHash(line));
        store.agree(id, word.holder());
        _sendOnce(relayer, abi.encodeCall(ledger.exchange, (line, consent, _attest(_exchangePaidHash(line)))));
    }

    function _isForSale(uint64 id, TicketWord word) private view returns (bool) {
        return _isFiat(id) && word.isInStockAt(word.epoch()) && _isLive(TicketId.eventOf(id));
    }
}
