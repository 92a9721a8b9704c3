"""The second wall between organizers: PostgreSQL's row-level security. The first one is every use case's own question
whose the thing is; behind this one a forgotten question finds nothing.

The role that organizers' transactions take on (`store.tenants`) sees and writes that organizer's rows only, and tables
that are not named here not at all. SQLite has no such thing. What is here is what stands in the database: `build`
compares them at each start.
"""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from ticketchain.domain.errors import Unavailable
from ticketchain.store.tenants import ROLE, SETTING

_ME = f"(SELECT current_setting('{SETTING}', true))"
_OWN = f"organizer_id = {_ME}"
_EVENT = "EXISTS (SELECT FROM events e WHERE e.id = {table}.event_id)"  # as far as the role sees events: its own
_NUMBER = "EXISTS (SELECT FROM events e WHERE e.number = {table}.event_number)"
_TICKET = "EXISTS (SELECT FROM events e WHERE e.number = {table}.ticket >> 24)"
_STOP = (
    f"organizer_id IS NULL AND (scope = 'all' OR subject = {_ME}"
    " OR scope IN ('event', 'venue') AND EXISTS (SELECT FROM events e WHERE subject IN (e.id, e.venue)))"
)
_INTENT = f"{_NUMBER} OR EXISTS (SELECT FROM events e WHERE e.id = split_part({{table}}.key, ':', 2))"


def _through(table: str, own: str, theirs: str = "id") -> str:
    return f"EXISTS (SELECT FROM {table} x WHERE x.{theirs} = {{table}}.{own})"


OWN: dict[str, str] = {
    "organizers": f"id = {_ME}",
    "api_keys": _OWN,
    "members": _OWN,
    "idempotency_keys": f"principal = {_ME} OR {_through('api_keys', 'principal')}",
    "events": _OWN,
    "seat_plans": _OWN,
    "stops": _OWN,
    **dict.fromkeys(
        ("payees", "price_classes", "batches", "seats", "holds", "orders", "listings", "entry_keys"), _EVENT
    ),
    **dict.fromkeys(("scans", "admissions", "promotions", "vouchers", "allotments", "cancellations"), _EVENT),
    "journal": _EVENT,
    "postings": _through("journal", "entry_id"),
    **dict.fromkeys(("order_lines", "moves", "exchanges", "payouts", "leases"), _TICKET),
    "payments": _through("orders", "order_id"),
    "captures": _through("payments", "payment_id"),
    "refunds": _through("captures", "capture_id"),
    "disputes": _through("captures", "capture_id"),
    "desk_receipts": _through("payments", "payment_id"),
    "desk_refunds": _through("desk_receipts", "receipt_id"),
    "tickets": _NUMBER,
    "outbox": _INTENT,
    **dict.fromkeys(("access_log", "access_scopes"), _OWN),
    "sandbox_charges": _through("payments", "key"),
    "sandbox_captures": _through("sandbox_charges", "charge_id"),
    "sandbox_refunds": _through("sandbox_captures", "capture_id"),
}
"""Which rows of a table are an organizer's: it reads and writes those."""

READ: dict[str, str] = {
    "changes": _NUMBER,
    "webhook_inbox": _through("payments", "charge", "provider_ref"),
    "people": "EXISTS (SELECT FROM fans f JOIN orders o ON o.fan_id = f.id WHERE f.person_id = people.id)"
    " OR EXISTS (SELECT FROM fans f JOIN tickets t ON t.holder = f.address WHERE f.person_id = people.id)"
    " OR EXISTS (SELECT FROM members m WHERE m.person_id = people.id)",
    "stops": _STOP,
    "outbox": "key LIKE 'anchor:%'",
    "own_wallets": "EXISTS (SELECT FROM tickets t WHERE t.holder = own_wallets.address)",
}
"""Which rows an organizer reads beside its own: the ledger's about its events, stops of the operator that hold for it,
persons that bought from it, hold its tickets or work for it, own wallets that hold its tickets, publications of the
logs.
"""

WRITTEN: dict[str, str] = {
    "api_keys": "organizer_id IS NULL AND fan_id IS NOT NULL AND role = 'fan'",
    "mails": "true",
}
"""Which rows it adds beside its own: keys of fans who buy at its desk, mails that are to go out."""

_ALL = "SELECT, INSERT, UPDATE, DELETE"
_LESS = dict.fromkeys(("access_log", "access_scopes"), "SELECT, INSERT")

SHARED: dict[str, str] = {
    **dict.fromkeys(("fans", "wallets", "access_head"), "SELECT, INSERT, UPDATE"),
    "access_chain": "SELECT, INSERT",
    **dict.fromkeys(("ledgers", "blocks", "anchors"), "SELECT"),
    "transactions": "SELECT (id, signer, block_number, mined_hash, succeeded)",
    "attempts": "SELECT (hash, filler)",
}
"""Tables that are nobody's, and what an organizer's work needs of them."""

