"""Levels by capacity: how many, who is never low, what forces review."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.judgement.levels import Capacity, assign_levels, ranking

CAPACITY = Capacity(0.02, 0.08)
N = 200


def levels(**flags: np.ndarray) -> np.ndarray:
    defaults = {name: np.zeros(N, dtype=bool) for name in ("thin", "registered", "escalated")}
    given = {**defaults, "evidence": np.ones(N, dtype=bool), **flags}
    keys = np.array([f"c{n}" for n in range(N)], dtype=object)
    return assign_levels(np.linspace(0, 1, N), keys, CAPACITY, **given)


def test_as_many_as_capacity_allows() -> None:
    found = levels()
    assert (found == "HIGH").sum() == 4
    assert (found == "MIDDLE").sum() == 16
    assert (found[-4:] == "HIGH").all()


def test_thin_data_is_insufficient_never_low_and_takes_no_capacity() -> None:
    thin = np.zeros(N, dtype=bool)
    thin[::2] = True
    found = levels(thin=thin)
    assert (found[thin] == "INSUFFICIENT").all()
    assert (found == "HIGH").sum() == 2


def test_escalation_is_high_whatever_else_and_comes_on_top() -> None:
    escalated = np.zeros(N, dtype=bool)
    escalated[:3] = True
    found = levels(escalated=escalated, thin=escalated)
    assert (found[:3] == "HIGH").all()
    assert (found == "HIGH").sum() == 3 + 3


def test_registered_children_use_up_no_capacity() -> None:
    registered = np.zeros(N, dtype=bool)
    registered[-10:] = True
    found = levels(registered=registered)
    assert (found[~registered] == "HIGH").sum() == 3
    assert (found[registered] == "HIGH").all()


def test_without_any_evidence_nobody_is_called_high() -> None:
    assert (levels(evidence=np.zeros(N, dtype=bool)) == "LOW").all()


def test_ties_are_broken_by_key_and_the_same_every_time() -> None:
    keys = np.array([f"c{n}" for n in range(50)], dtype=object)
    first = keys[ranking(np.zeros(50), keys)]
    shuffled = keys[::-1]
    assert first.tolist() == shuffled[ranking(np.zeros(50), shuffled)].tolist()
    assert first.tolist() != sorted(keys)


@pytest.mark.parametrize("size", [0, 1])
def test_tiny_cohorts(size: int) -> None:
    none = np.zeros(size, dtype=bool)
    found = assign_levels(
        np.ones(size), np.array(["c"] * size, dtype=object), CAPACITY, thin=none, registered=none, escalated=none,
        evidence=~none,
    )  # fmt: skip
    assert found.tolist() == ["HIGH"] * size
