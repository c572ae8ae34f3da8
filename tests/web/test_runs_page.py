"""判定の実行と公開: numbers only, small ones hidden; nothing reaches casework before another person released it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from small_store import HIGH, LEVELS, LOW, MIDDLE, THIN, write_store
from spoken import english_in
from standing_people import AT, HANA, OTHERS, PASSWORD, RIN

from kodomo.assessment.models import Arrival, Case
from kodomo.assessment.policies import NotAcceptable
from kodomo.configuration import Home, Municipality
from kodomo.errors import NotPermitted
from kodomo.governance.suppression import Suppression
from kodomo.operations.models import Release
from kodomo.operations.releases import release_now
from kodomo.operations.runs import change_lines, differences, level_lines
from kodomo.store.database import Store
from kodomo.terms import OVERALL

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
SECOND = "2026-04-30-second"
RISEN = {
    "pc05": {"POVERTY": (HIGH, 0.9), OVERALL: (HIGH, 0.9)},
    "pc01": {"NON_ATTENDANCE": (MIDDLE, 0.5), OVERALL: (THIN, None)},
}


@pytest.fixture
def judged_again(home: Home) -> str:
    """A second run, in which one child rose, another fell and became thin."""
    write_store(home.store, judgement=SECOND, as_of=dt.date(2026, 4, 30), **RISEN)
    return SECOND


def ask(as_person: Any, name: str = SECOND) -> Any:
    return as_person(COORDINATOR).post(f"/runs/{name}/ask/", {"reason": "前月との違いを確かめた。"})


def decide(as_person: Any, name: str = SECOND, **changed: str) -> Any:
    given = {"decision": "approve", "reason": "違いは説明がつく。", "password": PASSWORD, **changed}
    return as_person(APPROVER).post(f"/runs/{name}/decide/", given)


def state_of(child_key: str) -> str | None:
    return Case.objects.filter(child_key=child_key).values_list("judgement_name", flat=True).first()


def test_figures_count_each_child_once_and_as_casework_sees_it(home: Home, judged_again: str) -> None:
    store, plain = Store(home.store), Suppression(0, 1)
    first, second = store.open("judgements", "2026-03-31-first"), store.open("judgements", SECOND)
    overall = level_lines(first, plain)[-1]
    levels = [value[OVERALL][0] for value in LEVELS.values() if OVERALL in value]
    low = len(LEVELS) - len([level for level in levels if level != LOW])
    assert overall.label == "総合"
    assert overall.counts == tuple(str(n) for n in (levels.count(HIGH), levels.count(MIDDLE), low, levels.count(THIN)))
    changed = {line.type: dict(zip(("up", "down", "same", "thinned", "filled", "new", "gone"), line.counts, strict=True))
               for line in change_lines(first, second, plain)}  # fmt: skip
    assert changed["POVERTY"]["up"] == "1" and changed["POVERTY"]["same"] == "8"
    assert changed["NON_ATTENDANCE"]["down"] == "1"
    assert (changed[OVERALL]["up"], changed[OVERALL]["thinned"]) == ("1", "1")
    assert differences(first, second) == [("基準日", "2026-03-31", "2026-04-30")]


def test_small_counts_are_hidden(as_person: Any, judged_again: str) -> None:
    body = as_person(RIN).get(f"/runs/{SECOND}/").content.decode()
    tables = body.partition("類型ごとのレベル")[2]
    assert tables.count("秘匿") > 15
    assert "前の判定との違い" in body and "2026-03-31" in body and "pc0" not in body
    assert english_in(body) == set()


def test_a_run_reaches_casework_only_after_another_person_released_it(
    as_person: Any, judged_again: str, audit_rows: Any
) -> None:
    assert state_of("pc05") is None and Arrival.objects.count() == 1
    assert ask(as_person).status_code == 302
    assert state_of("pc05") is None
    assert decide(as_person).status_code == 302
    assert state_of("pc05") == SECOND and state_of("pc01") == SECOND
    assert Arrival.objects.last().judgement_name == SECOND
    acts = [(row["actor"], row["action"]) for row in audit_rows()]
    assert ("coordinator", "ASK_RELEASE") in acts and ("approver", "APPROVE_RELEASE") in acts
    body = as_person(APPROVER).get(f"/runs/{SECOND}/").content.decode()
    assert "公開済み" in body and "違いは説明がつく。" in body and english_in(body) == set()


def test_an_approver_gives_the_password_again(as_person: Any, judged_again: str) -> None:
    ask(as_person)
    assert decide(as_person, password="違う").status_code == 400
    assert Release.objects.get().state == "ASKED" and state_of("pc05") is None


def test_who_asks_cannot_approve(home: Home, hinata: Municipality, judged_again: str) -> None:
    with pytest.raises(NotPermitted):
        release_now(home=home, municipality=hinata, asked_by="大野 統子", approved_by="大野 統子", reason="急ぎ", at=AT)
    assert state_of("pc05") is None


def test_only_the_coordinator_asks_and_only_the_approver_decides(as_person: Any, judged_again: str) -> None:
    assert as_person(APPROVER).post(f"/runs/{SECOND}/ask/", {"reason": "x"}).status_code == 403
    assert as_person(COORDINATOR).post(f"/runs/{SECOND}/decide/", {}).status_code == 403
    assert as_person(HANA).get("/runs/").status_code == 403
    assert as_person(RIN).post(f"/runs/{SECOND}/ask/", {"reason": "x"}).status_code == 403


def test_a_request_turned_down_may_be_made_again(as_person: Any, judged_again: str) -> None:
    ask(as_person)
    assert decide(as_person, decision="refuse", reason="データがそろっていない。").status_code == 302
    assert state_of("pc05") is None
    assert ask(as_person).status_code == 302
    assert decide(as_person).status_code == 302 and state_of("pc05") == SECOND


def test_a_double_click_asks_once_and_releases_once(as_person: Any, judged_again: str) -> None:
    ask(as_person)
    assert ask(as_person).status_code == 400
    decide(as_person)
    again = decide(as_person, reason="もう一度書いた理由")
    assert again.status_code == 400 and "もう一度書いた理由" in again.content.decode()  # what was typed stays
    assert Release.objects.count() == 1


def test_an_older_base_date_is_not_released_after_a_newer(as_person: Any, judged_again: str) -> None:
    ask(as_person)
    decide(as_person)
    assert ask(as_person, "2026-03-31-first").status_code == 400


def test_a_request_waiting_while_a_newer_base_date_was_released_is_too_late(
    as_person: Any, judged_again: str, home: Home
) -> None:
    third = "2026-05-31-third"
    write_store(home.store, judgement=third, as_of=dt.date(2026, 5, 31))
    ask(as_person)
    ask(as_person, third)
    assert decide(as_person, third).status_code == 302
    assert decide(as_person).status_code == 400
    assert state_of("pc01") == third
    assert decide(as_person, decision="refuse", reason="新しい判定が公開された。").status_code == 302


@pytest.mark.parametrize("nobody", ["", " ", "　"])
def test_nobody_approves_nothing(home: Home, hinata: Municipality, judged_again: str, nobody: str) -> None:
    for names in ({"asked_by": "大野 統子", "approved_by": nobody}, {"asked_by": nobody, "approved_by": "工藤 忍"}):
        with pytest.raises(NotAcceptable):
            release_now(home=home, municipality=hinata, reason="急ぎ", at=AT, **names)
    assert state_of("pc05") is None and not Release.objects.exists()


def test_a_second_account_of_who_asked_cannot_approve(as_person: Any, judged_again: str) -> None:
    from kodomo.web.models import Staff

    ask(as_person)
    Staff.objects.filter(username="approver").update(name=Staff.objects.get(username="coordinator").name)
    assert decide(as_person).status_code == 403
    assert state_of("pc05") is None


def test_one_person_written_two_ways_is_one(home: Home, hinata: Municipality, judged_again: str) -> None:
    with pytest.raises(NotPermitted):
        release_now(
            home=home, municipality=hinata, asked_by="大野 統子", approved_by="大野　統子", reason="急ぎ", at=AT
        )
    assert state_of("pc05") is None


def test_a_release_whose_cases_cannot_arrive_is_no_release(as_person: Any, judged_again: str, home: Home) -> None:
    ask(as_person)
    (home.store / "judgements" / SECOND / "subjects.parquet").unlink()
    assert decide(as_person).status_code >= 400
    assert Release.objects.get().state == "ASKED" and Arrival.objects.count() == 1


def test_it_has_no_page_for_what_is_no_run(as_person: Any) -> None:
    for name in ("nowhere", "..", ".CURRENT.partial", "CURRENT"):
        assert as_person(COORDINATOR).get(f"/runs/{name}/").status_code == 404


def test_the_list_names_what_waits(as_person: Any, judged_again: str) -> None:
    ask(as_person)
    body = as_person(APPROVER).get("/runs/").content.decode()
    assert "承認を待つ公開の申請" in body and "2026-04-30" in body and english_in(body) == set()


def test_a_site_that_is_no_demonstration_takes_nothing_in_by_itself(
    home: Home, hinata: Municipality, judged_again: str
) -> None:
    from kodomo.web.serve import prepare

    assert prepare(home=home, municipality=hinata, demo=False)["arrivals"] is None
    assert state_of("pc05") is None
    assert prepare(home=home, municipality=hinata, demo=True)["arrivals"]["is_new"]
    assert state_of("pc05") == SECOND
    assert not prepare(home=home, municipality=hinata, demo=True)["arrivals"]["is_new"]
