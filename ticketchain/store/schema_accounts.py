"""Tables of accounts: how a person logs in, from which devices, what waits for a code, which mails are to go out.

A mail address stands nowhere here in plain: people are found by its index (HMAC), and whatever is about a person is
sealed under that person's key, so that erasing the key erases it here too.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from ticketchain.store.types import Hash, Id, Moment, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("person_id", Id, primary_key=True),
    Column("fan_id", Id, ForeignKey("fans.id"), nullable=False, unique=True),
    Column("password", Text),  # argon2id in its own text form; null: passkeys only
    Column("totp", LargeBinary),  # the secret, sealed for the person; null: no second factor
    Column("totp_wanted", LargeBinary),  # one that was shown and not confirmed yet
    Column("totp_step", BigInteger, nullable=False),  # last 30 s step of which a code was taken: no code works twice
    Column("language", Text, nullable=False),  # of mails: en, zh
    Column("created_at", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", Id, ForeignKey("accounts.person_id"), nullable=False, index=True),
    Column("bound", Hash, nullable=False),  # SHA-256 of the kind of device it is bound to
    Column("device", LargeBinary, nullable=False),  # what the owner sees of it, sealed: device text, shortened address
    Column("method", Text, nullable=False),  # how it was begun: password, totp, passkey, mail
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),  # written at most every 5 minutes
    Column("proved_at", Moment, nullable=False),  # when its owner last proved who it is: for the dangerous changes
    Column("expires_at", Moment, nullable=False, index=True),
    Column("ended_at", Moment),
    Column("end_cause", Text),  # signed_out, ended, password, recovery, stolen
)

session_tokens = Table(
    "session_tokens",
    metadata,
    Column("hash", Hash, primary_key=True),
    Column("session_id", Id, ForeignKey("sessions.id"), nullable=False, index=True),
    Column("made_at", Moment, nullable=False),
    Column("used_at", Moment),  # when it was first sent: then its owner has it, and the one before is over
    Column("next_hash", Hash),  # the token that replaced it
)

login_tokens = Table(
    "login_tokens",
    metadata,
    Column("hash", Hash, primary_key=True),  # SHA-256 of what its holder has
    Column("kind", Text, nullable=False),  # sign_up, recovery, mail, undo_mail, passkey
    Column("person_id", Id, index=True),  # for a sign-up the id that the person will have
    Column("code", Hash),  # SHA-256 of token and code, where a code from a mail is asked for too
    Column("sealed", LargeBinary),
    Column("tries", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("subject", Hash, primary_key=True),  # SHA-256 of what is counted: an action, and an account or an address
    Column("tries", Integer, nullable=False),
    Column("blocked_until", Moment, nullable=False),
    Column("last_at", Moment, nullable=False, index=True),
)

mails = Table(
    "mails",
    metadata,
    Column("id", Id, primary_key=True),
    Column("template", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("person_id", Id, index=True),  # whose key seals it
    Column("mail_index", Hash),  # of the address, where its person is only looked for when it goes out
    Column("sealed", LargeBinary),  # address and words; emptied when it was sent or given up
    Column("state", Text, nullable=False),  # waiting, sent, refused, dropped
    Column("tries", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Index(
        "ix_mails_waiting", "due_at", sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")
    ),
)
