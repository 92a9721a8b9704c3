// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Steps} from "../support/Steps.sol";
import {Adversary} from "./Adversary.sol";
import {DisputeHandler} from "./DisputeHandler.sol";
import {FanHandler} from "./FanHandler.sol";
import {InvariantsTest} from "./Invariants.t.sol";
import {MoneyHandler} from "./MoneyHandler.sol";
import {OrganizerHandler} from "./OrganizerHandler.sol";
import {ServiceHandler} from "./ServiceHandler.sol";
import {Store} from "./Store.sol";

/// @notice A history that does not change from run to run, made by the same handlers as forge's.
abstract contract History is Steps {
    struct Action {
        address handler;
        bytes4 selector;
    }

    InvariantsTest internal _world;
    Store internal _store;
    Action[] private _actions;

    function _begin() internal {
        delete _actions;
        _world = new InvariantsTest();
        _world.setUp();
        _store = _world.store();
        ledger = _store.ledger();
        _addFans(address(_world.fans()));
        _addService(address(_world.service()), address(_world.disputes()));
        _addMoney(address(_world.money()), address(_world.organizers()));
        _addAdversary(address(_world.adversary()));
    }

    // ------------------------------------------------------------------------------------------------ a history

    function _addFans(address handler) private {
        bytes4[11] memory selectors = [
            FanHandler.gift.selector,
            FanHandler.transfer.selector,
            FanHandler.withdraw.selector,
            FanHandler.withdrawHome.selector,
            FanHandler.deposit.selector,
            FanHandler.depositFromHome.selector,
            FanHandler.swap.selector,
            FanHandler.revoke.selector,
            FanHandler.activate.selector,
            FanHandler.poolReturn.selector,
            FanHandler.gift.selector
        ];
        for (uint256 i = 0; i < selectors.length; ++i) {
            _actions.push(Action(handler, selectors[i]));
        }
    }

    function _addService(address handler, address disputes) private {
        _actions.push(Action(handler, ServiceHandler.deliver.selector));
        _actions.push(Action(handler, ServiceHandler.settle.selector));
        _actions.push(Action(handler, ServiceHandler.redeem.selector));
        _actions.push(Action(handler, ServiceHandler.refund.selector));
        _actions.push(Action(handler, ServiceHandler.exchange.selector));
        _actions.push(Action(disputes, DisputeHandler.freeze.selector));
        _actions.push(Action(disputes, DisputeHandler.unfreeze.selector));
        _actions.push(Action(disputes, DisputeHandler.voidTicket.selector));
        _actions.push(Action(disputes, DisputeHandler.announceReissue.selector));
        _actions.push(Action(disputes, DisputeHandler.vetoReissue.selector));
        _actions.push(Action(disputes, DisputeHandler.reissue.selector));
        _actions.push(Action(disputes, DisputeHandler.refundCancelled.selector));
    }

    function _addMoney(address handler, address organizers) private {
        _actions.push(Action(handler, MoneyHandler.buy.selector));
        _actions.push(Action(handler, MoneyHandler.buyResale.selector));
        _actions.push(Action(handler, MoneyHandler.release.selector));
        _actions.push(Action(handler, MoneyHandler.releaseEscrow.selector));
        _actions.push(Action(handler, MoneyHandler.recordRefundsPaid.selector));
        _actions.push(Action(handler, MoneyHandler.claim.selector));
        _actions.push(Action(handler, MoneyHandler.claimFor.selector));
        _actions.push(Action(handler, MoneyHandler.donate.selector));
        _actions.push(Action(organizers, OrganizerHandler.issue.selector));
        _actions.push(Action(organizers, OrganizerHandler.postpone.selector));
        _actions.push(Action(organizers, OrganizerHandler.pauseOrResume.selector));
        _actions.push(Action(organizers, OrganizerHandler.cancel.selector));
        _actions.push(Action(organizers, OrganizerHandler.delegate.selector));
    }

    function _addAdversary(address handler) private {
        _actions.push(Action(handler, Adversary.replay.selector));
        _actions.push(Action(handler, Adversary.moveAnothersTicket.selector));
        _actions.push(Action(handler, Adversary.sellOverTheCap.selector));
        _actions.push(Action(handler, Adversary.sellWhatIsUsed.selector));
        _actions.push(Action(handler, Adversary.sellUnattested.selector));
        _actions.push(Action(handler, Adversary.sellBeyondTheSupply.selector));
        _actions.push(Action(handler, Adversary.overreach.selector));
    }

    function _act(uint256 seed, uint256 steps) internal {
        for (uint256 i = 0; i < steps; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            Action memory action = _actions[dice % _actions.length];
            (bool success, bytes memory reason) = action.handler.call(abi.encodeWithSelector(action.selector, dice));
            if (!success) {
                assembly {
                    revert(add(reason, 0x20), mload(reason))
                }
            }
        }
    }
}
