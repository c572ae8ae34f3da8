"""What of being registered is only being seen, and how cases are weighed so that learning does not learn it (analysis side).

Offices see the families they have to do with, and registrations favour them whatever the difficulty. What a family has to
do with offices cannot bring about every difficulty alike: what raises the registrations of most types alike, whichever the
type, is taken for being seen (the difficulties that it cannot cause are the negative controls of Lipsitch, Tchetgen Tchetgen
& Cohen 2010). Known cases then count the less the more readily such a family is seen, as cases labelled at unequal rates
are weighed by the inverse of their rate (Bekker, Robberechts & Davis 2019), but by half of it on the scale of log-odds,
for what all difficulties share is in part what brings them about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kodomo.features.catalogue import Catalogue, Indicator
from kodomo.features.matrix import FeatureMatrix
from kodomo.judgement.boosting import Array, TrainingSet
from kodomo.judgement.learners.linear import ridge_path
from kodomo.terms import DifficultyType

OF_THE_CHILD = frozenset({"age_months", "grade", "months_resident"})
"""What a register tells of the child itself, not of how its family is made up."""
TAKEN_BACK = 0.5
"""Share of the log-odds of being seen that a case's weight takes back. In three strangers' cities the whole was worth no more
than the half (measured)."""
AT_MOST = 4.0
"""No case counts more than so many times as much, or so many times less."""
FEWEST_TYPES = 5
"""Of fewer, what two of them are brought about by would pass for what all share: of a town of 25,000 of our own with four
types of 51 to 101 cases it cost .005 AUROC, of three such towns together with six types nothing (measured)."""
OTHERS = 8_000
PRIOR_ROWS = 20.0
"""As if so many rows had spoken for a weight of nought: of a hundred cases one family feature is known badly."""


def family_columns(catalogue: Catalogue, codes: tuple[str, ...], allows: Callable[[str], bool]) -> tuple[int, ...]:
    """Places of the indicators that tell what offices have to do with a family: contacts over its means (allowances, aid,
    meals: those that serve 貧困; the nurse's room and the special class know the child, not the family), how the household
    is made up, and what is known of the guardians; lawful, and none that recognition itself made.
    """

    def tells(one: Indicator) -> bool:
        is_over_means = one.is_contact and DifficultyType.POVERTY in one.types
        is_of_family = is_over_means or one.whose == "guardians" or bool(one.structure)
        return is_of_family and one.structure not in OF_THE_CHILD and not one.is_label_trace

    return tuple(
        n for n, code in enumerate(codes) if tells(catalogue[code]) and all(allows(i) for i in catalogue[code].items)
    )


def seen_alike(
    past: FeatureMatrix,
    known: Collection[tuple[NDArray[np.intp], TrainingSet]],
    allows: Callable[[str], bool],
    seed: int,
) -> Array:
    """How readily each row's family is seen, as log-odds: the median over the types of what each family indicator adds.

    Args:
        known: of each type that has cases enough, which rows of ``past`` are learned from, and what they say.
        allows: whether an item may be learned from.
        seed: of the draw of unlabelled rows.

    Returns:
        one number a row of ``past``; zeros where the types are too few to show what they share.
    """
    columns = family_columns(past.catalogue, past.codes, allows)
    if len(known) < FEWEST_TYPES or not columns:
        return np.zeros(len(past.cohort))
    family = _standard(past.values[:, list(columns)])
    both = np.column_stack([family, _age(past)])
    weights = [_line(both[rows], data, seed)[: len(columns)] for rows, data in known]
    return np.asarray(family @ np.median(weights, axis=0))


def evened(data: TrainingSet, seen: Array) -> TrainingSet:
    """The rows with each case counting by how little of it is only being seen; cases count as much as before in all.

    Args:
        seen: of each row of ``data``, as ``seen_alike`` has it.
    """
    is_case = data.y > 0
    if not is_case.any():
        return data
    share = np.exp(-TAKEN_BACK * (seen - np.average(seen[is_case], weights=data.weight[is_case])))
    share = np.clip(share / np.average(share[is_case], weights=data.weight[is_case]), 1 / AT_MOST, AT_MOST)
    return replace(data, weight=np.where(is_case, data.weight * share, data.weight))


def _standard(values: Array) -> Array:
    """Columns in spreads from their middle, drawn in at three; what is not known stands at the middle."""
    known = ~np.isnan(values)
    number = np.maximum(known.sum(axis=0), 1)
    middle = np.where(known, values, 0.0).sum(axis=0) / number
    apart = np.where(known, values - middle, 0.0)
    spread = np.sqrt((apart**2).sum(axis=0) / number)
    return np.asarray(np.clip(apart / np.where(spread > 0, spread, 1.0), -3.0, 3.0))


def _age(past: FeatureMatrix) -> Array:
    """Age in powers, for every difficulty has its ages and families change with their children's."""
    place = next((n for n, code in enumerate(past.codes) if past.catalogue[code].structure == "age_months"), None)
    age = np.zeros(len(past.cohort)) if place is None else np.nan_to_num(past.values[:, place]) / 200
    return np.column_stack([age, age**2, age**3])


def _line(x: Array, data: TrainingSet, seed: int) -> Array:
    """A weight for each column: cases against a draw of the unlabelled, households counting once."""
    cases, rest = np.flatnonzero(data.y > 0), np.flatnonzero(data.y == 0)
    drawn = np.random.default_rng(seed).choice(rest, min(OTHERS, len(rest)), replace=False)
    rows = np.sort(np.concatenate([cases, drawn]))
    y = data.y[rows]
    weight = np.where(y > 0, data.weight[rows] * data.cases / data.weight[cases].sum(), 1.0)
    penalty = PRIOR_ROWS / weight.sum()
    return ridge_path(x[rows], y, np.array([penalty]), weight=weight)[0].weights
