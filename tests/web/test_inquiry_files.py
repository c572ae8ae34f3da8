"""調査票のファイル: made under a password shown once; what comes back is shown first, and recorded once confirmed."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import pyzipper
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from slips import _read_here, apart  # noqa: F401
from standing_people import HANA, MAKOTO, REN

from kodomo.assessment.models import Case, Draft, Inquiry, InquiryAnswer
from kodomo.intake.slip import read_slip
from kodomo.support.models import InquiryFile, InquiryReturn

QUESTIONS = "登校の様子(選択: 毎日、週に数日、来ていない)\n休み時間の様子"
WROTE = "図書室で一人で過ごしています。"


def day(offset: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=offset)).isoformat()


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().split("<main", 1)[1]))


@pytest.fixture
def send(token_of: Any) -> Any:
    def fill(browser: Any, address: str, **given: Any) -> Any:
        return browser.post(address, {**token_of(browser.get(address)), **given})

    return fill


@pytest.fixture
def asked(as_person: Any, case_of: Any, decided: Any, send: Any, in_vault: Any) -> Any:
    """花 and the address of an inquiry of her case."""
    in_vault("pc01")
    hana, number = as_person(HANA), case_of("pc01").case_number
    decided(hana, number)
    form = {"asked": "SCHOOL", "questions": QUESTIONS, "due_on": day(5)}
    assert send(hana, f"/cases/{number}/inquiry/", **form).status_code == 302
    return hana, f"/cases/{number}/inquiry/{Inquiry.objects.get().pk}/"


@pytest.fixture
def sealed(asked: Any, send: Any, tmp_path: Path) -> Any:
    """花, the inquiry's address, and the rows of the form the school unpacked with the password shown."""
    hana, address = asked
    return hana, address, unpacked(hana, address, send, tmp_path)[1]


def unpacked(hana: Any, address: str, send: Any, folder: Path) -> tuple[bytes, list[list[str]]]:
    """Make the file, read the password off the page, open the zip with somebody else's program."""
    password = re.search(r"data-code>([a-z0-9-]+)<", send(hana, f"{address}file/").content.decode())
    assert password is not None and len(password[1]) == 24
    with pyzipper.AESZipFile(io.BytesIO(hana.get(f"{address}download/").content)) as opened:
        opened.setpassword(password[1].encode())
        book = opened.read(*opened.namelist())
    (folder / "book").write_bytes(book)
    return book, read_slip(folder / "book", "回答票")


def filled(rows: list[list[str]], **changed: str) -> list[list[str]]:
    answers = {"答えた日": day(-1), "問1 登校の様子": "週に数日", "問2 休み時間の様子": WROTE,
               "急いで知らせたいこと": "ない", "書いた人の役割(名前は書かない)": "担任", **changed}  # fmt: skip
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


def with_macro(book: bytes) -> bytes:
    held = io.BytesIO(book)
    with zipfile.ZipFile(held, "a") as parts:
        parts.writestr("xl/vbaProject.bin", b"macro")
    return held.getvalue()


def bomb() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("回答票.csv", b"0" * (40 << 20))
    return held.getvalue()


def upload(browser: Any, token_of: Any, address: str, content: bytes, **more: str) -> Any:
    """Choose a file and follow to what it says."""
    form = {**token_of(browser.get(f"{address}return/")), "step": "read", **more}
    return browser.post(f"{address}return/", {**form, "slip": SimpleUploadedFile("調査票.xlsx", content)}, follow=True)


def confirmation(page: Any, token_of: Any) -> dict[str, str]:
    (digest,) = re.findall(r'name="digest" value="([0-9a-f]{64})"', page.content.decode())
    return {**token_of(page), "digest": digest, "step": "confirm"}


