"""Who came: of the children whom a sheet's call names can mean, weighed together and against each other (identity side).

What a sheet says under one name may be one child's or several children's, and one of them may be from elsewhere. The
statements are parted as long as one child more explains them better than it is unlikely that one more came; each part is
then weighed against all whom it can mean. What the sheet tells as a whole counts too: how often it errs about ages, whom it
calls くん, that brothers and sisters come together and that a child seldom stands on one list under two names. So the
weighing is done again with what the time before found.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROUNDS = 3

AGE_MISS = (0.0, 3.7, 6.5, 12.0)
"""Bits against a child whose age differs by none, one, two, more years, of a sheet of which nothing is known yet: sheets guess ages, or keep last year's."""

AGE_ERRS, AGE_HOLDS = 0.3, 2.0
"""How often a sheet errs about a child's age, before anything is known of it (a beta distribution)."""

FEWEST_ERRORS = 0.03
"""No sheet errs less, however few of its errors show."""

ONE_CHILDS_AGES = 4.0
"""So many statements weigh as much as all else the sheet says of ages: who keeps last year's age of a child keeps it on."""

ILL_MANNERED = {"M": (0.1, 5.0), "F": (1.0, 5.0)}
"""Of so many children called くん, and ちゃん, so many are no boys, and no girls, before anything is known of the sheet."""

MOST_SAID = 16
"""More statements than this about one child add nothing: whoever writes a wrong age writes it again."""

USUAL_MISS = 1.5
"""Bits per statement by which a sheet misses even the child it means; somebody from elsewhere misses no worse."""

FROM_ELSEWHERE = 0.0005
"""For each child here who bears the name: how many from elsewhere bear it, come here, and are just as old."""

USUAL_STRANGERS, MOST_STRANGERS = 0.01, 6.0
"""So many of a usual sheet are from elsewhere, which that comes to; and so many times as many may be."""

FEWEST_ELSEWHERE, MANY_ELSEWHERE = 0.1, 30.0
"""A name that nobody here bears may still be borne elsewhere; and however many bear it here, of one age there are not more than of a rarer one."""

SCHOOL_ELSEWHERE = 0.05
"""How many of those from elsewhere go to one certain school here."""

TWO_NAMES, TWO_NUMBERS = 0.3, 0.03
"""How many of the children of a list stand there under a second name; under a second number of the list."""

MOST_SIBLINGS = 5.0
"""However often brothers and sisters come together: so much likelier at most."""

SCHOOL_TOLD_OTHERWISE, TOWN_TOLD_OTHERWISE = 6.0, 3.0
"""Bits against one child of whom a sheet tells two schools in one year, or two towns."""

UNSERVED, MOST_UNSERVED, ENOUGH_SERVED = 3.3, 8.0, 50
"""Bits against a child older or younger than all whose ages the sheet tells, where it tells none; and the most, where so many
are known to be on it that how seldom one is shows."""

TOGETHER = 3.3
"""Bits against one child for each day on which a sheet contradicts itself about it: on one of ten it may be a slip."""

MOST_TOGETHER, MOST_WAYS = 4, 10_000
"""Of more statements of one name on one day, or more ways to share them out among the children of that name, it isn't worked
out which child each of them leaves to the others: the ways grow with the fourth power of the children."""

ENOUGH_SAID = 3
"""From so many statements on, one that tells nothing but the name means the child of the others."""

ONCE = 0.25
"""So many of those who come at all come a single time."""

MOST_CHILDREN = 12
"""More children than these of one name on one sheet nobody could tell apart."""

USUAL_WIDTH, NARROWEST = 365, 0.1
"""An age told once leaves so many days of birth; told on many days it leaves fewer, at which somebody from elsewhere is seldom born too."""

EXPECTED_TO_COME = (5.0, 200.0)
"""Added to how many of how many children come, as small lists tell little of it."""


FEWEST_OF_HABIT, MEETINGS = 6, 3
"""From so many rows on, told in one way and never twice a day, they are one entry of a list; two entries of one name that
met on so many days are two."""

MOST_OFF = 2
"""More ages than this that fit one common birth date, and not the child's, are no slips."""

CLEAR = 0.97
"""So probable it is clear enough whom a statement means to learn from it what the sheet is like."""

SETTLED = 0.9995

