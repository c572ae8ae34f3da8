"""For each child that a type raises: the known cases it resembles most, by the likeness learned for the type (analysis side).

They explain a judgement by what has been, and let casework ask which support helped such children. Only keys are
kept, never a likeness that could be read as a score; a page shows what several of them have in common, or nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kodomo.judgement.judge import Flags, Judged, TypeJudgement, model_values
from kodomo.judgement.learners.cross_fit import Array, CrossFitted
from kodomo.judgement.learners.similar_cases import SimilarModel
from kodomo.store.results import SIMILAR_CASES
from kodomo.terms import Level, Method

NEAREST = 20
"""Enough to say what such children have in common, few enough to be alike."""

LEAST = 5
"""With fewer known cases of a type, nothing could ever be shown of them."""

RAISED = (Level.HIGH.value, Level.MIDDLE.value)


def similar_cases(judged: Judged, judgements: pa.Table, supported: Collection[str]) -> pa.Table:
    """The table ``similar_cases``, sorted.

    Args:
        judgements: the table of the same judgement; the combined method says which children a type raises.
        supported: children whom people decided to support: past cases too, whatever they are registered as.
    """
    helped = np.isin(judged.matrix.cohort.child_key.astype(str), sorted(supported))
    parts = [_of_type(judged, kind, judgements, helped) for kind in judged.types]
    together = pa.concat_tables([SIMILAR_CASES.schema().empty_table(), *(part for part in parts if part is not None)])
    return together.sort_by([(name, "ascending") for name in ("child_key", "type", "position")]).combine_chunks()


def _of_type(judged: Judged, kind: TypeJudgement, judgements: pa.Table, helped: Flags) -> pa.Table | None:
    model = kind.model
    fitted = next((one for one in model.others if one.method is Method.SIMILAR), None) if model else None
    if model is None or fitted is None:
        return None
    keys = judged.matrix.cohort.child_key
    past = np.intersect1d(np.flatnonzero(kind.registered | helped), kind.rows)
    raised = np.flatnonzero(np.isin(keys.astype(str), _raised(judgements, kind.type.value)))
    if len(past) < LEAST or not len(raised):
        return None
    values = model_values(model, judged.matrix, kind.scenario)
    found = nearest_cases(fitted.models, values, raised, past, judged.groups)
    rows = [
        {"child_key": keys[child], "type": kind.type.value, "position": place, "similar_key": keys[other]}
        for child, others in zip(raised, found, strict=True)
        for place, other in enumerate(others, 1)
    ]
    return pa.Table.from_pylist(rows, schema=SIMILAR_CASES.schema())


def _raised(judgements: pa.Table, kind: str) -> list[str]:
    of_type = pc.and_(pc.equal(judgements["type"], kind), pc.equal(judgements["method"], Method.COMBINED.value))
    at_level = pc.is_in(judgements["level"], value_set=pa.array(RAISED))
    found: list[str] = judgements.filter(pc.and_(of_type, at_level))["child_key"].to_pylist()
    return found


def nearest_cases(
    models: CrossFitted,
    values: Array,
    children: NDArray[np.intp],
    past: NDArray[np.intp],
    group: NDArray[np.object_],
) -> list[NDArray[np.intp]]:
    """For each child's row the rows of its nearest past cases, nearest first; never of its own household.

    Distances are the mean over the folds' models: a past case stood in the training of most of them.
    """
    distances = np.zeros((len(children), len(past)))
    for model in models.models:
        if isinstance(model, SimilarModel):
            distances += model.distances(values[children], values[past])
    distances[group[children][:, None] == group[past][None, :]] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")[:, :NEAREST]
    return [past[row[np.isfinite(distances[n, row])]] for n, row in enumerate(order)]
