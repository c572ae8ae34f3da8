"""Each aggregate as one Ibis expression over a child's facts, every comparison with the row's own date (analysis side).

``known_facts`` below is the one place where "as known on the date" is decided for facts.

sum count max min mean last any distinct   over the facts that pass the filters
months_since   calendar months from the last such fact's beginning to the date
change         mean of the window less the mean of the ``baseline_months`` before it: the child's own past
streak         how many of the latest facts in a row pass the filters (going back from the newest)
trend          slope of the number per month (least squares)
share          sum of the item over sum of ``per``; without ``per``: facts passing the filters over all
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from kodomo.features.catalogue import ZERO_MEANS_NONE, Indicator
from kodomo.features.cohort import Frame, reach_column, start_column

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
    """Facts of some items about the row's relatives, as known on the row's date.

    A fact counts when it had begun and was known on the date, and nobody had told otherwise by then.
    """
    asked = frame.facts.filter(frame.facts.item.isin([frame.items.get(item, NOBODY_TELLS) for item in items]))
    pairs = frame.relatives(whose).join(asked, "place")
    return pairs.filter((pairs.date_number >= pairs.first_date) & (pairs.date_number < pairs.end_date))


def group_query(frame: Frame, whose: str, indicators: Sequence[Indicator], *, with_dates: bool) -> ir.Table:
    """All indicators of one (whose, item) group in one grouped scan.

    Columns: ``row``; per indicator its value, for those whose empty answer may mean zero ``seen_column`` (how many
    facts of the item lie in its reach, filters aside) and, when asked, ``<code>__on`` (the newest fact that counted).
    """
    items = sorted({item for i in indicators for item in i.items})
    pairs = known_facts(frame, whose, items)
    longest = _longest(indicators)
    if longest:
        # What lies before the longest window counts for none of them: left out before anything is added up.
        pairs = pairs.filter(pairs.date_number < pairs[reach_column(longest)])
    by_item = {item: pairs.item == frame.items.get(item, NOBODY_TELLS) for item in items} if len(items) > 1 else {}
    breaches = {i.code: _last_breach(i, pairs, by_item) for i in indicators if i.aggregate == "streak"}
    if breaches:
        pairs = pairs.mutate(**{f"{code}__breach": breach for code, breach in breaches.items()})
        by_item = {item: pairs.item == frame.items.get(item, NOBODY_TELLS) for item in by_item}
    columns: dict[str, ir.Value] = {}
    for indicator in indicators:
        inside = _both(in_reach(indicator, pairs), by_item.get(indicator.item))
        counted = _both(inside, passes(indicator, pairs))
        columns[indicator.code] = aggregate(indicator, pairs, inside, counted, by_item).cast("float64")
        if indicator.aggregate in ZERO_MEANS_NONE:
            columns[seen_column(indicator)] = pairs.count(where=inside)
        if with_dates:
            columns[f"{indicator.code}__on"] = pairs.valid_from.max(where=counted)
    return pairs.group_by("row").agg(**columns)


NOBODY_TELLS = -1
"""Number of an item no source speaks of."""


def seen_column(indicator: Indicator) -> str:
    """Column of a group's answer that counts the facts in an indicator's reach: one for all that look as far."""
    return f"seen__{indicator.at}_{indicator.reach_months}"


def _both(one: ir.BooleanValue, other: ir.BooleanValue | None) -> ir.BooleanValue:
    return one if other is None else one & other


def class_query(frame: Frame, indicators: Sequence[Indicator]) -> ir.Table:
    """What each child brings to its class, for indicators of one item: ``row``, and per indicator ``__total`` and
    ``__counted`` (its numbers that pass, added up and counted), ``__passing`` and ``__seen`` (facts that pass, facts in reach).
    """
    pairs = known_facts(frame, "self", sorted({i.item for i in indicators}))
    columns: dict[str, ir.Value] = {}
    for indicator in indicators:
        inside = in_reach(indicator, pairs)
        counted = _both(inside, passes(indicator, pairs))
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
        return holds if reach is None else holds & (pairs.date_number < pairs[reach_column(reach)])
    assert reach is not None  # noqa: S101 - the catalogue's check
    if indicator.at == "within":
        return pairs.date_number < pairs[reach_column(reach)]
    return (pairs.valid_to > pairs[start_column(reach)]).fill_null(True)


def passes(indicator: Indicator, pairs: ir.Table) -> ir.BooleanValue | None:
    """Whether a fact passes the indicator's own filters; None where it has none."""
    test: ir.BooleanValue | None = None
    if indicator.codes:
        test = pairs.code.isin(list(indicator.codes)).fill_null(False)
    if indicator.number:
        operator, bound = indicator.number
        test = _both(COMPARE[operator](pairs.number, bound).fill_null(False), test)
    return test


