"""The peers: thin wrappers of `contracts/bench` around the token contracts that tickets are built on elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.bench.gas.chain import (
    START,
    Account,
    Call,
    Chain,
    account,
    calldata,
    domain_separator,
    struct_hash,
    typed_digest,
)
from scripts.bench.gas.compiled import compiled
from scripts.bench.gas.contender import FACE, PAYEES, ROYALTY, UNIT, WORKER, Contender, Line, checked, encoded, word

_DEADLINE = START + 20 * 86_400
_ORDER = "Order(uint256 id,address seller,uint256 price,uint256 nonce,uint256 deadline)"
_PAYEES = [account(f"payee {number}") for number in range(3)]
_MINTED = 600  # tickets that can be minted in one transaction


class Peer(Contender):
    """An ERC-721. `from_stock`: all tickets are minted when issued, else each when it is sold, which is cheaper."""

    contract = ""
    multi = False

    def __init__(self, chain: Chain, from_stock: bool = False) -> None:
        super().__init__(chain)
        self._from_stock = from_stock
        made = compiled(self.contract)
        self.code_bytes = made.code_bytes
        self.tickets, self.deploy_gas = chain.deploy(WORKER, made.bytecode)
        arguments = [self.tickets, self.token, list(PAYEES), self.multi]
        self.market, self.market_gas = chain.deploy(
            WORKER, compiled("PeerMarket").bytecode, ["address", "address", "address[3]", "bool"], arguments
        )
        self._domain = domain_separator("market", self.market)
        self._event = self._next = self._royalties = 0

    @property
    def spender(self) -> str:
        """The market draws the buyer's tokens."""
        return self.market

    def open(self, in_tokens: bool) -> None:
        """Ids hold event and class: nothing is sent."""
        self._event, self._next = self._event + 1, 0
        self._royalties = self._paid_royalties()

    def issue(self, count: int) -> tuple[list[int], list[Call]]:
        """As many at once as fit into a transaction."""
        first = self._event << 32 | self._next
        self._next += count
        if not self._from_stock:
            return list(range(first, first + count)), []
        starts = range(first, first + count, _MINTED)
        signature = "issue(uint256,uint256)"
        calls = [self._call(signature, start, min(_MINTED, first + count - start)) for start in starts]
        return list(range(first, first + count)), calls

    def deliver(self, lines: Sequence[Line], custodied: bool) -> Call:
        """By mint, or by a move from the operator."""
        return self._call(f"{'move' if self._from_stock else 'mint'}(uint256[])", [word(line) for line in lines])

    def gift(self, line: Line, custodied: bool) -> Call:
        """Sent by the holder."""
        assert line.seller is not None
        signature = "transferFrom(address,address,uint256)"
        return Call(line.seller, self.tickets, calldata(signature, line.seller.address, line.to.address, line.id))

    def settle(self, lines: Sequence[Line], custodied: bool) -> Call:
        """Bare moves by the operator."""
        return self._call("move(uint256[])", [word(line) for line in lines])

    def approve(self, seller: Account) -> list[Call]:
        """The market may move what it sells."""
        return [Call(seller, self.tickets, calldata("setApprovalForAll(address,bool)", self.market, True))]

    def buy(self, line: Line) -> Call:
        """Seller and payees get their tokens at once."""
        assert line.seller is not None
        order = (line.id, line.seller.address, FACE * UNIT, 0, _DEADLINE)
        signature = line.seller.sign(typed_digest(self._domain, struct_hash(_ORDER, *order)))
        kind = "buy((uint256,address,uint256,uint256,uint256),bytes)"
        return Call(line.to, self.market, calldata(kind, order, signature))

    def redeem(self, lines: Sequence[Line]) -> Call:
        """By the operator."""
        return self._call("redeem(uint256[])", [line.id for line in lines])

    def check(self, lines: Sequence[Line], custodied: bool, redeemed: bool) -> list[str]:
        """Owners and marks."""
        owners = self.chain.ask(self.tickets, [self._asks_owner(line) for line in lines])
        marks = self.chain.ask(self.tickets, [calldata("redeemed(uint256)", line.id) for line in lines])
        bad = sum(not self._is_owner(line, answer) for line, answer in zip(lines, owners, strict=True))
        unmarked = sum(bool(int.from_bytes(answer, "big")) != redeemed for answer in marks)
        return checked("owners", bad, len(lines)) + checked("marks", unmarked, len(lines))

    def check_money(self, sellers: Sequence[Account]) -> list[str]:
        """What sellers and payees got."""
        bad = sum(balance != (FACE - ROYALTY) * UNIT for balance in self.balances(sellers))
        royalties = self._paid_royalties() - self._royalties
        return checked("proceeds", bad, len(sellers)) + checked(
            "royalties", royalties != len(sellers) * ROYALTY * UNIT, 1
        )

    def _paid_royalties(self) -> int:
        return sum(self.balances(_PAYEES))

    def _call(self, signature: str, *arguments: object) -> Call:
        return Call(WORKER, self.tickets, calldata(signature, *arguments))

    def _asks_owner(self, line: Line) -> bytes:
        return calldata("ownerOf(uint256)", line.id)

    def _is_owner(self, line: Line, answer: bytes) -> bool:
        return answer == encoded(line.to.address)


