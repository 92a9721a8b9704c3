"""What the comparison is worth: a faulty ledger is caught by the model and, if a promise breaks, by the witness alone.

In CI the faults are put into the compiled code; `--faults` compiles some from faulty sources as well (a minute each).
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts import contracts
from tests.ledger_model import views
from tests.ledger_model.codec import hash_text
from tests.ledger_model.history import LENGTH, History
from tests.ledger_model.refusals import Refused
from tests.ledger_model.signing import TYPES
from tests.ledger_model.world import Build, Outcome, shipped

LEDGER, DESK = "contracts/src/TicketLedger.sol", "contracts/src/parts/TicketDesk.sol"
MOST_HISTORIES = 100


@dataclass(frozen=True)
class Fault:
    """One place of the sources, made wrong.

    The part that is compiled anew, the file, the text, what it becomes; and whether a promise of the ledger breaks, as
    the witness sees without a model.
    """

    name: str
    part: str
    file: str
    text: str
    wrong: str
    breaks_a_promise: bool = True


FAULTS = (
    Fault(
        "one cent over the cap",
        LEDGER,
        "base/Rules.sol",
        "return price <= _resaleCapOf(word, policy, cap);",
        "return price <= _resaleCapOf(word, policy, cap) + 1;",
    ),
    Fault(
        "one gift more",
        LEDGER,
        "base/Rules.sol",
        "word.gifts() < policy.giftLimit()",
        "word.gifts() <= policy.giftLimit()",
    ),
    Fault(
        "no cool-down",
        LEDGER,
        "base/Rules.sol",
        "block.timestamp >= uint256(word.since()) + policy.cooldown()",
        "block.timestamp >= uint256(word.since())",
    ),
    Fault(
        "twice a day",
        LEDGER,
        "TicketLedger.sol",
        "used.day < _today()",
        "used.day <= _today()",
    ),
    Fault(
        "holders of the past are counted",
        LEDGER,
        "base/Tickets.sol",
        "if (from != address(0)) _holdings[eventId][from] -= 1;",
        "",
        breaks_a_promise=False,
    ),
    Fault(
        "code speaks for custodied holders",
        LEDGER,
        "base/Consents.sol",
        "if (!word.isCustodied() && holder.code.length > 0) {",
        "if (holder.code.length > 0) {",
        breaks_a_promise=False,
    ),
    Fault(
        "a gift can be voided",
        DESK,
        "parts/DisputeDesk.sol",
        "bool ownPayment = word.gifts() == 0;",
        "bool ownPayment = word.gifts() < 7;",
        breaks_a_promise=False,
    ),
    Fault(
        "a face is refunded again and again",
        DESK,
        "parts/MoneyOffice.sol",
        "_escrowed[eventId].unset(TicketId.numberOf(id));",
        "",
    ),
    Fault(
        "the last payee's cents are lost",
        DESK,
        "parts/MoneyOffice.sol",
        "i == payees.length - 1 ? rest : pot * payees[i].bps / BPS",
        "pot * payees[i].bps / BPS",
    ),
    Fault(
        "a revocation hides the payment",
        DESK,
        "parts/HolderDesk.sol",
        "        _moveUncounted(id, word, next);\n        emit Revoked",
        "        _move(id, word, next, _policies[TicketId.eventOf(id)]);\n        emit Revoked",
        breaks_a_promise=False,
    ),
    Fault(
        "the house sells over face",
        LEDGER,
        "base/Rules.sol",
        "if (payment.price() > bulk.batch.face()) return false;",
        "",
    ),
    Fault(
        "a cancelled event owes all that was paid",
        DESK,
        "parts/MoneyOffice.sol",
        "return paid < face ? paid : face;",
        "return paid;",
    ),
    Fault(
        "the pool takes what it can not sell",
        DESK,
        "parts/ExchangeDesk.sol",
        "if (next.isAtLastEpoch()) revert Ledger_LastEpoch(id);",
        "",
        breaks_a_promise=False,
    ),
    Fault(
        "locked twice",
        DESK,
        "parts/DisputeDesk.sol",
        "if (!word.isStopped()) emit IERC5192.Locked(id);",
        "emit IERC5192.Locked(id);",
    ),
    Fault(
        "an hour less for the veto",
        DESK,
        "parts/DisputeDesk.sol",
        "REISSUE_WAIT = 48 hours",
        "REISSUE_WAIT = 47 hours",
        breaks_a_promise=False,
    ),
    Fault(
        "the escrow is released earlier",
        DESK,
        "parts/EventOffice.sol",
        'if (schedule.releaseAt < _escrows[eventId].releaseAt) revert Ledger_BadSchedule("releaseAt");',
        "",
        breaks_a_promise=False,
    ),
)


class Alone(History):
    """A history that only the witness looks at: the model chooses the steps, but nobody asks it."""

    can_preset = False

    def compare(self, questions: Iterable[views.Question]) -> None:
        """Nothing."""

    def _compare(self, name: str, count: int, error: Refused | None, answer: Any, outcome: Outcome) -> None:
        """Nothing."""

    def look_at_everything(self) -> None:
        """The sums only."""
        self.witness.look_at_sums(self.accounts)


def is_caught(build: Build, kind: type[History] = History) -> bool:
    """Whether a history finds fault with this ledger."""
    for salt in range(MOST_HISTORIES):
        try:
            history = kind(build)
            history.play([1] * LENGTH, salt)
            history.end()
        except AssertionError:
            return True
    return False


def test_the_witness_alone_finds_no_fault_with_the_ledger() -> None:
    for salt in range(3):
        history = Alone()
        history.play([1] * LENGTH, salt)
        history.end()


# -------------------------------------------------------------------------------------------------- in compiled code


def _selector(signature: str) -> bytes:
    return hash_text(signature)[:4]


PATCHES = {
    "another error": (_selector("Ledger_GiftLimit(uint64,uint8)"), _selector("Ledger_GiftLimit(uint64)")),
    "another event": (hash_text("Revoked(uint64,address,uint16)"), hash_text("Revoked(uint64)")),
    "another message": (hash_text(TYPES["PoolReturn"]), hash_text(TYPES["Refund"])),
    "another wait": (b"\x62" + (48 * 3_600).to_bytes(3, "big"), b"\x62" + (47 * 3_600).to_bytes(3, "big")),
    "another day": (b"\x62" + (86_400).to_bytes(3, "big"), b"\x62" + (86_401).to_bytes(3, "big")),
}
"""Constants of the compiled code, and what is put in their place."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", PATCHES)
def test_a_patched_ledger_is_caught(name: str) -> None:
    good, (old, new) = shipped(), PATCHES[name]
    assert old in good.ledger + good.desk, f"{name}: the code has no such constant any more"
    assert is_caught(Build(good.abi, good.ledger.replace(old, new), good.desk.replace(old, new)))


