"""Runs the migrations on the engine handed over by `ticketchain.store.engine.Store.migrate` (or TICKETCHAIN_DATABASE_URL)."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import create_engine

from ticketchain.store.schema import metadata

engine = context.config.attributes.get("engine") or create_engine(os.environ["TICKETCHAIN_DATABASE_URL"])
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
