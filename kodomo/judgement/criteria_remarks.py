"""Names in the criteria that nothing in the municipality's folder or data bears: read, and never found (analysis side).

An item that came to be refused, or a source not delivered yet, must not stop a judgement; so a misspelt name does
not either, and its indicator is silently empty. These remarks are for whoever checks the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from kodomo.configuration import read_toml
from kodomo.features import catalogue, coverage
from kodomo.features.criteria import Entry, read_criteria
from kodomo.governance.register import Register, read_register
from kodomo.judgement import labels
from kodomo.store.database import Snapshot
from kodomo.terms import Purpose


def criteria_remarks(criteria: Path, folder: Path, snapshot: Snapshot | None) -> list[str]:
    """What is written in criteria and borne by nothing, each in Japanese with file and line.

    Args:
        criteria: a folder whose ``criteria/`` loads without fault.
        folder: the municipality's folder, with its register and sources.
        snapshot: published data, to look for the codes in; None where there are none yet.
    """
    register = read_register(folder)
    items = {*register.items, *register.refused}
    there = _codes(snapshot) if snapshot is not None else {}
    found = []
    for file, entry in _entries(criteria):
        for key in ("item", "per"):
            name = entry.values.get(key)
            if name and name not in items and not entry.values.get("structure"):
                found.append(_line(file, entry, key, f"データ項目「{name}」は台帳(register/items.toml)にありません。"))
        known = there.get(str(entry.values.get("item")))
        for code in entry.values.get("codes", ()) if known else ():
            if code not in (known or ()):
                found.append(_line(file, entry, "codes", f"コード「{code}」は、いまのデータに一度も出ていません。"))
    found += _unasked(criteria, register, there)
    sources = _sources(folder)
    for entry in read_criteria(criteria / "criteria" / coverage.FILE, "sources").entries("sources"):
        if sources and entry.values.get("source") not in sources:
            words = f"出所「{entry.values.get('source')}」の定義(sources/)がありません。"
            found.append(_line(coverage.FILE, entry, "source", words))
    return found


def _unasked(criteria: Path, register: Register, there: Mapping[str, set[str]]) -> list[str]:
    """Items that come in and may be judged by, and that no indicator and no rule of labels looks at."""
    asked = {str(entry.values.get(key)) for _, entry in _entries(criteria) for key in ("item", "per")}
    may = {item for basis in register.bases if Purpose.JUDGE in basis.purposes for item in basis.items}
    idle = sorted(set(there) & may - asked)
    if not idle:
        return []
    words = "、".join(f"{register.caption(item)}({item})" for item in idle)
    return [
        f"{catalogue.FILE}: 判定の根拠があって届いているのに、どの指標も使っていないデータ項目: {words}。kodomo criteria draft で指標の下書きをつくれます。"
    ]


def _entries(criteria: Path) -> Iterator[tuple[str, Entry]]:
    """The entries that name items and their codes."""
    for name, tables in ((catalogue.FILE, ("indicators",)), (labels.FILE, ("labels", "known_to_support"))):
        file = read_criteria(criteria / "criteria" / name, *tables, top=(catalogue.CLASS, "feedback"))
        for table in tables:
            yield from ((name, entry) for entry in file.entries(table))


def _line(file: str, entry: Entry, key: str, words: str) -> str:
    return f"{file} {entry.key_lines.get(key, entry.line)} 行目 [[{entry.table}]] {key}: {words}"


def _codes(snapshot: Snapshot) -> dict[str, set[str]]:
    """The codes each item has borne in the data, none for an item of numbers; an item without facts isn't there."""
    facts = snapshot.read("facts", ("item", "code"))
    pairs = facts.group_by(["item", "code"]).aggregate([])
    found: dict[str, set[str]] = {}
    for item, code in zip(pairs["item"].to_pylist(), pairs["code"].to_pylist(), strict=True):
        found.setdefault(item, set()).update([] if code is None else [code])
    return found


def _sources(folder: Path) -> set[str]:
    return {str(read_toml(path).get("source", "")) for path in sorted((folder / "sources").glob("*.toml"))} - {""}
