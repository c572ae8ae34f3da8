"""A report tells what changed against the last delivery and what is worth a question; chance and months side by side are not."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from town import AT, absences_csv

from kodomo.intake.comparison import compare, series_of
from kodomo.intake.layout import read_layouts
from kodomo.intake.profile import shifts
from kodomo.vault.records import PEOPLE_STEP, ROWS


def rows(month: str, count: int, days, start: int = 0) -> list[str]:
    return [f"A{n},山田{n},{month},{days(n)},0" for n in range(start, start + count)]


def put(inbox: Path, name: str, lines: list[str]) -> Path:
    path = inbox / name
    path.write_bytes(absences_csv(*lines))
    return path


def test_added_changed_and_vanished_records_are_told_with_their_rows(deliver, inbox):
    put(inbox, "出欠_20260401.csv", rows("2026-03", 10, lambda n: n))
    assert deliver(inbox)["deliveries"][0]["against_last"] is None
    later = rows("2026-03", 12, lambda n: 9 if n == 3 else n)
    path = put(inbox, "出欠_20260501.csv", [row for n, row in enumerate(later) if n not in (5, 6)])
    (told,) = deliver(path, at=AT + dt.timedelta(days=30))["deliveries"]
    last = told["against_last"]
    assert {k: last[k] for k in ("added", "changed", "vanished", "same")} == {
        "added": 2,
        "changed": 1,
        "vanished": 2,
        "same": 7,
    }
    assert (last["changed_at"], last["vanished_at"]) == ([5], [7, 8])
    assert (last["changed_rows"], last["vanished_rows"], last["file"]) == ([4], [6, 7], "出欠_20260401.csv")
    page = Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")
    assert "なくなった記録" in page and "前回のファイルの 7、8 行目" in page
    assert "profile" not in json.loads(Path(told["report"]).read_text(encoding="utf-8"))


def test_a_row_of_several_people_is_told_once():
    def printed(content: bytes) -> pa.Table:
        numbers = [1, 2, 2 + PEOPLE_STEP, 3]
        return pa.table({"row": numbers, "identity": [b"%016d" % n for n in range(4)],
                         "content": [(content if n % PEOPLE_STEP == 2 else b"same").ljust(16) for n in numbers]}).cast(ROWS.schema())  # fmt: skip

    told = compare(printed(b"before"), printed(b"after"))
    assert (told["changed"], told["changed_rows"]) == (2, [2])


def test_months_side_by_side_are_not_called_vanished(deliver, inbox):
    put(inbox, "出欠_20260401.csv", rows("2026-03", 60, lambda n: 1))
    deliver(inbox)
    (told,) = deliver(put(inbox, "出欠_20260501.csv", rows("2026-04", 60, lambda n: 1)))["deliveries"]
    assert told["against_last"]["is_list"] is False and told["against_last"]["vanished"] == 0
    assert "月ごとに別の記録" in Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")


def test_an_old_file_that_comes_late_is_beside_the_one_before_it(deliver, inbox):
    for name, days in (("出欠_20260401.csv", 1), ("出欠_20260601.csv", 3)):
        deliver(put(inbox, name, rows("2026-03", 60, lambda n, d=days: d)))
    (told,) = deliver(put(inbox, "出欠_20260501.csv", rows("2026-03", 60, lambda n: 2)))["deliveries"]
    assert told["against_last"]["file"] == "出欠_20260401.csv" and told["against_last"]["changed"] == 60


def test_zeros_that_grow_are_a_question(deliver, inbox):
    put(inbox, "出欠_20260401.csv", rows("2026-03", 400, lambda n: n % 2))
    deliver(inbox)
    (told,) = deliver(put(inbox, "出欠_20260501.csv", rows("2026-04", 400, lambda n: 0 if n % 10 < 7 else 1)))[
        "deliveries"
    ]
    (shift,) = [s for s in told["shifts"] if s["column"] == "欠席"]
    assert (shift["what"], shift["before"], shift["now"]) == ("0", 0.5, 0.7)
    assert "「欠席」の0の割合が 50% から 70% に変わりました(40% 増えています)" in shift["question"]
    assert "確かめてほしいこと" in Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")


def test_stale_extract_is_a_question(deliver, inbox):
    put(inbox, "出欠_20260401.csv", rows("2026-03", 3, lambda n: 1))
    (told,) = deliver(inbox, at=AT + dt.timedelta(days=80))["deliveries"]
    assert told["freshness"] == {"age_days": 81, "freshness_days": 45, "is_fresh": False}
    assert "81 日たっています" in Path(told["report"]).with_suffix(".html").read_text(encoding="utf-8")


def test_series_goes_by_the_name_without_its_date(town):
    layout = read_layouts(town)["absences"]
    assert series_of("出欠_令和7年度_20260401.csv", layout) == "出欠_令和7年度_*.csv"
    assert series_of("出欠_x.csv", layout) == "出欠_x.csv"


def profile(count: int, zeros: int, blanks: int = 0, code: int = 0, mean: float = 2.0) -> dict:
    filled = count - blanks
    return {"rows": count, "blanks": {"欠席": blanks}, "meanings": {"区分": {"甲": code, "乙": count - code}},
            "figures": {"欠席": [filled, zeros, mean * filled, (mean * mean + 4) * filled]}}  # fmt: skip


@pytest.mark.parametrize(("before", "now", "what"), [
    (profile(500, 200), profile(500, 205), []), (profile(500, 200), profile(500, 300), ["0"]), (profile(40, 10), profile(40, 40), []),
    (profile(500, 200), profile(300, 120), ["rows"]), (profile(500, 200), profile(500, 180, blanks=100), ["空欄"]),
    (profile(500, 200, code=50), profile(500, 200, code=150), ["「乙」", "「甲」"]), (profile(500, 200), profile(500, 200, mean=5.0), ["平均"]),
    (profile(500, 0, code=0), profile(500, 0, code=60), ["「乙」", "「甲」"]), ({}, profile(500, 1), []),
])  # fmt: skip
def test_shifts_beyond_chance_and_size_are_told(before, now, what):
    assert [shift["what"] for shift in shifts(before, now)] == what


def test_chance_alone_asks_nothing():
    rng = random.Random(3)  # noqa: S311
    asked = 0
    for _ in range(300):
        draws = [[sum(rng.random() < 0.3 for _ in range(200)) for _ in range(2)] for _ in range(2)]
        before, now = (profile(200, zeros, code=code) for zeros, code in draws)
        asked += bool(shifts(before, now))
    assert asked <= 1


@settings(max_examples=100)
@given(
    n=st.integers(50, 3_000),
    m=st.integers(50, 3_000),
    k=st.integers(0, 50),
    j=st.integers(0, 50),
    mean=st.floats(0, 50),
)
def test_any_two_profiles_are_compared(n, m, k, j, mean):
    assert all(
        shift["question"]
        for shift in shifts(profile(n, k, blanks=0, code=j), profile(m, j, blanks=k, code=k, mean=mean))
    )
    same = shifts(profile(n, k, code=j), profile(n, k, code=j))
    assert same == []
