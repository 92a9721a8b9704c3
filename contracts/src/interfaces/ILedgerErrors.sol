// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title ILedgerErrors: every error of the ledger
/// @notice Single calls revert with them; bulk calls put the encoded error of a bad line into `Skipped` and go on. The ERC-721 face has
/// the errors of ERC-6093 beside these.
interface ILedgerErrors {
    // ------------------------------------------------------------------------------------------------ who

    /// @notice The caller lacks `role` (of the ledger: event 0) and no delegation stands in for it.
    error Ledger_Unauthorized(uint40 eventId, uint8 role, address caller);

    /// @notice These roles can't be given in this scope: admin, relayer, attestor belong to event 0, organizer and gate to one event.
    error Ledger_BadRoles(uint40 eventId, uint8 roles);

    /// @notice The attestation is not a signature of an attestor over exactly these lines.
    error Ledger_BadAttestation();

    /// @notice The consent is not the holder's signature over exactly this move.
    error Ledger_BadConsent(uint64 id, address holder);

    /// @notice The consent's deadline has passed.
    error Ledger_Expired(uint64 id, uint40 deadline);

    /// @notice The account can't take part: zero, the ledger, seller and buyer in one, not the buyer named in the offer, or code that is
    /// neither an EIP-7702 delegation nor an allowed account implementation.
    error Ledger_RefusedAccount(address account);

    // ------------------------------------------------------------------------------------------------ events and terms

    /// @notice There is no such event.
    error Ledger_UnknownEvent(uint40 eventId);

    /// @notice This field of the terms or of a batch is out of range.
    error Ledger_BadTerms(bytes32 field);

    /// @notice The payees do not sum to 10,000 basis points, one is zero or the ledger, there are too many, or the list is not the event's.
    error Ledger_BadPayees();

    /// @notice This field of the schedule contradicts another, or the reason is missing.
    error Ledger_BadSchedule(bytes32 field);

    /// @notice Moves are closed for good since then: only the doors may still change.
    error Ledger_ScheduleFixed(uint40 eventId, uint32 since);

    /// @notice The batch is not the event's next one; the call may be a repeated one.
    error Ledger_WrongBatchNumber(uint40 eventId, uint8 given, uint8 expected);

    /// @notice The event has 255 batches already.
    error Ledger_TooManyBatches(uint40 eventId);

    /// @notice The class has no room for so many tickets.
    error Ledger_OverSupply(uint40 eventId, uint8 supplyClass, uint24 left);

    /// @notice The event does not sell: it is paused (2) or cancelled (3).
    error Ledger_NotOnSale(uint40 eventId, uint8 status);

    /// @notice The event has another status than this call needs.
    error Ledger_WrongStatus(uint40 eventId, uint8 status);

    /// @notice The event was cancelled: its tickets are refunded, nothing else.
    error Ledger_Cancelled(uint40 eventId);

    /// @notice The event's terms do not provide for this.
    error Ledger_NotInTerms(uint40 eventId);

    // ------------------------------------------------------------------------------------------------ state of a ticket

    /// @notice No batch of the ledger has this ticket.
    error Ledger_NoSuchTicket(uint64 id);

    /// @notice The ticket belongs to another event than the call.
    error Ledger_OtherEvent(uint64 id, uint40 eventId);

    /// @notice The ticket is sold already.
    error Ledger_NotInStock(uint64 id);

    /// @notice The ticket is in stock: nobody holds it.
    error Ledger_NotHeld(uint64 id);

    /// @notice The ticket is dead.
    error Ledger_Voided(uint64 id);

    /// @notice The ticket was used.
    error Ledger_AlreadyRedeemed(uint64 id);

    /// @notice This dispute has frozen the ticket before.
    error Ledger_ReferenceUsed(uint64 id, bytes16 ref);

    /// @notice The holder has committed to an identity at this epoch already.
    error Ledger_AlreadyCommitted(uint64 id, uint16 epoch);

    /// @notice The ticket is activated or frozen.
    error Ledger_Stopped(uint64 id, uint8 flags);

    /// @notice The ticket moved, or was revoked, since the caller looked.
    error Ledger_StaleEpoch(uint64 id, uint16 given, uint16 current);

