from __future__ import annotations

import re
from typing import Any

import pytest
from small_store import EAST, NORTH
from standing_people import FOUR, HANA, MAKOTO, OTHERS, REN, RIN, Person

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
COMMITTEE = next(p for p in OTHERS if p.role == "COMMITTEE_MEMBER")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")


def listed(browser: Any, query: str = "") -> set[str]:
    answer = browser.get(f"/cases/?{query}")
    assert answer.status_code == 200
    return set(re.findall(r'class="case-number"[^>]*>([0-9-]+)<', answer.content.decode()))


@pytest.fixture
def numbers(case_of: Any) -> Any:
    return lambda *children: {case_of(child).case_number for child in children}


OF_THE_CENTRE = ("pc01", "pc02", "pc04", "pc06", "pc07", "pc09")
OF_CHILDCARE = ("pc03", "pc08")
AT_CAPACITY = ("pc01", "pc02", "pc04", "pc07", "pc08")
"""総合 at 高 or 中, and pc08, of whom a fact must be seen."""


@pytest.mark.parametrize("person", FOUR, ids=lambda person: person.username)
def test_it_shows_each_person_their_own_offices_cases(person: Person, as_person: Any, numbers: Any) -> None:
    if person is RIN:
        assert as_person(RIN).get("/cases/").status_code == 403
        return
    mine = OF_CHILDCARE if person is REN else OF_THE_CENTRE
    assert listed(as_person(person), "reach=ALL") == numbers(*mine)


def test_it_shows_the_coordinating_office_every_office(as_person: Any, numbers: Any) -> None:
    assert listed(as_person(COORDINATOR), "reach=ALL") == numbers(*OF_THE_CENTRE, *OF_CHILDCARE)


def test_it_opens_on_what_people_can_review_and_says_how_many_more_there_are(as_person: Any, numbers: Any) -> None:
    browser = as_person(COORDINATOR)
    assert listed(browser) == numbers(*AT_CAPACITY)
    body = browser.get("/cases/?age_band=ELEMENTARY").content.decode()
    assert re.search(r"含めると 4 件: <a href=\"/cases/\?age_band=ELEMENTARY&amp;reach=ALL\">届いたすべてを表示", body)
    assert listed(browser, "age_band=ELEMENTARY&reach=ALL") == numbers("pc01", "pc04", "pc06", "pc09")


def test_it_finds_beyond_the_capacity_when_nothing_fits_within(as_person: Any) -> None:
    body = as_person(COORDINATOR).get("/cases/?moved_in=on").content.decode()
    assert "届いたすべてから探すと 2 件あります" in body


def test_it_keeps_a_case_somebody_works_on_in_the_list(as_person: Any, numbers: Any) -> None:
    from kodomo.assessment.models import Case

    Case.objects.filter(child_key="pc09").update(state="WATCH")
    assert listed(as_person(COORDINATOR)) == numbers(*AT_CAPACITY, "pc09")


@pytest.mark.parametrize(
    ("query", "children"),
    [
        ("type=NON_ATTENDANCE", {"pc01"}),
        ("type=ABUSE", {"pc02", "pc04"}),
        ("type=ABUSE&level=HIGH", {"pc04"}),
        ("level=HIGH", {"pc01", "pc04", "pc07"}),
        ("level=INSUFFICIENT", {"pc03", "pc06"}),
        ("type=POSTNATAL_DEPRESSION", {"pc03", "pc08"}),
        ("age_band=PRESCHOOL", {"pc03", "pc08"}),
        ("age_band=JUNIOR_HIGH", {"pc02"}),
        ("office=childcare", {"pc03", "pc08"}),
        ("support=UNCONNECTED", {"pc01", "pc03", "pc04", "pc06", "pc07", "pc09"}),
        ("support=CONNECTED", {"pc02", "pc08"}),
        ("unregistered=on", {"pc01", "pc03", "pc04", "pc06", "pc07", "pc08", "pc09"}),
        ("insufficient=on", {"pc06"}),
        ("moved_in=on", {"pc03", "pc06"}),
        ("escalated=on", {"pc08"}),
        # An old consultation is no support, and yet somebody has met the family.
        ("support=UNCONNECTED&age_band=ELEMENTARY", {"pc01", "pc04", "pc06", "pc09"}),
        ("nobody_knows=on&age_band=ELEMENTARY", {"pc06", "pc09"}),
        ("support=CONNECTED&nobody_knows=on", set()),
        ("waiting=on&moved_in=on", {"pc03", "pc06"}),
        ("overdue=on", set()),
    ],
)
def test_it_filters(query: str, children: set[str], as_person: Any, numbers: Any) -> None:
    assert listed(as_person(COORDINATOR), f"{query}&reach=ALL") == numbers(*children)


