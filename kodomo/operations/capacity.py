"""What a share of children to look at would mean, by a judgement as it stands: counts alone (casework side)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kodomo.store.database import Snapshot
from kodomo.tables.engine import connect
from kodomo.terms import Level, Method


@dataclass(frozen=True)
class Reach:
    """The first ``children`` of a type's order: how many of them no support knows, and how many are registered for it already."""

    share: float
    children: int
    unknown: int
    registered: int
    all_registered: int


_ORDERED = f"""
WITH chosen AS (
    SELECT child_key, score, is_registered FROM (
        FROM read_parquet($judgements) WHERE type = $type QUALIFY row_number() OVER (PARTITION BY child_key
            ORDER BY CASE method WHEN '{Method.COMBINED}' THEN 0 WHEN '{Method.SCENARIO}' THEN 1 ELSE 2 END) = 1
    ) WHERE score IS NOT NULL AND level NOT IN ('{Level.INSUFFICIENT}', '{Level.NOT_APPLICABLE}')
), placed AS (
    SELECT c.is_registered, s.is_known_to_support,
        row_number() OVER (ORDER BY c.score DESC, c.child_key) AS place, count(*) OVER () AS everybody
    FROM chosen c JOIN read_parquet($subjects) s USING (child_key)
)
SELECT w.share, count(*) FILTER (p.place <= w.places), count(*) FILTER (p.place <= w.places AND NOT p.is_known_to_support),
    count(*) FILTER (p.place <= w.places AND p.is_registered), count(*) FILTER (p.is_registered)
FROM (SELECT share, greatest(1, floor(share * (SELECT any_value(everybody) FROM placed)))::BIGINT AS places
      FROM (SELECT unnest($shares::DOUBLE[]) AS share)) w, placed p
GROUP BY w.share ORDER BY w.share
"""
"""Places follow scores of those who could be judged; 情報不足 has no place, and is no reason to look away."""


def reach_at(judgement: Snapshot, kind: str, shares: Sequence[float]) -> list[Reach]:
    """For each share of the children judged for a type: whom looking at so many would reach, in ascending order.

    Args:
        kind: a difficulty type's code, or OVERALL.
        shares: 0–1.
    """
    given = {"judgements": str(judgement.file("judgements")), "subjects": str(judgement.file("subjects")),
             "type": kind, "shares": list(shares)}  # fmt: skip
    with connect(memory="1GB", threads=2) as engine:
        rows = engine.execute(_ORDERED, given).fetchall()
    return [Reach(float(share), *map(int, rest)) for share, *rest in rows]
