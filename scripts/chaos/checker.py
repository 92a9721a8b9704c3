"""The judgment: provider, orders, outbox, chain and read model held against each other, none of them believed.

Every captured minor unit was used for a ticket on the chain or went back, exactly once; nothing waits for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scripts.chaos.evidence import DOUBLED, INDEX, LOST, RECONCILE, STUCK, Case, Evidence, paid_orders, reference
from scripts.chaos.rows import Row, Tables
from ticketchain.audit.facts import Kind

_WAITING: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("orders", "state", ("created", "awaiting_payment", "paid", "delivering")),
    ("refunds", "state", ("due", "failed")),
    ("outbox", "state", ("pending", "sent", "stuck")),
    ("moves", "state", ("sending",)),
    ("listings", "state", ("reserved", "selling", "withdrawing")),
    ("transactions", "block_number", (None,)),
    ("webhook_inbox", "applied", (0, False)),
    ("refunds", "recorded_by", (None,)),  # the ledger is not told of it yet
)
"""Table, column, and the values that say that something is still to come."""


def judge(evidence: Evidence) -> list[Case]:
    """All that is wrong."""
    return [case for rule in RULES for case in rule(evidence)]


def provider_and_books(e: Evidence) -> Iterator[Case]:
    """What the provider took and gave back is what our books say."""
    ours = {row["id"]: row for row in e.tables["captures"]}
    charges = {row["id"]: row for row in e.tables["sandbox_charges"]}
    noted: Counter[str] = Counter()
    for row in e.tables["refunds"]:
        if row["state"] == "done":
            noted[row["capture_id"]] += row["amount"]
    for taken in e.tables["sandbox_captures"]:
        charge, back = charges[taken["charge_id"]], e.provider_refunds.get(taken["id"], 0)
        if charge["key"] not in e.payments:
            yield Case(LOST, f"capture {taken['id']}: its charge {charge['id']} belongs to no payment")
        elif taken["id"] not in ours:
            yield Case(LOST, f"capture {taken['id']}: {taken['amount']} were taken and never noticed")
        elif noted[taken["id"]] != back:
            yield Case(STUCK, f"capture {taken['id']}: {back} went back, the books say {noted[taken['id']]}")


def money_of_orders(e: Evidence) -> Iterator[Case]:
    """What was kept of an order's money is the price of what the chain delivered for it, less what it took back."""
    for order, payment, lines in paid_orders(e):
        taken = e.provider_captures.get(payment["provider_ref"] or "", [])
        kept = sum(row["amount"] - e.provider_refunds.get(row["id"], 0) for row in taken)
        got = {step.ticket_id for step in e.sales.get(reference(payment), [])}
        owed = sum(line["price"] for line in lines if line["ticket"] in got)
        owed -= sum(step.amount for step in e.returns.get(reference(payment), []))
        if kept > owed:
            yield Case(LOST, f"order {order['id']} ({order['state']}): {kept} kept, {owed} delivered for")
        elif kept < owed:
            yield Case(DOUBLED, f"order {order['id']} ({order['state']}): {owed} delivered for, only {kept} kept")


def lines_of_orders(e: Evidence) -> Iterator[Case]:
    """Each ticket of a paid order was delivered once or refunded once, to the right person; of an unpaid one never."""
    refused = {(row["capture_id"], row["cause"]) for row in e.tables["refunds"]}
    accepted = {row["payment_id"]: row["id"] for row in e.tables["captures"] if row["accepted"]}
    for order, payment, lines in paid_orders(e):
        steps = e.sales.get(reference(payment), [])
        times = Counter(step.ticket_id for step in steps)
        for ticket in set(times) - {line["ticket"] for line in lines}:
            yield Case(DOUBLED, f"order {order['id']}: ticket {ticket} was delivered for it and is none of it")
        for step in steps:
            if step.taker != e.addresses[order["fan_id"]]:
                yield Case(LOST, f"order {order['id']}: ticket {step.ticket_id} went to {step.taker}")
        capture = accepted.get(payment["id"], "")
        for line in lines:
            back = (capture, f"refused:{line['ticket']}") in refused
            yield from _line(order, line, times[line["ticket"]], bool(capture), back)


