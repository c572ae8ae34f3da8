"""みずき町: an invented town that prints its extracts unlike ひなた市; the how-to for a new municipality is walked on it."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

SURNAMES = [("三ツ木", "ミツギ"), ("葛西", "カサイ"), ("白鳥", "シラトリ"), ("狩野", "カノウ"), ("海老原", "エビハラ"), ("黒沢", "クロサワ"),
            ("槙", "マキ"), ("根岸", "ネギシ"), ("百瀬", "モモセ"), ("若狭", "ワカサ"), ("土井", "ドイ"), ("船橋", "フナバシ")]  # fmt: skip
GROWN = [
    ("孝明", "タカアキ"),
    ("光代", "ミツヨ"),
    ("信吾", "シンゴ"),
    ("美和", "ミワ"),
    ("啓介", "ケイスケ"),
    ("千恵", "チエ"),
]
SMALL = [
    ("樹", "イツキ"),
    ("咲", "サキ"),
    ("颯", "ハヤテ"),
    ("澪", "ミオ"),
    ("葵", "アオイ"),
    ("蓮", "レン"),
    ("杏", "アン"),
    ("奏", "カナデ"),
]
AREAS = ["字上野", "字下平", "大字水木", "字川端"]


@dataclass
class Resident:
    """One person of the town."""

    number: str
    household: str
    surname: tuple[str, str]
    given: tuple[str, str]
    born: dt.date
    sex: int
    relation: str
    address: str

    @property
    def is_child(self) -> bool:
        """Pupils of the elementary schools: born from 2013 to 2018."""
        return 2013 <= self.born.year <= 2018


def residents(households: int = 160, seed: int = 7) -> list[Resident]:
    """Families of one or two parents and up to three children."""
    rng = random.Random(seed)  # noqa: S311
    found: list[Resident] = []

    def add(
        household: str,
        surname: tuple[str, str],
        given: tuple[str, str],
        year: int,
        sex: int,
        relation: str,
        address: str,
    ) -> None:
        born = dt.date(year, rng.randrange(1, 13), rng.randrange(1, 29))
        found.append(
            Resident(f"{len(found) * 7 + 300101:010d}", household, surname, given, born, sex, relation, address)
        )

    for n in range(households):
        surname, address = (
            rng.choice(SURNAMES),
            f"みずき町{rng.choice(AREAS)}{rng.randrange(1, 400)}番地{rng.randrange(1, 9)}",
        )
        household = f"{n + 5000:06d}"
        add(household, surname, rng.choice(GROWN[::2]), rng.randrange(1970, 1992), 1, "世帯主", address)
        if rng.random() < 0.8:
            add(household, surname, rng.choice(GROWN[1::2]), rng.randrange(1972, 1994), 2, "妻", address)
        for given in rng.sample(SMALL, rng.randrange(0, 4)):
            add(household, surname, given, rng.randrange(2010, 2019), rng.choice((1, 2)), "子", address)
    return found


def write_extracts(folder: Path) -> dict[str, int]:
    """Write the three extracts; returns the number of rows of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    town = residents()
    children = [r for r in town if r.is_child]
    rows = {
        "住民台帳_R080401.txt": _register(folder / "住民台帳_R080401.txt", town),
        "月別欠席_令和7年度.xlsx": _absences(folder / "月別欠席_令和7年度.xlsx", children),
        "学童利用世帯_20260401.csv": _clubs(folder / "学童利用世帯_20260401.csv", town),
    }
    return rows


def _era(day: dt.date) -> tuple[str, int]:
    if day >= dt.date(2019, 5, 1):
        return "5", day.year - 2018
    return ("4", day.year - 1988) if day >= dt.date(1989, 1, 8) else ("3", day.year - 1925)


def _register(path: Path, town: list[Resident]) -> int:
    """Tab-separated UTF-16, names and kana in two columns each, the birth date in four, a line of units below the header."""
    head = [
        "宛名コード",
        "世帯コード",
        "氏",
        "名",
        "フリガナ氏",
        "フリガナ名",
        "元号",
        "年",
        "月",
        "日",
        "性別",
        "現住所",
        "続柄",
        "住民となった日",
    ]
    lines = [
        ["住民台帳 抽出"],
        ["抽出日 令和8年4月1日"],
        head,
        ["(10桁)", "(6桁)", *["(全角)"] * 4, *["(数字)"] * 4, "", "", "", "(和暦)"],
    ]
    for r in town:
        era, year = _era(r.born)
        lines.append([r.number, r.household, r.surname[0], r.given[0], r.surname[1], r.given[1], era, f"{year:02d}", f"{r.born.month:02d}",
                      f"{r.born.day:02d}", str(r.sex), r.address, r.relation, "令和2年4月1日"])  # fmt: skip
    lines.append(["以上"])
    path.write_bytes(b"\xff\xfe" + "".join("\t".join(line) + "\r\n" for line in lines).encode("utf-16-le"))
    return len(town)


def _absences(path: Path, children: list[Resident]) -> int:
    """One sheet for each school, the months side by side under a merged title, birth dates as true dates."""
    book = xlsxwriter.Workbook(str(path))
    day = book.add_format({"num_format": "yyyy/m/d"})
    months = [*range(4, 13), 1, 2, 3]
    for school, half in (("みずき小", children[::2]), ("川端小", children[1::2])):
        sheet = book.add_worksheet(school)
        sheet.write(0, 0, "令和7年度 月別欠席日数")
        for c, name in enumerate(["学籍番号", "児童氏名", "生年月日", "欠席日数"]):
            sheet.write(1, c, name)
        for c, month in enumerate(months):
            sheet.write(2, 3 + c, f"{month}月")
        for n, r in enumerate(half):
            sheet.write(3 + n, 0, f"{school[0]}{n + 101}")
            sheet.write(3 + n, 1, f"{r.surname[0]} {r.given[0]}")
            sheet.write_datetime(3 + n, 2, dt.datetime.combine(r.born, dt.time()), day)
            for c in range(12):
                sheet.write(3 + n, 3 + c, (n * 5 + c) % 4)
        sheet.write(3 + len(half), 0, "計")
    book.close()
    return len(children)


def _clubs(path: Path, town: list[Resident]) -> int:
    """Semicolons in CP932, one line for each household with up to three children."""
    lines = [
        "登録番号;保護者氏名;電話;利用開始日;" + ";".join(f"児童{n}氏名;児童{n}生年月日;児童{n}学年" for n in (1, 2, 3))
    ]
    households: dict[str, list[Resident]] = {}
    for r in town:
        households.setdefault(r.household, []).append(r)
    chosen = [h for h in households.values() if any(r.is_child for r in h)][:60]
    for n, members in enumerate(chosen):
        cells = [f"G{n + 1:03d}", f"{members[0].surname[0]} {members[0].given[0]}", "", f"2025/4/{n % 28 + 1}"]
        for at in range(3):
            young = [r for r in members if r.is_child]
            r = young[at] if at < len(young) else None
            cells += (
                [
                    f"{r.surname[0]}{r.given[0]}",
                    f"H{r.born.year - 1988}.{r.born.month}.{r.born.day}",
                    str(2025 - r.born.year - 6),
                ]
                if r
                else ["", "", ""]
            )
        lines.append(";".join(cells))
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("cp932"))
    return len(chosen)
