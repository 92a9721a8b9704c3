// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Which ticket goes to whom in a bulk delivery or resale.
///
///      255     241     240     239     224 223          160 159                  0
///     +-----------+-------------+-----------+----------------+----------------------+
///     | (free) 15 | custodied 1 |  epoch 16 |     id 64      |      holder 160      |
///     +-----------+-------------+-----------+----------------+----------------------+
///
/// - custodied: 1 if the new holder's key is kept by the service
/// - epoch: the ticket's epoch before this move
/// - holder: the new holder
type DeliveryTarget is uint256;

/// @notice What was paid for it, and under which reference of the service; in a resale also what the seller's offer says besides.
///
///      255       209    208    207          168 167          128 127                  0
///     +-------------+-----------+----------------+----------------+----------------------+
///     |  (free) 47  |  bound 1  |   deadline 40  |    price 40    |     reference 128    |
///     +-------------+-----------+----------------+----------------+----------------------+
///
/// - bound: 1 if the offer was made to this buyer, 0 if to anyone
/// - deadline: last second of the offer
/// - price: all-in price, minor units
type Payment is uint256;

/// @notice One ticket used at a gate.
///
///      39                16 15          0
///     +--------------------+-------------+
///     |     number 24      |   epoch 16  |
///     +--------------------+-------------+
///
/// - number: low 24 bits of the ticket id
/// - epoch: the ticket's epoch as seen at the gate
type Redemption is uint40;

using DeliveryTargets for DeliveryTarget global;
using Payments for Payment global;
using Redemptions for Redemption global;

/// @title DeliveryTargets: reading and making delivery targets
library DeliveryTargets {
    /// @notice Puts a word together.
    function pack(address holder_, uint64 id_, uint16 epoch_, bool custodied_) internal pure returns (DeliveryTarget) {
        return DeliveryTarget.wrap(
            uint256(uint160(holder_)) | (uint256(id_) << 160) | (uint256(epoch_) << 224)
                | (custodied_ ? uint256(1) << 240 : 0)
        );
    }

    /// @notice The new holder.
    function holder(DeliveryTarget target) internal pure returns (address) {
        return address(uint160(DeliveryTarget.unwrap(target)));
    }

    /// @notice The ticket.
    function id(DeliveryTarget target) internal pure returns (uint64) {
        return uint64(DeliveryTarget.unwrap(target) >> 160);
    }

    /// @notice The ticket's epoch before this move.
    function epoch(DeliveryTarget target) internal pure returns (uint16) {
        return uint16(DeliveryTarget.unwrap(target) >> 224);
    }

    /// @notice Whether the new holder's key is kept by the service.
    function isCustodied(DeliveryTarget target) internal pure returns (bool) {
        return (DeliveryTarget.unwrap(target) >> 240) & 1 != 0;
    }
}

/// @title Payments: reading and making payments
library Payments {
    /// @notice Puts the word of a sale from stock together.
    function pack(bytes16 ref_, uint40 price_) internal pure returns (Payment) {
        return Payment.wrap(uint256(uint128(ref_)) | (uint256(price_) << 128));
    }

    /// @notice Puts the word of a resale together.
    function packResale(bytes16 ref_, uint40 price_, uint40 deadline_, bool bound) internal pure returns (Payment) {
        return Payment.wrap(
            Payment.unwrap(pack(ref_, price_)) | (uint256(deadline_) << 168) | (bound ? uint256(1) << 208 : 0)
        );
    }

    /// @notice The service's own id of the payment.
    function ref(Payment payment) internal pure returns (bytes16) {
        return bytes16(uint128(Payment.unwrap(payment)));
    }

    /// @notice All-in price paid, minor units.
    function price(Payment payment) internal pure returns (uint40) {
        return uint40(Payment.unwrap(payment) >> 128);
    }

    /// @notice Whether it says nothing of an offer, as in a sale from stock. A price over 40 bits would.
    function isPlain(Payment payment) internal pure returns (bool) {
        return Payment.unwrap(payment) >> 168 == 0;
    }

    /// @notice Last second of the seller's offer.
    function deadline(Payment payment) internal pure returns (uint40) {
        return uint40(Payment.unwrap(payment) >> 168);
    }

    /// @notice Whether the offer was made to this buyer only.
    function isBound(Payment payment) internal pure returns (bool) {
        return (Payment.unwrap(payment) >> 208) & 1 != 0;
    }
}

/// @title Redemptions: reading and making redemptions
library Redemptions {
    /// @notice Puts a word together.
    function pack(uint24 number_, uint16 epoch_) internal pure returns (Redemption) {
        return Redemption.wrap((uint40(number_) << 16) | epoch_);
    }

    /// @notice The ticket's number within its event.
    function number(Redemption line) internal pure returns (uint24) {
        return uint24(Redemption.unwrap(line) >> 16);
    }

    /// @notice The ticket's epoch as seen at the gate.
    function epoch(Redemption line) internal pure returns (uint16) {
        return uint16(Redemption.unwrap(line));
    }
}