def _line(order: Row, line: Row, delivered: int, paid: bool, back: bool) -> Iterator[Case]:
    where = f"order {order['id']}, ticket {line['ticket']} ({line['state']})"
    if delivered > 1:
        yield Case(DOUBLED, f"{where}: delivered {delivered} times")
    elif delivered and not paid:
        yield Case(DOUBLED, f"{where}: delivered without a payment")
    elif delivered and back:
        yield Case(DOUBLED, f"{where}: delivered and refunded")
    elif paid and not delivered and not back:
        yield Case(LOST, f"{where}: paid, neither delivered nor refunded")
    if paid and (line["state"] in ("delivered", "refunded")) != bool(delivered):
        yield Case(INDEX, f"{where}: the chain delivered it {delivered} times")


def seats(e: Evidence) -> Iterator[Case]:
    """No two orders got the same ticket at the same epoch."""
    got = Counter((line["ticket"], line["epoch"]) for line in e.tables["order_lines"] if line["epoch"] is not None)
    for (ticket, epoch), times in got.items():
        if times > 1:
            yield Case(DOUBLED, f"ticket {ticket}, epoch {epoch}: {times} orders say it is theirs")


def unfinished(e: Evidence) -> Iterator[Case]:
    """Nothing waits."""
    for what in waiting(e.tables):
        yield Case(STUCK, what)


def waiting(tables: Tables) -> Iterator[str]:
    """Rows that wait for something, in words."""
    for table, column, states in _WAITING:
        for row in tables[table]:
            if row[column] in states:
                name = row.get("key") or row.get("id") or row.get("event_id")
                yield f"{table} {name}: {column} is still {row[column]}"


def intents(e: Evidence) -> Iterator[Case]:
    """What the outbox calls done is on the chain, what it calls refused is not."""
    kinds = {"deliver": Kind.DELIVERED, "settle": Kind.SETTLED, "gift": Kind.GIVEN, "refund": Kind.REFUNDED}
    for row in e.tables["outbox"]:
        if row["kind"] not in kinds or row["state"] not in ("done", "refused"):
            continue
        said = row["payload"]
        step = e.moved.get((said["ticket"], said["epoch"] + 1))
        there = step is not None and step.kind == kinds[row["kind"]]
        if step is not None and "reference" in said:
            there = there and step.reference.hex() == said["reference"]
        if there != (row["state"] == "done"):
            kind = LOST if row["state"] == "done" else DOUBLED
            yield Case(kind, f"intent {row['key']} is {row['state']}, and {'is' if there else 'is not'} on the chain")


def moves(e: Evidence) -> Iterator[Case]:
    """Gifts and returns happened if they are called done, and only then."""
    kinds = {"gift": Kind.GIVEN, "return": Kind.REFUNDED}
    for row in e.tables["moves"]:
        step = e.moved.get((row["ticket"], row["epoch"] + 1))
        there = step is not None and step.kind == kinds[row["kind"]]
        if row["state"] == "done" and not there:
            yield Case(LOST, f"{row['kind']} {row['id']} of ticket {row['ticket']} is called done and is not")
        elif row["state"] == "refused" and there:
            yield Case(DOUBLED, f"{row['kind']} {row['id']} of ticket {row['ticket']} is called refused and happened")


def payouts(e: Evidence) -> Iterator[Case]:
    """Every resale owes its price, once, in two parts."""
    owed: Counter[tuple[str, int]] = Counter()
    for row in e.tables["payouts"]:
        owed[row["order_id"], row["ticket"]] += row["amount"]
    for order, payment, _ in paid_orders(e):
        for step in e.sales.get(reference(payment), []):
            found = owed.pop((order["id"], step.ticket_id), 0)
            if step.kind == Kind.SETTLED and found != step.amount:
                yield Case(LOST, f"resale {order['id']}: sold for {step.amount}, {found} are owed for it")
    for (order_id, ticket), amount in owed.items():
        yield Case(DOUBLED, f"resale {order_id}: {amount} are owed for ticket {ticket}, which was not sold")


