// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Root and proofs of a small tree of addresses, in OpenZeppelin's form: sorted pairs, leaves hashed twice.
library MerkleTree {
    function root(address[] memory accounts) internal pure returns (bytes32) {
        bytes32[] memory level = _leaves(accounts);
        while (level.length > 1) {
            level = _parents(level);
        }
        return level[0];
    }

    function proof(address[] memory accounts, uint256 index) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory level = _leaves(accounts);
        siblings = new bytes32[](8);
        uint256 count = 0;
        for (; level.length > 1; index /= 2) {
            if (index ^ 1 < level.length) siblings[count++] = level[index ^ 1];
            level = _parents(level);
        }
        assembly {
            mstore(siblings, count)
        }
    }

    function _leaves(address[] memory accounts) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            leaves[i] = keccak256(abi.encode(keccak256(abi.encode(accounts[i]))));
        }
    }

    function _parents(bytes32[] memory level) private pure returns (bytes32[] memory parents) {
        parents = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < level.length; i += 2) {
            bytes32 right = i + 1 < level.length ? level[i + 1] : bytes32(0);
            parents[i / 2] = right == 0 ? level[i] : _pair(level[i], right);
        }
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }
}
