"""The way out of the identity side: pseudonymous tables, by legal basis, checked column by column, into the store."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.timezone import localdate

from kodomo.configuration import Home, Municipality, area_code
from kodomo.governance.audit import AuditEvent
from kodomo.governance.register import Register, read_register
from kodomo.intake.addresses import normalise_address
from kodomo.intake.layout import Layout, read_layouts
from kodomo.linkage.ended import end_spells
from kodomo.linkage.gate import check_snapshot
from kodomo.progress import Progress
from kodomo.store.database import SNAPSHOT_TABLES, TABLES, Store
from kodomo.tables.engine import UNSPILLED, connect
from kodomo.terms import Purpose
from kodomo.vault import history, people, records
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

PURPOSES = (Purpose.JUDGE, Purpose.LEARN, Purpose.ASSESS)
"""An item is published when one of these holds on the day; the later stages ask again for their own."""

FEWEST_IN_AREA = 50
"""A town where fewer persons ever lived is published as OTHER."""

CHILD_YEARS = 25
"""Persons born within so many years, and those around them, are published; nobody else is needed (必要最小限)."""

ADULT_YEARS = 19
"""``is_child``: 0 to 18 years old on the day of publishing."""


def publish_children(
    *,
    home: Home,
    municipality: Municipality,
    by: str,
    at: dt.datetime,
    beat: Callable[[dict[str, object]], None] | None = None,
) -> dict[str, Any]:
    """Write the pseudonymous snapshot of children and the people around them into the store.

    Reads the newest link run and landed facts. Publishes only items with a legal basis on the day,
    birth months instead of birth dates, area codes instead of addresses (none for persons under
    address protection), and no free text; ``gate.check_snapshot`` looks at every column first.
    Writes one snapshot, and audit rows in the vault before and after it. The same content published twice at
    the same moment is one snapshot.

    Raises:
        NotReady: no link run yet.
        NotPermitted: birth dates have no basis, without which no child can be told from an adult.
        IntegrityFault: the gate found something identifying; nothing was written.
    """
    started = time.monotonic()
    progress = Progress("こどもデータベースの公表", 5, every=0.0, beat=beat)
    keyring = open_vault(home)
    run = people.require_run()
    register = read_register(municipality.folder)
    register.check("birth_date", Purpose.JUDGE, at.date())
    layouts = read_layouts(municipality.folder)
    connection = connect(memory=UNSPILLED)
    for name in (*people_tables(), "links"):
        connection.register(name, people.open_run(home, keyring, run, name))
    facts = records.landed_facts(home, keyring)
    connection.register("landed_facts", facts)
    progress.rows = facts.num_rows
    progress.add()
    allowed = _register_allowed(connection, register, facts, at.date())
    _register_keys(connection, keyring)
    _register_area_codes(connection, keyring, municipality)
    progress.add()
    tables = _build(connection, allowed, at.date())
    tables["person_changes"] = _person_changes(connection, keyring)
    tables["sources"] = _sources(layouts, _extracts(), facts)
    progress.add()
    checked = check_snapshot(tables, records.landed_mentions(home, keyring))
    progress.add()
    name = _snapshot_name(tables, at)
    counts = {table: data.num_rows for table, data in tables.items()}
    manifest = {
        "published_at": at.isoformat(), "municipality": municipality.code, "link_run": run.pk, "link_name": run.sealed_file,
        "as_known_until": at.date().isoformat(), "rows": counts, "items": sorted(allowed["items"]),
        "withheld": allowed["withheld"], "gate": checked,
        "receipts": sorted({int(r) for r in pc.unique(connection.table("links").to_arrow_table()["receipt"]).to_pylist()}),
    }  # fmt: skip
    _write(home, keyring, name, tables, manifest, by, at)
    progress.add()
    progress.close()
    connection.close()
    return {"snapshot": name, "rows": counts, "withheld": allowed["withheld"], "gate": checked,
            "seconds": round(time.monotonic() - started, 1)}  # fmt: skip


def _write(
    home: Home,
    keyring: Keyring,
    name: str,
    tables: Mapping[str, pa.Table],
    manifest: dict[str, Any],
    by: str,
    at: dt.datetime,
) -> None:
    store = Store(home.store)
    if name in store.names("snapshots"):
        return
    event = AuditEvent(actor=by, role="OPERATOR", action="PUBLISH", subject=name, purpose=Purpose.JUDGE.label,
                       detail={"rows": manifest["rows"], "withheld": len(manifest["withheld"])})  # fmt: skip
    # Files can't be rolled back: the intent is audited first, so that no snapshot can lie there unaccounted for.
    with audited(home, keyring, replace(event, action="PUBLISH_BEGIN"), at):
        pass
    with audited(home, keyring, event, at):
        store.write("snapshots", name, {t: tables[t] for t in SNAPSHOT_TABLES}, manifest)


def people_tables() -> tuple[str, ...]:
    """Tables of a link run that publishing reads."""
    return ("persons", "corrected_persons", "household_spells", "kinships", "residence_spells")


def _register_allowed(
    connection: duckdb.DuckDBPyConnection, register: Register, facts: pa.Table, on: dt.date
) -> dict[str, Any]:
    """Which items may be published on the day; the table ``allowed`` lists those of facts."""
    items = pc.unique(facts["item"]).to_pylist()
    may = {item for item in items if register.allows_any(item, PURPOSES, on)}
    core = {item for item in CORE_ITEMS if register.allows_any(item, PURPOSES, on)}
    withheld = [
        {"item": item, "caption": register.caption(item), "why": register.why_not(item, Purpose.JUDGE, on)}
        for item in sorted({*items, *CORE_ITEMS} - may - core)
    ]
    connection.register("allowed", pa.table({"item": pa.array(sorted(may), pa.string())}))
    return {"items": may | core, "core": core, "pregnancy": may & register.with_role("pregnancy"), "withheld": withheld}


CORE_ITEMS = ("birth_date", "sex", "relationship", "residence", "nationality", "household_number")
"""Items of the resident register that columns of the snapshot come from (``area_code`` from 居住, not 住所)."""


def _register_keys(connection: duckdb.DuckDBPyConnection, keyring: Keyring) -> None:
    _register(connection, "person_keys", "person_number", "person_key",
              {n: keyring.pseudonym("p", n) for n in _distinct(connection, "persons", "person_number")})  # fmt: skip
    _register(connection, "household_keys", "household_number", "household_key",
              {n: keyring.pseudonym("h", n) for n in _distinct(connection, "household_spells", "household_number")})  # fmt: skip
    _register(connection, "protected", "person_number", "is_protected", dict.fromkeys(people.protected_numbers(), "1"))


def _register_area_codes(connection: duckdb.DuckDBPyConnection, keyring: Keyring, municipality: Municipality) -> None:
    """Each town's area: the one the municipality puts it into, else the town itself, if enough people live there."""
    own = (municipality.prefecture, municipality.name)
    named = {normalise_address(town, *own).town: name for name, towns in municipality.areas.items() for town in towns}
    codes = {
        town: area_code(named[town]) if town in named else "a" + keyring.mark(f"area:{town}")[:8]
        for town in _distinct(connection, "household_spells", "town") if town is not None
    }  # fmt: skip
    connection.register("town_area", pa.table({
        "town": pa.array(list(codes), pa.string()), "area_code": pa.array(list(codes.values()), pa.string())}))  # fmt: skip
    connection.execute(AREAS, {"fewest": FEWEST_IN_AREA})


