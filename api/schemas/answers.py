"""Answers, as the use cases' views give them. Amounts are minor units of the event's currency."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import TicketText, When
from api.schemas.sales import Fee, PriceClass, PriceItem, Sale, Tax, TaxAmount

Item = TypeVar("Item")
SeatState = Literal["unissued", "available", "held", "sold"]


class Page(BaseModel, Generic[Item]):
    """A page of a list. Ask for the page behind it with `?after=<next>`; null: this was the last."""

    items: list[Item]
    next: str | None = Field(description="Cursor of the next page.")


class Organizer(BaseModel):
    """An organizer: the tenant, with an address on the chain."""

    id: str
    name: str
    address: str


class NewOrganizer(Organizer):
    """A new organizer with its owner's API key."""

    api_key: str | None = Field(
        description="Shown this once; null when the answer is repeated for the same Idempotency-Key."
    )


class Fan(BaseModel):
    """A fan: an id and an address on the chain, nothing personal."""

    id: str
    address: str | None = Field(description="Null until it is first needed.")


class NewFan(Fan):
    """A new fan's account."""

    api_key: str = Field(description="Shown this once.")


class Payee(BaseModel):
    """A receiver of royalties; `bps` is its share."""

    name: str
    address: str
    bps: int


class RefundStep(BaseModel):
    """What is kept of a ticket returned so many seconds before the doors, or earlier."""

    until_s_before_doors: int
    keep_bps: int


class RefundRule(BaseModel):
    """When a ticket may be returned, and what is kept: the first step that still applies counts (docs/refunds.md)."""

    steps: list[RefundStep]
    fee: int = Field(description="Kept of each ticket besides.")
    keep_fees: bool = Field(description="Fees in its price are kept; the steps are of the rest.")


class Supplies(BaseModel):
    """How many tickets of each supply class there will ever be."""

    public: int
    held: int
    sponsor: int
    complimentary: int


class Terms(BaseModel):
    """What can never change."""

    cap_bps: int
    royalty_bps: int
    gift_limit: int
    cooldown_s: int
    refund_rule: RefundRule
    token: str = Field(description="ERC-20 the event is sold in; the zero address: money through the provider.")
    unit_exponent: int
    supplies: Supplies
    earliest_release: When | None = Field(description="Before then a token event's escrow stays; null: not promised.")
    holder_limit: int = Field(description="Tickets one account may hold; 0 = no limit.")
    entries: int = Field(description="1 = one entry, 2 to 254 = so many, 255 = one each day (UTC).")
    cap_at_paid: bool = Field(description="No resale over what its seller paid.")
    reissue: bool = Field(description="A lost ticket may be reissued after 48 hours without a veto.")
    identity: bool = Field(description="Holders may commit to an identity on the ledger.")
    gift_root: str | None = Field(description="Merkle root of the accounts that gifts may go to; null: anyone.")


class Schedule(BaseModel):
    """Times as the ledger has them."""

    doors_at: When
    moves_close_at: When
    gifts_close_at: When
    resale_opens_at: When
    resale_closes_at: When
    release_at: When = Field(description="First moment at which a token event's escrow goes to the organizer.")


class Event(BaseModel):
    """An event with its rules. `number` is the ledger's, null while the event is `opening`; `problem` says why the
    ledger would not have it. While it is `paused` nothing is sold or resold; `cancelled` is for good.
    """

    id: str
    organizer_id: str
    title: str
    venue: str
    time_zone: str
    currency: str
    state: Literal["opening", "open", "paused", "cancelled"]
    problem: str | None
    sales_stopped: str | None = Field(
        description="Why it sells nothing now: the reason of a stop, or from the request on of its cancellation."
    )
    number: int | None
    ledger: str | None = Field(description="Address of the ledger that has it; null while the event is `opening`.")
    moves_closed: bool
    schedule: Schedule
    terms: Terms
    price_classes: list[PriceClass]
    fees: list[Fee] = Field(description="On top of each class's price.")
    tax: Tax | None = Field(description="Contained in all prices; null: none.")
    sale: Sale
    payees: list[Payee]


class Batch(BaseModel):
    """A batch of tickets. `cid` leads to its document, whose sha2-256 is on the chain; `issued`: the ledger has it."""

    number: int
    issue_id: str
    section: str
    price_class: str
    supply_class: str
    supply: int
    face: int
    cid: str
    issued: bool
    problem: str | None


class Issue(BaseModel):
    """What a manifest became."""

    id: str
    event_id: str
    tickets: int
    issued: bool
    batches: list[Batch]


class StockLine(BaseModel):
    """How many seats of a kind."""

    price_class: str
    supply_class: str
    state: SeatState
    quantity: int


class Stock(BaseModel):
    """How many seats are free, held, sold."""

    event_id: str
    seats: list[StockLine]