# -------------------------------------------------------------------------------------------------- from faulty sources


def compiled(fault: Fault, folder: Path) -> Build:
    """The ledger with this fault in it."""
    sources = folder / "contracts" / "src"
    shutil.copytree(contracts.ROOT / "contracts" / "src", sources)
    (folder / "node_modules").symlink_to(contracts.ROOT / "node_modules")
    place = sources / fault.file
    text = place.read_text(encoding="utf-8")
    assert text.count(fault.text) == 1, f"{fault.name}: {fault.file} reads otherwise now"
    place.write_text(text.replace(fault.text, fault.wrong), encoding="utf-8")
    contracts.build(fault.part, root=folder, folder=folder)
    raw = json.loads((folder / f"{Path(fault.part).stem}.json").read_text(encoding="utf-8"))
    code, good = bytes.fromhex(raw["bytecode"][2:]), shipped()
    return Build(good.abi, code, good.desk) if fault.part == LEDGER else Build(good.abi, good.ledger, code)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_faulty_ledger_is_caught(fault: Fault, tmp_path: Path, faults: bool) -> None:
    if not faults:
        pytest.skip("compiling takes a minute: --faults")
    build = compiled(fault, tmp_path)
    assert is_caught(build), f"{fault.name}: the model agrees"
    if fault.breaks_a_promise:
        assert is_caught(build, Alone), f"{fault.name}: no promise is broken"
