// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Chained} from "./Chained.sol";
import {DisputeDesk} from "./DisputeDesk.sol";
import {ExchangeDesk} from "./ExchangeDesk.sol";
import {HolderDesk} from "./HolderDesk.sol";
import {TicketOffice} from "./TicketOffice.sol";

/// @title TicketDesk: second part of the ledger's code, what happens to a ticket more rarely
/// @notice See `ITicketDesk` and `Chained`.
contract TicketDesk is HolderDesk, ExchangeDesk, DisputeDesk, Chained {
    constructor() Chained(address(new TicketOffice())) {}
}
