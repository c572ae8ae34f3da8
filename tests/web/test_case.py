from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from small_store import rows, snapshot_tables
from standing_people import FOUR, HANA, MAKOTO, OTHERS, REN, RIN, Person

from kodomo.assessment.models import AgendaItem, Conference, ConferenceMember
from kodomo.store.database import Store

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
COMMITTEE = next(p for p in OTHERS if p.role == "COMMITTEE_MEMBER")


def words(answer: Any) -> str:
    """The page as a reader sees it."""
    body = answer.content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture
def page(as_person: Any, case_of: Any) -> Any:
    def open_page(person: Person, child: str, tail: str = "") -> Any:
        return as_person(person).get(f"/cases/{case_of(child).case_number}/{tail}")

    return open_page


@pytest.mark.parametrize("person", FOUR, ids=lambda person: person.username)
def test_it_opens_for_the_office_of_the_case_alone(person: Person, page: Any) -> None:
    assert page(person, "pc01").status_code == (200 if person in (HANA, MAKOTO) else 403)
    assert page(person, "pc03").status_code == (200 if person is REN else 403)


def test_it_writes_its_audit_row_with_the_page(page: Any, audit_rows: Any, case_of: Any) -> None:
    page(HANA, "pc01")
    row = audit_rows()[-1]
    assert (row["actor"], row["role"], row["action"], row["subject"]) == ("hana", "PRACTITIONER", "VIEW_CASE", "pc01")
    assert case_of("pc01").case_number in row["detail"]
    page(HANA, "pc01", "print/")
    assert audit_rows()[-1]["action"] == "PRINT_CASE"


@pytest.mark.parametrize("tail", ["", "print/"])
def test_it_shows_nothing_when_the_audit_row_cannot_be_written(tail: str, page: Any) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE audit_events")
    answer = page(HANA, "pc01", tail)
    assert answer.status_code == 500
    text = answer.content.decode()
    assert "証跡を書けない" in text
    assert "欠席" not in text and "世帯" not in text


def test_it_shows_nothing_when_the_anchor_cannot_be_kept(page: Any) -> None:
    settings.HOME.keys.joinpath("audit-casework.anchor").write_text("{")
    answer = page(HANA, "pc01")
    assert answer.status_code == 500
    assert "欠席" not in answer.content.decode()


def test_it_shows_facts_before_levels(page: Any) -> None:
    text = words(page(HANA, "pc01"))
    assert "欠席" in text and "家庭児童相談" in text
    assert "判定のレベルと根拠は、書いた後に表示します" in text
    for hidden in ("確認の順番", "可能性を上げること", "直近3か月の欠席", "積極的なアプローチ"):
        assert hidden not in text


def test_what_was_corrected_since_is_not_shown_as_if_it_stood(page: Any) -> None:
    text = words(page(HANA, "pc01"))
    assert "不登校" in text and "訂正前のいじめ" not in text


def test_it_shows_levels_and_reasons_for_and_against_after_the_first_view(
    page: Any, as_person: Any, first_view: Any, case_of: Any
) -> None:
    first_view(as_person(HANA), case_of("pc01").case_number)
    text = words(page(HANA, "pc01"))
    assert "直近3か月の欠席が30日を超えている" in text and "児童相談につながっている" in text
    assert text.index("可能性を上げること") < text.index("可能性を下げること")
    assert "困難がないという意味ではありません" in text


def test_it_says_that_a_person_must_look_where_the_methods_are_far_apart(
    page: Any, as_person: Any, first_view: Any, case_of: Any
) -> None:
    assert "要確認" not in words(page(HANA, "pc01")), "facts come first"
    first_view(as_person(HANA), case_of("pc01").case_number)
    shown = words(page(HANA, "pc01"))
    assert shown.count("要確認") == 1 and "見方が大きく分かれています" in shown
    assert "判定ロジックごとの順位: シナリオ 上位に入らない、勾配ブースティング 10 人に 1 人の上位" in shown
    assert not re.search(r"42|%", shown.partition("判定ロジックごとの順位")[2][:80]), (
        "no figure that reads as a probability"
    )


