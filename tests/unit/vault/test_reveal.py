from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kodomo.configuration import Home, read_municipality
from kodomo.errors import IntegrityFault, NotPermitted, NotReady
from kodomo.governance.register import read_register
from kodomo.terms import Purpose

_ROOT = Path(__file__).resolve().parents[3]
AT = dt.datetime(2026, 4, 2, 1, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 4, 2)
REGISTER = read_register(_ROOT / "municipalities/hinata")
_FOLDER = tempfile.TemporaryDirectory(prefix="kodomo-vault-")  # goes when the process ends


def _bring_up_django() -> None:
    from kodomo.web.start import start_django

    before = dict(os.environ)
    start_django(Home(Path(_FOLDER.name)), read_municipality(_ROOT / "municipalities/hinata"))
    os.environ.clear()
    os.environ.update(before)


_bring_up_django()

from django.db import connections  # noqa: E402

from kodomo.vault.database import open_vault  # noqa: E402
from kodomo.vault.keys import Keyring  # noqa: E402
from kodomo.vault.models import Person  # noqa: E402
from kodomo.vault.reveal import Identity, reveal, verify_vault  # noqa: E402

CONTENT: dict[str, Any] = {
    "name": "日向 かなり", "name_kana": "ヒナタ カナリ", "former_names": [], "born_on": "2016-02-29", "sex": "F",
    "address": "ひなた市秘密町1-2-3", "is_address_protected": False, "guardians": ["日向 まもり", ""],
}  # fmt: skip


@pytest.fixture
def keyring(home: Home, django_db_blocker: Any) -> Iterator[Keyring]:
    django_db_blocker.unblock()
    yield open_vault(home)
    connections["vault"].close()


def put(keyring: Keyring, number: int = 7, *, flagged: bool = False, current: bool = True, **changed: Any) -> str:
    content = json.dumps({**CONTENT, **changed}, ensure_ascii=False).encode()
    key = keyring.pseudonym("p", number)
    Person.objects.using("vault").create(
        person_number=number,
        person_key=key,
        sealed_identity=keyring.seal(content, f"person:{number}"),
        is_address_protected=flagged,
        is_current=current,
    )
    return key


def ask(home: Home, keyring: Keyring | None, key: str, **changed: Any) -> Any:
    words: dict[str, Any] = {
        "by": "hana",
        "role": "PRACTITIONER",
        "purpose": "支援のための連絡",
        "case_number": "2026-0001231",
        "register": REGISTER,
        "on": DAY,
    }
    return reveal(key, home=home, keyring=keyring, at=AT, **{**words, **changed})


def lapsed(*items: str) -> Any:
    """The register, with 氏名等の開示 no longer allowed for some items."""
    bases = [replace(b, items=b.items - set(items)) if Purpose.REVEAL in b.purposes else b for b in REGISTER.bases]
    return replace(REGISTER, bases=tuple(bases))


def trail() -> list[tuple[Any, ...]]:
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT actor, action, subject, purpose, detail FROM audit_events ORDER BY sequence")
        return list(cursor.fetchall())


def test_a_reading_is_hiragana_however_wide_the_register_wrote_it() -> None:
    for kana in ("シバタ スズ", "シバタ スズ", "ｼﾊﾞﾀ ｽｽﾞ"):
        assert Identity("", kana, None, None, False, ()).furigana == "しばた すず"


def test_a_name_is_opened_with_its_audit_row(home: Home, keyring: Keyring) -> None:
    key = put(keyring)
    identity = ask(home, keyring, key)
    assert (identity.name, identity.furigana, identity.born_on) == (
        "日向 かなり",
        "ひなた かなり",
        dt.date(2016, 2, 29),
    )
    assert identity.address == "ひなた市秘密町1-2-3"
    assert identity.guardians == ("日向 まもり",)
    assert trail()[-1] == ("hana", "REVEAL_NAME", key, "支援のための連絡",
                           '{"case": "2026-0001231", "parts": "name,kana,born_on,address,guardians"}')  # fmt: skip
    assert verify_vault(home).first_bad is None


