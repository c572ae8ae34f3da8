"""データ項目台帳: each item by purpose in words, what stops soon, what was refused and why."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from spoken import english_in
from standing_people import HANA, OTHERS, RIN

from kodomo.configuration import Home, read_municipality
from kodomo.governance.register import read_register
from kodomo.terms import Purpose

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
HOLDER = next(p for p in OTHERS if p.role == "HOLDER")


@pytest.fixture
def ending_soon(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped municipality, but school attendance may be judged with only until in ten days' time."""
    import datetime as dt

    from django.utils import timezone

    folder = tmp_path / "town"
    shutil.copytree(settings.MUNICIPALITY.folder, folder)
    path = folder / "register" / "bases.toml"
    end = timezone.localdate() + dt.timedelta(days=10)
    parts = path.read_text().split("[[bases]]")
    for place, part in enumerate(parts):
        if '"absence_days"' in part or ('"*"' in part and '"school_education"' in part):
            parts[place] = re.sub(r"valid_to = \S+", f"valid_to = {end}", part)
    path.write_text("[[bases]]".join(parts))
    monkeypatch.setattr(settings, "MUNICIPALITY", read_municipality(folder))
    return folder


def test_it_shows_every_item_with_a_basis_in_words(as_person: Any) -> None:
    body = as_person(COORDINATOR).get("/register/").content.decode()
    held = read_register(settings.MUNICIPALITY.folder)
    shown = set(re.findall(r'href="/register/(\w+)/"', body))
    assert shown == set(held.items) | set(held.refused)
    cells = re.findall(r'<span class="basis basis--(\w+)">([^<]+)</span>', body)
    assert len(cells) > 5 * (len(held.items) - len(held.refused))
    assert "2030-03-31 まで" in body  # the register names the first day on which it no longer holds
    assert all(words for _, words in cells) and ("use_beyond_purpose", "69条2項2号") in cells
    assert "30 日以内に止まるもの" in body and english_in(body) == set()


def test_it_says_what_stops_within_thirty_days_and_what_that_means(as_person: Any, ending_soon: Path) -> None:
    body = as_person(HOLDER).get("/register/").content.decode()
    part = body.partition("30 日以内に止まるもの")[2].partition("</section>")[0]
    assert "/register/absence_days/" in part and "指標が計算されなくなります" in part
    assert "直近3か月の欠席日数" in part or "最新の月の欠席日数" in part
    assert "まもなく止まる" in body


def test_it_shows_another_day(as_person: Any) -> None:
    browser = as_person(COORDINATOR)
    assert browser.get("/register/?on=2040-01-01").content.decode().count(">切れた<") > 20
    assert browser.get("/register/?on=令和12年3月15日").status_code == 200
    wrong = browser.get("/register/?on=きのう")
    assert wrong.status_code == 400 and "日付として読めません" in wrong.content.decode()


def test_it_narrows_to_an_office(as_person: Any) -> None:
    body = as_person(COORDINATOR).get("/register/?office=water").content.decode()
    held = read_register(settings.MUNICIPALITY.folder)
    shown = set(re.findall(r'href="/register/(\w+)/"', body))
    assert shown and all("water" in held.items[code].holders for code in shown if code in held.items)


def test_an_item_tells_its_bases_and_what_uses_it(as_person: Any) -> None:
    body = as_person(RIN).get("/register/absence_days/").content.decode()
    assert "相当な理由" in body and "直近12か月の欠席日数" in body and "学校教育課" in body
    assert all(purpose.label in body for purpose in Purpose) and english_in(body) == set()


def test_a_refused_item_says_why(as_person: Any) -> None:
    body = as_person(RIN).get("/register/tax_income/").content.decode()
    assert "受け取らないと決めた項目です" in body and "地方税法第22条" in body
    assert as_person(RIN).get("/register/nowhere/").status_code == 404


def test_caseworkers_have_no_register(as_person: Any) -> None:
    assert as_person(HANA).get("/register/").status_code == 403
