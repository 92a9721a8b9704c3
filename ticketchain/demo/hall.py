"""What the organizer has on the desk: the hall's seats as a manifest, and the plan of the evening."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ticketchain.demo.web import DidNotHappen

MANIFEST = Path(__file__).resolve().parents[2] / "examples" / "hall.csv"
FACES = {"PREMIUM": 14_500, "A": 11_000, "B": 8_400, "C": 5_950, "D": 3_199}
OTHER_FACES = (9_999, 7_777, 4_321, 2_345)
"""Face prices in cents: of the example hall's classes, and for classes that it does not have."""

PAYEES = (("Harrow Quay Quartet", 6_000), ("Harrow Quay Concert Hall", 3_000), ("Friends of the Hall", 1_000))
CAP_BPS, ROYALTY_BPS, KEEP_BPS = 11_000, 500, 1_000
DAYS_AHEAD = 12


@dataclass(frozen=True)
class Hall:
    """The manifest as a file, its number of seats, the face price of each class in minor units, and how many seats
    there are of each supply class.
    """

    data: bytes
    seats: int
    faces: Mapping[str, int]
    supplies: Mapping[str, int]


def read_hall(file: Path | None) -> Hall:
    """The manifest with a price for each of its classes. Raises `DidNotHappen` when there is none."""
    file = file or MANIFEST
    try:
        data = file.read_bytes()
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
        classes = dict.fromkeys(row["price_class"] for row in rows)
    except (OSError, KeyError, ValueError) as error:
        raise DidNotHappen(f"{file} is no manifest in CSV ({error!r}); name one with --manifest") from error
    others = iter(OTHER_FACES)
    faces = {name: FACES.get(name) or next(others, 1_000) for name in classes}
    return Hall(data, len(rows), faces, Counter((row.get("supply_class") or "public").strip().lower() for row in rows))


def evening(hall: Hall) -> dict[str, Any]:
    """The event as POST /v1/events takes it: cap 110 %, royalty 5 %, one gift, returns until a day before."""
    doors = datetime.now(UTC).replace(microsecond=0) + timedelta(days=DAYS_AHEAD)
    return {
        "title": "Evening of Strings",
        "venue": "Harrow Quay Concert Hall",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "doors_at": doors.isoformat(),
        "price_classes": [{"code": c, "name": f"Class {c}", "face": face} for c, face in hall.faces.items()],
        "resale": {
            "cap_bps": CAP_BPS,
            "royalty_bps": ROYALTY_BPS,
            "payees": [{"name": name, "bps": bps} for name, bps in PAYEES],
        },
        "supplies": dict(hall.supplies),
        "gifts": {"limit": 1, "cooldown_s": 0},
        "refunds": {"steps": [{"until_s_before_doors": 86_400, "keep_bps": KEEP_BPS}]},
    }


def euros(minor: int) -> str:
    """An amount in cents for people."""
    return f"{minor // 100:,}.{minor % 100:02d} EUR"
