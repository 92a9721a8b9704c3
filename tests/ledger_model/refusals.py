"""How the model says no."""

from typing import Any

Args = tuple[Any, ...]


class Refused(Exception):
    """A call, or a line of a bulk call, is refused with this error of the ledger (or of a token, or of ERC-721)."""

    def __init__(self, name: str, *args: Any) -> None:
        super().__init__(name, *args)
        self.name = name
        self.values: Args = args

    def __repr__(self) -> str:
        return f"{self.name}{self.values}"


Problem = Refused | None


def ledger_error(name: str, *args: Any) -> Refused:
    """One of the ledger's own errors."""
    return Refused(f"Ledger_{name}", *args)


def check(problem: Problem) -> None:
    """Single calls end with the problem, if there is one."""
    if problem is not None:
        raise problem
