"""Checks an export of the access log by itself: rows edited, missing, moved, doubled, foreign or withheld.

Written from docs/access-log.md alone; what it cannot see is a tail cut off together with the export's first line, or a
log written anew from some row on. Those are found with what was published on chain (`audit.anchors`).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ticketchain.audit.rpc import CouldNotRead

FORMAT = "ticketchain-access-log-1"
START = bytes(32)
TOLD = ("at", "by", "organizer", "place", "role", "salt", "seq", "what", "whom", "why")
"""Members of a row that its digest covers."""

LINKS = ("tag", "digest", "hash")


@dataclass(frozen=True)
class Row:
    """A row as it stands in a file; `told` is None when only its link is shown."""

    seq: int
    line: int
    tag: bytes
    digest: bytes
    hash: bytes
    told: Mapping[str, Any] | None


@dataclass
class LogReport:
    """What an export holds, and what is wrong with it: sentences, each with the row."""

    organizer: str | None
    rows: dict[int, Row] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    named: list[dict[str, Any]] = field(default_factory=list)
    """Publications that the export itself names."""

    @property
    def last(self) -> int:
        """Number of the newest row."""
        return max(self.rows, default=0)

    @property
    def shown(self) -> int:
        """How many rows are shown whole."""
        return sum(row.told is not None for row in self.rows.values())


def check_log(lines: Iterable[str]) -> LogReport:
    """Checks the lines of an export. Raises CouldNotRead when they are none."""
    numbered = iter(enumerate(lines, 1))
    about = _about(next(numbered, (0, ""))[1])
    report = LogReport(about["of"], named=list(about["anchors"]))
    _read(report, numbered)
    report.findings += _gaps(report)
    keys = {name: bytes.fromhex(key) for name, key in about["keys"].items()}
    for seq in sorted(report.rows):
        report.findings += _problems(report, report.rows[seq], keys)
    report.findings += _end(report, about["head"])
    return report


def _about(line: str) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(line)
        if about["log"] != FORMAT:
            raise CouldNotRead(f"The file says that it is {about['log']!r}; only {FORMAT} is read here.")
        _ = about["of"], about["keys"].items(), about["head"]["seq"], about["head"]["hash"], about["anchors"]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise CouldNotRead("The file's first line does not tell about a log; export it from its first row.") from None
    return about


def _read(report: LogReport, numbered: Iterator[tuple[int, str]]) -> None:
    """Takes the rows in, and notes those that are none, stand twice, or stand in another's place."""
    newest = 0
    for number, line in numbered:
        row = _row(number, line)
        if row is None:
            report.findings.append(f"line {number}: is no row of the log")
        elif (before := report.rows.get(row.seq)) is not None:
            same = "stands twice" if before.hash == row.hash else "stands twice, with different hashes"
            report.findings.append(f"row {row.seq}: {same} (lines {before.line} and {number})")
        else:
            if row.seq < newest:
                report.findings.append(f"row {row.seq}: stands after row {newest} (line {number})")
            newest = max(newest, row.seq)
            report.rows[row.seq] = row


def _row(number: int, line: str) -> Row | None:
    try:
        members = json.loads(line)
        tag, digest, link = (bytes.fromhex(members.pop(name)) for name in LINKS)
        seq = members["seq"]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if type(seq) is not int or seq < 1 or {len(tag), len(digest), len(link)} != {32}:
        return None
    if sorted(members) not in (["seq"], sorted(TOLD)):
        return None
    return Row(seq, number, tag, digest, link, members if len(members) > 1 else None)


def _gaps(report: LogReport) -> Iterator[str]:
    """Rows that are missing, from the first on."""
    expected = 1
    for seq in sorted(report.rows):
        if seq > expected:
            yield f"{_rows(expected, seq - 1)}: missing"
        expected = seq + 1


def _problems(report: LogReport, row: Row, keys: Mapping[str, bytes]) -> Iterator[str]:
    before = START if row.seq == 1 else getattr(report.rows.get(row.seq - 1), "hash", None)
    if row.told is not None and hashlib.sha256(_canonical(row.told)).digest() != row.digest:
        yield f"row {row.seq}: was edited; its digest is another row's"
    if before is not None and _chained(before, row) != row.hash:
        yield f"row {row.seq}: does not follow row {row.seq - 1}; one of the two was changed or put there"
    yield from _whose(report, row, keys)


def _whose(report: LogReport, row: Row, keys: Mapping[str, bytes]) -> Iterator[str]:
    """Rows of others that are shown, and own ones that are not."""
    seq = row.seq.to_bytes(8, "big")
    owners = [name for name, key in keys.items() if hmac.digest(key, seq, "sha256") == row.tag]
    if row.told is None:
        if report.organizer is None:
            yield f"row {row.seq}: is withheld, though this export is for who sees all"
        elif owners:
            yield f"row {row.seq}: is the organizer's own and was withheld"
        return
    said = row.told["organizer"]
    if report.organizer is not None and said != report.organizer:
        yield f"row {row.seq}: is foreign; it belongs to {said or 'the operator'}"
    elif (said or "") in keys and (said or "") not in owners:
        yield f"row {row.seq}: says that it belongs to {said or 'the operator'}, its tag says otherwise"


def _end(report: LogReport, head: Mapping[str, Any]) -> Iterator[str]:
    """Rows that the first line promises."""
    if head["seq"] > report.last:
        yield f"{_rows(report.last + 1, head['seq'])}: missing at the end; the log had them when it was exported"
    elif head["seq"] and (row := report.rows.get(head["seq"])) is not None and row.hash.hex() != head["hash"]:
        yield f"row {head['seq']}: is not the one that the file's first line names"


def _canonical(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _chained(before: bytes, row: Row) -> bytes:
    return hashlib.sha256(b"TCACCESS1" + before + row.seq.to_bytes(8, "big") + row.tag + row.digest).digest()


def _rows(first: int, last: int) -> str:
    return f"row {first}" if first == last else f"rows {first} to {last}"
