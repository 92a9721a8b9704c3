// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BatchWord} from "../types/BatchWord.sol";
import {Redemption} from "../types/Lines.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {ILedgerTypes} from "./ILedgerTypes.sol";

/// @title ITicketMoves: a ticket's usual life, from issue to redemption
/// @notice Carried out by `TicketLedger` itself.
interface ITicketMoves is ILedgerTypes {
    // ------------------------------------------------------------------------------------------------ movers

    /// @notice Issues a batch at the same cost for 1 or 65,535 tickets: nothing is stored for a ticket before it is sold. By the organizer.
    /// @dev An event has at most 255 batches. Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_WrongBatchNumber,
    /// Ledger_TooManyBatches, Ledger_BadTerms, Ledger_OverSupply.
    /// @param eventId the event
    /// @param number must be the event's next batch number, so that a repeated call is refused
    /// @param batch the tickets
    /// @param manifest sha2-256 of the batch's manifest, one raw IPFS block
    /// @return firstId id of index 0; ids run up to firstId + supply - 1
    function issue(uint40 eventId, uint8 number, Batch calldata batch, bytes32 manifest)
        external
        returns (uint64 firstId);

    /// @notice Hands sold tickets from stock to their buyers. By a relayer, with the attestor's signature over all lines. Also possible
    /// after moves have closed. On the token rail only complimentary tickets (price 0) are delivered.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_UnknownEvent, Ledger_BadAttestation. Lines are skipped with Ledger_OtherEvent,
    /// Ledger_NoSuchTicket, Ledger_BadLine, Ledger_Voided, Ledger_NotInStock, Ledger_StaleEpoch, Ledger_LastEpoch, Ledger_WrongRail,
    /// Ledger_RefusedAccount, Ledger_NotOnSale, Ledger_HolderLimit, Ledger_WrongPrice.
    /// @param eventId event of all lines
    /// @param lines what was sold
    /// @param attestation EIP-712 `Deliveries(uint40 eventId,bytes32 lines)` with lines = keccak256(target0 ++ payment0 ++ target1 ...)
    /// @return problems empty if every line was applied; else one entry a line: empty, or the encoded error for which it was skipped
    function deliver(uint40 eventId, Delivery[] calldata lines, bytes calldata attestation)
        external
        returns (bytes[] memory problems);

