// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

import {ITicketOffice} from "../interfaces/ITicketOffice.sol";
import {Payment} from "../types/Lines.sol";
import {PolicyWord} from "../types/PolicyWord.sol";
import {TicketId} from "../types/TicketId.sol";
import {TicketWord} from "../types/TicketWord.sol";
import {EventOffice} from "./EventOffice.sol";

/// @title MoneyOffice: sales for tokens, escrow, refunds of cancelled events, royalties and credits
abstract contract MoneyOffice is EventOffice {
    using SafeERC20 for IERC20;
    using BitMaps for BitMaps.BitMap;

    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(uint64 id,uint16 epoch,uint40 price,address buyer,bytes16 reference,uint40 expiry)");
    bytes32 private constant REFUNDS_PAID_TYPEHASH =
        keccak256("RefundsPaid(uint40 eventId,uint128 paidBefore,bytes32 lines)");
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address account,address token,address to,uint256 nonce,uint40 deadline)");

    // ------------------------------------------------------------------------------------------------ reading

    /// @inheritdoc ITicketOffice
    function potOf(uint40 eventId) external view returns (uint256) {
        return _pots[eventId];
    }

    /// @inheritdoc ITicketOffice
    function creditOf(address account, address token) external view returns (uint256) {
        return _credits[account][token];
    }

    /// @inheritdoc ITicketOffice
    function escrowOf(uint40 eventId) external view returns (uint256 amount, uint32 releaseAt, bool released) {
        Escrow memory escrow = _escrows[eventId];
        return (escrow.amount, escrow.releaseAt, escrow.released);
    }

    /// @inheritdoc ITicketOffice
    function refundsOf(uint40 eventId) external view returns (uint128 due, uint128 paid) {
        Refunds memory refunds = _refunds[eventId];
        return (refunds.due, refunds.paid);
    }

    /// @inheritdoc ITicketOffice
    function claimNonceOf(address account) external view returns (uint256) {
        return _claimNonces[account];
    }

    // ------------------------------------------------------------------------------------------------ sale and escrow

    /// @inheritdoc ITicketOffice
    function buy(uint64 id, uint16 epoch, uint40 price, bytes16 ref, uint40 expiry, bytes calldata voucher)
        external
        nonReentrant
    {
        uint40 eventId = TicketId.eventOf(id);
        PolicyWord policy = _policyOf(eventId);
        TicketWord word = _tickets[id].word;
        if (block.timestamp > expiry) revert Ledger_Expired(id, expiry);
        _checkAttested(keccak256(abi.encode(VOUCHER_TYPEHASH, id, epoch, price, msg.sender, ref, expiry)), voucher);
        _check(_stockProblem(id, word, epoch));
        _checkBuyer(id, policy, price);

        TicketWord next = word.bought(msg.sender, false, uint32(block.timestamp), price);
        _move(id, word, next, policy);
        emit Bought(id, msg.sender, next.epoch(), price, ref);
        _fillEscrow(id, eventId, price * policy.unit());
    }

    /// @dev The event sells for tokens, at this price and to the caller.
    function _checkBuyer(uint64 id, PolicyWord policy, uint40 price) private view {
        uint40 eventId = TicketId.eventOf(id);
        _checkOnSale(eventId, policy);
        if (!policy.isTokenRail()) revert Ledger_WrongRail(eventId);
        if (price != _faceOf(id)) revert Ledger_WrongPrice(id, price, _faceOf(id));
        if (!_isFit(msg.sender, false)) revert Ledger_RefusedAccount(msg.sender);
        if (_isFull(eventId, policy, msg.sender)) _check(_holderLimitProblem(msg.sender, policy));
    }

    function _fillEscrow(uint64 id, uint40 eventId, uint256 amount) private {
        _escrows[eventId].amount += uint216(amount);
        _escrowed[eventId].set(TicketId.numberOf(id));
        _pull(IERC20(_moneyTerms[eventId].token), amount);
    }

    /// @inheritdoc ITicketOffice
    function releaseEscrow(uint40 eventId) external {
        PolicyWord policy = _policyOf(eventId);
        Escrow memory escrow = _escrows[eventId];
        if (!policy.isTokenRail()) revert Ledger_WrongRail(eventId);
        if (policy.isCancelled()) revert Ledger_EscrowLocked(eventId, 0);
        if (block.timestamp < escrow.releaseAt) revert Ledger_EscrowLocked(eventId, escrow.releaseAt);
        if (escrow.amount == 0) return;

        MoneyTerms storage terms = _moneyTerms[eventId];
        _escrows[eventId] = Escrow(0, escrow.releaseAt, true);
        _credits[terms.organizer][terms.token] += escrow.amount;
        emit EscrowReleased(eventId, terms.organizer, escrow.amount);
    }

    // ------------------------------------------------------------------------------------------------ refunds

    /// @inheritdoc ITicketOffice
    function refundCancelled(uint40 eventId, uint64[] calldata ids) external returns (bytes[] memory problems) {
        PolicyWord policy = _policyOf(eventId);
        if (!policy.isCancelled()) revert Ledger_WrongStatus(eventId, policy.status());
        for (uint256 i = 0; i < ids.length; ++i) {
            uint64 id = ids[i];
            // Not skipped, so that `Skipped` never names a ticket of somebody else's event.
            if (TicketId.eventOf(id) != eventId) revert Ledger_OtherEvent(id, eventId);
            TicketWord word = _tickets[id].word;
            bytes memory problem = _refundProblem(eventId, policy, id, word);
            if (problem.length == 0) _refundOne(eventId, policy, id, word);
            else problems = _skip(problems, ids.length, i, id, 0, problem);
        }
    }

    /// @dev Something is owed for the ticket, or it can at least go back to stock.
    function _refundProblem(uint40 eventId, PolicyWord policy, uint64 id, TicketWord word)
        private
        view
        returns (bytes memory problem)
    {
        if (word.isPooled()) return problem;
        // Its payment is disputed: once the dispute is over it is voided, or unfrozen and then refunded.
        if (word.isFrozen()) return abi.encodeWithSelector(Ledger_Stopped.selector, id, word.flags());
        bool usedAndOwed = word.isRedeemed() && _owed(eventId, policy, id, word) > 0;
        if (!usedAndOwed) problem = _heldProblem(id, word, word.epoch());
    }

    /// @dev A used ticket stays where it is, as a keepsake; all others leave their holders.
    function _refundOne(uint40 eventId, PolicyWord policy, uint64 id, TicketWord word) private {
        uint40 amount = _owed(eventId, policy, id, word);
        address holder = word.isPooled() ? _pool[id].seller : word.holder();
        TicketWord next = word.returned();
        if (word.isPooled()) {
            next = word.unpooled();
            delete _pool[id];
        } else if (word.isRedeemed()) {
            next = word.unpaid();
        }
        _move(id, word, next, policy);
        emit RefundedCancelled(id, holder, next.epoch(), amount);
        if (policy.isTokenRail()) _refundTokens(eventId, policy, id, holder, amount);
        else _oweRefund(eventId, amount);
    }

    /// @dev Minor units. Fiat rail: what was paid last, but no more than the face price, for what was paid over it went to the seller; token
    /// rail: the face price if the escrow has it.
    function _owed(uint40 eventId, PolicyWord policy, uint64 id, TicketWord word) private view returns (uint40) {
        uint40 face = _faceOf(id);
        if (policy.isTokenRail()) return _escrowed[eventId].get(TicketId.numberOf(id)) ? face : 0;
        uint40 paid = word.isPooled() ? _pool[id].paid : word.price();
        return paid < face ? paid : face;
    }

    function _refundTokens(uint40 eventId, PolicyWord policy, uint64 id, address holder, uint40 amount) private {
        if (amount == 0) return;
        uint256 units = amount * policy.unit();
        _escrowed[eventId].unset(TicketId.numberOf(id));
        _escrows[eventId].amount -= uint216(units);
        _credits[holder][_moneyTerms[eventId].token] += units;
    }

    /// @inheritdoc ITicketOffice
    function recordRefundsPaid(uint40 eventId, Payment[] calldata lines, bytes calldata attestation) external {
        _checkRole(LEDGER, RELAYER);
        _policyOf(eventId);
        Refunds memory refunds = _refunds[eventId];
        bytes32 hash = keccak256(abi.encodePacked(lines));
        _checkAttested(keccak256(abi.encode(REFUNDS_PAID_TYPEHASH, eventId, refunds.paid, hash)), attestation);

        for (uint256 i = 0; i < lines.length; ++i) {
            refunds.paid += lines[i].price();
        }
        // A call that pays nothing would leave the total as its attestation names it, and could be repeated.
        if (refunds.paid == _refunds[eventId].paid) revert Ledger_BadAttestation();
        if (refunds.paid > refunds.due) revert Ledger_OverPaid(eventId, refunds.paid, refunds.due);
        _refunds[eventId].paid = refunds.paid;
        emit RefundsPaid(eventId, lines, refunds.paid);
    }

    // ------------------------------------------------------------------------------------------------ royalties, credits

    /// @inheritdoc ITicketOffice
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

    /// @inheritdoc ITicketOffice
    function claim(address token) external nonReentrant {
        _payOut(msg.sender, token, msg.sender);
    }

    /// @inheritdoc ITicketOffice
    function claimFor(address account, address token, address to, uint40 deadline, bytes calldata consent)
        external
        nonReentrant
    {
        if (to == address(0) || to == address(this)) revert Ledger_RefusedAccount(to);
        uint256 nonce = _claimNonces[account]++;
        bytes32 structHash = keccak256(abi.encode(CLAIM_TYPEHASH, account, token, to, nonce, deadline));
        _checkSigned(account, structHash, deadline, consent);
        _payOut(account, token, to);
        emit CreditForwarded(account, to);
    }

    function _payOut(address account, address token, address to) private {
        uint256 amount = _credits[account][token];
        if (amount == 0) revert Ledger_NoCredit(account, token);
        _credits[account][token] = 0;
        emit CreditClaimed(account, token, amount);
        IERC20(token).safeTransfer(to, amount);
    }
}
