"""The real contract in an EVM in this process: the same calls, answered with logs, return data or revert data."""

import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrevm
from eth_hash.auto import keccak

from scripts import contracts
from tests.ledger_model import people
from tests.ledger_model.codec import Encode, hash_text, kinds_of, number, signature_of, tuple_encoder
from tests.ledger_model.refusals import Args, Refused
from tests.ledger_model.rules import Code
from tests.ledger_model.signing import Signed, Signer, Unsigned
from tests.ledger_model.words import Line, payment_word, redemption
from ticketchain import artifacts

CHAIN_ID = 1
BASE_URI = "https://tickets.example/"
EXTRAS = ("contracts/test/mocks/MockToken.sol", "contracts/test/mocks/MockWallet.sol", "tests/ledger_model/Account.sol")
FOLDER = contracts.ROOT / ".cache" / "ledger_model"
BASES = range(64)
"""Slots at which a mapping of the ledger may begin."""
DELEGATION = b"\xef\x01\x00"
_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")

Log = tuple[tuple[bytes, ...], bytes]
"""Topics and data."""


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """Compiled code of the ledger's parts, and the ABI of them all."""

    abi: list[dict[str, Any]]
    ledger: bytes
    desk: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: revert data or None, what it returned, what was logged."""

    error: bytes | None
    value: bytes
    logs: list[Log]


@functools.cache
def shipped() -> Build:
    """The build that the package ships."""
    ledger = artifacts.load("TicketLedger")
    return Build(ledger.abi, ledger.bytecode, artifacts.load("TicketDesk").bytecode)


@functools.cache
def extra(source: str) -> tuple[list[dict[str, Any]], bytes]:
    """ABI and bytecode of one of the contracts around the ledger, compiled once per content."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    contracts.build(source, folder=FOLDER)
    raw = json.loads((FOLDER / f"{Path(source).stem}.json").read_text(encoding="utf-8"))
    return raw["abi"], bytes.fromhex(raw["bytecode"][2:])


def snake(name: str) -> str:
    """The model's name of a function of the contract."""
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


class Codecs:
    """How the ledger's calls, answers, logs and errors are coded."""

    def __init__(self, abi: list[dict[str, Any]]) -> None:
        self.abi = abi
        functions = [entry for entry in abi if entry["type"] == "function"]
        self.selectors = {self.key(entry): hash_text(signature_of(entry))[:4] for entry in functions}
        self.inputs = {self.key(entry): tuple_encoder(kinds_of(entry["inputs"])) for entry in functions}
        self.outputs = {self.key(entry): tuple_encoder(kinds_of(entry["outputs"])) for entry in functions}
        self.output_counts = {self.key(entry): len(entry["outputs"]) for entry in functions}
        token_errors = [entry for entry in extra(EXTRAS[0])[0] if entry["type"] == "error"]
        text_error = {"type": "error", "name": "Error", "inputs": [{"type": "string"}]}
        errors = [*(entry for entry in abi if entry["type"] == "error"), *token_errors, text_error]
        self.errors = {
            entry["name"]: (hash_text(signature_of(entry))[:4], tuple_encoder(kinds_of(entry["inputs"])))
            for entry in errors
        }
        self.error_names = {selector: name for name, (selector, _) in self.errors.items()}
        self.events = {entry["name"]: _event_coder(entry) for entry in abi if entry["type"] == "event"}

    @staticmethod
    def key(entry: dict[str, Any]) -> tuple[str, int]:
        """Functions are told apart by name and number of arguments."""
        return snake(entry["name"]), len(entry["inputs"])

    def error(self, refused: Refused) -> bytes:
        """Revert data."""
        if not refused.name:
            return b""
        selector, encode = self.errors[refused.name]
        return selector + encode(refused.values)

    def log(self, name: str, args: Args) -> Log:
        """Topics and data."""
        plain = [self.error(value) if isinstance(value, Refused) else value for value in args]
        return self.events[name](plain)

    def value(self, key: tuple[str, int], answer: Any) -> bytes:
        """Return data."""
        if isinstance(answer, list):
            answer = [b"" if problem is None else self.error(problem) for problem in answer]
        return self.outputs[key]((answer,)) if self.output_counts[key] else b""


