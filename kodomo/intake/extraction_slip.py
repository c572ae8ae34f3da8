"""The slip that comes with a delivery: of which day each file tells (identity side).

Twelve months of extracts come in one folder, and half of the files have no date in their names. The slip says it for each
of them, so that the whole folder is received in one go.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from kodomo.configuration import parse_date
from kodomo.errors import WrongUsage
from kodomo.intake.dates import read_date

OPTION = "--extracted-on"

COLUMNS = ("ファイル名", "抽出日")

LARGEST_BYTES = 1_000_000


@dataclass(frozen=True)
class Slip:
    """Days by file name, the first that fits; in a name ``*`` stands for anything.

    >>> Slip.of(dt.date(2026, 3, 31)).day("名簿.csv")
    datetime.date(2026, 3, 31)
    >>> Slip((("健診_*.csv", dt.date(2025, 6, 30)),)).day("受け渡し.zip/健診_R7.csv")
    datetime.date(2025, 6, 30)
    """

    days: tuple[tuple[str, dt.date], ...] = ()

    @classmethod
    def of(cls, day: dt.date) -> Slip:
        """One day for every file."""
        return cls((("*", day),))

    def day(self, name: str) -> dt.date | None:
        """The day of a delivered file, or of one in an archive, by its own name."""
        bare = _bare(name)
        return next((day for pattern, day in self.days if fnmatchcase(bare, pattern)), None)


def read_slip(said: str) -> Slip:
    """What ``--extracted-on`` says: a day for all files, or a slip (CSV with the columns ファイル名 and 抽出日).

    The slip may be in UTF-8 or as Excel writes it (CP932); a day in any notation.

    Raises:
        WrongUsage: neither a day nor a readable slip; every faulty row is named.
    """
    path = Path(said)
    if path.suffix.lower() != ".csv":
        return Slip.of(parse_date(said, OPTION))
    rows = list(csv.reader(io.StringIO(_text(path))))
    head = [unicodedata.normalize("NFKC", cell).strip() for cell in rows[0]] if rows else []
    if any(name not in head for name in COLUMNS):
        raise _fault(path, f"1 行目に「{COLUMNS[0]}」と「{COLUMNS[1]}」の見出しがありません。")
    days = list(_days(rows, *map(head.index, COLUMNS)))
    faulty = [str(number) for number, name, day in days if not name or day is None]
    if faulty:
        raise _fault(path, f"{'、'.join(faulty[:20])} 行目: ファイル名がないか、抽出日が日付ではありません。")
    return Slip(tuple((name, day) for _, name, day in days if day))


def _days(rows: list[list[str]], name: int, day: int) -> Iterator[tuple[int, str, dt.date | None]]:
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        said, written = (row[at].strip() if at < len(row) else "" for at in (name, day))
        iso = (read_date(written).value if written else None) or ""
        yield number, _bare(said), dt.date.fromisoformat(iso) if len(iso) == len("2026-03-31") else None


def _bare(name: str) -> str:
    return PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise _fault(path, "大きすぎて、受渡票とは思えません。")
        body = path.read_bytes()
    except OSError as fault:
        raise _fault(path, "ファイルがないか、開けません。") from fault
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _fault(path, "文字コードが UTF-8 でも Shift_JIS でもありません。")


def _fault(path: Path, what: str) -> WrongUsage:
    return WrongUsage(
        f"受渡票を読めません。{what}", where=f"{OPTION} {path}",
        then="「ファイル名,抽出日」の二列の CSV にしてください(例: 定期健康診断_2024.csv,2024-06-30)。ファイル名の * は、どんな文字にも当てはまります。",
    )  # fmt: skip
