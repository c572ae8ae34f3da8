"""健康管理: pregnancy notifications, infant check-ups, vaccinations and EPDS (synthetic city)."""

from __future__ import annotations

import numpy as np

from kodomo.city.eras import kanji, month_start, seven_digits, short_letters, slashes
from kodomo.city.mistakes import Manner
from kodomo.city.people import LAST_DAY, Family, Person
from kodomo.city.press import STAMP, Press, number_typo
from kodomo.city.sheets import Cell
from kodomo.terms import DifficultyType as Type

Row = tuple[Person, list[Cell]]

HEALTH = Manner(
    script="half", jis=0.3, homophone=0.01, stale_name=0.05, large_kana=0.3, kana_slip=0.01, birth_slip=0.002, alias=0.3,
    kana_missing=0.01, no_space=0.05,
)  # fmt: skip

CHECKUPS = (("04", 4.2, 0.3), ("18", 19.0, 0.9), ("36", 38.5, 1.2))
"""Code, age in months, spread."""

DOSES = (
    ("ヒブ1", 2.2), ("ヒブ2", 3.3), ("ヒブ3", 4.4), ("小児用肺炎球菌1", 2.2), ("小児用肺炎球菌2", 3.3), ("小児用肺炎球菌3", 4.4),
    ("B型肝炎1", 2.2), ("B型肝炎2", 3.3), ("B型肝炎3", 7.5), ("BCG", 6.0), ("水痘1", 12.6), ("MR1期", 12.4), ("水痘2", 18.5),
    ("日本脳炎1期1", 37.0), ("日本脳炎1期2", 38.0), ("MR2期", 66.0),
)  # fmt: skip


def print_health(press: Press) -> None:
    """The four files of the 健康管理システム."""
    _print_pregnancies(press)
    _print_checkups(press)
    _print_vaccinations(press)
    _print_epds(press)


def _births(press: Press, since: int) -> list[tuple[int, Person, Family]]:
    lives = press.lives
    pairs = ((i, c, lives.families[int(lives.family_of[i])]) for i, c in enumerate(lives.children))
    return [(i, c, f) for i, c, f in pairs if since <= c.born]


def _mother(child: Person, family: Family) -> Person:
    return child.mother if child.mother is not None and child.mother.stays else family.mother


# ── 妊娠届 ──


def _print_pregnancies(press: Press) -> None:
    rng, lives = press.rng("pregnancy_notification"), press.lives
    scribe = press.scribe("pregnancy_notification", HEALTH)
    rows: list[tuple[int, Row]] = []
    seen: set[tuple[str, int]] = set()
    for i, child, family in _births(press, month_start(2020, 10)):
        mother, month = _mother(child, family), press.month_of(child.born)
        f = int(lives.family_of[i])
        neglect = max(float(lives.excess[Type.ABUSE][i, month]) + 0.9, 0)
        lateness = rng.gamma(1.0, 3.2 * neglect + 2.2 * lives.young_mother[f] + 0.3)
        week = int(np.clip(rng.normal(8.6, 1.6) + lateness, 4, 40))
        notified = child.born - (39 - week) * 7 + int(rng.integers(-10, 10))
        if (mother.person_id, child.born) in seen or mother.stay_on(notified) is None or notified > LAST_DAY:
            continue
        seen.add((mother.person_id, child.born))
        worry = (
            0.55 + 0.9 * max(float(lives.mental[f, max(month - 6, 0)]), 0) + 0.55 * max(float(lives.econ[f, month]), 0)
        )
        concern = min(int(rng.poisson(worry * rng.gamma(2.0, 0.5))), 10)
        name, kana = scribe.names(mother, notified)
        rows.append(
            (
                notified,
                (
                    mother,
                    [
                        "", mother.number_on(notified), name, kana, seven_digits(scribe.born(mother)), kanji(notified),
                        str(week) if rng.random() > 0.01 else "不明", kanji(child.born + int(rng.normal(3, 8))),
                        str(concern) if rng.random() > 0.06 else "", "2" if child.is_twin else "1", "",
                    ],
                ),
            )
        )  # fmt: skip
    rows.sort(key=lambda r: (r[0], r[1][0].person_id))
    press.write(
        "pregnancy_notification", f"妊娠届出_{STAMP}.csv", _numbered(rows, 30_000_000),
        top=("妊娠届出一覧 (令和2年10月以降)",), foot=("以上",), exact_duplicates=0.002, unreadable=0.003,
    )  # fmt: skip


