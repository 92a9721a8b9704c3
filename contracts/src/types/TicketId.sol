// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title TicketId: how ticket ids are made
/// @notice An id is a `uint64`:
///
///      63                                  24 23        16 15              0
///     +--------------------------------------+------------+----------------+
///     |               event 40               |   batch 8  |    index 16    |
///     +--------------------------------------+------------+----------------+
///                                            |<--- number within event --->|
///                    |<--- batch key 48 --->|  (event and batch together)
library TicketId {
    /// @notice First id of a batch; the others follow without a gap.
    function first(uint40 eventId, uint8 batch) internal pure returns (uint64) {
        return (uint64(eventId) << 24) | (uint64(batch) << 16);
    }

    /// @notice Id of the ticket with this number (low 24 bits) within an event, as used at the gate.
    function ofNumber(uint40 eventId, uint24 number) internal pure returns (uint64) {
        return (uint64(eventId) << 24) | number;
    }

    /// @notice Number of a ticket within its event.
    function numberOf(uint64 id) internal pure returns (uint24) {
        return uint24(id);
    }

    /// @notice Event of a ticket.
    function eventOf(uint64 id) internal pure returns (uint40) {
        return uint40(id >> 24);
    }

    /// @notice Key under which the batch word of a ticket is stored.
    function batchKeyOf(uint64 id) internal pure returns (uint48) {
        return uint48(id >> 16);
    }

    /// @notice Key under which a batch word is stored.
    function batchKey(uint40 eventId, uint8 batch) internal pure returns (uint48) {
        return (uint48(eventId) << 8) | batch;
    }

    /// @notice Place of a ticket in its batch, from 0.
    function indexOf(uint64 id) internal pure returns (uint16) {
        return uint16(id);
    }
}