class Seat(BaseModel):
    """A seat and its state in the shop."""

    ticket: TicketText
    section: str
    row: str
    seat: str
    kind: str
    price_class: str
    supply_class: str
    face: int
    state: SeatState


class Hold(BaseModel):
    """Seats kept for a fan until `expires_at`."""

    id: str
    event_id: str
    state: Literal["open", "ordered", "ended"]
    expires_at: When
    seats: list[Seat]


class Line(BaseModel):
    """One ticket of an order; `refused`: the ledger would not deliver it, its money goes back. `items` sum to `price`;
    `tax` is contained in it.
    """

    ticket: TicketText
    price: int
    items: list[PriceItem]
    tax: int
    state: Literal["pending", "delivered", "exchanged", "refused", "refunded"]
    problem: str | None


class Payment(BaseModel):
    """Where and how the order is paid; `url` is null until the provider has answered. An order of total 0 is `free`."""

    id: str
    provider: str
    method: Literal["online", "cash", "invoice", "free"]
    url: str | None


class Refund(BaseModel):
    """Money on its way back, or back."""

    cause: str
    amount: int
    currency: str = Field(description="As it was taken: not the order's if the money came in a wrong one.")
    state: Literal["due", "done", "failed", "dropped"] = Field(
        description="`dropped`: the buyer's bank took the money back, so it is not given back once more."
    )


class Order(BaseModel):
    """An order: pay at `payment.url` before `expires_at`, then its tickets are delivered. See docs/orders.md."""

    id: str
    event_id: str
    kind: Literal["first_sale", "resale", "exchange"]
    state: Literal[
        "created",
        "awaiting_payment",
        "expired",
        "paid",
        "delivering",
        "delivered",
        "partly_refunded",
        "refunded",
        "disputed",
    ]
    channel: Literal["web", "box_office", "partner"]
    promotion_id: str | None
    voucher: str | None = Field(description="The code that was used.")
    total: int
    items: list[PriceItem] = Field(description="What the total is made of, by name.")
    tax: TaxAmount | None = Field(description="Contained in the total; null: the event has none.")
    currency: str
    expires_at: When
    lines: list[Line]
    payment: Payment
    captured: int = Field(
        description="Money taken so far in the order's currency; what exceeds the total goes back, as all other money."
    )
    refunds: list[Refund]


class Ticket(BaseModel):
    """A ticket as the ledger last said. `epoch`: moves and revocations so far; `price`: what its holder paid, or what
    the seller of a ticket in the `pool` asks. `activated`: its holder closed its moves for good; `frozen`: its payment
    is disputed.
    """

    id: TicketText
    event_id: str | None
    number: int = Field(description="The ticket's number within its event.")
    state: Literal["stock", "pool", "held", "redeemed", "void"]
    holder: str | None
    custodied: bool
    activated: bool
    frozen: bool
    in_doubt: bool = Field(description="The chain replaced final blocks with moves of it; nothing is sold meanwhile.")
    epoch: int
    price: int
    since: When | None
    seat: Seat | None
    listing_id: str | None


class Happening(BaseModel):
    """One thing the ledger logged about a ticket; the other members are the log's own values."""

    model_config = ConfigDict(extra="allow")

    what: str
    at: When
    block: int
    transaction: str
    finality: Literal["head", "safe", "final"] = Field(
        description="At `head` its block may still be replaced; money moves and mails are sent when it is `final`."
    )


class History(BaseModel):
    """A ticket's story from the chain, oldest first."""

    ticket: TicketText
    history: list[Happening]


MoveKind = Literal["gift", "return", "withdrawal", "deposit"]
MoveState = Literal["asked", "sending", "done", "refused", "expired"]


class Move(BaseModel):
    """A gift, return, withdrawal or deposit: on its way to the ledger (`sending`), `done`, or `refused` with the
    ledger's reason. A return that a box office wants is `asked` until its holder consents, `expired` when that did not
    come in time.
    """

    id: str
    kind: MoveKind
    ticket: TicketText
    to: str | None = Field(description="The fan that a gift goes to.")
    to_address: str | None = Field(description="Where a withdrawal or deposit goes.")
    amount: int | None
    reason: str | None = Field(description="Why the box office wants it back; null for what its holder began.")
    expires_at: When | None = Field(description="Until when its holder can consent to what was asked.")
    state: MoveState
    problem: str | None


class Listing(BaseModel):
    """A ticket offered by its holder at an all-in price."""

    id: str
    event_id: str
    ticket: TicketText
    price: int
    state: Literal["open", "reserved", "selling", "withdrawing", "sold", "ended"]
    expires_at: When
    seat: Seat | None


class Received(BaseModel):
    """A webhook is stored; `new` is false when it was there already."""

    received: Literal[True]
    new: bool


class Alive(BaseModel):
    """The process is up."""

    status: Literal["ok"]


class Ready(BaseModel):
    """The database answers; "degraded": some of the work waits, `checks` says which."""

    status: Literal["ready", "degraded"]
    checks: dict[str, str]
