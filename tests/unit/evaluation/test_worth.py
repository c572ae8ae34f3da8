"""An item the truth lies in is missed, one that says nothing is not, and nothing is learned anew."""

from __future__ import annotations

import numpy as np
import pytest
from features.factory import day, simulated_town
from judgement.conftest import QUICK, TYPES, write_criteria

from kodomo.evaluation.outcomes import outcome
from kodomo.evaluation.worth import Watched, Worth, _changed, worth_of_items
from kodomo.judgement.combine import probability
from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.judge import Judged, judge, score_again
from kodomo.judgement.labels import Cases, read_cases

KIND = "NON_ATTENDANCE"
Past = tuple[Judged, Criteria, Cases]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    root = tmp_path_factory.mktemp("worth")
    records, _ = simulated_town(500, seed=11, registration=0.8)
    snapshot = records.publish(root / "store")
    criteria = read_all_criteria(write_criteria(root / "m"))
    judged = judge(snapshot, day("2025-09-30"), criteria, TYPES, plan=QUICK)
    return judged, criteria, read_cases(snapshot, criteria.labels).known_by(day("2026-03-31"))


def test_the_same_matrix_gives_the_same_scores(past: Past) -> None:
    judged, criteria, _ = past
    kind = next(t for t in judged.types if t.type.value == KIND)
    again = score_again(judged, KIND, judged.matrix, criteria)
    # Similar cases are compared in single precision, whose last bit depends on how many rows a processor takes at once.
    np.testing.assert_allclose(again[kind.rows], kind.combination.logit[kind.rows], rtol=0, atol=1e-6)


def test_attendance_is_worth_most_for_children_who_stop_coming(past: Past) -> None:
    judged, criteria, cases = past
    one = next(outcome(judged, t, cases, 6) for t in judged.types if t.type.value == KIND)
    watched = [Watched(KIND, one.rows, one.positive, int(len(one.rows) * 0.1))]
    before = {t.type.value: probability(t.combination.logit).copy() for t in judged.types}
    steps: list[int] = []
    found = worth_of_items(judged, criteria, watched, lambda: steps.append(1))
    items = {item for i in judged.matrix.catalogue.indicators for item in i.items}
    assert {w.item for w in found} == items and len(steps) == len(items)
    assert found[0].item == "absence_days" and found[0].lost_share >= 0.2
    assert found[0].changed[KIND] > max(w.changed.get(KIND, 0) for w in found[1:]) >= 0
    assert found[0].places == {KIND: watched[0].places}
    assert all(found[n].lost.get(KIND, 0) >= found[n + 1].lost.get(KIND, 0) for n in range(len(found) - 1))
    for kind, scores in before.items():
        unchanged = next(t for t in judged.types if t.type.value == kind)
        np.testing.assert_array_equal(probability(unchanged.combination.logit), scores)


def test_share_is_over_the_types_an_item_serves() -> None:
    assert Worth("x", {"A": 8.0, "B": 2.0}, {"A": 4.0, "B": 1.0}).lost_share == 0.5
    assert Worth("x", {}, {}).lost_share == 0.0


def test_where_cases_are_few_the_children_who_change_are_counted_still(past: Past) -> None:
    judged, criteria, cases = past
    one = next(outcome(judged, t, cases, 6) for t in judged.types if t.type.value == KIND)
    watched = [Watched(KIND, one.rows, one.positive, int(len(one.rows) * 0.1), has_enough=False)]
    found = {w.item: w for w in worth_of_items(judged, criteria, watched)}
    assert found["absence_days"].lost == {} and found["absence_days"].changed[KIND] >= 8
    untold = [w for w in found.values() if KIND not in w.changed]
    assert all(w.places == {} for w in untold)
    few = next(t for t in judged.types if t.type.value == KIND)
    scores = probability(few.combination.logit)
    from_nothing = _changed(watched[0], judged.matrix.cohort.child_key, scores, scores)
    assert from_nothing == 0
