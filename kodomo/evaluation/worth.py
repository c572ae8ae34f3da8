"""What each data item is worth: how many of the later cases would stand below capacity without it, and how many of the
children within it would be others (analysis side).

必要最小限 (個人情報保護法61条2項) asks of every item whether the work needs it. The answer here is for the
criteria and models as they are: the item's values are taken away and every child is scored again; nothing
is learned anew, for an item that stops tomorrow meets the model of today. The children who change are counted in
every city; the cases lost only where there are enough of them to say anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kodomo.evaluation.metrics import recall_at
from kodomo.features.matrix import FeatureMatrix
from kodomo.judgement.combine import probability
from kodomo.judgement.criteria import Criteria
from kodomo.judgement.judge import Judged, score_again
from kodomo.judgement.levels import ranking

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Watched:
    """One type to watch: its later cases among these rows, and how many children can be reviewed.

    ``has_enough`` is false where the cases are so few that their loss would say nothing, or give one away.
    """

    type: str
    rows: NDArray[np.intp]
    positive: Array
    places: int
    has_enough: bool = True


@dataclass(frozen=True)
class Worth:
    """``reached[type]``: later cases within capacity now; ``lost[type]``: how many fewer without the item;
    ``changed[type]``: how many children of the ``places[type]`` within capacity would make room for others.
    """

    item: str
    reached: dict[str, float]
    lost: dict[str, float]
    changed: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    @property
    def lost_share(self) -> float:
        """Of all cases reached now, the share that would not be reached without the item (over its types)."""
        total = sum(self.reached.values())
        return sum(self.lost.values()) / total if total else 0.0


def worth_of_items(
    judged: Judged, criteria: Criteria, watched: Sequence[Watched], step: Callable[[], None] = lambda: None
) -> list[Worth]:
    """Every item the indicators read, the one that would be missed most first.

    Args:
        judged: the past date, as judged on it.
        watched: the types judged.
        step: called after each item.
    """
    items = sorted({item for i in judged.matrix.catalogue.indicators for item in i.items})
    now = {w.type: _scores(judged, w.type) for w in watched}
    reached = {w.type: _reached(w, now[w.type]) for w in watched}
    found = []
    for item in items:
        without = _without(judged.matrix, item)
        lost, changed = {}, {}
        for w in watched:
            if not _serves(judged.matrix, item, w.type):
                continue
            scores = probability(score_again(judged, w.type, without, criteria))
            changed[w.type] = _changed(w, judged.matrix.cohort.child_key, now[w.type], scores)
            if w.has_enough:
                lost[w.type] = reached[w.type] - _reached(w, scores)
        places = {w.type: min(w.places, len(w.rows)) for w in watched if w.type in changed}
        found.append(Worth(item, {kind: reached[kind] for kind in lost}, lost, changed, places))
        step()
    return sorted(found, key=lambda w: (-sum(w.lost.values()), -sum(w.changed.values()), w.item))


def _changed(watched: Watched, keys: NDArray[np.object_], now: Array, then: Array) -> int:
    """How many of the children within capacity would not be any more; equals stand in an order of their own."""
    first, second = (
        set(ranking(scores[watched.rows], keys[watched.rows])[: watched.places].tolist()) for scores in (now, then)
    )
    return len(first - second)


def _scores(judged: Judged, kind: str) -> Array:
    return probability(next(t for t in judged.types if t.type.value == kind).combination.logit)


def _reached(watched: Watched, scores: Array) -> float:
    return recall_at(scores[watched.rows], watched.positive, watched.places) * float(watched.positive.sum())


def _without(matrix: FeatureMatrix, item: str) -> FeatureMatrix:
    """The matrix as if the item had never come in."""
    gone = [n for n, i in enumerate(matrix.catalogue.indicators) if item in i.items]
    values = matrix.values.copy()
    values[:, gone] = np.nan
    return matrix.with_values(values)


def _serves(matrix: FeatureMatrix, item: str, kind: str) -> bool:
    return any(item in i.items and kind in {t.value for t in i.types} for i in matrix.catalogue.indicators)
