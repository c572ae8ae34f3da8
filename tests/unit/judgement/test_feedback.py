"""Decisions and outcomes as labels: what they say, of which type, from when, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from features.factory import day

from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.errors import ConfigurationFault, NotReady
from kodomo.features.dates import window_start
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.feedback import Rule, no_feedback, read_feedback, read_rules
from kodomo.judgement.labels import mark, read_cases
from kodomo.judgement.learning import household_groups, training_set
from kodomo.store.database import TABLES, Store

from .conftest import AS_OF, LABELS, QUICK, TYPES, Town, write_criteria

SUPPORT = Rule("decision", ("SUPPORT",), (), True, 0.5, 24)
NONE = Rule("decision", ("NO_ACTION",), ("N1",), False, 2.0, 12)
BETTER = Rule("outcome", ("BETTER",), (), True, 0.7, 24)


def table(name: str, *rows: dict[str, Any]) -> pa.Table:
    blank = {"judgement": "j1", "revision": 1, "concern": "SOME", "agreement": "AGREE", "office": "x", "plan": 1, "goal": 1,
             "service": "S", "reason_code": "S1"}  # fmt: skip
    schema = TABLES[name].schema()
    return pa.Table.from_pylist([{k: {**blank, **r}[k] for k in schema.names} for r in rows], schema=schema)


def decision(key: str, code: str, on: str, reason: str = "S1", **more: Any) -> dict[str, Any]:
    return {"child_key": key, "decision": code, "reason_code": reason, "known_from": day(on), **more}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A judgement that raised a for two types, b by an escalation, c for none."""
    store = Store(tmp_path)
    row = {"method": "COMBINED", "score": 0.1, "is_registered": False, "escalation": None, "escalations": None}
    levels = [("a", "POVERTY", "HIGH", None), ("a", "ABUSE", "MIDDLE", None), ("a", "BULLYING", "LOW", None),
              ("a", "OVERALL", "HIGH", None), ("b", "ABUSE", "LOW", "必ず見る"), ("c", "ABUSE", "LOW", None)]  # fmt: skip
    rows = [{**row, "child_key": k, "type": t, "level": v, "escalation": e} for k, t, v, e in levels]
    rows.append({**row, "child_key": "c", "type": "ABUSE", "method": "BOOSTING", "level": "HIGH"})
    judged = pa.Table.from_pylist(rows, schema=TABLES["judgements"].schema())
    store.write("judgements", "j1", {"judgements": judged}, {"as_of": "2026-03-31"})
    return store


def returned(
    store: Store, *decisions: dict[str, Any], outcomes: tuple[dict[str, Any], ...] = (), name: str = "o1"
) -> None:
    tables = {"decisions": table("decisions", *decisions), "outcomes": table("outcomes", *outcomes)}
    store.write("outcomes", name, tables, {})


def test_support_is_a_weak_case_of_the_types_that_raised_the_child(store: Store) -> None:
    returned(store, *(decision(key, "SUPPORT", "2026-05-01") for key in ("a", "b", "c")))
    cases = read_feedback(store, [SUPPORT], day("2026-06-01")).cases
    found = set(zip(cases.person, cases.type, strict=True))
    assert found == {("a", "POVERTY"), ("a", "ABUSE"), ("b", "ABUSE")}
    assert set(cases.weight) == {0.5} and set(cases.untold.astype(str)) == {
        window_start(day("2026-05-01"), -24).isoformat()
    }


def test_what_is_written_later_is_not_known_yet(store: Store) -> None:
    returned(store, decision("a", "SUPPORT", "2026-05-01"), decision("b", "NO_ACTION", "2026-05-01", "N1"))
    assert read_feedback(store, [SUPPORT, NONE], day("2026-04-30")).counts == {"cases": 0, "reviewed": 0}
    assert read_feedback(store, [SUPPORT, NONE], day("2026-05-01")).counts == {"cases": 1, "reviewed": 1}


def test_a_later_decision_ends_an_earlier_one(store: Store) -> None:
    returned(
        store,
        decision("a", "SUPPORT", "2026-05-01"),
        decision("a", "NO_ACTION", "2026-07-01", "N1", revision=2),
        decision("b", "NO_ACTION", "2026-05-01", "N1"),
        decision("b", "SUPPORT", "2026-05-01", revision=2),
    )
    found = read_feedback(store, [SUPPORT, NONE], day("2026-08-01"))
    assert {str(d) for d in found.cases.untold[found.cases.person == "a"]} == {"2026-07-01"}
    until = dict(zip(found.reviewed.person, found.reviewed.until.astype(str), strict=True))
    assert until == {"a": window_start(day("2026-07-01"), -12).isoformat(), "b": "2026-05-01"}