SAID_SO = 2.0**20
"""So much likelier is whom a person named."""

NOBODY: frozenset[int] = frozenset()

Present = dict[int, dict[int, float]]
"""By person, under which name they are on the sheet and how probably; 0 for what other rules told."""


@dataclass
class Called:
    """All that one sheet says under one name (or own number), and whom it can mean.

    Rows of the arrays are statements, columns are persons. ``miss`` are bits but for ages and manners.
    """

    called: int
    source: str
    is_one: bool
    statements: npt.NDArray[np.int64]
    rows: Floats
    is_told: Flags
    is_aged: Flags
    manner: npt.NDArray[np.object_]
    persons: npt.NDArray[np.int64]
    likeness: Floats
    kinds: list[str]
    bearers: float
    born_after: Floats
    born_before: Floats
    """Between which days each statement puts the birth; nan where it tells of no age."""

    miss: Floats
    years_off: npt.NDArray[np.int64]
    is_taught: Flags
    is_at_home: Flags
    is_ill_mannered: Flags
    years: Floats
    days: npt.NDArray[np.generic]
    """The day on which each statement was told; of two different children where two statements of it contradict each other."""

    schools: list[tuple[str, str] | None]
    """The year and the school each statement tells."""

    towns: list[tuple[str, str] | None]
    chosen: float
    """Bits that the towns told tell by themselves: who is from elsewhere seldom names just these."""
    favoured: set[int] = field(default_factory=set)
    """Whom a person said this to be."""
    probability: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    """Of each statement, how probable each person."""
    presence: Floats = field(default_factory=lambda: np.zeros(0))
    elsewhere: float = 0.0
    """How probably some of it is said of somebody from elsewhere."""


@dataclass
class Sheet:
    """What a sheet is like as a whole."""

    errs: float = AGE_ERRS
    holds: float = AGE_HOLDS
    off_bits: float = AGE_MISS[1]
    manner_bits: Mapping[str, float] = field(
        default_factory=lambda: {s: math.log2(n / w) for s, (w, n) in ILL_MANNERED.items()}
    )
    coming: float = 0.03
    elsewhere: float = 1.0
    """How many from elsewhere come, compared with other sheets."""

    siblings: float = 1.0
    youngest: float = 0.0
    oldest: float = 99.0
    unserved: float = UNSERVED


def weigh(
    groups: list[Called], came: Mapping[str, Mapping[int, float]], siblings: Mapping[int, set[int]], ages: Floats
) -> None:
    """Fill in ``probability`` and ``presence`` of all groups.

    Args:
        came: by source, who is on it for certain by other rules, and how old they were then.
        siblings: by person, brothers and sisters and whoever else of the family is a child.
        ages: of all children, today.
    """
    by_source: dict[str, list[Called]] = defaultdict(list)
    for group in groups:
        by_source[group.source].append(group)
    for source, mine in by_source.items():
        there = came.get(source, {})
        known = np.array(list(there.values()), dtype=float)
        sheet, present = _sheet_told(mine, ages, known), {p: {0: 1.0} for p in there}
        for round_ in range(ROUNDS):
            for group in mine:
                # what is settled beyond doubt the sheet as a whole can't change
                if round_ == 0 or group.probability.max(axis=1).min() < SETTLED:
                    _weigh_one(group, sheet, _context(group, sheet, present, siblings))
            if round_ + 1 < ROUNDS:
                present = {p: {0: 1.0} for p in there}
                for group in mine:
                    for person, q in zip(group.persons.tolist(), group.presence.tolist(), strict=True):
                        if q > 0.01:
                            present.setdefault(person, {})[group.called] = q
                sheet = _sheet_learnt(sheet, mine, present, siblings, len(ages), known)


def _sheet_told(groups: list[Called], ages: Floats, there: Floats) -> Sheet:
    """What statements, or else the ages of who is there for certain, tell of the ages served, and how many of the children come."""
    sheet = Sheet()
    told: list[float] = []
    for group in groups:
        bits = group.miss + _age_bits(group, sheet)
        best = bits.argmin(axis=1)
        fits = group.is_aged & (bits.min(axis=1) < 1)
        told += group.years[np.arange(len(best)), best][fits].tolist()
    if told:
        sheet.youngest, sheet.oldest = float(np.quantile(told, 0.02)) - 1, float(np.quantile(told, 0.98)) + 1
    else:
        _serve(sheet, there)
    served = float(((ages >= sheet.youngest) & (ages <= sheet.oldest)).sum())
    sheet.coming = (len(groups) + EXPECTED_TO_COME[0]) / (served + EXPECTED_TO_COME[1])
    return sheet


