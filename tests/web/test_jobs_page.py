"""処理の状況: who sees and starts what, and a real export started from the page and run to its end."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from handmade import waiting_job
from spoken import english_in
from standing_people import OTHERS, RIN

from kodomo.assessment import trail
from kodomo.configuration import Home
from kodomo.errors import IntegrityFault
from kodomo.jobs import runner
from kodomo.jobs.book import JobBook, JobStep

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
HOLDER = next(p for p in OTHERS if p.role == "HOLDER")
ADMINISTRATOR = next(p for p in OTHERS if p.role == "SYSTEM_ADMINISTRATOR")


@pytest.fixture
def unstarted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs are written down but no process is started for them."""
    started: list[int] = []
    monkeypatch.setattr(runner, "start", lambda book, number, globals_: started.append(number))
    return started


def put(home: Home, office: str = "family_centre", kind: str = "LINK") -> int:
    steps = [JobStep("名寄せ", ("link",)), JobStep("こどもデータベースへの反映", ("publish",))]
    return waiting_job(JobBook(home.runs), kind, "名寄せと反映", steps, asked_by="coordinator", office=office)


def test_it_offers_each_role_what_it_may_start(as_person: Any) -> None:
    def offered(person: Any) -> list[str]:
        return re.findall(r'name="kind" value="(\w+)"', as_person(person).get("/jobs/").content.decode())

    assert offered(COORDINATOR) == ["LINK", "JUDGE", "MONTHLY", "EVALUATE", "CHALLENGE", "RETURN"]
    assert offered(RIN) == ["EVALUATE", "CHALLENGE", "EXPORT"]
    assert offered(HOLDER) == offered(ADMINISTRATOR) == []


def test_it_starts_nothing_a_role_may_not(as_person: Any, home: Home, unstarted: list[int], audit_rows: Any) -> None:
    for person, kind in (
        (RIN, "LINK"),
        (RIN, "JUDGE"),
        (HOLDER, "LINK"),
        (ADMINISTRATOR, "EVALUATE"),
        (COORDINATOR, "EXPORT"),
    ):
        answer = as_person(person).post("/jobs/start/", {"kind": kind, "as_of": "2026-03-31"})
        assert answer.status_code == 403, (person, kind)
        last = audit_rows()[-1]
        assert (last["actor"], last["action"]) == (person.username, "REFUSED") and "job-start" in last["detail"]
    assert unstarted == [] and JobBook(home.runs).jobs() == []


def test_it_writes_who_started_what_and_runs_the_stages_in_order(
    as_person: Any, home: Home, unstarted: list[int], audit_rows: Any
) -> None:
    answer = as_person(COORDINATOR).post("/jobs/start/", {"kind": "MONTHLY", "as_of": "2026-03-31"})
    assert answer.status_code == 302 and answer["Location"] == "/jobs/1/"
    job = JobBook(home.runs).job(1)
    assert [step.words[0] for step in job.steps] == ["link", "publish", "build", "judge"]
    assert job.steps[3].words == ("judge", "--as-of", "2026-03-31")
    assert (job.asked_by, job.office, unstarted) == ("coordinator", "family_centre", [1])
    row = next(row for row in audit_rows() if row["action"] == "START_JOB")
    assert (row["actor"], "毎月の一連の処理" in row["detail"], "2026-03-31" in row["detail"]) == (
        "coordinator",
        True,
        True,
    )


def start(browser: Any) -> Any:
    return browser.post("/jobs/start/", {"kind": "MONTHLY", "as_of": "2026-03-31"})