@pytest.mark.parametrize("reason", ["N2", "N3", "N4", "N9"])
def test_only_a_review_that_found_nothing_speaks_against(store: Store, reason: str) -> None:
    returned(store, decision("a", "NO_ACTION", "2026-05-01", reason))
    assert read_feedback(store, [NONE], day("2026-06-01")).counts["reviewed"] == 0


def test_an_outcome_confirms_the_types_of_its_decision(store: Store) -> None:
    seen = {"child_key": "a", "outcome": "BETTER", "seen_on": day("2026-09-01"), "known_from": day("2026-09-02")}
    returned(
        store, decision("a", "SUPPORT", "2026-05-01"), outcomes=(seen, {**seen, "child_key": "b", "outcome": "SAME"})
    )
    cases = read_feedback(store, [BETTER], day("2026-10-01")).cases
    assert sorted(cases.type) == ["ABUSE", "POVERTY"] and set(cases.began.astype(str)) == {"2026-09-02"}


TOO_LOW = Rule("disagreement", ("TOO_LOW",), (), True, 0.4, 12)
TOO_HIGH = Rule("disagreement", ("TOO_HIGH",), (), False, 1.5, 12)


def test_a_disagreement_speaks_of_the_type_it_names(store: Store) -> None:
    said = {"judgement": "j1", "known_from": day("2026-05-01")}
    rows = [
        {**said, "child_key": "c", "type": "BULLYING", "opinion": "TOO_LOW"},
        {**said, "child_key": "a", "type": "OVERALL", "opinion": "TOO_LOW"},
        {**said, "child_key": "a", "type": "POVERTY", "opinion": "TOO_HIGH"},
        {**said, "child_key": "b", "type": "OVERALL", "opinion": "TOO_HIGH"},
        {**said, "child_key": "b", "type": "ABUSE", "opinion": "WRONG_FACT"},
    ]
    later = decision("c", "NO_ACTION", "2026-07-01", "N1")
    tables = {"decisions": table("decisions", later), "disagreements": table("disagreements", *rows)}
    store.write("outcomes", "o1", tables, {})
    found = read_feedback(store, [TOO_LOW, TOO_HIGH], day("2026-08-01"))
    cases = set(zip(found.cases.person, found.cases.type, found.cases.untold.astype(str), strict=True))
    forgotten = window_start(day("2026-05-01"), -12).isoformat()
    assert cases == {("c", "BULLYING", "2026-07-01"), ("a", "POVERTY", forgotten), ("a", "ABUSE", forgotten)}
    assert set(zip(found.reviewed.person, found.reviewed.kind, strict=True)) == {("a", "POVERTY"), ("b", "")}
    assert read_feedback(store, [TOO_LOW], day("2026-04-30")).counts == {"cases": 0, "reviewed": 0}


def test_of_several_disagreements_the_last_word_counts(store: Store) -> None:
    said = {"child_key": "a", "judgement": "j1", "type": "ABUSE", "known_from": day("2026-05-01")}
    rows = [
        {**said, "opinion": "TOO_HIGH"},
        {**said, "opinion": "TOO_LOW"},
        {**said, "type": "POVERTY", "opinion": "TOO_LOW"},
        {**said, "type": "POVERTY", "opinion": "WRONG_FACT", "known_from": day("2026-06-01")},
    ]
    store.write("outcomes", "o1", {"decisions": table("decisions"), "disagreements": table("disagreements", *rows)}, {})
    found = read_feedback(store, [TOO_LOW, TOO_HIGH], day("2026-08-01"))
    assert list(found.cases.type) == ["ABUSE"] and found.counts == {"cases": 1, "reviewed": 0}
    before = read_feedback(store, [TOO_LOW, TOO_HIGH], day("2026-05-31"))
    assert list(before.cases.type) == ["ABUSE", "POVERTY"], "the second word on poverty was not known yet"


def test_without_outcomes_or_rules_nothing_comes_back(store: Store) -> None:
    assert read_feedback(store, [SUPPORT], day("2026-06-01")).counts == no_feedback().counts
    returned(store, decision("a", "SUPPORT", "2026-05-01"))
    assert read_feedback(store, [], day("2026-06-01")).counts == no_feedback().counts
    with pytest.raises(NotReady):
        read_feedback(store, [SUPPORT], day("2026-06-01"), "gone")


