"""Custody: sealed keys and the signer that uses them. Keys leave this package only as signatures."""
