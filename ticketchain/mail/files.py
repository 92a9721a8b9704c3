"""Mail while developing: each message is a file in a folder, for who runs the service to read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

from ticketchain.domain.errors import Unavailable
from ticketchain.domain.ports import Letter
from ticketchain.mail.letters import message


class FileMailer:
    """Implements `usecases.parts.Mailer` with files `<letter id>.eml`; the same letter is written once."""

    def __init__(self, folder: Path, sender: str, clock: Callable[[], datetime]) -> None:
        self._folder, self._sender, self._clock = folder, sender, clock

    def send(self, letter: Letter) -> None:
        """Writes the message. Raises `Unavailable` when the folder cannot be written."""
        whole = bytes(message(letter, self._sender, self._clock()))
        file = self._folder / f"{letter.id}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            begun = file.with_suffix(".part")
            with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as part:
                part.write(whole)
            begun.replace(file)
        except OSError as error:
            raise Unavailable(f"the folder {self._folder} for mails cannot be written: {error.strerror}") from error

    def forget(self, address: str, ids: Sequence[str]) -> None:
        """Removes the files of messages to an address, or with these ids."""
        for file in self._folder.glob("*.eml"):
            with suppress(OSError):  # another process was quicker
                if file.stem in ids or message_from_bytes(file.read_bytes(), policy=SMTP)["To"] == address:
                    file.unlink()
