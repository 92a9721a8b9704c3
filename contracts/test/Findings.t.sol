// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {DeliveryTargets, Payments} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {DeafWallet, MockWallet} from "./mocks/MockWallet.sol";
import {Vm} from "./Vm.sol";
import {Base} from "./Base.t.sol";

/// @notice What others were found to get wrong, by the name of the finding: none of it works here. Unlock: Code4rena 2021-11. Foundation:
/// Code4rena 2022-02. Seaport: its known limitations. OPEN: its published sources of 2025-03. That a twin must follow every step, as
/// Seaport 1.2 taught, is in `Fold.t.sol`.
contract FindingsTest is Base {
    function _tokenId(uint16 index) private view returns (uint64) {
        return TicketId.first(tokenEventId, 0) + index;
    }

    /// @notice Bob has bought alice's ticket, at epoch 2 now, and has rested.
    function _resold() private returns (uint64 id) {
        id = _soldLongAgo(alice.account, true);
        _settleLine(_settlement(id, bob.account, true, 1, FACE, _sign(alice.key, _openOffer(id, 1, FACE))));
        vm.warp(block.timestamp + COOLDOWN);
    }

    function _refused(address sender, bytes4 selector, bytes memory data) private {
        vm.prank(sender);
        (bool success, bytes memory answer) = address(ledger).call(data);
        vm.assertFalse(success);
        vm.assertEq(bytes32(bytes4(answer)), selector);
    }

    function _buyAt(address buyer, uint64 id, uint40 price, bytes memory consent) private {
        token.mint(buyer, price * UNIT);
        vm.startPrank(buyer);
        token.approve(address(ledger), price * UNIT);
        ledger.buyResale(id, 1, price, address(0), NEVER, consent);
        vm.stopPrank();
    }

    // ------------------------------------------------------------------------------------------------ Unlock

    /// @notice A key manager stayed after the transfer, and the seller took the key back.
    function test_Finding_UnlockH03_SellerTakesTheTicketBack() external {
        uint64 id = _resold();
        for (uint16 epoch = 1; epoch <= 2; ++epoch) {
            bytes4 why = epoch == 1 ? Ledger_StaleEpoch.selector : Ledger_BadConsent.selector;
            bytes memory consent = _sign(alice.key, _giftHash(id, epoch, alice.account, true, NEVER));
            _refused(alice.account, why, abi.encodeCall(ledger.gift, (id, epoch, alice.account, true, NEVER, consent)));
            consent = _sign(alice.key, _moveHash("Withdraw", id, epoch, alice.account));
            _refused(alice.account, why, abi.encodeCall(ledger.withdraw, (id, epoch, alice.account, NEVER, consent)));
            consent = _sign(alice.key, _revokeHash(id, epoch, NEVER));
            _refused(alice.account, why, abi.encodeCall(ledger.revoke, (id, epoch, NEVER, consent)));
        }
        _assertTicket(id, bob.account, true, 2, FACE);
    }

    /// @notice A single approval was not cleared on some paths. Here there is none to clear.
    function test_Finding_UnlockH04_ApprovalSurvivesTransfer() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _refused(alice.account, Ledger_ApprovalsDisabled.selector, abi.encodeCall(ledger.approve, (carol.account, id)));
        vm.prank(alice.account);
        ledger.transferFrom(alice.account, bob.account, id);
        vm.assertEq(ledger.getApproved(id), address(0));
        vm.warp(block.timestamp + COOLDOWN);
        _refused(
            carol.account,
            IERC721Errors.ERC721InsufficientApproval.selector,
            abi.encodeCall(ledger.transferFrom, (bob.account, carol.account, id))
        );
        _refused(
            alice.account,
            IERC721Errors.ERC721InsufficientApproval.selector,
            abi.encodeCall(ledger.transferFrom, (bob.account, alice.account, id))
        );
    }

    /// @notice A free key, shared and refunded, drained the lock.
    function test_Finding_UnlockH02_FreeTicketSharedAndRefunded() external {
        _buyTicket(bob.account, _tokenId(1), 0);
        uint64 id = _tokenTicket(alice.account);
        _giftBy(alice, id, 1, carol.account, false);
        _setStatus(tokenEventId, 3);
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (id, _tokenId(1));
        ledger.refundCancelled(tokenEventId, ids);
        vm.assertEq(ledger.creditOf(carol.account, address(token)), 0);
        vm.assertEq(ledger.creditOf(alice.account, address(token)), 0);
        vm.assertEq(ledger.creditOf(bob.account, address(token)), FACE * UNIT);

        uint64 free = _id(3);
        _deliverLine(eventId, _delivery(free, alice.account, true, 0, 0));
        bytes memory consent = _sign(alice.key, _refundHash(free, 1, 1, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverRefund.selector, free, 1, 0));
        vm.prank(relayer);
        ledger.refund(free, 1, 1, REF, NEVER, consent);
    }

    /// @notice The manager withdrew, and refunds failed.
    function test_Finding_UnlockM04_OrganizerWithdrawsAndRefundsFail() external {
        _buyTicket(alice.account, _tokenId(0), 0);
        _refused(organizer, Ledger_EscrowLocked.selector, abi.encodeCall(ledger.releaseEscrow, (tokenEventId)));
        _refused(organizer, Ledger_NoCredit.selector, abi.encodeCall(ledger.claim, (address(token))));
        _setStatus(tokenEventId, 3);
        vm.warp(RELEASE + 1);
        _refused(organizer, Ledger_EscrowLocked.selector, abi.encodeCall(ledger.releaseEscrow, (tokenEventId)));
        uint64[] memory ids = new uint64[](1);
        ids[0] = _tokenId(0);
        ledger.refundCancelled(tokenEventId, ids);
        vm.prank(alice.account);
        ledger.claim(address(token));
        vm.assertEq(token.balanceOf(alice.account), FACE * UNIT);
    }

    /// @notice A refund used today's price.
    function test_Finding_UnlockM05_RefundAtTodaysPrice() external {
        uint64 id = _sold(alice.account, true);
        vm.prank(organizer);
        ledger.issue(eventId, 1, ILedgerTypes.Batch(9, 1, 0, 7, 2 * FACE), "dearer");
        bytes memory consent = _sign(alice.key, _refundHash(id, 1, 2 * FACE, NEVER));
        vm.expectRevert(abi.encodeWithSelector(Ledger_OverRefund.selector, id, 2 * FACE, FACE));
        vm.prank(relayer);
        ledger.refund(id, 1, 2 * FACE, REF, NEVER, consent);
        _setStatus(eventId, 3);
        uint64[] memory ids = new uint64[](1);
        ids[0] = id;
        ledger.refundCancelled(eventId, ids);
        (uint128 due,) = ledger.refundsOf(eventId);
        vm.assertEq(due, FACE);
    }

    /// @notice The answer of transferFrom was not looked at.
    function test_Finding_UnlockM03_UncheckedTransferFrom() external {
        bytes memory voucher = _voucher(_tokenId(0), 0, FACE, bob.account, NEVER);
        vm.mockCall(address(token), abi.encodeWithSelector(IERC20.transferFrom.selector), abi.encode(false));
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vm.prank(bob.account);
        ledger.buy(_tokenId(0), 0, FACE, REF, NEVER, voucher);
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        vm.prank(bob.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent);
    }

    // ------------------------------------------------------------------------------------------------ Foundation

    /// @notice The signature of a private sale worked again once the seller had the token back.
    function test_Finding_FoundationM01_PrivateSaleSignatureReused() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory consent = _sign(alice.key, _offerHash(Offer(id, 1, 1, "EUR", address(0), bob.account, NEVER)));
        Settlement memory line = _settlement(id, bob.account, true, 1, 1, consent);
        line.payment = Payments.packResale(REF, 1, NEVER, true);
        vm.assertEq(_settleLine(line), "");
        vm.warp(block.timestamp + COOLDOWN);
        _giftBy(bob, id, 2, alice.account, true);
        vm.warp(block.timestamp + COOLDOWN);
        vm.assertEq(_settleLine(line), abi.encodeWithSelector(Ledger_StaleEpoch.selector, id, 1, 3));
        line.target = DeliveryTargets.pack(bob.account, id, 3, true);
        vm.assertEq(_settleLine(line), abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account));
    }

    /// @notice The royalty was split wrongly.
    function test_Finding_FoundationM05M07_RoyaltySplitWrong() external {
        uint64 id = _tokenTicket(alice.account);
        _buyAt(bob.account, id, 9_999, _sign(alice.key, _tokenOffer(id, 1, 9_999, address(0))));
        uint256 pot = ledger.potOf(tokenEventId);
        vm.assertEq(pot + ledger.creditOf(alice.account, address(token)), 9_999 * UNIT);
        ledger.release(tokenEventId, _payees());
        uint256 parts = ledger.creditOf(payeeA, address(token)) + ledger.creditOf(payeeB, address(token));
        vm.assertEq(parts + ledger.creditOf(payeeC, address(token)), pot);
    }

    /// @notice So many recipients that paying them reverts.
    function test_Finding_FoundationM15_UnboundedRecipientsRevert() external {
        ILedgerTypes.Terms memory terms = _terms();
        terms.payees = new ILedgerTypes.Payee[](33);
        for (uint160 i = 0; i < 33; ++i) {
            terms.payees[i] = ILedgerTypes.Payee(address(0x1000 + i), i == 0 ? 10_000 : 0);
        }
        _refused(
            organizer,
            Ledger_BadPayees.selector,
            abi.encodeCall(ledger.createEvent, (organizer, "many", terms, _schedule()))
        );
        ILedgerTypes.Payee[] memory most = terms.payees;
        assembly {
            mstore(most, 32)
        }
        (terms.payees, terms.token, terms.capBps, terms.unitExponent) = (most, address(token), 10_000, 4);
        tokenEventId = _createEvent(terms);
        uint64 id = _tokenTicket(alice.account);
        _buyAt(bob.account, id, FACE, _sign(alice.key, _tokenOffer(id, 1, FACE, address(0))));
        ledger.release{gas: 1_500_000}(tokenEventId, most);
        vm.assertEq(ledger.potOf(tokenEventId), 0);
    }

    // ------------------------------------------------------------------------------------------------ Seaport

    /// @notice A recipient can revert and so spoil an order.
    function test_Finding_Seaport_RecipientReverts() external {
        uint64 id = _tokenTicket(alice.account);
        token.refuse(alice.account);
        _buyAt(bob.account, id, FACE, _sign(alice.key, _tokenOffer(id, 1, FACE, address(0))));
        ledger.release(tokenEventId, _payees());
        vm.prank(payeeA);
        ledger.claim(address(token));
        vm.assertEq(ledger.creditOf(alice.account, address(token)), 9_500 * UNIT);
    }

    /// @notice A recipient or signer can burn the gas of a bulk call.
    function test_Finding_Seaport_RecipientBurnsGas() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(address(wallet), false);
        wallet.setWasteful(true);
        Settlement[] memory lines = new Settlement[](1);
        lines[0] = _settlement(id, bob.account, true, 1, FACE, _sign(alice.key, _openOffer(id, 1, FACE)));
        bytes memory attestation = _attestSettlements(eventId, lines);
        vm.prank(relayer);
        ledger.settleResales{gas: 300_000}(eventId, _linesOf(lines), _consentsOf(lines), attestation);
        _assertTicket(id, address(wallet), false, 1, FACE);
    }

    /// @notice Whoever sends an order first can change its tips. Here the price is all there is, and all of it is signed.
    function test_Finding_Seaport_TipsAreFrontRun() external {
        uint64 id = _tokenTicket(alice.account);
        bytes memory consent = _sign(alice.key, _tokenOffer(id, 1, FACE, bob.account));
        _refused(
            carol.account,
            Ledger_RefusedAccount.selector,
            abi.encodeCall(ledger.buyResale, (id, 1, FACE, bob.account, NEVER, consent))
        );
        _refused(
            carol.account,
            Ledger_BadConsent.selector,
            abi.encodeCall(ledger.buyResale, (id, 1, FACE, carol.account, NEVER, consent))
        );
        _refused(
            bob.account,
            Ledger_BadConsent.selector,
            abi.encodeCall(ledger.buyResale, (id, 1, FACE - 1, bob.account, NEVER, consent))
        );
    }

    /// @notice An ERC-1271 order stays valid once it was validated, whatever the wallet says later. Here it is asked at each use.
    function test_Finding_Seaport_OrderOutlivesItsWalletsConsent() external {
        MockWallet wallet = new MockWallet(alice.account);
        vm.prank(admin);
        ledger.allowAccountCode(address(wallet).codehash, true);
        uint64 id = _soldLongAgo(address(wallet), false);
        bytes memory consent = _sign(alice.key, _openOffer(id, 1, FACE));
        vm.store(address(wallet), 0, bytes32(uint256(uint160(bob.account)))); // another signer from now on
        bytes memory problem = abi.encodeWithSelector(Ledger_BadConsent.selector, id, address(wallet));
        vm.assertEq(_settleLine(_settlement(id, carol.account, true, 1, FACE, consent)), problem);
    }

    /// @notice Tokens that keep a fee.
    function test_Finding_Seaport_FeeOnTransfer() external {
        token.setFee(1);
        token.mint(bob.account, FACE * UNIT);
        bytes memory voucher = _voucher(_tokenId(0), 0, FACE, bob.account, NEVER);
        vm.startPrank(bob.account);
        token.approve(address(ledger), FACE * UNIT);
        uint256 price = FACE * UNIT;
        vm.expectRevert(
            abi.encodeWithSelector(Ledger_WrongTokenAmount.selector, address(token), price - price / 10_000, price)
        );
        ledger.buy(_tokenId(0), 0, FACE, REF, NEVER, voucher);
    }

    // ------------------------------------------------------------------------------------------------ markets, wallets

    /// @notice OpenSea's operator filter was passed by. Here no operator exists, known or unknown.
    function test_Finding_OperatorFilter_AnotherMarketIsUsed() external {
        uint64 id = _soldLongAgo(alice.account, false);
        address market = address(new DeafWallet());
        _refused(
            alice.account, Ledger_ApprovalsDisabled.selector, abi.encodeCall(ledger.setApprovalForAll, (market, true))
        );
        _refused(
            market,
            IERC721Errors.ERC721InsufficientApproval.selector,
            abi.encodeCall(ledger.transferFrom, (alice.account, bob.account, id))
        );
        _refused(
            alice.account,
            Ledger_RefusedAccount.selector,
            abi.encodeCall(ledger.transferFrom, (alice.account, market, id))
        );
    }

    /// @notice EIP-7702 broke "the receiver has code": people's accounts have some now.
    function test_Finding_LimitBreak_DelegatedAccountIsTakenForAContract() external {
        uint64 id = _soldLongAgo(alice.account, false);
        address delegate = address(new MockWallet(bob.account));
        vm.etch(bob.account, abi.encodePacked(hex"ef0100", delegate));
        vm.prank(alice.account);
        ledger.transferFrom(alice.account, bob.account, id);
        _assertTicket(id, bob.account, false, 2, FACE);
        // As long as a delegation, but none.
        vm.etch(carol.account, abi.encodePacked(hex"ef0000", delegate));
        vm.warp(block.timestamp + COOLDOWN);
        _refused(
            bob.account,
            Ledger_RefusedAccount.selector,
            abi.encodeCall(ledger.transferFrom, (bob.account, carol.account, id))
        );
    }

    // ------------------------------------------------------------------------------------------------ OPEN

    /// @notice `transferFrom` asked for the lock and `safeTransferFrom` did not.
    function test_Finding_Open_SafeTransferFromSkipsTheLock() external {
        uint64 id = _soldLongAgo(alice.account, false);
        _activate(alice, id, 1);
        vm.assertTrue(ledger.locked(id));
        string[3] memory ways = [
            "transferFrom(address,address,uint256)",
            "safeTransferFrom(address,address,uint256)",
            "safeTransferFrom(address,address,uint256,bytes)"
        ];
        for (uint256 i = 0; i < 3; ++i) {
            _refused(
                alice.account,
                Ledger_Stopped.selector,
                abi.encodeWithSignature(ways[i], alice.account, bob.account, id, bytes(""))
            );
        }
    }

    /// @notice Anyone could initialise the storage. Here constructors do, and a part called directly has no admin at all.
    function test_Finding_Open_AnyoneInitialises() external {
        (, bytes memory answer) = address(ledger).staticcall(abi.encodeWithSignature("nextPart()"));
        address desk = abi.decode(answer, (address));
        vm.startPrank(stranger);
        (bool success,) = desk.call(abi.encodeCall(ledger.setRoles, (0, stranger, ADMIN)));
        vm.assertFalse(success);
        (success,) = address(ledger).call(abi.encodeWithSignature("initContract()"));
        vm.assertFalse(success);
        vm.assertEq(ledger.rolesOf(0, stranger), 0);
    }

    /// @notice The relayer moved any ticket with no consent of its owner.
    function test_Finding_Open_RelayerMovesWithoutConsent() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory problem = abi.encodeWithSelector(Ledger_BadConsent.selector, id, alice.account);
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, FACE, "")), problem);
        vm.assertEq(
            _deliverLine(eventId, _delivery(id, bob.account, true, 1, FACE)),
            abi.encodeWithSelector(Ledger_NotInStock.selector, id)
        );
        _refused(
            relayer,
            IERC721Errors.ERC721InsufficientApproval.selector,
            abi.encodeCall(ledger.transferFrom, (address(ledger), bob.account, id))
        );
        _refused(
            relayer, Ledger_BadConsent.selector, abi.encodeCall(ledger.gift, (id, 1, bob.account, true, NEVER, ""))
        );
        _refused(relayer, Ledger_BadConsent.selector, abi.encodeCall(ledger.refund, (id, 1, FACE, REF, NEVER, "")));
        _refused(relayer, Ledger_BadConsent.selector, abi.encodeCall(ledger.withdraw, (id, 1, relayer, NEVER, "")));
    }

    /// @notice The price was logged, and no cap was checked.
    function test_Finding_Open_NoCapOnChain() external {
        uint64 id = _soldLongAgo(alice.account, true);
        bytes memory problem = abi.encodeWithSelector(Ledger_OverCap.selector, id, 11_001, 11_000);
        bytes memory consent = _sign(alice.key, _openOffer(id, 1, 11_001));
        vm.assertEq(_settleLine(_settlement(id, bob.account, true, 1, 11_001, consent)), problem);
    }

    /// @notice Storage lay in a second contract and events came from a third. Here both are the ledger's, whichever part runs.
    function test_Finding_Open_StorageAndEventsElsewhere() external {
        uint64 id = _soldLongAgo(alice.account, true);
        vm.recordLogs();
        _withdraw(alice, id, 1, bob.account);
        _setStatus(eventId, 2);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertTrue(logs.length > 3);
        for (uint256 i = 0; i < logs.length; ++i) {
            vm.assertEq(logs[i].emitter, address(ledger));
        }
        (, bytes memory answer) = address(ledger).staticcall(abi.encodeWithSignature("nextPart()"));
        for (uint256 slot = 0; slot < 40; ++slot) {
            vm.assertEq(vm.load(abi.decode(answer, (address)), bytes32(slot)), 0);
        }
        vm.assertEq(IERC721(address(ledger)).ownerOf(id), bob.account);
    }
}
