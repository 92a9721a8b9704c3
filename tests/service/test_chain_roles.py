"""Which key may do what on the real ledger: the table of docs/roles.md, asked of the contract call by call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.people import Event, Fan, settle_finally
from ticketchain.chain.abi import decode_problem, encode_call
from ticketchain.chain.types import Reverted
from ticketchain.context import Context
from ticketchain.store import accounts

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])

RELAYER, ATTESTOR, ORGANIZER, GATE = 2, 4, 8, 16
NOTHING, REF, FAR = b"", bytes(16), 2**39
SCHEDULE = (FAR % 2**31, FAR % 2**31, FAR % 2**31, 0, FAR % 2**31, FAR % 2**31)


def calls(number: int, ticket: int, account: str) -> dict[str, tuple[bytes, set[str]]]:
    """Every call that wants a role, with nothing in it that would be believed, and whose it is."""
    eve, relayer = {"organizer", "relayer"}, {"relayer"}
    line = [(0, 0)]

    def call(name: str, *args: Any) -> bytes:
        return encode_call(name, *args)

    return {
        "appoint a relayer": (call("setRoles", 0, account, RELAYER), {"admin"}),
        "appoint an attestor": (call("setRoles", 0, account, ATTESTOR), {"admin"}),
        "allow account code": (call("allowAccountCode", bytes(32), True), {"admin"}),
        "allow a token": (call("allowToken", account, True), {"admin"}),
        "make an organizer": (call("setRoles", number, account, ORGANIZER), {"organizer"}),
        "end the delegation": (call("setDelegation", number, False), {"organizer"}),
        "appoint a gate": (call("setRoles", number, account, GATE), eve),
        "issue": (call("issue", number, 9, (1, 0, 0, 0, 1), bytes(32)), eve),
        "move the event": (call("setSchedule", number, SCHEDULE, "x"), eve),
        "pause": (call("pause", number, "x"), eve),
        "resume": (call("resume", number, "x"), eve),
        "cancel": (call("cancel", number, "x"), eve),
        "set an entry key": (call("setEntryKey", number, 9, bytes(32), FAR), eve),
        "redeem": (call("redeem", number, [0]), {"gate", "relayer"}),
        "deliver": (call("deliver", number, line, bytes(65)), relayer),
        "settle": (call("settleResales", number, line, NOTHING, bytes(65)), relayer),
        "exchange": (call("exchange", (ticket, 1, ticket + 1, 0, 0, REF, FAR), NOTHING, bytes(65)), relayer),
        "refund": (call("refund", ticket, 1, 1, REF, FAR, NOTHING), relayer),
        "freeze": (call("freeze", ticket, 1, 1, REF, bytes(65)), relayer),
        "unfreeze": (call("unfreeze", ticket, 1, REF, bytes(65)), relayer),
        "void": (call("voidTicket", ticket, 1, REF, bytes(65)), relayer),
        "announce a reissue": (call("announceReissue", ticket, 1, account, True), relayer),
        "reissue": (call("reissue", ticket), relayer),
        "record refunds": (call("recordRefundsPaid", number, [0], bytes(65)), relayer),
    }


def refusal(service: Context, data: bytes, sender: str) -> str:
    """Why the ledger refuses a call; empty when it would do it."""
    try:
        service.gateway.call(service.deployment.address, data, sender)
    except Reverted as error:
        problem = decode_problem(error.data)
        assert problem is not None
        return problem.name
    return ""


def send(service: Context, sender: str, data: bytes) -> None:
    """A transaction from an account whose key is not asked."""
    rpc, ledger = service.gateway.rpc, service.deployment.address
    rpc("anvil_impersonateAccount", sender)
    rpc("anvil_setBalance", sender, hex(10**18))
    rpc("eth_sendTransaction", {"from": sender, "to": ledger, "data": "0x" + data.hex()})
    service.chain_step()
    rpc("anvil_stopImpersonatingAccount", sender)


def allowed(service: Context, data: bytes, keys: dict[str, str]) -> set[str]:
    """Whose call of this is not refused for want of a role."""
    return {name for name, key in keys.items() if refusal(service, data, key) != "Ledger_Unauthorized"}


def test_each_key_does_its_own_work_on_the_ledger_and_nobody_elses(service: Context) -> None:
    event, anna, rival = Event.open(service, rows=1), Fan(service), Event.announce(service)
    (ticket,) = anna.buy(event)
    settle_finally(service)
    signer, number = service.parts.signer, ticket >> 24
    with service.parts.store.read() as tx:
        owner, other = (accounts.organizer(tx, str(each.organizer.organizer_id)) for each in (event, rival))
        fan = accounts.fan(tx, anna.id)
    assert owner is not None and other is not None and fan is not None
    keys = {"relayer": signer.relayer, "attestor": signer.attestor, "admin": signer.admin}
    keys |= {"organizer": owner.address, "another organizer": other.address, "fan": fan.address}
    keys["gate"] = "0x" + "ee" * 20
    send(service, owner.address, encode_call("setRoles", number, keys["gate"], GATE))
    assert len(set(keys.values())) == len(keys)

    wanted = calls(number, ticket, "0x" + "aa" * 20)
    for what, (data, whose) in wanted.items():
        assert allowed(service, data, keys) == whose, what

    send(service, signer.admin, encode_call("setRoles", 0, signer.attestor, RELAYER | ATTESTOR))  # one key too strong
    wrong = {what for what, (data, whose) in wanted.items() if allowed(service, data, keys) != whose}
    assert {"deliver", "settle", "redeem", "cancel"} <= wrong


def test_a_relayer_alone_sells_and_takes_nothing(service: Context) -> None:
    """It may send what moves tickets, but without the attestor's word or the holder's it does nothing."""
    event, anna = Event.open(service, rows=1), Fan(service)
    (ticket,) = anna.buy(event)
    settle_finally(service)
    wanted = calls(ticket >> 24, ticket, "0x" + "aa" * 20)
    believed = {what: refusal(service, wanted[what][0], service.parts.signer.relayer) for what in wanted}
    attested = ("deliver", "settle", "freeze", "void", "record refunds")
    assert {what: believed[what] for what in attested} == dict.fromkeys(attested, "Ledger_BadAttestation")
    assert {believed["exchange"], believed["refund"]} == {"Ledger_BadConsent"}
    assert believed["announce a reissue"] == "Ledger_NotInTerms" and believed["reissue"] == "Ledger_NotAnnounced"
