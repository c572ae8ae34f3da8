"""Hidden lives: base rates of the country, and that difficulties go together as surveys say."""

from __future__ import annotations

import numpy as np
import pytest

from kodomo.city.benefits import Benefits, take_up
from kodomo.city.lives import Lives, live
from kodomo.city.notice import Noticed, notice
from kodomo.city.people import FOR_EVER
from kodomo.city.townsfolk import found_city
from kodomo.terms import DifficultyType as Type


@pytest.fixture(scope="module")
def lives() -> Lives:
    return live(found_city(16_000, 5), np.random.default_rng(5))


@pytest.fixture(scope="module")
def benefits(lives: Lives) -> Benefits:
    return take_up(lives, np.random.default_rng(6))


@pytest.fixture(scope="module")
def noticed(lives: Lives, benefits: Benefits) -> Noticed:
    return notice(lives, benefits, np.random.default_rng(7))


def rate(lives: Lives, kind: Type, eligible: np.ndarray) -> float:
    """Share in difficulty over the last year's months of those eligible."""
    state = lives.states[kind][:, -12:]
    return float(state[eligible[:, -12:]].mean())


def test_poverty_rate_and_one_adult_families(lives: Lives) -> None:
    assert 0.09 < rate(lives, Type.POVERTY, lives.resident) < 0.14
    single = lives.by_child(lives.single)
    alone, together = (
        rate(lives, Type.POVERTY, lives.resident & single),
        rate(lives, Type.POVERTY, lives.resident & ~single),
    )
    assert 0.30 < alone < 0.58
    assert 0.04 < together < 0.10


def test_young_carers(lives: Lives) -> None:
    assert 0.04 < rate(lives, Type.YOUNG_CARER, lives.resident & (lives.age >= 8)) < 0.085


def test_non_attendance_grows_with_the_grade(lives: Lives) -> None:
    elementary = lives.resident & (lives.grade >= 1) & (lives.grade <= 6)
    junior = lives.resident & (lives.grade >= 7) & (lives.grade <= 9)
    assert 0.018 < rate(lives, Type.NON_ATTENDANCE, elementary) < 0.05
    assert 0.055 < rate(lives, Type.NON_ATTENDANCE, junior) < 0.13


def test_developmental_needs(lives: Lives) -> None:
    assert 0.08 < lives.needs_development_support.mean() < 0.096
    boys = lives.needs_development_support[lives.is_boy].mean()
    assert boys > 1.2 * lives.needs_development_support[~lives.is_boy].mean()


def test_difficulties_stay_within_their_ages(lives: Lives) -> None:
    assert not lives.states[Type.NON_ATTENDANCE][~lives.pupil()].any()
    assert not lives.states[Type.BULLYING][~lives.pupil()].any()
    assert lives.age[lives.states[Type.POSTNATAL_DEPRESSION]].max() < 1
    assert lives.age[lives.states[Type.YOUNG_CARER]].min() >= 8
    for state in lives.states.values():
        assert not state[~lives.resident].any()


def test_difficulties_go_together(lives: Lives) -> None:
    abuse, poor = lives.states[Type.ABUSE], lives.states[Type.POVERTY]
    assert abuse[poor & lives.resident].mean() > 2 * abuse[~poor & lives.resident].mean()
    assisted = lives.by_child(lives.single) & lives.pupil()
    absent = lives.states[Type.NON_ATTENDANCE]
    assert absent[assisted].mean() > 1.5 * absent[lives.pupil() & ~assisted].mean()


def test_twins_share_their_mothers_state(lives: Lives) -> None:
    state = lives.states[Type.POSTNATAL_DEPRESSION]
    for i, child in enumerate(lives.children):
        for j in range(i + 1, min(i + 3, len(lives.children))):
            other = lives.children[j]
            if child.is_twin and other.is_twin and other.family is child.family and child.stays == other.stays:
                assert (state[i] == state[j]).all()


def test_twenty_to_forty_per_cent_do_not_apply(lives: Lives, benefits: Benefits) -> None:
    single = lives.single[:, -1]
    served = benefits.on_rearing[single, -1].mean()
    assert 0.55 < served < 0.85


def test_two_per_cent_are_registered(lives: Lives, noticed: Noticed) -> None:
    here = {i for i in range(len(lives.children)) if lives.resident[i, -1]}
    still = {r.child for r in noticed.registrations if r.off == FOR_EVER} & here
    assert 0.013 < len(still) / len(here) < 0.028


def test_registration_misses_most_and_is_partly_wrong(lives: Lives, noticed: Noticed) -> None:
    troubled = set(np.flatnonzero(lives.states[Type.ABUSE][:, -1]).tolist())
    known = {r.child for r in noticed.registrations if r.type is Type.ABUSE and r.off == FOR_EVER}
    assert len(known & troubled) < 0.55 * len(troubled)
    assert known - troubled


def test_registration_leans_to_families_in_contact(lives: Lives, benefits: Benefits, noticed: Noticed) -> None:
    troubled = lives.states[Type.ABUSE].any(axis=1)
    known = np.zeros(len(lives.children), bool)
    known[[r.child for r in noticed.registrations if r.child >= 0 and r.type is Type.ABUSE]] = True
    contact = lives.by_child((benefits.on_assistance | benefits.on_rearing | benefits.on_aid).any(axis=1))
    assert known[troubled & contact].mean() > 1.2 * known[troubled & ~contact].mean()
