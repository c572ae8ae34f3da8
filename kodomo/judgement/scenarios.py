"""Scenarios: the point tables staff can read, one per difficulty type (analysis side).

``criteria/scenarios.toml``:

``version, note, point_is``   ``point_is`` is what one point adds to the log-odds.
``must_beat_points``          true: what was learned moves a score only where it ranks known cases above the points
    beyond chance (the 95 % interval of the difference); false (default): unless it ranks them below beyond chance.
``[[approved_by]]``           ``name, office, on``. Two different people, where the folder binds approvals to no version
    (``governance.criteria_versions``).
``[[types]]``                 ``type, base_rate`` (what no points at all means), ``ages`` or ``grades`` judged, ``source``.
``[[points]]``                ``type, code, when`` (all must hold), ``points``, ``group`` (only the weightiest of a
    group counts), ``kind`` (risk | benefit_gap | connection_gap |
    connected: the only kind whose points may be negative), ``sentence`` (absent: the first indicator's own),
    ``rationale, source``.
``[[escalations]]``           ``type, code, when, sentence, rationale, source``: review whatever the score.

Both may say ``is_off = true`` (kept and checked, but not used) and ``note`` (staff's own remark).

A condition reads ``"absence_3m >= 9"``. An indicator nobody can know never fulfils a condition: what is
not known is neither for nor against.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kodomo.errors import ConfigurationFault
from kodomo.features.aggregates import COMPARE
from kodomo.features.catalogue import Catalogue
from kodomo.features.criteria import CriteriaFile, Entry, read_comparison, read_criteria
from kodomo.features.dates import OLDEST
from kodomo.features.matrix import FeatureMatrix
from kodomo.governance.approvals import APPROVERS
from kodomo.terms import DifficultyType

T = TypeVar("T")

FILE = "scenarios.toml"
TABLES, TOP = ("approved_by", "types", "points", "escalations"), ("version", "note", "point_is", "must_beat_points")
MOST_POINT_IS = 3.0
"""One point that multiplies the odds by more than twenty is a slip of the pen."""
KINDS = ("risk", "benefit_gap", "connection_gap", "connected")


@dataclass(frozen=True)
class Condition:
    """One comparison of an indicator with a bound."""

    indicator: str
    operator: str
    bound: float

    def holds(self, matrix: FeatureMatrix) -> NDArray[np.bool_]:
        """Where it holds; false where the value is missing or the indicator was not built."""
        if self.indicator not in matrix.codes:
            return np.zeros(len(matrix.cohort), dtype=bool)
        values = matrix.column(self.indicator)
        return np.asarray(~np.isnan(values) & COMPARE[self.operator](values, self.bound))


@dataclass(frozen=True)
class Point:
    """One line of a point table."""

    type: DifficultyType
    code: str
    when: tuple[Condition, ...]
    points: float
    group: str
    kind: str
    sentence: str
    rationale: str
    source: str


@dataclass(frozen=True)
class Escalation:
    """A fact that forces review whatever the score."""

    type: DifficultyType
    code: str
    when: tuple[Condition, ...]
    sentence: str
    rationale: str
    source: str


@dataclass(frozen=True)
class Scope:
    """Whom a type is judged for, and what no points at all means."""

    type: DifficultyType
    base_rate: float
    ages: tuple[int, int] | None
    grades: tuple[int, int] | None


@dataclass(frozen=True)
class Scenarios:
    """All point tables of one version."""

    version: str
    note: str
    point_is: float
    must_beat_points: bool
    approved_by: tuple[tuple[str, str, dt.date], ...]
    scopes: Mapping[DifficultyType, Scope]
    points: tuple[Point, ...]
    escalations: tuple[Escalation, ...]
    sha256: str

    def scope(self, kind: DifficultyType) -> Scope:
        """Whom a type is judged for. Raises ConfigurationFault where ``[[types]]`` lacks it."""
        if kind not in self.scopes:
            raise ConfigurationFault(
                f"判定する類型「{kind.label}」が [[types]] にありません。",
                where=f"criteria/{FILE}",
                then="[[types]] に加えるか、settings.toml の types から外してください。",
            )
        return self.scopes[kind]

    def table(self, kind: DifficultyType) -> tuple[Point, ...]:
        """The lines of one type."""
        return tuple(p for p in self.points if p.type is kind)


@dataclass(frozen=True)
class ScenarioResult:
    """One type's points for a cohort.

    ``fired[i, k]`` is true where line ``k`` of ``lines`` counts for row ``i`` (the highest of its group);
    ``logit`` = base + point_is × points; ``fired_gates[i, k]`` is true where escalation ``k`` holds.
    """

    type: DifficultyType
    applicable: NDArray[np.bool_]
    lines: tuple[Point, ...]
    fired: NDArray[np.bool_]
    points: NDArray[np.float64]
    base: float
    point_is: float
    logit: NDArray[np.float64]
    fired_gates: NDArray[np.bool_]
    escalations: tuple[Escalation, ...]

    @property
    def score(self) -> NDArray[np.float64]:
        """0–1, rising with the points."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.logit)))

    def learnable_lines(self, columns: Collection[str]) -> NDArray[np.bool_]:
        """Lines that rest on these indicators alone: what learning may see of the staff's points.

        A line on a registration or consultation would hand the label over inside the sum.
        """
        return np.array([all(c.indicator in columns for c in line.when) for line in self.lines], dtype=bool)

    def points_of(self, columns: Collection[str]) -> NDArray[np.float64]:
        """The sum of the points of ``learnable_lines``, for every row."""
        each = np.array([line.points for line in self.lines], dtype=np.float64) * self.learnable_lines(columns)
        return np.asarray(self.fired.astype(np.float64) @ each)

    def apart(self, columns: Collection[str]) -> NDArray[np.float64]:
        """What the lines that learning may not see add to the log-odds of every row."""
        return np.asarray(self.point_is * (self.points - self.points_of(columns)))


