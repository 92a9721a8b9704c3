"""Which way mails go out: by SMTP where a server is named, else as files of the data folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ticketchain.domain.errors import Unavailable
from ticketchain.mail.files import FileMailer
from ticketchain.mail.smtp import SmtpMailer, server_of


def choose_mailer(url: str, folder: Path, sender: str, clock: Callable[[], datetime]) -> SmtpMailer | FileMailer:
    """The mailer for `url` (`smtp://…`, `smtps://…`), or one that writes to `folder`. Raises `Unavailable` for a URL
    that is none.
    """
    if not url:
        return FileMailer(folder, sender, clock)
    try:
        return SmtpMailer(server_of(url), sender, clock)
    except ValueError as error:
        raise Unavailable(f"TICKETCHAIN_SMTP_URL cannot be used: {error}") from None
