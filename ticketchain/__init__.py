"""ticketchain: a ticket ledger on an EVM chain and the service around it."""

__version__ = "0.1.0.dev0"
