// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {LedgerBase} from "../base/LedgerBase.sol";
import {IERC5192} from "../interfaces/IERC5192.sol";
import {ITicketMoves} from "../interfaces/ITicketMoves.sol";
import {BatchWord} from "../types/BatchWord.sol";
import {PolicyWord} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";

/// @title TicketFace: tickets as wallets, explorers and anyone else read them
/// @notice ERC-721 owner is the holder, or the ledger itself while the holder's key is custodied. Tickets in stock and void ones have no
/// owner. There are no approvals: every event has a cap, and an approved market would be a way round it. Transfers are in `TicketLedger`.
abstract contract TicketFace is LedgerBase, ITicketMoves, IERC721Metadata, IERC721Errors, IERC2981, IERC5192 {
    /// @dev Of ERC-4906, which has events only.
    bytes4 private constant ERC4906_ID = 0x49064906;

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketMoves
    function holderOf(uint64 id) external view returns (address) {
        return _issuedWord(id).holder();
    }

    /// @inheritdoc ITicketMoves
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

    /// @inheritdoc ITicketMoves
    function ticketWordOf(uint64 id) external view returns (TicketWord) {
        return _tickets[id].word;
    }

    /// @inheritdoc ITicketMoves
    function batchOf(uint40 eventId, uint8 number) external view returns (BatchWord) {
        return _batches[TicketId.batchKey(eventId, number)];
    }

    /// @inheritdoc ITicketMoves
    function capOf(uint64 id) external view returns (uint40) {
        TicketWord word = _issuedWord(id);
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        uint256 cap = policy.capOf(_faceOf(id));
        return uint40(word.holder() == address(0) ? cap : _resaleCapOf(word, policy, cap));
    }

    /// @inheritdoc ITicketMoves
    function checkOffer(uint64 id, uint16 epoch, uint40 price) external view returns (bytes memory problem) {
        return _resaleProblem(id, _tickets[id].word, _policies[TicketId.eventOf(id)], epoch, price, _faceOf(id));
    }

    /// @inheritdoc ITicketMoves
    function checkGift(uint64 id, uint16 epoch, address to) external view returns (bytes memory problem) {
        return _giftProblem(id, _tickets[id].word, _policies[TicketId.eventOf(id)], epoch, to, false, false);
    }

    /// @inheritdoc ITicketMoves
    function locked(uint256 tokenId) external view override(ITicketMoves, IERC5192) returns (bool) {
        ownerOf(tokenId);
        uint64 id = uint64(tokenId);
        TicketWord word = _tickets[id].word;
        return word.isCustodied() || !_mayMove(word, _policies[TicketId.eventOf(id)], word.epoch());
    }

    /// @inheritdoc ITicketMoves
    function getTokenStatus(uint256 tokenId) external view returns (bytes32, TokenStatus status, uint256 expireTime) {
        uint64 id = uint64(tokenId);
        if (id != tokenId) revert ERC721NonexistentToken(tokenId);
        TicketWord word = _issuedWord(id);
        if (word.isVoid()) status = TokenStatus.Void;
        else if (word.isRedeemed()) status = TokenStatus.Redeemed;
        else if (word.holder() == address(0) && word.epoch() > 0) status = TokenStatus.Resell;
        return (0, status, _policies[TicketId.eventOf(id)].movesCloseAt());
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
            || interfaceId == type(IERC721Metadata).interfaceId || interfaceId == type(IERC2981).interfaceId
            || interfaceId == ERC4906_ID || interfaceId == type(IERC5192).interfaceId
            || interfaceId == type(IERC5267).interfaceId;
    }

    /// @inheritdoc IERC2981
    /// @dev For display: no market but the ledger can sell a ticket. Of the larger of price and face, as in every resale; on the token rail
    /// in token units. The receiver is the ledger, where the event's pot is.
    function royaltyInfo(uint256 tokenId, uint256 salePrice) external view returns (address, uint256) {
        ownerOf(tokenId);
        PolicyWord policy = _policies[TicketId.eventOf(uint64(tokenId))];
        uint256 unit = policy.isTokenRail() ? policy.unit() : 1;
        uint256 base = Math.max(salePrice, _faceOf(uint64(tokenId)) * unit);
        return (address(this), Math.min(salePrice, Math.mulDiv(base, policy.royaltyBps(), BPS)));
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
}
