"""Traces in the printed records: rates as in the country, and no record that gives a difficulty away."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from written_city import Written


def table(city: Written, source: str) -> list[dict[str, str]]:
    """Rows of all files of a source, each with the person it is about; broken rows included."""
    people: dict[tuple[str, int], str] = {
        (link["file"], int(link["row"])): link["person_id"]
        for link in city.key("links.csv")
        if link["source"] == source
    }
    found = []
    for path in (p for p in city.files() if city.layout_of(p).source == source):
        names = [c.name for c in city.layouts[source].columns]
        for i, row in enumerate(city.rows(path), start=1):
            found.append({**dict(zip(names, row, strict=True)), "file": path.name, "person": people[path.name, i]})
    return found


def number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0


def auroc(values: dict[str, float], troubled: set[str], everyone: set[str]) -> float:
    """Chance that a troubled child has the greater value; ties count half."""
    bad = np.array([values.get(p, 0.0) for p in everyone & troubled])
    good = np.array([values.get(p, 0.0) for p in everyone - troubled])
    return float((bad[:, None] > good).mean() + 0.5 * (bad[:, None] == good).mean())


@pytest.fixture(scope="module")
def troubled(larger_city: Written) -> dict[str, set[str]]:
    """Who is in which difficulty on the last day."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in larger_city.key("difficulties.csv"):
        if not row["last_month"]:
            found[row["type"]].add(row["person_id"])
    return found


@pytest.fixture(scope="module")
def attendance(larger_city: Written) -> list[dict[str, str]]:
    return [r for r in table(larger_city, "school_attendance") if "令和7年度" in r["file"]]


def total(rows: list[dict[str, str]], column: str) -> dict[str, float]:
    summed: dict[str, float] = defaultdict(float)
    for row in rows:
        summed[row["person"]] += number(row[column])
    return summed


def test_thirty_days_absent(attendance: list[dict[str, str]]) -> None:
    absent = total(attendance, "欠席日数")
    long = sum(days >= 30 for days in absent.values()) / len(absent)
    assert 0.02 < long < 0.09


@pytest.mark.parametrize(
    ("kind", "column"), [("不登校", "欠席日数"), ("ヤングケアラー", "遅刻"), ("いじめ", "欠席日数"), ("貧困", "遅刻")]
)
def test_attendance_hints_and_does_not_tell(
    attendance: list[dict[str, str]], troubled: dict[str, set[str]], kind: str, column: str
) -> None:
    values = total(attendance, column)
    assert 0.5 < auroc(values, troubled[kind], set(values)) < 0.95


def test_epds_of_nine_or_more(city: Written) -> None:
    scores = [number(r["EPDS合計点"]) for r in table(city, "epds")]
    assert 0.04 < sum(s >= 9 for s in scores) / len(scores) < 0.18


def test_school_expense_aid(city: Written) -> None:
    pupils = {r["person"] for r in table(city, "school_enrolment") if r["年度"] == "2025"}
    aided = {
        r["person"] for r in table(city, "school_expense_aid") if r["年度"] == "R7" and r["認定区分"] in ("要", "準")
    }
    assert 0.08 < len(aided & pupils) / len(pupils) < 0.20


def test_checkups_are_attended_by_most(city: Written) -> None:
    kinds = Counter(r["受診区分"] for r in table(city, "infant_checkup"))
    assert 0.01 < kinds["0"] / (kinds["0"] + kinds["1"]) < 0.09


def test_newcomers_have_no_history(city: Written) -> None:
    """Nobody has a check-up here before having lived here."""
    first: dict[str, str] = {}
    for row in table(city, "infant_checkup"):
        first.setdefault(row["person"], row["健診日"])
    people = {p["person_id"]: p for p in city.key("people.csv")}
    newcomers = [p for p in people.values() if p["is_child_at_end"] == "1" and p["moved_in"] == "1"]
    natives = [p for p in people.values() if p["is_child_at_end"] == "1" and p["moved_in"] == "0"]
    young = "2020-06-01"
    share = [
        sum(p["person_id"] in first for p in group if p["born_on"] > young)
        / max(sum(p["born_on"] > young for p in group), 1)
        for group in (newcomers, natives)
    ]
    assert share[0] < share[1]


def test_half_of_the_aid_desks_pupil_numbers_are_missing(city: Written) -> None:
    rows = table(city, "school_expense_aid")
    assert 0.4 < sum(r["学籍番号"] == "" for r in rows) / len(rows) < 0.75


def test_a_quarter_of_school_addresses_are_missing(city: Written) -> None:
    rows = table(city, "school_enrolment")
    assert 0.15 < sum(r["住所"] == "" for r in rows) / len(rows) < 0.36


def test_protected_families_have_no_address_at_school(city: Written) -> None:
    protected = {p["person_id"] for p in city.key("people.csv") if p["is_protected"] == "1"}
    for source in ("school_enrolment", "school_expense_aid"):
        assert all(r["住所"] == "" for r in table(city, source) if r["person"] in protected)
