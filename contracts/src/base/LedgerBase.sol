// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {TicketWord} from "../types/TicketWord.sol";
import {Consents} from "./Consents.sol";
import {Reasons} from "./Reasons.sol";
import {Treasury} from "./Treasury.sol";

/// @title LedgerBase: what all parts of the ledger's code share
/// @dev Every state variable of the ledger is declared in the bases of this contract, and every part of the code inherits from it and
/// declares none: so all parts see the same storage, whichever of them runs.
abstract contract LedgerBase is Reasons, Consents, Treasury {
    /// @dev The ticket's holder signed this struct, in time.
    function _checkConsent(uint64 id, TicketWord word, bytes32 structHash, uint40 deadline, bytes calldata consent)
        internal
        view
    {
        _check(_consentProblem(id, word, _hashTypedDataV4(structHash), deadline, consent, gasleft()));
    }

    /// @dev The same; or the caller is the holder, not custodied, and the consent is empty.
    function _checkConsentOrCaller(
        uint64 id,
        TicketWord word,
        bytes32 structHash,
        uint40 deadline,
        bytes calldata consent
    ) internal view {
        bool byHolder = consent.length == 0 && msg.sender == _ownerOf(word);
        if (!byHolder) _checkConsent(id, word, structHash, deadline, consent);
    }

    /// @dev Another account than a ticket's holder signed this struct by its key, in time.
    function _checkSigned(address account, bytes32 structHash, uint40 deadline, bytes calldata consent) internal view {
        address signer = _signerOf(_hashTypedDataV4(structHash), consent);
        bool signed = signer == account && signer != address(0) && block.timestamp <= deadline;
        if (!signed) revert Ledger_BadSignature(account);
    }
}