@pytest.mark.parametrize(
    ("items", "gone"),
    [
        (["address"], {"address"}),
        (["birth_date"], {"born_on"}),
        (["name_kana"], {"kana"}),
        (["relationship"], {"guardians"}),
        (["name"], {"name", "guardians"}),
    ],
    ids=["address", "birth date", "reading", "relationship", "name"],
)
def test_a_part_without_a_basis_on_the_day_is_not_opened(
    home: Home, keyring: Keyring, items: list[str], gone: set[str]
) -> None:
    identity = ask(home, keyring, put(keyring), register=lapsed(*items))
    shown = {"name": identity.name, "kana": identity.kana, "born_on": identity.born_on,
             "address": identity.address, "guardians": identity.guardians}  # fmt: skip
    assert {part for part, value in shown.items() if not value} == gone == set(identity.withheld)
    assert not gone & set(json.loads(trail()[-1][4])["parts"].split(","))


def test_nothing_is_opened_when_no_part_has_a_basis(home: Home, keyring: Keyring) -> None:
    key = put(keyring)
    with pytest.raises(NotPermitted, match="氏名等の開示"):
        ask(home, keyring, key, register=lapsed("name", "name_kana", "birth_date", "address", "relationship"))
    with pytest.raises(NotPermitted, match="切れています"):
        ask(home, keyring, key, on=dt.date(2099, 1, 1))
    assert not [row for row in trail() if row[1] == "REVEAL_NAME"]


def test_the_keys_are_opened_when_the_caller_has_none(home: Home, keyring: Keyring) -> None:
    assert ask(home, None, put(keyring)).name == "日向 かなり"


@pytest.mark.parametrize(
    ("flagged", "written"), [(True, False), (False, True), (True, True), (False, None)],
    ids=["row", "card", "both", "card without the flag"],
)  # fmt: skip
def test_a_protected_address_is_withheld_by_either_flag(
    home: Home, keyring: Keyring, flagged: bool, written: bool | None
) -> None:
    changed: dict[str, Any] = {"is_address_protected": written}
    identity = ask(home, keyring, put(keyring, flagged=flagged, **({} if written is None else changed)))
    if written is None:
        identity = ask(home, keyring, _without_flag(keyring))
    assert identity.is_address_protected
    assert identity.address is None
    assert "秘密町" not in repr(identity) + str(vars(identity))


def _without_flag(keyring: Keyring) -> str:
    content = {name: value for name, value in CONTENT.items() if name != "is_address_protected"}
    key = keyring.pseudonym("p", 99)
    sealed = keyring.seal(json.dumps(content, ensure_ascii=False).encode(), "person:99")
    Person.objects.using("vault").create(person_number=99, person_key=key, sealed_identity=sealed)
    return key


@pytest.mark.parametrize("missing", ["purpose", "case_number", "by"])
def test_nothing_is_opened_without_purpose_case_and_person(home: Home, keyring: Keyring, missing: str) -> None:
    with pytest.raises(NotPermitted):
        ask(home, keyring, put(keyring), **{missing: "  "})
    assert not [row for row in trail() if row[1] == "REVEAL_NAME"]


def test_nothing_is_opened_when_the_audit_row_cannot_be_written(home: Home, keyring: Keyring) -> None:
    key = put(keyring)
    with connections["vault"].cursor() as cursor:
        cursor.execute("DROP TABLE audit_events")
    with pytest.raises(Exception, match="audit_events"):
        ask(home, keyring, key)


def test_a_person_the_vault_no_longer_holds_as_current_is_not_opened(home: Home, keyring: Keyring) -> None:
    with pytest.raises(NotReady):
        ask(home, keyring, put(keyring, current=False))
    with pytest.raises(NotReady):
        ask(home, keyring, "pnobody")


def test_a_card_moved_to_another_person_does_not_open(home: Home, keyring: Keyring) -> None:
    key, other = put(keyring, 7), put(keyring, 8, name="べつの 人")
    sealed = Person.objects.using("vault").get(person_key=other).sealed_identity
    Person.objects.using("vault").filter(person_key=key).update(sealed_identity=sealed)
    with pytest.raises(IntegrityFault):
        ask(home, keyring, key)


def test_an_identity_hides_itself_from_logs(home: Home, keyring: Keyring) -> None:
    text = repr(ask(home, keyring, put(keyring)))
    for secret in ("日向", "ヒナタ", "2016", "秘密町"):
        assert secret not in text


def test_a_birth_date_known_only_in_part_is_not_guessed(home: Home, keyring: Keyring) -> None:
    assert ask(home, keyring, put(keyring, born_on="2016-02")).born_on is None