@pytest.mark.parametrize(
    ("query", "children"),
    [
        ("type=POSTNATAL_DEPRESSION", {"pc03", "pc08"}),
        ("level=INSUFFICIENT", {"pc03", "pc06"}),
        ("insufficient=on", {"pc06"}),
    ],
)
def test_it_lets_who_asks_for_something_beyond_the_overall_view_find_it(
    query: str, children: set[str], as_person: Any, numbers: Any
) -> None:
    assert listed(as_person(COORDINATOR), query) == numbers(*children)


# The facts come first: no condition may tell what the page hides -----------------------------------

TELLING = [f"level={level}" for level in ("HIGH", "MIDDLE", "LOW", "INSUFFICIENT")]


@pytest.mark.parametrize("person", [HANA, MAKOTO, COMMITTEE, APPROVER], ids=lambda p: p.username)
@pytest.mark.parametrize("query", TELLING)
def test_it_answers_no_level_to_somebody_who_has_not_written_a_first_view(
    query: str, person: Person, as_person: Any
) -> None:
    browser = as_person(person)
    assert listed(browser, f"{query}&reach=ALL") == set()
    assert listed(browser, f"{query}&type=NON_ATTENDANCE&reach=ALL") == set()
    if person in (HANA, MAKOTO):
        exported = browser.post("/cases/export/", {"level": query.removeprefix("level="), "reach": "ALL"})
        assert len(exported.content.decode().splitlines()) == 3  # the heading alone


def test_it_answers_a_level_where_ones_own_first_view_stands(
    as_person: Any, first_view: Any, case_of: Any, numbers: Any
) -> None:
    hana = as_person(HANA)
    first_view(hana, case_of("pc01").case_number)
    assert listed(hana, "level=HIGH") == numbers("pc01")
    assert listed(hana, "level=LOW&type=NON_ATTENDANCE") == set()
    assert listed(as_person(MAKOTO), "level=HIGH") == set()
    assert listed(as_person(COMMITTEE), "level=HIGH") == numbers("pc01")
    assert listed(as_person(COORDINATOR), "level=HIGH") == numbers("pc01", "pc04", "pc07")


def test_it_orders_by_place_for_the_coordinating_office_alone(as_person: Any, case_of: Any) -> None:
    def order(person: Person) -> list[str]:
        body = as_person(person).get("/cases/?order=PLACE&reach=ALL").content.decode()
        return re.findall(r'class="case-number"[^>]*>([0-9-]+)<', body)

    by_place = [case_of(child).case_number for child in ("pc01", "pc04", "pc07", "pc02")]
    assert order(COORDINATOR)[:4] == by_place
    hana = as_person(HANA).get("/cases/?reach=ALL").content.decode()
    assert order(HANA) == re.findall(r'class="case-number"[^>]*>([0-9-]+)<', hana)
    assert "総合の確認の順" not in hana


def test_it_never_lists_a_child_whose_judgement_did_not_reach_it(as_person: Any) -> None:
    from kodomo.assessment.models import Case

    assert not Case.objects.filter(child_key="pc05").exists()


@pytest.mark.parametrize("query", ["type=NONSENSE", "order=%00", "page=99999", "level=HIGH%27--", "type=" + "x" * 2000])
def test_it_takes_nonsense_for_no_condition(query: str, as_person: Any) -> None:
    assert as_person(HANA).get(f"/cases/?{query}").status_code == 200


