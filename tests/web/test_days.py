"""A day of each role at their own browser, from signing in, by clicking what a person clicks.

The whole loop of a practitioner's case, with the committee and the approver, is in ``test_whole_loop``; whoever
decides on links is in ``test_links_page``.
"""

# ruff: noqa: F811

from __future__ import annotations

import csv
import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import address, browser, check, demo_password, look, opened, sign_in  # noqa: F401
from django.utils import timezone
from django_otp.oath import TOTP
from handmade import write_extract
from test_every_page import worked  # noqa: F401

from kodomo.configuration import Home, Municipality
from kodomo.intake.layout import read_layouts

pytestmark = [pytest.mark.web, pytest.mark.enable_socket]

CASE_NUMBER = re.compile(r"\b\d{4}-\d{7}\b")
NAME = "日向"
"""In the vault alone: on no page but those where a name was asked for."""


def in_days(days: int) -> str:
    day = timezone.localdate() + dt.timedelta(days=days)
    return f"令和{day.year - 2018}年{day.month}月{day.day}日"


@pytest.fixture
def come(browser: Any, address: str, home: Home) -> Iterator[Any]:
    """Somebody signs in at a browser of their own; at the end no browser may have complained, and no page named a child."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def sign(username: str) -> Any:
        page = opened(browser, complaints)
        contexts.append(page.context)
        sign_in(page, address, username, demo_password(home))
        return page

    yield sign
    for context in contexts:
        context.close()
    assert [said for said in complaints if not re.search(r"status of (400|403)", said)] == []


def main(page: Any) -> str:
    return str(page.inner_text("main"))


def menu(page: Any) -> list[str]:
    return [item.strip() for item in page.locator("nav.menu a").all_inner_texts()]


def go(page: Any, words: str) -> None:
    """Follow the menu, and wait until the page is whole: a click returns as soon as its first bytes arrive."""
    page.click(f"nav.menu >> text={words}")
    page.wait_for_load_state()


def searchable(home: Home) -> None:
    """The child's identity as linkage leaves it, with what a search by reading needs."""
    from django.db import transaction

    from kodomo.vault.card import Card, table_of
    from kodomo.vault.database import open_vault
    from kodomo.vault.models import Person
    from kodomo.vault.people import write_people

    card = Card(1, name="日向 かなり", name_kana="ヒナタ カナリ", born_on="2016-02-29", is_searched=True)
    Person.objects.using("vault").all().delete()
    with transaction.atomic(using="vault"):
        write_people(open_vault(home), [table_of([card])])
    Person.objects.using("vault").filter(pk=1).update(person_key="pc01")


def test_the_coordinator_keeps_the_whole_in_view(come: Any, worked: dict[str, Any], tmp_path: Path) -> None:
    """統括: narrows down, keeps the conditions, gives cases out, takes the list along, prepares the meeting, reads the effect."""
    toko = come("toko")
    assert "大野 統子 さんの今日の仕事" in main(toko) and "部署ごとの進み具合" in main(toko)
    look(toko, "40-coordinator-home")
    go(toko, "一次絞り込み")
    toko.select_option("[name=age_band]", label="小学生")
    toko.check("text=要対協未登録")
    toko.click("button >> text=絞り込む")
    listed = toko.locator("a.case-number").all_inner_texts()
    assert len(listed) == int(toko.inner_text(".result-count strong")) > 0
    toko.fill("[name=name]", "小学生・未登録")
    toko.click("button >> text=保存する")
    toko.click("text=条件をすべて外す")
    assert len(toko.locator("a.case-number").all_inner_texts()) > len(listed)
    toko.click(".saved >> text=小学生・未登録")
    assert toko.locator("a.case-number").all_inner_texts() == listed
    toko.check("[data-check-all]")
    toko.select_option("#id_assign_to", "makoto")
    toko.click("text=主担当にする")
    assert toko.locator("table td:has-text('井上 誠')").count() == len(listed)
    check(toko, "41-coordinator-shortlist")
    with toko.expect_download() as download:
        toko.click("text=一覧を書き出す")
    taken = download.value.path().read_bytes()
    rows = list(csv.reader(taken.decode("utf-8-sig").splitlines()))
    assert taken.startswith(b"\xef\xbb\xbf") and "【取扱注意】" in rows[0][0] and "出力番号" in rows[0][0]
    assert "大野 統子" in rows[1][0] and [row[0] for row in rows[3:]] == listed
    go(toko, "進行管理")
    assert "担当者ごとの件数" in main(toko) and "井上 誠" in main(toko)
    toko.click("text=受け渡しの台帳")
    toko.click("text=未返送(1)")
    assert "ひなたスポーツクラブ" in main(toko) and "催促状" not in main(toko), "who made it reminds"
    go(toko, "統括委員会")
    toko.click("text=第3回 統括委員会")
    toko.click("text=会議資料(印刷用)")
    toko.click("text=木村 慧 の写し")
    paper = toko.pdf(prefer_css_page_size=True)
    (tmp_path / "papers.pdf").write_bytes(paper)
    sizes = [
        tuple(round(float(n)) for n in pair) for pair in re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)
    ]
    assert sizes[0] == (842, 595) and set(sizes[1:]) == {(595, 842)}, "the list lies on its side, the cases stand"
    check(toko, "42-coordinator-papers")
    go(toko, "取組の効果")
    assert toko.locator("svg.chart").count() == 1 and "支援の内容ごと" in main(toko)
    assert NAME not in toko.content()


