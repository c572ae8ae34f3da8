"""The learners on plain tables: what they find, that they are the same each time, and that nothing leaks between folds."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.judgement.learners.boosting import Boosting
from kodomo.judgement.learners.calibration import fit_bent, fit_platt, probability
from kodomo.judgement.learners.combine import fit_combined, four_learners, near_the_best
from kodomo.judgement.learners.cross_fit import CrossFitted, cross_fit, make_folds
from kodomo.judgement.learners.leak_gates import rank_auroc
from kodomo.judgement.learners.logistic import Logistic
from kodomo.judgement.learners.rule_discovery import Condition, Rule, RuleDiscovery, StaffWord, shape_of
from kodomo.judgement.learners.signed_line import SignedLine
from kodomo.judgement.learners.similar_cases import SimilarCases

SHORT = (RuleDiscovery(splits=1), Boosting(rounds=(40, 80)), SimilarCases(), Logistic())


def a_table(rows: int = 700, seed: int = 3, noise: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A conjunction of two columns and a line in a third make cases; a tenth of the cells are empty."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, 3 + noise))
    logit = -3.0 + 2.5 * ((x[:, 0] > 0.5) & (x[:, 1] > 0)) + 0.8 * x[:, 2]
    y = (generator.random(rows) < 1 / (1 + np.exp(-logit))) + 0.0
    x[generator.random(x.shape) < 0.1] = np.nan
    return x, y


@pytest.mark.parametrize("learner", SHORT, ids=lambda one: one.name)
def test_each_learner_ranks_new_rows_and_is_the_same_each_time(learner):
    x, y = a_table(1_000)
    folds = make_folds(y[:700], None, count=3, seed=1)
    fitted = cross_fit(learner, x[:700], y[:700], folds, seed=5)
    again = cross_fit(learner, x[:700], y[:700], folds, seed=5)
    assert rank_auroc(fitted.logits(x[700:]), y[700:]) > 0.65
    assert np.array_equal(fitted.logits(x[700:]), again.logits(x[700:]))


@pytest.mark.parametrize("learner", SHORT, ids=lambda one: one.name)
def test_a_row_is_never_scored_by_its_own_outcome(learner):
    """Outcomes drawn without regard to the columns: out-of-fold scores must know nothing of them."""
    generator = np.random.default_rng(9)
    x, y = generator.normal(size=(500, 4)), (generator.random(500) < 0.2) + 0.0
    areas = []
    for seed in range(2):
        folds = make_folds(y, None, count=2, seed=seed)
        areas.append(rank_auroc(cross_fit(learner, x, y, folds, seed=seed).out_of_fold, y))
    assert abs(np.mean(areas) - 0.5) < 0.1


def test_a_planted_conjunction_is_found_and_readable():
    x, y = a_table(3_000, noise=6)
    path = RuleDiscovery().fit(x, y, seed=1)
    strongest = path.at(3).rules[:6]
    pair = [w for w in strongest if {c.column for c in w.rule.conditions} == {0, 1}]
    assert pair and pair[0].weight > 0
    assert all(len(w.rule.conditions) <= 3 for w in path.at(3).rules)
    covered = pair[0].rule.holds(x)
    assert pair[0].rows == covered.sum() and pair[0].cases == y[covered].sum()
    assert y[covered].mean() > 2 * y.mean()


def test_rules_on_noise_are_not_discovered():
    generator = np.random.default_rng(2)
    found = 0
    for seed in range(5):
        x, y = generator.normal(size=(800, 8)), (generator.random(800) < 0.15) + 0.0
        found += len(RuleDiscovery(splits=1).fit(x, y, seed=seed).rules)
    assert found <= 5, "the false discovery rate is not held"


def test_a_veto_covers_every_rule_that_contains_the_shape():
    x, y = a_table(2_000)
    free = RuleDiscovery().fit(x, y, seed=1)
    veto = frozenset({(0, ">"), (1, ">")})
    assert any(veto <= shape_of(rule) for rule in free.rules)
    path = RuleDiscovery(staff=StaffWord(forbidden=(veto,))).fit(x, y, seed=1)
    assert path.rules and not any(veto <= shape_of(rule) for rule in path.rules)
    sides = tuple(frozenset({(0, side)}) for side in (">", "<=", "><="))
    without = RuleDiscovery(staff=StaffWord(forbidden=sides)).fit(x, y, seed=1)
    assert not any(c.column == 0 for rule in without.rules for c in rule.conditions)


def test_a_pinned_rule_is_always_weighed_and_a_required_one_hardly_penalised():
    x, y = a_table(2_000)
    # A rule that holds of the outcome but fails the floors: it covers too few.
    weak = Rule((Condition(2, 1.4, np.inf, False), Condition(3, 0.5, np.inf, False)))
    assert weak not in RuleDiscovery().fit(x, y, seed=1).rules
    pinned = RuleDiscovery(staff=StaffWord(pinned=(weak,))).fit(x, y, seed=1)
    required = RuleDiscovery(staff=StaffWord(required=(weak,))).fit(x, y, seed=1)
    assert weak in pinned.rules and weak in required.rules

    def weight(path):
        return np.array([abs(path.lines[n][2][path.rules.index(weak)]) for n in range(len(path.lines))])

    assert weight(required).max() > 0
    assert (weight(required) >= weight(pinned) - 1e-6).all() and weight(required).sum() > weight(pinned).sum()
    vetoed = RuleDiscovery(staff=StaffWord(forbidden=(shape_of(weak),), pinned=(weak,))).fit(x, y, seed=1)
    assert weak not in vetoed.rules, "a veto stands above a pin"


def test_parts_of_rules_and_of_boosting_add_up_to_the_score():
    x, y = a_table()
    for model in (RuleDiscovery(splits=1).fit(x, y, seed=1).at(5), Boosting(rounds=(50,)).fit(x, y, seed=1).at(0)):
        assert np.abs(model.contributions(x).sum(axis=1) - model.logits(x)).max() < 1e-6


def test_a_signed_line_keeps_known_signs_and_its_parts_add_up():
    generator = np.random.default_rng(3)
    x = generator.normal(size=(400, 4))
    y = (generator.random(400) < probability(x[:, 0] - x[:, 1] - 2)) + 0.0
    x[generator.random(400) < 0.2, 0] = np.nan
    model = SignedLine((-1, -1, 0, 1)).fit(x, y, seed=1).at(5)
    weights = model.line.weights[:4]  # then that of the gaps
    assert weights[0] == 0.0, "it would go the other way"
    assert weights[1] < -0.3 and weights[3] >= 0.0
    np.testing.assert_allclose(model.contributions(x).sum(axis=1), model.logits(x))


def test_a_trusted_column_is_believed_sooner_than_the_others():
    generator = np.random.default_rng(5)
    x = generator.normal(size=(300, 2))
    y = (generator.random(300) < probability(x[:, 0] + x[:, 1] - 2)) + 0.0
    first = SignedLine(trusted=frozenset({0})).fit(x, y, seed=1).at(0).line.weights
    assert first[0] > 3 * first[1] > 0


def test_boosting_keeps_a_known_sign():
    x, y = a_table(1_500)
    signs = (0, 0, -1, 0, 0, 0, 0)
    model = Boosting(signs=signs, rounds=(80,)).fit(x, y, seed=1).at(0)
    lower, higher = x.copy(), x.copy()
    lower[:, 2], higher[:, 2] = -1.0, 1.0
    assert (model.logits(higher) <= model.logits(lower) + 1e-9).all()


def test_a_column_of_ones_and_few_twos_is_used():
    """Twins among births: LightGBM's bundling of columns loses such a column without a word."""
    generator = np.random.default_rng(3)
    rows = 1_200
    twin = 1.0 + (generator.random(rows) < 0.035)
    others = np.column_stack([(generator.random(rows) < share) + 1.0 for share in (0.02, 0.05, 0.3, 0.5)])
    y = (generator.random(rows) < np.where(twin > 1, 0.7, 0.1)) + 0.0
    x = np.column_stack([twin, others])
    model = Boosting(rounds=(100,)).fit(x, y, seed=1).at(0)
    assert model.logits(x)[twin > 1].mean() > model.logits(x)[twin == 1].mean() + 1