@pytest.mark.parametrize("order", ["WAITING", "GRADE", "NEXT", "NUMBER"])
def test_it_sorts(order: str, as_person: Any, numbers: Any) -> None:
    body = as_person(COORDINATOR).get(f"/cases/?order={order}&reach=ALL").content.decode()
    found = re.findall(r'class="case-number"[^>]*>([0-9-]+)<', body)
    assert len(found) == 8
    if order == "NUMBER":
        assert found == sorted(found)
    if order == "WAITING":
        assert {found[0]} == numbers("pc08")


def test_it_masks_everything_that_names_or_locates(as_person: Any) -> None:
    body = as_person(COORDINATOR).get("/cases/").content.decode()
    assert NORTH not in body and EAST not in body
    assert not re.search(r"\bp?pc0\d", body)


def test_it_shows_an_area_only_by_the_name_the_municipality_gives_it(as_person: Any, hinata: Any) -> None:
    """The store's area code is made for computing; an area nobody named is not told."""
    from dataclasses import replace

    from django.conf import settings

    assert "東部" not in as_person(COORDINATOR).get("/cases/").content.decode()
    named = {"東部": ["東町"], "北部": ["北町"]}
    settings.MUNICIPALITY = replace(hinata, extras={**hinata.extras, "areas": named})
    body = as_person(COORDINATOR).get("/cases/").content.decode()
    table = body.split("<table", 1)[1]
    assert "東部" in table and "北部" not in table and "地区は非表示" in table
    narrowed = as_person(COORDINATOR).get("/cases/?reach=ALL&area=東部").content.decode().split("<table", 1)[1]
    assert narrowed.count("東部") == narrowed.count('class="case-number"') == 3
    hidden = as_person(COORDINATOR).get("/cases/?reach=ALL&area=北部").content.decode()
    assert "条件に当てはまる事例はありません" in hidden, "a protected family is found by no area"


def test_it_shows_no_area_of_a_family_protected_since_its_judgement(
    as_person: Any, hinata: Any, home: Any, case_of: Any
) -> None:
    from dataclasses import replace

    from django.conf import settings
    from small_store import rows, snapshot_tables

    from kodomo.store.database import Store

    settings.MUNICIPALITY = replace(hinata, extras={**hinata.extras, "areas": {"東部": ["東町"]}})
    number, tables = case_of("pc01").case_number, snapshot_tables()
    assert number in as_person(COORDINATOR).get("/cases/?reach=ALL&area=東部").content.decode()
    people = [{**row, "is_address_protected": row["person_key"] == "pc01m"} for row in tables["persons"].to_pylist()]
    Store(home.store).write("snapshots", "2026-04-30-later", {**tables, "persons": rows("persons", people)}, {})
    narrowed = as_person(COORDINATOR).get("/cases/?reach=ALL&area=東部").content.decode().split("<table", 1)[1]
    assert number not in narrowed and narrowed.count('class="case-number"') == 2
    every = as_person(COORDINATOR).get("/cases/?reach=ALL").content.decode()
    (line,) = [part for part in every.split("<tr") if number in part]
    assert "東部" not in line
    for tail in ("", "support/"):
        assert "東部" not in as_person(HANA).get(f"/cases/{number}/{tail}").content.decode()


def test_it_hides_levels_until_the_readers_own_first_view(as_person: Any, first_view: Any, case_of: Any) -> None:
    hana = as_person(HANA)
    before = hana.get("/cases/?type=NON_ATTENDANCE").content.decode()
    assert "レベルは一次所見の後に表示" in before and "<b>高</b>" not in before
    first_view(hana, case_of("pc01").case_number)
    assert "<b>高</b>" in hana.get("/cases/?type=NON_ATTENDANCE").content.decode()
    assert "<b>高</b>" in as_person(COORDINATOR).get("/cases/?type=NON_ATTENDANCE").content.decode()


def test_it_says_of_a_middle_level_that_it_may_be_high(as_person: Any, first_view: Any, case_of: Any) -> None:
    hana, query = as_person(HANA), "/cases/?type=YOUNG_CARER"
    assert "もありうる" not in hana.get(query).content.decode()
    first_view(hana, case_of("pc01").case_number)
    assert hana.get(query).content.decode().count("<b>中</b> <small>高もありうる</small>") == 1


