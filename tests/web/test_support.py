"""Support from the plan to the closing: what is written, what is refused, and what goes back to the store."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone
from standing_people import HANA, MAKOTO, OTHERS, REN

from kodomo.assessment.models import Case

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
APPROVER = next(p for p in OTHERS if p.role == "APPROVER")
SECRET = "祖母の介護が重く、夜に眠れていないと話した。"


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


PLAN = {
    "policy": "登校の前に、家の負担を軽くする。", "family_words": "家のことを人に知られたくない。",
    "text_1": "週に二日は登校できる", "service_1": "SCHOOL", "office_1": "school_education",
    "text_2": "介護の手を増やす", "service_2": "CARE", "office_2": "welfare",
}  # fmt: skip
CONTACT = {"kind": "VISIT", "result": "TALKED", "text": SECRET}


@pytest.fixture
def send(token_of: Any) -> Any:
    """Fill in the form at an address and send it, as a person would."""

    def fill(browser: Any, number: str, tail: str, given: dict[str, str]) -> Any:
        hidden = token_of(browser.get(f"/cases/{number}/{tail}"))
        return browser.post(f"/cases/{number}/{tail}", {**hidden, **given})

    return fill


@pytest.fixture
def supported(as_person: Any, case_of: Any, decided: Any) -> Any:
    """花's browser and a case that she decided to support."""
    hana, number = as_person(HANA), case_of("pc01").case_number
    assert decided(hana, number, decision="SUPPORT", reason_code="S1").status_code == 302
    return hana, number


@pytest.fixture
def planned(supported: Any, send: Any) -> Any:
    hana, number = supported
    assert send(hana, number, "plan/", {**PLAN, "starts_on": day(0), "review_on": day(60)}).status_code == 302
    return hana, number


@pytest.fixture
def contacted(planned: Any, send: Any) -> Any:
    hana, number = planned
    given = {**CONTACT, "met_on": day(0), "next_on": day(7)}
    assert send(hana, number, "contact/", given).status_code == 302
    return hana, number


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


def test_it_carries_a_case_from_plan_to_closing_and_back(contacted: Any, send: Any, audit_rows: Any) -> None:
    hana, number = contacted
    page = words(hana.get(f"/cases/{number}/support/"))
    assert "第1版" in page and "介護の手を増やす" in page and SECRET in page and "結果はまだ書かれていません" in page
    for goal in Case.objects.get(case_number=number).plans.get().goals.all():
        given = {"scale": "BETTER", "seen_on": day(0), "text": "すこしずつ。"}
        assert send(hana, number, f"outcome/{goal.pk}/", given).status_code == 302
    assert send(hana, number, "close/", {"reason_code": "C1", "text": ""}).status_code == 302
    case = Case.objects.get(case_number=number)
    assert (case.state, case.next_on) == ("CLOSED", None)
    assert hana.get(f"/cases/{number}/decide/").status_code == 400
    assert send(hana, number, "reopen/", {"text": "欠席がまた増えたと学校から連絡。"}).status_code == 302
    assert Case.objects.get(case_number=number).state == "RETURNED"
    acts = [row["action"] for row in audit_rows() if not row["action"].startswith(("OPEN", "VIEW"))]
    assert acts[-6:] == [
        "WRITE_PLAN",
        "RECORD_CONTACT",
        "RECORD_OUTCOME",
        "RECORD_OUTCOME",
        "CLOSE_CASE",
        "REOPEN_CASE",
    ]
    assert SECRET not in str(audit_rows()) and "知られたくない" not in str(audit_rows())


def test_it_keeps_every_version_of_the_plan(planned: Any, send: Any) -> None:
    hana, number = planned
    body = hana.get(f"/cases/{number}/plan/").content.decode()
    assert "週に二日は登校できる" in body and "家のことを人に知られたくない。" in body
    changed = {**PLAN, "text_2": "", "policy": "目標を一つに絞る。", "starts_on": day(0), "review_on": day(30)}
    assert send(hana, number, "plan/", changed).status_code == 302
    plans = Case.objects.get(case_number=number).plans
    assert [(p.revision, p.goals.count()) for p in plans.all()] == [(1, 2), (2, 1)]
    assert "前の版(1 件)" in words(hana.get(f"/cases/{number}/support/"))


