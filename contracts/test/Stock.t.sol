// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {Base} from "./Base.t.sol";

/// @notice What takes a ticket from stock (delivery, sale for tokens, exchange) is refused for the same reason when it is not there; and
/// what is done to events is refused for events that do not exist.
contract StockTest is Base {
    function _expectRefused(address sender, bytes memory data, bytes memory problem) private {
        vm.prank(sender);
        (bool success, bytes memory answer) = address(ledger).call(data);
        vm.assertFalse(success);
        vm.assertEq(answer, problem);
    }

    function _expectNotDelivered(uint64 id, uint16 epoch, bytes memory problem) private {
        vm.assertEq(_deliverLine(eventId, _delivery(id, bob.account, true, epoch, FACE)), problem);
        bytes memory data =
            abi.encodeCall(ledger.exchange, (ILedgerTypes.Exchange(_id(9), 1, id, epoch, 0, REF, NEVER), "", ""));
        _expectRefused(relayer, data, problem);
    }

    function _expectNotBought(uint64 id, uint16 epoch, bytes memory problem) private {
        bytes memory voucher = _voucher(id, epoch, FACE, bob.account, NEVER);
        bytes memory data = abi.encodeCall(ledger.buy, (id, epoch, FACE, REF, NEVER, voucher));
        _expectRefused(bob.account, data, problem);
    }

    function _holdOne() private {
        _deliverLine(eventId, _delivery(_id(9), alice.account, true, 0, FACE));
    }

    // ------------------------------------------------------------------------------------------------ fiat rail

    function test_NotSoldWhen_NoSuchTicket() external {
        _holdOne();
        _expectNotDelivered(_id(SUPPLY), 0, abi.encodeWithSelector(Ledger_NoSuchTicket.selector, _id(SUPPLY)));
    }

    function test_NotSoldWhen_Held() external {
        _holdOne();
        uint64 id = _sold(carol.account, true);
        _expectNotDelivered(id, 1, abi.encodeWithSelector(Ledger_NotInStock.selector, id));
    }

    function test_NotSoldWhen_Voided() external {
        _holdOne();
        uint64 id = _sold(carol.account, true);
        _voidIt(id, 1);
        _expectNotDelivered(id, 2, abi.encodeWithSelector(Ledger_Voided.selector, id));
    }

    function test_NotSoldWhen_EpochIsStaleOrTheLast() external {
        _holdOne();
        uint64 id = _sold(carol.account, true);
        _force(id, uint256(65_535) << 168);
        _expectNotDelivered(id, 0, abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 0, 65_535));
        _expectNotDelivered(id, 65_535, abi.encodeWithSelector(Ledger_LastEpoch.selector, id));
    }

    /// @notice A returned ticket waits for its seller's buyer: nobody gets it in exchange.
    function test_NotExchangedForATicketInThePool() external {
        _holdOne();
        uint64 id = _soldLongAgo(carol.account, true);
        _poolReturn(carol, id, 1, FACE);
        bytes memory data =
            abi.encodeCall(ledger.exchange, (ILedgerTypes.Exchange(_id(9), 1, id, 2, 0, REF, NEVER), "", ""));
        vm.prank(relayer);
        (bool success,) = address(ledger).call(data);
        vm.assertFalse(success);
    }

    // ------------------------------------------------------------------------------------------------ token rail

    function test_NotBoughtWhen_HeldOrStaleOrTheLastEpoch() external {
        uint64 id = TicketId.first(tokenEventId, 0);
        _buyTicket(alice.account, id, 0);
        _expectNotBought(id, 1, abi.encodeWithSelector(Ledger_NotInStock.selector, id));
        _force(id, uint256(65_535) << 168);
        _expectNotBought(id, 7, abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 7, 65_535));
        _expectNotBought(id, 65_535, abi.encodeWithSelector(Ledger_LastEpoch.selector, id));
    }

    /// @notice No call makes a void ticket of the token rail; if one were, it could not be sold.
    function test_NotBoughtWhen_Voided() external {
        uint64 id = TicketId.first(tokenEventId, 0);
        _buyTicket(alice.account, id, 0);
        _force(id, (uint256(4) << 160) | (uint256(2) << 168));
        _expectNotBought(id, 2, abi.encodeWithSelector(Ledger_Voided.selector, id));
    }

    function test_NotRefundedWhen_VoidedOrTheLastEpoch() external {
        uint64 id = _sold(alice.account, true);
        _voidIt(id, 1);
        _setStatus(eventId, 3);
        uint64[] memory ids = new uint64[](1);
        ids[0] = id;
        vm.assertEq(ledger.refundCancelled(eventId, ids)[0], abi.encodeWithSelector(Ledger_Voided.selector, id));
    }

    /// @notice At its last epoch a ticket is refunded as well, and never sold again.
    function test_RefundedAtTheLastEpochItStaysThere() external {
        uint64 id = _sold(alice.account, false);
        _force(id, uint256(uint160(alice.account)) | (uint256(65_535) << 168) | (uint256(FACE) << 216));
        _setStatus(eventId, 3);
        uint64[] memory ids = new uint64[](1);
        ids[0] = id;
        vm.assertEq(ledger.refundCancelled(eventId, ids).length, 0);
        vm.assertEq(_word(id), uint256(65_535) << 168);
    }

    // ------------------------------------------------------------------------------------------------ unknown events

    function test_RevertWhen_EventIsUnknown() external {
        bytes memory problem = abi.encodeWithSelector(Ledger_UnknownEvent.selector, 99);
        bytes[8] memory calls = [
            abi.encodeCall(ledger.issue, (99, 0, _batch(), "manifest")),
            abi.encodeCall(ledger.setSchedule, (99, _schedule(), "why")),
            abi.encodeCall(ledger.pause, (99, "why")),
            abi.encodeCall(ledger.resume, (99, "why")),
            abi.encodeCall(ledger.cancel, (99, "why")),
            abi.encodeCall(ledger.setDelegation, (99, true)),
            abi.encodeCall(ledger.releaseEscrow, (99)),
            abi.encodeCall(ledger.refundCancelled, (99, new uint64[](0)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            _expectRefused(organizer, calls[i], problem);
        }
    }

    function test_ViewsOfAnUnknownEventAreEmpty() external view {
        vm.assertEq(ledger.batchesOf(99), 0);
        vm.assertEq(ledger.organizerOf(99), address(0));
        vm.assertEq(ledger.potOf(99), 0);
        vm.assertFalse(ledger.isDelegated(99));
        vm.assertEq(ledger.policyWordOf(99).status(), 0);
        (bytes3 currency, address token_,,) = ledger.moneyTermsOf(99);
        vm.assertEq(bytes32(currency), 0);
        vm.assertEq(token_, address(0));
        vm.assertEq(ledger.scheduleOf(99).movesCloseAt, 0);
        (bytes32 key, uint40 validUntil) = ledger.entryKeyOf(99, 0);
        vm.assertEq(key, 0);
        vm.assertEq(validUntil, 0);
    }

    function test_RevertWhen_StrangerUnfreezes() external {
        vm.expectRevert(abi.encodeWithSelector(Ledger_Unauthorized.selector, 0, RELAYER, stranger));
        vm.prank(stranger);
        ledger.unfreeze(_id(0), 1, REF, "");
    }
}
