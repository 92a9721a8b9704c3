// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {DeafWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice Own wallets of custodied accounts, withdraw, deposit.
contract WalletsTest is Base {
    address internal wallet = _fan("wallet").account;

    function test_RegisterWallet() external {
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.WalletRegistered(alice.account, wallet);
        _register(alice, wallet);
        (address account, uint40 since) = ledger.accountOf(wallet);
        vm.assertEq(account, alice.account);
        vm.assertEq(since, START);
    }

    function test_RevertWhen_WalletIsTaken() external {
        _register(alice, wallet);
        vm.expectRevert(abi.encodeWithSelector(Ledger_WalletTaken.selector, wallet, alice.account));
        vm.prank(wallet);
        ledger.registerWallet(bob.account, NEVER, "");
    }

    function test_RevertWhen_RegisteredWithoutTheAccountsKey() external {
        vm.startPrank(wallet);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSignature.selector, alice.account));
        ledger.registerWallet(alice.account, NEVER, "");
        bytes32 typeHash = keccak256("RegisterWallet(address account,address wallet,uint40 deadline)");
        bytes memory late = _sign(alice.key, keccak256(abi.encode(typeHash, alice.account, wallet, START - 1)));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSignature.selector, alice.account));
        ledger.registerWallet(alice.account, START - 1, late);
    }

    function test_RevertWhen_WrapperIsRegistered() external {
        address wrapper = address(new DeafWallet());
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, wrapper));
        vm.prank(wrapper);
        ledger.registerWallet(alice.account, NEVER, "");
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, alice.account));
        vm.prank(alice.account);
        ledger.registerWallet(alice.account, NEVER, "");
    }

    function test_WithdrawToTheRegisteredWalletIsNoGift() external {
        _register(alice, wallet);
        uint64 id = _sold(alice.account, true);
        vm.warp(GIFTS_CLOSE + 1);
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(address(ledger), wallet, id);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Withdrawn(id, alice.account, wallet, false, 2);
        _withdraw(alice, id, 1, wallet);
        _assertTicket(id, wallet, false, 2, FACE);
        vm.assertEq(ledger.ticketOf(id).gifts, 0);
        vm.assertEq(ledger.ticketOf(id).since, START);
        vm.assertEq(ledger.paidEpochOf(id), 1);
    }

    function test_DepositFromTheRegisteredWalletIsNoGift() external {
        _register(alice, wallet);
        uint64 id = _sold(alice.account, true);
        _withdraw(alice, id, 1, wallet);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Deposited(id, wallet, alice.account, false, 3);
        _deposit(_fan("wallet"), id, 2, alice.account);
        _assertTicket(id, alice.account, true, 3, FACE);
        vm.assertEq(ledger.ticketOf(id).gifts, 0);
    }

    function test_WithdrawToAnyOtherWalletIsAGift() external {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Withdrawn(id, alice.account, bob.account, true, 2);
        _withdraw(alice, id, 1, bob.account);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
        vm.warp(block.timestamp + COOLDOWN);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Deposited(id, bob.account, carol.account, true, 3);
        _deposit(bob, id, 2, carol.account);
        vm.assertEq(ledger.ticketOf(id).gifts, 2);
        vm.warp(block.timestamp + COOLDOWN);
        bytes memory consent = _sign(carol.key, _moveHash("Withdraw", id, 3, bob.account));
        vm.expectRevert(abi.encodeWithSelector(Ledger_GiftLimit.selector, id, GIFT_LIMIT));
        ledger.withdraw(id, 3, bob.account, NEVER, consent);
    }

    function test_RevertWhen_WalletWasRegisteredAfterTheSale() external {
        uint64 id = _sold(alice.account, true);
        vm.warp(START + 1);
        _register(alice, wallet);
        bytes memory consent = _sign(alice.key, _moveHash("Withdraw", id, 1, wallet));
        vm.expectRevert(abi.encodeWithSelector(Ledger_Cooldown.selector, id, START + COOLDOWN));
        ledger.withdraw(id, 1, wallet, NEVER, consent);
    }

    function test_RevertWhen_CustodyIsWrong() external {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongCustody.selector, id));
        ledger.deposit(id, 1, bob.account, NEVER, "");
        _withdraw(alice, id, 1, bob.account);
        vm.warp(block.timestamp + COOLDOWN);
        vm.expectRevert(abi.encodeWithSelector(Ledger_WrongCustody.selector, id));
        ledger.withdraw(id, 2, carol.account, NEVER, "");
    }

    function test_RevertWhen_WithdrawnWithoutConsent() external {
        _register(alice, wallet);
        uint64 id = _sold(alice.account, true);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
        ledger.withdraw(id, 1, wallet, NEVER, "");
    }

    /// @dev Else the limit would be none: buy, withdraw, buy again. Account and wallet count apart.
    function test_RevertWhen_RegisteredWalletIsFull() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.holderLimit = 1;
        eventId = _createEvent(terms);
        _register(alice, bob.account);
        vm.warp(block.timestamp + 1);
        vm.assertEq(_deliverLine(eventId, _delivery(_id(0), alice.account, true, 0, FACE)), "");
        _withdraw(alice, _id(0), 1, bob.account);
        vm.assertEq(_deliverLine(eventId, _delivery(_id(1), alice.account, true, 0, FACE)), "");
        bytes memory consent = _sign(alice.key, _moveHash("Withdraw", _id(1), 1, bob.account));
        vm.expectRevert(abi.encodeWithSelector(Ledger_HolderLimit.selector, bob.account, 1));
        ledger.withdraw(_id(1), 1, bob.account, NEVER, consent);
        consent = _sign(bob.key, _moveHash("Deposit", _id(0), 2, alice.account));
        vm.expectRevert(abi.encodeWithSelector(Ledger_HolderLimit.selector, alice.account, 1));
        ledger.deposit(_id(0), 2, alice.account, NEVER, consent);
    }

    function test_RevertWhen_RegisteredWalletGrewCode() external {
        _register(alice, wallet);
        uint64 id = _sold(alice.account, true);
        vm.etch(wallet, address(new DeafWallet()).code);
        bytes memory consent = _sign(alice.key, _moveHash("Withdraw", id, 1, wallet));
        vm.expectRevert(abi.encodeWithSelector(Ledger_RefusedAccount.selector, wallet));
        ledger.withdraw(id, 1, wallet, NEVER, consent);
    }
}
