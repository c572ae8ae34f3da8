"""What travels to a browser that comes for the first time: sign-in, first page and shortlist, with all they need."""

from __future__ import annotations

import gzip
import re
from typing import Any
from urllib.parse import urljoin

from django.test import Client
from standing_people import HANA, PASSWORD

MOST_BYTES = 100_000
"""All of it together: on a line of 1 Mbit/s less than a second."""

PACKED = {"HTTP_ACCEPT_ENCODING": "gzip"}


class Browser:
    """Loads pages as a browser does: everything they name once, packed, and counts what came over the line."""

    def __init__(self, client: Client) -> None:
        self.client, self.loaded = client, dict[str, int]()

    def open(self, path: str, given: dict[str, str] | None = None) -> Any:
        answer = self.client.post(path, given, **PACKED) if given else self.client.get(path, **PACKED)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        headers = sum(len(name) + len(value) + 4 for name, value in answer.items())
        self.loaded[f"{path} {len(self.loaded)}" if given or path not in self.loaded else path] = len(body) + headers
        if answer.status_code == 302:
            return self.open(answer["Location"])
        text = gzip.decompress(body).decode() if answer.get("Content-Encoding") == "gzip" else body.decode()
        for wanted in _named(text, path):
            if wanted not in self.loaded:
                self.open(wanted)
        return answer


def _named(text: str, path: str) -> list[str]:
    """What a page or a style sheet makes a browser fetch. A site may have a font of its own, in slices: those are
    counted where they are tested, and are not part of a first page without it."""
    found = re.findall(r'<(?:link[^>]*?href|script[^>]*?src|img[^>]*?src)="([^"]+)"', text)
    found += re.findall(r"url\(['\"]?([^'\")]+)", text)
    return [urljoin(path, one) for one in found if not one.startswith("data:") and ".woff2" not in one]


def test_it_comes_in_less_than_100_kilobytes(as_person: Any) -> None:
    with_account = as_person(HANA)
    browser = Browser(Client())
    browser.open("/sign-in/")
    browser.open("/sign-in/", {"username": HANA.username, "password": PASSWORD})
    browser.client.cookies = with_account.cookies  # the second factor given
    browser.open("/")
    answer = browser.open("/cases/?reach=ALL")
    assert answer.status_code == 200 and any("site.css" in path for path in browser.loaded)
    assert sum(browser.loaded.values()) < MOST_BYTES, browser.loaded


def test_files_are_kept_for_long_under_an_address_that_changes_with_them(client: Client) -> None:
    page = client.get("/sign-in/").content.decode()
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert addresses and all(re.search(r"\?v=[0-9a-f]{12}$", address) for address in addresses)
    for address in addresses:
        answer = client.get(address, **PACKED)
        assert int(re.search(r"max-age=(\d+)", answer["Cache-Control"]).group(1)) > 30 * 24 * 3600
        if address.split("?")[0].endswith((".css", ".js")):
            assert answer["Content-Encoding"] == "gzip"


def test_a_page_is_packed_and_never_kept(as_person: Any) -> None:
    answer = as_person(HANA).get("/cases/", **PACKED)
    assert answer["Content-Encoding"] == "gzip" and "no-store" in answer["Cache-Control"]
    assert len(answer.content) < len(gzip.decompress(answer.content)) / 3
