"""福祉・子育て・介護: care insurance, public assistance, allowances, certificates (synthetic city)."""

from __future__ import annotations

import datetime as dt

import numpy as np

from kodomo.city.benefits import Benefits
from kodomo.city.eras import Notation, age_on, kanji, month_start, seven_digits, short_letters, slashes
from kodomo.city.lives import CareNeed
from kodomo.city.mistakes import Manner, Scribe
from kodomo.city.people import FOR_EVER, LAST_DAY, Family, Person
from kodomo.city.press import STAMP, Press, number_typo
from kodomo.city.sheets import Cell

OFFICE = Manner(
    script="full", jis=0.35, large_kana=0.25, homophone=0.004, stale_name=0.03, kana_slip=0.01, birth_slip=0.001
)
CARE_CODES = ("12", "13", "21", "22", "23", "24", "25")


def print_welfare(press: Press, benefits: Benefits) -> None:
    """The five files of the welfare and childcare offices."""
    _print_care(press)
    _print_assistance(press, benefits)
    _print_child_allowance(press)
    _print_rearing(press, benefits)
    _print_certificates(press)


def _blank_if_open(day: int, write: Notation) -> str:
    return "" if day > LAST_DAY else write(day)


# ── 介護 ──


def _print_care(press: Press) -> None:
    rng = press.rng("long_term_care")
    scribe = press.scribe("long_term_care", OFFICE)
    rows: list[tuple[Person, list[Cell]]] = []
    for family, needs in sorted(press.lives.care_needs.items()):
        for need in needs:
            if _lives_with_child(press, family, need.person):
                rows += [(need.person, row) for row in _care_months(press, scribe, rng, need)]
    press.write(
        "long_term_care", f"介護認定給付実績_{STAMP}.csv", rows,
        top=("介護保険 認定・給付実績一覧", "抽出条件:18歳未満と同一世帯の被保険者 / 頁 1"), foot=("以上",),
        exact_duplicates=0.001, unreadable=0.002,
    )  # fmt: skip


def _lives_with_child(press: Press, family: int, person: Person) -> bool:
    stay = person.last_stay()
    told = press.lives.families[family]
    return stay is not None and any(
        s.household == stay.household for c in told.children for s in c.stays if age_on(c.born, LAST_DAY) < 20
    )


def _care_months(press: Press, scribe: Scribe, rng: np.random.Generator, need: CareNeed) -> list[list[Cell]]:
    person = need.person
    insured = f"00{int(person.person_id[1:]) * 37 % 99999989:08d}"
    level, since = need.level, need.since
    name, kana = scribe.names(person, LAST_DAY)
    rows: list[list[Cell]] = []
    for month in press.window_months():
        start = int(press.lives.starts[month])
        if start + 27 < since or not person.is_resident(start):
            continue
        if start - since > 365 and rng.random() < 0.02 and level < 7:
            level, since = level + 1, start
        days = int(np.clip(rng.normal(need.service, 1.8), 0, 27))
        until = since + 730
        rows.append(
            [
                insured, person.number_on(start), name, kana, seven_digits(scribe.born(person)), CARE_CODES[level - 1],
                kanji(since), kanji(until) if until <= LAST_DAY else "", kanji(since + 12),
                kanji(start)[: kanji(start).index("月") + 1], str(days), "1割",
            ]
        )  # fmt: skip
    return rows


# ── 生活保護 ──


def _print_assistance(press: Press, benefits: Benefits) -> None:
    rng = press.rng("public_assistance")
    scribe = press.scribe("public_assistance", OFFICE)
    rows: list[tuple[Person, list[Cell]]] = []
    case = 4100
    for spell in benefits.assistance:
        case += int(rng.integers(1, 6))
        told = press.lives.families[spell.family]
        for person in [*told.adults(), *told.children]:
            if person.is_resident(max(spell.start, person.born + 1)) and (
                person is told.guardian(spell.start) or person in told.children or not told.is_single(spell.start)
            ):
                start = max(spell.start, person.born)
                if start < min(spell.end, LAST_DAY):
                    rows.append((person, _assisted(scribe, rng, person, case, start, spell.end)))
    elders = [
        p for p in press.city.people if p.family is None and p.is_resident(LAST_DAY) and age_on(p.born, LAST_DAY) > 55
    ]
    for person in elders:
        if rng.random() < 0.018:
            case += int(rng.integers(1, 6))
            stay = person.stays[0]
            start = max(stay.start, LAST_DAY - int(rng.integers(60, 4000)))
            rows.append((person, _assisted(scribe, rng, person, case, start, FOR_EVER)))
    press.write(
        "public_assistance", f"生活保護_受給者_{STAMP}.csv", rows,
        top=("生活保護 受給者名簿", "出力日 令和8年4月1日"), foot=(f"合計 {len(rows)}件",), exact_duplicates=0.002, unreadable=0.003,
    )  # fmt: skip


