"""Runs the migrations in the transaction that `ticketchain.store.engine.Store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from ticketchain.store import (  # noqa: F401  (they register)
    sandbox,
    schema,
    schema_accounts,
    schema_chain,
    schema_gate,
    schema_members,
    schema_money,
    schema_people,
    schema_sales,
    schema_wallets,
)
from ticketchain.store.types import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    user_module_prefix="types.",
)
context.run_migrations()
