"""Settings: from environment variables `TICKETCHAIN_…` or a `.env` file. Without any, everything runs embedded in one
folder.

Secrets come from files of the data folder (made on first use) or from the environment, never from the command line.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an installation can choose."""

    model_config = SettingsConfigDict(env_prefix="TICKETCHAIN_", env_file=".env", extra="ignore")

    data: Path = Field(Path("data"), description="data folder: database, chain, keys, metadata")
    host: str = Field("127.0.0.1", description="address to serve on")
    port: int = Field(8000, ge=0, le=65_535, description="port to serve on")
    base_url: str = Field("", description="how people reach the service, e.g. https://tickets.example")
    database_url: str = Field("", description="SQLAlchemy URL; empty = SQLite in the data folder")
    people_url: str = Field(
        "",
        description="SQLAlchemy URL of the persons' keys: another database; empty = SQLite in the data folder",
    )
    people_key: str = Field(
        "file", description="what wraps those is kept there: file, systemd:NAME, aws-kms:KEY-ID or vault:URL#KEY"
    )
    rpc_url: str = Field("", description="EVM node; empty = embedded chain in the data folder")
    finality_blocks: int | None = Field(
        None, ge=0, description="blocks under the head that count as final; empty = what the chain itself calls final"
    )
    chain_id: int = Field(31_337, ge=1, description="EIP-155 id of the embedded chain")
    chain_port: int = Field(0, ge=0, le=65_535, description="RPC port of the embedded chain; 0 = any free one")
    anvil: Path | None = Field(None, description="anvil program of the embedded chain; empty = look for it")
    ipfs: str = Field("", description="multiaddr of an IPFS node's RPC; empty = local folder")
    sandbox_payments: bool | None = Field(
        None, description="offer the built-in sandbox (no real money); empty = on the embedded chain without Stripe"
    )
    webhook_secrets: list[SecretStr] = Field(
        default_factory=list, description="the sandbox's webhooks; first one signs"
    )
    stripe_key: SecretStr = Field(SecretStr(""), description="Stripe's secret key; with it people pay at Stripe")
    stripe_publishable_key: str = Field("", description="Stripe's publishable key, for the payment page")
    stripe_webhook_secrets: list[SecretStr] = Field(
        default_factory=list,
        description="signing secrets of Stripe's webhook endpoint, the old one too while it changes",
    )
    stripe_api_base: str = Field("", description="another address of Stripe's API, for tests; empty = Stripe itself")
    relayers: int = Field(1, ge=1, le=64, description="keys that send side by side, each with nonces of its own")
    batch_lines: int = Field(100, ge=1, le=250, description="most tickets in one bulk transaction")
    batch_gas: int = Field(16_777_216, ge=1_000_000, le=16_777_216, description="most gas for one transaction")
    batch_age_ms: int = Field(1_000, ge=0, description="milliseconds that a ticket waits for others to go with")
    bump_after_s: int = Field(30, ge=1, description="seconds until a waiting transaction offers higher fees")
    max_fee_gwei: int = Field(500, ge=0, description="most that is offered for a unit of gas, tip included")
    anchor_every_s: int = Field(3600, ge=0, description="seconds between publications of the logs' heads; 0: never")
    keep_answers_days: int = Field(30, ge=1, description="days that answers to Idempotency-Keys are kept")
    keep_mails_days: int = Field(30, ge=1, description="days that it is known which mails went out")
    keep_webhooks_days: int = Field(90, ge=8, description="days that it is known which payment webhooks came")
    keep_scans_days: int = Field(400, ge=1, description="days that scans at gates are kept; admissions stay")
    metrics_token: SecretStr = Field(SecretStr(""), description="lets a scraper read /metrics without an API key")
    smtp_url: SecretStr = Field(
        SecretStr(""), description="mail server, smtp(s)://user:password@host:port; empty = files in the data folder"
    )
    mail_from: str = Field("", description="who mails come from; empty = tickets@ and the host of the service")
    breached_passwords: Path | None = Field(
        None, description="sorted file of SHA-1 hashes (Have I Been Pwned) of passwords that nobody may take"
    )
    password_hashes: int = Field(1, ge=1, le=64, description="passwords hashed at once: each takes a core for a moment")
    key_provider: str = Field(
        "file", description="where new wrapping keys are kept: file, systemd:NAME, aws-kms:KEY-ID, vault:URL#KEY"
    )
    operator_keys: dict[str, str] = Field(
        default_factory=dict,
        description="where relayer, relayer-1 …, attestor or admin are kept if not in the signer's vault, as JSON: "
        '{"attestor": "aws-kms:KEY-ID", "relayer": "web3signer:URL#ADDRESS"}',
    )
    signer_dir: Path | None = Field(
        None, description="folder of the signer's vault and sockets; empty = signer in the data folder"
    )
    signer_process: bool = Field(True, description="sign in a process of its own; false is for tests")
    signer_fans_group: str = Field("", description="group that may open the fans' door: the API's; empty = nobody else")
    signer_operator_group: str = Field("", description="group that may open the operator's door: the workers'")
    signer_wallet_hour: int = Field(20, ge=1, description="most consents of a wallet an hour")
    signer_wallet_day: int = Field(60, ge=1, description="most consents of a wallet a day")
    signer_consents_hour: int = Field(50_000, ge=1, description="most consents of all wallets an hour")
    signer_devices_hour: int = Field(1_000, ge=1, description="most passkeys an hour that are not a wallet's first")
    signer_lines_hour: int = Field(200_000, ge=1, description="most tickets an hour that are sold or settled")
    production: bool | None = Field(
        None, description="refuse to start with what is for trying out; empty = when base_url is https"
    )
    hosts: list[str] = Field(default_factory=list, description="other names of the service besides base_url's")
    cors_origins: list[str] = Field(
        default_factory=list,
        description="other sites whose pages may call the API with keys, like https://shop.example",
    )
    trusted_proxies: list[str] = Field(
        default_factory=list, description="addresses or networks of proxies whose X-Forwarded-For counts"
    )
    rate_limits: bool = Field(True, description="limit how often one may ask; false is for measuring")
    rate_address: int = Field(12_000, ge=0, description="requests a minute from an address, to one process; 0 = any")
    rate_read: int = Field(1_200, ge=0, description="of these a key or session may read so often; 0 = any")
    rate_write: int = Field(300, ge=0, description="… and change something so often")
    rate_work: int = Field(6_000, ge=0, description="… and scan, sell at a till or issue so often")
    body_s: int = Field(60, ge=1, description="seconds until the body of a request must be complete")
    answer_s: int = Field(120, ge=1, description="seconds until a request is answered, come what may")
    hold_s: int = Field(600, ge=1, description="seconds that seats are held")
    hold_seats: int = Field(40, ge=1, description="seats of an event that one fan can hold at once, in all holds")
    payment_s: int = Field(1800, ge=1, description="seconds to pay an order")

    @property
    def url(self) -> str:
        """How people reach the service."""
        return self.base_url or f"http://{self.host}:{self.port}"

    @property
    def rp_id(self) -> str:
        """Where passkeys are good (WebAuthn relying party id): the host; `localhost` for every loopback address."""
        host = urlsplit(self.url).hostname or ""
        return "localhost" if host.startswith("127.") or host in ("::1", "0.0.0.0") else host  # noqa: S104

    @property
    def origin(self) -> str:
        """Where the pages are that ask for passkeys: `http://localhost:8000`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{self.rp_id}" + (f":{parts.port}" if parts.port else "")

    @property
    def sender(self) -> str:
        """Who mails come from."""
        return self.mail_from or f"tickets@{self.rp_id}"

    @property
    def signer(self) -> Path:
        """Folder of the signer's vault and sockets."""
        return self.signer_dir or self.data / "signer"

    @property
    def master_key(self) -> Path:
        """The signer's wrapping key: in its own folder, where that is named, since others cannot read it anyway."""
        return (self.signer_dir or self.data / "keys") / "master.key"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.data / 'ticketchain.db'}"

    @property
    def people(self) -> str:
        """SQLAlchemy URL of the database of the persons' keys."""
        return self.people_url or f"sqlite:///{self.data / 'people' / 'keys.db'}"

    @property
    def hold(self) -> timedelta:
        """How long seats are held."""
        return timedelta(seconds=self.hold_s)

    @property
    def anchor_every(self) -> timedelta:
        """How often heads of the logs are published."""
        return timedelta(seconds=self.anchor_every_s)

    @property
    def keep(self) -> dict[str, timedelta]:
        """How long is kept what nobody needs for ever, by kind."""
        days = {"answers": self.keep_answers_days, "mails": self.keep_mails_days}
        days |= {"webhooks": self.keep_webhooks_days, "scans": self.keep_scans_days}
        return {kind: timedelta(days=kept) for kind, kept in days.items()}

    @property
    def payment(self) -> timedelta:
        """How long an order waits for its payment."""
        return timedelta(seconds=self.payment_s)
