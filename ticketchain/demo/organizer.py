"""The organizer: an event, its tickets from a manifest, keys for staff; later the closing and the royalties."""

from __future__ import annotations

from typing import Any

from ticketchain.demo.hall import euros, evening
from ticketchain.demo.stage import Stage
from ticketchain.demo.web import Refusal, until

GATES = ("North", "South")
BAD_ROWS = 3


def prepare(stage: Stage) -> None:
    """Registers the organizer, creates the event, hands out keys to gates and auditor."""
    web = stage.web
    made = web.post("/v1/organizers", stage.place.operator_key, {"name": "Harrow Quay Concerts"})
    stage.organizer_key = made["api_key"]
    stage.event = web.post("/v1/events", stage.organizer_key, evening(stage.hall))
    stage.gate_keys = tuple(_key(stage, "gate-steward", f"gate {name}") for name in GATES)
    stage.auditor_key = _key(stage, "auditor", "auditor")
    stage.event = until("the event's arrival on the ledger", lambda: _open_event(stage))
    stage.tell(
        "Organizer", f"creates the event: resale up to 110 %, 5 % royalty for {len(stage.event['payees'])} payees"
    )


def issue(stage: Stage) -> None:
    """Issues all seats of the hall from its manifest; a manifest with bad rows issues nothing."""
    first_lines = stage.hall.data.decode("utf-8-sig").splitlines()[:3]
    row = first_lines[1].split(",")
    bad = [first_lines[1], first_lines[1], _with(row, 3, "NO SUCH CLASS", seat="901"), _with(row, 2, "")]
    try:
        _send(stage, "\n".join([first_lines[0], *bad]).encode())
        stage.check("a manifest with bad rows", f"{BAD_ROWS} rows named", "accepted")
    except Refusal as refused:
        rows = {problem["row"] for problem in refused.problem.get("problems", [])}
        stage.check("a manifest with bad rows", f"{BAD_ROWS} rows named", f"{len(rows)} rows named")
    issued = _send(stage, stage.hall.data)
    batches = until("the arrival of all batches on the ledger", lambda: _all_issued(stage, issued["id"]))
    stage.check("tickets on the ledger", stage.hall.seats, sum(batch["supply"] for batch in batches))
    stage.tell("Organizer", f"issues {stage.hall.seats:,} numbered seats in {len(batches)} batches")


def close_moves(stage: Stage) -> None:
    """Ends gifts, resales and returns for good, so that entry codes can be issued."""
    reason = {"reason": "The house opens; tickets stay with who has them."}
    stage.web.post(f"{stage.event_path}/close-moves", stage.organizer_key, reason)
    until("the closing of moves", lambda: stage.web.get(stage.event_path)["moves_closed"] or None)
    stage.tell("Organizer", "closes all moves for good; entry codes appear on phones")


def release(stage: Stage) -> None:
    """Splits the royalties among the payees, on the ledger."""
    stage.web.post(f"{stage.event_path}/release-royalties", stage.organizer_key)
    until("the release of royalties on the ledger", lambda: _released(stage) or None)
    stage.tell("Organizer", f"releases {euros(stage.tally.royalties)} of royalties to the payees")


def _key(stage: Stage, role: str, label: str) -> str:
    made = stage.web.post("/v1/api-keys", stage.organizer_key, {"role": role, "label": label})
    return str(made["api_key"])


def _open_event(stage: Stage) -> Any:
    found = stage.web.get(stage.event_path)
    return found if found["state"] == "open" else None


def _send(stage: Stage, manifest: bytes) -> Any:
    path, media = f"{stage.event_path}/batches", {"Content-Type": "text/csv"}
    return stage.web.post(path, stage.organizer_key, content=manifest, headers=media)


def _all_issued(stage: Stage, issue_id: str) -> Any:
    items = stage.web.get(f"{stage.event_path}/batches")["items"]
    ours = [batch for batch in items if batch["issue_id"] == issue_id]
    return ours if ours and all(batch["issued"] for batch in ours) else None


def _released(stage: Stage) -> bool:
    royalties = stage.books()["royalties"]
    return bool(sum(payee["released"] for payee in royalties["payees"]) == stage.tally.royalties)


def _with(row: list[str], column: int, value: str, seat: str = "900") -> str:
    changed = [*row[:2], seat, *row[3:]]
    changed[column] = value
    return ",".join(changed)
