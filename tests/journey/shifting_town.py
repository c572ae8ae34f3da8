"""A town of a dozen people whose offices tell things late, wrongly, otherwise, and back again (for tests).

Every file is printed in the very shape ひなた市's systems print. Names and numbers never change, so that
who is who is never in doubt; everything else may.
"""

from __future__ import annotations

import datetime as dt
import random
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from handmade import write_extract

from kodomo.configuration import Home, Municipality
from kodomo.intake.layout import Layout, read_layouts
from kodomo.intake.read import read_extract
from kodomo.intake.receive import receive
from kodomo.linkage.publish import publish_children
from kodomo.linkage.run import link_people
from kodomo.store.database import Snapshot, Store
from kodomo.vault import people, records
from kodomo.vault.database import open_vault

AT = dt.datetime(2026, 11, 2, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))
FIRST = dt.date(2026, 1, 5)
Row = dict[str, str]

NAMES = {
    "0000000101": ("有田 霞", "ｱﾘﾀ ｶｽﾐ"), "0000000102": ("有田 駿", "ｱﾘﾀ ｼｭﾝ"), "0000000103": ("有田 凪", "ｱﾘﾀ ﾅｷﾞ"),
    "0000000201": ("双葉 健", "ﾌﾀﾊﾞ ｹﾝ"), "0000000202": ("双葉 舞", "ﾌﾀﾊﾞ ﾏｲ"), "0000000203": ("双葉 葵", "ﾌﾀﾊﾞ ｱｵｲ"),
    "0000000301": ("若宮 守", "ﾜｶﾐﾔ ﾏﾓﾙ"), "0000000302": ("若宮 灯", "ﾜｶﾐﾔ ｱｶﾘ"), "0000000303": ("若宮 律", "ﾜｶﾐﾔ ﾘﾂ"),
    "0000000304": ("若宮 樹", "ﾜｶﾐﾔ ｲﾂｷ"),
}  # fmt: skip
BORN = {
    "0000000101": ("S62.1.15", "S63.1.15"), "0000000102": ("H27.11.2", "H26.11.2"), "0000000103": ("R3.2.28", "R3.12.28"),
    "0000000201": ("S58.3.4", "S59.3.4"), "0000000202": ("S60.5.6", "S61.5.6"), "0000000203": ("H25.8.20", "H26.3.20"),
    "0000000301": ("S30.7.7", "S31.7.7"), "0000000302": ("H7.7.7", "H8.7.7"), "0000000303": ("R4.1.10", "R2.1.10"),
    "0000000304": ("H5.5.5", "H4.5.5"),
}  # fmt: skip
PLACES = {"世帯主": 3, "妻": 1, "子": 6, "子の子": 2, "妻の子": 1, "同居人": 1}
NEWCOMERS = ("2", "7")
"""Places in ``NAMES`` of a child and a grown-up whom the register lists only later; others may name them before."""
CHILDREN = ("0000000102", "0000000103", "0000000203", "0000000303")
GROWN = tuple(n for n in NAMES if n not in CHILDREN)
RELATION = {"101": "世帯主", "201": "世帯主", "202": "妻", "301": "世帯主", "303": "子の子"}


