"""A small store as the earlier stages would leave it: a dozen children, their families, facts and a judgement."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa

from kodomo.configuration import area_code
from kodomo.store.database import TABLES, Snapshot, Store
from kodomo.terms import OVERALL, DifficultyType

AS_OF = dt.date(2026, 3, 31)
EAST, NORTH = area_code("東部"), area_code("北部")
SNAPSHOT = "2026-03-31-small"

# key, years of age, band, grade, area, known to support, council, moved in, protected
CHILDREN: tuple[tuple[str, int, str, int | None, str, bool, bool, bool, bool], ...] = (
    ("pc01", 9, "ELEMENTARY", 4, EAST, False, False, False, False),
    ("pc02", 13, "JUNIOR_HIGH", 7, "西小学校区", True, True, False, False),
    ("pc03", 3, "PRESCHOOL", None, EAST, False, False, True, False),
    ("pc04", 11, "ELEMENTARY", 6, NORTH, False, False, False, True),
    ("pc05", 8, "ELEMENTARY", 2, "南小学校区", False, False, False, False),
    ("pc06", 7, "ELEMENTARY", 1, "南小学校区", False, False, True, False),
    ("pc07", 16, "OLDER", None, "西小学校区", False, False, False, False),
    ("pc08", 1, "PRESCHOOL", None, "西小学校区", True, False, False, False),
    ("pc09", 10, "ELEMENTARY", 5, EAST, False, False, False, False),
)
HIGH, MIDDLE, LOW, THIN = "HIGH", "MIDDLE", "LOW", "INSUFFICIENT"
LEVELS: dict[str, dict[str, tuple[str, float | None]]] = {
    "pc01": {"NON_ATTENDANCE": (HIGH, 0.91), "YOUNG_CARER": (MIDDLE, 0.55), OVERALL: (HIGH, 0.88)},
    "pc02": {"ABUSE": (MIDDLE, 0.44), OVERALL: (MIDDLE, 0.41)},
    "pc03": {"POSTNATAL_DEPRESSION": (MIDDLE, 0.62), "BULLYING": (THIN, None), OVERALL: (LOW, 0.21)},
    "pc04": {"ABUSE": (HIGH, 0.83), OVERALL: (HIGH, 0.77)},
    "pc05": {"POVERTY": (LOW, 0.12), OVERALL: (LOW, 0.11)},
    "pc06": {OVERALL: (THIN, None), "NON_ATTENDANCE": (THIN, None)},
    "pc07": {"YOUNG_CARER": (HIGH, 0.8), OVERALL: (MIDDLE, 0.5)},
    "pc08": {OVERALL: (LOW, 0.1)},
    "pc09": {"BULLYING": (MIDDLE, 0.39), OVERALL: (LOW, 0.2)},
}
CONSULTED = ("pc01", "pc02", "pc04", "pc08")
"""Whom the consultation ledger knows, though not all of them lately."""

ESCALATIONS = {("pc08", "POSTNATAL_DEPRESSION"): "産後うつの質問票で、自分を傷つける考えに「はい」と答えている"}


def write_store(
    root: Path,
    *,
    judgement: str = "2026-03-31-first",
    as_of: dt.date = AS_OF,
    drawn: tuple[str, ...] = (),
    **changed: Any,
) -> Snapshot:
    """Write the snapshot (once) and a judgement of it; ``changed`` replaces levels of children, ``drawn`` the draw."""
    store = Store(root)
    if SNAPSHOT not in store.names("snapshots"):
        store.write("snapshots", SNAPSHOT, snapshot_tables(), {"as_of": AS_OF.isoformat()})
    tables = judgement_tables({**LEVELS, **changed})
    stratum = {
        "age_band": "ELEMENTARY",
        "area_code": "A",
        "stratum_children": 9,
        "band_children": 9,
        "pool_children": 9,
    }
    draws = [{"child_key": key, "round": as_of, "probability": 0.1, **stratum} for key in drawn]
    if drawn:
        tables["audit_draws"] = rows("audit_draws", draws)
    return store.write("judgements", judgement, tables, {"as_of": as_of.isoformat(), "snapshot": SNAPSHOT})


def rows(table: str, records: list[dict[str, Any]]) -> pa.Table:
    """Records as a table of the store's own declaration; columns not given are null."""
    schema = TABLES[table].schema()
    return pa.Table.from_pylist([{name: r.get(name) for name in schema.names} for r in records], schema=schema)


