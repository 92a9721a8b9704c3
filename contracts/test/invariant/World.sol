// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {MockToken} from "../mocks/MockToken.sol";
import {MockWallet} from "../mocks/MockWallet.sol";
import {Base} from "../Base.t.sol";
import {Adversary} from "./Adversary.sol";
import {DisputeHandler} from "./DisputeHandler.sol";
import {FanHandler} from "./FanHandler.sol";
import {Ghosts} from "./Ghosts.sol";
import {MoneyHandler} from "./MoneyHandler.sol";
import {OrganizerHandler} from "./OrganizerHandler.sol";
import {ServiceHandler} from "./ServiceHandler.sol";
import {Store} from "./Store.sol";

/// @notice Four events of unlike terms, two tokens, six people and their handlers.
abstract contract World is Base {
    Store public store;
    MockToken internal otherToken;
    FanHandler public fans;
    ServiceHandler public service;
    DisputeHandler public disputes;
    MoneyHandler public money;
    OrganizerHandler public organizers;
    Adversary public adversary;

    function setUp() public virtual override {
        super.setUp();
        otherToken = new MockToken();
        vm.prank(admin);
        ledger.allowToken(address(otherToken), true);
        store = new Store(ledger);
        _addPeople();
        _addEvents();
        vm.warp(RESALE_OPENS);
        store.pass(RESALE_OPENS - START);
        fans = new FanHandler(store);
        service = new ServiceHandler(store);
        disputes = new DisputeHandler(store);
        money = new MoneyHandler(store);
        organizers = new OrganizerHandler(store);
        adversary = new Adversary(store);
        for (uint256 i = 0; i < 5; ++i) {
            service.deliver(uint256(keccak256(abi.encode("sold before", i))));
        }
        money.buy(1);
        money.buy(2);
    }

    // ------------------------------------------------------------------------------------------------ people

    function _addPeople() private {
        Fan[4] memory people = [alice, bob, carol, _fan("dave")];
        for (uint256 i = 0; i < people.length; ++i) {
            store.addAccount(people[i].account, people[i].key);
        }
        Fan memory wallet = _fan("alice's wallet");
        _register(alice, wallet.account);
        store.addAccount(wallet.account, wallet.key);
        Fan memory erin = _fan("erin");
        address contractWallet = address(new MockWallet(erin.account));
        vm.prank(admin);
        ledger.allowAccountCode(contractWallet.codehash, true);
        store.addAccount(contractWallet, erin.key);
        address[5] memory others = [payeeA, payeeB, payeeC, organizer, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            store.addAccount(others[i], 0);
        }
        store.addToken(address(token));
        store.addToken(address(otherToken));
    }

    // ------------------------------------------------------------------------------------------------ events

    function _addEvents() private {
        ILedgerTypes.Terms memory terms = _terms();
        terms.reissue = true;
        _addEvent(terms, _schedule());

        terms = _terms();
        (terms.capBps, terms.royaltyBps, terms.giftLimit, terms.cooldown) = (15_000, 700, 7, 0);
        (terms.capAtPaid, terms.holderLimit, terms.entries, terms.identity) = (true, 3, 3, true);
        terms.earliestRelease = START + 3 days;
        _addEvent(terms, _soon());

        terms = _terms();
        (terms.token, terms.unitExponent, terms.capBps, terms.entries) = (address(token), 4, 10_000, 255);
        _addEvent(terms, _schedule());

        terms = _terms();
        (terms.token, terms.capBps, terms.royaltyBps, terms.holderLimit) = (address(otherToken), 9_000, 10_000, 2);
        terms.earliestRelease = START + 3 days;
        _addEvent(terms, _soon());
    }

    /// @dev Closes, and releases its escrow, within a history.
    function _soon() private pure returns (ILedgerTypes.Schedule memory) {
        return ILedgerTypes.Schedule(
            START + 3 days, START + 4 days, START + 3 days, START, START + 3 days + 12 hours, START + 4 days
        );
    }

    function _addEvent(ILedgerTypes.Terms memory terms, ILedgerTypes.Schedule memory schedule) private {
        vm.startPrank(organizer);
        uint40 created = ledger.createEvent(organizer, "mine", terms, schedule);
        ledger.setRoles(created, gate, GATE);
        ledger.issue(created, 0, ILedgerTypes.Batch(3, 1, 0, 7, FACE), "manifest");
        uint64 second = ledger.issue(created, 1, ILedgerTypes.Batch(2, 1, 0, 7, 12_500), "manifest");
        vm.stopPrank();
        store.addEvent(
            created,
            Ghosts.EventRules({
                capBps: terms.capBps,
                royaltyBps: terms.royaltyBps,
                giftLimit: terms.giftLimit,
                cooldown: terms.cooldown,
                holderLimit: terms.holderLimit,
                entries: terms.entries,
                capAtPaid: terms.capAtPaid,
                token: terms.token,
                unit: 10 ** uint256(terms.unitExponent),
                organizer: organizer
            })
        );
        for (uint64 i = 0; i < 3; ++i) {
            store.addTicket(second - (1 << 16) + i);
        }
        store.addTicket(second);
        store.addTicket(second + 1);
        _remember(created);
    }

    /// @notice What the ledger says of the event's terms, once and for all.
    mapping(uint40 eventId => bytes32) internal _termsHash;

    function _remember(uint40 event_) private {
        _termsHash[event_] = _hashTerms(event_);
    }

    /// @dev All that can't change: the policy word but for status, delegation and schedule; what moves do not read; the promises.
    function _hashTerms(uint40 event_) internal view returns (bytes32) {
        uint256 policy = uint256(bytes32(abi.encode(ledger.policyWordOf(event_)))) & ((1 << 96) - 1);
        policy &= ~uint256(0x1ff);
        (bytes3 currency, address token_, bytes32 payeesHash, bytes32 refundRule) = ledger.moneyTermsOf(event_);
        (bytes32 giftRoot, uint8 entries) = ledger.specialTermsOf(event_);
        uint24[4] memory supplies;
        for (uint8 class = 0; class < 4; ++class) {
            (supplies[class],) = ledger.suppliesOf(event_, class);
        }
        address creator = ledger.organizerOf(event_);
        return
            keccak256(
                abi.encode(policy, currency, token_, payeesHash, refundRule, giftRoot, entries, supplies, creator)
            );
    }

    // ------------------------------------------------------------------------------------------------ for forge

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](6);
        (targets[0], targets[1], targets[2]) = (address(fans), address(service), address(disputes));
        (targets[3], targets[4], targets[5]) = (address(money), address(organizers), address(adversary));
    }
}
