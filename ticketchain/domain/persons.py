"""What staff may want to know of a person for, and how a person looks to those who have no reason to know more."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ticketchain.domain.errors import Invalid


class Purpose(StrEnum):
    """Why somebody's personal data are read; it stands in the access log for ever."""

    IDENTITY = "identity"  # is it the holder who stands here?
    CONTACT = "contact"  # to tell about the event, or to answer
    PAYMENT = "payment"  # money that is missing, wrong or disputed
    LEGAL = "legal"  # an authority or the person itself asks


def refuse_mail(field: str, text: str) -> None:
    """Raises `Invalid` for words of staff with a mail address in them: they are kept unsealed, and for long."""
    if "@" in text:
        raise Invalid(field, "it has a mail address in it; leave out who it is, the ticket tells")


def masked_mail(mail: str) -> str:
    """`m…@e….com`: enough to know one's own address again, too little to write to it."""
    name, _, host = mail.rpartition("@")
    domain, dot, top = host.rpartition(".")
    return f"{name[:1]}…@{domain[:1]}…{dot}{top}"


def masked(fields: Mapping[str, str]) -> dict[str, str]:
    """A person's fields as those see them who have no reason to see more."""
    hidden = {name: f"{value[:1]}…" if value else "" for name, value in fields.items()}
    plain = {name: fields[name] for name in ("language",) if name in fields}
    return hidden | {"mail": masked_mail(fields["mail"])} | plain
