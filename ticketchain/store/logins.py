"""Statements on accounts of persons, what waits for a code or link, and counted attempts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, delete, insert, literal, select, update

from ticketchain.store import schema as s
from ticketchain.store import schema_accounts as t
from ticketchain.store.engine import Tx, insert_new
from ticketchain.store.schema_people import people


def add_account(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores an account."""
    tx.execute(insert(t.accounts).values(dict(values)))


def account(tx: Tx, person_id: str) -> Row[Any] | None:
    """One account."""
    return tx.execute(select(t.accounts).where(t.accounts.c.person_id == person_id)).one_or_none()


def account_by_mail(tx: Tx, mail_index: bytes) -> Row[Any] | None:
    """The account of the person with this mail address."""
    query = select(t.accounts).join(people, people.c.id == t.accounts.c.person_id)
    return tx.execute(query.where(people.c.mail_index == mail_index)).one_or_none()


def account_of_fan(tx: Tx, fan_id: str) -> Row[Any] | None:
    """The account that a fan belongs to; fans made by API key have none."""
    return tx.execute(select(t.accounts).where(t.accounts.c.fan_id == fan_id)).one_or_none()


def change_account(tx: Tx, person_id: str, **values: Any) -> None:
    """Changes columns of an account."""
    tx.execute(update(t.accounts).where(t.accounts.c.person_id == person_id).values(values))


def take_step(tx: Tx, person_id: str, step: int) -> bool:
    """Notes that a code of this step of time was used; False when it, or a later one, was used before."""
    query = update(t.accounts).where(t.accounts.c.person_id == person_id, t.accounts.c.totp_step < step)
    return tx.execute(query.values(totp_step=step)).rowcount == 1


def remove_account(tx: Tx, person_id: str) -> None:
    """Removes an account, what waits for its codes, and its fan's link to the person."""
    tx.execute(update(s.fans).where(s.fans.c.person_id == person_id).values(person_id=None))
    tx.execute(delete(t.login_tokens).where(t.login_tokens.c.person_id == person_id))
    tx.execute(delete(t.accounts).where(t.accounts.c.person_id == person_id))


def add_fan(tx: Tx, fan_id: str, person_id: str, now: datetime) -> None:
    """Stores a fan that is a person's; its wallet comes when it is needed."""
    tx.execute(insert(s.fans).values(id=fan_id, person_id=person_id, created_at=now))


def give_wallet(tx: Tx, fan_id: str, address: str, now: datetime) -> None:
    """Notes the address of a fan that had none."""
    insert_new(tx, s.wallets, {"address": address, "purpose": "fan", "created_at": now})
    tx.execute(update(s.fans).where(s.fans.c.id == fan_id, s.fans.c.address.is_(None)).values(address=address))


# ------------------------------------------------------------------------------------------------ codes and links


def add_token(tx: Tx, values: Mapping[str, Any]) -> None:
    """Stores what waits for a code or a link."""
    tx.execute(insert(t.login_tokens).values(dict(values)))


def token(tx: Tx, token_hash: bytes, kind: str, now: datetime) -> Row[Any] | None:
    """What waits under this hash, if its time is not over."""
    query = select(t.login_tokens).where(t.login_tokens.c.hash == token_hash, t.login_tokens.c.kind == kind)
    return tx.execute(query.where(t.login_tokens.c.expires_at > now)).one_or_none()


def use_token(tx: Tx, token_hash: bytes) -> bool:
    """Takes it away; False when somebody else was first: a token is good once."""
    return tx.execute(delete(t.login_tokens).where(t.login_tokens.c.hash == token_hash)).rowcount == 1


def count_try(tx: Tx, token_hash: bytes, most: int) -> bool:
    """Counts a code that was tried; False when so many were."""
    query = update(t.login_tokens).where(t.login_tokens.c.hash == token_hash, t.login_tokens.c.tries < most)
    return tx.execute(query.values(tries=t.login_tokens.c.tries + 1)).rowcount == 1


def drop_tokens(tx: Tx, person_id: str, *kinds: str) -> None:
    """Takes away what waits for a person, of these kinds."""
    tx.execute(delete(t.login_tokens).where(t.login_tokens.c.person_id == person_id, t.login_tokens.c.kind.in_(kinds)))


def drop_later_tokens(tx: Tx, row: Any) -> None:
    """Takes away what waits for the same person, of the same kind, and was made later (it ends later)."""
    c = t.login_tokens.c
    same = (c.person_id == row.person_id) & (c.kind == row.kind)
    tx.execute(delete(t.login_tokens).where(same, c.expires_at >= row.expires_at))


def lapsed_tokens(tx: Tx, now: datetime, limit: int) -> list[Row[Any]]:
    """Tokens whose time is over."""
    query = select(t.login_tokens).where(t.login_tokens.c.expires_at <= now).order_by(t.login_tokens.c.expires_at)
    return list(tx.execute(query.limit(limit)))


# ------------------------------------------------------------------------------------------------ attempts


def lock_attempts(tx: Tx, subject: bytes, now: datetime) -> Row[Any]:
    """What was counted of a subject; whoever else asks waits until the transaction ends."""
    empty = {"subject": subject, "tries": 0, "blocked_until": now, "last_at": now}
    query = select(t.login_attempts).where(t.login_attempts.c.subject == subject).with_for_update()
    while True:
        insert_new(tx, t.login_attempts, empty)
        if (row := tx.execute(query).one_or_none()) is not None:  # else an old one was tidied away in between
            return row


def set_attempts(tx: Tx, subject: bytes, tries: int, blocked_until: datetime, now: datetime) -> None:
    """Notes an attempt."""
    query = update(t.login_attempts).where(t.login_attempts.c.subject == subject)
    tx.execute(query.values(tries=tries, blocked_until=blocked_until, last_at=now))


def forgive_attempts(tx: Tx, subject: bytes, now: datetime) -> None:
    """Begins to count anew."""
    query = update(t.login_attempts).where(t.login_attempts.c.subject == subject)
    tx.execute(query.values(tries=0, blocked_until=now))


def take_back_attempt(tx: Tx, subject: bytes, free: int, now: datetime) -> None:
    """Uncounts one attempt; a pause stays where more than the free ones are left."""
    c = t.login_attempts.c
    open_again = case((c.tries <= free, literal(now, c.blocked_until.type)), else_=c.blocked_until)
    query = update(t.login_attempts).where(c.subject == subject, c.tries > 0)
    tx.execute(query.values(tries=c.tries - 1, blocked_until=open_again))


def forget_old_attempts(tx: Tx, before: datetime) -> int:
    """Drops what nobody tried since; how many rows."""
    return tx.execute(delete(t.login_attempts).where(t.login_attempts.c.last_at < before)).rowcount
