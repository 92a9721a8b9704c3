"""The example in docs/books.md is what the service books, to the last cent; every kind of difference is told there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.api.evening import Evening
from tests.api.people import Shop, done
from ticketchain.domain.differences import What
from ticketchain.domain.journal import Account, Kind
from ticketchain.domain.money import plain
from ticketchain.store.schema_money import journal, postings
from ticketchain.usecases import cancel

DOCS = (Path(__file__).parents[2] / "docs" / "books.md").read_text(encoding="utf-8")


def example(shop: Shop) -> Evening:
    """Anna buys a ticket and sells it to Bela; then the event is cancelled."""
    evening = Evening(shop)
    evening.buy("anna")
    evening.resell("anna", "bela")
    path = f"/v1/events/{evening.event}/cancel"
    done(evening.organizer.post(path, json={"reason": "The conductor is ill"}, key="k"), 202)
    for _ in range(3):
        evening.work()
        cancel.walk(shop.parts)
    evening.work()
    return evening


def lines(shop: Shop) -> Iterator[str]:
    """The journal as a table."""
    query = select(journal.c.kind, postings.c.account, postings.c.amount, postings.c.currency).join(postings)
    with shop.parts.store.read() as tx:
        rows = list(tx.execute(query.order_by(journal.c.id, postings.c.position)))
    for row in rows:
        sides = (plain(row.amount, row.currency), "") if row.amount > 0 else ("", plain(-row.amount, row.currency))
        yield f"| {' | '.join((row.kind, row.account, *sides))} |".replace("|  |", "| |")


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
def test_the_example_is_what_is_booked(shop: Shop) -> None:
    example(shop)
    table = "\n".join(lines(shop))
    assert table in DOCS, table


def test_every_account_entry_and_difference_is_told() -> None:
    for name in (*Account, *Kind, *What):
        assert f"`{name}`" in DOCS, name
