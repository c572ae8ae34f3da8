"""The site in a real browser: what it looks like, at an office PC's size and at 200 % zoom, with and without JavaScript.

Screenshots are written to ``screenshots/`` for people to look at.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_socket
from spoken import english_words
from standing_people import PASSWORD

from kodomo.configuration import Home, Municipality

pytestmark = [pytest.mark.web, pytest.mark.enable_socket]

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
    server = create_server(get_wsgi_application(), host="127.0.0.1", port=0, threads=2)
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    connections.close_all()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    serving.join(timeout=5)


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


def opened(browser: Any, complaints: list[str], **options: Any) -> Any:
    """A fresh page that notes every complaint of the browser (a breach of the content policy among them)."""
    page = browser.new_context(viewport=OFFICE_PC, locale="ja-JP", **options).new_page()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    return page


def sign_in(page: Any, address: str, username: str, password: str) -> None:
    page.goto(f"{address}/sign-in/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/")


def check(page: Any, name: str) -> None:
    """Nothing runs over the edge at either size, every character has a glyph, no English; and a picture of it."""
    for size, suffix in ((ZOOMED, "-200"), (OFFICE_PC, "")):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{name}{suffix}: {wide}px"
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=str(SCREENSHOTS / f"{name}{suffix}.png"), full_page=True)
    assert page.evaluate(MISSING_GLYPHS) == [], name
    assert page.evaluate(SMALL_TARGETS) == [], name
    assert english_words(page.evaluate(VISIBLE_TEXT)) == set(), name


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
    return pen.getImageData(0, 0, 32, 32).data.join();
  };
  const missing = drawn("\\u{10FFFD}");
  return [...new Set(document.body.innerText)].filter(c => c.trim() && drawn(c) === missing);
}"""

SMALL_TARGETS = """() => [...document.querySelectorAll("button, .button, select, .choice, .switch, .menu a")]
  .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5).map(e => e.textContent.trim())"""


def demo_password(home: Home) -> str:
    from kodomo.web import demo

    return demo.password(home)


def test_it_carries_a_caseworker_from_sign_in_to_a_name(browser: Any, address: str, home: Home) -> None:
    complaints: list[str] = []
    page, password = opened(browser, complaints), demo_password(home)
    page.goto(f"{address}/sign-in/")
    check(page, "01-sign-in")
    sign_in(page, address, "hana", password)
    check(page, "02-home")
    page.click("text=一次絞り込み")
    check(page, "03-shortlist")
    page.select_option("[name=type]", label="不登校")
    page.click("text=絞り込む >> nth=-1")
    page.click("a.case-number")
    check(page, "04-case-facts-first")
    assert page.query_selector("#judged") is None
    page.check("input[name=concern][value=STRONG]")
    page.fill("textarea[name=text]", "秋から欠席が増え続けている。祖母の介護と家計の様子を確かめたい。")
    page.click("text=所見を保存し、判定を見る")
    check(page, "05-case-judged")
    page.click("text=支援要否を判断する")
    check(page, "06-assessment")
    page.check("input[name=decision][value=INQUIRE]")
    page.select_option("[name=reason_code]", "Q4")
    page.fill("[name=reason_text]", "学校に、登校できた日の様子を聞く。")
    page.check("input[name=agreement][value=AGREE]")
    page.click("text=判断を保存する")
    check(page, "07-assessment-without-a-date")
    assert "次回確認日が要ります" in page.inner_text("main")
    assert page.input_value("[name=reason_text]") == "学校に、登校できた日の様子を聞く。"
    page.fill("[name=next_on]", next_month())
    page.click("text=判断を保存する")
    check(page, "08-case-decided")
    page.click("text=氏名等を確かめる")
    check(page, "09-reveal")
    page.check("input[name=purpose][value=P2]")
    page.fill("[name=password]", password)
    page.click("text=証跡を残して表示する")
    check(page, "10-revealed")
    assert "日向 かなり" in page.inner_text("h1")
    assert [words for words in complaints if "400" not in words] == []