@pytest.mark.parametrize(
    ("tail", "changed", "said"),
    [
        ("plan/", {"review_on": ""}, "「見直す日」が入っていません"),
        ("plan/", {"review_on": day(400)}, "明日から1年以内"),
        ("plan/", {"policy": "ある"}, "5文字以上"),
        ("plan/", {"service_1": ""}, "必須"),
        ("plan/", {"office_1": "nowhere"}, "正しく選択"),
        ("plan/", {"starts_on": "いつか"}, "日付として読めません"),
        ("contact/", {"next_on": ""}, "「次回確認日」が入っていません"),
        ("contact/", {"next_on": day(0)}, "明日から1年以内"),
        ("contact/", {"met_on": day(1)}, "今日までの日"),
        ("contact/", {"met_on": ""}, "今日までの日"),
        ("contact/", {"text": "会えた"}, "5文字以上"),
        ("contact/", {"result": "DANCED"}, "正しく選択"),
        ("close/", {"reason_code": ""}, "必須"),
        ("close/", {"reason_code": "C3", "text": ""}, "「説明」を5文字以上"),
        ("close/", {"reason_code": "C1"}, "結果の書かれていない目標"),
    ],
)
def test_it_refuses_what_does_not_hold_together_and_loses_no_word(
    tail: str, changed: dict[str, str], said: str, planned: Any, send: Any
) -> None:
    hana, number = planned
    whole = {
        "plan/": {**PLAN, "starts_on": day(0), "review_on": day(60)},
        "contact/": {**CONTACT, "met_on": day(0), "next_on": day(7)},
        "close/": {"text": "ことばは残る。"},
    }[tail]
    answer = send(hana, number, tail, {**whole, **changed})
    assert answer.status_code == 400
    assert said in words(answer) or said == "必須" or said == "正しく選択"
    kept = next(v for k, v in {**whole, **changed}.items() if k in ("policy", "text"))
    assert kept in answer.content.decode()
    case = Case.objects.get(case_number=number)
    assert (case.plans.count(), case.contacts.count(), case.state) == (1, 0, "SUPPORT")


def test_it_counts_a_refusal_as_an_answer_and_goes_on(planned: Any, send: Any) -> None:
    hana, number = planned
    given = {
        **CONTACT,
        "result": "REFUSED",
        "text": "玄関で、いまは要らないと言われた。",
        "met_on": day(0),
        "next_on": day(30),
    }
    assert send(hana, number, "contact/", given).status_code == 302
    case = Case.objects.get(case_number=number)
    assert case.state == "SUPPORT" and case.next_on == timezone.localdate() + dt.timedelta(days=30)
    assert "支援を断られた" in words(hana.get(f"/cases/{number}/support/"))


@pytest.mark.parametrize("tail", ["plan/", "contact/", "close/", "reopen/"])
def test_it_opens_no_form_before_anybody_decided(tail: str, as_person: Any, case_of: Any) -> None:
    number = case_of("pc01").case_number
    assert as_person(HANA).get(f"/cases/{number}/{tail}").status_code == 400
    assert Case.objects.get(case_number=number).version == 1


def test_it_takes_a_second_click_for_the_first(planned: Any, token_of: Any) -> None:
    hana, number = planned
    form = {**token_of(hana.get(f"/cases/{number}/contact/")), **CONTACT, "met_on": day(0), "next_on": day(7)}
    assert [hana.post(f"/cases/{number}/contact/", form).status_code for _ in range(3)] == [302] * 3
    assert Case.objects.get(case_number=number).contacts.count() == 1


def test_it_shows_ones_own_words_when_somebody_was_quicker(planned: Any, token_of: Any, as_person: Any) -> None:
    hana, number = planned
    makoto = as_person(MAKOTO)
    forms = [{**token_of(b.get(f"/cases/{number}/contact/")), **CONTACT, "met_on": day(0), "next_on": day(7)}
             for b in (hana, makoto)]  # fmt: skip
    assert hana.post(f"/cases/{number}/contact/", forms[0]).status_code == 302
    answer = makoto.post(f"/cases/{number}/contact/", {**forms[1], "text": "誠が電話で聞いたこと。"})
    text = words(answer)
    assert answer.status_code == 409 and "誠が電話で聞いたこと。" in text and "会えた・話を聞いた" in text
    assert SECRET in text and "書いた人 青木 花" in text, "what the quicker one wrote stands beside it"
    assert "(令和" in text and day(7) not in text
    assert Case.objects.get(case_number=number).contacts.count() == 1


