"""The whole loop as people do it, each at their own browser: shortlist, assessment, committee, plan, package, reply, outcome, back to the store."""

# ruff: noqa: F811

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import pyzipper
from browsing import address, browser, check, demo_password, opened, sign_in  # noqa: F401

from kodomo.configuration import Home, Municipality
from kodomo.intake.slip import read_slip

pytestmark = [pytest.mark.web, pytest.mark.enable_socket]


def in_days(days: int) -> str:
    day = dt.datetime.now(dt.UTC).astimezone().date() + dt.timedelta(days=days)
    return f"令和{day.year - 2018}年{day.month}月{day.day}日"


@pytest.fixture
def people(browser: Any, address: str, home: Home) -> Any:
    """Everybody signs in at their own browser."""
    password = demo_password(home)

    def come(username: str) -> Any:
        page = opened(browser, [])
        sign_in(page, address, username, password)
        return page

    return come


def assigned(toko: Any) -> str:
    """The coordinating office narrows down by type and level, and gives the case to 花."""
    toko.click("nav >> text=一次絞り込み")
    toko.select_option("[name=type]", label="不登校")
    toko.select_option("[name=level]", label="高")
    toko.click("text=絞り込む >> nth=-1")
    number: str = toko.inner_text("a.case-number")
    toko.check("input[name=case]")
    toko.select_option("#id_assign_to", "hana")
    toko.click("text=主担当にする")
    assert "青木 花" in toko.inner_text("table")
    check(toko, "30-assigned")
    return number


def assessed(hana: Any, number: str) -> None:
    """花 reads the facts, writes a first view, fills in a sheet, asks the school and decides."""
    hana.click("text=わたしが主担当の事例")
    hana.click(f"text={number}")
    hana.check("input[name=concern][value=STRONG]")
    hana.fill("textarea[name=text]", "秋から欠席が増え続けている。家の様子を確かめたい。")
    hana.click("text=所見を保存し、判定を見る")
    hana.click("ul.sheet-links >> text=ヤングケアラー")
    hana.check("input[name=degree_who][value=STRONG]")
    hana.fill("[name=text_who]", "弟の迎えと夕食を毎日している。")
    check(hana, "31-sheet")
    hana.click("text=シートを保存する")
    hana.click("text=支援要否を判断する")
    hana.check("input[name=decision][value=INQUIRE]")
    hana.select_option("[name=reason_code]", "Q4")
    hana.check("input[name=agreement][value=AGREE]")
    hana.fill("[name=next_on]", in_days(14))
    hana.click("text=判断を保存する")
    hana.click("text=学校・園等に調査を頼む")
    hana.check("input[name=asked][value=SCHOOL]")
    hana.fill("[name=questions]", "この1か月の登校の様子と、家のことで聞いていること。")
    hana.fill("[name=due_on]", in_days(5))
    hana.click("text=調査を記録する")
    hana.click("text=回答を記録する")
    hana.fill("[name=answered_on]", in_days(0))
    hana.fill("[name=text]", "午後から登校する日がある。夕方は弟の迎えに行くと話している。")
    hana.click("button >> text=回答を記録する")
    assert "午後から登校する日がある" in hana.inner_text("main")
    check(hana, "32-inquiry-answered")


def called(toko: Any, number: str) -> None:
    toko.click("nav >> text=統括委員会")
    toko.click("text=会議を開く")
    toko.fill("[name=title]", "第3回 統括委員会")
    toko.fill("[name=held_on]", in_days(1))
    for username in ("kei", "nao"):
        toko.check(f"input[name=members][value={username}]")
    toko.fill("[name=quorum]", "2")
    toko.fill("[name=cases]", number)
    toko.click("text=議事を組む")
    toko.click("a.case-number")
    toko.click("text=この事例を始める")


def spoken(member: Any, decision: str, text: str) -> None:
    member.click("a.case-number")
    assert member.query_selector("#judged") is None
    member.check("input[name=interest][value=NONE]")
    member.check(f"input[name=decision][value={decision}]")
    member.fill("[name=text]", text)
    member.click("text=所見を保存する")
    assert member.query_selector("#judged") is not None


def decided(toko: Any) -> None:
    toko.reload()
    toko.check("input[name=decision][value=SUPPORT]")
    toko.fill("[name=text]", "家の負担を軽くする支援から始める。")
    toko.fill("[name=discussion]", "見守りでよいという意見もあった。")
    toko.fill("[name=next_on]", in_days(7))
    check(toko, "33-before-the-decision")
    toko.click("text=委員会の決定として記録する")
    toko.click("text=第3回 統括委員会")
    toko.click("text=議事録(印刷用)")
    assert "見守りでよい" in toko.inner_text("main") and "清水 直" in toko.inner_text("main")
    check(toko, "34-minutes")


