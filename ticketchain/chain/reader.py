"""Questions to the contract for the use cases: may this ticket be given, may it be sold at this price?"""

from __future__ import annotations

from ticketchain.chain.abi import decode_problem, decode_result, encode_call
from ticketchain.chain.gateway import Gateway
from ticketchain.chain.refusals import refusal
from ticketchain.chain.types import ChainError, Reverted
from ticketchain.domain.errors import Unavailable


class ContractReader:
    """Asks the ledger at `address` through a gateway."""

    def __init__(self, gateway: Gateway, address: str, chain_id: int) -> None:
        self._gateway = gateway
        self.address = address
        self.chain_id = chain_id

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

    def _check(self, function: str, *arguments: object) -> None:
        try:
            answer = self._gateway.call(self.address, encode_call(function, *arguments))
            problem = decode_problem(decode_result(function, answer))
        except Reverted as reverted:
            problem = decode_problem(reverted.data)
        except ChainError as error:
            raise Unavailable(f"the chain does not answer: {error}") from error
        if problem is not None:
            raise refusal(problem)
