"""Known cases: what the city has recognised, of which type and when (analysis side).

``criteria/labels.toml``:

``[[labels]]``            ``type, item, codes, weight, whose, half_life_months``: a fact of the item with one of the codes is a
    known case from its ``valid_from`` on. Weight 1 is a registration; less, a weaker sign. Only weight 1 is calibrated
    and evaluated against. With ``whose = "mother"`` the fact is about a mother, and the case her child's: of
    the one she has just borne or is about to bear. With ``half_life_months`` a case says half as much of how the child
    is whenever so many months have passed since it began: bullying of two years ago is no picture of a child bullied
    now. Difficulties that last (発達障がい, 貧困) have none.
``[[feedback]]``          what people decided and what support showed: see ``judgement.feedback``.
``[[known_to_support]]``  ``item, at`` (now | within), ``months, codes``: what counts as already in touch with support.

Unregistered does not mean not in difficulty: a row without a label is unlabelled, never negative.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kodomo.features.cohort import Cohort
from kodomo.features.criteria import Entry, read_criteria
from kodomo.features.dates import months_before, window_start
from kodomo.store.database import Snapshot
from kodomo.terms import DifficultyType

FILE = "labels.toml"
TABLES = ("labels", "known_to_support", "feedback")
NEVER = np.datetime64("NaT", "D")
BORN_WITHIN = (24, 10)
"""Months before and after a mother's fact within which the child was born whose case it is."""
EVENT_STANDS = 12
"""Months that a consultation, which has a day and no end, speaks of how a child is."""
NOBODY = np.zeros(0, dtype=object)
DATES = ("valid_from", "valid_to", "known_from", "known_to")


@dataclass(frozen=True)
class Label:
    """Facts that make a known case of a type."""

    type: DifficultyType
    item: str
    codes: tuple[str, ...]
    weight: float
    whose: str = "self"
    half_life_months: int | None = None


@dataclass(frozen=True)
class Known:
    """Facts that mean a child is already in touch with support."""

    item: str
    at: str
    months: int | None
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """All of ``labels.toml``, and its hash."""

    labels: tuple[Label, ...]
    known: tuple[Known, ...]
    sha256: str

    @property
    def items(self) -> frozenset[str]:
        """Items that make labels."""
        return frozenset(label.item for label in self.labels)

    def items_of(self, kind: DifficultyType) -> frozenset[str]:
        """Items that make labels of a type: nothing learned for it may look at them."""
        return frozenset(label.item for label in self.labels if label.type == kind)


def read_labels(folder: Path) -> Labels:
    """Read ``criteria/labels.toml`` of a municipality's folder.

    Raises:
        ConfigurationFault: with file, entry and line of every fault.
    """
    file = read_criteria(folder / "criteria" / FILE, *TABLES)
    labels = tuple(_label(e) for e in file.entries("labels"))
    known = tuple(_known(e) for e in file.entries("known_to_support"))
    file.faults.settle()
    return Labels(labels, known, file.sha256)


def _label(entry: Entry) -> Label:
    entry.only("type", "item", "codes", "weight", "whose", "half_life_months", "note")
    weight = entry.number("weight", 1.0)
    if not 0 < weight <= 1:
        entry.blame("weight", "0 より大きく 1 以下で書いてください。")
    whose = entry.choice("whose", ("self", "mother"), "self")
    fades = entry.months("half_life_months")
    return Label(entry.type(), entry.text("item"), entry.texts("codes"), weight, whose, fades)


def _known(entry: Entry) -> Known:
    entry.only("item", "at", "months", "codes", "note")
    at = entry.choice("at", ("now", "within"), "now")
    months = entry.months("months")
    if (at == "within") != (months is not None):
        entry.blame("months", "at が within のときだけ、月数を書いてください。")
    return Known(entry.text("item"), at, months, entry.texts("codes"))


