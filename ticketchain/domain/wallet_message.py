"""The text that a wallet signs to show whose it is: Sign-In with Ethereum (EIP-4361), version 1.

We write the text and keep it until it is signed, so nothing of it need be read back from a wallet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit


@dataclass(frozen=True)
class WalletMessage:
    """What the text says: who asks (`url`), which address (EIP-55) on which chain (EIP-155), why, and until when.

    `nonce`: at least 8 letters or digits, used once.
    """

    url: str
    address: str
    chain_id: int
    statement: str
    nonce: str
    issued_at: datetime
    expires_at: datetime

    def text(self) -> str:
        """The text, as EIP-4361 lays it out."""
        asker = urlsplit(self.url)
        return "\n".join(
            (
                f"{asker.scheme}://{asker.netloc} wants you to sign in with your Ethereum account:",
                self.address,
                "",
                self.statement,
                "",
                f"URI: {self.url}",
                "Version: 1",
                f"Chain ID: {self.chain_id}",
                f"Nonce: {self.nonce}",
                f"Issued At: {_moment(self.issued_at)}",
                f"Expiration Time: {_moment(self.expires_at)}",
            )
        )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
