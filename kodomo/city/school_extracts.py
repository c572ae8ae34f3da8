"""学校: enrolment lists, monthly attendance, the nurse's room, bullying reports, expense aid, counselling (synthetic city)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import numpy as np

from kodomo.city.benefits import Benefits
from kodomo.city.eras import grade_in, kanji, letters, month_start, short_slashes, slashes
from kodomo.city.lives import Floats, plus
from kodomo.city.mistakes import Manner, Scribe
from kodomo.city.people import LAST_DAY, Person
from kodomo.city.press import STAMP, Press, days_within
from kodomo.city.schools import Enrolment, enrol
from kodomo.city.sheets import Cell, Sheet
from kodomo.terms import DifficultyType as Type

SCHOOL = Manner(
    script="full", jis=0.92, homophone=0.012, stale_name=0.12, kana_slip=0.012, kana_missing=0.01, birth_slip=0.002, roman=False,
    swapped=0.35, alias=0.55, old_address=0.22, address_style="mixed", no_space=0.02,
)  # fmt: skip
AID_DESK = Manner(
    script="full", jis=0.9, homophone=0.03, stale_name=0.15, kana_slip=0.02, kana_missing=0.10, birth_slip=0.005, roman=False,
    swapped=0.35, alias=0.55, old_address=0.15, address_style="mixed", no_space=0.15, lost_marks=0.03, large_kana=0.1,
)  # fmt: skip
COUNSELLOR = Manner(
    space=" ", script="hiragana", jis=0.95, homophone=0.04, stale_name=0.15, kana_slip=0.03, kana_missing=0.12, birth_slip=0.008,
    roman=False, swapped=0.35, alias=0.6, no_space=0.25,
)  # fmt: skip

SCHOOL_DAYS = {4: 16, 5: 19, 6: 21, 7: 14, 8: 4, 9: 19, 10: 21, 11: 19, 12: 16, 1: 16, 2: 18, 3: 15}
SEASON = {4: 0.7, 5: 0.8, 6: 0.9, 7: 0.9, 8: 0.7, 9: 0.9, 10: 0.9, 11: 1.1, 12: 1.4, 1: 1.4, 2: 1.3, 3: 1.0}
REASONS = ("1", "2", "3", "4", "5", "9")


def print_school(press: Press, benefits: Benefits) -> list[Enrolment]:
    """The six files of schools and the board; returns the enrolments for those who borrow them."""
    rng = press.rng("schools")
    enrolments = enrol(press, rng)
    scribe = press.scribe("school", SCHOOL)
    _print_enrolments(press, rng, scribe, enrolments)
    pace = _paces(press)
    _print_attendance(press, scribe, enrolments, pace)
    _print_nurse_room(press, enrolments, pace)
    _print_bullying(press, enrolments)
    _print_aid(press, benefits, enrolments)
    _print_counselling(press, enrolments)
    return enrolments


def school_code(school: str) -> int:
    """A number of the school, for habits that differ between schools."""
    return sum(map(ord, school)) % 97


# ── 在籍 ──


def _print_enrolments(press: Press, rng: np.random.Generator, scribe: Scribe, enrolments: list[Enrolment]) -> None:
    blank_address: dict[str, bool] = {}
    for year in press.school_years():
        rows: list[tuple[Person, list[Cell]]] = []
        listed = sorted((e for e in enrolments if e.year == year), key=lambda e: (e.school, e.grade, e.number))
        for e in listed:
            blank = blank_address.setdefault(e.person.person_id, rng.random() < 0.25)
            rows.append((e.person, _enrolment_row(press, rng, scribe, e, blank=blank or e.person.is_protected)))
        press.write(
            "school_enrolment", f"在籍名簿_令和{year - 2018}年度_{STAMP}.csv", rows,
            top=(f"令和{year - 2018}年度 児童生徒在籍名簿",), foot=(f"合計,{len(rows)}",), unreadable=0.001, exact_duplicates=0.0005,
        )  # fmt: skip


def _enrolment_row(press: Press, rng: np.random.Generator, scribe: Scribe, e: Enrolment, *, blank: bool) -> list[Cell]:
    person, day = e.person, max(e.start, month_start(e.year, 4))
    name, kana = scribe.names(person, day)
    told = person.family
    guardian = told.guardian(day - 200) if told is not None else None
    return [
        str(e.year), e.school, str(e.printed_grade), str(e.group), str(e.seat), e.number, name, kana, kanji(scribe.born(person)),
        "男" if person.sex == "M" else "女", "" if blank else scribe.address(person, day),
        scribe.name(guardian, day) if guardian is not None and rng.random() > 0.03 else "",
        ("母" if guardian.sex == "F" else "父") if guardian is not None else "", _class_kind(press, e),
        kanji(e.start), kanji(e.end) if e.end else "", "",
    ]  # fmt: skip


def _class_kind(press: Press, e: Enrolment) -> str:
    lives = press.lives
    if not lives.needs_development_support[e.child] or lives.connected[e.child] > month_start(e.year, 4):
        return "通常"
    return "特支" if lives.development[e.child] > 1.95 else "通級" if (e.child % 10) < 7 else "通常"


# ── 出欠 ──


def _paces(press: Press) -> dict[str, Floats]:
    """How often each child is absent, late, leaves early by chance alone and by what the child goes through."""
    lives, rng = press.lives, press.rng("attendance")
    kids, months = lives.age.shape
    refusing = lives.states[Type.NON_ATTENDANCE]
    since = np.zeros((kids, months), np.int16)
    for month in range(1, months):
        since[:, month] = np.where(refusing[:, month], since[:, month - 1] + 1, 0)
    depth = np.clip(0.48 + 0.45 * lives.excess[Type.NON_ATTENDANCE] + 0.20 * rng.standard_normal((kids, 1)), 0.01, 0.96)
    # Days at a free school count as attendance, and some come every day though nothing is well with them.
    depth[rng.random(kids) < 0.34] *= 0.05
    growing = np.clip((since - 1) / 5.0, 0.04, 1.0) * refusing * depth
    reluctant = np.clip(lives.excess[Type.NON_ATTENDANCE] + 0.8, 0, 0.8) * ~refusing
    frail = rng.gamma(0.9, 0.019, (kids, 1))
    frail[rng.random(kids) < 0.017] += 0.16  # long illness
    absent = (
        frail + growing + 0.02 * reluctant + 0.014 * lives.states[Type.YOUNG_CARER] + 0.014 * lives.states[Type.ABUSE]
        + 0.010 * lives.states[Type.BULLYING] + 0.008 * lives.states[Type.POVERTY]
    )  # fmt: skip
    sloppy = rng.gamma(0.7, 0.016, (kids, 1))
    late = (
        sloppy + 0.03 * (refusing & (since < 6)) * (1 - growing) + 0.015 * reluctant + 0.022 * lives.states[Type.YOUNG_CARER]
        + 0.022 * lives.states[Type.ABUSE] + 0.015 * lives.states[Type.POVERTY] + 0.006 * plus(lives.development)[:, None]
    )  # fmt: skip
    early = (
        rng.gamma(0.7, 0.010, (kids, 1))
        + 0.018 * (refusing & (since < 6))
        + 0.012 * lives.states[Type.BULLYING]
        + 0.008 * reluctant
    )
    return {"absent": absent, "late": late, "early": early, "reluctant": reluctant, "since": since.astype(np.float32)}


def _print_attendance(press: Press, scribe: Scribe, enrolments: list[Enrolment], pace: dict[str, Floats]) -> None:
    rng, lives = press.rng("attendance_days"), press.lives
    by_year: dict[int, list[Enrolment]] = defaultdict(list)
    for e in enrolments:
        by_year[e.year].append(e)
    for year, listed in sorted(by_year.items()):
        cells: list[tuple[Enrolment, int]] = []
        for month in press.window_months():
            start = int(lives.starts[month])
            if not month_start(year, 4) <= start < month_start(year + 1, 4):
                continue
            cells += [(e, month) for e in listed if e.start <= start + 20 and (not e.end or e.end > start + 3)]
        if cells:
            _print_attendance_year(press, scribe, rng, year, cells, pace)


def _print_attendance_year(
    press: Press,
    scribe: Scribe,
    rng: np.random.Generator,
    year: int,
    cells: list[tuple[Enrolment, int]],
    pace: dict[str, Floats],
) -> None:
    cells.sort(key=lambda c: (c[0].school, c[1], c[0].grade, c[0].number))
    child = np.array([e.child for e, _ in cells])
    month = np.array([m for _, m in cells])
    names = [dt.date.fromordinal(int(s)) for s in press.lives.starts[month]]
    possible = np.array([SCHOOL_DAYS[d.month] for d in names]) + (child % 2)
    season = np.array([SEASON[d.month] for d in names])
    suspended = np.minimum(rng.poisson(0.16 * season**2), possible)
    suspended[rng.random(len(cells)) < 0.012 * season] += 4  # influenza: 出席停止 is no absence
    suspended = np.minimum(suspended, possible)
    rate = np.clip(pace["absent"][child, month] * np.where(pace["absent"][child, month] < 0.1, season, 1), 0, 1)
    absent = rng.binomial(possible - suspended, rate)
    late = rng.binomial(possible - suspended - absent, np.clip(pace["late"][child, month], 0, 0.9))
    early = rng.binomial(possible - suspended - absent, np.clip(pace["early"][child, month], 0, 0.9))
    blank = rng.random(len(cells)) < 0.006
    silent = np.array(
        [school_code(e.school) % 9 == 3 and year % 2 == 0 for e, _ in cells]
    )  # does not count them that year
    columns: dict[str, list[Cell]] = {
        "年月": [f"令和{d.year - 2018}年{d.month}月" for d in names],
        "学年": [str(e.printed_grade) for e, _ in cells],
        "学籍番号": [e.number for e, _ in cells],
        "氏名": [scribe.name(e.person, month_start(year, 4)) for e, _ in cells],
        "授業日数": [str(n) for n in possible.tolist()],
        "出停・忌引等": [str(n) for n in suspended.tolist()],
        "欠席日数": [str(n) if not b else "" for n, b in zip(absent.tolist(), blank, strict=True)],
        "遅刻": [str(n) if not s else "" for n, s in zip(late.tolist(), silent | blank, strict=True)],
        "早退": [str(n) if not s else "" for n, s in zip(early.tolist(), silent, strict=True)],
        "備考": [""] * len(cells),
    }
    press.printer.write(
        Sheet(
            "school_attendance", f"出欠月集計_令和{year - 2018}年度_{STAMP}.csv", columns, [e.person.person_id for e, _ in cells],
            top=(f"令和{year - 2018}年度 出欠席月別集計表",), foot=("以上",), exact_duplicates=0.0003, unreadable=0.0006,
        )
    )  # fmt: skip


# ── 保健室・いじめ ──


def _print_nurse_room(press: Press, enrolments: list[Enrolment], pace: dict[str, Floats]) -> None:
    rng, lives = press.rng("nurse_room"), press.lives
    states = {k: lives.states[k] for k in (Type.BULLYING, Type.ABUSE, Type.YOUNG_CARER, Type.NON_ATTENDANCE)}
    kids, months = lives.age.shape
    frail = rng.gamma(0.8, 0.9, (kids, 1))
    early = 0.6 * (states[Type.NON_ATTENDANCE] & (pace["since"] < 4))
    rows: list[tuple[int, Enrolment, str]] = []
    rates = {
        "1": 0.035 * frail * (1 + 2.4 * early + 1.2 * states[Type.BULLYING] + 0.9 * states[Type.YOUNG_CARER]),
        "2": 0.030 * frail * (1 + 3.0 * early + 1.1 * states[Type.BULLYING] + 1.2 * pace["reluctant"]),
        "3": 0.045 * (1 + 1.3 * states[Type.ABUSE] + 0.8 * plus(lives.development)[:, None] * lives.is_boy[:, None]),
        "4": 0.030 * frail * (1 + 2.0 * early + 1.0 * states[Type.YOUNG_CARER] + 0.8 * states[Type.ABUSE]),
        "5": 0.007
        * (1 + 4.5 * states[Type.BULLYING] + 5 * early + 3.5 * states[Type.ABUSE] + 3 * states[Type.YOUNG_CARER]),
        "9": 0.015 * np.ones((kids, months)),
    }
    for e in enrolments:
        habit = 0.35 + 0.25 * (school_code(e.school) % 7)  # some schools write every visit down, some hardly any
        for month in press.window_months():
            start = int(lives.starts[month])
            if (
                start < e.start - 6
                or (e.end and start > e.end)
                or not month_start(e.year, 4) <= start < month_start(e.year + 1, 4)
            ):
                continue
            open_days = SCHOOL_DAYS[dt.date.fromordinal(start).month] / 18
            for reason in REASONS:
                for _ in range(int(rng.poisson(float(rates[reason][e.child, month]) * habit * open_days))):
                    rows.append((days_within(rng, start), e, reason))
    rows.sort(key=lambda r: (r[0], r[1].number, r[2]))
    listed: list[tuple[Person, list[Cell]]] = [
        (
            e.person,
            [
                short_slashes(day), f"{8 + (day * 7 + e.seat) % 8}:{(day * 13 + e.seat) % 60:02d}", e.number,
                f"{e.printed_grade}年{e.group}組", reason, "",
            ],
        )
        for day, e, reason in rows
    ]  # fmt: skip
    press.write(
        "nurse_room", f"保健室来室_{STAMP}.csv", listed, foot=("以上",), exact_duplicates=0.001, unreadable=0.0015
    )


def _print_bullying(press: Press, enrolments: list[Enrolment]) -> None:
    rng, lives = press.rng("bullying_report"), press.lives
    by_class: dict[tuple[str, int, int], list[Enrolment]] = defaultdict(list)
    for e in enrolments:
        by_class[e.school, e.year, e.grade].append(e)
    rows: list[tuple[int, str, Enrolment, str]] = []
    for e in enrolments:
        culture = 0.25 + 0.3 * (school_code(e.school) % 6)
        for month in press.window_months():
            start = int(lives.starts[month])
            if (
                not month_start(e.year, 4) <= start < month_start(e.year + 1, 4)
                or start < e.start - 6
                or (e.end and start > e.end)
            ):
                continue
            bullied = bool(lives.states[Type.BULLYING][e.child, month])
            base = 0.0056 if e.grade <= 6 else 0.0021
            if rng.random() < culture * (base + 0.050 * bullied):
                case = f"IJ{e.year % 100}{len(rows) + 1:05d}"
                day = days_within(rng, start)
                rows.append((day, case, e, "被害"))
                if rng.random() < 0.55:
                    mates = by_class[e.school, e.year, e.grade]
                    mate = mates[int(rng.integers(0, len(mates)))]
                    if mate is not e:
                        rows.append((day, case, mate, "加害"))
    rows.sort(key=lambda r: (r[0], r[1], r[3]))
    listed: list[tuple[Person, list[Cell]]] = [
        (
            e.person,
            [case, letters(day), letters(min(day + 3 + (day * 5) % 21, LAST_DAY)), e.school, e.number, role, "", ""],
        )
        for day, case, e, role in rows
    ]
    press.write(
        "bullying_report", f"いじめ認知報告_{STAMP}.csv", listed, top=("いじめ認知報告 一覧",), unreadable=0.002
    )


# ── 就学援助・教育相談 ──


def _print_aid(press: Press, benefits: Benefits, enrolments: list[Enrolment]) -> None:
    rng, lives = press.rng("school_expense_aid"), press.lives
    scribe = press.scribe("school_expense_aid", AID_DESK)
    granted = {(family, year): kind for family, year, kind in benefits.aid}
    for year in press.school_years():
        rows: list[tuple[Person, list[Cell]]] = []
        for e in (e for e in enrolments if e.year == year):
            family = int(lives.family_of[e.child])
            kind = granted.get((family, year))
            if kind is None:
                money = float(lives.econ[family, press.month_of(month_start(year, 4))])
                if not money > 0.2 or rng.random() > 0.03:
                    continue
                kind = "否"
            rows.append((e.person, _aid_row(press, rng, scribe, e, kind, year, len(rows))))
        press.write(
            "school_expense_aid", f"就学援助認定者_令和{year - 2018}年度_{STAMP}.xlsx", rows,
            top=(f"令和{year - 2018}年度 就学援助費 認定者一覧", "学校教育課"), foot=(f"合計 {len(rows)}名",), unreadable=0.003,
        )  # fmt: skip


def _aid_row(
    press: Press, rng: np.random.Generator, scribe: Scribe, e: Enrolment, kind: str, year: int, position: int
) -> list[Cell]:
    late = rng.random() < 0.22
    start = max(e.start, month_start(year, 4) if not late else month_start(year, int(rng.integers(5, 12))))
    name, kana = scribe.names(e.person, start)
    told = e.person.family
    guardian = scribe.name(told.guardian(start), start) if told is not None else ""
    born: Cell = dt.date.fromordinal(scribe.born(e.person)) if rng.random() < 0.6 else kanji(scribe.born(e.person))
    decided = start + int(rng.integers(25, 70))
    return [
        f"{year % 100}-{position + 1:04d}", f"R{year - 2018}", e.school, e.printed_grade, e.number if rng.random() < 0.42 else "",
        name, kana, born, guardian, scribe.address(e.person, start) if not e.person.is_protected else "", kind,
        slashes(min(start, LAST_DAY)), slashes(min(decided, LAST_DAY)), "", "",
    ]  # fmt: skip


def _print_counselling(press: Press, enrolments: list[Enrolment]) -> None:
    rng, lives = press.rng("education_counselling"), press.lives
    scribe = press.scribe("education_counselling", COUNSELLOR)
    place = {(e.child, e.year): e for e in enrolments}
    rates = (
        ("不登校", 0.016 * lives.states[Type.NON_ATTENDANCE] + 0.0003), ("登校しぶり", 0.007 * lives.states[Type.NON_ATTENDANCE] + 0.0005),
        ("いじめ", 0.016 * lives.states[Type.BULLYING] + 0.0002), ("発達", 0.005 * lives.states[Type.DEVELOPMENTAL_DISORDER] + 0.0007),
        ("家庭", 0.006 * lives.states[Type.ABUSE] + 0.003 * lives.states[Type.YOUNG_CARER] + 0.0003), ("学業", 0.0006), ("その他", 0.0005),
    )  # fmt: skip
    open_to_help = np.exp(-0.35 * lives.by_child(lives.isolation).clip(-2, 2))
    found: list[tuple[int, int, str]] = []
    for kind, rate in rates:
        for month in press.window_months():
            start = int(lives.starts[month])
            hit = (
                rng.random(len(lives.children))
                < (rate[:, month] if isinstance(rate, np.ndarray) else rate) * open_to_help[:, month]
            )
            hit &= lives.resident[:, month] & (lives.grade[:, month] >= -1) & (lives.grade[:, month] <= 9)
            found += [(days_within(rng, start), int(i), kind) for i in np.flatnonzero(hit)]
    rows: list[tuple[Person, list[Cell]]] = []
    for day, i, kind in sorted(found):
        child = lives.children[i]
        year = dt.date.fromordinal(day).year - (dt.date.fromordinal(day).month < 4)
        e = place.get((i, year))
        name, kana = scribe.names(child, day)
        grade = grade_in(child.born, year)
        rows.append(
            (
                child,
                [
                    f"教{year % 100}-{len(rows) + 1:04d}", kanji(day), name, kana,
                    short_slashes(scribe.born(child)) if rng.random() > 0.1 else "", e.school if e else "就学前" if grade < 1 else "",
                    str(e.printed_grade) if e and rng.random() > 0.05 else "", kind, "", "",
                ],
            )
        )  # fmt: skip
    press.write(
        "education_counselling", f"教育相談_受付簿_{STAMP}.csv", rows,
        top=("教育相談受付簿", f"期間 {kanji(press.first_day)} ～ 令和8年3月31日"), foot=(f"計 {len(rows)}件",), near_duplicates=0.004, unreadable=0.003,
    )  # fmt: skip
