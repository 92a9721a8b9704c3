"""Accounts of people: signing up and in, sessions, changes of one's own account (docs/accounts.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from api.schemas.consents import Base64, PasskeyAnswer
from api.schemas.fields import Body, Line, When

Mail = Annotated[Line, Field(max_length=254, description="A mail address.", examples=["anna@example.com"])]
Password = Annotated[Line, Field(max_length=4_096, description="10 to 1,000 characters, none of the common ones.")]
Code = Annotated[Line, Field(max_length=32, description="Digits from a mail.", examples=["48015623"])]
AppCode = Annotated[Line, Field(max_length=16, description="What the app shows (RFC 6238).", examples=["492039"])]
Secret = Annotated[Line, Field(max_length=128, description="As it was answered or mailed; good once.")]
Cookie = Annotated[
    bool,
    Field(strict=True, description="For pages of this service: the token comes as a cookie, not in the answer."),
]


class AccountWanted(Body):
    """A new account. Without a password it is for passkeys only."""

    mail: Mail
    password: Password | None = None
    language: Literal["en", "zh"] | None = Field(None, description="Of our mails; else as Accept-Language says.")


class SignUp(BaseModel):
    """What a new account waits for: the code that was mailed."""

    sign_up: str = Field(description="Send it with the code; who has it began this.")
    expires_at: When


class Confirmation(Body):
    """The code of a sign-up."""

    sign_up: Secret
    code: Code
    cookie: Cookie = False


class PasskeyLogin(PasskeyAnswer):
    """What `navigator.credentials.get` answered to the challenge."""

    user_handle: Base64 = Field(max_length=128, description="`response.userHandle`.")


class SignIn(Body):
    """Either mail and password, with the app's `code` where the account wants one, or a passkey's answer."""

    mail: Mail | None = None
    password: Password | None = None
    code: AppCode | None = None
    passkey: PasskeyLogin | None = None
    cookie: Cookie = False

    @model_validator(mode="after")
    def _one_way(self) -> SignIn:
        known = self.mail is not None and self.password is not None
        if known == (self.passkey is not None):
            raise ValueError("must have mail and password, or passkey, not both")
        return self


class Challenge(BaseModel):
    """For `navigator.credentials.get`, without `allowCredentials`: good once, for five minutes."""

    challenge: str
    rp_id: str
    user_verification: Literal["required"]


class NewSession(BaseModel):
    """A session."""

    id: str
    token: str | None = Field(description="Send it as `Authorization: Bearer`. Null when it came as a cookie.")
    method: str
    created_at: When
    expires_at: When


class Session(BaseModel):
    """A session as its owner sees it."""

    id: str
    current: bool = Field(description="The one that asks.")
    device: str = Field(examples=["Firefox on Linux"])
    place: str = Field(description="Network that it was begun from.", examples=["203.0.113.0/24"])
    method: str = Field(description="How it was begun.", examples=["password", "totp", "passkey", "mail"])
    created_at: When
    seen_at: When = Field(description="To five minutes.")
    expires_at: When


class Replacement(BaseModel):
    """A new token of the session; the one before is good until this one is used. Null: it is young, keep it."""

    token: str | None


class Ended(BaseModel):
    """How many sessions were ended."""

    ended: int


class RecoveryWanted(Body):
    """Whose account is to be recovered."""

    mail: Mail
    language: Literal["en", "zh"] | None = None


class Recovery(Body):
    """The secret of the mailed link."""

    recovery: Secret
    password: Password | None = Field(None, description="A new one; left out, the account keeps what it has.")
    code: AppCode | None = None
    cookie: Cookie = False


class Undo(Body):
    """The secret of the link that went to the old address."""

    undo: Secret


class Account(BaseModel):
    """One's own account."""

    id: str
    fan_id: str
    address: str | None = Field(description="Of the wallet on the chain; null until it is first needed.")
    mail: str
    password: bool = Field(description="Whether there is one.")
    second_factor: bool
    language: str
    created_at: When


class Proof(Body):
    """Who changes an account shows again who it is: by password (and `code`), or by a passkey over a new challenge."""

    password: Password | None = None
    code: AppCode | None = None
    passkey: PasskeyAnswer | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Proof:
        if (self.password is None) == (self.passkey is None):
            raise ValueError("must have either password or passkey")
        return self


class NewPassword(Body):
    """A new password; null takes it away, then passkeys and mail lead in."""

    password: Password | None


class MailWanted(Body):
    """A new mail address."""

    mail: Mail


class MailChange(BaseModel):
    """What a change of address waits for: the code that was mailed to the new one."""

    change: str
    expires_at: When


class MailConfirmation(Body):
    """The code from the new address."""

    change: Secret
    code: Code


class QrCode(BaseModel):
    """A picture: an SVG path of black modules, one unit each, in a square of `size` with its quiet zone."""

    size: int
    path: str


class SecondFactor(BaseModel):
    """A secret for an app (RFC 6238), shown this once."""

    secret: str
    uri: str = Field(examples=["otpauth://totp/tickets.example:anna%40example.com?secret=…"])
    qr: QrCode


class AppCodeSent(Body):
    """What the app shows."""

    code: AppCode