def _assisted(scribe: Scribe, rng: np.random.Generator, person: Person, case: int, start: int, end: int) -> list[Cell]:
    name, kana = scribe.names(person, min(end, LAST_DAY))
    decided = start + int(rng.integers(8, 25))
    return [
        f"{case:06d}", number_typo(rng, person.number_on(start), 0.002), name, kana, kanji(scribe.born(person)), kanji(start),
        _blank_if_open(end, kanji), kanji(min(decided, LAST_DAY)), str(int(rng.integers(0, 90)) * 1000), "福祉",
    ]  # fmt: skip


# ── 手当 ──


def _print_child_allowance(press: Press) -> None:
    rng = press.rng("child_allowance")
    scribe = press.scribe("child_allowance", OFFICE)
    rows: list[tuple[Person, list[Cell]]] = []
    cutoff = month_start(2019, 6)
    for told in press.lives.families:
        if rng.random() < 0.07:  # paid by an employer: public servants
            continue
        number = str(50_000_000 + told.family_id * 13)
        for child in told.children:
            for start, end in _allowance_spells(press, child, cutoff):
                rows += _allowance_rows(scribe, rng, number, told, child, start, end)
    press.write(
        "child_allowance", f"児童手当_支給対象児童_{STAMP}.csv", rows,
        top=("児童手当 支給対象児童一覧(令和8年4月1日現在)",), foot=(f"合計 {len(rows):,} 件",),
        exact_duplicates=0.001, unreadable=0.001, near_duplicates=0.001,
    )  # fmt: skip


def _allowance_spells(press: Press, child: Person, cutoff: int) -> list[tuple[int, int]]:
    """By residence; until 2024-09 to the end of junior high school, since 2024-10 to that of the eighteenth year."""
    extended = month_start(2024, 10)
    first_year = child.born - 1
    fifteen = month_start(_year_turning(first_year, 15) + 1, 4)
    eighteen = month_start(_year_turning(first_year, 18) + 1, 4)
    spells = []
    for stay_start, stay_end in _residences(child):
        start = max(stay_start, cutoff, child.born)
        end = min(stay_end, fifteen)
        if fifteen >= extended:
            end = min(stay_end, eighteen)
        if start < end:
            spells.append((start, end))
        if fifteen < extended and max(stay_start, extended) < min(stay_end, eighteen):
            spells.append((max(stay_start, extended), min(stay_end, eighteen)))
    return spells


def _year_turning(born: int, age: int) -> int:
    day = dt.date.fromordinal(born)
    return day.year + age - (day.month < 4)


def _residences(person: Person) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for stay in person.stays:
        if spans and spans[-1][1] == stay.start:
            spans[-1] = (spans[-1][0], stay.end)
        else:
            spans.append((stay.start, stay.end))
    return spans


def _allowance_rows(
    scribe: Scribe, rng: np.random.Generator, number: str, told: Family, child: Person, start: int, end: int
) -> list[tuple[Person, list[Cell]]]:
    turns = sorted({start, *(d for d in (told.single_from,) if start < d < end)})
    rows: list[tuple[Person, list[Cell]]] = []
    for i, begin in enumerate(turns):
        stop = turns[i + 1] if i + 1 < len(turns) else end
        guardian = told.guardian(begin)
        if not guardian.numbers():
            continue
        begin_printed = begin + int(rng.integers(2, 28)) if begin == start else begin + int(rng.integers(20, 110))
        if begin_printed > LAST_DAY or begin_printed >= stop:
            continue
        day = min(stop - 1, LAST_DAY)
        rows.append(
            (
                child,
                [
                    number, guardian.number_on(begin), scribe.name(guardian, begin), number_typo(rng, child.number_on(begin), 0.0004),
                    scribe.name(child, day), slashes(scribe.born(child)), "母" if guardian.sex == "F" else "父",
                    slashes(begin_printed), _blank_if_open(stop, slashes), slashes(min(begin_printed + int(rng.integers(3, 20)), LAST_DAY)),
                    "10000", "***",
                ],
            )
        )  # fmt: skip
    return rows