def handed_over(hana: Any, folder: Path) -> None:
    """花 asks an NPO under a number of its own; the NPO opens the file and answers; 花 takes the answer in."""
    support = hana.url
    hana.click("text=受け渡し票をつくる")
    hana.check("input[name=partner][value=NPO]")
    hana.fill("[name=partner_name]", "ひだまり")
    hana.select_option("[name=goal]", "1")
    hana.fill("[name=request]", "週に一度、夕方の居場所に誘ってください。")
    hana.fill("[name=expires_on]", in_days(30))
    hana.click("button >> text=受け渡し票をつくる")
    hana.click("text=受け渡しファイル")
    hana.click("button >> text=ファイルをつくる")
    check(hana, "38-password-shown-once")
    password = hana.inner_text("[data-code]")
    with hana.expect_download() as download:
        hana.click("text=ファイルを保存する")
    with pyzipper.AESZipFile(download.value.path()) as archive:
        archive.setpassword(password.encode())
        (folder / "slip.xlsx").write_bytes(archive.read(archive.namelist()[0]))
    answers = {"行った日": in_days(0), "会えたか": "会えた・話を聞いた", "様子の変化": "よくなっている",
               "会えたときの様子": "二回来て、宿題をしていきました。"}  # fmt: skip
    with (folder / "slip.csv").open("w", newline="", encoding="cp932") as handle:
        rows = read_slip(folder / "slip.xlsx", "回答票")
        csv.writer(handle).writerows([row[0], answers.get(row[0], row[1])] for row in rows)
    hana.click("nav >> text=進行管理")
    hana.click("text=受け渡しの台帳")
    hana.click("text=回答票を取り込む")
    hana.set_input_files("[name=slip]", folder / "slip.csv")
    hana.fill("[name=next_on]", in_days(10))
    hana.click("button >> text=取り込む")
    assert "二回来て" in hana.inner_text("main")
    check(hana, "39-reply-taken-in")
    hana.goto(support)


def supported(hana: Any, number: str, folder: Path) -> None:
    """花 writes the plan, goes there, is refused, goes again, writes down what came of it and closes."""
    hana.click("text=支援の記録")
    hana.click("text=支援計画を書く")
    hana.fill("[name=policy]", "家事の手を増やし、登校の前に休めるようにする。")
    hana.fill("[name=starts_on]", in_days(0))
    hana.fill("[name=review_on]", in_days(60))
    hana.fill("[name=text_1]", "弟の迎えをほかの人に任せられる")
    hana.select_option("[name=service_1]", "MEALS")
    hana.click("text=支援計画を保存する")
    for result, text in (
        ("REFUSED", "玄関で、いまは要らないと言われた。"),
        ("ACCEPTED", "母と会え、家事の支援を頼まれた。"),
    ):
        hana.click("text=訪問・面談・電話を記録する")
        hana.check("input[name=kind][value=VISIT]")
        hana.fill("[name=met_on]", in_days(0))
        hana.check(f"input[name=result][value={result}]")
        hana.fill("[name=text]", text)
        hana.fill("[name=next_on]", in_days(10))
        hana.click("button >> text=記録する")
    handed_over(hana, folder)
    hana.click("text=目標1の結果を記録する")
    hana.check("input[name=scale][value=ACHIEVED]")
    hana.fill("[name=seen_on]", in_days(0))
    hana.click("button >> text=結果を記録する")
    check(hana, "35-supported")
    hana.click("text=経過を記録する")
    hana.check("input[name=step][value=DESTROYED]")
    hana.fill("[name=on]", in_days(0))
    hana.click("button >> text=経過を記録する")
    hana.click("text=終結する")
    hana.check("input[name=reason_code][value=C1]")
    hana.click("button >> text=終結する")
    assert "終結" in hana.inner_text(".case-head__state")
    check(hana, "36-closed")


def test_it_carries_one_child_around_the_whole_loop(
    people: Any, home: Home, hinata: Municipality, tmp_path: Path
) -> None:
    from django.utils import timezone

    from kodomo.store.database import Store
    from kodomo.support.outcomes import return_outcomes
    from kodomo.web.verify import verify_audit

    toko, hana, kei, nao = (people(username) for username in ("toko", "hana", "kei", "nao"))
    number = assigned(toko)
    hana.reload()
    assessed(hana, number)
    called(toko, number)
    for member, decision, text in (
        (kei, "SUPPORT", "家の負担を先に見たい。"),
        (nao, "WATCH", "もう少し待ってもよい。"),
    ):
        member.reload()
        spoken(member, decision, text)
    decided(toko)
    hana.reload()
    supported(hana, number, tmp_path)
    toko.click("nav >> text=取組の効果")
    check(toko, "37-effect")
    result = return_outcomes(home=home, municipality=hinata, by="tests", at=timezone.now())
    assert result["rows"] == {"decisions": 1, "disagreements": 0, "contacts": 3, "outcomes": 2, "closures": 1}
    kept = Store(home.store).current("outcomes")
    assert kept is not None and {row["outcome"] for row in kept.read("outcomes").to_pylist()} == {"ACHIEVED", "BETTER"}
    assert {side: found["first_bad"] for side, found in verify_audit(home).items()} == {"casework": None, "vault": None}