def _serve(sheet: Sheet, there: Floats) -> None:
    """What the ages of those who are there tell of the ages served, if they are enough."""
    if len(there) >= ENOUGH_SERVED:
        sheet.youngest, sheet.oldest = float(np.quantile(there, 0.02)) - 1, float(np.quantile(there, 0.98)) + 1
        seldom = int(((there < sheet.youngest) | (there > sheet.oldest)).sum())
        sheet.unserved = min(max(-math.log2((seldom + 1) / (len(there) + 2)), UNSERVED), MOST_UNSERVED)


def _sheet_learnt(
    sheet: Sheet, groups: list[Called], present: Present, siblings: Mapping[int, set[int]], children: int, there: Floats
) -> Sheet:
    """What the statements tell of the sheet where it is clear whom they mean."""
    off, told = AGE_ERRS, AGE_ERRS + AGE_HOLDS
    manner = {said: list(known) for said, known in ILL_MANNERED.items()}
    years: list[float] = []
    for group in groups:
        if not len(group.presence) or group.presence.max() < CLEAR:
            continue
        best = int(group.presence.argmax())
        mine = group.probability[:, best] >= CLEAR
        years += group.years[mine, best][:1].tolist()
        counting = min(1.0, MOST_SAID / max(group.rows[mine].sum(), 1.0))
        wrong = group.years_off[:, best] > 0
        off += counting * group.rows[mine & wrong].sum()
        told += counting * group.rows[mine & group.is_told].sum()
        for said, counted in manner.items():
            of_kind = mine & (group.manner == said)
            if of_kind.any():
                counted[0] += group.is_ill_mannered[of_kind, best].mean()
                counted[1] += 1
    share = min(max(off / told, FEWEST_ERRORS), 0.5)
    # a whole name that means nobody here, or nobody of that age, is somebody's from elsewhere
    named = [group.elsewhere for group in groups if set(group.kinds) & {"whole", "initial"}]
    strangers, expected_strangers = sum(named) + 1, USUAL_STRANGERS * len(named) + 1
    clear = {person for person, where in present.items() if max(where.values()) >= CLEAR}
    together = sum(bool(siblings.get(person, NOBODY) & clear) for person in clear)
    expected = sum(len(siblings.get(person, NOBODY)) for person in clear) * len(clear) / max(children, 1)
    if not any(group.is_aged.any() for group in groups):
        _serve(sheet, np.append(there, years))
    return Sheet(
        errs=ONE_CHILDS_AGES * share, holds=ONE_CHILDS_AGES * (1 - share), off_bits=math.log2(2 * (1 - share) / share),
        manner_bits={said: max(math.log2(n / w), 0.0) for said, (w, n) in manner.items()}, coming=sheet.coming,
        elsewhere=min(max(strangers / expected_strangers, 1.0), MOST_STRANGERS), siblings=min(max((together + 2) / (expected + 2), 1.0), MOST_SIBLINGS), youngest=sheet.youngest, oldest=sheet.oldest, unserved=sheet.unserved,
    )  # fmt: skip


def _context(group: Called, sheet: Sheet, present: Present, siblings: Mapping[int, set[int]]) -> Floats:
    """How much likelier or less likely each person came under this name, as others of the family came, or they under another name."""
    again = TWO_NUMBERS if group.is_one else TWO_NAMES
    factors = np.ones(len(group.persons))
    for at, person in enumerate(group.persons.tolist()):
        for where, q in present.get(person, {}).items():
            if where != group.called:
                factors[at] *= 1 - q * (1 - again)
        kin = [max(present[k].values()) for k in siblings.get(person, NOBODY) if k in present]
        if kin:
            factors[at] *= 1 + (sheet.siblings - 1) * max(kin)
        if person in group.favoured:
            factors[at] *= SAID_SO
    return factors


def _age_bits(group: Called, sheet: Sheet) -> Floats:
    extra = np.array([0.0, 0.0, AGE_MISS[2] - AGE_MISS[1], AGE_MISS[3] - AGE_MISS[1]])
    return np.asarray(np.where(group.years_off > 0, sheet.off_bits, 0.0) + extra[group.years_off])


