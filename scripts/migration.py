"""`python -m scripts.migration MESSAGE`: writes a migration from what the tables say and the migrations do not say
yet.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def main(message: str) -> None:
    """Brings an empty database to the newest migration, compares it with the tables, and writes the difference."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with create_engine(f"sqlite:///{folder}/empty.db").begin() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
            number = len(list((MIGRATIONS / "versions").glob("*.py"))) + 1
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say what the migration does: python -m scripts.migration 'Add …'")
    main(sys.argv[1])
