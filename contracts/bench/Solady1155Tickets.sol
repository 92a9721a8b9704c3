// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC1155} from "../../node_modules/solady/src/tokens/ERC1155.sol";
import {LibBitmap} from "../../node_modules/solady/src/utils/LibBitmap.sol";
import {PeerTickets} from "./PeerTickets.sol";

/// @title Solady1155Tickets: tickets on Solady's ERC-1155, one id a seat
/// @dev For the peer: nothing stops a second ticket of a seat (the operator is trusted), and nobody can ask who holds one, which spares it
/// the owner's slot. Uses are kept in Solady's bitmap, and looked at where a ticket moves rather than in the base's costlier hook.
contract Solady1155Tickets is ERC1155, PeerTickets {
    using LibBitmap for LibBitmap.Bitmap;

    LibBitmap.Bitmap private _redeemed;

    /// @notice Mints `count` tickets from `first` on to the operator.
    function issue(uint256 first, uint256 count) external onlyOperator {
        uint256[] memory ids = new uint256[](count);
        uint256[] memory ones = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            (ids[i], ones[i]) = (first + i, 1);
        }
        _batchMint(OPERATOR, ids, ones, "");
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
            _move(OPERATOR, lines[i]);
        }
    }

    /// @notice Moves tickets to new owners: account | id << 160, and the owner so far.
    function move(uint256[2][] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            _move(_to(lines[i][1]), lines[i][0]);
        }
    }

    /// @notice Marks tickets as used: owner | id << 160 each.
    function redeem(uint256[] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 id = _id(lines[i]);
            if (balanceOf(_to(lines[i]), id) == 0) revert NotHeld(id);
            if (!_redeemed.toggle(id)) revert AlreadyRedeemed(id);
            emit Redeemed(id);
        }
    }

    /// @inheritdoc PeerTickets
    function redeemed(uint256 id) external view override returns (bool) {
        return _redeemed.get(id);
    }

    /// @inheritdoc ERC1155
    function safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes calldata data)
        public
        override
    {
        _checkUnused(id);
        super.safeTransferFrom(from, to, id, amount, data);
    }

    /// @inheritdoc ERC1155
    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] calldata ids,
        uint256[] calldata amounts,
        bytes calldata data
    ) public override {
        for (uint256 i = 0; i < ids.length; ++i) {
            _checkUnused(ids[i]);
        }
        super.safeBatchTransferFrom(from, to, ids, amounts, data);
    }

    /// @inheritdoc ERC1155
    function uri(uint256) public pure override returns (string memory) {
        return "";
    }

    function _move(address from, uint256 line) private {
        _checkUnused(_id(line));
        _safeTransfer(from, _to(line), _id(line), 1, "");
    }

    /// @dev A used ticket stays where it is.
    function _checkUnused(uint256 id) private view {
        if (_redeemed.get(id)) revert AlreadyRedeemed(id);
    }
}
