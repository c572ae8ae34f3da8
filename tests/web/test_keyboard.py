"""One case from the list to the decision without a mouse, and the pages that say no, as everybody must be able to read them."""

# ruff: noqa: F811

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from browsing import address, browser, check, demo_password, look, opened, sign_in, whole  # noqa: F401
from django.utils import timezone
from test_every_page import worked  # noqa: F401

from kodomo.configuration import Home

pytestmark = [pytest.mark.web, pytest.mark.enable_socket]


FOCUS = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const held = e.type === "radio" || e.type === "checkbox" ? getComputedStyle(e.closest("label") || e) : style;
  return {text: (e.innerText || e.value || e.getAttribute("aria-label") || "").trim(), name: e.name || "", value: e.value || "",
          tag: e.tagName, seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
          ring: Math.max(parseFloat(style.outlineWidth) || 0, parseFloat(held.outlineWidth) || 0)};
}"""


def tab_to(page: Any, *, text: str = "", name: str = "", most: int = 150) -> dict[str, Any]:
    """Press Tab until the wanted link, button or field has the focus; every stop on the way can be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        found: dict[str, Any] = page.evaluate(FOCUS)
        if found["tag"] == "BODY":
            continue
        assert found["seen"] and found["ring"] >= 2, found
        if (text and found["text"] == text and found["tag"] in ("A", "BUTTON")) or (name and found["name"] == name):
            return found
    raise AssertionError(f"{text or name} is not reached by Tab")


def choose(page: Any, name: str, value: str) -> None:
    """Walk a group of radio buttons, or a list, with the arrows."""
    found = tab_to(page, name=name)
    if found["tag"] != "SELECT":
        page.keyboard.press("Space")
    for _ in range(30):
        if page.evaluate(FOCUS)["value"] == value:
            return whole(page)
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{value} is not reached by the arrows")


def test_one_case_from_the_list_to_the_decision_without_a_mouse(browser: Any, address: str, home: Home) -> None:
    complaints: list[str] = []
    page = opened(browser, complaints)
    page.goto(f"{address}/sign-in/")
    tab_to(page, name="username")
    page.keyboard.type("hana")
    tab_to(page, name="password")
    page.keyboard.type(demo_password(home))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    tab_to(page, text="一次絞り込み")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/cases/")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS)["text"] == "本文へ進む", "the first stop of every page"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    choose(page, "type", "NON_ATTENDANCE")
    tab_to(page, text="絞り込む")
    page.keyboard.press("Enter")
    page.wait_for_url("**type=NON_ATTENDANCE**")
    number = page.inner_text("a.case-number")
    tab_to(page, name="case")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/assign/")
    assert "主担当が選ばれていません" in page.inner_text("main"), "Enter on a mark gives the case to nobody by accident"
    assert page.is_checked("input[name=case]"), "the list comes again with its marks"
    tab_to(page, text=number)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{number}/")
    choose(page, "concern", "STRONG")
    tab_to(page, name="text")
    page.keyboard.type("秋から欠席が増え続けている。")
    tab_to(page, text="所見を保存し、判定を見る")
    page.keyboard.press("Enter")
    page.wait_for_selector("#judged")
    tab_to(page, text="支援要否を判断する")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decide/")
    choose(page, "decision", "INQUIRE")
    choose(page, "reason_code", "Q4")
    choose(page, "agreement", "AGREE")
    tab_to(page, name="next_on")
    page.keyboard.type((timezone.localdate() + dt.timedelta(days=20)).isoformat())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{number}/")
    assert "調査中" in page.inner_text(".case-head__state")
    tab_to(page, text="学校・園等に調査を頼む")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inquiry/")
    tab_to(page, text="調査を記録する")
    page.keyboard.press("Enter")
    page.wait_for_selector(".field__fault")
    focused = page.evaluate("document.querySelector('[aria-invalid=true]') !== null")
    assert focused, "the field that is wrong says so to a screen reader"
    page.context.close()
    assert [said for said in complaints if "400" not in said] == []


def test_the_pages_that_refuse_are_in_order_too(
    browser: Any, address: str, home: Home, worked: dict[str, Any], case_of: Any
) -> None:
    """Faults in a form, a form that came too late, no right, no such page, an old paper, a slip that is none."""
    page, case = opened(browser, []), f"{address}/cases/{worked['case_number']}"
    page.goto(f"{address}/sign-in/")
    page.fill("[name=username]", "hana")
    page.fill("[name=password]", "wrong-wrong-wrong")
    page.click("main button[type=submit]")
    check(page, "60-wrong-password")
    sign_in(page, address, "hana", demo_password(home))
    page.goto(f"{case}/contact/")
    page.fill("[name=text]", "玄関で会えた。家の中は片付いていた。")
    page.click("main button[type=submit] >> nth=0")
    assert page.locator(".field__fault").count() == 4 and page.locator("[aria-invalid=true]").count() >= 1
    check(page, "61-faults")
    page.check("input[name=kind][value=VISIT]")
    page.check("input[name=result][value=TALKED]")
    for name, days in (("met_on", 0), ("next_on", 9)):
        page.fill(f"[name={name}]", (timezone.localdate() + dt.timedelta(days=days)).isoformat())
    type(case_of("pc01")).objects.filter(child_key="pc01").update(version=99)
    page.click("main button[type=submit] >> nth=0")
    assert "ほかの人が先に更新しました" in page.inner_text("h1")
    check(page, "62-conflict")
    page.click("text=書いた内容のまま、入力画面を開き直す")
    assert page.input_value("[name=text]").startswith("玄関で会えた")
    page.click("main button[type=submit] >> nth=0")
    assert "玄関で会えた" in page.inner_text("main") and "支援の記録" in page.title()
    case_of("pc01").packages.update(expires_on=dt.date(2026, 1, 1))
    for place, status, name in (
        (f"{case}/package/{worked['package']}/", 400, "63-expired"),
        (f"{address}/cases/{case_of('pc03').case_number}/", 403, "64-other-office"),
        (f"{address}/nowhere/", 404, "65-nowhere"),
    ):
        assert page.goto(place).status == status, name
        check(page, name)
    page.goto(f"{address}/packages/reply/")
    page.set_input_files("[name=slip]", {"name": "x.csv", "mimeType": "text/csv", "buffer": b"a,b\n"})
    page.fill("[name=next_on]", (timezone.localdate() + dt.timedelta(days=9)).isoformat())
    page.click("main button[type=submit]")
    assert "回答票ではありません" in page.inner_text("main")
    check(page, "66-no-slip")
    page.context.close()


