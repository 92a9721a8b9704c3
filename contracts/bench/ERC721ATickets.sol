// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC721A} from "../../node_modules/erc721a/contracts/ERC721A.sol";
import {PeerTickets} from "./PeerTickets.sol";

/// @title ERC721ATickets: tickets on ERC721A
/// @dev For the peer: its ids only count up, so which seat an id is stays outside the chain. Uses are kept in the 24 bits beside the owner.
/// It is measured with tickets taken from a batch in their order: one from the middle of an untouched batch costs up to 2,100 gas for
/// every ticket before it.
contract ERC721ATickets is ERC721A("Ticket", "TIX"), PeerTickets {
    uint24 private constant REDEEMED = 1;

    /// @notice Mints `count` tickets to the operator.
    function issue(uint256 count) external onlyOperator {
        _mint(OPERATOR, count);
    }

    /// @notice Mints the next tickets to their buyers.
    function mint(address[] calldata buyers) external onlyOperator {
        for (uint256 i = 0; i < buyers.length; ++i) {
            _mint(buyers[i], 1);
        }
    }

    /// @notice Moves tickets to new owners: account | id << 160 each.
    function move(uint256[] calldata lines) external onlyOperator {
        for (uint256 i = 0; i < lines.length; ++i) {
            transferFrom(ownerOf(_id(lines[i])), _to(lines[i]), _id(lines[i]));
        }
    }

    /// @notice Marks tickets as used.
    function redeem(uint256[] calldata ids) external onlyOperator {
        for (uint256 i = 0; i < ids.length; ++i) {
            uint24 extra = _ownershipOf(ids[i]).extraData;
            if (extra & REDEEMED != 0) revert AlreadyRedeemed(ids[i]);
            _initializeOwnershipAt(ids[i]);
            _setExtraDataAt(ids[i], extra | REDEEMED);
            emit Redeemed(ids[i]);
        }
    }

    /// @inheritdoc PeerTickets
    function redeemed(uint256 id) external view override returns (bool) {
        return _ownershipOf(id).extraData & REDEEMED != 0;
    }

    /// @notice The operator may move every ticket: the base has no transfer without an approval.
    function isApprovedForAll(address owner, address operator) public view override returns (bool) {
        return operator == OPERATOR || super.isApprovedForAll(owner, operator);
    }

    /// @dev A used ticket stays where it is.
    function _beforeTokenTransfers(address from, address, uint256 id, uint256) internal view override {
        if (from != address(0) && _ownershipOf(id).extraData & REDEEMED != 0) revert AlreadyRedeemed(id);
    }

    /// @dev Keeps the mark when the base writes an owner.
    function _extraData(address, address, uint24 before) internal pure override returns (uint24) {
        return before;
    }
}
