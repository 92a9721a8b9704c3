// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A plain ERC-20.
contract PlainToken is ERC20("Plain", "PLN") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice An ERC-20 whose transfers can keep a fee, refuse an account, or call somebody back.
contract MockToken is ERC20("Mock", "MCK") {
    uint256 public feeBps;
    address public refused;
    address public callback;
    bytes public callbackData;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 bps) external {
        feeBps = bps;
    }

    function refuse(address account) external {
        refused = account;
    }

    function callBack(address target, bytes calldata data) external {
        callback = target;
        callbackData = data;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(to != refused || to == address(0), "refused");
        uint256 fee = from == address(0) ? 0 : value * feeBps / 10_000;
        super._update(from, to, value - fee);
        if (fee > 0) super._update(from, address(0xfee), fee);
        if (callback != address(0) && from != address(0)) {
            (bool success, bytes memory reason) = callback.call(callbackData);
            if (!success) {
                assembly {
                    revert(add(reason, 0x20), mload(reason))
                }
            }
        }
    }
}
