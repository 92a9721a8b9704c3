"""Where processes are killed: named places on the way from a request to a final block, as (module, attribute) to wrap.

`before` kills when the place is reached, `after` when the wrapped call has returned. A call inside a transaction thus
dies before its commit, one that holds the transaction after it. Nothing of this is in the service's code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A place to die at. `attribute` is a function of the module, or `Class.method`."""

    name: str
    module: str
    attribute: str
    after: bool = True
    embedded_only: bool = False
    single_chain_only: bool = False  # only a chain outside can take blocks back


_BUY, _PAY, _PASS = "ticketchain.usecases.buy", "ticketchain.usecases.pay", "ticketchain.usecases.pass_on"
_OUTBOX, _ORDERS, _CHAIN = "ticketchain.store.outbox", "ticketchain.store.orders", "ticketchain.store.chain"
_SETTLE, _FINAL = "ticketchain.usecases.settle", "ticketchain.usecases.finality"
_GATEWAY, _SENDER, _SIGNER = "ticketchain.chain.gateway", "ticketchain.chain.sender", "ticketchain.wallets.remote"
_SANDBOX, _HOOKS, _EMBEDDED = (
    "ticketchain.payments.sandbox",
    "ticketchain.payments.delivery",
    "ticketchain.chain.embedded",
)

POINTS: tuple[Point, ...] = (
    Point("order written, not committed", _ORDERS, "add_order"),
    Point("order committed, not answered", _BUY, "order_hold"),
    Point("consent signed, not committed", _SIGNER, "RemoteSigner.consent"),
    Point("gift committed, not answered", _PASS, "give"),
    Point("webhook stored, not committed", _ORDERS, "add_webhook"),
    Point("webhook committed, not answered", _PAY, "receive_webhook"),
    Point("webhook answered, not noted by the provider", _HOOKS, "WebhookSender._send"),
    Point("charge opened, not noted", _SANDBOX, "SandboxProvider.create_charge"),
    Point("captures applied, not committed", _PAY, "apply_captures"),
    Point("refund not yet asked for", _SANDBOX, "SandboxProvider.refund", after=False),
    Point("refund made, not noted", _SANDBOX, "SandboxProvider.refund"),
    Point("intent written, not committed", _OUTBOX, "add_intent"),
    Point("intents claimed, not committed", "ticketchain.store.claims", "claim"),
    Point("intents and nonce written, not committed", "ticketchain.store.claims", "take"),
    Point("nonce committed, not signed", _SIGNER, "RemoteSigner.transaction", after=False),
    Point("signed, not stored", _SIGNER, "RemoteSigner.transaction"),
    Point("signed bytes stored, not committed", _OUTBOX, "add_attempt"),
    Point("signed bytes committed, not broadcast", _GATEWAY, "Gateway.send_raw_many", after=False),
    Point("broadcast, answers not noted", _GATEWAY, "Gateway.send_raw_many"),
    Point("answers noted, not committed", _OUTBOX, "set_sent"),
    Point("block read, not followed", _SETTLE, "follow", after=False),
    Point("block followed, not committed", _SETTLE, "retell"),
    Point("block followed and committed", _SETTLE, "follow"),
    Point("blocks taken back, not committed", _OUTBOX, "forget_mined", single_chain_only=True),
    Point("blocks taken back and committed", _SETTLE, "take_back", single_chain_only=True),
    Point("effects of final blocks, not committed", _CHAIN, "set_final"),
    Point("effects of final blocks committed", _FINAL, "finalize"),
    Point("leases renewed, not committed", "ticketchain.store.leases", "renew"),
    Point("mined, not followed", _EMBEDDED, "EmbeddedChain._mine", embedded_only=True),
    Point("snapshot not yet taken", _EMBEDDED, "EmbeddedChain._dump", embedded_only=True),
    Point("snapshot taken, not yet final for us", "ticketchain.chain.snapshots", "Snapshots.save", embedded_only=True),
)


def points_of(setup: str) -> tuple[Point, ...]:
    """The points that a setup comes by."""
    skip = "single_chain_only" if setup == "embedded" else "embedded_only"
    return tuple(point for point in POINTS if not getattr(point, skip))
