"""The logs rebuild the state: after every block of random histories their fold is what the contract says and stores."""

from collections.abc import Iterable, Iterator
from functools import cache

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import HealthCheck, Phase, given, settings

from tests.ledger_model.codec import tuple_encoder
from tests.ledger_model.fold import Fold
from tests.ledger_model.folded import FoldedEvent
from tests.ledger_model.history import SEEDS, History

STEPS_OF_A_HISTORY = 2_000
"""Steps of the differential test for which one history is folded."""
HOT_BATCHES = 4
BASES = range(48)
Answer = tuple[str, tuple[object, ...], tuple[str, ...], tuple[object, ...]]
"""A view, its arguments, its return types, and the values that it must answer."""


@pytest.mark.timeout(0)
def test_logs_rebuild_the_state_at_every_block(steps: int) -> None:
    blocks = 0

    @settings(
        max_examples=max(5, steps // STEPS_OF_A_HISTORY),
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(SEEDS)
    def histories(seed: bytes) -> None:
        nonlocal blocks
        checked = Checked()
        checked.history.play_seed(seed)
        blocks += checked.blocks

    histories()
    assert blocks >= steps // 40, f"only {blocks} blocks"


class Checked:
    """A history whose every block is folded and compared."""

    def __init__(self) -> None:
        self.history = History()
        self.history.can_preset = False
        self.history.on_block = self.block
        self.world = self.history.world
        self.fold = Fold(self.world.codecs.abi)
        self.fold.apply(self.world.birth, 0)
        self.raw = {name: set(BASES) for name in ("codes", "tokens", "entries", "escrowed", "disputes")}
        self.blocks = 0

    def block(self) -> None:
        """The block is over."""
        self.fold.apply(self.history.logs, self.history.model.now)
        self.history.logs = []
        self.blocks += 1
        for name, args, kinds, values in answers(self.fold, self.history.accounts):
            found = self.world.ask(name, args)
            assert found == tuple_encoder(kinds)(values), (
                f"{name}{args}: the logs say {values}, the contract 0x{found.hex()}"
            )
        self._look_at_storage()

    def _look_at_storage(self) -> None:
        """What no view shows: some slot must be the base of a mapping that holds just this."""
        fold = self.fold
        tickets = fold.tickets.items()
        self._check("codes", ((code, allowed) for code, allowed in fold.codes.items()))
        self._check("tokens", ((token.to_bytes(32, "big"), allowed) for token, allowed in fold.tokens.items()))
        entries = ((id.to_bytes(32, "big"), ticket.entries | ticket.day << 8) for id, ticket in tickets)
        self._check("entries", entries)
        disputes = {
            (id.to_bytes(32, "big"), ref.ljust(32, b"\0")): state
            for id, ticket in tickets
            for ref, state in ticket.disputes.items()
        }
        self._check_nested("disputes", disputes)
        bitmaps: dict[tuple[bytes, bytes], int] = {}
        for id, ticket in tickets:
            key = ((id >> 24).to_bytes(32, "big"), ((id & 0xFFFFFF) >> 8).to_bytes(32, "big"))
            bitmaps[key] = bitmaps.get(key, 0) | ticket.escrowed << (id & 0xFF)
        self._check_nested("escrowed", bitmaps)

    def _check(self, name: str, wanted: Iterable[tuple[bytes, int]]) -> None:
        for key, value in wanted:
            self._keep(name, {base for base in self.raw[name] if self._read(_slot(key, base)) == value})

    def _check_nested(self, name: str, wanted: dict[tuple[bytes, bytes], int]) -> None:
        for (outer, inner), value in wanted.items():
            good = {base for base in self.raw[name] if self._read(_slot(inner, _slot(outer, base))) == value}
            self._keep(name, good)

    def _keep(self, name: str, bases: set[int]) -> None:
        assert bases, f"no storage holds the {name} that the logs tell"
        self.raw[name] = bases

    def _read(self, slot: int) -> int:
        return self.world.storage(slot)


@cache
def _slot(key: bytes, base: int) -> int:
    return int.from_bytes(keccak(key + base.to_bytes(32, "big")), "big")


@cache
def _payees_hash(payees: tuple[tuple[object, ...], ...]) -> bytes:
    return keccak(encode(["(address,uint16)[]"], [payees]))


def answers(fold: Fold, accounts: tuple[int, ...]) -> Iterator[Answer]:
    """Everything that anyone can ask, as the logs tell it."""
    for id, event in fold.events.items():
        yield from _event_answers(fold, id, event)
    for id in fold.tickets:
        yield from _ticket_answers(fold, id)
    for (scope, account), roles in fold.roles.items():
        yield "roles_of", (scope, account), ("uint8",), (roles,)
    owners = list(fold.owners.values())
    for account in accounts:
        yield "balance_of", (account,), ("uint256",), (owners.count(account),)
        yield "claim_nonce_of", (account,), ("uint256",), (fold.claims[account],)
        owner, since = fold.wallets.get(account, (0, 0))
        yield "account_of", (account,), ("address", "uint40"), (owner, since)
        for token in fold.tokens:
            yield "credit_of", (account, token), ("uint256",), (fold.credits[account, token],)


def _ticket_answers(fold: Fold, id: int) -> Iterator[Answer]:
    ticket = fold.tickets[id]
    yield "ticket_word_of", (id,), ("uint256",), (ticket.word,)
    yield "pool_of", (id,), ("address", "uint40"), (ticket.seller, ticket.seller_paid)
    to, *rest = ticket.reissue
    yield "reissue_of", (id,), ("address", "uint40", "uint16", "bool"), (to, *rest)
    yield "identity_of", (id,), ("bytes32",), (ticket.identities.get(ticket.epoch, bytes(32)),)
    if ticket.holder:
        yield "paid_epoch_of", (id,), ("uint16",), (0 if ticket.gifts == 7 else ticket.paid_epoch,)
        yield "owner_of", (id,), ("address",), (fold.owners[id],)


def _event_answers(fold: Fold, id: int, event: FoldedEvent) -> Iterator[Answer]:
    yield "policy_word_of", (id,), ("uint256",), (event.policy,)
    yield "schedule_of", (id,), ("uint32",) * 6, tuple(event.schedule)
    yield "organizer_of", (id,), ("address",), (event.organizer,)
    payees = _payees_hash(tuple(map(tuple, event.terms[8])))
    kinds = ("bytes3", "address", "bytes32", "bytes32")
    yield "money_terms_of", (id,), kinds, (event.terms[0], event.token, payees, event.terms[7])
    entries = event.terms[12] if event.terms[12] > 1 else 0
    yield "special_terms_of", (id,), ("bytes32", "uint8"), (event.terms[16], entries)
    yield "pot_of", (id,), ("uint256",), (event.pot,)
    yield "escrow_of", (id,), ("uint256", "uint32", "bool"), (event.escrow, event.schedule[5], event.released)
    yield "refunds_of", (id,), ("uint128", "uint128"), (event.due, event.paid)
    yield "batches_of", (id,), ("uint256",), (len(event.batches),)
    for supply_class in range(4):
        yield "supplies_of", (id, supply_class), ("uint24", "uint24"), event.supplies(supply_class)
    for number, (supply, price_class, supply_class, section, face) in list(event.batches.items())[:HOT_BATCHES]:
        word = supply | price_class << 16 | supply_class << 32 | section << 40 | face << 72
        yield "batch_of", (id, number), ("uint256",), (word,)
    for key_id, entry in event.keys.items():
        yield "entry_key_of", (id, key_id), ("bytes32", "uint40"), entry
    holders = {ticket.holder for number, ticket in fold.tickets.items() if number >> 24 == id} - {0}
    for holder in holders:
        yield "holding_of", (id, holder), ("uint256",), (fold.holdings(id, holder),)


def test_a_lost_log_is_noticed() -> None:
    checked = Checked()
    checked.block()
    cast = checked.history.cast
    checked.history.call(cast.admin, "set_roles", 0, cast.stranger, 2)
    checked.history.logs = []
    checked.block()
    checked.history.call(cast.admin, "allow_token", cast.tokens[0], False)
    checked.history.logs = []
    with pytest.raises(AssertionError, match="tokens"):
        checked.block()
