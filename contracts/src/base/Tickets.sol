// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {ITicketLedger} from "../interfaces/ITicketLedger.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {EventBook} from "./EventBook.sol";

/// @title Tickets: the words of all tickets, and the ERC-721 face for wallets and explorers
/// @notice ERC-721 owner is the holder, or the ledger itself while the holder's key is custodied. Tickets in stock and void ones have no
/// owner. There are no approvals: every event has a cap, and an approved market would be a way round it. Transfers are in `TicketLedger`.
abstract contract Tickets is EventBook, IERC721Metadata, IERC721Errors {
    /// @dev A ticket's slot, in a struct so that it can be referred to.
    struct Slot {
        TicketWord word;
    }

    mapping(uint64 id => Slot) internal _tickets;
    mapping(address owner => uint256 count) private _balances;
    string private _baseURI;

    /// @param baseURI start of every `tokenURI`; the decimal id follows
    constructor(string memory baseURI) {
        _baseURI = baseURI;
    }

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketLedger
    function holderOf(uint64 id) external view returns (address) {
        return _issuedWord(id).holder();
    }

    /// @inheritdoc ITicketLedger
    function ticketOf(uint64 id) external view returns (Ticket memory) {
        TicketWord word = _issuedWord(id);
        return Ticket({
            holder: word.holder(),
            custodied: word.isCustodied(),
            redeemed: word.isRedeemed(),
            voided: word.isVoid(),
            gifts: word.gifts(),
            epoch: word.epoch(),
            since: word.since(),
            price: word.price()
        });
    }

    /// @inheritdoc ITicketLedger
    function ticketWordOf(uint64 id) external view returns (TicketWord) {
        return _tickets[id].word;
    }

    // ------------------------------------------------------------------------------------------------ reading, ERC-721

    /// @inheritdoc IERC721Metadata
    function name() external pure returns (string memory) {
        return "ticketchain";
    }

    /// @inheritdoc IERC721Metadata
    function symbol() external pure returns (string memory) {
        return "TKT";
    }

    /// @inheritdoc IERC721Metadata
    function tokenURI(uint256 tokenId) external view returns (string memory) {
        ownerOf(tokenId);
        return string.concat(_baseURI, Strings.toString(tokenId));
    }

    /// @inheritdoc IERC721
    function balanceOf(address owner) external view returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(owner);
        return _balances[owner];
    }

    /// @inheritdoc IERC721
    /// @dev Reverts with ERC721NonexistentToken for unknown ids and for tickets in stock or void.
    function ownerOf(uint256 tokenId) public view returns (address owner) {
        if (tokenId <= type(uint64).max) owner = _ownerOf(_tickets[uint64(tokenId)].word);
        if (owner == address(0)) revert ERC721NonexistentToken(tokenId);
    }

    /// @inheritdoc IERC721
    /// @dev Always zero: there are no approvals.
    function getApproved(uint256 tokenId) external view returns (address) {
        ownerOf(tokenId);
        return address(0);
    }

    /// @inheritdoc IERC721
    /// @dev Always false: there are no approvals.
    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC721).interfaceId
            || interfaceId == type(IERC721Metadata).interfaceId;
    }

    // ------------------------------------------------------------------------------------------------ no approvals

    /// @inheritdoc IERC721
    /// @dev Always reverts with Ledger_ApprovalsDisabled.
    function approve(address, uint256) external pure {
        revert Ledger_ApprovalsDisabled();
    }

    /// @inheritdoc IERC721
    /// @dev Always reverts with Ledger_ApprovalsDisabled.
    function setApprovalForAll(address, bool) external pure {
        revert Ledger_ApprovalsDisabled();
    }

    // ------------------------------------------------------------------------------------------------ internal

    /// @dev ERC-721 owner; zero for a ticket in stock or void.
    function _ownerOf(TicketWord word) internal view returns (address) {
        return word.isCustodied() ? address(this) : word.holder();
    }

    /// @dev Moves one ticket: writes its word, balances and `Transfer`.
    function _move(uint64 id, TicketWord word, TicketWord next) internal {
        _changeCustody(_moveInBulk(_tickets[id], id, word, next));
    }

    /// @dev Moves a ticket, all but the ledger's own balance, which a bulk call changes once for all lines by the sum of the results.
    /// @return custody tickets more in the ledger's custody: -1, 0 or 1
    function _moveInBulk(Slot storage slot, uint64 id, TicketWord word, TicketWord next)
        internal
        returns (int256 custody)
    {
        slot.word = next;
        address from = _ownerOf(word);
        address to = _ownerOf(next);
        if (from != to) {
            if (from == address(this)) custody = -1;
            else if (from != address(0)) _balances[from] -= 1;
            if (to == address(this)) custody = 1;
            else if (to != address(0)) _balances[to] += 1;
            emit Transfer(from, to, id);
        }
    }

    function _changeCustody(int256 custody) internal {
        if (custody > 0) _balances[address(this)] += uint256(custody);
        else if (custody < 0) _balances[address(this)] -= uint256(-custody);
    }

    function _issuedWord(uint64 id) private view returns (TicketWord) {
        if (!_isIssued(id)) revert Ledger_NoSuchTicket(id);
        return _tickets[id].word;
    }
}
