"""Files of towns that print nothing like ひなた市 does, each with what is true about it. Written apart from the guesser."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import xlsxwriter

FAMILY = [
    "甲斐野",
    "鵜戸",
    "薬袋",
    "小鳥遊",
    "月見里",
    "栗花落",
    "四月朔日",
    "五百旗頭",
    "東海林",
    "一口",
    "鬼頭",
    "服部部",
]
GIVEN = ["あかり", "凪", "湊斗", "紬", "蒼空", "柚葉", "律", "陽向", "朝陽", "結月", "琉生", "芽衣子"]
KANA = [
    "カイノ",
    "ウト",
    "ミナイ",
    "タカナシ",
    "ヤマナシ",
    "ツユリ",
    "ワタヌキ",
    "イオキベ",
    "ショウジ",
    "イモアライ",
    "キトウ",
    "ハットリベ",
]
GIVEN_KANA = [
    "アカリ",
    "ナギ",
    "ミナト",
    "ツムギ",
    "ソラ",
    "ユズハ",
    "リツ",
    "ヒナタ",
    "アサヒ",
    "ユヅキ",
    "ルイ",
    "メイコ",
]
TOWN = ["鶴見沢", "百舌鳥台", "蛇ノ目", "十六島", "艫作", "喜連瓜破"]


@dataclass
class Person:
    """One invented child."""

    number: str
    family: str
    given: str
    kana: str
    given_kana: str
    year: int
    month: int
    day: int
    sex: int
    address: str

    @property
    def reiwa(self) -> str:
        """Birth date in words of its era."""
        if (self.year, self.month) >= (2019, 5):
            return f"令和{'元' if self.year == 2019 else self.year - 2018}年{self.month}月{self.day}日"
        return f"平成{self.year - 1988}年{self.month}月{self.day}日"


def people(count: int, seed: int) -> list[Person]:
    rng = random.Random(seed)  # noqa: S311
    found = []
    for n in range(count):
        f, g = rng.randrange(len(FAMILY)), rng.randrange(len(GIVEN))
        found.append(Person(
            f"{rng.randrange(10**5, 10**8):010d}"[:10] if n else "0000100200", FAMILY[f], GIVEN[g], KANA[f], GIVEN_KANA[g],
            rng.randrange(2009, 2024), rng.randrange(1, 13), rng.randrange(1, 29), rng.choice((1, 2)),
            f"{rng.choice(TOWN)}{rng.randrange(1, 9)}丁目{rng.randrange(1, 40)}番{rng.randrange(1, 30)}号",
        ))  # fmt: skip
    return found


@dataclass
class Truth:
    """What a draft must find. ``fields`` maps a column's reference to (person, field)."""

    path: Path
    rows: int
    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    skip_top: int = 0
    header_rows: int = 1
    skip_below: int = 0
    dates: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    readable: bool = True
    """Whether the draft, once its marks are filled in, reads every row."""


def secrets_of(given: list[Person]) -> list[str]:
    return sorted(
        {p.family for p in given} | {p.given for p in given if len(p.given) > 1} | {p.number for p in given} | set(TOWN)
    )


def lines(rows: list[list[str]], delimiter: str, quote: bool = True, end: str = "\r\n") -> str:
    if not quote:
        return "".join(delimiter.join(row) + end for row in rows)
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def headerless_semicolons(folder: Path) -> Truth:
    given = people(120, 1)
    rows = [
        [
            p.number,
            f"{p.family} {p.given}",
            f"{p.kana} {p.given_kana}",
            f"{p.year}{p.month:02}{p.day:02}",
            str(p.sex),
            p.address,
        ]
        for p in given
    ]
    path = folder / "DL0042.txt"
    path.write_bytes(lines(rows, ";").encode("euc_jp"))
    return Truth(path, 120, encoding="euc-jp", delimiter=";", header_rows=0, dates=("列4",), identifiers=("列1",),
                 fields={"列2": ("subject", "name"), "列3": ("subject", "name_kana"), "列4": ("subject", "born_on"),
                         "列6": ("subject", "address")}, secrets=secrets_of(given))  # fmt: skip


def unquoted_pipes_with_units(folder: Path) -> Truth:
    given = people(90, 2)
    rows = [["園児出席簿"], ["出力 令和8年4月3日"], ["園児コード", "園児氏名", "誕生日", "登園日数", "欠席日数", "備考"],
            ["(10桁)", "(全角)", "(和暦)", "(日)", "(日)", ""]]  # fmt: skip
    for at, p in enumerate(given):
        if at in (30, 60):
            rows.append(["小計", "", "", "300", "12", ""])
        rows.append(
            [p.number, f"{p.family}　{p.given}", p.reiwa, str(20 - at % 4), str(at % 4), '"様子見' if at == 5 else ""]
        )
    rows.append(["合計", "", "", "1800", "135", ""])
    path = folder / "出席簿R8.csv"
    path.write_bytes(b"\xff\xfe" + lines(rows, "|", quote=False).encode("utf-16-le"))
    return Truth(path, 90, encoding="utf-16", delimiter="|", skip_top=2, skip_below=1, dates=("誕生日",), identifiers=("園児コード",),
                 fields={"園児氏名": ("subject", "name"), "誕生日": ("subject", "born_on")}, secrets=secrets_of(given), readable=False)  # fmt: skip


