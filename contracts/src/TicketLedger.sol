// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ERC721Utils} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Utils.sol";

import {Consents} from "./base/Consents.sol";
import {Roles} from "./base/Roles.sol";
import {Rules} from "./base/Rules.sol";
import {Tickets} from "./base/Tickets.sol";
import {Treasury} from "./base/Treasury.sol";
import {ITicketLedger} from "./interfaces/ITicketLedger.sol";
import {DeliveryTarget, Payment, Redemption} from "./types/Lines.sol";
import {PolicyWord} from "./types/PolicyWord.sol";
import {TicketId} from "./types/TicketId.sol";
import {TicketWord} from "./types/TicketWord.sol";

/// @title TicketLedger: everything that moves or uses a ticket
/// @notice See `ITicketLedger`. The parts below `base/` hold who may act (Roles), what is signed (Consents), events and batches (EventBook),
/// the words and the ERC-721 face (Tickets), the rules of moving (Rules) and the money (Treasury). No part can be upgraded or paused.
/// @dev What it will not do: hold native coin, approve operators, call a receiver (but for `safeTransferFrom`), move a held ticket
/// without its holder's consent (but for `voidTicket`).
contract TicketLedger is Rules, Consents, Treasury {
    /// @dev What has been done in a bulk call so far.
    struct Bulk {
        Delivery[] applied;
        uint256 count;
        int256 custody;
        uint256 royalties;
    }

    /// @dev What a contract wallet may use to check a consent in a bulk call, so that no line can eat up the others' gas.
    uint256 private constant BULK_CONSENT_GAS = 100_000;

    /// @param admin first admin, who appoints relayers and attestors
    /// @param baseURI start of every `tokenURI`
    constructor(address admin, string memory baseURI) Roles(admin) Tickets(baseURI) {}

    // ------------------------------------------------------------------------------------------------ from stock

    /// @inheritdoc ITicketLedger
    function deliver(uint40 eventId, Delivery[] calldata lines, bytes calldata attestation)
        external
        returns (bytes[] memory problems)
    {
        _checkRole(LEDGER, RELAYER);
        bool tokenRail = _policyOf(eventId).isTokenRail();
        _checkAttestation(_deliveriesDigest(eventId, lines), attestation);

        problems = new bytes[](lines.length);
        Bulk memory bulk = _startBulk(lines.length);
        for (uint256 i = 0; i < lines.length; ++i) {
            DeliveryTarget target = lines[i].target;
            Payment payment = lines[i].payment;
            TicketWord word = _tickets[target.id()];
            bytes memory problem = _deliveryProblem(eventId, tokenRail, word, target, payment);
            if (problem.length > 0) problems[i] = _skip(target.id(), payment.ref(), problem);
            else _sell(bulk, word, target, payment);
        }
        _changeCustody(bulk.custody);
        if (bulk.count > 0) emit Delivered(eventId, _appliedLines(bulk));
    }

    // ------------------------------------------------------------------------------------------------ gifts

    /// @inheritdoc ITicketLedger
    function gift(uint64 id, uint16 epoch, address to, bool custodied, uint40 deadline, bytes calldata consent)
        external
    {
        TicketWord word = _tickets[id];
        _check(_giftProblem(id, word, epoch, to, custodied));
        bytes32 digest = _giftDigest(id, epoch, to, custodied, deadline);
        _check(_consentProblem(id, word, digest, deadline, consent, gasleft()));
        _give(id, word, to, custodied);
    }

    /// @inheritdoc IERC721
    /// @dev A gift by the holder of a ticket not custodied, to an own wallet, under the rules of `gift`.
    function transferFrom(address from, address to, uint256 tokenId) external {
        _transfer(from, to, tokenId);
    }

    /// @inheritdoc IERC721
    /// @dev As `transferFrom`; then asks the new holder, if it has code, for `onERC721Received`.
    function safeTransferFrom(address from, address to, uint256 tokenId) external {
        _transfer(from, to, tokenId);
        ERC721Utils.checkOnERC721Received(msg.sender, from, to, tokenId, "");
    }

    /// @inheritdoc IERC721
    /// @dev As `transferFrom`; then asks the new holder, if it has code, for `onERC721Received`.
    function safeTransferFrom(address from, address to, uint256 tokenId, bytes calldata data) external {
        _transfer(from, to, tokenId);
        ERC721Utils.checkOnERC721Received(msg.sender, from, to, tokenId, data);
    }

    // ------------------------------------------------------------------------------------------------ resales

    /// @inheritdoc ITicketLedger
    function settleResales(uint40 eventId, Settlement[] calldata lines, bytes calldata attestation)
        external
        returns (bytes[] memory problems)
    {
        _checkRole(LEDGER, RELAYER);
        PolicyWord policy = _policyOf(eventId);
        if (policy.isTokenRail()) revert Ledger_WrongRail(eventId);
        _checkAttestation(_settlementsDigest(eventId, lines), attestation);

        problems = new bytes[](lines.length);
        bytes3 currency = _moneyTerms[eventId].currency;
        Bulk memory bulk = _startBulk(lines.length);
        for (uint256 i = 0; i < lines.length; ++i) {
            problems[i] = _settle(bulk, eventId, policy, currency, lines[i]);
        }
        _changeCustody(bulk.custody);
        _addToPot(eventId, bulk.royalties);
        if (bulk.count > 0) emit Settled(eventId, _appliedLines(bulk));
    }

    /// @inheritdoc ITicketLedger
    function buyResale(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 deadline, bytes calldata consent)
        external
        nonReentrant
    {
        uint40 eventId = TicketId.eventOf(id);
        PolicyWord policy = _policies[eventId];
        TicketWord word = _tickets[id];
        _check(_resaleProblem(id, word, policy, epoch, price));
        if (!policy.isTokenRail()) revert Ledger_WrongRail(eventId);
        if (buyer != address(0) && buyer != msg.sender) revert Ledger_RefusedAccount(msg.sender);
        _check(_buyerProblem(word, msg.sender, false));

        MoneyTerms storage terms = _moneyTerms[eventId];
        bytes32 digest = _offerDigest(Offer(id, epoch, price, terms.currency, terms.token, buyer, deadline));
        _check(_consentProblem(id, word, digest, deadline, consent, gasleft()));
        _buy(id, word, policy, price);
    }

    // ------------------------------------------------------------------------------------------------ back to stock, void, revoke

    /// @inheritdoc ITicketLedger
    function refund(uint64 id, uint16 epoch, uint40 amount, bytes16 ref, uint40 deadline, bytes calldata consent)
        external
    {
        _checkRole(LEDGER, RELAYER);
        TicketWord word = _tickets[id];
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        _check(_moveProblem(id, word, policy, epoch));
        if (policy.isTokenRail()) revert Ledger_WrongRail(TicketId.eventOf(id));
        if (amount > word.price()) revert Ledger_OverRefund(id, amount, word.price());
        _check(_consentProblem(id, word, _refundDigest(id, epoch, amount, deadline), deadline, consent, gasleft()));

        TicketWord next = word.returned();
        _move(id, word, next);
        emit Refunded(id, word.holder(), next.epoch(), amount, ref);
    }

    /// @inheritdoc ITicketLedger
    function voidTicket(uint64 id, uint16 epoch, bytes16 ref, bytes calldata attestation) external {
        _checkRole(LEDGER, RELAYER);
        TicketWord word = _tickets[id];
        _check(_heldProblem(id, word));
        _check(_staleProblem(id, word, epoch));
        _checkAttestation(_voidDigest(id, epoch, ref), attestation);

        TicketWord next = word.voided();
        _move(id, word, next);
        emit Voided(id, word.holder(), next.epoch(), ref);
    }

    /// @inheritdoc ITicketLedger
    function revoke(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _tickets[id];
        _check(_moveProblem(id, word, _policies[TicketId.eventOf(id)], epoch));
        bool byHolder = consent.length == 0 && msg.sender == _ownerOf(word);
        if (!byHolder) {
            _check(_consentProblem(id, word, _revokeDigest(id, epoch, deadline), deadline, consent, gasleft()));
        }

        TicketWord next = word.revoked();
        _tickets[id] = next;
        emit Revoked(id, word.holder(), next.epoch());
    }

    // ------------------------------------------------------------------------------------------------ gate

    /// @inheritdoc ITicketLedger
    function redeem(uint40 eventId, Redemption[] calldata lines) external returns (bytes[] memory problems) {
        _checkEventRole(eventId, _policyOf(eventId), GATE);

        problems = new bytes[](lines.length);
        Redemption[] memory applied = new Redemption[](lines.length);
        uint256 count = 0;
        for (uint256 i = 0; i < lines.length; ++i) {
            uint64 id = TicketId.ofNumber(eventId, lines[i].number());
            TicketWord word = _tickets[id];
            bytes memory problem = _heldProblem(id, word);
            if (problem.length == 0) problem = _staleProblem(id, word, lines[i].epoch());
            if (problem.length > 0) {
                problems[i] = _skip(id, 0, problem);
            } else {
                _tickets[id] = word.redeemed();
                applied[count++] = lines[i];
            }
        }
        assembly ("memory-safe") {
            mstore(applied, count) // shortens the list
        }
        if (count > 0) emit Redeemed(eventId, msg.sender, applied);
    }

    // ------------------------------------------------------------------------------------------------ internal, singles

    function _transfer(address from, address to, uint256 tokenId) private {
        address owner = ownerOf(tokenId);
        uint64 id = uint64(tokenId);
        TicketWord word = _tickets[id];
        if (from != owner) revert ERC721IncorrectOwner(from, tokenId, owner);
        if (msg.sender != owner) revert ERC721InsufficientApproval(msg.sender, tokenId);
        _check(_giftProblem(id, word, word.epoch(), to, false));
        _give(id, word, to, false);
    }

    function _give(uint64 id, TicketWord word, address to, bool custodied) private {
        TicketWord next = word.given(to, custodied, uint32(block.timestamp));
        _move(id, word, next);
        emit Given(id, word.holder(), to, custodied, next.epoch());
    }

    /// @dev State first, tokens last.
    function _buy(uint64 id, TicketWord word, PolicyWord policy, uint40 price) private {
        uint40 royalty = _royaltyOf(id, policy, price);
        TicketWord next = word.bought(msg.sender, false, uint32(block.timestamp), price);
        _move(id, word, next);
        emit Resold(id, word.holder(), msg.sender, next.epoch(), price, royalty);
        _collect(TicketId.eventOf(id), policy, word.holder(), price, royalty);
    }

    function _buyerProblem(TicketWord word, address buyer, bool custodied) private view returns (bytes memory) {
        if (buyer == word.holder()) return abi.encodeWithSelector(Ledger_RefusedAccount.selector, buyer);
        return _recipientProblem(buyer, custodied);
    }

    // ------------------------------------------------------------------------------------------------ internal, bulk

    function _startBulk(uint256 lines) private pure returns (Bulk memory bulk) {
        bulk.applied = new Delivery[](lines);
    }

    function _skip(uint64 id, bytes16 ref, bytes memory problem) private returns (bytes memory) {
        emit Skipped(id, ref, problem);
        return problem;
    }

    /// @dev The rules have been checked: hands the ticket to the buyer of this line.
    function _sell(Bulk memory bulk, TicketWord word, DeliveryTarget target, Payment payment) private {
        TicketWord next = word.bought(target.holder(), target.isCustodied(), uint32(block.timestamp), payment.price());
        bulk.custody += _moveInBulk(target.id(), word, next);
        bulk.applied[bulk.count++] = Delivery(target, payment);
    }

    /// @dev One line of `settleResales`.
    function _settle(Bulk memory bulk, uint40 eventId, PolicyWord policy, bytes3 currency, Settlement calldata line)
        private
        returns (bytes memory problem)
    {
        DeliveryTarget target = line.target;
        TicketWord word = _tickets[target.id()];
        problem = _settlementProblem(eventId, policy, word, line);
        if (problem.length == 0) problem = _offerProblem(word, currency, line);
        if (problem.length > 0) return _skip(target.id(), line.payment.ref(), problem);

        bulk.royalties += _royaltyOf(target.id(), policy, line.payment.price());
        _sell(bulk, word, target, line.payment);
    }

    /// @dev The ticket is of this event, may be resold at this price, and its buyer is fit for it.
    function _settlementProblem(uint40 eventId, PolicyWord policy, TicketWord word, Settlement calldata line)
        private
        view
        returns (bytes memory problem)
    {
        DeliveryTarget target = line.target;
        uint64 id = target.id();
        if (TicketId.eventOf(id) != eventId) return _otherEventProblem(id, eventId);
        problem = _resaleProblem(id, word, policy, target.epoch(), line.payment.price());
        if (problem.length == 0) problem = _buyerProblem(word, target.holder(), target.isCustodied());
    }

    /// @dev The seller offered the ticket at this price: to anyone, or else to this buyer.
    function _offerProblem(TicketWord word, bytes3 currency, Settlement calldata line)
        private
        view
        returns (bytes memory problem)
    {
        DeliveryTarget target = line.target;
        Offer memory offer = Offer({
            id: target.id(),
            epoch: target.epoch(),
            price: line.payment.price(),
            currency: currency,
            token: address(0),
            buyer: address(0),
            deadline: line.deadline
        });
        if (_isSigned(word, _offerDigest(offer), line.consent, BULK_CONSENT_GAS) && block.timestamp <= line.deadline) {
            return problem;
        }
        offer.buyer = target.holder();
        return _consentProblem(offer.id, word, _offerDigest(offer), line.deadline, line.consent, BULK_CONSENT_GAS);
    }

    /// @dev The applied lines of a bulk call, without the places kept for skipped ones.
    function _appliedLines(Bulk memory bulk) private pure returns (Delivery[] memory lines) {
        lines = bulk.applied;
        uint256 count = bulk.count;
        assembly ("memory-safe") {
            mstore(lines, count) // shortens the list
        }
    }
}
