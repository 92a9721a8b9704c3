// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {Payment, Payments} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {MerkleTree} from "./mocks/MerkleTree.sol";
import {Base} from "./Base.t.sol";

/// @notice Everything that is signed, in turn: it works by the right key, once, on this chain and contract, and in no other form.
/// forge-config: default.fuzz.runs = 256
contract SignaturesTest is Base {
    uint256 private constant CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant KINDS = 22;

    struct Signed {
        address sender;
        uint256 key;
        bytes32 hash;
    }

    /// @dev Ticket 0: alice's, custodied. 1: bob's, his own. 2: alice's, frozen. 3, of the token event: alice's own. All at epoch 1.
    function setUp() public override {
        super.setUp();
        address[] memory listed = new address[](2);
        (listed[0], listed[1]) = (bob.account, carol.account);
        ILedgerTypes.Terms memory terms = _terms();
        (terms.identity, terms.reissue) = (true, true);
        eventId = _createEvent(terms);
        _deliverLine(eventId, _delivery(_id(0), alice.account, true, 0, FACE));
        _deliverLine(eventId, _delivery(_id(1), bob.account, false, 0, FACE));
        _deliverLine(eventId, _delivery(_id(2), alice.account, true, 0, FACE));
        _deliverLine(eventId, _delivery(_id(3), alice.account, true, 0, FACE));
        bytes memory consent = _sign(alice.key, _refundHash(_id(3), 1, FACE, NEVER));
        vm.prank(relayer);
        ledger.refund(_id(3), 1, FACE, REF, NEVER, consent);
        _freeze(_id(2), 1, 1);
        uint64 id = _tokenTicket(alice.account); // now at the opening of resales
        _deliverLine(tokenEventId, _delivery(id + 1, alice.account, false, 0, 0));
        vm.prank(relayer);
        ledger.announceReissue(_id(0), 1, carol.account, true);
        token.mint(carol.account, 9 * FACE * UNIT);
        vm.prank(carol.account);
        token.approve(address(ledger), type(uint256).max);
        consent = _sign(alice.key, _tokenOffer(id, 1, FACE, address(0)));
        vm.prank(carol.account);
        ledger.buyResale(id, 1, FACE, address(0), NEVER, consent); // alice has a credit
        vm.warp(block.timestamp + COOLDOWN);
    }

    // ------------------------------------------------------------------------------------------------ what is signed

    function _tokenId() private view returns (uint64) {
        return TicketId.first(tokenEventId, 0) + 1;
    }

    function _exchangeLine() private view returns (ILedgerTypes.Exchange memory) {
        return ILedgerTypes.Exchange(_id(0), 1, _id(9), 0, 0, REF, NEVER);
    }

    function _paid() private pure returns (Payment[] memory lines) {
        lines = new Payment[](1);
        lines[0] = Payments.pack(REF, 1);
    }

    /// @dev By the holder, alice, of ticket 0.
    function _consentOf(uint256 kind) private view returns (bytes32) {
        uint64 id = _id(0);
        if (kind == 0) return _giftHash(id, 1, bob.account, true, NEVER);
        if (kind == 1) return _moveHash("Withdraw", id, 1, bob.account);
        if (kind == 2) return _refundHash(id, 1, FACE, NEVER);
        if (kind == 3) return _revokeHash(id, 1, NEVER);
        if (kind == 4) return _plainHash("Activate", id, 1);
        if (kind == 5) return _identityHash(id, 1, "me");
        if (kind == 6) return _poolReturnHash(id, 1, FACE);
        if (kind == 7) return _openOffer(id, 1, FACE);
        if (kind == 8) return _plainHash("Veto", id, 1);
        if (kind == 9) return _registerHash(alice.account, stranger, NEVER);
        if (kind == 10) return _claimHash(alice.account, address(token), stranger, 0, NEVER);
        if (kind == 11) return _tokenOffer(_tokenId(), 1, FACE, carol.account);
        if (kind == 12) return _exchangeHash(_exchangeLine());
        return _swapHash(id, 1, _id(1), 1);
    }

    /// @dev By the attestor.
    function _attestationOf(uint256 kind) private view returns (bytes32) {
        if (kind == 14) return _exchangePaidHash(_exchangeLine());
        if (kind == 15) return _freezeHash(_id(0), 1, 1);
        if (kind == 16) return _unfreezeHash(_id(2), 1);
        if (kind == 17) return _voidHash(_id(0), 1, REF);
        if (kind == 18) return _voucherHash(_tokenId() + 1, 0, FACE, carol.account, NEVER);
        if (kind == 19) return _refundsPaidHash(eventId, 0, _paid());
        bytes32 lines = keccak256(abi.encode(_line(kind)));
        string memory name = kind == 20 ? "Deliveries" : "Settlements";
        bytes32 typeHash = keccak256(abi.encodePacked(name, "(uint40 eventId,bytes32 lines)"));
        return keccak256(abi.encode(typeHash, eventId, lines));
    }

    function _line(uint256 kind) private view returns (ILedgerTypes.Delivery memory) {
        if (kind == 20) return _delivery(_id(9), bob.account, true, 0, FACE);
        Settlement[] memory one = new Settlement[](1);
        one[0] = _settlement(_id(0), bob.account, true, 1, FACE, "");
        return _linesOf(one)[0];
    }

    function _signedOf(uint256 kind) private view returns (Signed memory) {
        address sender = relayer;
        if (kind == 9) sender = stranger;
        if (kind == 11 || kind == 18) sender = carol.account;
        if (kind < 14) return Signed(sender, alice.key, _consentOf(kind));
        return Signed(sender, attestor.key, _attestationOf(kind));
    }

    /// @dev The call with this signature; whatever else it needs is signed rightly.
    function _callOf(uint256 kind, bytes memory signature) private view returns (bytes memory) {
        uint64 id = _id(0);
        if (kind == 0) return abi.encodeCall(ledger.gift, (id, 1, bob.account, true, NEVER, signature));
        if (kind == 1) return abi.encodeCall(ledger.withdraw, (id, 1, bob.account, NEVER, signature));
        if (kind == 2) return abi.encodeCall(ledger.refund, (id, 1, FACE, REF, NEVER, signature));
        if (kind == 3) return abi.encodeCall(ledger.revoke, (id, 1, NEVER, signature));
        if (kind == 4) return abi.encodeCall(ledger.activate, (id, 1, NEVER, signature));
        if (kind == 5) return abi.encodeCall(ledger.commitIdentity, (id, 1, "me", NEVER, signature));
        if (kind == 6) return abi.encodeCall(ledger.poolReturn, (id, 1, FACE, NEVER, signature));
        if (kind == 8) return abi.encodeCall(ledger.vetoReissue, (id, 1, NEVER, signature));
        if (kind == 9) return abi.encodeCall(ledger.registerWallet, (alice.account, NEVER, signature));
        if (kind == 10) {
            return abi.encodeCall(ledger.claimFor, (alice.account, address(token), stranger, NEVER, signature));
        }
        if (kind == 11) {
            return abi.encodeCall(ledger.buyResale, (_tokenId(), 1, FACE, carol.account, NEVER, signature));
        }
        return _callOfLater(kind, signature);
    }

    function _callOfLater(uint256 kind, bytes memory signature) private view returns (bytes memory) {
        uint64 id = _id(0);
        bytes memory consent = kind == 12 ? signature : _sign(alice.key, _consentOf(12));
        bytes memory attestation = kind == 14 ? signature : _sign(attestor.key, _attestationOf(14));
        if (kind == 12 || kind == 14) {
            return abi.encodeCall(ledger.exchange, (_exchangeLine(), consent, attestation));
        }
        if (kind == 13) {
            ILedgerTypes.SwapSide memory one = ILedgerTypes.SwapSide(id, 1, NEVER, signature);
            return abi.encodeCall(ledger.swap, (one, _swapSide(bob, _id(1), 1, id, 1)));
        }
        if (kind == 15) return abi.encodeCall(ledger.freeze, (id, 1, 1, REF, signature));
        if (kind == 16) return abi.encodeCall(ledger.unfreeze, (_id(2), 1, REF, signature));
        if (kind == 17) return abi.encodeCall(ledger.voidTicket, (id, 1, REF, signature));
        if (kind == 18) return abi.encodeCall(ledger.buy, (_tokenId() + 1, 0, FACE, REF, NEVER, signature));
        if (kind == 19) return abi.encodeCall(ledger.recordRefundsPaid, (eventId, _paid(), signature));
        ILedgerTypes.Delivery[] memory lines = new ILedgerTypes.Delivery[](1);
        lines[0] = _line(kind);
        if (kind == 20) return abi.encodeCall(ledger.deliver, (eventId, lines, signature));
        consent = kind == 7 ? signature : _sign(alice.key, _consentOf(7));
        attestation = kind == 21 ? signature : _sign(attestor.key, _attestationOf(21));
        consent = abi.encodePacked(uint16(consent.length), consent);
        return abi.encodeCall(ledger.settleResales, (eventId, lines, consent, attestation));
    }

    /// @dev The call goes through, and no line is skipped.
    function _works(uint256 kind, address sender, bytes memory signature) private returns (bool) {
        bytes memory data = _callOf(kind, signature);
        vm.prank(sender);
        (bool success, bytes memory answer) = address(ledger).call(data);
        bool bulk = kind == 7 || kind >= 20;
        return success && (!bulk || abi.decode(answer, (bytes[])).length == 0);
    }

    // ------------------------------------------------------------------------------------------------ the tests

    function testFuzz_WorksByTheRightKeyAndOnce(uint256 kind, bool compact) external {
        kind %= KINDS;
        Signed memory signed = _signedOf(kind);
        bytes memory signature = compact ? _signCompact(signed.key, signed.hash) : _sign(signed.key, signed.hash);
        vm.assertTrue(_works(kind, signed.sender, signature));
        vm.assertFalse(_works(kind, signed.sender, signature));
    }

    function testFuzz_RefusedByAnotherKey(uint256 kind, uint256 key) external {
        kind %= KINDS;
        key = _bound(key, 1, CURVE_ORDER - 1);
        Signed memory signed = _signedOf(kind);
        vm.assume(key != signed.key);
        vm.assertFalse(_works(kind, signed.sender, _sign(key, signed.hash)));
    }

    function testFuzz_RefusedOverAnythingElse(uint256 kind, bytes32 hash) external {
        kind %= KINDS;
        Signed memory signed = _signedOf(kind);
        vm.assume(hash != signed.hash);
        vm.assertFalse(_works(kind, signed.sender, _sign(signed.key, hash)));
    }

    function testFuzz_RefusedFromAnotherChain(uint256 kind, uint32 chain) external {
        kind %= KINDS;
        uint256 home = block.chainid;
        vm.assume(chain != home && chain != 0);
        Signed memory signed = _signedOf(kind);
        vm.chainId(chain);
        bytes memory signature = _sign(signed.key, signed.hash);
        vm.chainId(home);
        vm.assertFalse(_works(kind, signed.sender, signature));
        vm.assertTrue(_works(kind, signed.sender, _sign(signed.key, signed.hash)));
    }

    /// @notice After a fork, the other chain's ledger is at the same address, with the same tickets: what was signed before says which.
    function testFuzz_RefusedAfterAFork(uint256 kind, uint32 chain) external {
        kind %= KINDS;
        vm.assume(chain != block.chainid && chain != 0);
        Signed memory signed = _signedOf(kind);
        bytes memory signature = _sign(signed.key, signed.hash);
        bytes memory data = _callOf(kind, signature);
        vm.chainId(chain);
        vm.prank(signed.sender);
        (bool success, bytes memory answer) = address(ledger).call(data);
        vm.assertTrue(!success || abi.decode(answer, (bytes[])).length == 1);
    }

    function testFuzz_RefusedFromAnotherContract(uint256 kind, address other) external {
        kind %= KINDS;
        address home = address(ledger);
        vm.assume(other != home);
        Signed memory signed = _signedOf(kind);
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", _domainOf(other), signed.hash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signed.key, digest);
        vm.assertFalse(_works(kind, signed.sender, abi.encodePacked(r, s, v)));
    }

    function testFuzz_RefusedAsAMalleableTwin(uint256 kind) external {
        kind %= KINDS;
        Signed memory signed = _signedOf(kind);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signed.key, _digest(signed.hash));
        bytes memory twin = abi.encodePacked(r, bytes32(CURVE_ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        vm.assertFalse(_works(kind, signed.sender, twin));
        vm.assertTrue(_works(kind, signed.sender, abi.encodePacked(r, s, v)));
    }

    function testFuzz_RefusedInAnyOtherForm(uint256 kind, bytes calldata garbage) external {
        kind %= KINDS;
        Signed memory signed = _signedOf(kind);
        bytes memory signature = _sign(signed.key, signed.hash);
        vm.assertFalse(_works(kind, signed.sender, garbage));
        vm.assertFalse(_works(kind, signed.sender, abi.encodePacked(signature, uint8(0))));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signed.key, _digest(signed.hash));
        vm.assertFalse(_works(kind, signed.sender, abi.encodePacked(r, s, v - 27)));
    }

    /// @notice No key signs for nobody: the zero address is what a broken signature recovers to.
    function testFuzz_RefusedForNobody(bytes32 r, bytes32 s) external {
        bytes memory signature = abi.encodePacked(r, s, uint8(29));
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSignature.selector, address(0)));
        vm.prank(stranger);
        ledger.registerWallet(address(0), NEVER, signature);
        vm.expectRevert(abi.encodeWithSelector(Ledger_BadSignature.selector, address(0)));
        ledger.claimFor(address(0), address(token), stranger, NEVER, signature);
    }
}
