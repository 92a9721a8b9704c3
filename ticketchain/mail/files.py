"""Mail while developing: each message is a file in a folder, for who runs the service to read."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
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
