"""What a draft of the criteria would mean, in counts, before anybody approves it (analysis side).

Holds the draft's point table, indicators, escalations and capacity against those in force, on one date, without
learning and without what is held from the judgement before: the question is what the edit does. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.configuration import Home, Municipality
from kodomo.errors import ConfigurationFault, IntegrityFault
from kodomo.features.build import current_snapshot, lawful_for
from kodomo.features.data_until import check_reached
from kodomo.features.matrix import FeatureMatrix, feature_matrix
from kodomo.governance.criteria_in_force import with_thresholds
from kodomo.governance.register import read_register
from kodomo.governance.suppression import Suppression
from kodomo.judgement.capacities import Capacities, capacities
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.knowledge import Knowledge, knowledge_of, relevant_sources
from kodomo.judgement.labels import Cases, known_to_support, mark, read_cases
from kodomo.judgement.levels import Grounds, assign_levels, ranking
from kodomo.judgement.scenarios import judge_scenario
from kodomo.progress import Progress
from kodomo.store.database import Snapshot
from kodomo.terms import DifficultyType, Level, Purpose

Beat = Callable[[dict[str, object]], None] | None
Flags = NDArray[np.bool_]

CAPACITY = "capacity.json"
"""The draft's figures of capacity, beside its ``criteria/``; without it those in force."""
LEVELS = (Level.HIGH, Level.MIDDLE, Level.LOW, Level.INSUFFICIENT)
SHARES = (0.01, 0.02, 0.05, 0.08, 0.1, 0.2, 0.3)


@dataclass(frozen=True)
class Side:
    """One of the two sets of criteria, laid over the same children on the same date."""

    criteria: Criteria
    places: Capacities
    matrix: FeatureMatrix
    knowledge: Knowledge
    cases: Cases
    is_known: Flags


@dataclass(frozen=True)
class Counted:
    """One type under one set of criteria: a level for each child judged (else None), and the children in order."""

    levels: NDArray[np.object_]
    points: NDArray[np.float64]
    order: NDArray[np.intp]
    is_registered: Flags
    by_fact: int

    @property
    def high(self) -> Flags:
        """Children at 高."""
        return np.asarray(self.levels == Level.HIGH.value, dtype=bool)

    @property
    def raised(self) -> Flags:
        """Children that somebody would look at."""
        return np.asarray(self.high | (self.levels == Level.MIDDLE.value), dtype=bool)


def try_draft(
    *, home: Home, municipality: Municipality, as_of: dt.date, draft: Path, at: dt.datetime, beat: Beat = None
) -> dict[str, Any]:
    """Count, for every type, how many children stand at each level now and by the draft, and who comes and goes.

    Reads the current snapshot, the criteria in force and the draft's. Small counts are suppressed.

    Args:
        draft: a folder with ``criteria/`` and maybe ``capacity.json``.

    Raises:
        NotReady: nothing is published, or the date lies beyond all data.
        ConfigurationFault: the draft does not hold together.
    """
    started = time.monotonic()
    snapshot = current_snapshot(home)
    old_data = check_reached(snapshot, as_of)
    progress = Progress("案の試算", 2 + len(municipality.types), unit="工程", beat=beat)
    now = _side(home, municipality, municipality.criteria_folder, snapshot, as_of, None)
    progress.add()
    then = _side(home, _with_draft(municipality, draft), draft, snapshot, as_of, now)
    progress.add()
    if not np.array_equal(now.matrix.cohort.child_key, then.matrix.cohort.child_key):
        raise IntegrityFault("二つの判定基準で、判定するこどもがそろいません。", where=str(draft))
    rule = Suppression(municipality.suppression_threshold, municipality.rounding_base)
    types, curves = [], []
    for kind in progress.over(municipality.types):
        types.append(type_line(kind, now, then, rule))
        curves += curve_lines(kind, now, then, rule)
    progress.close()
    # Rows of plain figures: a job keeps no more of a result.
    return {
        "as_of": as_of.isoformat(),
        "old_data": old_data,
        "drafted": types,
        "curves": curves,
        "seconds": round(time.monotonic() - started, 2),
    }


def _with_draft(municipality: Municipality, draft: Path) -> Municipality:
    path = draft / CAPACITY
    if not path.exists():
        return municipality
    try:
        return with_thresholds(municipality, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError):
        raise ConfigurationFault("案の枠を読めません。", where=str(path)) from None


