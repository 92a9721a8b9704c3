// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title IERC5192: minimal soulbound tokens
/// @notice https://eips.ethereum.org/EIPS/eip-5192. Its interface id is 0xb45a3c0e.
interface IERC5192 {
    /// @notice The token can't be transferred from now on.
    event Locked(uint256 tokenId);

    /// @notice The token can be transferred from now on.
    event Unlocked(uint256 tokenId);

    /// @notice Whether the token can't be transferred.
    /// @param tokenId the token; reverts if nobody owns it
    /// @return whether it is locked
    function locked(uint256 tokenId) external view returns (bool);
}
