// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC721} from "../../node_modules/solady/src/tokens/ERC721.sol";
import {PeerTickets} from "./PeerTickets.sol";

/// @title Solady721Tickets: tickets on Solady's ERC-721
/// @dev For the peer: uses are kept in the 96 bits beside the owner, so marking one writes no new slot.
contract Solady721Tickets is ERC721, PeerTickets {
    uint96 private constant REDEEMED = 1;

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
            _transfer(_ownerOf(_id(lines[i])), _to(lines[i]), _id(lines[i]));
        }
    }

    /// @notice Marks tickets as used.
    function redeem(uint256[] calldata ids) external onlyOperator {
        for (uint256 i = 0; i < ids.length; ++i) {
            if (!_exists(ids[i])) revert NotHeld(ids[i]);
            if (_getExtraData(ids[i]) == REDEEMED) revert AlreadyRedeemed(ids[i]);
            _setExtraData(ids[i], REDEEMED);
            emit Redeemed(ids[i]);
        }
    }

    /// @inheritdoc PeerTickets
    function redeemed(uint256 id) external view override returns (bool) {
        return _getExtraData(id) == REDEEMED;
    }

    /// @inheritdoc ERC721
    function name() public pure override returns (string memory) {
        return "Ticket";
    }

    /// @inheritdoc ERC721
    function symbol() public pure override returns (string memory) {
        return "TIX";
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256) public pure override returns (string memory) {
        return "";
    }

    /// @dev A used ticket stays where it is.
    function _beforeTokenTransfer(address, address, uint256 id) internal view override {
        if (_getExtraData(id) == REDEEMED) revert AlreadyRedeemed(id);
    }
}
