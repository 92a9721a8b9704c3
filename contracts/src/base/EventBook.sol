// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BatchWord, BatchWords} from "../types/BatchWord.sol";
import {PolicyWord, PolicyWords} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {ITicketLedger} from "../interfaces/ITicketLedger.sol";
import {Roles} from "./Roles.sol";

/// @title EventBook: events, their terms and schedules, their batches and entry keys
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
        uint48 batchKey;
        BatchWord batch;
        uint256 applied;
        int256 custody;
    }

    struct EntryKey {
        bytes32 key;
        uint40 validUntil;
    }

    /// @dev 100 %.
    uint256 internal constant BPS = 10_000;

    uint256 private constant MAX_PAYEES = 32;
    uint8 private constant MAX_GIFT_LIMIT = 7;

    /// @dev Keeps any sum of credits far below 2 ** 256.
    uint8 private constant MAX_UNIT_EXPONENT = 24;

    mapping(uint40 eventId => PolicyWord) internal _policies;
    mapping(uint40 eventId => MoneyTerms) internal _moneyTerms;
    mapping(uint48 batchKey => BatchWord) internal _batches;
    mapping(uint40 eventId => mapping(uint8 keyId => EntryKey)) private _entryKeys;
    uint40 private _lastEventId;

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketLedger
    function batchOf(uint40 eventId, uint8 number) external view returns (BatchWord) {
        return _batches[TicketId.batchKey(eventId, number)];
    }

    /// @inheritdoc ITicketLedger
    function batchesOf(uint40 eventId) external view returns (uint256) {
        return _policies[eventId].batches();
    }

    /// @inheritdoc ITicketLedger
    function organizerOf(uint40 eventId) external view returns (address) {
        return _moneyTerms[eventId].organizer;
    }

    /// @inheritdoc ITicketLedger
    function scheduleOf(uint40 eventId) external view returns (Schedule memory) {
        PolicyWord policy = _policies[eventId];
        return Schedule({
            doorsAt: policy.doorsAt(),
            movesCloseAt: policy.movesCloseAt(),
            giftsCloseAt: policy.giftsCloseAt(),
            resaleOpensAt: policy.resaleOpensAt(),
            resaleClosesAt: policy.resaleClosesAt()
        });
    }

    /// @inheritdoc ITicketLedger
    function moneyTermsOf(uint40 eventId)
        external
        view
        returns (bytes3 currency, address token, bytes32 payeesHash, bytes32 refundRule)
    {
        MoneyTerms storage terms = _moneyTerms[eventId];
        return (terms.currency, terms.token, terms.payeesHash, terms.refundRule);
    }

    /// @inheritdoc ITicketLedger
    function isDelegated(uint40 eventId) external view returns (bool) {
        return _policies[eventId].isDelegated();
    }

    /// @inheritdoc ITicketLedger
    function entryKeyOf(uint40 eventId, uint8 keyId) external view returns (bytes32, uint40) {
        EntryKey storage entry = _entryKeys[eventId][keyId];
        return (entry.key, entry.validUntil);
    }

    // ------------------------------------------------------------------------------------------------ changing

    /// @inheritdoc ITicketLedger
    function createEvent(address organizer, bytes32 ref, Terms calldata terms, Schedule calldata schedule)
        external
        returns (uint40 eventId)
    {
        bool byRelayer = _hasRole(LEDGER, msg.sender, RELAYER);
        if (organizer == address(0)) revert Ledger_RefusedAccount(organizer);
        if (!byRelayer && msg.sender != organizer) revert Ledger_Unauthorized(LEDGER, RELAYER, msg.sender);
        _checkTerms(terms);
        _checkPayees(terms.payees);
        _checkSchedule(schedule);

        eventId = ++_lastEventId;
        _policies[eventId] = _withSchedule(_firstPolicy(terms, byRelayer), schedule);
        _moneyTerms[eventId] = MoneyTerms({
            token: terms.token,
            currency: terms.currency,
            organizer: organizer,
            payeesHash: _payeesHash(terms.payees),
            refundRule: terms.refundRule
        });
        emit EventCreated(eventId, organizer, ref, terms, schedule);
        _setRoles(eventId, organizer, ORGANIZER);
        if (byRelayer) emit DelegationChanged(eventId, true);
    }

    /// @inheritdoc ITicketLedger
    function setSchedule(uint40 eventId, Schedule calldata schedule, string calldata reason) external {
        PolicyWord policy = _policyOf(eventId);
        _checkEventRole(eventId, policy, ORGANIZER);
        if (bytes(reason).length == 0) revert Ledger_BadSchedule("reason");
        _checkSchedule(schedule);

        PolicyWord next = _withSchedule(policy, schedule);
        bool closed = block.timestamp >= policy.movesCloseAt();
        if (closed && !next.differsOnlyInDoors(policy)) revert Ledger_ScheduleFixed(eventId, policy.movesCloseAt());
        _policies[eventId] = next;
        emit ScheduleChanged(eventId, schedule, reason);
    }

    /// @inheritdoc ITicketLedger
    function setDelegation(uint40 eventId, bool delegated) external {
        PolicyWord policy = _policyOf(eventId);
        _checkRole(eventId, ORGANIZER);
        _policies[eventId] = policy.withDelegation(delegated);
        emit DelegationChanged(eventId, delegated);
    }

    /// @inheritdoc ITicketLedger
    function setEntryKey(uint40 eventId, uint8 keyId, bytes32 key, uint40 validUntil) external {
        _checkEventRole(eventId, _policyOf(eventId), ORGANIZER);
        _entryKeys[eventId][keyId] = EntryKey(key, validUntil);
        emit EntryKeySet(eventId, keyId, key, validUntil);
    }

    /// @inheritdoc ITicketLedger
    function issue(uint40 eventId, uint8 number, Batch calldata batch, bytes32 manifest)
        external
        returns (uint64 firstId)
    {
        PolicyWord policy = _policyOf(eventId);
        _checkEventRole(eventId, policy, ORGANIZER);
        uint8 expected = policy.batches();
        if (number != expected) revert Ledger_WrongBatchNumber(eventId, number, expected);
        if (expected == type(uint8).max) revert Ledger_TooManyBatches(eventId);
        if (batch.supply == 0) revert Ledger_BadTerms("supply");

        _policies[eventId] = policy.withNextBatch();
        _batches[TicketId.batchKey(eventId, number)] =
            BatchWords.pack(batch.supply, batch.priceClass, batch.supplyClass, batch.section, batch.face);
        emit BatchIssued(eventId, number, batch, manifest);
        return TicketId.first(eventId, number);
    }

    // ------------------------------------------------------------------------------------------------ internal

    function _policyOf(uint40 eventId) internal view override returns (PolicyWord policy) {
        policy = _policies[eventId];
        if (!policy.exists()) revert Ledger_UnknownEvent(eventId);
    }

    function _payeesHash(Payee[] calldata payees) internal pure returns (bytes32) {
        return keccak256(abi.encode(payees));
    }

    /// @dev Whether an issued batch has this ticket.
    function _isIssued(uint64 id) internal view returns (bool) {
        return TicketId.indexOf(id) < _batches[TicketId.batchKeyOf(id)].supply();
    }

    /// @dev Batch of a line's ticket, read once for all lines in a row that have it.
    function _batchOf(Bulk memory bulk, uint64 id) internal view returns (BatchWord) {
        uint48 key = TicketId.batchKeyOf(id);
        if (bulk.batchKey != key) {
            bulk.batchKey = key;
            bulk.batch = _batches[key];
        }
        return bulk.batch;
    }

    /// @dev All-in face price of an issued ticket.
    function _faceOf(uint64 id) internal view returns (uint40) {
        return _batches[TicketId.batchKeyOf(id)].face();
    }

    function _firstPolicy(Terms calldata terms, bool delegated) private pure returns (PolicyWord) {
        return PolicyWords.packRules(
            PolicyWords.Rules({
                capBps: terms.capBps,
                royaltyBps: terms.royaltyBps,
                giftLimit: terms.giftLimit,
                unitExponent: terms.unitExponent,
                cooldown: terms.cooldown,
                delegated: delegated,
                tokenRail: terms.token != address(0)
            })
        );
    }

    function _withSchedule(PolicyWord policy, Schedule calldata schedule) private pure returns (PolicyWord) {
        return policy.withSchedule(
            schedule.doorsAt,
            schedule.movesCloseAt,
            schedule.giftsCloseAt,
            schedule.resaleOpensAt,
            schedule.resaleClosesAt
        );
    }

    function _checkTerms(Terms calldata terms) private view {
        if (!_isCurrency(terms.currency)) revert Ledger_BadTerms("currency");
        if (terms.royaltyBps > BPS) revert Ledger_BadTerms("royaltyBps");
        if (terms.giftLimit > MAX_GIFT_LIMIT) revert Ledger_BadTerms("giftLimit");
        if (terms.token == address(0)) return;
        if (!_isTokenAllowed(terms.token)) revert Ledger_BadTerms("token");
        if (terms.capBps > BPS) revert Ledger_BadTerms("capBps");
        if (terms.unitExponent > MAX_UNIT_EXPONENT) revert Ledger_BadTerms("unitExponent");
    }

    /// @dev Three capital letters, the form of ISO 4217.
    function _isCurrency(bytes3 code) private pure returns (bool) {
        for (uint256 i = 0; i < 3; ++i) {
            if (code[i] < "A" || code[i] > "Z") return false;
        }
        return true;
    }

    function _checkPayees(Payee[] calldata payees) private view {
        uint256 sum = 0;
        for (uint256 i = 0; i < payees.length; ++i) {
            address account = payees[i].account;
            if (account == address(0) || account == address(this)) revert Ledger_BadPayees();
            sum += payees[i].bps;
        }
        if (sum != BPS || payees.length > MAX_PAYEES) revert Ledger_BadPayees();
    }

    function _checkSchedule(Schedule calldata schedule) private pure {
        if (schedule.movesCloseAt == 0) revert Ledger_BadSchedule("movesCloseAt");
        if (schedule.giftsCloseAt > schedule.movesCloseAt) revert Ledger_BadSchedule("giftsCloseAt");
        if (schedule.resaleClosesAt > schedule.movesCloseAt) revert Ledger_BadSchedule("resaleClosesAt");
        if (schedule.resaleOpensAt > schedule.resaleClosesAt) revert Ledger_BadSchedule("resaleOpensAt");
    }
}
