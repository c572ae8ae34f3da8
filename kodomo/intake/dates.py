"""Written dates of Japanese municipal systems, read into ISO 8601 (identity side).

Accepted: R5.4.1, 令和5年4月1日, ㋿5年4月1日, 令和元年, 5050401 (元号コード + yymmdd), 050401 (with a declared
era), 20230401, 2023/4/1, 2023-04-01T00:00:00, 45017 (Excel serial), in full or half width. Unknown
parts are written 9, 99, 9999 (GIF 441 日付時刻), by older systems 00, or 不詳; the result then ends
at what is known: 2019-05, 2019, or nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from kodomo.intake.characters import FORMAL_DIGITS, without_invisible


@dataclass(frozen=True)
class Era:
    """One era (元号): its letter, code in the resident register, and first day."""

    letter: str
    code: str
    name: str
    begins: dt.date


ERAS = (
    # 住民基本台帳システムの年号コード(1桁). Meiji begins with the Gregorian calendar's adoption, 明治6年.
    Era("M", "1", "明治", dt.date(1868, 1, 25)),
    Era("T", "2", "大正", dt.date(1912, 7, 30)),
    Era("S", "3", "昭和", dt.date(1926, 12, 25)),
    Era("H", "4", "平成", dt.date(1989, 1, 8)),
    Era("R", "5", "令和", dt.date(2019, 5, 1)),
)

_BY_WORD = {word: era for era in ERAS for word in (era.letter, era.name, era.name[0])}

EARLIEST_YEAR, LATEST_YEAR = 1868, 2199

EXCEL_EPOCH = dt.date(1899, 12, 30)
"""Excel counts days so that 1 is 1900-01-01, with a 29 February 1900 that never was."""

EXCEL_SERIALS = range(3_654, 80_000)
"""1910 to 2119. Smaller numbers are ages, counts or months, never a date in an extract."""

DOUBTS = {
    "unreadable": "日付として読めません",
    "impossible": "暦にない日付です",
    "no_era": "元号が書かれていません",
    "unknown": "不詳と書かれています",
    "partial": "一部が不詳です",
    "after_era": "その元号が終わったあとの日付です",
    "before_era": "その元号が始まる前の日付です",
    "approximate": "「頃」「推定」「以前」などと書かれています",
    "calendars_differ": "和暦と西暦が合いません",
    "lunar": "明治5年までの日付は旧暦かもしれません",
    "serial": "表計算ソフトの通し番号として読みました",
}


@dataclass(frozen=True)
class WrittenDate:
    """What was understood. ``value`` is YYYY-MM-DD, YYYY-MM, YYYY or None; ``doubts`` are keys of ``DOUBTS``."""

    value: str | None
    doubts: tuple[str, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether this is a date, or plainly says that the date isn't known."""
        return self.value is not None or "unknown" in self.doubts


