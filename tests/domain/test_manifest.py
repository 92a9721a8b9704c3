"""Manifest files: a good one is read as meant, a bad one has all its problems named and issues nothing."""

from __future__ import annotations

import json
import random
import time
import unicodedata
from dataclasses import replace
from hashlib import sha256
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketchain.domain.manifest import (
    MAX_BATCH_SEATS,
    MAX_SEATS,
    Manifest,
    ManifestError,
    RowProblem,
    SeatKind,
    SeatRow,
    SupplyClass,
    batch_document,
    batches,
    parse_manifest,
    read_batch_document,
    render_csv,
)

CLASSES = {"A": 9_000, "B": 4_500, "VIP": 20_000}
HEADER = "section,row,seat,price_class,supply_class,kind\n"
Format = Literal["csv", "json"]


def problems(data: bytes | str, format: Format = "csv") -> tuple[RowProblem, ...]:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(data if isinstance(data, bytes) else data.encode(), CLASSES, format)
    return caught.value.problems


def places(data: bytes | str, format: Format = "csv") -> list[tuple[int, str]]:
    return [(problem.row, problem.field) for problem in problems(data, format)]


def label(size: int) -> st.SearchStrategy[str]:
    """Labels as a good file holds them: normalised, printable, nothing around them."""
    letters = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
    normal = st.text(letters, min_size=1, max_size=size).map(lambda text: unicodedata.normalize("NFC", text).strip())
    return normal.filter(lambda text: 0 < len(text) <= size)


seat_rows = st.builds(
    SeatRow,
    section=label(64),
    row=label(16),
    seat=label(16),
    price_class=st.sampled_from(sorted(CLASSES)),
    supply_class=st.sampled_from(SupplyClass),
    kind=st.sampled_from(SeatKind),
)
manifests = st.lists(seat_rows, min_size=1, max_size=40, unique_by=lambda row: (row.section, row.row, row.seat))


def test_a_good_file_is_read_as_meant() -> None:
    data = HEADER + 'Stalls,A,1,A,,\n"Box, left",AA,12b, VIP ,Sponsor,WHEELCHAIR\n'
    assert parse_manifest(data.encode(), CLASSES, "csv").rows == (
        SeatRow("Stalls", "A", "1", "A"),
        SeatRow("Box, left", "AA", "12b", "VIP", SupplyClass.SPONSOR, SeatKind.WHEELCHAIR),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"section,row,seat,price_class\nStalls,A,1,A\n",
        b"\xef\xbb\xbfsection,row,seat,price_class\r\nStalls,A,1,A\r\n",
        b"price_class;seat;row;section\rA;1;A;Stalls\r",
        b"Section\tRow\tSeat\tPrice class\nStalls\tA\t1\tA",
        b"\n\nsection,row,seat,price_class\n\n,,,\n Stalls , A,1 ,A\n\n",
    ],
)
def test_spreadsheets_write_csv_in_many_ways(data: bytes) -> None:
    assert parse_manifest(data, CLASSES, "csv").rows == (SeatRow("Stalls", "A", "1", "A"),)


@pytest.mark.parametrize(
    "data",
    [
        '[{"section": "Stalls", "row": "A", "seat": "1", "price_class": "A"}]',
        '{"seats": [{"Section": "Stalls", "row": "A", "seat": 1, "price class": "A", "kind": null}]}',
    ],
)
def test_json_is_read_too(data: str) -> None:
    assert parse_manifest(data.encode(), CLASSES, "json").rows == (SeatRow("Stalls", "A", "1", "A"),)


def test_labels_are_normalised() -> None:
    (row,) = parse_manifest((HEADER + "Ba\u0308lkon,\u00a0A ,1,A,,\n").encode(), CLASSES, "csv").rows
    assert row == SeatRow("B\u00e4lkon", "A", "1", "A")


