// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BatchWord} from "../types/BatchWord.sol";
import {DeliveryTarget, Payment, Redemption} from "../types/Lines.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {ILedgerErrors} from "./ILedgerErrors.sol";

/// @title ITicketLedger: every ticket, every move, every redemption
/// @notice One immutable ledger for all organizers and events. A ticket is in stock, held, redeemed or void. Its *holder* is the fan it
/// belongs to; its ERC-721 *owner* is the ledger itself while the holder's key is custodied, else the holder. Its *epoch* counts moves and
/// revocations. Amounts are all-in prices in minor currency units; rates are basis points; times are Unix seconds.
/// @dev Ticket id = event 40 bits | batch 8 bits | index 16 bits. Bulk calls never revert for one bad line: they emit `Skipped` and return the
/// encoded error of each line (empty bytes: the line was applied; an empty list: all lines were). The events alone rebuild the whole state; each says what it changes.
interface ITicketLedger is ILedgerErrors {
    // ------------------------------------------------------------------------------------------------ types

    /// @notice One receiver of an event's royalties. The shares of all payees sum to 10,000 basis points.
    /// @param account receiver: not zero, not the ledger
    /// @param bps its share, basis points
    struct Payee {
        address account;
        uint16 bps;
    }

    /// @notice What can never change after the event was created.
    /// @param currency ISO 4217 code of all amounts of the event, e.g. "EUR"
    /// @param capBps highest resale price, in basis points of the face price (on the token rail at most 10,000)
    /// @param royaltyBps royalty, in basis points of the larger of price and face price
    /// @param giftLimit gifts of a ticket since it was last bought; 7 = unlimited
    /// @param cooldown seconds a holder waits after a move before the next
    /// @param token ERC-20 that settles resales; zero on the fiat rail
    /// @param unitExponent token units of a minor unit = 10 ** unitExponent, at most 24; not looked at on the fiat rail
    /// @param refundRule hash of the refund rule told to buyers
    /// @param payees receivers of the royalties, 1 to 32; only their hash is stored
    struct Terms {
        bytes3 currency;
        uint16 capBps;
        uint16 royaltyBps;
        uint8 giftLimit;
        uint24 cooldown;
        address token;
        uint8 unitExponent;
        bytes32 refundRule;
        Payee[] payees;
    }

    /// @notice What may change, each time with a reason in an event.
    /// @param doorsAt doors open; may change at any time
    /// @param movesCloseAt from this second on no held ticket moves, ever again, and entry codes may be issued; a time in the past or
    /// now closes moves at once
    /// @param giftsCloseAt last second of gifts, at most `movesCloseAt`
    /// @param resaleOpensAt first second of resales, at most `resaleClosesAt`
    /// @param resaleClosesAt last second of resales, at most `movesCloseAt`
    struct Schedule {
        uint32 doorsAt;
        uint32 movesCloseAt;
        uint32 giftsCloseAt;
        uint32 resaleOpensAt;
        uint32 resaleClosesAt;
    }

    /// @notice Seats of one section, price class and supply class of an event, issued together.
    /// @param supply number of tickets, 1 to 65,535
    /// @param priceClass what they cost, as a code of the organizer
    /// @param supplyClass whom they are for (public, held, sponsor, complimentary), as a code of the organizer
    /// @param section section of the venue, as a code of the organizer
    /// @param face all-in face price of each, minor units
    struct Batch {
        uint16 supply;
        uint16 priceClass;
        uint8 supplyClass;
        uint32 section;
        uint40 face;
    }

    /// @notice One ticket sold for money: who gets which ticket at which epoch, and what was paid under which reference.
    /// @param target new holder, ticket, epoch before, custody
    /// @param payment price and the service's reference
    struct Delivery {
        DeliveryTarget target;
        Payment payment;
    }

    /// @notice One resale paid in fiat money, with the seller's signed offer.
    /// @param target new holder, ticket, epoch before, custody
    /// @param payment price and the service's reference
    /// @param deadline of the seller's offer
    /// @param consent the seller's signature over `Offer`, open (buyer zero) or to this buyer
    struct Settlement {
        DeliveryTarget target;
        Payment payment;
        uint40 deadline;
        bytes consent;
    }