_UNKNOWN_WORDS = re.compile(
    r"^(?:(?:生年月日|年月日|日付)?(?:が|は)?(?:不詳|不明|未詳|未定|未記入|記載なし|なし|無し?|空欄)|-+|[*?.]+|9{5,8}|0{5,8}|NULL|N/?A|"
    r"(?:[MTSHR]|明治|大正|昭和|平成|令和)?(?:[-/.]|年|月|日)+)$"
)
_CLOCK = re.compile(
    r"(?:(?<=\d{8})T\d{4,6}Z?|[T ]\s*(?:AM|PM|午前|午後)?\s*\d{1,2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?|時(?:\d{1,2}分(?:\d{1,2}秒)?)?)\s*(?:AM|PM)?(?:Z|[+-]\d{2}:?\d{2})?"
    r"|(?<=日)(?:AM|PM|午前|午後)?\d{1,2}(?::\d{2}(?::\d{2})?|時(?:\d{1,2}分(?:\d{1,2}秒)?)?))$",
    re.ASCII,
)
_WEEKDAY = re.compile(
    r"\s*[(\[](?:[月火水木金土日](?:曜日?)?|祝|MON|TUE|WED|THU|FRI|SAT|SUN)[)\]]|[月火水木金土日]曜日?$"
)
_KANJI_NUMERAL = re.compile("[〇零一二三四五六七八九十百壱壹弐貳参參拾]+")
_THOUSANDS = re.compile(r"(?<=^\d\d),(?=\d{3}$)", re.ASCII)
_ERA_IN_LATIN = re.compile("^(?:MEIJI|TAISHO|SHOWA|HEISEI|REIWA)")
_MARKED_UNKNOWN = re.compile(
    r"(?<=[\d年月][./\-年月])[?*X]{1,2}|(?<=[年月])[?*X]{1,2}(?=[月日])|(?<=99[./\-])[?*X]{1,2}$"
)
_CODED_GROUPS = re.compile(
    r"^(?P<code>[1-5])(?:[.\-/]\d{1,2}[.\-/]\d{1,2}[.\-/]\d{1,2}|\d\d[.\-/]\d{1,2}[.\-/]\d{1,2}|[.\-/]\d{6})$", re.ASCII
)
"""The code of an era, apart from the rest or not: 4-24-05-01, 424.05.01, 4-240501."""
_DECIMAL_SERIAL = re.compile(r"^(\d{5})\.\d+$", re.ASCII)
_BOTH_CALENDARS = re.compile(r"^(?P<one>[^()]*[\d元年日])\((?P<other>[^()]+)\)(?P<rest>.*)$", re.ASCII)
_ERA_FORM = re.compile(
    r"^(?P<era>明治|大正|昭和|平成|令和|[MTSHR明大昭平令])[.\-/]?(?P<year>元|\d{1,2}|不詳|不明)年?"
    r"(?:[.\-/]?(?P<month>\d{1,2}|不詳|不明)?月?(?:[.\-/]?(?P<day>\d{1,2}|不詳|不明|元)?日?)?)?(?P<rest>.*)$",
    re.ASCII,
)
_WESTERN_FORM = re.compile(
    r"^(?P<year>\d{4})(?:[.\-/年](?P<month>\d{1,2}|不詳|不明)?月?(?:[.\-/]?(?P<day>\d{1,2}|不詳|不明)?日?)?)?(?P<rest>.*)$",
    re.ASCII,
)
_RAGGED_DIGITS = re.compile(r"^\D+(?:\d{3}|\d{5})$", re.ASCII)
"""R51231 may be 12/31 or 1/231: not for us to choose."""
_BEFORE = re.compile("^(?:生年月日|誕生日|西暦|紀元|AD|[:=])+")
_ABOUT = re.compile("^(?:約|およそ|推定|推測)[:]?")
_REST_OF_UNKNOWN = re.compile(
    r"^(?:年|月|日|頃|ころ|ごろ|不詳|不明|不祥|\((?:推定|頃|不詳|不明)\)|推定|生まれ|生れ|出生|生|現在|時点|付け?|以降|以前|[.\-/?])*$"
)


@lru_cache(maxsize=200_000)
def read_date(text: str, era: str = "") -> WrittenDate:
    """Read one written date.

    Never guesses an era: six digits without one are refused unless ``era`` (letter or name, as
    declared for the column) is given. An impossible day (30 February) is refused, not moved.

    >>> read_date("R5.4.1").value
    '2023-04-01'
    >>> read_date("昭和20年5月不詳").value
    '1945-05'
    >>> read_date("平成31年5月1日")
    WrittenDate(value='2019-05-01', doubts=('after_era',))
    """
    plain = _plain(text)
    if not plain:
        return WrittenDate(None, ("unknown",))
    if plain.isascii() and plain.isdigit():
        return _from_digits(plain, era)
    if _UNKNOWN_WORDS.match(plain):
        return WrittenDate(None, ("unknown",))
    if serial := _DECIMAL_SERIAL.match(plain):
        return _from_serial(serial.group(1))
    if groups := _CODED_GROUPS.match(plain):
        by_code = next(e for e in ERAS if e.code == groups["code"])
        return _in_era(by_code, *re.findall(r"\d\d?", plain[1:]))
    if (both := _BOTH_CALENDARS.match(plain)) and (found := _in_both_calendars(both)):
        return found
    return _from_words(plain)


