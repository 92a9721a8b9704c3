"""Bodies of requests. Their form is checked here; what an event, the shop or the ledger allows is checked there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from api.schemas.consents import Agreement
from api.schemas.fields import (
    AT_ONCE,
    Address,
    Amount,
    Body,
    Bps,
    Currency,
    EventId,
    FanId,
    HoldId,
    Line,
    ListingId,
    Moment,
    Root,
    Seconds,
    TicketId,
)
from api.schemas.sales import NewFee, NewSale, NewTax
from ticketchain.domain.policy import MAX_SUPPLY
from ticketchain.domain.refunds import MAX_STEPS


class Nothing(Body):
    """An empty object, for those who must send something."""


class OrganizerWanted(Body):
    """An organizer to be."""

    name: Line = Field(max_length=200, description="As everybody will read it.", examples=["Philharmonie"])


class NewPriceClass(Body):
    """What a seat costs."""

    code: Line = Field(max_length=64, description="Short and unique within the event.", examples=["A"])
    name: Line = Field(max_length=200, description="As everybody will read it.", examples=["Philharmonie"])
    face: Amount = Field(description="Its price before fees, tax included, in minor units.", examples=[6500])


class NewPayee(Body):
    """Who gets a share of the royalties."""

    name: Line = Field(max_length=200, description="As everybody will read it.", examples=["Philharmonie"])
    bps: Annotated[int, Field(strict=True, ge=1, le=10_000, description="Share in basis points.")]
    address: Address | None = Field(None, description="Where the ledger credits it; left out: a custodial one.")


Supply = Annotated[int, Field(strict=True, ge=0, le=MAX_SUPPLY, description="Tickets there will ever be.")]


class Supplies(Body):
    """How many tickets of each supply class there will ever be, a promise that the ledger keeps. Manifests name the
    class of each seat; at least one class is not 0.
    """

    public: Supply = Field(0, examples=[3000])
    held: Supply = Field(0, examples=[100])
    sponsor: Supply = 0
    complimentary: Supply = 0


class Resale(Body):
    """Rules of resale. The cap is a part of the face price: 11,000 = at most 110 %."""

    cap_bps: Annotated[int, Field(strict=True, ge=0, le=65_535, description="Basis points of the face price.")]
    royalty_bps: Bps
    payees: list[NewPayee] = Field(
        min_length=1, max_length=32, description="Shares of the royalties; their sum is 10,000."
    )
    cap_at_paid: bool = Field(False, strict=True, description="No resale over what its seller paid, either.")
    opens_at: Moment | None = Field(None, description="Left out: now.")
    closes_at: Moment | None = Field(None, description="Left out: when all moves close.")


class Gifts(Body):
    """Rules of giving away."""

    limit: int = Field(7, strict=True, ge=0, le=7, description="Gifts between two sales; 7 = no limit.")
    cooldown_s: Seconds = Field(0, description="Seconds a ticket rests after each move.")
    list_root: Root | None = Field(
        None,
        description="Merkle root of the accounts that gifts may go to (32 bytes, hexadecimal; OpenZeppelin's leaf of "
        "one address). This service has no list yet, so it gives such an event's tickets to nobody. Left out: anyone.",
    )
    closes_at: Moment | None = Field(None, description="Left out: when all moves close.")


class RefundStep(Body):
    """What is kept of a ticket returned so many seconds before the doors, or earlier."""

    until_s_before_doors: Seconds = Field(0, examples=[86_400])
    keep_bps: Bps = Field(0, examples=[1_000])


class Refunds(Body):
    """When a ticket may be returned, and what is kept: the first step that still applies counts. Later steps end later
    and keep no less; without any step no ticket can be returned.
    """

    steps: list[RefundStep] = Field([RefundStep()], max_length=MAX_STEPS)
    fee: Amount = Field(0, description="Kept of each ticket besides, in minor units.")
    keep_fees: bool = Field(
        False, strict=True, description="The fees in its price are kept; the steps are of the rest."
    )


class Escrow(Body):
    """When the money of an event sold for tokens goes to its organizer; for other events told, but without effect."""

    earliest_release: Moment | None = Field(None, description="Never before this moment. Left out: no such promise.")
    release_at: Moment | None = Field(
        None, description="Left out: when the doors open, or the earliest release if later."
    )


class NewEvent(Body):
    """An event: one showing in one place. All of it but the times can never change later, and those of doors, moves and
    resale only with a reason.
    """

    title: Line = Field(max_length=200, description="Title.", examples=["Mahler: Symphony No. 2"])
    venue: Line = Field(max_length=200, description="Where it is.", examples=["Great Hall"])
    time_zone: Line = Field(max_length=64, description="IANA time zone of the venue.", examples=["Europe/Berlin"])
    currency: Currency
    doors_at: Moment
    moves_close_at: Moment | None = Field(
        None, description="When gifts, resale and returns end for good and entry codes appear. Left out: doors."
    )
    price_classes: list[NewPriceClass] = Field(min_length=1, max_length=200)
    fees: list[NewFee] = Field([], max_length=20, description="On top of each class's price.")
    tax: NewTax | None = Field(None, description="Contained in all prices. Left out: none.")
    sale: NewSale = NewSale()
    resale: Resale
    supplies: Supplies
    gifts: Gifts = Gifts()
    refunds: Refunds = Refunds()
    escrow: Escrow = Escrow()
    holder_limit: int = Field(0, strict=True, ge=0, le=255, description="Tickets one account may hold; 0 = no limit.")
    entries: int = Field(
        1,
        strict=True,
        ge=1,
        le=255,
        description="Entries that a ticket is good for on the ledger: 1 = once, 2 to 254 = so many, 255 = one each day "
        "(UTC). The gates of this service let each ticket in once for now.",
    )
    reissue: bool = Field(
        False, strict=True, description="A lost ticket may be reissued: announced, 48 hours' wait, its holder can veto."
    )
    identity: bool = Field(False, strict=True, description="Holders may commit to an identity on the ledger.")


class Reason(Body):
    """Why, in words that everybody will read on the ledger."""

    reason: Line = Field(max_length=200, description="Why.", examples=["Doors open early because of the weather"])


class HoldWanted(Body):
    """Either named seats or so many of a price class."""

    tickets: list[TicketId] | None = Field(None, min_length=1, max_length=100, description=AT_ONCE)
    price_class: Line | None = Field(None, max_length=64, examples=["A"])
    quantity: int | None = Field(None, strict=True, ge=1, le=100, description=AT_ONCE, examples=[2])

    @model_validator(mode="after")
    def _one_of_two(self) -> HoldWanted:
        best = self.price_class is not None and self.quantity is not None
        parts_of_best = self.price_class is not None or self.quantity is not None
        if (self.tickets is None) == (not best) or (self.tickets is not None and parts_of_best):
            raise ValueError("send either tickets, or price_class and quantity")
        if self.tickets is not None and len(set(self.tickets)) != len(self.tickets):
            raise ValueError("tickets: the same seat is named twice")
        return self


class OrderWanted(Body):
    """Either a hold of one's own or somebody's listing."""

    hold_id: HoldId | None = None
    listing_id: ListingId | None = None
    voucher: Line | None = Field(
        None, max_length=64, description="A voucher's code, for a hold.", examples=["BRASS-26"]
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> OrderWanted:
        if (self.hold_id is None) == (self.listing_id is None):
            raise ValueError("send either hold_id or listing_id")
        if self.voucher is not None and self.hold_id is None:
            raise ValueError("voucher: it is for a hold; a resold ticket costs what its seller asks")
        return self


class Gift(Agreement):
    """To whom a ticket goes."""

    to: FanId


class Offer(Agreement):
    """For what a ticket is offered: the buyer's all-in price."""

    price: Amount = Field(examples=[7000])
    currency: Currency


class DeviceKey(Body):
    """The public key that a phone made for this ticket; its private key never leaves the phone."""

    algorithm: Literal["ed25519", "p256"]
    device_key: str = Field(
        strict=True,
        pattern="^(?:[0-9a-f]{64}|[0-9a-f]{66}|[0-9a-f]{130})$",
        description="Hexadecimal, small letters. ed25519: 32 bytes (RFC 8032). p256: a SEC 1 point, compressed "
        "(33 bytes) or not (65, WebCrypto's raw export).",
        examples=["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"],
    )


class ScanWanted(Body):
    """A code as the gate's camera read it."""

    event_id: EventId
    code: str = Field(strict=True, max_length=4096, description="What the QR code says, unchanged (docs/tc1.md).")
    gate: Line = Field(max_length=64, description="Which gate or lane.", examples=["North 2"])
    nonce: Line = Field(
        max_length=64,
        description="The device's own id of this scan: sent twice it counts once.",
        examples=["n2-000187"],
    )
