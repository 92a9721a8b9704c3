"""The signer's process: it is reached at its two sockets only, what is wrong there harms nobody else, and killing it
loses nothing that it answered.
"""

from __future__ import annotations

import grp
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from eth_keys.main import KeyAPI
from typer.testing import CliRunner

from tests.signer.world import OTHER, TICKET, Fan, World
from tests.support.signers import CHAIN, HEAD, LEDGER, config, connected, message, now, raw, running
from ticketchain.cli.signer import app
from ticketchain.domain.consents import Deliveries, Gift, Line, Settlements
from ticketchain.domain.errors import DomainError, Invalid, ProofRefused, SignerRefused, SignerStopped, Unavailable
from ticketchain.domain.proofs import LogEntry
from ticketchain.signer import log, wire
from ticketchain.signer.codec import Garbage, write
from ticketchain.signer.config import Config
from ticketchain.signer.typed import Domain, digest
from ticketchain.wallets.child import SignerNotStarted, start
from ticketchain.wallets.remote import Connection, RemoteSigner


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """A signer process that the tests of this module share."""
    here = config(tmp_path_factory.mktemp("signer"))
    with running(here):
        yield here


@pytest.fixture
def remote(place: Config) -> Iterator[RemoteSigner]:
    with connected(place) as remote:
        yield remote


_NAMES = iter(range(1_000_000))


def fan_of(remote: RemoteSigner) -> Fan:
    """A new fan with a passkey at a signer process."""
    fan = Fan(World(cast(Any, remote), cast(Any, now)), f"fan_{next(_NAMES)}")
    fan.enrol(fan.passkey)
    return fan


def gift(ticket: int = TICKET) -> Gift:
    return Gift(ticket, 1, OTHER, True, int(now().timestamp()) + 3_600)


def signer_of(consent: Gift, signature: bytes) -> str:
    found = KeyAPI.Signature(signature[:64] + bytes([signature[64] - 27]))
    key = KeyAPI().ecdsa_recover(digest(Domain(CHAIN, LEDGER), consent), found)
    return str(key.to_checksum_address())


# ------------------------------------------------------------------------------------------------ both sides agree


def test_a_consent_goes_through_and_a_forged_one_is_refused_in_the_desks_words(remote: RemoteSigner) -> None:
    fan, other = fan_of(remote), fan_of(remote)
    assert fan.address == fan.address != other.address
    assert signer_of(gift(), fan.agree(gift())) == fan.address
    with pytest.raises(ProofRefused, match="none of the owner's") as refusal:
        remote.consent(fan.address, gift(), other.proof(gift()))
    assert (refusal.value.code, refusal.value.status) == ("proof_refused", 403)


def test_nothing_is_signed_without_a_proof(remote: RemoteSigner) -> None:
    with pytest.raises(DomainError):
        remote.consent(fan_of(remote).address, gift(), cast(Any, None))


def test_a_bulk_of_250_lines_fits_and_what_is_too_long_is_told_before_it_is_sent(remote: RemoteSigner) -> None:
    def lines(number: int) -> list[Line]:
        return [Line(TICKET + n, 1 << 15, OTHER, True, 1 << 39, bytes(16), 1 << 39, True) for n in range(number)]

    assert len(remote.attest(Settlements(1, lines(250)))) == 65
    with pytest.raises(Invalid, match="more than the signer reads"):
        remote.attest(Settlements(1, lines(2_000)))


# ------------------------------------------------------------------------------------------------ what it is reached by

LOOK = """
import json, os, sys, threading
from ticketchain.signer.__main__ import main
def look():
    sys.stdin.readline()
    {control}
    files = [f"/proc/self/fd/{{n}}" for n in os.listdir("/proc/self/fd")]
    inodes = [os.readlink(file) for file in files if os.path.lexists(file)]
    nets = [open(f"/proc/self/net/{{kind}}").read() for kind in ("tcp", "tcp6", "udp", "udp6", "raw")]
    lines = [line for net in nets for line in net.splitlines()[1:]]
    mine = [line for line in lines if f"socket:[{{line.split()[9]}}]" in inodes]
    print(json.dumps([sorted(sys.modules), mine]), flush=True)
    os._exit(0)
threading.Thread(target=look, daemon=True).start()
main(["signer", sys.argv[1]])
"""


