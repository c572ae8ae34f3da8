"""大学・NPO・クラブ: records of those who have no 宛名番号 (synthetic city)."""

from __future__ import annotations

import datetime as dt

import numpy as np

from kodomo.city.eras import age_on, short_letters, short_slashes
from kodomo.city.mistakes import Manner, Scribe
from kodomo.city.people import Person
from kodomo.city.press import STAMP, Press, days_within
from kodomo.city.schools import Enrolment
from kodomo.city.sheets import Cell
from kodomo.terms import DifficultyType as Type

UNIVERSITY = Manner(
    space=" ", script="hiragana", jis=0.97, homophone=0.03, stale_name=0.12, kana_slip=0.02, kana_missing=0.06, birth_slip=0.004,
    roman=False, swapped=0.4, alias=0.6, no_space=0.15,
)  # fmt: skip
VOLUNTEER = Manner(
    space="", script="hiragana", jis=1.0, homophone=0.10, stale_name=0.25, kana_slip=0.08, kana_missing=0.25, roman=False, swapped=0.5,
    alias=0.6,
)  # fmt: skip
CLUB = Manner(
    space="　",
    script="none",
    jis=1.0,
    homophone=0.04,
    stale_name=0.15,
    roman=False,
    swapped=0.4,
    alias=0.6,
    no_space=0.2,
)


def print_outside(press: Press, enrolments: list[Enrolment]) -> None:
    """The files of the university, the NPO and the clubs."""
    _print_assessments(press, enrolments)
    _print_watch(press, enrolments)
    _print_clubs(press, enrolments)


# ── 大学 ──


def _print_assessments(press: Press, enrolments: list[Enrolment]) -> None:
    rng, lives = press.rng("university_assessment"), press.lives
    scribe = press.scribe("university_assessment", UNIVERSITY)
    consents = rng.random(len(lives.children)) < 0.80
    # How openly a child answers, how sternly a teacher rates.
    frank, raters = rng.normal(0, 1, (2, len(lives.children)))
    for year in press.school_years():
        rows: list[tuple[Person, list[Cell]]] = []
        for month_of_year, day_of_month in ((6, 12), (10, 21), (2, 5)):
            day = dt.date(year + (month_of_year < 4), month_of_year, day_of_month).toordinal()
            if day < press.first_day:
                continue
            month = press.month_of(day)
            for e in (
                e
                for e in enrolments
                if e.year == year and e.grade >= 4 and e.start <= day and (not e.end or e.end > day)
            ):
                absent = 0.05 + 0.22 * lives.states[Type.NON_ATTENDANCE][e.child, month]
                if not consents[e.child] or rng.random() < absent:
                    continue
                rows.append(
                    (
                        e.person,
                        _answers(
                            press, rng, scribe, e, month, day, len(rows), float(frank[e.child]), float(raters[e.child])
                        ),
                    )
                )
        if rows:
            press.write(
                "university_assessment", f"児童生徒アセスメント_令和{year - 2018}年度_{STAMP}.xlsx", rows,
                top=("ひなた大学 児童生徒アセスメント 集計結果", "学外秘"), foot=("平均",), unreadable=0.001,
            )  # fmt: skip


def _answers(
    press: Press,
    rng: np.random.Generator,
    scribe: Scribe,
    e: Enrolment,
    month: int,
    day: int,
    position: int,
    frank: float,
    rater: float,
) -> list[Cell]:
    lives, child = press.lives, e.child
    bullied = bool(lives.states[Type.BULLYING][child, month])
    refusing = bool(lives.states[Type.NON_ATTENDANCE][child, month])
    carer = bool(lives.states[Type.YOUNG_CARER][child, month])
    adjustment = 62 + 6.5 * float(lives.adjustment[child, month]) - 4 * refusing + 3 * frank + float(rng.normal(0, 11))
    hurt = 1.8 + 1.3 * bullied - 0.5 * float(lives.adjustment[child, month]) - 0.3 * frank + float(rng.normal(0, 1.6))
    trait = 2.4 + 0.62 * float(lives.development[child]) + 0.8 * rater + float(rng.normal(0, 1.6))
    unaware = carer and frank < 0.1
    load = (
        1.2
        + 0.35 * float(lives.care[lives.family_of[child], month])
        + (2.0 if carer and not unaware else 0)
        - 0.25 * frank
    )
    load += float(rng.gamma(1.2, 0.8)) - 0.4
    name, kana = scribe.names(e.person, day)

    def score(value: float, top: float) -> Cell:
        return "-" if rng.random() < 0.02 else round(float(np.clip(value, 0, top)), 1)

    return [
        f"A{e.year % 100}{position + 1:06d}", dt.date.fromordinal(day), e.school, e.printed_grade, name, kana,
        dt.date.fromordinal(scribe.born(e.person)) if rng.random() > 0.03 else "",
        score(adjustment, 100), score(hurt, 10), score(trait, 10), score(load, 10), "",
    ]  # fmt: skip


# ── NPO ──


