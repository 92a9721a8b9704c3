"""The demo: four people do the main job through HTTP, a phone and a node, and every count of it is checked.

They share no code with the service: organizer, fans and gates know its API, phones know `ticketchain.gate`, the auditor
is `ticketchain audit` with a node's address. `checks` holds the books of the service against what the auditor found.
"""

from ticketchain.demo.story import Options, run

__all__ = ["Options", "run"]