def test_it_takes_no_outcome_of_another_cases_goal(
    planned: Any, send: Any, as_person: Any, case_of: Any, decided: Any
) -> None:
    hana, number = planned
    goal = Case.objects.get(case_number=number).plans.get().goals.first()
    other = case_of("pc02").case_number
    decided(hana, other, decision="SUPPORT", reason_code="S1")
    body = hana.get(f"/cases/{other}/outcome/{goal.pk}/").content.decode()
    assert goal.text not in body
    assert send(hana, other, f"outcome/{goal.pk}/", {"scale": "SAME", "seen_on": day(0)}).status_code == 400
    assert goal.outcomes.count() == 0


def test_nothing_is_written_on_a_closed_case(planned: Any, send: Any, token_of: Any) -> None:
    hana, number = planned
    case = Case.objects.get(case_number=number)
    goal = case.plans.get().goals.first()
    outcome, sheet = f"/cases/{number}/outcome/{goal.pk}/", f"/cases/{number}/sheet/POVERTY/"
    forms = {address: token_of(hana.get(address)) for address in (outcome, sheet)}
    Case.objects.filter(pk=case.pk).update(state="CLOSED")
    written = {outcome: {"scale": "SAME", "seen_on": day(0)}, sheet: {"degree_strength": "STRONG"}}
    for address, given in written.items():
        assert hana.get(address).status_code == 400
        answer = hana.post(address, {**forms[address], **given})
        assert answer.status_code == 400 and "終結した事例です" in words(answer)
    page = hana.get(f"/cases/{number}/support/").content.decode() + hana.get(f"/cases/{number}/").content.decode()
    assert "/outcome/" not in page and "/sheet/" not in page
    assert not goal.outcomes.exists() and not case.sheets.exists()


def test_a_draft_on_one_goal_is_not_the_others(planned: Any, send: Any, token_of: Any) -> None:
    hana, number = planned
    plan = Case.objects.get(case_number=number).plans.get()
    first = plan.goals.first()
    second = plan.goals.create(number=4, text="週に一度は家族で夕食", service="MEALS", office="welfare")
    for goal in (first, second):
        address = f"/cases/{number}/outcome/{goal.pk}/"
        hana.post(address, {**token_of(hana.get(address)), "text": f"目標{goal.number}の下書き", "draft": "1"})
    for goal, other in ((first, second), (second, first)):
        body = hana.get(f"/cases/{number}/outcome/{goal.pk}/").content.decode()
        assert f"目標{goal.number}の下書き" in body and f"目標{other.number}の下書き" not in body
    send(hana, number, f"outcome/{first.pk}/", {"scale": "SAME", "seen_on": day(0), "text": ""})
    assert f"目標{second.number}の下書き" in hana.get(f"/cases/{number}/outcome/{second.pk}/").content.decode()


def test_it_hands_a_case_to_another_office(contacted: Any, send: Any, as_person: Any) -> None:
    hana, number = contacted
    Case.objects.filter(case_number=number).update(caseworker="hana")
    given = {"to_office": "childcare", "text": "来週、園の見学に付き添う約束がある。"}
    answer = send(hana, number, "transfer/", given)
    assert answer["Location"] == "/caseload/"
    case = Case.objects.get(case_number=number)
    assert (case.office, case.caseworker) == ("childcare", "")
    assert hana.get(f"/cases/{number}/support/").status_code == 403
    assert "園の見学に付き添う約束" in words(as_person(REN).get(f"/cases/{number}/support/"))


def test_it_leads_nowhere_but_to_offices_that_take_cases(planned: Any, send: Any) -> None:
    hana, number = planned
    offered = re.findall(r'<option value="(\w+)"', hana.get(f"/cases/{number}/transfer/").content.decode())
    assert offered == ["childcare"]
    for office in ("family_centre", "water", ""):
        assert send(hana, number, "transfer/", {"to_office": office, "text": "引き継ぐこと。"}).status_code == 400
    assert Case.objects.get(case_number=number).office == "family_centre"


