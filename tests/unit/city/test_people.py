"""People and families: what must hold for every person, and the rates of the country."""

from __future__ import annotations

import pytest

from kodomo.city.eras import age_on
from kodomo.city.families import is_child
from kodomo.city.people import LAST_DAY, City
from kodomo.city.townsfolk import found_city

RESIDENTS = 8000


@pytest.fixture(scope="module")
def people() -> City:
    return found_city(RESIDENTS, 11)


def test_there_are_as_many_residents_as_asked_for(people: City) -> None:
    assert len(people.residents(LAST_DAY)) == RESIDENTS


def test_children_are_15_to_15_8_per_cent(people: City) -> None:
    children = [p for p in people.residents(LAST_DAY) if is_child(p, LAST_DAY)]
    assert 0.150 <= len(children) / RESIDENTS <= 0.158
    ages = [age_on(p.born, LAST_DAY) for p in children]
    youngest, oldest = sum(a <= 2 for a in ages), sum(12 <= a <= 14 for a in ages)
    assert 0.6 < youngest / oldest < 0.95


def test_registrations_follow_each_other(people: City) -> None:
    for person in people.people:
        for before, after in zip(person.stays, person.stays[1:], strict=False):
            assert before.end <= after.start
            assert before.number == after.number or before.end_reason
        for stay in person.stays:
            assert stay.start < stay.end
            assert stay.household
            assert stay.start >= person.born
        assert person.died is None or person.stays[-1].end_reason == "死亡"


def test_a_number_belongs_to_one_person(people: City) -> None:
    owner: dict[str, str] = {}
    for person in people.people:
        for number in person.numbers():
            assert owner.setdefault(number, person.person_id) == person.person_id
            assert len(number) == 10


def test_who_comes_back_gets_another_number(people: City) -> None:
    back = [p for p in people.people if len({s.number for s in p.stays}) > 1]
    assert back
    for person in back:
        assert any(s.end_reason == "転出" for s in person.stays)


def test_no_mother_is_younger_than_15_at_birth(people: City) -> None:
    for family in people.families:
        for child in family.children:
            if child.mother is family.mother:
                assert (child.born - family.mother.born) / 365.25 > 15


def test_rates_of_families(people: City) -> None:
    children = [p for p in people.residents(LAST_DAY) if is_child(p, LAST_DAY)]
    families = {id(p.family): p.family for p in children if p.family is not None}
    single = sum(f.is_single(LAST_DAY) for f in families.values()) / len(families)
    assert 0.10 < single < 0.18
    twins = sum(p.is_twin for p in children) / len(children)
    assert 0.003 < twins < 0.035
    renamed = sum(len({s.text for _, s in p.surnames}) > 1 for p in children) / len(children)
    assert 0.03 < renamed < 0.20


def test_protected_households_are_few(people: City) -> None:
    protected = {p.stay_on(LAST_DAY).household for p in people.residents(LAST_DAY) if p.is_protected}  # type: ignore[union-attr]
    households = {p.stay_on(LAST_DAY).household for p in people.residents(LAST_DAY)}  # type: ignore[union-attr]
    assert 0.001 < len(protected) / len(households) < 0.006


def test_siblings_do_not_share_a_given_name(people: City) -> None:
    for family in people.families:
        names = [c.given.text for c in family.children if c.foreign is None]
        assert len(names) == len(set(names))


def test_some_outsiders_and_second_numbers(people: City) -> None:
    outsiders = [p for p in people.people if p.outside_number]
    assert any(not p.stays for p in outsiders)
    assert any(p.stays for p in outsiders)