def test_a_decision_on_a_judgement_that_is_gone_names_no_type(store: Store) -> None:
    returned(
        store,
        decision("a", "SUPPORT", "2026-05-01", judgement="gone"),
        decision("b", "NO_ACTION", "2026-05-01", "N1", judgement="gone"),
    )
    found = read_feedback(store, [SUPPORT, NONE], day("2026-06-01"))
    assert found.counts == {"cases": 0, "reviewed": 1} and str(found.reviewed.since[0]) == "2026-05-01"


def test_it_reaches_learning_with_its_weight_and_until_it_expires(town: Town, tmp_path: Path) -> None:
    past = town.judged.matrix
    real = read_cases(town.snapshot, town.criteria.labels).known_by(AS_OF)
    marks = mark(real, TYPES[0], past.cohort, None)
    free = past.cohort.child_key[(marks.already == 0) & (town.judged.types[0].scenario.applicable)]
    helped, fine = str(free[0]), str(free[1])
    store = Store(tmp_path)
    row = {"child_key": helped, "type": TYPES[0].value, "method": "COMBINED", "score": 0.5, "level": "HIGH",
           "is_registered": False, "escalation": None, "escalations": None}  # fmt: skip
    judged = pa.Table.from_pylist([row], schema=TABLES["judgements"].schema())
    store.write("judgements", "j1", {"judgements": judged}, {"as_of": "2025-12-31"})

    # Each row tells itself apart by its number, whatever the column.
    size = (1, past.values.shape[1])
    place = past.with_values(np.tile(np.arange(len(past.cohort), dtype=float)[:, None], size))

    def rows(on: str) -> dict[str, tuple[float, float]]:
        """Outcome and weight of each child's row of today."""
        name = f"o{on}"
        returned(store, decision(helped, "SUPPORT", on), decision(fine, "NO_ACTION", on, "N1"), name=name)
        back = read_feedback(store, [SUPPORT, NONE], AS_OF, name)
        cases, weights = real.and_also(back.cases).known_by(AS_OF), back.reviewed.weights(past.cohort, TYPES[0])
        arguments = (
            cases,
            town.criteria.scenarios,
            TYPES[0],
            ("absence_3m",),
            QUICK,
            household_groups(past),
            (),
            weights,
        )
        data = training_set(place, *arguments).training
        keys = past.cohort.child_key[data.values[:, 0].astype(int)]
        return {str(key): (y, w) for key, y, w in zip(keys, data.y, data.weight, strict=True)}

    now = rows("2026-01-15")
    assert now[helped] == (1.0, 0.5) and now[fine] == (0.0, 2.0)
    expired = rows("2023-01-15")
    assert expired.get(helped, (0.0, 1.0)) == (0.0, 1.0) and expired[fine] == (0.0, 1.0)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('event = "decision"\ncodes = ["SUPPORT"]\nas = "case"\nweight = 1.0\nmonths = 12', "1 は登録だけ"),
        ('event = "decision"\ncodes = ["NO_ACTION"]\nas = "none"\nweight = 0.5\nmonths = 12', "1 より大きく"),
        ('event = "decision"\ncodes = ["SUPPORT"]\nas = "case"\nweight = 0.5', "期限"),
        ('event = "decision"\nas = "case"\nweight = 0.5\nmonths = 12', "コードを一つ以上"),
        ('event = "wish"\ncodes = ["A"]\nas = "case"\nweight = 0.5\nmonths = 12', "使える値"),
        (
            'event = "closing"\ncodes = ["C1"]\nreason_codes = ["N1"]\nas = "case"\nweight = 0.5\nmonths = 12',
            "decision のとき",
        ),
    ],
)
def test_faulty_entries_are_named(tmp_path: Path, entry: str, words: str) -> None:
    folder = write_criteria(tmp_path, labels=f"{LABELS}\n[[feedback]]\n{entry}\n")
    with pytest.raises(ConfigurationFault) as fault:
        read_rules(folder)
    assert words in fault.value.text()


def test_the_shipped_sample_lets_every_memory_expire() -> None:
    rules = read_all_criteria(SHIPPED_MUNICIPALITIES / "hinata").feedback
    assert {rule.is_case for rule in rules} == {True, False} and all(rule.months <= 24 for rule in rules)
