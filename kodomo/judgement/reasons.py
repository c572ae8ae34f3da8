"""Each judgement's reasons in Japanese, as parts that add up to its score (analysis side).

A part is a line of the point table or an indicator's exact contribution to the learned models, in log-odds.
Where a line that counts and an indicator say the same thing, they are one part. The model's own use of the
scenario's points is shared out over the lines that made them. base + all parts = the score's log-odds, for
every method; base + the reasons said + ``rest`` is the same sum, and both are kept beside the score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kodomo.features.catalogue import Catalogue, Indicator
from kodomo.features.household import AGES
from kodomo.features.matrix import FeatureMatrix
from kodomo.judgement.boosting import SCENARIO_COLUMN
from kodomo.judgement.combine import UNLEARNED, surprise
from kodomo.judgement.contributions import LIKE_CASES, LIKE_CASES_FEW, Said, mean_said
from kodomo.judgement.judge import Judged, TypeJudgement, own_columns, standing_of
from kodomo.judgement.rule_words import ALL_POINTS
from kodomo.store.results import REASONS
from kodomo.terms import OVERALL, Method, difficulty_label, plain_number

UP, DOWN, GATE = "UP", "DOWN", "GATE"
MOST_UP, MOST_DOWN = 5, 3
WORTH_SAYING = 0.02
"""Parts of the log-odds smaller than this move nothing a person would notice (odds by 2 %)."""
NO_POINTS = "シナリオの点数表に当てはまる項目がない"

Array = NDArray[np.float64]
Chosen = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and units of parts."""


@dataclass(frozen=True)
class Unit:
    """What one part stands for: a sentence, and the indicator whose value, date and source go with it."""

    sentence: str
    indicator: str
    sign: int = 0
    """Of a point line: 1 where its points raise, -1 where they lower."""


@dataclass(frozen=True)
class Parts:
    """``base[i]`` + sum of ``values[i]`` is the score's log-odds of row ``rows[i]``."""

    rows: NDArray[np.intp]
    units: tuple[Unit, ...]
    values: Array
    base: Array
    only_raising: bool = False
    """Whether only parts that raise are said, as for the points: the others go into the rest."""
    untold_up: NDArray[np.bool_] | None = None
    untold_down: NDArray[np.bool_] | None = None
    """Parts (row, unit) that must not be told as raising, as lowering (``tellable``): they go into the rest."""

    @cached_property
    def said(self) -> tuple[Chosen, Chosen]:
        """The parts told as reasons: up to five that raise, up to three that lower."""
        down = _chosen(_without(self.values, self.untold_down), 0 if self.only_raising else MOST_DOWN, -1.0)
        return _chosen(_without(self.values, self.untold_up), MOST_UP, 1.0), down

    @property
    def rest(self) -> Array:
        """What the parts not told come to."""
        unsaid = self.values.copy()
        for rows, units in self.said:
            unsaid[rows, units] = 0.0
        return np.asarray(unsaid.sum(axis=1))


def _without(values: Array, untold: NDArray[np.bool_] | None) -> Array:
    return values if untold is None else np.where(untold, 0.0, values)


def tellable(parts: Parts, matrix: FeatureMatrix) -> Parts:
    """The same parts, less those that would argue against themselves as a reason; the sum stays.

    What a model makes of an empty cell is neither for nor against: nobody knows the value. An indicator with a sign
    is told as raising only in its upper half (and never at its least), as lowering only in its lower half: together
    with other columns a model may turn 「未納はない」 into a part that raises, and no person could follow it. A point
    line is told in the direction of its points. How old a child is moves a model and is no reason for worry.
    """
    up = np.zeros(parts.values.shape, dtype=bool)
    down = np.zeros_like(up)
    for n, unit in enumerate(parts.units):
        if unit.sign:
            (down if unit.sign > 0 else up)[:, n] = True
        elif unit.indicator and not unit.sentence and unit.indicator in matrix.codes:
            values = matrix.column(unit.indicator)[parts.rows]
            indicator = matrix.catalogue[unit.indicator]
            sign = indicator.sign
            missing = np.isnan(values)
            up[:, n] = down[:, n] = missing | (indicator.structure in AGES)
            if sign and not missing.all():
                known = sign * values[~missing]
                middle, least, most = np.median(known), known.min(), known.max()
                with np.errstate(invalid="ignore"):
                    up[:, n] |= (sign * values < middle) | (sign * values == least)
                    down[:, n] |= (sign * values > middle) | (sign * values == most)
    return replace(parts, untold_up=up, untold_down=down)