def next_month() -> str:
    import datetime as dt

    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
    return f"令和{day.year - 2018}年{day.month}月{day.day}日"


def test_it_works_without_javascript(browser: Any, address: str, home: Home) -> None:
    page = opened(browser, [], java_script_enabled=False)
    sign_in(page, address, "makoto", demo_password(home))
    page.goto(f"{address}/cases/?type=ABUSE")
    page.click("a.case-number")
    page.check("input[name=concern][value=SOME]")
    page.fill("textarea[name=text]", "相談の記録を読み、保育園に確かめたい。")
    page.click("text=所見を保存し、判定を見る")
    page.click("text=支援要否を判断する")
    page.check("input[name=decision][value=WATCH]")
    page.select_option("[name=reason_code]", "W1")
    page.check("input[name=agreement][value=UNSURE]")
    page.fill("[name=next_on]", next_month())
    page.click("text=判断を保存する")
    assert "見守り中" in page.inner_text("main")


def test_it_works_with_the_keyboard_alone(browser: Any, address: str, home: Home) -> None:
    page = opened(browser, [])
    page.goto(f"{address}/sign-in/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "4px"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("hana")
    page.keyboard.press("Tab")
    page.keyboard.type(demo_password(home))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    assert "青木 花" in page.inner_text("h1")


@pytest.mark.parametrize(
    ("username", "paths"),
    [
        ("toko", {"11-coordinator": "/", "12-coordinator-shortlist": "/cases/?nobody_knows=on"}),
        ("akari", {"13-audit": "/audit/", "14-audit-verified": "/audit/verify/"}),
        ("osamu", {"15-accounts": "/accounts/", "16-account-new": "/accounts/new/", "17-account": "/accounts/ren/"}),
        ("rin", {"18-analyst": "/", "19-refused": "/cases/", "20-missing": "/nowhere/"}),
    ],
    ids=["coordinator", "privacy officer", "administrator", "analyst"],
)
def test_it_is_in_order_for_every_other_role(
    username: str, paths: dict[str, str], browser: Any, address: str, home: Home
) -> None:
    page = opened(browser, [])
    sign_in(page, address, username, demo_password(home))
    for name, path in paths.items():
        page.goto(address + path)
        check(page, name)


def test_it_enrols_a_device_on_a_page_in_order(browser: Any, address: str, home: Home) -> None:
    complaints: list[str] = []
    page = opened(browser, complaints)
    page.goto(f"{address}/sign-in/")
    page.fill("[name=username]", "privacy-officer")  # no demonstration account
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    check(page, "21-enrol")
    assert page.query_selector(".qr-box svg") is not None
    assert complaints == []


def test_it_prints_on_a4_with_the_warning_and_page_numbers(browser: Any, address: str, home: Home) -> None:
    page = opened(browser, [])
    sign_in(page, address, "toko", demo_password(home))
    page.goto(f"{address}/cases/?type=NON_ATTENDANCE")
    page.click("a.case-number")
    page.click("text=印刷用の画面")
    check(page, "22-print-on-screen")
    paper = page.pdf(prefer_css_page_size=True)
    SCREENSHOTS.joinpath("22-print.pdf").write_bytes(paper)
    width, height = (float(n) for n in re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)[0])
    assert (round(width), round(height)) == (595, 842)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 1000})
    page.screenshot(path=str(SCREENSHOTS / "22-print.png"), full_page=True)
    assert not page.is_visible(".site-header") and page.is_visible(".paper-strip")
    assert page.evaluate("document.documentElement.scrollWidth") <= 690


def test_the_checks_themselves_find_what_they_look_for(browser: Any) -> None:
    page = opened(browser, [])
    page.set_content(
        "<body>日本語 髙﨑𠮷 \ue123<p style='width:3000px'>Next</p><button style='height:20px'>小</button>"
    )
    assert page.evaluate(MISSING_GLYPHS) == ["\ue123"]
    assert page.evaluate("document.documentElement.scrollWidth") > 1280
    assert page.evaluate(SMALL_TARGETS) == ["小"]
    assert english_words(page.evaluate(VISIBLE_TEXT)) == {"Next"}
