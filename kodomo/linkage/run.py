"""Decide which landed records are one person, and keep that in the vault (identity side)."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kodomo.configuration import Home, Municipality
from kodomo.errors import Busy, NotReady
from kodomo.governance.audit import AuditEvent
from kodomo.governance.register import Register, read_register
from kodomo.intake.layout import Layout, read_layouts
from kodomo.linkage import kept
from kodomo.linkage.cards import SIGNS, cards_changed, cards_told, tell_cards
from kodomo.linkage.changes import changes_since
from kodomo.linkage.decisions import decided_since, decisions_made
from kodomo.linkage.erase import Withheld, withheld
from kodomo.linkage.forms import Printing
from kodomo.linkage.kinship import FIRST, LAST
from kodomo.linkage.link import FACT_COLUMNS, Before, LinksAnew, link_mentions
from kodomo.linkage.numbers import KNOWN_BEFORE, NUMBERED, in_question, number_persons
from kodomo.linkage.review import keep_doubts
from kodomo.progress import Progress
from kodomo.tables.arrow import leave_pandas_out
from kodomo.tables.engine import UNSPILLED, beside, connect, release
from kodomo.tables.packing import packed
from kodomo.terms import Purpose
from kodomo.vault import history, people, records
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

if TYPE_CHECKING:
    from kodomo.vault.models import LinkRun, Receipt

Beat = Callable[[dict[str, object]], None]

STEPS = 9


def link_people(
    *,
    home: Home,
    municipality: Municipality,
    by: str,
    at: dt.datetime,
    beat: Beat | None = None,
    anew: bool = False,
    engine: str = "duckdb",
) -> dict[str, Any]:
    """Link every landed record to a person, or leave it open, and keep the outcome in the vault.

    Reads landed mentions and facts, decisions people made, and the run before. What has been delivered since is
    linked onto the run before where that gives the same (``increment``); otherwise, and with ``anew``,
    everything is linked from the beginning. Writes one sealed run (links, persons, households, kinship,
    residence, what the next run builds on), the persons' sealed cards with their blind indexes, the history of
    what changed, the doubtful pairs, and one audit row, all in one transaction. Run again on the same landings
    it gives the same persons and numbers. Never changes a landed record.

    Args:
        engine: ``duckdb``, or ``spark`` to find and weigh pairs there (``edges``); everything else stays here.

    Returns:
        ``mode`` (``INCREMENTAL`` or ``ANEW``) and ``why_anew``, ``records_compared``, ``persons_changed``, and figures.

    Raises:
        NotReady: nothing of the resident register has been received.
        IntegrityFault: a sealed file is broken.
        Busy: somebody was erased meanwhile; nothing is kept of the run.
    """
    started = time.monotonic()
    leave_pandas_out()
    keyring = open_vault(home)
    people.sweep_runs(home)
    erased = history.erased_count()
    receipts = _receipts(municipality)
    run_before = people.current_run()
    work = _Work(home, keyring, municipality, at, run_before, kept.basis(
        receipts=[(r.pk, r.sealed_file) for r in receipts], rules_about=_rules_about(municipality, at.date())), withheld(keyring), erased, engine)  # fmt: skip
    with _steps(sum(r.rows_landed for r in receipts), beat) as step:
        connection, figures = work.link(step, anew=anew)
        result = _keep(work, connection, figures, by, step)
        connection.close()
    return {**result, "seconds": round(time.monotonic() - started, 1)}


def _receipts(municipality: Municipality) -> list[Receipt]:
    receipts, layouts = records.receipts(), read_layouts(municipality.folder)
    if not any(r.source in layouts and layouts[r.source].kind == "residents" for r in receipts):
        raise NotReady(
            "住民記録がまだ受領されていません。",
            then="kind が residents のレイアウトを持つ出所(住民記録の一覧)を kodomo receive で受け取ってください。名寄せはその台帳を背骨にします。",
        )
    return receipts


@dataclass(frozen=True)
class _Work:
    """One run: where, on what, and what it may build on."""

    home: Home
    keyring: Keyring
    municipality: Municipality
    at: dt.datetime
    before: LinkRun | None
    basis: dict[str, Any]
    withheld: Withheld
    erased: int
    """How many numbers were erased when the run began."""

    engine: str = "duckdb"

    packed: dict[str, bytes] = field(default_factory=dict)
    """What the next run needs of this one and is final before people are looked for, ready to be sealed."""

    def link(self, step: Callable[[], None], *, anew: bool) -> tuple[duckdb.DuckDBPyConnection, dict[str, Any]]:
        """Link onto the run before, or everything anew; returns the connection with all tables, and figures."""
        why = "指定による" if anew else kept.why_anew(self._basis_before(), self.basis)
        if not why:
            connection = connect(memory=UNSPILLED, is_packed=True)
            try:
                return connection, self._onto_before(connection, step) | {"mode": "INCREMENTAL", "why_anew": ""}
            except LinksAnew:
                connection.close()
                why = "新しい姓で、前から届いている氏名の分け方が変わる"
        connection = connect(memory=UNSPILLED, is_packed=True)
        return connection, self._anew(connection, step) | {"mode": "ANEW", "why_anew": why}

    def _basis_before(self) -> dict[str, Any] | None:
        if self.before is None or not people.holds_table(self.home, self.before, "kept_basis"):
            return None
        found: dict[str, Any] = json.loads(self.open_before("kept_basis")["basis"][0].as_py())
        return found

    def open_before(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        if self.before is None:
            raise NotReady("まだ名寄せが済んでいません。")
        return people.open_run(self.home, self.keyring, self.before, table, columns)

    def _pack(self, name: str, table: pa.RecordBatchReader) -> None:
        self.packed[name] = packed(table)

    def pack_kept(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Pack what the next run needs of this one, however persons will be numbered."""
        for name, pieces in kept.tables_to_keep(connection):
            self._pack(name, pieces)

    def seal(self, name: str, connection: duckdb.DuckDBPyConnection) -> None:
        """Seal the run's tables and what was packed for the next one."""
        basis = {"kept_basis": pa.table({"basis": [json.dumps(self.basis)]})}
        people.seal_run(
            self.home, self.keyring, name, chain(self.packed.items(), _run_tables(connection), basis.items())
        )

    def _anew(self, connection: duckdb.DuckDBPyConnection, step: Callable[[], None]) -> dict[str, Any]:
        self.withheld.found.clear()
        self.packed.clear()
        known = records.known_of(self.home, self.keyring)
        facts = records.fact_tables(self.home, self.keyring, columns=FACT_COLUMNS, known=known)
        tables = records.mention_tables(self.home, self.keyring, known=known)
        del known  # the two hold it as long as they need it
        with ThreadPoolExecutor(1) as pool:  # facts are wanted when forms are made: they are read beside it
            return self._linked(connection, tables, pool.submit(self._kept_facts, facts).result, None, step)

    def _onto_before(self, connection: duckdb.DuckDBPyConnection, step: Callable[[], None]) -> dict[str, Any]:
        known = {pk for pk, _ in (self._basis_before() or {})["receipts"]}
        since = records.delivered_since(self.home, self.keyring, known)
        with ThreadPoolExecutor(1) as pool:  # what is sealed is opened beside the work, as it will be wanted
            opened = {name: pool.submit(self.open_before, name) for name in kept.WANTED_FIRST}
            facts = pool.submit(self._facts_onto, since)
            opened |= {name: pool.submit(self.open_before, name) for name in kept.WANTED_LATER}

            def open_table(name: str) -> pa.Table:
                return opened.pop(name).result() if name in opened else self.open_before(name)

            before = Before(open_table, since.restated)
            return self._linked(connection, since.mentions, facts.result, before, step)

    def _facts_onto(self, since: records.Since) -> pa.Table:
        told = self.open_before("kept_facts")
        retold = pa.array(sorted(since.retold), pa.string())
        told = told.filter(pc.invert(pc.is_in(pc.cast(told["source"], pa.string()), value_set=retold)))
        again = records.fact_tables(self.home, self.keyring, columns=FACT_COLUMNS, known=since.known.of(since.retold))
        fresh = since.known.of(since.sources - since.retold)
        more = records.fact_tables(self.home, self.keyring, columns=FACT_COLUMNS, only=since.receipts, known=fresh)
        return self._kept_facts(chain([told], again, more))

    def _kept_facts(self, tables: Iterable[pa.Table]) -> pa.Table:
        """What rows say, as linkage asks for it; packed for the next run, too."""
        facts = _encoded(tables)
        self.packed["kept_facts"] = packed(facts)
        return facts

    def _linked(
        self, connection: duckdb.DuckDBPyConnection, tables: Iterable[pa.Table], facts: Callable[[], pa.Table], before: Before | None,
        step: Callable[[], None],
    ) -> dict[str, Any]:  # fmt: skip
        folder, on = self.municipality.folder, self.at.date()
        return link_mentions(
            connection, permitted(self.withheld.passing(tables), self.municipality, on), facts, printing=printing_of(self.municipality), on=on,
            step=step, expected_delivery=read_register(folder).with_role("expected_delivery"), before=before,
            model_file=self.home.vault / "linkage" / "model.json", decisions=decisions_made(),
            engine=self.engine, spill=self.home.spill / "link", set_aside=self._pack,
        )  # fmt: skip