def _numbered(rows: list[tuple[int, Row]], first: int) -> list[Row]:
    return [(person, [str(first + i * 3), *cells[1:]]) for i, (_, (person, cells)) in enumerate(rows)]


# ── 乳幼児健診 ──


def _print_checkups(press: Press) -> None:
    rng = press.rng("infant_checkup")
    scribe = press.scribe("infant_checkup", HEALTH)
    rows: list[tuple[int, Row]] = []
    for i, child, family in _births(press, month_start(2019, 1)):
        for code, months, spread in CHECKUPS:
            day = child.born + int(rng.normal(months, spread) * 30.44)
            if day > LAST_DAY - 5 or day < month_start(2020, 4) or not child.is_resident(day):
                continue
            mother = _mother(child, family)
            result = _checkup(press, rng, i, code, day)
            name, kana = scribe.names(child, day)
            entered = min(day + int(rng.integers(1, 25)), LAST_DAY)
            rows.append(
                (
                    day,
                    (
                        child,
                        [
                            "", number_typo(rng, child.number_on(day), 0.0006), name, kana, seven_digits(scribe.born(child)),
                            child.sex, mother.number_on(day) if mother.numbers() and rng.random() > 0.04 else "",
                            scribe.name(mother, day), code, slashes(day), *result, slashes(entered),
                        ],
                    ),
                )
            )  # fmt: skip
    rows += _outsider_checkups(press, rng)
    rows.sort(key=lambda r: (r[0], r[1][0].person_id))
    press.write(
        "infant_checkup", f"乳幼児健診結果_{STAMP}.csv", _numbered(rows, 40_000_000),
        top=("乳幼児健康診査 結果一覧", "対象期間:令和2年4月1日〜令和8年3月31日"), foot=(f"合計 {len(rows):,}件", "以上"),
        exact_duplicates=0.001, unreadable=0.002,
    )  # fmt: skip


def _checkup(press: Press, rng: np.random.Generator, i: int, code: str, day: int) -> list[Cell]:
    lives, month = press.lives, press.month_of(day)
    f = int(lives.family_of[i])
    abuse = bool(lives.states[Type.ABUSE][i, month])
    neglect = max(float(lives.excess[Type.ABUSE][i, month]) + 1.0, 0)
    missed = 0.022 + 0.035 * neglect + 0.10 * abuse + 0.02 * max(float(lives.isolation[f, month]), 0)
    if rng.random() < missed:
        return ["0", "", "", "", "", ""]
    trait = 0.85 * float(lives.development[i]) + 1.15 * float(rng.standard_normal())
    cut = {"04": (2.9, 3.6), "18": (1.75, 2.75), "36": (1.55, 2.5)}[code]
    finding = "C" if trait > cut[1] else "B" if trait > cut[0] else "A"
    if finding == "A" and rng.random() < 0.035:
        finding = "C" if rng.random() < 0.3 else "B"  # heart, hips, eyes: nothing to do with development
    followup = ""
    if finding == "C":
        reluctant = 0.18 + 0.16 * max(float(lives.isolation[f, month]), 0) + 0.12 * max(float(lives.econ[f, month]), 0)
        open_need = bool(lives.states[Type.DEVELOPMENTAL_DISORDER][i, -1])
        followup = "未" if rng.random() < min(reluctant + 0.25 * open_need, 0.9) else "済"
    teeth = ""
    if code != "04" and rng.random() > 0.03:
        rate = (0.05 if code == "18" else 0.42) * np.exp(0.30 * float(lives.econ[f, month]) + 0.75 * abuse)
        teeth = str(min(int(rng.poisson(rate * rng.gamma(0.6, 1 / 0.6))), 16))
    months = {"04": (63.5, 6.6), "18": (80.5, 10.6), "36": (94.0, 13.8)}[code]
    height, weight = rng.normal(months[0], 2.6), rng.normal(months[1], 1.0)
    return ["1", finding, followup, teeth, f"{height:.1f}", f"{weight:.1f}"]