def snapshot_tables() -> dict[str, pa.Table]:
    """Persons, households, kin, residence, facts and sources."""
    persons, spells, kin, stay = [], [], [], []
    for key, age, _, _, area, _, _, _, protected in CHILDREN:
        members = [(key, age, "子", True), (f"{key}m", age + 29, "妻", False), (f"{key}g", 78, "母", False)]
        for person, years, relation, is_child in members:
            persons.append(
                {"person_key": person, "born_month": dt.date(2026 - years, 2, 1), "school_year_born": 2025 - years,
                 "sex": "F", "is_child": is_child, "is_resident": True, "area_code": area,
                 "is_address_protected": protected and not is_child}
            )  # fmt: skip
            spells.append(
                {"person_key": person, "household_key": f"h{key}", "relationship": relation, "area_code": area,
                 "valid_from": dt.date(2016, 4, 1), "known_from": dt.date(2016, 4, 1)}
            )  # fmt: skip
            stay.append({"person_key": person, "valid_from": dt.date(2016, 4, 1), "began_by": "OTHER",
                         "known_from": dt.date(2016, 4, 1)})  # fmt: skip
        kin.append({"child_key": key, "relative_key": f"{key}m", "kind": "MOTHER", "source": "resident_register",
                    "valid_from": dt.date(2016, 4, 1), "known_from": dt.date(2016, 4, 1)})  # fmt: skip
    # A father who lives elsewhere: his facts are nobody's business on this page.
    persons.append({"person_key": "pc01f", "born_month": dt.date(1984, 5, 1), "sex": "M", "is_child": False,
                    "is_resident": True, "area_code": "北小学校区", "is_address_protected": False})  # fmt: skip
    kin.append({"child_key": "pc01", "relative_key": "pc01f", "kind": "FATHER", "source": "resident_register",
                "valid_from": dt.date(2016, 4, 1), "known_from": dt.date(2016, 4, 1)})  # fmt: skip
    return {
        "persons": rows("persons", sorted(persons, key=lambda r: str(r["person_key"]))),
        "household_spells": rows("household_spells", spells),
        "kinships": rows("kinships", kin),
        "residence_spells": rows("residence_spells", stay),
        "facts": rows("facts", sorted(facts(), key=lambda r: (r["person_key"], r["item"], r["valid_from"]))),
        "sources": rows("sources", SOURCES),
    }


SOURCES = [
    {"source": "school_attendance", "caption": "出欠", "holder": "school_education", "extracted_on": dt.date(2026, 4, 1),
     "freshness_days": 60, "kind": "observations", "rows": 100},
    {"source": "child_consultation", "caption": "児童相談", "holder": "family_centre", "extracted_on": dt.date(2026, 4, 1),
     "freshness_days": 60, "kind": "observations", "rows": 10},
    {"source": "public_assistance", "caption": "生活保護", "holder": "welfare", "extracted_on": dt.date(2026, 4, 1),
     "freshness_days": 60, "kind": "observations", "rows": 10},
    {"source": "infant_checkup", "caption": "乳幼児健診", "holder": "health", "extracted_on": dt.date(2026, 4, 1),
     "freshness_days": 60, "kind": "observations", "rows": 10},
    # Fresh on whatever day the tests run: who carries 支援措置 must be for anything to leave without an approval.
    {"source": "resident_register", "caption": "住民基本台帳", "holder": "citizens", "extracted_on": dt.date(2026, 4, 1),
     "freshness_days": 100_000, "kind": "register", "rows": 100},
    {"source": "npo_watch", "caption": "見守り活動", "holder": "npo", "extracted_on": None, "freshness_days": 60, "kind": "observations", "rows": 0},
]  # fmt: skip


def facts() -> list[dict[str, Any]]:
    """What happened: a long absence, a consultation, a grandmother's care, and somebody else's father."""
    found = []
    months = [dt.date(2025 + (month < 4), month, 1) for month in (4, 5, 6, 7, 9, 10, 11, 12, 1, 2, 3)]
    for month, days in zip(months, (0, 1, 1, 2, 4, 6, 8, 9, 11, 12, 13), strict=True):
        found.append(_fact("pc01", "absence_days", month, "school_attendance", number=float(days)))
    found += [
        _fact("pc01", "child_consultation", dt.date(2025, 11, 14), "child_consultation", code="不登校"),
        _fact("pc01", "school_enrolled", dt.date(2025, 4, 1), "school_attendance", code="ひなた東小学校"),
        _fact("pc04", "school_enrolled", dt.date(2025, 4, 1), "school_attendance", code="ひみつ小学校"),
        _fact("pc04", "child_consultation", dt.date(2025, 12, 2), "child_consultation", code="養育不安"),
        _fact("pc01m", "public_assistance", dt.date(2024, 10, 1), "public_assistance", number=1.0),
        _fact("pc01g", "care_level", dt.date(2024, 6, 1), "public_assistance", code="要介護3"),
        _fact("pc01f", "public_assistance", dt.date(2024, 10, 1), "public_assistance"),
        {**_fact("pc01", "child_consultation", dt.date(2026, 4, 10), "child_consultation", code="家庭"),
         "known_from": dt.date(2026, 4, 12)},
        {**_fact("pc01", "child_consultation", dt.date(2025, 11, 14), "child_consultation", code="訂正前のいじめ"),
         "known_to": dt.date(2026, 1, 10)},
    ]  # fmt: skip
    return found


