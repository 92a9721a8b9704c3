"""The API over real parts, on SQLite and PostgreSQL; only the chain is made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.api.ledger_double import ADDRESS, CHAIN_ID, AnsweringLedger, HandMadeChain
from tests.api.people import SECRET, Clock, Log, Shop
from tests.support import books
from tests.support.databases import ENGINES, fresh_store
from tests.support.logins import login_parts
from tests.support.persons import open_keeper
from tests.support.signing import open_desk
from ticketchain.context import new_id
from ticketchain.metadata.store import LocalStore
from ticketchain.payments.desk import Desk
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.payments.stripe import StripeProvider
from ticketchain.usecases.parts import Parts, PaymentProvider


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A shop; when a test leaves it with nothing under way, its books must agree (see `support.books`)."""
    with open_shop(request.param, tmp_path) as shop:
        yield shop
        books.check(shop.parts, request)


@contextmanager
def open_shop(
    engine: str, folder: Path, stripe: StripeProvider | None = None, url: str = "http://testserver"
) -> Iterator[Shop]:
    """A shop on a database of its own; with `stripe` people pay there. `url`: where its pages are shown."""
    store, clock, ledger, log = fresh_store(engine, folder), Clock(), AnsweringLedger(), Log()
    signer = open_desk(folder, clock, CHAIN_ID, [ADDRESS], site=url)
    people = open_keeper(folder, clock)
    sandbox = Sandbox(store, clock, new_id, "http://testserver")
    others: list[PaymentProvider] = [SandboxProvider(sandbox, [SECRET], clock), Desk(store, clock)]
    providers = [stripe, *others] if stripe else others
    parts = Parts(
        store=store,
        clock=clock,
        new_id=new_id,
        signer=signer,
        ledger=ledger,
        contents=LocalStore(folder / "metadata"),
        providers={each.name: each for each in providers},
        people=people,
        **login_parts(folder, clock),
        log=log,
        url=url,
        rp_id=urlsplit(url).hostname or "",
    )
    chain = HandMadeChain(parts)
    chain.start()
    app = create_app(parts, sandbox=sandbox, stripe=stripe, ready={"chain": ledger._reach})
    with TestClient(app, base_url=url) as client:
        yield Shop(parts, client, chain, ledger, sandbox, clock, log)
    people.close()
    signer.vault.close()
    store.close()
