"""A method that has nothing to say is silent, and the staff's points stand where learning is no better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student

from kodomo.evaluation.metrics import with_interval_of_difference
from kodomo.judgement.boosting import Boosted, TrainingSet
from kodomo.judgement.combine import LEARNED_AT_MOST, TELL_LITTLE, UNLEARNED, Combination, model_weight
from kodomo.judgement.learners.calibration import Platt
from kodomo.judgement.learners.leak_gates import auroc_difference, auroc_interval, rank_auroc
from kodomo.judgement.learning import (
    POINTS_TELL_FROM,
    SCENARIO_COLUMN,
    SPLIT_HOUSEHOLDS,
    Plan,
    TypeRows,
    _leaks,
    _log_odds,
    _sway,
    _weigh,
)
from kodomo.judgement.methods import Checked, check, near_the_best, speaks
from kodomo.judgement.scenarios import Scenarios
from kodomo.terms import Method

from .conftest import TYPES, Town


def rows_of(points_tell: bool, seed: int = 1, size: int = 3_000) -> tuple[TypeRows, np.ndarray]:
    """Rows on past dates; ``hidden`` decides who is registered, the points tell it or tell nothing."""
    generator = np.random.default_rng(seed)
    hidden = generator.normal(size=size)
    y = (generator.random(size) < 1 / (1 + np.exp(4 - 1.5 * hidden))) + 0.0
    points = np.round(np.maximum(hidden if points_tell else generator.normal(size=size), 0) * 4)
    training = TrainingSet(
        points[:, None],
        y,
        np.ones(size),
        np.array([f"h{n}" for n in range(size)], dtype=object),
        (SCENARIO_COLUMN,),
        (1,),
    )
    dates = np.where(np.arange(size) < size // 2, np.datetime64("2025-03-31"), np.datetime64("2025-06-30"))
    return TypeRows(TYPES[0], training, np.ones(size, bool), y, dates), hidden


def weigh(raw: np.ndarray, data: TypeRows, scenarios: Scenarios):
    return _weigh({Method.BOOSTING: raw}, data, scenarios, Plan(horizon_months=6))


def test_a_constant_method_is_silent(town: Town) -> None:
    data, _ = rows_of(points_tell=True)
    found = weigh(np.full(len(data.date), -3.0), data, town.criteria.scenarios)
    assert not found.speaking and found.weight == 0.0


def test_a_ranking_by_chance_is_silent(town: Town) -> None:
    data, _ = rows_of(points_tell=True)
    noise = np.random.default_rng(8).normal(size=len(data.date))
    assert not weigh(noise, data, town.criteria.scenarios).speaking


def test_learning_counts_where_it_beats_the_points(town: Town) -> None:
    data, hidden = rows_of(points_tell=False, size=30_000)
    found = weigh(hidden, data, town.criteria.scenarios)
    assert found.speaking == {Method.BOOSTING} and found.weight == 1.0, "points by chance have no share"
    data, hidden = rows_of(points_tell=False)
    some = weigh(hidden, data, town.criteria.scenarios)
    assert 0.7 < some.weight < 1.0, "of few cases it is not known that it is by chance"
    data, hidden = rows_of(points_tell=True)
    assert 0.5 < weigh(hidden * 2, data, town.criteria.scenarios).weight < 1.0, "points that tell something keep theirs"


def test_the_points_stand_where_learning_ranks_worse_beyond_chance(town: Town) -> None:
    data, hidden = rows_of(points_tell=True, size=1_500)
    blurred = hidden + np.random.default_rng(3).normal(size=len(hidden)) * 2
    found = weigh(blurred, data, town.criteria.scenarios)
    assert found.checks["COMBINED"].auroc < found.checks["SCENARIO"].auroc and found.weight > 0, "within chance"
    data, hidden = rows_of(points_tell=True, size=9_000)
    blurred = hidden + np.random.default_rng(3).normal(size=len(hidden)) * 3
    found = weigh(blurred, data, town.criteria.scenarios)
    assert found.speaking == {Method.BOOSTING}, "it has something to say"
    assert found.weight == 0.0, "but less than the points"
    assert found.checks["COMBINED"].auroc < found.checks["SCENARIO"].auroc


def test_points_alone_have_a_rate_and_no_sway(town: Town) -> None:
    data, _ = rows_of(points_tell=True)
    alone = weigh(np.full(len(data.date), -3.0), data, town.criteria.scenarios)
    assert alone.rates is not None and alone.weight == 0.0
    low, high = alone.rates.range_of(np.array([-4.0, -2.0]))
    assert (low < high).all() and low[0] < low[1]
    never_asked = Boosted((), (SCENARIO_COLUMN,), 1)
    assert _sway(never_asked, {}, alone, data.training, Plan(horizon_months=6)) is None
    young = replace(data, is_past=np.zeros(len(data.date), bool))
    assert weigh(np.full(len(data.date), -3.0), young, town.criteria.scenarios).rates is None


def test_learning_no_better_than_chance_would_have_it_counts_unless_the_city_asks_for_more(town: Town) -> None:
    """A ranking as good as the points: used, unless it must beat them beyond chance."""
    data, _ = rows_of(points_tell=True, size=600)
    twin = data.training.values[:, 0]
    scenarios = town.criteria.scenarios
    assert weigh(twin, data, scenarios).weight > 0.3
    assert weigh(twin, data, replace(scenarios, must_beat_points=True)).weight == 0.0
    data, hidden = rows_of(points_tell=False)
    assert weigh(hidden, data, replace(scenarios, must_beat_points=True)).weight > 0.5


def test_the_combined_level_and_its_top_are_those_of_registration(town: Town) -> None:
    """The points alone would promise far more; calibrated they don't, whether or not learning moves the score."""
    for tell, size in ((False, 8_000), (True, 8_000)):
        data, hidden = rows_of(points_tell=tell, size=size)
        blurred = hidden + np.random.default_rng(3).normal(size=size) * (3 if tell else 0)
        found = weigh(blurred, data, town.criteria.scenarios)
        assert (found.weight == 0) == tell
        scenario = _log_odds(town.criteria.scenarios.scopes[TYPES[0]].base_rate) + 0.35 * data.training.values[:, 0]
        said = {Method.BOOSTING: found.platts[Method.BOOSTING](blurred)}
        words = (found.weight, found.level, found.counting, found.slope)
        rate = 1 / (1 + np.exp(-Combination(scenario, said, *words).logit))
        # Six months were seen, twelve are said.
        assert np.mean(rate) == pytest.approx(2 * data.registered_after.mean(), rel=0.15)
        top = np.argsort(-rate)[: size // 20]
        assert np.mean(rate[top]) == pytest.approx(2 * data.registered_after[top].mean(), rel=0.5)


def test_a_combination_without_weight_is_the_scenario_calibrated() -> None:
    scenario, learned = np.array([0.0, 1.0]), {Method.BOOSTING: np.array([3.0, -3.0])}
    silent = Combination(scenario, learned, 0.0, 0.7, frozenset({Method.BOOSTING}), 0.5)
    assert silent.logit.tolist() == [0.7, 1.2] and not silent.is_learned
    assert Combination(scenario, {}, 0.5).logit.tolist() == [0.0, 1.0]
    both = Combination(scenario, learned, 0.5, 0.0, frozenset({Method.BOOSTING}), 2.0)
    assert both.logit.tolist() == [3.0, -2.0]


def test_points_that_learning_may_not_see_are_hardly_averaged_away() -> None:
    """Points of which no method can know anything: there is nothing to hold them against."""
    learned = {Method.BOOSTING: np.array([1.0, 1.0])}
    apart = np.array([0.0, 2.0])
    one = Combination(np.array([1.0, 3.0]), learned, 0.8, counting=frozenset({Method.BOOSTING}), apart=apart)
    assert one.logit.tolist() == pytest.approx([1.0, 1.0 + 2.0 * (0.2 + 0.8 * UNLEARNED)])
    silent = Combination(np.array([1.0, 3.0]), {}, 0.0, apart=apart)
    assert silent.logit.tolist() == [1.0, 3.0], "points alone hold them already"


def test_a_method_far_behind_the_best_does_not_dilute_it() -> None:
    checks = {
        Method.BOOSTING: Checked(0.85, 0.03, 60),
        Method.RULES: Checked(0.83, 0.03, 60),
        Method.SIMILAR: Checked(0.80, 0.03, 60),
    }
    assert near_the_best(checks) == {Method.BOOSTING, Method.RULES}
    assert near_the_best({}) == frozenset()
    many = {method: Checked(one.auroc, 0.005, 2_000) for method, one in checks.items()}
    assert near_the_best(many) == {Method.BOOSTING, Method.RULES}, "two hundredths are no reason to leave a method out"


def test_points_that_tell_much_less_than_what_was_learned_keep_only_what_few_cases_leave_them(town: Town) -> None:
    data, hidden = rows_of(points_tell=True, size=6_000)
    own = data.training.values[:, :1] + np.random.default_rng(5).normal(size=(len(hidden), 1)) * 12
    blurred = replace(data, training=replace(data.training, values=np.round(own)))
    found = weigh(hidden * 2, blurred, town.criteria.scenarios)
    assert found.checks["SCENARIO"].auroc > POINTS_TELL_FROM
    assert found.weight == model_weight(data.training.cases, TELL_LITTLE) > LEARNED_AT_MOST


def test_few_later_registrations_are_not_the_judge_alone() -> None:
    data, hidden = rows_of(points_tell=True)
    few = np.zeros(len(hidden))
    few[np.argsort(hidden)[:3]] = 1
    found = check(hidden, replace(data, registered_after=few).outcome, data.training.group)
    assert found.auroc > 0.6 and found.children == data.training.cases


def test_of_a_difficulty_that_lasts_those_registered_next_are_not_the_judge(town: Town) -> None:
    """They are of the age at which a city registers; who stands in the register has the difficulty."""
    data, hidden = rows_of(points_tell=False)
    next_ones = np.zeros(len(hidden))
    next_ones[np.argsort(hidden)[::10]] = 1
    next_ones[hidden > np.median(hidden)] = 0
    other_way = replace(data, registered_after=next_ones)
    fades = weigh(hidden * 2, other_way, town.criteria.scenarios)
    lasts = weigh(hidden * 2, replace(other_way, lasts=True), town.criteria.scenarios)
    assert fades.weight == 0.0 and not fades.speaking
    assert lasts.weight > 0.8 and lasts.checks["BOOSTING"].auroc > 0.75
    assert lasts.platts[Method.BOOSTING].slope > 0.2 > fades.platts[Method.BOOSTING].slope
    # What is shown stays the rate of registration.
    assert np.isclose(np.mean(1 / (1 + np.exp(-lasts.scores))), 2 * next_ones.mean(), rtol=0.1)


def test_a_slope_at_its_floor_says_nothing() -> None:
    good = Checked(0.9, 0.01, 200)
    assert speaks(Platt(0.6, 0.0), good)
    assert not speaks(Platt(0.05, 0.0), good)
    assert not speaks(Platt(1.0, 0.0), Checked(0.55, 0.04, 60))


def test_silent_methods_write_no_rows(town: Town) -> None:
    for kind in town.judged.types:
        for method, logits in kind.combination.learned.items():
            assert np.ptp(logits[kind.rows]) > 0, f"{method} says the same of everyone"


def test_a_model_that_knows_the_latest_date_too_well_is_stopped(town: Town) -> None:
    """As where the last outcomes were copied into a column: honest before, nearly perfect on the last date."""
    data, hidden = rows_of(points_tell=False, size=6_000)
    assert weigh(hidden, data, town.criteria.scenarios).gap is None
    copied = np.where(data.date == data.date.max(), data.registered_after * 5 + hidden, hidden)
    found = weigh(copied, data, town.criteria.scenarios).gap
    assert found is not None and found > 0.05


def test_the_interval_shown_knows_that_rows_come_in_households() -> None:
    """Without groups it is DeLong's, worked out row by row; the same rows twice in one household add nothing."""
    generator = np.random.default_rng(4)
    y = (generator.random(60) < 0.3) + 0.0
    scores = generator.normal(size=60).round(1) + y
    up, down = scores[y > 0], scores[y == 0]
    right = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
    area, error = right.mean(), np.sqrt(right.mean(1).var(ddof=1) / len(up) + right.mean(0).var(ddof=1) / len(down))
    low, high = auroc_interval(scores, y, np.arange(60).astype(object))
    reach = student.ppf(0.975, len(up) - 1) * error / (area * (1 - area))
    middle = np.log(area / (1 - area))
    assert [low, high] == pytest.approx([1 / (1 + np.exp(-middle - s * reach)) for s in (-1, 1)])
    twice = auroc_interval(np.tile(scores, 2), np.tile(y, 2), np.tile(np.arange(60).astype(object), 2))
    assert twice == pytest.approx((low, high), rel=0.01)


def test_the_difference_of_two_rankings_knows_what_they_share() -> None:
    """Held against drawing whole households again and again."""
    generator = np.random.default_rng(9)
    group = np.repeat(np.arange(400), 2).astype(object)
    y = (generator.random(800) < 0.2) + 0.0
    shared = generator.normal(size=800) + y
    one, other = shared + 0.3 * generator.normal(size=800), shared + 0.5 * generator.normal(size=800)
    value, low, high = auroc_difference(one, other, y, group)
    drawn = with_interval_of_difference(rank_auroc, one, other, y, group, generator, 400)
    assert value == pytest.approx(drawn.value) and [low, high] == pytest.approx([drawn.low, drawn.high], abs=0.01)
    assert auroc_difference(one, one, y, group) == (0.0, 0.0, 0.0)
    assert auroc_difference(one, other, np.eye(800)[0], group)[1:] == (-1.0, 1.0)


def test_a_household_on_both_sides_of_a_split_stops_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    data, _ = rows_of(points_tell=True, size=400)
    twice = replace(
        data, training=replace(data.training, group=np.repeat([f"h{n}" for n in range(200)], 2).astype(object))
    )
    assert _leaks(twice, 1) == []
    monkeypatch.setattr("kodomo.judgement.learning.fold_of", lambda group, seed: np.arange(len(group)) % 4)
    assert _leaks(twice, 1) == [(SPLIT_HOUSEHOLDS, 200.0)]


def test_methods_far_apart_are_disputed_among_the_children_judged() -> None:
    """Of a hundred judged, one stands highest by boosting and in the middle by the points; fifty others are not asked."""
    judged = np.arange(150) < 100
    points, boosting = np.arange(150.0), np.arange(150.0)
    points[99], boosting[40] = 45.5, 99.5
    counting = frozenset({Method.BOOSTING})
    found = Combination(points, {Method.BOOSTING: boosting}, 0.5, counting=counting).disagree(judged)
    assert np.flatnonzero(found).tolist() == [40, 99]
    everyone = Combination(points, {Method.BOOSTING: boosting}, 0.5, counting=counting).disagree(
        np.ones(150, dtype=bool)
    )
    assert not everyone[:100].any(), "children not asked for the type would hide it"
    shown_only = Combination(points, {Method.BOOSTING: boosting}, 0.0).disagree(judged)
    assert not shown_only.any(), "a method that makes up no part of the score disputes nothing"
