"""One entry is written anew and every other character stays; what can't be written safely is refused."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.errors import ConfigurationFault
from kodomo.governance.criteria_text import differences, entries, entry_of, with_entry, with_new_entry, with_top

TEXT = """\
# 見出し
version = "一"

# ── 不登校 ──

[[points]]
type = "不登校"
code = "a"
when = ["x >= 1"]   # 条件
points = 8

[[points]]
type = "不登校"
code = "b"
when = [
  "x >= 1",
  "y >= 2",
]
points = 2
# ── 貧困 ──

[[points]]
type = "貧困"
code = "c"
points = 1"""


def test_only_the_changed_line_changes() -> None:
    after = with_entry(TEXT, "points", "a", {"points": 2.5})
    changed = [(a, b) for a, b in zip(TEXT.splitlines(), after.splitlines(), strict=True) if a != b]
    assert changed == [("points = 8", "points = 2.5")]
    assert with_entry(TEXT, "points", "a", {"points": 8.0, "note": None}) == TEXT


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\u2029", "\x0b", "\x1d"])
def test_what_was_pasted_with_other_signs_of_a_new_line_can_be_changed_again(sign: str) -> None:
    pasted = with_entry(TEXT, "points", "a", {"rationale": f"一行目{sign}[[points]]"})
    assert with_entry(pasted, "points", "a", {"rationale": None}) == TEXT
    assert entry_of(with_entry(pasted, "points", "b", {"points": 3}), "points", "b") is not None


def test_a_key_comes_and_goes_inside_its_own_entry() -> None:
    on = with_entry(TEXT, "points", "b", {"is_off": True, "note": 'かぎ「"」と\\\n改行'})
    assert entry_of(on, "points", "b") == {
        **(entry_of(TEXT, "points", "b") or {}),
        "is_off": True,
        "note": 'かぎ「"」と\\\n改行',
    }
    assert on.index("is_off") < on.index("# ── 貧困 ──")
    assert with_entry(on, "points", "b", {"is_off": None, "note": None}) == TEXT
    last = with_entry(TEXT, "points", "c", {"note": "x"})
    assert last.endswith('points = 1\nnote = "x"\n')


def test_a_value_over_several_lines_is_refused_not_spoiled() -> None:
    with pytest.raises(ConfigurationFault, match="画面では直せない"):
        with_entry(TEXT, "points", "b", {"when": ["x >= 9"]})
    with pytest.raises(ConfigurationFault, match="行がありません"):
        with_entry(TEXT, "points", "z", {"points": 1})


def test_a_new_entry_stands_behind_its_type() -> None:
    after = with_new_entry(
        TEXT, "points", {"type": "不登校", "code": "n", "when": ["x >= 3"], "points": 1, "note": None}
    )
    assert [entry["code"] for entry in entries(after, "points")] == ["a", "b", "n", "c"]
    assert after.index('"n"') < after.index("# ── 貧困 ──") and "note" not in after
    first = with_new_entry(TEXT, "escalations", {"type": "貧困", "code": "e"})
    assert entries(first, "escalations") == [{"type": "貧困", "code": "e"}] and first.startswith(TEXT)
    with pytest.raises(ConfigurationFault, match="もう使われています"):
        with_new_entry(TEXT, "points", {"type": "不登校", "code": "a"})


def test_the_name_of_the_version_stands_at_the_top() -> None:
    assert with_top(TEXT, "version", "二").splitlines()[1] == 'version = "二"'
    assert tomllib.loads(with_top("[[points]]\ncode = 1\n", "version", "二"))["version"] == "二"


@given(st.text(max_size=40), st.floats(-100, 100, allow_nan=False), st.booleans())
def test_what_is_written_reads_back(note: str, points: float, is_off: bool) -> None:
    values = {"note": note, "points": points, "is_off": is_off}
    try:
        after = with_entry(TEXT, "points", "a", values)
    except ConfigurationFault:
        assert any(ord(c) < 0x20 or 0xD800 <= ord(c) <= 0xDFFF for c in note)
        return
    found = entry_of(after, "points", "a") or {}
    assert {key: found[key] for key in values} == values


def test_every_line_of_the_shipped_criteria_can_be_edited() -> None:
    folder = SHIPPED_MUNICIPALITIES / "hinata" / "criteria"
    scenarios, indicators = ((folder / f"{name}.toml").read_text() for name in ("scenarios", "indicators"))
    for text, table in ((scenarios, "points"), (scenarios, "escalations"), (indicators, "indicators")):
        for entry in entries(text, table)[::9]:
            after = with_entry(text, table, entry["code"], {"note": "見直し"})
            assert len(after.splitlines()) - len(text.splitlines()) in (0, 1)


def test_differences_name_entry_and_key() -> None:
    after = with_entry(with_top(TEXT, "version", "二"), "points", "a", {"points": 3, "is_off": True})
    after = with_new_entry(after, "points", {"type": "貧困", "code": "d", "points": 4})
    found = [(c.table, c.entry, c.key, c.before, c.after) for c in differences({"f": TEXT}, {"f": after})]
    assert found == [
        ("", "", "version", "一", "二"),
        ("points", "a", "points", 8, 3),
        ("points", "a", "is_off", None, True),
        ("points", "d", "", None, {"type": "貧困", "code": "d", "points": 4}),
    ]
    gone = differences({"f": after}, {"f": TEXT})
    assert ("points", "d", None) in [(c.table, c.entry, c.after) for c in gone]