def _print_rearing(press: Press, benefits: Benefits) -> None:
    rng = press.rng("child_rearing_allowance")
    scribe = press.scribe("child_rearing_allowance", OFFICE)
    rows: list[tuple[Person, list[Cell]]] = []
    for spell in benefits.rearing:
        told = press.lives.families[spell.family]
        guardian = told.guardian(spell.start)
        for child in told.children:
            start, end = max(spell.start, child.born), min(spell.end, child.born + 6650)
            if start >= min(end, LAST_DAY) or not child.is_resident(start) or not guardian.numbers():
                continue
            stay = child.last_stay()
            end = min(end, stay.end) if stay else end
            rows.append((child, _rearing_row(scribe, rng, told, guardian, child, spell.kind, start, end)))
    press.write(
        "child_rearing_allowance", f"児童扶養手当_受給資格_{STAMP}.csv", rows,
        top=("児童扶養手当受給資格者名簿", "年度:令和7年度 頁:1/1"), foot=("以上",), exact_duplicates=0.002, unreadable=0.002,
    )  # fmt: skip


def _rearing_row(
    scribe: Scribe,
    rng: np.random.Generator,
    told: Family,
    guardian: Person,
    child: Person,
    kind: str,
    start: int,
    end: int,
) -> list[Cell]:
    day = min(end - 1, LAST_DAY)
    name, kana = scribe.names(guardian, day)
    return [
        str(70_000_000 + told.family_id * 11), guardian.number_on(start), name, kana, number_typo(rng, child.number_on(start), 0.001),
        scribe.name(child, day), short_letters(scribe.born(child)), kind, short_letters(start), _blank_if_open(end, short_letters),
        short_letters(min(start + int(rng.integers(5, 40)), LAST_DAY)), str(int(rng.integers(0, 38)) * 100_000), "離婚",
    ]  # fmt: skip


# ── 手帳 ──


def _print_certificates(press: Press) -> None:
    rng = press.rng("disability")
    scribe = press.scribe(
        "disability", Manner(script="half", jis=0.2, large_kana=0.4, stale_name=0.05, homophone=0.003)
    )
    holders = _certificate_holders(press, rng)
    rows: list[tuple[Person, list[Cell]]] = []
    for i, (person, kind, since) in enumerate(holders):
        name, kana = scribe.names(person, LAST_DAY)
        number = person.number_on(since)
        gone = person.died if person.died and rng.random() < 0.7 else None
        rows.append(
            (
                person,
                [
                    f"{kind}{i * 7 + 1200:07d}", kind, f"{int(rng.integers(1, 7))}級", number_typo(rng, number, 0.001), name, kana,
                    seven_digits(scribe.born(person)), seven_digits(since), seven_digits(gone) if gone else "", "",
                ],
            )
        )  # fmt: skip
    press.write("disability", f"手帳交付台帳_{STAMP}.tsv", rows, exact_duplicates=0.002, unreadable=0.002)


def _certificate_holders(press: Press, rng: np.random.Generator) -> list[tuple[Person, str, int]]:
    lives = press.lives
    holders: list[tuple[Person, str, int]] = []
    for i, child in enumerate(lives.children):
        connected = int(lives.connected[i])
        if lives.needs_development_support[i] and connected < LAST_DAY and rng.random() < 0.16:
            holders.append((child, "2", max(connected, child.born + 700)))
        elif rng.random() < 0.004:
            holders.append((child, "1", min(child.born + int(rng.integers(300, 2500)), LAST_DAY - 5)))
    for i, told in enumerate(lives.families):
        for parent in told.adults():
            mental = float(lives.mental[i].mean()) if parent is told.mother else 0.0
            if rng.random() < 0.012 + 0.10 * max(mental - 0.9, 0):
                holders.append((parent, "3", LAST_DAY - int(rng.integers(100, 3000))))
            elif rng.random() < 0.012:
                holders.append((parent, "1", LAST_DAY - int(rng.integers(100, 6000))))
    for person in press.city.people:
        if person.family is None and person.stays and rng.random() < 0.05 and age_on(person.born, LAST_DAY) > 40:
            holders.append((person, "1" if rng.random() < 0.8 else "3", LAST_DAY - int(rng.integers(100, 7000))))
    return [(p, k, d) for p, k, d in holders if p.numbers() and d > p.born and (p.died is None or d < p.died - 30)]
