"""似た過去の事例: what the known cases nearest to a child have in common with it, and which support helped them (casework side).

No case is shown, only what at least five of them share. Likeness and cases come from the judgement the case is
pinned to; what helped comes from the outcomes that casework returned to the store.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kodomo.assessment import trail
from kodomo.assessment.judged import judged_types
from kodomo.assessment.lawful import Lawful, lawful_at
from kodomo.assessment.models import Case
from kodomo.assessment.policies import NotAcceptable, can_see_levels
from kodomo.governance.suppression import Suppression
from kodomo.store.database import Snapshot, Store
from kodomo.support.words import GOOD, Service
from kodomo.tables.engine import reading
from kodomo.terms import Level, Method

LEAST = 5
"""What fewer than five cases back is not shown: it could be one child's story."""

RULE = Suppression(threshold=LEAST - 1, base=1)


@dataclass(frozen=True)
class Helped:
    """One kind of support that similar cases got; ``good`` is None where showing it would tell too much."""

    service: str
    children: int
    good: int | None


@dataclass(frozen=True)
class Similar:
    """One type's similar cases, as far as several of them say the same."""

    label: str
    cases: int
    shared: tuple[tuple[str, int], ...]
    helped: tuple[Helped, ...]

    @property
    def is_told(self) -> bool:
        """Whether there are enough cases to say anything."""
        return self.cases >= LEAST


@require_safe
def similar(request: Any, case_number: str) -> HttpResponse:
    """似た過去の事例: after the reader's own first view, like everything that the judgement says."""
    case = Case.objects.get(case_number=case_number)
    if not can_see_levels(case, request.actor):
        raise NotAcceptable("一次所見を書いた後に開けます。", then="個票で、まず事実だけを見て所見を書いてください。")
    found = similar_cases(case, lawful_at(request.at))
    event = trail.event_of(request.actor, "VIEW_SIMILAR", subject=case.child_key, detail={"case": case_number})
    trail.record_first(event, request.at)
    is_withheld = case.levels.filter(is_current=True, level=Level.WITHHELD).exists()
    return render(request, "support/similar.html", {"case": case, "types": found, "least": LEAST,
                                                    "is_withheld": is_withheld, "lawful": lawful_at(request.at)})  # fmt: skip


def similar_cases(case: Case, lawful: Lawful) -> list[Similar]:
    """For each type that raises the child: what its nearest known cases share, and what helped."""
    store = Store(settings.HOME.store)
    judgement = store.open("judgements", case.judgement_name)
    if not judgement.holds("similar_cases"):
        return []
    raised = [
        one
        for one in judged_types(lawful.told(case.levels.filter(is_current=True)), settings.MUNICIPALITY.types)
        # Held back, a level is held back here too: only a child that was raised has cases beside it.
        if one.is_raised and one.level != Level.WITHHELD
    ]
    with reading() as engine:
        near = _near(engine, judgement, case.child_key)
        shared = _shared(engine, judgement, case.child_key, lawful)
        helped = _helped(engine, store.current("outcomes"), near, lawful)
    return [
        Similar(one.label, len(near[one.type]), shared.get(one.type, ()), helped[one.type])
        for one in raised
        if one.type in near
    ]


def _near(engine: duckdb.DuckDBPyConnection, judgement: Snapshot, child_key: str) -> dict[str, list[str]]:
    query = "SELECT type, similar_key FROM read_parquet(?) WHERE child_key = ? ORDER BY type, position"
    near: dict[str, list[str]] = defaultdict(list)
    for kind, key in engine.execute(query, [str(judgement.file("similar_cases")), child_key]).fetchall():
        near[kind].append(key)
    return dict(near)


_SHARED = f"""
SELECT own.type, own.indicator, own.sentence, own.position, count(DISTINCT near.similar_key) AS cases
FROM read_parquet($reasons) AS own
JOIN read_parquet($similar) AS near ON near.child_key = own.child_key AND near.type = own.type
JOIN read_parquet($reasons) AS other
  ON other.child_key = near.similar_key AND other.type = own.type AND other.indicator = own.indicator
 AND other.method = own.method AND other.direction = own.direction
WHERE own.child_key = $child AND own.method = '{Method.COMBINED}' AND own.direction = 'UP'
GROUP BY ALL HAVING cases >= {LEAST} ORDER BY own.type, own.position
"""


def _shared(
    engine: duckdb.DuckDBPyConnection, judgement: Snapshot, child_key: str, lawful: Lawful
) -> Mapping[str, tuple[tuple[str, int], ...]]:
    """What raises the child and at least five of its nearest cases alike; without what has no basis today."""
    files = {"reasons": str(judgement.file("reasons")), "similar": str(judgement.file("similar_cases"))}
    rows = engine.execute(_SHARED, {**files, "child": child_key}).fetchall()
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for kind, indicator, sentence, _, cases in rows:
        if lawful.may_tell_reason({"type": kind, "indicator": indicator, "sentence": sentence}):
            found[kind].append((sentence, cases))
    return {kind: tuple(lines) for kind, lines in found.items()}


_LATEST = """
SELECT child_key, service, arg_max(outcome, (seen_on, known_from)) AS outcome FROM read_parquet($outcomes)
WHERE known_from <= $today AND child_key IN (SELECT unnest($near::VARCHAR[])) GROUP BY child_key, service, plan, goal
"""


def _helped(
    engine: duckdb.DuckDBPyConnection, returned: Snapshot | None, near: Mapping[str, Sequence[str]], lawful: Lawful
) -> dict[str, tuple[Helped, ...]]:
    if returned is None:
        return dict.fromkeys(near, ())
    every = sorted({key for keys in near.values() for key in keys})
    given = {"outcomes": str(returned.file("outcomes")), "near": every, "today": lawful.today}
    rows = engine.execute(_LATEST, given).fetchall()
    return {kind: _by_service(row for row in rows if row[0] in set(keys)) for kind, keys in near.items()}


def _by_service(rows: Iterable[tuple[str, str, str]]) -> tuple[Helped, ...]:
    """Per kind of support how many children had it, and for how many it went well; small numbers left out."""
    had: dict[str, set[str]] = defaultdict(set)
    well: dict[str, set[str]] = defaultdict(set)
    for child, service, outcome in rows:
        had[service].add(child)
        if outcome in GOOD:
            well[service].add(child)
    lines = [
        Helped(Service(service).label, len(had[service]), _good(len(well[service]), len(had[service])))
        for service in had
        if len(had[service]) >= LEAST and service in set(Service)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.children, line.service)))


def _good(part: int, whole: int) -> int | None:
    return part if RULE.share(part, whole) is not None else None
