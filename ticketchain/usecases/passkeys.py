"""A fan's passkeys. The signer keeps them and judges what they prove; here they are only carried to and fro.

The first one is good at once, every later one begins a hold on the fan's moves: somebody else could have enrolled it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ticketchain.domain.errors import ConsentRequired, NotFound
from ticketchain.domain.proofs import Passkey, PasskeyProof, Registration, Standing, drop_challenge
from ticketchain.store import logins
from ticketchain.store.engine import Tx
from ticketchain.usecases import mail
from ticketchain.usecases.common import Principal, Request, answer, answered
from ticketchain.usecases.consenting import from_text, passkey_wanted, to_text
from ticketchain.usecases.parts import Parts
from ticketchain.usecases.sessions import refuse_unproved
from ticketchain.usecases.wallets import need_wallet

ALGORITHMS = (-7, -8)
"""COSE: ES256 and EdDSA."""

SERVICE = "ticketchain"
_PART = "passkey"


def list_passkeys(parts: Parts, who: Principal) -> dict[str, Any]:
    """The caller's passkeys, and until when nothing of theirs moves, and why."""
    return {"fan_id": who.fan} | _view(parts, parts.signer.standing(who.fan))


def passkey_options(parts: Parts, who: Principal) -> dict[str, Any]:
    """What a browser needs to make a passkey (WebAuthn level 3). Asked again, the challenge before is worth nothing.

    Raises `Forbidden` for a session whose owner has not just proved who it is: a copied token makes no way in.
    """
    if who.person_id is not None:
        with parts.store.read() as tx:
            refuse_unproved(parts, tx, who)
    need_wallet(parts, who)
    standing = parts.signer.standing(who.fan)
    return {
        "challenge": to_text(parts.signer.begin_enrolment(who.fan)),
        "rp": {"id": parts.rp_id, "name": SERVICE},
        "user": {"id": to_text(who.fan.encode()), "name": who.fan, "display_name": "My tickets"},
        "algorithms": list(ALGORITHMS),
        "exclude": [to_text(each.id) for each in standing.passkeys],
        "user_verification": "required",
        "attestation": "none",
    }


def add_passkey(parts: Parts, request: Request, registration: Registration, label: str) -> dict[str, Any]:
    """Enrols a passkey, and tells the account's owner by mail. Raises what the signer refuses; whoever sends the same
    one again gets it again.
    """
    with parts.store.read() as tx:
        if (before := answered(tx, request)) is not None:
            return dict(before) | {"label": label}
    passkey = parts.signer.enrol(request.who.fan, registration, _sealed_label(parts, request.who, label))
    with parts.store.begin() as tx:
        _tell(parts, tx, request.who)
        return dict(answer(parts, tx, request, _times(passkey))) | {"label": label}


def _tell(parts: Parts, tx: Tx, who: Principal) -> None:
    """Of fans that are only an API key no address is known."""
    account = logins.account(tx, who.person_id) if who.person_id is not None else None
    if account is not None:
        mail.post(tx, mail.write(parts, account.person_id, "passkey_added", account.language))


def drop_passkey(parts: Parts, who: Principal, passkey_id: bytes, proof: PasskeyProof | None) -> dict[str, Any]:
    """Removes one of the caller's passkeys by another one; the hold that it began ends. Raises `ConsentRequired`,
    `NotFound`.
    """
    standing = parts.signer.standing(who.fan)
    if passkey_id not in {each.id for each in standing.passkeys}:
        raise NotFound(f"passkey {to_text(passkey_id)[:40]!r} is none of yours")
    if proof is None:
        others = tuple(each for each in standing.passkeys if each.id != passkey_id)
        challenge = drop_challenge(who.fan, passkey_id)
        wanted: dict[str, Any] = {"kind": "removal", "digest": "0x" + challenge.hex()}
        wanted |= {"passkey": passkey_wanted(parts, replace(standing, passkeys=others), challenge)}
        raise ConsentRequired(
            "passkey: another one of yours has to agree; send the request with its yes", consent=wanted
        )
    parts.signer.drop_passkey(who.fan, passkey_id, proof)
    return list_passkeys(parts, who)


def _view(parts: Parts, standing: Standing) -> dict[str, Any]:
    until = standing.held_until
    held = until is not None and until > parts.clock()
    return {
        "items": [_passkey(parts, each) for each in standing.passkeys],
        "held_until": until.isoformat() if until and held else None,
        "causes": list(standing.causes) if held else [],
    }


def _passkey(parts: Parts, passkey: Passkey) -> dict[str, Any]:
    return _times(passkey) | {"label": label_of(parts, passkey)}


def _times(passkey: Passkey) -> dict[str, Any]:
    """A passkey without its label, which stands nowhere in plain."""
    created, active = passkey.created_at.isoformat(), passkey.active_from.isoformat()
    return {"id": to_text(passkey.id), "created_at": created, "active_from": active}


# ------------------------------------------------------------------------------------------------ labels


def _sealed_label(parts: Parts, who: Principal, label: str) -> str:
    """What the signer keeps of a label, which may well be a name: sealed for the person, so that it goes with it."""
    sealer = who.person_id or who.fan
    return f"{sealer}.{to_text(parts.people.seal(sealer, {'label': label}, _PART))}"


def label_of(parts: Parts, passkey: Passkey) -> str:
    """The label that its owner gave a passkey. Raises `Erased`."""
    sealer, _, sealed = passkey.label.partition(".")
    return parts.people.open(sealer, from_text(sealed), _PART)["label"]
