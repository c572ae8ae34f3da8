"""What is learned: better than chance on the hidden truth, never from later facts, nor from a leak."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from features.factory import Town as Records
from features.factory import day, simulated_town

from kodomo.judgement.boosting import (
    OTHERWISE,
    TrainingSet,
    fit_boosted,
    fold_of,
)
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.judge import first_fact, judge, study
from kodomo.judgement.labels import horizon_for, learning_dates, mark, read_cases, read_labels
from kodomo.judgement.learners.calibration import fit_platt
from kodomo.judgement.learners.leak_gates import rank_auroc, suspicious_columns
from kodomo.judgement.learning import Plan, household_groups, learnable, no_case, reached, training_set
from kodomo.judgement.model_card import left_out, telling_gaps
from kodomo.judgement.run import learned_summary
from kodomo.terms import DifficultyType

from .conftest import AS_OF, INDICATORS, QUICK, TYPES, Town, write_criteria

NON_ATTENDANCE = DifficultyType.NON_ATTENDANCE


def test_finds_children_in_difficulty_who_are_not_registered(town: Town) -> None:
    judged = town.judged
    kind = judged.types[0]
    assert kind.model is not None
    unregistered = kind.rows[~kind.registered[kind.rows]]
    hidden = np.array([town.truth.get(k, 0.0) > 0.4 for k in judged.matrix.cohort.child_key[unregistered]], dtype=float)
    assert hidden.sum() >= 10
    assert kind.combination.boosting is not None
    assert rank_auroc(kind.combination.boosting[unregistered], hidden) > 0.85
    assert rank_auroc(kind.combination.logit[unregistered], hidden) > 0.85


def test_traces_of_recognition_are_never_learned(town: Town) -> None:
    columns = learnable(town.criteria.catalogue, town.criteria.labels, NON_ATTENDANCE, lambda item: True)
    assert "registered" not in columns
    assert columns == ("absence_3m", "late_12m", "absence_share", "arrears")
    unmarked = INDICATORS.replace("is_label_trace = true\n", "")
    folder = write_criteria(town.root / "unmarked", indicators=unmarked)
    again = read_all_criteria(folder)
    assert "registered" not in learnable(again.catalogue, again.labels, NON_ATTENDANCE, lambda item: True)


def test_item_without_a_basis_for_learning_is_not_learned(town: Town) -> None:
    columns = learnable(town.criteria.catalogue, town.criteria.labels, NON_ATTENDANCE, lambda item: item != "late_days")
    assert "late_12m" not in columns


@pytest.mark.parametrize(("leaks", "windows"), [(1, 1), (1, 4), (4, 1)])
def test_a_planted_leak_is_left_out_and_many_stop_the_learning_of_their_type(
    tmp_path: Path, leaks: int, windows: int
) -> None:
    """Fields the registration itself creates, kept under innocent names, before the registration is dated."""
    records, _ = simulated_town(260, seed=3)
    indicators = INDICATORS
    for n in range(leaks):
        for fact in [f for f in records.facts if f["item"] == "council_registration"]:
            records.fact(fact["person_key"], f"file_{n}", "2024-04-10", source="family_file", number=1.0, to=None)
        for window in range(windows):
            when = f"window_months = {24 + window}" if window else 'at = "now"'
            indicators += (
                f'\n[[indicators]]\ncode = "innocent_{n}{window or ""}"\ncaption = "書類"\nitem = "file_{n}"\n{when}\n'
                'aggregate = "count"\ntypes = ["不登校"]\nsentence = "{value}"\n'
            )
    criteria = read_all_criteria(write_criteria(tmp_path / "m", indicators=indicators))
    judged = judge(records.publish(tmp_path / "store"), AS_OF, criteria, TYPES, plan=QUICK)
    if leaks == 1:
        assert len(judged.learned.left_out[NON_ATTENDANCE]) == windows
        model = judged.learned.models[NON_ATTENDANCE]
        assert not any("innocent" in name for name in model.columns) and judged.learned.stopped == {}
        told, *_ = left_out(learned_summary(judged), criteria.catalogue)
        assert "不登校: 書類" in told and "学習から外した" in told
        return
    assert [name for name, _ in judged.learned.stopped[NON_ATTENDANCE]] == [f"innocent_{n}" for n in range(4)]
    assert NON_ATTENDANCE not in judged.learned.models
    assert judged.types[0].combination.boosting is None


def test_no_leak_is_reported_on_honest_records(town: Town) -> None:
    assert town.judged.learned.stopped == {} and town.judged.learned.left_out == {}
    assert set(town.judged.learned.gaps) == set(TYPES)


def test_what_tells_by_being_known_is_listed_in_the_card(town: Town) -> None:
    summary = {"types": {"POVERTY": {"telling_gaps": [{"indicator": "arrears", "auroc": 0.712}]}, "ABUSE": {}}}
    (words,) = telling_gaps(summary, town.criteria.catalogue)
    assert "貧困: 水道料金の未納(0.71)" in words and "虐待" not in words
    assert telling_gaps({"types": {"ABUSE": {}}}, town.criteria.catalogue) == []


def test_a_column_given_away_by_being_filled_is_a_leak() -> None:
    generator = np.random.default_rng(1)
    y = (generator.random(2_000) < 0.05).astype(float)
    filled = np.where(y > 0, generator.random(2_000), np.nan)
    data = TrainingSet(
        np.column_stack([generator.random(2_000), filled]),
        y,
        np.ones(2_000),
        np.arange(2_000).astype(object),
        ("a", "b"),
        (0, 0),
    )
    assert [data.columns[one.column] for one in suspicious_columns(data.values, data.y)] == ["b"]


def test_rows_hold_only_what_followed_the_date(tmp_path: Path) -> None:
    """One child registered in May 2025: a case on 31 March, recognised already on 30 June."""
    records = Records()
    for key in ("hana", "ren"):
        records.person(key, "2015-05-01", f"h_{key}")
        for n in range(24):
            records.fact(key, "absence_days", f"{2024 + (3 + n) // 12}-{(3 + n) % 12 + 1:02d}-01", number=1)
    records.fact("hana", "council_registration", "2025-05-10", source="council_registration", code="不登校", to=None)
    snapshot = records.publish(tmp_path / "store")
    labels = read_labels(write_criteria(tmp_path / "m"))
    cases = read_cases(snapshot, labels)
    from kodomo.features.matrix import feature_matrix

    criteria = read_all_criteria(tmp_path / "m")
    dates = [day("2025-03-31"), day("2025-06-30")]
    matrix = feature_matrix(snapshot, dates, criteria.catalogue, criteria.expectations)
    marks = mark(cases, NON_ATTENDANCE, matrix.cohort, 6)
    assert marks.onset.tolist() == [1, 0, 0, 0]
    assert marks.already.tolist() == [0, 0, 1, 0]
    assert marks.registered.tolist() == [False, False, True, False]
    assert mark(cases.known_by(day("2025-04-30")), NON_ATTENDANCE, matrix.cohort, 6).onset.sum() == 0
    data = training_set(
        matrix, cases, criteria.scenarios, NON_ATTENDANCE, ("absence_3m",),
        type(QUICK)(horizon_months=6, rows="onset"), household_groups(matrix),
    )  # fmt: skip
    assert data.training.y.tolist() == [1, 0]
    assert data.registered_after.tolist() == [1, 0]


def test_horizon_and_dates_follow_the_length_of_the_store() -> None:
    assert [horizon_for(m) for m in (12, 24, 36, 60)] == [3, 6, 12, 12]
    assert learning_dates(day("2024-04-01"), day("2026-03-31"), 6) == [
        day("2024-12-31"), day("2025-03-31"), day("2025-06-30"), day("2025-09-30"),
    ]  # fmt: skip


def test_a_household_is_in_one_fold_always() -> None:
    groups = np.array(["h1", "h2", "h1", "h3"], dtype=object)
    first, again = fold_of(groups, 5), fold_of(groups[::-1], 5)
    assert first[0] == first[2]
    assert first.tolist() == again[::-1].tolist()


def training(seed: int = 0, size: int = 1_500) -> TrainingSet:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(size, 3))
    y = (generator.random(size) < 1 / (1 + np.exp(3 - 1.5 * x[:, 0]))).astype(float)
    x[generator.random((size, 3)) < 0.1] = np.nan
    return TrainingSet(
        x, y, np.ones(size), np.array([f"h{i // 2}" for i in range(size)], dtype=object), ("a", "b", "c"), (1, 0, -1)
    )


def test_same_rows_and_seed_give_the_same_models() -> None:
    one, two = (fit_boosted(training(), seed=3, bags=2, rounds=20).texts() for _ in range(2))
    assert one == two
    assert fit_boosted(training(), seed=4, bags=2, rounds=20).texts() != one


def test_those_recognised_otherwise_weigh_their_share_however_few_are_drawn() -> None:
    plain = training()
    told = replace(plain, otherwise=(np.arange(1_500) % 10 == 0) & (plain.y == 0))
    cases = np.flatnonzero(plain.y > 0)
    for wanted in (100, 5_000):
        part = told.beside(cases, told.draw(wanted, np.random.default_rng(1)))
        rest = (part.y == 0) & ~part.otherwise
        assert part.y.sum() == len(cases) and set(part.weight[part.y > 0]) == {1.0} == set(part.weight[rest])
        assert part.weight[part.otherwise].sum() == pytest.approx(OTHERWISE * rest.sum())
    drawn = plain.draw(100, np.random.default_rng(1))
    assert plain.beside(cases, drawn).weight.tolist() == [1.0] * (len(cases) + 100), "nobody is told apart"


def test_what_makes_families_seen_counts_less_beside_those_recognised_otherwise() -> None:
    """``a`` tells the difficulty; ``b`` that offices see the family, whatever they register it for."""
    generator = np.random.default_rng(5)
    x = generator.normal(size=(8_000, 2))
    y = (generator.random(8_000) < 1 / (1 + np.exp(5 - x[:, 0] - 1.5 * x[:, 1]))).astype(float)
    otherwise = (x[:, 1] > 1.5) & (y == 0)
    plain = TrainingSet(x, y, np.ones(8_000), np.arange(8_000).astype(str).astype(object), ("a", "b"), (1, 1))
    apart = []
    for data in (plain, replace(plain, otherwise=otherwise)):
        hidden, seen = fit_boosted(data, seed=3, bags=2, rounds=40).of_fold(0, np.array([[0.0, 0.0], [0.0, 2.0]]))
        apart.append(seen - hidden)
    assert apart[1] < 0.8 * apart[0], apart


def test_effects_keep_their_known_sign() -> None:
    model = fit_boosted(training(), seed=3, bags=2, rounds=40)
    grid = np.linspace(-3, 3, 41)
    for column, sign in ((0, 1), (2, -1)):
        values = np.zeros((41, 3))
        values[:, column] = grid
        logits = model.logits(values, np.array(["h1"] * 41, dtype=object))
        assert (np.diff(logits) * sign >= -1e-12).all()


def test_platt_recovers_the_level_and_few_labels_keep_the_slope() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(-1, 1.5, 20_000)
    y = (generator.random(20_000) < 1 / (1 + np.exp(-(0.8 * logits - 2)))).astype(float)
    fitted = fit_platt(logits, y, np.ones(20_000))
    assert fitted.slope == pytest.approx(0.8, abs=0.06)
    assert fitted.shift == pytest.approx(-2, abs=0.12)
    few = np.zeros(200)
    few[np.argsort(logits[:200])[:3]] = 1  # three cases, all at the wrong end
    assert fit_platt(logits[:200], few, np.ones(200)).slope > 0


def test_scores_of_a_learned_type_have_the_level_of_registration(town: Town) -> None:
    """Combined scores mean "registered within twelve months": their mean lies near the rate the records show."""
    kind = town.judged.types[0]
    unregistered = kind.rows[~kind.registered[kind.rows]]
    mean = float(np.mean(1 / (1 + np.exp(-kind.combination.logit[unregistered]))))
    began = [f for f in town.snapshot.read("facts").to_pylist() if f["item"] == "council_registration"]
    a_year = sum(day("2024-12-31") < f["valid_from"] <= day("2025-12-31") for f in began)
    assert mean == pytest.approx(a_year / len(town.truth), rel=0.5)


@pytest.mark.parametrize("as_of", ["2027-12-31", "2026-03-31", "2025-03-31", "2024-09-30", "2024-06-30"])
def test_the_store_begins_where_monthly_facts_do(tmp_path: Path, as_of: str) -> None:
    """Old registrations and allowances reach back ten years; attendance begins in April 2024."""
    records = Records()
    for n in range(40):
        key = records.person(f"c{n:02d}", "2014-05-01", f"h{n}")
        began = f"{2014 + n % 10}-0{1 + n % 9}-01"
        records.fact(key, "child_allowance", began, source="child_allowance", number=1, to=None)
        for month in range(24):
            records.fact(key, "absence_days", f"{2024 + (3 + month) // 12}-{(3 + month) % 12 + 1:02d}-01", number=1)
    assert first_fact(records.publish(tmp_path / "store"), day(as_of)) == day("2024-04-01")


def test_a_store_too_young_for_past_dates_is_still_judged(town: Town) -> None:
    judged = judge(town.snapshot, day("2024-07-31"), town.criteria, TYPES, plan=type(QUICK)(6, bags=1, rounds=10))
    assert judged.dates == ()
    assert all(np.isfinite(kind.combination.logit).all() for kind in judged.types)


def test_an_empty_store_begins_today(tmp_path: Path) -> None:
    records = Records()
    records.person("hana", "2015-05-01", "h1")
    assert first_fact(records.publish(tmp_path / "store"), AS_OF) == day("2026-03-01")


def test_children_of_the_audit_draws_are_judged_and_not_learned_from(town: Town) -> None:
    past, scenarios = town.judged.matrix, town.criteria.scenarios
    cases = read_cases(town.snapshot, town.criteria.labels).known_by(AS_OF)
    group = household_groups(past)
    some = frozenset(past.cohort.child_key[::10])

    def training(held_out: frozenset[str]) -> TrainingSet:
        plan = Plan(6, rows="standing")
        return training_set(past, cases, scenarios, TYPES[0], ("absence_3m",), plan, group, held_out).training

    with_all, without = training(frozenset()), training(some)
    assert 0 < len(without.y) < len(with_all.y) and without.y.sum() < with_all.y.sum()
    assert not {group[key] for key in some} & set(without.group)
    assert len(training(frozenset(past.cohort.child_key)).y) == 0


def test_a_child_registered_on_a_past_date_is_an_example_of_that_date(town: Town) -> None:
    scenarios = town.criteria.scenarios
    whole = study(town.snapshot, AS_OF, town.criteria, TYPES[:1], plan=Plan(6, bags=1, rounds=2)).matrix
    cases = read_cases(town.snapshot, town.criteria.labels).known_by(AS_OF)
    group = household_groups(whole)
    data = training_set(whole, cases, scenarios, TYPES[0], ("absence_3m",), Plan(6), group)
    today, case = data.date == data.date.max(), data.training.y > 0
    marks = mark(cases, TYPES[0], whole.cohort, 6)
    assert (case & ~today).sum() > (marks.onset[whole.cohort.as_of < whole.cohort.as_of.max()] > 0).sum() > 0
    # Neither its calibration nor its check sees who was recognised already, and each child votes once.
    assert not (data.is_past & (data.registered_after == 0) & case).any()
    assert data.once is not None and not (data.once & ~case).any() and 0 < data.once.sum() < case.sum()
    words = (whole, cases, scenarios, TYPES[0], ("absence_3m",), Plan(6), group)
    weighed = training_set(*words, history_months=24).training
    assert (weighed.weight[today] == data.training.weight[today]).all()
    assert (weighed.weight[~today] < data.training.weight[~today]).all()


def test_of_a_fading_case_the_row_nearest_to_its_beginning_counts_most(town: Town) -> None:
    scenarios = town.criteria.scenarios
    whole = study(town.snapshot, AS_OF, town.criteria, TYPES[:1], plan=Plan(6, bags=1, rounds=2)).matrix
    lasting = read_cases(town.snapshot, town.criteria.labels).known_by(AS_OF)
    fading = replace(lasting, half_life=np.full(len(lasting.person), 1.0))
    words = (scenarios, TYPES[0], ("absence_3m",), Plan(6), household_groups(whole))
    before, after = (training_set(whole, cases, *words) for cases in (lasting, fading))
    assert (before.training.y == after.training.y).all(), "whoever was recognised stays out of the others"
    case = before.training.y > 0
    assert (after.training.weight[case] <= before.training.weight[case]).all()
    assert (after.training.weight[~case] == before.training.weight[~case]).all()
    assert before.once is not None and after.once is not None and before.once.sum() == after.once.sum()
    assert after.date[after.once].min() < before.date[before.once].min() or (after.once != before.once).any()


def test_an_unlabelled_child_counts_less_the_more_the_staffs_points_speak_for_a_case(town: Town) -> None:
    past, scenarios = town.judged.matrix, town.criteria.scenarios
    cases = read_cases(town.snapshot, town.criteria.labels).known_by(AS_OF)
    words = (past, cases, scenarios, TYPES[0], ("absence_3m",), Plan(6, rows="standing"), household_groups(past))
    data = training_set(*words).training
    points, unlabelled = data.values[:, -1], data.y == 0
    assert set(data.weight[~unlabelled]) == {1.0} and set(data.weight[unlabelled & (points <= 0)]) == {1.0}
    assert unlabelled[points > 0].any() and (data.weight[unlabelled & (points > 0)] < 1).all()
    reviewed = training_set(*words, (), np.full(len(past.cohort), 2.0)).training
    assert set(reviewed.weight[unlabelled]) == {2.0}, "looked at by people: no longer in doubt"


def test_what_the_points_leave_of_an_unlabelled_row() -> None:
    """From one in five to half: of (1 - 0.5) / (1 - 0.2)."""
    left = no_case(float(np.log(0.25)), np.array([-1.0, 0.0, np.log(4.0), 50.0]))
    np.testing.assert_allclose(left, [1.0, 1.0, 0.625, 0.0], atol=1e-9)


def test_ages_that_registration_does_not_reach_are_no_examples_of_children_without() -> None:
    band = np.array(["PRESCHOOL"] * 400 + ["ELEMENTARY"] * 400 + ["OLDER"] * 400)
    case = np.zeros(1200, dtype=bool)
    case[400:460], case[0:2], case[800:815] = True, True, True
    reach = reached(band, case, np.ones(1200, dtype=bool))
    assert not reach[:400].any() and reach[400:].all()
    few = case & (np.arange(1200) % 3 == 0)
    assert reached(band, few, np.ones(1200, dtype=bool)).all()
