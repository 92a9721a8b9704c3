"""The loops that move work along: each is a `step() -> bool` that is repeated, quickly while it finds work, slowly
when not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ticketchain.context import Context
from ticketchain.usecases import (
    allotments,
    anchors,
    aside,
    cancel,
    charges,
    disputes,
    gate,
    hold,
    mail,
    members,
    pass_on,
    pay,
    recording,
    refund,
)
from ticketchain.usecases.retention import Upkeep

Step = Callable[[], bool]
IDLE_S = (0.01, 0.25)
"""Seconds between two steps of a loop that finds no work: at first, and the most after a while."""

GATHER_S = 0.1
"""Seconds between two steps of a loop that finds work. More gathers meanwhile, and many at once cost less each."""

PROMPT = frozenset({"webhooks"})
"""Loops that gain nothing by that: they do one thing after another."""

BACKOFF_S = (0.2, 1.0, 5.0)
LOOKS_A_BEAT = 4

LOCAL = frozenset({"chain"})
"""Loops that need no lease: the embedded chain is this process's child."""


def steps(context: Context) -> dict[str, list[Step]]:
    """The loops of a service by name; the steps of one loop run one after the other."""
    p, signers = context.parts, {_signer(sender.address): None for sender in context.senders}
    loops: dict[str, list[Step]] = {
        "chain": [context.chain_step],
        **{name: [s.step for s in context.senders if name == _signer(s.address)] for name in signers},
        **{f"indexer:{indexer.ledger}": [indexer.step] for indexer in context.indexers},
        "payments": [
            partial(charges.open_charges, p),
            partial(pay.apply_webhooks, p),
            partial(pay.send_refunds, p),
            partial(disputes.pursue_disputes, p),
        ],
        "housekeeping": [
            partial(hold.expire_holds, p),
            partial(allotments.return_due, p),
            partial(pay.expire_orders, p),
            partial(pass_on.end_lapsed_listings, p),
            partial(refund.end_unanswered, p),
            partial(gate.ensure_entry_keys, p),
            partial(aside.release_failed, p),
            partial(cancel.walk, p),
            partial(recording.record_refunds, p),
            partial(anchors.publish_heads, p),
            Upkeep(p).step,
            partial(members.forget_invitations, p),
        ],
    }
    loops["mail"] = [partial(mail.send_mails, p)]
    if context.webhooks is not None:
        loops["webhooks"] = [context.webhooks.step]
    return loops


def _signer(address: str) -> str:
    """The loop of a signer: it sends to all ledgers, so that its nonces are given out in one place."""
    return f"signer:{address}"


def run_until_idle(context: Context, rounds: int = 10_000) -> None:
    """Repeats all steps in one thread until none finds work: for tests and for `ticketchain` commands without a
    server.
    """
    every = [step for loop in steps(context).values() for step in loop]
    for _ in range(rounds):
        if not any([step() for step in every]):
            return
    raise RuntimeError(f"the work does not end after {rounds} rounds")


@dataclass
class Worker:
    """Runs every loop in a thread of its own until stopped, each only while this process holds the lease of its name.

    Any number of processes may run one each: they share the loops, and what a dead one held goes to another within the
    time of a lease and a beat. Why a step that outlives its lease does no harm: `ticketchain.store.leases.Leases`.
    """

    context: Context
    stopping: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    away: bool = False
    """The leases could not be renewed the last time."""

    def start(self) -> None:
        """Starts the threads."""
        loops = steps(self.context)
        wanted = [name for name in loops if name not in LOCAL]
        self._renew(wanted)  # at once: who looks now shall see that somebody works
        self._thread("heartbeat", self._beat, wanted)
        for name, loop in loops.items():
            self._thread(name, self._run, name, loop)

    def stop(self) -> None:
        """Lets each loop finish its step, waits for all, and gives the leases back, so that others go on at once."""
        self.stopping.set()
        for thread in self.threads[1:]:
            thread.join()
        self.stopped.set()  # only now: what is worked on stays ours
        for thread in self.threads[:1]:
            thread.join()

    def _thread(self, name: str, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, name=name)
        thread.start()
        self.threads.append(thread)

    def _beat(self, wanted: list[str]) -> None:
        """Keeps the leases: renews them in time, and looks more often whether one has become free."""
        beaten, pause = time.monotonic(), self.context.leases.beat_s / LOOKS_A_BEAT
        while not self.stopped.wait(pause):
            due = time.monotonic() - beaten >= self.context.leases.beat_s
            if (due or self._sees_free(wanted)) and self._renew(wanted):
                beaten = time.monotonic()
        try:
            self.context.leases.release()
        except Exception as error:  # they run out by themselves
            self.context.parts.log.warning("leases not given back", error=repr(error))

    def _renew(self, wanted: list[str]) -> bool:
        """Beats; tells the log when that begins to fail, and when it works again."""
        try:
            self.context.leases.beat(wanted)
        except Exception as error:
            if not self.away:
                self.context.parts.log.error("leases not renewed, loops stand until they are", error=repr(error))
            self.away = True
            return False
        if self.away:
            self.context.parts.log.info("leases renewed again")
        self.away = False
        return True

    def _sees_free(self, wanted: list[str]) -> bool:
        try:
            return self.context.leases.free(wanted)
        except Exception:
            return False  # the next beat tells why

    def _may(self, name: str) -> bool:
        leases = self.context.leases
        if leases.leaving(name):
            leases.release(name)
        return not self.stopping.is_set() and (name in LOCAL or leases.holds(name))

    def _run(self, name: str, loop: list[Step]) -> None:
        failures, idle = 0, IDLE_S[0]
        while not self.stopping.is_set():
            done = [self._step(name, step) for step in loop if self._may(name)]
            if None in done:
                self.stopping.wait(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
                failures += 1
                continue
            failures = 0
            idle = IDLE_S[0] if any(done) else min(idle * 1.5, IDLE_S[1])
            self.stopping.wait(idle if not any(done) else 0 if name in PROMPT else GATHER_S)

    def _step(self, name: str, step: Step) -> bool | None:
        """Whether a step found work; None when it failed. The other steps of its loop go on either way."""
        try:
            return step()
        except Exception as error:
            self.context.parts.log.error("step failed, will be repeated", loop=name, error=repr(error))
            return None
