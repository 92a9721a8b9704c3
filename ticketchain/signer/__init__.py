"""The signer's process: it holds the keys, checks each intent and signs. No web framework, no chain client, no database
but its own vault.
"""
