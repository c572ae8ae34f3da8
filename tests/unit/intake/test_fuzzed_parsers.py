"""Whatever bytes or words come, each parser answers or refuses in words; none of them falls over."""

from __future__ import annotations

import datetime as dt
import io
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strange_files import MAKERS
from test_layout_forms import FIXED, NAME, TOP, file
from test_protected_files import old_workbook, protected, workbook

from kodomo.configuration import Home
from kodomo.errors import ConfigurationFault, DeliveryRefused
from kodomo.intake.aes_zip import METHOD, aes_pieces
from kodomo.intake.cells import ColumnReader, joined_date
from kodomo.intake.delivery import Candidate, is_archive, take_in, unpack
from kodomo.intake.draft import draft_text
from kodomo.intake.draft_writing import Known
from kodomo.intake.header import combined
from kodomo.intake.layout import LayoutColumn, read_layout
from kodomo.intake.layout_check import check_layout
from kodomo.intake.layout_keys import COLUMN, ENCODINGS, FACT, FILE, RECORD, TYPES
from kodomo.intake.limits import Limits
from kodomo.intake.quarantine import RowFault
from kodomo.intake.read import Job, read_extract
from kodomo.intake.survey import survey

LITTLE = Limits(cell_characters=2_000, line_characters=50_000, unpacked_bytes=1 << 22, columns=60, rows=2_000)
QUICK = settings(max_examples=60)

