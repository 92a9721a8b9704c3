// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {BatchWord} from "../src/types/BatchWord.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {Base} from "./Base.t.sol";

/// @notice Roles, events, terms, schedules, batches, entry keys.
contract EventsTest is Base {
    // ------------------------------------------------------------------------------------------------ roles

    function test_AdminAppointsLedgerRoles() external {
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RolesSet(0, stranger, RELAYER | ATTESTOR);
        vm.prank(admin);
        ledger.setRoles(0, stranger, RELAYER | ATTESTOR);
        vm.assertEq(ledger.rolesOf(0, stranger), RELAYER | ATTESTOR);
    }

    function test_RevertWhen_NoFirstAdmin() external {
        bytes memory code =
            abi.encodePacked(vm.getCode("TicketLedger.sol:TicketLedger"), abi.encode(address(0), "", ledger));
        address created;
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(0)));
        assembly {
            created := create(0, add(code, 0x20), mload(code))
        }
    }

    function test_RevertWhen_StrangerSetsLedgerRoles() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, ADMIN, stranger));
        vm.prank(stranger);
        ledger.setRoles(0, stranger, ADMIN);
    }

    function test_RevertWhen_RolesOutOfScope() external {
        vm.startPrank(admin);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadRoles.selector, 0, GATE));
        ledger.setRoles(0, stranger, GATE);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadRoles.selector, eventId, ADMIN));
        ledger.setRoles(eventId, stranger, ADMIN);
    }

    function test_OrganizerAppointsGates() external {
        vm.prank(organizer);
        ledger.setRoles(eventId, stranger, GATE);
        vm.assertEq(ledger.rolesOf(eventId, stranger), GATE);
        vm.assertEq(ledger.rolesOf(tokenEventId, stranger), 0);
    }

    function test_RevertWhen_AdminAppointsGates() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, eventId, ORGANIZER, admin));
        vm.prank(admin);
        ledger.setRoles(eventId, stranger, GATE);
    }

    function test_RevertWhen_RolesOfUnknownEvent() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        vm.prank(organizer);
        ledger.setRoles(99, stranger, GATE);
    }

    function test_DelegatedRelayerAppointsGatesButNoOrganizer() external {
        uint40 created = _createByRelayer();
        vm.startPrank(relayer);
        ledger.setRoles(created, gate, GATE);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, created, ORGANIZER, relayer));
        ledger.setRoles(created, relayer, ORGANIZER);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, created, ORGANIZER, relayer));
        ledger.setRoles(created, organizer, 0);
    }

    function test_RevertWhen_StrangerAllowsCodeOrToken() external {
        bytes memory problem = abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, ADMIN, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(problem);
        ledger.allowAccountCode("code", true);
        vm.expectRevert(problem);
        ledger.allowToken(address(token), true);
    }

    function test_AllowListsEmit() external {
        vm.startPrank(admin);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.AccountCodeAllowed("code", true);
        ledger.allowAccountCode("code", true);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.TokenAllowed(stranger, true);
        ledger.allowToken(stranger, true);
    }

    // ------------------------------------------------------------------------------------------------ createEvent

    function _createByRelayer() private returns (uint40) {
        vm.prank(relayer);
        return ledger.createEvent(organizer, "ref", _terms(), _schedule());
    }

    function test_CreateEvent() external {
        uint40 next = tokenEventId + 1;
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.EventCreated(next, organizer, "ref", _terms(), _schedule());
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.RolesSet(next, organizer, ORGANIZER);
        vm.prank(organizer);
        vm.assertEq(ledger.createEvent(organizer, "ref", _terms(), _schedule()), next);

        (bytes3 currency, address settlement, bytes32 payeesHash, bytes32 rule) = ledger.moneyTermsOf(next);
        vm.assertEq(bytes32(currency), bytes32("EUR"));
        vm.assertEq(settlement, address(0));
        vm.assertEq(payeesHash, keccak256(abi.encode(_payees())));
        vm.assertEq(rule, "rule");
        vm.assertEq(ledger.organizerOf(next), organizer);
        vm.assertEq(ledger.rolesOf(next, organizer), ORGANIZER);
        vm.assertFalse(ledger.isDelegated(next));
        vm.assertEq(abi.encode(ledger.scheduleOf(next)), abi.encode(_schedule()));
    }

    function test_CreateEventByRelayerDelegates() external {
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.DelegationChanged(tokenEventId + 1, true);
        uint40 created = _createByRelayer();
        vm.assertTrue(ledger.isDelegated(created));
        vm.assertEq(ledger.organizerOf(created), organizer);
    }

    function test_RevertWhen_StrangerCreatesForAnother() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger));
        vm.prank(stranger);
        ledger.createEvent(organizer, "ref", _terms(), _schedule());
    }

    function test_RevertWhen_NoOrganizer() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(0)));
        vm.prank(relayer);
        ledger.createEvent(address(0), "ref", _terms(), _schedule());
    }

    function _expectBadTerms(ILedgerTypes.Terms memory terms, bytes32 field) private {
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadTerms.selector, field));
        vm.prank(organizer);
        ledger.createEvent(organizer, "ref", terms, _schedule());
    }

    function test_RevertWhen_TermsOutOfRange() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.currency = "EuR";
        _expectBadTerms(terms, "currency");
        terms.currency = "EU";
        _expectBadTerms(terms, "currency");
        terms = _terms();
        terms.royaltyBps = 10_001;
        _expectBadTerms(terms, "royaltyBps");
        terms = _terms();
        terms.giftLimit = 8;
        _expectBadTerms(terms, "giftLimit");
        terms = _terms();
        terms.token = stranger;
        _expectBadTerms(terms, "token");
        terms.token = address(token);
        _expectBadTerms(terms, "capBps");
        terms.capBps = 10_000;
        terms.unitExponent = 25;
        _expectBadTerms(terms, "unitExponent");
    }

    function _expectBadPayees(ILedgerTypes.Payee[] memory payees) private {
        ILedgerTypes.Terms memory terms = _terms();
        terms.payees = payees;
        vm.expectRevert(Ledger_BadPayees.selector);
        vm.prank(organizer);
        ledger.createEvent(organizer, "ref", terms, _schedule());
    }

    function test_RevertWhen_PayeesBad() external {
        ILedgerTypes.Payee[] memory payees = _payees();
        payees[0].bps += 1;
        _expectBadPayees(payees);
        payees[0].bps -= 2;
        _expectBadPayees(payees);
        payees = _payees();
        payees[1].account = address(0);
        _expectBadPayees(payees);
        payees[1].account = address(ledger);
        _expectBadPayees(payees);
        _expectBadPayees(new ILedgerTypes.Payee[](0));
        payees = new ILedgerTypes.Payee[](33);
        for (uint256 i = 0; i < 33; ++i) {
            payees[i].account = stranger;
        }
        payees[0].bps = 10_000;
        _expectBadPayees(payees);
    }

    // ------------------------------------------------------------------------------------------------ schedule

    function _expectBadSchedule(ILedgerTypes.Schedule memory schedule, bytes32 field) private {
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, field));
        vm.prank(organizer);
        ledger.setSchedule(eventId, schedule, "rain");
    }

    function test_SetSchedule() external {
        ILedgerTypes.Schedule memory schedule = _schedule();
        schedule.movesCloseAt += 10 days;
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.ScheduleChanged(eventId, schedule, "rain");
        vm.prank(organizer);
        ledger.setSchedule(eventId, schedule, "rain");
        vm.assertEq(abi.encode(ledger.scheduleOf(eventId)), abi.encode(schedule));
        vm.assertEq(ledger.batchesOf(eventId), 1);
    }

    function test_RevertWhen_ScheduleContradictsItself() external {
        ILedgerTypes.Schedule memory schedule = _schedule();
        schedule.giftsCloseAt = MOVES_CLOSE + 1;
        _expectBadSchedule(schedule, "giftsCloseAt");
        schedule = _schedule();
        schedule.resaleClosesAt = MOVES_CLOSE + 1;
        _expectBadSchedule(schedule, "resaleClosesAt");
        schedule = _schedule();
        schedule.resaleOpensAt = RESALE_CLOSES + 1;
        _expectBadSchedule(schedule, "resaleOpensAt");
        _expectBadSchedule(ILedgerTypes.Schedule(0, 0, 0, 0, 0, RELEASE), "movesCloseAt");
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, bytes32("movesCloseAt")));
        vm.prank(organizer);
        ledger.createEvent(organizer, "ref", _terms(), ILedgerTypes.Schedule(0, 0, 0, 0, 0, RELEASE));
    }

    function test_RevertWhen_ScheduleWithoutReason() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSchedule.selector, bytes32("reason")));
        vm.prank(organizer);
        ledger.setSchedule(eventId, _schedule(), "");
    }

    function test_RevertWhen_StrangerSetsSchedule() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, eventId, ORGANIZER, relayer));
        vm.prank(relayer);
        ledger.setSchedule(eventId, _schedule(), "rain");
    }

    function test_RevertWhen_ClosedMovesAreOpenedAgain() external {
        ILedgerTypes.Schedule memory schedule = _schedule();
        schedule.movesCloseAt += 1;
        vm.warp(MOVES_CLOSE - 1);
        vm.prank(organizer);
        ledger.setSchedule(eventId, schedule, "later");

        vm.warp(MOVES_CLOSE + 1);
        schedule.movesCloseAt += 1;
        vm.expectRevert(abi.encodeWithSelector(Ledger_ScheduleFixed.selector, eventId, MOVES_CLOSE + 1));
        vm.prank(organizer);
        ledger.setSchedule(eventId, schedule, "later");
    }

    function test_DoorsMayChangeAfterClosing() external {
        ILedgerTypes.Schedule memory schedule = _schedule();
        schedule.doorsAt += 1 days;
        vm.warp(MOVES_CLOSE);
        vm.prank(organizer);
        ledger.setSchedule(eventId, schedule, "rain");
        vm.assertEq(ledger.scheduleOf(eventId).doorsAt, schedule.doorsAt);
    }

    function test_MovesCloseAtOnceAndForGood() external {
        uint64 id = _soldLongAgo(alice.account, false);
        uint32 time = uint32(block.timestamp);
        ILedgerTypes.Schedule memory closed = ILedgerTypes.Schedule(time, time, time, time, time, RELEASE);
        vm.prank(organizer);
        ledger.setSchedule(eventId, closed, "sold out");
        vm.assertEq(ledger.checkGift(id, 1, bob.account), abi.encodeWithSelector(Ledger_MovesClosed.selector, id, time));
        vm.expectRevert(abi.encodeWithSelector(Ledger_ScheduleFixed.selector, eventId, time));
        vm.prank(organizer);
        ledger.setSchedule(eventId, _schedule(), "oops");
    }

    // ------------------------------------------------------------------------------------------------ delegation, keys

    function test_OnlyTheOrganizerEndsTheDelegation() external {
        uint40 created = _createByRelayer();
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, created, ORGANIZER, relayer));
        vm.prank(relayer);
        ledger.setDelegation(created, true);

        vm.prank(relayer);
        ledger.issue(created, 0, _batch(), "manifest");
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.DelegationChanged(created, false);
        vm.prank(organizer);
        ledger.setDelegation(created, false);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, created, ORGANIZER, relayer));
        vm.prank(relayer);
        ledger.issue(created, 1, _batch(), "manifest");
    }

    function test_SetEntryKey() external {
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.EntryKeySet(eventId, 3, "key", 99);
        vm.prank(organizer);
        ledger.setEntryKey(eventId, 3, "key", 99);
        (bytes32 key, uint40 validUntil) = ledger.entryKeyOf(eventId, 3);
        vm.assertEq(key, "key");
        vm.assertEq(validUntil, 99);
    }

    function test_RevertWhen_StrangerSetsEntryKeyOrDelegation() external {
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, eventId, ORGANIZER, stranger));
        ledger.setEntryKey(eventId, 3, "key", 99);
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, eventId, ORGANIZER, stranger));
        ledger.setDelegation(eventId, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99));
        ledger.setEntryKey(99, 3, "key", 99);
    }

    // ------------------------------------------------------------------------------------------------ issue

    function test_Issue() external {
        ILedgerTypes.Batch memory batch = ILedgerTypes.Batch(65_535, 2, 3, 4, 5);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.BatchIssued(eventId, 1, batch, "other");
        vm.prank(organizer);
        uint64 first = ledger.issue(eventId, 1, batch, "other");
        vm.assertEq(first, TicketId.first(eventId, 1));
        vm.assertEq(ledger.batchesOf(eventId), 2);
        BatchWord word = ledger.batchOf(eventId, 1);
        vm.assertEq(word.supply(), 65_535);
        vm.assertEq(word.face(), 5);
        vm.assertEq(ledger.holderOf(first + 65_534), address(0));
    }

    function test_RevertWhen_BatchIssuedTwice() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongBatchNumber.selector, eventId, 0, 1));
        vm.prank(organizer);
        ledger.issue(eventId, 0, _batch(), "manifest");
    }

    function test_RevertWhen_EmptyBatch() external {
        ILedgerTypes.Batch memory batch = _batch();
        batch.supply = 0;
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadTerms.selector, bytes32("supply")));
        vm.prank(organizer);
        ledger.issue(eventId, 1, batch, "manifest");
    }

    function test_RevertWhen_TooManyBatches() external {
        vm.startPrank(organizer);
        for (uint256 number = 1; number < 255; ++number) {
            ledger.issue(eventId, uint8(number), _batch(), "manifest");
        }
        vm.expectRevert(abi.encodeWithSelector(Ledger_TooManyBatches.selector, eventId));
        ledger.issue(eventId, 255, _batch(), "manifest");
    }

    function test_RevertWhen_StrangerIssues() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, eventId, ORGANIZER, stranger));
        vm.prank(stranger);
        ledger.issue(eventId, 1, _batch(), "manifest");
    }

    // ------------------------------------------------------------------------------------------------ views

    function test_RevertWhen_ViewsOfUnknownTicket() external {
        uint64 id = _id(SUPPLY);
        bytes memory problem = abi.encodeWithSelector(Ledger_NoSuchTicket.selector, id);
        vm.expectRevert(problem);
        ledger.holderOf(id);
        vm.expectRevert(problem);
        ledger.ticketOf(id);
        vm.expectRevert(problem);
        ledger.capOf(id);
        vm.assertEq(_word(id), 0);
    }

    function testFuzz_CapOf(uint40 face, uint16 capBps) external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.capBps = capBps;
        vm.startPrank(organizer);
        uint40 created = ledger.createEvent(organizer, "ref", terms, _schedule());
        uint64 id = ledger.issue(created, 0, ILedgerTypes.Batch(1, 0, 0, 0, face), "manifest");
        uint256 cap = ledger.capOf(id);
        uint256 exact = uint256(face) * capBps;
        vm.assertTrue(cap * 10_000 <= exact);
        vm.assertTrue((cap + 1) * 10_000 > exact || cap == type(uint40).max);
    }

    function test_RevertWhen_NextPartHasNoCode() external {
        bytes memory code =
            abi.encodePacked(vm.getCode("TicketLedger.sol:TicketLedger"), abi.encode(admin, "", stranger));
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, stranger));
        this.create(code);
    }

    function create(bytes memory code) external returns (address made) {
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
