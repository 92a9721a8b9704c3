"""Passwords: their hashes (argon2id) and whether one is too easy to guess; everything offline."""
