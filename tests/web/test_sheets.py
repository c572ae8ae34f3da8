"""アセスメントシート and 下書き: what people look into, and what they have typed and not sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standing_people import HANA, MAKOTO

from kodomo.assessment.models import AssessmentSheet, Draft, FirstView
from kodomo.assessment.sheets import current_sheets
from kodomo.configuration import Municipality
from kodomo.errors import ConfigurationFault

WORDS = "弟の迎えと夕食を毎日している。"


def page(number: str, kind: str = "YOUNG_CARER") -> str:
    return f"/cases/{number}/sheet/{kind}/"


@pytest.fixture
def fill(token_of: Any) -> Any:
    def send(browser: Any, number: str, kind: str = "YOUNG_CARER", **changed: str) -> Any:
        hidden = token_of(browser.get(page(number, kind)))
        codes = ("feeling", "who", "hours", "effect", "service", "wish", "strength")
        degrees = {f"degree_{code}": "UNKNOWN" for code in codes}
        return browser.post(page(number, kind), {**hidden, **degrees, **changed})

    return send


def test_it_keeps_degrees_and_words_in_versions(as_person: Any, case_of: Any, fill: Any, audit_rows: Any) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    assert fill(hana, number, degree_who="STRONG", text_who=WORDS).status_code == 302
    assert WORDS in hana.get(page(number)).content.decode()
    assert fill(hana, number, degree_who="SOME", text_who=WORDS).status_code == 302
    sheets = AssessmentSheet.objects.all()
    assert [(s.revision, s.answers["who"]["degree"]) for s in sheets] == [(1, "STRONG"), (2, "SOME")]
    row = audit_rows()[-1]
    assert (row["action"], row["subject"]) == ("WRITE_SHEET", "pc01") and WORDS not in row["detail"]


def test_it_shows_a_sheet_to_a_colleague_only_after_their_own_view(
    as_person: Any, case_of: Any, fill: Any, first_view: Any
) -> None:
    number, makoto = case_of("pc01").case_number, as_person(MAKOTO)
    fill(as_person(HANA), number, degree_who="STRONG", text_who=WORDS)
    for address in (f"/cases/{number}/", f"/cases/{number}/print/", page(number)):
        assert WORDS not in makoto.get(address).content.decode(), address
    first_view(makoto, number)
    body = makoto.get(f"/cases/{number}/").content.decode()
    assert WORDS in body and "強くある" in body and "わからない・確かめていない" not in body
    assert WORDS in makoto.get(f"/cases/{number}/print/").content.decode()


@pytest.mark.parametrize("changed", [{}, {"degree_who": "VERY"}, {"degree_who": ""}])
def test_it_takes_no_sheet_that_says_nothing(changed: dict[str, str], as_person: Any, case_of: Any, fill: Any) -> None:
    answer = fill(as_person(HANA), case_of("pc01").case_number, text_who=WORDS, **changed)
    assert answer.status_code == 400 and WORDS in answer.content.decode()
    assert not AssessmentSheet.objects.exists()


def test_it_has_no_sheet_of_a_type_the_city_does_not_keep(as_person: Any, case_of: Any, hinata: Any) -> None:
    from django.conf import settings

    hana, number = as_person(HANA), case_of("pc01").case_number
    assert hana.get(page(number, "NONSENSE")).status_code == 404
    settings.MUNICIPALITY = replace(hinata, types=hinata.types[:1])
    assert hana.get(page(number)).status_code == 404


def test_the_shipped_sheets_cover_every_type(hinata: Municipality) -> None:
    sheets = current_sheets(hinata)
    assert list(sheets) == [kind.value for kind in hinata.types]
    assert all(len(sheet.items) >= 5 and "strength" in sheet.captions() for sheet in sheets.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[sheets]]\ntype = "空腹"\nitems = [{code = "a", caption = "あ"}]', "類型「空腹」はありません"),
        ('[[sheets]]\ntype = "貧困"\nitems = []', "code と caption"),
        ('[[sheets]]\ntype = "貧困"\nitems = [{code = "a b", caption = "あ"}]', "code と caption"),
        ('[[sheets]]\ntype = "貧困"\nitems = [{code="a", caption="あ"}, {code="a", caption="い"}]', "同じ code"),
        ('[[sheets]]\ntype = "貧困"\nitems = [{code="a", caption="あ"}]\n' * 2, "二つあります"),
    ],
)
def test_a_faulty_file_is_named_and_nothing_is_guessed(
    text: str, said: str, hinata: Municipality, tmp_path: Path
) -> None:
    (tmp_path / "sheets.toml").write_text(text)
    with pytest.raises(ConfigurationFault, match=said):
        current_sheets(replace(hinata, folder=tmp_path))


def test_a_city_without_the_file_has_no_sheets(hinata: Municipality, tmp_path: Path) -> None:
    assert current_sheets(replace(hinata, folder=tmp_path)) == {}


# 下書き ------------------------------------------------------------------------------------------------


def test_it_keeps_a_draft_for_its_writer_until_it_is_sent(
    as_person: Any, case_of: Any, token_of: Any, audit_rows: Any
) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    form = {**token_of(hana.get(f"/cases/{number}/")), "concern": "SOME", "text": "書きかけの所見"}
    assert hana.post(f"/cases/{number}/first-view/", {**form, "draft": "1"}).status_code == 302
    assert not FirstView.objects.exists()
    body = hana.get(f"/cases/{number}/").content.decode()
    assert "書きかけの所見" in body and "下書きの続きです" in body
    assert "書きかけの所見" not in as_person(MAKOTO).get(f"/cases/{number}/").content.decode()
    row = next(row for row in audit_rows() if row["action"] == "KEEP_DRAFT")
    assert row["subject"] == "pc01" and "書きかけ" not in row["detail"]
    assert set(Draft.objects.get().content) == {"concern", "text"}
    sent = {**token_of(hana.get(f"/cases/{number}/")), "concern": "SOME", "text": "書き終えた所見です。"}
    hana.post(f"/cases/{number}/first-view/", sent)
    assert FirstView.objects.count() == 1 and not Draft.objects.exists()


@pytest.mark.parametrize("tail", ["decide/", "sheet/YOUNG_CARER/"])
def test_it_keeps_unfinished_words_on_the_other_pages_too(
    tail: str, as_person: Any, case_of: Any, first_view: Any, token_of: Any
) -> None:
    hana, number = as_person(HANA), case_of("pc01").case_number
    first_view(hana, number)
    field = {"decide/": "reason_text", "sheet/YOUNG_CARER/": "text_who"}[tail]
    form = {**token_of(hana.get(f"/cases/{number}/{tail}")), field: "あ", "draft": "1"}
    assert hana.post(f"/cases/{number}/{tail}", form)["Location"] == f"/cases/{number}/{tail}"
    assert "下書きの続きです" in hana.get(f"/cases/{number}/{tail}").content.decode()
    assert not AssessmentSheet.objects.exists() and Draft.objects.get().content[field] == "あ"