def test_it_says_how_far_a_level_may_lie_off_and_never_that_low_is_sure(
    page: Any, as_person: Any, first_view: Any, case_of: Any
) -> None:
    assert "順位の幅" not in words(page(HANA, "pc01")), "facts come first"
    first_view(as_person(HANA), case_of("pc01").case_number)
    shown = words(page(HANA, "pc01"))
    assert "順位の幅: 「中」〜「高」。下の端は、困難がないという意味ではありません。" in shown
    assert "順位の幅: 「低」〜「高」。市が別の事例を把握していたら「高」だったかもしれません。" in shown
    assert "順位の幅: 「低」〜「中」。市が別の事例を把握していたら「中」だったかもしれません。" in shown
    assert shown.count("順位の幅") == 3, "low to low would read as safe"


def test_it_keeps_a_colleague_unswayed_by_somebody_elses_first_view(
    page: Any, as_person: Any, first_view: Any, case_of: Any
) -> None:
    first_view(as_person(HANA), case_of("pc01").case_number, "花の所見です。")
    text = words(page(MAKOTO, "pc01"))
    assert "花の所見です。" not in text and "確認の順番" not in text


def test_it_shows_the_committee_levels_only_after_an_assessors_view(
    page: Any, as_person: Any, first_view: Any, case_of: Any
) -> None:
    assert "担当者の一次所見が書かれた後に表示します" in words(page(COMMITTEE, "pc01"))
    first_view(as_person(HANA), case_of("pc01").case_number)
    assert "確認の順番" in words(page(COMMITTEE, "pc01"))


def test_it_shows_what_must_be_seen_at_once_whatever_the_score(page: Any) -> None:
    text = words(page(REN, "pc08"))
    assert "点数によらず、必ず確認すること" in text and "自分を傷つける考え" in text


def test_it_says_beside_every_score_what_is_not_known(page: Any) -> None:
    text = words(page(COORDINATOR, "pc01"))
    assert "3 の出所のうち、新しく載っているのは 1" in text
    assert "次の出所は載っていないか古く" in text and "見守り活動" in text
    assert "乳幼児健診" not in text  # not expected at nine


def test_it_calls_thin_data_thin_and_never_low(page: Any) -> None:
    text = words(page(COORDINATOR, "pc06"))
    assert "情報不足: 判定できるだけの情報がない(低いという意味ではない)" in text


def test_it_shows_the_household_by_role_and_age_and_nobody_who_lives_elsewhere(page: Any) -> None:
    text = words(page(HANA, "pc01"))
    assert re.search(r"本人 10歳 女 母 30代 女 同居の人 65歳以上 女|本人 9歳 女 母 30代 女 同居の人 65歳以上 女", text)
    assert "父" not in text


def test_it_shows_each_fact_with_source_date_and_basis(page: Any) -> None:
    text = words(page(HANA, "pc01"))
    assert re.search(
        r" 母 2024/10/01\(令6\) 生活保護 あり 出所 生活保護\(福祉課\)・取得 2024/10/01\(令6\)・根拠 法", text
    )
    assert "要介護3" in text


def test_it_shows_months_of_absence_as_one_line_a_fiscal_year(page: Any) -> None:
    body = page(HANA, "pc01").content.decode()
    assert "令和7年度" in body
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", body.split("令和7年度", 1)[1])[:12]
    assert cells == ["0", "1", "1", "2", "—", "4", "6", "8", "9", "11", "12", "13"]


def test_it_marks_what_arrived_after_the_judgement(page: Any) -> None:
    assert re.search(r"家庭 判定の後に届いた", words(page(HANA, "pc01")))


def test_it_shows_another_persons_father_nowhere(page: Any) -> None:
    assert page(HANA, "pc01").content.decode().count("生活保護 <strong>あり") == 1