@dataclass(frozen=True)
class Cases:
    """Known cases as facts: one row a fact, all as the store holds them."""

    person: NDArray[np.object_]
    type: NDArray[np.object_]
    weight: NDArray[np.float64]
    began: NDArray[np.datetime64]
    ended: NDArray[np.datetime64]
    known: NDArray[np.datetime64]
    untold: NDArray[np.datetime64]
    """The day from which it was told otherwise; NaT where it stands."""
    half_life: NDArray[np.float64]
    """Months in which what it says of how the child is halves; infinite where it lasts."""

    def of(self, kind: DifficultyType) -> Cases:
        """Those of one type."""
        return self._keep(self.type == kind.value)

    def lasts(self, kind: DifficultyType) -> bool:
        """Whether a type's cases last as long as nobody says otherwise: none of its labels fades."""
        own = self.half_life[self.type == kind.value]
        return bool(len(own) and np.isinf(own).all())

    def known_by(self, day: dt.date) -> Cases:
        """Those begun and known by a day, as that day saw them: what learning on it may know.

        A correction that came later is not there yet; one that had come shows the case as it stood until then.
        """
        limit = np.datetime64(day, "D")
        kept = self._keep((self.known <= limit) & (self.began <= limit))
        return replace(kept, untold=np.where(kept.untold <= limit, kept.untold, NEVER))

    def and_also(self, others: Cases) -> Cases:
        """These and others."""
        return Cases(
            *(np.concatenate([getattr(self, name), getattr(others, name)]) for name in self.__dataclass_fields__)
        )

    def _keep(self, rows: NDArray[np.bool_]) -> Cases:
        return Cases(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def read_cases(snapshot: Snapshot, labels: Labels) -> Cases:
    """All label facts of a snapshot."""
    facts = _facts(snapshot, sorted(labels.items))
    parts = []
    for label in labels.labels:
        chosen = facts.filter(pc.equal(facts["item"], label.item))
        if label.codes:
            chosen = chosen.filter(pc.is_in(chosen["code"], pa.array(label.codes)))
        parts.append((label, _of_children(snapshot, chosen) if label.whose == "mother" else chosen))
    began, ended, known, untold = (
        np.concatenate([np.zeros(0, "datetime64[D]"), *(_dates(t[name]) for _, t in parts)]) for name in DATES
    )
    numbers = [(label.weight, float(label.half_life_months or np.inf)) for label, t in parts for _ in range(len(t))]
    weight, half_life = np.array(numbers, dtype=np.float64).reshape(-1, 2).T
    return Cases(
        np.concatenate([NOBODY, *(_text(t["person_key"]) for _, t in parts)]),
        np.concatenate([NOBODY, *(np.full(len(t), label.type.value, dtype=object) for label, t in parts)]),
        weight, began, ended, known, untold, half_life,
    )  # fmt: skip


def _of_children(snapshot: Snapshot, facts: pa.Table) -> pa.Table:
    """Facts about mothers, as facts about the child each had just borne, or was to bear, when it began."""
    kin = snapshot.read("kinships", ("child_key", "relative_key", "kind", "known_to"))
    kin = kin.filter(pc.and_(pc.equal(kin["kind"], "MOTHER"), pc.is_null(kin["known_to"])))
    persons = snapshot.read("persons", ("person_key", "born_month"))
    born = dict(zip(persons["person_key"].to_pylist(), persons["born_month"].to_pylist(), strict=True))
    children: dict[str, set[str]] = {}
    for child, mother in zip(kin["child_key"].to_pylist(), kin["relative_key"].to_pylist(), strict=True):
        children.setdefault(mother, set()).add(child)
    rows, keys = [], []
    before, after = BORN_WITHIN
    for row, (mother, began) in enumerate(
        zip(facts["person_key"].to_pylist(), facts["valid_from"].to_pylist(), strict=True)
    ):
        for child in sorted(children.get(mother, ())):
            month = born.get(child)
            age = (began.year - month.year) * 12 + began.month - month.month if month and began else before + 1
            if -after <= age <= before:
                rows.append(row)
                keys.append(child)
    found = facts.take(pa.array(rows, pa.int64()))
    return found.set_column(
        found.schema.get_field_index("person_key"), "person_key", pa.array(keys, facts.schema.field("person_key").type)
    )


@dataclass(frozen=True)
class Marks:
    """One type's labels for the rows of a cohort.

    ``onset`` is the weight of the strongest case that begins within the horizon after the row's date (0: none);
    ``registered`` marks a case of full weight that holds on the date; ``already`` is the weight of any case
    begun and known by then, less the longer ago it began where its label fades, ``standing`` that of any such case not
    over on the date: an event, which has no length, is taken for over ``EVENT_STANDS`` months after it, but a
    registration of a difficulty that lasts for going on. ``pending`` is the weight of a case that had begun by the date
    and became known only after it: on the date nobody could tell, and yet the child is no example of one without a case.
    """

    onset: NDArray[np.float64]
    registered: NDArray[np.bool_]
    already: NDArray[np.float64]
    standing: NDArray[np.float64]
    pending: NDArray[np.float64]


def mark(cases: Cases, kind: DifficultyType, cohort: Cohort, horizon_months: int | None) -> Marks:
    """Lay one type's cases over a cohort.

    ``registered`` and ``already`` take what was known on each row's own date, what was corrected since
    included; ``onset`` and ``pending`` are outcomes and take what the given cases still say.

    Args:
        cases: known cases; for learning, those known by the day of learning.
        kind: the type.
        cohort: rows (child, date).
        horizon_months: how far after the date a case may begin to count as ``onset``; None for no limit.
    """
    own = cases.of(kind)
    onset, already, standing, pending = (np.zeros(len(cohort)) for _ in range(4))
    registered = np.zeros(len(cohort), dtype=bool)
    places: dict[str, list[int]] = {}
    wanted = set(own.person)
    for row, key in enumerate(cohort.child_key):
        if key in wanted:
            places.setdefault(key, []).append(row)
    over = _over_on(own)
    for n, person in enumerate(own.person):
        stands, weight = np.isnat(own.untold[n]), own.weight[n]
        for row in places.get(person, ()):
            as_of = cohort.as_of[row]
            has_begun = own.began[n] <= as_of
            if has_begun and own.known[n] <= as_of:
                if stands or own.untold[n] > as_of:
                    left = weight * _left(own.began[n], as_of, own.half_life[n])
                    already[row] = max(already[row], left)
                    holds = np.isnat(own.ended[n]) or own.ended[n] > as_of
                    registered[row] |= bool(holds and weight >= 1)
                    if np.isnat(over[n]) or over[n] > as_of:
                        standing[row] = max(standing[row], left)
            elif has_begun and stands:
                pending[row] = max(pending[row], weight)
            elif stands and (horizon_months is None or own.began[n] <= _end(as_of, horizon_months)):
                onset[row] = max(onset[row], weight)
    return Marks(onset, registered, already, standing, pending)


def _left(began: np.datetime64, as_of: np.datetime64, half_life: float) -> float:
    """What a case that began so long ago still says of how a child is, of 1 on the day it began."""
    months = float((as_of - began) / np.timedelta64(1, "D")) * 12 / 365.25
    return float(0.5 ** (months / half_life))


def _over_on(cases: Cases) -> NDArray[np.datetime64]:
    """The day on which each case is over: its end; of an event some months later, or never; NaT where it goes on."""
    is_event = cases.ended <= cases.began + np.timedelta64(1, "D")
    later = cases.began + np.timedelta64(EVENT_STANDS * 365 // 12, "D")
    # Of a difficulty that lasts, a registration without an end was none of a day: the register only keeps no end.
    later = np.where(np.isinf(cases.half_life) & (cases.weight >= 1), NEVER, later)
    return np.where(is_event, later, cases.ended)


def _end(as_of: np.datetime64, months: int) -> np.datetime64:
    """Last day of the horizon: so many months after the date, by the calendar."""
    day = as_of.astype(object)
    return np.datetime64(window_start(day, -months) - dt.timedelta(days=1), "D")


def known_to_support(snapshot: Snapshot, labels: Labels, cohort: Cohort, as_of: dt.date) -> NDArray[np.bool_]:
    """Rows of one date already in touch with support, as known on that date."""
    facts = _facts(snapshot, sorted({k.item for k in labels.known}))
    limit = pa.scalar(as_of, pa.date32())
    facts = facts.filter(pc.and_(pc.less_equal(facts["valid_from"], limit), pc.less_equal(facts["known_from"], limit)))
    facts = facts.filter(pc.fill_null(pc.greater(facts["known_to"], limit), True))
    found: set[str] = set()
    for rule in labels.known:
        chosen = facts.filter(pc.equal(facts["item"], rule.item))
        if rule.codes:
            chosen = chosen.filter(pc.is_in(chosen["code"], pa.array(rule.codes)))
        if rule.at == "now":
            open_still = pc.or_kleene(pc.is_null(chosen["valid_to"]), pc.greater(chosen["valid_to"], limit))
            chosen = chosen.filter(pc.fill_null(open_still, False))
        else:
            start = pa.scalar(window_start(as_of, rule.months or 12), pa.date32())
            chosen = chosen.filter(pc.greater_equal(chosen["valid_from"], start))
        found |= set(chosen["person_key"].to_pylist())
    return np.array([key in found for key in cohort.child_key], dtype=bool)


def horizon_for(span_months: int) -> int:
    """How far ahead to learn: 12 months, less where the store is too young.

    There must be at least 12 months of facts before a date of learning and a whole horizon after it,
    for more than one such date. With 24 months of store that leaves 6.
    """
    return 12 if span_months >= 36 else 6 if span_months >= 18 else 3


def learning_dates(first: dt.date, as_of: dt.date, horizon: int, *, every: int = 3, most: int = 4) -> list[dt.date]:
    """Past dates to learn on: their horizon is over by ``as_of``, and at least 6 months of store lie before."""
    dates = []
    for step in range(most):
        day = _month_end_like(as_of, horizon + step * every)
        if months_before(day, 6) >= first:
            dates.append(day)
    return sorted(dates)


def _month_end_like(as_of: dt.date, months: int) -> dt.date:
    """So many months earlier; a month's end stays a month's end."""
    return window_start(as_of, months) - dt.timedelta(days=1)


def _facts(snapshot: Snapshot, items: Sequence[str]) -> pa.Table:
    wanted = pc.field("item").isin(pa.array(items, pa.string()))
    return snapshot.read("facts", ("person_key", "item", "code", *DATES), filters=wanted)


def _text(column: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.array(column.to_pylist(), dtype=object)


def _dates(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    return np.asarray(column.to_numpy().astype("datetime64[D]"))