def read_scenarios(folder: Path, catalogue: Catalogue) -> Scenarios:
    """Read ``criteria/scenarios.toml`` of a municipality's folder.

    Raises:
        ConfigurationFault: faults with file and line, or approvers are named and are not two different people.
    """
    file = read_criteria(folder / "criteria" / FILE, *TABLES, top=TOP)
    known = set(catalogue.codes)
    scenarios = Scenarios(
        version=str(file.top.get("version", "")),
        note=str(file.top.get("note", "")),
        point_is=_point_is(file),
        must_beat_points=_yes_or_no(file, "must_beat_points"),
        approved_by=tuple(_approver(e) for e in file.entries("approved_by")),
        scopes={s.type: s for s in (_scope(e) for e in file.entries("types"))},
        points=_used(file.entries("points"), lambda e: _point(e, known, catalogue)),
        escalations=_used(file.entries("escalations"), lambda e: _escalation(e, known)),
        sha256=file.sha256,
    )
    _check(file, scenarios)
    return scenarios


def _yes_or_no(file: CriteriaFile, key: str) -> bool:
    said = file.top.get(key, False)
    if not isinstance(said, bool):
        file.blame(key, "true か false で書いてください。")
        return False
    return said


def _point_is(file: CriteriaFile) -> float:
    value = file.top.get("point_is", 0.35)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST_POINT_IS:
        file.blame("point_is", f"0 より大きく {MOST_POINT_IS:g} 以下の数で書いてください。")
        return 0.35
    return float(value)


def _used(entries: Sequence[Entry], read: Callable[[Entry], T]) -> tuple[T, ...]:
    """Those that are switched on; the others are read too, so that they can be switched on again."""
    found = [(read(entry), entry.flag("is_off")) for entry in entries]
    return tuple(one for one, is_off in found if not is_off)


def judge_scenario(kind: DifficultyType, scenarios: Scenarios, matrix: FeatureMatrix) -> ScenarioResult:
    """Count one type's points for every row. Rows outside the type's ages are marked not applicable."""
    lines = scenarios.table(kind)
    fired = _highest_of_group(lines, _held([p.when for p in lines], matrix))
    points = fired.astype(np.float64) @ np.array([p.points for p in lines], dtype=np.float64)
    scope = scenarios.scope(kind)
    rate = scope.base_rate
    base = float(np.log(rate / (1 - rate)))
    hard = tuple(e for e in scenarios.escalations if e.type is kind)
    gates = _held([e.when for e in hard], matrix)
    applicable = applies(scope, matrix)
    return ScenarioResult(
        kind,
        applicable,
        lines,
        fired,
        points,
        base,
        scenarios.point_is,
        base + scenarios.point_is * points,
        gates & applicable[:, None],
        hard,
    )


def applies(scope: Scope, matrix: FeatureMatrix) -> NDArray[np.bool_]:
    """Rows the type is judged for, by age and grade."""
    cohort = matrix.cohort
    rows = np.ones(len(cohort), dtype=bool)
    if scope.ages:
        rows &= (cohort.age_years >= scope.ages[0]) & (cohort.age_years <= scope.ages[1])
    if scope.grades:
        rows &= (cohort.grade >= scope.grades[0]) & (cohort.grade <= scope.grades[1])
    return rows