def class_sheets(folder: Path) -> Truth:
    given = people(60, 3)
    path = folder / "学級別一覧.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("表紙").write(0, 0, "学級別一覧")
    for sheet_at, title in enumerate(("1組", "2組", "3組")):
        sheet = book.add_worksheet(title)
        sheet.write(0, 1, "令和8年度 学級別一覧")
        for c, name in enumerate(["", "児童生徒氏名", "ふりがな", "生年月日", "1学期", "", "2学期", ""]):
            sheet.write(2, c, name)
        for c, name in ((4, "欠席"), (5, "遅刻"), (6, "欠席"), (7, "遅刻")):
            sheet.write(3, c, name)
        for r, p in enumerate(given[sheet_at * 20 : sheet_at * 20 + 20]):
            serial = (p.year - 1900) * 365 + 20_000  # only its five digits matter
            for c, value in enumerate(
                ["", f"{p.family} {p.given}", f"{p.kana} {p.given_kana}", 39_000 + serial % 5_000, r % 5, r % 2, 0, 1]
            ):
                sheet.write(4 + r, c, value)
        sheet.write(24, 1, "計")
        sheet.write(24, 4, 40)
    book.close()
    return Truth(path, 20, format="xlsx", encoding="", delimiter="", skip_top=2, header_rows=2, dates=("生年月日",),
                 fields={"児童生徒氏名": ("subject", "name"), "ふりがな": ("subject", "name_kana"), "生年月日": ("subject", "born_on")},
                 secrets=secrets_of(given))  # fmt: skip


def wide_months(folder: Path) -> Truth:
    given = people(80, 4)
    months = [f"{m}月" for m in (*range(4, 13), 1, 2, 3)]
    rows = [["令和7年度 月別欠席一覧"], [], ["生徒番号", "氏名", *months, "合計"]]
    rows += [
        [f"{26000 + n:06d}", f"{p.family}　{p.given}", *[str((n + m) % 4) for m in range(12)], "18"]
        for n, p in enumerate(given)
    ]
    path = folder / "kesseki_r7.tsv"
    path.write_bytes(lines(rows, "\t").encode("cp932"))
    return Truth(path, 80, format="tsv", encoding="cp932", delimiter="\t", skip_top=2, identifiers=("生徒番号",),
                 fields={"生徒番号": ("subject", "own_number"), "氏名": ("subject", "name")}, secrets=secrets_of(given))  # fmt: skip


def fixed_bytes(folder: Path) -> Truth:
    given = people(70, 5)
    body = b""
    for p in given:
        code = f"5{p.year - 2018:02}" if p.year > 2019 else f"4{p.year - 1988:02}"
        body += (
            p.number.encode()
            + f"{p.family}　{p.given}".encode("cp932").ljust(24)
            + f"{code}{p.month:02}{p.day:02}".encode()
            + str(p.sex).encode()
            + b"\r\n"
        )
    path = folder / "JUKI.DAT.txt"
    path.write_bytes(body)
    return Truth(
        path,
        70,
        format="fixed",
        encoding="cp932",
        delimiter="",
        header_rows=0,
        secrets=secrets_of(given),
        readable=False,
    )


def parts_in_columns(folder: Path) -> Truth:
    given = people(100, 6)
    rows = [
        [
            "庁内コード",
            "姓",
            "名",
            "セイ",
            "メイ",
            "性別",
            "元号",
            "年",
            "月",
            "日",
            "市区町村",
            "町名",
            "番地",
            "転入届出年月日",
            "備考欄",
        ]
    ]
    for p in given:
        row = [p.number, p.family, p.given, p.kana, p.given_kana, "男" if p.sex == 1 else "女", "R" if p.year > 2019 else "H",
               str(p.year - 2018 if p.year > 2019 else p.year - 1988), str(p.month), str(p.day), "架空市", p.address[:3], "12-3", f"R8.{p.month}.{p.day}"]  # fmt: skip
        rows.append(row)
    path = folder / "異動者.csv"
    path.write_bytes(b"\xef\xbb\xbf" + lines(rows, ",", end="\n").encode())
    return Truth(path, 100, dates=("転入届出年月日",), identifiers=("庁内コード",),
                 fields={"庁内コード": ("subject", "resident_number"), "姓": ("subject", "name"), "名": ("subject", "name"),
                         "セイ": ("subject", "name_kana"), "メイ": ("subject", "name_kana"), "性別": ("subject", "sex"),
                         "町名": ("subject", "address")}, secrets=secrets_of(given))  # fmt: skip