def test_the_file_says_what_the_printed_sheet_says_and_no_more(asked: Any, send: Any, tmp_path: Path) -> None:
    hana, address = asked
    book, rows = unpacked(hana, address, send, tmp_path)
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheets = [parts.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2)]
        styles = re.findall(r"<xf [^>]*?(?:/>|>.*?</xf>)", parts.read("xl/styles.xml").decode().split("<cellXfs")[1])
        everything = b"".join(parts.read(name) for name in parts.namelist()).decode(errors="replace") + str(rows)
    assert all("<sheetProtection " in sheet for sheet in sheets)
    cells = re.findall(r'<c r="B(\d+)" s="(\d+)"', sheets[1])
    assert [rows[int(n) - 1][0] for n, style in cells if 'locked="0"' in styles[int(style)]] == [
        "答えた日", "問1 登校の様子", "問2 休み時間の様子", "急いで知らせたいこと", "書いた人の役割(名前は書かない)"
    ]  # fmt: skip
    assert re.findall(r"<formula1>(.*?)</formula1>", sheets[1]) == [
        '"毎日,週に数日,来ていない"', '"ない,ある(すぐ電話してください)"'
    ]  # fmt: skip
    inquiry = Inquiry.objects.get()
    for told in (inquiry.number, "学校 御中", "こどもサポートセンター", "登校の様子", str(inquiry.due_on)):
        assert told in everything, told
    for secret in (inquiry.case.case_number, "pc01", "小4", "不登校", "欠席", "青木", "hana", "日向"):
        assert secret not in everything, secret
    assert f"出力番号 {InquiryFile.objects.get().print_number}" in everything


def test_it_shows_the_password_once_and_keeps_it_nowhere(asked: Any, token_of: Any, home: Any, audit_rows: Any) -> None:
    hana, address = asked
    form = token_of(hana.get(f"{address}file/"))
    first = hana.post(f"{address}file/", form)
    (password,) = re.findall(r"data-code>([a-z0-9-]+)<", first.content.decode())
    again = hana.post(f"{address}file/", form)
    assert password not in again.content.decode() and "もう表示しました" in words(again)
    kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    assert password.encode() not in kept and password not in str(audit_rows())
    assert InquiryFile.objects.count() == 1
    assert [r["action"] for r in audit_rows()].count("SEAL_INQUIRY") == 1


@pytest.mark.usefixtures("apart")
def test_a_returned_form_is_shown_and_then_recorded_once(
    sealed: Any, token_of: Any, audit_rows: Any, as_person: Any
) -> None:
    hana, address, rows = sealed
    version = Case.objects.get(child_key="pc01").version
    page = upload(hana, token_of, address, as_xlsx(filled(rows)))
    assert WROTE in words(page) and "まだ記録していません" in words(page) and "週に数日" in words(page)
    assert not InquiryAnswer.objects.exists() and Case.objects.get(child_key="pc01").version == version
    assert WROTE not in words(as_person(MAKOTO).get(f"{address}return/")), "whoever chose the file sees it alone"
    form = confirmation(page, token_of)
    for _ in range(2):  # a double click, or the way back and once more
        answer = hana.post(f"{address}return/", form)
        assert answer.status_code == 302
    given, taken = InquiryAnswer.objects.get(), InquiryReturn.objects.get()
    assert (given.answered_on, given.source) == (timezone.localdate() - dt.timedelta(1), "FILE")
    assert given.text == f"問1 登校の様子: 週に数日\n問2 休み時間の様子: {WROTE}\n書いた人の役割: 担任"
    assert (taken.written_by, taken.edition, len(taken.sha256), taken.answer) == ("hana", 1, 64, given)
    assert Case.objects.get(child_key="pc01").version == version + 1 and not Draft.objects.exists()
    row = next(row for row in audit_rows() if row["action"] == "ANSWER_INQUIRY")
    assert (row["actor"], row["subject"], row["reason"]) == ("hana", "pc01", "FILE") and taken.sha256 in row["detail"]
    assert "図書室" not in str(audit_rows())
    body = words(hana.get(answer["Location"]))
    assert WROTE in body and "調査票(ファイル)" in body and "回答待ち" not in body
    assert hana.get(f"{address}download/").status_code == 404, "what is answered is given out no more"


def test_a_form_left_aside_leaves_nothing(sealed: Any, token_of: Any) -> None:
    hana, address, rows = sealed
    page = upload(hana, token_of, address, as_csv(filled(rows)))
    form = confirmation(page, token_of)
    assert hana.post(f"{address}return/", {**form, "step": "leave"}).status_code == 302
    assert WROTE not in words(hana.get(f"{address}return/")) and not Draft.objects.exists()
    late = hana.post(f"{address}return/", form)
    assert late.status_code == 400 and "まだ記録していません" in words(late)
    assert not InquiryAnswer.objects.exists()


