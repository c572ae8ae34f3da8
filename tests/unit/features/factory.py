"""Small published stores made by hand, and larger ones with a known truth behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kodomo.store.database import TABLES, Snapshot, Store

FAR = dt.date(2010, 1, 1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@dataclass
class Town:
    """Rows of a published store, added by hand."""

    persons: dict[str, dict[str, Any]] = field(default_factory=dict)
    household_spells: list[dict[str, Any]] = field(default_factory=list)
    kinships: list[dict[str, Any]] = field(default_factory=list)
    residence_spells: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    corrected_persons: list[dict[str, Any]] = field(default_factory=list)
    deliveries: dict[str, list[dt.date]] = field(default_factory=dict)

    def person(
        self, key: str, born: str, household: str | None = None, *, since: str | None = None, relationship: str = "子",
        by: str = "BIRTH", sex: str = "F", foreign: bool = False, area: str = "A1", school_year: int | None = None,
    ) -> str:  # fmt: skip
        """A resident from ``since`` (birth when absent), living in a household."""
        month = day(born).replace(day=1)
        year = month.year if month.month >= 4 else month.year - 1
        self.persons[key] = {
            "person_key": key,
            "born_month": month,
            "school_year_born": school_year if school_year is not None else year,
            "sex": sex,
            "is_child": True,
            "is_resident": True,
            "is_foreign": foreign,
            "area_code": area,
            "is_address_protected": False,
        }
        began = day(since) if since else day(born)
        self.resident(key, began, by=by)
        if household is not None:
            self.dwell(key, household, began, relationship=relationship, area=area)
        return key

    def resident(self, key: str, began: dt.date, ended: dt.date | None = None, *, by: str = "BIRTH",
                 known: dt.date | None = None, end_known: dt.date | None = None, until: dt.date | None = None) -> None:  # fmt: skip
        self.residence_spells.append(
            {
                "person_key": key,
                "valid_from": began,
                "valid_to": ended,
                "began_by": by,
                "ended_by": "MOVE_OUT" if ended else None,
                "known_from": known or began,
                "end_known_from": end_known or ended,
                "known_to": until,
            }
        )

    def dwell(self, key: str, household: str, began: dt.date, ended: dt.date | None = None, *, relationship: str = "子",
              area: str = "A1", known: dt.date | None = None, until: dt.date | None = None) -> None:  # fmt: skip
        self.household_spells.append(
            {
                "person_key": key,
                "household_key": household,
                "relationship": relationship,
                "area_code": area,
                "valid_from": began,
                "valid_to": ended,
                "known_from": known or began,
                "known_to": until,
            }
        )

    def kin(self, child: str, relative: str, kind: str, began: str = "2010-01-01", known: str | None = None, *,
            ended: str | None = None, end_known: str | None = None, until: str | None = None) -> None:  # fmt: skip
        self.kinships.append(
            {
                "child_key": child,
                "relative_key": relative,
                "kind": kind,
                "source": "resident_register",
                "valid_from": day(began),
                "valid_to": day(ended) if ended else None,
                "known_from": day(known or began),
                "end_known_from": day(end_known) if end_known else None,
                "known_to": day(until) if until else None,
            }
        )

    def fact(self, key: str, item: str, on: str, *, source: str = "school_attendance", number: float | None = None,
             code: str | None = None, to: str | None = "same", known: str | None = None, until: str | None = None) -> None:  # fmt: skip
        """A fact; ``to`` is "same" for an event, None for a spell still going on, or a date.

        ``until`` is the day from which it was told otherwise.
        """
        ends = day(on) if to == "same" else (day(to) if to else None)
        self.sources.setdefault(source, source)
        self.facts.append(
            {
                "person_key": key,
                "item": item,
                "number": number,
                "code": code,
                "valid_from": day(on),
                "valid_to": ends,
                "known_from": day(known or on),
                "known_to": day(until) if until else None,
                "source": source,
            }
        )

    def publish(self, root: Path, name: str = "s1") -> Snapshot:
        """Write it as the store's current snapshot."""
        sources = [
            {
                "source": s, "caption": f"〔{s}〕", "holder": "school_education", "extracted_on": day("2026-04-01"), "deliveries": self.deliveries.get(s),
                "freshness_days": 60, "kind": "residents" if s == "resident_register" else "observations",
                "rows": sum(f["source"] == s for f in self.facts),
            }
            for s in sorted(self.sources)
        ]  # fmt: skip
        tables = {
            "persons": list(self.persons.values()),
            "corrected_persons": self.corrected_persons,
            "household_spells": self.household_spells,
            "kinships": self.kinships,
            "residence_spells": self.residence_spells,
            "facts": self.facts,
            "sources": sources,
        }
        arrow = {n: pa.Table.from_pylist(rows, schema=TABLES[n].schema()) for n, rows in tables.items()}
        return Store(root).write("snapshots", name, arrow, {})


