// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";

import {ILedgerErrors} from "../src/interfaces/ILedgerErrors.sol";
import {ILedgerTypes} from "../src/interfaces/ILedgerTypes.sol";
import {ITicketLedger} from "../src/interfaces/ITicketLedger.sol";
import {DeliveryTarget, DeliveryTargets, Payment, Payments, Redemption, Redemptions} from "../src/types/Lines.sol";
import {TicketId} from "../src/types/TicketId.sol";
import {MockToken} from "./mocks/MockToken.sol";
import {Vm} from "./Vm.sol";

/// @notice The ledger as its callers see it.
interface ILedger is ITicketLedger, IERC721Metadata {}

/// @notice A ledger with one event on each rail, fans with keys, and helpers that sign as they would. Digests are built here on their own,
/// so a wrong type string in the contract fails every test.
abstract contract Base is ILedgerErrors {
    /// @notice A line of `settleResales` with the seller's signature.
    struct Settlement {
        DeliveryTarget target;
        Payment payment;
        bytes consent;
    }

    struct Fan {
        address account;
        uint256 key;
    }

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint32 internal constant START = 1_800_000_000;
    uint32 internal constant MOVES_CLOSE = START + 30 days;
    uint32 internal constant GIFTS_CLOSE = START + 29 days;
    uint32 internal constant RESALE_OPENS = START + 1 days;
    uint32 internal constant RESALE_CLOSES = START + 28 days;
    uint32 internal constant RELEASE = START + 40 days;
    uint24 internal constant COOLDOWN = 1 hours;
    uint40 internal constant FACE = 10_000;
    uint16 internal constant CAP_BPS = 11_000;
    uint16 internal constant ROYALTY_BPS = 500;
    uint8 internal constant GIFT_LIMIT = 2;
    uint16 internal constant SUPPLY = 5_000;
    uint256 internal constant UNIT = 1e4;
    uint40 internal constant NEVER = type(uint40).max;
    bytes16 internal constant REF = 0x0192f3c47a6b7e1f8d3a5b9c2e4f6071;

    uint8 internal constant ADMIN = 1;
    uint8 internal constant RELAYER = 2;
    uint8 internal constant ATTESTOR = 4;
    uint8 internal constant ORGANIZER = 8;
    uint8 internal constant GATE = 16;

    ILedger internal ledger;
    MockToken internal token;
    uint40 internal eventId;
    uint40 internal tokenEventId;

    Fan internal attestor = _fan("attestor");
    Fan internal alice = _fan("alice");
    Fan internal bob = _fan("bob");
    Fan internal carol = _fan("carol");
    address internal admin = address(0xad);
    address internal relayer = address(0xae);
    address internal organizer = address(0xaf);
    address internal gate = address(0xb0);
    address internal stranger = address(0xb1);
    address internal payeeA = address(0xb2);
    address internal payeeB = address(0xb3);
    address internal payeeC = address(0xb4);

    function setUp() public virtual {
        vm.warp(START);
        ledger = ILedger(_deploy(admin, "https://tickets.example/"));
        token = _newToken();
        vm.startPrank(admin);
        ledger.setRoles(0, relayer, RELAYER);
        ledger.setRoles(0, attestor.account, ATTESTOR);
        ledger.allowToken(address(token), true);
        vm.stopPrank();
        eventId = _createEvent(_terms());
        ILedgerTypes.Terms memory terms = _terms();
        terms.token = address(token);
        terms.unitExponent = 4;
        terms.capBps = 10_000;
        tokenEventId = _createEvent(terms);
    }

    function _deploy(address admin_, string memory baseURI) internal returns (address) {
        address desk = vm.deployCode("TicketDesk.sol:TicketDesk", "");
        return vm.deployCode("TicketLedger.sol:TicketLedger", abi.encode(admin_, baseURI, desk));
    }

    function _newToken() internal virtual returns (MockToken) {
        return new MockToken();
    }

    // ------------------------------------------------------------------------------------------------ people, events

    function _fan(string memory name) internal pure returns (Fan memory fan) {
        fan.key = uint256(keccak256(bytes(name)));
        fan.account = vm.addr(fan.key);
    }

    function _payees() internal view returns (ILedgerTypes.Payee[] memory payees) {
        payees = new ILedgerTypes.Payee[](3);
        payees[0] = ILedgerTypes.Payee(payeeA, 3_333);
        payees[1] = ILedgerTypes.Payee(payeeB, 3_333);
        payees[2] = ILedgerTypes.Payee(payeeC, 3_334);
    }

    function _terms() internal view returns (ILedgerTypes.Terms memory) {
        return ILedgerTypes.Terms({
            currency: "EUR",
            capBps: CAP_BPS,
            royaltyBps: ROYALTY_BPS,
            giftLimit: GIFT_LIMIT,
            cooldown: COOLDOWN,
            token: address(0),
            unitExponent: 0,
            refundRule: "rule",
            payees: _payees(),
            supplies: [uint24(2_000_000), 1_000, 1_000, 100_000],
            earliestRelease: RELEASE,
            holderLimit: 0,
            entries: 1,
            capAtPaid: false,
            reissue: false,
            identity: false,
            giftRoot: 0
        });
    }

    function _schedule() internal pure returns (ILedgerTypes.Schedule memory) {
        return ILedgerTypes.Schedule(START + 31 days, MOVES_CLOSE, GIFTS_CLOSE, RESALE_OPENS, RESALE_CLOSES, RELEASE);
    }

    function _batch() internal pure returns (ILedgerTypes.Batch memory) {
        return ILedgerTypes.Batch(SUPPLY, 1, 0, 7, FACE);
    }

    /// @notice An event with one batch and a gate, created by the organizer itself.
    function _createEvent(ILedgerTypes.Terms memory terms) internal returns (uint40 created) {
        vm.startPrank(organizer);
        created = ledger.createEvent(organizer, "mine", terms, _schedule());
        ledger.issue(created, 0, _batch(), "manifest");
        ledger.setRoles(created, gate, GATE);
        vm.stopPrank();
    }

    // ------------------------------------------------------------------------------------------------ signing

    function _sign(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(structHash));
        return abi.encodePacked(r, s, v);
    }

    /// @notice The same in 64 bytes (EIP-2098).
    function _signCompact(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(structHash));
        return abi.encodePacked(r, s | bytes32(uint256(v - 27) << 255));
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("ticketchain"),
                keccak256("1"),
                block.chainid,
                address(ledger)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _giftHash(uint64 id, uint16 epoch, address to, bool custodied, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("Gift(uint64 id,uint16 epoch,address to,bool custodied,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, to, custodied, deadline));
    }

    struct Offer {
        uint64 id;
        uint16 epoch;
        uint40 price;
        bytes3 currency;
        address token;
        address buyer;
        uint40 deadline;
    }

    function _offerHash(Offer memory offer) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Offer(uint64 id,uint16 epoch,uint40 price,bytes3 currency,address token,address buyer,uint40 deadline)"
        );
        return keccak256(abi.encode(typeHash, offer));
    }

    function _openOffer(uint64 id, uint16 epoch, uint40 price) internal pure returns (bytes32) {
        return _offerHash(Offer(id, epoch, price, "EUR", address(0), address(0), NEVER));
    }

    function _tokenOffer(uint64 id, uint16 epoch, uint40 price, address buyer) internal view returns (bytes32) {
        return _offerHash(Offer(id, epoch, price, "EUR", address(token), buyer, NEVER));
    }

    function _refundHash(uint64 id, uint16 epoch, uint40 amount, uint40 deadline) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Refund(uint64 id,uint16 epoch,uint40 amount,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, amount, deadline));
    }

    function _revokeHash(uint64 id, uint16 epoch, uint40 deadline) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Revoke(uint64 id,uint16 epoch,uint40 deadline)");
        return keccak256(abi.encode(typeHash, id, epoch, deadline));
    }

    function _voidHash(uint64 id, uint16 epoch, bytes16 ref) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("Void(uint64 id,uint16 epoch,bytes16 reference)"), id, epoch, ref));
    }

    /// @notice Consents of a ticket's holder that name, after id and epoch, just one address and the deadline.
    function _moveHash(string memory name, uint64 id, uint16 epoch, address to) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(abi.encodePacked(name, "(uint64 id,uint16 epoch,address to,uint40 deadline)"));
        return keccak256(abi.encode(typeHash, id, epoch, to, NEVER));
    }

    /// @notice Consents of a ticket's holder that name id, epoch and deadline only.
    function _plainHash(string memory name, uint64 id, uint16 epoch) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(abi.encodePacked(name, "(uint64 id,uint16 epoch,uint40 deadline)"));
        return keccak256(abi.encode(typeHash, id, epoch, NEVER));
    }

    function _attestDeliveries(uint40 event_, ILedgerTypes.Delivery[] memory lines)
        internal
        view
        returns (bytes memory)
    {
        return _attestLines("Deliveries", event_, lines);
    }

    function _attestSettlements(uint40 event_, Settlement[] memory lines) internal view returns (bytes memory) {
        return _attestLines("Settlements", event_, _linesOf(lines));
    }

    function _attestLines(string memory name, uint40 event_, ILedgerTypes.Delivery[] memory lines)
        private
        view
        returns (bytes memory)
    {
        bytes memory packed;
        for (uint256 i = 0; i < lines.length; ++i) {
            packed = abi.encodePacked(packed, lines[i].target, lines[i].payment);
        }
        bytes32 typeHash = keccak256(abi.encodePacked(name, "(uint40 eventId,bytes32 lines)"));
        return _sign(attestor.key, keccak256(abi.encode(typeHash, event_, keccak256(packed))));
    }

    // ------------------------------------------------------------------------------------------------ lines

    function _id(uint16 index) internal view returns (uint64) {
        return TicketId.first(eventId, 0) + index;
    }

    function _delivery(uint64 id, address to, bool custodied, uint16 epoch, uint40 price)
        internal
        pure
        returns (ILedgerTypes.Delivery memory)
    {
        return ILedgerTypes.Delivery(DeliveryTargets.pack(to, id, epoch, custodied), Payments.pack(REF, price));
    }

    function _settlement(uint64 id, address to, bool custodied, uint16 epoch, uint40 price, bytes memory consent)
        internal
        pure
        returns (Settlement memory)
    {
        return _settlementUntil(NEVER, id, to, custodied, epoch, price, consent);
    }

    function _settlementUntil(
        uint40 deadline,
        uint64 id,
        address to,
        bool custodied,
        uint16 epoch,
        uint40 price,
        bytes memory consent
    ) internal pure returns (Settlement memory) {
        Payment payment = Payments.packResale(REF, price, deadline, false);
        return Settlement(DeliveryTargets.pack(to, id, epoch, custodied), payment, consent);
    }

    function _linesOf(Settlement[] memory settlements) internal pure returns (ILedgerTypes.Delivery[] memory lines) {
        lines = new ILedgerTypes.Delivery[](settlements.length);
        for (uint256 i = 0; i < lines.length; ++i) {
            lines[i] = ILedgerTypes.Delivery(settlements[i].target, settlements[i].payment);
        }
    }

    function _consentsOf(Settlement[] memory settlements) internal pure returns (bytes memory consents) {
        for (uint256 i = 0; i < settlements.length; ++i) {
            bytes memory consent = settlements[i].consent;
            consents = abi.encodePacked(consents, uint16(consent.length), consent);
        }
    }

    function _redemption(uint16 index, uint16 epoch) internal pure returns (Redemption) {
        return Redemptions.pack(index, epoch);
    }

    // ------------------------------------------------------------------------------------------------ doing

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
        bytes32 typeHash = keccak256("RegisterWallet(address account,address wallet,uint40 deadline)");
        bytes memory consent = _sign(account.key, keccak256(abi.encode(typeHash, account.account, wallet, NEVER)));
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
        bytes32 typeHash = keccak256("Unfreeze(uint64 id,uint16 epoch,bytes16 reference)");
        bytes memory attestation = _sign(attestor.key, keccak256(abi.encode(typeHash, id, epoch, REF)));
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
        bytes32 typeHash = keccak256("Swap(uint64 id,uint16 epoch,uint64 otherId,uint16 otherEpoch,uint40 deadline)");
        bytes32 hash = keccak256(abi.encode(typeHash, id, epoch, otherId, otherEpoch, NEVER));
        return ILedgerTypes.SwapSide(id, epoch, NEVER, _sign(holder.key, hash));
    }

    function _exchange(Fan memory holder, ILedgerTypes.Exchange memory line) internal {
        bytes32 agreed = keccak256(
            abi.encode(
                keccak256(
                    "Exchange(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,uint40 deadline)"
                ),
                line.id,
                line.epoch,
                line.toId,
                line.toEpoch,
                line.difference,
                line.deadline
            )
        );
        bytes32 paid = keccak256(
            abi.encode(
                keccak256(
                    "ExchangePaid(uint64 id,uint16 epoch,uint64 toId,uint16 toEpoch,int48 difference,bytes16 reference)"
                ),
                line.id,
                line.epoch,
                line.toId,
                line.toEpoch,
                line.difference,
                line.ref
            )
        );
        bytes memory consent = _sign(holder.key, agreed);
        bytes memory attestation = _sign(attestor.key, paid);
        vm.prank(relayer);
        ledger.exchange(line, consent, attestation);
    }

    function _poolReturn(Fan memory seller, uint64 id, uint16 epoch, uint40 price) internal {
        bytes32 typeHash = keccak256("PoolReturn(uint64 id,uint16 epoch,uint40 price,uint40 deadline)");
        bytes32 hash = keccak256(abi.encode(typeHash, id, epoch, price, NEVER));
        ledger.poolReturn(id, epoch, price, NEVER, _sign(seller.key, hash));
    }

    function _voucher(uint64 id, uint16 epoch, uint40 price, address buyer, uint40 expiry)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typeHash =
            keccak256("Voucher(uint64 id,uint16 epoch,uint40 price,address buyer,bytes16 reference,uint40 expiry)");
        return _sign(attestor.key, keccak256(abi.encode(typeHash, id, epoch, price, buyer, REF, expiry)));
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
        bytes32 typeHash = keccak256("Freeze(uint64 id,uint16 epoch,uint16 paidEpoch,bytes16 reference)");
        bytes memory attestation = _sign(attestor.key, keccak256(abi.encode(typeHash, id, epoch, paidEpoch, REF)));
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
        Redemption[] memory lines = new Redemption[](1);
        lines[0] = _redemption(index, epoch);
        vm.prank(gate);
        return _only(ledger.redeem(eventId, lines));
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

    // ------------------------------------------------------------------------------------------------ expecting

    function _assertTicket(uint64 id, address holder, bool custodied, uint16 epoch, uint40 price) internal view {
        ILedgerTypes.Ticket memory ticket = ledger.ticketOf(id);
        vm.assertEq(ticket.holder, holder);
        vm.assertTrue(ticket.custodied == custodied);
        vm.assertEq(ticket.epoch, epoch);
        vm.assertEq(ticket.price, price);
        if (holder != address(0)) vm.assertEq(ledger.ownerOf(id), custodied ? address(ledger) : holder);
    }

    /// @notice Keeps a fuzzed number within [low, high].
    function _bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + x % (high - low + 1);
    }
}
