// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {LineMaking} from "./LineMaking.sol";

/// @notice What people do with tickets, signed and sent as they would.
abstract contract Steps is LineMaking {
    /// @notice The problem of the only line; an empty list says that every line was applied.
    function _only(bytes[] memory problems) internal pure returns (bytes memory problem) {
        if (problems.length > 0) problem = problems[0];
    }

    function _deliverLine(uint40 event_, ILedgerTypes.Delivery memory line) internal returns (bytes memory problem) {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](1);
        lines[0] = line;
        bytes memory attestation = _attestDeliveries(event_, lines);
        vm.prank(relayer);
        return _only(ledger.deliver(event_, lines, attestation));
    }

    /// @notice Ticket 0 of the fiat event, just sold to this fan at face price. Its epoch is 1.
    function _sold(address to, bool custodied) internal returns (uint64 id) {
        id = _id(0);
        vm.assertEq(_deliverLine(eventId, _delivery(id, to, custodied, 0, FACE)), "");
    }

    /// @notice As `_sold`, some time ago: cool-down is over and resale has opened.
    function _soldLongAgo(address to, bool custodied) internal returns (uint64 id) {
        id = _sold(to, custodied);
        vm.warp(RESALE_OPENS);
    }

    /// @notice As `_soldLongAgo`, a complimentary ticket of the token event.
    function _tokenTicket(address to) internal returns (uint64 id) {
        id = TicketId.first(tokenEventId, 0);
        vm.assertEq(_deliverLine(tokenEventId, _delivery(id, to, false, 0, 0)), "");
        vm.warp(RESALE_OPENS);
    }

    function _giftBy(Fan memory from, uint64 id, uint16 epoch, address to, bool custodied) internal {
        bytes32 hash = _giftHash(id, epoch, to, custodied, NEVER);
        ledger.gift(id, epoch, to, custodied, NEVER, _sign(from.key, hash));
    }

    /// @notice The caller's wallet is registered as `account`'s.
    function _register(Fan memory account, address wallet) internal {
        bytes memory consent = _sign(account.key, _registerHash(account.account, wallet, NEVER));
        vm.prank(wallet);
        ledger.registerWallet(account.account, NEVER, consent);
    }

    function _withdraw(Fan memory from, uint64 id, uint16 epoch, address to) internal {
        ledger.withdraw(id, epoch, to, NEVER, _sign(from.key, _moveHash("Withdraw", id, epoch, to)));
    }

    function _deposit(Fan memory from, uint64 id, uint16 epoch, address to) internal {
        ledger.deposit(id, epoch, to, NEVER, _sign(from.key, _moveHash("Deposit", id, epoch, to)));
    }

    function _unfreeze(uint64 id, uint16 epoch) internal {
        bytes memory attestation = _sign(attestor.key, _unfreezeHash(id, epoch));
        vm.prank(relayer);
        ledger.unfreeze(id, epoch, REF, attestation);
    }

    function _voidIt(uint64 id, uint16 epoch) internal {
        bytes memory attestation = _sign(attestor.key, _voidHash(id, epoch, REF));
        vm.prank(relayer);
        ledger.voidTicket(id, epoch, REF, attestation);
    }

    function _swapSide(Fan memory holder, uint64 id, uint16 epoch, uint64 otherId, uint16 otherEpoch)
        internal
        view
        returns (ILedgerTypes.SwapSide memory)
    {
        bytes memory consent = _sign(holder.key, _swapHash(id, epoch, otherId, otherEpoch));
        return ILedgerTypes.SwapSide(id, epoch, NEVER, consent);
    }

    function _exchange(Fan memory holder, ILedgerTypes.Exchange memory line) internal {
        bytes memory consent = _sign(holder.key, _exchangeHash(line));
        bytes memory attestation = _sign(attestor.key, _exchangePaidHash(line));
        vm.prank(relayer);
        ledger.exchange(line, consent, attestation);
    }

    function _poolReturn(Fan memory seller, uint64 id, uint16 epoch, uint40 price) internal {
        ledger.poolReturn(id, epoch, price, NEVER, _sign(seller.key, _poolReturnHash(id, epoch, price)));
    }

    function _voucher(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 expiry)
        internal
        view
        returns (bytes memory)
    {
        return _sign(attestor.key, _voucherHash(id, epoch, price, buyer, expiry));
    }

    /// @notice This fan buys a ticket of the token event at face price.
    function _buyTicket(address buyer, uint64 id, uint16 epoch) internal {
        token.mint(buyer, FACE * UNIT);
        bytes memory voucher = _voucher(id, epoch, FACE, buyer, NEVER);
        vm.startPrank(buyer);
        token.approve(address(ledger), FACE * UNIT);
        ledger.buy(id, epoch, FACE, REF, NEVER, voucher);
        vm.stopPrank();
    }

    function _freeze(uint64 id, uint16 epoch, uint16 paidEpoch) internal {
        bytes memory attestation = _sign(attestor.key, _freezeHash(id, epoch, paidEpoch));
        vm.prank(relayer);
        ledger.freeze(id, epoch, paidEpoch, REF, attestation);
    }

    function _activate(Fan memory holder, uint64 id, uint16 epoch) internal {
        ledger.activate(id, epoch, NEVER, _sign(holder.key, _plainHash("Activate", id, epoch)));
    }

    function _setStatus(uint40 event_, uint8 status) internal {
        vm.prank(organizer);
        if (status == 2) ledger.pause(event_, "why");
        else if (status == 1) ledger.resume(event_, "why");
        else ledger.cancel(event_, "why");
    }

    function _settleLine(Settlement memory line) internal returns (bytes memory problem) {
        Settlement[] memory lines = new Settlement[](1);
        lines[0] = line;
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        return _only(ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation));
    }

    function _redeemOne(uint16 index, uint16 epoch) internal returns (bytes memory problem) {
        vm.prank(gate);
        return _only(ledger.redeem(eventId, _redemptions(index, epoch)));
    }

    /// @notice Puts a word into a ticket's slot, for states that no call reaches (reserved flags, last epoch).
    function _force(uint64 id, uint256 word) internal {
        // Looks for the slot of the mapping `_tickets`, so that a new layout breaks no test.
        for (uint256 slot = 0; slot < 40; ++slot) {
            bytes32 place = keccak256(abi.encode(id, slot));
            if (uint256(vm.load(address(ledger), place)) == _word(id)) {
                vm.store(address(ledger), place, bytes32(word));
                if (_word(id) == word) return;
            }
        }
        revert("ticket slot not found");
    }

    function _word(uint64 id) internal view returns (uint256) {
        return uint256(bytes32(abi.encode(ledger.ticketWordOf(id))));
    }
}