# ------------------------------------------------------------------------------------------------ building it


def build(tx: Connection) -> None:
    """Makes the wall stand in a PostgreSQL database as it is written here, if it does not yet.

    Raises `Unavailable` when there is no role for it, and the database's user may not make one.
    """
    if tx.dialect.name != "postgresql":
        return
    _have_role(tx)
    if not _stands(tx):
        schema = tx.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
        for statement in (*_clearing(tx), *statements()):
            tx.execute(text(statement.replace("{schema}", schema)))


def statements() -> list[str]:
    """What makes the wall stand, on tables without one."""
    name = f"tenant_{fingerprint()}"
    rules = [
        f"GRANT USAGE ON SCHEMA {{schema}} TO {ROLE}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {{schema}} TO {ROLE}",
    ]
    for table, rows in OWN.items():
        whose = rows.format(table=table)
        rules.append(f"CREATE POLICY {name} ON {table} TO {ROLE} USING ({whose}) WITH CHECK ({whose})")
        rules.append(f"GRANT {_LESS.get(table, _ALL)} ON {table} TO {ROLE}")
    for table, rows in READ.items():
        rules.append(f"CREATE POLICY {name}_read ON {table} FOR SELECT TO {ROLE} USING ({rows.format(table=table)})")
        rules.append(f"GRANT SELECT ON {table} TO {ROLE}")
    for table, rows in WRITTEN.items():
        rules.append(f"CREATE POLICY {name}_add ON {table} FOR INSERT TO {ROLE} WITH CHECK ({rows})")
        rules.append(f"GRANT INSERT ON {table} TO {ROLE}")
    rules += [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY" for table in sorted({*OWN, *READ, *WRITTEN})]
    return rules + [f"GRANT {what} ON {table} TO {ROLE}" for table, what in SHARED.items()]


def fingerprint() -> str:
    """Eight letters that differ when the wall differs: part of the names of its policies."""
    plan = json.dumps([OWN, READ, WRITTEN, SHARED, _LESS], sort_keys=True)
    return hashlib.sha256(plan.encode()).hexdigest()[:8]


def _stands(tx: Connection) -> bool:
    """Whether exactly these policies are there and in force, and what they need is granted."""
    name = f"tenant_{fingerprint()}"
    wanted = {(table, name + kind) for rules, kind in _KINDS for table in rules}
    rows = tx.execute(_POLICIES, {"role": ROLE}).all()
    return {(row.tablename, row.policyname) for row in rows} == wanted and all(row.works for row in rows)


_KINDS = ((OWN, ""), (READ, "_read"), (WRITTEN, "_add"))
_POLICIES = text(
    "SELECT p.tablename, p.policyname, c.relrowsecurity"
    " AND has_table_privilege(:role, c.oid, CASE p.cmd WHEN 'INSERT' THEN 'INSERT' ELSE 'SELECT' END) AS works"
    " FROM pg_policies p JOIN pg_class c ON c.relname = p.tablename AND c.relnamespace = p.schemaname::regnamespace"
    " WHERE p.schemaname = current_schema() AND :role = ANY (p.roles)"
)


def _clearing(tx: Connection) -> list[str]:
    """What takes down a wall that stands otherwise."""
    rows = tx.execute(_POLICIES, {"role": ROLE}).all()
    dropped = [f"DROP POLICY {row.policyname} ON {row.tablename}" for row in rows]
    return [*dropped, f"REVOKE ALL ON ALL TABLES IN SCHEMA {{schema}} FROM {ROLE}"]


def _have_role(tx: Connection) -> None:
    """Makes the role, and the database's user a member of it, as far as that is missing."""
    try:
        with tx.begin_nested():
            if tx.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE}).first() is None:
                tx.execute(text(f"CREATE ROLE {ROLE} NOLOGIN"))
            if not _may_enter(tx):
                tx.execute(text(f"GRANT {ROLE} TO CURRENT_USER"))
    except ProgrammingError as error:
        user = tx.execute(text("SELECT quote_ident(current_user)")).scalar_one()
        raise Unavailable(
            "the database's user may make no roles, and organizers need one to be kept apart; let an administrator "
            f"run: CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO {user};"
        ) from error


def _may_enter(tx: Connection) -> bool:
    """Whether the database's user can take the role on (a member of it need not, since PostgreSQL 16)."""
    try:
        with tx.begin_nested() as trial:
            tx.execute(text(f"SET LOCAL ROLE {ROLE}"))
            trial.rollback()
    except ProgrammingError:
        return False
    return True
