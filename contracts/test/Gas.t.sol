// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {Redemption} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {MockToken, PlainToken} from "./mocks/MockToken.sol";
import {Base} from "./Base.t.sol";

/// @notice Gas of whole transactions (each call runs as one), written to `contracts/snapshots`. 100 fans, whose tickets 100 fresh ones buy.
/// forge-config: default.isolate = true
contract GasTest is Base {
    /// @dev Lines of a bulk call.
    uint16 private _lines = 100;
    string private constant GROUP = "gas";

    function _newToken() internal override returns (MockToken) {
        return MockToken(address(new PlainToken()));
    }

    function _sellers() private view returns (Fan[] memory fans) {
        fans = new Fan[](_lines);
        for (uint256 i = 0; i < _lines; ++i) {
            fans[i].key = uint256(keccak256(abi.encode("seller", i)));
            fans[i].account = vm.addr(fans[i].key);
        }
    }

    function _deliverAll(Fan[] memory fans, bool custodied) private {
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](fans.length);
        for (uint16 i = 0; i < fans.length; ++i) {
            lines[i] = _delivery(_id(i), fans[i].account, custodied, 0, FACE);
        }
        bytes memory attestation = _attestDeliveries(eventId, lines);
        vm.prank(relayer);
        ledger.deliver(eventId, lines, attestation);
    }

    function _settleAll(Fan[] memory fans, bool custodied) private {
        Settlement[] memory lines = new Settlement[](fans.length);
        for (uint16 i = 0; i < fans.length; ++i) {
            bytes memory consent = _signCompact(fans[i].key, _openOffer(_id(i), 1, FACE));
            address buyer = address(uint160(uint256(keccak256(abi.encode("buyer", i)))));
            lines[i] = _settlement(_id(i), buyer, custodied, 1, FACE, consent);
        }
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        ledger.settleResales(eventId, _linesOf(lines), _consentsOf(lines), attestation);
    }

    function _redeemAll(uint16 epoch) private {
        Redemption[] memory lines = new Redemption[](_lines);
        for (uint16 i = 0; i < _lines; ++i) {
            lines[i] = _redemption(i, epoch);
        }
        vm.prank(gate);
        ledger.redeem(eventId, lines);
    }

    /// @notice The second part of a thousand: the first one also pays for the pot's and the ledger's first slot.
    function _wholeLife(string memory name) private returns (uint256) {
        vm.prank(organizer);
        ledger.issue(eventId, 1, _batch(), keccak256("manifest"));
        uint256 issue = vm.snapshotGasLastCall(GROUP, "issue 5000");
        vm.assertLt(issue, 60_000);

        uint64 first = _id(_lines);
        _deliverLine(eventId, _delivery(first, alice.account, true, 0, FACE));
        Fan[] memory fans = _sellers();
        _deliverAll(fans, true);
        uint256 deliver = vm.snapshotGasLastCall(GROUP, string.concat("deliver ", name, " custodied"));
        vm.warp(RESALE_OPENS);
        _settleLine(_settlement(first, bob.account, true, 1, FACE, _sign(alice.key, _openOffer(first, 1, FACE))));
        _settleAll(fans, true);
        uint256 settle = vm.snapshotGasLastCall(GROUP, string.concat("settle ", name, " custodied"));
        _redeemAll(2);
        uint256 redeem = vm.snapshotGasLastCall(GROUP, string.concat("redeem ", name));

        uint256 life = (deliver + settle + redeem) / _lines + issue / 1_000;
        vm.snapshotValue(GROUP, string.concat("whole life, custodied, each of 1000 by ", name), life);
        return life;
    }

    function test_WholeLifeByTheHundred() external {
        vm.assertLt(_wholeLife("100"), 49_000);
    }

    function test_WholeLifeByTwoHundredAndFifty() external {
        _lines = 250;
        vm.assertLt(_wholeLife("250"), 48_000);
    }

    function test_OwnWallets() external {
        Fan[] memory fans = _sellers();
        _deliverAll(fans, false);
        vm.snapshotGasLastCall(GROUP, "deliver 100 to own wallets");
        vm.warp(RESALE_OPENS);
        _settleAll(fans, false);
        vm.snapshotGasLastCall(GROUP, "settle 100 between own wallets");
    }

    function test_Singles() external {
        vm.prank(organizer);
        ledger.createEvent(organizer, "mine", _terms(), _schedule());
        vm.snapshotGasLastCall(GROUP, "createEvent");

        uint64 id = _sold(alice.account, false);
        vm.snapshotGasLastCall(GROUP, "deliver 1 to an own wallet");
        vm.warp(RESALE_OPENS);
        bytes memory consent = _sign(alice.key, _giftHash(id, 1, bob.account, false, NEVER));
        vm.prank(relayer);
        ledger.gift(id, 1, bob.account, false, NEVER, consent);
        vm.snapshotGasLastCall(GROUP, "gift between own wallets");

        vm.warp(block.timestamp + COOLDOWN);
        vm.prank(bob.account);
        ledger.transferFrom(bob.account, carol.account, id);
        vm.snapshotGasLastCall(GROUP, "transferFrom");
        _redeemOne(0, 3);
        vm.snapshotGasLastCall(GROUP, "redeem 1");
    }

    function test_CustodiedSingles() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _signCompact(alice.key, _giftHash(id, 1, bob.account, true, NEVER));
        vm.prank(relayer);
        ledger.gift(id, 1, bob.account, true, NEVER, consent);
        vm.assertLt(vm.snapshotGasLastCall(GROUP, "gift between custodied fans"), 60_000);
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
        _deliverAll(_sellers(), true);
        _setStatus(eventId, 3);
        vm.snapshotGasLastCall(GROUP, "cancel");
        uint64[] memory ids = new uint64[](_lines);
        for (uint16 i = 0; i < _lines; ++i) {
            ids[i] = _id(i);
        }
        ledger.refundCancelled(eventId, ids);
        vm.snapshotGasLastCall(GROUP, "refund 100 of a cancelled event");
    }

    function test_ResaleInTokens() external {
        uint64 id = _tokenTicket(alice.account);
        uint64 second = id + 1;
        _deliverLine(tokenEventId, _delivery(second, bob.account, false, 0, 0));
        vm.warp(RESALE_OPENS + COOLDOWN);
        token.mint(carol.account, 100 * FACE * UNIT);
        vm.prank(carol.account);
        token.approve(address(ledger), type(uint256).max / 2);

        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        vm.prank(carol.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
        vm.snapshotGasLastCall(GROUP, "buyResale, first of the event");

        consent = _sign(bob.key, _tokenOffer(second, 1, FACE, address(0)));
        Fan memory dave = _fan("dave");
        token.mint(dave.account, 2 * FACE * UNIT);
        vm.prank(dave.account);
        token.approve(address(ledger), FACE * UNIT * 2);
        vm.prank(dave.account);
        ledger.buyResale(second, 1, FACE, address(0), NEVER, consent);
        vm.assertLt(vm.snapshotGasLastCall(GROUP, "buyResale, fresh buyer and seller"), 125_000);

        ledger.release(tokenEventId, _payees());
        vm.snapshotGasLastCall(GROUP, "release to 3 payees, token rail");
    }
}
