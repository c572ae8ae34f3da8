"""大学・NPO・クラブ・水道: records of those who have no 宛名番号 (synthetic city)."""

from __future__ import annotations

import datetime as dt

import numpy as np

from kodomo.city.eras import age_on, short_letters, short_slashes
from kodomo.city.mistakes import Manner, Scribe
from kodomo.city.names import Address
from kodomo.city.people import LAST_DAY, Person
from kodomo.city.press import STAMP, Press, days_within
from kodomo.city.schools import Enrolment
from kodomo.city.sheets import Cell, Sheet
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
WATER = Manner(script="half", jis=0.6, large_kana=0.5, lost_marks=0.05, kana_slip=0.02, homophone=0.01, stale_name=0.25, alias=0.3,
               address_style="mixed")  # fmt: skip


def print_outside(press: Press, enrolments: list[Enrolment]) -> None:
    """The four files from outside the mayor's offices and the board."""
    _print_assessments(press, enrolments)
    _print_watch(press, enrolments)
    _print_clubs(press, enrolments)
    _print_water(press)


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


# ── 水道 ──


def _print_water(press: Press) -> None:
    rng, lives = press.rng("water_bills"), press.lives
    scribe = press.scribe("water_bills", WATER)
    family_at = {id(f): i for i, f in enumerate(lives.families)}
    taps = _taps(press, rng)
    months = [m for m in press.window_months() if dt.date.fromordinal(int(lives.starts[m])).month % 2 == 0]
    size = len(taps)
    family = np.array([family_at.get(id(p.family), -1) if p.family is not None else -1 for p, *_ in taps])
    heads = np.array([n for *_, n in taps])
    money = np.where(family >= 0, lives.econ[family, -1], rng.standard_normal(size) * 0.8 - 0.2)
    careless = rng.gamma(0.5, 0.02, size)
    arrears = np.zeros(size, np.int64)
    names = [(*scribe.names(p, int(lives.starts[-1])), scribe.place(a)) for p, a, *_ in taps]
    ids = [f"{3000000 + i * 7 + 11:09d}" for i in range(size)]
    phones = [f"0999-{i % 90 + 10}-0000" if i % 4 else "" for i in range(size)]
    year_of = [_school_year(int(lives.starts[m])) for m in months]
    for year in sorted(set(year_of)):
        table: dict[str, list[Cell]] = {c.name: [] for c in press.printer.layouts["water_bills"].columns}
        people: list[str] = []
        for month in (m for m, y in zip(months, year_of, strict=True) if y == year):
            start = int(lives.starts[month])
            if (family >= 0).any():
                money = np.where(family >= 0, lives.econ[family, month], money)
            miss = rng.random(size) < np.clip(careless + 0.014 * np.exp(0.85 * money.clip(-2, 3)), 0, 0.6)
            cleared = rng.random(size) < np.clip(0.75 - 0.10 * money, 0.2, 0.95)
            arrears = np.where(miss, arrears + 2, np.where(cleared, 0, arrears))
            arrears = np.minimum(arrears, 24)
            usage = rng.gamma(9, heads * 14.5 / 9)
            keep = np.flatnonzero(np.array([s <= start + 40 and e > start for _, _, s, e, _ in taps])).tolist()
            _bill(
                table,
                people,
                keep,
                taps,
                names,
                ids,
                phones,
                f"{dt.date.fromordinal(start):%Y%m}",
                usage.tolist(),
                arrears.tolist(),
            )
        press.printer.write(
            Sheet(
                "water_bills", f"水道調定_令和{year - 2018}年度_{STAMP}.csv", table, people,
                top=("水道料金調定一覧表", "ひなた市上下水道事業 出力日:2026/04/01"), foot=(f"合計 {len(people):,} 件",),
                exact_duplicates=0.0002, unreadable=0.0003,
            )
        )  # fmt: skip


def _school_year(start: int) -> int:
    day = dt.date.fromordinal(start)
    return day.year - (day.month < 4)


def _taps(press: Press, rng: np.random.Generator) -> list[tuple[Person, Address, int, int, float]]:
    """One tap a household: contract holder, place, from, until, people served. Some bear the name of one who is gone."""
    heads: dict[tuple[str, Address], tuple[Person, int, int]] = {}
    served: dict[str, int] = {}
    for person in press.city.people:
        for stay in person.stays:
            if stay.end <= press.first_day:
                continue
            served[stay.household] = served.get(stay.household, 0) + (stay.end > LAST_DAY)
            if stay.relation == "世帯主":
                known = heads.get((stay.household, stay.address))
                if known is None:
                    heads[stay.household, stay.address] = (person, stay.start, stay.end)
                elif rng.random() < 0.5:  # the name was not changed when the head was
                    heads[stay.household, stay.address] = (known[0], known[1], stay.end)
                else:
                    heads[stay.household, stay.address] = (person, known[1], stay.end)
    spouses: dict[str, Person] = {
        s.household: p for p in press.city.people for s in p.stays[-1:] if s.relation in ("妻", "夫")
    }
    taps = []
    for (household, address), (person, start, end) in heads.items():
        if rng.random() < 0.04 and address.building:
            continue  # the landlord pays
        holder = spouses[household] if household in spouses and rng.random() < 0.06 else person
        taps.append((holder, address, start, end, max(served.get(household, 1), 1) ** 0.8))
    return taps


def _bill(  # type: ignore[no-untyped-def]
    table, people, keep, taps, names, ids, phones, month, usage, arrears
) -> None:
    table["水栓番号"] += [ids[i] for i in keep]
    table["使用者名"] += [names[i][0] for i in keep]
    table["使用者ｶﾅ"] += [names[i][1] for i in keep]
    table["使用場所"] += [names[i][2] for i in keep]
    table["調定年月"] += [month] * len(keep)
    table["使用水量"] += [str(int(usage[i])) for i in keep]
    table["調定額"] += [str(1800 + int(usage[i]) * 130) for i in keep]
    table["未納月数"] += [str(arrears[i]) for i in keep]
    table["電話番号"] += [phones[i] for i in keep]
    people += [taps[i][0].person_id for i in keep]
