"""Runs the migrations on the engine that `ticketchain.store.engine.Store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from ticketchain.store import sandbox, schema, schema_chain  # noqa: F401  (they register their tables)
from ticketchain.store.types import metadata

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transaction_per_migration=True,
        user_module_prefix="types.",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
