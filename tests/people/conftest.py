"""The API over real parts, and people who sign up there."""

from tests.accounts.conftest import town, village
from tests.api.conftest import shop

__all__ = ["shop", "town", "village"]