def scenario_parts(judged: TypeJudgement) -> Parts:
    """The lines that count; a line's points in log-odds."""
    scenario = judged.scenario
    values = scenario.point_is * scenario.fired[judged.rows] * np.array([p.points for p in scenario.lines])
    return Parts(judged.rows, _line_units(judged), values, np.full(len(judged.rows), scenario.base), only_raising=True)


def learned_parts(judged: TypeJudgement, said: Said, catalogue: Catalogue) -> Parts:
    """One learned method's contributions, in log-odds."""
    assert judged.model is not None  # noqa: S101 - the caller has contributions
    units = (*(_column_unit(name, catalogue) for name in judged.model.columns), *(Unit(s, "") for s in said.sentences))
    return Parts(judged.rows, units, np.column_stack([said.columns, said.extra]), said.base)


def combined_parts(judged: TypeJudgement, contributions: Mapping[Method, Said], catalogue: Catalogue) -> Parts:
    """All methods' parts with the weights they are combined with."""
    together = judged.combination
    share = together.slope * (1.0 - together.weight if together.is_learned else 1.0)
    lines = judged.scenario.lines
    fired = judged.scenario.fired[judged.rows]
    points = fired * np.array([p.points for p in lines])
    values = share * judged.scenario.point_is * points
    base = np.full(len(judged.rows), share * judged.scenario.base + together.level)
    if judged.model is None or not together.is_learned:
        return Parts(judged.rows, _line_units(judged), values, base)
    counting = {method: said for method, said in contributions.items() if method in together.counting}
    learned = mean_said(counting).times(together.slope * together.weight)
    columns = judged.model.columns
    is_seen = judged.scenario.learnable_lines(own_columns(judged.model, catalogue))
    seen, apart = points * is_seen, points * ~is_seen
    values = values + together.slope * together.weight * UNLEARNED * judged.scenario.point_is * apart
    values, rest = _share_out(values, seen, learned.columns[:, columns.index(SCENARIO_COLUMN)])
    own, learned_values = _merge_same(judged, fired, values, learned.columns, columns)
    kept = [n for n, name in enumerate(columns) if name != SCENARIO_COLUMN]
    units = (
        *_line_units(judged),
        *(_column_unit(columns[n], catalogue) for n in kept),
        Unit(NO_POINTS, ""),
        *(Unit(sentence, "") for sentence in learned.sentences),
    )
    parts = np.column_stack([own, learned_values[:, kept], rest, learned.extra])
    return Parts(judged.rows, units, parts, base + learned.base)


def _share_out(values: Array, points: Array, learned: Array) -> tuple[Array, Array]:
    """What the model made of the points goes to the lines that made them; the rest is the part of having none."""
    total = points.sum(axis=1)
    some = total > 0
    shares = np.divide(points, total[:, None], out=np.zeros_like(points), where=some[:, None])
    return values + shares * learned[:, None], np.where(some, 0.0, learned)


def _merge_same(
    judged: TypeJudgement, fired: NDArray[np.bool_], values: Array, learned: Array, columns: tuple[str, ...]
) -> tuple[Array, Array]:
    """A line on one indicator that counts takes the model's part for that indicator with it."""
    values, learned = values.copy(), learned.copy()
    for k, line in enumerate(judged.scenario.lines):
        if len(line.when) == 1 and line.when[0].indicator in columns:
            n = columns.index(line.when[0].indicator)
            rows = fired[:, k]
            values[rows, k] += learned[rows, n]
            learned[rows, n] = 0.0
    return values, learned


def _line_units(judged: TypeJudgement) -> tuple[Unit, ...]:
    return tuple(Unit(p.sentence, p.when[0].indicator, int(np.sign(p.points))) for p in judged.scenario.lines)


def _column_unit(name: str, catalogue: Catalogue) -> Unit:
    return Unit("", name) if name != SCENARIO_COLUMN else Unit(ALL_POINTS, "")


