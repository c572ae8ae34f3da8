"""支援措置: nothing about a protected family leaves without another person's word, and nothing that leaves locates it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone
from standing_people import EVERYBODY, HANA, MAKOTO, OTHERS, REN

from kodomo.assessment.models import Case
from kodomo.governance.permissions import Role
from kodomo.support.models import Package, PackageApproval

APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
PLAN = {"policy": "登校の前に、家の負担を軽くする。", "text_1": "放課後に安心できる場所", "service_1": "CLUB",
        "office_1": "lifelong_learning"}  # fmt: skip
ASKED = {"partner": "SCHOOL", "partner_name": "ひみつ小学校", "request": "朝に声をかけてください。", "heed": ""}
LEAVING = ("紙の受け渡し票", "受け渡しファイル")
FREE, PROTECTED, UNKNOWN = "pc01", "pc04", "pc02"


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


@pytest.fixture
def send(token_of: Any) -> Any:
    def fill(browser: Any, number: str, tail: str, given: dict[str, str]) -> Any:
        return browser.post(f"/cases/{number}/{tail}", {**token_of(browser.get(f"/cases/{number}/{tail}")), **given})

    return fill


@pytest.fixture
def packed(as_person: Any, case_of: Any, decided: Any, send: Any, in_vault: Any) -> Any:
    """A package that 花 made for one of the children, and her browser."""
    in_vault(FREE, 1)
    in_vault(PROTECTED, 4, is_address_protected=True)

    def make(child: str, **changed: str) -> Any:
        hana, number = as_person(HANA), case_of(child).case_number
        decided(hana, number, decision="SUPPORT", reason_code="S1")
        assert send(hana, number, "plan/", {**PLAN, "starts_on": day(0), "review_on": day(60)}).status_code == 302
        answer = send(hana, number, "package/", {**ASKED, "expires_on": day(30), **changed})
        return hana, number, Package.objects.filter(case__case_number=number).last(), answer

    return make


def approve(send: Any, browser: Any, number: str, package: Package, **changed: str) -> Any:
    given = {"verdict": "APPROVED", "reason": "校長だけが読むことを確かめた。", **changed}
    return send(browser, number, f"package/{package.pk}/approve/", given)


def test_it_hands_over_at_once_where_there_is_no_protection(packed: Any) -> None:
    hana, number, package, _ = packed(FREE)
    assert package.protection == "NONE"
    assert hana.get(f"/cases/{number}/package/{package.pk}/").status_code == 200


@pytest.mark.parametrize(("child", "why"), [(PROTECTED, "支援措置あり"), (UNKNOWN, "支援措置の有無を確かめられない")])
def test_it_hands_over_nothing_before_an_approver_has_agreed(
    child: str, why: str, packed: Any, as_person: Any, send: Any, audit_rows: Any
) -> None:
    hana, number, package, _ = packed(child)
    paper = f"/cases/{number}/package/{package.pk}/"
    refused = hana.get(paper)
    assert refused.status_code == 403 and "承認" in words(refused) and "声をかけて" not in words(refused)
    page = words(hana.get(f"/cases/{number}/support/"))
    assert why in page and not set(LEAVING) & set(page.split()), "no link leads to a refusal"
    approver = as_person(APPROVER)
    page = words(approver.get(f"{paper}approve/"))
    assert why in page and "朝に声をかけてください" in page
    assert package.number in words(approver.get("/"))
    assert approve(send, approver, number, package).status_code == 302
    assert hana.get(paper).status_code == 200 and set(LEAVING) <= set(
        words(hana.get(f"/cases/{number}/support/")).split()
    )
    row = next(row for row in audit_rows() if row["action"] == "APPROVE_PACKAGE")
    assert (row["actor"], row["subject"]) == ("approver", child) and "校長" not in str(row)
    assert package.number not in words(approver.get("/"))


def test_it_keeps_a_refused_package_in_the_house(packed: Any, as_person: Any, send: Any) -> None:
    hana, number, package, _ = packed(PROTECTED)
    assert approve(send, as_person(APPROVER), number, package, verdict="REFUSED").status_code == 302
    answer = hana.get(f"/cases/{number}/package/{package.pk}/")
    assert answer.status_code == 403 and "差し戻" in words(answer)
    assert "校長だけが読む" in words(hana.get(f"/cases/{number}/support/"))


def test_only_an_approver_of_the_office_may_agree(packed: Any, as_person: Any) -> None:
    from kodomo.web.models import Staff

    _, number, package, _ = packed(PROTECTED)
    address = f"/cases/{number}/package/{package.pk}/approve/"
    for person in EVERYBODY:
        is_allowed = person.role is Role.APPROVER
        assert (as_person(person).get(address).status_code == 200) is is_allowed, person.username
        assert (as_person(person).post(address, {}).status_code != 403) is is_allowed, person.username
    Staff.objects.filter(username="approver").update(office="childcare")
    assert as_person(APPROVER).get(address).status_code == 403
    assert not PackageApproval.objects.exists()


def test_nobody_approves_what_they_made_themselves(packed: Any, as_person: Any, send: Any) -> None:
    from kodomo.web.models import Staff

    hana, number, package, _ = packed(PROTECTED)
    Staff.objects.filter(username="hana").update(role="APPROVER")
    answer = approve(send, hana, number, package)
    assert answer.status_code == 400 and "つくった人" in words(answer)
    assert not PackageApproval.objects.exists()


def test_an_approver_finds_what_only_the_vault_knows_to_be_protected(packed: Any, as_person: Any, send: Any) -> None:
    """The case rests on a judgement from before: nothing here says that the package waits, but it cannot leave."""
    from kodomo.vault.models import Person as Linked

    hana, number, package, _ = packed(FREE)
    Linked.objects.using("vault").filter(person_key=FREE).update(is_address_protected=True)
    paper = f"/cases/{number}/package/{package.pk}/"
    assert hana.get(paper).status_code == 403
    approver = as_person(APPROVER)
    assert f"{paper}approve/" in approver.get(f"/cases/{number}/support/").content.decode()
    assert f"{paper}approve/" not in hana.get(f"/cases/{number}/support/").content.decode()
    assert approve(send, approver, number, package).status_code == 302
    assert hana.get(paper).status_code == 200
    assert f"{paper}approve/" not in approver.get(f"/cases/{number}/support/").content.decode()


def test_a_second_account_of_the_same_person_is_no_second_person(packed: Any, as_person: Any, send: Any) -> None:
    from kodomo.web.models import Staff

    _, number, package, _ = packed(PROTECTED)
    Staff.objects.filter(username="approver").update(name="青木　花")
    answer = approve(send, as_person(APPROVER), number, package)
    assert answer.status_code == 400 and "つくった人" in words(answer)
    assert not PackageApproval.objects.exists()


def test_it_takes_no_approval_without_words(packed: Any, as_person: Any, send: Any) -> None:
    _, number, package, _ = packed(PROTECTED)
    for changed in ({"reason": ""}, {"reason": "はい"}, {"verdict": ""}, {"verdict": "MAYBE"}):
        assert approve(send, as_person(APPROVER), number, package, **changed).status_code == 400
    assert not PackageApproval.objects.exists()


def test_it_takes_one_answer_to_one_question(packed: Any, as_person: Any, send: Any) -> None:
    _, number, package, _ = packed(PROTECTED)
    approver = as_person(APPROVER)
    assert approve(send, approver, number, package, verdict="REFUSED").status_code == 302
    assert approve(send, approver, number, package).status_code == 400


def test_it_asks_again_when_a_family_comes_under_protection_later(
    packed: Any, as_person: Any, send: Any, case_of: Any
) -> None:
    hana, number, package, _ = packed(FREE)
    Case.objects.filter(case_number=number).update(is_address_protected=True)
    paper = f"/cases/{number}/package/{package.pk}/"
    assert hana.get(paper).status_code == 403
    assert approve(send, as_person(APPROVER), number, package).status_code == 302
    assert hana.get(paper).status_code == 200


def test_words_written_before_a_protection_do_not_leave_under_it(packed: Any, as_person: Any, send: Any) -> None:
    hana, number, package, _ = packed(FREE, request="ひみつ小の門で声をかけてください。")
    paper = f"/cases/{number}/package/{package.pk}/"
    assert hana.get(paper).status_code == 200
    Case.objects.filter(case_number=number).update(is_address_protected=True)
    assert approve(send, as_person(APPROVER), number, package).status_code == 302
    answer = hana.get(paper)
    assert answer.status_code == 400 and "居場所" in words(answer) and "声をかけて" not in words(answer)


def test_an_agreement_to_the_unknown_is_none_to_the_known(packed: Any, as_person: Any, send: Any) -> None:
    hana, number, package, _ = packed(UNKNOWN)
    paper = f"/cases/{number}/package/{package.pk}/"
    assert approve(send, as_person(APPROVER), number, package).status_code == 302
    assert hana.get(paper).status_code == 200
    Case.objects.filter(case_number=number).update(is_address_protected=True)
    assert hana.get(paper).status_code == 403
    assert approve(send, as_person(APPROVER), number, package).status_code == 302
    assert hana.get(paper).status_code == 200


def test_the_paper_of_a_protected_family_locates_nobody(packed: Any, as_person: Any, send: Any) -> None:
    hana, number, package, _ = packed(PROTECTED)
    approve(send, as_person(APPROVER), number, package)
    text = words(hana.get(f"/cases/{number}/package/{package.pk}/"))
    for secret in ("ひみつ小学校", "ひみつ", "小6", "秘密町", number, "日向"):
        assert secret not in text, secret
    assert "学校" in text and package.number in text
    free_hana, free_number, free, _ = packed(FREE, partner_name="東小学校")
    assert "東小学校" in free_hana.get(f"/cases/{free_number}/package/{free.pk}/").content.decode()


def test_it_takes_no_words_that_locate_a_protected_family(packed: Any) -> None:
    text = "ひみつ小の門で待つ。"
    for child in (PROTECTED, UNKNOWN):
        _, _, package, answer = packed(child, request=text)
        assert answer.status_code == 400 and package is None
        assert "居場所" in words(answer) and text in answer.content.decode()  # nothing typed is lost


def test_it_knows_words_that_locate(home: Any) -> None:
    from kodomo.assessment.lawful import lawful_at
    from kodomo.support.protection import locates

    register = lawful_at(timezone.now()).register
    for text in (
        "ひみつ小学校の門で待つ。", "ひみつ小の門で待つ。", "秘密町1丁目に迎えに行く。", "二丁目の家。", "〒880ー0001 に送る。",
        "1-2-3の家に寄る。", "090-1234-5678に電話する。", "駅前の団地まで送る。", "校区の見守りに頼む。", "ひなた市の東で会う。",
        "https://example.jp/map を見る。", "１‐２の部屋。",
    ):  # fmt: skip
        assert locates(text, register), text
    for text in (
        "朝に声をかけてください。",
        "11月22日の放課後に、スポーツに誘う。",
        "学校での様子を2回知らせてください。",
    ):
        assert not locates(text, register), text


def test_a_stale_register_is_no_all_clear(packed: Any, home: Any) -> None:
    import pyarrow as pa
    from small_store import AS_OF, snapshot_tables

    from kodomo.store.database import TABLES, Store

    tables = snapshot_tables()
    old = [{**row, "freshness_days": 45} for row in tables["sources"].to_pylist()]
    tables["sources"] = pa.Table.from_pylist(old, schema=TABLES["sources"].schema())
    Store(home.store).write("snapshots", "2026-04-30-later", tables, {"as_of": AS_OF.isoformat()})
    hana, number, package, _ = packed(FREE)
    assert package.protection == "UNKNOWN"
    why = "新しい分が届いていないもの(住民基本台帳)があるため、どの家庭も有無を確かめられません"
    for tail in ("support/", "package/"):
        assert why in words(hana.get(f"/cases/{number}/{tail}")), tail


def test_it_says_why_every_package_waits_where_no_source_tells_of_protection(packed: Any, home: Any) -> None:
    from dataclasses import replace

    from kodomo.assessment.lawful import lawful_at
    from kodomo.support.protection import ITEM, why_unknown

    lawful = lawful_at(timezone.now())
    assert why_unknown(lawful) == ""
    untold = replace(lawful.register.items[ITEM], sources=())
    without = replace(lawful.register, items={**lawful.register.items, ITEM: untold})
    assert "登録簿にないため" in why_unknown(replace(lawful, register=without))


def test_a_newer_snapshot_that_protects_counts_though_the_case_is_older(packed: Any, home: Any) -> None:
    import pyarrow as pa
    from small_store import AS_OF, snapshot_tables

    from kodomo.store.database import TABLES, Store

    tables = snapshot_tables()
    people = [{**row, "is_address_protected": row["person_key"] == "pc01m"} for row in tables["persons"].to_pylist()]
    tables["persons"] = pa.Table.from_pylist(people, schema=TABLES["persons"].schema())
    Store(home.store).write("snapshots", "2026-04-30-later", tables, {"as_of": AS_OF.isoformat()})
    _, _, package, _ = packed(FREE)
    assert package.protection == "PROTECTED"


def test_the_vault_notes_who_asked(packed: Any) -> None:
    from django.db import connections

    packed(FREE)
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT actor, action, subject FROM audit_events ORDER BY sequence DESC LIMIT 1")
        assert cursor.fetchone() == ("hana", "ASK_PROTECTION", FREE)


def test_others_see_no_package_of_the_office(packed: Any, as_person: Any) -> None:
    _, number, package, _ = packed(FREE)
    assert as_person(MAKOTO).get(f"/cases/{number}/package/{package.pk}/").status_code == 200
    assert as_person(REN).get(f"/cases/{number}/package/{package.pk}/").status_code == 403