def _outsider_checkups(press: Press, rng: np.random.Generator) -> list[tuple[int, Row]]:
    """住登外: children staying with relatives, seen once under a number of the health system's own."""
    rows: list[tuple[int, Row]] = []
    scribe = press.scribe("infant_checkup_outsiders", HEALTH)
    for person in press.city.people:
        if not person.outside_number or not LAST_DAY - 4000 < person.born < LAST_DAY - 200:
            continue
        day = person.born + int(rng.integers(125, 180))
        if day < month_start(2020, 4):
            continue
        name, kana = scribe.names(person, day)
        cells: list[Cell] = [
            "", person.outside_number, name, kana, seven_digits(person.born), person.sex, "", "", "04", slashes(day),
            "1", "A", "", "", "63.1", "6.6", slashes(min(day + 9, LAST_DAY)),
        ]  # fmt: skip
        rows.append((day, (person, cells)))
    return rows


# ── 予防接種 ──


def _print_vaccinations(press: Press) -> None:
    rng, lives = press.rng("vaccination"), press.lives
    scribe = press.scribe("vaccination", HEALTH)
    rows: list[tuple[int, Row]] = []
    for i, child, _ in _births(press, month_start(2014, 4)):
        f = int(lives.family_of[i])
        neglect = max(float(lives.excess[Type.ABUSE][i].max()) + 0.8, 0)
        slow = rng.gamma(1.2, 0.35 + 0.55 * neglect + 0.25 * max(float(lives.econ[f, -1]), 0))
        skipped = 0.015 + 0.07 * neglect + (0.6 if rng.random() < 0.006 else 0.0)
        for vaccine, months in DOSES:
            day = child.born + int((months + rng.exponential(0.35 + slow) * (1 + months / 40)) * 30.44)
            if day < month_start(2020, 4) or day > LAST_DAY - 3 or rng.random() < skipped or not child.is_resident(day):
                continue
            entered = min(day + int(rng.gamma(2.0, 9)) + 2, LAST_DAY)
            rows.append(
                (
                    day,
                    (
                        child,
                        [
                            "", child.number_on(day), scribe.kana(child, day), slashes(scribe.born(child)), vaccine, "",
                            slashes(day), slashes(entered), "",
                        ],
                    ),
                )
            )  # fmt: skip
    rows.sort(key=lambda r: (r[0], r[1][0].person_id))
    press.write(
        "vaccination",
        f"予防接種台帳_{STAMP}.csv",
        _numbered(rows, 50_000_000),
        exact_duplicates=0.0005,
        unreadable=0.0008,
    )


# ── EPDS ──


def _print_epds(press: Press) -> None:
    rng, lives = press.rng("epds"), press.lives
    scribe = press.scribe("epds", HEALTH)
    rows: list[tuple[int, Row]] = []
    seen: set[tuple[str, int]] = set()
    for i, child, family in _births(press, month_start(2021, 1)):
        mother, f = _mother(child, family), int(lives.family_of[i])
        if (mother.person_id, child.born) in seen:
            continue
        seen.add((mother.person_id, child.born))
        for after, reach in ((31, 0.88), (115, 0.45)):
            day = child.born + after + int(rng.normal(0, 5))
            month = press.month_of(day)
            ill = bool(lives.states[Type.POSTNATAL_DEPRESSION][i, month])
            if day > LAST_DAY - 2 or not mother.is_resident(day) or rng.random() > reach - 0.10 * ill:
                continue
            hidden = ill and rng.random() < 0.22  # answers as one is expected to
            score = rng.gamma(1.7, 1.9) + 0.6 * float(lives.mental[f, month]) + (7.2 if ill and not hidden else 0.0)
            total = int(np.clip(round(score), 0, 30))
            tenth = int(rng.random() < (0.20 if ill and not hidden else 0.008)) * int(rng.integers(1, 3))
            name, kana = scribe.names(mother, day)
            number = child.number_on(day) if child.is_resident(day) and rng.random() > 0.1 else ""
            cells: list[Cell] = [
                "", short_letters(day), mother.number_on(day), name, kana, kanji(scribe.born(mother)), str(max(total, tenth)),
                str(tenth), "産後1か月" if after < 60 else "4か月", number, short_letters(min(day + int(rng.integers(1, 20)), LAST_DAY)),
            ]  # fmt: skip
            rows.append((day, (mother, cells)))
    rows.sort(key=lambda r: (r[0], r[1][0].person_id))
    press.write(
        "epds", f"EPDS結果_{STAMP}.csv", _numbered(rows, 60_000_000), top=("EPDS 実施結果",), foot=("以上",),
        exact_duplicates=0.002, unreadable=0.003,
    )  # fmt: skip
