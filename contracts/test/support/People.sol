// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";

import {ILedgerErrors} from "../../src/interfaces/ILedgerErrors.sol";
import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {ITicketLedger} from "../../src/interfaces/ITicketLedger.sol";
import {MockToken} from "../mocks/MockToken.sol";
import {Vm} from "../Vm.sol";

/// @notice The ledger as its callers see it.
interface ILedger is ITicketLedger, IERC721Metadata {}

/// @notice Who takes part, when, and under which terms.
abstract contract People is ILedgerErrors {
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

    /// @notice Keeps a fuzzed number within [low, high].
    function _bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + x % (high - low + 1);
    }
}