def reason_table(
    judged: TypeJudgement, method: Method, parts: Parts, matrix: FeatureMatrix, *, with_gates: bool = False
) -> pa.Table:
    """The most telling parts as rows of the store: gates first, then up to five that raise and three that lower.

    A value, its newest date and its source stand in every sentence's row; a line never names a person.
    """
    up, down = parts.said
    gates = _gates(judged, parts.rows) if with_gates else (np.zeros(0, np.intp), np.zeros(0, np.intp))
    pieces = [
        _gate_columns(judged, parts, gates, matrix),
        _part_columns(parts, matrix, up, UP),
        _part_columns(parts, matrix, down, DOWN),
    ]
    merged = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    return _table(judged.type.value, method.value, merged, matrix.cohort.child_key)


def _chosen(values: Array, most: int, sign: float) -> Chosen:
    """(row, unit) pairs of the parts that move the score most in one direction, strongest first."""
    directed = values * sign
    most = min(most, values.shape[1])
    everyone = np.arange(len(values))
    strongest = np.zeros((len(values), most), dtype=np.intp)
    worth = np.zeros((len(values), most), dtype=bool)
    # The few strongest one after another, the first of equals: a sort of all parts takes many times as long.
    for n in range(most):
        strongest[:, n] = directed.argmax(axis=1)
        worth[:, n] = directed[everyone, strongest[:, n]] >= WORTH_SAYING
        directed[everyone, strongest[:, n]] = -np.inf
    rows, places = np.nonzero(worth)
    return rows, strongest[rows, places]


def _gates(judged: TypeJudgement, rows: NDArray[np.intp]) -> Chosen:
    found = np.nonzero(judged.scenario.fired_gates[rows])
    return found[0], found[1]


Columns = dict[str, NDArray[np.generic]]


def _gate_columns(judged: TypeJudgement, parts: Parts, gates: Chosen, matrix: FeatureMatrix) -> Columns:
    """Escalations: their own words, with date and source of the first fact they rest on."""
    rows, which = gates
    children = parts.rows[rows]
    columns = _blank(children, GATE, np.zeros(len(rows)))
    for n, escalation in enumerate(judged.scenario.escalations):
        here = np.flatnonzero(which == n)
        if len(here):
            unit = Unit(escalation.sentence, escalation.when[0].indicator)
            _say(columns, here, children[here], unit, matrix)
            columns["sentence"][here] = escalation.sentence
    return columns


def _blank(children: NDArray[np.intp], direction: str, contribution: Array) -> Columns:
    size = len(children)
    return {
        "row": children,
        "direction": np.full(size, direction, dtype=object),
        "sentence": np.full(size, "", dtype=object),
        "contribution": contribution,
        "indicator": np.full(size, None, dtype=object),
        "source": np.full(size, None, dtype=object),
        "fact_on": np.full(size, np.datetime64("NaT"), dtype="datetime64[D]"),
    }


def _part_columns(parts: Parts, matrix: FeatureMatrix, chosen: Chosen, direction: str) -> Columns:
    rows, units = chosen
    children = parts.rows[rows]
    columns = _blank(children, direction, parts.values[rows, units])
    for n in np.unique(units):
        here = np.flatnonzero(units == n)
        _say(columns, here, children[here], parts.units[n], matrix)
    if direction == DOWN:
        columns["sentence"][columns["sentence"] == LIKE_CASES] = LIKE_CASES_FEW
    return columns


def _say(
    columns: Columns, here: NDArray[np.intp], children: NDArray[np.intp], unit: Unit, matrix: FeatureMatrix
) -> None:
    """Fill in the sentence, indicator, source and date of one unit's rows."""
    if not unit.indicator or unit.indicator not in matrix.codes:
        columns["sentence"][here] = unit.sentence or unit.indicator
        return
    indicator = matrix.catalogue[unit.indicator]
    place = matrix.codes.index(unit.indicator)
    values = matrix.values[children, place]
    columns["sentence"][here] = sentences(indicator, values, unit.sentence)
    columns["indicator"][here] = unit.indicator
    columns["source"][here] = matrix.sources_told(indicator, children)
    if matrix.on is not None:
        columns["fact_on"][here] = matrix.on[children, place]


