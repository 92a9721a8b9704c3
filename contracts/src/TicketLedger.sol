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
import {LineLog} from "./libraries/LineLog.sol";
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
    /// @dev What the lines of a bulk resale share besides, and what they have brought in.
    struct Resales {
        Bulk bulk;
        bytes32 domain;
        Offer offer;
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
        Bulk memory bulk = _startBulk(eventId);
        uint256[] memory words = LineLog.copy(lines);
        _checkAttestation(_deliveriesDigest(eventId, LineLog.hash(words)), attestation);

        for (uint256 i = 0; i < lines.length; ++i) {
            (DeliveryTarget target, Payment payment) = LineLog.lineAt(words, i);
            Slot storage slot = _tickets[target.id()];
            TicketWord word = slot.word;
            bytes memory problem = _deliveryProblem(bulk, word, target, payment);
            if (problem.length == 0) _sell(bulk, words, slot, word, target, payment);
            else problems = _skip(problems, lines.length, i, target.id(), payment.ref(), problem);
        }
        _changeCustody(bulk.custody);
        LineLog.log(words, bulk.applied, Delivered.selector, eventId);
    }

    // ------------------------------------------------------------------------------------------------ gifts

    /// @inheritdoc ITicketLedger
    function gift(uint64 id, uint16 epoch, address to, bool custodied, uint40 deadline, bytes calldata consent)
        external
    {
        TicketWord word = _tickets[id].word;
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
        Resales memory resales;
        resales.bulk = _startBulk(eventId);
        if (resales.bulk.policy.isTokenRail()) revert Ledger_WrongRail(eventId);
        uint256[] memory words = LineLog.copy(lines);
        _checkAttestation(_settlementsDigest(eventId, LineLog.hash(words)), attestation);

        resales.domain = _domainSeparatorV4();
        resales.offer.typeHash = OFFER_TYPEHASH;
        resales.offer.currency = _moneyTerms[eventId].currency;
        for (uint256 i = 0; i < lines.length; ++i) {
            (DeliveryTarget target, Payment payment) = LineLog.lineAt(words, i);
            bytes memory problem = _settle(resales, words, target, payment, lines[i]);
            if (problem.length > 0) {
                problems = _skip(problems, lines.length, i, target.id(), payment.ref(), problem);
            }
        }
        _changeCustody(resales.bulk.custody);
        _addToPot(eventId, resales.royalties);
        LineLog.log(words, resales.bulk.applied, Settled.selector, eventId);
    }

    /// @inheritdoc ITicketLedger
    function buyResale(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 deadline, bytes calldata consent)
        external
        nonReentrant
    {
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        TicketWord word = _tickets[id].word;
        MoneyTerms storage terms = _moneyTerms[TicketId.eventOf(id)];
        Offer memory offer = Offer(OFFER_TYPEHASH, id, epoch, price, terms.currency, terms.token, buyer, deadline);

        _check(_purchaseProblem(offer, word, policy));
        _check(_consentProblem(id, word, _offerDigest(_domainSeparatorV4(), offer), deadline, consent, gasleft()));
        _buy(offer, word, policy);
    }

    // ------------------------------------------------------------------------------------------------ back to stock, void, revoke

    /// @inheritdoc ITicketLedger
    function refund(uint64 id, uint16 epoch, uint40 amount, bytes16 ref, uint40 deadline, bytes calldata consent)
        external
    {
        _checkRole(LEDGER, RELAYER);
        TicketWord word = _tickets[id].word;
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
        TicketWord word = _tickets[id].word;
        _check(_heldProblem(id, word, epoch));
        _checkAttestation(_voidDigest(id, epoch, ref), attestation);

        TicketWord next = word.voided();
        _move(id, word, next);
        emit Voided(id, word.holder(), next.epoch(), ref);
    }

    /// @inheritdoc ITicketLedger
    function revoke(uint64 id, uint16 epoch, uint40 deadline, bytes calldata consent) external {
        TicketWord word = _tickets[id].word;
        _check(_moveProblem(id, word, _policies[TicketId.eventOf(id)], epoch));
        bool byHolder = consent.length == 0 && msg.sender == _ownerOf(word);
        if (!byHolder) {
            _check(_consentProblem(id, word, _revokeDigest(id, epoch, deadline), deadline, consent, gasleft()));
        }

        TicketWord next = word.revoked();
        _tickets[id].word = next;
        emit Revoked(id, word.holder(), next.epoch());
    }

    // ------------------------------------------------------------------------------------------------ gate

    /// @inheritdoc ITicketLedger
    function redeem(uint40 eventId, Redemption[] calldata lines) external returns (bytes[] memory problems) {
        _checkEventRole(eventId, _policyOf(eventId), GATE);

        Redemption[] memory applied = new Redemption[](lines.length);
        uint256 count = 0;
        for (uint256 i = 0; i < lines.length; ++i) {
            Redemption line = lines[i];
            uint64 id = TicketId.ofNumber(eventId, line.number());
            Slot storage slot = _tickets[id];
            TicketWord word = slot.word;
            bytes memory problem = _heldProblem(id, word, line.epoch());
            if (problem.length > 0) {
                problems = _skip(problems, lines.length, i, id, 0, problem);
            } else {
                slot.word = word.redeemed();
                applied[count++] = line;
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
        TicketWord word = _tickets[id].word;
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

    /// @dev The caller may buy the ticket on these terms.
    function _purchaseProblem(Offer memory offer, TicketWord word, PolicyWord policy)
        private
        view
        returns (bytes memory problem)
    {
        problem = _resaleProblem(offer.id, word, policy, offer.epoch, offer.price, _faceOf(offer.id));
        if (problem.length > 0) return problem;
        if (!policy.isTokenRail()) {
            problem = abi.encodeWithSelector(Ledger_WrongRail.selector, TicketId.eventOf(offer.id));
        } else if (offer.buyer != address(0) && offer.buyer != msg.sender) {
            problem = _refusedProblem(msg.sender);
        } else {
            problem = _buyerProblem(word, msg.sender, false);
        }
    }

    /// @dev State first, tokens last.
    function _buy(Offer memory offer, TicketWord word, PolicyWord policy) private {
        uint64 id = offer.id;
        uint40 royalty = _royaltyOf(policy, offer.price, _faceOf(id));
        TicketWord next = word.bought(msg.sender, false, uint32(block.timestamp), offer.price);
        _move(id, word, next);
        emit Resold(id, word.holder(), msg.sender, next.epoch(), offer.price, royalty);
        uint256 unit = 10 ** uint256(policy.unitExponent());
        _collect(TicketId.eventOf(id), offer.token, unit, word.holder(), offer.price, royalty);
    }

    // ------------------------------------------------------------------------------------------------ internal, bulk

    function _startBulk(uint40 eventId) private view returns (Bulk memory bulk) {
        bulk.eventId = eventId;
        bulk.policy = _policyOf(eventId);
    }

    /// @dev Logs the problem of line `i`, and puts it into the answer, which is made with the first one.
    function _skip(bytes[] memory problems, uint256 count, uint256 i, uint64 id, bytes16 ref, bytes memory problem)
        private
        returns (bytes[] memory)
    {
        if (problems.length == 0) problems = new bytes[](count);
        problems[i] = problem;
        emit Skipped(id, ref, problem);
        return problems;
    }

    /// @dev The rules have been checked: hands the ticket to the buyer of this line, and keeps the line among the applied ones.
    function _sell(
        Bulk memory bulk,
        uint256[] memory words,
        Slot storage slot,
        TicketWord word,
        DeliveryTarget target,
        Payment payment
    ) private {
        TicketWord next = word.bought(target.holder(), target.isCustodied(), uint32(block.timestamp), payment.price());
        unchecked {
            // Each is at most the number of lines.
            bulk.custody += _moveInBulk(slot, target.id(), word, next);
            LineLog.put(words, bulk.applied++, target, payment);
        }
    }

    /// @dev A line of `settleResales`: does it, or tells why not.
    function _settle(
        Resales memory resales,
        uint256[] memory words,
        DeliveryTarget target,
        Payment payment,
        Settlement calldata line
    ) private returns (bytes memory problem) {
        Slot storage slot = _tickets[target.id()];
        TicketWord word = slot.word;
        problem = _settlementProblem(resales.bulk, word, target, payment.price());
        if (problem.length == 0) problem = _offerProblem(resales, word, target, payment.price(), line);
        if (problem.length == 0) {
            unchecked {
                // Each royalty is below 2 ** 40.
                resales.royalties += _royaltyOf(
                    resales.bulk.policy, payment.price(), _batchOf(resales.bulk, target.id()).face()
                );
            }
            _sell(resales.bulk, words, slot, word, target, payment);
        }
    }

    /// @dev The ticket is of this event, may be resold at this price, and its buyer is fit for it.
    function _settlementProblem(Bulk memory bulk, TicketWord word, DeliveryTarget target, uint40 price)
        private
        view
        returns (bytes memory problem)
    {
        uint64 id = target.id();
        uint40 face = _batchOf(bulk, id).face();
        if (TicketId.eventOf(id) != bulk.eventId) problem = _otherEventProblem(id, bulk.eventId);
        else problem = _resaleProblem(id, word, bulk.policy, target.epoch(), price, face);
        if (problem.length == 0) problem = _buyerProblem(word, target.holder(), target.isCustodied());
    }

    /// @dev The seller offered the ticket at this price: to anyone, or else to this buyer.
    function _offerProblem(
        Resales memory resales,
        TicketWord word,
        DeliveryTarget target,
        uint40 price,
        Settlement calldata line
    ) private view returns (bytes memory problem) {
        Offer memory offer = resales.offer; // currency and token are filled in
        offer.id = target.id();
        offer.epoch = target.epoch();
        offer.price = price;
        offer.deadline = line.deadline;
        offer.buyer = address(0);
        problem = _offeredProblem(resales.domain, offer, word, line.consent);
        if (problem.length > 0) {
            offer.buyer = target.holder();
            problem = _offeredProblem(resales.domain, offer, word, line.consent);
        }
    }

    function _offeredProblem(bytes32 domain, Offer memory offer, TicketWord word, bytes calldata consent)
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = _offerDigest(domain, offer);
        return _consentProblem(offer.id, word, digest, offer.deadline, consent, BULK_CONSENT_GAS);
    }
}
