// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Payment} from "../types/Lines.sol";
import {PolicyWord} from "../types/PolicyWord.sol";
import {ILedgerTypes} from "./ILedgerTypes.sol";

/// @title ITicketOffice: organizers and money
/// @notice Carried out by `TicketOffice` in the ledger's name.
interface ITicketOffice is ILedgerTypes {
    // ------------------------------------------------------------------------------------------------ administration

    /// @notice Sets the roles of an account: of the ledger (event 0, by an admin) or of one event (by its organizer). A relayer acting
    /// for the organizer can appoint gates, but neither appoint nor remove an organizer.
    /// @dev Bits: ADMIN 1, RELAYER 2, ATTESTOR 4 (event 0); ORGANIZER 8, GATE 16 (one event). Reverts with Ledger_BadRoles,
    /// Ledger_UnknownEvent, Ledger_Unauthorized.
    /// @param eventId 0 for the ledger, else the event
    /// @param account whose roles
    /// @param roles all its roles in this scope from now on
    function setRoles(uint40 eventId, address account, uint8 roles) external;

    /// @notice Allows contract wallets with this code as holders (ERC-1271 account implementations); by an admin.
    /// @dev Reverts with Ledger_Unauthorized.
    /// @param codeHash `account.codehash` of the wallets
    /// @param allowed or no longer; tickets they hold stay theirs
    function allowAccountCode(bytes32 codeHash, bool allowed) external;

    /// @notice Allows an ERC-20 as settlement token of new events; by an admin.
    /// @dev Tokens that rebase or take fees must not be allowed; a fee makes `buyResale` revert. Reverts with Ledger_Unauthorized.
    /// @param token the ERC-20
    /// @param allowed or no longer; events that have it keep it
    function allowToken(address token, bool allowed) external;

    // ------------------------------------------------------------------------------------------------ organizer

    /// @notice Creates an event. By the organizer itself, or by a relayer for it: then relayers may act for it until the organizer ends
    /// the delegation.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_RefusedAccount, Ledger_BadTerms, Ledger_BadPayees, Ledger_BadSchedule.
    /// @param organizer gets the role ORGANIZER
    /// @param ref the caller's own id of the event, found again in `EventCreated`
    /// @param terms what never changes
    /// @param schedule what may change
    /// @return eventId counted from 1
    function createEvent(address organizer, bytes32 ref, Terms calldata terms, Schedule calldata schedule)
        external
        returns (uint40 eventId);

    /// @notice Changes the schedule; by the organizer. Once moves are closed only `doorsAt` can change, and `releaseAt`
    /// only moves later.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_BadSchedule, Ledger_ScheduleFixed,
    /// Ledger_Cancelled.
    /// @param eventId the event
    /// @param schedule all times from now on
    /// @param reason told to the public, not empty
    function setSchedule(uint40 eventId, Schedule calldata schedule, string calldata reason) external;

    /// @notice Stops sales and resales; withdrawing, gifts, refunds and redemption go on. By the organizer.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_BadSchedule("reason"), Ledger_WrongStatus unless the event is live.
    /// @param eventId the event
    /// @param reason told to the public
    function pause(uint40 eventId, string calldata reason) external;

    /// @notice Lets sales and resales go on; by the organizer.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_BadSchedule("reason"), Ledger_WrongStatus unless the event is paused.
    /// @param eventId the event
    /// @param reason told to the public
    function resume(uint40 eventId, string calldata reason) external;

    /// @notice Cancels the event for good: from now on its tickets can only be refunded; by the organizer. Impossible once the escrow was
    /// released.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_BadSchedule("reason"), Ledger_WrongStatus, Ledger_EscrowReleased.
    /// @param eventId the event
    /// @param reason told to the public
    function cancel(uint40 eventId, string calldata reason) external;

    /// @notice Lets relayers act as organizer and gate of this event, or ends it; by the organizer only.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized.
    /// @param eventId the event
    /// @param delegated whether relayers may act
    function setDelegation(uint40 eventId, bool delegated) external;