def _keep(
    work: _Work, connection: duckdb.DuckDBPyConnection, figures: dict[str, Any], by: str, step: Callable[[], None]
) -> dict[str, Any]:
    """Number the persons, tell what changed, seal the run, write cards, history and doubts."""
    home, keyring, at = work.home, work.keyring, work.at
    highest = people.highest_number()
    name = f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%S%f}-{os.getpid()}"
    with beside(connection) as other, ThreadPoolExecutor(1) as pool:
        packing = pool.submit(work.pack_kept, other)  # one core packs while the other tells persons and cards
        earlier = work.open_before("links", NUMBERED) if work.before else None
        retired = pa.Table.from_pylist(history.retired_records(), KNOWN_BEFORE)
        standing = work.open_before("kept_numbered") if figures["mode"] == "INCREMENTAL" else None
        figures["numbers"] = number_persons(connection, earlier, highest, retired, standing)
        if earlier is not None and standing is not None:
            earlier = in_question(connection, earlier, standing)
        decided = decided_since(work.before.made_at) if work.before else []
        changes = changes_since(connection, earlier, history.last_between(), decided) if earlier is not None else []
        figures["changes"] = dict(Counter(change.kind for change in changes))
        figures["erased_again"] = len(work.withheld.found)
        figures["persons_changed"] = len({n for c in changes for n in (c.before, c.after) if n is not None})
        tell_cards(connection, at.date(), _protecting(work.municipality))
        step()
        sealing = pool.submit(work.seal, name, other)  # and then seals, while the other writes cards
        persons = int(connection.execute("SELECT count(*) FROM card").fetchall()[0][0])
        event = AuditEvent(actor=by, role="OPERATOR", action="LINK_PEOPLE", subject=name, purpose=Purpose.LINK.label,
                           detail={"persons": persons, "doubtful": figures["doubtful"], "changes": figures["changes"],
                                   "mode": figures["mode"]})  # fmt: skip
        figures["cards"] = {}
        with audited(home, keyring, event, at):
            _check_nobody_was_erased(work)
            figures["cards"] = _write_cards(work, connection, figures["mode"])
            step()
            packing.result()
            sealing.result()  # the row that names the sealed run is written only once that lies in its place
            run = people.record_run(name, figures, at)
            told = [*(vars(change) for change in changes), *work.withheld.changes()]
            history.write_changes(run.pk, at, told, after=highest)
            keep_doubts(connection, run)
    step()
    return {"run": run.pk, "name": name, **figures}


