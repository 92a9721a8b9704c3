"""Mail by SMTP (RFC 5321): encrypted to everywhere but this machine, one connection a letter."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote, urlsplit

from ticketchain.domain.errors import MailRefused, Unavailable
from ticketchain.domain.ports import Letter
from ticketchain.mail.letters import message

HERE = ("localhost", "127.0.0.1", "::1")
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Server:
    """A mail server: `smtp` begins in plain and must offer STARTTLS (RFC 3207) unless it is this machine; `smtps` is
    encrypted from the first byte (RFC 8314).
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


def server_of(url: str) -> Server:
    """From `smtp://user:password@host:587` or `smtps://…`. Raises `ValueError`; the text never has the password."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("write smtp://user:password@host:587 or smtps://user:password@host:465")
    port = parts.port or _PORTS[parts.scheme]
    return Server(parts.scheme, parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""))


class SmtpMailer:
    """Implements `usecases.parts.Mailer`. `trust`: whose certificates are believed; the system's when left out."""

    def __init__(
        self,
        server: Server,
        sender: str,
        clock: Callable[[], datetime],
        trust: ssl.SSLContext | None = None,
        patience_s: float = 15.0,
    ) -> None:
        self._server, self._sender, self._clock = server, sender, clock
        self._trust, self._patience_s = trust or ssl.create_default_context(), patience_s

    def send(self, letter: Letter) -> None:
        """Hands the letter to the server. Raises `MailRefused` when it never takes it, `Unavailable` when it may take
        it later: also when its answer was lost, so that a letter can arrive twice, with one Message-ID.
        """
        made = message(letter, self._sender, self._clock())
        try:
            with self._connected() as smtp:
                smtp.send_message(made)
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            raise _refusal(code) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refusal(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefused("the mail server cannot write to this address (no SMTPUTF8)") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"the mail server {self._server.host} does not answer: {type(error).__name__}") from None

    def forget(self, address: str, ids: Sequence[str]) -> None:
        """Nothing of a letter stays here once the server has it."""

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A connection, encrypted and logged in as far as that is wanted; taken letters count when leaving fails."""
        server = self._server
        if server.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._patience_s, context=self._trust
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._patience_s)
        try:
            smtp.ehlo()
            if server.scheme == "smtp":
                self._encrypt(smtp)
            if server.user:
                smtp.login(server.user, server.password)
            yield smtp
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
        finally:
            smtp.close()

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        """Begins TLS. Raises `Unavailable` when another machine does not offer it: mails go nowhere in plain."""
        if smtp.has_extn("starttls"):
            smtp.starttls(context=self._trust)
        elif self._server.host not in HERE:
            raise Unavailable(f"the mail server {self._server.host} offers no encryption (STARTTLS); use smtps://")


def _refusal(code: int) -> Exception:
    """What a reply's code means (RFC 5321, 4.2.1): 5yz is for good, 4yz for now."""
    if code // 100 == 5:
        return MailRefused(f"the mail server refused the letter for good ({code})")
    return Unavailable(f"the mail server refused the letter for now ({code})")
