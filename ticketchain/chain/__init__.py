"""Access to the ledger on its chain: the node, what is sent to it, and what is read back from its blocks."""
