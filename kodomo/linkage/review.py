"""目視確認: doubtful pairs for a person to decide, and decisions that hold in every later run (identity side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from kodomo.linkage.drawn import KINDS, keep_drawn

if TYPE_CHECKING:
    from kodomo.vault.models import LinkRun  # Django is only there in a process that opened the vault

PAIRS = """
WITH first AS (SELECT form, receipt || ':' || row || ':' || role AS ref, mention FROM mention
               QUALIFY row_number() OVER (PARTITION BY form ORDER BY mention) = 1)
SELECT a.ref, b.ref, coalesce(d.weight, 0.0), d.why
FROM doubt d JOIN first a ON a.form = d.form
JOIN (SELECT person, arg_min(ref, (f.kind <> 'residents', w.mention)) AS ref
      FROM link l JOIN form f USING (form) JOIN first w USING (form) WHERE l.rule IN ('REGISTER', 'NEW') GROUP BY person) b
  ON b.person = d.person
ORDER BY ALL
"""


Decision = tuple[str, str, bool]
"""Left record, right record, same person or not; records as ``receipt:row:role``."""


def decided_pairs() -> list[tuple[dt.datetime, int, Decision]]:
    """What people decided about doubtful pairs in any run, oldest first: when, the pair's number, and what."""
    from kodomo.vault.doubts import SAME
    from kodomo.vault.models import DoubtfulPair

    rows = DoubtfulPair.objects.using("vault").exclude(decision="").order_by("decided_at", "pk")
    return [(p.decided_at, p.pk, (p.left_ref, p.right_ref, p.decision == SAME)) for p in rows if p.decided_at]


def doubts_decided() -> list[bool]:
    """Of the doubtful pairs that people decided, which are one person's; those drawn by lot were not in doubt."""
    from kodomo.vault.doubts import SAME
    from kodomo.vault.models import DoubtfulPair

    rows = DoubtfulPair.objects.using("vault").exclude(decision="").exclude(why__in=KINDS)
    return [said == SAME for said in rows.values_list("decision", flat=True)]


def load_decisions(connection: duckdb.DuckDBPyConnection, decisions: Iterable[Decision]) -> None:
    """Make the table ``decided`` (left_form, right_form, is_same, position); a later decision has a higher position."""
    made = list(decisions)
    connection.register("refs", pa.table({
        "left_ref": pa.array([d[0] for d in made], pa.string()), "right_ref": pa.array([d[1] for d in made], pa.string()),
        "is_same": pa.array([d[2] for d in made], pa.bool_()), "position": pa.array(range(len(made)), pa.int64()),
    }))  # fmt: skip
    connection.execute("CREATE OR REPLACE TABLE decision AS SELECT * FROM refs")
    connection.unregister("refs")
    _find_decided(connection)


DECIDED = """
CREATE OR REPLACE TABLE decided AS
WITH wanted AS (
    SELECT left_ref AS ref FROM decision UNION SELECT right_ref FROM decision
), place AS (
    SELECT ref, form FROM mention m JOIN (
        SELECT ref, split_part(ref, ':', 1)::BIGINT AS receipt, split_part(ref, ':', 2)::INTEGER AS row, split_part(ref, ':', 3) AS role
        FROM wanted) w USING (receipt, row, role)
)
SELECT least(a.form, b.form) AS left_form, greatest(a.form, b.form) AS right_form, arg_max(d.is_same, d.position) AS is_same,
    max(d.position) AS position
FROM decision d JOIN place a ON a.ref = d.left_ref JOIN place b ON b.ref = d.right_ref WHERE a.form <> b.form
GROUP BY ALL ORDER BY position
"""
"""Of two decisions about one pair the later holds."""


def _find_decided(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``decided``; where nobody decided anything no row is looked for."""
    if connection.execute("SELECT count(*) FROM decision").fetchall()[0][0]:
        connection.execute(DECIDED)
    else:
        connection.execute(
            "CREATE OR REPLACE TABLE decided (left_form BIGINT, right_form BIGINT, is_same BOOLEAN, position BIGINT)"
        )


def load_verdicts(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``verdict`` (form, person, is_same): what was decided about a form and a spine person."""
    _find_decided(connection)  # forms may have been parted since
    connection.execute(
        """CREATE OR REPLACE TABLE verdict AS
           SELECT d.form, s.person, arg_max(d.is_same, d.position) AS is_same FROM (
               SELECT left_form AS form, right_form AS other, is_same, position FROM decided
               UNION ALL SELECT right_form, left_form, is_same, position FROM decided) d
           JOIN spine_form s ON s.form = d.other GROUP BY d.form, s.person"""
    )


PARTED = """
DELETE FROM link WHERE rule NOT IN ('REGISTER', 'REVIEW') AND form IN (
    SELECT a.form FROM (SELECT left_form AS form, right_form AS other FROM decided WHERE NOT is_same
                        UNION ALL SELECT right_form, left_form FROM decided WHERE NOT is_same) a
    JOIN link x ON x.form = a.form JOIN link y ON y.form = a.other AND y.person = x.person)
"""
"""Two records that a person told apart may not meet in a third's person either: neither is linked by rule."""


def part_decided(connection: duckdb.DuckDBPyConnection) -> int:
    """Undo links by rule that bring two records together which a person decided to be different; returns how many."""
    return int(connection.execute(PARTED).fetchall()[0][0])


def keep_doubts(connection: duckdb.DuckDBPyConnection, run: LinkRun) -> int:
    """Write this run's doubtful pairs, inside the caller's transaction.

    Open pairs of earlier runs go: they were found again, or are no longer in doubt. Decided pairs stay, and those
    drawn by lot.
    """
    from kodomo.vault.models import DoubtfulPair

    DoubtfulPair.objects.using("vault").filter(decision="").exclude(pk__in=keep_drawn(connection)).delete()
    known = set(DoubtfulPair.objects.using("vault").values_list("left_ref", "right_ref"))
    rows = [row for row in connection.execute(PAIRS).fetchall() if (row[0], row[1]) not in known]
    DoubtfulPair.objects.using("vault").bulk_create(
        [DoubtfulPair(run=run, left_ref=a, right_ref=b, weight=weight, why=why) for a, b, weight, why in rows],
        batch_size=1000,
    )
    return len(rows)
