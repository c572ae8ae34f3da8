"""Which cases a date knew of: corrected ones, those on their way, and sources delivered only later."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from features.factory import Town, day

from kodomo.errors import ConfigurationFault
from kodomo.features.cohort import Cohort
from kodomo.features.coverage import Expectations
from kodomo.features.matrix import FeatureMatrix
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.judge import first_fact
from kodomo.judgement.knowledge import knowledge_of
from kodomo.judgement.labels import Label, Labels, Marks, known_to_support, mark, read_cases, read_labels
from kodomo.store.database import Snapshot
from kodomo.terms import DifficultyType

from .conftest import write_criteria

TYPE = DifficultyType.NON_ATTENDANCE
THEN, NOW = day("2025-09-30"), day("2026-03-31")


def cohort(on: dt.date) -> Cohort:
    one = np.array(["hana"], dtype=object)
    return Cohort(one, np.array([on], "datetime64[D]"), np.array([120]), np.array([4.0]), one, one, one, one)


def town(*registrations: tuple[str, str, str | None]) -> Town:
    """Registrations of one child given as (began, known, told otherwise from)."""
    found = Town()
    found.person("hana", "2015-05-01", "h1")
    for began, known, until in registrations:
        found.fact(
            "hana",
            "council_registration",
            began,
            source="council_registration",
            code="不登校",
            to=None,
            known=known,
            until=until,
        )
    return found


def marks(records: Town, root: Path, *, known_by: dt.date = NOW, on: dt.date = THEN) -> Marks:
    criteria = read_all_criteria(write_criteria(root / "m"))
    cases = read_cases(records.publish(root / "store"), criteria.labels).known_by(known_by)
    return mark(cases, TYPE, cohort(on), 6)


def shown(found: Marks) -> tuple[bool, bool, bool, bool]:
    """onset, registered, already, pending."""
    return bool(found.onset[0]), bool(found.registered[0]), bool(found.already[0]), bool(found.pending[0])


@pytest.mark.parametrize(("registration", "expected"), [
    (("2025-08-01", "2025-08-01", None), (False, True, True, False)),
    (("2025-11-01", "2025-11-01", None), (True, False, False, False)),
    (("2025-08-01", "2025-11-01", None), (False, False, False, True)),
    (("2025-08-01", "2025-08-01", "2025-12-01"), (False, True, True, False)),
    (("2025-08-01", "2025-08-01", "2025-09-01"), (False, False, False, False)),
    (("2025-11-01", "2025-11-01", "2025-12-01"), (False, False, False, False)),
    (("2025-11-01", "2026-04-01", None), (False, False, False, False)),
], ids=["known then", "begins later", "on its way", "corrected since", "corrected before", "later one taken back", "not known yet"])  # fmt: skip
def test_a_case_is_what_was_known_of_it(
    tmp_path: Path, registration: tuple[str, str, str | None], expected: object
) -> None:
    assert shown(marks(town(registration), tmp_path)) == expected


def test_correction_that_comes_after_the_day_of_learning_is_not_there_yet(tmp_path: Path) -> None:
    records = town(("2025-11-01", "2025-11-01", "2026-05-01"))
    assert shown(marks(records, tmp_path)) == (True, False, False, False)
    assert shown(marks(records, tmp_path / "later", known_by=day("2026-05-01"))) == (False, False, False, False)


def test_registration_on_its_way_is_neither_learned_from_nor_counted_as_missed(tmp_path: Path) -> None:
    found = marks(town(("2025-08-01", "2025-11-01", None), ("2025-12-01", "2025-12-01", None)), tmp_path)
    assert found.pending[0] == 1 and found.onset[0] == 1  # whoever uses the marks leaves such a child out


def test_support_that_was_told_otherwise_is_support_until_then(tmp_path: Path) -> None:
    criteria = read_all_criteria(write_criteria(tmp_path / "m"))
    snapshot = town(("2025-08-01", "2025-08-01", "2025-10-01")).publish(tmp_path / "store")
    assert known_to_support(snapshot, criteria.labels, cohort(THEN), THEN).tolist() == [True]
    assert known_to_support(snapshot, criteria.labels, cohort(NOW), NOW).tolist() == [False]


def fresh(snapshot: Snapshot, on: dt.date) -> bool:
    people = cohort(on)
    latest = {"school_attendance": np.array([on], "datetime64[D]")}
    matrix = FeatureMatrix(people, None, np.zeros((1, 0)), None, {}, latest, {})  # type: ignore[arg-type]
    return bool(knowledge_of(matrix, Expectations({}, ""), snapshot.read("sources"), on).fresh[0, 0])


def test_source_is_not_made_fresh_by_what_was_delivered_after_the_date(tmp_path: Path) -> None:
    records = town()
    records.fact("hana", "absence_days", "2025-06-01", number=1)
    records.deliveries["school_attendance"] = [day("2025-07-01"), day("2026-03-01")]
    snapshot = records.publish(tmp_path / "store")
    assert [fresh(snapshot, day(on)) for on in ("2025-06-01", "2025-08-30", "2025-08-31", "2026-03-01")] == [
        True,
        True,
        False,
        True,
    ]


def test_start_of_the_store_does_not_count_what_was_known_after_the_date(tmp_path: Path) -> None:
    records = town()
    for month in ("2025-06", "2025-07", "2025-08"):
        for number in range(3):
            records.fact(
                "hana", "absence_days", f"{month}-0{number + 1}", number=1, until="2025-12-01" if number else None
            )
    before = first_fact(records.publish(tmp_path / "a"), day("2025-09-10"))
    for number in range(20):
        records.fact("hana", "late_days", f"2025-09-{number + 10}", number=1, known=f"2025-09-{number + 11}")
    assert first_fact(records.publish(tmp_path / "b"), day("2025-09-10")) == before


def test_a_case_that_is_over_no_longer_shows_how_a_child_is(tmp_path: Path) -> None:
    """A registration stands until its end; a consultation, a day without an end, for a year."""
    criteria = read_all_criteria(write_criteria(tmp_path / "m"))

    def standing(item: str, code: str, began: str, to: str | None) -> list[float]:
        records = Town()
        records.person("hana", "2015-05-01", "h1")
        records.fact("hana", item, began, source=item, code=code, to=to)
        root = tmp_path / f"{item}{began}{to}"
        cases = read_cases(records.publish(root), criteria.labels).known_by(NOW)
        both = [mark(cases, TYPE, cohort(on), 6) for on in (THEN, NOW)]
        assert all(found.already[0] > 0 for found in both)
        return [float(found.standing[0]) for found in both]

    assert standing("council_registration", "不登校", "2025-04-01", "2025-12-31") == [1.0, 0.0]
    assert standing("council_registration", "不登校", "2025-04-01", None) == [1.0, 1.0]
    if any(label.item == "child_consultation" for label in criteria.labels.labels):
        assert standing("child_consultation", "不登校", "2025-01-15", "same") == [0.5, 0.0]


def test_a_registration_of_what_lasts_goes_on_where_the_register_keeps_no_end(tmp_path: Path) -> None:
    """A developmental disorder is not over a year after its day of registration; bullying, or a question asked, is."""
    records = Town()
    records.person("hana", "2015-05-01", "h1")
    records.fact("hana", "council_registration", "2023-04-01", source="council_registration", code="不登校", to="same")
    found = records.publish(tmp_path)

    def standing(weight: float, half_life: int | None) -> bool:
        label = Label(TYPE, "council_registration", (), weight, half_life_months=half_life)
        cases = read_cases(found, Labels((label,), (), ""))
        assert cases.lasts(TYPE) == (half_life is None)
        return bool(mark(cases, TYPE, cohort(NOW), 6).standing[0])

    assert standing(1.0, None)
    assert not standing(1.0, 6) and not standing(0.5, None)
    assert not read_cases(found, Labels((), (), "")).lasts(TYPE)


def test_what_a_fading_case_says_of_a_child_halves_with_time(tmp_path: Path) -> None:
    """A registration that nobody closes is no picture of the child for ever; whether it was recognised stays so."""
    found = town(("2025-03-31", "2025-03-31", None)).publish(tmp_path)

    def said(half_life: int | None) -> list[float]:
        label = Label(TYPE, "council_registration", (), 0.8, half_life_months=half_life)
        cases = read_cases(found, Labels((label,), (), ""))
        both = [mark(cases, TYPE, cohort(on), 6) for on in (THEN, NOW)]
        assert all(one.registered[0] == 0 and one.already[0] == one.standing[0] for one in both)
        return [round(float(one.standing[0]), 2) for one in both]

    assert said(None) == [0.8, 0.8]
    assert said(6) == [0.4, 0.2]


def test_half_life_of_a_label_is_a_number_of_months(tmp_path: Path) -> None:
    folder = write_criteria(tmp_path / "m")
    path = folder / "criteria" / "labels.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[[labels]]\n", "[[labels]]\nhalf_life_months = 6\n", 1), encoding="utf-8")
    assert read_labels(folder).labels[0].half_life_months == 6
    path.write_text(text.replace("[[labels]]\n", "[[labels]]\nhalf_life_months = 0\n", 1), encoding="utf-8")
    with pytest.raises(ConfigurationFault, match="月数"):
        read_labels(folder)


def test_a_mothers_case_is_that_of_the_child_she_has_just_borne(tmp_path: Path) -> None:
    found = Town()
    for child, born in (("old", "2015-05-01"), ("baby", "2025-03-01")):
        found.person(child, born, "h1")
        found.kin(child, "mother", "MOTHER", born)
    found.person("mother", "1990-01-01", "h1", since="2014-01-01", relationship="妻")
    found.fact("mother", "postnatal_support", "2025-06-01", source="health", to=None)
    snapshot = found.publish(tmp_path)
    for whose, people in (("mother", ["baby"]), ("self", ["mother"])):
        label = Label(DifficultyType.POSTNATAL_DEPRESSION, "postnatal_support", (), 1.0, whose)
        cases = read_cases(snapshot, Labels((label,), (), ""))
        assert list(cases.person) == people and list(cases.began) == [np.datetime64("2025-06-01")]
