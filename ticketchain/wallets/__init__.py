"""The way to the signer: its client, and its start as a child. No key ever comes here."""
