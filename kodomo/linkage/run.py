"""Decide which landed records are one person, and keep that in the vault (identity side)."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.governance.audit import AuditEvent
from kodomo.governance.register import Register, read_register
from kodomo.intake.layout import Layout, read_layouts
from kodomo.linkage.cards import make_cards
from kodomo.linkage.changes import changes_since
from kodomo.linkage.decisions import decided_since, decisions_made
from kodomo.linkage.forms import Printing
from kodomo.linkage.kinship import FIRST, LAST
from kodomo.linkage.link import FACT_COLUMNS, link_mentions
from kodomo.linkage.numbers import KNOWN_BEFORE, number_persons
from kodomo.linkage.review import keep_doubts
from kodomo.progress import Progress
from kodomo.tables.engine import UNSPILLED, connect
from kodomo.terms import Purpose
from kodomo.vault import history, people, records
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

Beat = Callable[[dict[str, object]], None]

STEPS = 9


def link_people(
    *, home: Home, municipality: Municipality, by: str, at: dt.datetime, beat: Beat | None = None
) -> dict[str, Any]:
    """Link every landed record to a person, or leave it open, and keep the outcome in the vault.

    Reads landed mentions and facts, decisions people made about doubtful pairs, and the run before.
    Writes one sealed run (links, persons, households, kinship, residence), the persons' sealed cards
    with their blind indexes, the doubtful pairs, and one audit row, all in one transaction. Run
    again on the same landings it gives the same persons and numbers. Never changes a landed record.

    Raises:
        NotReady: nothing of the resident register has been received.
        IntegrityFault: a sealed file is broken.
    """
    started = time.monotonic()
    keyring = open_vault(home)
    people.sweep_runs(home)
    receipts = records.receipts()
    layouts = read_layouts(municipality.folder)
    if not any(r.source in layouts and layouts[r.source].kind == "residents" for r in receipts):
        raise NotReady(
            "住民記録がまだ受領されていません。",
            then="kind が residents のレイアウトを持つ出所(住民記録の一覧)を kodomo receive で受け取ってください。名寄せはその台帳を背骨にします。",
        )
    mentions = permitted(records.mention_tables(home, keyring), municipality, at.date())
    facts = _facts(home, keyring)
    with _steps(sum(r.rows_landed for r in receipts), beat) as step:
        connection = connect(memory=UNSPILLED)
        figures = link_mentions(
            connection, mentions, facts, printing=printing_of(municipality), on=at.date(), step=step,
            expected_delivery=read_register(municipality.folder).with_role("expected_delivery"),
            model_file=home.vault / "linkage" / "model.json", decisions=decisions_made(),
        )  # fmt: skip
        run_before = people.current_run()
        earlier = people.open_run(home, keyring, run_before, "links") if run_before else None
        highest = people.highest_number()
        retired = pa.Table.from_pylist(history.retired_records(), KNOWN_BEFORE)
        figures["numbers"] = number_persons(connection, earlier, highest, retired)
        decided = decided_since(run_before.made_at) if run_before else []
        changes = changes_since(connection, earlier, history.last_between(), decided) if earlier is not None else []
        figures["changes"] = dict(Counter(change.kind for change in changes))
        step()
        name = f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%S%f}-{os.getpid()}"
        people.seal_run(home, keyring, name, _run_tables(connection))
        cards = make_cards(connection, at.date(), _protecting(municipality))
        step()
        event = AuditEvent(actor=by, role="OPERATOR", action="LINK_PEOPLE", subject=name, purpose=Purpose.LINK.label,
                           detail={"persons": len(cards), "doubtful": figures["doubtful"], "changes": figures["changes"]})  # fmt: skip
        figures["cards"] = {}
        with audited(home, keyring, event, at):
            figures["cards"] = people.write_people(keyring, cards)
            run = people.record_run(name, figures, at)
            history.write_changes(run.pk, at, [vars(change) for change in changes], after=highest)
            keep_doubts(connection, run)
        step()
        connection.close()
    return {"run": run.pk, "name": name, **figures, "seconds": round(time.monotonic() - started, 1)}


def permitted(tables: Iterable[pa.Table], municipality: Municipality, on: dt.date) -> Iterator[pa.Table]:
    """Blank what may no longer be used for 名寄せ: a basis can lapse between landing and linking."""
    register = read_register(municipality.folder)
    lapsed = {y.source: _lapsed(y, register, on) for y in read_layouts(municipality.folder).values()}
    for table in tables:
        source = table["source"][0].as_py() if table.num_rows else ""
        for role, name in lapsed.get(source, ()):
            hit = pc.equal(table["role"], role)
            at = table.column_names.index(name)
            table = table.set_column(at, name, pc.if_else(hit, pa.scalar(None, pa.string()), table[name]))
        yield table


def _facts(home: Home, keyring: Keyring) -> pa.Table:
    """What rows say, without the sayings; texts as positions in a short list, for there are millions of rows."""
    tables = [
        pa.table(
            {
                n: pc.dictionary_encode(c) if pa.types.is_string(c.type) else c
                for n, c in zip(t.column_names, t.columns, strict=True)
            }
        )
        for t in records.fact_tables(home, keyring, columns=FACT_COLUMNS)
    ]
    return pa.concat_tables(tables).unify_dictionaries() if tables else records.LANDED_FACTS.empty()


PROTECTION = "address_protection"
"""Never blanked: a lapsed basis must not take the protection off a family that lives in hiding."""


def _lapsed(layout: Layout, register: Register, on: dt.date) -> list[tuple[str, str]]:
    return [
        (c.person, c.field)
        for c in layout.columns
        if c.person
        and c.field
        and c.item
        and not c.ignore
        and c.field != PROTECTION
        and not register.allows(c.item, Purpose.LINK, on)
    ]


def _protecting(municipality: Municipality) -> frozenset[str]:
    """Sources that have a column for 支援措置."""
    return frozenset(
        layout.source
        for layout in read_layouts(municipality.folder).values()
        if any(c.field == PROTECTION and not c.ignore for c in layout.columns)
    )


def printing_of(municipality: Municipality) -> Printing:
    """What linkage has to know about who prints. Sources whose own numbers are the same data item share them; others number for themselves."""
    numbering = {}
    for source, layout in read_layouts(municipality.folder).items():
        items = [c.item for c in layout.columns if c.field == "own_number" and c.item and not c.ignore]
        numbering[source] = items[0] if items else source
    return Printing(numbering, municipality.prefecture, municipality.name, _protecting(municipality))


def _run_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, pa.Table]:
    return {name: connection.sql(query).to_arrow_table() for name, query in RUN_TABLES.items()}


RUN_TABLES = {
    "links": """
        SELECT m.receipt, m.source, m.file, m.row, m.role, n.person_number, l.rule, l.weight
        FROM mention m LEFT JOIN link l USING (form) LEFT JOIN numbered n USING (person) ORDER BY m.mention""",
    "persons": f"""
        SELECT n.person_number, t.town AS latest_town, y.nationality, a.listed_from,
            CASE WHEN y.person IS NULL THEN p.born_on ELSE y.born_on END AS born_on, CASE WHEN y.person IS NULL THEN p.sex ELSE y.sex END AS sex
        FROM numbered n JOIN spine p USING (person)
        JOIN (SELECT person, nullif(min(since), {FIRST}) AS listed_from FROM attribute GROUP BY person) a USING (person)
        LEFT JOIN (SELECT * FROM attribute WHERE until = {LAST}) y USING (person)
        LEFT JOIN (SELECT person, arg_max(town, valid_from) FILTER (town IS NOT NULL) AS town FROM spell WHERE until = {LAST}
                   GROUP BY person) t USING (person)
        ORDER BY n.person_number""",
    "corrected_persons": f"""
        SELECT n.person_number, a.born_on, a.sex, a.nationality, nullif(a.since, {FIRST}) AS known_from, a.until AS known_to
        FROM attribute a JOIN numbered n USING (person) WHERE a.until < {LAST} ORDER BY n.person_number, a.until""",
    "household_spells": """
        SELECT n.person_number, h.number AS household_number, m.relationship, m.town, m.valid_from, m.valid_to, m.known_from, m.known_to
        FROM membership m JOIN numbered n USING (person) JOIN household h USING (household)
        ORDER BY n.person_number, m.valid_from, m.known_from""",
    "kinships": """
        SELECT c.person_number AS child_number, r.person_number AS relative_number, k.kind, k.source, k.valid_from, k.valid_to,
            k.known_from, k.end_known_from, k.known_to
        FROM kinship k JOIN numbered c ON c.person = k.child JOIN numbered r ON r.person = k.relative
        ORDER BY c.person_number, r.person_number, k.kind, k.valid_from, k.known_from""",
    "residence_spells": """
        SELECT n.person_number, s.valid_from, s.valid_to, s.began_by, s.ended_by, s.known_from, s.end_known_from, s.known_to
        FROM residence s JOIN numbered n USING (person) ORDER BY n.person_number, s.valid_from, s.known_from""",
}


@contextmanager
def _steps(rows: int, beat: Beat | None) -> Iterator[Callable[[], None]]:
    progress = Progress("名寄せ", STEPS, rows=rows, every=0.0, beat=beat)
    yield progress.add
    progress.close()
