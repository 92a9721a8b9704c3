"""Seat plans: what is written is read back, others' forms are read as they are meant, and all problems are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pretix_plans import SEATS, theatre
from ticketchain.domain.errors import Invalid
from ticketchain.domain.manifest import SeatKind, SeatRow, SupplyClass
from ticketchain.domain.manifest_batches import places_in_rows
from ticketchain.domain.seat_plans import Area, PlanError, PlanRow, PlanSeat, SeatPlan, Section, categories, manifest_of
from ticketchain.domain.seat_plans_files import read_plan
from ticketchain.domain.seat_plans_layout import MOST_IN_LINE, PITCH
from ticketchain.domain.seat_plans_own import areas_in, to_document

NAMES = ["format", "version", "name", "zones", "categories", "rows", "seats", "position", "x", "y", "areas", "shape"]
HALL = Path(__file__).parents[2] / "examples" / "hall.csv"

words = st.text("AZaz019 .,;\"'<>&·éß漢🪑", min_size=1, max_size=16).map(str.strip).filter(bool)
place = st.integers(-20_000_000, 20_000_000)
seat_parts = st.tuples(words, st.sampled_from(SeatKind), st.sampled_from(SupplyClass), st.integers(0, 100))
areas = st.builds(
    Area,
    shape=st.sampled_from(["rectangle", "ellipse", "polygon", "text"]),
    x=place,
    y=place,
    width=place,
    height=place,
    rotation=place,
    points=st.just(()),
    text=words,
    text_x=place,
    text_y=place,
    text_size=place,
)
polygons = st.builds(
    Area, shape=st.just("polygon"), x=place, y=place, points=st.lists(st.tuples(place, place), max_size=5).map(tuple)
)


@st.composite
def plans(draw: st.DrawFn) -> SeatPlan:
    """Any plan: rows and sections may come twice, places are anywhere, each seat and each place once."""
    names = draw(st.lists(st.tuples(words, words, words), min_size=1, max_size=8, unique=True))
    spots = draw(st.lists(st.tuples(place, place), min_size=len(names), max_size=len(names), unique=True))
    sections: list[Section] = []
    for (section, row, seat), (x, y) in zip(names, spots, strict=True):
        category, kind, supply_class, gap = draw(seat_parts)
        made = PlanSeat(seat, x, y, category, kind, supply_class, gap)
        if sections and sections[-1].name == section:
            last = sections.pop()
            sections.append(Section(section, (*last.rows, PlanRow(row, (made,)))))
        else:
            sections.append(Section(section, (PlanRow(row, (made,)),)))
    return SeatPlan(draw(words), tuple(sections), tuple(draw(st.lists(areas | polygons, max_size=2))))


def reads_back(plan: SeatPlan, write: Callable[[SeatPlan], Any] = to_document) -> bool:
    return read_plan(json.dumps(write(plan)).encode(), "json") == plan


def in_whole_units(plan: SeatPlan) -> Any:
    document = to_document(plan)
    for section in document["sections"]:
        for row in section["rows"]:
            for seat in row["seats"]:
                seat["x"] = round(seat["x"])
    return document


@settings(max_examples=60)
@given(plan=plans())
def test_what_is_written_is_read_back(plan: SeatPlan) -> None:
    assert reads_back(plan)
    assert areas_in(to_document(plan)) == plan.areas


def test_a_form_that_rounds_is_convicted_by_the_same_check() -> None:
    plan = SeatPlan("Hall", (Section("Stalls", (PlanRow("A", (PlanSeat("1", 1_250, 40, "A"),)),)),))
    assert reads_back(plan) and not reads_back(plan, in_whole_units)


def test_a_plan_of_pretix_is_read_with_its_places_kinds_and_areas() -> None:
    plan = read_plan(json.dumps(theatre()).encode(), "json")
    seats = {(section, row, seat.label): seat for section, row, seat in plan.seats()}
    assert (plan.name, len(seats)) == ("Kleines Theater", SEATS)
    assert categories(plan) == {"Parkett": 96, "Wheelchair places": 4, "Balkon": 12, "Tische": 8}
    wheelchair = seats["Parkett", "W", "6"]  # zone (20, 20) + row (300, 330) + seat (-60, 0)
    assert (wheelchair.x, wheelchair.y, wheelchair.kind) == (26_000, 35_000, SeatKind.WHEELCHAIR)
    assert (seats["Tische", "T2", "1"].x, seats["Tische", "T2", "1"].y) == (38_000, 54_800)
    assert [area.shape for area in plan.areas] == ["rectangle", "text", "ellipse", "ellipse", "polygon", "ellipse"]
    stage, entrance, table, _, pillar, _ = plan.areas
    assert (stage.x, stage.y, stage.width, stage.height, stage.text) == (18_000, 4_000, 28_000, 6_000, "Bühne")
    assert (entrance.rotation, table.width, pillar.rotation, pillar.points[2]) == (27_000, 3_600, 0, (2_050, 3_000))
    assert reads_back(plan)


def test_the_first_form_of_pretix_is_read_too() -> None:
    seat = {"seat_guid": "1", "seat_number": "1", "position": {"x": 5, "y": 5}, "category": "A"}
    area = {"width": 100, "height": 20, "position": {"x": 1, "y": 2}, "text": "Stage", "color": "red"}
    zone = {"position": {"x": 10, "y": 0}, "rows": [{"row_number": "A", "seats": [seat]}], "areas": [area]}
    plan = read_plan(json.dumps({"name": "Old", "zones": [zone], "categories": [{"name": "A"}]}).encode(), "json")
    assert plan.sections == (Section("Zone 1", (PlanRow("A", (PlanSeat("1", 1_500, 500, "A"),)),)),)
    assert plan.areas == (Area("rectangle", 1_100, 200, 10_000, 2_000, text="Stage", text_x=5_000, text_y=1_000),)


def problems(data: Any, form: Any = "json", name: str = "") -> list[tuple[int, str]]:
    with pytest.raises(PlanError) as caught:
        read_plan(data if isinstance(data, bytes) else json.dumps(data).encode(), form, name)
    assert all(problem.message and problem.fix for problem in caught.value.problems)
    return [(problem.row, problem.field) for problem in caught.value.problems]


def test_every_problem_of_a_pretix_plan_is_named_by_seat_and_field() -> None:
    broken = theatre()
    stalls, balcony = broken["zones"][0]["rows"], broken["zones"][1]["rows"]
    stalls[0]["seats"][1]["category"] = "Parket"
    del stalls[0]["seats"][2]["position"]["y"]
    stalls[1]["row_number"] = ""
    stalls[1]["seats"][0]["seat_number"] = "x" * 17
    balcony[0]["seats"][3]["seat_number"] = balcony[0]["seats"][2]["seat_number"]
    balcony[0]["seats"][5]["position"] = balcony[0]["seats"][4]["position"]
    assert problems(broken) == [
        (0, "zones[0].rows[1].row_number"),
        (2, "zones[0].rows[0].seats[1].category"),
        (3, "zones[0].rows[0].seats[2].position.y"),
        (9, "zones[0].rows[1].seats[0].seat_number"),
        (104, "seat"),
        (106, "x"),
    ]


def test_every_problem_of_our_own_form_is_named_by_seat_and_field() -> None:
    seat = {"seat": 1, "category": "A"}
    bad = [seat | {"kind": "throne"}, seat | {"seat": 2, "gap": 1.5}, seat | {"seat": "\u202e", "category": ""}]
    rows = [{"row": "A", "seats": [*bad, seat | {"seat": 9, "x": 1, "y": "two"}]}]
    plan = {"format": "ticketchain-seat-plan", "version": 2, "name": "H", "areas": [{"shape": "star"}, 7]}
    at = "sections[0].rows[0].seats"
    assert problems(plan | {"sections": [{"name": "S", "rows": rows}]}) == [
        (0, "version"),
        (0, "sections"),
        (0, "areas[0].shape"),
        (0, "areas[1]"),
        (1, f"{at}[0].kind"),
        (2, f"{at}[1].gap"),
        (3, f"{at}[2].seat"),
        (3, f"{at}[2].category"),
        (4, f"{at}[3].y"),
    ]


@pytest.mark.parametrize(
    ("data", "form", "where"),
    [
        (b"{", "json", [(0, "")]),
        (b"\xff", "json", [(0, "")]),
        (b"[" * 100_000, "json", [(0, "")]),
        (b'{"zones": [], "categories": [], "name": "Empty"}', "json", [(0, "")]),
        (b'{"zones": 1, "categories": [1], "name": {}}', "json", [(0, "name"), (0, "categories[0]"), (0, "zones")]),
        (b"section,row,seat,price_class\nS,A,1,A", "csv", [(0, "name")]),
        (
            b"section,row,seat,price_class,x,y\nS,A,1,A,1,2\nS,A,2,A,,\nS,A,3,A,near,2",
            "csv",
            [(0, "name"), (4, "x"), (4, "x")],
        ),
    ],
    ids=str,
)
def test_files_that_are_no_plan_are_refused_in_words(data: bytes, form: str, where: list[tuple[int, str]]) -> None:
    assert problems(data, form) == where


@settings(max_examples=150)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(NAMES),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_raises_anything_else(value: Any) -> None:
    for data in (value, {"format": "ticketchain-seat-plan", "sections": value}, {"zones": value}, {"zones": [value]}):
        try:
            read_plan(json.dumps(data).encode(), "json", "Name")
        except PlanError as error:
            assert json.dumps(error.extra, ensure_ascii=False).encode()


def test_a_manifest_without_places_is_laid_out_in_order() -> None:
    plan = read_plan(HALL.read_bytes(), "csv", "Hall")
    spots = [(seat.x, seat.y) for _, _, seat in plan.seats()]
    assert len(set(spots)) == len(spots) == 2_323
    for section in plan.sections:
        for row in section.rows:
            assert all(after.x - before.x == PITCH for before, after in pairwise(row.seats))
            assert len({seat.y for seat in row.seats}) == 1
        assert [row.seats[0].y for row in section.rows] == sorted(row.seats[0].y for row in section.rows)
    boxes = [frame(section) for section in plan.sections]
    assert not any(overlap(one, other) for i, one in enumerate(boxes) for other in boxes[:i])


def frame(section: Section) -> tuple[int, int, int, int]:
    seats = [seat for row in section.rows for seat in row.seats]
    xs, ys = [seat.x for seat in seats], [seat.y for seat in seats]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def test_gaps_and_long_rows_are_laid_out() -> None:
    seats = [{"seat": 1, "category": "A"}, {"seat": 2, "category": "A", "gap": 3}]
    crowd = [{"seat": n, "category": "A"} for n in range(MOST_IN_LINE + 1)]
    sections = [{"name": "S", "rows": [{"row": "A", "seats": seats}, {"row": "GA", "seats": crowd}]}]
    plan = read_plan(
        json.dumps({"format": "ticketchain-seat-plan", "version": 1, "name": "H", "sections": sections}).encode(),
        "json",
    )
    (one, two), (first, *_, last) = (row.seats for row in plan.sections[0].rows)
    assert two.x - one.x == 4 * PITCH
    assert (last.x, last.y) == (first.x, first.y + PITCH)


def test_places_of_a_manifest_are_kept_to_the_hundredth() -> None:
    data = b"section,row,seat,price_class,x,y\nS,A,1,A,1.005,-2\nS,A,2,A,26.5,1e1\n"
    first, second = (seat for _, _, seat in read_plan(data, "csv", "H").seats())
    assert (first.x, first.y, second.x, second.y) == (101, -200, 2_650, 1_000)
    rows = '[{"section": "S", "row": "A", "seat": "1", "price_class": "A", "x": 1.25, "y": 3}]'
    (seat,) = (seat for _, _, seat in read_plan(rows.encode(), "json", "H").seats())
    assert (seat.x, seat.y) == (125, 300)


def test_categories_become_price_classes() -> None:
    plan = read_plan(json.dumps(theatre()).encode(), "json")
    classes = {"Parkett": "A", "Tische": None, "Wheelchair places": "A"}
    rows = manifest_of(plan, classes, {"A", "Balkon"}).rows
    assert {(row.section, row.price_class) for row in rows} == {("Parkett", "A"), ("Balkon", "Balkon")}
    assert len(rows) == SEATS - 8 and all(row.x is not None for row in rows)
    for wrong, known, words in (
        ({**classes, "Loge": "A"}, {"A", "Balkon"}, "no category 'Loge'"),
        (classes, {"A"}, "'Balkon' is no price class"),
        (dict.fromkeys(categories(plan)), {"A"}, "every category is left out"),
    ):
        with pytest.raises(Invalid, match=words):
            manifest_of(plan, wrong, known)


def test_seats_across_an_aisle_are_no_neighbours() -> None:
    plan = read_plan(json.dumps(theatre()).encode(), "json")
    manifest = manifest_of(plan, dict.fromkeys(categories(plan), "A"), {"A"})
    at = {(row.row, row.seat): number for row, number in places_in_rows(manifest).items()}
    assert [at["W", seat] for seat in "6789"] == [0, 1, 3, 4]
    assert at["A", "9"] - at["A", "8"] == 2 and at["A", "2"] - at["A", "1"] == 1
    bare = [replace(row, x=None, y=None) for row in manifest.rows]
    assert sorted(places_in_rows(type(manifest)(tuple(bare))).values())[-1] == 15
    assert SeatRow("S", "A", "1", "A").x is None