    /// @notice A ticket as anyone may read it.
    /// @param holder fan it belongs to; zero in stock or void
    /// @param custodied the holder's key is kept by the service
    /// @param redeemed it was used
    /// @param voided it is dead
    /// @param gifts gifts since it was last bought, at most 7
    /// @param epoch moves and revocations so far
    /// @param since time of the last move
    /// @param price minor units paid at the last purchase
    struct Ticket {
        address holder;
        bool custodied;
        bool redeemed;
        bool voided;
        uint8 gifts;
        uint16 epoch;
        uint32 since;
        uint40 price;
    }

    // ------------------------------------------------------------------------------------------------ events

    /// @notice All roles of the account in this scope (event 0: the ledger's) are now these.
    event RolesSet(uint40 indexed eventId, address indexed account, uint8 roles);

    /// @notice Contract wallets with this code may hold tickets, or no longer get any.
    event AccountCodeAllowed(bytes32 indexed codeHash, bool allowed);

    /// @notice New events may settle in this token, or no longer.
    event TokenAllowed(address indexed token, bool allowed);

    /// @notice An event exists from now on. `RolesSet` and `DelegationChanged` follow it.
    event EventCreated(
        uint40 indexed eventId, address indexed organizer, bytes32 indexed ref, Terms terms, Schedule schedule
    );

    /// @notice The event's schedule is now this one.
    event ScheduleChanged(uint40 indexed eventId, Schedule schedule, string reason);

    /// @notice Relayers act for the organizer from now on, or no longer.
    event DelegationChanged(uint40 indexed eventId, bool delegated);

    /// @notice This key signs entry leases of the event until then; 0: no longer.
    event EntryKeySet(uint40 indexed eventId, uint8 indexed keyId, bytes32 key, uint40 validUntil);

    /// @notice The event has a batch more. The manifest's hash is kept here only: no rule reads it.
    event BatchIssued(uint40 indexed eventId, uint8 indexed number, Batch batch, bytes32 manifest);

    /// @notice Tickets went from stock to their buyers: holder, custody and price as in the line, since now, no gifts, epoch + 1.
    event Delivered(uint40 indexed eventId, Delivery[] lines);

    /// @notice A holder gave a ticket away: new holder and custody, since now, one gift more, epoch + 1; `epoch` is the new one.
    event Given(uint64 indexed id, address indexed from, address indexed to, bool custodied, uint16 epoch);

    /// @notice Tickets were resold for fiat money: as `Delivered`, from their holders; each royalty went to the event's pot.
    event Settled(uint40 indexed eventId, Delivery[] lines);

    /// @notice A ticket was resold for tokens: the buyer holds it in an own wallet, since now, no gifts, epoch + 1; `epoch` is the new one.
    /// Price and royalty in minor units; royalty went to the pot, the rest to the seller's credit, both in token units.
    event Resold(
        uint64 indexed id, address indexed seller, address indexed buyer, uint16 epoch, uint40 price, uint40 royalty
    );

    /// @notice Tickets were used at this gate.
    event Redeemed(uint40 indexed eventId, address indexed gate, Redemption[] lines);

    /// @notice A ticket went back to stock and `amount` is owed to its holder: nothing is left of its word but the epoch; `epoch` is the
    /// new one.
    event Refunded(uint64 indexed id, address indexed holder, uint16 epoch, uint40 amount, bytes16 ref);

    /// @notice A ticket died: nothing is left of its word but the epoch, which is `epoch`, and VOID.
    event Voided(uint64 indexed id, address indexed holder, uint16 epoch, bytes16 ref);

    /// @notice Everything signed for this ticket before is dead; only its epoch changed; `epoch` is the new one.
    event Revoked(uint64 indexed id, address indexed holder, uint16 epoch);

    /// @notice A part of the pot, which is empty now, is due to a payee: minor units (fiat rail) or a credit in token units (token rail).
    event Released(uint40 indexed eventId, address indexed payee, uint256 amount);

    /// @notice An account drew its whole credit in this token.
    event CreditClaimed(address indexed account, address indexed token, uint256 amount);

