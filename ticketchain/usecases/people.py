"""Persons: what is known of them, sealed. The keys are in another database, so sealing comes before a transaction, and
opening after it; what is read of others is logged in the very transaction that reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ticketchain.domain.errors import Conflict, Erased
from ticketchain.domain.persons import masked_mail as masked_mail
from ticketchain.store import people
from ticketchain.store.engine import Tx
from ticketchain.usecases.common import required
from ticketchain.usecases.parts import Parts


@dataclass(frozen=True)
class SealedPerson:
    """What is to be stored of a person. Fields that others read, too: mail, name, phone, language."""

    id: str
    mail_index: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


def seal_person(parts: Parts, fields: Mapping[str, str], person_id: str | None = None) -> SealedPerson:
    """Seals a person's fields, of which `mail` must be one; for a new person the key is made. Outside of transactions.

    Raises `Erased`.
    """
    known = person_id or parts.new_id("per")
    return SealedPerson(known, parts.people.index(fields["mail"]), parts.people.seal(known, fields))


def add_person(parts: Parts, tx: Tx, person: SealedPerson) -> str:
    """Stores a new person; the id. Raises `Conflict` when somebody has that mail address."""
    if people.by_index(tx, person.mail_index) is not None:
        raise Conflict("mail: somebody has an account with this address; sign in, or recover it")
    people.add(tx, person.id, person.mail_index, person.sealed, parts.clock())
    return person.id


def change_person(tx: Tx, person: SealedPerson) -> None:
    """Replaces all of a person's fields. Raises `Conflict` when another one has that mail address, `Erased`."""
    holder = people.by_index(tx, person.mail_index)
    if holder is not None and holder.id != person.id:
        raise Conflict("mail: somebody has an account with this address; choose another one")
    if not people.change(tx, person.id, person.mail_index, person.sealed):
        raise Erased(f"{person.id}: everything about this person was erased")


def person_by_mail(tx: Tx, mail_index: bytes) -> Any | None:
    """The person with this mail address (`parts.people.index`), as stored: id, sealed."""
    return people.by_index(tx, mail_index)


def own_fields(parts: Parts, person_id: str) -> dict[str, str]:
    """A person's fields for the person itself, or to carry out its wish (a mail that it is to get): not logged.

    Outside of transactions. Raises `NotFound`, `Erased`.
    """
    with parts.store.read() as tx:
        row = required(people.person(tx, person_id), f"person {person_id!r}")
    return opened(parts, row)


def opened(parts: Parts, row: Any) -> dict[str, str]:
    """The fields of a stored person. Outside of transactions. Raises `Erased`."""
    if row.sealed is None:
        raise Erased(f"{row.id}: everything about this person was erased")
    return parts.people.open(row.id, row.sealed)
