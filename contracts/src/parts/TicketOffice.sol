// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MoneyOffice} from "./MoneyOffice.sol";

/// @title TicketOffice: last part of the ledger's code, organizers and money
/// @notice See `ITicketOffice` and `Chained`.
contract TicketOffice is MoneyOffice {}