def _weigh_one(group: Called, sheet: Sheet, context: Floats) -> None:
    manner = np.array([sheet.manner_bits.get(m, 0.0) if m else 0.0 for m in group.manner.tolist()])
    unserved = (group.years < sheet.youngest) | (group.years > sheet.oldest)
    rows = group.rows
    # how a child is called is one habit, not a new witness each time
    bits = (
        group.miss
        + sheet.unserved * (unserved & ~group.is_aged[:, None])
        + _age_bits(group, sheet)
        + manner[:, None] * group.is_ill_mannered * _counting(rows) / min(rows.sum(), MOST_SAID)
    )
    weight = np.log2(group.likeness * context)
    whose = _Weighing(group, sheet, rows, bits, weight)
    parts = [np.ones(len(rows), dtype=bool)] if group.is_one else whose.parted()
    chance = np.array([whose.chances(part) for part in parts])  # part, person
    group.elsewhere = float(chance[:, -1].max())
    chance = chance[:, :-1]
    group.presence = 1 - np.prod(1 - chance, axis=0)
    if group.is_one:
        group.probability = np.broadcast_to(chance[0], bits.shape)
        return
    share = np.array([rows[part].sum() for part in parts])
    fit = np.exp2(-bits)
    meant = (chance @ fit.T) * (share / rows.sum())[:, None]  # part, statement
    # that somebody came this once who otherwise didn't, under the same name
    other = ONCE * sheet.coming * (fit @ (np.exp2(weight) * (1 - group.presence))) / (rows.sum() + 1)
    each = meant / (meant.sum(axis=0) + other)
    _share_out_days(each, group.days, whose.clashes)
    within = chance[:, None, :] * fit[None, :, :]
    within /= np.maximum(within.sum(axis=2, keepdims=True), 1e-300)
    # what tells nothing by itself means the child of whom enough is told, or else nobody while a namesake is nearly as old
    mute = ~group.is_aged & ~group.is_taught.any(axis=1) & (group.miss.max(axis=1) <= 0)
    for index, part in enumerate(parts):
        best = int(chance[index].argmax())
        alike = (np.abs(group.years - group.years[:, [best]]) <= 1) & (weight >= weight[best] - 1)
        alike[:, best] = False
        if rows[part & ~mute].sum() < ENOUGH_SAID:
            each[index, mute & alike.any(axis=1)] *= 0.5
    # of the other rows of a part it is known who came: a single statement changes that only where it fits nobody of them
    sure = chance.sum(axis=1)[:, None, None]
    group.probability = (each[:, :, None] * within * sure).sum(axis=0)
    _entry_by_entry(group, whose)


def _entry_by_entry(group: Called, whose: _Weighing) -> None:
    """Bound each statement's probability by what its own entry of the list tells.

    A monthly list has a child once, and whoever keeps it tells of each in one way: with the age or the grade, as くん or not.
    Rows of one name that are told in one way and never twice a day are an entry. Two entries that meet month after month need
    not be one child, so each has to tell by itself who is meant. And ages of an entry that all fit one day of birth are no
    slips: nobody born on another is meant.
    """
    entries = _entries(group)
    met = [
        len(np.intersect1d(group.days[one], group.days[other])) >= MEETINGS for one, other in combinations(entries, 2)
    ]
    for entry in entries:
        if len(entries) == 2 and met[0]:
            group.probability[entry] = np.minimum(group.probability[entry], whose.chances(entry)[:-1])
        told = entry & ~np.isnan(group.born_after)
        if group.rows[told].sum() >= FEWEST_OF_HABIT and group.born_after[told].max() <= group.born_before[told].min():
            off = group.rows[told] @ (group.years_off[told] > 0)
            group.probability[np.ix_(entry, off > MOST_OFF)] *= 0.5


def _entries(group: Called) -> list[Flags]:
    """The ways of telling that hold no day twice, each as its statements."""
    habits = [(bool(aged), manner) for aged, manner in zip(group.is_told.tolist(), group.manner.tolist(), strict=True)]
    found = []
    for habit in dict.fromkeys(habits):
        mine = np.array([one == habit for one in habits])
        if group.rows[mine].sum() == len(np.unique(group.days[mine])) >= MEETINGS:
            found.append(mine)
    return found


