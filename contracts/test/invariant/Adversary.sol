// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {DeliveryTargets, Payments} from "../../src/types/Lines.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {Ghosts} from "./Ghosts.sol";
import {Handler} from "./Handler.sol";
import {Store} from "./Store.sol";

/// @notice Tries what must never work. A call that works, or a bulk line that is applied, is a breach.
contract Adversary is Handler {
    constructor(Store store_) Handler(store_) {}

    /// @dev Single calls must revert; bulk calls may, or skip every line.
    function _tryInVain(address sender, bytes memory data, Ghosts.Rule rule, string memory what) private {
        vm.prank(sender);
        (bool success, bytes memory answer) = address(ledger).call(data);
        if (success && !_skipsAll(bytes4(data), answer)) store.convict(rule, what);
    }

    function _skipsAll(bytes4 selector, bytes memory answer) private view returns (bool) {
        bool bulk = selector == ledger.deliver.selector || selector == ledger.settleResales.selector
            || selector == ledger.redeem.selector;
        if (!bulk || answer.length == 0) return false;
        bytes[] memory problems = abi.decode(answer, (bytes[]));
        for (uint256 i = 0; i < problems.length; ++i) {
            if (problems[i].length == 0) return false;
        }
        return problems.length > 0;
    }

    /// @notice A second use of any batch, order, settlement, voucher or consent.
    function replay(uint256 dice) external observed(dice) {
        uint256 count = store.callsCount();
        if (count == 0) return;
        Ghosts.Call memory old = store.callAt(_roll(dice, "call") % count);
        _tryInVain(old.sender, old.data, Ghosts.Rule.Replay, "the same call worked twice");
    }

    /// @notice Somebody who is not the holder, with a signature of its own.
    function moveAnothersTicket(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isFree);
        address thief = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id == 0 || thief == address(0)) return;
        uint16 epoch = word.epoch();
        bytes memory consent = _signBy(thief, _giftHash(id, epoch, thief, false, NEVER));
        _inVain(thief, abi.encodeCall(ledger.gift, (id, epoch, thief, false, NEVER, consent)));
        consent = _signBy(thief, _moveHash("Withdraw", id, epoch, thief));
        _inVain(thief, abi.encodeCall(ledger.withdraw, (id, epoch, thief, NEVER, consent)));
        consent = _signBy(thief, _moveHash("Deposit", id, epoch, thief));
        _inVain(thief, abi.encodeCall(ledger.deposit, (id, epoch, thief, NEVER, consent)));
        consent = _signBy(thief, _revokeHash(id, epoch, NEVER));
        _inVain(thief, abi.encodeCall(ledger.revoke, (id, epoch, NEVER, consent)));
        _inVain(thief, abi.encodeCall(ledger.revoke, (id, epoch, NEVER, "")));
        consent = _signBy(thief, _refundHash(id, epoch, 0, NEVER));
        _inVain(relayer, abi.encodeCall(ledger.refund, (id, epoch, 0, REF, NEVER, consent)));
        address[3] memory senders = [thief, relayer, admin];
        address owner = ledger.ownerOf(id);
        for (uint256 i = 0; i < senders.length; ++i) {
            _inVain(senders[i], abi.encodeCall(ledger.transferFrom, (owner, senders[i], id)));
        }
    }

    function _inVain(address sender, bytes memory data) private {
        _tryInVain(sender, data, Ghosts.Rule.Power, "moved without its holder's consent");
    }

    /// @notice Holder, buyer, relayer and attestor all agree, but the price is over the cap.
    function sellOverTheCap(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isFree);
        address buyer = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id == 0 || buyer == address(0)) return;
        uint40 price = uint40(ledger.capOf(id) + 1 + _roll(dice, "over") % 1e6);
        _trySale(id, word, buyer, price, Ghosts.Rule.Price, "resold over the cap");
    }

    /// @notice All agree, but the ticket was used, or is dead.
    function sellWhatIsUsed(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isUsed);
        address buyer = _someone(dice, TicketId.eventOf(id), word.holder());
        if (id == 0 || buyer == address(0)) return;
        _trySale(id, word, buyer, 1, Ghosts.Rule.Dead, "a used or void ticket was sold");
        bytes memory consent = _signBy(alice.account, _giftHash(id, word.epoch(), buyer, false, NEVER));
        if (word.holder() != address(0)) {
            consent = _signBy(word.holder(), _giftHash(id, word.epoch(), buyer, false, NEVER));
        }
        bytes memory data = abi.encodeCall(ledger.gift, (id, word.epoch(), buyer, false, NEVER, consent));
        _tryInVain(stranger, data, Ghosts.Rule.Dead, "a used or void ticket was given away");
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](1);
        lines[0] = _delivery(id, buyer, true, word.epoch(), 0);
        bytes memory attestation = _attestDeliveries(TicketId.eventOf(id), lines);
        data = abi.encodeCall(ledger.deliver, (TicketId.eventOf(id), lines, attestation));
        _tryInVain(relayer, data, Ghosts.Rule.Dead, "a used or void ticket was delivered");
    }

    function _isUsed(uint64, TicketWord word) private pure returns (bool) {
        return word.isRedeemed() || word.isVoid();
    }

    function _trySale(uint64 id, TicketWord word, address buyer, uint40 price, Ghosts.Rule rule, string memory what)
        private
    {
        address token_ = _rules(TicketId.eventOf(id)).token;
        address seller = word.holder() == address(0) ? alice.account : word.holder();
        Offer memory offer = Offer(id, word.epoch(), price, "EUR", token_, address(0), NEVER);
        bytes memory consent = _signBy(seller, _offerHash(offer));
        Settlement[] memory lines = new Settlement[](1);
        lines[0] = Settlement(
            DeliveryTargets.pack(buyer, id, word.epoch(), true), Payments.packResale(REF, price, NEVER, false), consent
        );
        uint40 event_ = TicketId.eventOf(id);
        bytes memory data = abi.encodeCall(
            ledger.settleResales, (event_, _linesOf(lines), _consentsOf(lines), _attestSettlements(event_, lines))
        );
        if (token_ == address(0)) _tryInVain(relayer, data, rule, what);
        data = abi.encodeCall(ledger.buyResale, (id, word.epoch(), price, address(0), NEVER, consent));
        _tryInVain(buyer, data, rule, what);
    }

    /// @notice The relayer sells from stock, and settles, without the attestor.
    function sellUnattested(uint256 dice) external observed(dice) {
        (uint64 id, TicketWord word) = _find(dice, _isInStock);
        if (id == 0) return;
        uint40 event_ = TicketId.eventOf(id);
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](1);
        lines[0] = _delivery(id, alice.account, true, word.epoch(), 0);
        bytes memory own = _signBy(alice.account, keccak256("no attestation"));
        _tryInVain(
            relayer, abi.encodeCall(ledger.deliver, (event_, lines, own)), Ghosts.Rule.Power, "sold without attestation"
        );
        bytes memory voucher = _signBy(alice.account, _voucherHash(id, word.epoch(), FACE, alice.account, NEVER));
        bytes memory data = abi.encodeCall(ledger.buy, (id, word.epoch(), FACE, REF, NEVER, voucher));
        _tryInVain(alice.account, data, Ghosts.Rule.Power, "minted past the shop");
    }

    function _isInStock(uint64, TicketWord word) private pure returns (bool) {
        return word.isInStockAt(word.epoch());
    }

    /// @notice A ticket no batch has.
    function sellBeyondTheSupply(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        uint8 number = uint8(_roll(dice, "batch") % (ledger.batchesOf(event_) + 1));
        uint64 id = TicketId.first(event_, number) + ledger.batchOf(event_, number).supply();
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](1);
        lines[0] = _delivery(id, alice.account, true, 0, 0);
        bytes memory data = abi.encodeCall(ledger.deliver, (event_, lines, _attestDeliveries(event_, lines)));
        _tryInVain(relayer, data, Ghosts.Rule.Power, "sold beyond the supply");
    }

    /// @notice Roles, money and schedules of others.
    function overreach(uint256 dice) external observed(dice) {
        uint40 event_ = _anyEvent(dice);
        address[4] memory people = [alice.account, relayer, gate, organizer];
        address sender = people[_roll(dice, "sender") % people.length];
        string memory what = "more power than the role has";
        Ghosts.Rule power = Ghosts.Rule.Power;
        _tryInVain(sender, abi.encodeCall(ledger.setRoles, (0, sender, ADMIN)), power, what);
        _tryInVain(sender, abi.encodeCall(ledger.allowToken, (sender, true)), power, what);
        _tryInVain(admin, abi.encodeCall(ledger.setRoles, (event_, admin, ORGANIZER)), power, what);
        _tryInVain(admin, abi.encodeCall(ledger.cancel, (event_, "mine")), power, what);
        if (sender != organizer) {
            _tryInVain(sender, abi.encodeCall(ledger.setDelegation, (event_, true)), power, what);
            _tryInVain(sender, abi.encodeCall(ledger.setRoles, (event_, sender, ORGANIZER)), power, what);
        }
        ILedgerTypes.Schedule memory schedule = ledger.scheduleOf(event_);
        schedule.releaseAt -= 1;
        _tryInVain(organizer, abi.encodeCall(ledger.setSchedule, (event_, schedule, "earlier")), power, what);
        if (block.timestamp < schedule.releaseAt) {
            _tryInVain(organizer, abi.encodeCall(ledger.releaseEscrow, (event_)), power, what);
        }
    }
}
