"""Schools of ひなた市: who goes where under which 学籍番号, by school year (synthetic city)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kodomo.city.eras import grade_in, month_start
from kodomo.city.people import LAST_DAY, Person
from kodomo.city.press import Press

ELEMENTARY = (
    "ひなた東小学校", "ひなた西小学校", "日向台小学校", "北原小学校", "川端小学校", "松風小学校", "白鳥小学校", "花園小学校",
    "汐見小学校", "鈴ヶ森小学校", "若葉台小学校", "南原小学校", "水門小学校", "千歳小学校", "星ヶ谷小学校", "東雲小学校",
)  # fmt: skip
JUNIOR_HIGH = (
    "ひなた第一中学校", "ひなた第二中学校", "日向台中学校", "白鳥中学校", "汐見中学校", "緑ヶ丘中学校", "松風中学校", "花園中学校",
)  # fmt: skip


@dataclass(frozen=True)
class Enrolment:
    """One pupil's school year at one school of the city."""

    child: int
    person: Person
    year: int
    grade: int
    school: str
    number: str
    start: int
    end: int
    group: int
    seat: int

    @property
    def printed_grade(self) -> int:
        """1–6, or 1–3 of junior high."""
        return self.grade if self.grade <= 6 else self.grade - 6


def enrol(press: Press, rng: np.random.Generator) -> list[Enrolment]:
    """Enrolments of the window's school years, and their numbers, which change with the school.

    Left out: pupils of private and prefectural schools, and some foreign children of school age who
    go to no school.
    """
    lives = press.lives
    found: list[Enrolment] = []
    away = rng.random(len(lives.children))
    numbers: dict[tuple[int, str], str] = {}
    serial: dict[str, int] = {}
    for year in press.school_years():
        begin, finish = month_start(year, 4) + 5, month_start(year + 1, 4)
        for i, child in enumerate(lives.children):
            grade = grade_in(child.born, year)
            stays = [s for s in child.stays if s.end > begin and s.start < min(finish, LAST_DAY)]
            if not 1 <= grade <= 9 or not stays:
                continue
            if away[i] < (0.010 if grade <= 6 else 0.055) or (child.foreign is not None and away[i] > 0.90):
                continue
            school = _school(press, stays[0].address.town.area, stays[0].address.chome, grade)
            number = numbers.get((i, school))
            if number is None:
                serial[school] = serial.get(school, 0) + 1
                kind = ELEMENTARY.index(school) + 10 if school in ELEMENTARY else JUNIOR_HIGH.index(school) + 50
                first = year - (grade - 1 if grade <= 6 else grade - 7)
                number = numbers[i, school] = f"{kind:02d}{first % 100:02d}{serial[school]:04d}"
            end = stays[-1].end if stays[-1].end < finish else finish - 1 if year < 2025 or grade in (6, 9) else 0
            start = max(begin - 5, stays[0].start + int(rng.integers(0, 6)) if stays[0].start > begin else begin - 5)
            if start < (end or LAST_DAY):
                found.append(
                    Enrolment(
                        i,
                        child,
                        year,
                        grade,
                        school,
                        number,
                        start,
                        end,
                        int(rng.integers(1, 4)),
                        int(rng.integers(1, 40)),
                    )
                )
    return found


def _school(press: Press, area: int, chome: int, grade: int) -> str:
    pupils = len(press.lives.children)
    schools = ELEMENTARY if pupils > 9000 else ELEMENTARY[:8]
    upper = JUNIOR_HIGH if pupils > 9000 else JUNIOR_HIGH[:4]
    if grade <= 6:
        return schools[(area - 1 + 8 * (chome % 2)) % len(schools)]
    return upper[(area - 1) % len(upper)]
