"""Kinds of fields, strict: amounts are JSON integers, ticket ids decimal texts, times have a zone."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any

from eth_utils.address import is_checksum_address, to_checksum_address
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ticketchain.domain.errors import NotFound
from ticketchain.domain.ledgers import ticket_here
from ticketchain.domain.tickets import MAX_PRICE
from ticketchain.usecases.parts import Rules

# Ledger ids have 64 bits, the databases' integers 63 and a sign. Events are counted from 1, so no id gets that far.
MAX_TICKET = (1 << 63) - 1
AT_ONCE = f"The installation allows up to {Rules.max_quantity} seats in one hold."
_TICKET = re.compile(r"[0-9]{1,20}", re.ASCII)
_TICKET_HERE = re.compile(r"(?:(?P<ledger>[0-9]{1,3})-)?(?P<id>[0-9]{1,20})", re.ASCII)
_ROW_ID = re.compile(r"[a-z]{2,4}_[0-9a-f]{32}", re.ASCII)
_OF_A_KEY = 7
"""Characters that are shown of what seems to be an API key in place of an id: answers are kept in strange places."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


class Body(BaseModel):
    """A request's JSON object. Fields nobody asked for are refused: a misspelt one must not be overlooked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain(text: str) -> str:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValueError("has a control character or half a character; type it anew")
    return text


def _ticket(value: Any) -> int:
    if not isinstance(value, str) or not _TICKET.fullmatch(value):
        raise ValueError('must be a ticket id: a text of decimal digits such as "16777216"')
    return int(value)


def _known_ticket(value: Any) -> int:
    """A ticket id; or "2-16777216", as URIs of tokens have it: ledger 2's own id."""
    if isinstance(value, str) and (parts := _TICKET_HERE.fullmatch(value)):
        ticket = ticket_here(int(parts["ledger"] or 0), int(parts["id"])) if parts["ledger"] else int(parts["id"])
        if ticket is not None and ticket <= MAX_TICKET:
            return ticket
    raise NotFound(f"ticket {str(value)[:40]!r} is unknown")


def _moment(value: Any) -> datetime:
    try:
        if isinstance(value, str) and _MOMENT.match(value):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment
    except ValueError:
        pass
    raise ValueError("must be a time with its zone, like 2026-12-31T20:00:00+01:00 (RFC 3339)")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value) or not int(value, 16):
        raise ValueError("must be an address: 0x and 40 hexadecimal digits, not all zero")
    if value[2:] != value[2:].lower() and not is_checksum_address(value):
        raise ValueError("its capital letters do not fit (EIP-55); copy the address again")
    return to_checksum_address(value)


def known_address(value: str) -> str:
    """An address in a path: what cannot be one does not exist."""
    try:
        return _address(value)
    except ValueError:
        raise NotFound(f"wallet {value[:80]!r} is unknown") from None


def _row_id(value: Any) -> str:
    if not isinstance(value, str) or not _ROW_ID.fullmatch(value):
        shown = str(value)[: _OF_A_KEY if str(value).startswith("tc_") else 80]
        raise NotFound(f"{shown!r} is unknown")
    return value


Line = Annotated[str, Field(strict=True, min_length=1), AfterValidator(_plain)]
"""One line of text, not empty, without control characters."""

Amount = Annotated[
    int,
    Field(strict=True, ge=0, le=MAX_PRICE, description="Minor units (cents) of the event's currency."),
]
Bps = Annotated[int, Field(strict=True, ge=0, le=10_000, description="Basis points: 10,000 = 100 %.")]
Seconds = Annotated[int, Field(strict=True, ge=0, le=(1 << 32) - 1, description="Seconds.")]
Currency = Annotated[
    str,
    Field(strict=True, max_length=8, description="ISO 4217 code, three capital letters.", examples=["EUR"]),
    AfterValidator(_plain),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-12-31T20:00:00+01:00"]}),
]
"""A moment in a request: RFC 3339 with a zone."""

When = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-12-31T19:00:00+00:00"])]
"""A moment in an answer: RFC 3339 in UTC."""

Address = Annotated[
    str,
    AfterValidator(_address),
    Field(strict=True, examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]),
]

Root = Annotated[str, Field(strict=True, pattern="^[0-9a-f]{64}$", examples=["4f" * 32])]
"""A Merkle root: 32 bytes in hexadecimal, small letters."""

_TICKET_SCHEMA = {"type": "string", "pattern": "^[0-9]{1,19}$", "examples": ["16777216"]}
TicketId = Annotated[int, BeforeValidator(_ticket), Field(le=MAX_TICKET), WithJsonSchema(_TICKET_SCHEMA)]
"""A ticket id in a request's body."""

KnownTicket = Annotated[int, BeforeValidator(_known_ticket), WithJsonSchema(_TICKET_SCHEMA)]
"""A ticket id in an address; what cannot be one does not exist."""

TicketText = Annotated[
    str,
    Field(examples=["16777216"], description="The ledger's ticket id + (the ledger's number here << 56), decimal."),
]
"""A ticket id in an answer: text, because JavaScript's numbers end at 2^53."""


def _shown_as(prefix: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "examples": [f"{prefix}_0197a3c2d4e57f10a1b2c3d4e5f60718"]})


# Ids of our own rows. What cannot be one does not exist, so it is answered like an unknown one.
_KNOWN = BeforeValidator(_row_id)
OrganizerId = Annotated[str, _KNOWN, _shown_as("org")]
KeyId = Annotated[str, _KNOWN, _shown_as("key")]
MemberId = Annotated[str, _KNOWN, _shown_as("mem")]
FanId = Annotated[str, _KNOWN, _shown_as("fan")]
EventId = Annotated[str, _KNOWN, _shown_as("evt")]
HoldId = Annotated[str, _KNOWN, _shown_as("hld")]
AllotmentId = Annotated[str, _KNOWN, _shown_as("alt")]
OrderId = Annotated[str, _KNOWN, _shown_as("ord")]
PlanId = Annotated[str, _KNOWN, _shown_as("pln")]
ListingId = Annotated[str, _KNOWN, _shown_as("lst")]
PromotionId = Annotated[str, _KNOWN, _shown_as("pro")]
MoveId = Annotated[str, _KNOWN, _shown_as("mov")]
ExchangeId = Annotated[str, _KNOWN, _shown_as("exc")]
StopId = Annotated[str, _KNOWN, _shown_as("stp")]
SessionId = Annotated[str, _KNOWN, _shown_as("ses")]