def _distinct(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[Any]:
    return [row[0] for row in connection.execute(f"SELECT DISTINCT {column} FROM {table} ORDER BY 1").fetchall()]


def _register(
    connection: duckdb.DuckDBPyConnection, table: str, key: str, value: str, pairs: Mapping[int, str]
) -> None:
    connection.register(table, pa.table({
        key: pa.array(list(pairs), pa.int64()), value: pa.array(list(pairs.values()), pa.string())}))  # fmt: skip


AREAS = """
CREATE OR REPLACE TABLE areas AS
SELECT town, area_code FROM town_area WHERE area_code IN (
    SELECT area_code FROM household_spells JOIN town_area USING (town)
    GROUP BY area_code HAVING count(DISTINCT person_number) >= $fewest)
"""

AROUND = """
CREATE OR REPLACE TABLE around AS
WITH child AS (
    SELECT person_number FROM (FROM (SELECT person_number, born_on FROM persons) UNION ALL SELECT person_number, born_on FROM corrected_persons)
    WHERE try_cast(born_on AS DATE) >= $on - to_years($years) GROUP BY person_number
)
SELECT person_number FROM child
UNION SELECT relative_number FROM kinships k JOIN child c ON c.person_number = k.child_number
UNION SELECT m.person_number FROM household_spells m JOIN (
    SELECT household_number, min(valid_from) AS first_on, max(coalesce(valid_to, DATE '9999-12-31')) AS last_on
    FROM household_spells JOIN child USING (person_number) GROUP BY household_number) h
  ON h.household_number = m.household_number AND m.valid_from < h.last_on AND coalesce(m.valid_to, DATE '9999-12-31') > h.first_on
UNION SELECT l.person_number FROM landed_facts f JOIN links l USING (receipt, row, role)
WHERE f.item IN (SELECT unnest($pregnancy::VARCHAR[])) AND l.person_number IS NOT NULL
"""
"""Children, their kin, who lived with them while they did, and expectant mothers."""

AREA = "CASE WHEN x.is_protected IS NULL AND {town} IS NOT NULL AND {may} THEN coalesce(a.area_code, 'OTHER') END"

PERSONS = """
SELECT k.person_key, date_trunc('month', b.born)::DATE AS born_month,
    year(b.born - INTERVAL 1 DAY - INTERVAL 3 MONTH)::INTEGER AS school_year_born,
    CASE WHEN {sex} THEN p.sex END AS sex,
    coalesce(b.born > $on - to_years($adult_years) AND b.born <= $on, false) AS is_child,
    EXISTS (FROM residence_spells r WHERE r.person_number = p.person_number AND r.valid_from <= $on
            AND (r.valid_to IS NULL OR r.valid_to > $on) AND r.known_to IS NULL) AS is_resident,
    CASE WHEN {nationality} THEN CASE p.nationality WHEN '外国籍' THEN true WHEN '日本' THEN false END END AS is_foreign,
    {area} AS area_code, x.is_protected IS NOT NULL AS is_address_protected
FROM persons p JOIN around USING (person_number) JOIN person_keys k USING (person_number)
LEFT JOIN (SELECT person_number, try_cast(born_on AS DATE) AS born FROM persons) b USING (person_number)
LEFT JOIN protected x USING (person_number) LEFT JOIN areas a ON a.town = p.latest_town
ORDER BY k.person_key
"""

CORRECTED_PERSONS = """
WITH before AS (
    SELECT k.person_key, date_trunc('month', b.born)::DATE AS born_month,
        year(b.born - INTERVAL 1 DAY - INTERVAL 3 MONTH)::INTEGER AS school_year_born,
        CASE WHEN {sex} THEN b.sex END AS sex,
        CASE WHEN {nationality} THEN CASE b.nationality WHEN '外国籍' THEN true WHEN '日本' THEN false END END AS is_foreign,
        b.known_from, b.known_to
    FROM (SELECT *, try_cast(born_on AS DATE) AS born FROM corrected_persons) b
    JOIN around USING (person_number) JOIN person_keys k USING (person_number)
)
SELECT b.* FROM before b JOIN current_persons p USING (person_key)
WHERE (b.born_month, b.school_year_born, b.sex, b.is_foreign) IS DISTINCT FROM (p.born_month, p.school_year_born, p.sex, p.is_foreign)
ORDER BY b.person_key, b.known_to
"""
"""What was known of a person before the register corrected it; the table ``persons`` holds what stands."""

HOUSEHOLD_SPELLS = """
SELECT k.person_key, h.household_key, CASE WHEN {relationship} THEN s.relationship END AS relationship, {area} AS area_code,
    s.valid_from, s.valid_to, s.known_from, s.known_to
FROM household_spells s JOIN around USING (person_number) JOIN person_keys k USING (person_number)
JOIN household_keys h USING (household_number)
LEFT JOIN protected x USING (person_number) LEFT JOIN areas a ON a.town = s.town
WHERE {household_number} ORDER BY k.person_key, s.valid_from, s.known_from
"""

KINSHIPS = """
SELECT c.person_key AS child_key, r.person_key AS relative_key, k.kind, k.source, k.valid_from, k.valid_to, k.known_from,
    k.end_known_from, k.known_to
FROM kinships k JOIN person_keys c ON c.person_number = k.child_number JOIN person_keys r ON r.person_number = k.relative_number
WHERE {relationship} ORDER BY ALL
"""

RESIDENCE_SPELLS = """
SELECT k.person_key, s.valid_from, s.valid_to, s.began_by, s.ended_by, s.known_from, s.end_known_from, s.known_to
FROM residence_spells s JOIN around USING (person_number) JOIN person_keys k USING (person_number)
WHERE {residence} ORDER BY k.person_key, s.valid_from, s.known_from
"""


def _person_changes(connection: duckdb.DuckDBPyConnection, keyring: Keyring) -> pa.Table:
    """Merges, splits and moves that touch somebody published, told from both sides; who was merged counts as whom into."""
    published = {n for (n,) in connection.execute("SELECT person_number FROM around").fetchall()}
    rows = []
    for event, aliases in history.all_events():
        sides = [(event.number_before, event.number_after, False), (event.number_after, event.number_before, True)]
        if published.isdisjoint(aliases.get(n, n) for n, _, _ in sides if n is not None):
            continue
        rows += [
            {"person_key": keyring.pseudonym("p", number), "kind": event.kind, "came": came,
             "other_key": None if other is None else keyring.pseudonym("p", other), "changed_on": localdate(event.at),
             "link_run": event.run, "records": len(event.records), "facts": event.facts, "is_alias": number in aliases}
            for number, other, came in sides if number is not None
        ]  # fmt: skip
    rows.sort(key=lambda row: (row["person_key"], row["link_run"], row["kind"], row["other_key"] or "", row["came"]))
    return TABLES["person_changes"].conform(pa.Table.from_pylist(rows, schema=TABLES["person_changes"].schema()))


FACT_IS = "person_key, item, number, code, valid_from, valid_to, source"

SAID = """
CREATE OR REPLACE TEMP VIEW said AS
SELECT k.person_key, f.item, f.number, f.code, f.valid_from, f.valid_to, f.source, greatest(f.known_from, p.listed_from) AS known_from,
    f.known_to
FROM landed_facts f SEMI JOIN allowed USING (item) JOIN links l USING (receipt, row, role)
JOIN around USING (person_number) JOIN person_keys k USING (person_number) JOIN persons p USING (person_number)
WHERE f.known_to IS NULL OR greatest(f.known_from, p.listed_from) < f.known_to
"""
"""Before the register listed somebody, nobody could tell whose record it was."""

STANDING_FACTS = f"""
CREATE OR REPLACE TEMP TABLE fact AS
SELECT {FACT_IS}, min(known_from) AS known_from, NULL::DATE AS known_to FROM told WHERE known_to IS NULL GROUP BY {FACT_IS}
"""
"""The same fact told twice is one fact, known from the first time it was told."""

REVISED_FACTS = f"""
CREATE OR REPLACE TEMP TABLE revised AS
WITH past AS (
    SELECT * FROM told WHERE known_to IS NOT NULL
), stretches AS (
    SELECT * FROM past
    UNION ALL
    SELECT f.* FROM fact f SEMI JOIN past p ON {{same}}
), ordered AS (
    SELECT *, max(coalesce(known_to, DATE '9999-12-31')) OVER (
        PARTITION BY {FACT_IS} ORDER BY known_from, known_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
    FROM stretches
), joined AS (
    SELECT *, sum(CASE WHEN known_from > reached THEN 1 ELSE 0 END) OVER (PARTITION BY {FACT_IS} ORDER BY known_from, known_to) AS stretch
    FROM ordered
)
SELECT {FACT_IS}, min(known_from) AS known_from,
    nullif(max(coalesce(known_to, DATE '9999-12-31')), DATE '9999-12-31') AS known_to
FROM joined GROUP BY {FACT_IS}, stretch
""".format(same=" AND ".join(f"f.{c} IS NOT DISTINCT FROM p.{c}" for c in FACT_IS.split(", ")))
"""A correction that left a fact as it was does not part it in two: stretches of knowing that touch are one."""

FACTS = """
FROM (FROM fact f ANTI JOIN revised p ON {same} UNION ALL FROM revised)
ORDER BY person_key, item, valid_from, valid_to, code, number, source, known_from
""".format(same=" AND ".join(f"f.{c} IS NOT DISTINCT FROM p.{c}" for c in FACT_IS.split(", ")))


def _build(connection: duckdb.DuckDBPyConnection, allowed: Mapping[str, Any], on: dt.date) -> dict[str, pa.Table]:
    may = {item: "true" if item in allowed["core"] else "false" for item in CORE_ITEMS}
    connection.execute(AROUND, {"on": on, "years": CHILD_YEARS, "pregnancy": sorted(allowed["pregnancy"])})
    connection.execute(SAID)
    end_spells(connection)
    for statement in (STANDING_FACTS, REVISED_FACTS):
        connection.execute(statement)
    person_area = AREA.format(town="p.latest_town", may=may["residence"])
    spell_area = AREA.format(town="s.town", may=may["residence"])
    queries: dict[str, tuple[str, dict[str, Any]]] = {
        "persons": (PERSONS.format(area=person_area, **may), {"on": on, "adult_years": ADULT_YEARS}),
        "household_spells": (HOUSEHOLD_SPELLS.format(area=spell_area, **may), {}),
        "kinships": (KINSHIPS.format(**may), {}),
        "residence_spells": (RESIDENCE_SPELLS.format(**may), {}),
        "facts": (FACTS, {}),
    }
    tables = {name: _made(connection, name, query, params) for name, (query, params) in queries.items()}
    connection.register("current_persons", tables["persons"])
    tables["corrected_persons"] = _made(connection, "corrected_persons", CORRECTED_PERSONS.format(**may), {})
    return tables


def _made(connection: duckdb.DuckDBPyConnection, name: str, query: str, params: dict[str, Any]) -> pa.Table:
    return TABLES[name].conform(connection.sql(query, params=params or None).to_arrow_table())


def _sources(layouts: Mapping[str, Layout], deliveries: Mapping[str, list[dt.date]], facts: pa.Table) -> pa.Table:
    standing = facts.filter(pc.is_null(facts["known_to"]))
    counted = dict(zip(*(c.to_pylist() for c in pc.value_counts(standing["source"]).flatten()), strict=True))
    rows = [
        {"source": x.source, "caption": x.caption, "kind": x.kind, "holder": x.holder,
         "extracted_on": max(deliveries.get(x.source, ()), default=None), "deliveries": deliveries.get(x.source, []),
         "freshness_days": x.freshness_days, "rows": counted.get(x.source, 0)}
        for x in layouts.values()
    ]  # fmt: skip
    return TABLES["sources"].conform(pa.Table.from_pylist(rows, schema=TABLES["sources"].schema()))


def _extracts() -> dict[str, list[dt.date]]:
    """Per source, the dates its deliveries were extracted on, where their names tell; oldest first."""
    days: dict[str, set[dt.date]] = {}
    for receipt in records.receipts():
        days.setdefault(receipt.source, set()).update([receipt.extracted_on] if receipt.extracted_on else [])
    return {source: sorted(found) for source, found in days.items()}


def _snapshot_name(tables: Mapping[str, pa.Table], at: dt.datetime) -> str:
    """The moment and a hash of the content; Parquet, unlike Arrow's buffers, is the same for the same values."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        body = io.BytesIO()
        pq.write_table(tables[name], body, compression="none")
        digest.update(name.encode() + body.getbuffer())
    return f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{digest.hexdigest()[:10]}"