def _write_cards(work: _Work, connection: duckdb.DuckDBPyConnection, mode: str) -> dict[str, int]:
    """Write the cards that changed. A run from the beginning looks at every card that the vault holds."""
    if mode == "ANEW":
        return people.write_people(work.keyring, cards_told(connection))
    return people.change_people(work.keyring, *cards_changed(connection, work.open_before("kept_card")))


def _check_nobody_was_erased(work: _Work) -> None:
    """What a run read before an erasure would bring the person back under another number. Raises Busy."""
    if history.erased_count() != work.erased:
        raise Busy(
            "名寄せの間に、識別情報を消された人がいます。今回の名寄せは何も残していません。",
            then="消去が終わってから、kodomo link をもう一度実行してください。",
        )


def _rules_about(municipality: Municipality, on: dt.date) -> dict[str, Any]:
    """Whatever of the municipality's own decides how rows are read; when it changes, everything is linked anew."""
    register = read_register(municipality.folder)
    lapsed = {y.source: _lapsed(y, register, on) for y in read_layouts(municipality.folder).values()}
    printing = printing_of(municipality)
    return {"lapsed": lapsed, "expected": sorted(register.with_role("expected_delivery")), "systems": dict(printing.systems),
            "place": [printing.prefecture, printing.city], "protecting": sorted(_protecting(municipality)), "erased": history.erased_count()}  # fmt: skip


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


def _encoded(tables: Iterable[pa.Table]) -> pa.Table:
    """What rows say, without the sayings; texts as positions in a short list, for there are millions of rows."""
    found = [
        pa.table(
            {
                n: pc.dictionary_encode(c) if pa.types.is_string(c.type) else c
                for n, c in zip(t.column_names, t.columns, strict=True)
            }
        )
        for t in tables
    ]
    release()
    return pa.concat_tables(found).unify_dictionaries() if found else records.LANDED_FACTS.empty()


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


def _run_tables(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, pa.RecordBatchReader]]:
    for name, query in RUN_TABLES.items():
        yield name, kept.in_pieces(connection, query)


RUN_TABLES = {
    "kept_card": SIGNS,
    "kept_numbered": "FROM numbered ORDER BY person",
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