def test_similar_cases_votes_are_those_of_the_score():
    """With all voters the shares of cases add up to the probability; the nearest of a copy is its original."""
    x, y = a_table(400)
    model = SimilarCases().fit(x, y, seed=1).at(0)
    rows, votes = model.nearest(x[:20], count=len(x))
    share = np.array([v[y[r] > 0].sum() for r, v in zip(rows, votes, strict=True)])
    assert np.abs(share - probability(model.logits(x[:20]))).max() < 1e-4
    assert (rows[:, 0] == np.arange(20)).mean() > 0.9


def test_nearest_cases_of_a_case_are_cases_more_often():
    x, y = a_table(3_000)
    model = SimilarCases().fit(x[:2_000], y[:2_000], seed=1).at(3)
    held, outcome = x[2_000:], y[2_000:]
    logits = model.logits(held)
    top = np.argsort(-logits)[:50]
    rows, _ = model.nearest(held[top][outcome[top] > 0], count=5)
    assert y[:2_000][rows].mean() > 2 * y.mean()


@pytest.mark.parametrize("learner", SHORT, ids=lambda one: one.name)
def test_columns_that_say_nothing_are_borne(learner):
    """All constant, all missing, or filled and empty without any difference in value."""
    generator = np.random.default_rng(3)
    y = (generator.random(300) < 0.2) + 0.0
    hollow = np.column_stack([np.full(300, 2.0), np.full(300, np.nan)])
    half = np.where(generator.random(300) < 0.5, 1.0, np.nan)[:, None]
    for x in (hollow, np.column_stack([hollow, half])):
        folds = make_folds(y, None, count=2, seed=1)
        assert np.isfinite(cross_fit(learner, x, y, folds, seed=1).logits(x)).all()


