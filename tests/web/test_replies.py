"""受け渡しファイル and 回答票: a password shown once, a slip that comes back once, and nothing else that gets in."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path
from typing import Any

import pytest
import pyzipper
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from slips import _read_here, apart  # noqa: F401
from standing_people import HANA, MAKOTO, OTHERS, REN

from kodomo.assessment.models import Case
from kodomo.intake.slip import read_slip
from kodomo.support.models import Contact, Outcome, Package, PackageFile, ReplySlip

APPROVER, COORDINATOR = (next(p for p in OTHERS if p.role == role) for role in ("APPROVER", "COORDINATOR"))
PLAN = {"policy": "登校の前に、家の負担を軽くする。", "text_1": "放課後に安心できる場所", "service_1": "CLUB",
        "office_1": "lifelong_learning"}  # fmt: skip
ASKED = {"partner": "NPO", "partner_name": "ひだまり", "request": "週に一度、夕方の居場所に誘ってください。",
         "heed": "家のことを急いで聞かない。", "goal": "1"}  # fmt: skip
WROTE = "二回来て、宿題をしていきました。"


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


@pytest.fixture
def send(token_of: Any) -> Any:
    def fill(browser: Any, address: str, given: dict[str, Any]) -> Any:
        return browser.post(address, {**token_of(browser.get(address)), **given})

    return fill


@pytest.fixture
def sealed(as_person: Any, case_of: Any, decided: Any, send: Any, in_vault: Any, tmp_path: Path) -> Any:
    """花, her case, a package of it, and the rows of the slip the partner unpacked with the password shown."""
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number, decision="SUPPORT", reason_code="S1")
    send(hana, f"/cases/{number}/plan/", {**PLAN, "starts_on": day(0), "review_on": day(60)})
    assert send(hana, f"/cases/{number}/package/", {**ASKED, "expires_on": day(30)}).status_code == 302
    package = Package.objects.get()
    return hana, number, package, unpacked(hana, number, package, send, tmp_path)[1]


def unpacked(hana: Any, number: str, package: Package, send: Any, folder: Path) -> tuple[bytes, list[list[str]]]:
    """Make the file, read the password off the page, open the zip with somebody else's program."""
    address = f"/cases/{number}/package/{package.pk}/"
    page = send(hana, f"{address}file/", {})
    password = re.search(r"data-code>([a-z0-9-]+)<", page.content.decode())
    assert password is not None
    archive = hana.get(f"{address}download/").content
    with pyzipper.AESZipFile(io.BytesIO(archive)) as opened:
        opened.setpassword(password[1].encode())
        (name,) = opened.namelist()
        book = opened.read(name)
    path = folder / "book"
    path.write_bytes(book)
    return book, read_slip(path, "回答票")


def filled(rows: list[list[str]], **changed: str) -> list[list[str]]:
    answers = {"行った日": day(-1), "会えたか": "会えた・話を聞いた", "様子の変化": "よくなっている", "会えたときの様子": WROTE,
               "急いで知らせたいことがある": "", "書いた人の役割(名前は書かない)": "スタッフ", **changed}  # fmt: skip
    return [[row[0], answers.get(row[0], row[1] if len(row) > 1 else "")] for row in rows]


def as_csv(rows: list[list[str]], encoding: str = "cp932") -> bytes:
    held = io.StringIO()
    csv.writer(held, lineterminator="\r\n").writerows(rows)
    return held.getvalue().encode(encoding)


def as_xlsx(rows: list[list[str]]) -> bytes:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("回答票")
    for n, row in enumerate(rows):
        for m, cell in enumerate(row):
            sheet.write_string(n, m, cell)
    book.close()
    return held.getvalue()


def upload(browser: Any, token_of: Any, content: bytes, next_on: str | None = None, **more: str) -> Any:
    form = {**token_of(browser.get("/packages/reply/")), **more}
    slip = SimpleUploadedFile("回答票.xlsx", content)
    return browser.post("/packages/reply/", {**form, "slip": slip, "next_on": next_on or day(14)})


def test_it_shows_the_password_once_and_keeps_it_nowhere(
    sealed: Any, token_of: Any, home: Any, audit_rows: Any
) -> None:
    hana, number, package, _ = sealed
    address = f"/cases/{number}/package/{package.pk}/file/"
    form = token_of(hana.get(address))
    first = hana.post(address, form)
    password = re.search(r"data-code>([a-z0-9-]+)<", first.content.decode())[1]  # type: ignore[index]
    assert len(password) == 24
    again = hana.post(address, form)
    assert password not in again.content.decode() and "もう表示しました" in words(again)
    assert password not in hana.get(address).content.decode()
    assert PackageFile.objects.count() == 2
    kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    assert password.encode() not in kept and password not in str(audit_rows())
    assert [bool(file.content) for file in PackageFile.objects.all()] == [False, True]


