"""A holder's consent in a request, and passkeys (docs/consent.md). Bytes are base64url without padding, as WebAuthn
writes them in JSON.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from api.schemas.fields import Body, Line, When
from ticketchain.domain.proofs import PasskeyProof, Registration, WalletSignature
from ticketchain.usecases.consenting import Given, from_text


def _whole(text: str) -> str:
    if len(text) % 4 == 1:
        raise ValueError("is cut off; send all of its base64url text")
    return text


Base64 = Annotated[str, Field(strict=True, pattern="^[A-Za-z0-9_-]+$"), AfterValidator(_whole)]
CredentialId = Annotated[Base64, Field(max_length=1_364, description="Its credential id (up to 1,023 bytes).")]
ClientData = Annotated[Base64, Field(max_length=4_096, description="`clientDataJSON`.")]


class PasskeyAnswer(Body):
    """What `navigator.credentials.get` answered."""

    id: CredentialId
    client_data_json: ClientData
    authenticator_data: Base64 = Field(max_length=2_048)
    signature: Base64 = Field(max_length=1_024)

    def proof(self) -> PasskeyProof:
        """The same as the signer takes it."""
        parts = (self.id, self.client_data_json, self.authenticator_data, self.signature)
        return PasskeyProof(*(from_text(part) for part in parts))


class Consent(Body):
    """The holder's yes to what a problem `consent_required` asked for: by a passkey where the service keeps the wallet,
    else by the own wallet's signature over the typed data.
    """

    deadline: int = Field(strict=True, ge=0, lt=1 << 40, description="That of the `consent` asked for, unchanged.")
    passkey: PasskeyAnswer | None = None
    signature: str | None = Field(
        None,
        strict=True,
        pattern="^0x(?:[0-9a-fA-F]{2}){1,4096}$",
        description="EIP-712, of the own wallet that holds the ticket: 65 bytes, or whatever it takes (ERC-1271).",
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Consent:
        if (self.passkey is None) == (self.signature is None):
            raise ValueError("send either passkey or signature")
        return self

    def given(self) -> Given:
        """The same as use cases take it."""
        if self.passkey is not None:
            return Given(self.deadline, self.passkey.proof())
        return Given(self.deadline, WalletSignature(bytes.fromhex((self.signature or "")[2:])))


class Agreement(Body):
    """A body with the holder's consent to what is asked for; none asks what to agree to."""

    consent: Consent | None = None


def given(body: Agreement | None) -> Given | None:
    """The consent in a body, if there is one."""
    return body.consent.given() if body and body.consent else None


# ------------------------------------------------------------------------------------------------ passkeys


class Passkey(BaseModel):
    """A passkey of a fan. Before `active_from` it agrees to nothing."""

    id: str = Field(description="Its credential id.")
    label: str
    created_at: When
    active_from: When


class Passkeys(BaseModel):
    """All passkeys of a fan. Nothing of the fan's moves before `held_until`; `causes` say why."""

    fan_id: str
    items: list[Passkey]
    held_until: When | None
    causes: list[str]


class Place(BaseModel):
    """The service, as it stands in the passkey."""

    id: str = Field(examples=["tickets.example"])
    name: str


class Owner(BaseModel):
    """Whose passkey it will be. `id` is base64url; nothing personal."""

    id: str
    name: str
    display_name: str


class PasskeyOptions(BaseModel):
    """What `navigator.credentials.create` needs. The challenge is good for 5 minutes."""

    challenge: str
    rp: Place
    user: Owner
    algorithms: list[int] = Field(description="COSE, the best first.", examples=[[-7, -8]])
    exclude: list[str] = Field(description="Credential ids that the fan has already.")
    user_verification: Literal["required"]
    attestation: Literal["none"]


class NewPasskey(Body):
    """What `navigator.credentials.create` answered, and a name by which the fan knows the device."""

    id: CredentialId
    client_data_json: ClientData
    attestation_object: Base64 = Field(max_length=65_536)
    label: Line = Field("", max_length=60, examples=["Anna's phone"])

    def registration(self) -> Registration:
        """The same as the signer takes it."""
        parts = (self.id, self.client_data_json, self.attestation_object)
        return Registration(*(from_text(part) for part in parts))


class Removal(Body):
    """Another passkey's yes; none asks what it has to sign."""

    passkey: PasskeyAnswer | None = None
