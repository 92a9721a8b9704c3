"""From a letter's template and values to its message (RFC 5322). The texts are in `texts/<language>/<template>.txt`:
the first line is the subject.
"""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from string import Template

from ticketchain.domain.ports import Letter

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = ("en", "zh")


def message(letter: Letter, sender: str, at: datetime) -> EmailMessage:
    """The message; its Message-ID is the letter's id, so that a letter that goes out twice is one to the reader.

    Raises `KeyError` for a template or value that does not exist.
    """
    subject, _, body = _text(letter.language, letter.template).partition("\n")
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = letter.to
    made["Subject"] = Template(subject).substitute(letter.values)
    made["Date"] = format_datetime(at)
    made["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers that they are on holiday
    made.set_content(
        Template(body.lstrip("\n")).substitute(letter.values), cte="base64" if letter.language != "en" else "8bit"
    )
    return made


@cache
def _text(language: str, template: str) -> str:
    known = language if language in LANGUAGES else LANGUAGES[0]
    file = TEXTS / known / f"{template}.txt"
    if not file.is_file():
        raise KeyError(f"there is no letter {template!r}")
    return file.read_text(encoding="utf-8")
