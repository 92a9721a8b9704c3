// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {PeerTickets} from "./PeerTickets.sol";

/// @title OZ1155Tickets: tickets on OpenZeppelin's ERC-1155, one id a seat
/// @dev For the peer: nothing stops a second ticket of a seat (the operator is trusted), and nobody can ask who holds one, which spares it
/// the owner's slot. Uses are kept in OpenZeppelin's bitmap.
contract OZ1155Tickets is ERC1155(""), PeerTickets {
    using BitMaps for BitMaps.BitMap;

    BitMaps.BitMap private _redeemed;

    /// @notice Mints `count` tickets from `first` on to the operator.
    function issue(uint256 first, uint256 count) external onlyOperator {
        uint256[] memory ids = new uint256[](count);
        uint256[] memory ones = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            (ids[i], ones[i]) = (first + i, 1);
        }
        _mintBatch(OPERATOR, ids, ones, "");
    }

    /// @notice Mints sold tickets to their buyers: account | id << 160 each.
    function mint(uint256[] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            _mint(_to(lines[i]), _id(lines[i]), 1, "");
        }
    }

    /// @notice Moves tickets from the operator to their buyers: account | id << 160 each.
    function deliver(uint256[] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            _safeTransferFrom(OPERATOR, _to(lines[i]), _id(lines[i]), 1, "");
        }
    }

    /// @notice Moves tickets to new owners: account | id << 160, and the owner so far.
    function move(uint256[2][] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            _safeTransferFrom(_to(lines[i][1]), _to(lines[i][0]), _id(lines[i][0]), 1, "");
        }
    }

    /// @notice Marks tickets as used: owner | id << 160 each.
    function redeem(uint256[] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 id = _id(lines[i]);
            if (balanceOf(_to(lines[i]), id) == 0) revert NotHeld(id);
            if (_redeemed.get(id)) revert AlreadyRedeemed(id);
            _redeemed.set(id);
            emit Redeemed(id);
        }
    }

    /// @inheritdoc PeerTickets
    function redeemed(uint256 id) external view override returns (bool) {
        return _redeemed.get(id);
    }

    /// @dev A used ticket stays where it is.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values) internal override {
        super._update(from, to, ids, values);
        for (uint256 i = 0; from != address(0) && i < ids.length; ++i) {
            if (_redeemed.get(ids[i])) revert AlreadyRedeemed(ids[i]);
        }
    }
}