def _side(
    home: Home, municipality: Municipality, folder: Path, snapshot: Snapshot, as_of: dt.date, other: Side | None
) -> Side:
    """Lay criteria over the children; indicators that are the other side's are not built twice."""
    criteria, register = read_all_criteria(folder), read_register(municipality.folder)
    said = (criteria.catalogue.sha256, criteria.expectations.sha256)
    if other is not None and said == (other.criteria.catalogue.sha256, other.criteria.expectations.sha256):
        matrix = other.matrix
    else:
        may = lawful_for(register, Purpose.JUDGE, as_of)
        words: dict[str, Any] = {"allows": may, "spill": home.spill}
        matrix = feature_matrix(snapshot, [as_of], criteria.catalogue, criteria.expectations, **words)
    return Side(
        criteria, capacities(municipality), matrix,
        knowledge_of(matrix, criteria.expectations, snapshot.read("sources"), as_of),
        read_cases(snapshot, criteria.labels).known_by(as_of),
        known_to_support(snapshot, criteria.labels, matrix.cohort, as_of),
    )  # fmt: skip


def type_line(kind: DifficultyType, now: Side, then: Side, rule: Suppression) -> dict[str, Any]:
    """One type: counts by level on both sides (``now_HIGH``, ``then_HIGH`` …), and who moves.

    ``entered`` and ``left``: within capacity (高 or 中) by the draft and not now, and the other way round;
    ``entered_high`` and ``left_high``: the same of 高; ``other_points``: children whose points differ.
    """
    before, after = counted(kind, now), counted(kind, then)
    levels = {
        f"{side}_{level.value}": words
        for side, one in (("now", before), ("then", after))
        for level, words in zip(LEVELS, _level_words(one, rule), strict=True)
    }
    return {
        "type": kind.value,
        "label": kind.label,
        "judged": rule.text(len(after.order)),
        **levels,
        "other_points": rule.text(int((before.points != after.points).sum())),
        "entered": rule.text(int((after.raised & ~before.raised).sum())),
        "left": rule.text(int((before.raised & ~after.raised).sum())),
        "entered_high": rule.text(int((after.high & ~before.high).sum())),
        "left_high": rule.text(int((before.high & ~after.high).sum())),
        "now_by_fact": rule.text(before.by_fact),
        "then_by_fact": rule.text(after.by_fact),
    }


def curve_lines(kind: DifficultyType, now: Side, then: Side, rule: Suppression) -> list[dict[str, Any]]:
    """One type's curve: for each share of the children judged, whom looking at so many reaches, on both sides."""
    before, after = counted(kind, now), counted(kind, then)
    return [_reach(share, kind, before, now, after, then, rule) for share in SHARES]


def counted(kind: DifficultyType, side: Side) -> Counted:
    """The levels of one type by the points alone."""
    cohort = side.matrix.cohort
    result = judge_scenario(kind, side.criteria.scenarios, side.matrix)
    thin = side.knowledge.too_thin(
        relevant_sources(side.knowledge, side.criteria.catalogue, side.matrix.sources_of, kind)
    )
    registered = mark(side.cases, kind, cohort, None).registered
    escalated = np.asarray(result.fired_gates.any(axis=1), dtype=bool)
    grounds = Grounds(cohort.child_key, thin, registered, escalated, result.points > 0)
    levels = np.full(len(cohort), None, dtype=object)
    for capacity, members in side.places.pools(kind.value, cohort.band.astype(object)):
        rows = np.flatnonzero(members & result.applicable)
        levels[rows] = assign_levels(result.logit[rows], capacity, grounds.of(rows))
    rows = np.flatnonzero(result.applicable & ~thin)
    order = rows[ranking(result.logit[rows], cohort.child_key[rows])]
    return Counted(
        levels, result.points * result.applicable, order, registered, int((escalated & result.applicable).sum())
    )


def _rounded(share: float | None) -> float | None:
    """A share in twentieths: finer, it would give away the count it was made of."""
    return None if share is None else round(20 * share) / 20


def _level_words(one: Counted, rule: Suppression) -> list[str]:
    shown = rule.counts([int((one.levels == level.value).sum()) for level in LEVELS])
    return ["秘匿" if number is None else f"{number:,}" for number in shown]


def _reach(
    share: float, kind: DifficultyType, before: Counted, now: Side, after: Counted, then: Side, rule: Suppression
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind.value, "share": share}
    for name, one, side in (("now", before, now), ("then", after, then)):
        first = one.order[: max(1, int(len(one.order) * share))] if len(one.order) else one.order
        registered, everyone = int(one.is_registered[first].sum()), int(one.is_registered[one.order].sum())
        unknown = int((~(side.is_known | one.is_registered))[first].sum())
        found |= {
            f"{name}_children": rule.text(len(first)),
            f"{name}_unknown": rule.text(unknown),
            f"{name}_registered": rule.text(registered),
            f"{name}_reached": _rounded(rule.share(registered, everyone)),
        }
    return found