def read_month(text: str, era: str = "") -> WrittenDate:
    """Read a written month (2024-05, 202405, R6.5, 令和6年5月, 50605) to YYYY-MM; a whole date gives its month."""
    plain = _plain(text)
    if of_year := _MONTH_OF_FISCAL_YEAR.match(plain):
        return _of_fiscal_year(of_year["year"], int(of_year["month"]), era)
    is_short = plain.isdigit() and len(plain) in (4, 5, 6)
    found = _month_from_digits(plain, era) if is_short else read_date(text, era)
    if found.value and len(found.value) >= 7:
        return WrittenDate(found.value[:7], tuple(d for d in found.doubts if d != "partial"))
    return WrittenDate(None, found.doubts if "unknown" in found.doubts else ("unreadable",))


_MONTH_OF_FISCAL_YEAR = re.compile(
    r"^(?P<year>\D*(?:\d{1,4}|元))年度[^\d月]{0,20}(?P<month>0?[1-9]|1[0-2])月?$", re.ASCII
)


def _of_fiscal_year(year: str, month: int, era: str) -> WrittenDate:
    """令和5年度_01月: January to March belong to the next calendar year."""
    april = read_date(f"{year}年4月", era)
    if not april.value:
        return april
    return WrittenDate(
        f"{int(april.value[:4]) + (month < 4):04d}-{month:02d}", tuple(d for d in april.doubts if d != "partial")
    )


_DAY_OF_YEAR = re.compile(r"^(?P<month>\d{1,2})[./\-月](?P<day>\d{1,2})日?$", re.ASCII)


def read_day_of_year(text: str) -> str | None:
    """A day printed without its year (4/9, 4月9日, 4.9(火)) as ISO 8601 had it, ``--04-09``; None for anything else.

    >>> read_day_of_year("4月9日(火)"), read_day_of_year("2024/4/9")
    ('--04-09', None)
    """
    found = _DAY_OF_YEAR.match(_plain(text))
    if not found or not (1 <= int(found["month"]) <= 12 and 1 <= int(found["day"]) <= 31):
        return None
    return f"--{int(found['month']):02d}-{int(found['day']):02d}"


def in_fiscal_year(day: str, year: str) -> str | None:
    """A ``--MM-DD`` in the fiscal year that begins on an ISO date; None where that year has no such day.

    >>> in_fiscal_year("--01-10", "2024-04-01"), in_fiscal_year("--02-29", "2024-04-01")
    ('2025-01-10', None)
    """
    written = f"{int(year[:4]) + (int(day[2:4]) < 4):04d}{day[1:]}"
    return read_date(written).value


def on_or_before(day: str, date: str) -> str | None:
    """A ``--MM-DD`` as the last such day up to an ISO date; None where that year has no such day.

    >>> on_or_before("--12-20", "2025-01-31"), on_or_before("--01-31", "2025-01-31")
    ('2024-12-20', '2025-01-31')
    """
    return read_date(f"{int(date[:4]) - (day[1:] > date[4:]):04d}{day[1:]}").value


def is_era(word: str) -> bool:
    """Whether a word names an era as ``read_date`` takes it."""
    return word in _BY_WORD


def first_day(value: str) -> dt.date:
    """The first day that an ISO date, month or year may mean."""
    return dt.date.fromisoformat(value + "-01-01"[len(value) - 10 :] if len(value) < 10 else value)


def _plain(text: str) -> str:
    """Half width, era ligatures spelt out, numerals in digits, without spaces, time of day and weekday."""
    plain = unicodedata.normalize("NFKC", without_invisible(text[:LONGEST])).strip().replace("’", "").replace("'", "")
    plain = _CLOCK.sub("", _WEEKDAY.sub("", plain.upper()).strip())
    plain = _WEEKDAY.sub("", plain)
    plain = _KANJI_NUMERAL.sub(lambda m: str(_kanji_number(m.group())), plain)
    plain = _THOUSANDS.sub("", plain.translate(_DASHES)).replace("、", ",")
    plain = re.sub(r"[\s_]", "", re.sub(r"(?<=\d)\s*[,\s]\s*(?=\d)", ".", plain)).replace(",", "")
    plain = _ERA_IN_LATIN.sub(lambda m: m.group()[0], plain)
    plain = _MARKED_UNKNOWN.sub("99", plain)
    plain = re.sub(r"^[(\[「【『〈《<](.+)[)\]」】』〉》>]$", r"\1", plain)
    return _BEFORE.sub("", plain) or plain