def _clashes(group: Called) -> Flags:
    """Which statements of one day can't be of one child: of no common day of birth, or of two schools or towns."""
    is_same_day = group.days[:, None] == group.days[None, :]
    if is_same_day.sum() == len(group.days):
        return np.zeros_like(is_same_day)
    after, before = group.born_after, group.born_before
    apart = (after[:, None] > before[None, :] + 1) | (after[None, :] > before[:, None] + 1)
    for names in (group.schools, group.towns):
        told = [name[1] if name else "" for name in names]
        distinct = {name: at for at, name in enumerate(dict.fromkeys(told))}
        # 南小 is 南小学校 cut short; and nothing told contradicts nothing
        alike = np.array([[a.startswith(b) or b.startswith(a) for b in distinct] for a in distinct])
        at = [distinct[name] for name in told]
        apart |= ~alike[np.ix_(at, at)]
    return np.asarray(apart & is_same_day)


def _share_out_days(each: Floats, days: npt.NDArray[np.generic], clashes: Flags) -> None:
    """Give statements of one day that contradict each other to different children: a sheet has a child once on a day."""
    torn = clashes.any(axis=1)
    for day in np.unique(days[torn]):
        here = np.flatnonzero(torn & (days == day))
        if len(here) > MOST_TOGETHER or len(each) < 2 or (len(each) + 1) ** len(here) > MOST_WAYS:
            continue
        weights = np.vstack([each[:, here], 1 - each[:, here].sum(axis=0)])
        shared = np.zeros_like(weights)
        for chosen in product(range(len(weights)), repeat=len(here)):
            is_once = all(
                a != b or a == len(each) or not clashes[here[i], here[j]]
                for (i, a), (j, b) in combinations(enumerate(chosen), 2)
            )
            if is_once:
                weight = float(np.prod(weights[chosen, np.arange(len(here))]))
                for at, part in enumerate(chosen):
                    shared[part, at] += weight
        total = shared.sum(axis=0)
        if (total > 0).all():
            each[:, here] = (shared / total)[:-1]


