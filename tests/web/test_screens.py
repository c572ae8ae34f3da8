"""The site in a real browser: what it looks like, at an office PC's size and at 200 % zoom, with and without JavaScript."""

# ruff: noqa: F811

from __future__ import annotations

import re
from typing import Any

import pytest
from browsing import (
    MISSING_GLYPHS,
    SMALL_TARGETS,
    VISIBLE_TEXT,
    accessibility_faults,
    address,  # noqa: F401
    browser,  # noqa: F401
    check,
    demo_password,
    look,
    opened,
    sign_in,
)
from django.utils import timezone
from spoken import english_words
from standing_people import PASSWORD

from kodomo.configuration import Home

pytestmark = [pytest.mark.web, pytest.mark.enable_socket]


def test_it_carries_a_caseworker_from_sign_in_to_a_name(browser: Any, address: str, home: Home) -> None:
    complaints: list[str] = []
    page, password = opened(browser, complaints), demo_password(home)
    page.goto(f"{address}/sign-in/")
    check(page, "01-sign-in")
    sign_in(page, address, "hana", password)
    look(page, "02-home")
    page.click("text=一次絞り込み")
    look(page, "03-shortlist")
    page.select_option("[name=type]", label="不登校")
    page.click("text=絞り込む >> nth=-1")
    page.click("a.case-number")
    check(page, "04-case-facts-first")
    assert page.query_selector("#judged") is None
    page.check("input[name=concern][value=STRONG]")
    page.fill("textarea[name=text]", "秋から欠席が増え続けている。祖母の介護と家計の様子を確かめたい。")
    page.click("text=所見を保存し、判定を見る")
    look(page, "05-case-judged")
    page.click("text=支援要否を判断する")
    look(page, "06-assessment")
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
    look(page, "08-case-decided")
    page.click("text=氏名等を確かめる")
    look(page, "09-reveal")
    page.check("input[name=purpose][value=P2]")
    page.fill("[name=password]", password)
    page.click("text=証跡を残して表示する")
    check(page, "10-revealed")
    assert "日向 かなり" in page.inner_text("h1")
    assert [words for words in complaints if "400" not in words] == []


def next_month() -> str:
    import datetime as dt

    day = timezone.localdate() + dt.timedelta(days=30)
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
        ("rin", {"18-analyst": "/", "19-refused": "/cases/", "20-missing": "/nowhere/"}),
    ],
    ids=["coordinator", "analyst"],
)
def test_first_pages_and_refusals_are_in_order_too(
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
    width, height = (float(n) for n in re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)[0])
    assert (round(width), round(height)) == (595, 842)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 1000})
    look(page, "22-print")
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
    assert "html-has-lang: ['html']" in accessibility_faults(page)