def _held(rules: Sequence[tuple[Condition, ...]], matrix: FeatureMatrix) -> NDArray[np.bool_]:
    """Rows × rules: where all of a rule's conditions hold."""
    held = np.ones((len(matrix.cohort), len(rules)), dtype=bool)
    for k, conditions in enumerate(rules):
        for condition in conditions:
            held[:, k] &= condition.holds(matrix)
    return held


def _highest_of_group(lines: tuple[Point, ...], held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the lines of one group that hold, only the weightiest counts (the first, of equals)."""
    fired = held.copy()
    for group in {p.group for p in lines if p.group}:
        members = sorted((k for k, p in enumerate(lines) if p.group == group), key=lambda k: (-abs(lines[k].points), k))
        taken = np.zeros(len(held), dtype=bool)
        for k in members:
            fired[:, k] = held[:, k] & ~taken
            taken |= held[:, k]
    return fired


def _approver(entry: Entry) -> tuple[str, str, dt.date]:
    entry.only("name", "office", "on")
    on = entry.values.get("on")
    if not isinstance(on, dt.date):
        entry.blame("on", "2026-03-01 の形の日付で書いてください。")
        on = dt.date.min
    return entry.text("name"), entry.text("office", ""), on


def _scope(entry: Entry) -> Scope:
    entry.only("type", "base_rate", "ages", "grades", "source")
    rate = entry.number("base_rate")
    if not 0 < rate < 1:
        entry.blame("base_rate", "0 と 1 の間で書いてください。")
        rate = 0.5
    return Scope(entry.type(), rate, entry.interval("ages", 0, OLDEST), entry.interval("grades", 1, 9))


def _point(entry: Entry, known: set[str], catalogue: Catalogue) -> Point:
    entry.only("type", "code", "when", "points", "group", "kind", "sentence", "rationale", "source", "is_off", "note")
    when = _conditions(entry, known)
    own = catalogue[when[0].indicator].sentence if when and when[0].indicator in known else ""
    if len(when) > 1 and "sentence" not in entry.values:
        entry.blame("sentence", "条件が二つ以上のときは、文を書いてください。")
    kind, points = entry.choice("kind", KINDS, "risk"), entry.number("points")
    if (points < 0) != (kind == "connected"):
        entry.blame(
            "points", "負の点は kind が connected(支援につながっている)のときだけで、connected は負の点にします。"
        )
    return Point(
        entry.type(),
        entry.text("code"),
        when,
        points,
        entry.text("group", ""),
        kind,
        entry.text("sentence", own),
        entry.text("rationale"),
        entry.text("source", ""),
    )


def _escalation(entry: Entry, known: set[str]) -> Escalation:
    entry.only("type", "code", "when", "sentence", "rationale", "source", "is_off", "note")
    return Escalation(
        entry.type(),
        entry.text("code"),
        _conditions(entry, known),
        entry.text("sentence"),
        entry.text("rationale"),
        entry.text("source", ""),
    )


def _conditions(entry: Entry, known: set[str]) -> tuple[Condition, ...]:
    found = []
    for text in entry.texts("when"):
        name, _, rest = text.strip().partition(" ")
        comparison = read_comparison(rest)
        if comparison is None:
            entry.blame("when", f"「{text}」は「指標コード >= 9」の形ではありません。")
        elif name not in known:
            entry.blame("when", f"指標「{name}」は indicators.toml にありません。")
        else:
            found.append(Condition(name, *comparison))
    if not found and not entry.texts("when"):
        entry.blame("when", "条件を一つ以上書いてください。")
    return tuple(found)


def _check(file: CriteriaFile, scenarios: Scenarios) -> None:
    scopes: set[DifficultyType] = set()
    for entry in file.entries("types"):
        if (own := entry.type()) in scopes:
            entry.blame("type", f"「{own.label}」が二度書かれています。")
        scopes.add(own)
    for table in ("points", "escalations"):
        seen: set[str] = set()
        for entry in file.entries(table):
            code = str(entry.values.get("code"))
            if code in seen:
                entry.blame("code", "同じコードが二度書かれています。")
            seen.add(code)
            kind = entry.type()
            if kind not in scenarios.scopes:
                entry.blame("type", f"[[types]] に「{kind.label}」がありません。")
    if not scenarios.version.strip():
        file.blame("version", "シナリオの版(version)が書かれていません。")
    file.faults.settle()
    names = {name for name, _, _ in scenarios.approved_by}
    if 0 < len(names) < APPROVERS:
        raise ConfigurationFault(
            f"シナリオ {scenarios.version} は、異なる二人の承認がそろっていないので使えません。",
            where=f"{file.path} [[approved_by]]",
            then="承認した二人の氏名と日付を書いてください。",
        )
