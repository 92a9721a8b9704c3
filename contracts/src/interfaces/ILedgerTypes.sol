// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DeliveryTarget, Payment, Redemption} from "../types/Lines.sol";
import {ILedgerErrors} from "./ILedgerErrors.sol";

/// @title ILedgerTypes: what the ledger is told, and what it logs
/// @dev The events alone rebuild the whole state; each says what it changes.
interface ILedgerTypes is ILedgerErrors {
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
    /// @param supplies most tickets there will ever be of each supply class: public, held, sponsor, complimentary
    /// @param earliestRelease before then the token rail's escrow stays, whatever the schedule says
    /// @param holderLimit tickets of the event that one account may hold; 0: no limit
    /// @param entries times a ticket is good for entry; 0 or 1: once, 255: once a day (UTC)
    /// @param capAtPaid resales are also capped at what the seller paid
    /// @param reissue a lost ticket may be reissued: announced, 48 hours' wait, the holder can veto
    /// @param identity holders may commit to an identity
    /// @param giftRoot root of the Merkle tree of accounts that gifts may go to (OpenZeppelin's leaf of one address); zero: anyone
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
        uint24[4] supplies;
        uint32 earliestRelease;
        uint8 holderLimit;
        uint8 entries;
        bool capAtPaid;
        bool reissue;
        bool identity;
        bytes32 giftRoot;
    }

    /// @notice What may change, each time with a reason in an event.
    /// @param doorsAt doors open; may change at any time
    /// @param movesCloseAt from this second on no held ticket moves, ever again, and entry codes may be issued; a time in the past or
    /// now closes moves at once
    /// @param giftsCloseAt last second of gifts, at most `movesCloseAt`
    /// @param resaleOpensAt first second of resales, at most `resaleClosesAt`
    /// @param resaleClosesAt last second of resales, at most `movesCloseAt`
    /// @param releaseAt first second at which the escrow may be released; only moves later. Token rail: not before `doorsAt` and the
    /// terms' `earliestRelease`; fiat rail: told, but without effect
    struct Schedule {
        uint32 doorsAt;
        uint32 movesCloseAt;
        uint32 giftsCloseAt;
        uint32 resaleOpensAt;
        uint32 resaleClosesAt;
        uint32 releaseAt;
    }

    /// @notice Seats of one section, price class and supply class of an event, issued together.
    /// @param supply number of tickets, 1 to 65,535
    /// @param priceClass what they cost, as a code of the organizer
    /// @param supplyClass whom they are for: 0 public, 1 held, 2 sponsor, 3 complimentary
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
    /// @param payment price and the service's reference; in a resale also what the seller's offer says besides
    struct Delivery {
        DeliveryTarget target;
        Payment payment;
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

    /// @notice A gift to a listed account.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param to new holder
    /// @param custodied whether the new holder's key is kept by the service
    /// @param deadline last second of the holder's consent
    struct ListedGift {
        uint64 id;
        uint16 epoch;
        address to;
        bool custodied;
        uint40 deadline;
    }

    /// @notice One ticket taken back for another one of the same organizer, at the difference of their face prices. Fiat rail.
    /// @param id ticket given back
    /// @param epoch its epoch now
    /// @param toId ticket in stock
    /// @param toEpoch its epoch now
    /// @param difference new face - old face, minor units; what the holder paid (or, below zero, is owed)
    /// @param ref the service's own id of the payment or refund
    /// @param deadline last second of the holder's consent
    struct Exchange {
        uint64 id;
        uint16 epoch;
        uint64 toId;
        uint16 toEpoch;
        int48 difference;
        bytes16 ref;
        uint40 deadline;
    }

    /// @notice One of two tickets that change places.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param deadline last second of its holder's consent
    /// @param consent EIP-712 `Swap(uint64 id,uint16 epoch,uint64 otherId,uint16 otherEpoch,uint40 deadline)` of its holder
    struct SwapSide {
        uint64 id;
        uint16 epoch;
        uint40 deadline;
        bytes consent;
    }

    /// @notice A reissue that waits for its holder's veto.
    /// @param to new address of the holder
    /// @param readyAt first second at which it can be carried out
    /// @param epoch the ticket's epoch when it was announced; at another one it is dead
    /// @param custodied whether the new address's key is kept by the service
    struct Reissue {
        address to;
        uint40 readyAt;
        uint16 epoch;
        bool custodied;
    }

    /// @notice Status of a ticket in the words of ERC-7439.
    enum TokenStatus {
        Sold,
        Resell,
        Void,
        Redeemed
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

    /// @notice The event is live (1), paused (2) or cancelled (3) from now on.
    event StatusChanged(uint40 indexed eventId, uint8 status, string reason);

    /// @notice A ticket of a cancelled event: `amount` (minor units) is due to its holder (or to the seller whose ticket was in the pool);
    /// fiat rail: added to the refunds due; token rail: taken from the escrow into the holder's credit. The ticket is back in stock as after
    /// `Refunded`; a used one stays where it is, with price 0 and its old epoch, which `epoch` then is.
    event RefundedCancelled(uint64 indexed id, address indexed holder, uint16 epoch, uint40 amount);

    /// @notice The provider paid these refunds, minor units; `paid` is the event's total from now on.
    event RefundsPaid(uint40 indexed eventId, Payment[] lines, uint128 paid);

    /// @notice A ticket can't move any more; redemption is all that is left to it. Only the flag ACTIVATED changed.
    event Activated(uint64 indexed id, address indexed holder, uint16 epoch);

    /// @notice A ticket's payment is disputed: only the flag FROZEN changed.
    event Frozen(uint64 indexed id, address indexed holder, uint16 epoch, bytes16 ref);

    /// @notice The dispute is over: only the flag FROZEN changed.
    event Unfrozen(uint64 indexed id, address indexed holder, uint16 epoch, bytes16 ref);

    /// @notice A lost ticket will go to another address of its holder unless it is vetoed, moved or revoked until then.
    event ReissueAnnounced(
        uint64 indexed id, address indexed holder, address indexed to, bool custodied, uint16 epoch, uint40 readyAt
    );

    /// @notice The holder still has the key: the announced reissue is off.
    event ReissueVetoed(uint64 indexed id, address indexed holder, uint16 epoch);

    /// @notice A ticket went to another address of its holder: since now, gifts and price kept, epoch + 1; `epoch` is the new one.
    event Reissued(uint64 indexed id, address indexed from, address indexed to, bool custodied, uint16 epoch);

    /// @notice This wallet belongs to the person behind this custodied account, for good.
    event WalletRegistered(address indexed account, address indexed wallet);

    /// @notice A ticket left custody. `counted`: as after `Given`; else (to the registered wallet) only holder, custody and epoch changed.
    event Withdrawn(uint64 indexed id, address indexed from, address indexed to, bool counted, uint16 epoch);

    /// @notice A ticket went into custody. `counted`: as after `Given`; else (from the registered wallet) only holder, custody and epoch
    /// changed.
    event Deposited(uint64 indexed id, address indexed from, address indexed to, bool counted, uint16 epoch);

    /// @notice A holder exchanged a ticket. `id` is in stock as after `Refunded`; `toId` has this holder, custody and gifts as `id` had them,
    /// since now, the price; both epochs are the new ones. A difference below zero was added to the refunds due.
    event Exchanged(
        uint64 indexed id,
        uint64 indexed toId,
        address indexed holder,
        uint16 epoch,
        uint16 toEpoch,
        uint40 price,
        int48 difference,
        bytes16 ref
    );

    /// @notice Two holders swapped: each ticket has the other's holder and custody, else as after `Given`; `holder` is the new holder of
    /// `id`; both epochs are the new ones.
    event Swapped(
        uint64 indexed id,
        uint64 indexed otherId,
        address indexed holder,
        address otherHolder,
        uint16 epoch,
        uint16 otherEpoch
    );

    /// @notice A seller returned a ticket to the pool for this price: no holder, no flags, no gifts, since now, the price, epoch + 1.
    event PoolReturned(uint64 indexed id, address indexed seller, uint16 epoch, uint40 price);

    /// @notice A ticket from the pool was delivered: `price - royalty` (minor units) is due to its seller, the royalty went to the pot.
    event PoolSold(uint64 indexed id, address indexed seller, uint40 price, uint40 royalty);

    /// @notice A ticket was bought from stock for tokens: the buyer holds it in an own wallet, since now, no gifts; `epoch` is the new one.
    /// Its price (minor units), the face, went to the event's escrow in token units.
    event Bought(uint64 indexed id, address indexed buyer, uint16 epoch, uint40 price, bytes16 ref);

    /// @notice The whole escrow, in token units, became the organizer's credit.
    event EscrowReleased(uint40 indexed eventId, address indexed organizer, uint256 amount);

    /// @notice The holder of a ticket committed to an identity, until the ticket moves.
    event IdentityCommitted(uint64 indexed id, address indexed holder, uint16 epoch, bytes32 commitment);

    /// @notice A custodied account's whole credit went to `to`. `CreditClaimed` comes before it.
    event CreditForwarded(address indexed account, address indexed to);

    /// @notice Everything signed for this ticket before is dead; only its epoch changed; `epoch` is the new one.
    event Revoked(uint64 indexed id, address indexed holder, uint16 epoch);

    /// @notice A part of the pot, which is empty now, is due to a payee: minor units (fiat rail) or a credit in token units (token rail).
    event Released(uint40 indexed eventId, address indexed payee, uint256 amount);

    /// @notice An account drew its whole credit in this token.
    event CreditClaimed(address indexed account, address indexed token, uint256 amount);

    /// @notice A line of a bulk call was not applied, for this encoded error. `ref` is the payment's; zero for redemptions.
    event Skipped(uint64 indexed id, bytes16 indexed ref, bytes problem);
}