@pytest.mark.parametrize("tail", ["", "print/"])
def test_it_locates_no_protected_family(tail: str, page: Any, case_of: Any, as_person: Any, first_view: Any) -> None:
    case = case_of("pc04")
    assert case.is_address_protected and case.area_code == ""
    first_view(as_person(HANA), case.case_number)
    for text in (page(HANA, "pc04", tail).content.decode(), page(COORDINATOR, "pc04", tail).content.decode()):
        assert "ひみつ" not in text
        assert "支援措置" in text
        assert "養育不安" in text  # what happened is shown, where is not


@pytest.fixture
def newly_protected(home: Any) -> Any:
    def protect(person: str, name: str) -> None:
        tables = snapshot_tables()
        people = [{**row, "is_address_protected": row["person_key"] == person} for row in tables["persons"].to_pylist()]
        Store(home.store).write("snapshots", name, {**tables, "persons": rows("persons", people)}, {})

    return protect


@pytest.mark.parametrize("person", ["pc01", "pc01m"])
def test_protection_does_not_wait_for_the_next_judgement(
    person: str, page: Any, case_of: Any, as_person: Any, decided: Any, newly_protected: Any
) -> None:
    case, chair = case_of("pc01"), as_person(COORDINATOR)
    decided(as_person(HANA), case.case_number)
    meeting = Conference.objects.create(
        held_on=dt.date(2026, 5, 1), title="第3回 統括委員会", quorum=1, called_by=COORDINATOR.username,
        called_by_name=COORDINATOR.name, called_at=case.arrived_at,
    )  # fmt: skip
    ConferenceMember.objects.create(conference=meeting, username=COMMITTEE.username, name=COMMITTEE.name)
    AgendaItem.objects.create(conference=meeting, case=case, position=1)
    papers = f"/conferences/{meeting.pk}/papers/"

    def shown() -> list[str]:
        paper = chair.get(f"{papers}?member={COMMITTEE.username}")
        return [words(answer) for answer in (page(HANA, "pc01"), page(HANA, "pc01", "print/"), paper)]

    assert all("ひなた東小学校" in text for text in shown())
    newly_protected("pc01f", "2026-04-30-a")  # a father who lives elsewhere is another family
    assert all("ひなた東小学校" in text for text in shown())
    newly_protected(person, "2026-04-30-b")
    for text in shown():
        assert "ひなた東小学校" not in text and "小学校区" not in text and "養育" not in text and "欠席" in text


def test_it_withholds_an_item_whose_basis_has_lapsed(page: Any, tmp_path: Any, hinata: Any) -> None:
    """Taking a basis out of the register takes the item off the next page."""
    import shutil
    from dataclasses import replace

    folder = tmp_path / "municipality"
    shutil.copytree(hinata.folder, folder)
    settings.MUNICIPALITY = replace(hinata, folder=folder)
    assert "要介護3" in words(page(HANA, "pc01"))
    bases = folder / "register" / "bases.toml"
    text = bases.read_text()
    lapsed = re.sub(r'("ASSESS",?\s*|,?\s*"アセスメント"|,?\s*"ASSESS")', "", text)
    assert lapsed != text
    bases.write_text(lapsed)
    shown = words(page(HANA, "pc01"))
    assert "要介護3" not in shown and "欠席日数(いまは根拠がない)" in shown


def test_it_shows_nothing_when_the_register_cannot_be_read(page: Any, tmp_path: Any, hinata: Any) -> None:
    import shutil
    from dataclasses import replace

    folder = tmp_path / "municipality"
    shutil.copytree(hinata.folder, folder)
    (folder / "register" / "bases.toml").write_text("[[bases]\n")
    settings.MUNICIPALITY = replace(hinata, folder=folder)
    answer = page(HANA, "pc01")
    assert answer.status_code == 500
    assert "欠席" not in answer.content.decode() and str(folder) not in answer.content.decode()


def test_it_never_shows_the_store_key(page: Any) -> None:
    for child in ("pc01", "pc02", "pc04"):
        assert child not in page(COORDINATOR, child).content.decode()


def test_it_prints_who_when_and_under_which_number(page: Any, audit_rows: Any) -> None:
    text = words(page(HANA, "pc01", "print/"))
    number = audit_rows()[-1]["sequence"]
    assert "【取扱注意】" in text and f"印刷番号 {number}" in text and "印刷者 青木 花" in text