FRAGMENTS = st.sampled_from([
    b"\r\n", b"\n", b",", b"\t", b'"', b";", b"\0", b"\x1a", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b$B", b"\x1b(B", b"\x8e", b"\x8f\xb0", b"=",
    "氏名".encode("cp932"), "氏名,生年月日".encode(), "山田".encode("euc_jp"), b"R5.4.1", b"000123", "合計".encode("cp932"), b"PK\x03\x04", b"1,234",
    "令和5年4月1日".encode(), b"\xa1\xa1", b"   ", b"-----",
])  # fmt: skip
BODIES = st.lists(FRAGMENTS | st.binary(max_size=8), max_size=60).map(b"".join)


def mutated(content: bytes) -> st.SearchStrategy[bytes]:
    """A file with a few bytes changed, cut or doubled."""
    change = st.tuples(st.integers(0, len(content) - 1), st.binary(max_size=6), st.integers(0, 40))

    def apply(changes: list[tuple[int, bytes, int]]) -> bytes:
        body = content
        for at, new, length in changes:
            body = body[:at] + new + body[at + length :]
        return body

    return st.lists(change, min_size=1, max_size=4).map(apply)


def read(tmp_path: Path, text: str, content: bytes) -> None:
    (tmp_path / "l.toml").write_text(TOP + text, encoding="utf-8")
    layout = read_layout(tmp_path / "l.toml")
    (tmp_path / "0.in").write_bytes(content)
    columns = frozenset(c.reference for c in layout.columns)
    job = Job(
        tmp_path / "0.in", "x.csv", layout, columns, frozenset(), b"k" * 32, dt.date(2026, 4, 1), LITTLE, password="pw"
    )
    try:
        read_extract(job)
    except DeliveryRefused as refusal:
        assert refusal.what and refusal.details["code"]


@QUICK
@given(
    body=BODIES,
    encoding=st.sampled_from(sorted(ENCODINGS)),
    delimiter=st.sampled_from([",", "\t", "|"]),
    rows=st.integers(0, 3),
    searched=st.booleans(),
)
def test_any_text_under_any_layout(tmp_path, body, encoding, delimiter, rows, searched):
    shape = {"encoding": encoding, "delimiter": delimiter, "header_rows": rows, "short_rows": searched, "junk": "^小計"}
    read(tmp_path, file(**shape, **({"find_header": True} if searched and rows else {})) + NAME, body)


@QUICK
@given(body=BODIES, counted=st.sampled_from(["byte", "character"]), length=st.sampled_from([0, 26]))
def test_any_fixed_width_text(tmp_path, body, counted, length):
    read(tmp_path, file(format="fixed", encoding="cp932", positions=counted, record_bytes=length) + FIXED, body)


@QUICK
@given(body=mutated(workbook()))
def test_any_workbook(tmp_path, body):
    read(tmp_path, file(format="xlsx", skip_top=2) + NAME, body)


@QUICK
@given(body=mutated(old_workbook()))
def test_any_old_workbook(tmp_path, body):
    read(tmp_path, file(format="xls", skip_top=2) + NAME, body)


@settings(QUICK, max_examples=15)
@given(body=mutated(protected(workbook(), "pw")))
def test_any_protected_workbook(tmp_path, body):
    read(tmp_path, file(format="xlsx", skip_top=2) + NAME, body)


@QUICK
@example(body=b"\xef\xbb\xbf\xbb\xb3\xc5\xc4\x8f\xb0")  # a mark of UTF-8 before what is none
@example(body=b"\x1b$B\x9f!")  # no character of JIS
@given(body=BODIES | mutated(workbook()) | mutated(old_workbook()))
def test_any_file_is_surveyed_and_drafted_or_refused(tmp_path, body):
    path = tmp_path / "x.csv"
    path.write_bytes(body)
    try:
        seen = survey(path, path.name, LITTLE)
    except DeliveryRefused:
        return
    drafted = tomllib.loads(draft_text(path.name, seen.told(), Known()))
    assert drafted["file"]["format"] == seen.format


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_strange_files_cut_off_anywhere_are_surveyed(make, tmp_path):
    content = make(tmp_path).path.read_bytes()
    for keep in range(0, len(content), max(len(content) // 12, 1)):
        path = tmp_path / "cut"
        path.write_bytes(content[:keep])
        try:
            tomllib.loads(draft_text("cut.csv", survey(path, "cut.csv", LITTLE).told(), Known()))
        except DeliveryRefused:
            continue


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/出欠_1.csv", "学籍番号,氏名\n" * 20)
        archive.writestr("b.csv", b"x")
    return out.getvalue()


@QUICK
@given(body=mutated(zipped()))
def test_any_archive(tmp_path, body):
    (tmp_path / "a.zip").write_bytes(body)
    home = Home(tmp_path)
    home.handover.mkdir(exist_ok=True)
    taken = take_in(Candidate(tmp_path / "a.zip", "a.zip"), home.handover / "0.in", LITTLE)
    try:
        for inner in unpack(taken, home.handover, LITTLE, "pw") if is_archive(taken) else ():
            inner.copy.shred()
    except DeliveryRefused as refusal:
        assert refusal.details["code"]
    finally:
        taken.copy.shred()


@QUICK
@given(body=st.binary(max_size=200), extra=st.binary(max_size=20), size=st.integers(0, 300))
def test_any_aes_entry(tmp_path, body, extra, size):
    path = tmp_path / "x"
    path.write_bytes(body)
    entry = zipfile.ZipInfo("x")
    entry.compress_type, entry.compress_size, entry.header_offset = METHOD, size, 0
    entry.extra = extra + b"\x01\x99\x07\x00\x02\x00AE\x03\x08\x00"
    with pytest.raises(DeliveryRefused):
        list(aes_pieces(path, entry, "x", "pw"))


WORDS = st.sampled_from(
    ["", "subject", "name", "氏名", "date", "csv", "^合計", "(", "{}", "0", "令和", "\\d", "identifier", "x" * 40]
)
VALUES = st.recursive(
    WORDS | st.integers(-3, 20) | st.booleans() | st.floats(allow_nan=False, width=16),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(WORDS, v, max_size=3),
    max_leaves=6,
)


def table(keys: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([k.name for k in keys]) | WORDS, VALUES, max_size=6)


@settings(QUICK, max_examples=200)
@example(file={}, record={}, columns=[{"part_of": [], "name": []}], facts=[], repeat="", people="")
@given(file=table(FILE), record=table(RECORD), columns=st.lists(table(COLUMN), max_size=3), facts=st.lists(table(FACT), max_size=2),
       repeat=VALUES, people=VALUES)  # fmt: skip
def test_any_layout_is_sound_or_told_what_is_wrong(tmp_path, file, record, columns, facts, repeat, people):
    body = {"source": "x", "caption": "x", "system": "x", "holder": "x", "lag_days": 0, "freshness_days": 1,
            "file": {"pattern": "*", "format": "csv", **file}, "record": record, "columns": columns, "facts": facts,
            "repeat": repeat, "people": people}  # fmt: skip
    assert all(isinstance(fault, str) for fault in check_layout(body))


@QUICK
@given(text=st.text(max_size=200))
def test_any_layout_file_is_read_or_told_what_is_wrong(tmp_path, text):
    (tmp_path / "l.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigurationFault):
        read_layout(tmp_path / "l.toml")


@settings(QUICK, max_examples=300)
@given(raw=st.text(max_size=30) | st.sampled_from(["R5.4.1", "１２", "△1,2", "(3)", "45017.25", '="01"', "#N/A", "〃"]), kind=st.sampled_from(sorted(TYPES)),
       other=st.sampled_from([None, "", "1"]), digits=st.sampled_from([0, 5]), century=st.sampled_from([0, 20]))  # fmt: skip
def test_any_cell_is_kept_or_is_a_fault(raw, kind, other, digits, century):
    column = LayoutColumn(
        "x", kind, codes={"1": "1"} if kind in ("code", "flag") else {}, other=other, digits=digits, century=century
    )
    reader = ColumnReader(column, LITTLE)
    reader.learn({raw})
    assert reader.memo[raw] is None or isinstance(reader.memo[raw], str | RowFault)


@settings(QUICK, max_examples=200)
@given(
    parts=st.lists(st.text("0123456789RHS令和元年月日 .-", max_size=6), min_size=2, max_size=4),
    kind=st.sampled_from(["date", "month"]),
    fiscal=st.booleans(),
)
def test_any_parts_of_a_date(parts, kind, fiscal):
    assert isinstance(joined_date(parts, LayoutColumn("x", kind, join=tuple(parts), fiscal=fiscal)), str)


@QUICK
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["", "氏名", "欠席", "1学期"]), min_size=1, max_size=6), min_size=1, max_size=4
    )
)
def test_any_header_of_several_rows_names_every_column(rows):
    assert len(combined(rows)) == (len(rows[0]) if len(rows) == 1 else max(map(len, rows)))
