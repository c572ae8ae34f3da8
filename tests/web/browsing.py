"""A real browser for the tests of pages: the site on a free port, Chromium, and what every page must hold.

With ``KODOMO_SCREENSHOTS=1`` every page looked at is written to ``screenshots/`` for people; no test needs them.
"""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from axe_playwright_python.sync_playwright import Axe
from guide import IS_ASKED
from spoken import english_words

from kodomo.configuration import Home, Municipality

SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
OFFICE_PC = {"width": 1280, "height": 720}
ZOOMED = {"width": 640, "height": 360}
"""What a 1280×720 screen shows at 200 % zoom."""


@pytest.fixture
def address(home: Home, hinata: Municipality, in_vault: Any, socket_enabled: Any) -> Iterator[str]:
    """The site as ``kodomo demo`` serves it, on a free port of this machine."""
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.db import connections
    from waitress import create_server

    from kodomo.web.serve import prepare

    prepare(home=home, municipality=hinata, demo=True)
    in_vault("pc01")
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    server = create_server(get_wsgi_application(), host="127.0.0.1", port=0, threads=2, asyncore_loop_timeout=0.2)
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    connections.close_all()
    yield f"http://127.0.0.1:{server.effective_port}"
    _stop(server, serving)


def _stop(server: Any, serving: threading.Thread) -> None:
    """The server's own thread closes its sockets (the browser keeps connections open), and so leaves its loop."""
    from waitress import wasyncore

    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
    serving.join()
    server.task_dispatcher.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium がありません。make system-packages で入れてください。")
        pytest.skip("chromium がないので、画面を撮れません(make system-packages)")
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, beside which Django refuses its database unless told that
    # nothing else runs here. The site itself serves from threads of its own.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    pytest_socket.enable_socket()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    pytest_socket.disable_socket(allow_unix_socket=True)


LONGEST_MS = 60_000
"""How long anything may take before it counts as missing: long, for the machine may be busy with other things."""

FOLLOWED_BY_A_PAGE = ("click", "check", "press", "select_option", "wait_for_selector", "wait_for_url")


def opened(browser: Any, complaints: list[str], **options: Any) -> Any:
    """A fresh page that notes every complaint of the browser (a breach of the content policy among them).

    Whoever clicks, marks, chooses or presses Enter on it goes on when the page that follows is whole.
    """
    page = browser.new_context(viewport=OFFICE_PC, locale="ja-JP", **options).new_page()
    page.set_default_timeout(LONGEST_MS)
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.add_init_script(FETCHES)
    for name in FOLLOWED_BY_A_PAGE:
        setattr(page, name, _then_whole(page, getattr(page, name)))
    press = page.keyboard.press
    page.keyboard.press = lambda key: page.press("*:focus", key) if key == "Enter" else press(key)
    return page


def _then_whole(page: Any, act: Callable[..., Any]) -> Callable[..., Any]:
    """Playwright's own acts return as soon as the first bytes of the next page are there."""

    @functools.wraps(act)
    def done(*given: Any, **options: Any) -> Any:
        found = act(*given, **options)
        whole(page)
        return found

    return done


def whole(page: Any) -> None:
    """Wait until the page has arrived, and the parts of it that are being fetched anew."""
    page.wait_for_load_state()
    page.evaluate(FETCHED)


FETCHES = """
addEventListener("change", e => {
  const form = e.target.closest("[hx-trigger^=change]");
  if (form) window.fetched = new Promise((done, fail) => {
    document.addEventListener("htmx:afterSettle", () => done(), {once: true});
    setTimeout(fail, 60000, "the list did not follow");
  });
});
"""
"""A list that narrows by itself asks for its parts a moment after the change."""

FETCHED = "window.fetched"


def sign_in(page: Any, address: str, username: str, password: str) -> None:
    page.goto(f"{address}/sign-in/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.click("main button[type=submit]")
    assert page.url == f"{address}/"


def check(page: Any, name: str) -> None:
    """Nothing runs over the edge at either size, every character has a glyph, no English; and a picture of it."""
    for size, suffix in ((ZOOMED, "-200"), (OFFICE_PC, "")):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{name}{suffix}: {wide}px"
        look(page, f"{name}{suffix}")
    page.evaluate(UNFOLD)  # axe passes over what is folded away
    assert accessibility_faults(page) == [], name
    found = page.evaluate(SEEN)
    assert found["stops"] == 0, f"{name}: the order of Tab is that of the page"
    assert found["glyphs"] == [], name
    assert found["targets"] == [], name
    assert english_words(found["text"]) == set(), name


def look(page: Any, name: str) -> None:
    """A picture alone, where pictures are asked for."""
    if not IS_ASKED:
        return
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=True)


WCAG = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
}


def accessibility_faults(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA, as rule and place."""
    found = Axe().run(page, options=WCAG).response["violations"]
    return [f"{fault['id']}: {node['target']}" for fault in found for node in fault["nodes"]]


UNFOLD = """() => document.querySelectorAll("details:not([open])").forEach(e => { e.open = true; e.dataset.unfolded = ""; })"""
UNTOUCHED = """() => document.querySelectorAll("[style='']").forEach(e => e.removeAttribute("style"))"""
"""Pictures and checks leave empty styles behind, which the content policy would mind in a part that htmx copies."""
FOLD = """() => document.querySelectorAll("[data-unfolded]").forEach(e => { e.open = false; delete e.dataset.unfolded; })"""

BARE_DATES = r"""() => {
  const copy = document.querySelector("main").cloneNode(true);
  copy.querySelectorAll("[data-code], script, svg, .field__help").forEach(e => e.remove());
  return copy.textContent.match(/\d{4}[-\/年]\d{1,2}[-\/月]\d{1,2}(?:日(?!\()|(?![\d日(]))/g) || [];
}"""
"""Dates that stand without their era."""

VISIBLE_TEXT = """() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll("[data-code], script, svg").forEach(e => e.remove());
  return document.title + " " + copy.innerText;
}"""

MISSING_GLYPHS = """() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 32, height: 32});
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  pen.font = "24px " + getComputedStyle(document.body).fontFamily;
  const drawn = letter => {
    pen.clearRect(0, 0, 32, 32); pen.fillText(letter, 2, 26);
    return pen.getImageData(0, 0, 32, 32).data;
  };
  const missing = drawn("\\u{10FFFD}");
  return [...new Set(document.body.innerText)].filter(c => c.trim() && drawn(c).every((dot, n) => dot === missing[n]));
}"""

SMALL_TARGETS = """() => [...document.querySelectorAll("button, .button, select, .choice, .switch, .menu a")]
  .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5).map(e => e.textContent.trim())"""

SEEN = f"""() => {{
  ({FOLD})(); ({UNTOUCHED})();
  return {{stops: document.querySelectorAll("[tabindex]:not([tabindex='-1'])").length,
          glyphs: ({MISSING_GLYPHS})(), targets: ({SMALL_TARGETS})(), text: ({VISIBLE_TEXT})()}};
}}"""
"""What a page is asked at once, folded again: each question of its own takes the time of a small page."""


def demo_password(home: Home) -> str:
    from kodomo.web import demo

    return demo.password(home)
