"""Dates that are read only with a guess, and the guess told: for staff's own trials, never for landing (identity side)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from kodomo.intake.dates import DOUBTS as STRICT_DOUBTS
from kodomo.intake.dates import ERAS, LONGEST, Era, WrittenDate, read_date

DOUBTS = {
    **STRICT_DOUBTS,
    "era_guessed": "元号が書かれていないため、年の数からみなしました",
    "two_digit_year": "年が2桁のため、西暦の下2桁とみなしました",
    "fiscal_year": "年度です。その年の4月から翌年3月までを指します",
    "part_of_month": "上旬・末などと書かれており、日が分かりません",
    "season": "季節で書かれており、月が分かりません",
    "year_last": "年が最後に書かれています",
    "day_or_month": "月と日の順が分かりません",
    "no_year": "年が書かれていません",
    "range": "期間のようです。始まりだけを読みました",
    "english": "英語で書かれています",
    "is_month": "月までしか書かれていません",
    "is_year": "年しか書かれていません",
    "extra_words": "日付のあとの文字は読んでいません",
    "too_long": "長すぎるため、終わりを読みませんでした",
}

_MONTHS = {
    name: n
    for n, name in enumerate(["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1)
}
_MONTH = "(?P<month>JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*\\.?"
_ENGLISH = (
    re.compile(
        rf"^(?:[A-Z]{{3,9}},?\s+)?(?P<day>\d{{1,2}})(?:ST|ND|RD|TH)?[\s\-/.,]*(?:OF\s+)?{_MONTH}[\s\-/,.]*(?P<year>\d{{4}}|\d{{2}})$",
        re.ASCII,
    ),
    re.compile(
        rf"^(?:[A-Z]{{3,9}},?\s+)?{_MONTH}[\s\-/.]*(?P<day>\d{{1,2}})(?:ST|ND|RD|TH)?[\s,\-/.]+(?P<year>\d{{4}}|'?\d{{2}})$",
        re.ASCII,
    ),
    re.compile(rf"^(?P<year>\d{{4}})[\s\-/,.]*{_MONTH}[\s\-/.,]*(?P<day>\d{{1,2}})$", re.ASCII),
    re.compile(rf"^{_MONTH}[\s\-/,.]*(?P<year>\d{{4}}|'?\d{{2}})$", re.ASCII),
    re.compile(rf"^(?P<year>\d{{4}})[\s\-/,.]*{_MONTH}$", re.ASCII),
)
_YEAR_LAST = re.compile(r"^(?P<a>\d{1,2})[/.\-](?P<b>\d{1,2})[/.\-](?P<year>\d{4})$", re.ASCII)
_NO_ERA = re.compile(r"^(?P<year>\d{1,2})(?P<sep>[./\-年])(?P<month>\d{1,2})[./\-月](?P<day>\d{1,2})日?$", re.ASCII)
_NO_ERA_MONTH = re.compile(r"^(?P<year>\d{1,2})年(?:(?P<month>\d{1,2})月?)?$", re.ASCII)
_NO_YEAR = re.compile(r"^\d{1,2}[月/.\-]\d{1,2}日?$", re.ASCII)
_FISCAL = re.compile(r"^(?P<year>.{1,8}?)年?度$")
_PART = re.compile(r"^(?P<month>.+?月)(?:の?(?:上旬|中旬|下旬|初旬|初め|末日?|半ば|中|頃))$")
_SEASON = re.compile(r"^(?P<year>.+?年)の?(?:[春夏秋冬][頃ごろ]*|前半|後半|上期|下期|初め|末|中)$")
_RANGE = re.compile(r"^(?P<start>.*?\d[年月日]?)\s*(?:〜|~|～|から|より|-(?=[A-Z明大昭平令])|至).*$")
_LONG_DIGITS = re.compile(r"^(?P<date>(?:18|19|20)\d{6})\d{4}(?:\d{2})?$", re.ASCII)
_CODED_SHORT = re.compile(r"^(?P<code>[1-5])(?P<year>\d{2})(?P<month>\d{2})$", re.ASCII)
_LEADING_DATE = re.compile(r"^(?P<date>.*?\d日?(?:生まれ|生)?)[\s、,(].+$")


@dataclass(frozen=True)
class LooseDate:
    """A date with guesses: ISO text or None, keys of ``DOUBTS``, and the other dates that were possible."""

    value: str | None
    doubts: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


def read_loosely(text: str) -> LooseDate:
    """Read one written date; where ``read_date`` refuses to guess, guess and say so.

    >>> read_loosely("060401").value, read_loosely("Apr-24").value
    ('2024-04-01', '2024-04')
    """
    found = read_date(text)
    if found.value is not None or found.doubts == ("unknown",):
        return _told(found)
    plain = " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).upper().split())
    guess = _guess(plain, re.sub("[ ,]", "", plain), found)
    return replace(guess, doubts=(*guess.doubts, "too_long")) if len(text) > LONGEST else guess


def _told(found: WrittenDate) -> LooseDate:
    """How far a date is known, in words that don't claim that something was written as unknown."""
    length = {7: "is_month", 4: "is_year"}.get(len(found.value or ""), "")
    doubts = tuple(length if d == "partial" and length else d for d in found.doubts)
    return LooseDate(found.value, doubts)


