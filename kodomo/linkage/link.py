"""Link landed mentions in memory, step after step; knows no vault and no clock (identity side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.linkage import kept
from kodomo.linkage.calls import NOBODY_CALLED, is_anybody_called, link_called
from kodomo.linkage.classes import IN_CLASS, link_classmates
from kodomo.linkage.decide import decide, mint_newcomers
from kodomo.linkage.engine import is_model_settled, score_candidates
from kodomo.linkage.forms import Printing, gather_forms, make_register
from kodomo.linkage.holders import apply_holder_rules, is_any_holder_open
from kodomo.linkage.households import build_households
from kodomo.linkage.increment import More, are_rows_together, gather_more, put_rows_together, same_decisions
from kodomo.linkage.replay import Beginning, Replay
from kodomo.linkage.review import Decision, load_decisions, load_verdicts, part_decided
from kodomo.linkage.rules import (
    AS_WRITTEN,
    OWN_NUMBER,
    apply_certain_rules,
    apply_following_rules,
    apply_rule,
    start_links,
)
from kodomo.linkage.spine import build_spine, spine_standing
from kodomo.linkage.tenure import part_by_tenure
from kodomo.tables.engine import drop

FACT_COLUMNS = ("receipt", "row", "role", "source", "item", "valid_from", "valid_to", "known_from", "known_to")
"""What linkage reads of facts: who was named beside whom, and when. Never what was said."""


@dataclass(frozen=True)
class Before:
    """The run before, to build on.

    Args:
        open_table: gives what ``kept.tables_to_keep`` made, by name.
        restated: rows of earlier deliveries whose source has delivered since, as ``gather_more`` takes them.
    """

    open_table: Callable[[str], pa.Table]
    restated: pa.Table


class LinksAnew(Exception):
    """The run before can't be built on: a new surname parts names that were printed long ago."""


