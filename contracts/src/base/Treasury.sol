// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {ITicketLedger} from "../interfaces/ITicketLedger.sol";
import {PolicyWord} from "../types/PolicyWord.sol";
import {EventBook} from "./EventBook.sol";

/// @title Treasury: royalties, and the tokens of the token rail
/// @notice Royalties gather in the event's pot; a release splits it. All tokens leave by `claim`, each account drawing its own credit, so
/// an account that can't be paid blocks nobody. Tokens held = sum of the pots and credits in that token.
abstract contract Treasury is EventBook, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    mapping(uint40 eventId => uint256 amount) private _pots;
    mapping(address account => mapping(address token => uint256 amount)) private _credits;

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketLedger
    function potOf(uint40 eventId) external view returns (uint256) {
        return _pots[eventId];
    }

    /// @inheritdoc ITicketLedger
    function creditOf(address account, address token) external view returns (uint256) {
        return _credits[account][token];
    }

    // ------------------------------------------------------------------------------------------------ changing

    /// @inheritdoc ITicketLedger
    function release(uint40 eventId, Payee[] calldata payees) external nonReentrant {
        _policyOf(eventId);
        if (_payeesHash(payees) != _moneyTerms[eventId].payeesHash) revert Ledger_BadPayees();
        uint256 pot = _pots[eventId];
        if (pot == 0) return;
        _pots[eventId] = 0;

        address token = _moneyTerms[eventId].token;
        uint256 rest = pot;
        for (uint256 i = 0; i < payees.length; ++i) {
            address account = payees[i].account;
            uint256 part = i == payees.length - 1 ? rest : pot * payees[i].bps / BPS;
            rest -= part;
            if (token != address(0)) _credits[account][token] += part;
            emit Released(eventId, account, part);
        }
    }

    /// @inheritdoc ITicketLedger
    function claim(address token) external nonReentrant {
        uint256 amount = _credits[msg.sender][token];
        if (amount == 0) revert Ledger_NoCredit(msg.sender, token);
        _credits[msg.sender][token] = 0;
        emit CreditClaimed(msg.sender, token, amount);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

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

    /// @dev Draws the price from the caller and shares it between the seller's credit and the event's pot. Amounts in minor units of `unit` token units.
    function _collect(uint40 eventId, address token, uint256 unit, address seller, uint40 price, uint40 royalty)
        internal
    {
        if (price > royalty) _credits[seller][token] += uint256(price - royalty) * unit;
        _addToPot(eventId, royalty * unit);
        _pull(IERC20(token), price * unit);
    }

    /// @dev Measures what arrives: a token that keeps a fee would leave the ledger owing more than it has.
    function _pull(IERC20 token, uint256 amount) private {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert Ledger_WrongTokenAmount(address(token), received, amount);
    }
}