def _kanji_number(text: str) -> str:
    """Digits for a numeral in kanji: 二〇二四 2024, 二十三 23, 〇四 04."""
    plain = text.translate(FORMAL_DIGITS)
    if not re.search("[十百]", plain):
        return "".join(str("〇一二三四五六七八九".index(c.replace("零", "〇"))) for c in plain)
    total, digit = 0, 0
    for character in plain:
        if character in "十百":
            total += (digit or 1) * {"十": 10, "百": 100}[character]
            digit = 0
        else:
            digit = "〇一二三四五六七八九".index(character.replace("零", "〇"))
    return str(total + digit)


def _in_both_calendars(both: re.Match[str]) -> WrittenDate | None:
    """令和6(2024)年4月1日 and 2024年4月1日(令和6年4月1日): the second has to say the same as the first."""
    found = _from_words(both["one"] + both["rest"])
    other = read_date(both["other"])
    if found.value is None or other.value is None:
        return None
    shorter = min(len(found.value), len(other.value))
    agrees = found.value[:shorter] == other.value[:shorter]
    return found if agrees else WrittenDate(found.value, (*found.doubts, "calendars_differ"))


LONGEST = 60
"""Characters that are read; a date has fewer."""

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−ー－", "-") | {"．": ".", "。": ".", "・": ".", "･": "."})


def _from_digits(digits: str, era: str) -> WrittenDate:
    if re.fullmatch(r"0+|9{5,8}", digits):
        return WrittenDate(None, ("unknown",))
    if len(digits) == 8:
        if EARLIEST_YEAR <= int(digits[:4]) <= LATEST_YEAR:
            return _assemble(int(digits[:4]), digits[4:6], digits[6:], None)
        # 中間標準レイアウトの年号コードは2桁
        by_code = _era_by_code(digits[1]) if digits[0] == "0" else None
        return _in_era(by_code, digits[2:4], digits[4:6], digits[6:]) if by_code else _unreadable()
    if len(digits) == 7:
        by_code = _era_by_code(digits[0])
        return _in_era(by_code, digits[1:3], digits[3:5], digits[5:]) if by_code else _unreadable()
    if len(digits) == 6:
        declared = _BY_WORD.get(era)
        return _in_era(declared, digits[:2], digits[2:4], digits[4:]) if declared else WrittenDate(None, ("no_era",))
    return _from_serial(digits)


def _from_serial(digits: str) -> WrittenDate:
    if len(digits) <= 5 and int(digits) in EXCEL_SERIALS and len(digits) == 5:
        return WrittenDate((EXCEL_EPOCH + dt.timedelta(days=int(digits))).isoformat(), ("serial",))
    if len(digits) == 4 and EARLIEST_YEAR <= int(digits) <= LATEST_YEAR:
        return WrittenDate(digits, ("partial",))
    return _unreadable()


def _month_from_digits(digits: str, era: str) -> WrittenDate:
    if len(digits) == 6 and EARLIEST_YEAR <= int(digits[:4]) <= LATEST_YEAR:
        return _assemble(int(digits[:4]), digits[4:], "", None)
    if len(digits) == 5 and (by_code := _era_by_code(digits[0])):
        return _in_era(by_code, digits[1:3], digits[3:], "")
    if len(digits) == 4 and (declared := _BY_WORD.get(era)):
        return _in_era(declared, digits[:2], digits[2:], "")
    return _unreadable()


def _from_words(plain: str) -> WrittenDate:
    plain, is_about = _ABOUT.subn("", plain)
    found = _ERA_FORM.match(plain)
    western = None if found else _WESTERN_FORM.match(plain)
    parts = found or western
    rest = parts["rest"] or "" if parts else ""
    if parts is None or not _REST_OF_UNKNOWN.match(rest) or _RAGGED_DIGITS.match(plain):
        return _unreadable()
    month, day = parts["month"] or "", parts["day"] or ""
    if found:
        reading = _in_era(_BY_WORD[found["era"]], found["year"], month, day)
    else:
        reading = _assemble(int(parts["year"]), month, day, None)
    is_approximate = is_about or any(word in rest for word in ("頃", "ころ", "ごろ", "推定", "?", "以降", "以前"))
    return WrittenDate(reading.value, (*reading.doubts, "approximate")) if is_approximate else reading