def test_folds_keep_groups_together_and_share_out_cases():
    generator = np.random.default_rng(4)
    group = generator.integers(0, 120, 900)
    y = (generator.random(900) < 0.1) + 0.0
    folds = make_folds(y, group, count=5, seed=2)
    assert all(len(set(folds[group == one])) == 1 for one in set(group))
    cases = np.bincount(folds, weights=y)
    assert cases.max() - cases.min() <= 3
    assert np.array_equal(folds, make_folds(y, group, count=5, seed=2))
    plain = make_folds(y, None, count=5, seed=2)
    assert np.ptp(np.bincount(plain)) <= 1 and np.ptp(np.bincount(plain, weights=y)) <= 1


def test_combination_is_calibrated():
    x, y = a_table(4_000, noise=2)
    folds = make_folds(y[:2_000], None, count=3, seed=1)
    fitted = fit_combined((SHORT[1], SHORT[3]), x[:2_000], y[:2_000], folds, seed=1)
    p = probability(fitted.logits(x[2_000:]))
    assert abs(p.mean() - y[2_000:].mean()) < 0.03


def test_a_learner_plainly_behind_does_not_dilute_the_mean():
    generator = np.random.default_rng(6)
    y = (generator.random(2_000) < 0.15) + 0.0
    good, far = (y + generator.normal(size=len(y)) * spread for spread in (1.0, 3.0))
    near = good + generator.normal(size=len(y)) * 0.05
    parts = {n: CrossFitted((), oof, 0) for n, oof in (("good", good), ("near", near), ("far", far))}
    assert near_the_best(parts, y) == ("good", "near")


@pytest.mark.parametrize(("rows", "kept"), [(700, ("lucky", "unlucky")), (60_000, ("lucky",))])
def test_the_mean_is_left_to_one_learner_only_where_the_others_are_behind_beyond_chance(
    rows: int, kept: tuple[str, ...]
) -> None:
    generator = np.random.default_rng(4)
    signal = generator.normal(size=rows)
    y = (signal + generator.logistic(size=rows) > 2.6) + 0.0
    one, other = (signal + generator.normal(size=rows) * spread for spread in (0.6, 0.9))
    assert rank_auroc(one, y) > rank_auroc(other, y) + 0.02
    parts = {"lucky": CrossFitted((), one, 0), "unlucky": CrossFitted((), other, 0)}
    assert near_the_best(parts, y) == kept


def test_platt_never_turns_a_ranking_round():
    generator = np.random.default_rng(1)
    logits = generator.normal(size=300)
    y = (generator.random(300) < 1 / (1 + np.exp(logits + 2))) + 0.0
    assert fit_platt(logits, y).slope > 0


def test_one_row_far_out_does_not_throw_the_calibration():
    generator = np.random.default_rng(2)
    logits = generator.normal(-1, 1.2, size=4_000)
    y = (generator.random(4_000) < probability(logits)) + 0.0
    for far, outcome in ((-4_000.0, 1.0), (400_000.0, 0.0)):
        fitted = fit_platt(np.r_[logits, far], np.r_[y, outcome])
        assert abs(probability(fitted(logits)).mean() - y.mean()) < 0.01


def test_a_type_of_which_nobody_was_registered_yet_has_a_small_rate_and_its_ranking():
    logits = np.random.default_rng(6).normal(-2, 1, size=2_000)
    fitted = fit_platt(logits, np.zeros(2_000))
    assert 1e-4 < probability(fitted(logits)).mean() < 5e-4
    assert fitted.slope > 0.8


def test_calibration_bends_where_one_slope_is_a_compromise():
    generator = np.random.default_rng(3)
    logits = generator.normal(-2, 1.5, size=20_000)
    true = np.where(logits < -1.5, 0.6 * (logits + 1.5), 1.6 * (logits + 1.5)) - 1.5
    y = (generator.random(len(logits)) < probability(true)) + 0.0
    bent, straight = fit_bent(logits, y), fit_platt(logits, y)
    assert bent.above > 1.2 * bent.below
    off = [np.abs(probability(one(logits)) - probability(true)).mean() for one in (bent, straight)]
    assert off[0] < 0.5 * off[1]
    assert (np.diff(bent(np.linspace(-9, 9, 200))) > 0).all()


def test_few_cases_leave_the_calibration_straight():
    generator = np.random.default_rng(4)
    logits = generator.normal(-3, 1, size=300)
    y = (generator.random(300) < probability(logits)) + 0.0
    bent = fit_bent(logits, y)
    assert 0.6 < bent.below < 1.4 and 0.6 < bent.above < 1.4


def test_a_new_row_beyond_a_hardly_seen_bend_does_not_outweigh_all():
    generator = np.random.default_rng(5)
    x = np.column_stack([generator.normal(size=2_000), np.r_[np.zeros(1_995), [1e-4, 2e-4, 3e-4, 4e-4, 5e-4]]])
    y = (generator.random(2_000) < probability(x[:, 0] - 2)) + 0.0
    fitted = cross_fit(Logistic(), x, y, make_folds(y, None, count=3), seed=1)
    assert np.abs(fitted.logits(np.array([[0.0, 5.0], [0.0, 1e6]]))).max() < 30


def test_the_four_learners_are_named_as_documented():
    assert [one.name for one in four_learners(100, 5)] == ["rule_discovery", "boosting", "similar_cases", "logistic"]