def acknowledged(e: Evidence) -> Iterator[Case]:
    """What the service answered to people is still there, and no request was carried out twice."""
    charges = {row["id"]: row for row in e.tables["sandbox_charges"]}
    known = {row["id"] for row in e.tables["moves"]}
    for order in e.memory.orders.keys() - e.orders.keys():
        yield Case(LOST, f"order {order} was acknowledged and is gone")
    for order, charge in e.memory.paid.items():
        if charges.get(charge, {}).get("state") not in ("paid", "partial"):
            yield Case(LOST, f"order {order}: payment of charge {charge} was acknowledged and is gone")
    for move in e.memory.moves.keys() - known:
        yield Case(LOST, f"{e.memory.moves[move]} {move} was acknowledged and is gone")
    for fan, count in Counter(row["fan_id"] for row in e.orders.values()).items():
        if count > e.memory.asked_orders[fan]:
            yield Case(DOUBLED, f"fan {fan} asked for {e.memory.asked_orders[fan]} orders and has {count}")


def read_model(e: Evidence) -> Iterator[Case]:
    """Blocks, transactions and tickets in the database are those of the chain."""
    for row in e.tables["blocks"]:
        if e.told.hashes.get(row["number"]) != f"0x{row['hash'].hex()}":
            yield Case(INDEX, f"block {row['number']} is another one on the chain")
    for row in e.tables["transactions"]:
        if row["mined_hash"] and e.told.mined.get(f"0x{row['mined_hash'].hex()}") != row["block_number"]:
            yield Case(INDEX, f"transaction {row['id']} (nonce {row['nonce']}) is not in block {row['block_number']}")
    ours = {row["id"]: row for row in e.tables["tickets"]}
    for ticket in sorted(ours.keys() | e.told.tickets.keys()):
        here, there = _ours(ours.get(ticket)), _theirs(e, ticket)
        if here != there:
            yield Case(INDEX, f"ticket {ticket}: the database says {here}, the chain {there}")


def _ours(row: Row | None) -> tuple[object, ...]:
    if row is None:
        return ("never sold",)
    if row["state"] == "stock":
        return ("stock", row["epoch"])
    kept = (row["epoch"], row["holder"].lower(), bool(row["custodied"]), row["price"], row["gifts"], row["since"])
    return (row["state"], *kept)


def _theirs(e: Evidence, ticket: int) -> tuple[object, ...]:
    seen = e.told.tickets.get(ticket)
    if seen is None:
        return ("never sold",)
    if not seen.held:
        return ("void" if seen.voided else "stock", seen.epoch)
    kept = (seen.epoch, seen.holder, seen.custodied, seen.price, seen.gifts, seen.since)
    return ("redeemed" if seen.redeemed else "held", *kept)


def journal(e: Evidence) -> Iterator[Case]:
    """Every entry of the journal sums to 0, and the provider's account has what the provider says."""
    left: Counter[tuple[int, str]] = Counter()
    booked: Counter[str] = Counter()
    for row in e.tables["postings"]:
        left[row["entry_id"], row["currency"]] += row["amount"]
        if row["account"] == "provider:sandbox":
            booked[row["currency"]] += row["amount"]
    for (entry, currency), amount in left.items():
        if amount:
            yield Case(RECONCILE, f"journal entry {entry}: {amount} {currency} are on one side only")
    there: Counter[str] = Counter()
    for taken in e.tables["sandbox_captures"]:
        there[taken["currency"]] += taken["amount"] - e.provider_refunds.get(taken["id"], 0)
    for currency in booked.keys() | there.keys():
        if booked[currency] != there[currency]:
            text = f"the provider has {there[currency]} {currency}, the journal says {booked[currency]}"
            yield Case(RECONCILE, text)


def audited(e: Evidence) -> Iterator[Case]:
    """The auditor, who knows nothing of the service, finds nothing wrong with the ledger."""
    for finding in e.told.findings:
        yield Case(DOUBLED, f"the auditor: {finding}")


RULES = (
    provider_and_books,
    money_of_orders,
    lines_of_orders,
    seats,
    unfinished,
    intents,
    moves,
    payouts,
    acknowledged,
    read_model,
    journal,
    audited,
)
