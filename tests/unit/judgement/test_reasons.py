"""Reasons add up to the score, and read as Japanese sentences with value, date and source."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import gamma

from kodomo.features.catalogue import read_catalogue
from kodomo.features.household import AGES
from kodomo.judgement.capacities import Capacities
from kodomo.judgement.combine import model_weight, overall, standing
from kodomo.judgement.contributions import learned_contributions
from kodomo.judgement.levels import Capacity
from kodomo.judgement.reasons import (
    Parts,
    Unit,
    combined_parts,
    learned_parts,
    overall_reasons,
    reason_table,
    scenario_parts,
    sentences,
    tellable,
    written_value,
)
from kodomo.judgement.tables import judgement_tables
from kodomo.terms import OVERALL, Method

from .conftest import Town


def test_parts_add_up_to_every_score(town: Town) -> None:
    for kind in town.judged.types:
        contributions = learned_contributions(kind, town.judged.matrix, town.judged.groups, town.criteria.catalogue)
        combined = combined_parts(kind, contributions, town.criteria.catalogue)
        total = combined.base + combined.values.sum(axis=1)
        np.testing.assert_allclose(total, kind.combination.logit[kind.rows], atol=1e-6)
        points = scenario_parts(kind)
        np.testing.assert_allclose(points.base + points.values.sum(axis=1), kind.scenario.logit[kind.rows], atol=1e-6)
        assert set(contributions) == set(kind.combination.learned)
        for method, said in contributions.items():
            learned = learned_parts(kind, said, town.criteria.catalogue)
            own = kind.combination.learned[method]
            np.testing.assert_allclose(learned.base + learned.values.sum(axis=1), own[kind.rows], atol=1e-6)
    assert any(kind.model is not None for kind in town.judged.types)


def test_what_is_kept_adds_up_to_every_score_kept(town: Town) -> None:
    """From the tables alone: base + the contributions of the reasons + rest is the score's log-odds, each method's."""
    tables = judgement_tables(town.judged, Capacities(Capacity(0.02, 0.08)))
    said: dict[tuple[str, str, str], float] = {}
    for row in tables["reasons"].to_pylist():
        key = (row["child_key"], row["type"], row["method"])
        said[key] = said.get(key, 0.0) + row["contribution"]
    keys = town.judged.matrix.cohort.child_key
    judged_for = Counter(key for kind in town.judged.types for key in keys[kind.rows])
    seen: set[str] = set()
    for row in tables["judgements"].to_pylist():
        if row["score"] is None:
            assert row["base"] is None and row["rest"] is None
            continue
        total = row["base"] + said.get((row["child_key"], row["type"], row["method"]), 0.0) + row["rest"]
        if row["type"] == OVERALL:
            number = judged_for[row["child_key"]]
            assert abs(gamma.cdf(total, number) - row["score"]) < 1e-6
        else:
            assert abs(total - np.log(row["score"] / (1 - row["score"]))) < 1e-6
        seen.add(row["method"])
    assert {"COMBINED", "SCENARIO", "BOOSTING"} <= seen


def test_at_most_five_that_raise_and_three_that_lower_in_order(town: Town) -> None:
    kind = town.judged.types[0]
    contributions = learned_contributions(kind, town.judged.matrix, town.judged.groups, town.criteria.catalogue)
    parts = combined_parts(kind, contributions, town.criteria.catalogue)
    rows = reason_table(kind, Method.COMBINED, parts, town.judged.matrix, with_gates=True).to_pylist()
    by_child: dict[str, list[dict]] = {}  # type: ignore[type-arg]
    for row in rows:
        by_child.setdefault(row["child_key"], []).append(row)
    for own in by_child.values():
        assert [r["position"] for r in own] == list(range(1, len(own) + 1))
        directions = [r["direction"] for r in own]
        assert directions == sorted(directions, key=["GATE", "UP", "DOWN"].index)
        assert directions.count("UP") <= 5 and directions.count("DOWN") <= 3
        up = [r["contribution"] for r in own if r["direction"] == "UP"]
        assert up == sorted(up, reverse=True) and all(c > 0 for c in up)
        assert all(r["contribution"] < 0 for r in own if r["direction"] == "DOWN")


def test_a_reason_carries_its_value_date_and_source(town: Town) -> None:
    kind = town.judged.types[0]
    matrix = town.judged.matrix
    table = reason_table(kind, Method.SCENARIO, scenario_parts(kind), matrix).to_pylist()
    reason = next(r for r in table if r["indicator"] == "absence_3m")
    row = list(matrix.cohort.child_key).index(reason["child_key"])
    assert reason["sentence"] == f"直近3か月の欠席が {matrix.column('absence_3m')[row]:.0f} 日"
    assert reason["source"] == "school_attendance"
    assert reason["fact_on"].isoformat()[:7] == "2026-02"  # March is not known yet on 31 March


def test_an_escalation_stands_first_as_a_gate(town: Town) -> None:
    kind = town.judged.types[0]
    assert kind.escalated.any()
    table = (
        reason_table(
            kind,
            Method.COMBINED,
            combined_parts(kind, {}, town.criteria.catalogue),
            town.judged.matrix,
            with_gates=True,
        )
        if kind.model is None
        else None
    )
    contributions = learned_contributions(kind, town.judged.matrix, town.judged.groups, town.criteria.catalogue)
    table = reason_table(
        kind,
        Method.COMBINED,
        combined_parts(kind, contributions, town.criteria.catalogue),
        town.judged.matrix,
        with_gates=True,
    )
    child = town.judged.matrix.cohort.child_key[np.flatnonzero(kind.escalated)[0]]
    first = next(r for r in table.to_pylist() if r["child_key"] == child)
    assert (first["direction"], first["sentence"], first["position"]) == ("GATE", "長い欠席", 1)
    assert first["source"] == "school_attendance" and first["fact_on"] is not None


def test_sentences_for_zero_missing_shares_and_differences(town: Town) -> None:
    indicator = read_catalogue(town.root / "m")["absence_3m"]
    assert sentences(indicator, np.array([3.0, np.nan, 2.5])).tolist() == [
        "直近3か月の欠席が 3 日", "「直近3か月の欠席日数」の情報がない", "直近3か月の欠席が 2.5 日"
    ]  # fmt: skip
    share = read_catalogue(town.root / "m")["absence_share"]
    assert sentences(share, np.array([0.254])).tolist() == ["欠席率が 25 %"]


def test_overall_reasons_name_the_types(town: Town) -> None:
    table = overall_reasons(town.judged).to_pylist()
    assert table
    assert all(r["type"] == "OVERALL" and "「" in r["sentence"] for r in table)


def test_the_model_weighs_more_with_more_cases() -> None:
    weights = [model_weight(n) for n in (0, 10, 25, 400)]
    assert weights == sorted(weights) and weights[0] == 0 and weights[2] == 0.5


def test_however_many_the_cases_points_that_tell_as_much_keep_a_tenth() -> None:
    assert model_weight(1_000_000) == pytest.approx(0.9)


def test_points_that_tell_less_than_what_was_learned_keep_less_than_a_tenth_of_many_cases_and_no_less_of_few() -> None:
    many = [model_weight(1_000, told) for told in (1.2, 1.0, 0.8, 0.6, 0.4)]
    assert (
        many[0] == many[1] == pytest.approx(0.9) and many == sorted(many) and many[-1] == pytest.approx(1_000 / 1_025)
    )
    assert model_weight(25, 0.5) == model_weight(25) == 0.5


@pytest.mark.parametrize("number", [1, 3, 7])
def test_overall_is_even_when_places_are_by_chance(number: int) -> None:
    """Fisher's method: independent places give an even spread, whatever the number of types."""
    places = np.random.default_rng(0).random((20_000, number))
    scores = overall(places)
    np.testing.assert_allclose(np.quantile(scores, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02)


def test_overall_leaves_out_types_not_judged() -> None:
    scores = overall(np.array([[0.9, np.nan], [0.9, 0.9], [np.nan, np.nan]]))
    assert scores[0] == pytest.approx(0.9)
    assert scores[1] > scores[0]
    assert np.isnan(scores[2])


def test_standing_shares_places_among_equals() -> None:
    places = standing(np.array([1.0, 2.0, 2.0, 9.0]), np.array([True, True, True, False]))
    np.testing.assert_allclose(places[:3], [1 / 6, 4 / 6, 4 / 6])
    assert np.isnan(places[3])


def test_nothing_unknown_and_nothing_against_its_own_sign_is_told(town: Town) -> None:
    matrix = town.judged.matrix
    catalogue = town.criteria.catalogue
    told = 0
    for row in judgement_tables(town.judged, Capacities(Capacity(0.02, 0.08)))["reasons"].to_pylist():
        assert row["direction"] == "GATE" or not row["sentence"].endswith("」の情報がない")
        if row["indicator"] and row["direction"] != "GATE" and row["method"] == "BOOSTING":
            values = matrix.column(row["indicator"]) * catalogue[row["indicator"]].sign
            value = values[list(matrix.cohort.child_key).index(row["child_key"])]
            if catalogue[row["indicator"]].sign:
                assert value > np.nanmin(values) if row["direction"] == "UP" else value < np.nanmax(values)
                told += 1
    assert told


def test_a_part_told_against_itself_goes_into_the_rest(town: Town) -> None:
    kind, matrix = town.judged.types[0], town.judged.matrix
    units = (Unit("", "absence_3m"), Unit("線", "absence_3m", 1))
    values = np.tile([[0.4, -0.3]], (len(kind.rows), 1))
    parts = tellable(Parts(kind.rows, units, values, np.zeros(len(kind.rows))), matrix)
    absence = matrix.column("absence_3m")[kind.rows]
    high = absence > np.nanmedian(absence)
    (up, _), (down, _) = parts.said
    assert set(np.flatnonzero(high)) <= set(up) and not set(up) & set(np.flatnonzero(np.isnan(absence)))
    assert not set(up) & set(np.flatnonzero(absence == np.nanmin(absence))) and len(down) == 0
    said = np.zeros(len(kind.rows))
    said[up] = 0.4
    np.testing.assert_allclose(said + parts.rest, values.sum(axis=1))


@pytest.mark.parametrize("age", sorted(AGES))
def test_how_old_a_child_is_stands_as_no_reason(town: Town, age: str) -> None:
    kind, matrix = town.judged.types[0], town.judged.matrix
    code = "absence_3m"
    as_age = tuple(
        replace(one, structure=age, sign=0) if one.code == code else one for one in matrix.catalogue.indicators
    )
    values = np.full((len(kind.rows), 1), 0.7)
    parts = Parts(kind.rows, (Unit("", code),), values, np.zeros(len(kind.rows)))
    assert any(len(rows) for rows, _ in tellable(parts, matrix).said)
    untold = tellable(parts, replace(matrix, catalogue=replace(matrix.catalogue, indicators=as_age)))
    assert all(len(rows) == 0 for rows, _ in untold.said)
    np.testing.assert_allclose(untold.rest, 0.7)


@pytest.mark.parametrize(
    ("aggregate", "value", "words"),
    [
        ("trend", -0.0, "0"),
        ("trend", -0.04, "ほぼ 0"),
        ("trend", -0.26, "-0.3"),
        ("change", 2.0, "+2"),
        ("share", 0.003, "1 % 未満"),
        ("share", 0.0, "0 %"),
        ("sum", 3.0, "3"),
        ("mean", 0.02, "ほぼ 0"),
    ],
)
def test_a_value_is_written_without_absurd_zeros(town: Town, aggregate: str, value: float, words: str) -> None:
    indicator = replace(town.criteria.catalogue["absence_3m"], aggregate=aggregate)
    assert written_value(indicator, value) == words


def test_a_trend_of_nothing_has_one_sign_only(town: Town) -> None:
    values = town.judged.matrix.values
    assert (values == 0).any() and not np.signbit(values[values == 0]).any()


def test_a_rule_is_said_only_of_children_all_it_looks_at_is_known_of(town: Town) -> None:
    spoken = 0
    for kind in town.judged.types:
        said = learned_contributions(kind, town.judged.matrix, town.judged.groups, town.criteria.catalogue)
        if kind.model is None or Method.RULES not in said:
            continue
        rules = said[Method.RULES]
        assert not any("か、情報がない" in sentence for sentence in rules.sentences)
        for n, sentence in enumerate(rules.sentences):
            for code in kind.model.columns:
                if code in town.judged.matrix.codes and f"「{town.criteria.catalogue[code].caption}」" in sentence:
                    unknown = np.isnan(town.judged.matrix.column(code)[kind.rows])
                    assert not rules.extra[unknown, n].any()
                    spoken += int(rules.extra[~unknown, n].any())
    assert spoken