def aggregate(
    indicator: Indicator,
    pairs: ir.Table,
    inside: ir.BooleanValue,
    counted: ir.BooleanValue,
    by_item: Mapping[str, ir.BooleanValue],
) -> ir.NumericValue:
    """The value of one indicator over one row's facts; null when there is nothing to say.

    Args:
        inside, counted: facts in its reach; those of them that pass its filters.
        by_item: whether a fact is of an item, where the group reads several.
    """
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
        return (pairs.as_of_month - _month(pairs)).min(where=counted)
    if name == "streak":
        breach = pairs[f"{indicator.code}__breach"]
        return pairs.count(where=counted & (pairs.valid_from > breach).fill_null(True))
    if name == "trend":
        return _slope(pairs, counted & number.notnull())
    if name == "change":
        return number.mean(where=counted) - number.mean(where=_before(indicator, pairs, by_item))
    return _share(indicator, pairs, inside, counted, by_item)


def _order(pairs: ir.Table) -> ir.Value:
    """Newest first by beginning, then by when it was learned: a later correction wins."""
    return pairs.valid_from.epoch_seconds() * 100_000 + pairs.known_from.epoch_seconds() / 86_400


def _month(pairs: ir.Table) -> ir.IntegerValue:
    return pairs.valid_from.year() * 12 + pairs.valid_from.month() - 1


def _last_breach(indicator: Indicator, pairs: ir.Table, by_item: Mapping[str, ir.BooleanValue]) -> ir.Value:
    """When the streak was last broken: the newest fact in reach that fails the filters."""
    inside = _both(in_reach(indicator, pairs), by_item.get(indicator.item))
    test = passes(indicator, pairs)
    assert test is not None  # noqa: S101 - the catalogue's check
    return pairs.valid_from.max(where=inside & ~test).over(ibis.window(group_by=pairs.row))


def _before(indicator: Indicator, pairs: ir.Table, by_item: Mapping[str, ir.BooleanValue]) -> ir.BooleanValue:
    reach = indicator.reach_months or 0
    opened = pairs.date_number < pairs[reach_column(reach + (indicator.baseline_months or 0))]
    earlier = _both(opened & (pairs.date_number >= pairs[reach_column(reach)]), by_item.get(indicator.item))
    return _both(earlier, passes(indicator, pairs))


def _slope(pairs: ir.Table, counted: ir.BooleanValue) -> ir.NumericValue:
    month = _month(pairs).cast("float64")
    spread = month.var(where=counted, how="pop")
    return month.cov(pairs.number, where=counted, how="pop") / spread.nullif(0.0)


def _share(
    indicator: Indicator,
    pairs: ir.Table,
    inside: ir.BooleanValue,
    counted: ir.BooleanValue,
    by_item: Mapping[str, ir.BooleanValue],
) -> ir.NumericValue:
    if indicator.per:
        total = pairs.number.sum(where=_both(in_reach(indicator, pairs), by_item.get(indicator.per)))
        return pairs.number.sum(where=counted).fill_null(0.0) / total.nullif(0.0)
    return pairs.count(where=counted).cast("float64") / pairs.count(where=inside).cast("float64").nullif(0.0)
