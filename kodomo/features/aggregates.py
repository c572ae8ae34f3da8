"""Each aggregate as one Ibis expression over a child's facts, every comparison with the row's own date (analysis side).

``_known`` below is the one place where "as known on the date" is decided for facts.

sum count max min mean last any distinct   over the facts that pass the filters
months_since   calendar months from the last such fact's beginning to the date
change         mean of the window less the mean of the ``baseline_months`` before it: the child's own past
streak         how many of the latest facts in a row pass the filters (going back from the newest)
trend          slope of the number per month (least squares)
share          sum of the item over sum of ``per``; without ``per``: facts passing the filters over all
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from kodomo.features.catalogue import Indicator
from kodomo.features.cohort import Frame, known, start_column

COMPARE = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}


def windows_of(indicators: Sequence[Indicator]) -> set[int]:
    """Every window length, in months, these indicators compare with."""
    found = set()
    for indicator in indicators:
        if indicator.reach_months:
            found.add(indicator.reach_months)
            if indicator.baseline_months:
                found.add(indicator.reach_months + indicator.baseline_months)
    return found


def known_facts(frame: Frame, whose: str, items: Sequence[str]) -> ir.Table:
    """Facts of some items about the row's relatives, as known on the row's date."""
    members, facts = frame.members, frame.facts
    theirs = members.filter(members.whose == whose).drop("whose")
    asked = facts.filter(facts.item.isin(list(items)))
    return theirs.join(asked, "person_key").filter(_known)


def _known(pair: ir.Table) -> ir.BooleanValue:
    """A fact counts when it had begun and was known on the row's date."""
    return (pair.valid_from <= pair.as_of) & known(pair)


def group_query(frame: Frame, whose: str, indicators: Sequence[Indicator], *, with_dates: bool) -> ir.Table:
    """All indicators of one (whose, item) group in one grouped scan.

    Columns: ``row``; per indicator its value, ``<code>__seen`` (how many facts of the item lie in
    its reach, filters aside) and, when asked, ``<code>__on`` (the newest fact that counted).
    """
    items = sorted({item for i in indicators for item in i.items})
    pairs = known_facts(frame, whose, items)
    longest = _longest(indicators)
    if longest:
        # What lies before the longest window counts for none of them: left out before anything is added up.
        pairs = pairs.filter(pairs.valid_from >= pairs[start_column(longest)])
    pairs = pairs.mutate(**{f"{i.code}__breach": _last_breach(i, pairs) for i in indicators if i.aggregate == "streak"})
    columns: dict[str, ir.Value] = {}
    for indicator in indicators:
        inside = in_reach(indicator, pairs) & (pairs.item == indicator.item)
        counted = inside & passes(indicator, pairs)
        columns[indicator.code] = aggregate(indicator, pairs, inside, counted).cast("float64")
        columns[f"{indicator.code}__seen"] = pairs.count(where=inside)
        if with_dates:
            columns[f"{indicator.code}__on"] = pairs.valid_from.max(where=counted)
    return pairs.group_by("row").agg(**columns)


def class_query(frame: Frame, indicators: Sequence[Indicator]) -> ir.Table:
    """What each child brings to its class, for indicators of one item: ``row``, and per indicator ``__total`` and
    ``__counted`` (its numbers that pass, added up and counted), ``__passing`` and ``__seen`` (facts that pass, facts in reach).
    """
    pairs = known_facts(frame, "self", sorted({i.item for i in indicators}))
    columns: dict[str, ir.Value] = {}
    for indicator in indicators:
        inside = in_reach(indicator, pairs)
        counted = inside & passes(indicator, pairs)
        columns[f"{indicator.code}__total"] = pairs.number.sum(where=counted).cast("float64")
        columns[f"{indicator.code}__counted"] = pairs.number.count(where=counted)
        columns[f"{indicator.code}__passing"] = pairs.count(where=counted)
        columns[f"{indicator.code}__seen"] = pairs.count(where=inside)
    return pairs.group_by("row").agg(**columns)


def _longest(indicators: Sequence[Indicator]) -> int | None:
    """The longest reach, own past included, of indicators that all ask for what begins in their window; else None."""
    if not all(i.reach_months and i.at in ("within", "now") for i in indicators):
        return None
    return max((i.reach_months or 0) + (i.baseline_months or 0) for i in indicators)