class OZ721(Peer):
    """OpenZeppelin's ERC-721."""

    name, contract = "oz721", "OZ721Tickets"


class Solady721(Peer):
    """Solady's ERC-721."""

    name, contract = "solady721", "Solady721Tickets"


class ERC721A(Peer):
    """ERC721A, whose ids only count up."""

    name, contract = "erc721a", "ERC721ATickets"
    _minted = 0

    def issue(self, count: int) -> tuple[list[int], list[Call]]:
        """All at once: this is what it is made for."""
        ids = list(range(self._minted, self._minted + count))
        self._minted += count
        return ids, [self._call("issue(uint256)", count)] if self._from_stock else []

    def deliver(self, lines: Sequence[Line], custodied: bool) -> Call:
        """In the order of the ids."""
        if self._from_stock:
            return super().deliver(lines, custodied)
        return self._call("mint(address[])", [line.to.address for line in lines])


class Multi(Peer):
    """An ERC-1155 with one id a seat: it can't tell who has one, so whoever moves or uses a ticket says it."""

    multi = True

    def deliver(self, lines: Sequence[Line], custodied: bool) -> Call:
        """By mint, or by a move from the operator."""
        return self._call(f"{'deliver' if self._from_stock else 'mint'}(uint256[])", [word(line) for line in lines])

    def gift(self, line: Line, custodied: bool) -> Call:
        """Sent by the holder."""
        assert line.seller is not None
        signature = "safeTransferFrom(address,address,uint256,uint256,bytes)"
        data = calldata(signature, line.seller.address, line.to.address, line.id, 1, b"")
        return Call(line.seller, self.tickets, data)

    def settle(self, lines: Sequence[Line], custodied: bool) -> Call:
        """Bare moves by the operator."""
        pairs = [(word(line), int(line.seller.address, 16)) for line in lines if line.seller]
        return self._call("move(uint256[2][])", pairs)

    def redeem(self, lines: Sequence[Line]) -> Call:
        """By the operator."""
        return self._call("redeem(uint256[])", [word(line) for line in lines])

    def _asks_owner(self, line: Line) -> bytes:
        return calldata("balanceOf(address,uint256)", line.to.address, line.id)

    def _is_owner(self, line: Line, answer: bytes) -> bool:
        return int.from_bytes(answer, "big") == 1


class OZ1155(Multi):
    """OpenZeppelin's ERC-1155."""

    name, contract = "oz1155", "OZ1155Tickets"


class Solady1155(Multi):
    """Solady's ERC-1155."""

    name, contract = "solady1155", "Solady1155Tickets"


PEERS: tuple[type[Peer], ...] = (OZ721, ERC721A, Solady721, OZ1155, Solady1155)
