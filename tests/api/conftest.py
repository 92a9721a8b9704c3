"""The API over real parts, on SQLite and PostgreSQL; only the chain is made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.api.ledger_double import ADDRESS, CHAIN_ID, AnsweringLedger, HandMadeChain
from tests.api.people import SECRET, Clock, Log, Shop
from tests.support.databases import ENGINES, fresh_store
from ticketchain.context import new_id
from ticketchain.metadata.store import LocalStore
from ticketchain.payments.desk import Desk
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.usecases.parts import Parts
from ticketchain.wallets.keyfile import FileKeyProvider
from ticketchain.wallets.operator import create_operator_keys
from ticketchain.wallets.signer import LocalSigner


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    store, clock, ledger, log = fresh_store(request.param, tmp_path), Clock(), AnsweringLedger(), Log()
    keys = FileKeyProvider(tmp_path / "keys" / "master.key")
    operator = create_operator_keys(keys, CHAIN_ID)
    sandbox = Sandbox(store, clock, new_id, "http://testserver")
    parts = Parts(
        store=store,
        clock=clock,
        new_id=new_id,
        signer=LocalSigner(keys, CHAIN_ID, [ADDRESS], operator.relayers, operator.attestor),
        ledger=ledger,
        contents=LocalStore(tmp_path / "metadata"),
        providers={"sandbox": SandboxProvider(sandbox, [SECRET], clock), "desk": Desk(store, clock)},
        log=log,
    )
    chain = HandMadeChain(parts)
    chain.start()
    app = create_app(parts, sandbox=sandbox, ready={"chain": ledger._reach})
    with TestClient(app) as client:
        yield Shop(parts, client, chain, ledger, sandbox, clock, log)
    store.close()
