"""Mail by a real SMTP server that takes it, refuses it, hangs up, answers twice, is gone; and as files."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.accounts.people import Town
from tests.api.people import done
from ticketchain.domain.errors import MailRefused, Unavailable
from ticketchain.domain.ports import Letter
from ticketchain.mail import letters, smtp
from ticketchain.mail.choice import choose_mailer
from ticketchain.mail.smtp import Server, SmtpMailer, server_of
from ticketchain.store import mails as rows
from ticketchain.usecases import mail

SENDER = "tickets@service.example"
WORDS = {"service": "s.example", "url": "https://s.example", "code": "12345678", "until": "noon", "token": "t"}
LETTER = Letter("eml_1", "anna@example.com", "sign_up", "en", WORDS)


def _now() -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class MailServer:
    """A real one; `answer` to a letter, after it was noted in `came`; None hangs up without an answer."""

    answer: str | None = "250 taken"
    recipient: str = "250 known"
    came: list[bytes] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.came.append(envelope.content)
        if self.answer is None:
            server.transport.abort()
        return self.answer or "250 nobody hears this"

    def mailer(self, scheme: str = "smtp", trust: ssl.SSLContext | None = None, user: str = "") -> SmtpMailer:
        there = Server(scheme, "localhost", self.port, user, "open sesame" if user else "")
        return SmtpMailer(there, SENDER, _now, trust, patience_s=5)


@contextmanager
def serving(server: MailServer, **how: Any) -> Iterator[MailServer]:
    """Runs it on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server.port = probe.getsockname()[1]
    controller = Controller(server, hostname="localhost", port=server.port, enable_SMTPUTF8=True, **how)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def test_a_letter_arrives_as_it_was_written() -> None:
    with serving(MailServer()) as server:
        server.mailer().send(LETTER)
    (raw,) = server.came
    came = message_from_bytes(raw, policy=default)
    assert (came["To"], came["From"], came["Message-ID"]) == ("anna@example.com", SENDER, "<eml_1@service.example>")
    assert "12345678" in came["Subject"] and came["Auto-Submitted"] == "auto-generated"
    assert "    12345678\r\n" in came.get_content()


@pytest.mark.parametrize(
    ("server", "raises"),
    [
        (MailServer(recipient="550 no such mailbox"), MailRefused),
        (MailServer(recipient="450 mailbox busy"), Unavailable),
        (MailServer(answer="554 looks like junk"), MailRefused),
        (MailServer(answer="451 later"), Unavailable),
        (MailServer(answer=None), Unavailable),
    ],
    ids=lambda value: getattr(value, "answer", None) or getattr(value, "__name__", "hangs up"),
)
def test_what_the_server_says_is_for_good_or_for_now(server: MailServer, raises: type[Exception]) -> None:
    with serving(server), pytest.raises(raises) as refusal:
        server.mailer().send(LETTER)
    assert "anna" not in str(refusal.value)


def test_nobody_there_is_for_now() -> None:
    with pytest.raises(Unavailable):
        MailServer(port=9).mailer().send(LETTER)


# ------------------------------------------------------------------------------------------------ encryption


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    begun = datetime.now(UTC) - timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(begun).not_valid_after(begun + timedelta(days=2))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    file: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file


def _theirs(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_the_line_is_encrypted_and_the_server_known(certificate: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"us", b"open sesame"))

    def known(server: MailServer) -> Any:
        return serving(server, tls_context=_theirs(certificate), require_starttls=True, authenticator=authenticate)

    with known(MailServer()) as server:
        server.mailer(trust=trust, user="us").send(LETTER)
        with pytest.raises(Unavailable):
            server.mailer(trust=trust, user="them").send(LETTER)
        with pytest.raises(Unavailable):
            server.mailer().send(LETTER)  # a certificate that nobody knows
        assert len(server.came) == 1
    with serving(MailServer(), ssl_context=_theirs(certificate)) as server:
        server.mailer("smtps", trust).send(LETTER)
        assert len(server.came) == 1


