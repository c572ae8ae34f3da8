"""受け渡しデータ: each office sees its own, a file handed in goes through the hardened receive, and the report is a page."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from handmade import write_extract
from spoken import english_in
from standing_people import AT, HANA, OTHERS, RIN

from kodomo.configuration import Home, Municipality
from kodomo.intake.layout import read_layouts
from kodomo.intake.read import read_extract
from kodomo.intake.receive import receive
from kodomo.jobs import runner
from kodomo.jobs.book import JobBook
from kodomo.operations.uploads import LARGEST

COORDINATOR = next(p for p in OTHERS if p.role == "COORDINATOR")
HOLDER = next(p for p in OTHERS if p.role == "HOLDER")  # of the office that holds child_consultation
OFFICER = next(p for p in OTHERS if p.role == "PRIVACY_OFFICER")
SECRET = "山田はなこ"
CONSULTATION = {
    "受付番号": "C1", "受付日": "令和8年3月2日", "宛名番号": "100001", "児童氏名": SECRET, "児童カナ": "ヤマダハナコ",
    "生年月日": "平成28年4月5日", "相談種別": "02",
}  # fmt: skip
ASSISTANCE = {
    "宛名番号": "100009",
    "世帯員氏名": SECRET,
    "生年月日": "昭和60年1月2日",
    "保護開始日": "令和6年4月1日",
    "決定日": "令和6年4月2日",
}


def write(
    municipality: Municipality, source: str, rows: list[dict[str, object]], folder: Path, day: str = "20260401"
) -> Path:
    return write_extract(read_layouts(municipality.folder)[source], rows, folder, day)


@pytest.fixture
def consultations(hinata: Municipality, tmp_path: Path) -> Path:
    """One good row and one with a day that does not exist."""
    rows = [CONSULTATION, {**CONSULTATION, "受付番号": "C2", "受付日": "令和8年2月30日"}]
    return write(hinata, "child_consultation", rows, tmp_path / "box")


@pytest.fixture
def delivered(
    home: Home, hinata: Municipality, consultations: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Home:
    """Two offices delivered, and one file was refused."""
    monkeypatch.setattr("kodomo.intake.receive.readers", lambda: nullcontext(read_extract))
    aid = write(hinata, "public_assistance", [ASSISTANCE], tmp_path / "box")
    unknown = tmp_path / "box" / "なぞ.csv"
    unknown.write_text("a,b\n1,2\n", encoding="cp932")
    receive([consultations, aid, unknown], home=home, municipality=hinata, by="tester", at=AT)
    return home


def vault_actions() -> list[tuple[str, str]]:
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT actor, action FROM audit_events ORDER BY sequence")
        return [(str(a), str(b)) for a, b in cursor.fetchall()]


def test_it_lists_sources_with_freshness_and_says_what_never_came(as_person: Any, delivered: Home) -> None:
    body = as_person(COORDINATOR).get("/deliveries/").content.decode()
    assert body.count("届いていない") >= 20 and "期限を過ぎた" in body
    assert "受け取れなかったファイル" in body and "なぞ.csv" in body
    assert english_in(body) == set() and SECRET not in body
    assert ("coordinator", "desk.receipts") in vault_actions()


def test_it_shows_a_holders_office_its_own_sources_only(as_person: Any, delivered: Home) -> None:
    browser = as_person(HOLDER)
    body = browser.get("/deliveries/").content.decode()
    assert "child_consultation" not in english_in(body)
    found = set(re.findall(r'href="/deliveries/(\d+)/"', body))
    assert found == {"1"}
    assert "生活保護" not in body and "なぞ.csv" not in body
    assert browser.get("/deliveries/1/").status_code == 200
    assert browser.get("/deliveries/2/").status_code == 404
    assert browser.get("/deliveries/refused/1/").status_code == 404
    assert as_person(COORDINATOR).get("/deliveries/2/").status_code == 200


def test_the_report_names_row_column_code_and_what_to_do_but_no_value(as_person: Any, delivered: Home) -> None:
    body = as_person(OFFICER).get("/deliveries/1/").content.decode()
    assert "R-04" in body and "実在する日付" in body and "受付日" in body
    assert re.search(r"[0-9a-f]{64}", body)
    assert SECRET not in body and "令和8年2月30日" not in body
    assert "比べられる前回の受領がありません" in body and english_in(body) == set()
    assert ("privacy-officer", "desk.report") in vault_actions()


def test_a_refused_file_says_why_and_what_next(as_person: Any, delivered: Home) -> None:
    body = as_person(COORDINATOR).get("/deliveries/refused/1/").content.decode()
    assert "何も取り込んでいません" in body and "次にすること" in body and english_in(body) == set()


def test_nobody_else_sees_deliveries(as_person: Any) -> None:
    for person in (HANA, RIN):
        assert as_person(person).get("/deliveries/").status_code == 403
    assert as_person(OFFICER).get("/deliveries/upload/").status_code == 403


def test_the_ledger_of_media_shows_an_office_its_own(as_person: Any, home: Home) -> None:
    from kodomo.intake.media import end_medium, take_medium

    take_medium(home, label="USB-01", office="こどもサポートセンター", brought_by="主事", by="tester", at=AT)
    take_medium(home, label="USB-02", office="福祉課", brought_by="主任", by="tester", at=AT)
    end_medium(home, label="USB-02", how="wipe", by="tester", at=AT)
    everything = as_person(COORDINATOR).get("/deliveries/media/").content.decode()
    assert "USB-01" in everything and "USB-02" in everything and "消去" in everything
    own = as_person(HOLDER).get("/deliveries/media/").content.decode()
    assert "USB-01" in own and "USB-02" not in own
    assert "USB-01" in as_person(HOLDER).get("/deliveries/upload/").content.decode()


# Handing in ---------------------------------------------------------------------------------------


@pytest.fixture
def unstarted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    started: list[int] = []
    monkeypatch.setattr(runner, "start", lambda book, number, globals_: started.append(number))
    return started


def test_a_holders_file_is_received_for_its_own_sources_only(as_person: Any, home: Home, unstarted: list[int]) -> None:
    given = SimpleUploadedFile("児童相談_20260401.csv", b"x,y\n1,2\n")
    answer = as_person(HOLDER).post("/deliveries/upload/", {"file": given, "password": "ひみつ", "carrier": ""})
    assert answer.status_code == 302
    job = JobBook(home.runs).job(1)
    words = job.steps[0].words
    sources = [words[n + 1] for n, word in enumerate(words) if word == "--source"]
    assert sources == ["child_consultation", "council_registration"]
    path = Path(words[1])
    assert path.name == "児童相談_20260401.csv" and path.read_bytes() == b"x,y\n1,2\n"
    assert path.is_relative_to(home.handover / "uploads") and path.stat().st_mode & 0o077 == 0
    secret = Path(words[words.index("--password-file") + 1])
    assert secret.read_text() == "ひみつ" and secret.stat().st_mode & 0o077 == 0
    assert "ひみつ" not in str(words) and job.office == "family_centre"
    runner.cancel(JobBook(home.runs), 1)
    assert list((home.handover / "uploads").iterdir()) == []


def test_a_file_whose_job_could_not_be_written_down_does_not_stay(
    as_person: Any, home: Home, unstarted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kodomo.jobs.book.MOST_WAITING", 0)
    given = SimpleUploadedFile("児童相談_20260401.csv", b"x,y\n1,2\n")
    answer = as_person(HOLDER).post("/deliveries/upload/", {"file": given, "password": "ひみつ", "carrier": ""})
    assert answer.status_code == 503 and "順番を待つ処理が多すぎる" in answer.content.decode()
    assert unstarted == [] and list((home.handover / "uploads").iterdir()) == []


def test_a_file_does_not_stay_where_the_trail_cannot_be_written(
    as_person: Any, home: Home, unstarted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.assessment import trail
    from kodomo.errors import IntegrityFault

    def refuse(*given: object) -> int:
        raise IntegrityFault("証跡を書けません。")

    browser = as_person(HOLDER)
    monkeypatch.setattr(trail, "record_first", refuse)
    given = {"file": SimpleUploadedFile("児童相談_20260401.csv", b"x,y\n1,2\n"), "password": "ひみつ", "carrier": ""}
    assert browser.post("/deliveries/upload/", given).status_code == 500
    assert unstarted == [] and list((home.handover / "uploads").iterdir()) == []
    assert JobBook(home.runs).job(1).state == "NOTED"


@pytest.mark.parametrize("name", ["CON.csv", "a|b.csv", "あ" * 90 + ".csv", ".htaccess", "a?.csv", "児童 .csv."])
def test_a_name_no_file_should_have_is_refused(name: str, as_person: Any, home: Home, unstarted: list[int]) -> None:
    answer = as_person(HOLDER).post("/deliveries/upload/", {"file": SimpleUploadedFile(name, b"x")})
    assert answer.status_code == 400 and "ファイル名" in answer.content.decode() and unstarted == []


def test_a_path_in_a_name_is_no_path(as_person: Any, home: Home, unstarted: list[int]) -> None:
    as_person(HOLDER).post("/deliveries/upload/", {"file": SimpleUploadedFile("../../../児童相談_1.csv", b"x")})
    path = Path(JobBook(home.runs).job(1).steps[0].words[1])
    assert path.parent.parent == home.handover / "uploads" and path.name == "児童相談_1.csv"


def test_too_large_a_file_is_refused_before_it_is_read(
    as_person: Any, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LARGEST, "delivery-upload", 1000)
    monkeypatch.setattr("kodomo.operations.uploads.MARGIN_BYTES", 1000)
    answer = as_person(HOLDER).post("/deliveries/upload/", {"file": SimpleUploadedFile("a.csv", b"x" * 5000)})
    assert answer.status_code == 400 and "大きすぎる" in answer.content.decode()
    assert not (home.handover / "uploads").exists() or not list((home.handover / "uploads").iterdir())


def test_no_other_page_and_no_stranger_may_send_a_file(as_person: Any, client: Any, home: Home) -> None:
    for browser, path in ((as_person(HANA), "/password/"), (client, "/sign-in/"), (client, "/deliveries/upload/")):
        answer = browser.post(path, {"file": SimpleUploadedFile("a.csv", b"x" * 100)})
        assert answer.status_code in (302, 400), path
        assert not list((home.handover / "uploads").glob("*")), path


def test_a_file_nobody_resumes_goes_and_one_that_may_be_resumed_stays(
    as_person: Any, home: Home, unstarted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime as dt
    import tempfile

    from kodomo.operations.uploads import keep_uploads_inside

    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)
    browser, uploads = as_person(HOLDER), home.handover / "uploads"
    browser.post("/deliveries/upload/", {"file": SimpleUploadedFile("児童相談_1.csv", b"x")})
    (uploads / "stray.upload").write_bytes(b"x")
    now = dt.datetime.now(dt.UTC)
    keep_uploads_inside(home, now + dt.timedelta(days=6))
    assert len(list(uploads.iterdir())) == 1 and JobBook(home.runs).job(1).can_resume
    keep_uploads_inside(home, now + dt.timedelta(days=8))
    assert list(uploads.iterdir()) == [] and JobBook(home.runs).job(1).state == "CANCELLED"


@pytest.mark.enable_socket
def test_a_site_that_finds_its_port_taken_leaves_the_other_ones_uploads_alone(
    home: Home, hinata: Municipality, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket
    import tempfile

    from django.conf import settings

    from kodomo.errors import Busy
    from kodomo.web.serve import serve

    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", settings.ALLOWED_HOSTS)
    coming = home.handover / "uploads" / "coming.upload"
    coming.parent.mkdir(parents=True)
    coming.write_bytes(b"x")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Busy):
        serve(home=home, municipality=hinata, host="127.0.0.1", port=taken.getsockname()[1], demo=True)
    assert coming.exists()


def test_a_failed_receipt_can_be_given_up(as_person: Any, home: Home, unstarted: list[int]) -> None:
    browser = as_person(HOLDER)
    browser.post("/deliveries/upload/", {"file": SimpleUploadedFile("児童相談_1.csv", b"x")})
    JobBook(home.runs).end(1, "FAILED", {"what": "ほかの受領が実行中です。", "where": "", "then": ""})
    assert "取りやめる" in browser.get("/jobs/1/").content.decode()
    browser.post("/jobs/1/cancel/")
    assert list((home.handover / "uploads").iterdir()) == []


@pytest.mark.enable_socket
def test_a_handed_in_file_is_received_and_its_report_linked(as_person: Any, home: Home, consultations: Path) -> None:
    browser = as_person(HOLDER)
    given = SimpleUploadedFile(consultations.name, consultations.read_bytes())
    location = browser.post("/deliveries/upload/", {"file": given})["Location"]
    until = time.monotonic() + 60
    while JobBook(home.runs).job(1).is_open and time.monotonic() < until:
        time.sleep(0.1)
    body = browser.get(location).content.decode()
    assert JobBook(home.runs).job(1).state == "DONE", JobBook(home.runs).job(1).fault
    assert "1 行を取り込み、1 行を差し戻しました" in body and "/deliveries/1/" in body
    assert "(holder)" in browser.get("/deliveries/1/").content.decode()
    assert list((home.handover / "uploads").iterdir()) == []
