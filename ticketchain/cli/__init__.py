"""The command line: `ticketchain COMMAND`. A command's module is imported when that command runs, so help is quick.

Exit statuses: 0 done; 1 it could not be done (one sentence on standard error says why); 2 wrong usage (`audit` and
`reconcile`: something could not be read); 3 a part of the service died and so it ended, start it again; 130 stopped
before it was done.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ticketchain.cli import collector

COMMANDS = {
    "up": ("up:up", "Serve everything on this machine until Ctrl-C: API, worker, and a chain of its own unless --rpc."),
    "api": ("api:api", "Serve the API alone, beside workers; needs --rpc and a database that all share."),
    "worker": ("worker:worker", "Run the loops behind the API, as many processes as you like; needs --rpc."),
    "check": ("check:check", "Look at settings and files as a thief would; says what is open, and the fix."),
    "deploy": ("deploy:deploy", "Put a ledger on a chain, once, and record it in the data folder."),
    "signer": ("signer:app", "The process that has the keys: run it, stop it at once, read its log."),
    "keys": ("keys:app", "API keys and addresses of the installation's operator."),
    "organizer": ("organizer:app", "Register organizers on a running service, with the operator's key."),
    "event": ("changing:app", "Create, look at, pause, move and cancel events, close their moves."),
    "plan": ("plan:app", "Store and look at seat plans, for many events."),
    "issue": ("issue:issue", "Issue the tickets of a manifest or a seat plan; can be stopped and repeated."),
    "reindex": ("reindex:reindex_", "Compare what the service knows with the chain, repair it, accept a deep fork."),
    "recover": ("recover:recover", "After a restore from a backup: signers and money as chain and provider say."),
    "reconcile": ("reconcile:reconcile", "Match a day's statements, payments and deliveries; name each difference."),
    "outbox": ("outbox:app", "What is on its way to the chain, and the ways out when it is stuck."),
    "audit": ("audit:audit", "Recompute every claim of a ledger from the chain alone; check an access log."),
    "access-log": ("access_log:app", "Fetch the access log: who did what, on whom, why, from where."),
    "demo": ("demo:demo", "Run the main job end to end, as organizer, fans, gate and auditor."),
}
"""Where each command is, below this package, and what `ticketchain --help` says of it."""


class Commands(TyperGroup):
    """The group of all commands; it shows stand-ins in its help and fetches the real one when it is to run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command instead of its stand-in."""
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)


def load(name: str) -> Any:
    """The command of this name, ready to run."""
    module, attribute = COMMANDS[name][0].split(":")
    found = getattr(import_module(f"{__name__}.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return get_command(found)
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name)(found)
    return get_command(single)


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ticketchain {version('ticketchain')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Event tickets on an EVM ledger: issue, sell, give, resell under a cap, admit once, and let anyone audit it.

    Settings of the service: options, environment variables TICKETCHAIN_…, a file .env, in this order. The commands
    that talk to a running service (organizer, event, plan, issue) read TICKETCHAIN_URL and TICKETCHAIN_KEY.
    """
    collector.spare()  # the command's module is imported by now


def _stand_in() -> None:
    """Is never run: `Commands.resolve_command` fetches the real command."""


for _name, (_, _help) in COMMANDS.items():
    app.command(_name, help=_help)(_stand_in)


def main() -> None:
    """Entry point of the program `ticketchain`."""
    app()