def test_the_holder_hands_in_a_file_and_reads_what_came_back(
    come: Any, hinata: Municipality, home: Home, tmp_path: Path
) -> None:
    """保有・管理: sees its own office's sources alone, uploads, waits for the job, reads row, column and code; no child."""
    row: dict[str, object] = {
        "宛名番号": "100009", "世帯員氏名": "山田はなこ", "生年月日": "昭和60年1月2日", "保護開始日": "令和6年4月1日",
        "決定日": "令和6年4月2日",
    }  # fmt: skip
    rows = [row, {**row, "宛名番号": "100010", "決定日": "令和6年2月30日"}]
    path = write_extract(read_layouts(hinata.folder)["public_assistance"], rows, tmp_path / "box", "20260401")
    mamoru = come("mamoru")
    assert "一次絞り込み" not in menu(mamoru) and "期限を過ぎた・届いていない出所" in main(mamoru)
    go(mamoru, "受け渡しデータ")
    assert "生活保護" in main(mamoru) and "出欠" not in main(mamoru)
    mamoru.click("text=ファイルを渡す")
    mamoru.click("text=渡して、検査を始める")
    assert "入力に誤りがあります" in main(mamoru)
    mamoru.set_input_files("[name=file]", path)
    mamoru.click("text=渡して、検査を始める")
    mamoru.wait_for_selector("text=いま: 完了", timeout=60_000)
    assert "1 行を取り込み、1 行を差し戻しました" in main(mamoru)
    look(mamoru, "43-holder-job")
    mamoru.click("text=の報告を見る")
    assert "決定日" in main(mamoru) and "実在する日付" in main(mamoru) and "山田" not in mamoru.content()
    check(mamoru, "44-holder-report")
    go(mamoru, "データ項目台帳")
    assert "受け取らないと決めた項目" in main(mamoru)
    mamoru.goto(mamoru.url.split("/register")[0] + "/cases/")
    assert "この操作はできません" in main(mamoru)


def test_the_analyst_sees_figures_and_no_child(come: Any, worked: dict[str, Any], address: str) -> None:
    """分析: the criteria in words, what a limit would mean, a judgement's figures, the evaluation, the register."""
    rin = come("rin")
    seen = [rin.content()]
    for words, said in (("判定基準", "シナリオ(点数表)"), ("判定の検証", "順位の正しさ"), ("データ項目台帳", "項目と目的"),
                        ("判定の実行と公開", "基準日"), ("処理の状況", "処理を始める")):  # fmt: skip
        go(rin, words)
        assert said in main(rin), words
        seen.append(rin.content())
    go(rin, "判定の検証")
    assert rin.locator("svg.chart").count() > 0
    check(rin, "45-analyst-evaluation")
    go(rin, "判定の実行と公開")
    rin.click("table a >> nth=0")
    assert "類型ごとのレベル" in main(rin) and "秘匿" in main(rin)
    seen.append(rin.content())
    assert not any(CASE_NUMBER.search(body) or NAME in body for body in seen)
    for place in ("/cases/", f"/cases/{worked['case_number']}/", "/caseload/", "/find/", "/audit/"):
        assert rin.goto(address + place).status == 403 and "この操作はできません" in main(rin)


