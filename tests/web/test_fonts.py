"""The site's own font: every character once, a light first page, and the font really used where a PC has none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, FLAGS, address, look  # noqa: F401
from django.conf import settings

from kodomo.web import fonts

LIGHTEST = 100_000


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slices of the product's own words."""
    folder = tmp_path_factory.mktemp("static") / "web" / "fonts"
    fonts.make_fonts(folder, only_words=True)
    return folder


def spans(style: str) -> list[set[int]]:
    found = []
    for listed in re.findall(r"unicode-range: ([^;]+);", style):
        points: set[int] = set()
        for span in listed.split(", "):
            ends = [int(end, 16) for end in span.removeprefix("U+").split("-")]
            points |= set(range(ends[0], ends[-1] + 1))
        found.append(points)
    return found


def test_each_character_of_the_products_words_lies_in_one_slice(cut: Path) -> None:
    found = spans((cut / fonts.STYLE).read_text())
    assert sum(map(len, found)) == len(set().union(*found)) and len(found) == len(list(cut.glob("*.woff2")))
    words = {ord(c) for group in fonts.own_words() for c in group}
    assert len(words - set().union(*found)) < 20  # signs the font has not, such as ✓
    assert {ord(c) for c in "判定基準の案"} <= set().union(*found)
    assert "SIL OPEN FONT LICENSE" in (cut / fonts.LICENCE).read_text()


def test_a_slice_with_other_characters_has_another_address(cut: Path) -> None:
    addresses = re.findall(r'url\("(noto-\d+\.woff2)\?v=([0-9a-f]{12})"\)', (cut / fonts.STYLE).read_text())
    assert len(addresses) == len(list(cut.glob("*.woff2"))) == len({digest for _, digest in addresses})
    assert all(hashlib.sha256((cut / name).read_bytes()).hexdigest().startswith(digest) for name, digest in addresses)


def test_stopped_half_way_it_leaves_no_sheet_that_names_missing_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / fonts.STYLE).write_text("@font-face {}")

    def stopped(*given: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(fonts, "_face", stopped)
    with pytest.raises(KeyboardInterrupt):
        fonts.make_fonts(tmp_path, only_words=True)
    assert not fonts.is_made(tmp_path)


@pytest.fixture
def bare_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Chromium on a PC whose only fonts are Latin."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        pytest.skip("Chromium がない")
    latin = next((p for p in Path("/usr/share/fonts").rglob("*.ttf") if "CJK" not in p.name), None)
    config = tmp_path / "fonts.conf"
    places = f"<dir>{tmp_path / 'few'}</dir><cachedir>{tmp_path / 'cache'}</cachedir>"
    (tmp_path / "few").mkdir()
    if latin is not None:
        (tmp_path / "few" / latin.name).symlink_to(latin)
    config.write_text(f'<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>{places}</fontconfig>')
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def served(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slices among the site's static files."""
    monkeypatch.setattr(settings, "STATICFILES_DIRS", [cut.parent.parent], raising=False)
    monkeypatch.setattr(fonts, "is_made", lambda folder=None: True)
    from django.contrib.staticfiles import finders

    finders.get_finder.cache_clear()


@pytest.mark.web
@pytest.mark.enable_socket
def test_a_pc_without_japanese_fonts_reads_and_prints_in_the_sites_own(
    served: None,
    address: str,  # noqa: F811
    bare_browser: Any,
    tmp_path: Path,
) -> None:
    page = bare_browser.new_page(viewport={"width": 1280, "height": 720})
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    page.goto(f"{address}/sign-in/")
    page.evaluate("document.fonts.load('16px \"Noto Sans JP\"', document.body.innerText)")
    client = page.context.new_cdp_session(page)
    client.send("DOM.enable")
    client.send("CSS.enable")
    root = client.send("DOM.getDocument")["root"]["nodeId"]
    node = client.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})["nodeId"]
    used = client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert [(font["familyName"], font["isCustomFont"]) for font in used] == [("Noto Sans JP", True)]
    assert sum(sizes.values()) < LIGHTEST, sizes
    look(page, "bare-sign-in")
    sheet = tmp_path / "sheet.pdf"
    page.pdf(path=str(sheet), format="A4")
    assert b"NotoSansJP" in sheet.read_bytes()
