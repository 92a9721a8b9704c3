// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title BenchToken: the money of the benchmark's resales
/// @notice OpenZeppelin's ERC-20 with 6 decimals, as the common dollar tokens have. Anyone may print it.
contract BenchToken is ERC20("Bench", "BNC") {
    /// @notice Gives each account so much.
    function mint(address[] calldata accounts, uint256 amount) external {
        for (uint256 i = 0; i < accounts.length; ++i) {
            _mint(accounts[i], amount);
        }
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