def test_the_practitioner_answers_the_telephone_and_reminds_a_partner(
    come: Any, worked: dict[str, Any], home: Home
) -> None:
    """活用: what waits today, a half-remembered name, a draft, a reminder, a note, an opinion, a name, a hand-over."""
    hana, password = come("hana"), demo_password(home)
    assert "受け渡し先から返ってこない" in main(hana)
    look(hana, "46-practitioner-home")
    searchable(home)
    go(hana, "読みで探す")
    hana.fill("[name=words]", "ひなた かな")
    hana.check("input[name=purpose] >> nth=0")
    if hana.locator("[name=password]").count():
        hana.fill("[name=password]", password)
    hana.click("text=証跡を残して探す")
    assert NAME not in hana.content() and worked["case_number"] in main(hana)
    hana.click("a.case-number")
    hana.click("text=支援の記録")
    hana.click("text=訪問・面談・電話を記録する")
    hana.check("input[name=kind][value=CALL]")
    hana.fill("[name=text]", "母から電話。来週の面談を頼まれた。")
    hana.click("text=下書きとして残す")
    assert "の下書きの続きです" in main(hana) and hana.input_value("[name=text]").startswith("母から電話")
    hana.check("input[name=result][value=TALKED]")
    hana.fill("[name=met_on]", in_days(0))
    hana.click("button >> text=記録する >> nth=0")
    assert "「次回確認日」が入っていません" in main(hana), "a contact without a next date is not kept"
    assert hana.input_value("[name=text]").startswith("母から電話") and hana.is_checked("input[name=kind][value=CALL]")
    hana.fill("[name=next_on]", in_days(6))
    hana.click("button >> text=記録する >> nth=0")
    assert "来週の面談を頼まれた" in main(hana)
    hana.click("text=催促状を印刷する")
    assert "回答票を" in main(hana) and "土曜の見学" not in main(hana)
    look(hana, "47-practitioner-reminder")
    hana.click("text=催促したことを記録する")
    hana.check("input[name=step][value=REMINDED]")
    hana.fill("[name=on]", in_days(0))
    hana.click("button >> text=経過を記録する")
    assert "催促した" in main(hana)
    hana.click(".crumbs >> text=事例")
    hana.click("text=メモを書く")
    hana.fill("[name=text]", "電話は夕方がよい。")
    hana.click("button >> text=メモを残す")
    hana.click("text=判定に同意しない")
    hana.select_option("[name=kind]", label="ヤングケアラー")
    hana.check("input[name=opinion][value=TOO_LOW]")
    hana.fill("[name=text]", "弟の世話を毎日している。")
    check(hana, "48-practitioner-disagrees")
    hana.click("button >> text=意見を記録する")
    assert "判定に同意しない: ヤングケアラー" in main(hana) and "電話は夕方がよい。" in main(hana)
    hana.click("text=氏名等を確かめる")
    hana.check("input[name=purpose][value=P1]")
    hana.fill("[name=password]", password)
    hana.click("text=証跡を残して表示する")
    assert hana.inner_text("h1 ruby rt") == "ひなた かなり" and "日向 かなり" in hana.inner_text("h1")
    go(hana, "進行管理")
    hana.click("text=引継ぎ")
    assert "来週の面談を頼まれた" in main(hana) and NAME not in hana.content()
    hana.select_option("[name=to]", label="井上 誠")
    hana.fill("[name=text]", "四月から。母は夕方の電話を望む。")
    look(hana, "49-practitioner-takeover")
    hana.click("button >> text=引き継ぐ")
    makoto = come("makoto")
    makoto.click("text=わたしが主担当の事例")
    assert worked["case_number"] in main(makoto)


def test_the_member_thinks_first_and_sees_then(come: Any, worked: dict[str, Any], address: str) -> None:
    """委員: the item that waits, facts without names or levels, a view, and only then the judgement."""
    kei = come("kei")
    assert "第3回 統括委員会" in main(kei) and menu(kei) == ["ホーム", "一次絞り込み", "統括委員会", "取組の効果"]
    look(kei, "50-member-home")
    kei.click("a.case-number")
    assert "事実の経過" in main(kei) and "可能性を上げること" not in main(kei) and "担当者の判断" in main(kei)
    assert kei.locator("#judged").count() == 0
    kei.click("text=所見を保存する")
    assert "赤い字のところを直してください" in main(kei)
    kei.check("input[name=interest][value=NONE]")
    kei.check("input[name=decision][value=SUPPORT]")
    kei.fill("[name=text]", "家の負担を先に見たい。")
    kei.click("text=所見を保存する")
    assert kei.locator("#judged").count() == 1 and "可能性を上げること" in main(kei)
    check(kei, "51-member-item")
    assert NAME not in kei.content()
    kei.click("nav.menu >> text=ホーム")
    assert "所見を待つ議事はありません" in main(kei)
    assert kei.goto(f"{address}/cases/{worked['case_number']}/support/").status == 403


