// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {MockToken, PlainToken} from "./mocks/MockToken.sol";
import {Base} from "./Base.t.sol";

/// @notice Gas of the rarer calls as whole transactions, written to `contracts/snapshots/gas.json`; the usual ones are measured by the benchmark.
/// forge-config: default.isolate = true
contract GasTest is Base {
    /// @dev Lines of a bulk call.
    uint16 private constant LINES = 100;
    string private constant GROUP = "gas";

    function _newToken() internal override returns (MockToken) {
        return MockToken(address(new PlainToken()));
    }

    function _sellers() private pure returns (Fan[] memory fans) {
        fans = new Fan[](LINES);
        for (uint256 i = 0; i < LINES; ++i) {
            fans[i].key = uint256(keccak256(abi.encode("seller", i)));
            fans[i].account = vm.addr(fans[i].key);
        }
    }

    function _deliverAll(Fan[] memory fans) private {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](fans.length);
        for (uint16 i = 0; i < fans.length; ++i) {
            lines[i] = _delivery(_id(i), fans[i].account, true, 0, FACE);
        }
        bytes memory attestation = _attestDeliveries(eventId, lines);
        vm.prank(relayer);
        ledger.deliver(eventId, lines, attestation);
    }

    function test_CustodiedSingles() external {
        uint64 id = _soldLongAgo(alice.account, true);
        _giftBy(alice, id, 1, bob.account, true);
        vm.warp(block.timestamp + COOLDOWN);
        _withdraw(bob, id, 2, carol.account);
        vm.snapshotGasLastCall(GROUP, "withdraw");
        ledger.revoke(id, 3, NEVER, _sign(carol.key, _revokeHash(id, 3, NEVER)));
        vm.snapshotGasLastCall(GROUP, "revoke");
        _activate(carol, id, 4);
        vm.snapshotGasLastCall(GROUP, "activate");
    }

    function test_RareOnes() external {
        (uint64 id, uint64 other) = (_id(0), _id(1));
        _deliverLine(eventId, _delivery(id, alice.account, true, 0, FACE));
        _deliverLine(eventId, _delivery(other, bob.account, true, 0, FACE));
        vm.warp(RESALE_OPENS);
        ledger.swap(_swapSide(alice, id, 1, other, 1), _swapSide(bob, other, 1, id, 1));
        vm.snapshotGasLastCall(GROUP, "swap");
        vm.warp(block.timestamp + COOLDOWN);
        _exchange(bob, ILedgerTypes.Exchange(id, 2, _id(2), 0, 0, REF, NEVER));
        vm.snapshotGasLastCall(GROUP, "exchange");
        _poolReturn(alice, other, 2, FACE);
        vm.snapshotGasLastCall(GROUP, "poolReturn");
        _buyTicket(carol.account, TicketId.first(tokenEventId, 0), 0);
        vm.snapshotGasLastCall(GROUP, "buy, first of the event");
        _buyTicket(bob.account, TicketId.first(tokenEventId, 0) + 1, 0);
        vm.snapshotGasLastCall(GROUP, "buy");
    }

    function test_RefundCancelled() external {
        _deliverAll(_sellers());
        _setStatus(eventId, 3);
        vm.snapshotGasLastCall(GROUP, "cancel");
        uint64[] memory ids = new uint64[](LINES);
        for (uint16 i = 0; i < LINES; ++i) {
            ids[i] = _id(i);
        }
        ledger.refundCancelled(eventId, ids);
        vm.snapshotGasLastCall(GROUP, "refund 100 of a cancelled event");
    }
}
