"""Tables of selling: promotions and their vouchers, seats set aside for partners, sales stopped, seat plans, changes of
tickets and events.

Amounts are minor currency units.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from ticketchain.store.types import Id, Moment, metadata

promotions = Table(
    "promotions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("bps", Integer, nullable=False),  # off each ticket's price, in basis points
    Column("amount", BigInteger, nullable=False),  # off each ticket's price, in minor units
    Column("price_classes", JSON, nullable=False),  # codes; empty: all
    Column("opens_at", Moment),
    Column("closes_at", Moment),
    Column("min_quantity", Integer, nullable=False),  # tickets in one order
    Column("max_tickets", Integer, nullable=False),  # in all orders together; 0: any number
    Column("max_per_fan", Integer, nullable=False),  # 0: any number
    Column("with_voucher", Boolean, nullable=False),  # only with one of its codes; otherwise by itself
    Column("created_at", Moment, nullable=False),
)

vouchers = Table(
    "vouchers",
    metadata,
    Column("event_id", Id, ForeignKey("events.id"), primary_key=True),
    Column("code", Text, primary_key=True),  # as printed, in capital letters
    Column("promotion_id", Id, ForeignKey("promotions.id"), nullable=False, index=True),
    Column("max_orders", Integer, nullable=False),  # 0: any number
)

allotments = Table(
    "allotments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False, index=True),
    Column("key_id", Id, ForeignKey("api_keys.id"), nullable=False, index=True),  # the partner's
    Column("price_class", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("returned", Integer, nullable=False),  # of the quantity, went back unsold
    Column("returns_at", Moment),  # what is not sold then goes back to all channels
    Column("returned_at", Moment),
    Column("created_at", Moment, nullable=False),
)

stops = Table(
    "stops",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope", Text, nullable=False),  # all, organizer, venue, event
    Column("organizer_id", Id, ForeignKey("organizers.id")),  # null: the whole installation
    Column("subject", Text, nullable=False),  # the venue or event; empty for the other scopes
    Column("reason", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("lifted_at", Moment),
    Index(
        "ix_stops_live",
        "scope",
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
)

seat_plans = Table(
    "seat_plans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organizer_id", Id, ForeignKey("organizers.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("document", JSON, nullable=False),  # domain.seat_plans.SeatPlan
    Column("created_at", Moment, nullable=False),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("id", Id, primary_key=True),
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False, index=True),
    Column("ticket", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("to_ticket", BigInteger, nullable=False),
    Column("to_epoch", Integer, nullable=False),
    Column("hold_id", Id, ForeignKey("holds.id"), nullable=False),  # keeps the other seat
    Column("difference", BigInteger, nullable=False),  # new face price less the old one: paid, or given back
    Column("currency", Text, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("consent", Text, nullable=False),
    Column("state", Text, nullable=False),  # to_pay, sending, done, refused, expired
    Column("problem", Text),
    Column("created_at", Moment, nullable=False),
    Index("ix_exchanges_to", "to_ticket"),
    Index(
        "uq_exchanges_live",
        "ticket",
        "epoch",  # a reorganised chain can bring an earlier one back beside the present one
        unique=True,
        sqlite_where=text("state IN ('to_pay','sending')"),
        postgresql_where=text("state IN ('to_pay','sending')"),
    ),
)

cancellations = Table(
    "cancellations",
    metadata,
    Column("event_id", Id, ForeignKey("events.id"), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("block_number", BigInteger),  # where the ledger cancelled it, once that is final
    Column("walked", BigInteger, nullable=False),  # tickets up to this id are dealt with
    Column("tickets", Integer, nullable=False),  # to refund, found so far
    Column("finished_at", Moment),  # every ticket found is refunded on the ledger, and its money asked for
    Column("created_at", Moment, nullable=False),
)
