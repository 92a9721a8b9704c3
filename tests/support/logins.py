"""Passwords that are hashed quickly, and mail as files that a test reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from ticketchain.mail.files import FileMailer
from ticketchain.passwords.argon2 import Argon2Passwords, Cost

SENDER = "tickets@service.example"


def login_parts(folder: Path, clock: Callable[[], datetime]) -> dict[str, Any]:
    """The parts that log-ins need, as arguments of `Parts`."""
    return {
        "passwords": Argon2Passwords(cost=Cost(memory_kib=8, rounds=1), waiting=100),
        "mailer": FileMailer(folder / "mail", SENDER, clock),
    }


def mails(folder: Path) -> list[EmailMessage]:
    """The mails that went out as files, oldest first."""
    files = sorted((folder / "mail").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=default) for file in files]
