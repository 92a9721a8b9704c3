"""Fans' own wallets: linked by a signature (EIP-4361), they hold, give, sell and return like the one that we keep.

A ticket leaves custody with the fan's passkey and comes back with the wallet's signature; both are sent by us, so the
wallet needs no coins. What a wallet does on the ledger without us is seen there like everything else.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from typing import Any

from ticketchain.domain import consents, intents
from ticketchain.domain.errors import Conflict, Invalid, NotFound
from ticketchain.domain.tickets import event_of as event_number
from ticketchain.domain.wallet_message import WalletMessage
from ticketchain.store import accounts, market
from ticketchain.store import own_wallets as store
from ticketchain.store.engine import Tx
from ticketchain.usecases import views
from ticketchain.usecases.common import Principal, Request, answer, answered, intend, required
from ticketchain.usecases.consenting import Agreed, Given, Holder, agreed
from ticketchain.usecases.own import add_move, deadline_of, own_ticket, refuse_while_busy
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.wallets import wallet_of

QUESTION_LIFE = timedelta(minutes=10)
MOST_WALLETS = 10
_STATEMENT = "Link this wallet to your tickets. This moves nothing and costs nothing."


# ------------------------------------------------------------------------------------------------ linking


def ask_for_proof(parts: Parts, who: Principal, address: str) -> dict[str, Any]:
    """What the wallet at an address (EIP-55) is to sign with `personal_sign`. Good once, for ten minutes."""
    now = parts.clock()
    asked = WalletMessage(
        url=parts.url,
        address=address,
        chain_id=parts.ledger.chain_id,
        statement=_STATEMENT,
        nonce=secrets.token_hex(16),
        issued_at=now,
        expires_at=now + QUESTION_LIFE,
    )
    row = {"nonce": asked.nonce, "fan_id": who.fan, "address": address, "message": asked.text()}
    with parts.store.begin() as tx:
        if accounts.wallet(tx, address) is not None:
            raise Invalid("address", "this wallet is kept by the service; link one whose key is yours")
        store.ask(tx, row | {"expires_at": asked.expires_at}, now)
    return {"nonce": asked.nonce, "message": asked.text(), "expires_at": asked.expires_at.isoformat()}


def link(parts: Parts, request: Request, nonce: str, signature: bytes, label: str) -> dict[str, Any]:
    """Links the wallet that signed. Raises `Invalid` for a wrong signature or a question whose time is over, `Conflict`
    for a wallet that is linked to another account.
    """
    fan, now = request.who.fan, parts.clock()
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        asked = store.question(tx, nonce, fan)
    if asked is None or asked.expires_at <= now:
        raise Invalid("nonce", "this was not asked of you, was answered already, or ten minutes are over; begin again")
    if not parts.ledger.is_message_signed(asked.address, asked.message, signature):
        raise Invalid("signature", f"is not that of {asked.address} over the message; sign it with that wallet")

    def work(tx: Tx) -> dict[str, Any]:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        if not store.end_question(tx, nonce):
            raise Invalid("nonce", "this was answered already; begin again")
        _link(tx, {"address": asked.address, "fan_id": fan, "label": label, "linked_at": now})
        return dict(answer(parts, tx, request, _view(required(store.wallet(tx, asked.address), "the wallet"))))

    return parts.store.retry(work)


def _link(tx: Tx, row: dict[str, Any]) -> None:
    accounts.lock_fan(tx, row["fan_id"])
    if len(store.wallets_of(tx, row["fan_id"])) >= MOST_WALLETS:
        raise Conflict(f"wallets: {MOST_WALLETS} are linked already; unlink one first", limit=MOST_WALLETS)
    if not store.link(tx, row):
        mine = required(store.wallet(tx, row["address"]), "the wallet").fan_id == row["fan_id"]
        whose = "your account" if mine else "another account; unlink it there first"
        raise Conflict(f"address: it is linked to {whose}")


def list_wallets(parts: Parts, who: Principal) -> dict[str, Any]:
    """The caller's addresses: the one that we keep (None until it is needed first) and linked ones."""
    with parts.store.read() as tx:
        kept = required(accounts.fan(tx, who.fan), "your account").address
        return {"kept": kept, "items": [_view(row) for row in store.wallets_of(tx, who.fan)]}


