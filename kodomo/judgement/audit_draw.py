"""監査抽出: each round, a few children nobody flagged are drawn at random for review like all others (analysis side).

If registration favours families already in contact, no learning finds the invisible ones, and no backtest shows it.
What people find among children drawn at random is the only unbiased word on what the judgement misses. So a round
(a date of judgement) draws 20 to 30 of those who were not raised, are not known to support and are known well enough
to be judged; they come to the casework side without a level or a reason, are kept for ever, and learning for later
dates never sees them.

Drawn systematically through the pool sorted by age band and area, in random order within both: every child has the
same chance, and each age band and area its share, to within one child (Cochran, Sampling Techniques, 1977, ch. 8).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kodomo.configuration import Municipality
from kodomo.errors import ConfigurationFault
from kodomo.store.database import Store
from kodomo.store.results import AUDIT_DRAWS
from kodomo.terms import OVERALL, Level, Method

KIND = "judgements"
TABLE = "audit_draws"
SIZE, LEAST, MOST = 25, 20, 30
RAISED = (Level.HIGH.value, Level.MIDDLE.value)


def draw_size(municipality: Municipality) -> int:
    """How many a round draws: ``[audit_draw] size`` of the settings, 20 to 30; 0 for none.

    Raises:
        ConfigurationFault: another number, or no whole number.
    """
    said = municipality.extras.get("audit_draw", {})
    size = said.get("size", SIZE) if isinstance(said, dict) else said
    if isinstance(size, bool) or not isinstance(size, int) or not (size == 0 or LEAST <= size <= MOST):
        raise ConfigurationFault(
            f"監査抽出の人数(size)は、{LEAST} から {MOST} まで(行わないときは 0)で書いてください。",
            where=f"{municipality.folder / 'settings.toml'} [audit_draw] size",
        )
    return int(size)


def known_draws(store: Store) -> pa.Table:
    """All draws of all rounds that any judgement kept; a round's first draw stands."""
    found = [AUDIT_DRAWS.empty()]
    for name in store.names(KIND):
        judgement = store.open(KIND, name)
        if judgement.holds(TABLE):
            drawn = judgement.read(TABLE)
            known = pa.array({day for part in found for day in part["round"].to_pylist()}, pa.date32())
            found.append(drawn.filter(pc.invert(pc.is_in(drawn["round"], value_set=known))))
    return _sorted(pa.concat_tables(found))


def drawn_in(draws: pa.Table, rounds: Collection[dt.date], before: dt.date) -> frozenset[str]:
    """Children drawn in these rounds, as far as they lie before a date: learning for it may not see them."""
    rows = draws.to_pylist()
    return frozenset(row["child_key"] for row in rows if row["round"] in rounds and row["round"] < before)


def with_round(
    draws: pa.Table, as_of: dt.date, judgements: pa.Table, subjects: pa.Table, size: int, seed: int
) -> pa.Table:
    """The draws with this round's added; a round that was drawn already stays as it was.

    Args:
        draws: those of earlier rounds, as ``known_draws`` gives them.
        judgements, subjects: the judgement's own tables.
        seed: of the draw; with it the same judgement gives the same children.
    """
    if as_of in set(draws["round"].to_pylist()) or not size:
        return draws
    return _sorted(pa.concat_tables([draws, draw(pool_of(judgements, subjects), as_of, size, seed)]))


def pool_of(judgements: pa.Table, subjects: pa.Table) -> pa.Table:
    """The subjects who may be drawn: nothing raised them, they are not known to support, and enough is known of them."""
    combined = judgements.filter(pc.equal(judgements["method"], Method.COMBINED.value))
    raised = combined.filter(pc.or_(pc.is_in(combined["level"], pa.array(RAISED)), pc.is_valid(combined["escalation"])))
    overall = combined.filter(pc.equal(combined["type"], OVERALL))
    low = overall.filter(pc.equal(overall["level"], Level.LOW.value))["child_key"]
    may = pc.and_(
        pc.is_in(subjects["child_key"], value_set=pc.unique(low)),
        pc.invert(pc.is_in(subjects["child_key"], value_set=pc.unique(raised["child_key"]))),
    )
    known = pc.or_(subjects["is_known_to_support"], subjects["is_council_registered"])
    return subjects.filter(pc.and_(may, pc.invert(known)))


def draw(pool: pa.Table, as_of: dt.date, size: int, seed: int) -> pa.Table:
    """Draw from a pool of subjects (``child_key, age_band, area_code``); everybody where there are no more than ``size``.

    Returns:
        ``audit_draws`` rows of this round.
    """
    keys, bands, areas = (_texts(pool, name) for name in ("child_key", "age_band", "area_code"))
    order = np.lexsort((_shuffled(keys, f"{seed}|{as_of}"), areas, bands))
    chosen = order[_places(len(keys), size, np.random.default_rng([seed, as_of.toordinal()]))]
    strata = np.char.add(np.char.add(bands, "\t"), areas)
    rows = [
        {
            "child_key": str(keys[n]),
            "round": as_of,
            "age_band": str(bands[n]),
            "area_code": str(areas[n]),
            "stratum_children": int((strata == strata[n]).sum()),
            "band_children": int((bands == bands[n]).sum()),
            "pool_children": len(keys),
            "probability": min(1.0, size / len(keys)),
        }
        for n in chosen
    ]
    return pa.Table.from_pylist(rows, schema=AUDIT_DRAWS.schema())


def _places(children: int, size: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Every (children / size)-th place from a random start."""
    if children <= size:
        return np.arange(children)
    step = children / size
    return np.asarray(np.floor(generator.uniform(0, step) + step * np.arange(size)), dtype=np.int64)


def _shuffled(keys: NDArray[np.str_], salt: str) -> NDArray[np.bytes_]:
    """An order fixed by salt and key, unrelated to anything about the child."""
    return np.array([hashlib.blake2b(f"{salt}|{key}".encode(), digest_size=8).digest() for key in keys], dtype="S8")


def _texts(table: pa.Table, column: str) -> NDArray[np.str_]:
    return np.array([value or "" for value in table[column].to_pylist()], dtype=str)


def _sorted(table: pa.Table) -> pa.Table:
    return table.sort_by([("round", "ascending"), ("child_key", "ascending")]).combine_chunks()
