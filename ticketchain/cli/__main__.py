"""`python -m ticketchain.cli`, the same as `ticketchain`."""

from ticketchain.cli import main

main()