def test_all_problems_are_found_with_row_field_and_fix() -> None:
    data = HEADER + (
        "Stalls,A,1,A,,\n"
        "Stalls,A,,A,,\n"
        f"Stalls,{'A' * 17},2,A,,\n"
        "Stalls,A,3,Gold,,\n"
        "Stalls,A,1,B,,\n"
        "Stalls,A,4,A,friends,sofa\n"
        "Stalls,A,5\n"
        'Stalls,A,"6,A,,\n'
        "Stalls,A\u200b,7,A,,\n"
        "Stalls,A,8,A,,\n"
    )
    found = problems(data)
    assert [(problem.row, problem.field) for problem in found] == [
        (3, "seat"),
        (4, "row"),
        (5, "price_class"),
        (6, "seat"),
        (7, "supply_class"),
        (7, "kind"),
        (8, ""),
        (9, ""),
        (10, "row"),
    ]
    assert all(problem.message and problem.fix for problem in found)
    assert found[3].message == "section Stalls, row A, seat 1 is already in row 2"
    assert found[2].fix == "use one of A, B, VIP, or add the class first"


def test_the_error_carries_its_problems_to_the_api() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest((HEADER + "Stalls,A,,A,,\nStalls,,1,A,,\n").encode(), CLASSES, "csv")
    error = caught.value
    assert error.code == "manifest_invalid" and error.status == 422
    assert error.detail == "The manifest has 2 problems, nothing was issued. First: row 2: seat is empty"
    assert [problem["row"] for problem in json.loads(json.dumps(error.extra))["problems"]] == [2, 3]


@pytest.mark.parametrize(
    ("data", "row", "words"),
    [
        (b"", 0, "empty"),
        (b"\xef\xbb\xbf \r\n", 0, "empty"),
        (HEADER.encode(), 0, "no seats"),
        ("section,row,seat,price_class\nB\u00e4lkon,A,1,A\n".encode("latin-1"), 2, "UTF-8"),
        ("section,row,seat,price_class\nStalls,A,1,A\n".encode("utf-16"), 0, "UTF-16"),
        ("\u00e4section,row,seat,price_class\nStalls,A,1,A\n".encode("latin-1"), 1, "UTF-8"),
        (b"section,row,seat,price_class\nStalls,A\x00,1,A\n", 2, "NUL"),
        (b"section,row,seat,price_class\nStalls,A,1,\x07A\n", 2, "control"),
        (b'section,row,"seat,price_class\nStalls,A,1,A\n', 1, "quotes"),
        (b"section,row,seat,price_class\n" + b"x" * 200_000, 2, "quotes"),
        (b"x" * (16 * 1024 * 1024 + 1), 0, "bytes"),
        (b"section,row,seat,price_class" + b"\n" * 200_001, 0, "lines"),
    ],
)
def test_a_damaged_file_is_named(data: bytes, row: int, words: str) -> None:
    (problem,) = problems(data)
    assert problem.row == row and words in problem.message


@pytest.mark.parametrize(
    ("data", "row", "words"),
    [
        (b"", 0, "empty"),
        (b"[]", 0, "no seats"),
        (b'{"rows": []}', 0, "neither"),
        (b"12", 0, "neither"),
        (b'[{"section": "A",}]', 0, "line 1, column"),
        (b"[" * 100_000, 0, "nested"),
        (b'["A1"]', 1, "not an object"),
        (b'[{"section": "S", "row": "A", "seat": 1.5, "price_class": "A"}]', 1, "whole number"),
        (b'[{"section": "S", "row": "A", "seat": true, "price_class": "A"}]', 1, "whole number"),
        (b'[{"section": "S", "row": "A", "seat": 1, "Seat": 2, "price_class": "A"}]', 1, "more than once"),
        (b'[{"section": "S", "row": "A", "seat": 1, "price_class": "A", "colour": ""}]', 1, "unknown"),
        (b'[{"section": "\\ud800", "row": "A", "seat": 1, "price_class": "A"}]', 1, "invisible"),
        (b"\xff\xff", 0, "UTF-8"),
    ],
)
def test_damaged_json_is_named(data: bytes, row: int, words: str) -> None:
    found = problems(data, "json")
    assert found[0].row == row and words in found[0].message


def test_missing_unknown_and_repeated_columns_are_said_once() -> None:
    assert places("section,row,colour,row,\nStalls,A,red,B,\nStalls,A,red,C,\n") == [
        (1, "seat"),
        (1, "price_class"),
        (1, "row"),
        (1, "colour"),
        (1, ""),
    ]