def test_it_shows_the_support_to_the_office_and_to_who_watches_over_all(contacted: Any, as_person: Any) -> None:
    _, number = contacted
    for person, status in ((MAKOTO, 200), (APPROVER, 200), (COORDINATOR, 200), (REN, 403)):
        assert as_person(person).get(f"/cases/{number}/support/").status_code == status, person.username
    assert "href" not in re.findall(r'<div class="actions">(.*?)</div>', as_person(APPROVER).get(
        f"/cases/{number}/support/").content.decode(), re.S)[0]  # fmt: skip


# 進行管理 ----------------------------------------------------------------------------------------------


def test_it_lists_worked_cases_by_next_date_and_marks_what_is_late(
    contacted: Any, as_person: Any, case_of: Any, audit_rows: Any
) -> None:
    hana, number = contacted
    late = case_of("pc02")
    Case.objects.filter(pk=late.pk).update(state="WATCH", next_on=dt.date(2020, 1, 1), caseworker="makoto")
    Case.objects.filter(case_number=number).update(caseworker="hana")
    body = hana.get("/caseload/").content.decode()
    assert body.index(late.case_number) < body.index(number) and "超過" in body and "井上 誠" in body
    assert (audit_rows()[-1]["action"], '"count": 2' in audit_rows()[-1]["detail"]) == ("VIEW_CASELOAD", True)
    for view, expected in (("mine", {number}), ("late", {late.case_number}), ("untouched", {late.case_number}),
                           ("nobody", set()), ("<b>", {number, late.case_number})):  # fmt: skip
        shown = set(
            re.findall(r'class="case-number"[^>]*>([0-9-]+)<', hana.get("/caseload/", {"view": view}).content.decode())
        )
        assert shown == expected, view
    assert number not in as_person(REN).get("/caseload/").content.decode()


# 効果 --------------------------------------------------------------------------------------------------


def test_it_hides_small_counts_in_the_effect(contacted: Any, as_person: Any) -> None:
    text = words(as_person(COORDINATOR).get("/effect/"))
    assert "秘匿" in text and "接触した事例がまだ少なく" in text
    assert not re.search(r"虐待 [1-7] ", text)
    detail = words(as_person(COORDINATOR).get("/effect/detail/"))
    for said in ("支援の内容ごと", "介護・障害福祉サービスの調整 秘匿", "その後の判定", "効き目の証明ではありません"):
        assert said in text + detail, said
    assert not re.search(r"虐待 [1-7] ", detail)
    assert not re.search(r"[1-9]\d? %", text.replace("10 % 単位", ""))


@pytest.fixture
def many(home: Any, hinata: Any) -> Any:
    """Forty cases at HIGH that somebody decided on, of which later judgements say what is given."""
    import datetime as dt

    from kodomo.assessment.models import Assessment, CaseLevel, FirstView
    from kodomo.support.models import Contact, Goal, Outcome, Plan

    at, who = timezone.now(), {"written_by": "hana", "written_by_name": "花", "written_at": timezone.now()}
    flags = dict.fromkeys(
        ("is_known_to_support", "is_council_registered", "moved_in_within_year", "is_insufficient", "has_escalation"),
        False,
    )

    def make(n: int, decision: str, after: str, *, accepted: bool = False) -> Case:
        case = Case.objects.create(
            case_number=f"9999-{n:07d}", child_key=f"many{n}", office="family_centre", age_band="ELEMENTARY",
            judgement_name="later", snapshot_name="s", judged_as_of=timezone.localdate(), state=decision,
            arrived_at=at - dt.timedelta(days=10), **flags,
        )  # fmt: skip
        for name, level, is_current in (("then", "HIGH", False), ("later", after, True)):
            CaseLevel.objects.create(case=case, judgement_name=name, judged_as_of=timezone.localdate(), type="OVERALL",
                                     level=level, is_current=is_current)  # fmt: skip
        view = FirstView.objects.create(case=case, judgement_name="then", text="見た。", concern="SOME", **who)
        Assessment.objects.create(
            case=case, revision=1, first_view=view, judgement_name="then", decision=decision, reason_code="S1",
            agreement="AGREE", decided_by="hana", decided_by_name="花", decided_by_role="PRACTITIONER", decided_at=at,
        )  # fmt: skip
        if accepted:
            Contact.objects.create(case=case, kind="VISIT", met_on=timezone.localdate() - dt.timedelta(days=3),
                                   result="ACCEPTED", text="会えた。", next_on=timezone.localdate(), **who)  # fmt: skip
            plan = Plan.objects.create(case=case, revision=1, policy="家を支える。", starts_on=timezone.localdate(),
                                       review_on=timezone.localdate(), **who)  # fmt: skip
            goal = Goal.objects.create(plan=plan, number=1, text="食事", service="MEALS", office="welfare")
            Outcome.objects.create(goal=goal, scale="BETTER", seen_on=timezone.localdate(), **who)
        return case

    return make


