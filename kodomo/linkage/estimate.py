"""Estimate how good the links are when nobody has labelled any: three checks that need no truth (identity side).

1. *Hidden numbers.* Records that carry a resident number are linked once more as if they had none. The number tells
   who is right: precision and recall of linking by name, birth date and address, in this very city.
2. *Shifted births.* Records are linked with birth dates moved by years and without address, guardian or number, so
   that they are about nobody. What is linked all the same agrees by accident; times the records of people the register doesn't know, that is how many
   wrong links to expect (the duplicate method of Blakely and Salmond 2002, turned to a register).
3. *Stated doubt.* Links by model or by name and age come with a probability of their own.

What nobody was found for may be people the register doesn't know, or links that were missed: without labels
nothing can part the two, so recall is told as a range. Who is taken for a stranger and is a resident counts as
missed there, never as a wrong link.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.linkage.forms import Printing
from kodomo.linkage.link import FACT_COLUMNS, link_mentions
from kodomo.linkage.quality import Score, Z, ratio_interval
from kodomo.tables.engine import UNSPILLED, connect
from kodomo.vault.records import LANDED_FACTS

Tables = Callable[[], Iterable[pa.Table]]
"""Opens the landed mentions anew, delivery by delivery."""

SHIFT_DAYS = 11 * 365 + 97
"""Another year, another month and another day: too far for any slip, near enough for names to be as common."""

WHOLE_DATE = 10

BY_NAME = ("K1", "K2", "K3", "K4", "K5", "K6", "K8", "H1", "H6", "U1", "H2", "B1", "B2", "G1", "MODEL")
"""Rules that lean on the birth date, which a shift of it therefore tries."""


def estimate_quality(
    tables: Tables,
    *,
    printing: Printing,
    on: dt.date,
    link_rows: dict[str, dict[str, int]],
    stated_errors: float,
    sent_back: int = 0,
) -> dict[str, Any]:
    """Estimate precision and recall of a run from its own records; writes nothing.

    Args:
        tables: opens the mentions the run linked.
        link_rows: the run's rows by source and rule, of whom they are about (``rows_by_source``).
        stated_errors: how many of its links by name and age should be wrong by their own probability.
        sent_back: delivered rows that were handed back; at the lowest, recall counts them as missed.
    """
    counts = _by_rule(link_rows)
    hidden = _hidden_numbers(tables, printing, on)
    accident = _accidents(tables, printing, on)
    linked = sum(n for rule, n in counts.items() if rule != "UNLINKED")
    by_name = sum(counts.get(rule, 0) for rule in BY_NAME)
    strangers, open_rows = counts.get("NEW", 0), counts.get("UNLINKED", 0)
    by_accident = (1 - hidden["precision"]) * by_name if hidden else accident["rate"] * strangers
    expected = by_accident + stated_errors
    most = _most(expected, by_name, hidden)
    total = linked + open_rows
    return {
        "rows": total,
        "precision": {"estimate": round(1 - expected / max(linked, 1), 5), "interval": [round(1 - most / max(linked, 1), 5), 1.0]},
        "recall": {
            "estimate": round((linked - expected) / max(total, 1), 5),
            "interval": [round((linked - strangers - most) / max(total + sent_back, 1), 5), 1.0],
        },
        "rests_on": {"hidden_numbers": hidden, "shifted_births": accident, "stated_errors": round(stated_errors, 2),
                     "rows_linked_by_name": by_name, "rows_of_strangers": strangers, "rows_open": open_rows, "rows_sent_back": sent_back},
    }  # fmt: skip


def _by_rule(link_rows: dict[str, dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for rules in link_rows.values():
        for rule, rows in rules.items():
            found[rule] = found.get(rule, 0) + rows
    return found


def _most(expected: float, by_name: int, hidden: dict[str, Any] | None) -> float:
    """How many wrong links there may be: Poisson's upper bound, or what the hidden numbers leave room for."""
    chance = expected + Z * math.sqrt(expected + 1) + Z * Z / 2
    return max(chance, (1 - hidden["interval"]["precision"][0]) * by_name) if hidden else chance


