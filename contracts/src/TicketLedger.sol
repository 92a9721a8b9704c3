// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ERC721Utils} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Utils.sol";

import {ITicketMoves} from "./interfaces/ITicketMoves.sol";
import {LineLog} from "./libraries/LineLog.sol";
import {Chained} from "./parts/Chained.sol";
import {TicketFace} from "./parts/TicketFace.sol";
import {BatchWords} from "./types/BatchWord.sol";
import {DeliveryTarget, Payment, Redemption} from "./types/Lines.sol";
import {PolicyWord, PolicyWords} from "./types/PolicyWord.sol";
import {SupplyWord, SupplyWords} from "./types/SupplyWord.sol";
import {TicketId} from "./types/TicketId.sol";
import {TicketWord, TicketWords} from "./types/TicketWord.sol";

/// @title TicketLedger: every ticket, every move, every redemption
/// @notice The functions are those of `ITicketLedger`. Here are the ones of a ticket's usual life, from issue to redemption; rarer ones are
/// in `TicketDesk`, organizers and money in `TicketOffice`, which run in this contract's name (see `Chained`). What they share is in
/// `base/`: who may act (Roles), what is signed (Consents), what is stored (EventBook, Tickets), the rules of moving (Rules), the
/// money (Treasury). Nothing can be upgraded, and nobody can stop holders from taking their tickets out.
/// @dev What it will not do: hold native coin, approve operators, call a receiver (but for `safeTransferFrom`), move a held ticket
/// without its holder's consent (but for `refundCancelled`, `voidTicket` and `reissue`).
contract TicketLedger is TicketFace, Chained {
    /// @dev What the lines of a bulk resale share besides, and what they have brought in.
    struct Resales {
        Bulk bulk;
        bytes32 domain;
        Offer offer;
        uint256 royalties;
    }

    /// @dev What a contract wallet may use to check a consent in a bulk call, so that no line can eat up the others' gas.
    uint256 private constant BULK_CONSENT_GAS = 100_000;

    /// @dev Of the terms' `entries`: once a day.
    uint8 private constant DAILY = 255;

    /// @param admin first admin, who appoints relayers and attestors
    /// @param baseURI start of every `tokenURI`; the decimal id follows
    /// @param desk a `TicketDesk`, deployed before: together their creation code is over the limit of EIP-3860
    constructor(address admin, string memory baseURI, address desk) Chained(desk) {
        if (admin == address(0)) revert Ledger_RefusedAccount(admin);
        _setRoles(LEDGER, admin, ADMIN);
        _baseURI = baseURI;
    }

    // ------------------------------------------------------------------------------------------------ into and from stock

    /// @inheritdoc ITicketMoves
    function issue(uint40 eventId, uint8 number, Batch calldata batch, bytes32 manifest)
        external
        returns (uint64 firstId)
    {
        _checkEventRole(eventId, _policyOf(eventId), ORGANIZER);
        SupplyWord supplies = _supplies[eventId];
        uint8 expected = supplies.batches();
        if (number != expected) revert Ledger_WrongBatchNumber(eventId, number, expected);
        if (expected == type(uint8).max) revert Ledger_TooManyBatches(eventId);
        if (batch.supply == 0) revert Ledger_BadTerms("supply");
        if (batch.supplyClass >= SupplyWords.CLASSES) revert Ledger_BadTerms("supplyClass");
        uint24 left = supplies.committed(batch.supplyClass) - supplies.issued(batch.supplyClass);
        if (batch.supply > left) revert Ledger_OverSupply(eventId, batch.supplyClass, left);

        _supplies[eventId] = supplies.withBatch(batch.supplyClass, batch.supply);
        _batches[TicketId.batchKey(eventId, number)] =
            BatchWords.pack(batch.supply, batch.priceClass, batch.supplyClass, batch.section, batch.face);
        emit BatchIssued(eventId, number, batch, manifest);
        return TicketId.first(eventId, number);
    }

    /// @inheritdoc ITicketMoves
    function deliver(uint40 eventId, Delivery[] calldata lines, bytes calldata attestation)
        external
        returns (bytes[] memory problems)
    {
        _checkRole(LEDGER, RELAYER);
        Bulk memory bulk = _startBulk(eventId);
        bulk.open = bulk.policy.isLive();
        uint256[] memory words = LineLog.copy(lines);
        _checkAttestation(_deliveriesDigest(eventId, LineLog.hash(words)), attestation);

        for (uint256 i = 0; i < lines.length; ++i) {
            (DeliveryTarget target, Payment payment) = LineLog.lineAt(words, i);
            Slot storage slot = _tickets[target.id()];
            TicketWord word = slot.word;
            if (_mayDeliver(bulk, word, target, payment)) {
                if (word.isPooled()) _payFromPool(bulk, target.id(), word);
                _sell(bulk, words, slot, word, target, payment);
            } else {
                bytes memory problem = _whyNotDelivered(bulk, word, target, payment);
                bulk.skipped = true;
                problems = _skip(problems, lines.length, i, target.id(), payment.ref(), problem);
            }
        }
        _changeCustody(bulk.custody);
        LineLog.log(words, bulk.applied, Delivered.selector, eventId);
    }

    // ------------------------------------------------------------------------------------------------ gifts

    /// @inheritdoc ITicketMoves
    function gift(uint64 id, uint16 epoch, address to, bool custodied, uint40 deadline, bytes calldata consent)
        external
    {
        TicketWord word = _tickets[id].word;
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        _check(_giftProblem(id, word, policy, epoch, to, custodied, false));
        bytes32 digest = _giftDigest(id, epoch, to, custodied, deadline);
        _check(_consentProblem(id, word, digest, deadline, consent, gasleft()));
        _give(id, word, policy, to, custodied);
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

    /// @inheritdoc ITicketMoves
    function settleResales(
        uint40 eventId,
        Delivery[] calldata lines,
        bytes calldata consents,
        bytes calldata attestation
    ) external returns (bytes[] memory problems) {
        _checkRole(LEDGER, RELAYER);
        Resales memory resales;
        resales.bulk = _startBulk(eventId);
        if (resales.bulk.policy.isTokenRail()) revert Ledger_WrongRail(eventId);
        resales.bulk.open = _areResalesOpen(resales.bulk.policy);
        uint256[] memory words = LineLog.copy(lines);
        _checkAttestation(_settlementsDigest(eventId, LineLog.hash(words)), attestation);

        resales.domain = _domainSeparatorV4();
        resales.offer.typeHash = OFFER_TYPEHASH;
        resales.offer.currency = _moneyTerms[eventId].currency;
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 end = 2 + uint256(uint16(bytes2(consents)));
            bytes memory problem = _settle(resales, words, i, consents[2:end]);
            consents = consents[end:];
            if (problem.length > 0) {
                resales.bulk.skipped = true;
                (DeliveryTarget target, Payment payment) = LineLog.lineAt(words, i);
                problems = _skip(problems, lines.length, i, target.id(), payment.ref(), problem);
            }
        }
        _changeCustody(resales.bulk.custody);
        _addToPot(eventId, resales.royalties);
        LineLog.log(words, resales.bulk.applied, Settled.selector, eventId);
    }

    /// @inheritdoc ITicketMoves
    function buyResale(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 deadline, bytes calldata consent)
        external
        nonReentrant
    {
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        TicketWord word = _tickets[id].word;
        MoneyTerms storage terms = _moneyTerms[TicketId.eventOf(id)];
        Offer memory offer = Offer(OFFER_TYPEHASH, id, epoch, price, terms.currency, terms.token, buyer, deadline);
        uint40 face = _faceOf(id);

        _check(_purchaseProblem(offer, word, policy, face));
        _check(_consentProblem(id, word, _offerDigest(_domainSeparatorV4(), offer), deadline, consent, gasleft()));
        _buy(offer, word, policy, face);
    }

    // ------------------------------------------------------------------------------------------------ gate

    /// @inheritdoc ITicketMoves
    function redeem(uint40 eventId, Redemption[] calldata lines) external returns (bytes[] memory problems) {
        uint8 entries = _startRedeem(eventId);
        Redemption[] memory applied = new Redemption[](lines.length);
        uint256 count = 0;
        for (uint256 i = 0; i < lines.length; ++i) {
            Redemption line = lines[i];
            bytes memory problem = _enter(TicketId.ofNumber(eventId, line.number()), line.epoch(), entries);
            if (problem.length == 0) applied[count++] = line;
            else problems = _skip(problems, lines.length, i, TicketId.ofNumber(eventId, line.number()), 0, problem);
        }
        assembly ("memory-safe") {
            mstore(applied, count) // shortens the list
        }
        if (count > 0) emit Redeemed(eventId, msg.sender, applied);
    }

    // ------------------------------------------------------------------------------------------------ internal, gate

    /// @dev A line of `redeem`: does it, or tells why not.
    function _enter(uint64 id, uint16 epoch, uint8 entries) private returns (bytes memory problem) {
        Slot storage slot = _tickets[id];
        TicketWord word = slot.word;
        if (!_mayEnter(id, word, epoch, entries)) return _whyNotEntered(id, word, epoch, entries);
        slot.word = word.redeemed();
        if (entries > 1) _countEntry(id, entries);
    }

    /// @dev The caller is a gate of the event, which was not cancelled.
    /// @return entries how often a ticket is good, or `DAILY`
    function _startRedeem(uint40 eventId) private view returns (uint8 entries) {
        PolicyWord policy = _policyOf(eventId);
        _checkEventRole(eventId, policy, GATE);
        if (policy.isCancelled()) revert Ledger_Cancelled(eventId);
        entries = policy.has(PolicyWords.REENTRY) ? _entryLimits[eventId] : 1;
    }

    /// @dev The ticket may enter: for the first time, or again if it is good for more entries.
    function _mayEnter(uint64 id, TicketWord word, uint16 epoch, uint8 entries) private view returns (bool) {
        if (word.isUnusedAt(epoch)) return true;
        if (entries == 1 || !word.isRedeemed() || word.epoch() != epoch) return false;
        Entries memory used = _entries[id];
        return entries == DAILY ? used.day < _today() : used.count < entries;
    }

    /// @dev Why `_mayEnter` says no.
    function _whyNotEntered(uint64 id, TicketWord word, uint16 epoch, uint8 entries)
        private
        view
        returns (bytes memory)
    {
        if (entries == 1 || !word.isRedeemed()) return _heldProblem(id, word, epoch);
        if (word.epoch() != epoch) return _whyNotAtEpoch(id, word, epoch);
        return abi.encodeWithSelector(Ledger_NoEntryLeft.selector, id, entries);
    }

    function _countEntry(uint64 id, uint8 entries) private {
        uint8 count = entries == DAILY ? 0 : _entries[id].count + 1;
        _entries[id] = Entries(count, _today());
    }

    /// @dev Days since 1970, UTC.
    function _today() private view returns (uint32) {
        return uint32(block.timestamp / 1 days);
    }

    // ------------------------------------------------------------------------------------------------ internal, singles

    function _transfer(address from, address to, uint256 tokenId) private {
        address owner = ownerOf(tokenId);
        uint64 id = uint64(tokenId);
        TicketWord word = _tickets[id].word;
        if (from != owner) revert ERC721IncorrectOwner(from, tokenId, owner);
        if (msg.sender != owner) revert ERC721InsufficientApproval(msg.sender, tokenId);
        PolicyWord policy = _policies[TicketId.eventOf(id)];
        _check(_giftProblem(id, word, policy, word.epoch(), to, false, false));
        _give(id, word, policy, to, false);
    }

    function _give(uint64 id, TicketWord word, PolicyWord policy, address to, bool custodied) private {
        TicketWord next = word.given(to, custodied, uint32(block.timestamp));
        _move(id, word, next, policy);
        emit Given(id, word.holder(), to, custodied, next.epoch());
    }

    /// @dev The caller may buy the ticket on these terms.
    function _purchaseProblem(Offer memory offer, TicketWord word, PolicyWord policy, uint40 face)
        private
        view
        returns (bytes memory problem)
    {
        problem = _resaleProblem(offer.id, word, policy, offer.epoch, offer.price, face);
        if (problem.length > 0) return problem;
        if (!policy.isTokenRail()) {
            problem = abi.encodeWithSelector(Ledger_WrongRail.selector, TicketId.eventOf(offer.id));
        } else if (offer.buyer != address(0) && offer.buyer != msg.sender) {
            problem = _refusedProblem(msg.sender);
        } else {
            problem = _receiverProblem(offer.id, word, policy, msg.sender, false);
        }
    }

    /// @dev State first, tokens last.
    function _buy(Offer memory offer, TicketWord word, PolicyWord policy, uint40 face) private {
        uint64 id = offer.id;
        uint40 royalty = _royaltyOf(policy, offer.price, face);
        TicketWord next = word.bought(msg.sender, false, uint32(block.timestamp), offer.price);
        _move(id, word, next, policy);
        emit Resold(id, word.holder(), msg.sender, next.epoch(), offer.price, royalty);
        _collect(TicketId.eventOf(id), offer.token, policy.unit(), word.holder(), offer.price, royalty);
    }

    // ------------------------------------------------------------------------------------------------ internal, bulk

    function _startBulk(uint40 eventId) private view returns (Bulk memory bulk) {
        bulk.eventId = eventId;
        bulk.policy = _policyOf(eventId);
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
        TicketWord next = TicketWords.boughtBy(target, payment, uint32(block.timestamp));
        unchecked {
            // Each is at most the number of lines.
            bulk.custody += _moveInBulk(slot, target.id(), word, next, bulk.policy.holderLimit() > 0);
            if (bulk.skipped) LineLog.put(words, bulk.applied, target, payment); // else it lies there already
            ++bulk.applied;
        }
    }

    /// @dev A ticket from the pool is sold: its seller is owed the price, less the royalty.
    function _payFromPool(Bulk memory bulk, uint64 id, TicketWord word) private {
        uint40 royalty = _royaltyOf(bulk.policy, word.price(), bulk.batch.face());
        emit PoolSold(id, _pool[id].seller, word.price(), royalty);
        delete _pool[id];
        _addToPot(bulk.eventId, royalty);
    }

    /// @dev A line of `settleResales`: does it, or tells why not.
    function _settle(Resales memory resales, uint256[] memory words, uint256 i, bytes calldata consent)
        private
        returns (bytes memory problem)
    {
        (DeliveryTarget target, Payment payment) = LineLog.lineAt(words, i);
        Slot storage slot = _tickets[target.id()];
        TicketWord word = slot.word;
        if (!_maySettle(resales.bulk, word, target, payment)) {
            return _whyNotSettled(resales.bulk, word, target, payment);
        }
        problem = _offerProblem(resales, word, target, payment, consent);
        if (problem.length > 0) return problem;
        unchecked {
            // Each royalty is below 2 ** 40. The batch is this ticket's since its rules were checked.
            resales.royalties += _royaltyOf(resales.bulk.policy, payment.price(), resales.bulk.batch.face());
        }
        _sell(resales.bulk, words, slot, word, target, payment);
    }

    /// @dev The seller offered the ticket on these terms.
    function _offerProblem(
        Resales memory resales,
        TicketWord word,
        DeliveryTarget target,
        Payment payment,
        bytes calldata consent
    ) private view returns (bytes memory) {
        Offer memory offer = resales.offer; // currency and token are filled in
        offer.id = target.id();
        offer.epoch = target.epoch();
        offer.price = payment.price();
        offer.deadline = payment.deadline();
        offer.buyer = payment.isBound() ? target.holder() : address(0);
        bytes32 digest = _offerDigest(resales.domain, offer);
        return _consentProblem(offer.id, word, digest, offer.deadline, consent, BULK_CONSENT_GAS);
    }
}
