"""The ledger's ABI as plain functions."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.anvil import signer
from ticketchain.artifacts import load
from ticketchain.chain.gateway import (
    Log,
    UnknownName,
    decode_log,
    decode_problem,
    decode_result,
    encode_call,
    selector_of,
    topic_of,
)

FAN, GATE = signer(21).address, signer(22).address
SCHEDULE = {
    "doorsAt": 1,
    "movesCloseAt": 2,
    "giftsCloseAt": 3,
    "resaleOpensAt": 4,
    "resaleClosesAt": 5,
    "releaseAt": 6,
}
TERMS = {
    "currency": b"EUR",
    "capBps": 11_000,
    "royaltyBps": 500,
    "giftLimit": 7,
    "cooldown": 60,
    "token": "0x" + "00" * 20,
    "unitExponent": 0,
    "refundRule": b"\7" * 32,
    "payees": [{"account": FAN, "bps": 4000}, {"account": GATE, "bps": 6000}],
    "supplies": (10, 20, 30, 40),
    "earliestRelease": 6,
    "holderLimit": 4,
    "entries": 1,
    "capAtPaid": True,
    "reissue": False,
    "identity": False,
    "giftRoot": b"\5" * 32,
}
TERMS_TYPE = (
    "(bytes3,uint16,uint16,uint8,uint24,address,uint8,bytes32,(address,uint16)[],"
    "uint24[4],uint32,uint8,uint8,bool,bool,bool,bytes32)"
)
SCHEDULE_TYPE = "(uint32,uint32,uint32,uint32,uint32,uint32)"


def plain_terms() -> tuple[object, ...]:
    """The terms as a tuple."""
    payees = tuple((each["account"], each["bps"]) for each in TERMS["payees"])  # type: ignore[attr-defined]
    return tuple((TERMS | {"payees": payees}).values())


def log_of(topics: list[bytes], data: bytes) -> Log:
    return Log(FAN, tuple(topics), data, b"\1" * 32, 0, 7, b"\2" * 32)


def word(value: int | str) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else bytes.fromhex(value[2:]).rjust(32, b"\0")


def test_a_call_is_encoded_from_dicts_or_tuples() -> None:
    as_dicts = encode_call("createEvent", FAN, b"\3" * 32, TERMS, SCHEDULE)
    as_tuples = encode_call("createEvent", FAN, b"\3" * 32, plain_terms(), tuple(SCHEDULE.values()))
    assert as_dicts == as_tuples
    signature = f"createEvent(address,bytes32,{TERMS_TYPE},{SCHEDULE_TYPE})"
    assert as_dicts[:4] == keccak(text=signature)[:4] == selector_of("createEvent")


def test_unknown_names_are_refused() -> None:
    for name, arguments in (("mint", ()), ("deliver", (1,))):
        with pytest.raises(UnknownName, match=name):
            encode_call(name, *arguments)
    with pytest.raises(UnknownName):
        topic_of("Minted")
    with pytest.raises(KeyError):
        encode_call("setSchedule", 1, {"doorsAt": 1}, "why")


def test_results_have_names() -> None:
    assert decode_result("scheduleOf", encode([SCHEDULE_TYPE], [(1, 2, 3, 4, 5, 6)])) == SCHEDULE
    assert decode_result("entryKeyOf", encode(["bytes32", "uint40"], [b"\5" * 32, 9])) == (b"\5" * 32, 9)
    assert decode_result("holderOf", word(FAN)) == FAN
    assert decode_result("deliver", encode(["bytes[]"], [[b"", b"\1"]])) == (b"", b"\1")


def test_a_log_with_lines_is_decoded() -> None:
    data = encode(["(uint256,uint256)[]"], [[(1 << 240, 2), (3, 4)]])
    found = decode_log(log_of([topic_of("Delivered"), word(9)], data))
    assert found is not None
    assert (found.name, found.args) == (
        "Delivered",
        {"eventId": 9, "lines": ({"target": 1 << 240, "payment": 2}, {"target": 3, "payment": 4})},
    )
    numbers = decode_log(log_of([topic_of("Redeemed"), word(9), word(GATE)], encode(["uint40[]"], [[7, 8]])))
    assert numbers is not None and numbers.args == {"eventId": 9, "gate": GATE, "lines": (7, 8)}


def test_a_log_with_nested_structs_is_decoded_in_the_abis_order() -> None:
    head, tail = encode_call("createEvent", FAN, b"\3" * 32, TERMS, SCHEDULE)[4:], 64
    data = encode([TERMS_TYPE, SCHEDULE_TYPE], [plain_terms(), tuple(SCHEDULE.values())])
    assert len(head) > tail
    found = decode_log(log_of([topic_of("EventCreated"), word(1), word(FAN), b"\3" * 32], data))
    assert found is not None
    assert list(found.args)[:2] == ["eventId", "organizer"] and found.args["organizer"] == FAN
    assert found.args["terms"] == {**TERMS, "payees": tuple(TERMS["payees"])}  # type: ignore[arg-type]
    assert found.args["schedule"] == SCHEDULE


def test_foreign_logs_are_nobodys() -> None:
    assert decode_log(log_of([], b"")) is None
    assert decode_log(log_of([b"\1" * 32], b"")) is None
    assert decode_log(log_of([topic_of("Delivered")], b"")) is None  # same name, other indexing


def test_problems_have_names_and_arguments() -> None:
    over = keccak(text="Ledger_OverCap(uint64,uint40,uint40)")[:4] + encode(["uint64", "uint40", "uint40"], [5, 9, 8])
    problem = decode_problem(over)
    assert problem is not None and problem.name == "Ledger_OverCap"
    assert list(problem.args.values()) == [5, 9, 8]
    text = decode_problem(keccak(text="Error(string)")[:4] + encode(["string"], ["no"]))
    assert text is not None and (text.name, text.args) == ("Error", {"message": "no"})
    assert decode_problem(b"") is None


@pytest.mark.parametrize("data", [b"\1", b"\xde\xad\xbe\xef", keccak(text="Ledger_NotHeld(uint64)")[:4] + b"\1"])
def test_what_cannot_be_read_is_unknown_but_kept(data: bytes) -> None:
    problem = decode_problem(data)
    assert problem is not None and (problem.name, problem.args, problem.data) == ("Unknown", {}, data)


def test_no_two_errors_or_events_share_a_name() -> None:
    for kind in ("error", "event"):
        names = [part["name"] for part in load("TicketLedger").abi if part["type"] == kind]
        assert len(names) == len(set(names)) > 10