def _print_watch(press: Press, enrolments: list[Enrolment]) -> None:
    rng, lives = press.rng("npo_watch"), press.lives
    scribe = press.scribe("npo_watch", VOLUNTEER)
    schools = {(e.child, e.year): e.school for e in enrolments}
    comes = 0.018 * np.exp(0.55 * lives.econ[lives.family_of, -1].clip(-2, 3))
    regulars = np.flatnonzero(
        (rng.random(len(lives.children)) < comes) & lives.resident[:, -12] & (lives.age[:, -1] > 3)
    )
    rows: list[tuple[int, Person, list[Cell]]] = []
    for i in regulars.tolist():
        often = rng.gamma(1.5, 0.5)
        called = int(rng.choice(4, p=(0.45, 0.2, 0.2, 0.15)))
        for month in press.window_months():
            if not lives.resident[i, month]:
                continue
            for _ in range(min(int(rng.poisson(often)), 5)):
                day = days_within(rng, int(lives.starts[month]))
                rows.append((day, lives.children[i], _seen(press, rng, scribe, i, month, day, called, schools)))
    rows.sort(key=lambda r: (r[0], r[1].person_id))
    press.write(
        "npo_watch", f"見守り記録_{STAMP}.xlsx", [(p, cells) for _, p, cells in rows],
        top=("NPO法人ひだまり 見守り記録表",), foot=("以上",), exact_duplicates=0.002, unreadable=0.002,
    )  # fmt: skip


def _seen(
    press: Press,
    rng: np.random.Generator,
    scribe: Scribe,
    i: int,
    month: int,
    day: int,
    called: int,
    schools: dict[tuple[int, int], str],
) -> list[Cell]:
    lives, child = press.lives, press.lives.children[i]
    troubles = sum(bool(lives.states[t][i, month]) for t in (Type.ABUSE, Type.YOUNG_CARER, Type.POVERTY, Type.BULLYING))
    worried = rng.random() < 0.05 + 0.16 * troubles
    name, kana = scribe.names(child, day)
    reading = scribe.kana(child, day).split("　")[-1]
    spoken = (name, f"{name[: len(child.surname_on(day).text)]}{'くん' if child.sex == 'M' else 'さん'}", reading or child.given.text,
              f"{reading or child.given.text}{'くん' if child.sex == 'M' else 'ちゃん'}")[called]  # fmt: skip
    age = age_on(child.born, day) + (int(rng.choice((-1, 1))) if rng.random() < 0.12 else 0)
    year = dt.date.fromordinal(day).year - (dt.date.fromordinal(day).month < 4)
    return [
        short_slashes(day) if rng.random() < 0.7 else short_letters(day), spoken, kana if called < 2 else reading,
        age if rng.random() > 0.08 else "？", schools.get((i, year), "") if rng.random() < 0.5 else "",
        ("△" if rng.random() < 0.7 else "気になる様子") if worried else ("◎" if rng.random() < 0.8 else "変わりなし"),
        "○" if rng.random() < 0.75 else "×", "", "",
    ]  # fmt: skip


# ── クラブ ──


def _print_clubs(press: Press, enrolments: list[Enrolment]) -> None:
    rng, lives = press.rng("club_attendance"), press.lives
    scribe = press.scribe("club_attendance", CLUB)
    place = {(e.child, e.year): e for e in enrolments}
    pupils = sorted({e.child for e in enrolments})
    joins = 0.30 * np.exp(-0.3 * lives.econ[lives.family_of, -1].clip(-1, 2))
    rows: list[tuple[int, str, Person, list[Cell]]] = []
    clubs = (
        "ひなたFC",
        "日向台ミニバスケット",
        "ひなた少年少女合唱団",
        "汐見剣道教室",
        "こども将棋クラブ",
        "ひなたダンススクール",
    )
    for i in pupils:
        if rng.random() > joins[i]:
            continue
        member, club, keen = f"C{i + 1000:06d}", clubs[int(rng.integers(0, len(clubs)))], rng.uniform(2, 8)
        for month in press.window_months():
            start = int(lives.starts[month])
            date = dt.date.fromordinal(start)
            e = place.get((i, date.year - (date.month < 4)))
            if e is None or rng.random() < 0.03:
                continue
            drop = 0.45 * lives.states[Type.NON_ATTENDANCE][i, month] + 0.4 * lives.states[Type.YOUNG_CARER][i, month]
            drop += 0.2 * lives.states[Type.ABUSE][i, month] + 0.25 * lives.states[Type.BULLYING][i, month]
            days = int(rng.poisson(keen * max(1 - float(drop), 0.05)))
            cells: list[Cell] = [
                member, club, scribe.name(e.person, start), e.school if rng.random() > 0.05 else "", str(e.printed_grade),
                f"{date.year}/{date.month:02d}", str(min(days, 20)),
            ]  # fmt: skip
            rows.append((start, member, e.person, cells))
    rows.sort(key=lambda r: (r[0], r[1]))
    press.write(
        "club_attendance", f"クラブ参加簿_{STAMP}.csv", [(p, cells) for *_, p, cells in rows], top=("地域クラブ参加状況",),
        foot=(f"合計 {len(rows)}",), unreadable=0.0015,
    )  # fmt: skip
