// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ITicketDesk} from "./ITicketDesk.sol";
import {ITicketMoves} from "./ITicketMoves.sol";
import {ITicketOffice} from "./ITicketOffice.sol";

/// @title ITicketLedger: every ticket, every move, every redemption
/// @notice One immutable ledger for all organizers and events. A ticket is in stock, held, redeemed or void. Its *holder* is the fan it
/// belongs to; its ERC-721 *owner* is the ledger itself while the holder's key is custodied, else the holder. Its *epoch* counts moves and
/// revocations. Amounts are all-in prices in minor currency units; rates are basis points; times are Unix seconds.
/// @dev Ticket id = event 40 bits | batch 8 bits | index 16 bits. Bulk calls never revert for one bad line: they emit `Skipped` and return the
/// encoded error of each line (empty bytes: the line was applied; an empty list: all lines were). The events alone rebuild the whole state; each says what it changes.
/// All functions are called at the ledger's address, whichever part of its code carries them out.
interface ITicketLedger is ITicketMoves, ITicketDesk, ITicketOffice {}
