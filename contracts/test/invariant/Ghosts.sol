// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TicketId} from "../../src/types/TicketId.sol";
import {ILedger} from "../support/People.sol";
import {Vm} from "../Vm.sol";

/// @notice What is remembered of the ledger's past, beside the ledger: words as last seen, what logs said, money that went in and out.
/// Nothing here is read from the ledger but what it logged.
abstract contract Ghosts {
    /// @notice What no history may break. Each is looked at by one of the invariants.
    enum Rule {
        Consent,
        Epoch,
        Dead,
        Reborn,
        Price,
        Gifts,
        Times,
        Entries,
        Logs,
        Status,
        Parts,
        Replay,
        Power
    }

    /// @notice What the ledger's log says happened to a ticket.
    enum Kind {
        None,
        Delivered,
        Bought,
        Given,
        Rehoused,
        Settled,
        Resold,
        ExchangedAway,
        ExchangedIn,
        Pooled,
        Refunded,
        RefundedCancelled,
        Voided,
        Reissued,
        Revoked,
        Flagged,
        Redeemed
    }

    /// @notice Terms of an event, as it was created with them.
    struct EventRules {
        uint16 capBps;
        uint16 royaltyBps;
        uint8 giftLimit;
        uint24 cooldown;
        uint8 holderLimit;
        uint8 entries;
        bool capAtPaid;
        address token;
        uint256 unit;
        address organizer;
    }

    /// @notice Minor units (fiat rail) or token units (token rail) that logs told of.
    struct EventMoney {
        uint256 royalties;
        uint256 released;
        uint256 due;
        uint256 paid;
    }

    struct Call {
        address sender;
        bytes data;
    }

    struct Announced {
        uint256 readyAt;
        uint16 epoch;
    }

    struct Agreement {
        address holder;
        uint256 step;
    }

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    ILedger public immutable ledger;

    /// @notice The present, which forge does not keep from call to call.
    uint256 public time;
    uint256 internal _step = 1;

    uint40[] public events;
    uint64[] public ids;
    address[] public accounts;
    address[] public tokens;
    mapping(address account => uint256 key) public keyOf;
    mapping(uint40 eventId => EventRules) internal _rules;
    mapping(uint40 eventId => EventMoney) internal _money;
    mapping(uint40 eventId => uint8) public statusOf;
    mapping(address token => uint256) public credited;
    mapping(address token => uint256) public claimed;
    mapping(address token => uint256) public donated;

    mapping(uint64 id => uint256) public wordOf;
    mapping(uint256 id => address) public ownerOf;
    mapping(address owner => uint256) public balanceOf;
    mapping(uint64 id => bool) public escrowed;
    mapping(uint64 id => uint256) public entriesOf;
    mapping(uint64 id => uint256) internal _lastDay;
    mapping(uint64 id => Announced) internal _announced;
    mapping(uint64 id => Agreement) internal _agreed;
    mapping(uint64 id => mapping(uint256 step => Kind)) internal _kind;
    mapping(uint64 id => mapping(uint256 step => uint256)) internal _mentions;

    /// @notice How often it happened, so that no test passes because nothing did.
    mapping(Kind kind => uint256) public count;

    /// @notice The last breach of a rule, in words; empty: none.
    mapping(Rule rule => string) public breach;

    Call[] internal _calls;

    constructor(ILedger ledger_) {
        ledger = ledger_;
        time = block.timestamp;
    }

    // ------------------------------------------------------------------------------------------------ told by handlers

    function convict(Rule rule, string memory what) public {
        breach[rule] = what;
    }

    function pass(uint256 duration) external {
        time += duration;
    }

    function addEvent(uint40 eventId, EventRules memory rules) external {
        events.push(eventId);
        _rules[eventId] = rules;
        statusOf[eventId] = 1;
    }

    function addTicket(uint64 id) external {
        ids.push(id);
    }

    /// @param key of the account, or of the wallet's signer; 0: it never signs
    function addAccount(address account, uint256 key) external {
        accounts.push(account);
        keyOf[account] = key;
    }

    function addToken(address token) external {
        tokens.push(token);
    }

    function addDonation(address token, uint256 amount) external {
        donated[token] += amount;
    }

    /// @notice The holder signed, or sent, what comes next for this ticket.
    function agree(uint64 id, address holder) external {
        _agreed[id] = Agreement(holder, _step);
    }

    /// @notice A call that must not work a second time.
    function remember(address sender, bytes calldata data) external {
        _calls.push(Call(sender, data));
    }

    // ------------------------------------------------------------------------------------------------ reading

    /// @notice All tickets of an event.
    function idsOf(uint40 event_) external view returns (uint64[] memory found) {
        found = new uint64[](ids.length);
        uint256 last = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (TicketId.eventOf(ids[i]) == event_) found[last++] = ids[i];
        }
        assembly ("memory-safe") {
            mstore(found, last) // shortens the list
        }
    }

    function counts() external view returns (uint256 events_, uint256 ids_, uint256 accounts_, uint256 tokens_) {
        return (events.length, ids.length, accounts.length, tokens.length);
    }

    function rulesOf(uint40 eventId) external view returns (EventRules memory) {
        return _rules[eventId];
    }

    function moneyOf(uint40 eventId) external view returns (EventMoney memory) {
        return _money[eventId];
    }

    function callsCount() external view returns (uint256) {
        return _calls.length;
    }

    function callAt(uint256 i) external view returns (Call memory) {
        return _calls[i];
    }
}