def _in_era(era: Era, year: str, month: str, day: str) -> WrittenDate:
    if year in ("99", "00", "不詳", "不明"):
        return WrittenDate(None, ("unknown",))
    number = 1 if year == "元" else int(year)
    if number == 0:
        return WrittenDate(None, ("unknown",))
    return _assemble(era.begins.year + number - 1, month, day, era)


def _assemble(year: int, month: str, day: str, era: Era | None) -> WrittenDate:
    if year in (9999, 0):
        return WrittenDate(None, ("unknown",))
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return _unreadable()
    if month in ("", "99", "0", "00", "不詳", "不明"):
        # A day without its month says nothing; neither does 9 alone, which may be September.
        return WrittenDate(f"{year:04d}", ("partial",))
    if not 1 <= int(month) <= 12:
        return WrittenDate(None, ("impossible",))
    if day in ("", "99", "0", "00", "不詳", "不明"):
        return WrittenDate(f"{year:04d}-{int(month):02d}", ("partial",))
    try:
        date = dt.date(year, int(month), int(day))
    except ValueError:
        return WrittenDate(None, ("impossible",))
    return WrittenDate(date.isoformat(), _era_doubts(date, era))


def _era_doubts(date: dt.date, era: Era | None) -> tuple[str, ...]:
    """Systems printed 平成31年5月1日 for months after the change; that day is meant, and it is doubtful."""
    if date.year < 1873:
        return ("lunar",)
    if era is None:
        return ()
    if date < era.begins:
        return ("before_era",)
    following = ERAS[ERAS.index(era) + 1 :]
    return ("after_era",) if following and date >= following[0].begins else ()


def _era_by_code(code: str) -> Era | None:
    return next((era for era in ERAS if era.code == code), None)


def _unreadable() -> WrittenDate:
    return WrittenDate(None, ("unreadable",))


# The everyday shapes ------------------------------------------------------------------------------

_PLAIN_DATE = re.compile(
    r"^(?:([0-9]{4})[-/.年]|(明治|大正|昭和|平成|令和|[MTSHRmtshr])(元|[0-9]{1,2})[-/.年])([0-9]{1,2})[-/.月]([0-9]{1,2})日?$"
)
_MONTHS = {form: f"-{n:02d}-" for n in range(1, 13) for form in (str(n), f"{n:02d}")}
_DAYS = {form: f"{n:02d}" for n in range(1, 32) for form in (str(n), f"{n:02d}")}
_ERA_OF = {word: era for era in ERAS for word in (era.letter, era.letter.lower(), era.name, era.code)}
# Within these years of an era every day is in it, so that no boundary has to be compared.
_YEARS_WITHIN = {
    (word, form): str(era.begins.year - 1 + year)
    for word, era in _ERA_OF.items()
    for following in [ERAS[ERAS.index(era) + 1].begins.year if era is not ERAS[-1] else 2100]
    for year in range(2, following - era.begins.year + 1)
    if era.begins.year - 1 + year >= 1873 and year < 100
    for form in {str(year), f"{year:02d}"}
}


def plain_date(line: str) -> str | None:
    """What ``read_date`` gives for a day in an everyday shape, in half width; None for anything else, at a tenth of the time."""
    if line.isascii() and line.isdecimal():
        if len(line) == 8:
            year, month, day = line[:4], line[4:6], line[6:]
        elif len(line) == 7:
            year, month, day = _YEARS_WITHIN.get((line[0], line[1:3]), ""), line[3:5], line[5:]
        else:
            return None
    else:
        parts = _PLAIN_DATE.match(line)
        if parts is None:
            return None
        western, word, number, month, day = parts.groups()
        year = western or _YEARS_WITHIN.get((word, number), "")
    if month not in _MONTHS or day not in _DAYS or not "1873" <= year <= "2199":
        return None
    iso = year + _MONTHS[month] + _DAYS[day]
    if int(day) > 28:
        try:
            dt.date.fromisoformat(iso)
        except ValueError:
            return None
    return iso
