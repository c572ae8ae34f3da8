"""Link landed mentions in memory, step after step; knows no vault and no clock (identity side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.linkage.calls import link_called
from kodomo.linkage.decide import decide, mint_newcomers
from kodomo.linkage.engine import score_candidates
from kodomo.linkage.forms import Printing, gather_forms
from kodomo.linkage.households import build_households
from kodomo.linkage.review import Decision, load_decisions, load_verdicts, part_decided
from kodomo.linkage.rules import OWN_NUMBER, apply_certain_rules, apply_following_rules, apply_rule, start_links
from kodomo.linkage.spine import build_spine
from kodomo.linkage.tenure import part_by_tenure

FACT_COLUMNS = ("receipt", "row", "role", "source", "item", "valid_from", "valid_to", "known_from", "known_to")
"""What linkage reads of facts: who was named beside whom, and when. Never what was said."""


def link_mentions(
    connection: duckdb.DuckDBPyConnection,
    mentions: Iterable[pa.Table],
    facts: pa.Table,
    *,
    printing: Printing,
    model_file: Path,
    on: dt.date,
    expected_delivery: Collection[str] = (),
    decisions: Iterable[Decision] = (),
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Link in memory: leaves ``form``, ``mention``, ``link``, ``doubt`` and the household graph in the connection.

    Certain rules come first, then the model, then what follows from known subjects, then persons the
    register doesn't know, last the records without a birth date. Reads no vault; writes the model file.

    Args:
        mentions: tables of the schema of ``landed_mentions``, one per delivery; each is looked at once.
        facts: what the rows say, with the columns of ``FACT_COLUMNS`` at least.
        expected_delivery: codes of the items that say when a pregnancy should end.
        decisions: what people decided about pairs of records, oldest first.
        step: called after each of the steps.

    Returns:
        Figures by rule, source and outcome; no value of any person.
    """
    gather_forms(connection, mentions, printing)
    connection.register("facts", facts)
    load_decisions(connection, decisions)
    step()
    figures: dict[str, Any] = {"spine": build_spine(connection)}
    figures["spine"]["numbers_parted"] = part_by_tenure(connection)
    load_verdicts(connection)
    step()
    start_links(connection)
    figures["rules"] = apply_certain_rules(connection)
    part_decided(connection)
    step()
    figures["model"] = score_candidates(connection, model_file)
    figures["model"] |= decide(connection)
    figures["rules_after"] = apply_following_rules(connection)
    part_decided(connection)
    step()
    figures["newcomers"] = mint_newcomers(connection)
    apply_rule(connection, OWN_NUMBER)
    figures["called"] = link_called(connection)
    figures["rules_after"][OWN_NUMBER.code] += apply_rule(connection, OWN_NUMBER)
    part_decided(connection)
    connection.execute("DELETE FROM doubt WHERE form IN (SELECT form FROM link WHERE rule <> 'REGISTER')")
    step()
    figures["graph"] = build_households(connection, on, expected_delivery)
    step()
    return figures | _counts(connection)


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    by_source = connection.execute(
        """SELECT m.source, coalesce(l.rule, 'UNLINKED') AS rule, count(*) FROM mention m LEFT JOIN link l USING (form)
           GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    rows: dict[str, dict[str, int]] = {}
    for source, rule, count in by_source:
        rows.setdefault(source, {})[rule] = count
    doubtful = connection.execute("SELECT count(DISTINCT form) FROM doubt").fetchall()[0][0]
    total = sum(count for _, _, count in by_source)
    unlinked = sum(count for _, rule, count in by_source if rule == "UNLINKED")
    return {
        "rows_by_source": rows,
        "mentions": total,
        "linked": total - unlinked,
        "unlinked": unlinked,
        "doubtful": int(doubtful),
    }
