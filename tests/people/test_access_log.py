"""The access log: whatever is done to an export of it is found by an auditor that shares no code with the service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest

from tests.api.people import Person, Shop, done
from ticketchain.audit import CouldNotRead, LogReport, check_log
from ticketchain.domain.access import chained
from ticketchain.usecases import access
from ticketchain.usecases.common import Principal

A, B = "org_a", "org_b"
Lines = list[dict[str, Any]]


def note(shop: Shop, organizer: str | None, whom: str) -> None:
    with shop.parts.store.begin() as tx:
        access.record(shop.parts, tx, Principal("key_1", "owner", organizer), "person.read", whom, "door")


def exported(shop: Shop, organizer: str | None) -> Lines:
    """As `organizer` gets it; None: the operator."""
    role = "operator" if organizer is None else "owner"
    return [json.loads(line) for line in access.export(shop.parts, Principal("key_2", role, organizer), 0, 10_000)]


def checked(lines: Lines) -> LogReport:
    return check_log(json.dumps(line) for line in lines)


@pytest.fixture
def shop_with_rows(shop: Shop) -> Shop:
    """Rows 1 to 8: of one organizer, of another one, and of none."""
    for number, organizer in enumerate((A, B, A, None, B, A, A, B), 1):
        note(shop, organizer, f"per_{number}")
    return shop


def test_an_honest_export_is_whole_for_organizer_and_operator(shop_with_rows: Shop) -> None:
    for organizer, shown in ((A, 5), (B, 4), (None, 11)):
        report = checked(exported(shop_with_rows, organizer))
        assert (report.findings, report.shown) == ([], shown)


def test_an_organizer_learns_nothing_of_the_others(shop_with_rows: Shop) -> None:
    lines = exported(shop_with_rows, A)
    text = json.dumps([line for line in lines[1:] if line.get("organizer") != A])
    assert "per_" not in text and B not in text and "person.read" not in text
    assert set(lines[0]["keys"]) == {A}


def edit(lines: Lines) -> None:
    lines[3]["whom"] = "per_9"


def edit_with_its_digest(lines: Lines) -> None:
    lines[3]["whom"] = "per_9"
    lines[3] = rehashed(lines, 3)


def rehashed(lines: Lines, at: int) -> dict[str, Any]:
    """The row as if its writer had made all of its own hashes anew."""
    told = {name: value for name, value in lines[at].items() if name not in ("tag", "digest", "hash")}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).digest()
    before, tag = bytes.fromhex(lines[at - 1]["hash"]), bytes.fromhex(lines[at]["tag"])
    return lines[at] | {"digest": digest.hex(), "hash": chained(before, lines[at]["seq"], tag, digest).hex()}


def take_out(lines: Lines) -> None:
    del lines[3]


def take_out_several(lines: Lines) -> None:
    del lines[3:6]


def swap(lines: Lines) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def cut_off(lines: Lines) -> None:
    del lines[-2:]


def double(lines: Lines) -> None:
    lines.insert(4, lines[3])


def put_in(lines: Lines) -> None:
    lines.insert(4, lines[3] | {"whom": "per_9", "hash": "00" * 32})


def withhold(lines: Lines) -> None:
    lines[3] = {name: lines[3][name] for name in ("seq", "tag", "digest", "hash")}


def garble(lines: Lines) -> None:
    lines[3]["hash"] = "so"


TRICKS: dict[Callable[[Lines], None], str] = {
    edit: "row 3: was edited",
    edit_with_its_digest: "row 4: does not follow row 3",
    take_out: "row 3: missing",
    take_out_several: "rows 3 to 5: missing",
    swap: "row 3: stands after row 4",
    cut_off: "missing at the end",
    double: "row 3: stands twice (lines 4 and 5)",
    put_in: "row 3: stands twice, with different hashes",
    withhold: "row 3: is the organizer's own and was withheld",
    garble: "line 4: is no row of the log",
}


def test_each_trick_is_found_and_its_row_named(shop_with_rows: Shop) -> None:
    honest = exported(shop_with_rows, A)
    for trick, told in TRICKS.items():
        lines = [dict(line) for line in honest]
        trick(lines)
        findings = checked(lines).findings
        assert any(told in finding for finding in findings), (trick.__name__, findings)


def test_a_row_of_another_organizer_in_an_export_is_foreign(shop_with_rows: Shop) -> None:
    lines, all_ = exported(shop_with_rows, A), exported(shop_with_rows, None)
    lines[2] = next(line for line in all_[1:] if line["seq"] == 2)
    assert any(f"row 2: is foreign; it belongs to {B}" in finding for finding in checked(lines).findings)


def test_a_row_edited_in_the_database_is_found_in_the_next_export(shop_with_rows: Shop) -> None:
    with shop_with_rows.parts.store.begin() as tx:
        tx.exec_driver_sql("UPDATE access_log SET whom = 'per_9' WHERE seq = 3")
    for organizer in (A, None):
        assert checked(exported(shop_with_rows, organizer)).findings == [
            "row 3: was edited; its digest is another row's"
        ]


def test_a_log_written_anew_from_a_row_on_is_whole_in_itself(shop_with_rows: Shop) -> None:
    """What only the chain can tell: see test_anchors."""
    lines = exported(shop_with_rows, None)
    lines[3]["whom"] = "per_9"
    for at in range(3, len(lines)):
        lines[at] = rehashed(lines, at)
    lines[0]["head"]["hash"] = lines[-1]["hash"]
    assert checked(lines).findings == []


def test_only_ids_and_fixed_words_come_into_the_log(shop: Shop) -> None:
    for words in ("ann@example.com", "Ann Example", "Anna\n"):
        with pytest.raises(ValueError), shop.parts.store.begin() as tx:
            access.record(shop.parts, tx, Principal("key_1", "owner"), "person.read", words)


def test_the_log_is_one_chain_when_many_write_at_once(shop: Shop) -> None:
    threads, gate = [], Barrier(6)

    def write(name: int) -> None:
        gate.wait()
        for number in range(5):
            note(shop, A, f"per_{name}_{number}")

    for name in range(6):
        threads.append(Thread(target=write, args=(name,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    report = checked(exported(shop, A))
    assert (report.findings, report.last) == ([], 31)


def test_a_row_is_gone_with_the_work_that_it_told_of(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError), shop.parts.store.begin() as tx:
        access.record(shop.parts, tx, Principal("key_1", "owner", A), "key.end", "key_9")
        _ = 1 // 0
    assert [line["what"] for line in exported(shop, A)[1:]] == ["log.export"]


def test_the_export_over_http_comes_in_pages_that_fit_together(shop: Shop) -> None:
    organizer = shop.organizer()
    for number in range(7):
        note(shop, organizer.id, f"per_{number}")
    pages, after = "", 0
    while text := organizer.get(f"/v1/access-log?after={after}&limit=3").text:
        pages += text
        after = json.loads(text.splitlines()[-1])["seq"]
    report = check_log(pages.splitlines())
    assert (report.findings, report.last > 8) == ([], True)
    with pytest.raises(CouldNotRead):
        check_log(pages.splitlines()[1:])


@pytest.mark.parametrize("role", ["box-office", "partner", "gate-steward", "manager"])
def test_who_does_not_check_does_not_read_the_log(shop: Shop, role: str) -> None:
    staff: Person = shop.staff(shop.organizer(), role)
    assert done(staff.get("/v1/access-log"), 403)["code"] == "forbidden"
