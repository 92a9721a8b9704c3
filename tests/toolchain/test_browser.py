"""Debian's chromium, driven by Playwright, shows a QR code that can be read off a screenshot."""

import io
import shutil

import pytest
import segno
import zxingcpp
from PIL import Image
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.browser

# No phoning home, and it also starts as root (containers) and without a GPU.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]


def test_a_page_with_a_qr_code_is_shown_and_read_back() -> None:
    text = "TC1 " + "A0" * 100
    picture = segno.make(text, error="m").svg_inline(scale=4, border=4)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page()
        page.set_content(f"<body style='background:white'>{picture}</body>")
        shot = page.screenshot()
        browser.close()
    assert [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(shot)))] == [text]