def indicators(folder: Path, *entries: str, coverage: Sequence[str] = ()) -> Path:
    """A municipality's folder that holds only indicators (each entry the body of one) and coverage."""
    criteria = folder / "criteria"
    criteria.mkdir(parents=True, exist_ok=True)
    common = 'caption = "見本"\ntypes = ["不登校"]\nsentence = "{value}"\n'
    text = "".join(f"[[indicators]]\n{common}{entry}\n\n" for entry in entries)
    (criteria / "indicators.toml").write_text(text, encoding="utf-8")
    sources = "".join(f"[[sources]]\n{entry}\n\n" for entry in coverage)
    (criteria / "coverage.toml").write_text(sources or "# なし\n", encoding="utf-8")
    return folder


MONTHS = [dt.date(2024 + (3 + n) // 12, (3 + n) % 12 + 1, 1) for n in range(24)]


def simulated_town(households: int, seed: int, *, registration: float = 0.5) -> tuple[Town, dict[str, float]]:
    """A town whose households carry one latent burden that shows in attendance and arrears.

    Returns the town and each child's burden (0–1): the truth no record holds. Registration for
    不登校 follows the burden, but reaches only a part of those concerned.
    """
    rng = np.random.default_rng(seed)
    town, truth = Town(), {}
    town.person("seed", "2015-05-01")
    for h in range(households):
        burden = float(rng.beta(1.2, 5))
        mother = town.person(f"m{h:05d}", "1988-03-01", f"h{h:05d}", since="2015-04-01", relationship="妻")
        for c in range(int(rng.integers(1, 4))):
            born = dt.date(int(rng.integers(2011, 2019)), int(rng.integers(1, 13)), 1)
            key = town.person(f"c{h:05d}{c}", born.isoformat(), f"h{h:05d}")
            town.kin(key, mother, "MOTHER", born.isoformat())
            own = float(np.clip(burden + rng.normal(0, 0.08), 0, 1))
            truth[key] = own
            _months(town, key, own, rng)
            if rng.random() < registration * own**1.5 * 1.2:
                when = MONTHS[int(rng.integers(4, 24))]
                town.fact(key, "council_registration", when.isoformat(), source="council_registration",
                          code="不登校", to=None)  # fmt: skip
        for month in MONTHS[::2]:
            town.fact(mother, "water_arrears_months", month.isoformat(), source="water_bills",
                      number=float(rng.binomial(4, burden * 0.6)), known=_later(month, 45))  # fmt: skip
    del town.persons["seed"]
    return town, truth


def _months(town: Town, key: str, own: float, rng: np.random.Generator) -> None:
    for month in MONTHS:
        known = _later(month, 38)
        for item, rate in (("absence_days", 0.5 + 6 * own**1.5), ("late_days", 0.4 + 3 * own)):
            town.fact(key, item, month.isoformat(), number=float(min(20, rng.poisson(rate))), known=known)
        town.fact(key, "school_days", month.isoformat(), number=20.0, known=known)


def _later(month: dt.date, days: int) -> str:
    return (month + dt.timedelta(days=days)).isoformat()
