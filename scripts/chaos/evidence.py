"""Everything the checker looks at, and how it finds its way in it: rows by what they belong to, steps by reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scripts.chaos import ledger, rows
from scripts.chaos.ledger import Told
from scripts.chaos.load import Memory
from scripts.chaos.rows import Row, Tables
from ticketchain.audit.facts import Kind, Step

LOST, DOUBLED, STUCK, INDEX, RECONCILE = "lost", "doubled", "stuck", "index", "reconcile"
SALES = (Kind.DELIVERED, Kind.SETTLED)


@dataclass(frozen=True)
class Case:
    """One thing that is wrong: `kind` is lost, doubled, stuck, index or reconcile; `text` names it so that a person can
    look.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Evidence:
    """The tables, the chain, and what the fans remember."""

    tables: Tables
    told: Told
    memory: Memory

    @cached_property
    def orders(self) -> dict[str, Row]:
        """Orders by id."""
        return {row["id"]: row for row in self.tables["orders"]}

    @cached_property
    def payments(self) -> dict[str, Row]:
        """Payments by id."""
        return {row["id"]: row for row in self.tables["payments"]}

    @cached_property
    def lines(self) -> dict[str, list[Row]]:
        """Order lines by order."""
        return grouped(self.tables["order_lines"], "order_id")

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Lower-case address of each fan."""
        return {row["id"]: row["address"].lower() for row in self.tables["fans"]}

    @cached_property
    def provider_captures(self) -> dict[str, list[Row]]:
        """Money the provider took, by charge."""
        return grouped(self.tables["sandbox_captures"], "charge_id")

    @cached_property
    def provider_refunds(self) -> dict[str, int]:
        """What the provider gave back of each capture."""
        totals: dict[str, int] = defaultdict(int)
        for row in self.tables["sandbox_refunds"]:
            totals[row["capture_id"]] += row["amount"]
        return totals

    @cached_property
    def sales(self) -> dict[str, list[Step]]:
        """Deliveries and settlements by payment reference (hexadecimal)."""
        return by_reference(step for step in self.told.steps if step.kind in SALES)

    @cached_property
    def returns(self) -> dict[str, list[Step]]:
        """Tickets given back for money by payment reference."""
        return by_reference(step for step in self.told.steps if step.kind == Kind.REFUNDED)

    @cached_property
    def moved(self) -> dict[tuple[int, int], Step]:
        """Steps by ticket and the epoch after them."""
        return {(step.ticket_id, step.epoch): step for step in self.told.steps if step.kind != Kind.REDEEMED}


def gather(database: str, rpc: str, address: str, memory: Memory) -> Evidence:
    """Reads the database, then the chain. Raises `CouldNotRead`."""
    tables = rows.read(database)
    blocks = [row["number"] for row in tables["blocks"]]
    mined = [f"0x{row['mined_hash'].hex()}" for row in tables["transactions"] if row["mined_hash"]]
    return Evidence(tables, ledger.read(rpc, address, blocks, mined), memory)


def grouped(found: Iterable[Row], by: str) -> dict[str, list[Row]]:
    """Rows by one of their columns."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        groups[row[by]].append(row)
    return groups


def by_reference(steps: Iterable[Step]) -> dict[str, list[Step]]:
    """Steps by their payment reference."""
    groups: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        groups[step.reference.hex()].append(step)
    return groups


def reference(payment: Any) -> str:
    """The reference of a payment on the ledger: the part of its id after the underscore."""
    return str(payment["id"]).rpartition("_")[2]


def paid_orders(evidence: Evidence) -> Iterator[tuple[Row, Row, list[Row]]]:
    """Every order with its payment and lines."""
    for payment in evidence.payments.values():
        order = evidence.orders[payment["order_id"]]
        yield order, payment, evidence.lines.get(order["id"], [])
