// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {PeerTickets} from "./PeerTickets.sol";

/// @title OZ721Tickets: tickets on OpenZeppelin's ERC-721
/// @dev For the peer: the owner's slot has no bit to spare, so uses are kept in OpenZeppelin's bitmap. A move is one `_update`, which asks
/// for no approval and tells the former owner, so the caller need not name it.
contract OZ721Tickets is ERC721("Ticket", "TIX"), PeerTickets {
    using BitMaps for BitMaps.BitMap;

    BitMaps.BitMap private _redeemed;

    /// @notice Mints `count` tickets from `first` on to the operator.
    function issue(uint256 first, uint256 count) external onlyOperator {
        for (uint256 id = first; id < first + count; ++id) {
            _mint(OPERATOR, id);
        }
    }

    /// @notice Mints sold tickets to their buyers: account | id << 160 each.
    function mint(uint256[] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            _mint(_to(lines[i]), _id(lines[i]));
        }
    }

    /// @notice Moves tickets to new owners: account | id << 160 each.
    function move(uint256[] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            if (_update(_to(lines[i]), _id(lines[i]), address(0)) == address(0)) revert NotHeld(_id(lines[i]));
        }
    }

    /// @notice Marks tickets as used.
    function redeem(uint256[] calldata ids) external onlyOperator {
        for (uint256 i = 0; i < ids.length; ++i) {
            _requireOwned(ids[i]);
            if (_redeemed.get(ids[i])) revert AlreadyRedeemed(ids[i]);
            _redeemed.set(ids[i]);
            emit Redeemed(ids[i]);
        }
    }

    /// @inheritdoc PeerTickets
    function redeemed(uint256 id) external view override returns (bool) {
        return _redeemed.get(id);
    }

    /// @dev A used ticket stays where it is.
    function _update(address to, uint256 id, address auth) internal override returns (address from) {
        from = super._update(to, id, auth);
        if (from != address(0) && _redeemed.get(id)) revert AlreadyRedeemed(id);
    }
}