def test_it_never_prints_a_percentage_or_a_score(as_person: Any, case_of: Any, first_view: Any) -> None:
    hana = as_person(HANA)
    number = case_of("pc01").case_number
    first_view(hana, number)
    for path in ("/cases/", f"/cases/{number}/", f"/cases/{number}/decide/", f"/cases/{number}/print/"):
        body = hana.get(path).content.decode()
        assert "%" not in re.sub(r"<[^>]+>", "", body) and "0.91" not in body and "0.88" not in body
        assert "危険" not in body


def test_it_audits_the_list_with_its_count_and_conditions(as_person: Any, audit_rows: Any) -> None:
    as_person(HANA).get("/cases/?type=ABUSE")
    row = audit_rows()[-1]
    assert row["action"] == "VIEW_SHORTLIST"
    assert '"count": 2' in row["detail"] and '"type": "ABUSE"' in row["detail"]


def test_it_pages(as_person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.assessment import shortlist

    monkeypatch.setattr(shortlist, "PAGE_SIZE", 3)
    browser = as_person(COORDINATOR)
    pages = [listed(browser, f"reach=ALL&page={n}") for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [3, 3, 2]
    assert len(set.union(*pages)) == 8
    assert "次のページ" in browser.get("/cases/?page=1&reach=ALL").content.decode()


@pytest.mark.parametrize("person", [COORDINATOR, HANA], ids=lambda person: person.username)
def test_it_asks_the_database_a_bounded_number_of_times(person: Person, as_person: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    browser = as_person(person)
    with CaptureQueriesContext(connection) as asked:
        browser.get("/cases/")
    assert len(asked) <= 22


# The file ----------------------------------------------------------------------------------------


def test_it_exports_the_same_list_masked_and_watermarked(as_person: Any, audit_rows: Any, numbers: Any) -> None:
    answer = as_person(COORDINATOR).post("/cases/export/", {"type": "ABUSE"})
    text = answer.content.decode("utf-8-sig")
    lines = text.splitlines()
    row = audit_rows()[-1]
    assert lines[0].startswith("【取扱注意】") and lines[0].endswith(str(row["sequence"]))
    assert COORDINATOR.name in lines[1]
    assert {line.split(",")[0] for line in lines[3:]} == numbers("pc02", "pc04")
    assert NORTH not in text and "pc04" not in text
    assert (row["action"], '"count": 2' in row["detail"]) == ("EXPORT_SHORTLIST", True)


def test_it_does_not_export_by_following_a_link(as_person: Any) -> None:
    assert as_person(COORDINATOR).get("/cases/export/").status_code == 405


def test_it_exports_no_level_the_reader_may_not_see_yet(as_person: Any) -> None:
    text = as_person(HANA).post("/cases/export/", {}).content.decode("utf-8-sig")
    assert "不登校" in text and "不登校(高)" not in text


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1", "\u200b=1", " =1", "\r=1"])
def test_it_never_writes_a_cell_a_spreadsheet_would_run(value: str) -> None:
    from kodomo.assessment.exports import safe_cell

    assert safe_cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["小3", "2026-0001234", "山田=花子", "", "－"])
def test_it_leaves_other_cells_alone(value: str) -> None:
    from kodomo.assessment.exports import safe_cell

    assert safe_cell(value) == (f"'{value}" if value.startswith("－") else value)


def test_it_says_which_condition_it_could_not_keep_to(as_person: Any) -> None:
    """A kept condition whose choice is gone must not show everything under its name without a word."""
    coordinator = as_person(COORDINATOR)
    assert "使えない条件" not in coordinator.get("/cases/?reach=ALL&office=childcare").content.decode()
    for query, label in (
        ("area=なくなった地区", "地区"),
        ("office=nowhere", "担当部署"),
        ("state=OLD&level=HIGH", "状態"),
    ):
        body = coordinator.get(f"/cases/?reach=ALL&{query}").content.decode()
        assert f"使えない条件を外して表示しています: {label}。" in body, query
