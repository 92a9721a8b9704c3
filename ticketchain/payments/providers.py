"""Which payment providers an installation has: Stripe or the sandbox where people pay over the net, and the desk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ticketchain.domain.errors import Invalid
from ticketchain.payments.delivery import WebhookSender
from ticketchain.payments.desk import Desk
from ticketchain.payments.sandbox import Sandbox, SandboxProvider
from ticketchain.payments.stripe import StripeKeys, StripeProvider
from ticketchain.store.engine import Store

Provider = StripeProvider | SandboxProvider | Desk


@dataclass(frozen=True)
class Providers:
    """Providers by name, the one for people at home first; and the parts that only the sandbox or Stripe have."""

    by_name: dict[str, Provider]
    sandbox: Sandbox | None
    webhooks: WebhookSender | None
    stripe: StripeProvider | None


def choose_providers(
    store: Store,
    clock: Callable[[], datetime],
    new_id: Callable[[str], str],
    url: str,
    hooks: Sequence[str],
    with_sandbox: bool,
    stripe_keys: StripeKeys | None,
) -> Providers:
    """`url`: where people reach the service; `hooks`: secrets of the sandbox's webhooks. With Stripe's keys people pay
    at Stripe, and a sandbox only answers for what was paid there before. Raises `Invalid` for incomplete keys.
    """
    stripe = StripeProvider(_complete(stripe_keys), url) if stripe_keys is not None else None
    sandbox = Sandbox(store, clock, new_id, url) if with_sandbox else None
    known: list[Provider | None] = [stripe, SandboxProvider(sandbox, hooks, clock) if sandbox else None]
    known.append(Desk(store, clock))
    sender = WebhookSender(store, f"{url}/v1/webhooks/sandbox", hooks, clock) if sandbox else None
    return Providers({each.name: each for each in known if each is not None}, sandbox, sender, stripe)


def _complete(keys: StripeKeys) -> StripeKeys:
    if not keys.publishable:
        raise Invalid("TICKETCHAIN_STRIPE_PUBLISHABLE_KEY", "is missing; set the account's publishable key (pk_…)")
    if not any(keys.webhook_secrets):
        raise Invalid("TICKETCHAIN_STRIPE_WEBHOOK_SECRETS", "is missing; set the endpoint's signing secret (whsec_…)")
    return keys


def own_secret(file: Path) -> str:
    """The secret of the sandbox's webhooks in a file that is made on first use."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32))
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(draft, file)
        draft.unlink()
    return file.read_text().strip()