def many(count: int) -> str:
    return HEADER + "".join(f"Field,{at // 100},{at % 100},A,,\n" for at in range(count))


def test_a_stadium_fits_and_one_seat_more_does_not() -> None:
    started = time.perf_counter()
    stadium = parse_manifest(many(MAX_SEATS).encode(), CLASSES, "csv")
    assert [len(plan.seats) for plan in batches(stadium)] == [MAX_BATCH_SEATS] * 12
    assert time.perf_counter() - started < 10
    (problem,) = problems(many(MAX_SEATS + 1))
    assert problem.row == MAX_SEATS + 2 and "60,000" in problem.message


def test_a_stadium_in_indented_json_fits_too() -> None:
    seats = [dict(zip(HEADER.strip().split(","), line.split(","), strict=True)) for line in many(MAX_SEATS).split()[1:]]
    assert len(parse_manifest(json.dumps(seats, indent=2).encode(), CLASSES, "json").rows) == MAX_SEATS


def test_more_batches_than_an_event_has_are_refused() -> None:
    (problem,) = problems(HEADER + "".join(f"Box {at},A,1,A,,\n" for at in range(257)))
    assert problem.row == 0 and "257 batches" in problem.message


def test_a_wholly_wrong_file_gets_a_bounded_answer() -> None:
    found = problems("section,row,seat,price_class\n" + "Stalls,A,1,Gold\n" * 20_000)
    assert len(found) == 10_001 and "not listed" in found[-1].message


@settings(max_examples=400)
@given(data=st.binary(max_size=300), format=st.sampled_from(["csv", "json"]))
def test_no_bytes_raise_anything_else(data: bytes, format: Format) -> None:
    for file in (data, b"section,row,seat,price_class\n" + data, b'[{"section":' + data):
        try:
            parse_manifest(file, CLASSES, format)
        except ManifestError as error:
            assert error.problems and json.dumps(error.extra, ensure_ascii=False).encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=10,
)
json_seats = st.dictionaries(st.sampled_from(HEADER.strip().split(",")), json_values, max_size=6)


@settings(max_examples=300)
@given(value=json_values | st.lists(json_seats | json_values, max_size=4))
def test_no_json_raises_anything_else(value: object) -> None:
    try:
        parse_manifest(json.dumps(value).encode(), CLASSES, "json")
    except ManifestError as error:
        assert error.problems and json.dumps(error.extra, ensure_ascii=False).encode()


@settings(max_examples=300)
@given(rows=manifests)
def test_what_is_written_is_read_back(rows: list[SeatRow]) -> None:
    assert parse_manifest(render_csv(rows), CLASSES, "csv").rows == tuple(rows)


@given(rows=manifests, where=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=4))
def test_a_damaged_copy_is_read_or_refused_but_never_crashes(rows: list[SeatRow], where: int, junk: bytes) -> None:
    data = render_csv(rows)
    at = where % len(data)
    try:
        parse_manifest(data[:at] + junk + data[at + len(junk) :], CLASSES, "csv")
    except ManifestError as error:
        assert error.problems


@given(rows=manifests, seed=st.integers())
def test_batches_do_not_depend_on_the_order_of_rows(rows: list[SeatRow], seed: int) -> None:
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert batches(Manifest(tuple(shuffled))) == batches(Manifest(tuple(rows)))


@given(rows=manifests)
def test_every_seat_is_in_one_batch_of_its_own_kind(rows: list[SeatRow]) -> None:
    plans = batches(Manifest(tuple(rows)))
    assert sorted(map(repr, rows)) == sorted(repr(seat) for plan in plans for seat in plan.seats)
    assert len({(plan.section, plan.price_class, plan.supply_class) for plan in plans}) == len(plans)
    for plan in plans:
        group = (plan.section, plan.price_class, plan.supply_class)
        assert {(seat.section, seat.price_class, seat.supply_class) for seat in plan.seats} == {group}


def test_seats_stand_in_the_order_people_expect() -> None:
    labels = [
        ("AA", "1"),
        ("B", "10"),
        ("B", "2"),
        ("A", "01"),
        ("A", "1"),
        ("Z", "1"),
        ("2", "1"),
        ("10", "1"),
        ("A", "1a"),
    ]
    (plan,) = batches(Manifest(tuple(SeatRow("S", row, seat, "A") for row, seat in labels)))
    assert [f"{seat.row}-{seat.seat}" for seat in plan.seats] == [
        "2-1",
        "10-1",
        "A-01",
        "A-1",
        "A-1a",
        "B-2",
        "B-10",
        "Z-1",
        "AA-1",
    ]


