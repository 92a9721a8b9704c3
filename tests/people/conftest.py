"""The API over real parts, as for the tests of the API."""

from tests.api.conftest import shop

__all__ = ["shop"]