def link_mentions(
    connection: duckdb.DuckDBPyConnection,
    mentions: Iterable[pa.Table],
    facts: pa.Table | Callable[[], pa.Table],
    *,
    printing: Printing,
    model_file: Path,
    on: dt.date,
    expected_delivery: Collection[str] = (),
    decisions: Iterable[Decision] = (),
    before: Before | None = None,
    engine: str = "duckdb",
    spill: Path | None = None,
    set_aside: kept.Take | None = None,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Link in memory: leaves ``form``, ``mention``, ``link``, ``doubt`` and the household graph in the connection.

    Certain rules come first, then the model, then what follows from known subjects, then persons the
    register doesn't know, last the records without a birth date. Reads no vault; writes the model file.

    Args:
        mentions: tables of the schema of ``landed_mentions``, one per delivery; each is looked at once.
        facts: what the rows say, with the columns of ``FACT_COLUMNS`` at least; or what gives it, asked when forms are made.
        expected_delivery: codes of the items that say when a pregnancy should end.
        decisions: what people decided about pairs of records, oldest first.
        before: the run to build on; ``mentions`` are then those landed since. None to link everything anew.
        engine: on what pairs are weighed, one of ``edges.ENGINES``; ``spill``: where Spark puts things aside, encrypted.
        set_aside: takes, by name, what the next run needs of how forms were made (``kept.EARLY_TABLES``); None where none follows.
        step: called after each of the steps.

    Returns:
        Figures by rule, source and outcome; no value of any person.

    Raises:
        LinksAnew: see there.
    """
    standing = kept.Standing(connection, before.open_table, set_aside) if before is not None else None
    more = _gather(connection, mentions, printing, before, standing, set_aside)
    connection.execute(
        "CREATE OR REPLACE TABLE surname AS SELECT unnest(?::VARCHAR[]) AS surname", [sorted(more.surnames)]
    )
    connection.register("facts", facts() if callable(facts) else facts)
    load_decisions(connection, decisions)
    step()
    figures, replay = _spine(connection, more, standing, model_file)
    figures["spine"]["numbers_parted"] = part_by_tenure(connection)
    load_verdicts(connection)
    step()
    figures |= _link(
        connection, replay, step, lambda: score_candidates(connection, model_file, engine, spill, replay.show)
    )
    figures["graph"] = build_households(connection, on, expected_delivery)
    figures |= replay.figures() | _counts(connection)
    step()
    return figures


def _gather(
    connection: duckdb.DuckDBPyConnection,
    mentions: Iterable[pa.Table],
    printing: Printing,
    before: Before | None,
    standing: kept.Standing | None,
    take: kept.Take | None,
) -> More:
    """Make forms and register; what only the next run needs goes as early as it can, for here most room is taken."""
    if before is not None and standing is not None:
        found = gather_more(connection, standing, mentions, before.restated, printing)
        if found is None:
            raise LinksAnew
        return found
    more = More(gather_forms(connection, mentions, printing), is_register_told=True)
    drop(connection, "base", "combination")
    if take is not None:
        kept.set_aside(connection, take)
    drop(connection, "formed")
    make_register(connection)
    drop(connection, "incoming_register")
    connection.execute("CHECKPOINT")
    return more


def _spine(
    connection: duckdb.DuckDBPyConnection, more: More, standing: kept.Standing | None, model_file: Path
) -> tuple[dict[str, Any], Beginning]:
    """The spine, and what a run does that begins there: with nothing, or with what stands of the run before."""
    if standing is None:
        return {"spine": build_spine(connection)}, Beginning(connection)
    stands = not more.is_register_told and same_decisions(connection)
    if stands:
        standing.stand_spine()
    else:
        put_rows_together(connection, standing)
    figures = {"spine": spine_standing(connection) if stands else build_spine(connection)}
    standing.show("kept_open")
    most = connection.execute(
        "SELECT (SELECT count(*) FROM kept_open) + (SELECT count(*) FROM changed_form)"
    ).fetchall()
    replay = Replay(
        connection, standing, is_standing=stands, is_whole=are_rows_together(connection),
        may_stand=is_model_settled(connection, model_file, most[0][0]),
    )  # fmt: skip
    replay.open()
    return figures, replay


def _link(
    connection: duckdb.DuckDBPyConnection,
    replay: Beginning,
    step: Callable[[], None],
    score: Callable[[], dict[str, int]],
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    start_links(connection)
    replay.begin()
    figures["rules"] = apply_certain_rules(connection, replay.after_own_numbers)
    part_decided(connection)
    step()
    figures["model"] = score()
    figures["model"] |= decide(connection)
    replay.after_model()
    written = apply_rule(connection, AS_WRITTEN)
    figures["rules_after"] = apply_following_rules(connection, replay.before_relatives, replay.after_relatives)
    figures["rules_after"][AS_WRITTEN.code] = written
    if is_any_holder_open(connection):
        replay.widen()
        for code, count in apply_holder_rules(connection).items():
            figures["rules_after"][code] = figures["rules_after"].get(code, 0) + count
    part_decided(connection)
    step()
    drop(connection, "spine_variant", "record", "candidate", "ranked")
    figures["newcomers"] = mint_newcomers(connection)
    replay.after_newcomers()
    apply_rule(connection, OWN_NUMBER)
    figures["called"] = NOBODY_CALLED
    if is_anybody_called(connection):
        replay.widen()
        figures["rules_after"][IN_CLASS.code] = link_classmates(connection)
        figures["called"] = link_called(connection)
    figures["rules_after"][OWN_NUMBER.code] += apply_rule(connection, OWN_NUMBER)
    part_decided(connection)
    connection.execute("DELETE FROM doubt WHERE form IN (SELECT form FROM link WHERE rule <> 'REGISTER')")
    step()
    replay.widen()
    return figures


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    by_source = connection.execute(
        """SELECT m.source, coalesce(l.rule, 'UNLINKED') AS rule, count(*), count(*) FILTER (m.role IN ('subject', 'holder')) AS about
           FROM mention m LEFT JOIN link l USING (form) GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    rows: dict[str, dict[str, int]] = {}
    for source, rule, _, about in by_source:
        if about:
            rows.setdefault(source, {})[rule] = about
    doubtful = connection.execute("SELECT count(DISTINCT form) FROM doubt").fetchall()[0][0]
    total = sum(count for _, _, count, _ in by_source)
    unlinked = sum(count for _, rule, count, _ in by_source if rule == "UNLINKED")
    return {
        "rows_by_source": rows,
        "mentions": total,
        "linked": total - unlinked,
        "unlinked": unlinked,
        "doubtful": int(doubtful),
    }
