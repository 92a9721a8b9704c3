// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {LedgerBase} from "../base/LedgerBase.sol";
import {IERC5192} from "../interfaces/IERC5192.sol";
import {ITicketDesk} from "../interfaces/ITicketDesk.sol";
import {PolicyWord, PolicyWords} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord, TicketWords} from "../types/TicketWord.sol";

/// @title HolderDesk: what a holder does with one ticket, by consent
abstract contract HolderDesk is LedgerBase, ITicketDesk {
    bytes32 private constant REGISTER_TYPEHASH =
        keccak256("RegisterWallet(address account,address wallet,uint40 deadline)");
    bytes32 private constant WITHDRAW_TYPEHASH =
        keccak256("Withdraw(uint64 id,uint16 epoch,address to,uint40 deadline)");
    bytes32 private constant DEPOSIT_TYPEHASH = keccak256("Deposit(uint64 id,uint16 epoch,address to,uint40 deadline)");
    bytes32 private constant REFUND_TYPEHASH =
        keccak256("Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)");
    bytes32 private constant REVOKE_TYPEHASH = keccak256("Revoke(uint64 id,uint16 epoch,uint40 deadline)");
    bytes32 private constant ACTIVATE_TYPEHASH = keccak256("Activate(uint64 id,uint16 epoch,uint40 deadline)");
    bytes32 private constant IDENTITY_TYPEHASH =
        keccak256("Identity(uint64 id,uint16 epoch,bytes32 commitment,uint40 deadline)");

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketDesk
    function accountOf(address wallet) external view returns (address account, uint40 since) {
        WalletOwner memory owner = _walletOwners[wallet];
        return (owner.account, owner.since);
    }

    /// @inheritdoc ITicketDesk
    function identityOf(uint64 id) external view returns (bytes32) {
        return _identities[id][_tickets[id].word.epoch()];
    }

    // ------------------------------------------------------------------------------------------------ withdraw, deposit

    /// @inheritdoc ITicketDesk
    function registerWallet(address account, uint40 deadline, bytes calldata consent) external {
        address owner = _walletOwners[msg.sender].account;
        if (owner != address(0)) revert Ledger_WalletTaken(msg.sender, owner);
        if (account == msg.sender || !_isFit(msg.sender, false)) revert Ledger_RefusedAccount(msg.sender);
        _checkSigned(
            account, keccak256(abi.encode(REGISTER_TYPEHASH, account, msg.sender, deadline)), deadline, consent
        );
        _walletOwners[msg.sender] = WalletOwner(account, uint40(block.timestamp));
        emit WalletRegistered(account, msg.sender);
    }

    /// @inheritdoc ITicketDesk
    function withdraw(uint64 id, uint16 epoch, address to, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _tickets[id].word;
        bool counted = !_isOwnWallet(to, word.holder(), word);
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        _check(_housingProblem(id, word, policy, epoch, to, false, counted));
        _checkConsent(id, word, keccak256(abi.encode(WITHDRAW_TYPEHASH, id, epoch, to, deadline)), deadline, consent);
        TicketWord next = _rehouse(id, word, policy, to, false, counted);
        emit Withdrawn(id, word.holder(), to, counted, next.epoch());
    }

    /// @inheritdoc ITicketDesk
    function deposit(uint64 id, uint16 epoch, address to, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _tickets[id].word;
        bool counted = !_isOwnWallet(word.holder(), to, word);
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        _check(_housingProblem(id, word, policy, epoch, to, true, counted));
        _checkConsent(id, word, keccak256(abi.encode(DEPOSIT_TYPEHASH, id, epoch, to, deadline)), deadline, consent);
        TicketWord next = _rehouse(id, word, policy, to, true, counted);
        emit Deposited(id, word.holder(), to, counted, next.epoch());
    }

    // ------------------------------------------------------------------------------------------------ gift, refund, revoke

    /// @inheritdoc ITicketDesk
    function giftListed(ListedGift calldata line, bytes calldata consent, bytes32[] calldata proof) external {
        uint64 id = line.id;
        TicketWord word = _tickets[id].word;
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        bool listed = _isListed(TicketId.eventOf(id), line.to, proof);
        _check(_giftProblem(id, word, policy, line.epoch, line.to, line.custodied, listed));
        _checkGiftConsent(line, word, consent);
        TicketWord next = _rehouse(id, word, policy, line.to, line.custodied, true);
        emit Given(id, word.holder(), line.to, line.custodied, next.epoch());
    }

    /// @inheritdoc ITicketDesk
    function refund(uint64 id, uint16 epoch, uint40 amount, bytes16 ref, uint40 deadline, bytes calldata consent)
        external
    {
        _checkRole(LEDGER, RELAYER);
        uint40 eventId = TicketId.eventOf(id);
        TicketWord word = _tickets[id].word;
        PolicyWord policy = _policies[eventId];
        _check(_moveProblem(id, word, policy, epoch));
        if (policy.isTokenRail()) revert Ledger_WrongRail(eventId);
        uint40 most = uint40(Math.min(word.price(), _faceOf(id)));
        if (amount > most) revert Ledger_OverRefund(id, amount, most);
        _checkConsent(id, word, keccak256(abi.encode(REFUND_TYPEHASH, id, epoch, amount, deadline)), deadline, consent);

        TicketWord next = word.returned();
        _move(id, word, next, policy);
        _oweRefund(eventId, amount);
        emit Refunded(id, word.holder(), next.epoch(), amount, ref);
    }

    /// @inheritdoc ITicketDesk
    function revoke(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _freeWord(id, epoch);
        bytes32 structHash = keccak256(abi.encode(REVOKE_TYPEHASH, id, epoch, deadline));
        _checkConsentOrCaller(id, word, structHash, deadline, consent);
        TicketWord next = word.revoked();
        _moveUncounted(id, word, next);
        emit Revoked(id, word.holder(), next.epoch());
    }

    /// @inheritdoc ITicketDesk
    function activate(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _freeWord(id, epoch);
        _checkConsent(id, word, keccak256(abi.encode(ACTIVATE_TYPEHASH, id, epoch, deadline)), deadline, consent);
        _tickets[id].word = word.stopped(TicketWords.ACTIVATED);
        emit Activated(id, word.holder(), epoch);
        emit IERC5192.Locked(id);
    }

    /// @inheritdoc ITicketDesk
    function commitIdentity(uint64 id, uint16 epoch, bytes32 commitment, uint40 deadline, bytes calldata consent)
        external
    {
        uint40 eventId = TicketId.eventOf(id);
        if (!_policies[eventId].has(PolicyWords.IDENTITY)) revert Ledger_NotInTerms(eventId);
        TicketWord word = _tickets[id].word;
        _check(_heldProblem(id, word, epoch));
        bytes32 structHash = keccak256(abi.encode(IDENTITY_TYPEHASH, id, epoch, commitment, deadline));
        _checkConsent(id, word, structHash, deadline, consent);
        if (_identities[id][epoch] != 0) revert Ledger_AlreadyCommitted(id, epoch);
        _identities[id][epoch] = commitment;
        emit IdentityCommitted(id, word.holder(), epoch, commitment);
    }

    // ------------------------------------------------------------------------------------------------ internal

    /// @dev The ticket's word; it may move now, whatever it does.
    function _freeWord(uint64 id, uint16 epoch) internal view returns (TicketWord word) {
        word = _tickets[id].word;
        _check(_moveProblem(id, word, _policies[TicketId.eventOf(id)], epoch));
    }

    function _checkGiftConsent(ListedGift calldata line, TicketWord word, bytes calldata consent) private view {
        bytes32 digest = _giftDigest(line.id, line.epoch, line.to, line.custodied, line.deadline);
        _check(_consentProblem(line.id, word, digest, line.deadline, consent, gasleft()));
    }

    /// @dev Whether the account is proven to be on the event's list.
    function _isListed(uint40 eventId, address to, bytes32[] calldata proof) private view returns (bool) {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(to))));
        return MerkleProof.verifyCalldata(proof, _giftRoots[eventId], leaf);
    }

    /// @dev Whether the wallet was registered for this account before the ticket's last move.
    function _isOwnWallet(address wallet, address account, TicketWord word) private view returns (bool) {
        WalletOwner memory owner = _walletOwners[wallet];
        return owner.account == account && account != address(0) && owner.since <= word.since();
    }

    /// @dev The ticket may go from custody to a wallet, or the other way.
    function _housingProblem(
        uint64 id,
        TicketWord word,
        PolicyWord policy,
        uint16 epoch,
        address to,
        bool custodied,
        bool counted
    ) private view returns (bytes memory problem) {
        problem = _moveProblem(id, word, policy, epoch);
        if (problem.length > 0) return problem;
        if (word.isCustodied() == custodied) problem = abi.encodeWithSelector(Ledger_WrongCustody.selector, id);
        else if (counted) problem = _giftProblem(id, word, policy, epoch, to, custodied, false);
        else problem = _receiverProblem(id, word, policy, to, custodied);
    }

    /// @dev The rules have been checked.
    /// @param counted whether it is a gift
    function _rehouse(uint64 id, TicketWord word, PolicyWord policy, address to, bool custodied, bool counted)
        private
        returns (TicketWord next)
    {
        if (counted) {
            next = word.given(to, custodied, uint32(block.timestamp));
            _move(id, word, next, policy);
        } else {
            next = word.rehoused(to, custodied);
            _moveUncounted(id, word, next);
        }
    }
}