def _fact(person: str, item: str, day: dt.date, source: str, **value: Any) -> dict[str, Any]:
    return {"person_key": person, "item": item, "valid_from": day, "known_from": day, "source": source, **value}


RANGES = {
    ("pc01", "NON_ATTENDANCE"): (MIDDLE, HIGH),
    ("pc01", "YOUNG_CARER"): (LOW, HIGH),
    ("pc01", "POVERTY"): (LOW, MIDDLE),
    ("pc01", "ABUSE"): (LOW, LOW),
    ("pc05", "ABUSE"): (LOW, HIGH),
}
"""順位の幅: levels that other cases might have given."""


def judgement_tables(levels: dict[str, dict[str, tuple[str, float | None]]]) -> dict[str, pa.Table]:
    """Judgements, reasons, coverage and subjects."""
    subjects, judged, reasons, coverage = [], [], [], []
    for key, age, band, grade, area, known, council, moved, _ in CHILDREN:
        subjects.append(
            {"child_key": key, "age_band": band, "age_years": age, "school_grade": grade, "sex": "F", "area_code": area,
             "household_key": f"h{key}", "is_known_to_support": known, "is_council_registered": council,
             "moved_in_within_year": moved, "coverage_share": 0.5}
        )  # fmt: skip
        for code in [*DifficultyType, OVERALL]:
            level, score = levels[key].get(code, (LOW, 0.01))
            row = {"child_key": key, "type": code, "score": score, "level": level, "is_registered": council}
            apart = (key, code) == ("pc01", "NON_ATTENDANCE")
            lowest, highest = RANGES.get((key, code), (None, None))
            judged.append({**row, "method": "COMBINED", "escalation": ESCALATIONS.get((key, code)), "is_disputed": apart,
                           "standing": 0.96 if apart else None, "level_low": lowest, "level_high": highest})  # fmt: skip
            # Another method's level must never be what the page shows.
            judged.append(
                {**row, "method": "BOOSTING", "level": HIGH, "score": 0.99, "standing": 0.985 if apart else None}
            )
            judged.append(
                {**row, "method": "SCENARIO", "level": LOW, "score": 0.02, "standing": 0.42 if apart else None}
            )
        coverage += [
            {"child_key": key, "source": "school_attendance", "expected": age > 6, "known": age > 6,
             "latest_on": AS_OF if age > 6 else None, "is_fresh": age > 6},
            {"child_key": key, "source": "npo_watch", "expected": True, "known": False, "is_fresh": False},
            {"child_key": key, "source": "child_consultation", "expected": True, "known": key in CONSULTED,
             "latest_on": dt.date(2025, 11, 14) if key in CONSULTED else None, "is_fresh": False},
            {"child_key": key, "source": "infant_checkup", "expected": age < 7, "known": False, "is_fresh": False},
        ]  # fmt: skip
    words = (("UP", "直近3か月の欠席が30日を超えている", 2.1, "school_attendance"),
             ("UP", "家族に介護を受けている人がいる", 0.8, "public_assistance"),
             ("DOWN", "児童相談につながっている", -0.7, "child_consultation"))  # fmt: skip
    for position, (direction, sentence, contribution, source) in enumerate(words, 1):
        reasons.append({"child_key": "pc01", "type": "NON_ATTENDANCE", "method": "COMBINED", "position": position,
                        "direction": direction, "sentence": sentence, "contribution": contribution,
                        "source": source, "fact_on": dt.date(2026, 3, 1)})  # fmt: skip
    reasons += [
        {"child_key": key, "type": kind, "method": "COMBINED", "position": 1, "direction": "GATE", "sentence": sentence,
         "contribution": 0.0, "indicator": "epds_item10", "source": "infant_checkup", "fact_on": dt.date(2026, 3, 1)}
        for (key, kind), sentence in ESCALATIONS.items()
    ]  # fmt: skip
    return {"judgements": rows("judgements", judged), "reasons": rows("reasons", reasons),
            "coverage": rows("coverage", coverage), "subjects": rows("subjects", subjects)}  # fmt: skip
