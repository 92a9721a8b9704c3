// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {TicketWord} from "../types/TicketWord.sol";
import {Roles} from "./Roles.sol";

/// @title Consents: what holders and attestors sign (EIP-712)
/// @notice Every consent names the ticket's epoch, which the move it allows uses up: it works once, and no other nonce is needed. Only
/// signatures with a low s are accepted, of 65 bytes or, 140 gas cheaper to send, the 64 of EIP-2098. Domain: name "ticketchain", version "1", chain id, this contract.
abstract contract Consents is EIP712, Roles {
    /// @dev Terms on which a holder sells. In memory it is just what EIP-712 hashes.
    struct Offer {
        bytes32 typeHash;
        uint64 id;
        uint16 epoch;
        uint40 price;
        bytes3 currency;
        address token;
        address buyer;
        uint40 deadline;
    }

    bytes32 internal constant OFFER_TYPEHASH = keccak256(
        "Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline)"
    );
    bytes32 private constant GIFT_TYPEHASH =
        keccak256("Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)");
    bytes32 private constant DELIVERIES_TYPEHASH = keccak256("Deliveries(uint40 eventId,bytes32 lines)");
    bytes32 private constant SETTLEMENTS_TYPEHASH = keccak256("Settlements(uint40 eventId,bytes32 lines)");

    constructor() EIP712("ticketchain", "1") {}

    // ------------------------------------------------------------------------------------------------ digests

    /// @param domain of `_domainSeparatorV4`, which bulk calls make once
    function _offerDigest(bytes32 domain, Offer memory offer) internal pure returns (bytes32) {
        bytes32 structHash;
        assembly ("memory-safe") {
            structHash := keccak256(offer, 0x100)
        }
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    function _giftDigest(uint64 id, uint16 epoch, address to, bool custodied, uint40 deadline)
        internal
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(keccak256(abi.encode(GIFT_TYPEHASH, id, epoch, to, custodied, deadline)));
    }

    /// @param lines keccak256(target0 ++ payment0 ++ target1 ++ payment1 ...)
    function _deliveriesDigest(uint40 eventId, bytes32 lines) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(DELIVERIES_TYPEHASH, eventId, lines)));
    }

    /// @param lines keccak256(target0 ++ payment0 ++ target1 ++ payment1 ...)
    function _settlementsDigest(uint40 eventId, bytes32 lines) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SETTLEMENTS_TYPEHASH, eventId, lines)));
    }

    // ------------------------------------------------------------------------------------------------ checks

    /// @dev An account with the role ATTESTOR signed this digest.
    function _checkAttestation(bytes32 digest, bytes calldata attestation) internal view {
        address signer = _signerOf(digest, attestation);
        if (signer == address(0) || !_hasRole(LEDGER, signer, ATTESTOR)) revert Ledger_BadAttestation();
    }

    /// @dev An account with the role ATTESTOR signed this struct.
    function _checkAttested(bytes32 structHash, bytes calldata attestation) internal view {
        _checkAttestation(_hashTypedDataV4(structHash), attestation);
    }

    /// @dev Why the holder has not agreed, or empty.
    /// @param gasLimit most gas a contract wallet may use to check
    function _consentProblem(
        uint64 id,
        TicketWord word,
        bytes32 digest,
        uint40 deadline,
        bytes calldata consent,
        uint256 gasLimit
    ) internal view returns (bytes memory problem) {
        if (block.timestamp > deadline) {
            problem = abi.encodeWithSelector(Ledger_Expired.selector, id, deadline);
        } else if (!_isSigned(word, digest, consent, gasLimit)) {
            problem = abi.encodeWithSelector(Ledger_BadConsent.selector, id, word.holder());
        }
    }

    /// @dev Whether the ticket's holder signed: an account without code by its key; one with code (EIP-7702 ones too) by its own check,
    /// ERC-1271. A custodied holder is its key, whatever code its address may carry.
    function _isSigned(TicketWord word, bytes32 digest, bytes calldata consent, uint256 gasLimit)
        internal
        view
        returns (bool valid)
    {
        address holder = word.holder();
        if (!word.isCustodied() && holder.code.length > 0) {
            valid = _isSignedByCode(holder, digest, consent, gasLimit);
        } else {
            valid = _signerOf(digest, consent) == holder && holder != address(0);
        }
    }

    /// @dev Whose key signed; zero for a bad signature.
    function _signerOf(bytes32 digest, bytes calldata signature) internal pure returns (address signer) {
        (uint8 v, bytes32 r, bytes32 s) = ECDSA.parseCalldata(signature);
        (signer,,) = ECDSA.tryRecover(digest, v, r, s);
    }

    /// @dev ERC-1271 with a gas limit, and without copying more than one word of what the wallet returns.
    function _isSignedByCode(address wallet, bytes32 digest, bytes calldata consent, uint256 gasLimit)
        private
        view
        returns (bool valid)
    {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, consent));
        bytes4 magic = IERC1271.isValidSignature.selector;
        assembly ("memory-safe") {
            let success := staticcall(gasLimit, wallet, add(question, 0x20), mload(question), 0x00, 0x20)
            valid := and(success, and(gt(returndatasize(), 0x1f), eq(mload(0x00), magic)))
        }
    }
}