    /// @notice A line of a bulk call was not applied, for this encoded error. `ref` is the payment's; zero for redemptions.
    event Skipped(uint64 indexed id, bytes16 indexed ref, bytes problem);

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

    /// @notice Changes the schedule; by the organizer. Once moves are closed only `doorsAt` can change.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_BadSchedule, Ledger_ScheduleFixed.
    /// @param eventId the event
    /// @param schedule all times from now on
    /// @param reason told to the public, not empty
    function setSchedule(uint40 eventId, Schedule calldata schedule, string calldata reason) external;

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

    /// @notice Issues a batch at the same cost for 1 or 65,535 tickets: nothing is stored for a ticket before it is sold. By the organizer.
    /// @dev An event has at most 255 batches. Reverts with Ledger_UnknownEvent, Ledger_Unauthorized, Ledger_WrongBatchNumber,
    /// Ledger_TooManyBatches, Ledger_BadTerms.
    /// @param eventId the event
    /// @param number must be the event's next batch number, so that a repeated call is refused
    /// @param batch the tickets
    /// @param manifest sha2-256 of the batch's manifest, one raw IPFS block
    /// @return firstId id of index 0; ids run up to firstId + supply - 1
    function issue(uint40 eventId, uint8 number, Batch calldata batch, bytes32 manifest)
        external
        returns (uint64 firstId);

    // ------------------------------------------------------------------------------------------------ movers

    /// @notice Hands sold tickets from stock to their buyers. By a relayer, with the attestor's signature over all lines. Also possible
    /// after moves have closed. On the token rail only complimentary tickets (price 0) are delivered.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_UnknownEvent, Ledger_BadAttestation. Lines are skipped with Ledger_OtherEvent,
    /// Ledger_NoSuchTicket, Ledger_Voided, Ledger_NotInStock, Ledger_StaleEpoch, Ledger_LastEpoch, Ledger_WrongRail,
    /// Ledger_RefusedAccount.
    /// @param eventId event of all lines
    /// @param lines what was sold
    /// @param attestation EIP-712 `Deliveries(uint40 eventId,bytes32 lines)` with lines = keccak256(target0 ++ payment0 ++ target1 ...)
    /// @return problems empty if every line was applied; else one entry a line: empty, or the encoded error for which it was skipped
    function deliver(uint40 eventId, Delivery[] calldata lines, bytes calldata attestation)
        external
        returns (bytes[] memory problems);

    /// @notice Gives a held ticket away under the event's gift rules, with the holder's consent; anyone may send it.
    /// @dev Reverts with Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed, Ledger_Stopped, Ledger_StaleEpoch,
    /// Ledger_LastEpoch, Ledger_MovesClosed, Ledger_Cooldown, Ledger_GiftsClosed, Ledger_GiftLimit, Ledger_RefusedAccount, Ledger_Expired,
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
    /// Lines are skipped with the errors of `checkOffer`, Ledger_OtherEvent, Ledger_Expired, Ledger_RefusedAccount, Ledger_BadConsent.
    /// @param eventId event of all lines
    /// @param lines what was resold; consent is EIP-712 `Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address
    /// buyer,uint40 deadline)` of the seller with token zero and buyer zero (anyone) or the line's holder
    /// @param attestation EIP-712 `Settlements(uint40 eventId,bytes32 lines)`, lines as in `deliver`
    /// @return problems empty if every line was applied; else one entry a line: empty, or the encoded error for which it was skipped
    function settleResales(uint40 eventId, Settlement[] calldata lines, bytes calldata attestation)
        external
        returns (bytes[] memory problems);

    /// @notice Buys an offered ticket in the event's ERC-20; the caller becomes holder and owner. Price * 10 ** unitExponent tokens are
    /// drawn from the caller; the seller's share becomes a credit. The seller approves nothing.
    /// @dev Reverts with the errors of `checkOffer`, Ledger_WrongRail, Ledger_Expired, Ledger_RefusedAccount, Ledger_BadConsent,
    /// Ledger_WrongTokenAmount and those of the token.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param price minor units
    /// @param buyer the buyer named in the offer: zero (anyone) or the caller
    /// @param deadline last second of the offer
    /// @param consent EIP-712 `Offer` of the holder, with the event's currency and token
    function buyResale(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 deadline, bytes calldata consent)
        external;