def test_nothing_runs_that_the_trail_could_not_tell_of(
    as_person: Any, home: Home, unstarted: list[int], audit_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, book = as_person(COORDINATOR), JobBook(home.runs)

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise IntegrityFault("証跡を書けません。")

    with monkeypatch.context() as broken:
        broken.setattr(trail.audit, "append", fails)
        assert start(browser).status_code == 500
    assert (unstarted, book.job(1).state) == ([], "NOTED")
    assert browser.post("/jobs/1/resume/").status_code == 503 and unstarted == []
    assert runner.run_job(book, 1, []) == {"job": 1, "state": "NOTED"}
    assert "始まる前に止まった" in browser.get("/jobs/").content.decode()
    assert "この処理は動きません" in browser.get("/jobs/1/").content.decode()


def test_a_break_between_the_row_and_the_start_leaves_both_to_be_seen(
    as_person: Any, home: Home, unstarted: list[int], audit_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = as_person(COORDINATOR)
    with monkeypatch.context() as broken:
        broken.setattr(JobBook, "let_run", lambda book, number: 1 / 0)
        assert start(browser).status_code == 500
    row = next(row for row in audit_rows() if row["action"] == "START_JOB")
    assert '"job": 1' in row["detail"]
    assert (unstarted, JobBook(home.runs).job(1).state) == ([], "NOTED")
    assert start(browser)["Location"] == "/jobs/2/" and unstarted == [2]


def test_there_is_no_job_of_a_number_nobody_gave(as_person: Any, home: Home) -> None:
    put(home)
    browser = as_person(COORDINATOR)
    for number in (0, 2):
        pages = [
            browser.get(f"/jobs/{number}/"),
            *(browser.post(f"/jobs/{number}/{end}/") for end in ("cancel", "resume")),
        ]
        assert [page.status_code for page in pages] == [404] * 3


@pytest.mark.parametrize("as_of", ["", "2099-01-01", "きのう", "--help"])
def test_it_needs_a_base_date_that_has_come(as_of: str, as_person: Any, unstarted: list[int]) -> None:
    answer = as_person(COORDINATOR).post("/jobs/start/", {"kind": "JUDGE", "as_of": as_of})
    assert answer.status_code == 400 and "field__fault" in answer.content.decode()
    assert unstarted == []


def test_it_shows_an_interrupted_job_and_lets_it_go_on(
    as_person: Any, home: Home, unstarted: list[int], audit_rows: Any
) -> None:
    number = put(home)
    browser = as_person(COORDINATOR)
    assert "途中で止まった処理" in browser.get("/jobs/").content.decode()
    body = browser.get(f"/jobs/{number}/").content.decode()
    assert "中断" in body and "再開する" in body
    assert browser.post(f"/jobs/{number}/resume/").status_code == 302
    assert unstarted == [number]
    assert [row["action"] for row in audit_rows()][-1] == "RESUME_JOB"


def test_it_gives_up_an_interrupted_job(as_person: Any, home: Home) -> None:
    number = put(home)
    as_person(ADMINISTRATOR).post(f"/jobs/{number}/cancel/")
    assert JobBook(home.runs).job(number).state == "CANCELLED"


def test_it_shows_an_office_its_own_jobs_only(as_person: Any, home: Home) -> None:
    own, others = put(home), put(home, office="welfare")
    browser = as_person(HOLDER)
    body = browser.get("/jobs/").content.decode()
    assert f"/jobs/{own}/" in body and f"/jobs/{others}/" not in body
    assert browser.get(f"/jobs/{own}/").status_code == 200
    for answer in (browser.get(f"/jobs/{others}/"), browser.post(f"/jobs/{others}/cancel/")):
        assert answer.status_code == 404
    assert as_person(RIN).post(f"/jobs/{own}/cancel/").status_code == 404  # sees all, stops those of the own office
    assert JobBook(home.runs).job(own).state == "INTERRUPTED"


def test_it_tells_a_refusal_in_words(as_person: Any, home: Home) -> None:
    number = put(home)
    fault = {"what": "受け取ったデータがありません。", "where": "", "then": "先に受け取ってください。"}
    JobBook(home.runs).end(number, "FAILED", fault)
    body = as_person(COORDINATOR).get(f"/jobs/{number}/").content.decode()
    assert fault["what"] in body and fault["then"] in body and "再開する" in body
    assert english_in(body) == set()


def test_it_has_no_page_for_a_job_that_is_not_there(as_person: Any) -> None:
    assert as_person(COORDINATOR).get("/jobs/77/").status_code == 404


@pytest.mark.enable_socket
def test_it_runs_an_export_to_its_end_and_hands_the_file_out_once_asked(
    as_person: Any, home: Home, audit_rows: Any
) -> None:
    browser = as_person(RIN)
    location = browser.post("/jobs/start/", {"kind": "EXPORT", "as_of": "2026-03-31"})["Location"]
    until = time.monotonic() + 60
    while JobBook(home.runs).job(1).is_open and time.monotonic() < until:
        time.sleep(0.1)
    body = browser.get(location).content.decode()
    assert JobBook(home.runs).job(1).state == "DONE", body
    assert "書き出したファイルを受け取る" in body and english_in(body) == set()
    content = b"".join(browser.get(f"{location}file/").streaming_content).decode()
    assert content.startswith("person_key,type,method,score,level,score_low,") and "pc01,不登校" in content
    assert audit_rows()[-1]["action"] == "TAKE_JOB_FILE"
    assert as_person(COORDINATOR).get(f"{location}file/").status_code == 403