class _Weighing:
    """One name's statements against all whom it can mean."""

    def __init__(self, group: Called, sheet: Sheet, rows: Floats, bits: Floats, weight: Floats) -> None:
        self.group, self.sheet, self.rows, self.bits, self.weight = group, sheet, rows, bits, weight
        after, before = group.born_after, group.born_before
        self.within = (after[:, None] <= after[None, :] + 1) & (before[:, None] >= after[None, :] - 1)
        """Whether a statement's ages allow the first day of birth that another's do."""
        self.clashes = _clashes(group)
        self.is_torn = bool(self.clashes.any())

    def scores(self, part: Flags) -> Floats:
        """How well each child, and last somebody from elsewhere, explains some of the statements alone, in bits."""
        rows = self.rows * part
        known = part & ~np.isnan(self.group.born_after)
        # what many rows repeat counts as MOST_SAID, not what they contradict
        agreeing = float((rows[known] @ self.within[np.ix_(known, known)]).max()) if known.any() else 0.0
        apart = float(rows[known].sum()) - agreeing
        scale = min(1.0, MOST_SAID / (float(rows.sum()) - apart))
        rows = rows * scale
        alone = _alone(self.group, self.sheet, rows, self.bits)
        contradicted = apart * scale * self.sheet.off_bits + self._contradicted(part, rows)
        most = min(float(alone.min()), USUAL_MISS * float(rows.sum()) + contradicted)
        torn = len(np.unique(self.group.days[part & (self.clashes & part[None, :]).any(axis=1)])) if self.is_torn else 0
        return np.append(self.weight - alone, self._elsewhere(part) - most) - TOGETHER * torn

    def _contradicted(self, part: Flags, rows: Floats) -> float:
        """Bits by which statements contradict each other, whoever is meant: of schools in one year, of towns."""
        group, bits = self.group, 0.0
        for names, miss in ((group.schools, SCHOOL_TOLD_OTHERWISE), (group.towns, TOWN_TOLD_OTHERWISE)):
            told: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
            for at in np.flatnonzero(part).tolist():
                if (name := names[at]) is not None:
                    told[name[0]][name[1]] += float(rows[at])
            bits += miss * sum(sum(found.values()) - max(found.values()) for found in told.values())
        return bits

    def chances(self, part: Flags) -> Floats:
        """How probable each is."""
        scores = self.scores(part)
        chance = np.exp2(scores - scores.max())
        return np.asarray(chance / chance.sum())

    def parted(self) -> list[Flags]:
        """Part the statements by whom they mean, as long as one child more explains them better than it is unlikely."""
        parts = best = [np.ones(len(self.rows), dtype=bool)]
        score, tried = self._score(parts), 0
        while len(parts) < MOST_CHILDREN and tried <= 2 and (more := self._one_more(parts)) is not None:
            parts, tried = more, tried + 1
            if (found := self._score(parts)) > score:
                best, score, tried = parts, found, 0
        return best

    def _one_more(self, parts: list[Flags]) -> list[Flags] | None:
        best = [int(self.scores(part)[:-1].argmax()) for part in parts]
        now = np.zeros(len(self.rows))
        for part, k in zip(parts, best, strict=True):
            now[part] = self.bits[part, k]
        gain = self.rows @ np.maximum(now[:, None] - self.bits, 0.0) + self.weight
        gain[best] = -np.inf
        at = int(gain.argmax())
        if gain[at] - self.weight[at] <= USUAL_MISS:
            return None
        best.append(at)
        where = np.full(len(self.rows), -1)
        for index, part in enumerate(parts):
            where[part] = index
        for _ in range(3):
            costs = self.bits[:, best].copy()
            known = where >= 0
            costs[np.flatnonzero(known), where[known]] -= 1e-6  # nothing moves that fits both
            where = costs.argmin(axis=1)
            found = [where == index for index in range(len(best))]
            if not all(part.any() for part in found):
                return None
            best = [int(self.scores(part)[:-1].argmax()) for part in found]
            if len(set(best)) < len(best):
                return None
        return found

    def _score(self, parts: list[Flags]) -> float:
        total, size = 0.0, float(self.rows.sum())
        for part in parts:
            scores, mine = self.scores(part), float(self.rows[part].sum())
            total += scores.max() + math.log2(np.exp2(scores - scores.max()).sum())
            total -= min(mine, MOST_SAID) * math.log2(size / mine)
        return total + (len(parts) - 1) * math.log2(self.sheet.coming)

    def _elsewhere(self, part: Flags) -> float:
        group = self.group
        bearers = min(max(group.bearers, FEWEST_ELSEWHERE), MANY_ELSEWHERE)
        taught = SCHOOL_ELSEWHERE if group.is_taught[part].any() else 1.0
        return math.log2(FROM_ELSEWHERE * self.sheet.elsewhere * bearers * self._narrow(part) * taught) - group.chosen

    def _narrow(self, part: Flags) -> float:
        """How much the statements narrow the days of birth; not at all where they contradict each other."""
        after, before = self.group.born_after[part], self.group.born_before[part]
        after, before = after[~np.isnan(after)], before[~np.isnan(before)]
        width = before.min() - after.max() if len(after) else 0.0
        return min(max(width / USUAL_WIDTH, NARROWEST), 1.0) if width > 0 else 1.0


def _counting(rows: Floats) -> float:
    return float(min(1.0, MOST_SAID / rows.sum()))


def _alone(group: Called, sheet: Sheet, rows: Floats, bits: Floats) -> Floats:
    """Bits against each child as the only one meant: one child's ages are right or wrong together."""
    off = rows @ (group.years_off > 0)
    told = np.maximum(rows @ group.is_told, off)
    wrong = _one_childs_ages(off, told, sheet)
    return rows @ (bits - np.where(group.years_off > 0, sheet.off_bits, 0.0)) + wrong


def _one_childs_ages(off: Floats, told: Floats, sheet: Sheet) -> Floats:
    a, b = sheet.errs, sheet.holds
    # many children miss equally many: each pair of counts is worked out once, against a child whose ages all hold
    known: dict[tuple[float, float], float] = {}
    for o, t in zip(off.tolist(), told.tolist(), strict=True):
        if (o, t) not in known:
            ways = math.lgamma(a) + math.lgamma(b + t) - math.lgamma(a + o) - math.lgamma(b + t - o)
            known[o, t] = ways / math.log(2) + o
    return np.array([known[pair] for pair in zip(off.tolist(), told.tolist(), strict=True)])
