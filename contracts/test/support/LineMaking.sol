// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ILedgerTypes} from "../../src/interfaces/ILedgerTypes.sol";
import {DeliveryTarget, DeliveryTargets, Payment, Payments, Redemption, Redemptions} from "../../src/types/Lines.sol";
import {TicketId} from "../../src/types/TicketId.sol";
import {Signing} from "./Signing.sol";

/// @notice The lines of bulk calls.
abstract contract LineMaking is Signing {
    /// @notice A line of `settleResales` with the seller's signature.
    struct Settlement {
        DeliveryTarget target;
        Payment payment;
        bytes consent;
    }

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

    /// @notice One line, by the ticket's number within its event.
    function _redemptions(uint24 number, uint16 epoch) internal pure returns (Redemption[] memory lines) {
        lines = new Redemption[](1);
        lines[0] = Redemptions.pack(number, epoch);
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
}
