"""Questions to the contract for the use cases: may this ticket be given, may it be sold at this price?"""

from __future__ import annotations

from collections.abc import Sequence

from ticketchain.chain.abi import decode_problem, decode_result, encode_call
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.refusals import refusal
from ticketchain.chain.signatures import is_signed, personal_digest
from ticketchain.chain.types import ChainError, Reverted
from ticketchain.domain.errors import Unavailable
from ticketchain.domain.ledgers import ledger_of, ticket_on_chain
from ticketchain.domain.tickets import event_of


class ContractReader:
    """Asks the ledgers at these addresses (by number, the current one last) through a gateway."""

    def __init__(self, gateway: Gateway, addresses: Sequence[str], chain_id: int) -> None:
        self._gateway, self._addresses = gateway, addresses
        self.number, self.address = len(addresses) - 1, addresses[-1]
        self.chain_id = chain_id

    def address_of(self, event: int) -> str:
        """Address of the ledger that has an event (EIP-55)."""
        return self._addresses[ledger_of(event)]

    def check_offer(self, ticket: int, epoch: int, price: int) -> None:
        """Raises `LedgerRefused` with the contract's reason if it would refuse this resale, `Unavailable` without
        chain.
        """
        self._check("checkOffer", ticket, epoch, price)

    def check_gift(self, ticket: int, epoch: int, to: str) -> None:
        """Raises `LedgerRefused` with the contract's reason if it would refuse this gift, `Unavailable` without
        chain.
        """
        self._check("checkGift", ticket, epoch, to)

    def is_signed(self, address: str, digest: bytes, signature: bytes) -> bool:
        """Whether an own wallet signed a digest: by its key, or by its code's own check (ERC-1271). Raises
        `Unavailable`.
        """
        try:
            return is_signed(self._gateway, address, digest, signature)
        except ChainError as error:
            raise Unavailable(f"the chain does not answer: {error}") from error

    def is_message_signed(self, address: str, message: str, signature: bytes) -> bool:
        """The same for a text (EIP-191, `personal_sign`). Raises `Unavailable`."""
        return self.is_signed(address, personal_digest(message), signature)

    def _check(self, function: str, ticket: int, *arguments: object) -> None:
        try:
            call = encode_call(function, ticket_on_chain(ticket), *arguments)
            answer = self._gateway.call(self.address_of(event_of(ticket)), call)
            problem = decode_problem(decode_result(function, answer))
        except Reverted as reverted:
            problem = decode_problem(reverted.data)
        except ChainError as error:
            raise Unavailable(f"the chain does not answer: {error}") from error
        if problem is not None:
            raise refusal(problem)
