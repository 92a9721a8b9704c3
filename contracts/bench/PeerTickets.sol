// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title PeerTickets: what the benchmark asks of every peer
/// @notice The base of thin wrappers around the token contracts that people build tickets on, made for `python -m scripts.bench gas` only.
/// They do the same job as the ledger as far as a token can: tickets are issued or minted when sold, delivered, resold, used once and never
/// moved afterwards. They promise nothing else.
/// @dev Every doubt is decided for the peer. One immutable operator is organizer, shop and gate, and is trusted: it moves any ticket without
/// its holder's consent, no price, cap, window, reference or royalty is checked or logged. Price class and event are read from the id and cost nothing.
/// That a ticket was used is a bit that the base has to spare, or a bitmap of 256 tickets a slot. Lines are packed into words as ours are.
abstract contract PeerTickets {
    address internal immutable OPERATOR = msg.sender;

    /// @notice The ticket was used.
    event Redeemed(uint256 indexed id);

    error NotTheOperator();
    error NotHeld(uint256 id);
    error AlreadyRedeemed(uint256 id);

    modifier onlyOperator() {
        if (msg.sender != OPERATOR) revert NotTheOperator();
        _;
    }

    /// @notice Whether the ticket was used.
    function redeemed(uint256 id) external view virtual returns (bool);

    /// @dev The account of a line.
    function _to(uint256 line) internal pure returns (address) {
        return address(uint160(line));
    }

    /// @dev The ticket of a line.
    function _id(uint256 line) internal pure returns (uint256) {
        return line >> 160;
    }
}
