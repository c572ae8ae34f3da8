"""抜き取り確認: links drawn at random for people to look at, and what their word says of all links (identity side).

The doubtful pairs are no sample of the links: they are those that were not made. So links that were made without anybody
are drawn by lot and wait beside the doubtful ones; the share of wrong ones among them is the share among all, within an
interval, whatever the model says of itself. Drawn by how they were made, equally many of each: links by name go wrong
more often than those by number, and are fewer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import duckdb

from kodomo.linkage.quality import wilson

if TYPE_CHECKING:
    from kodomo.vault.models import LinkRun  # Django is only there in a process that opened the vault

KINDS = {
    "DRAWN_NUMBER": "番号で結んだ記録",
    "DRAWN_NAME": "氏名と生年月日で結んだ記録",
    "DRAWN_OTHER": "そのほかで結んだ記録",
}
"""Why of a drawn pair → how its link was made."""

KIND = """CASE WHEN rule IN ('N1', 'S1') THEN 'DRAWN_NUMBER'
    WHEN rule = 'MODEL' OR left(rule, 1) IN ('K', 'H', 'B', 'U', 'G') THEN 'DRAWN_NAME' ELSE 'DRAWN_OTHER' END"""

MADE = f"""
CREATE OR REPLACE TEMP TABLE made AS
SELECT receipt || ':' || row || ':' || role AS ref, person_number, {KIND} AS kind
FROM links WHERE role IN ('subject', 'holder') AND rule IS NOT NULL AND rule NOT IN ('REGISTER', 'NEW', 'REVIEW')
  AND person_number IN (SELECT person_number FROM links WHERE rule = 'REGISTER')
"""
"""Records the run put to somebody of the register; what a person decided is no link of the machine's."""

LOT = """
WITH open AS (
    SELECT m.*, row_number() OVER (PARTITION BY kind ORDER BY md5(ref || $salt), ref) AS position FROM made m
    WHERE ref NOT IN (SELECT unnest($before::VARCHAR[]))
), drawn AS (
    SELECT * FROM open WHERE position <= $each
)
SELECT d.ref, min_by(l.receipt || ':' || l.row || ':' || l.role, (l.receipt, l.row)), d.kind
FROM drawn d JOIN links l ON l.person_number = d.person_number AND l.rule = 'REGISTER' GROUP BY d.ref, d.kind, d.position
ORDER BY d.kind, d.position
"""
"""By a hash that nobody chose, so that the same run and the same draws before give the same lot."""

STILL_ONE = """
SELECT w.pk FROM (SELECT unnest($pks::BIGINT[]) AS pk, unnest($left::VARCHAR[]) AS l, unnest($right::VARCHAR[]) AS r) w
JOIN mention a ON a.receipt || ':' || a.row || ':' || a.role = w.l JOIN mention b ON b.receipt || ':' || b.row || ':' || b.role = w.r
JOIN link x ON x.form = a.form JOIN link y ON y.form = b.form WHERE x.person = y.person
"""


def draw(connection: duckdb.DuckDBPyConnection, run: LinkRun, number: int) -> dict[str, int]:
    """Put links drawn by lot among the pairs that wait for a person, inside the caller's transaction.

    Args:
        connection: holds the run's ``links``.
        number: how many in all; as many of each kind of link as of the others, where there are so many.

    Returns:
        How many were drawn of each kind.
    """
    from kodomo.vault.models import DoubtfulPair

    connection.execute(MADE)
    before = list(_drawn().values_list("left_ref", flat=True))
    held = dict(connection.execute("SELECT kind, count(*) FROM made GROUP BY kind").fetchall())
    each = math.ceil(number / max(len(held), 1))
    lot = connection.execute(LOT, {"salt": run.sealed_file, "before": before, "each": each}).fetchall()
    DoubtfulPair.objects.using("vault").bulk_create(
        [DoubtfulPair(run=run, left_ref=left, right_ref=right, weight=0.0, why=kind) for left, right, kind in lot]
    )
    return {kind: sum(one == kind for _, _, one in lot) for kind in KINDS}


def keep_drawn(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """The drawn pairs nobody looked at yet that the new run still holds to be one person's."""
    waiting = list(_drawn().filter(decision="").values_list("pk", "left_ref", "right_ref"))
    if not waiting:
        return set()
    pks, left, right = (list(column) for column in zip(*waiting, strict=True))
    return {pk for (pk,) in connection.execute(STILL_ONE, {"pks": pks, "left": left, "right": right}).fetchall()}


def said_of_drawn(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """The share of wrong links that the drawn ones tell; None where nothing was drawn.

    Returns:
        ``drawn``, ``reviewed`` and ``wrong`` in all and by kind; ``precision`` with its 95 % interval once anything was
        reviewed. Kinds count by how many records they hold. The interval adds up Wilson's of each kind (the method of
        variance estimates recovery, Zou and Donner 2008); a kind nobody looked at may be anything.
    """
    if not _drawn().exists():
        return None
    connection.execute(MADE)
    held = dict(connection.execute("SELECT kind, count(*) FROM made GROUP BY kind").fetchall())
    rows = list(_drawn().values_list("why", "decision"))
    kinds = {
        kind: {"records": int(held.get(kind, 0)), "drawn": sum(why == kind for why, _ in rows),
               "reviewed": sum(why == kind and said != "" for why, said in rows),
               "wrong": sum(why == kind and said == "DIFFERENT" for why, said in rows)}
        for kind in KINDS
    }  # fmt: skip
    found: dict[str, Any] = {name: sum(one[name] for one in kinds.values()) for name in ("drawn", "reviewed", "wrong")}
    return {**found, "by_kind": kinds} | (_precision(kinds) if found["reviewed"] else {})


def _precision(kinds: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    total = sum(one["records"] for one in kinds.values())
    wrong, below, above = 0.0, 0.0, 0.0
    for one in kinds.values():
        weight = one["records"] / max(total, 1)
        share = one["wrong"] / one["reviewed"] if one["reviewed"] else 0.0
        low, high = wilson(share, one["reviewed"]) if one["reviewed"] else (0.0, 1.0)
        wrong += weight * share
        below += (weight * (share - low)) ** 2
        above += (weight * (high - share)) ** 2
    interval = [round(1 - min(wrong + math.sqrt(above), 1.0), 5), round(1 - max(wrong - math.sqrt(below), 0.0), 5)]
    return {"precision": {"estimate": round(1 - wrong, 5), "interval": interval}}


def _drawn() -> Any:
    from kodomo.vault.models import DoubtfulPair

    return DoubtfulPair.objects.using("vault").filter(why__in=KINDS)