def test_no_mail_goes_to_another_machine_in_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(MailServer()) as server:
        server.mailer().send(LETTER)
        monkeypatch.setattr(smtp, "HERE", ())  # as if it were far away
        with pytest.raises(Unavailable, match="no encryption"):
            server.mailer().send(LETTER)
        assert len(server.came) == 1


def test_a_server_is_named_by_a_url() -> None:
    assert server_of("smtp://us:p%40ss@mail.example") == Server("smtp", "mail.example", 587, "us", "p@ss")
    assert server_of("smtps://mail.example:4465").port == 4465
    for wrong in ("mail.example", "https://mail.example", "smtp://"):
        with pytest.raises(Unavailable, match="SMTP_URL"):
            choose_mailer(wrong, Path(), SENDER, _now)


# ------------------------------------------------------------------------------------------------ the worker's step


def _waiting(town: Town) -> list[Any]:
    with town.shop.parts.store.read() as tx:
        return rows.due(tx, town.shop.clock() + timedelta(days=99), 99)


def _ask(town: Town, server: MailServer) -> Callable[[], bool]:
    object.__setattr__(town.shop.parts, "mailer", server.mailer())
    done(town.browser().post("/v1/accounts", json={"mail": "anna@example.com"}), 202)
    return lambda: mail.send_mails(town.shop.parts)


def test_a_letter_is_tried_again_and_again_until_it_is_taken_and_then_emptied(town: Town) -> None:
    with serving(MailServer(answer="451 later")) as server:
        step = _ask(town, server)
        assert step() and not step()
        town.shop.clock.advance(seconds=16)
        assert step() and not step()
        town.shop.clock.advance(seconds=16)
        assert not step()  # the pause has doubled
        server.answer = "250 taken"
        town.shop.clock.advance(seconds=16)
        assert step() and not _waiting(town)
    assert len({message_from_bytes(raw)["Message-ID"] for raw in server.came}) == 1 < len(server.came) == 3


def test_a_letter_whose_answer_was_lost_comes_again_as_the_same_letter(village: Town) -> None:
    with serving(MailServer(answer=None)) as server:
        step = _ask(village, server)
        step()
        server.answer = "250 taken"
        village.shop.clock.advance(minutes=1)
        step()
    first, second = (message_from_bytes(raw)["Message-ID"] for raw in server.came)
    assert first == second and not _waiting(village)


def test_a_server_that_answers_twice_gets_a_letter_once(village: Town) -> None:
    with serving(MailServer(answer="250 taken\r\n250 taken, I said")) as server:
        step = _ask(village, server)
        assert step() and not step()
    assert len(server.came) == 1 and not _waiting(village)


def test_a_letter_refused_for_good_is_not_tried_again(village: Town) -> None:
    with serving(MailServer(recipient="550 no such mailbox")) as server:
        step = _ask(village, server)
        assert step() and not step() and not _waiting(village)
    assert "anna" not in repr(village.shop.log.lines)


def test_a_letter_is_given_up_at_last(village: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MOST_TRIES", 2)
    step = _ask(village, MailServer(port=9))
    step()
    village.shop.clock.advance(hours=2)
    step()
    assert not _waiting(village)


def test_a_letter_of_an_erased_person_goes_nowhere(village: Town) -> None:
    with serving(MailServer()) as server:
        step = _ask(village, server)
        village.shop.parts.people.erase(_waiting(village)[0].person_id)
        assert step()
    assert not server.came and not _waiting(village)


# ------------------------------------------------------------------------------------------------ texts


@pytest.mark.parametrize("language", letters.LANGUAGES)
def test_every_letter_is_there_in_every_language_and_says_where_to_go(language: str) -> None:
    names = {file.stem for file in (letters.TEXTS / "en").glob("*.txt")}
    assert names == {file.stem for file in (letters.TEXTS / language).glob("*.txt")}
    for name in sorted(names):
        words = dict.fromkeys(("device", "state", "organizer", "role", "inviter"), "x") | WORDS
        made = letters.message(Letter("eml_1", "a@example.com", name, language, words), SENDER, _now())
        assert made["Subject"] and made.get_content().strip() and "$" not in made.get_content()
