// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {Redemption} from "../../src/types/Lines.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {TicketWord, TicketWords} from "../../src/types/TicketWord.sol";
import {MockToken} from "../mocks/MockToken.sol";
import {Ghosts} from "./Ghosts.sol";
import {History} from "./History.sol";
import {InvariantsTest} from "./Invariants.t.sol";

/// @notice Stands in the ledger's place for a moment, to log what the ledger did not do.
contract Liar {
    fallback(bytes calldata input) external returns (bytes memory) {
        (bytes32[4] memory topics, bytes memory data) = abi.decode(input, (bytes32[4], bytes));
        assembly {
            let place := add(data, 0x20)
            switch iszero(mload(add(topics, 0x40)))
            case 1 { log2(place, mload(data), mload(topics), mload(add(topics, 0x20))) }
            default {
                switch iszero(mload(add(topics, 0x60)))
                case 1 { log3(place, mload(data), mload(topics), mload(add(topics, 0x20)), mload(add(topics, 0x40))) }
                default {
                    log4(
                        place,
                        mload(data),
                        mload(topics),
                        mload(add(topics, 0x20)),
                        mload(add(topics, 0x40)),
                        mload(add(topics, 0x60))
                    )
                }
            }
        }
        return "";
    }
}

/// @notice Negative controls: the histories are not empty, and the same invariants convict a world that is broken on purpose, by storage
/// written or logs emitted behind the ledger's back, or by a ledger that answers yes to what it should refuse.
contract ControlsTest is History {
    function setUp() public {
        _begin();
        _act(22, 60);
    }

    /// @notice Eight histories as long as forge's own: of everything that can happen to a ticket, something does.
    function test_EverythingHappensInSomeHistory() external {
        uint256 kinds = uint256(type(Ghosts.Kind).max) + 1;
        uint256[] memory counts = new uint256[](kinds);
        for (uint256 seed = 0; seed < 8; ++seed) {
            _begin();
            _act(seed, 100);
            for (uint256 kind = 0; kind < kinds; ++kind) {
                counts[kind] += _store.count(Ghosts.Kind(kind));
            }
            for (uint256 rule = 0; rule <= uint256(type(Ghosts.Rule).max); ++rule) {
                vm.assertEq(_store.breach(Ghosts.Rule(rule)), "");
            }
        }
        for (uint256 kind = 1; kind < kinds; ++kind) {
            vm.assertTrue(counts[kind] > 0);
        }
    }

    // ------------------------------------------------------------------------------------------------ breaking

    /// @notice Whether an invariant holds; reverts with the answer, so that nothing it does stays.
    function tell(bytes4 invariant_) external {
        vm.recordLogs();
        (bool success,) = address(_world).call(abi.encodeWithSelector(invariant_));
        bytes memory answer = abi.encode(success);
        assembly {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function _holds(bytes4 invariant_) private returns (bool) {
        (, bytes memory answer) = address(this).call(abi.encodeCall(this.tell, (invariant_)));
        return abi.decode(answer, (bool));
    }

    /// @dev The invariant held until now and does not any more.
    modifier convicts(bytes4 invariant_) {
        vm.assertTrue(_holds(invariant_));
        vm.recordLogs();
        _;
        _store.observe();
        vm.assertFalse(_holds(invariant_));
    }

    function _lie(bytes32[4] memory topics, bytes memory data) private {
        bytes memory code = address(ledger).code;
        vm.etch(address(ledger), type(Liar).runtimeCode);
        (bool success,) = address(ledger).call(abi.encode(topics, data));
        vm.assertTrue(success);
        vm.etch(address(ledger), code);
    }

    function _asTopic(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    /// @dev Sets the value of a mapping in the ledger that this view shows, whichever slot it has.
    function _poke(bytes32 key, bytes memory view_, uint256 value) private {
        (, bytes memory before) = address(ledger).staticcall(view_);
        for (uint256 slot = 0; slot < 40; ++slot) {
            bytes32 place = keccak256(abi.encode(key, slot));
            bytes32 old = vm.load(address(ledger), place);
            if (uint256(old) == value || old == 0) continue;
            vm.store(address(ledger), place, bytes32(value));
            (, bytes memory next) = address(ledger).staticcall(view_);
            if (keccak256(next) != keccak256(before)) return;
            vm.store(address(ledger), place, old);
        }
        revert("slot not found");
    }

    function _any(function(TicketWord) internal pure returns (bool) suits) private view returns (uint64) {
        (, uint256 count,,) = _store.counts();
        for (uint256 i = 0; i < count; ++i) {
            uint64 id = _store.ids(i);
            if (suits(ledger.ticketWordOf(id))) return id;
        }
        revert("no such ticket");
    }

    function _isFree(TicketWord word) private pure returns (bool) {
        return word.isFreeAt(word.epoch());
    }

    function _isUsed(TicketWord word) private pure returns (bool) {
        return word.isRedeemed();
    }

    function _rehold(uint64 id, address holder) private {
        TicketWord word = ledger.ticketWordOf(id);
        _force(id, TicketWord.unwrap(word.given(holder, false, uint32(_store.time()))));
    }

    // ------------------------------------------------------------------------------------------------ tickets

    function test_Control_SoldBeyondTheBatch()
        external
        convicts(InvariantsTest.invariant_01_SoldTicketsAreWithinTheirBatch.selector)
    {
        _force(TicketId.first(_store.events(0), 0) + 3, 1);
    }

    function test_Control_WordIsZeroAgain() external convicts(InvariantsTest.invariant_02_NoIdIsReborn.selector) {
        _force(_any(_isFree), 0);
    }

    function test_Control_BalanceIsAnother()
        external
        convicts(InvariantsTest.invariant_03_OwnersAndBalancesAreThoseOfTheTransferLogs.selector)
    {
        _poke(_asTopic(address(ledger)), abi.encodeCall(ledger.balanceOf, (address(ledger))), 99);
    }

    function test_Control_ResoldOverTheCap()
        external
        convicts(InvariantsTest.invariant_04_NoPathExceedsTheCap.selector)
    {
        uint64 id = _any(_isFree);
        TicketWord word = ledger.ticketWordOf(id);
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](1);
        lines[0] = _delivery(id, stranger, true, word.epoch(), ledger.capOf(id) + 1);
        bytes32 event_ = bytes32(uint256(TicketId.eventOf(id)));
        _lie([ILedgerTypes.Settled.selector, event_, 0, 0], abi.encode(lines));
        _force(id, TicketWord.unwrap(word.bought(stranger, true, uint32(_store.time()), ledger.capOf(id) + 1)));
    }

    function test_Control_UsedTicketMoved()
        external
        convicts(InvariantsTest.invariant_09_AUsedOrVoidTicketNeverMoves.selector)
    {
        _rehold(_any(_isUsed), stranger);
    }

    function test_Control_UsedWithoutEntry() external convicts(InvariantsTest.invariant_10_UsedIsWhoEntered.selector) {
        uint64 id = _any(_isFree);
        _force(id, TicketWord.unwrap(ledger.ticketWordOf(id).redeemed()));
    }

    function test_Control_EnteredTooOften()
        external
        convicts(InvariantsTest.invariant_11_NobodyEntersMoreOftenThanTheTermsAllow.selector)
    {
        uint64 id = _any(_isUsed);
        Redemption[] memory lines = new Redemption[](4);
        for (uint256 i = 0; i < 4; ++i) {
            lines[i] = _redemptions(uint24(id), 1)[0];
        }
        bytes32 event_ = bytes32(uint256(TicketId.eventOf(id)));
        _lie([ILedgerTypes.Redeemed.selector, event_, _asTopic(gate), 0], abi.encode(lines));
    }

    function test_Control_EnteredAtAStrangersGate()
        external
        convicts(InvariantsTest.invariant_10_UsedIsWhoEntered.selector)
    {
        bytes32 event_ = bytes32(uint256(_store.events(0)));
        _lie([ILedgerTypes.Redeemed.selector, event_, _asTopic(stranger), 0], abi.encode(new Redemption[](0)));
    }

    function test_Control_MovedWithoutConsent()
        external
        convicts(InvariantsTest.invariant_12_AHeldTicketMovesOnlyByConsent.selector)
    {
        uint64 id = _any(_isFree);
        TicketWord word = ledger.ticketWordOf(id);
        bytes32[4] memory topics =
            [ILedgerTypes.Given.selector, bytes32(uint256(id)), _asTopic(word.holder()), _asTopic(stranger)];
        _lie(topics, abi.encode(false, word.epoch() + 1));
        _rehold(id, stranger);
    }

    function test_Control_ThiefSucceeds()
        external
        convicts(InvariantsTest.invariant_12_NobodyHasMorePowerThanTheirRole.selector)
    {
        vm.mockCall(address(ledger), abi.encodeWithSelector(ledger.transferFrom.selector), "");
        _world.adversary().moveAnothersTicket(1);
        vm.clearMockedCalls();
    }

    function test_Control_ACallWorksTwice()
        external
        convicts(InvariantsTest.invariant_13_NothingWorksASecondTime.selector)
    {
        Ghosts.Call memory old = _store.callAt(0);
        vm.mockCall(address(ledger), old.data, abi.encode(new bytes[](0)));
        for (uint256 dice = 0; dice < 200; ++dice) {
            _world.adversary().replay(dice);
        }
        vm.clearMockedCalls();
    }

    function test_Control_EpochStandsStill()
        external
        convicts(InvariantsTest.invariant_14_TheEpochStrictlyGrows.selector)
    {
        uint64 id = _any(_isFree);
        TicketWord word = ledger.ticketWordOf(id);
        _force(id, TicketWord.unwrap(TicketWords.pack(stranger, 0, word.epoch(), word.since(), word.price())));
    }

    function test_Control_GivenTooOften()
        external
        convicts(InvariantsTest.invariant_18_GiftsAndHoldingsStayWithinTheTerms.selector)
    {
        uint64 id = _store.ids(0);
        _force(id, TicketWord.unwrap(TicketWords.pack(alice.account, 2 << 5, 7, 0, 1)));
        _store.observe();
        _store.convict(Ghosts.Rule.Gifts, "");
        bytes32[4] memory topics =
            [ILedgerTypes.Given.selector, bytes32(uint256(id)), _asTopic(alice.account), _asTopic(stranger)];
        _lie(topics, abi.encode(false, uint16(8)));
        _rehold(id, stranger);
    }

    function test_Control_HoldingsAreMiscounted()
        external
        convicts(InvariantsTest.invariant_18_GiftsAndHoldingsStayWithinTheTerms.selector)
    {
        uint40 event_ = _store.events(1);
        address account = _holderIn(event_);
        for (uint256 slot = 0; slot < 40; ++slot) {
            bytes32 place = keccak256(abi.encode(account, keccak256(abi.encode(event_, slot))));
            if (uint256(vm.load(address(ledger), place)) != ledger.holdingOf(event_, account)) continue;
            vm.store(address(ledger), place, bytes32(uint256(9)));
            if (ledger.holdingOf(event_, account) == 9) return;
        }
        revert("slot not found");
    }

    function _holderIn(uint40 event_) private view returns (address) {
        (,, uint256 people,) = _store.counts();
        for (uint256 i = 0; i < people; ++i) {
            if (ledger.holdingOf(event_, _store.accounts(i)) > 0) return _store.accounts(i);
        }
        revert("nobody");
    }

    function test_Control_EscrowReleasedEarly()
        external
        convicts(InvariantsTest.invariant_19_WindowsClosingAndCooldownHold.selector)
    {
        bytes32 event_ = bytes32(uint256(_store.events(2)));
        _lie([ILedgerTypes.EscrowReleased.selector, event_, _asTopic(organizer), 0], abi.encode(uint256(0)));
    }

    function test_Control_ChangeWithoutAnEvent()
        external
        convicts(InvariantsTest.invariant_20_EveryChangeHasExactlyOneEvent.selector)
    {
        uint64 id = _any(_isFree);
        _force(id, TicketWord.unwrap(ledger.ticketWordOf(id).revoked()));
    }

    // ------------------------------------------------------------------------------------------------ money, events

    function test_Control_RoyaltyIsLost() external convicts(InvariantsTest.invariant_05_PartsSumToThePrice.selector) {
        for (uint256 i = 0; i < 4; ++i) {
            uint40 event_ = _store.events(i);
            uint256 pot = ledger.potOf(event_);
            if (pot > 0) return _poke(bytes32(uint256(event_)), abi.encodeCall(ledger.potOf, (event_)), pot - 1);
        }
        revert("no pot");
    }

    function test_Control_TokensAreMissing()
        external
        convicts(InvariantsTest.invariant_06_TokensHeldAreTokensOwed.selector)
    {
        MockToken token_ = MockToken(_store.tokens(0));
        vm.prank(address(ledger));
        token_.transfer(stranger, 1);
    }

    function test_Control_EscrowIsShort()
        external
        convicts(InvariantsTest.invariant_07_EscrowCoversEveryRefund.selector)
    {
        uint40 event_ = _store.events(2);
        (uint256 amount, uint32 releaseAt,) = ledger.escrowOf(event_);
        uint256 word = (amount - 1) | (uint256(releaseAt) << 216);
        _poke(bytes32(uint256(event_)), abi.encodeCall(ledger.escrowOf, (event_)), word);
    }

    function test_Control_CapRaised()
        external
        convicts(InvariantsTest.invariant_08_TermsNeverChangeAndCancelledIsFinal.selector)
    {
        uint40 event_ = _store.events(0);
        uint256 word = uint256(bytes32(abi.encode(ledger.policyWordOf(event_))));
        _poke(bytes32(uint256(event_)), abi.encodeCall(ledger.policyWordOf, (event_)), word + (1 << 16));
    }

    function test_Control_CancelledComesBack()
        external
        convicts(InvariantsTest.invariant_08_TermsNeverChangeAndCancelledIsFinal.selector)
    {
        bytes32 event_ = bytes32(uint256(_store.events(0)));
        _lie([ILedgerTypes.StatusChanged.selector, event_, 0, 0], abi.encode(uint8(3), "why"));
        _lie([ILedgerTypes.StatusChanged.selector, event_, 0, 0], abi.encode(uint8(1), "why"));
    }

    function test_Control_OnePayeeBlocksAnother()
        external
        convicts(InvariantsTest.invariant_17_ARevertingPayeeBlocksNobody.selector)
    {
        vm.mockCallRevert(address(ledger), abi.encodeWithSelector(ledger.claim.selector), "blocked");
    }

    function test_Control_NoExitWhilePaused()
        external
        convicts(InvariantsTest.invariant_21_APausedLedgerStillLetsHoldersExit.selector)
    {
        vm.mockCallRevert(address(ledger), abi.encodeWithSelector(ledger.refund.selector), "paused");
        vm.mockCallRevert(address(ledger), abi.encodeWithSelector(ledger.withdraw.selector), "paused");
    }
}
