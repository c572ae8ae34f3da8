"""When the basis for アセスメント ends, the value is on no page, no paper, no file and in no filter."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from standing_people import HANA, OTHERS, REN

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
SECRET = "自分を傷つける考え"


@pytest.fixture
def lapse(home: Any, tmp_path: Any, hinata: Any) -> Any:
    """Take items out of every basis that allows アセスメント, as a municipality's officer would in the file."""
    folder = tmp_path / "municipality"
    shutil.copytree(hinata.folder, folder)
    settings.MUNICIPALITY = replace(hinata, folder=folder)
    bases = folder / "register" / "bases.toml"

    def end(*items: str) -> None:
        text = bases.read_text()
        for item in items:
            assert f'"{item}"' in text, item
            text = re.sub(rf'"{item}",\s*|,?\s*"{item}"', "", text)
        text = re.sub(r"\[\[bases\]\](?:(?!\[\[bases\]\]).)*?items = \[\].*?(?=\[\[bases\]\]|\Z)", "", text, flags=re.S)
        bases.write_text(text)
        os.utime(bases, ns=(len(text), len(text)))

    return end


def everything(browser: Any, number: str) -> dict[str, str]:
    paths = [f"/cases/{number}/", f"/cases/{number}/print/", f"/cases/{number}/decide/", "/cases/?reach=ALL", "/"]
    shown = {path: browser.get(path).content.decode() for path in paths}
    shown["file"] = browser.post("/cases/export/", {"reach": "ALL"}).content.decode("utf-8-sig")
    return shown


def test_it_tells_an_escalation_only_while_its_item_has_a_basis(
    as_person: Any, case_of: Any, first_view: Any, lapse: Any
) -> None:
    ren, number = as_person(REN), case_of("pc08").case_number
    first_view(ren, number)
    before = everything(ren, number)
    for path in (f"/cases/{number}/", f"/cases/{number}/print/", f"/cases/{number}/decide/"):
        assert SECRET in before[path], path
    assert "mark--must" in before["/cases/?reach=ALL"] and ",あり," in before["file"]
    lapse("epds_item10")
    for path, text in everything(ren, number).items():
        assert SECRET not in text and "mark--must" not in text and "row--must" not in text, path
    assert ",あり," not in everything(ren, number)["file"]


def test_a_fact_that_lapses_does_not_take_another_with_it(
    as_person: Any, case_of: Any, first_view: Any, lapse: Any
) -> None:
    from kodomo.assessment.models import CaseLevel

    ren, case = as_person(REN), case_of("pc08")
    other = "連絡のない欠席が30日を超えている"
    rows = CaseLevel.objects.filter(case=case, is_current=True).exclude(escalation="")
    assert rows.update(other_escalations=[[other, ["absence_days"]]])
    first_view(ren, case.case_number)
    lapse("epds_item10")
    shown = everything(ren, case.case_number)
    assert all(SECRET not in text for text in shown.values())
    assert other in shown[f"/cases/{case.case_number}/"] and "mark--must" in shown["/cases/?reach=ALL"]
    assert case.case_number in ren.get("/cases/?escalated=on").content.decode()
    lapse("absence_days")
    assert case.case_number not in ren.get("/cases/?escalated=on&reach=ALL").content.decode()


def test_it_neither_counts_nor_filters_nor_orders_by_what_has_no_basis(
    as_person: Any, case_of: Any, lapse: Any
) -> None:
    ren, number = as_person(REN), case_of("pc08").case_number
    assert number in ren.get("/cases/?escalated=on").content.decode()
    lapse("epds_item10")
    assert number not in ren.get("/cases/?escalated=on&reach=ALL").content.decode()
    assert number not in ren.get("/cases/").content.decode()
    assert number not in ren.get("/cases/?type=POSTNATAL_DEPRESSION").content.decode()
    assert re.search(r'必ず確認する事例</span><span class="tile__count">0', ren.get("/").content.decode())


def test_it_opens_no_name_on_the_strength_of_what_has_no_basis(
    as_person: Any, case_of: Any, in_vault: Any, lapse: Any
) -> None:
    from standing_people import PASSWORD

    in_vault("pc08")
    lapse("epds_item10")
    ren, number = as_person(REN), case_of("pc08").case_number
    answer = ren.post(f"/cases/{number}/reveal/", {"purpose": "P4", "password": PASSWORD})
    assert answer.status_code == 403 and "日向" not in answer.content.decode()


def test_it_keeps_quiet_about_registration_and_support_without_a_basis(
    as_person: Any, case_of: Any, lapse: Any
) -> None:
    number = case_of("pc02").case_number
    browser = as_person(COORDINATOR)
    assert "要対協に登録あり" in browser.get(f"/cases/{number}/").content.decode()
    assert "すでに把握" in browser.get(f"/cases/{number}/").content.decode()
    lapse("council_registration")
    shown = {path: text for path, text in everything(browser, number).items() if "decide" not in path}
    for path, text in shown.items():
        for word in ("要対協に登録", "要対協登録<", "要対協未登録", "支援未接続", "支援につながっている", "すでに把握"):
            assert word not in text, (path, word)
    everybody = browser.get("/cases/?reach=ALL").content
    for query in ("unregistered=on", "support=CONNECTED", "nobody_knows=on"):
        asked = browser.get(f"/cases/?reach=ALL&{query}").content
        assert asked.count(b'class="case-number"') == everybody.count(b'class="case-number"'), query


def test_it_shows_no_sex_no_age_and_no_kinship_without_a_basis(as_person: Any, case_of: Any, lapse: Any) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    assert re.search(r'member__role">母<', hana.get(f"/cases/{number}/").content.decode())
    lapse("sex", "birth_date", "relationship")
    body = hana.get(f"/cases/{number}/").content.decode()
    assert 'member__role">母<' not in body and "同居の人" in body
    assert "年齢不明" in body and "30代" not in body
    assert set(re.findall(r'member__sex">([^<]*)<', body)) == {"—"}


def test_it_opens_a_name_without_the_address_when_only_that_has_no_basis(
    as_person: Any, case_of: Any, in_vault: Any, decided: Any, lapse: Any
) -> None:
    from standing_people import PASSWORD

    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    lapse("address")
    body = hana.post(f"/cases/{number}/reveal/", {"purpose": "P1", "password": PASSWORD}).content.decode()
    assert "日向 かなり" in body and "秘密町" not in body and "表示しないもの: 住所" in body


def test_it_opens_no_name_at_all_without_any_basis(
    as_person: Any, case_of: Any, in_vault: Any, decided: Any, lapse: Any
) -> None:
    from standing_people import PASSWORD

    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    lapse("name", "name_kana", "address", "birth_date", "relationship")
    answer = hana.post(f"/cases/{number}/reveal/", {"purpose": "P1", "password": PASSWORD})
    assert answer.status_code == 403 and "日向" not in answer.content.decode()


def test_it_asks_for_each_sentence_once_however_many_children_it_stands_beside(home: Any, hinata: Any) -> None:
    import datetime as dt

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from kodomo.assessment.lawful import lawful_on
    from kodomo.assessment.models import CaseLevel

    levels = CaseLevel.objects.filter(is_current=True)
    levels.update(escalation="どの基準にもない文", escalation_items=["epds_item10"])
    assert levels.count() > 20
    with CaptureQueriesContext(connection) as asked:
        assert lawful_on(dt.date(2026, 4, 2), hinata).withheld_escalations == set()
    assert len(asked) == 1 and "ORDER BY" not in asked[0]["sql"]