def _hidden_numbers(tables: Tables, printing: Printing, on: dt.date) -> dict[str, Any] | None:
    """Link with all resident numbers of offices blanked, and compare with whom the numbers name."""
    known = _link(tables(), printing, on)
    truth = _persons(known, "l.rule = 'N1'")
    known.close()
    if not truth:
        return None
    blind = _link(_without_numbers(tables()), printing, on)
    found = _persons(blind, "true")
    blind.close()
    by_person: dict[int, list[int]] = {}
    for mention, person in truth.items():
        counts = by_person.setdefault(person, [0, 0, 0])
        other = found.get(mention)
        counts[0] += other == person
        counts[1] += other is not None and other != person
        counts[2] += other != person
    rows = tuple((r, w, m) for r, w, m in by_person.values())
    score = Score(sum(r for r, _, _ in rows), sum(w for _, w, _ in rows), sum(m for _, _, m in rows), rows)
    return {"rows": len(truth), **{k: v for k, v in score.figures().items() if k != "f1"}}


def _accidents(tables: Tables, printing: Printing, on: dt.date) -> dict[str, Any]:
    """Link with all birth dates of offices moved: the share that finds somebody, who can only be the wrong one."""
    connection = _link(_shifted(_without_numbers(tables())), printing, on)
    rows = connection.execute(
        """SELECT f.form, sum(f.rows)::BIGINT, bool_or(l.rule IN (SELECT unnest($rules))) FROM form f LEFT JOIN link l USING (form)
           WHERE f.kind = 'observations' AND f.role = 'subject' AND f.born_on IS NOT NULL GROUP BY f.form""",
        {"rules": list(BY_NAME)},
    ).fetchall()
    connection.close()
    clusters = [(int(size) if hit else 0, int(size)) for _, size, hit in rows]
    total = sum(size for _, size in clusters)
    hits = sum(hit for hit, _ in clusters)
    return {"rows": total, "linked": hits, "rate": round(hits / max(total, 1), 6), "interval": ratio_interval(clusters)}


def _link(tables: Iterable[pa.Table], printing: Printing, on: dt.date) -> duckdb.DuckDBPyConnection:
    connection = connect(memory=UNSPILLED)
    facts = pa.table({name: LANDED_FACTS.empty()[name] for name in FACT_COLUMNS})
    with tempfile.TemporaryDirectory() as folder:
        link_mentions(connection, tables, facts, printing=printing, model_file=Path(folder) / "model.json", on=on)
    return connection


def _persons(connection: duckdb.DuckDBPyConnection, which: str) -> dict[int, int]:
    """Whose each subject's mention is: the person's first mention in the register.

    Mentions are numbered alike in every run of the same deliveries; persons are not, where the register was delivered after
    others: without their numbers, rows that were told apart by nothing else are one form.
    """
    return dict(connection.execute(
        f"""WITH known AS (
                SELECT s.person, min(m.mention) AS first FROM placed m JOIN spine_form s USING (form) GROUP BY s.person
            )
            SELECT m.mention, k.first FROM placed m JOIN link l USING (form) JOIN known k USING (person)
            WHERE m.kind = 'observations' AND m.role = 'subject' AND {which}"""
    ).fetchall())  # fmt: skip


def _without_numbers(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        yield _blanked(table, "resident_number") if _is_office(table) else table


def _shifted(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Make strangers of everybody offices write about: another birth date, and nothing of the home they really have.

    Address, guardian and phone would find the very person the record is about, which is no accident.
    """
    for table in tables:
        if _is_office(table):
            table = table.filter(pc.equal(table["role"], "subject"))
            for name in ("address", "phone", "own_number"):
                table = _blanked(table, name)
            moved = [_moved(value) for value in table["born_on"].to_pylist()]
            at = table.column_names.index("born_on")
            table = table.set_column(at, "born_on", pa.array(moved, pa.string()))
        yield table


def _moved(born_on: str | None) -> str | None:
    if not born_on or len(born_on) != WHOLE_DATE:
        return None  # a birth date known to the year only can't be moved to another day
    try:
        return (dt.date.fromisoformat(born_on) - dt.timedelta(days=SHIFT_DAYS)).isoformat()
    except (ValueError, OverflowError):
        return None


def _is_office(table: pa.Table) -> bool:
    return bool(table.num_rows) and table["kind"][0].as_py() == "observations"


def _blanked(table: pa.Table, name: str) -> pa.Table:
    at = table.column_names.index(name)
    return table.set_column(at, name, pa.nulls(table.num_rows, pa.string()))
