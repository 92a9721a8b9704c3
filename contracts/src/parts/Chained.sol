// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerErrors} from "../interfaces/ILedgerErrors.sol";

/// @title Chained: calls this part of the code does not know go to the next part
/// @notice The ledger is one contract at one address with one storage, but its code is over the 24,576 bytes of EIP-170. So it has parts,
/// chained for good by their constructors: TicketLedger -> TicketDesk -> TicketOffice. A part runs by DELEGATECALL, in the ledger's name.
/// @dev No part can be replaced, and none calls anything but the next. Called directly, a part is an empty ledger without an admin.
abstract contract Chained {
    address private immutable _NEXT;

    constructor(address next) {
        if (next.code.length == 0) revert ILedgerErrors.Ledger_RefusedAccount(next);
        _NEXT = next;
    }

    /// @notice The next part, whose code anyone can compare with its source.
    function nextPart() external view returns (address) {
        return _NEXT;
    }

    fallback() external {
        address next = _NEXT;
        assembly ("memory-safe") {
            let place := mload(0x40)
            calldatacopy(place, 0, calldatasize())
            let success := delegatecall(gas(), next, place, calldatasize(), 0, 0)
            returndatacopy(place, 0, returndatasize())
            if iszero(success) { revert(place, returndatasize()) }
            return(place, returndatasize())
        }
    }
}
