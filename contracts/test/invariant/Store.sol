// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {Redemption} from "../../src/types/Lines.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord} from "../../src/types/TicketWord.sol";
import {ILedger} from "../support/People.sol";
import {Vm} from "../Vm.sol";
import {Ghosts} from "./Ghosts.sol";
import {Judge} from "./Judge.sol";

/// @notice Watches the ledger: after every call it reads what was logged, then compares each ticket with what it last was.
contract Store is Judge {
    constructor(ILedger ledger_) Ghosts(ledger_) {}

    /// @notice Reads the logs since the last look, then judges every ticket that changed.
    function observe() external {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(ledger)) _fold(logs[i]);
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            _look(ids[i]);
        }
        ++_step;
    }

    /// @notice Asked directly, for the controls: may a ticket change so?
    function judge(uint64 id, TicketWord was, TicketWord next, Kind kind) external {
        _judge(id, was, next, kind);
    }

    function _look(uint64 id) private {
        TicketWord next = ledger.ticketWordOf(id);
        TicketWord was = TicketWord.wrap(wordOf[id]);
        Kind kind = _kind[id][_step];
        ++count[kind];
        if (kind != Kind.Redeemed && _mentions[id][_step] > 1) convict(Rule.Logs, "two events for one change");
        if (TicketWord.unwrap(next) == TicketWord.unwrap(was)) return;
        _judge(id, was, next, kind);
        wordOf[id] = TicketWord.unwrap(next);
    }

    function _mention(uint64 id, Kind kind) private {
        _kind[id][_step] = kind;
        ++_mentions[id][_step];
    }

    // ------------------------------------------------------------------------------------------------ logs

    function _fold(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == ILedgerTypes.Delivered.selector) _foldSales(log.data, Kind.Delivered);
        else if (topic == ILedgerTypes.Settled.selector) _foldSales(log.data, Kind.Settled);
        else if (topic == ILedgerTypes.Redeemed.selector) _foldRedeemed(log);
        else if (topic == IERC721.Transfer.selector) _foldTransfer(log.topics);
        else if (topic == ILedgerTypes.StatusChanged.selector) _foldStatus(log);
        else if (log.topics.length > 1 && !_foldMove(log)) _foldMoney(log);
    }

    function _foldMove(Vm.Log memory log) private returns (bool known) {
        bytes32 topic = log.topics[0];
        uint64 id = uint64(uint256(log.topics[1]));
        Kind kind = Kind.None;
        if (topic == ILedgerTypes.Given.selector) kind = Kind.Given;
        else if (topic == ILedgerTypes.Withdrawn.selector) kind = _housed(log.data);
        else if (topic == ILedgerTypes.Deposited.selector) kind = _housed(log.data);
        else if (topic == ILedgerTypes.PoolReturned.selector) kind = Kind.Pooled;
        else if (topic == ILedgerTypes.Voided.selector) kind = Kind.Voided;
        else if (topic == ILedgerTypes.Revoked.selector) kind = Kind.Revoked;
        else if (topic == ILedgerTypes.Reissued.selector) kind = Kind.Reissued;
        else if (topic == ILedgerTypes.Activated.selector) kind = Kind.Flagged;
        else if (topic == ILedgerTypes.Frozen.selector) kind = Kind.Flagged;
        else if (topic == ILedgerTypes.Unfrozen.selector) kind = Kind.Flagged;
        else if (topic == ILedgerTypes.Bought.selector) kind = Kind.Bought;
        else if (topic == ILedgerTypes.Swapped.selector) kind = Kind.Given;
        else if (topic == ILedgerTypes.Exchanged.selector) kind = Kind.ExchangedAway;
        else return false;
        _mention(id, kind);
        if (kind == Kind.Bought) escrowed[id] = true;
        if (topic == ILedgerTypes.Swapped.selector) _mention(uint64(uint256(log.topics[2])), Kind.Given);
        if (kind == Kind.ExchangedAway) _foldExchanged(id, uint64(uint256(log.topics[2])), log.data);
        return true;
    }

    function _housed(bytes memory data) private pure returns (Kind) {
        (bool counted,) = abi.decode(data, (bool, uint16));
        return counted ? Kind.Given : Kind.Rehoused;
    }

    function _foldSales(bytes memory data, Kind kind) private {
        ILedgerTypes.Delivery[] memory lines = abi.decode(data, (ILedgerTypes.Delivery[]));
        for (uint256 i = 0; i < lines.length; ++i) {
            uint64 id = lines[i].target.id();
            _mention(id, kind);
            uint256 royalty = _royaltyOf(id, lines[i].payment.price());
            if (kind == Kind.Settled) _money[TicketId.eventOf(id)].royalties += royalty;
        }
    }

    function _foldRedeemed(Vm.Log memory log) private {
        uint40 eventId = uint40(uint256(log.topics[1]));
        address gate = address(uint160(uint256(log.topics[2])));
        bool byGate = ledger.rolesOf(eventId, gate) & 16 != 0;
        bool byRelayer = ledger.isDelegated(eventId) && ledger.rolesOf(0, gate) & 2 != 0;
        if (!byGate && !byRelayer) convict(Rule.Entries, "redeemed by somebody who is no gate of the event");

        Redemption[] memory lines = abi.decode(log.data, (Redemption[]));
        for (uint256 i = 0; i < lines.length; ++i) {
            uint64 id = TicketId.ofNumber(eventId, lines[i].number());
            _mention(id, Kind.Redeemed);
            uint8 allowed = _rules[eventId].entries;
            bool tooMany =
                allowed == 255 ? _lastDay[id] == time / 1 days : entriesOf[id] >= (allowed == 0 ? 1 : allowed);
            if (tooMany) convict(Rule.Entries, "entered more often than the terms allow");
            ++entriesOf[id];
            _lastDay[id] = time / 1 days;
        }
    }

    function _foldTransfer(bytes32[] memory topics) private {
        address from = address(uint160(uint256(topics[1])));
        address to = address(uint160(uint256(topics[2])));
        uint256 id = uint256(topics[3]);
        if (ownerOf[id] != from) convict(Rule.Logs, "Transfer from somebody who was not the owner");
        ownerOf[id] = to;
        if (from != address(0)) --balanceOf[from];
        if (to != address(0)) ++balanceOf[to];
    }

    /// @dev Live and paused change into each other; both into cancelled, which nothing follows.
    function _foldStatus(Vm.Log memory log) private {
        uint40 eventId = uint40(uint256(log.topics[1]));
        (uint8 status,) = abi.decode(log.data, (uint8, string));
        if (statusOf[eventId] == 3) convict(Rule.Status, "a cancelled event came back");
        if (statusOf[eventId] == status) convict(Rule.Status, "the status changed into itself");
        statusOf[eventId] = status;
    }

    function _foldExchanged(uint64 id, uint64 toId, bytes memory data) private {
        (,, uint40 price, int48 difference,) = abi.decode(data, (uint16, uint16, uint40, int48, bytes16));
        _mention(toId, Kind.ExchangedIn);
        int256 faces = int256(uint256(_faceOf(toId))) - int256(uint256(_faceOf(id)));
        int256 paid = int256(uint256(TicketWord.wrap(wordOf[id]).price()));
        bool right = difference == faces && int256(uint256(price)) == paid + faces;
        if (!right) convict(Rule.Price, "exchanged at another difference than that of the face prices");
        if (difference < 0) _money[TicketId.eventOf(id)].due += uint256(int256(-difference));
    }

    // ------------------------------------------------------------------------------------------------ logs of money

    function _foldMoney(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        uint64 id = uint64(uint256(log.topics[1]));
        uint40 eventId = TicketId.eventOf(id);
        if (topic == ILedgerTypes.Resold.selector) {
            (, uint40 price, uint40 royalty) = abi.decode(log.data, (uint16, uint40, uint40));
            _mention(id, Kind.Resold);
            _share(id, price, royalty);
        } else if (topic == ILedgerTypes.PoolSold.selector) {
            (uint40 price, uint40 royalty) = abi.decode(log.data, (uint40, uint40));
            if (royalty != _royaltyOf(id, price)) convict(Rule.Parts, "another royalty than the terms'");
            _money[eventId].royalties += royalty;
        } else if (topic == ILedgerTypes.Refunded.selector) {
            (, uint40 amount,) = abi.decode(log.data, (uint16, uint40, bytes16));
            _mention(id, Kind.Refunded);
            if (amount > TicketWord.wrap(wordOf[id]).price()) convict(Rule.Price, "refunded more than was paid");
            _money[eventId].due += amount;
        } else if (topic == ILedgerTypes.RefundedCancelled.selector) {
            (, uint40 amount) = abi.decode(log.data, (uint16, uint40));
            _mention(id, Kind.RefundedCancelled);
            _foldRefund(id, eventId, amount);
        } else if (topic == ILedgerTypes.ReissueAnnounced.selector) {
            (, uint16 epoch,) = abi.decode(log.data, (bool, uint16, uint40));
            _announced[id] = Announced(time + 48 hours, epoch);
        } else if (topic == ILedgerTypes.ReissueVetoed.selector) {
            delete _announced[id];
        } else {
            _foldPayout(log, uint40(uint256(log.topics[1])));
        }
    }

    /// @dev Of a resale in tokens: the seller's part and the royalty are the price, to the last unit.
    function _share(uint64 id, uint40 price, uint40 royalty) private {
        EventRules memory rules = _rules[TicketId.eventOf(id)];
        if (royalty != _royaltyOf(id, price)) convict(Rule.Parts, "another royalty than the terms'");
        credited[rules.token] += (price - royalty) * rules.unit;
        _money[TicketId.eventOf(id)].royalties += royalty * rules.unit;
    }

    function _foldRefund(uint64 id, uint40 eventId, uint40 amount) private {
        EventRules memory rules = _rules[eventId];
        if (rules.token == address(0)) {
            _money[eventId].due += amount;
        } else if (amount > 0) {
            if (!escrowed[id] || amount != _faceOf(id)) convict(Rule.Parts, "refunded what the escrow did not hold");
            escrowed[id] = false;
            credited[rules.token] += amount * rules.unit;
        }
    }

    function _foldPayout(Vm.Log memory log, uint40 eventId) private {
        bytes32 topic = log.topics[0];
        EventRules memory rules = _rules[eventId];
        if (topic == ILedgerTypes.Released.selector) {
            uint256 amount = abi.decode(log.data, (uint256));
            _money[eventId].released += amount;
            if (rules.token != address(0)) credited[rules.token] += amount;
        } else if (topic == ILedgerTypes.EscrowReleased.selector) {
            credited[rules.token] += abi.decode(log.data, (uint256));
            bool due = time >= ledger.scheduleOf(eventId).releaseAt && statusOf[eventId] != 3;
            if (!due) convict(Rule.Times, "escrow released early, or of a cancelled event");
            for (uint256 i = 0; i < ids.length; ++i) {
                if (TicketId.eventOf(ids[i]) == eventId) escrowed[ids[i]] = false;
            }
        } else if (topic == ILedgerTypes.CreditClaimed.selector) {
            claimed[address(uint160(uint256(log.topics[2])))] += abi.decode(log.data, (uint256));
        } else if (topic == ILedgerTypes.RefundsPaid.selector) {
            (, uint256 paid) = abi.decode(log.data, (uint256[], uint256));
            _money[eventId].paid = paid;
        }
    }
}