PAPERS = {
    "case-print": "toko", "conference-minutes": "toko", "conference-papers": "toko", "package": "hana", "inquiry-paper": "hana",
    "package-reminder": "hana", "takeover": "hana", "effect": "toko", "effect-detail": "toko",
}  # fmt: skip
"""What is printed, by who prints it. (逆引き票 opens a name and is in ``test_packages``.)"""

MARGINS = """() => [...document.styleSheets].flatMap(s => [...s.cssRules])
  .filter(r => r instanceof CSSPageRule && !r.selectorText).map(r => r.cssText).join(" ")"""


def test_every_paper_is_a4_and_says_what_it_is(browser: Any, address: str, home: Home, worked: dict[str, Any]) -> None:
    """取扱注意, who printed it, when, under which number; page x/y in the margin; nothing of the screen on it."""
    from test_every_page import path_of

    for username in sorted(set(PAPERS.values())):
        page = opened(browser, [])
        sign_in(page, address, username, demo_password(home))
        for name in (name for name, who in PAPERS.items() if who == username):
            page.goto(address + path_of(name, worked) + ("?member=kei" if name == "conference-papers" else ""))
            margins = page.evaluate(MARGINS)
            assert "counter(page)" in margins and "counter(pages)" in margins and "取扱注意" in margins
            page.emulate_media(media="print")
            strip = page.inner_text(".paper-strip >> nth=0")
            assert "取扱注意" in strip and re.search(r"印刷番号 \d+", strip) and "印刷者" in strip, name
            assert re.search(r"\d{4}年\d+月\d+日\(令和\d+年\) \d\d:\d\d", strip), name
            for gone in (".site-header", ".site-footer", "[data-print]", ".skip"):
                assert not page.is_visible(gone), (name, gone)
            page.set_viewport_size({"width": 690, "height": 1000})
            assert page.evaluate("document.documentElement.scrollWidth") <= 690, f"{name} runs over the paper's edge"
            look(page, f"paper-{name}")
            paper = page.pdf(prefer_css_page_size=True)
            sizes = {tuple(round(float(n)) for n in pair)
                     for pair in re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)}  # fmt: skip
            assert sizes <= {(595, 842), (842, 595)} and (595, 842) in sizes, (name, sizes)
            page.emulate_media(media="screen")
            page.set_viewport_size({"width": 1280, "height": 720})
        page.context.close()


def test_a_returned_form_is_looked_at_and_recorded_without_a_mouse(
    browser: Any, address: str, home: Home, worked: dict[str, Any]
) -> None:
    from test_inquiry_files import as_csv, filled

    from kodomo.assessment.models import Inquiry, InquiryAnswer
    from kodomo.support.inquiry_files import SEAL_USE, printed_on
    from kodomo.support.replies import seal_key

    rows = printed_on(Inquiry.objects.get(), 1).rows(seal_key(SEAL_USE))
    slip = {"name": "調査票.csv", "mimeType": "text/csv", "buffer": as_csv(filled([list(row) for row in rows]))}
    complaints: list[str] = []
    page = opened(browser, complaints)
    sign_in(page, address, "hana", demo_password(home))
    page.goto(f"{address}/caseload/?view=unanswered")
    check(page, "caseload-unanswered")
    page.goto(f"{address}/cases/{worked['case_number']}/")
    tab_to(page, text="戻ったファイルを取り込む")
    page.keyboard.press("Enter")
    page.wait_for_url("**/return/")
    tab_to(page, text="記録しないで、ファイルを選び直す")
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=slip]")
    tab_to(page, name="slip")
    check(page, "inquiry-return-upload")
    page.set_input_files("[name=slip]", {**slip, "buffer": b"%PDF-1.7"})
    tab_to(page, text="内容を確かめる")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert "次にすること" in page.inner_text("[role=alert]")
    complaints.clear()  # the browser tells of the answer 400
    page.set_input_files("[name=slip]", slip)
    tab_to(page, text="内容を確かめる")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=まだ記録していません")
    tab_to(page, text="この内容で記録する")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{worked['case_number']}/")
    assert "調査票(ファイル)" in page.inner_text("main") and InquiryAnswer.objects.get().source == "FILE"
    page.go_back()
    page.reload()
    assert page.locator("[name=slip]").count() == 1 and InquiryAnswer.objects.count() == 1
    assert complaints == []
