"""How many children the judgement that came in last judged: the funnel's first step (casework side).

A case that an earlier judgement, or a person, brought in belongs to the first step too: a child who passes a later step
has passed this one, so that the steps never grow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from kodomo.assessment.models import Arrival
from kodomo.configuration import responsible_office
from kodomo.errors import NotReady
from kodomo.store.database import Store
from kodomo.tables.engine import reading
from kodomo.terms import Level, Method


@dataclass(frozen=True)
class JudgedChildren:
    """Keys of the judged children: all of them, by type that was asked at their age, and by age band."""

    everybody: frozenset[str]
    of_type: Mapping[str, frozenset[str]]
    of_band: Mapping[str, frozenset[str]]

    def of_office(self, office: str) -> frozenset[str]:
        """Children whose age band the office answers for, by the rule that also opens cases."""
        bands = [band for band in self.of_band if responsible_office(settings.MUNICIPALITY, band) == office]
        return frozenset().union(*(self.of_band[band] for band in bands))


def judged_children() -> JudgedChildren | None:
    """Of the judgement that came in last; None before the first, or where the store no longer keeps it."""
    arrival = Arrival.objects.last()
    if arrival is None:
        return None
    try:
        snapshot = Store(settings.HOME.store).open("judgements", arrival.judgement_name)
    except NotReady:
        return None
    return _read(str(snapshot.file("judgements")), str(snapshot.file("subjects")))


def first_step(judged: frozenset[str] | None, cases: Collection[str]) -> int | None:
    """Children judged or with a case; None where it is not known who was judged."""
    return None if judged is None else len(judged.union(cases))


@lru_cache(maxsize=2)
def _read(judgements: str, subjects: str) -> JudgedChildren:
    """A published judgement never changes: it is read once in a process."""
    # The opinion that pages show: of one method alone where several judged.
    types = f"""
        SELECT type, list(child_key) FROM (
          SELECT child_key, type, arg_min(level,
            CASE method WHEN '{Method.COMBINED}' THEN 0 WHEN '{Method.SCENARIO}' THEN 1 ELSE 2 END) AS level
          FROM read_parquet(?) GROUP BY child_key, type)
        WHERE level <> '{Level.NOT_APPLICABLE}' GROUP BY type
    """
    with reading() as engine:
        of_type = {kind: frozenset(keys) for kind, keys in engine.execute(types, [judgements]).fetchall()}
        bands = "SELECT age_band, list(child_key) FROM read_parquet(?) GROUP BY age_band"
        of_band = {band: frozenset(keys) for band, keys in engine.execute(bands, [subjects]).fetchall()}
    return JudgedChildren(frozenset().union(*of_band.values()), of_type, of_band)
