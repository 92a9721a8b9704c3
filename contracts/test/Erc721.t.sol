// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {DeafWallet, MockWallet, RestlessWallet} from "./mocks/MockWallet.sol";
import {Base} from "./Base.t.sol";

/// @notice The ERC-721 face.
contract Erc721Test is Base {
    function _transfers(uint64 id, address from, address to) private pure returns (bytes[3] memory calls) {
        calls[0] = abi.encodeWithSignature("transferFrom(address,address,uint256)", from, to, id);
        calls[1] = abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", from, to, id);
        calls[2] = abi.encodeWithSignature("safeTransferFrom(address,address,uint256,bytes)", from, to, id, bytes("x"));
        return calls;
    }

    /// @notice All three ways to transfer answer with this problem.
    function _expectAllRefused(address caller, uint64 id, address from, address to, bytes memory problem) private {
        bytes[3] memory calls = _transfers(id, from, to);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(caller);
            (bool success, bytes memory answer) = address(ledger).call(calls[i]);
            vm.assertFalse(success);
            vm.assertEq(answer, problem);
        }
    }

    function test_TransferFromIsAGift() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.expectEmit(address(ledger));
        emit IERC721.Transfer(alice.account, bob.account, id);
        vm.expectEmit(address(ledger));
        emit ILedgerTypes.Given(id, alice.account, bob.account, false, 2);
        vm.prank(alice.account);
        ledger.transferFrom(alice.account, bob.account, id);
        _assertTicket(id, bob.account, false, 2, FACE);
        vm.assertEq(ledger.ticketOf(id).gifts, 1);
        vm.assertEq(ledger.balanceOf(bob.account), 1);
    }

    function test_SafeTransferFromObeysTheSameRulesAsTransferFrom() external {
        uint64 id = _sold(alice.account, false);
        address a = alice.account;
        address b = bob.account;
        _expectAllRefused(a, id, a, b, abi.encodeWithSelector(Ledger_Cooldown.selector, id, START + COOLDOWN));
        vm.warp(GIFTS_CLOSE + 1);
        _expectAllRefused(a, id, a, b, abi.encodeWithSelector(Ledger_GiftsClosed.selector, id, GIFTS_CLOSE));
        vm.warp(MOVES_CLOSE);
        _expectAllRefused(a, id, a, b, abi.encodeWithSelector(Ledger_MovesClosed.selector, id, MOVES_CLOSE));
        vm.warp(RESALE_OPENS);
        address wrapper = address(new DeafWallet());
        _expectAllRefused(a, id, a, wrapper, abi.encodeWithSelector(Ledger_RefusedAccount.selector, wrapper));
        _expectAllRefused(
            a, id, a, address(ledger), abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(ledger))
        );
        _expectAllRefused(a, id, a, address(0), abi.encodeWithSelector(Ledger_RefusedAccount.selector, address(0)));
        bytes memory notHolder = abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, b, id);
        _expectAllRefused(b, id, a, b, notHolder);
        bytes memory notOwner = abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, b, id, a);
        _expectAllRefused(b, id, b, b, notOwner);
        for (uint256 i = 0; i < GIFT_LIMIT; ++i) {
            (address from, address to) = i % 2 == 0 ? (a, b) : (b, a);
            vm.prank(from);
            ledger.safeTransferFrom(from, to, id);
            vm.warp(RESALE_OPENS + (i + 1) * COOLDOWN);
        }
        _expectAllRefused(a, id, a, b, abi.encodeWithSelector(Ledger_GiftLimit.selector, id, GIFT_LIMIT));
        _redeemOne(0, 3);
        _expectAllRefused(a, id, a, b, abi.encodeWithSelector(Ledger_AlreadyRedeemed.selector, id));
    }

    function test_CustodiedTicketIsNotMovedByPlainCalls() external {
        uint64 id = _soldLongAgo(alice.account, true);
        address[3] memory callers = [alice.account, relayer, admin];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory problem =
                abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, callers[i], id);
            _expectAllRefused(callers[i], id, address(ledger), bob.account, problem);
        }
        bytes memory notOwner =
            abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, alice.account, id, address(ledger));
        _expectAllRefused(alice.account, id, alice.account, bob.account, notOwner);
    }

    function test_SafeTransferAsksTheReceiver() external {
        MockWallet wallet = new MockWallet(bob.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(alice.account, false);
        vm.prank(alice.account);
        ledger.safeTransferFrom(alice.account, address(wallet), id, "hello");
        vm.assertEq(wallet.received(), 1);
        _assertTicket(id, address(wallet), false, 2, FACE);
    }

    function test_TransferFromAsksNobody() external {
        MockWallet wallet = new MockWallet(bob.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(alice.account, false);
        vm.prank(alice.account);
        ledger.transferFrom(alice.account, address(wallet), id);
        vm.assertEq(wallet.received(), 0);
    }

    /// @notice What a receiver calls while it receives is a call like any other, after the move: it holds this ticket and no other.
    function test_ReceiverReenters() external {
        RestlessWallet wallet = new RestlessWallet();
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(alice.account, false);
        uint64 other = id + 1;
        vm.warp(START);
        _deliverLine(eventId, _delivery(other, alice.account, false, 0, FACE));
        vm.warp(RESALE_OPENS);
        wallet.prepare(
            address(ledger), abi.encodeCall(IERC721.transferFrom, (alice.account, address(wallet), uint256(other)))
        );
        vm.prank(alice.account);
        ledger.safeTransferFrom(alice.account, address(wallet), id);
        vm.assertFalse(wallet.succeeded());
        _assertTicket(id, address(wallet), false, 2, FACE);
        _assertTicket(other, alice.account, false, 1, FACE);

        // Its own it may give on only when it has rested.
        wallet.prepare(
            address(ledger), abi.encodeCall(IERC721.transferFrom, (address(wallet), bob.account, uint256(other)))
        );
        vm.prank(alice.account);
        ledger.safeTransferFrom(alice.account, address(wallet), other);
        vm.assertFalse(wallet.succeeded());
        vm.assertEq(ledger.balanceOf(address(wallet)), 2);
    }

    function test_RevertWhen_ReceiverRefusesSafeTransfer() external {
        address deaf = address(new DeafWallet());
        vm.prank(admin);
        ledger.allowAccountCode(deaf.codehash, true);
        uint64 id = _soldLongAgo(alice.account, false);
        vm.expectPartialRevert(IERC721Errors.ERC721InvalidReceiver.selector);
        vm.prank(alice.account);
        ledger.safeTransferFrom(alice.account, deaf, id);
    }

    function test_ApprovalsRevert() external {
        uint64 id = _soldLongAgo(alice.account, false);
        vm.startPrank(alice.account);
        vm.expectRevert(Ledger_ApprovalsDisabled.selector);
        ledger.approve(bob.account, id);
        vm.expectRevert(Ledger_ApprovalsDisabled.selector);
        ledger.setApprovalForAll(bob.account, true);
        vm.assertEq(ledger.getApproved(id), address(0));
        vm.assertFalse(ledger.isApprovedForAll(alice.account, bob.account));
    }

    function test_NamesAndInterfaces() external {
        uint64 id = _sold(alice.account, false);
        vm.assertEq(ledger.name(), "ticketchain");
        vm.assertEq(ledger.symbol(), "TKT");
        vm.assertEq(ledger.tokenURI(id), "https://tickets.example/16777216");
        vm.assertTrue(ledger.supportsInterface(type(IERC165).interfaceId));
        vm.assertTrue(ledger.supportsInterface(type(IERC721).interfaceId));
        vm.assertTrue(ledger.supportsInterface(type(IERC721Metadata).interfaceId));
        vm.assertTrue(ledger.supportsInterface(type(IERC2981).interfaceId));
        vm.assertTrue(ledger.supportsInterface(0x49064906)); // ERC-4906
        vm.assertTrue(ledger.supportsInterface(0xb45a3c0e)); // ERC-5192
        vm.assertTrue(ledger.supportsInterface(type(IERC5267).interfaceId));
        vm.assertFalse(ledger.supportsInterface(0xffffffff));
    }

    function test_RoyaltyInfo() external {
        uint64 id = _sold(alice.account, false);
        (address receiver, uint256 amount) = IERC2981(address(ledger)).royaltyInfo(id, 12_000);
        vm.assertEq(receiver, address(ledger));
        vm.assertEq(amount, 600);
        (, amount) = IERC2981(address(ledger)).royaltyInfo(id, 1);
        vm.assertEq(amount, 1);
        (, amount) = IERC2981(address(ledger)).royaltyInfo(id, 1_000);
        vm.assertEq(amount, 500);
        id = _tokenTicket(alice.account);
        (, amount) = IERC2981(address(ledger)).royaltyInfo(id, 5_000 * UNIT);
        vm.assertEq(amount, 500 * UNIT);
    }

    function test_Locked() external {
        uint64 id = _sold(alice.account, true);
        vm.assertTrue(ledger.locked(id));
        _deliverLine(eventId, _delivery(id + 1, alice.account, false, 0, FACE));
        vm.assertFalse(ledger.locked(id + 1));
        _redeemOne(1, 1);
        vm.assertTrue(ledger.locked(id + 1));
        _deliverLine(eventId, _delivery(id + 2, alice.account, false, 0, FACE));
        vm.warp(MOVES_CLOSE);
        vm.assertTrue(ledger.locked(id + 2));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id + 3));
        ledger.locked(id + 3);
    }

    function _status(uint256 tokenId) private view returns (ILedgerTypes.TokenStatus status) {
        (, status,) = ledger.getTokenStatus(tokenId);
    }

    function test_TokenStatus() external {
        uint64 id = _id(0);
        vm.assertTrue(_status(id) == ILedgerTypes.TokenStatus.Sold);
        _soldLongAgo(alice.account, true);
        (, ILedgerTypes.TokenStatus status, uint256 expireTime) = ledger.getTokenStatus(id);
        vm.assertTrue(status == ILedgerTypes.TokenStatus.Sold);
        vm.assertEq(expireTime, MOVES_CLOSE);
        _poolReturn(alice, id, 1, FACE);
        vm.assertTrue(_status(id) == ILedgerTypes.TokenStatus.Resell);
        _deliverLine(eventId, _delivery(id, bob.account, true, 2, FACE));
        _redeemOne(0, 3);
        vm.assertTrue(_status(id) == ILedgerTypes.TokenStatus.Redeemed);
        _deliverLine(eventId, _delivery(id + 1, bob.account, true, 0, FACE));
        _voidIt(id + 1, 1);
        vm.assertTrue(_status(id + 1) == ILedgerTypes.TokenStatus.Void);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 1 << 64));
        ledger.getTokenStatus(1 << 64);
    }

    function test_DomainIsReadable() external view {
        (, string memory name, string memory version, uint256 chainId, address verifier,,) =
            IERC5267(address(ledger)).eip712Domain();
        vm.assertEq(name, "ticketchain");
        vm.assertEq(version, "1");
        vm.assertEq(chainId, block.chainid);
        vm.assertEq(verifier, address(ledger));
    }

    function _expectNonexistent(uint256 tokenId) private {
        bytes memory problem = abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, tokenId);
        vm.expectRevert(problem);
        ledger.ownerOf(tokenId);
        vm.expectRevert(problem);
        ledger.tokenURI(tokenId);
        vm.expectRevert(problem);
        ledger.getApproved(tokenId);
        vm.expectRevert(problem);
        ledger.transferFrom(alice.account, bob.account, tokenId);
    }

    function test_RevertWhen_NoOwner() external {
        uint64 id = _sold(alice.account, false);
        _expectNonexistent(_id(1));
        _expectNonexistent(_id(SUPPLY));
        _expectNonexistent(uint256(id) + (1 << 64));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidOwner.selector, address(0)));
        ledger.balanceOf(address(0));
    }
}