def look_inside(place: Config, control: str = "") -> tuple[set[str], list[str]]:
    """A signer's modules and its sockets of the internet, as it sees them itself while it serves."""
    command = [sys.executable, "-c", LOOK.format(control=control), json.dumps(write(place))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    assert "answers in" in process.stdout.readline()
    with connected(place) as remote:
        fan_of(remote).agree(gift())  # whatever is imported late, is
    process.stdin.write("\n")
    process.stdin.flush()
    modules, sockets = json.loads(process.stdout.readline())
    process.communicate(timeout=10)
    return set(modules), sockets


FOREIGN = {"web3", "sqlalchemy", "fastapi", "starlette", "uvicorn", "httpx", "boto3", "pydantic_settings"}


def test_it_has_no_socket_of_the_internet_and_imports_no_framework(tmp_path: Path) -> None:
    modules, sockets = look_inside(config(tmp_path))
    assert not modules & FOREIGN and not sockets
    assert not [
        name for name in modules if name.startswith(("ticketchain.store", "ticketchain.chain", "ticketchain.use"))
    ]
    control = "import httpx, socket; here = socket.create_server(('127.0.0.1', 0))"
    modules, sockets = look_inside(config(tmp_path / "control"), control)
    assert "httpx" in modules and len(sockets) == 1, "the same look finds them where there are some"


def test_each_door_answers_its_own_calls_only(place: Config, remote: RemoteSigner) -> None:
    for door, others in ((wire.FANS, wire.OPERATOR), (wire.OPERATOR, wire.FANS)):
        foreign = wire.CALLS[others].keys() - wire.CALLS[door].keys()
        assert foreign
        answers = raw(
            Path(place.folder) / door, [message(n, {"do": name, "with": {}}) for n, name in enumerate(foreign)]
        )
        assert [answer["error"]["code"] for answer in answers] == ["bad_request"] * len(foreign)
    with connected(place, operator=False) as fans_only, pytest.raises(SignerRefused, match="the fans' door"):
        fans_only.attest(Deliveries(1, []))


def test_others_cannot_open_the_doors_unless_a_group_is_named(place: Config, tmp_path: Path) -> None:
    folder = Path(place.folder)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} | {".": folder.stat().st_mode & 0o777}
    assert modes == dict.fromkeys(modes, 0o600) | {".": 0o700}
    group = grp.getgrgid(os.getgid()).gr_name
    open_to_group = replace(config(tmp_path), fans_group=group)
    with running(open_to_group):
        folder = Path(open_to_group.folder)
        assert [folder.joinpath(name).stat().st_mode & 0o777 for name in wire.CALLS] == [0o660, 0o600]
        assert (folder / "vault.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SignerNotStarted, match="there is no group 'nobody-has-this'"):
        start(replace(config(tmp_path), fans_group="nobody-has-this", is_child=True))


# ------------------------------------------------------------------------------------------------ what comes in


GARBAGE = {
    "too long": HEAD.pack(wire.MAX_REQUEST + 1),
    "no JSON": HEAD.pack(4) + b"\xff\xfe{]",
    "no object": HEAD.pack(2) + b"[]",
    "nested too deeply": HEAD.pack(200_000) + b"[" * 200_000,
    "a number of a million digits": message(1, {"do": "wallet"})[:4]
    and HEAD.pack(200_008) + b'{"id": ' + b"9" * 200_000 + b"}",
    "no id": message(None, {"do": "wallet", "with": {"owner": "x"}}),
    "a float": message(1.5, {"do": "wallet", "with": {"owner": "x"}}),
    "not a number": HEAD.pack(12) + b'{"id": NaN }',
    "pickle": HEAD.pack(6) + b"\x80\x04cos\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_ends_its_connection_and_no_other(name: str, place: Config, remote: RemoteSigner) -> None:
    before = remote.wallet("fan_before")  # a connection that is open by now
    good = message(1, {"do": "wallet", "with": {"owner": "fan_before"}})
    answers = raw(Path(place.folder) / wire.FANS, [GARBAGE[name], good])
    assert answers == [], "nothing after it is heard"
    assert remote.wallet("fan_before") == before


def test_torn_frames_and_clients_that_do_not_read_hold_up_nobody(place: Config, remote: RemoteSigner) -> None:
    door = Path(place.folder) / wire.FANS
    whole = message(1, {"do": "standing", "with": {"owner": "fan_slow"}})
    with socket.socket(socket.AF_UNIX) as torn, socket.socket(socket.AF_UNIX) as deaf, socket.socket() as _:
        torn.connect(str(door))
        torn.sendall(whole[:-3])
        deaf.connect(str(door))
        deaf.setblocking(False)
        sent = 0
        while sent < 2_000_000:  # requests whose answers it never reads, until the signer listens no more
            try:
                sent += deaf.send(whole * 100)
            except BlockingIOError:
                break
        for number in range(20):
            assert remote.wallet(f"fan_beside_{number}")
        torn.sendall(whole[-3:])
        torn.settimeout(5)
        assert torn.recv(1 << 16), "its request was only late"
        deaf.settimeout(5)
        frames, answers = wire.Frames(wire.MAX_ANSWER), 0
        while answers < sent // len(whole):  # now it reads, and misses nothing
            frames.feed(deaf.recv(1 << 16))
            answers += len(list(frames))


STRANGE: dict[str, dict[str, Any]] = {
    "a field too many": {"do": "wallet", "with": {"owner": "a", "key": "b"}},
    "a field too few": {"do": "wallet", "with": {}},
    "no text": {"do": "wallet", "with": {"owner": 7}},
    "a call too many": {"do": "handle_all", "with": {}},
    "something private": {"do": "_ask", "with": {"method": "wallet"}},
    "a member of the request too many": {"do": "wallet", "with": {"owner": "a"}, "as": "root"},
    "no bytes": {"do": "sign_lease", "with": {"public_key": "%%%", "message": ""}},
    "a boolean for a number": {"do": "new_entry_key", "with": {"event_number": True}},
    "another class": {"do": "challenge", "with": {"consent": write(Deliveries(1, []))}},
    "a class with a field too many": {"do": "challenge", "with": {"consent": write(gift()) | {"note": ""}}},
    "a class with a float": {"do": "challenge", "with": {"consent": write(gift()) | {"epoch": 1.0}}},
}


@pytest.mark.parametrize("name", [name for name in STRANGE if "float" not in name])
def test_what_is_no_request_to_the_letter_is_told_and_the_connection_goes_on(name: str, place: Config) -> None:
    good = message(2, {"do": "wallet", "with": {"owner": "fan_good"}})
    strange, answered = raw(Path(place.folder) / wire.FANS, [message(1, STRANGE[name]), good])
    assert (strange["id"], strange["error"]["code"]) == (1, "bad_request")
    assert (answered["id"], set(answered)) == (2, {"id", "ok"})


def test_strict_reading_takes_what_is_written_and_nothing_else() -> None:
    calls = wire.CALLS[wire.FANS]
    for rest in STRANGE.values():
        with pytest.raises(Garbage):
            wire.read_request({"id": 1} | rest, calls)
    asked = wire.read_request({"id": 1, "do": "challenge", "with": write({"consent": gift()})}, calls)
    assert (asked.method, asked.arguments["consent"].id) == ("challenge", TICKET)


def test_many_requests_on_one_connection_are_answered_each_by_itself(place: Config, remote: RemoteSigner) -> None:
    fan, connection = fan_of(remote), Connection(Path(place.folder) / wire.FANS, 10)
    proofs = [fan.proof(gift(TICKET + n)) for n in range(10)]
    sent = [
        connection.send("consent", {"address": fan.address, "consent": gift(TICKET + n + (n == 5)), "proof": proof})
        for n, proof in enumerate(proofs)
    ]
    for n, number in enumerate(sent):
        if n == 5:
            with pytest.raises(ProofRefused):
                connection.read(number, "consent")
        else:
            assert len(connection.read(number, "consent")) == 65
    connection.close()


# ------------------------------------------------------------------------------------------------ how it ends


def log_of(remote: RemoteSigner) -> list[LogEntry]:
    rows: list[LogEntry] = []
    while page := remote.log_entries(len(rows), 500):
        rows += page
    return rows


def test_killed_while_it_signs_it_has_noted_all_that_it_answered(tmp_path: Path) -> None:
    here, got, end = config(tmp_path), dict[bytes, bytes](), threading.Event()
    with connected(here) as remote:
        with running(here) as child:
            fans = [fan_of(remote) for _ in range(4)]

            def agree(fan: Fan) -> None:
                for n in range(15):
                    consent = gift(TICKET + n)
                    try:
                        got[remote.challenge(consent) + fan.address.encode()] = fan.agree(consent)
                    except Unavailable:
                        end.set()
                        return

            threads = [threading.Thread(target=agree, args=[fan]) for fan in fans]
            for thread in threads:
                thread.start()
            while len(got) < 8:
                time.sleep(0.001)
            os.kill(child.process.pid, signal.SIGKILL)
            for thread in threads:
                thread.join()
        assert end.is_set()
        with pytest.raises(Unavailable, match="start `ticketchain signer run`"):
            remote.wallet("fan_x")
        with running(here):
            rows = log_of(remote)
            assert log.problems(rows) == []
            noted = {
                bytes.fromhex(json.loads(r.detail)["digest"]) + r.subject.encode() for r in rows if r.kind == "consent"
            }
            assert set(got) <= noted
            fan, consent = fans[0], gift(TICKET + 99)
            proof = fan.proof(consent)
            assert remote.consent(fan.address, consent, proof) == remote.consent(fan.address, consent, proof)


def test_a_signer_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    here = config(tmp_path)
    with running(here) as child, connected(here, timeout=0.3) as remote:
        remote.wallet("fan_1")
        os.kill(child.process.pid, signal.SIGSTOP)
        while Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)  # it may still have been at work
        try:
            with pytest.raises(Unavailable, match="has not answered within"):
                remote.wallet("fan_1")
        finally:
            os.kill(child.process.pid, signal.SIGCONT)
        assert remote.wallet("fan_1"), "an answer that came too late is nobody's"


def test_it_is_alone_in_its_folder_and_ends_with_its_parent(tmp_path: Path) -> None:
    here = replace(config(tmp_path), is_child=True)
    program = "import sys; from ticketchain.wallets.child import start; from ticketchain.signer.codec import reader"
    program += "; from ticketchain.signer.config import Config; import json, signal"
    program += "; start(reader(Config)(json.loads(sys.argv[1]))); print('up', flush=True); signal.pause()"
    command = [sys.executable, "-c", program, json.dumps(write(here))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent, connected(here) as remote:
        assert parent.stdout is not None and parent.stdout.readline() == b"up\n"
        assert remote.about().is_child
        began = time.monotonic()
        with pytest.raises(SignerNotStarted, match="another signer runs"):
            start(here)
        assert time.monotonic() - began >= 1.5, "one that may be about to end is waited for"
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        with pytest.raises(Unavailable):
            remote.wallet("fan_1")
    with running(here), connected(here) as remote:
        assert remote.wallet("fan_1")


def test_its_switch_and_its_log_at_the_command_line(tmp_path: Path) -> None:
    here = config(tmp_path)

    def say(*words: str) -> Any:
        return CliRunner().invoke(app, [*words, "--data", str(tmp_path)])

    with running(here), connected(here) as remote:
        fan = fan_of(remote)
        assert say("stop", "--reason", "a thief").exit_code == 0
        assert json.loads(say("status", "--json").stdout)["stopped"] == "a thief"
        with pytest.raises(SignerStopped, match="a thief"):
            fan.agree(gift())
        assert say("resume").exit_code == 0
        fan.agree(gift())
        rows = [json.loads(line) for line in say("log", "--json").stdout.splitlines()]
        assert [row["kind"] for row in rows][-4:] == ["passkey enrolled", "stopped", "resumed", "consent"]
        checked = say("log", "--verify")
        assert (checked.exit_code, checked.stderr) == (0, f"{len(rows)} rows, 0 problems\n")
    gone = say("status")
    assert gone.exit_code == 1 and "no signer answers" in gone.stderr


def test_it_knows_its_ledgers_again_after_a_restart_and_no_foreign_ones(tmp_path: Path) -> None:
    here = config(tmp_path)
    with running(here), connected(here) as remote:
        with pytest.raises(SignerRefused, match="was not deployed by this installation's admin"):
            remote.know([LEDGER, OTHER])
        remote.know([LEDGER])
    with running(replace(here, ledgers=())), connected(here) as remote:
        fan = fan_of(remote)
        assert signer_of(gift(), fan.agree(gift())) == fan.address
    with pytest.raises(SignerNotStarted, match="would change its address"):
        start(replace(here, ledgers=(OTHER,), is_child=True))
