// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {PolicyWord} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {EventBook} from "./EventBook.sol";

/// @title Tickets: what is stored of tickets, and how it changes
abstract contract Tickets is EventBook {
    /// @dev A ticket's slot, in a struct so that it can be referred to.
    struct Slot {
        TicketWord word;
    }

    /// @dev How a ticket stood after an epoch that counted neither as a gift nor as a purchase. See `_paidEpochOf`.
    struct Mark {
        uint16 paidEpoch;
        uint16 epoch;
        uint8 gifts;
    }

    /// @dev Entries of a ticket that is good for more than one, and the day of the last.
    struct Entries {
        uint8 count;
        uint32 day;
    }

    /// @dev Who returned a ticket to the pool, and what it had cost this seller.
    struct PoolEntry {
        address seller;
        uint40 paid;
    }

    /// @dev A dispute over a ticket's payment freezes it once, and only its own end lifts the freeze.
    enum Dispute {
        None,
        Open,
        Closed
    }

    struct WalletOwner {
        address account;
        uint40 since;
    }

    uint8 private constant GIFTS_UNKNOWN = 7;

    mapping(uint64 id => Slot) internal _tickets;
    mapping(address owner => uint256 count) internal _balances;

    /// @dev Set by the constructor and never changed; the deployment's transaction has it.
    string internal _baseURI;

    /// @dev Only of events with a holder limit.
    mapping(uint40 eventId => mapping(address holder => uint256 count)) internal _holdings;
    mapping(uint64 id => Mark) internal _marks;
    mapping(uint64 id => Entries) internal _entries;
    mapping(uint64 id => PoolEntry) internal _pool;
    mapping(uint64 id => Reissue) internal _reissues;
    mapping(uint64 id => mapping(uint16 epoch => bytes32)) internal _identities;
    mapping(address wallet => WalletOwner) internal _walletOwners;
    mapping(uint64 id => mapping(bytes16 ref => Dispute)) internal _disputes;

    // ------------------------------------------------------------------------------------------------ reading

    /// @dev ERC-721 owner; zero for a ticket in stock or void.
    function _ownerOf(TicketWord word) internal view returns (address) {
        return word.isCustodied() ? address(this) : word.holder();
    }

    function _issuedWord(uint64 id) internal view returns (TicketWord) {
        if (!_isIssued(id)) revert Ledger_NoSuchTicket(id);
        return _tickets[id].word;
    }

    /// @dev The epoch after the last paid move of a held ticket: its epoch less the gifts since, if nothing else counted. After something
    /// else did, `_mark` kept how things stood; that holds until the next paid move, which alone makes epoch and gifts grow apart
    /// again. The gift counter stops at 7: from there on nobody can tell, and the answer is 0.
    function _paidEpochOfWord(uint64 id, TicketWord word) internal view returns (uint16) {
        uint256 gifts = word.gifts();
        Mark memory mark = _marks[id];
        if (gifts == GIFTS_UNKNOWN) return 0;
        if (mark.epoch != 0 && word.epoch() + uint256(mark.gifts) == mark.epoch + gifts) return mark.paidEpoch;
        return uint16(word.epoch() - gifts);
    }

    // ------------------------------------------------------------------------------------------------ changing

    /// @dev Moves one ticket: writes its word, balances and `Transfer`.
    function _move(uint64 id, TicketWord word, TicketWord next, PolicyWord policy) internal {
        _changeCustody(_moveInBulk(_tickets[id], id, word, next, policy.holderLimit() > 0));
    }

    /// @dev As `_move`, for an epoch that counts neither as a gift nor as a purchase.
    function _moveUncounted(uint64 id, TicketWord word, TicketWord next) internal {
        _mark(id, _paidEpochOfWord(id, word), next);
        _move(id, word, next, _policies[TicketId.eventOf(id)]);
    }

    function _mark(uint64 id, uint16 paidEpoch, TicketWord next) internal {
        _marks[id] = Mark(paidEpoch, next.epoch(), next.gifts());
    }

    /// @dev Moves a ticket, all but the ledger's own balance, which a bulk call changes once for all lines by the sum of the results.
    /// @param limited whether the event counts what its holders hold
    /// @return custody tickets more in the ledger's custody: -1, 0 or 1
    function _moveInBulk(Slot storage slot, uint64 id, TicketWord word, TicketWord next, bool limited)
        internal
        returns (int256 custody)
    {
        slot.word = next;
        if (limited) _changeHoldings(TicketId.eventOf(id), word.holder(), next.holder());
        if (word.isCustodied() && next.isCustodied()) return 0; // the owner stays the ledger
        address from = _ownerOf(word);
        address to = _ownerOf(next);
        if (from == to) return 0;
        if (from == address(this)) custody = -1;
        else if (from != address(0)) --_balances[from];
        if (to == address(this)) custody = 1;
        else if (to != address(0)) ++_balances[to];
        emit IERC721.Transfer(from, to, id);
    }

    function _changeCustody(int256 custody) internal {
        if (custody > 0) _balances[address(this)] += uint256(custody);
        else if (custody < 0) _balances[address(this)] -= uint256(-custody);
    }

    function _changeHoldings(uint40 eventId, address from, address to) private {
        if (from == to) return;
        if (from != address(0)) _holdings[eventId][from] -= 1;
        if (to != address(0)) _holdings[eventId][to] += 1;
    }
}
