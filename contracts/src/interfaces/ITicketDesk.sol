// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "./ILedgerTypes.sol";

/// @title ITicketDesk: what happens to a ticket more rarely
/// @notice Carried out by `TicketDesk` in the ledger's name.
interface ITicketDesk is ILedgerTypes {
    // ------------------------------------------------------------------------------------------------ withdraw, deposit

    /// @notice Registers the caller as the own wallet of a custodied account, for good. Tickets which that account gets from now on can be
    /// withdrawn to it, and come back from it, without counting as gifts.
    /// @dev The account's key and the wallet itself agree, so nobody claims another's wallet; a wallet belongs to one account, so it is no
    /// bridge between two. Reverts with Ledger_RefusedAccount, Ledger_WalletTaken, Ledger_BadSignature.
    /// @param account the custodied account
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `RegisterWallet(address account,address wallet,uint40 deadline)` of the account
    function registerWallet(address account, uint40 deadline, bytes calldata consent) external;

    /// @notice Moves a ticket out of custody. To a wallet registered for its holder before the ticket's last move: whatever the gift rules
    /// say, also while the event is paused, but for the holder limit, which counts account and wallet apart; to any other wallet: as a gift.
    /// @dev Reverts with the errors of `gift`, Ledger_WrongCustody.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param to the wallet
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Withdraw(uint64 id,uint16 epoch,address to,uint40 deadline)` of the holder
    function withdraw(uint64 id, uint16 epoch, address to, uint40 deadline, bytes calldata consent) external;

    /// @notice Moves a ticket into custody. From a wallet that was registered for `to` before the ticket's last move: whatever the gift
    /// rules say, but for the holder limit; from any other wallet: as a gift.
    /// @dev Reverts with the errors of `gift`, Ledger_WrongCustody.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param to the custodied account
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Deposit(uint64 id,uint16 epoch,address to,uint40 deadline)` of the holder
    function deposit(uint64 id, uint16 epoch, address to, uint40 deadline, bytes calldata consent) external;

    // ------------------------------------------------------------------------------------------------ gifts to listed accounts, swap, exchange, pool

    /// @notice `gift`, for events whose gifts go to listed accounts only.
    /// @dev Reverts with the errors of `gift`, Ledger_NotListed.
    /// @param line what to whom
    /// @param consent EIP-712 `Gift`, as for `gift`
    /// @param proof siblings on the way from the leaf, keccak256(keccak256(abi.encode(to))), to the terms' `giftRoot`; pairs are sorted
    function giftListed(ListedGift calldata line, bytes calldata consent, bytes32[] calldata proof) external;

    /// @notice Two holders swap tickets of the same event and face price, at once and without money; anyone may send it. It counts as a gift
    /// of each, under the gift rules, so that it is no way round them.
    /// @dev Reverts with the errors of `gift` (but Ledger_NotListed and Ledger_HolderLimit), Ledger_OtherEvent, Ledger_UnequalFace.
    /// @param one the one ticket
    /// @param other the other
    function swap(SwapSide calldata one, SwapSide calldata other) external;

    /// @notice Takes a ticket back for another one in stock, of any event of the same organizer; by a relayer. Fiat rail.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_BadAttestation, the errors of `refund`, Ledger_NotOnSale, Ledger_OtherOrganizer,
    /// Ledger_NoSuchTicket, Ledger_NotInStock, Ledger_WrongDifference, Ledger_HolderLimit, and SafeCastOverflowedUintDowncast for a
    /// price over 40 bits.
    /// @param line what for what
    /// @param consent EIP-712 `Exchange(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline)` of the holder
    /// @param attestation EIP-712 `ExchangePaid(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference)` of an
    /// attestor
    function exchange(Exchange calldata line, bytes calldata consent, bytes calldata attestation) external;