def test_it_records_only_what_was_on_the_page(sealed: Any, token_of: Any) -> None:
    """A second window chose another file meanwhile."""
    hana, address, rows = sealed
    first = confirmation(upload(hana, token_of, address, as_csv(filled(rows))), token_of)
    other = {**token_of(hana.get(f"{address}return/")), "step": "read"}
    slip = SimpleUploadedFile("調査票.csv", as_csv(filled(rows, **{"問2 休み時間の様子": "校庭で遊んでいます。"})))
    hana.post(f"{address}return/", {**other, "slip": slip})
    answer = hana.post(f"{address}return/", first)
    assert answer.status_code == 400 and "校庭で遊んで" in words(answer)
    assert not InquiryAnswer.objects.exists()


def test_two_people_with_the_same_form_make_one_answer(sealed: Any, token_of: Any, as_person: Any) -> None:
    hana, address, rows = sealed
    makoto = as_person(MAKOTO)
    forms = [
        (browser, confirmation(upload(browser, token_of, address, as_csv(filled(rows))), token_of))
        for browser in (hana, makoto)
    ]
    answers = [browser.post(f"{address}return/", form) for browser, form in forms]
    assert [answer.status_code for answer in answers] == [302, 400]
    assert "青木 花 が記録しています" in words(answers[1]) and InquiryAnswer.objects.count() == 1
    other = upload(hana, token_of, address, as_csv(filled(rows, **{"問1 登校の様子": "毎日"})))
    assert other.status_code == 400 and "別の回答があります" in words(other) and "もう一件の回答" in words(other)


def test_a_form_beside_a_typed_answer_is_a_further_one(sealed: Any, token_of: Any, send: Any) -> None:
    hana, address, rows = sealed
    send(hana, address, text="電話で、来ていると聞いた。", answered_on=day(0))
    page = upload(hana, token_of, address, as_csv(filled(rows, **{"問1 登校の様子": ""}), "utf-8-sig"))
    assert (
        "電話で、来ている" in words(page) and "もう一件の回答" in words(page) and "答えのない問いが 1 個" in words(page)
    )
    hana.post(f"{address}return/", confirmation(page, token_of))
    assert [one.source for one in InquiryAnswer.objects.all()] == ["TYPED", "FILE"]


@pytest.mark.parametrize(
    ("make", "said", "code"),
    [
        (lambda rows: as_csv([["照会番号", "調9999990"] if r[0] == "照会番号" else r for r in filled(rows)]), "この部署の調査の調査票ではありません", "foreign"),
        (lambda rows: as_csv([["受け渡し番号", "771-8696"]]), "受け渡しの台帳", "no_form"),
        (lambda rows: as_csv([["版", "0"] if r[0] == "版" else r for r in filled(rows)]), "いまの版の調査票ではありません", "old_edition"),
        (lambda rows: as_csv([*filled(rows), ["問3 家の様子", "母の携帯は…"]]), "増えた行", "unfilled"),
        (lambda rows: as_csv(filled(rows, **{"問1 登校の様子": "", "問2 休み時間の様子": ""})), "どの問いにも", "empty"),
    ],
    ids=["foreign", "slip", "edition", "extra", "empty"],
)  # fmt: skip
def test_it_takes_in_no_form_that_is_not_the_one_that_went_out(
    make: Any, said: str, code: str, sealed: Any, token_of: Any, audit_rows: Any
) -> None:
    hana, address, rows = sealed
    answer = upload(hana, token_of, address, make(rows))
    told = words(answer)
    assert answer.status_code == 400 and said in told and "次にすること" in told, told
    assert not InquiryAnswer.objects.exists() and not Draft.objects.exists()
    refused = [row for row in audit_rows() if row["action"] == "REFUSE_INQUIRY_FORM"]
    assert len(refused) == 1 and f'"code":"{code}' in refused[0]["detail"].replace(" ", "")
    assert "携帯" not in str(audit_rows())