def test_it_sets_only_like_beside_like_and_hides_what_is_small(many: Any, as_person: Any) -> None:
    for n in range(20):
        many(n, "SUPPORT", "LOW" if n < 10 else "HIGH", accepted=True)
    for n in range(20, 40):
        many(n, "NO_ACTION", "LOW" if n < 22 else "HIGH")
    for n in range(40, 43):
        many(n, "WATCH", "LOW")
    text = words(as_person(COORDINATOR).get("/effect/"))
    assert "支援を受け入れた 20 50 % 0 —" in text
    assert "対応しないとした 20 秘匿" in text, "two of twenty could be somebody"
    assert "調査・見守りをした 秘匿 秘匿" in text
    assert "食事の支援・家事支援 20 20 20 20" in words(as_person(COORDINATOR).get("/effect/detail/"))
    assert "7 日 こどもサポートセンター" in text and re.search(r"子育て支援課 [^日]* 少数", text)
    body = as_person(COORDINATOR).get("/effect/").content.decode()
    assert body.count('class="chart__bar"') == 7 and "印刷番号" in body


def test_no_shown_step_tells_a_hidden_one_by_subtraction() -> None:
    from kodomo.governance.suppression import Suppression
    from kodomo.support.effect import STEPS, _funnel

    everybody = set(range(100))
    sizes = [100, 97, 40, 40, 3, 0]
    reached = {step: set(range(size)) for (step, _), size in zip(STEPS, sizes, strict=True)}
    line = _funnel("虐待", everybody, reached, Suppression(7, 5))
    assert line.counts == ("100", "秘匿", "40", "40", "秘匿", "秘匿")


# こどもデータベースへ返す --------------------------------------------------------------------------------


def test_it_returns_codes_and_dates_to_the_store_and_no_word(contacted: Any, send: Any, home: Any, hinata: Any) -> None:
    from kodomo.store.database import Store
    from kodomo.support.outcomes import return_outcomes

    hana, number = contacted
    goal = Case.objects.get(case_number=number).plans.get().goals.first()
    send(hana, number, f"outcome/{goal.pk}/", {"scale": "DECLINED", "seen_on": day(0), "text": SECRET})
    at = timezone.now()
    result = return_outcomes(home=home, municipality=hinata, by="tests", at=at)
    assert result["is_new"] and result["rows"] == {
        "decisions": 1,
        "disagreements": 0,
        "contacts": 1,
        "outcomes": 1,
        "closures": 0,
    }
    folder = Store(home.store).current("outcomes")
    assert folder is not None
    decided = folder.read("decisions").to_pylist()[0]
    assert (decided["child_key"], decided["decision"], decided["concern"]) == ("pc01", "SUPPORT", "SOME")
    assert decided["known_from"] == timezone.localdate()
    outcome = folder.read("outcomes").to_pylist()[0]
    assert (outcome["service"], outcome["outcome"], outcome["goal"]) == ("SCHOOL", "DECLINED", 1)
    stored = b"".join(path.read_bytes() for path in folder.path.iterdir())
    for word in (SECRET, "hana", "青木", number, PLAN["policy"], PLAN["text_1"]):
        assert word.encode() not in stored, word
    again = return_outcomes(home=home, municipality=hinata, by="tests", at=at + dt.timedelta(hours=1))
    assert not again["is_new"] and again["outcomes"] == result["outcomes"]
    assert len(Store(home.store).names("outcomes")) == 1
