// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {SafeTransferLib} from "../../node_modules/solady/src/utils/SafeTransferLib.sol";
import {SignatureCheckerLib} from "../../node_modules/solady/src/utils/SignatureCheckerLib.sol";

/// @notice What the market needs of a peer's tickets.
interface ITickets {
    function transferFrom(address from, address to, uint256 id) external;
    function safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes calldata data) external;
}

/// @title PeerMarket: sells peers' tickets for an ERC-20
/// @notice A seller approves it for its tickets, once, and signs an order (EIP-712); the buyer sends it and pays seller and three payees.
/// @dev For the peer: one market knows one collection, one token and its payees by immutables and so reads no storage for them; no cap,
/// window, cool-down, buyer or policy is checked, no fee is taken, no reentrancy guard is needed. What it can't do without: an order is good
/// once (a bitmap of the seller's nonces, as in Permit2), for the token does not change when the ticket comes back.
contract PeerMarket {
    /// @notice What a seller signs.
    struct Order {
        uint256 id;
        address seller;
        uint256 price;
        uint256 nonce;
        uint256 deadline;
    }

    bytes32 private constant ORDER =
        keccak256("Order(uint256 id,address seller,uint256 price,uint256 nonce,uint256 deadline)");
    uint256 private constant ROYALTY_BPS = 500;

    bytes32 private immutable DOMAIN;
    address private immutable TICKETS;
    address private immutable TOKEN;
    address private immutable PAYEE_A;
    address private immutable PAYEE_B;
    address private immutable PAYEE_C;
    bool private immutable MULTI;

    mapping(address seller => mapping(uint256 word => uint256 bits)) private _usedNonces;

    /// @notice The ticket was sold.
    event Sold(uint256 indexed id, address indexed seller, address indexed buyer, uint256 price);

    error Expired();
    error UsedOrder();
    error BadSignature();

    /// @param tickets the collection
    /// @param token pays
    /// @param payees share the royalty alike
    /// @param multi whether the collection is an ERC-1155
    constructor(address tickets, address token, address[3] memory payees, bool multi) {
        (TICKETS, TOKEN, MULTI) = (tickets, token, multi);
        (PAYEE_A, PAYEE_B, PAYEE_C) = (payees[0], payees[1], payees[2]);
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        DOMAIN = keccak256(abi.encode(kind, keccak256("market"), keccak256("1"), block.chainid, address(this)));
    }

    /// @notice Buys what the order offers.
    function buy(Order calldata order, bytes calldata signature) external {
        if (block.timestamp > order.deadline) revert Expired();
        _use(order.seller, order.nonce);
        bytes32 hash = keccak256(abi.encodePacked(hex"1901", DOMAIN, keccak256(abi.encode(ORDER, order))));
        if (!SignatureCheckerLib.isValidSignatureNowCalldata(order.seller, hash, signature)) revert BadSignature();
        _pay(order.seller, order.price);
        if (MULTI) ITickets(TICKETS).safeTransferFrom(order.seller, msg.sender, order.id, 1, "");
        else ITickets(TICKETS).transferFrom(order.seller, msg.sender, order.id);
        emit Sold(order.id, order.seller, msg.sender, order.price);
    }

    function _use(address seller, uint256 nonce) private {
        uint256 bits = _usedNonces[seller][nonce >> 8];
        uint256 bit = 1 << (nonce & 255);
        if (bits & bit != 0) revert UsedOrder();
        _usedNonces[seller][nonce >> 8] = bits | bit;
    }

    function _pay(address seller, uint256 price) private {
        uint256 royalty = price * ROYALTY_BPS / 10_000;
        uint256 part = royalty / 3;
        SafeTransferLib.safeTransferFrom(TOKEN, msg.sender, PAYEE_A, part);
        SafeTransferLib.safeTransferFrom(TOKEN, msg.sender, PAYEE_B, part);
        SafeTransferLib.safeTransferFrom(TOKEN, msg.sender, PAYEE_C, royalty - 2 * part);
        SafeTransferLib.safeTransferFrom(TOKEN, msg.sender, seller, price - royalty);
    }
}