    /// @notice Returns a ticket to stock to be sold on for its seller, under the rules of a resale; anyone may send it. Fiat rail. The next
    /// `deliver` of it, at this price, makes it due to the seller, less the royalty.
    /// @dev Reverts with the errors of `checkOffer`, Ledger_WrongRail, Ledger_Expired, Ledger_BadConsent; with Ledger_LastEpoch if the ticket could
    /// not be sold on.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param price what the seller asks, royalty included; minor units
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `PoolReturn(uint64 id,uint16 epoch,uint40 price,uint40 deadline)` of the holder
    function poolReturn(uint64 id, uint16 epoch, uint40 price, uint40 deadline, bytes calldata consent) external;

    // ------------------------------------------------------------------------------------------------ back to stock, revoke, activate

    /// @notice Returns a held ticket of the fiat rail to stock, with the holder's consent; by a relayer. The amount is
    /// added to the event's refunds due.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_WrongRail, Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed,
    /// Ledger_Stopped, Ledger_StaleEpoch, Ledger_LastEpoch, Ledger_Cancelled, Ledger_MovesClosed, Ledger_OverRefund, Ledger_Expired,
    /// Ledger_BadConsent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param amount minor units, at most what the holder paid and at most the face price
    /// @param ref the service's own id of the refund
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)` of the holder
    function refund(uint64 id, uint16 epoch, uint40 amount, bytes16 ref, uint40 deadline, bytes calldata consent)
        external;

    /// @notice Bumps the epoch, so that every offer and gift signed before is dead. By the holder of a ticket not custodied with an empty
    /// consent (the deadline is not looked at), or by anyone with the holder's consent.
    /// @dev Reverts with Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed, Ledger_Stopped, Ledger_StaleEpoch,
    /// Ledger_LastEpoch, Ledger_Cancelled, Ledger_MovesClosed (nothing is left to revoke then, and entry codes rely on the epoch),
    /// Ledger_Expired, Ledger_BadConsent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param deadline last second of the consent
    /// @param consent empty, or EIP-712 `Revoke(uint64 id,uint16 epoch,uint40 deadline)` of the holder
    function revoke(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external;

    /// @notice Closes a ticket's moves for good, so that entry codes may be issued for it; anyone may send it.
    /// @dev Reverts with the errors of `revoke`.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Activate(uint64 id,uint16 epoch,uint40 deadline)` of the holder
    function activate(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external;

    /// @notice Commits a ticket to an identity, e.g. a salted hash of a name, once and until it moves; anyone may send it. To commit to
    /// another one, its holder revokes first.
    /// @dev Reverts with Ledger_NotInTerms, Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided, Ledger_AlreadyRedeemed, Ledger_StaleEpoch,
    /// Ledger_Expired, Ledger_BadConsent, Ledger_AlreadyCommitted.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param commitment any 32 bytes
    /// @param deadline last second of the consent
    /// @param consent EIP-712 `Identity(uint64 id,uint16 epoch,bytes32 commitment,uint40 deadline)` of the holder
    function commitIdentity(uint64 id, uint16 epoch, bytes32 commitment, uint40 deadline, bytes calldata consent)
        external;

    // ------------------------------------------------------------------------------------------------ without consent: disputes, reissue

    /// @notice Freezes a ticket whose payment is disputed, while no paid move followed that payment; relayer with the attestor's signature.
    /// A dispute can do it once.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_BadAttestation, Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided,
    /// Ledger_AlreadyRedeemed, Ledger_StaleEpoch, Ledger_WrongRail, Ledger_OtherPayment, Ledger_Stopped (frozen already),
    /// Ledger_ReferenceUsed.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param paidEpoch its epoch after the move that the disputed payment was for
    /// @param ref the service's own id of the dispute
    /// @param attestation EIP-712 `Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)` of an attestor
    function freeze(uint64 id, uint16 epoch, uint16 paidEpoch, bytes16 ref, bytes calldata attestation) external;

    /// @notice Ends a freeze; relayer with the attestor's signature.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_BadAttestation, Ledger_NotFrozen (or not by this dispute), Ledger_StaleEpoch.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param ref the service's own id of the dispute, as in `freeze`
    /// @param attestation EIP-712 `Unfreeze(uint64 id,uint16 epoch,bytes16 reference)` of an attestor
    function unfreeze(uint64 id, uint16 epoch, bytes16 ref, bytes calldata attestation) external;

    /// @notice Kills a ticket for ever after a lost dispute over its holder's own payment; relayer with the attestor's signature. The
    /// ticket is frozen, or still with the account that bought it. One of the few moves without consent; also possible after moves have closed.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_BadAttestation, Ledger_NoSuchTicket, Ledger_NotHeld, Ledger_Voided,
    /// Ledger_AlreadyRedeemed, Ledger_StaleEpoch, Ledger_WrongRail, Ledger_NotFrozen.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param ref the service's own id of the dispute
    /// @param attestation EIP-712 `Void(uint64 id,uint16 epoch,bytes16 reference)` of an attestor
    function voidTicket(uint64 id, uint16 epoch, bytes16 ref, bytes calldata attestation) external;

    /// @notice Announces that a ticket whose key is lost will go to another address of its holder; by a relayer, if the terms allow it.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_NotInTerms, Ledger_RefusedAccount, and the errors of `revoke` on the ticket, but for
    /// those on the consent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param to the other address
    /// @param custodied whether the other address's key is kept by the service
    function announceReissue(uint64 id, uint16 epoch, address to, bool custodied) external;

    /// @notice Stops an announced reissue. By the holder of a ticket not custodied with an empty consent, or by anyone with the holder's, which
    /// until its deadline stops any later announcement at this epoch as well; a holder who changes its mind revokes.
    /// @dev Reverts with Ledger_NotAnnounced, Ledger_Expired, Ledger_BadConsent.
    /// @param id the ticket
    /// @param epoch its epoch now
    /// @param deadline last second of the consent
    /// @param consent empty, or EIP-712 `Veto(uint64 id,uint16 epoch,uint40 deadline)` of the holder
    function vetoReissue(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external;

    /// @notice Carries out an announced reissue after 48 hours; by a relayer.
    /// @dev Reverts with Ledger_Unauthorized, Ledger_NotAnnounced (also if the ticket moved or was revoked since), Ledger_TooEarly,
    /// Ledger_RefusedAccount, Ledger_HolderLimit, Ledger_AlreadyRedeemed, Ledger_Stopped, Ledger_Cancelled, Ledger_MovesClosed.
    /// @param id the ticket
    function reissue(uint64 id) external;

    // ------------------------------------------------------------------------------------------------ views

    /// @notice The custodied account that a wallet is registered for.
    /// @param wallet the wallet
    /// @return account zero: not registered
    /// @return since when it was registered
    function accountOf(address wallet) external view returns (address account, uint40 since);

    /// @notice The ticket's epoch after the last move that was paid for.
    /// @dev Reverts with Ledger_NoSuchTicket, Ledger_NotHeld.
    /// @param id the ticket
    /// @return epoch 0: unknown, after more than 6 gifts
    function paidEpochOf(uint64 id) external view returns (uint16 epoch);

    /// @notice The seller of a ticket in the pool.
    /// @param id the ticket
    /// @return seller zero: it is not in the pool
    /// @return paid what the seller had paid, owed if the event is cancelled
    function poolOf(uint64 id) external view returns (address seller, uint40 paid);

    /// @notice The reissue announced last; dead unless its epoch is the ticket's.
    /// @param id the ticket
    /// @return announced see `Reissue`
    function reissueOf(uint64 id) external view returns (Reissue memory announced);

    /// @notice The identity that the ticket's holder committed to at its present epoch.
    /// @param id the ticket
    /// @return commitment zero: none
    function identityOf(uint64 id) external view returns (bytes32 commitment);
}