@dataclass
class Town:
    """Draws the deliveries of one town; the same seed gives the same deliveries."""

    seed: int
    layouts: dict[str, Layout]
    rng: random.Random = field(init=False)
    records: dict[str, dict[str, list[Row]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"town {self.seed}")  # noqa: S311  (drawn for tests)

    def deliveries(self, count: int = 4) -> list[tuple[dt.date, dict[str, list[Row]]]]:
        """Days of extraction, oldest first, and what each source's file holds; the first is everybody's."""
        days = sorted(self.rng.sample(range(20, 170), count))
        found = [(FIRST, {source: self._print(source, FIRST, everything=True) for source in SOURCES})]
        for offset in days:
            day = FIRST + dt.timedelta(days=offset)
            chosen = [s for s in SOURCES if self.rng.random() < 0.75] or ["resident_register"]
            files = {source: self._print(source, day) for source in chosen}
            found.append((day, {source: rows for source, rows in files.items() if rows}))
        return found

    def write(self, delivery: tuple[dt.date, dict[str, list[Row]]], folder: Path) -> Path:
        """One delivery's files, in a folder of their own."""
        day, files = delivery
        target = folder / f"{day:%Y%m%d}"
        for source, rows in files.items():
            write_extract(self.layouts[source], rows, target, f"{day:%Y%m%d}")
        return target

    def _print(self, source: str, day: dt.date, *, everything: bool = False) -> list[Row]:
        """Each record as it was, otherwise than before, as it was once before, or not at all; and new ones."""
        told = self.records.setdefault(source, {})
        for key in [str(n) for n in range(SOURCES[source][1])]:
            versions = told.setdefault(key, [])
            luck = self.rng.random()
            if source == "resident_register" and key in NEWCOMERS and everything:
                continue
            if everything and (luck < 0.8 or source == "resident_register"):
                versions[:] = [self._row(source, int(key), day)]
            elif versions and luck < 0.35:
                versions.append(self._row(source, int(key), day, versions[-1]))
            elif len(versions) > 1 and luck < 0.5:
                versions.append(versions[-2])
            elif not versions and luck < 0.6:
                versions.append(self._row(source, int(key), day))
        rows = [v[-1] for v in told.values() if v and (everything or self.rng.random() < 0.8)]
        if rows and self.rng.random() < 0.3:
            again = self.rng.choice(rows)  # told twice in one file, sometimes otherwise
            rows.insert(0, self._changed(source, again, day) if self.rng.random() < 0.5 else again)
        return rows

    def _row(self, source: str, key: int, day: dt.date, before: Row | None = None) -> Row:
        return self._changed(source, before, day) if before else SOURCES[source][0](self, key, day)

    def _changed(self, source: str, row: Row, day: dt.date) -> Row:
        """The same record with one cell otherwise; what names it stays."""
        choices = SOURCES[source][2]
        name = self.rng.choice(sorted(choices))
        return {**row, name: choices[name](self, row, day)}

    def day(self, day: dt.date, back: int = 90) -> str:
        """A date before the delivery, as printed."""
        return (day - dt.timedelta(days=self.rng.randrange(back))).strftime("%Y-%m-%d")

    def maybe_day(self, day: dt.date, back: int = 90) -> str:
        """Half the time blank."""
        return self.day(day, back) if self.rng.random() < 0.5 else ""

    def resident(self, key: int, day: dt.date) -> Row:
        number = list(NAMES)[key]
        name, kana = NAMES[number]
        return {
            "宛名番号": number, "世帯番号": f"50000{number[-3]}", "氏名": name, "氏名ｶﾅ": kana, "生年月日": BORN[number][0],
            "性別": "2", "住所": "架空県ひなた市中央町1丁目2番3号", "続柄": RELATION.get(number[-3:], "子"), "国籍区分": "1",
            "支援措置区分": "0", "住民となった日": BORN[number][0], "住民となった事由": "出生",
        }  # fmt: skip

    def move(self, key: int, day: dt.date) -> Row:
        listed = [n for k, n in enumerate(NAMES) if self.records["resident_register"].get(str(k))]
        number = self.rng.choice(listed)
        name, kana = NAMES[number]
        return {
            "履歴番号": str(key + 1), "宛名番号": number, "異動日": self.day(day, 200), "届出日": self.maybe_day(day, 60),
            "異動事由": self.rng.choice(("30", "40", "40", "20", "60", "10")), "世帯番号": self.household(), "続柄": self.place(),
            "氏名": name, "カナ": kana, "異動後住所": "架空県ひなた市中央町1丁目9番1号",
        }  # fmt: skip

    def household(self) -> str:
        return self.rng.choice(("500001", "500002", "500003", "500004"))

    def place(self) -> str:
        return self.rng.choices(list(PLACES), list(PLACES.values()))[0]

    def allowance(self, key: int, day: dt.date) -> Row:
        child, guardian = self.rng.choice(CHILDREN), self.rng.choice(GROWN)
        return {
            "認定番号": f"A{key}", "宛名番号": guardian, "氏名": NAMES[guardian][0], "児童宛名番号": child,
            "氏名#2": NAMES[child][0], "児童との続柄": self.rng.choice(("父", "母", "祖父")), "支給開始年月日": "2025-06-01",
            "支給終了年月日": "", "処理日": self.day(day, 200),
        }  # fmt: skip

    def aid(self, key: int, day: dt.date) -> Row:
        child, guardian = self.rng.choice(CHILDREN), self.rng.choice(GROWN)
        return {
            "証書番号": f"R{key}", "受給者宛名番号": guardian, "受給者氏名": NAMES[guardian][0], "対象児童宛名番号": child,
            "対象児童氏名": NAMES[child][0], "支給区分": self.rng.choice("123"), "支給開始": "2025-08-01", "支給終了": "",
            "認定日": self.day(day, 200),
        }  # fmt: skip

    def case(self, key: int, day: dt.date) -> Row:
        child = self.rng.choice(CHILDREN)
        return {
            "ケースNo": f"C{key}", "宛名番号": child, "児童氏名": NAMES[child][0], "区分": "要支援", "主たる課題": "不登校",
            "登録日": self.day(day, 120), "終結日": "",
        }  # fmt: skip

    def consultation(self, key: int, day: dt.date) -> Row:
        child = self.rng.choice(CHILDREN)
        return {
            "受付番号": f"J{key}", "受付日": self.day(day, 150), "宛名番号": child, "児童氏名": NAMES[child][0],
            "相談種別": "03", "入力日": self.maybe_day(day, 100),
        }  # fmt: skip

    def checkup(self, key: int, day: dt.date) -> Row:
        child, mother = self.rng.choice(CHILDREN), self.rng.choice(GROWN)
        return {
            "健診番号": f"K{key}", "宛名番号": child, "児氏名": NAMES[child][0], "母宛名番号": mother, "母氏名": NAMES[mother][0],
            "健診種別": self.rng.choice(("04", "18", "36")), "健診日": self.day(day, 300), "受診区分": "1", "総合判定": "A",
            "未処置歯数": "2", "入力日": self.maybe_day(day, 100),
        }  # fmt: skip


Change = Any
SOURCES: dict[str, tuple[Any, int, dict[str, Change]]] = {
    "resident_register": (Town.resident, len(NAMES), {
        "世帯番号": lambda t, r, d: t.household(), "続柄": lambda t, r, d: t.place(), "性別": lambda t, r, d: t.rng.choice("12"),
        "生年月日": lambda t, r, d: t.rng.choice(BORN[r["宛名番号"]]), "国籍区分": lambda t, r, d: t.rng.choice("12"),
        "消除日": lambda t, r, d: t.maybe_day(d), "住民となった日": lambda t, r, d: t.day(d, 400),
        "住民となった事由": lambda t, r, d: t.rng.choice(("転入", "出生")),
    }),
    "resident_moves": (Town.move, 7, {
        "異動日": lambda t, r, d: t.day(d, 200), "届出日": lambda t, r, d: t.maybe_day(d, 60), "続柄": lambda t, r, d: t.place(),
        "世帯番号": lambda t, r, d: t.household(), "異動事由": lambda t, r, d: t.rng.choice(("30", "40", "20", "10")),
    }),
    "child_allowance": (Town.allowance, 4, {
        "支給終了年月日": lambda t, r, d: t.maybe_day(d), "処理日": lambda t, r, d: t.maybe_day(d, 200),
        "児童との続柄": lambda t, r, d: t.rng.choice(("父", "母", "祖父")),
    }),
    "child_rearing_allowance": (Town.aid, 3, {
        "支給区分": lambda t, r, d: t.rng.choice("123"), "支給終了": lambda t, r, d: t.maybe_day(d), "認定日": lambda t, r, d: t.maybe_day(d),
    }),
    "council_registration": (Town.case, 4, {
        "主たる課題": lambda t, r, d: t.rng.choice(("不登校", "貧困", "虐待")), "終結日": lambda t, r, d: t.maybe_day(d),
        "登録日": lambda t, r, d: t.day(d, 200),
    }),
    "child_consultation": (Town.consultation, 4, {
        "受付日": lambda t, r, d: t.day(d, 200), "相談種別": lambda t, r, d: t.rng.choice(("01", "03")),
        "入力日": lambda t, r, d: t.maybe_day(d),
    }),
    "infant_checkup": (Town.checkup, 5, {
        "総合判定": lambda t, r, d: t.rng.choice(("A", "B", "")), "未処置歯数": lambda t, r, d: t.rng.choice(("0", "3", "")),
        "受診区分": lambda t, r, d: t.rng.choice("01"), "健診日": lambda t, r, d: t.day(d, 300),
    }),
}  # fmt: skip


def walk(home: Home, municipality: Municipality, folders: list[Path]) -> Snapshot:
    """Receive folders in the given order, link, publish; each file is read in this process."""
    given: dict[str, Any] = {"home": home, "municipality": municipality, "by": "試験"}
    with mock.patch("kodomo.intake.receive.readers", lambda: nullcontext(read_extract)):
        for number, folder in enumerate(folders):
            told = receive([folder], at=AT + dt.timedelta(minutes=number), **given)
            for delivery in told["deliveries"]:
                assert delivery["state"] == "landed" or delivery["code"] == "no_row", delivery
    link_people(at=AT + dt.timedelta(hours=1), **given)
    publish_children(at=AT + dt.timedelta(hours=2), **given)
    snapshot = Store(home.store).current("snapshots")
    assert snapshot is not None
    return snapshot


def numbers(home: Home) -> dict[str, str]:
    """Resident number of each person key: what two homes have in common."""
    keyring = open_vault(home)
    links = people.open_run(home, keyring, people.require_run(), "links").to_pylist()
    mentions = records.landed_mentions(home, keyring).to_pylist()
    place = {(m["receipt"], m["row"], m["role"]): m["resident_number"] for m in mentions}
    found = {line["person_number"]: place[line["receipt"], line["row"], line["role"]] for line in links}
    return {keyring.pseudonym("p", n): number for n, number in found.items() if n is not None and number}


def town(seed: int, municipality: Municipality) -> Town:
    """A town over the municipality's own layouts."""
    return Town(seed, read_layouts(municipality.folder))