def unlink(parts: Parts, who: Principal, address: str) -> None:
    """Ends a link; what the wallet holds stays where it is. Raises `NotFound`."""
    with parts.store.begin() as tx:
        if not store.unlink(tx, address, who.fan):
            raise NotFound(f"wallet {address} is not linked to your account")


def _view(row: Any) -> dict[str, Any]:
    return {"address": row.address, "label": row.label, "linked_at": row.linked_at.isoformat()}


# ------------------------------------------------------------------------------------------------ out and back


def withdraw(parts: Parts, request: Request, ticket_id: int, to: str, given: Given | None = None) -> dict[str, Any]:
    """Moves the caller's ticket out of our custody to a linked wallet, with a passkey. Raises `Conflict` for a ticket
    that is in an own wallet already, `Invalid` for a wallet that is not linked, and what `consenting.agreed` raises.
    """
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, holder = own_ticket(tx, request.who, ticket_id)
        refuse_while_busy(tx, ticket_id)
        if not holder.custodied:
            raise Conflict(f"ticket: it is in your own wallet {holder.address} already")
        if to not in [row.address for row in store.wallets_of(tx, request.who.fan)]:
            raise Invalid("to", f"{to} is not linked to your account; link it first")
    make = partial(consents.Withdraw, ticket_id, ticket.epoch, to)
    signed = agreed(parts, holder, make, deadline_of(parts), given)
    return _send(parts, request, "withdrawal", ticket, signed, intents.Withdraw)


def deposit(parts: Parts, request: Request, ticket_id: int, given: Given | None = None) -> dict[str, Any]:
    """Gives the ticket of a linked wallet back into our custody, with that wallet's signature. Raises `Conflict` for
    one that we keep already, and what `consenting.agreed` raises.
    """
    to = wallet_of(parts, request.who.fan)
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        ticket, holder = own_ticket(tx, request.who, ticket_id)
        refuse_while_busy(tx, ticket_id)
        if holder.custodied:
            raise Conflict("ticket: the service keeps it already")
    make = partial(consents.Deposit, ticket_id, ticket.epoch, to)
    signed = agreed(parts, holder, make, deadline_of(parts), given)
    return _send(parts, request, "deposit", ticket, signed, intents.Deposit)


def _send(
    parts: Parts,
    request: Request,
    kind: str,
    ticket: Any,
    signed: Agreed[Any],
    make: type[intents.Withdraw] | type[intents.Deposit],
) -> dict[str, Any]:
    consent = signed.consent
    with parts.store.begin() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before)
        refuse_while_busy(tx, ticket.id)
        move_id = add_move(parts, tx, request.who.fan, kind, ticket, to_address=consent.to)
        intent = make(ticket.id, ticket.epoch, consent.to, consent.deadline, signed.signature.hex())
        intend(parts, tx, event_number(ticket.id), move_id, intent)
        return dict(answer(parts, tx, request, views.move(market.move(tx, move_id))))


def registration(parts: Parts, who: Principal, address: str, given: Given | None = None) -> dict[str, Any]:
    """Our wallet's word that a linked one is the same person's, with a passkey. The wallet itself hands it to the
    ledger (`registerWallet`): what the fan gets from then on goes to it and comes back without counting as a gift.

    Raises `NotFound`, and what `consenting.agreed` raises.
    """
    with parts.store.read() as tx:
        if address not in [row.address for row in store.wallets_of(tx, who.fan)]:
            raise NotFound(f"wallet {address} is not linked to your account")
    account, ledger = wallet_of(parts, who.fan), parts.ledger.number
    make = partial(_registration, account, address, ledger)
    signed = agreed(parts, Holder(who.fan, account), make, deadline_of(parts), given)
    return {
        "ledger": parts.ledger.address,
        "account": account,
        "wallet": address,
        "deadline": signed.consent.deadline,
        "consent": "0x" + signed.signature.hex(),
    }


def _registration(account: str, wallet: str, ledger: int, deadline: int) -> consents.RegisterWallet:
    return consents.RegisterWallet(account, wallet, deadline, ledger)
