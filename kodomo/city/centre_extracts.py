"""こどもサポートセンター: the council's case list, kept in a spreadsheet, and consultations (synthetic city)."""

from __future__ import annotations

import datetime as dt

from kodomo.city.eras import kanji, slashes
from kodomo.city.mistakes import Manner
from kodomo.city.notice import Noticed
from kodomo.city.people import LAST_DAY, Person
from kodomo.city.press import STAMP, Press
from kodomo.city.sheets import Cell
from kodomo.terms import DifficultyType as Type

CENTRE = Manner(
    script="hiragana", jis=0.6, homophone=0.02, stale_name=0.12, kana_slip=0.015, kana_missing=0.04, birth_slip=0.004,
    address_style="mixed", old_address=0.15, roman=False, alias=0.4,
)  # fmt: skip
PAPER = Manner(
    script="full", jis=0.6, homophone=0.025, stale_name=0.15, kana_slip=0.02, kana_missing=0.08, birth_slip=0.006,
    address_style="mixed", old_address=0.15, roman=False, alias=0.4, large_kana=0.1,
)  # fmt: skip
WORDS = {
    Type.ABUSE: ("虐待",), Type.BULLYING: ("いじめ",), Type.NON_ATTENDANCE: ("不登校",), Type.YOUNG_CARER: ("ヤングケアラー", "YC"),
    Type.POVERTY: ("貧困", "生活困窮"), Type.POSTNATAL_DEPRESSION: ("産後うつ",), Type.DEVELOPMENTAL_DISORDER: ("発達", "発達障がい"),
}  # fmt: skip


def print_centre(press: Press, noticed: Noticed) -> None:
    """The case list and the consultations."""
    _print_registrations(press, noticed)
    _print_consultations(press, noticed)


def _print_registrations(press: Press, noticed: Noticed) -> None:
    rng = press.rng("council_registration")
    scribe = press.scribe("council_registration", CENTRE)
    rows: list[tuple[Person, list[Cell]]] = []
    for i, case in enumerate(noticed.registrations):
        person = case.person
        family = person.family
        guardian = family.guardian(case.on) if family is not None and case.child >= 0 else None
        name, kana = scribe.names(person, case.on)
        number = person.number_on(case.on) if rng.random() > 0.12 else ""
        born: Cell = dt.date.fromordinal(scribe.born(person)) if rng.random() > 0.3 else kanji(scribe.born(person))
        words = WORDS[case.type]
        rows.append(
            (
                person,
                [
                    f"K{dt.date.fromordinal(case.on).year - 2018:02d}-{i + 1:04d}", number, name, kana, born,
                    scribe.name(guardian, case.on) if guardian is not None else "", case.grade, str(rng.choice(words)),
                    slashes(case.on), slashes(case.off) if case.off <= LAST_DAY else "", "", "",
                ],
            )
        )  # fmt: skip
    press.write(
        "council_registration", f"要対協_進行管理台帳_{STAMP}.xlsx", rows,
        top=("ひなた市要保護児童対策地域協議会", "進行管理台帳", "令和8年4月1日現在 取扱注意"), foot=(f"計 {len(rows)}件",), unreadable=0.004,
    )  # fmt: skip


def _print_consultations(press: Press, noticed: Noticed) -> None:
    rng = press.rng("child_consultation")
    scribe = press.scribe("child_consultation", PAPER)
    rows: list[tuple[Person, list[Cell]]] = []
    for i, item in enumerate(noticed.consultations):
        if item.day > LAST_DAY:
            continue
        child = press.lives.children[item.child]
        told = child.family
        name, kana = scribe.names(child, item.day)
        guardian = scribe.name(told.guardian(item.day), item.day) if told is not None and rng.random() > 0.2 else ""
        entered = item.day + int(rng.gamma(1.3, 6)) + (int(rng.integers(40, 160)) if rng.random() < 0.05 else 0)
        rows.append(
            (
                child,
                [
                    str(20_000_000 + i * 7), kanji(item.day), kanji(min(entered, LAST_DAY)),
                    child.number_on(item.day) if rng.random() > 0.30 else "", name, kana,
                    slashes(scribe.born(child)) if rng.random() > 0.08 else "", scribe.address(child, item.day), guardian,
                    item.kind, "", "",
                ],
            )
        )  # fmt: skip
    press.write(
        "child_consultation", f"児童相談受付_{STAMP}.csv", rows, foot=("以上",), near_duplicates=0.004, unreadable=0.003
    )