def mail_with_pages(folder: Path) -> Truth:
    given = people(75, 7)
    head = [
        "受付番号",
        "受付年月日",
        "お子様の氏名",
        "お子様の生年月日",
        "申請者氏名",
        "申請者との続柄",
        "同意",
        "判定区分",
    ]
    rows = [["様式第3号"]]
    for at, p in enumerate(given):
        if at % 25 == 0:
            rows.append(head)
        rows.append([f"第{at + 1:04d}号", f"令和8年{at % 12 + 1}月{at % 28 + 1}日", f"{p.family} {p.given}", f"{p.year}.{p.month}.{p.day}",
                     f"{p.family} 太一郎", "父", "○" if at % 3 else "×", "ABC"[at % 3]])  # fmt: skip
    rows.append(["以上"])
    path = folder / "sinsei.csv"
    path.write_bytes(lines(rows, ",").encode("iso-2022-jp"))
    return Truth(path, 75, encoding="iso-2022-jp", skip_top=1, dates=("受付年月日", "お子様の生年月日"), identifiers=("受付番号",),
                 fields={"お子様の氏名": ("subject", "name"), "お子様の生年月日": ("subject", "born_on"), "申請者氏名": ("guardian", "name")},
                 secrets=[*secrets_of(given), "太一郎"])  # fmt: skip


def lost_zeros_and_six_digits(folder: Path) -> Truth:
    given = people(110, 8)
    rows = [["宛名番号", "氏名", "フリガナ", "生年月日", "性別", "支給開始日", "認定区分"]]
    rows += [[str(int(p.number)), f"{p.family} {p.given}", f"{p.kana} {p.given_kana}", f"{p.year % 100:02}{p.month:02}{p.day:02}",
              "MF"[p.sex - 1], f"2025/{p.month}/{p.day}", ("甲", "乙", "丙")[at % 3]] for at, p in enumerate(given)]  # fmt: skip
    path = folder / "医療費_20260401.csv"
    path.write_bytes(lines(rows, ",").encode("cp932"))
    return Truth(path, 110, encoding="cp932", dates=("生年月日", "支給開始日"), identifiers=("宛名番号",),
                 fields={"宛名番号": ("subject", "resident_number"), "氏名": ("subject", "name"), "フリガナ": ("subject", "name_kana"),
                         "生年月日": ("subject", "born_on"), "性別": ("subject", "sex")}, secrets=secrets_of(given), readable=False)  # fmt: skip


def household_of_children(folder: Path) -> Truth:
    given = people(90, 9)
    head = ["世帯番号", "世帯主氏名", "世帯主カナ", "住所", "保護開始年月日"]
    head += [f"児童{n}{w}" for n in (1, 2, 3) for w in ("宛名番号", "氏名", "生年月日")]
    rows = [["要保護世帯台帳", ""], head]
    for at in range(0, 90, 3):
        trio = given[at : at + 3]
        cells = [c for p in trio for c in (p.number, f"{p.family} {p.given}", f"{p.year}/{p.month:02}/{p.day:02}")]
        cells = cells if at % 2 else [*cells[:6], "", "", ""]
        p = trio[0]
        rows.append(
            [
                f"{at + 700:08d}",
                f"{p.family} 権左衛門",
                f"{p.kana} ゴンザエモン",
                p.address,
                f"H{at % 10 + 20}.4.1",
                *cells,
            ]
        )
    path = folder / "世帯台帳.csv"
    path.write_bytes(lines(rows, ",").encode("cp932"))
    return Truth(path, 30, encoding="cp932", skip_top=1, dates=("保護開始年月日", "児童1生年月日", "児童3生年月日"),
                 identifiers=("世帯番号", "児童1宛名番号"),
                 fields={"世帯主氏名": ("household_head", "name"), "児童1氏名": ("subject", "name"), "児童2生年月日": ("subject", "born_on")},
                 secrets=[*secrets_of(given), "権左衛門"])  # fmt: skip


def newlines_and_namesakes(folder: Path) -> Truth:
    given = people(85, 10)
    rows = [
        ["相談記録票 一覧", "", "", ""],
        ["相談No", "相談年月日", "相談者氏名", "本人氏名", "本人生年月日", "主訴", "主訴", "相談記録"],
    ]
    for at, p in enumerate(given):
        rows.append([f"S{at:05d}", f"令和7年{at % 12 + 1}月{at % 28 + 1}日", f"{p.family} 祖母", f"{p.family} {p.given}", p.reiwa,
                     ("学習", "友人", "家庭")[at % 3], ("", "健康", "家庭")[at % 3], f"一行目\n{p.given}について\n三行目"])  # fmt: skip
    rows.append(["総件数", "85", "", "", "", "", "", ""])
    path = folder / "soudan-2026-04-01.csv"
    path.write_bytes(lines(rows, ",").encode("utf-8"))
    return Truth(path, 85, skip_top=1, dates=("相談年月日", "本人生年月日"), identifiers=("相談No",),
                 fields={"本人氏名": ("subject", "name"), "本人生年月日": ("subject", "born_on")}, secrets=secrets_of(given))  # fmt: skip


MAKERS: list[Callable[[Path], Truth]] = [
    headerless_semicolons, unquoted_pipes_with_units, class_sheets, wide_months, fixed_bytes, parts_in_columns, mail_with_pages,
    lost_zeros_and_six_digits, household_of_children, newlines_and_namesakes,
]  # fmt: skip