@pytest.mark.parametrize(
    ("make", "said", "code"),
    [
        (lambda rows: with_macro(as_xlsx(filled(rows))), "マクロ", "macro"),
        (lambda rows: bomb(), "大きくなりすぎる", ""),
    ],
    ids=["macro", "bomb"],
)
@pytest.mark.usefixtures("apart")
def test_what_the_reading_process_refuses_is_told_in_its_words(
    make: Any, said: str, code: str, sealed: Any, token_of: Any, audit_rows: Any
) -> None:
    test_it_takes_in_no_form_that_is_not_the_one_that_went_out(make, said, code, sealed, token_of, audit_rows)


def test_it_names_the_inquiry_that_a_form_belongs_to(sealed: Any, send: Any, token_of: Any) -> None:
    hana, address, rows = sealed
    number = Inquiry.objects.get().number
    send(hana, re.sub(r"\d+/$", "", address), asked="SCHOOL", questions="昼食の様子", due_on=day(9))
    other = re.sub(r"\d+/$", f"{Inquiry.objects.last().pk}/", address)
    answer = upload(hana, token_of, other, as_csv(filled(rows)))
    assert answer.status_code == 400 and f"照会番号 {number}" in words(answer) and "個票を開き" in words(answer)


def test_an_older_edition_is_no_longer_taken(sealed: Any, send: Any, token_of: Any, tmp_path: Path) -> None:
    hana, address, old = sealed
    page = upload(hana, token_of, address, as_csv(filled(old)))
    shown = confirmation(page, token_of)
    _, new = unpacked(hana, address, send, tmp_path)
    late = hana.post(f"{address}return/", shown)
    assert late.status_code == 400 and "いまの版" in words(late)
    assert "いまの版" in words(upload(hana, token_of, address, as_csv(filled(old))))
    assert upload(hana, token_of, address, as_csv(filled(new))).status_code == 200
    assert [bool(file.content) for file in InquiryFile.objects.all()] == [False, True]


def test_nothing_leaves_or_comes_in_where_it_must_not(
    sealed: Any, send: Any, token_of: Any, as_person: Any, audit_rows: Any
) -> None:
    hana, address, rows = sealed
    shown = confirmation(upload(hana, token_of, address, as_csv(filled(rows))), token_of)
    assert as_person(REN).get(f"{address}file/").status_code == 403
    assert as_person(REN).post(f"{address}return/", shown).status_code == 403
    elsewhere = address.replace(
        Case.objects.get(child_key="pc01").case_number, Case.objects.get(child_key="pc02").case_number
    )
    assert hana.get(f"{elsewhere}file/").status_code == 404 == hana.get(f"{elsewhere}return/").status_code
    Case.objects.filter(child_key="pc01").update(is_address_protected=True)
    assert hana.get(f"{address}download/").status_code == 400
    refused = send(hana, f"{address}file/")
    assert refused.status_code == 400 and "ファイルでは渡せません" in words(refused)
    Case.objects.filter(child_key="pc01").update(is_address_protected=False, state="CLOSED")
    assert "終結した" in words(send(hana, f"{address}file/"))
    closed = hana.post(f"{address}return/", shown)
    assert closed.status_code == 400 and "終結した" in words(closed)
    assert InquiryFile.objects.count() == 1 and not InquiryAnswer.objects.exists()


def test_more_questions_than_a_form_holds_stay_on_paper(asked: Any, send: Any) -> None:
    hana, address = asked
    Inquiry.objects.update(questions="\n".join(f"様子{n}" for n in range(21)))
    answer = send(hana, f"{address}file/")
    assert answer.status_code == 400 and "紙の調査票" in words(answer) and not InquiryFile.objects.exists()


@pytest.mark.usefixtures("apart")
def test_it_opens_a_form_that_came_back_under_a_password(sealed: Any, token_of: Any, home: Any) -> None:
    hana, address, rows = sealed
    held, word = io.BytesIO(), "kaeri-no-kagi-2"
    with pyzipper.AESZipFile(held, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(word.encode())
        archive.writestr("調査票.xlsx", as_xlsx(filled(rows)))
    assert "パスワードのかかったファイル" in words(upload(hana, token_of, address, held.getvalue()))
    page = upload(hana, token_of, address, held.getvalue(), password=word)
    assert page.status_code == 200 and WROTE in words(page)
    kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    assert word.encode() not in kept