    /// @notice Gives a held ticket away under the event's gift rules, with the holder's consent; anyone may send it.
    /// @dev Reverts with Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed, Ledger_Stopped, Ledger_StaleEpoch,
    /// Ledger_LastEpoch, Ledger_MovesClosed, Ledger_Cooldown, Ledger_GiftsClosed, Ledger_GiftLimit, Ledger_RefusedAccount, Ledger_HolderLimit,
    /// Ledger_NotListed, Ledger_Cancelled, Ledger_Expired,
    /// Ledger_BadConsent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param to new holder
    /// @param custodied whether the new holder's key is kept by the service
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)` of the holder
    function gift(uint64 id, uint16 epoch, address to, bool custodied, uint40 deadline, bytes calldata consent) external;

    /// @notice Settles resales that were paid in fiat money: seller's consent each, attestor's signature over all lines. By a relayer.
    /// @dev Royalty of a line = min(price, max(price, face) * royaltyBps / 10,000), added to the event's pot. Each check
    /// of a consent by a contract wallet gets at most 100,000 gas. Reverts with Ledger_Unauthorized, Ledger_UnknownEvent, Ledger_WrongRail, Ledger_BadAttestation.
    /// Lines are skipped with the errors of `checkOffer`, Ledger_OtherEvent, Ledger_HolderLimit, Ledger_Expired, Ledger_RefusedAccount, Ledger_BadConsent.
    /// @param eventId event of all lines
    /// @param lines what was resold
    /// @param consents for each line in turn (the call reverts, without a reason, if there are fewer) the length of a signature, uint16, and the signature: EIP-712 `Offer(uint64 id,uint16 epoch,uint40
    /// price,bytes3 currency,address token,address buyer,uint40 deadline)` of the seller, with token zero, the line's deadline, and as buyer
    /// the line's holder if the line is bound, else zero (anyone)
    /// @param attestation EIP-712 `Settlements(uint40 eventId,bytes32 lines)`, lines as in `deliver`
    /// @return problems empty if every line was applied; else one entry a line: empty, or the encoded error for which it was skipped
    function settleResales(
        uint40 eventId,
        Delivery[] calldata lines,
        bytes calldata consents,
        bytes calldata attestation
    ) external returns (bytes[] memory problems);

    /// @notice Buys an offered ticket in the event's ERC-20; the caller becomes holder and owner. Price * 10 ** unitExponent tokens are
    /// drawn from the caller; the seller's share becomes a credit. The seller approves nothing.
    /// @dev Reverts with the errors of `checkOffer`, Ledger_WrongRail, Ledger_Expired, Ledger_RefusedAccount, Ledger_HolderLimit, Ledger_BadConsent,
    /// Ledger_WrongTokenAmount and those of the token.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param price minor units
    /// @param buyer the buyer named in the offer: zero (anyone) or the caller
    /// @param deadline last second of the offer
    /// @param consent EIP-712 `Offer` of the holder, with the event's currency and token
    function buyResale(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 deadline, bytes calldata consent)
        external;

    /// @notice Marks tickets as used, each once (or, if the terms say so, counted or once a day), naming the epoch seen at the gate; by a gate of the event.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_Cancelled. Lines are skipped with Ledger_NoSuchTicket, Ledger_NotHeld,
    /// Ledger_Voided, Ledger_AlreadyRedeemed (also the second of two equal lines), Ledger_StaleEpoch, Ledger_NoEntryLeft.
    /// @param eventId event of all lines
    /// @param lines what was used
    /// @return problems empty if every line was applied; else one entry a line: empty, or the encoded error for which it was skipped
    function redeem(uint40 eventId, Redemption[] calldata lines) external returns (bytes[] memory problems);

    // ------------------------------------------------------------------------------------------------ views

    /// @notice The person the ticket belongs to; zero while it is in stock or void.
    /// @dev Reverts with Ledger_NoSuchTicket.
    /// @param id the ticket
    /// @return holder its holder
    function holderOf(uint64 id) external view returns (address holder);

    /// @notice The ticket, unpacked.
    /// @dev Reverts with Ledger_NoSuchTicket.
    /// @param id the ticket
    /// @return ticket all that is stored of it
    function ticketOf(uint64 id) external view returns (Ticket memory ticket);

    /// @notice The ticket's word as stored; zero if it was never sold or does not exist.
    /// @param id the ticket
    /// @return word see `TicketWord`
    function ticketWordOf(uint64 id) external view returns (TicketWord word);

    /// @notice The batch's word as stored; zero if there is no such batch.
    /// @param eventId the event
    /// @param number the batch
    /// @return word see `BatchWord`
    function batchOf(uint40 eventId, uint8 number) external view returns (BatchWord word);

    /// @notice Highest resale price of a ticket, minor units: face * capBps / 10,000, rounded down, and no more than 2^40 - 1,
    /// nor, if the terms say so, than what its holder paid.
    /// @dev Reverts with Ledger_NoSuchTicket.
    /// @param id the ticket
    /// @return cap the highest price
    function capOf(uint64 id) external view returns (uint40 cap);

    /// @notice Why an offer of this ticket would be refused now (encoded error), or empty. The rules are those of the resale itself, except
    /// those on the buyer, the deadline and the consent.
    /// @dev Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed, Ledger_Stopped, Ledger_StaleEpoch,
    /// Ledger_LastEpoch, Ledger_MovesClosed, Ledger_Cooldown, Ledger_ResaleClosed, Ledger_OverCap, Ledger_Cancelled,
    /// Ledger_NotOnSale.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param price minor units
    /// @return problem encoded error, or empty
    function checkOffer(uint64 id, uint16 epoch, uint40 price) external view returns (bytes memory problem);

    /// @notice Why a gift to `to`, an own wallet, would be refused now (encoded error), or empty. The rules are those of `gift`, except
    /// those on the deadline and the consent, and so are its errors.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param to new holder
    /// @return problem encoded error, or empty
    function checkGift(uint64 id, uint16 epoch, address to) external view returns (bytes memory problem);

    /// @notice Whether ERC-721 transfers of the ticket are refused as it stands: it is custodied, used, activated or frozen, or its event's moves
    /// are closed (ERC-5192). Gift rules and cool-down may still refuse one that is not locked.
    /// @dev `Locked` and `Unlocked` tell of activating and freezing; custody shows in `Transfer`, use in `Redeemed`, and time in the
    /// schedule: an event each would cost every delivery 1,000 gas. Reverts with ERC721NonexistentToken.
    /// @param tokenId the ticket
    /// @return whether it is locked
    function locked(uint256 tokenId) external view returns (bool);

    /// @notice The ticket's status in the words of ERC-7439.
    /// @dev Reverts with Ledger_NoSuchTicket. There is no `setTokenStatus`: the status follows from what was done.
    /// @param tokenId the ticket
    /// @return signature always empty
    /// @return status Resell: in stock after a refund or in the pool; Void and Redeemed as they say; else Sold
    /// @return expireTime second from which the ticket can't move
    function getTokenStatus(uint256 tokenId)
        external
        view
        returns (bytes32 signature, TokenStatus status, uint256 expireTime);
}
