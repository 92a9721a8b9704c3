"""What can be wrong with a request, as classes with a stable code.

A `DomainError` is for the person who asked: its message names the field or thing and the fix. The HTTP layer turns it
into RFC 9457 problem details; `code` is the stable part, `status` the HTTP status that fits.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A request that cannot be carried out; nothing of it was done.

    `detail` is a sentence for people, `extra` are members added to the problem document (JSON values).
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Invalid(DomainError):
    """A value is malformed, out of range or contradicts another; `field` says which."""

    code = "invalid"
    status = 422

    def __init__(self, field: str, detail: str, **extra: Any) -> None:
        super().__init__(f"{field}: {detail}", field=field, **extra)


class ConsentRequired(DomainError):
    """Only the holder's own consent does this; `consent` says what to agree to, and how."""

    code = "consent_required"
    status = 403


class ConsentChanged(DomainError):
    """A consent to something else than what would be done now: the ticket, its price or the offer changed meanwhile.
    `consent` says what there is to agree to now.
    """

    code = "consent_changed"


class NotFound(DomainError):
    """No such thing, or not the caller's."""

    code = "not_found"
    status = 404


class Forbidden(DomainError):
    """The caller is known but may not do this."""

    code = "forbidden"
    status = 403


class Unauthenticated(DomainError):
    """No valid API key was sent."""

    code = "unauthenticated"
    status = 401


class Conflict(DomainError):
    """The state of the thing does not allow this now."""

    code = "conflict"


class SoldOut(DomainError):
    """Fewer seats are free than were asked for."""

    code = "sold_out"


class SeatTaken(DomainError):
    """At least one of the seats asked for is not free."""

    code = "seat_taken"


class Expired(DomainError):
    """A hold, an order or an offer came to its end."""

    code = "expired"


class SaleNotOpen(DomainError):
    """The event's sale opens later; `opens_at` says when."""

    code = "sale_not_open"


class SaleClosed(DomainError):
    """The event's sale is over; `closed_at` says since when."""

    code = "sale_closed"


class VoucherRefused(DomainError):
    """A voucher that is not for this order: its time, its tickets, or its uses are over."""

    code = "voucher_refused"


class SalesStopped(DomainError):
    """Sales were stopped by the organizer or the operator; `reason` says why."""

    code = "sales_stopped"


class WrongCurrency(DomainError):
    """An amount in another currency than the event's."""

    code = "wrong_currency"
    status = 422


class KeyReused(DomainError):
    """An Idempotency-Key came again with another request."""

    code = "idempotency_key_reused"
    status = 422


class LedgerRefused(DomainError):
    """The contract refuses the call; `reason` is the contract's error name, `arguments` its arguments."""

    code = "ledger_refused"

    def __init__(self, detail: str, reason: str, arguments: dict[str, Any]) -> None:
        super().__init__(detail, reason=reason, arguments=arguments)
        self.reason = reason


class Erased(DomainError):
    """Everything about this person was erased, for good."""

    code = "erased"
    status = 410


class TooManyAttempts(DomainError):
    """Too many wrong tries; `retry_after_s` says when the next one is looked at."""

    code = "too_many_attempts"
    status = 429


class MailRefused(DomainError):
    """The mail server will never take this letter, e.g. because the address does not exist."""

    code = "mail_refused"
    status = 502


class Unavailable(DomainError):
    """A part outside (chain, payment provider) does not answer; trying again later is right."""

    code = "unavailable"
    status = 503


class LedgerForked(DomainError):
    """The chain replaced blocks that were final: nothing is sold until an operator has decided."""

    code = "ledger_forked"
    status = 503


class SignerRefused(DomainError):
    """The signer will not sign this; nothing was signed."""

    code = "signer_refused"


class ProofRefused(SignerRefused):
    """The passkey's proof is not one of the owner's agreement to exactly this."""

    code = "proof_refused"
    status = 403


class MovesOnHold(SignerRefused):
    """Outgoing moves of this owner wait, after a new device or mail address; `until` says how long."""

    code = "moves_on_hold"


class LimitReached(SignerRefused):
    """The signer has signed as much as it may in this time; `retry_after` (seconds) says when it goes on."""

    code = "signer_limit"
    status = 429


class SignerStopped(DomainError):
    """The signer's switch is off: an operator must resume it."""

    code = "signer_stopped"
    status = 503
