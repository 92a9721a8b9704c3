// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BatchWord} from "../types/BatchWord.sol";
import {PolicyWord} from "../types/PolicyWord.sol";
import {SupplyWord} from "../types/SupplyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {Roles} from "./Roles.sol";

/// @title EventBook: what is stored of events, their terms and schedules, their batches and entry keys
abstract contract EventBook is Roles {
    /// @dev Terms that moves do not read, or read only when money moves. Token and currency share a slot.
    struct MoneyTerms {
        address token;
        bytes3 currency;
        address organizer;
        bytes32 payeesHash;
        bytes32 refundRule;
    }

    /// @dev What the lines of a bulk call share, and how far it is.
    struct Bulk {
        uint40 eventId;
        PolicyWord policy;
        bool open;
        uint48 batchKey;
        BatchWord batch;
        uint256 cap;
        uint256 applied;
        bool skipped;
        int256 custody;
    }

    struct EntryKey {
        bytes32 key;
        uint40 validUntil;
    }

    /// @dev 100 %.
    uint256 internal constant BPS = 10_000;

    mapping(uint40 eventId => PolicyWord) internal _policies;
    mapping(uint40 eventId => MoneyTerms) internal _moneyTerms;
    mapping(uint48 batchKey => BatchWord) internal _batches;
    mapping(uint40 eventId => mapping(uint8 keyId => EntryKey)) internal _entryKeys;
    mapping(uint40 eventId => SupplyWord) internal _supplies;

    /// @dev Only of events with the switch GIFT_LIST or REENTRY.
    mapping(uint40 eventId => bytes32) internal _giftRoots;
    mapping(uint40 eventId => uint8) internal _entryLimits;
    uint40 internal _lastEventId;

    // ------------------------------------------------------------------------------------------------ internal

    function _policyOf(uint40 eventId) internal view override returns (PolicyWord policy) {
        policy = _policies[eventId];
        if (!policy.exists()) revert Ledger_UnknownEvent(eventId);
    }

    /// @dev Whether an issued batch has this ticket.
    function _isIssued(uint64 id) internal view returns (bool) {
        return TicketId.indexOf(id) < _batches[TicketId.batchKeyOf(id)].supply();
    }

    /// @dev The event sells: it is neither paused nor cancelled.
    function _checkOnSale(uint40 eventId, PolicyWord policy) internal pure {
        if (!policy.isLive()) revert Ledger_NotOnSale(eventId, policy.status());
    }

    /// @dev All-in face price of an issued ticket.
    function _faceOf(uint64 id) internal view returns (uint40) {
        return _batches[TicketId.batchKeyOf(id)].face();
    }
}
