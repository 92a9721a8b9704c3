// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {Payment} from "../../src/types/Lines.sol";
import {People} from "./People.sol";

/// @notice What holders and attestors sign. Digests are built here on their own, so a wrong type string in the contract fails every test.
abstract contract Signing is People {
    function _sign(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(structHash));
        return abi.encodePacked(r, s, v);
    }

    /// @notice The same in 64 bytes (EIP-2098).
    function _signCompact(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(structHash));
        return abi.encodePacked(r, s | bytes32(uint256(v - 27) << 255));
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domainOf(address(ledger)), structHash));
    }

    function _domainOf(address verifier) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("ticketchain"),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
    }

    function _giftHash(uint64 id, uint16 epoch, address to, bool custodied, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, to, custodied, deadline));
    }

    struct Offer {
        uint64 id;
        uint16 epoch;
        uint40 price;
        bytes3 currency;
        address token;
        address buyer;
        uint40 deadline;
    }

    function _offerHash(Offer memory offer) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline)"
        );
        return keccak256(abi.encode(typeHash, offer));
    }

    function _openOffer(uint64 id, uint16 epoch, uint40 price) internal pure returns (bytes32) {
        return _offerHash(Offer(id, epoch, price, "EUR", address(0), address(0), NEVER));
    }

    function _tokenOffer(uint64 id, uint16 epoch, uint40 price, address buyer) internal view returns (bytes32) {
        return _offerHash(Offer(id, epoch, price, "EUR", address(token), buyer, NEVER));
    }

    function _refundHash(uint64 id, uint16 epoch, uint40 amount, uint40 deadline) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, amount, deadline));
    }

    function _revokeHash(uint64 id, uint16 epoch, uint40 deadline) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Revoke(uint64 id,uint16 epoch,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, deadline));
    }

    function _voidHash(uint64 id, uint16 epoch, bytes16 ref) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("Void(uint64 id,uint16 epoch,bytes16 reference)"), id, epoch, ref));
    }

    /// @notice Consents of a ticket's holder that name, after id and epoch, just one address and the deadline.
    function _moveHash(string memory name, uint64 id, uint16 epoch, address to) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(abi.encodePacked(name, "(uint64 id,uint16 epoch,address to,uint40 deadline)"));
        return keccak256(abi.encode(typeHash, id, epoch, to, NEVER));
    }

    /// @notice Consents of a ticket's holder that name id, epoch and deadline only.
    function _plainHash(string memory name, uint64 id, uint16 epoch) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(abi.encodePacked(name, "(uint64 id,uint16 epoch,uint40 deadline)"));
        return keccak256(abi.encode(typeHash, id, epoch, NEVER));
    }

    function _registerHash(address account, address wallet, uint40 deadline) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("RegisterWallet(address account,address wallet,uint40 deadline)");
        return keccak256(abi.encode(typeHash, account, wallet, deadline));
    }

    function _swapHash(uint64 id, uint16 epoch, uint64 otherId, uint16 otherEpoch) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Swap(uint64 id,uint16 epoch,uint64 otherId,uint16 otherEpoch,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, otherId, otherEpoch, NEVER));
    }

    /// @notice What the holder agrees to.
    function _exchangeHash(ILedgerTypes.Exchange memory line) internal pure returns (bytes32) {
        bytes32 typeHash =
            keccak256("Exchange(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline)");
        return
            keccak256(
                abi.encode(typeHash, line.id, line.epoch, line.toId, line.toEpoch, line.difference, line.deadline)
            );
    }

    /// @notice What the attestor saw.
    function _exchangePaidHash(ILedgerTypes.Exchange memory line) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "ExchangePaid(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference)"
        );
        return keccak256(abi.encode(typeHash, line.id, line.epoch, line.toId, line.toEpoch, line.difference, line.ref));
    }

    function _poolReturnHash(uint64 id, uint16 epoch, uint40 price) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("PoolReturn(uint64 id,uint16 epoch,uint40 price,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, price, NEVER));
    }

    function _identityHash(uint64 id, uint16 epoch, bytes32 commitment) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Identity(uint64 id,uint16 epoch,bytes32 commitment,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, commitment, NEVER));
    }

    function _claimHash(address account, address token_, address to, uint256 nonce, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("Claim(address account,address token,address to,uint256 nonce,uint40 deadline)");
        return keccak256(abi.encode(typeHash, account, token_, to, nonce, deadline));
    }

    function _voucherHash(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 expiry)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash =
            keccak256("Voucher(uint64 id,uint16 epoch,uint40 price,address buyer,bytes16 reference,uint40 expiry)");
        return keccak256(abi.encode(typeHash, id, epoch, price, buyer, REF, expiry));
    }

    function _freezeHash(uint64 id, uint16 epoch, uint16 paidEpoch) internal pure returns (bytes32) {
        return _freezeHash(id, epoch, paidEpoch, REF);
    }

    function _freezeHash(uint64 id, uint16 epoch, uint16 paidEpoch, bytes16 ref) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)");
        return keccak256(abi.encode(typeHash, id, epoch, paidEpoch, ref));
    }

    function _unfreezeHash(uint64 id, uint16 epoch) internal pure returns (bytes32) {
        return _unfreezeHash(id, epoch, REF);
    }

    function _unfreezeHash(uint64 id, uint16 epoch, bytes16 ref) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Unfreeze(uint64 id,uint16 epoch,bytes16 reference)");
        return keccak256(abi.encode(typeHash, id, epoch, ref));
    }

    function _refundsPaidHash(uint40 event_, uint128 paidBefore, Payment[] memory lines)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("RefundsPaid(uint40 eventId,uint128 paidBefore,bytes32 lines)");
        return keccak256(abi.encode(typeHash, event_, paidBefore, keccak256(abi.encodePacked(lines))));
    }
}
