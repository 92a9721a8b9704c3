// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";

import {LedgerBase} from "../base/LedgerBase.sol";
import {ITicketOffice} from "../interfaces/ITicketOffice.sol";
import {PolicyWord, PolicyWords} from "../types/PolicyWord.sol";
import {SupplyWords} from "../types/SupplyWord.sol";
import {TicketId} from "../types/TicketId.sol";

/// @title EventOffice: roles, allow-lists, events, their terms, schedules and status
abstract contract EventOffice is LedgerBase, ITicketOffice {
    uint256 private constant MAX_PAYEES = 32;
    uint8 private constant MAX_GIFT_LIMIT = 7;

    /// @dev Keeps any sum of credits far below 2 ** 256.
    uint8 private constant MAX_UNIT_EXPONENT = 24;

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketOffice
    function batchesOf(uint40 eventId) external view returns (uint256) {
        return _supplies[eventId].batches();
    }

    /// @inheritdoc ITicketOffice
    function organizerOf(uint40 eventId) external view returns (address) {
        return _moneyTerms[eventId].organizer;
    }

    /// @inheritdoc ITicketOffice
    function scheduleOf(uint40 eventId) external view returns (Schedule memory) {
        PolicyWord policy = _policies[eventId];
        return Schedule({
            doorsAt: policy.doorsAt(),
            movesCloseAt: policy.movesCloseAt(),
            giftsCloseAt: policy.giftsCloseAt(),
            resaleOpensAt: policy.resaleOpensAt(),
            resaleClosesAt: policy.resaleClosesAt(),
            releaseAt: _escrows[eventId].releaseAt
        });
    }

    /// @inheritdoc ITicketOffice
    function moneyTermsOf(uint40 eventId)
        external
        view
        returns (bytes3 currency, address token, bytes32 payeesHash, bytes32 refundRule)
    {
        MoneyTerms storage terms = _moneyTerms[eventId];
        return (terms.currency, terms.token, terms.payeesHash, terms.refundRule);
    }

    /// @inheritdoc ITicketOffice
    function isDelegated(uint40 eventId) external view returns (bool) {
        return _policies[eventId].isDelegated();
    }

    /// @inheritdoc ITicketOffice
    function entryKeyOf(uint40 eventId, uint8 keyId) external view returns (bytes32, uint40) {
        EntryKey storage entry = _entryKeys[eventId][keyId];
        return (entry.key, entry.validUntil);
    }

    /// @inheritdoc ITicketOffice
    function suppliesOf(uint40 eventId, uint8 supplyClass) external view returns (uint24 committed, uint24 issued) {
        if (supplyClass >= SupplyWords.CLASSES) revert Ledger_BadTerms("supplyClass");
        return (_supplies[eventId].committed(supplyClass), _supplies[eventId].issued(supplyClass));
    }

    /// @inheritdoc ITicketOffice
    function policyWordOf(uint40 eventId) external view returns (PolicyWord) {
        return _policies[eventId];
    }

    /// @inheritdoc ITicketOffice
    function specialTermsOf(uint40 eventId) external view returns (bytes32 giftRoot, uint8 entries) {
        return (_giftRoots[eventId], _entryLimits[eventId]);
    }

    /// @inheritdoc ITicketOffice
    function holdingOf(uint40 eventId, address account) external view returns (uint256) {
        return _holdings[eventId][account];
    }

    /// @inheritdoc ITicketOffice
    function rolesOf(uint40 eventId, address account) external view returns (uint8) {
        return _roles[eventId][account];
    }

    // ------------------------------------------------------------------------------------------------ changing

    /// @inheritdoc ITicketOffice
    function setRoles(uint40 eventId, address account, uint8 roles) external {
        uint8 scope = eventId == LEDGER ? ADMIN | RELAYER | ATTESTOR : ORGANIZER | GATE;
        if (roles & ~scope != 0) revert Ledger_BadRoles(eventId, roles);

        if (eventId == LEDGER) _checkRole(LEDGER, ADMIN);
        else _checkAppointment(eventId, account, roles);
        _setRoles(eventId, account, roles);
    }

    /// @inheritdoc ITicketOffice
    function allowAccountCode(bytes32 codeHash, bool allowed) external {
        _checkRole(LEDGER, ADMIN);
        _codeAllowed[codeHash] = allowed;
        emit AccountCodeAllowed(codeHash, allowed);
    }

    /// @inheritdoc ITicketOffice
    function allowToken(address token, bool allowed) external {
        _checkRole(LEDGER, ADMIN);
        _tokenAllowed[token] = allowed;
        emit TokenAllowed(token, allowed);
    }

    /// @inheritdoc ITicketOffice
    function createEvent(address organizer, bytes32 ref, Terms calldata terms, Schedule calldata schedule)
        external
        returns (uint40 eventId)
    {
        bool byRelayer = _hasRole(LEDGER, msg.sender, RELAYER);
        if (organizer == address(0)) revert Ledger_RefusedAccount(organizer);
        if (!byRelayer && msg.sender != organizer) revert Ledger_Unauthorized(LEDGER, RELAYER, msg.sender);
        _checkTerms(terms);
        _checkPayees(terms.payees);
        _checkSchedule(schedule, terms.token != address(0));
        if (schedule.releaseAt < terms.earliestRelease) revert Ledger_BadSchedule("releaseAt");

        eventId = ++_lastEventId;
        _policies[eventId] = _withSchedule(_firstPolicy(terms, byRelayer), schedule);
        _storeSpecialTerms(eventId, terms);
        _escrows[eventId].releaseAt = schedule.releaseAt;
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

    /// @inheritdoc ITicketOffice
    function setSchedule(uint40 eventId, Schedule calldata schedule, string calldata reason) external {
        PolicyWord policy = _changeable(eventId, reason);
        if (policy.isCancelled()) revert Ledger_Cancelled(eventId);
        _checkSchedule(schedule, policy.isTokenRail());
        if (schedule.releaseAt < _escrows[eventId].releaseAt) revert Ledger_BadSchedule("releaseAt");

        PolicyWord next = _withSchedule(policy, schedule);
        bool closed = block.timestamp >= policy.movesCloseAt();
        if (closed && !next.differsOnlyInDoors(policy)) revert Ledger_ScheduleFixed(eventId, policy.movesCloseAt());
        _policies[eventId] = next;
        _escrows[eventId].releaseAt = schedule.releaseAt;
        emit ScheduleChanged(eventId, schedule, reason);
        _announceMetadata(eventId);
    }

    /// @inheritdoc ITicketOffice
    function pause(uint40 eventId, string calldata reason) external {
        PolicyWord policy = _changeable(eventId, reason);
        if (!policy.isLive()) revert Ledger_WrongStatus(eventId, policy.status());
        _setStatus(eventId, policy, PolicyWords.PAUSED, reason);
    }

    /// @inheritdoc ITicketOffice
    function resume(uint40 eventId, string calldata reason) external {
        PolicyWord policy = _changeable(eventId, reason);
        if (policy.status() != PolicyWords.PAUSED) revert Ledger_WrongStatus(eventId, policy.status());
        _setStatus(eventId, policy, PolicyWords.LIVE, reason);
    }

    /// @inheritdoc ITicketOffice
    function cancel(uint40 eventId, string calldata reason) external {
        PolicyWord policy = _changeable(eventId, reason);
        if (policy.isCancelled()) revert Ledger_WrongStatus(eventId, policy.status());
        if (_escrows[eventId].released) revert Ledger_EscrowReleased(eventId);
        _setStatus(eventId, policy, PolicyWords.CANCELLED, reason);
    }

    /// @inheritdoc ITicketOffice
    function setDelegation(uint40 eventId, bool delegated) external {
        PolicyWord policy = _policyOf(eventId);
        _checkRole(eventId, ORGANIZER);
        _policies[eventId] = policy.withDelegation(delegated);
        emit DelegationChanged(eventId, delegated);
    }

    /// @inheritdoc ITicketOffice
    function setEntryKey(uint40 eventId, uint8 keyId, bytes32 key, uint40 validUntil) external {
        _checkEventRole(eventId, _policyOf(eventId), ORGANIZER);
        _entryKeys[eventId][keyId] = EntryKey(key, validUntil);
        emit EntryKeySet(eventId, keyId, key, validUntil);
    }

    // ------------------------------------------------------------------------------------------------ internal

    /// @dev Only an organizer can make or unmake organizers. Gates that a relayer appointed stay after its delegation has ended, until the
    /// organizer removes them.
    function _checkAppointment(uint40 eventId, address account, uint8 roles) private view {
        PolicyWord policy = _policyOf(eventId);
        bool organizerChanges = (_roles[eventId][account] ^ roles) & ORGANIZER != 0;
        if (organizerChanges) _checkRole(eventId, ORGANIZER);
        else _checkEventRole(eventId, policy, ORGANIZER);
    }

    function _payeesHash(Payee[] calldata payees) internal pure returns (bytes32) {
        return keccak256(abi.encode(payees));
    }

    function _firstPolicy(Terms calldata terms, bool delegated) private pure returns (PolicyWord) {
        return PolicyWords.packRules(
            PolicyWords.Rules({
                capBps: terms.capBps,
                royaltyBps: terms.royaltyBps,
                giftLimit: terms.giftLimit,
                unitExponent: terms.unitExponent,
                cooldown: terms.cooldown,
                holderLimit: terms.holderLimit,
                switches: _switchesOf(terms, delegated)
            })
        );
    }

    function _switchesOf(Terms calldata terms, bool delegated) private pure returns (uint8 switches) {
        if (delegated) switches |= PolicyWords.DELEGATED;
        if (terms.token != address(0)) switches |= PolicyWords.TOKEN_RAIL;
        if (terms.reissue) switches |= PolicyWords.REISSUE;
        if (terms.capAtPaid) switches |= PolicyWords.CAP_AT_PAID;
        if (terms.giftRoot != 0) switches |= PolicyWords.GIFT_LIST;
        if (terms.entries > 1) switches |= PolicyWords.REENTRY;
        if (terms.identity) switches |= PolicyWords.IDENTITY;
    }

    /// @dev What most events do not have is kept beside their words.
    function _storeSpecialTerms(uint40 eventId, Terms calldata terms) private {
        _supplies[eventId] = SupplyWords.pack(terms.supplies);
        if (terms.giftRoot != 0) _giftRoots[eventId] = terms.giftRoot;
        if (terms.entries > 1) _entryLimits[eventId] = terms.entries;
    }

    /// @dev The caller may change the event, and says why.
    function _changeable(uint40 eventId, string calldata reason) private view returns (PolicyWord policy) {
        policy = _policyOf(eventId);
        _checkEventRole(eventId, policy, ORGANIZER);
        if (bytes(reason).length == 0) revert Ledger_BadSchedule("reason");
    }

    function _setStatus(uint40 eventId, PolicyWord policy, uint8 status, string calldata reason) private {
        _policies[eventId] = policy.withStatus(status);
        emit StatusChanged(eventId, status, reason);
        _announceMetadata(eventId);
    }

    /// @dev ERC-4906: what is told of all tickets of the event has changed.
    function _announceMetadata(uint40 eventId) private {
        emit IERC4906.BatchMetadataUpdate(TicketId.first(eventId, 0), TicketId.first(eventId + 1, 0) - 1);
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
        if (SupplyWords.isEmpty(terms.supplies)) revert Ledger_BadTerms("supplies");
        if (terms.token == address(0)) return;
        if (!_tokenAllowed[terms.token]) revert Ledger_BadTerms("token");
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

    function _checkSchedule(Schedule calldata schedule, bool tokenRail) private pure {
        if (schedule.movesCloseAt == 0) revert Ledger_BadSchedule("movesCloseAt");
        if (schedule.giftsCloseAt > schedule.movesCloseAt) revert Ledger_BadSchedule("giftsCloseAt");
        if (schedule.resaleClosesAt > schedule.movesCloseAt) revert Ledger_BadSchedule("resaleClosesAt");
        if (schedule.resaleOpensAt > schedule.resaleClosesAt) revert Ledger_BadSchedule("resaleOpensAt");
        // An event moved to a later day takes the release of its escrow along.
        if (tokenRail && schedule.releaseAt < schedule.doorsAt) revert Ledger_BadSchedule("releaseAt");
    }
}
