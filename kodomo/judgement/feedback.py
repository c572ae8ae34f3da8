"""What people decided and what support showed, as labels that expire (analysis side).

``criteria/labels.toml``, ``[[feedback]]``: ``event`` (decision | outcome | closing | disagreement), ``codes`` (of the
decision, the goal's outcome, the closing or the opinion), ``reason_codes`` (of a decision; absent: all), ``as`` (case | none), ``weight``, ``months``.

``as = "case"``  a case of the types that had raised the child, of less weight than a registration (below 1); of a
    disagreement, of the type it names (総合: of those that had raised the child).
``as = "none"``  reviewed, and no difficulty found (対象外): the child's rows count as unlabelled with more weight
    (above 1), for every type; of a disagreement, for the type it names (総合: for every type). Soft, for a review sees what is known, not what is.

Both stand for ``months`` from the day they were written and are forgotten then. A later decision about the same
child ends an earlier one, and of disagreements with one type the last counts alone. Neither is ever used to measure: evaluation counts registrations (weight 1) and draws.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kodomo.errors import NotReady
from kodomo.features.cohort import Cohort
from kodomo.features.criteria import Entry, read_criteria
from kodomo.features.dates import window_start
from kodomo.judgement.labels import FILE, NEVER, TABLES, Cases
from kodomo.store.database import Snapshot, Store
from kodomo.terms import OVERALL, DifficultyType, Level, Method

EVENTS = {
    "decision": ("decisions", "decision"),
    "outcome": ("outcomes", "outcome"),
    "closing": ("closures", "reason_code"),
    "disagreement": ("disagreements", "opinion"),
}
"""Where an event stands: table and column of its code."""


@dataclass(frozen=True)
class Rule:
    """One ``[[feedback]]``."""

    event: str
    codes: tuple[str, ...]
    reason_codes: tuple[str, ...]
    is_case: bool
    weight: float
    months: int

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a returned row is such an event."""
        code = row[EVENTS[self.event][1]]
        return code in self.codes and (not self.reason_codes or row["reason_code"] in self.reason_codes)


def read_rules(folder: Path) -> tuple[Rule, ...]:
    """The ``[[feedback]]`` of a municipality's folder; none where nothing is written.

    Raises:
        ConfigurationFault: with file, entry and line of every fault.
    """
    file = read_criteria(folder / "criteria" / FILE, *TABLES)
    rules = tuple(_rule(entry) for entry in file.entries("feedback"))
    file.faults.settle()
    return rules


def _rule(entry: Entry) -> Rule:
    entry.only("event", "codes", "reason_codes", "as", "weight", "months", "note")
    event, kind = entry.choice("event", EVENTS), entry.choice("as", ("case", "none"))
    weight, months = entry.number("weight"), entry.months("months")
    if kind == "case" and not 0 < weight < 1:
        entry.blame("weight", "as が case のときは、0 より大きく 1 より小さく書いてください(1 は登録だけ)。")
    if kind == "none" and not 1 < weight <= 10:
        entry.blame("weight", "as が none のときは、1 より大きく 10 以下で書いてください。")
    if months is None:
        entry.blame("months", "期限の月数を書いてください。期限のない記憶は使いません。")
    if not entry.texts("codes"):
        entry.blame("codes", "コードを一つ以上書いてください。")
    if event != "decision" and entry.texts("reason_codes"):
        entry.blame("reason_codes", "event が decision のときだけ書けます。")
    return Rule(event, entry.texts("codes"), entry.texts("reason_codes"), kind == "case", weight, months or 1)


@dataclass(frozen=True)
class Reviewed:
    """Children reviewed without finding a difficulty: from which day's judgement until when, and how much that weighs.

    ``kind`` is the type it was said of; empty for every type.
    """

    person: NDArray[np.object_]
    kind: NDArray[np.object_]
    since: NDArray[np.datetime64]
    until: NDArray[np.datetime64]
    weight: NDArray[np.float64]

    def weights(self, cohort: Cohort, kind: DifficultyType) -> NDArray[np.float64]:
        """The weight of each row of a cohort as one that is unlabelled for a type: 1 where nobody reviewed it, or the review expired."""
        places: dict[str, list[int]] = defaultdict(list)
        for n, person in enumerate(self.person):
            if self.kind[n] in ("", kind):
                places[person].append(n)
        found = np.ones(len(cohort))
        for row, key in enumerate(cohort.child_key):
            for n in places.get(key, ()):
                if self.since[n] <= cohort.as_of[row] < self.until[n]:
                    found[row] = max(found[row], self.weight[n])
        return found


@dataclass(frozen=True)
class Feedback:
    """What came back, as cases and as reviews."""

    cases: Cases
    reviewed: Reviewed

    @property
    def counts(self) -> dict[str, int]:
        """How many of each: for manifests."""
        return {"cases": len(set(self.cases.person)), "reviewed": len(set(self.reviewed.person))}


def no_feedback() -> Feedback:
    """Nothing came back."""
    return _gathered([], [])


