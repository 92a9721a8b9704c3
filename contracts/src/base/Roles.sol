// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../interfaces/ILedgerTypes.sol";
import {PolicyWord} from "../types/PolicyWord.sol";

/// @title Roles: who may do what
/// @notice One bitmap per account and scope; scope 0 is the ledger, every other one an event. Lists of allowed account code and tokens.
abstract contract Roles is ILedgerTypes {
    /// @dev Scope of the roles of the ledger itself.
    uint40 internal constant LEDGER = 0;

    // Roles of the ledger.
    uint8 internal constant ADMIN = 1;
    uint8 internal constant RELAYER = 2;
    uint8 internal constant ATTESTOR = 4;

    // Roles of one event.
    uint8 internal constant ORGANIZER = 8;
    uint8 internal constant GATE = 16;

    /// @dev What an account with an EIP-7702 delegation shows as its code: this prefix and the delegate's address.
    bytes3 private constant DELEGATION_PREFIX = 0xef0100;
    uint256 private constant DELEGATION_SIZE = 23;

    mapping(uint40 scope => mapping(address account => uint8 roles)) internal _roles;
    mapping(bytes32 codeHash => bool allowed) internal _codeAllowed;
    mapping(address token => bool allowed) internal _tokenAllowed;

    // ------------------------------------------------------------------------------------------------ internal

    /// @dev The event's policy; reverts for an unknown event.
    function _policyOf(uint40 eventId) internal view virtual returns (PolicyWord);

    function _setRoles(uint40 scope, address account, uint8 roles) internal {
        _roles[scope][account] = roles;
        emit RolesSet(scope, account, roles);
    }

    function _hasRole(uint40 scope, address account, uint8 role) internal view returns (bool) {
        return _roles[scope][account] & role != 0;
    }

    /// @dev The caller itself has the role.
    function _checkRole(uint40 scope, uint8 role) internal view {
        if (!_hasRole(scope, msg.sender, role)) revert Ledger_Unauthorized(scope, role, msg.sender);
    }

    /// @dev The caller has the role, or is a relayer while the event is delegated.
    function _checkEventRole(uint40 eventId, PolicyWord policy, uint8 role) internal view {
        if (policy.isDelegated() && _hasRole(LEDGER, msg.sender, RELAYER)) return;
        if (_hasRole(eventId, msg.sender, role)) return;
        revert Ledger_Unauthorized(eventId, role, msg.sender);
    }

    /// @dev Whether a new holder is fit for a ticket. Code in an own wallet's place could be a market that wraps tickets and sells its
    /// shares past the cap, so only accounts of people are let in. Of a custodied holder no code is asked for (2,600 gas a line):
    /// nothing but a signature by the key of that address moves its tickets, so code there has no say over them.
    function _isFit(address account, bool custodied) internal view returns (bool) {
        if (account == address(0) || account == address(this)) return false;
        return custodied || _isPersonal(account);
    }

    /// @dev No code, an EIP-7702 delegation, or an allowed account implementation.
    function _isPersonal(address account) private view returns (bool) {
        uint256 size = account.code.length;
        if (size == 0) return true;
        if (size == DELEGATION_SIZE && bytes3(account.code) == DELEGATION_PREFIX) return true;
        return _codeAllowed[account.codehash];
    }
}