    /// @notice Registers the public key (Ed25519, RFC 8032) that signs entry leases of the event; by the organizer.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized.
    /// @param eventId the event
    /// @param keyId place of the key
    /// @param key 32 bytes of public key
    /// @param validUntil last second its leases are good for; 0 revokes it
    function setEntryKey(uint40 eventId, uint8 keyId, bytes32 key, uint40 validUntil) external;

    // ------------------------------------------------------------------------------------------------ money

    /// @notice Buys a ticket from stock in the event's ERC-20, at face price and by a voucher of the shop; the caller becomes holder and owner.
    /// Price * 10 ** unitExponent tokens are drawn from the caller into the event's escrow.
    /// @dev Reverts with Ledger_BadAttestation, Ledger_Expired, Ledger_WrongRail, Ledger_NotOnSale, Ledger_NoSuchTicket, Ledger_Voided,
    /// Ledger_NotInStock, Ledger_StaleEpoch, Ledger_LastEpoch, Ledger_WrongPrice, Ledger_RefusedAccount, Ledger_HolderLimit,
    /// Ledger_WrongTokenAmount and those of the token.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param price the face price, minor units
    /// @param ref the service's own id of the order
    /// @param expiry last second of the voucher
    /// @param voucher EIP-712 `Voucher(uint64 id,uint16 epoch,uint40 price,address buyer,bytes16 reference,uint40 expiry)` of an attestor; buyer
    /// is the caller
    function buy(uint64 id, uint16 epoch, uint40 price, bytes16 ref, uint40 expiry, bytes calldata voucher) external;

    /// @notice Makes the escrow the organizer's credit, from the schedule's `releaseAt` on; anyone may call it.
    /// @dev Does nothing while the escrow is empty. Reverts with Ledger_UnknownEvent, Ledger_WrongRail, Ledger_EscrowLocked.
    /// @param eventId the event
    function releaseEscrow(uint40 eventId) external;

    /// @notice Refunds tickets of a cancelled event, without consent; anyone may call it. Fiat rail: what was paid last, at most the face price;
    /// token rail: the face price, if it was bought for tokens.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_WrongStatus, Ledger_OtherEvent. Lines are skipped with Ledger_NoSuchTicket, Ledger_NotHeld,
    /// Ledger_Voided, Ledger_Stopped (frozen: its payment is disputed), Ledger_AlreadyRedeemed (used, and nothing is owed).
    /// @param eventId event of all tickets
    /// @param ids the tickets
    /// @return problems as of `redeem`
    function refundCancelled(uint40 eventId, uint64[] calldata ids) external returns (bytes[] memory problems);

    /// @notice Records refunds that the provider paid; relayer with the attestor's signature. Fiat rail.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_UnknownEvent, Ledger_BadAttestation (also for a call repeated, and one that pays nothing),
    /// Ledger_OverPaid.
    /// @param eventId the event
    /// @param lines reference and amount of each refund
    /// @param attestation EIP-712 `RefundsPaid(uint40 eventId,uint128 paidBefore,bytes32 lines)` with the total paid before and lines =
    /// keccak256(line0 ++ line1 ...)
    function recordRefundsPaid(uint40 eventId, Payment[] calldata lines, bytes calldata attestation) external;

    /// @notice Splits the event's royalties among its payees; the last one takes the remainder. Anyone may call it.
    /// Fiat rail: the parts in minor units are recorded as due. Token rail: they become credits in token units.
    /// @dev Does nothing while the pot is empty. Reverts with Ledger_UnknownEvent, Ledger_BadPayees.
    /// @param eventId the event
    /// @param payees the list of its terms
    function release(uint40 eventId, Payee[] calldata payees) external;

    /// @notice Pays out the caller's credit in `token`.
    /// @dev Reverts with Ledger_NoCredit and the errors of the token.
    /// @param token the ERC-20
    function claim(address token) external;