def _guess(spaced: str, plain: str, strict: WrittenDate) -> LooseDate:
    if plain.isascii() and plain.isdigit():
        return _from_digits(plain, strict)
    for pattern in _ENGLISH:
        if found := pattern.match(spaced):
            return _in_english(found)
    if found := _YEAR_LAST.match(plain):
        return _year_last(int(found["a"]), int(found["b"]), found["year"])
    if found := _NO_ERA.match(plain.lstrip("'’")):
        return _without_era(found, is_western=plain[0] in "'’" or (found["sep"] in "/-" and int(found["year"]) > 15))
    if found := _NO_ERA_MONTH.match(plain):
        return _era_guessed(int(found["year"]), found["month"] or "", "")
    if _NO_YEAR.match(plain):
        return LooseDate(None, ("no_year",))
    return _in_words(plain, spaced, strict)


def _from_digits(digits: str, strict: WrittenDate) -> LooseDate:
    if found := _LONG_DIGITS.match(digits):
        return _told(read_date(found["date"]))
    if len(digits) == 6:
        month = f"{digits[:4]}-{digits[4:]}"
        if "1900" <= digits[:4] <= "2099" and "01" <= digits[4:] <= "12":
            other = _era_guessed(int(digits[:2]), digits[2:4], digits[4:])
            return LooseDate(month, ("is_month",), tuple(c for c in (month, other.value) if c))
        return _era_guessed(int(digits[:2]), digits[2:4], digits[4:])
    if len(digits) == 5 and (found := _CODED_SHORT.match(digits)):
        era = next(e for e in ERAS if e.code == found["code"])
        reading = read_date(f"{era.letter}{found['year']}.{found['month']}")
        return LooseDate(reading.value, ("is_month",) if reading.value else strict.doubts)
    return LooseDate(None, strict.doubts)


def _era_guessed(year: int, month: str, day: str) -> LooseDate:
    """A year without its era. 令和 for 1 to 15, 平成 to 31, 昭和 to 64: fixed, so that no clock changes what a file means."""
    readings = {era: _in_era(era, year, month, day) for era in reversed(ERAS[2:])}
    latest = {"R": 15, "H": 31, "S": 64}
    chosen = next((r for era, r in readings.items() if 1 <= year <= latest[era.letter] and r), None)
    western = read_date(f"20{year:02d}{month.zfill(2)}{day.zfill(2)}").value if month and day else None
    possible = tuple(dict.fromkeys(r for r in (*readings.values(), western) if r))
    if chosen is None and 64 < year < 100 and (last := read_date(f"19{year}{month.zfill(2)}{day.zfill(2)}").value):
        return LooseDate(last, ("two_digit_year",))
    if chosen is None:
        return LooseDate(None, ("no_era",) if possible else ("impossible",), possible)
    partial = () if day else ("is_month",) if month else ("is_year",)
    return LooseDate(chosen, ("era_guessed", *partial), possible)


def _in_era(era: Era, year: int, month: str, day: str) -> str | None:
    found = read_date(f"{era.letter}{year}" + (f".{month}" if month else "") + (f".{day}" if day else ""))
    return found.value if "after_era" not in found.doubts else None


def _without_era(found: re.Match[str], *, is_western: bool) -> LooseDate:
    year, month, day = int(found["year"]), found["month"], found["day"]
    if not is_western:
        return _era_guessed(year, month, day)
    century = 2000 if year < 50 else 1900
    reading = read_date(f"{century + year}/{month}/{day}")
    others = _era_guessed(year, month, day).candidates
    if reading.value is None:
        return LooseDate(None, reading.doubts, others)
    return LooseDate(reading.value, ("two_digit_year",), tuple(dict.fromkeys((reading.value, *others))))


def _in_english(found: re.Match[str]) -> LooseDate:
    parts = found.groupdict()
    year, doubts = parts["year"].lstrip("'"), ["english"]
    if len(year) == 2:
        year = f"{'20' if int(year) < 50 else '19'}{year}"
        doubts.append("two_digit_year")
    month = _MONTHS[parts["month"]]
    reading = read_date(f"{year}-{month:02d}" + (f"-{parts['day']}" if parts.get("day") else ""))
    if reading.value is None:
        return LooseDate(None, reading.doubts)
    return LooseDate(reading.value, (*doubts, *(("is_month",) if len(reading.value) == 7 else ())))


def _year_last(a: int, b: int, year: str) -> LooseDate:
    readings = [v for m, d in ((a, b), (b, a)) if (v := read_date(f"{year}/{m}/{d}").value)]
    if len(set(readings)) == 1:
        return LooseDate(readings[0], ("year_last",))
    if not readings:
        return LooseDate(None, ("impossible",))
    return LooseDate(None, ("year_last", "day_or_month"), tuple(readings))


def _in_words(plain: str, spaced: str, strict: WrittenDate) -> LooseDate:
    for pattern, part, doubt in (
        (_FISCAL, "year", "fiscal_year"), (_PART, "month", "part_of_month"), (_SEASON, "year", "season"),
    ):  # fmt: skip
        if (found := pattern.match(plain)) and (reading := read_date(found[part])).value:
            length = {"fiscal_year": 4, "season": 4, "part_of_month": 7}[doubt]
            if len(reading.value or "") == length:
                return LooseDate(reading.value, (doubt, "is_year" if length == 4 else "is_month"))
    for pattern, part, doubt in ((_RANGE, "start", "range"), (_LEADING_DATE, "date", "extra_words")):
        if (found := pattern.match(spaced)) and (reading := read_date(found[part])).value:
            return LooseDate(reading.value, (*_told(reading).doubts, doubt))
    return LooseDate(None, strict.doubts)