    /// @notice The ticket used up its 65,535 epochs.
    error Ledger_LastEpoch(uint64 id);

    /// @notice The ticket is not custodied, or is, and this call is for the other kind.
    error Ledger_WrongCustody(uint64 id);

    /// @notice The ticket is not frozen (by this dispute), so it can't be unfrozen, nor be voided after it was given away.
    error Ledger_NotFrozen(uint64 id);

    /// @notice The ticket was last paid for at another epoch than the disputed payment's; 0: at an unknown one (more than 6 gifts).
    error Ledger_OtherPayment(uint64 id, uint16 paidEpoch);

    /// @notice No reissue of the ticket was announced at its epoch.
    error Ledger_NotAnnounced(uint64 id);

    /// @notice The holder still has time to veto the reissue.
    error Ledger_TooEarly(uint64 id, uint40 readyAt);

    // ------------------------------------------------------------------------------------------------ rules of the event

    /// @notice No held ticket of the event moves any more.
    error Ledger_MovesClosed(uint64 id, uint32 since);

    /// @notice The time of gifts is over.
    error Ledger_GiftsClosed(uint64 id, uint32 since);

    /// @notice It is not the time of resales.
    error Ledger_ResaleClosed(uint64 id, uint32 opensAt, uint32 closesAt);

    /// @notice The ticket moved a moment ago.
    error Ledger_Cooldown(uint64 id, uint40 until);

    /// @notice The ticket was given away as often as the terms allow.
    error Ledger_GiftLimit(uint64 id, uint8 limit);

    /// @notice The event's gifts go to listed accounts only; this one is not proven to be among them.
    error Ledger_NotListed(address account);

    /// @notice The account holds as many tickets of the event as the terms allow.
    error Ledger_HolderLimit(address account, uint8 limit);

    /// @notice The ticket's entries are used up; today's, if it is good for one a day.
    error Ledger_NoEntryLeft(uint64 id, uint8 entries);

    /// @notice The two tickets differ in face price, so that a swap would be a sale.
    error Ledger_UnequalFace(uint64 id, uint40 face, uint40 otherFace);

    /// @notice The two events differ in organizer or currency.
    error Ledger_OtherOrganizer(uint40 eventId, uint40 otherEventId);

    /// @notice The difference is not new face - old face.
    error Ledger_WrongDifference(uint64 id, int48 difference, int48 expected);

    /// @notice A ticket in stock is not sold over its face price, on the token rail at nothing else; one in the pool at what its seller asks.
    error Ledger_WrongPrice(uint64 id, uint40 price, uint40 expected);

    /// @notice The line of a sale from stock says something of an offer, as a price over 40 bits would.
    error Ledger_BadLine(uint64 id);

    /// @notice The price is over the cap.
    error Ledger_OverCap(uint64 id, uint40 price, uint40 cap);

    /// @notice The refund is more than the holder paid, or than the face price: what was paid over it went to the seller.
    error Ledger_OverRefund(uint64 id, uint40 amount, uint40 most);

    // ------------------------------------------------------------------------------------------------ money

    /// @notice The event settles on the other rail.
    error Ledger_WrongRail(uint40 eventId);

    /// @notice The token delivered another amount than it was asked for (fee on transfer).
    error Ledger_WrongTokenAmount(address token, uint256 received, uint256 expected);

    /// @notice The account has no credit in this token.
    error Ledger_NoCredit(address account, address token);

    /// @notice The escrow can't be released before then, nor of a cancelled event (0).
    error Ledger_EscrowLocked(uint40 eventId, uint40 releaseAt);

    /// @notice The escrow was released: the event can't be cancelled any more.
    error Ledger_EscrowReleased(uint40 eventId);

    /// @notice More refunds paid than due.
    error Ledger_OverPaid(uint40 eventId, uint128 paid, uint128 due);

    /// @notice The wallet is registered already, for this account.
    error Ledger_WalletTaken(address wallet, address account);

    /// @notice The signature is not this account's, or is too old.
    error Ledger_BadSignature(address account);

    /// @notice Approvals do not exist here: an approved market would be a way round the cap.
    error Ledger_ApprovalsDisabled();
}
