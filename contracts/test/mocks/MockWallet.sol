// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A contract wallet (ERC-1271) of one key. All of them have the same code.
contract MockWallet is IERC1271, IERC721Receiver {
    address public signer;
    bool public wasteful;
    uint256 public received;

    constructor(address signer_) {
        signer = signer_;
    }

    function setWasteful(bool value) external {
        wasteful = value;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        while (wasteful) {}
        return ECDSA.recover(hash, signature) == signer ? IERC1271.isValidSignature.selector : bytes4(0);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        ++received;
        return IERC721Receiver.onERC721Received.selector;
    }
}

/// @notice A wallet that takes no ERC-721 and answers ERC-1271 with nonsense.
contract DeafWallet {
    fallback(bytes calldata) external returns (bytes memory) {
        return abi.encode(bytes4(0xdeadbeef));
    }
}

/// @notice A wallet that does something else while it receives a ticket.
contract RestlessWallet is IERC721Receiver {
    address private _target;
    bytes private _data;
    bool public succeeded;

    function prepare(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        (succeeded,) = _target.call(_data);
        return IERC721Receiver.onERC721Received.selector;
    }
}