def in_reach(indicator: Indicator, pairs: ir.Table) -> ir.BooleanValue:
    """Whether a fact lies where the indicator looks, in time."""
    holds = (pairs.valid_to > pairs.as_of).fill_null(True)
    reach = indicator.reach_months
    if indicator.at == "now":
        return holds if reach is None else holds & (pairs.valid_from >= pairs[start_column(reach)])
    assert reach is not None  # noqa: S101 - the catalogue's check
    start = pairs[start_column(reach)]
    if indicator.at == "within":
        return pairs.valid_from >= start
    return (pairs.valid_to > start).fill_null(True)


def passes(indicator: Indicator, pairs: ir.Table) -> ir.BooleanValue:
    """Whether a fact passes the indicator's own filters."""
    test: ir.BooleanValue = ibis.literal(True)
    if indicator.codes:
        test = test & pairs.code.isin(list(indicator.codes)).fill_null(False)
    if indicator.number:
        operator, bound = indicator.number
        test = test & COMPARE[operator](pairs.number, bound).fill_null(False)
    return test


def aggregate(
    indicator: Indicator, pairs: ir.Table, inside: ir.BooleanValue, counted: ir.BooleanValue
) -> ir.NumericValue:
    """The value of one indicator over one row's facts; null when there is nothing to say."""
    name, number = indicator.aggregate, pairs.number
    if name in ("sum", "max", "min", "mean"):
        return getattr(number, name)(where=counted)
    if name == "count":
        return pairs.count(where=counted)
    if name == "any":
        return (pairs.count(where=counted) > 0).cast("int8")
    if name == "distinct":
        return pairs.code.nunique(where=counted)
    if name == "last":
        # Two values of one day and one delivery: the larger, so that every engine says the same.
        newest = ibis.struct({"order": _order(pairs), "number": number}).max(where=counted & number.notnull())
        return newest["number"]
    if name == "months_since":
        return pairs.as_of_month.max() - _month(pairs).max(where=counted)
    if name == "streak":
        breach = pairs[f"{indicator.code}__breach"]
        return pairs.count(where=counted & (pairs.valid_from > breach).fill_null(True))
    if name == "trend":
        return _slope(pairs, counted & number.notnull())
    if name == "change":
        return number.mean(where=counted) - number.mean(where=_before(indicator, pairs))
    return _share(indicator, pairs, inside, counted)


def _order(pairs: ir.Table) -> ir.Value:
    """Newest first by beginning, then by when it was learned: a later correction wins."""
    return pairs.valid_from.epoch_seconds() * 100_000 + pairs.known_from.epoch_seconds() / 86_400


def _month(pairs: ir.Table) -> ir.IntegerValue:
    return pairs.valid_from.year() * 12 + pairs.valid_from.month() - 1


def _last_breach(indicator: Indicator, pairs: ir.Table) -> ir.Value:
    """When the streak was last broken: the newest fact in reach that fails the filters."""
    fails = in_reach(indicator, pairs) & (pairs.item == indicator.item) & ~passes(indicator, pairs)
    return pairs.valid_from.max(where=fails).over(ibis.window(group_by=pairs.row))


def _before(indicator: Indicator, pairs: ir.Table) -> ir.BooleanValue:
    reach = indicator.reach_months or 0
    first = pairs[start_column(reach + (indicator.baseline_months or 0))]
    earlier = (pairs.valid_from >= first) & (pairs.valid_from < pairs[start_column(reach)])
    return earlier & (pairs.item == indicator.item) & passes(indicator, pairs)


def _slope(pairs: ir.Table, counted: ir.BooleanValue) -> ir.NumericValue:
    month = _month(pairs).cast("float64")
    spread = month.var(where=counted, how="pop")
    return month.cov(pairs.number, where=counted, how="pop") / spread.nullif(0.0)


def _share(indicator: Indicator, pairs: ir.Table, inside: ir.BooleanValue, counted: ir.BooleanValue) -> ir.NumericValue:
    if indicator.per:
        total = pairs.number.sum(where=in_reach(indicator, pairs) & (pairs.item == indicator.per))
        return pairs.number.sum(where=counted).fill_null(0.0) / total.nullif(0.0)
    return pairs.count(where=counted).cast("float64") / pairs.count(where=inside).cast("float64").nullif(0.0)
