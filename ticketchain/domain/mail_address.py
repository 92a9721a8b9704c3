"""Mail addresses as people type them: what can be one, and nothing that could be more than one."""

from __future__ import annotations

import re

from ticketchain.domain.errors import Invalid

LONGEST = 254
"""Characters (RFC 5321, 4.5.3.1.3)."""

_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])")


def checked(mail: str, field: str = "mail") -> str:
    """The address without spaces around it. Raises `Invalid` for what is none: only the mail that arrives shows whether
    it is somebody's.
    """
    plain = mail.strip()
    if len(plain) > LONGEST or not plain.isprintable() or not _ADDRESS.fullmatch(plain):
        raise Invalid(field, "it is no mail address; write it like name@example.com")
    return plain
