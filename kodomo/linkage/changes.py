"""What a run did to persons: who came together, came apart, lost or gained records, and why (identity side)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

MERGE, SPLIT, MOVED, UNDONE = "MERGE", "SPLIT", "MOVED", "UNDONE"
ERASED, RETURNED = "ERASED", "RETURNED"

KINDS = {
    MERGE: "二つの番号を一つにした",
    SPLIT: "一つの番号を二つに分けた",
    MOVED: "記録が移った",
    UNDONE: "前の変更を元に戻した",
    ERASED: "本人の識別情報を消した",
    RETURNED: "消した人の記録がまた届いた",
}

Record = tuple[int, int, str]
"""Receipt, row and role of a landed record."""


@dataclass(frozen=True)
class Change:
    """Records that were one person's (None: nobody's) in the run before and are another's now."""

    kind: str
    before: int | None
    after: int | None
    records: tuple[Record, ...]
    facts: int = 0
    rules: tuple[str, ...] = ()
    decision: str = ""


@dataclass(frozen=True)
class Decided:
    """A person's decision as the history names it (``D12``, ``P3``), and the records it speaks of."""

    name: str
    records: frozenset[str] = field(default_factory=frozenset)


CHANGED = """
SELECT e.person_number AS before, n.person_number AS after, list((p.receipt, p.row, p.role) ORDER BY p.mention) AS records,
    list_sort(list(DISTINCT l.rule) FILTER (l.rule IS NOT NULL)) AS rules
FROM earlier e JOIN placed p USING (receipt, row, role) LEFT JOIN link l USING (form) LEFT JOIN numbered n USING (person)
WHERE e.person_number IS DISTINCT FROM n.person_number
GROUP BY ALL ORDER BY before NULLS LAST, after NULLS LAST
"""

MEANT = "WHERE person_number IN (SELECT unnest(?::BIGINT[]))"

FACTS = """
SELECT t.part, count(*) FROM touched t JOIN facts f ON f.receipt = t.receipt AND f.row = t.row AND f.role = t.role
GROUP BY t.part
"""


def changes_since(
    connection: duckdb.DuckDBPyConnection,
    earlier: pa.Table,
    last: Mapping[frozenset[int], tuple[str, int | None, int | None]],
    decided: Iterable[Decided] = (),
) -> list[Change]:
    """Compare the links of the run before with those in the connection (``placed``, ``link``, ``numbered``, ``facts``).

    Records that were landed since have no before: they change nobody.

    Args:
        earlier: ``receipt, row, role, person_number`` of the run before; those at least that ``numbers.in_question`` gives.
        last: for two numbers, kind, number before and number after of the last merge or split between them.
        decided: what people decided, or took back, since the run before.

    Returns:
        One change for each two numbers between which records went, in order of the numbers.
    """
    connection.register("earlier", earlier)
    rows = connection.execute(CHANGED).fetchall()
    meant = [list({n for before, after, *_ in rows for n in (before, after) if n is not None})]
    known = {n for (n,) in connection.execute(f"SELECT DISTINCT person_number FROM earlier {MEANT}", meant).fetchall()}
    connection.unregister("earlier")
    living = {n for (n,) in connection.execute(f"SELECT person_number FROM numbered {MEANT}", meant).fetchall()}
    facts = _facts_touched(connection, [records for _, _, records, _ in rows])
    heir = _heirs(rows, living)
    decisions = list(decided)
    return [
        Change(_kind(before, after, known, living, heir, last), before, after, tuple(map(tuple, records)), facts.get(part, 0),
               tuple(rules or ()), _decision_about(records, decisions))
        for part, (before, after, records, rules) in enumerate(rows)
    ]  # fmt: skip


def _heirs(rows: Iterable[tuple], living: Collection[int]) -> dict[int, int]:  # type: ignore[type-arg]
    """Who took over most of what a number had that lives no longer (of equals: the elder number)."""
    heirs: dict[int, tuple[int, int]] = {}
    for before, after, records, _ in rows:
        if before is not None and after is not None and before not in living:
            most, found = heirs.get(before, (0, after))
            heirs[before] = (len(records), after) if len(records) > most else (most, found)
    return {before: after for before, (_, after) in heirs.items()}


def _kind(
    before: int | None,
    after: int | None,
    known: Collection[int],
    living: Collection[int],
    heir: Mapping[int, int],
    last: Mapping[frozenset[int], tuple[str, int | None, int | None]],
) -> str:
    if before is None or after is None:
        return MOVED
    is_back = after not in known
    is_retired = before not in living and heir.get(before) == after
    kind, *numbers = last.get(frozenset((before, after)), ("", None, None))
    if is_back or is_retired:
        undoes = (kind == MERGE and is_back and numbers == [after, before]) or (
            kind == SPLIT and is_retired and numbers == [after, before]
        )
        return UNDONE if undoes else SPLIT if is_back else MERGE
    return MOVED


def _facts_touched(connection: duckdb.DuckDBPyConnection, groups: list[list[Record]]) -> dict[int, int]:
    rows = [(part, *record) for part, records in enumerate(groups) for record in records]
    connection.register("touched", pa.table({
        "part": pa.array([r[0] for r in rows], pa.int64()), "receipt": pa.array([r[1] for r in rows], pa.int64()),
        "row": pa.array([r[2] for r in rows], pa.int32()), "role": pa.array([r[3] for r in rows], pa.string()),
    }))  # fmt: skip
    found = dict(connection.execute(FACTS).fetchall()) if rows else {}
    connection.unregister("touched")
    return found


def _decision_about(records: Iterable[Record], decided: Iterable[Decided]) -> str:
    """The newest decision that names one of the records; empty when the rules alone did it."""
    places = {f"{receipt}:{row}:{role}" for receipt, row, role in records}
    names = [one.name for one in decided if one.records & places]
    return names[-1] if names else ""
