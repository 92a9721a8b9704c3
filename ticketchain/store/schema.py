"""The shop's tables: accounts, events, stock, orders and money, passing on.

Amounts are minor currency units, addresses EIP-55 text, ticket ids the ledger's (domain.tickets). What goes to the
chain, and what came back from it, is in `schema_chain`.
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
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ticketchain.store.types import Hash, Id, Moment, metadata

# ------------------------------------------------------------------------------------------------ accounts

wallets = Table(
    "wallets",
    metadata,
    Column("address", Text, primary_key=True),
    Column("purpose", Text, nullable=False),  # fan, organizer, payee
    Column("created_at", Moment, nullable=False),
)

organizers = Table(
    "organizers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("address", Text, ForeignKey("wallets.address"), nullable=False),
    Column("created_at", Moment, nullable=False),
)

fans = Table(
    "fans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("address", Text, ForeignKey("wallets.address"), unique=True),  # null until the fan needs a wallet
    Column("person_id", Id, unique=True),  # null: made by an API key, nobody of whom we know
    Column("created_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", Hash, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("organizer_id", Id, ForeignKey("organizers.id")),
    Column("fan_id", Id, ForeignKey("fans.id")),
    Column("scopes", Text),  # of its role's only these, with spaces between; null: all
    Column("device", Text),  # gate device or till that it lives on
    Column("member", Boolean, nullable=False, default=False),  # a member acts by it; it has no secret
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),  # to a few minutes; not of fans
    Column("old_hash", Hash, unique=True),  # from before it was changed over
    Column("old_until", Moment),
    Column("revoked_at", Moment),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("principal", Id, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Hash, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("created_at", Moment, nullable=False),
)

# ------------------------------------------------------------------------------------------------ events and stock

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organizer_id", Id, ForeignKey("organizers.id"), nullable=False, index=True),
    Column("number", BigInteger, unique=True),  # the ledger's event number, once it is there
    Column("title", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("terms", JSON, nullable=False),  # domain.policy.Terms without the currency
    Column("schedule", JSON, nullable=False),  # Unix seconds, as the ledger has them
    Column("moves_close_at", BigInteger, nullable=False, index=True),  # of the schedule
    Column("status", Text, nullable=False),  # live, paused, cancelled, as the ledger says
    Column("fees", JSON, nullable=False),  # domain.prices.Fee, added to each class's face price
    Column("tax", JSON),  # domain.prices.Tax, contained in what is paid
    Column("sale_opens_at", Moment),  # of this shop; null: at once, and to the doors
    Column("sale_closes_at", Moment),
    Column("order_limit", Integer, nullable=False),  # tickets in one order; 0: as the installation allows
    Column("rescheduled_at", Moment),  # when its doors last moved: who bought before may return at full price
    Column("plan_id", Id, ForeignKey("seat_plans.id")),
    Column("batches_reserved", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
)

payees = Table(
    "payees",
    metadata,
    Column("event_id", Id, ForeignKey("events.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("bps", Integer, nullable=False),
)

price_classes = Table(
    "price_classes",
    metadata,
    Column("event_id", Id, ForeignKey("events.id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # the ledger's priceClass
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("face", BigInteger, nullable=False),  # of the class, before fees
    Column("all_in", BigInteger, nullable=False),  # with fees: the face price on the ledger, in batches and seats
    UniqueConstraint("event_id", "code"),
)

batches = Table(
    "batches",
    metadata,
    Column("event_id", Id, ForeignKey("events.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("issue_id", Id, nullable=False, index=True),  # the manifest it came with
    Column("price_class", Text, nullable=False),
    Column("supply_class", Text, nullable=False),
    Column("section", Text, nullable=False),
    Column("supply", Integer, nullable=False),
    Column("face", BigInteger, nullable=False),
    Column("cid", Text, nullable=False),
    Column("issued", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

seats = Table(
    "seats",
    metadata,
    Column("ticket", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False),
    Column("batch", Integer, nullable=False),
    Column("section", Text, nullable=False),
    Column("row", Text, nullable=False),
    Column("seat", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("price_class", Text, nullable=False),
    Column("supply_class", Text, nullable=False),
    Column("face", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # unissued, available, held, sold
    Column("hold_id", Id, ForeignKey("holds.id")),
    Column("allotment_id", Id, ForeignKey("allotments.id")),  # set aside for a partner
    Column("x", Integer),  # place on the plan, in hundredths of its unit
    Column("y", Integer),
    Column("place", Integer, nullable=False),  # in its row: neighbours differ by one, whoever they are for
    UniqueConstraint("event_id", "section", "row", "seat"),
    Index("ix_seats_free", "event_id", "state", "price_class", "ticket"),
    Index("ix_seats_hold", "hold_id"),
    Index("ix_seats_allotment", "allotment_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False),
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False),
    Column("channel", Text, nullable=False),  # domain.orders.Channel
    Column("seller_key", Id, ForeignKey("api_keys.id")),  # of the box office or partner that holds them for the fan
    Column("state", Text, nullable=False),  # open, ordered, ended
    Column("expires_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_holds_due", "state", "expires_at"),
    Index("ix_holds_fan", "fan_id", "event_id", "state"),
)

# ------------------------------------------------------------------------------------------------ orders and money

orders = Table(
    "orders",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False, index=True),
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False, index=True),
    Column("hold_id", Id, ForeignKey("holds.id"), unique=True),
    Column("listing_id", Id, ForeignKey("listings.id")),
    Column("exchange_id", Id, ForeignKey("exchanges.id"), unique=True),  # it pays the difference of an exchange
    Column("channel", Text, nullable=False),  # domain.orders.Channel
    Column("seller_key", Id, ForeignKey("api_keys.id")),  # of the box office or partner that sold it
    Column("promotion_id", Id, ForeignKey("promotions.id"), index=True),
    Column("voucher", Text),  # the code that was given
    Column("refund_rule", JSON, nullable=False),  # domain.refunds.RefundRule as it was at the sale
    Column("total", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("trace", Text),  # id of the request that made it
    Column("expires_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_orders_due", "state", "expires_at"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", Id, ForeignKey("orders.id"), primary_key=True),
    Column("ticket", BigInteger, primary_key=True, index=True, autoincrement=False),
    Column("price", BigInteger, nullable=False),  # what the buyer pays for it, all in
    Column("items", JSON, nullable=False),  # domain.prices.Item: what the price is made of; their sum is the price
    Column("tax", BigInteger, nullable=False),  # contained in the price
    Column("state", Text, nullable=False),
    Column("epoch", Integer),  # of the ticket once delivered by this order
    Column("problem", Text),
)

payments = Table(
    "payments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, unique=True),
    Column("provider", Text, nullable=False),
    Column("method", Text, nullable=False),  # domain.orders.Method
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("provider_ref", Text),
    Column("url", Text),
    Column("created_at", Moment, nullable=False),
    Column("charge_due_at", Moment, nullable=False),  # from then on it is the worker who opens its charge
    UniqueConstraint("provider", "provider_ref"),
)

captures = Table(
    "captures",
    metadata,
    Column("id", Text, primary_key=True),  # the provider's own
    Column("payment_id", Id, ForeignKey("payments.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("accepted", Boolean, nullable=False),  # it pays the order; all others go back
    Column("seen_at", Moment, nullable=False),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("capture_id", Text, ForeignKey("captures.id"), nullable=False),
    Column("cause", Text, nullable=False, index=True),  # what it is for; one refund per cause
    Column("amount", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # due, done, failed, dropped (a lost dispute took the money)
    Column("provider_ref", Text),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),  # when the provider gave it back
    Column("recorded_by", Text, index=True),  # the intent that tells the ledger so; empty: there is nothing to tell
    UniqueConstraint("capture_id", "cause"),
    Index("ix_refunds_due", "state", "created_at"),
    Index(
        "ix_refunds_to_record",
        "id",
        sqlite_where=text("state = 'done' AND recorded_by IS NULL"),
        postgresql_where=text("state = 'done' AND recorded_by IS NULL"),
    ),
)

webhook_inbox = Table(
    "webhook_inbox",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("charge", Text, nullable=False),  # nothing else of it is kept: it may tell who paid
    Column("applied", Boolean, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),  # later when it could not be applied
    Index("ix_webhook_inbox_due", "applied", "due_at"),
)

# ------------------------------------------------------------------------------------------------ passing on

listings = Table(
    "listings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ticket", BigInteger, nullable=False),
    Column("event_id", Id, ForeignKey("events.id"), nullable=False),
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("consent", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),  # open, reserved, selling, withdrawing, sold, ended
    Column("created_at", Moment, nullable=False),
    Index(
        "uq_listings_live",
        "ticket",
        "epoch",  # a reorganised chain can bring an earlier one back beside the present one
        unique=True,
        sqlite_where=text("state IN ('open','reserved','selling','withdrawing')"),
        postgresql_where=text("state IN ('open','reserved','selling','withdrawing')"),
    ),
    Index("ix_listings_event", "event_id", "state", "id"),
)

moves = Table(
    "moves",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),  # gift, return, withdrawal, deposit
    Column("ticket", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False),
    Column("to_fan_id", Id, ForeignKey("fans.id")),
    Column("to_address", Text),  # a withdrawal or deposit: where to
    Column("order_id", Id, ForeignKey("orders.id")),  # a return: the order whose money goes back
    Column("amount", BigInteger),
    Column("seller_key", Id, ForeignKey("api_keys.id")),  # of the box office that took it back, and why
    Column("reason", Text),
    Column("expires_at", Moment),  # until when its holder can consent to what the box office asked for
    Column("state", Text, nullable=False),  # asked, sending, done, refused, expired
    Column("problem", Text),
    Column("created_at", Moment, nullable=False),
    Index("ix_moves_fan", "fan_id", "id"),
    Index("ix_moves_asked", "ticket", sqlite_where=text("state = 'asked'"), postgresql_where=text("state = 'asked'")),
    Index(
        "uq_moves_live",
        "ticket",
        "epoch",
        unique=True,
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
)

payouts = Table(
    "payouts",
    metadata,
    Column("order_id", Id, ForeignKey("orders.id"), primary_key=True),
    Column("ticket", BigInteger, primary_key=True, autoincrement=False),
    Column("leg", Text, primary_key=True),  # seller, royalty
    Column("address", Text, nullable=False),  # of the seller; the royalty leg goes to the event's pot
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("taken_back", BigInteger, nullable=False),  # of the amount, when its event was cancelled
    Column("state", Text, nullable=False),  # due, blocked (by a dispute), reversed (nothing of it is left)
    Column("created_at", Moment, nullable=False),
)