    /// @notice Pays out an account's credit to `to`, with the account's consent: for custodied accounts, which send no transactions.
    /// @dev Reverts with Ledger_NoCredit, Ledger_BadSignature, Ledger_RefusedAccount and the errors of the token.
    /// @param account whose credit
    /// @param token the ERC-20
    /// @param to who gets it
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Claim(address account,address token,address to,uint256 nonce,uint40 deadline)` by the account's key, with
    /// `claimNonceOf` it
    function claimFor(address account, address token, address to, uint40 deadline, bytes calldata consent) external;

    // ------------------------------------------------------------------------------------------------ views

    /// @notice Batches issued so far.
    /// @param eventId the event
    /// @return count zero also for an unknown event
    function batchesOf(uint40 eventId) external view returns (uint256 count);

    /// @notice The organizer for whom the event was created; who acts for it now is in `rolesOf`.
    /// @param eventId the event
    /// @return organizer zero for an unknown event
    function organizerOf(uint40 eventId) external view returns (address organizer);

    /// @notice The event's schedule.
    /// @param eventId the event
    /// @return schedule all zero for an unknown event
    function scheduleOf(uint40 eventId) external view returns (Schedule memory schedule);

    /// @notice The terms of the event that moves do not read.
    /// @param eventId the event
    /// @return currency ISO 4217 code
    /// @return token ERC-20 of the token rail; zero on the fiat rail
    /// @return payeesHash keccak256(abi.encode(payees))
    /// @return refundRule hash of the refund rule told to buyers
    function moneyTermsOf(uint40 eventId)
        external
        view
        returns (bytes3 currency, address token, bytes32 payeesHash, bytes32 refundRule);

    /// @notice Whether relayers act for the organizer.
    /// @param eventId the event
    /// @return delegated false also for an unknown event
    function isDelegated(uint40 eventId) external view returns (bool delegated);

    /// @notice Committed and issued tickets of a supply class.
    /// @dev Reverts with Ledger_BadTerms for any other class.
    /// @param eventId the event
    /// @param supplyClass 0 public, 1 held, 2 sponsor, 3 complimentary
    /// @return committed most there will ever be
    /// @return issued so far
    function suppliesOf(uint40 eventId, uint8 supplyClass) external view returns (uint24 committed, uint24 issued);

    /// @notice The event's policy word as stored; zero for an unknown event.
    /// @param eventId the event
    /// @return word see `PolicyWord`
    function policyWordOf(uint40 eventId) external view returns (PolicyWord word);

    /// @notice Terms that only some events have.
    /// @param eventId the event
    /// @return giftRoot root of the accounts that gifts may go to; zero: anyone
    /// @return entries as in the terms
    function specialTermsOf(uint40 eventId) external view returns (bytes32 giftRoot, uint8 entries);

    /// @notice Tickets of the event that an account holds; counted only if the terms have a holder limit.
    /// @param eventId the event
    /// @param account whose
    /// @return count tickets
    function holdingOf(uint40 eventId, address account) external view returns (uint256 count);

    /// @notice The escrow of the token rail.
    /// @param eventId the event
    /// @return amount token units
    /// @return releaseAt first second at which it may be released
    /// @return released it was, once
    function escrowOf(uint40 eventId) external view returns (uint256 amount, uint32 releaseAt, bool released);

    /// @notice Refunds of the fiat rail, minor units.
    /// @param eventId the event
    /// @return due all that was ever owed
    /// @return paid all that was ever paid
    function refundsOf(uint40 eventId) external view returns (uint128 due, uint128 paid);

    /// @notice Claims made for an account so far, which its next consent must name.
    /// @param account whose
    /// @return nonce as in `Claim`
    function claimNonceOf(address account) external view returns (uint256 nonce);

    /// @notice Royalties since the last release, in minor units (fiat rail) or token units (token rail).
    /// @param eventId the event
    /// @return amount the pot
    function potOf(uint40 eventId) external view returns (uint256 amount);

    /// @notice What an account may claim.
    /// @param account whose
    /// @param token the ERC-20
    /// @return amount token units
    function creditOf(address account, address token) external view returns (uint256 amount);

    /// @notice Roles of an account.
    /// @param eventId 0 for the ledger, else the event
    /// @param account whose
    /// @return roles see `setRoles`
    function rolesOf(uint40 eventId, address account) external view returns (uint8 roles);

    /// @notice A public key that signs entry leases.
    /// @param eventId the event
    /// @param keyId place of the key
    /// @return key 32 bytes of public key
    /// @return validUntil last second its leases are good for; 0: no such key, or revoked
    function entryKeyOf(uint40 eventId, uint8 keyId) external view returns (bytes32 key, uint40 validUntil);
}
