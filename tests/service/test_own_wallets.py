"""Own wallets on a real ledger: out of custody and back, typed signatures that we send, contract wallets (ERC-1271),
and what a wallet does there without us.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount
from web3 import Web3

from tests.ledger_model.world import extra
from tests.service.people import Event, Fan, idle, request
from tests.service.test_past_the_service import Outsider, agree, follow
from ticketchain.context import Context
from ticketchain.domain.errors import ConsentChanged, ConsentRequired, Invalid
from ticketchain.domain.proofs import WalletSignature
from ticketchain.usecases import own_wallets, pass_on, tickets
from ticketchain.usecases.consenting import Given


@dataclass
class Wallet:
    """A wallet of a fan's own: a key, and if it is a contract its address."""

    key: LocalAccount
    contract: str | None = None

    @property
    def address(self) -> str:
        return self.contract or str(self.key.address)

    def sign(self, message: Any) -> bytes:
        return bytes(self.key.sign_message(message).signature)

    def link_to(self, fan: Fan) -> None:
        """By the text that the service asks it to sign."""
        asked = own_wallets.ask_for_proof(fan.parts, fan.who, self.address)
        signature = self.sign(encode_defunct(text=asked["message"]))
        own_wallets.link(fan.parts, request(fan.who), asked["nonce"], signature, "mine")

    def agree(self, work: Callable[[Given | None], dict[str, Any]]) -> dict[str, Any]:
        """Does what needs this wallet's consent."""
        with pytest.raises(ConsentRequired) as asked:
            work(None)
        wanted = asked.value.extra["consent"]
        assert wanted["holder"] == self.address and wanted["passkey"] is None
        signature = self.sign(encode_typed_data(full_message=wanted["typed_data"]))
        return work(Given(wanted["deadline"], WalletSignature(signature)))


@pytest.fixture
def outsider(service: Context) -> Outsider:
    return Outsider(service)


def contract_wallet(outsider: Outsider) -> Wallet:
    """An ERC-1271 wallet whose code the ledger's admin allows."""
    key, (abi, code) = Account.create(), extra("contracts/test/mocks/MockWallet.sol")
    made = outsider.web3.eth.contract(abi=abi, bytecode=code).constructor(key.address)
    address = Web3.to_checksum_address(outsider.send(Account.create(), made)["contractAddress"])
    outsider.call(outsider.admin, "allowAccountCode", Web3.keccak(outsider.web3.eth.get_code(address)), True)
    return Wallet(key, address)


def bought(service: Context, **special: Any) -> tuple[Fan, int]:
    """A fan with a ticket."""
    event, fan = Event.open(service, rows=1, gift_limit=4, **special), Fan(service)
    order = fan.order(event)
    fan.pay(order)
    idle(service)
    return fan, int(fan.look(order)["lines"][0]["ticket"])


def withdrawn(service: Context, fan: Fan, ticket: int, to: str) -> None:
    fan.agree(lambda given: own_wallets.withdraw(fan.parts, request(fan.who), ticket, to, given))
    idle(service)


def held(fan: Fan) -> dict[int, tuple[str, bool]]:
    """A fan's tickets: where, and whether the service keeps them."""
    page = tickets.my_tickets(fan.parts, fan.who, 0, 50)["items"]
    return {int(each["id"]): (each["holder"], each["custodied"]) for each in page}


