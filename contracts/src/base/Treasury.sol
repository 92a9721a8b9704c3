// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {PolicyWord} from "../types/PolicyWord.sol";
import {EventBook} from "./EventBook.sol";

/// @title Treasury: royalties, refunds, and the tokens of the token rail
/// @notice Royalties gather in the event's pot; a release splits it. All tokens leave by `claim`, each account drawing its own credit, so
/// an account that can't be paid blocks nobody. Tokens held = sum of the escrows, pots and credits in that token.
abstract contract Treasury is EventBook, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev What was paid in tokens for tickets from stock, until release.
    struct Escrow {
        uint216 amount;
        uint32 releaseAt;
        bool released;
    }

    /// @dev Refunds of the fiat rail, minor units, since the beginning.
    struct Refunds {
        uint128 due;
        uint128 paid;
    }

    mapping(uint40 eventId => uint256 amount) internal _pots;
    mapping(address account => mapping(address token => uint256 amount)) internal _credits;
    mapping(address account => uint256 nonce) internal _claimNonces;
    mapping(uint40 eventId => Escrow) internal _escrows;
    mapping(uint40 eventId => Refunds) internal _refunds;

    /// @dev Tickets, by number, whose face price is in the event's escrow.
    mapping(uint40 eventId => BitMaps.BitMap) internal _escrowed;

    // ------------------------------------------------------------------------------------------------ internal

    /// @dev Of the larger of price and face, so that a token price does not skip it; but no more than the price.
    function _royaltyOf(PolicyWord policy, uint256 price, uint256 face) internal pure returns (uint40) {
        unchecked {
            // Both are below 2 ** 40, the rate below 2 ** 16.
            uint256 royalty = Math.max(price, face) * policy.royaltyBps() / BPS;
            return uint40(Math.min(royalty, price));
        }
    }

    /// @dev Adds a royalty to the event's pot; minor units on the fiat rail, token units on the token rail.
    function _addToPot(uint40 eventId, uint256 amount) internal {
        if (amount > 0) _pots[eventId] += amount;
    }

    /// @dev Fiat rail: the provider owes the holder this much, minor units.
    function _oweRefund(uint40 eventId, uint128 amount) internal {
        if (amount > 0) _refunds[eventId].due += amount;
    }

    /// @dev Draws the price from the caller and shares it between the seller's credit and the event's pot. Amounts in minor units of `unit` token units.
    function _collect(uint40 eventId, address token, uint256 unit, address seller, uint40 price, uint40 royalty)
        internal
    {
        unchecked {
            // A royalty is at most the price, below 2 ** 40, and a unit at most 10 ** 24: no sum of these comes near 2 ** 256.
            if (price > royalty) _credits[seller][token] += (price - royalty) * unit;
            _addToPot(eventId, royalty * unit);
            _pull(IERC20(token), price * unit);
        }
    }

    /// @dev Measures what arrives: a token that keeps a fee would leave the ledger owing more than it has.
    function _pull(IERC20 token, uint256 amount) internal {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert Ledger_WrongTokenAmount(address(token), received, amount);
    }
}
