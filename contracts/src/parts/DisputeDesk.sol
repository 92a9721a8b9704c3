// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {LedgerBase} from "../base/LedgerBase.sol";
import {IERC5192} from "../interfaces/IERC5192.sol";
import {ITicketDesk} from "../interfaces/ITicketDesk.sol";
import {PolicyWord, PolicyWords} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord, TicketWords} from "../types/TicketWord.sol";

/// @title DisputeDesk: the few things done to a held ticket without its holder's consent
/// @notice Each has its own event, which the auditor counts: disputes over the payment, and the reissue of lost tickets.
abstract contract DisputeDesk is LedgerBase, ITicketDesk {
    bytes32 private constant FREEZE_TYPEHASH =
        keccak256("Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)");
    bytes32 private constant UNFREEZE_TYPEHASH = keccak256("Unfreeze(uint64 id,uint16 epoch,bytes16 reference)");
    bytes32 private constant VOID_TYPEHASH = keccak256("Void(uint64 id,uint16 epoch,bytes16 reference)");
    bytes32 private constant VETO_TYPEHASH = keccak256("Veto(uint64 id,uint16 epoch,uint40 deadline)");

    /// @dev Time for the holder's veto.
    uint40 private constant REISSUE_WAIT = 48 hours;

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketDesk
    function paidEpochOf(uint64 id) external view returns (uint16) {
        TicketWord word = _issuedWord(id);
        if (word.holder() == address(0)) revert Ledger_NotHeld(id);
        return _paidEpochOfWord(id, word);
    }

    /// @inheritdoc ITicketDesk
    function reissueOf(uint64 id) external view returns (Reissue memory) {
        return _reissues[id];
    }

    // ------------------------------------------------------------------------------------------------ disputes

    /// @inheritdoc ITicketDesk
    function freeze(uint64 id, uint16 epoch, uint16 paidEpoch, bytes16 ref, bytes calldata attestation) external {
        _checkRole(LEDGER, RELAYER);
        TicketWord word = _tickets[id].word;
        _check(_heldProblem(id, word, epoch));
        _checkFiatRail(id);
        _checkAttested(keccak256(abi.encode(FREEZE_TYPEHASH, id, epoch, paidEpoch, ref)), attestation);
        uint16 paid = _paidEpochOfWord(id, word);
        if (paid == 0 || paid != paidEpoch) revert Ledger_OtherPayment(id, paid);
        if (word.isFrozen()) revert Ledger_Stopped(id, word.flags());
        if (_disputes[id][ref] != Dispute.None) revert Ledger_ReferenceUsed(id, ref);
        _disputes[id][ref] = Dispute.Open;
        _tickets[id].word = word.stopped(TicketWords.FROZEN);
        emit Frozen(id, word.holder(), epoch, ref);
        if (!word.isStopped()) emit IERC5192.Locked(id);
    }

    /// @inheritdoc ITicketDesk
    function unfreeze(uint64 id, uint16 epoch, bytes16 ref, bytes calldata attestation) external {
        _checkRole(LEDGER, RELAYER);
        TicketWord word = _tickets[id].word;
        if (!word.isFrozen() || _disputes[id][ref] != Dispute.Open) revert Ledger_NotFrozen(id);
        if (word.epoch() != epoch) revert Ledger_StaleEpoch(id, epoch, word.epoch());
        _checkAttested(keccak256(abi.encode(UNFREEZE_TYPEHASH, id, epoch, ref)), attestation);
        _disputes[id][ref] = Dispute.Closed;
        TicketWord next = word.thawed();
        _tickets[id].word = next;
        emit Unfrozen(id, word.holder(), epoch, ref);
        if (!next.isStopped()) emit IERC5192.Unlocked(id);
    }

    /// @inheritdoc ITicketDesk
    function voidTicket(uint64 id, uint16 epoch, bytes16 ref, bytes calldata attestation) external {
        _checkRole(LEDGER, RELAYER);
        TicketWord word = _tickets[id].word;
        _check(_heldProblem(id, word, epoch));
        _checkFiatRail(id);
        _checkAttested(keccak256(abi.encode(VOID_TYPEHASH, id, epoch, ref)), attestation);
        bool ownPayment = word.gifts() == 0; // nobody got it as a gift since it was bought
        if (!ownPayment && !word.isFrozen()) revert Ledger_NotFrozen(id);

        TicketWord next = word.voided();
        _move(id, word, next, _policies[TicketId.eventOf(id)]);
        emit Voided(id, word.holder(), next.epoch(), ref);
    }

    /// @dev A payment in tokens can't be disputed; and a void ticket would leave its face in the escrow of a cancelled event.
    function _checkFiatRail(uint64 id) private view {
        uint40 eventId = TicketId.eventOf(id);
        if (_policies[eventId].isTokenRail()) revert Ledger_WrongRail(eventId);
    }

    // ------------------------------------------------------------------------------------------------ reissue

    /// @inheritdoc ITicketDesk
    function announceReissue(uint64 id, uint16 epoch, address to, bool custodied) external {
        _checkRole(LEDGER, RELAYER);
        uint40 eventId = TicketId.eventOf(id);
        PolicyWord policy = _policies[eventId];
        TicketWord word = _tickets[id].word;
        if (!policy.has(PolicyWords.REISSUE)) revert Ledger_NotInTerms(eventId);
        _check(_moveProblem(id, word, policy, epoch));
        if (!_isFit(to, custodied)) revert Ledger_RefusedAccount(to);

        uint40 readyAt = uint40(block.timestamp) + REISSUE_WAIT;
        _reissues[id] = Reissue(to, readyAt, epoch, custodied);
        emit ReissueAnnounced(id, word.holder(), to, custodied, epoch, readyAt);
    }

    /// @inheritdoc ITicketDesk
    function vetoReissue(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _tickets[id].word;
        Reissue memory announced = _reissues[id];
        if (announced.readyAt == 0 || announced.epoch != epoch || word.epoch() != epoch) {
            revert Ledger_NotAnnounced(id);
        }
        bytes32 structHash = keccak256(abi.encode(VETO_TYPEHASH, id, epoch, deadline));
        _checkConsentOrCaller(id, word, structHash, deadline, consent);
        delete _reissues[id];
        emit ReissueVetoed(id, word.holder(), epoch);
    }

    /// @inheritdoc ITicketDesk
    function reissue(uint64 id) external {
        _checkRole(LEDGER, RELAYER);
        uint40 eventId = TicketId.eventOf(id);
        PolicyWord policy = _policies[eventId];
        TicketWord word = _tickets[id].word;
        Reissue memory announced = _reissues[id];
        if (announced.readyAt == 0 || announced.epoch != word.epoch()) revert Ledger_NotAnnounced(id);
        if (block.timestamp < announced.readyAt) revert Ledger_TooEarly(id, announced.readyAt);
        _check(_moveProblem(id, word, policy, announced.epoch));
        // The address may have got code since it was announced.
        if (!_isFit(announced.to, announced.custodied)) revert Ledger_RefusedAccount(announced.to);
        bool full = announced.to != word.holder() && _isFull(eventId, policy, announced.to);
        if (full) revert Ledger_HolderLimit(announced.to, policy.holderLimit());

        delete _reissues[id];
        TicketWord next = word.reissued(announced.to, announced.custodied, uint32(block.timestamp));
        _moveUncounted(id, word, next);
        emit Reissued(id, word.holder(), announced.to, announced.custodied, next.epoch());
    }
}