@pytest.mark.parametrize("kind", ["key", "contract"])
def test_a_ticket_goes_out_is_given_and_comes_back(service: Context, outsider: Outsider, kind: str) -> None:
    fan, ticket = bought(service)
    wallet = contract_wallet(outsider) if kind == "contract" else Wallet(Account.create())
    friend, theirs = Fan(service), Wallet(Account.create())
    wallet.link_to(fan)
    theirs.link_to(friend)
    withdrawn(service, fan, ticket, wallet.address)
    assert held(fan) == {ticket: (wallet.address, False)}
    assert outsider.contract.functions.ownerOf(ticket).call() == wallet.address

    with pytest.raises(ConsentChanged):
        give = partial(pass_on.give, fan.parts, request(fan.who), ticket, friend.id)
        Wallet(Account.create(), wallet.address).agree(give)
    wallet.agree(lambda given: own_wallets.deposit(fan.parts, request(fan.who), ticket, given))
    idle(service)
    assert held(fan) == {ticket: (fan.address, True)}
    assert outsider.contract.functions.ownerOf(ticket).call() == outsider.address

    withdrawn(service, fan, ticket, wallet.address)
    wallet.agree(lambda given: pass_on.give(fan.parts, request(fan.who), ticket, friend.id, given))
    idle(service)
    assert held(fan) == {} and held(friend) == {ticket: (friend.address, True)}
    assert outsider.web3.eth.get_transaction_count(wallet.key.address) == 0, "it needed coins"
    agree(outsider)


def test_a_listing_of_an_own_wallet_is_sold_and_paid(service: Context, outsider: Outsider) -> None:
    fan, ticket = bought(service)
    wallet, buyer = Wallet(Account.create()), Fan(service)
    wallet.link_to(fan)
    withdrawn(service, fan, ticket, wallet.address)
    listing = wallet.agree(lambda given: pass_on.list_ticket(fan.parts, request(fan.who), ticket, 5_500, "EUR", given))
    order = buyer.order_listing(listing["id"])
    buyer.pay(order)
    idle(service)
    assert held(buyer) == {ticket: (buyer.address, True)} and held(fan) == {}
    follow(outsider)


def test_what_a_wallet_does_without_the_service_is_seen(service: Context, outsider: Outsider) -> None:
    fan, ticket = bought(service)
    wallet, other, stranger = Wallet(Account.create()), Wallet(Account.create()), Account.create()
    wallet.link_to(fan)
    other.link_to(fan)
    withdrawn(service, fan, ticket, wallet.address)
    outsider.call(wallet.key, "transferFrom", wallet.address, other.address, ticket)
    follow(outsider)
    assert held(fan) == {ticket: (other.address, False)}
    safely = outsider.contract.get_function_by_signature("safeTransferFrom(address,address,uint256)")
    outsider.send(other.key, safely(other.address, stranger.address, ticket))
    follow(outsider)
    assert held(fan) == {}


def test_a_registered_wallet_takes_tickets_out_and_back_without_a_gift(service: Context, outsider: Outsider) -> None:
    fan, wallet = Fan(service), Wallet(Account.create())
    wallet.link_to(fan)
    register = partial(own_wallets.registration, fan.parts, fan.who, wallet.address)
    word = fan.agree(register)
    outsider.call(wallet.key, "registerWallet", fan.address, word["deadline"], bytes.fromhex(word["consent"][2:]))
    event = Event.open(service, rows=1, gift_limit=0)
    order = fan.order(event)
    fan.pay(order)
    idle(service)
    ticket = int(fan.look(order)["lines"][0]["ticket"])
    for _ in range(2):
        withdrawn(service, fan, ticket, wallet.address)
        assert held(fan) == {ticket: (wallet.address, False)}
        wallet.agree(lambda given: own_wallets.deposit(fan.parts, request(fan.who), ticket, given))
        idle(service)
        assert held(fan) == {ticket: (fan.address, True)}
    foreign = Wallet(Account.create())
    foreign.link_to(fan)
    withdrawn(service, fan, ticket, foreign.address)
    assert held(fan) == {ticket: (fan.address, True)}, "gifts are closed, and this wallet is not registered"
    agree(outsider)


def test_a_contract_wallet_cannot_be_linked_by_another_key(service: Context, outsider: Outsider) -> None:
    fan, wallet = Fan(service), contract_wallet(outsider)
    with pytest.raises(Invalid, match="is not that of"):
        Wallet(Account.create(), wallet.address).link_to(fan)
    wallet.link_to(fan)
