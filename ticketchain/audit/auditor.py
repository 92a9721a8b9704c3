"""The audit from end to end: find the ledger, read its logs, judge and replay them, ask the contract itself,
add up.
"""

import re
from itertools import groupby

from ticketchain.audit import rules
from ticketchain.audit.model import Finding, State
from ticketchain.audit.reader import LogReader, Progress, code_problems, read_code, read_header
from ticketchain.audit.report import Report, counts, money_totals, summaries
from ticketchain.audit.rpc import CouldNotRead, Node, Refused, number
from ticketchain.audit.signatures import Claims, verify
from ticketchain.audit.views import compare

HEAD, FINAL = "head", "final"
_TAGS = {HEAD: "latest", FINAL: "finalized"}


def audit_ledger(
    rpc_url: str,
    ledger: str,
    *,
    from_block: int = 0,
    to_block: int | str = HEAD,
    check_state: bool = True,
    state_limit: int = 5_000,
    signatures: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Recompute every claim of the ledger at this address from the chain behind this RPC URL.

    `to_block` is a height, "head" or "final". `from_block` may be any block up to the ledger's deployment.
    With `check_state` the contract's views at `to_block` are compared for up to `state_limit` tickets; with
    `signatures` consents and attestations are checked from the calldata. Raises CouldNotRead, whose text is
    one sentence, if the chain can't be read.
    """
    run = _Run(rpc_url, ledger, from_block, to_block, progress or _silent)
    run.check_code()
    run.replay(Claims() if signatures else None)
    if check_state:
        run.compare_views(state_limit)
    else:
        run.notes.append("The contract's own views were not compared.")
    run.check_unchanged()
    return run.report()


class _Run:
    """One audit while it runs."""

    def __init__(self, rpc_url: str, ledger: str, from_block: int, to_block: int | str, progress: Progress) -> None:
        self.node, self.progress, self.ledger = Node(rpc_url), progress, checked_address(ledger)
        self.chain_id = number(self.node.call("eth_chainId"))
        self.end = read_header(self.node, checked_block(to_block))
        self.from_block = from_block
        if not 0 <= from_block <= self.end.number:
            raise CouldNotRead(f"The first block must lie between 0 and {self.end.number}, the last one to read.")
        self.state, self.findings, self.notes = State(self.ledger), list[Finding](), list[str]()
        self.logs = self.compared = self.signatures = 0

    def check_code(self) -> None:
        """The contract is there, all its parts are those we ship, and it was not there before the first block."""
        if not read_code(self.node, self.ledger, self.end.number):
            where = f"on chain {self.chain_id} at block {self.end.number}"
            raise CouldNotRead(f"There is no contract at {self.ledger} {where}.")
        for problem in code_problems(self.node, self.ledger, self.end.number):
            self.findings.append(Finding("code_differs", None, None, self.end.number, "", problem))
        if self.from_block > 0:
            self._check_start()

    def _check_start(self) -> None:
        before = self.from_block - 1
        try:
            existed = bool(read_code(self.node, self.ledger, before))
        except Refused:
            raise CouldNotRead(
                f"The node can't say whether the ledger existed before block {self.from_block}; "
                "leave the first block out, or ask an archive node."
            ) from None
        if existed:
            raise CouldNotRead(f"The ledger existed at block {before} already; read from its deployment or before.")

    def replay(self, claims: Claims | None) -> None:
        """Judge and apply all logs, one transaction after the other."""
        reader = LogReader(self.node, self.ledger, self.from_block, self.end.number, self.progress)
        for _, logs in groupby(reader.logs(), key=lambda log: log.tx):
            self.findings += rules.judge(self.state, logs, claims.note if claims else None)
        self.findings += reader.findings
        self.logs = reader.count
        if claims is None:
            self.notes.append("Signatures in the calldata were not checked.")
            return
        verdict = verify(self.node, self.ledger, self.chain_id, claims, self.progress)
        self.findings += verdict.findings
        self.signatures = verdict.good
        if verdict.unjudged:
            self.notes.append(f"{verdict.unjudged} signatures can't be judged from calldata alone.")

    def compare_views(self, limit: int) -> None:
        """Compare the replayed state with what the contract says itself."""
        try:
            self.compared, differences = compare(self.node, self.state, self.end.number, limit, self.progress)
        except Refused as error:
            raise CouldNotRead(f"The contract's views can't be asked at block {self.end.number}: {error}") from error
        self.findings += differences
        issued = sum(batch.supply for event in self.state.events.values() for batch in event.batches.values())
        if self.compared < issued:
            self.notes.append(f"The contract's views were compared for {self.compared} of {issued} tickets.")

    def check_unchanged(self) -> None:
        """The last block is still the one we started with."""
        if read_header(self.node, self.end.number).hash != self.end.hash:
            raise CouldNotRead(f"The chain changed at block {self.end.number} while it was read; run the audit again.")

    def report(self) -> Report:
        """Everything added up."""
        events = summaries(self.state)
        return Report(
            ledger=self.ledger,
            chain_id=self.chain_id,
            from_block=self.from_block,
            to_block=self.end.number,
            block_hash=self.end.hash,
            logs=self.logs,
            compared=self.compared,
            signatures=self.signatures,
            counts=counts(self.state, events),
            money=money_totals(self.state),
            events=events,
            findings=tuple(sorted(self.findings, key=lambda finding: (finding.block, finding.tx))),
            notes=tuple(self.notes),
        )


def checked_address(text: str) -> str:
    """A lower-case address. Raises CouldNotRead if the text is none."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise CouldNotRead(f"The ledger's address must be 0x and 40 hexadecimal digits, not {text!r}.")
    return text.lower()


def checked_block(block: int | str) -> int | str:
    """A height, or the JSON-RPC tag for "head" or "final". Raises CouldNotRead for anything else."""
    if isinstance(block, str) and block in _TAGS:
        return _TAGS[block]
    if isinstance(block, int) or (block.isascii() and block.isdigit()):
        return int(block)
    raise CouldNotRead(f"The last block must be a height, {HEAD!r} or {FINAL!r}, not {block!r}.")


def _silent(_: str, __: int, ___: int) -> None:
    """Nobody watches."""
