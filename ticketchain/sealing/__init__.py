"""Sealing of keys: envelope encryption under a key that a key provider keeps. Beside everything else: it knows nothing
of ours but the errors' base class.
"""