def read_feedback(store: Store, rules: Iterable[Rule], as_of: dt.date, returned: str | None = None) -> Feedback:
    """What was known on a date of what people decided and of what came of it.

    Args:
        returned: which folder of ``outcomes`` to read; the current one when not given.

    Raises:
        NotReady: the named folder is gone.
    """
    rules = tuple(rules)
    folder = store.open("outcomes", returned) if returned else store.current("outcomes")
    if folder is None or not rules:
        return no_feedback()
    decisions = [row for row in _rows(folder, "decisions") if row["known_from"] <= as_of]
    decided: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(decisions, key=lambda row: (row["known_from"], row["revision"])):
        decided[row["child_key"]].append(row)
    raised = _Raised(store)
    cases: list[tuple[Any, ...]] = []
    reviews: list[tuple[Any, ...]] = []
    for rule in rules:
        for row in _standing(_rows(folder, EVENTS[rule.event][0]), rule.event, as_of):
            if not rule.holds(row):
                continue
            own = decided[row["child_key"]]
            ends = _ends(row, rule, own)
            before = row if rule.event in ("decision", "disagreement") else _last(own, row["known_from"])
            said_of = row["type"] if rule.event == "disagreement" and row["type"] != OVERALL else ""
            judgement = before["judgement"] if before else ""
            if rule.is_case:
                for kind in [said_of] if said_of else raised.types(judgement, row["child_key"]):
                    cases.append((row["child_key"], kind, rule.weight, row["known_from"], ends))
            else:
                since = raised.as_of(judgement) or row["known_from"]
                reviews.append((row["child_key"], said_of, since, ends, rule.weight))
    return _gathered(cases, reviews)


def _rows(folder: Snapshot, table: str) -> list[dict[str, Any]]:
    return list(folder.read(table).to_pylist()) if folder.holds(table) else []


def _standing(rows: list[dict[str, Any]], event: str, as_of: dt.date) -> list[dict[str, Any]]:
    """What was known on a date; of what was said of one type, the last word: nobody can cross out a wrong opinion."""
    known = [row for row in rows if row["known_from"] <= as_of]
    if event != "disagreement":
        return known
    # They stand in the order in which they were written, several of one day too.
    last = {(row["child_key"], row["type"]): row for row in sorted(known, key=lambda row: row["known_from"])}
    return list(last.values())


def _last(decisions: list[Mapping[str, Any]], day: dt.date) -> Mapping[str, Any] | None:
    return next((row for row in reversed(decisions) if row["known_from"] <= day), None)


def _ends(row: Mapping[str, Any], rule: Rule, decisions: list[Mapping[str, Any]]) -> dt.date:
    """When it is forgotten: after its months, or on the day a later decision says otherwise."""
    day = row["known_from"]
    expiry = window_start(day, -rule.months)
    place = (day, row["revision"]) if rule.event == "decision" else (day, 10**6)
    later = [d["known_from"] for d in decisions if (d["known_from"], d["revision"]) > place]
    ends: dt.date = min([expiry, *later])
    return ends


class _Raised:
    """Which types had raised a child in a judgement, read once for each judgement."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.found: dict[str, tuple[dt.date | None, dict[str, list[str]]]] = {}

    def types(self, judgement: str, child: str) -> list[str]:
        return self._of(judgement)[1].get(child, [])

    def as_of(self, judgement: str) -> dt.date | None:
        return self._of(judgement)[0]

    def _of(self, name: str) -> tuple[dt.date | None, dict[str, list[str]]]:
        if name not in self.found:
            self.found[name] = self._read(name)
        return self.found[name]

    def _read(self, name: str) -> tuple[dt.date | None, dict[str, list[str]]]:
        try:
            judgement = self.store.open("judgements", name) if name else None
        except NotReady:
            judgement = None
        if judgement is None:
            return None, {}
        table = judgement.read("judgements", ("child_key", "type", "method", "level", "escalation"))
        chosen = pc.and_(
            pc.and_(pc.equal(table["method"], Method.COMBINED.value), pc.not_equal(table["type"], OVERALL)),
            pc.or_(pc.is_in(table["level"], pa.array([Level.HIGH.value, Level.MIDDLE.value])), pc.is_valid(table["escalation"])),
        )  # fmt: skip
        found: dict[str, list[str]] = defaultdict(list)
        for row in table.filter(chosen).to_pylist():
            found[row["child_key"]].append(row["type"])
        return dt.date.fromisoformat(str(judgement.manifest["as_of"])), found


def _gathered(cases: list[tuple[Any, ...]], reviews: list[tuple[Any, ...]]) -> Feedback:
    cases, reviews = sorted(cases), sorted(reviews)
    person, kind, weight, began, ends = zip(*cases, strict=True) if cases else ((), (), (), (), ())
    never = np.full(len(cases), NEVER)
    known = Cases(
        np.array(person, dtype=object), np.array([DifficultyType(k).value for k in kind], dtype=object),
        np.array(weight, dtype=np.float64), _days(began), never, _days(began), _days(ends),
        np.full(len(cases), np.inf),
    )  # fmt: skip
    who, said_of, since, until, weights = zip(*reviews, strict=True) if reviews else ((), (), (), (), ())
    people, types = np.array(who, dtype=object), np.array(said_of, dtype=object)
    return Feedback(known, Reviewed(people, types, _days(since), _days(until), np.array(weights, dtype=np.float64)))


def _days(days: Iterable[dt.date]) -> NDArray[np.datetime64]:
    return np.array(list(days), dtype="datetime64[D]")
