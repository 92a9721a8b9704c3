"""Signing in: by password, with a code of an app where the account wants one, or by passkey.

Whether an address has an account is not to be learned here: a wrong password and an unknown address get the same
answer after the same work. A passkey's proof is checked by the signer, which keeps the passkeys.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import Any

import pyotp

from ticketchain.domain.devices import Device
from ticketchain.domain.errors import DomainError, Invalid, SignerRefused, Unauthenticated
from ticketchain.domain.proofs import PasskeyProof
from ticketchain.store import logins
from ticketchain.store import sessions as stored
from ticketchain.usecases import attempts, member_logins, sessions
from ticketchain.usecases.common import Principal
from ticketchain.usecases.consenting import challenge_in, from_text, to_text
from ticketchain.usecases.login_tokens import CHALLENGE_LIFE, looked_up, new_link, opened_for, use_up
from ticketchain.usecases.parts import Parts

STEP_S = 30
"""Seconds that a code of an app is for (RFC 6238); one step more to either side is taken."""

_WRONG = "mail or password: they do not fit; check both, or recover the account by mail"
_NO_PASSKEY = "passkey: it is none of an account here, or its proof is for something else; try again"


@dataclass(frozen=True)
class Known:
    """What somebody knows: a password, and the code of an app if the account wants one."""

    password: str = field(repr=False)
    code: str | None = field(default=None, repr=False)


def by_password(parts: Parts, address: str, known: Known, device: Device) -> sessions.NewSession:
    """A session for who knows the password. Raises `Unauthenticated` (with `second_factor` when the code of an app is
    what is missing), `TooManyAttempts`, `Unavailable`.
    """
    index = parts.people.index(address)
    mine, shared = attempts.of_account("password", index), attempts.of_address("password", device.counted)
    attempts.count(parts, mine, shared)
    with parts.store.read() as tx:
        account = logins.account_by_mail(tx, index)
    with member_logins.noting_failures(parts, account and account.person_id, "password"):
        step = _checked(parts, account, known)
    assert account is not None  # nobody's password fits
    outdated = parts.passwords.outdated(account.password)
    anew = {"password": parts.passwords.hash(known.password)} if outdated else {}
    session = sessions.new_session(parts, account.person_id, device, "password" if step is None else "totp")
    with parts.store.begin() as tx:
        _use_step(tx, account.person_id, step)
        if anew:
            logins.change_account(tx, account.person_id, **anew)
        sessions.begin(tx, session)
        member_logins.note_login(parts, tx, session.row["id"], account.person_id, session.row["method"])
    attempts.forgive(parts, [mine], [shared])
    return session


def _checked(parts: Parts, account: Any, known: Known) -> int | None:
    """The step of time of the code, None where none is wanted. Raises `Unauthenticated`."""
    if not parts.passwords.matches(account.password if account else None, known.password):
        raise Unauthenticated(_WRONG)
    return second_factor(parts, account, known.code)


def second_factor(parts: Parts, account: Any, code: str | None) -> int | None:
    """The step of time that a code is for; None when the account wants none. Outside of transactions. Raises
    `Unauthenticated` with `second_factor`.
    """
    if account.totp is None:
        return None
    if code is None:
        raise Unauthenticated("code: this account also wants the code that your app shows", second_factor=True)
    secret = opened_for(parts, account.person_id, account.totp)["totp"]
    return step_of(secret, code, int(parts.clock().timestamp()), account.totp_step)


def step_of(secret: str, code: str, now: int, used: int = 0) -> int:
    """For which step of time, later than the one used last, a code is good. Raises `Unauthenticated`."""
    app, plain = pyotp.TOTP(secret, interval=STEP_S), code.replace(" ", "")
    for step in range(now // STEP_S - 1, now // STEP_S + 2):
        if step > used and plain.isascii() and app.verify(plain, for_time=step * STEP_S):
            return step
    raise Unauthenticated(
        "code: it is not the one that your app shows now, or it was used; wait for the next", second_factor=True
    )


def _use_step(tx: Any, person_id: str, step: int | None) -> None:
    if step is not None and not logins.take_step(tx, person_id, step):
        raise Unauthenticated("code: it was used just now; wait for the next", second_factor=True)


# ------------------------------------------------------------------------------------------------ passkeys


def challenge(parts: Parts) -> dict[str, Any]:
    """What a passkey is to sign to log in (WebAuthn level 3): good once, for five minutes. The browser finds by itself
    which passkeys it has.
    """
    link = new_link(parts, "passkey", None, CHALLENGE_LIFE)  # its secret is base64url of 32 bytes: a challenge
    with parts.store.begin() as tx:
        logins.add_token(tx, link.row)
    return {"challenge": link.secret, "rp_id": parts.rp_id, "user_verification": "required"}


def by_passkey(parts: Parts, user_handle: str, proof: PasskeyProof, device: Device) -> sessions.NewSession:
    """A session for who has the passkey and unlocked it. `user_handle`: base64url, as the passkey says whose it is.

    Never counted against the account: nobody guesses a passkey, and nobody's guesses keep its owner out.
    """
    try:
        fan_id = from_text(user_handle).decode("ascii")
    except (ValueError, binascii.Error, DomainError):
        raise Unauthenticated(_NO_PASSKEY) from None
    row = _passkey_proved(parts, fan_id, proof)
    with parts.store.read() as tx:
        account = logins.account_of_fan(tx, fan_id)
    if account is None:
        raise Unauthenticated(_NO_PASSKEY)
    session = sessions.new_session(parts, account.person_id, device, "passkey")
    with parts.store.begin() as tx:
        use_up(tx, row)
        sessions.begin(tx, session)
        member_logins.note_login(parts, tx, session.row["id"], account.person_id, "passkey")
    return session


def _passkey_proved(parts: Parts, fan_id: str, proof: PasskeyProof) -> Any:
    """The row of the challenge that a passkey of the fan has signed. Raises `Unauthenticated`, `Forbidden`."""
    try:
        asked = challenge_in(proof)
        row = looked_up(parts, "passkey", to_text(asked))
        parts.signer.login(fan_id, asked, proof)
    except (Invalid, SignerRefused):
        raise Unauthenticated(_NO_PASSKEY) from None
    return row


# ------------------------------------------------------------------------------------------------ once more


def prove(parts: Parts, who: Principal, known: Known | PasskeyProof) -> None:
    """Notes that the owner of the session is there: by password or passkey, for the changes that want it. Raises
    `Unauthenticated`, `TooManyAttempts`.
    """
    person_id = sessions.person_of(who)
    step, row, mine = None, None, attempts.of_account("proof", person_id)
    if isinstance(known, Known):
        attempts.count(parts, mine)
        with parts.store.read() as tx:
            account = logins.account(tx, person_id)
        step = _checked(parts, account, known)
    else:
        row = _passkey_proved(parts, who.fan, known)
    with parts.store.begin() as tx:
        _use_step(tx, person_id, step)
        if row is not None:
            use_up(tx, row)
        stored.prove(tx, who.key_id, parts.clock())
    attempts.forgive(parts, [mine])
