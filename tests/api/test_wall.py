"""Row-level security: built and kept by the service itself, also for a database's user with few rights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import ProgrammingError

from tests.support.databases import fresh_database, fresh_store
from ticketchain.domain.errors import Unavailable
from ticketchain.store import schema, tenants, wall
from ticketchain.store.engine import Store
from ticketchain.store.types import metadata


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(fresh_store("postgresql", tmp_path)) as store:
        yield store


@contextmanager
def behind(organizer: str) -> Iterator[None]:
    tenants.set_tenant(organizer)
    try:
        yield
    finally:
        tenants.set_tenant(None)


def add_organizers(store: Store) -> None:
    with store.begin() as tx:
        for name in ("one", "two"):
            tx.execute(schema.wallets.insert().values(address=name, purpose="organizer", created_at=NOW))
            tx.execute(schema.organizers.insert().values(id=name, name=name, address=name, created_at=NOW))


NOW = datetime(2026, 3, 1, tzinfo=UTC)
SEEN = select(schema.organizers.c.id)


def seen(store: Store) -> list[str]:
    with behind("one"), store.read() as tx:
        return list(tx.execute(SEEN).scalars())


def test_every_table_of_an_organizer_is_behind_it() -> None:
    """By itself, by its events or their tickets; what is in no list an organizer's work does not see at all."""
    owned = {
        table
        for table in metadata.tables
        if {"organizer_id", "event_id", "ticket"} & set(metadata.tables[table].c.keys())
    }
    theirs = {"webhook_inbox", "sandbox_webhooks"}  # a provider's events, not ours
    assert owned - wall.OWN.keys() - theirs == {"changes"} <= wall.READ.keys()
    named = {*wall.OWN, *wall.READ, *wall.WRITTEN, *wall.SHARED}
    assert named <= metadata.tables.keys()
    assert not wall.SHARED.keys() & owned


def test_a_transaction_takes_its_role_off_again(store: Store) -> None:
    add_organizers(store)
    assert seen(store) == ["one"]
    with store.read() as tx:
        assert set(tx.execute(SEEN).scalars()) == {"one", "two"}
    with behind("two"), store.begin() as tx:
        assert list(tx.execute(SEEN).scalars()) == ["two"]
        with pytest.raises(ProgrammingError, match="permission denied"):
            tx.execute(text("SELECT * FROM sessions"))


DAMAGE = (
    "ALTER TABLE organizers DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
    "REVOKE SELECT ON organizers FROM ticketchain_tenant",
    "CREATE POLICY everything ON organizers TO ticketchain_tenant USING (true)",
    f"DROP POLICY tenant_{wall.fingerprint()} ON organizers",
)


def test_a_damaged_wall_is_mended_at_the_next_start(store: Store) -> None:
    add_organizers(store)
    for damage in DAMAGE:
        with store.begin() as tx:
            tx.exec_driver_sql(damage)
            assert not wall._stands(tx), damage
        store.migrate()
        with store.begin() as tx:
            assert wall._stands(tx), damage
        assert seen(store) == ["one"], damage


def test_a_user_who_may_make_no_role_hears_what_to_do_and_needs_no_more(tmp_path: Path) -> None:
    url = make_url(fresh_database("postgresql", tmp_path))
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("DROP OWNED BY clerk" if has_clerk(connection) else "CREATE ROLE clerk LOGIN")
        connection.exec_driver_sql(f"ALTER DATABASE {url.database} OWNER TO clerk")
        connection.exec_driver_sql("GRANT ALL ON SCHEMA public TO clerk")
        with closing(Store(url.set(username="clerk").render_as_string(hide_password=False))) as store:
            with pytest.raises(Unavailable, match="CREATE ROLE ticketchain_tenant NOLOGIN; GRANT") as told:
                store.migrate()
            for statement in str(told.value).partition("run: ")[2].split("; "):
                if not statement.startswith("CREATE ROLE"):  # other tests' databases on this server have made it
                    connection.exec_driver_sql(statement.rstrip(";"))
            store.migrate()
            add_organizers(store)
            assert seen(store) == ["one"]
        connection.exec_driver_sql("REVOKE ticketchain_tenant FROM clerk")
    admin.dispose()


def has_clerk(connection: object) -> bool:
    return bool(connection.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = 'clerk'").first())  # type: ignore[attr-defined]