    /// @notice Returns a held ticket of the fiat rail to stock, with the holder's consent; by a relayer, who owes the amount.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_WrongRail, Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed,
    /// Ledger_Stopped, Ledger_StaleEpoch, Ledger_LastEpoch, Ledger_MovesClosed, Ledger_OverRefund, Ledger_Expired, Ledger_BadConsent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param amount minor units, at most what the holder paid
    /// @param ref the service's own id of the refund
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)` of the holder
    function refund(uint64 id, uint16 epoch, uint40 amount, bytes16 ref, uint40 deadline, bytes calldata consent)
        external;

    /// @notice Kills a ticket for ever after a lost dispute over its holder's own payment; relayer with the attestor's signature. One of
    /// the few moves without consent; also possible after moves have closed.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_BadAttestation, Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided,
    /// Ledger_AlreadyRedeemed, Ledger_StaleEpoch.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param ref the service's own id of the dispute
    /// @param attestation EIP-712 `Void(uint64 id,uint16 epoch,bytes16 reference)` of an attestor
    function voidTicket(uint64 id, uint16 epoch, bytes16 ref, bytes calldata attestation) external;

    /// @notice Bumps the epoch, so that every offer and gift signed before is dead. By the holder of a ticket not custodied with an empty
    /// consent (the deadline is not looked at), or by anyone with the holder's consent.
    /// @dev Reverts with Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed, Ledger_Stopped, Ledger_StaleEpoch,
    /// Ledger_LastEpoch, Ledger_MovesClosed (nothing is left to revoke then, and entry codes rely on the epoch), Ledger_Expired,
    /// Ledger_BadConsent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param deadline last second of the consent
    /// @param consent empty, or EIP-712 `Revoke(uint64 id,uint16 epoch,uint40 deadline)` of the holder
    function revoke(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external;

    // ------------------------------------------------------------------------------------------------ gate and money

    /// @notice Marks tickets as used, each exactly once, naming the epoch seen at the gate; by a gate of the event.
    /// @dev Reverts with Ledger_UnknownEvent, Ledger_Unauthorized. Lines are skipped with Ledger_NoSuchTicket, Ledger_NotHeld,
    /// Ledger_Voided, Ledger_AlreadyRedeemed (also the second of two equal lines), Ledger_StaleEpoch.
    /// @param eventId event of all lines
    /// @param lines what was used
    /// @return problems empty if every line was applied; else one entry a line: empty, or the encoded error for which it was skipped
    function redeem(uint40 eventId, Redemption[] calldata lines) external returns (bytes[] memory problems);

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

    /// @notice Batches issued so far.
    /// @param eventId the event
    /// @return count zero also for an unknown event
    function batchesOf(uint40 eventId) external view returns (uint256 count);

    /// @notice Highest resale price of a ticket, minor units: face * capBps / 10,000, rounded down, and no more than 2^40 - 1.
    /// @dev Reverts with Ledger_NoSuchTicket.
    /// @param id the ticket
    /// @return cap the highest price
    function capOf(uint64 id) external view returns (uint40 cap);

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

    /// @notice Why an offer of this ticket would be refused now (encoded error), or empty. The rules are those of the resale itself, except
    /// those on the buyer, the deadline and the consent.
    /// @dev Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed, Ledger_Stopped, Ledger_StaleEpoch,
    /// Ledger_LastEpoch, Ledger_MovesClosed, Ledger_Cooldown, Ledger_ResaleClosed, Ledger_OverCap.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param price minor units
    /// @return problem encoded error, or empty
    function checkOffer(uint64 id, uint16 epoch, uint40 price) external view returns (bytes memory problem);

    /// @notice Why a gift to `to`, an own wallet, would be refused now (encoded error), or empty. The rules are those of `gift`, except
    /// those on the deadline and the consent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param to new holder
    /// @return problem encoded error, or empty
    function checkGift(uint64 id, uint16 epoch, address to) external view returns (bytes memory problem);
}
