// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A contract wallet (ERC-1271) of one key that can also call: the model's own wallets, all with the same code.
contract Account {
    address public signer;

    constructor(address signer_) {
        signer = signer_;
    }

    function execute(address target, bytes calldata data) external returns (bytes memory answer) {
        bool success;
        (success, answer) = target.call(data);
        if (!success) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(hash, signature) == signer ? this.isValidSignature.selector : bytes4(0);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC721Received.selector;
    }
}
