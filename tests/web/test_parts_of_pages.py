"""Parts of pages that are fetched anew (htmx): a list narrowed while one looks at it, a running job; all else stays a page."""

# ruff: noqa: F811

from __future__ import annotations

import os
from typing import Any

import psutil
import pytest
from browsing import address, browser, demo_password, opened, sign_in  # noqa: F401
from handmade import waiting_job
from standing_people import OTHERS

from kodomo.configuration import Home
from kodomo.jobs.book import JobBook, JobStep

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
PART = {"HTTP_HX_REQUEST": "true"}
POLL = {**PART, "HTTP_HX_TARGET": "live"}


@pytest.fixture
def job(home: Home) -> int:
    """A job whose runner (this very process) lives."""
    book = JobBook(home.runs)
    steps = [JobStep("名寄せ", ("link",))]
    number = waiting_job(book, "LINK", "名寄せと反映", steps, asked_by="coordinator", office="family_centre")
    assert book.belongs_to(number, os.getpid(), psutil.Process().create_time())
    return number


def test_a_running_job_asks_for_its_figures_and_its_end_for_the_whole_page(
    as_person: Any, home: Home, job: int
) -> None:
    site = as_person(COORDINATOR)
    answer = site.get(f"/jobs/{job}/", **POLL)
    assert b'id="live"' in answer.content and "HX-Refresh" not in answer.headers
    JobBook(home.runs).end(job, "CANCELLED")
    assert site.get(f"/jobs/{job}/", **POLL).headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in site.get(f"/jobs/{job}/").headers


def test_asking_again_and_again_keeps_no_session_open(as_person: Any, job: int) -> None:
    site = as_person(COORDINATOR)
    site.get(f"/jobs/{job}/", **POLL)
    assert "clicked_at" not in site.session
    site.get(f"/jobs/{job}/")
    assert "clicked_at" in site.session


def test_who_is_signed_out_gets_no_part_but_the_way_to_sign_in(client: Any, job: int) -> None:
    answer = client.get(f"/jobs/{job}/", **POLL)
    assert answer.headers["HX-Refresh"] == "true" and answer.content == b""
    assert client.get("/cases/", **PART).headers["HX-Refresh"] == "true"


@pytest.mark.web
@pytest.mark.enable_socket
def test_the_list_narrows_while_one_looks_at_it_and_the_browser_keeps_only_where_it_is(
    browser: Any, address: str, home: Home
) -> None:
    complaints: list[str] = []
    page = opened(browser, complaints)
    sign_in(page, address, "toko", demo_password(home))
    page.goto(f"{address}/cases/")
    page.evaluate("window.sameDocument = true")
    before = page.locator("a.case-number").count()
    kind = page.locator("select[name=type]")
    kind.focus()
    kind.select_option("NON_ATTENDANCE")
    page.wait_for_url("**/cases/?*type=NON_ATTENDANCE*")
    assert 0 < page.locator("a.case-number").count() < before
    assert page.evaluate("window.sameDocument && document.activeElement.name") == "type"
    marks = page.locator("input[name=case]")
    page.locator("[data-check-all]").check()
    assert all(marks.nth(i).is_checked() for i in range(marks.count()))
    assert page.evaluate("[localStorage.length, ...Object.keys(sessionStorage)]") == [
        0,
        "htmx-current-path-for-history",
    ]
    kind.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    chosen = kind.input_value()
    page.wait_for_url(f"**/cases/?*type={chosen}*")
    assert kind.input_value() == chosen != "NON_ATTENDANCE"  # the list follows, the choice is not overtaken
    assert page.locator("#export input[name=type]").input_value() == chosen
    page.get_by_role("link", name="条件をすべて外す").click()
    page.wait_for_function(f"document.querySelectorAll('a.case-number').length === {before}")
    assert complaints == []
