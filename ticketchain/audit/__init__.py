"""The auditor: an independent second implementation that recomputes every claim of a ledger from the chain
alone.

It shares no code with the service; it knows the contract's ABI and its documented rules. `words`, `money`,
`facts`, `replay` and `rules` are pure; `rpc` and `reader` read a node; `views` and `signatures` ask for more
evidence; `auditor` runs it all.
"""

from ticketchain.audit.access_log import LogReport, check_log
from ticketchain.audit.anchors import Published, check_published, first_block, read_published
from ticketchain.audit.auditor import audit_ledger
from ticketchain.audit.cancelled import check_cancelled
from ticketchain.audit.model import Finding
from ticketchain.audit.report import Report, report_json
from ticketchain.audit.rpc import CouldNotRead

__all__ = [
    "CouldNotRead",
    "Finding",
    "LogReport",
    "Published",
    "Report",
    "audit_ledger",
    "check_cancelled",
    "check_log",
    "check_published",
    "first_block",
    "read_published",
    "report_json",
]
