"""The table of members: persons who work for an organization, and those who are invited to."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text, text

from ticketchain.store.types import Hash, Id, Moment, metadata

_LIVE = text("ended_at IS NULL")

members = Table(
    "members",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organizer_id", Id, ForeignKey("organizers.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("mail_index", Hash, index=True),  # of the address that was invited; null once that is over
    Column("sealed", LargeBinary),  # the address, under a key named as this row; null once that is over
    Column("person_id", Id, index=True),  # who accepted
    Column("key_id", Id, ForeignKey("api_keys.id"), unique=True),  # by which it acts; nobody has its secret
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # until then the invitation can be accepted
    Column("accepted_at", Moment),
    Column("ended_at", Moment),
    Column("key_erased_at", Moment),  # when the key of the address was gone, too
    Index("uq_members_mail", "organizer_id", "mail_index", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("uq_members_person", "organizer_id", "person_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
)
