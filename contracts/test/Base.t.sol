// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {MockToken} from "./mocks/MockToken.sol";
import {ILedger} from "./support/People.sol";
import {Steps} from "./support/Steps.sol";

/// @notice A ledger with one event on each rail.
abstract contract Base is Steps {
    function setUp() public virtual {
        vm.warp(START);
        ledger = ILedger(_deploy(admin, "https://tickets.example/"));
        token = _newToken();
        vm.startPrank(admin);
        ledger.setRoles(0, relayer, RELAYER);
        ledger.setRoles(0, attestor.account, ATTESTOR);
        ledger.allowToken(address(token), true);
        vm.stopPrank();
        eventId = _createEvent(_terms());
        ILedgerTypes.Terms memory terms = _terms();
        terms.token = address(token);
        terms.unitExponent = 4;
        terms.capBps = 10_000;
        tokenEventId = _createEvent(terms);
    }

    function _deploy(address admin_, string memory baseURI) internal returns (address) {
        address desk = vm.deployCode("TicketDesk.sol:TicketDesk", "");
        return vm.deployCode("TicketLedger.sol:TicketLedger", abi.encode(admin_, baseURI, desk));
    }

    function _newToken() internal virtual returns (MockToken) {
        return new MockToken();
    }

    /// @notice An event with one batch and a gate, created by the organizer itself.
    function _createEvent(ILedgerTypes.Terms memory terms) internal returns (uint40 created) {
        vm.startPrank(organizer);
        created = ledger.createEvent(organizer, "mine", terms, _schedule());
        ledger.issue(created, 0, _batch(), "manifest");
        ledger.setRoles(created, gate, GATE);
        vm.stopPrank();
    }

    function _assertTicket(uint64 id, address holder, bool custodied, uint16 epoch, uint40 price) internal view {
        ILedgerTypes.Ticket memory ticket = ledger.ticketOf(id);
        vm.assertEq(ticket.holder, holder);
        vm.assertTrue(ticket.custodied == custodied);
        vm.assertEq(ticket.epoch, epoch);
        vm.assertEq(ticket.price, price);
        if (holder != address(0)) vm.assertEq(ledger.ownerOf(id), custodied ? address(ledger) : holder);
    }
}