def test_batches_stand_in_the_order_people_expect() -> None:
    rows = [SeatRow(section, "A", "1", "A") for section in ("Stalls", "Box 10", "Circle", "Box 9")]
    held = replace(rows[0], seat="2", supply_class=SupplyClass.HELD)
    plans = batches(Manifest((held, *rows)))
    assert [plan.section for plan in plans] == ["Box 9", "Box 10", "Circle", "Stalls", "Stalls"]
    assert [plan.supply_class for plan in plans[3:]] == ["public", "held"]


def test_the_document_is_byte_for_byte_this() -> None:
    """The hash of these bytes goes on the ledger: they must never change for version 1."""
    rows = (SeatRow("Bälkon", "A", "2", "A", kind=SeatKind.COMPANION), SeatRow("Bälkon", "A", "1", "A"))
    (plan,) = batches(Manifest(rows))
    document = batch_document(plan, "evt_1")
    assert document.decode() == (
        '{"event":"evt_1","format":"ticketchain-batch","price_class":"A","seats":2,"section":"Bälkon",'
        '"supply_class":"public","version":1}\n'
        '{"index":0,"kind":"standard","row":"A","seat":"1"}\n'
        '{"index":1,"kind":"companion","row":"A","seat":"2"}\n'
    )


@given(rows=manifests)
def test_a_document_is_read_back(rows: list[SeatRow]) -> None:
    for plan in batches(Manifest(tuple(rows))):
        read = read_batch_document(batch_document(plan, "evt_1"))
        assert (read.event, read.plan) == ("evt_1", plan)


def test_the_longest_document_is_one_block() -> None:
    widest = "\U0001f3ad" * 16
    seats = tuple(SeatRow("S" * 64, widest, widest, "A", kind=SeatKind.WHEELCHAIR) for _ in range(MAX_BATCH_SEATS))
    (plan,) = batches(Manifest(seats))
    assert len(batch_document(plan, "e" * 200)) < 1024 * 1024


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b'"seats":1', b'"seats":2'),
        lambda data: data.replace(b'"index":0', b'"index":1'),
        lambda data: data.replace(b":", b": "),
        lambda data: data.replace(b'"row":"A"', b'"row":5'),
        lambda data: data.replace(b'"kind":"standard"', b'"kind":"sofa"'),
        lambda data: b"",
        lambda data: b"[]\n",
        lambda data: b"\xff\n",
    ],
)
def test_another_document_is_refused(change: object) -> None:
    (plan,) = batches(Manifest((SeatRow("S", "A", "1", "A"),)))
    with pytest.raises(ValueError, match="not a"):
        read_batch_document(change(batch_document(plan, "evt_1")))  # type: ignore[operator]


@pytest.mark.parametrize("reference", ["", "x" * 201, "a\nb"])
def test_a_bad_event_reference_is_refused(reference: str) -> None:
    (plan,) = batches(Manifest((SeatRow("S", "A", "1", "A"),)))
    with pytest.raises(ValueError, match="event reference"):
        batch_document(plan, reference)


def test_a_batch_has_at_least_one_seat_and_at_most_5000() -> None:
    (plan,) = batches(Manifest((SeatRow("S", "A", "1", "A"),)))
    for seats in ((), plan.seats * (MAX_BATCH_SEATS + 1)):
        with pytest.raises(ValueError, match="a batch has 1 to 5000 seats"):
            batch_document(replace(plan, seats=seats), "evt_1")


def test_shuffled_documents_have_one_hash() -> None:
    rows = [SeatRow("S", row, str(seat), "A") for row in "ABC" for seat in range(1, 40)]
    hashes = set()
    for seed in range(5):
        (plan,) = batches(Manifest(tuple(random.Random(seed).sample(rows, len(rows)))))
        hashes.add(sha256(batch_document(plan, "evt_1")).hexdigest())
    assert len(hashes) == 1