def test_the_file_says_what_the_partner_needs_and_no_more(sealed: Any, send: Any, tmp_path: Path) -> None:
    from python_calamine import CalamineWorkbook

    hana, number, package, rows = sealed
    book, _ = unpacked(hana, number, package, send, tmp_path)
    text = str(CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name("お願い").to_python())
    for told in (
        package.number,
        "ひだまり",
        "小学生",
        "放課後に安心できる場所",
        "夕方の居場所",
        "急いで聞かない",
        "こどもサポートセンター",
    ):
        assert told in text, told
    whole = text + str(rows)
    for secret in (number, "pc01", "小4", "不登校", "欠席", "青木", "hana", "日向", "登校の前に"):
        assert secret not in whole, secret
    with pyzipper.ZipFile(io.BytesIO(book)) as parts:
        everything = b"".join(parts.read(name) for name in parts.namelist())
    assert (
        "取扱注意".encode() in everything
        and f"出力番号 {PackageFile.objects.last().print_number}".encode() in everything
    )
    for secret in (number, "青木", "hana"):
        assert secret.encode() not in everything, secret


@pytest.mark.usefixtures("apart")
def test_a_reply_lands_as_a_contact_and_an_outcome(sealed: Any, token_of: Any, audit_rows: Any) -> None:
    hana, number, package, rows = sealed
    page = words(upload(hana, token_of, as_xlsx(filled(rows))))
    assert "回答票を取り込みました" in page and WROTE in page and "よくなっている" in page
    contact, outcome = Contact.objects.get(), Outcome.objects.get()
    assert (contact.kind, contact.result, contact.met_on) == ("REPLY", "TALKED", timezone.localdate() - dt.timedelta(1))
    assert (outcome.scale, outcome.goal.number) == ("BETTER", 1)
    assert Case.objects.get(case_number=number).next_on == timezone.localdate() + dt.timedelta(days=14)
    assert [event.step for event in package.events.all()] == ["REPLIED"]
    row = next(row for row in audit_rows() if row["action"] == "RECEIVE_REPLY")
    assert (row["actor"], row["subject"]) == ("hana", "pc01") and "宿題" not in str(audit_rows())
    assert WROTE in words(hana.get(f"/cases/{number}/support/"))


def test_the_same_answers_have_one_effect_in_whatever_file_they_come(
    sealed: Any, token_of: Any, as_person: Any
) -> None:
    hana, _, _, rows = sealed
    assert upload(hana, token_of, as_xlsx(filled(rows))).status_code == 200
    version = Case.objects.get(child_key="pc01").version
    dates = filled(rows)
    dates[2][1] = dates[2][1].replace("-", "/")  # a spreadsheet opened the CSV and rewrote the date
    for content, person in ((as_xlsx(filled(rows)), HANA), (as_csv(dates, "utf-8-sig"), MAKOTO)):
        answer = upload(as_person(person), token_of, content)
        assert answer.status_code == 200 and "前に取り込んだ回答票です" in words(answer)
    assert (Contact.objects.count(), Outcome.objects.count(), ReplySlip.objects.count()) == (1, 1, 1)
    assert Case.objects.get(child_key="pc01").version == version
    later = filled(rows, 会えたときの様子="三回目に来て、弟の話をしました。")
    assert "回答票を取り込みました" in words(upload(hana, token_of, as_csv(later)))
    assert Contact.objects.count() == 2


def test_no_file_is_made_for_a_kind_of_partner_the_city_no_longer_keeps(sealed: Any, send: Any) -> None:
    hana, number, package, _ = sealed
    Package.objects.update(partner="GONE")
    answer = send(hana, f"/cases/{number}/package/{package.pk}/file/", {})
    assert answer.status_code == 400 and "受け渡し先の種類" in words(answer)
    assert PackageFile.objects.count() == 1


def test_another_slip_sent_from_the_same_form_is_taken_in_too(sealed: Any, token_of: Any) -> None:
    """Who goes back in the browser and picks the next file sends the same form once more."""
    hana, _, _, rows = sealed
    form = {**token_of(hana.get("/packages/reply/")), "next_on": day(14)}
    for text, said in (
        (WROTE, "回答票を取り込みました"),
        ("三回目に来ました。", "回答票を取り込みました"),
        (WROTE, "前に取り込んだ"),
    ):
        slip = SimpleUploadedFile("回答票.csv", as_csv(filled(rows, 会えたときの様子=text)))
        answer = hana.post("/packages/reply/", {**form, "slip": slip})
        assert answer.status_code == 200 and said in words(answer)
    assert ReplySlip.objects.count() == Contact.objects.count() == 2


