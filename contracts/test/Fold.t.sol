// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {Redemption} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {TicketWord, TicketWords} from "../src/types/TicketWord.sol";
import {Vm} from "./Vm.sol";
import {Base} from "./Base.t.sol";

/// @notice The events alone rebuild the state: whatever is done to a few tickets, folding the logs yields each word, owner, balance and
/// the pot. The fold is written from the interface's words, not from the contract.
contract FoldTest is Base {
    uint16 private constant TICKETS = 5;
    uint256 private constant STEPS = 100;

    mapping(uint64 id => uint256 word) private _folded;
    mapping(uint256 id => address owner) private _owners;
    mapping(address owner => uint256 count) private _counts;
    uint256 private _pot;
    uint256 private _moves;
    uint256 private _time;

    /// forge-config: default.fuzz.runs = 100
    function testFuzz_LogsRebuildTheState(uint256 seed) external {
        _time = START;
        _register(alice, carol.account);
        vm.recordLogs();
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _time += seed % 2 == 0 ? COOLDOWN : 10 hours;
            vm.warp(_time);
            _step(seed >> 8);
            _fold(vm.getRecordedLogs());
            _compare();
        }
        vm.assertTrue(_moves > 0);
    }

    /// @notice What Seaport 1.2 taught: one medium finding was left after a second implementation had followed every step.
    function test_Finding_Seaport12_ATwinFollowsEveryStep() external {
        this.testFuzz_LogsRebuildTheState(12);
    }

    // ------------------------------------------------------------------------------------------------ something happens

    function _step(uint256 dice) private {
        uint64 id = _id(uint16(dice % TICKETS));
        TicketWord word = ledger.ticketWordOf(id);
        Fan memory holder = _anyone(word.holder());
        Fan memory other = _pick(dice >> 8);
        bool custodied = (dice >> 16) % 2 == 0;
        uint40 price = uint40(1 + (dice >> 24) % FACE);
        uint256 choice = (dice >> 64) % 40;
        if (word.holder() == address(0)) {
            _deliverLine(eventId, _delivery(id, other.account, custodied, word.epoch(), price));
        } else if (choice < 7) {
            _tryGift(id, word.epoch(), holder, other.account, custodied);
        } else if (choice < 13) {
            _trySettle(id, word.epoch(), holder, other.account, custodied, price);
        } else if (choice < 16) {
            _tryRefund(id, word.epoch(), holder, price);
        } else if (choice < 18) {
            _tryRevoke(id, word.epoch(), holder);
        } else if (choice < 19) {
            _redeemOne(TicketId.indexOf(id), word.epoch());
        } else if (choice < 20) {
            _tryVoid(id, word.epoch());
        } else {
            try this.tryRarer(choice, id, holder, other, price) {} catch {}
        }
    }

    function tryRarer(uint256 choice, uint64 id, Fan memory holder, Fan memory other, uint40 price) external {
        uint64 second = _id(uint16(price) % TICKETS);
        uint16 epoch = ledger.ticketWordOf(id).epoch();
        uint16 secondEpoch = ledger.ticketWordOf(second).epoch();
        Fan memory secondHolder = _anyone(ledger.holderOf(second));
        if (choice < 24) {
            ledger.swap(
                _swapSide(holder, id, epoch, second, secondEpoch),
                _swapSide(secondHolder, second, secondEpoch, id, epoch)
            );
        } else if (choice < 27) {
            _poolReturn(holder, id, epoch, price);
        } else if (choice < 28) {
            _activate(holder, id, epoch);
        } else if (choice < 30) {
            if (ledger.ticketWordOf(id).isFrozen()) _unfreeze(id, epoch);
            else _freeze(id, epoch, ledger.paidEpochOf(id));
        } else if (choice < 34) {
            _exchange(holder, ILedgerTypes.Exchange(id, epoch, second, secondEpoch, 0, REF, NEVER));
        } else if (ledger.ticketWordOf(id).isCustodied()) {
            _withdraw(holder, id, epoch, other.account);
        } else {
            _deposit(holder, id, epoch, other.account);
        }
    }

    function _pick(uint256 dice) private view returns (Fan memory) {
        return dice % 3 == 0 ? alice : dice % 3 == 1 ? bob : carol;
    }

    function _anyone(address account) private view returns (Fan memory) {
        return account == alice.account ? alice : account == bob.account ? bob : carol;
    }

    function _tryGift(uint64 id, uint16 epoch, Fan memory from, address to, bool custodied) private {
        bytes memory consent = _sign(from.key, _giftHash(id, epoch, to, custodied, NEVER));
        try ledger.gift(id, epoch, to, custodied, NEVER, consent) {} catch {}
    }

    function _trySettle(uint64 id, uint16 epoch, Fan memory from, address to, bool custodied, uint40 price) private {
        _settleLine(_settlement(id, to, custodied, epoch, price, _sign(from.key, _openOffer(id, epoch, price))));
    }

    function _tryRefund(uint64 id, uint16 epoch, Fan memory from, uint40 amount) private {
        bytes memory consent = _sign(from.key, _refundHash(id, epoch, amount, NEVER));
        vm.prank(relayer);
        try ledger.refund(id, epoch, amount, REF, NEVER, consent) {} catch {}
    }

    function _tryRevoke(uint64 id, uint16 epoch, Fan memory from) private {
        bytes memory consent = _sign(from.key, _revokeHash(id, epoch, NEVER));
        try ledger.revoke(id, epoch, NEVER, consent) {} catch {}
    }

    function _tryVoid(uint64 id, uint16 epoch) private {
        bytes memory attestation = _sign(attestor.key, _voidHash(id, epoch, REF));
        vm.prank(relayer);
        try ledger.voidTicket(id, epoch, REF, attestation) {} catch {}
    }

    // ------------------------------------------------------------------------------------------------ the fold

    function _fold(Vm.Log[] memory logs) private {
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 kind = logs[i].topics[0];
            bytes memory data = logs[i].data;
            if (logs[i].topics.length == 1) continue; // ERC-5192 tells nothing new
            uint64 id = uint64(uint256(logs[i].topics[1]));
            if (kind == ILedgerTypes.Delivered.selector) _foldSales(data, false);
            else if (kind == ILedgerTypes.Settled.selector) _foldSales(data, true);
            else if (kind == ILedgerTypes.Redeemed.selector) _foldRedeemed(data);
            else if (kind == ILedgerTypes.Given.selector) _foldGiven(id, logs[i].topics[3], data);
            else if (kind == ILedgerTypes.Refunded.selector) _folded[id] = _epochOf(data) << 168;
            else if (kind == ILedgerTypes.Voided.selector) _folded[id] = (_epochOf(data) << 168) | (4 << 160);
            else if (kind == ILedgerTypes.Revoked.selector) _foldRevoked(id, data);
            else if (kind == IERC721.Transfer.selector) _foldTransfer(logs[i].topics);
            else _foldRarer(kind, id, logs[i].topics, data);
            if (kind != ILedgerTypes.Skipped.selector) ++_moves;
        }
    }

    function _foldRarer(bytes32 kind, uint64 id, bytes32[] memory topics, bytes memory data) private {
        uint256 flags = uint256(8) << 160;
        if (kind == ILedgerTypes.Activated.selector) _folded[id] |= flags;
        else if (kind == ILedgerTypes.Frozen.selector) _folded[id] |= flags << 1;
        else if (kind == ILedgerTypes.Unfrozen.selector) _folded[id] &= ~(flags << 1);
        else if (kind == ILedgerTypes.Swapped.selector) _foldSwapped(id, topics, data);
        else if (kind == ILedgerTypes.PoolReturned.selector) _foldPoolReturned(id, data);
        else if (kind == ILedgerTypes.PoolSold.selector) _pot += _secondOf(data);
        else if (kind == ILedgerTypes.Exchanged.selector) _foldExchanged(id, uint64(uint256(topics[2])), data);
        else if (kind == ILedgerTypes.Withdrawn.selector) _foldHoused(id, topics[3], false, data);
        else if (kind == ILedgerTypes.Deposited.selector) _foldHoused(id, topics[3], true, data);
    }

    function _foldSwapped(uint64 id, bytes32[] memory topics, bytes memory data) private {
        uint64 otherId = uint64(uint256(topics[2]));
        (address otherHolder, uint16 epoch, uint16 otherEpoch) = abi.decode(data, (address, uint16, uint16));
        bool custodied = TicketWord.wrap(_folded[id]).isCustodied();
        _foldGiven(id, topics[3], abi.encode(TicketWord.wrap(_folded[otherId]).isCustodied(), epoch));
        _foldGiven(otherId, bytes32(uint256(uint160(otherHolder))), abi.encode(custodied, otherEpoch));
    }

    function _foldPoolReturned(uint64 id, bytes memory data) private {
        (uint16 epoch, uint40 price) = abi.decode(data, (uint16, uint40));
        _put(id, address(0), 0, epoch, price);
    }

    function _foldExchanged(uint64 id, uint64 toId, bytes memory data) private {
        (uint16 epoch, uint16 toEpoch, uint40 price, int48 difference,) =
            abi.decode(data, (uint16, uint16, uint40, int48, bytes16));
        TicketWord word = TicketWord.wrap(_folded[id]);
        vm.assertTrue(difference == 0 && price == word.price());
        _put(toId, word.holder(), word.flags(), toEpoch, price);
        _folded[id] = uint256(epoch) << 168;
    }

    function _foldHoused(uint64 id, bytes32 to, bool custodied, bytes memory data) private {
        (bool counted, uint16 epoch) = abi.decode(data, (bool, uint16));
        if (counted) return _foldGiven(id, to, abi.encode(custodied, epoch));
        TicketWord word = TicketWord.wrap(_folded[id]);
        uint8 flags = (word.gifts() << 5) | (custodied ? 1 : 0);
        _folded[id] = TicketWord.unwrap(
            TicketWords.pack(address(uint160(uint256(to))), flags, epoch, word.since(), word.price())
        );
    }

    function _secondOf(bytes memory data) private pure returns (uint256 second) {
        (, second) = abi.decode(data, (uint256, uint256));
    }

    function _foldSales(bytes memory data, bool resale) private {
        ILedgerTypes.Delivery[] memory lines = abi.decode(data, (ILedgerTypes.Delivery[]));
        for (uint256 i = 0; i < lines.length; ++i) {
            uint64 id = lines[i].target.id();
            uint40 price = lines[i].payment.price();
            uint8 flags = lines[i].target.isCustodied() ? 1 : 0;
            _put(id, lines[i].target.holder(), flags, lines[i].target.epoch() + 1, price);
            uint256 royalty = uint256(FACE) * ROYALTY_BPS / 10_000; // no price here is over face
            if (resale) _pot += royalty < price ? royalty : price;
        }
    }

    function _foldGiven(uint64 id, bytes32 to, bytes memory data) private {
        (bool custodied, uint16 epoch) = abi.decode(data, (bool, uint16));
        TicketWord word = TicketWord.wrap(_folded[id]);
        uint8 flags = ((word.gifts() + 1) << 5) | (custodied ? 1 : 0);
        _put(id, address(uint160(uint256(to))), flags, epoch, word.price());
    }

    function _foldRedeemed(bytes memory data) private {
        Redemption[] memory lines = abi.decode(data, (Redemption[]));
        for (uint256 i = 0; i < lines.length; ++i) {
            _folded[TicketId.ofNumber(eventId, lines[i].number())] |= 2 << 160;
        }
    }

    function _foldRevoked(uint64 id, bytes memory data) private {
        uint256 mask = uint256(0xffff) << 168;
        _folded[id] = (_folded[id] & ~mask) | (_epochOf(data) << 168);
    }

    function _foldTransfer(bytes32[] memory topics) private {
        address from = address(uint160(uint256(topics[1])));
        address to = address(uint160(uint256(topics[2])));
        uint256 id = uint256(topics[3]);
        vm.assertEq(_owners[id], from);
        _owners[id] = to;
        if (from != address(0)) --_counts[from];
        if (to != address(0)) ++_counts[to];
    }

    function _put(uint64 id, address holder, uint8 flags, uint16 epoch, uint40 price) private {
        _folded[id] = TicketWord.unwrap(TicketWords.pack(holder, flags, epoch, uint32(_time), price));
    }

    /// @dev The epoch is the first word of all events that end a ticket's stay with its holder.
    function _epochOf(bytes memory data) private pure returns (uint256 epoch) {
        assembly {
            epoch := mload(add(data, 0x20))
        }
    }

    // ------------------------------------------------------------------------------------------------ the comparison

    function _compare() private view {
        address[4] memory owners = [alice.account, bob.account, carol.account, address(ledger)];
        uint256 sum = 0;
        for (uint256 i = 0; i < owners.length; ++i) {
            vm.assertEq(ledger.balanceOf(owners[i]), _counts[owners[i]]);
            sum += _counts[owners[i]];
        }
        for (uint16 i = 0; i < TICKETS; ++i) {
            uint64 id = _id(i);
            vm.assertEq(_word(id), _folded[id]);
            if (_owners[id] == address(0)) continue;
            vm.assertEq(ledger.ownerOf(id), _owners[id]);
            --sum;
        }
        vm.assertEq(sum, 0);
        vm.assertEq(ledger.potOf(eventId), _pot);
    }
}