def test_the_approver_answers_for_a_protected_family_and_for_a_judgement(
    come: Any, worked: dict[str, Any], case_of: Any, home: Home
) -> None:
    """承認者: reads what would leave and sends it back, and releases a judgement somebody else asked for."""
    case = case_of("pc01")
    type(case).objects.filter(pk=case.pk).update(is_address_protected=True)
    shinobu = come("shinobu")
    assert "あなたの承認を待つ受け渡し票" in main(shinobu) and "承認を待つ判定の公開" in main(shinobu)
    look(shinobu, "52-approver-home")
    shinobu.click("section:has-text('あなたの承認を待つ') table a >> nth=0")
    assert "支援措置あり" in main(shinobu) and "放課後のおはなし会" in main(shinobu)
    shinobu.check("input[name=verdict][value=REFUSED]")
    shinobu.click("button >> text=答えを記録する")
    assert "赤い字のところを直してください" in main(shinobu) and shinobu.is_checked("input[value=REFUSED]")
    shinobu.fill("[name=reason]", "図書館では相手方に会うおそれがある。")
    shinobu.click("button >> text=答えを記録する")
    assert "差し戻された" in main(shinobu)
    check(shinobu, "53-approver-refused")
    go(shinobu, "判定の実行と公開")
    shinobu.click(".panel--must a")
    shinobu.check("input[name=decision] >> nth=0")
    shinobu.fill("[name=reason]", "前の判定との違いを確かめた。")
    shinobu.fill("[name=password]", demo_password(home))
    shinobu.click("button >> text=決める")
    assert "承認" in main(shinobu) and NAME not in shinobu.content()
    look(shinobu, "54-approver-released")


def test_the_privacy_officer_follows_one_case_through_the_trail(
    come: Any, worked: dict[str, Any], address: str
) -> None:
    """個人情報保護: who did what to one case, that nothing was altered, and what stops being lawful; no child's page."""
    hana = come("hana")
    hana.goto(f"{address}/cases/{worked['case_number']}/")
    akari = come("akari")
    go(akari, "証跡")
    akari.fill("[name=case]", worked["case_number"])
    akari.fill("[name=actor]", "hana")
    akari.click("button >> text=絞り込む")
    lines = akari.locator("tbody tr").all_inner_texts()
    assert lines and all("hana" in line and worked["case_number"] in line for line in lines)
    assert "個票を見た" in lines[0] and "一次所見を書いた" in main(akari)
    check(akari, "55-officer-trail")
    akari.click("text=改ざんがないか確かめる")
    assert main(akari).count("行すべてが書かれたときのままです") == 2, "the casework's chain and the vault's"
    look(akari, "56-officer-verified")
    go(akari, "データ項目台帳")
    assert "30 日以内に止まるもの" in main(akari)
    assert akari.goto(f"{address}/cases/{worked['case_number']}/").status == 403 and NAME not in akari.content()


def test_the_administrator_takes_somebody_in_moves_and_stops_them(
    come: Any, browser: Any, address: str, case_of: Any
) -> None:
    """システム管理者: an account, its first sign-in with password and device, a move, the end; never a child."""
    osamu = come("osamu")
    assert menu(osamu) == ["ホーム", "処理の状況", "利用者"]
    go(osamu, "利用者")
    osamu.click("text=利用者を登録する")
    for field, value in (("username", "haruka"), ("name", "春田 遥")):
        osamu.fill(f"[name={field}]", value)
    osamu.select_option("[name=role]", "PRACTITIONER")
    osamu.select_option("[name=office]", "childcare")
    osamu.click("button >> text=登録する")
    first = osamu.inner_text(".secret")
    look(osamu, "57-administrator-registered")
    haruka = opened(browser, [])
    haruka.goto(f"{address}/sign-in/")
    haruka.fill("[name=username]", "haruka")
    haruka.fill("[name=password]", first)
    haruka.click("main button[type=submit]")
    secret = haruka.inner_text(".secret").replace(" ", "")
    haruka.fill("[name=code]", code_of(secret))
    haruka.click("text=登録する >> nth=-1")
    assert "端末を忘れたとき" in main(haruka)
    haruka.goto(f"{address}/cases/")
    assert "パスワードの変更" in main(haruka), "the password that somebody else saw is changed first"
    for field, value in (("current", first), ("new", "haru-no-kaze-2026-x"), ("again", "haru-no-kaze-2026-x")):
        haruka.fill(f"[name={field}]", value)
    haruka.click("button >> text=変更する")
    haruka.goto(f"{address}/cases/{case_of('pc03').case_number}/")
    assert "個票" in main(haruka)
    go(osamu, "利用者")
    osamu.click("table >> text=haruka")
    osamu.select_option("[name=office]", "family_centre")
    check(osamu, "58-administrator-moves")
    osamu.click("text=役割と部署を変える")
    haruka.reload()
    assert "ほかの部署の事例" in main(haruka)
    osamu.click("text=一覧へ戻る")
    osamu.click("table >> text=haruka")
    osamu.click("button >> text=使えなくする")
    haruka.goto(f"{address}/cases/")
    assert "/sign-in/" in haruka.url
    haruka.context.close()
    for place in ("/cases/", f"/cases/{case_of('pc01').case_number}/", "/audit/", "/find/", "/effect/"):
        assert osamu.goto(address + place).status == 403
    assert NAME not in osamu.content() and not CASE_NUMBER.search(main(osamu))


def code_of(secret: str) -> str:
    import base64

    totp = TOTP(base64.b32decode(secret + "=" * (-len(secret) % 8)))
    totp.time = time.time()
    return f"{totp.token():06d}"