@pytest.mark.usefixtures("apart")
def test_it_opens_a_slip_that_came_back_under_a_password(
    sealed: Any, token_of: Any, home: Any, audit_rows: Any
) -> None:
    hana, _, _, rows = sealed
    held, word = io.BytesIO(), "kaeri-no-kagi-1"
    with pyzipper.AESZipFile(held, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(word.encode())
        archive.writestr("回答票.xlsx", as_xlsx(filled(rows)))
    for given, said in (({}, "パスワードのかかったファイル"), ({"password": "wrong"}, "パスワードが違う")):
        answer = upload(hana, token_of, held.getvalue(), day(9), **given)
        assert answer.status_code == 400 and said in words(answer)
        assert f'value="{day(9)}"' in answer.content.decode()
    assert "回答票を取り込みました" in words(upload(hana, token_of, held.getvalue(), password=word))
    assert Contact.objects.count() == 1
    kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    assert word.encode() not in kept and word not in str(audit_rows())


def test_it_marks_what_is_urgent(sealed: Any, token_of: Any) -> None:
    hana, _, _, rows = sealed
    taken = words(upload(hana, token_of, as_csv(filled(rows, 急いで知らせたいこと="ある(すぐ電話してください)"))))
    assert "すぐに連絡" in taken and ReplySlip.objects.get().is_urgent


def test_it_takes_in_no_slip_that_is_not_the_one_that_went_out(
    sealed: Any, token_of: Any, as_person: Any, audit_rows: Any
) -> None:
    hana, _, _, rows = sealed
    foreign = [["受け渡し番号", "999-9999"] if row[0] == "受け渡し番号" else row for row in filled(rows)]
    altered = [[row[0], "AAAA-AAAA-AAAA"] if row[0] == "確認符号" else row for row in filled(rows)]
    for content, said in (
        (as_csv(foreign), "この部署の受け渡し票の回答票ではありません"),
        (as_csv(altered), "渡したときの回答票と違います"),
        (as_csv([*filled(rows), ["追伸", "母の携帯は…"]]), "答えの欄の外"),
        (as_xlsx(filled(rows, 会えたときの様子="=1+1")), "計算式"),
        (b"%PDF-1.7", "PDF"),
    ):
        answer = upload(hana, token_of, content)
        assert answer.status_code == 400 and said in words(answer), said
    assert "この部署の" in words(upload(as_person(REN), token_of, as_csv(filled(rows))))
    assert not Contact.objects.exists() and not ReplySlip.objects.exists()
    assert [row["action"] for row in audit_rows()].count("REFUSE_REPLY") == 6
    assert "携帯" not in str(audit_rows())


def test_it_takes_in_no_slip_past_its_day_nor_of_a_destroyed_package(sealed: Any, token_of: Any, send: Any) -> None:
    hana, number, package, rows = sealed
    Package.objects.update(expires_on=dt.date(2026, 1, 1))
    assert "使える期限を過ぎた" in words(upload(hana, token_of, as_csv(filled(rows))))
    Package.objects.update(expires_on=timezone.localdate())
    event = {"step": "DESTROYED", "on": day(0), "text": ""}
    assert send(hana, f"/cases/{number}/package/{package.pk}/event/", event).status_code == 302
    assert "廃棄を確かめた" in words(upload(hana, token_of, as_csv(filled(rows))))
    assert not PackageFile.objects.get().content
    assert hana.get(f"/cases/{number}/package/{package.pk}/download/").status_code == 400
    assert not Contact.objects.exists()


def test_an_older_edition_of_the_file_is_no_longer_taken(sealed: Any, send: Any, token_of: Any, tmp_path: Path) -> None:
    hana, number, package, old = sealed
    _, new = unpacked(hana, number, package, send, tmp_path)
    assert "別の版" in words(upload(hana, token_of, as_csv(filled(old))))
    assert upload(hana, token_of, as_csv(filled(new))).status_code == 200


def test_a_reply_to_a_plan_written_anew_is_a_contact_alone(sealed: Any, token_of: Any, send: Any) -> None:
    hana, number, _, rows = sealed
    send(hana, f"/cases/{number}/plan/", {**PLAN, "starts_on": day(0), "review_on": day(30)})
    assert "支援計画が書き直されて" in words(upload(hana, token_of, as_csv(filled(rows))))
    assert Contact.objects.count() == 1 and not Outcome.objects.exists()


def test_it_wants_a_next_date(sealed: Any, token_of: Any) -> None:
    hana, _, _, rows = sealed
    for next_on in (day(0), "いつか"):
        assert upload(hana, token_of, as_csv(filled(rows)), next_on).status_code == 400
    assert not Contact.objects.exists()


def test_it_seals_nothing_of_a_protected_family_unasked(sealed: Any, as_person: Any, send: Any) -> None:
    hana, number, package, _ = sealed
    Case.objects.filter(case_number=number).update(is_address_protected=True)
    address = f"/cases/{number}/package/{package.pk}/"
    assert send(hana, f"{address}file/", {}).status_code == 403
    assert hana.get(f"{address}download/").status_code == 403
    assert PackageFile.objects.count() == 1
    given = {"verdict": "APPROVED", "reason": "代表だけが読むことを確かめた。"}
    assert send(as_person(APPROVER), f"{address}approve/", given).status_code == 302
    older = hana.get(f"{address}download/")
    assert older.status_code == 400 and "つくり直す" in words(older)
    page = send(hana, f"{address}file/", {})
    assert "data-code" in page.content.decode() and hana.get(f"{address}download/").status_code == 200


def test_the_file_of_a_protected_family_locates_nobody(sealed: Any, as_person: Any, send: Any, tmp_path: Path) -> None:
    from python_calamine import CalamineWorkbook

    hana, number, package, _ = sealed
    Case.objects.filter(case_number=number).update(is_address_protected=True)
    given = {"verdict": "APPROVED", "reason": "代表だけが読むことを確かめた。"}
    send(as_person(APPROVER), f"/cases/{number}/package/{package.pk}/approve/", given)
    book, rows = unpacked(hana, number, package, send, tmp_path)
    text = str(CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name("お願い").to_python()) + str(rows)
    assert "NPO・地域の団体" in text
    for secret in ("ひだまり", "東小", "小4", "放課後に安心できる場所", "地区"):
        assert secret not in text, secret


def test_the_register_says_what_is_out_late_and_gone(sealed: Any, as_person: Any, send: Any, audit_rows: Any) -> None:
    hana, number, package, _ = sealed
    event = f"/cases/{number}/package/{package.pk}/event/"
    assert "渡したことを記録する" in words(hana.get("/packages/"))
    assert send(hana, event, {"step": "HANDED", "on": day(0), "text": ""}).status_code == 302
    page = words(hana.get("/packages/"))
    assert package.number in page and "渡した" in page and "未返送(0)" in page
    Package.objects.update(reply_by=dt.date(2026, 1, 1))
    assert "催促する" in words(hana.get("/packages/?view=late"))
    assert "未返送" in words(hana.get(f"/cases/{number}/support/"))
    assert send(hana, event, {"step": "REMINDED", "on": day(0), "text": ""}).status_code == 302
    Package.objects.update(expires_on=dt.date(2026, 1, 2))
    assert "廃棄を確かめる" in words(hana.get("/packages/?view=undestroyed"))
    send(hana, event, {"step": "DESTROYED", "on": day(0), "text": ""})
    assert package.number not in words(hana.get("/packages/"))
    assert package.number in words(hana.get("/packages/?view=gone"))
    assert audit_rows()[-1]["action"] == "VIEW_PACKAGES"
    for person, sees in ((MAKOTO, True), (APPROVER, True), (COORDINATOR, True), (REN, False)):
        assert (package.number in words(as_person(person).get("/packages/?view=gone"))) is sees, person.username


def test_partners_are_the_municipalitys_data(tmp_path: Path, hinata: Any) -> None:
    from dataclasses import replace

    from kodomo.errors import ConfigurationFault
    from kodomo.support.partners import current_partners

    known = current_partners(hinata)
    assert {"SCHOOL", "NURSERY", "LIBRARY", "SPORTS", "CULTURE", "NPO", "CITY"} == set(known)
    assert [code for code, one in known.items() if one.keeps] == ["CITY"]
    assert all("grade" not in known[code].items and "heed" not in known[code].items for code in ("LIBRARY", "SPORTS"))
    city = replace(hinata, folder=tmp_path)
    assert current_partners(city) == {}
    (tmp_path / "partners.toml").write_text(
        '[[partners]]\ncode="A"\ncaption="学校"\nitems=["name"]\nquestions=["い","い"]\n[[partners]]\ncode="A"\ncaption=""\n'
    )
    with pytest.raises(ConfigurationFault) as fault:
        current_partners(city)
    for said in ("「name」は渡せません", "同じもの", "二つあります", "caption"):
        assert said in fault.value.text()
