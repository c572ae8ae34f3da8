"""Many rows at once are the rows that come one by one, whatever stands between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kodomo.intake import text_rows
from kodomo.intake.layout import FileShape, Layout
from kodomo.intake.limits import LIMITS
from kodomo.intake.quarantine import RowFault
from kodomo.intake.sheets import Chunk, Sheet

LINES = st.sampled_from(
    ["1,山田,a", "2,佐藤,b", "3,鈴木,c,", "4,高橋,d,,", "5,短い", "6,長,い,x", "", ",,", '7,"二行\nの名",e', '8,"二行\n,だけ"', '9,"閉じない,f',
     '10,"中に""引用",g', '11,半"端,h', "\n", "合計,2,", "番号,氏名,印"]
)  # fmt: skip


LAYOUT = Layout("x", "見本", "", "office", "MEDIA", 0, 100, None, FileShape("*.csv", "csv", "utf-8", footer="^合計"), "observations", "", (), (), (), Path("x.toml"))  # fmt: skip


def read(folder: Path, lines: list[str], *, short_rows: bool = False) -> tuple[Chunk, Sheet, int]:
    """All rows of a file, and how often some of them came."""
    path = folder / "x.csv"
    path.write_text("\n".join(["番号,氏名,印", *lines, ""]), encoding="utf-8")
    layout = replace(LAYOUT, file=replace(LAYOUT.file, short_rows=short_rows))
    sheet = text_rows.open_text(path, layout, path.name, LIMITS)
    whole, times = Chunk(), 0
    for chunk in sheet.chunks:
        whole, times = whole.with_next(chunk), times + 1
    return whole, sheet, times


@given(st.lists(LINES, max_size=40), st.booleans(), st.sampled_from([1, 3, 8]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_at_once_are_those_that_come_one_by_one(tmp_path, lines, short_rows, reach):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_rows._TextRows, "_quick", lambda self, width: [])
        alone, sheet, _ = read(tmp_path, lines, short_rows=short_rows)
        told = (alone, sheet.last, sheet.blank_rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_rows, "CHUNK_ROWS", reach)
        patch.setattr(text_rows, "SLOW_START", 1)
        together, sheet, _ = read(tmp_path, lines, short_rows=short_rows)
        assert (together, sheet.last, sheet.blank_rows) == told


def test_faulty_rows_here_and_there_don_t_part_the_others(tmp_path):
    """A register with one bad row in three hundred was read, each time from there on, three hundred times over."""
    lines = [f"{n},山田,a" if n % 300 else f"{n},山田" for n in range(1, 60_001)]
    whole, sheet, times = read(tmp_path, lines)
    assert (len(whole.rows), len(whole.faults), sheet.last) == (59_800, 200, 60_000)
    assert whole.faults[:2] == [(300, "(行全体)", RowFault.CELL_COUNT), (600, "(行全体)", RowFault.CELL_COUNT)]
    assert times <= 5