def test_it_prints_no_judgement_before_the_first_view(page: Any) -> None:
    text = words(page(HANA, "pc01", "print/"))
    assert "一次所見の前のため、印刷していません" in text and "直近3か月" not in text


def test_it_keeps_the_history_of_judgements(
    as_person: Any, first_view: Any, case_of: Any, home: Any, hinata: Any
) -> None:
    from small_store import write_store
    from standing_people import AT

    from kodomo.assessment.arrivals import receive_arrivals

    write_store(home.store, judgement="2026-04-30-second", as_of=dt.date(2026, 4, 30),
                pc01={"NON_ATTENDANCE": ("MIDDLE", 0.5), "OVERALL": ("MIDDLE", 0.5)})  # fmt: skip
    receive_arrivals(home=home, municipality=hinata, by="tests", at=AT)
    hana, number = as_person(HANA), case_of("pc01").case_number
    assert "これまでの判定" not in words(hana.get(f"/cases/{number}/"))
    first_view(hana, number)
    text = words(hana.get(f"/cases/{number}/"))
    assert "これまでの判定" in text and re.search(r"2026/03/31\(令8\).*不登校 高", text)


def test_it_is_the_same_page_for_two_methods_of_asking(as_person: Any, case_of: Any) -> None:
    number = case_of("pc01").case_number
    assert as_person(HANA).post(f"/cases/{number}/").status_code == 405
    assert as_person(RIN).post(f"/cases/{number}/").status_code == 403


@pytest.mark.parametrize("tail", ["", "print/"])
def test_it_says_first_that_linkage_joined_records_since(tail: str, page: Any, case_of: Any) -> None:
    case, store = case_of("pc01"), Store(settings.HOME.store)
    moved = {"came": True, "other_key": case_of("pc02").child_key, "changed_on": dt.date(2026, 11, 1), "records": 5, "facts": 3,
             "link_run": 9, "is_alias": False}  # fmt: skip
    changes = [
        {"person_key": case.child_key, "kind": "MERGE", **moved},
        {"person_key": "pc99", "kind": "SPLIT", **moved},
    ]
    assert "名寄せの訂正" not in words(page(HANA, "pc01", tail))
    store.write(
        "snapshots", "later", {**snapshot_tables(), "person_changes": rows("person_changes", changes)}, {"link_run": 9}
    )
    shown = words(page(HANA, "pc01", tail))
    assert "名寄せの訂正がありました" in shown
    assert "別の番号で扱っていた記録を、このこどもの記録に加えました(記録 5 件、そこに書かれた事実 3 件)" in shown
    assert "いま表示している判定には、まだ反映されていません" in shown
    assert "分けて" not in shown, "another child's change is not told here"
    assert shown.index("名寄せの訂正") < shown.index("一次所見" if not tail else "システムによる判定")


def test_it_says_which_versions_judged_and_where_the_points_stand_alone(
    page: Any, as_person: Any, first_view: Any, case_of: Any
) -> None:
    manifest = settings.HOME.store / "judgements" / "2026-03-31-first" / "manifest.json"
    body = json.loads(manifest.read_text(encoding="utf-8"))
    body["criteria"] = {"version": "見本-1", "note": "見本・未検証", "sha256": "abcdef123456789"}
    body["thresholds"] = {"sha256": "fedcba987654321"}
    body["learned"] = {"types": {"NON_ATTENDANCE": {"model": "own", "staff_score_stands": True},
                                 "YOUNG_CARER": {"model": None, "why_not": "把握事例が 20 件に満たない"},
                                 "POVERTY": {"model": "own", "staff_score_stands": False}}}  # fmt: skip
    manifest.write_text(json.dumps(body), encoding="utf-8")
    first_view(as_person(HANA), case_of("pc01").case_number)
    text = words(page(HANA, "pc01"))
    assert "見本-1(見本・未検証) 版 abcdef123456、しきい値 版 fedcba987654" in text
    assert text.count("点数表を上回ると確かめられていない") == 1
    assert text.count("(把握事例が 20 件に満たない)") == 1
