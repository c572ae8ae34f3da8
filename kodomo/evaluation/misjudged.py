"""Each later case the past judgement did not raise, and each child it raised who was not registered: to learn from (analysis side).

One by one, so that people can ask what was missing: a source that knew nothing, an indicator nobody wrote, a point
that speaks against. Pseudonymous, written beside the report and never into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.evaluation.outcomes import Outcome
from kodomo.judgement.capacities import Capacities
from kodomo.judgement.combine import standing
from kodomo.judgement.judge import Judged
from kodomo.judgement.reasons import DOWN, GATE, UP
from kodomo.judgement.tables import judgement_tables
from kodomo.terms import Level, Method

MISSED, RAISED = "MISSED", "RAISED"
"""A later case that stood neither in 高 nor in 中; a child in 高 of whom no registration followed."""
MOST_REASONS = {GATE: 3, UP: 3, DOWN: 2}


def misjudged(
    judged: Judged, outcomes: Sequence[Outcome], places: Capacities, captions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One line a child and type, missed cases first, the one that stood lowest first.

    A child raised without a later registration is not a mistake by that: nobody may have looked. Children who were in
    support already are left out of these.

    Returns:
        ``child_key, type, kind``, ``level`` on the past date, ``place`` among the children of the type (0 top, 1 last),
        ``reasons`` and ``against``, each ``sentence`` with ``indicator`` and ``direction``, which say what it rests on;
        ``silent``: captions of sources that should know the child and did not.
    """
    tables = judgement_tables(judged, places)
    combined = pc.equal(tables["judgements"]["method"], Method.COMBINED.value)
    levels = _by_child(tables["judgements"].filter(combined), "level")
    silent = _silent(judged, captions)
    lines = [line for one in outcomes for line in _of_type(one, judged, levels, silent)]
    _add_reasons(lines, tables["reasons"])
    return sorted(lines, key=lambda x: (x["type"], x["kind"], -x["place"] if x["kind"] == MISSED else x["place"]))


def _of_type(
    one: Outcome, judged: Judged, levels: Mapping[tuple[str, str], str], silent: list[list[str]]
) -> list[dict[str, Any]]:
    scores = one.scores[Method.COMBINED.value]
    places = standing(scores, np.ones(len(scores), dtype=bool))
    found = []
    for n, key in enumerate(one.keys):
        level = levels.get((key, one.type))
        if one.positive[n]:
            kind = MISSED if level not in (Level.HIGH.value, Level.MIDDLE.value) else ""
        else:
            kind = RAISED if level == Level.HIGH.value and one.new[n] else ""
        if kind:
            line = {"child_key": key, "type": one.type, "kind": kind, "level": level, "place": round(1 - places[n], 4)}
            found.append({**line, "silent": silent[one.rows[n]], "reasons": [], "against": []})
    return found


def _by_child(table: pa.Table, column: str) -> dict[tuple[str, str], str]:
    keys, kinds, values = (table[name].to_pylist() for name in ("child_key", "type", column))
    return dict(zip(zip(keys, kinds, strict=True), values, strict=True))


def _silent(judged: Judged, captions: Mapping[str, str]) -> list[list[str]]:
    known = judged.knowledge
    names = [captions.get(source, source) for source in known.sources]
    return [[names[n] for n in np.flatnonzero(row)] for row in known.expected & ~known.fresh]


def _add_reasons(lines: list[dict[str, Any]], reasons: pa.Table) -> None:
    by_child = {(line["child_key"], line["type"]): line for line in lines}
    keys = pa.array(sorted({key for key, _ in by_child}), pa.string())
    mine = reasons.filter(
        pc.and_(pc.equal(reasons["method"], Method.COMBINED.value), pc.is_in(reasons["child_key"], value_set=keys))
    )
    counted: dict[tuple[str, str, str], int] = {}
    for row in mine.select(["child_key", "type", "direction", "sentence", "indicator"]).to_pylist():
        line = by_child.get((row["child_key"], row["type"]))
        place = (row["child_key"], row["type"], row["direction"])
        counted[place] = counted.get(place, 0) + 1
        if line is not None and counted[place] <= MOST_REASONS[row["direction"]]:
            said = {name: row[name] for name in ("sentence", "indicator", "direction")}
            line["against" if row["direction"] == DOWN else "reasons"].append(said)
