"""Tables of persons and of the access log. The keys that open what is sealed here are in another database
(`store.person_keys`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from ticketchain.store.types import Hash, Id, Moment, metadata

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("mail_index", Hash, unique=True),  # keyed hash of the mail address; null once erased
    Column("sealed", LargeBinary),  # all fields under the person's key; null once erased
    Column("created_at", Moment, nullable=False),
    Column("erased_at", Moment),
    Column("key_erased_at", Moment),  # when the key was gone, too: a step after the commit that erased the row
    Index("ix_people_erased", "key_erased_at", "erased_at"),
)

access_log = Table(
    "access_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("organizer_id", Id),  # whose row it is, beside the operator's; null: the operator's alone
    Column("by", Id, nullable=False),  # the API key, session or process
    Column("role", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("whom", Id, nullable=False),
    Column("why", Text, nullable=False),
    Column("place", Text, nullable=False),  # network of the caller
    Column("salt", LargeBinary(16), nullable=False),
    Index("ix_access_log_organizer", "organizer_id", "seq"),
    Index("ix_access_log_whom", "whom", "seq"),
)

access_chain = Table(
    "access_chain",
    metadata,
    Column("seq", BigInteger, ForeignKey("access_log.seq"), primary_key=True, autoincrement=False),
    Column("tag", Hash, nullable=False),  # whose row it is, for those who have the scope's key
    Column("digest", Hash, nullable=False),  # of the row
    Column("hash", Hash, nullable=False),  # of the one before, seq, tag and digest
)
"""What the rows' hashes are made of: all that others than a row's owner see of it."""

access_head = Table(
    "access_head",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 0: there is one
    Column("seq", BigInteger, nullable=False),
    Column("hash", Hash, nullable=False),
)

access_scopes = Table(
    "access_scopes",
    metadata,
    Column("organizer_id", Id, primary_key=True),  # empty: rows of no organizer
    Column("key", Hash, nullable=False),
)

anchors = Table(
    "anchors",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # 0: none yet, but they are counted from here
    Column("signer_seq", BigInteger, nullable=False),
    Column("signer_hash", Hash, nullable=False),
    Column("access_seq", BigInteger, nullable=False),
    Column("access_hash", Hash, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("checked_at", Moment, nullable=False),  # when the logs had nothing newer, at last
)
"""Heads of the logs that the outbox has, or had, under the key `anchor:NUMBER`."""