def sentences(indicator: Indicator, values: Array, line: str = "") -> NDArray[np.object_]:
    """An indicator's sentence for each value; each different value is written once.

    Args:
        line: a point line's own sentence, used instead of the indicator's.
    """
    distinct, inverse = np.unique(np.round(values, 4), return_inverse=True)
    written = np.array([_sentence(indicator, float(v), line) for v in distinct], dtype=object)
    return np.asarray(written[inverse], dtype=object)


def _sentence(indicator: Indicator, value: float, line: str) -> str:
    if np.isnan(value):
        return f"「{indicator.caption}」の情報がない"
    if value == 0 and indicator.sentence_zero and not line:
        return indicator.sentence_zero
    return (line or indicator.sentence).replace("{value}", written_value(indicator, value))


def written_value(indicator: Indicator, value: float) -> str:
    """A value as staff read it: shares in per cent, differences with their sign, whole numbers without a point."""
    if indicator.aggregate == "share":
        return "1 % 未満" if 0 < value < 0.005 else f"{value * 100:.0f} %"
    sign = "+" if indicator.aggregate in ("change", "trend") and round(value, 1) else ""
    return "ほぼ 0" if value and not round(value, 1) else plain_number(value, 1, sign)


def _table(kind: str, method: str, columns: Columns, keys: NDArray[np.object_]) -> pa.Table:
    order = np.argsort(columns["row"], kind="stable")
    rows = columns["row"][order]
    starts = np.r_[True, rows[1:] != rows[:-1]] if len(rows) else np.zeros(0, bool)
    begin = np.flatnonzero(starts)
    counts = np.diff(np.r_[begin, len(rows)])
    position = np.arange(len(rows)) - np.repeat(begin, counts) + 1
    size = len(rows)
    arrays = {
        "child_key": pa.array(keys[rows], pa.string()),
        "type": pa.array([kind] * size, pa.string()),
        "method": pa.array([method] * size, pa.string()),
        "position": pa.array(position.astype(np.int32)),
        "direction": pa.array(columns["direction"][order], pa.string()),
        "sentence": pa.array(columns["sentence"][order], pa.string()),
        "contribution": pa.array(columns["contribution"][order].astype(np.float64)),
        "indicator": pa.array(columns["indicator"][order], pa.string()),
        "source": pa.array(columns["source"][order], pa.string()),
        "fact_on": pa.array(columns["fact_on"][order], pa.date32(), from_pandas=True),
    }
    return pa.table(arrays, schema=REASONS.schema())


def overall_reasons(judged: Judged) -> pa.Table:
    """Why a child stands high overall: the types in which it stands highest, and every escalation."""
    cohort = judged.matrix.cohort
    pieces: list[Columns] = []
    for judgement in judged.types:
        pieces.append(_overall_gates(judgement, judged.matrix))
        pieces.append(_overall_places(judgement, len(cohort)))
    merged = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    rank = np.where(merged["direction"] == GATE, -np.inf, -merged["contribution"].astype(np.float64))
    order = np.lexsort((rank, merged["row"]))
    table = _table(OVERALL, Method.COMBINED.value, {n: v[order] for n, v in merged.items()}, cohort.child_key)
    # However many facts must be seen, all of them are said.
    return table.filter(pc.or_(pc.less_equal(table["position"], MOST_UP), pc.equal(table["direction"], GATE)))


def _overall_gates(judgement: TypeJudgement, matrix: FeatureMatrix) -> Columns:
    columns = _gate_columns(judgement, scenario_parts(judgement), _gates(judgement, judgement.rows), matrix)
    label = judgement.type.label
    columns["sentence"] = np.array([f"「{label}」: {text}" for text in columns["sentence"]], dtype=object)
    return columns


def _place_in_words(percent: int) -> str:
    # In words: a percentage beside a child was once read as permission to look away.
    return "とくに上位" if percent <= 2 else "上位" if percent <= 10 else "中ほどより上"


def _overall_places(judgement: TypeJudgement, length: int) -> Columns:
    places = standing_of(judgement, length)
    rows = np.flatnonzero(places >= 0.8)
    share = np.ceil((1 - places[rows]) * 100).astype(int)
    label = difficulty_label(judgement.type.value)
    columns = _blank(rows, UP, surprise(places[rows]))
    columns["sentence"][:] = [f"「{label}」の確認候補の{_place_in_words(s)}に入る" for s in share]
    return columns