def _event_coder(entry: dict[str, Any]) -> Callable[[Sequence[Any]], Log]:
    indexed = [place for place, field in enumerate(entry["inputs"]) if field["indexed"]]
    others = [place for place, field in enumerate(entry["inputs"]) if not field["indexed"]]
    topic = hash_text(signature_of(entry))
    heads: list[Encode] = [tuple_encoder(kinds_of([entry["inputs"][place]])) for place in indexed]
    encode = tuple_encoder(kinds_of([entry["inputs"][place] for place in others]))

    def code(values: Sequence[Any]) -> Log:
        topics = (topic, *(head([values[place]]) for head, place in zip(heads, indexed, strict=True)))
        return topics, encode([values[place] for place in others])

    return code


_ADAPT: dict[str, Callable[[Any, Args], Args]] = {
    "redeem": lambda _, args: (args[0], [redemption(*line) for line in args[1]]),
    "record_refunds_paid": lambda _, args: (args[0], [payment_word(*line) for line in args[1]], args[2]),
    "settle_resales": lambda signer, args: (args[0], args[1], signer.encode_list(args[2]), args[3]),
}


class World:
    """One ledger with its people, wallets and tokens."""

    def __init__(self, build: Build | None = None) -> None:
        build = build or shipped()
        self.codecs = _codecs(build)
        self.evm = pyrevm.EVM(spec_id="PRAGUE")
        self.block = 0
        self.asked: dict[tuple[str, Args], bytes] = {}
        admin = next(iter(people.keys()))
        self._admin = hex_address(admin)
        desk = self._deploy(build.desk)
        constructor = tuple_encoder(("address", "string", "address"))
        ledger = self._deploy(build.ledger + constructor((admin, BASE_URI, desk)))
        self.birth = self._logs(ledger)
        tokens = (self._deploy(extra(EXTRAS[0])[1]), self._deploy(extra(EXTRAS[0])[1]))
        fans = tuple(people.keys())[8:10]
        account = extra(EXTRAS[2])[1]
        wallets = (self._deploy(account + number(fans[0])), self._deploy(account + number(fans[1])))
        market = self._deploy(extra(EXTRAS[1])[1] + number(fans[0]))
        self.cast = people.cast(wallets, market, ledger, tokens)
        self._delegate(self.cast.smart, wallets[0])
        self.signer = Signer(CHAIN_ID, ledger, self.cast.keys)
        self._ledger = hex_address(ledger)
        self._wallets = {wallet.address: hex_address(wallet.signer) for wallet in self.cast.wallets}

    def _deploy(self, code: bytes) -> int:
        return int(self.evm.deploy(self._admin, code), 16)

    def _delegate(self, account: int, to: int) -> None:
        code = DELEGATION + to.to_bytes(20, "big")
        self.evm.insert_account_info(hex_address(account), pyrevm.AccountInfo(nonce=1, code=code))

    def codes(self) -> dict[int, Code]:
        """Who has code, for the model."""
        hashes = {address: _code_hash(self.evm.basic(hex_address(address))) for address in self._coded()}
        wallets = {
            wallet.address: Code(hashes[wallet.address], signer=wallet.signer, receives=True)
            for wallet in self.cast.wallets
        }
        market, smart = self.cast.market, self.cast.smart
        return {
            **wallets,
            market: Code(hashes[market], signer=self.cast.fans[0], receives=True),
            smart: Code(hashes[smart], delegation=True),
            **{token: Code(hashes[token]) for token in self.cast.tokens},
        }

    def _coded(self) -> tuple[int, ...]:
        cast = self.cast
        return (*(wallet.address for wallet in cast.wallets), cast.market, cast.smart, *cast.tokens)

    # ------------------------------------------------------------------------------------------------ calling

    def set_time(self, now: int) -> None:
        """A new block at this second."""
        self.block += 1
        self.evm.set_block_env(pyrevm.BlockEnv(number=self.block, timestamp=now))

    def call(self, sender: int, name: str, args: Args) -> Outcome:
        """A transaction to the ledger; a contract wallet's by way of its key."""
        data = self.call_data(name, args)
        if sender in self._wallets:
            return self._call_by_wallet(sender, data)
        return self._send(hex_address(sender), self._ledger, data)

    def call_data(self, name: str, args: Args) -> bytes:
        """Coded call."""
        key = (name, len(args))
        if name in _ADAPT:
            args = _ADAPT[name](self.signer, args)
        return self.codecs.selectors[key] + self.codecs.inputs[key](self._plain(args))

    def _plain(self, value: Any) -> Any:
        """Signatures as bytes, lines as words."""
        if isinstance(value, Signed | Unsigned):
            return self.signer.encode(value)
        if isinstance(value, Line):
            return value.words()
        return [self._plain(part) for part in value] if isinstance(value, tuple | list) else value

    def _call_by_wallet(self, wallet: int, data: bytes) -> Outcome:
        execute = hash_text("execute(address,bytes)")[:4] + tuple_encoder(("address", "bytes"))(
            (int(self._ledger, 16), data)
        )
        outcome = self._send(self._wallets[wallet], hex_address(wallet), execute)
        size = int.from_bytes(outcome.value[32:64], "big")
        return Outcome(outcome.error, outcome.value[64 : 64 + size], outcome.logs)

    def _send(self, sender: str, to: str, data: bytes) -> Outcome:
        try:
            value = self.evm.message_call(sender, to, calldata=data)
        except RuntimeError as error:
            found = _OUTPUT.search(str(error))
            if found is None:
                raise
            return Outcome(bytes.fromhex(found[1]), b"", [])
        return Outcome(None, bytes(value), self._logs(int(self._ledger, 16)))

    def _logs(self, ledger: int) -> list[Log]:
        wanted = ledger.to_bytes(20, "big").hex()
        found = []
        result = self.evm.result
        assert result is not None
        for log in result.logs:
            if log.address[2:].lower() == wanted:
                topics, data = log.data
                found.append((tuple(map(bytes, topics)), bytes(data)))
        return found

    def token_call(self, sender: int, token: int, signature: str, *args: int) -> bytes:
        """A call to an ERC-20 of whole numbers and addresses."""
        data = hash_text(signature)[:4] + b"".join(map(number, args))
        if sender in self._wallets:
            data = hash_text("execute(address,bytes)")[:4] + tuple_encoder(("address", "bytes"))((token, data))
            return bytes(self.evm.message_call(self._wallets[sender], hex_address(sender), calldata=data))
        return bytes(self.evm.message_call(hex_address(sender), hex_address(token), calldata=data))

    def set_callback(self, token: int, target: int, data: bytes) -> None:
        """Whom the token calls in the middle of each transfer; 0: nobody."""
        call = hash_text("callBack(address,bytes)")[:4] + tuple_encoder(("address", "bytes"))((target, data))
        self.evm.message_call(self._admin, hex_address(token), calldata=call)

    def ask(self, name: str, args: Args) -> bytes:
        """What a view answers."""
        data = self.asked.get((name, args))
        if data is None:
            data = self.asked[name, args] = self.call_data(name, args)
        return self.view(data)

    def view(self, data: bytes) -> bytes:
        """What a view answers to coded call data; revert data if it reverts."""
        try:
            return bytes(self.evm.message_call(self._admin, self._ledger, calldata=data, is_static=True))
        except RuntimeError as error:
            found = _OUTPUT.search(str(error))
            if found is None:
                raise
            return bytes.fromhex(found[1])

    # ------------------------------------------------------------------------------------------------ storage

    def preset_epoch(self, ticket: int, epoch: int, sold: int) -> None:
        """Puts a ticket that is in stock at this epoch, as that many moves would have done. `sold` is any ticket with a
        word: it shows where the contract keeps them."""
        slot = _slot(ticket, self._tickets_base(sold))
        self.evm.insert_account_storage(self._ledger, slot, epoch << 168)

    def storage(self, slot: int) -> int:
        """A slot of the ledger's storage."""
        return int(self.evm.storage(self._ledger, slot))

    def _tickets_base(self, sold: int) -> int:
        """Slot of the mapping of tickets: found by looking, as it depends on the sources' order."""
        word = int.from_bytes(self.view(self.call_data("ticket_word_of", (sold,))), "big")
        bases = [base for base in BASES if self.storage(_slot(sold, base)) == word]
        assert word and len(bases) == 1, f"no mapping of tickets found: {bases}"
        return bases[0]


def _slot(key: int, base: int) -> int:
    """Place of a mapping's value."""
    return int.from_bytes(keccak(number(key) + number(base)), "big")


def _code_hash(info: pyrevm.AccountInfo) -> bytes:
    assert info.code_hash is not None
    return bytes(info.code_hash)


@functools.cache
def _codecs(build: Build) -> Codecs:
    return Codecs(build.abi)


@functools.cache
def hex_address(account: int) -> str:
    """As the EVM wants it."""
    return f"0x{account:040x}"
