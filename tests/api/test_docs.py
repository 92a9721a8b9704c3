"""The documentation page has every operation, and asks nobody else for anything."""

from __future__ import annotations

import re
from html import unescape

from tests.api.people import Shop


def test_the_page_shows_every_operation_with_its_scope(shop: Shop) -> None:
    page = unescape(shop.client.get("/docs").text)
    described = shop.client.get("/openapi.json").json()
    for path, item in described["paths"].items():
        for operation in item.values():
            assert path in page
            assert operation["summary"] in page
    assert page.count('class="scope"') == sum(len(item) for item in described["paths"].values())


def test_the_page_loads_nothing_from_elsewhere(shop: Shop) -> None:
    answer = shop.client.get("/docs")
    assert not re.findall(r"(?:src|href)=\"https?:|@import|<script", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_root_leads_to_the_page(shop: Shop) -> None:
    assert shop.client.get("/", follow_redirects=False).headers["location"] == "/docs"
