"""Usual indicators proposed for a data item from what its facts look like, as text a person edits (analysis side).

An item that no indicator uses tells a judgement nothing. What is proposed here follows the kind of the facts alone:
of events their number, of months their mean over a quarter, a year and two, of states whether they hold, of codes
each one that enough people bore. No sign is claimed; which of it matters, the learned methods and staff find out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kodomo.features.item_shapes import EVENT, MONTH, STATE, Shape
from kodomo.features.worries import grade, says_well

FEWEST_BEARERS = 10
"""A code that fewer people ever bore tells a learner nothing, and would describe them."""
MOST_CODES = 12
USUAL_CODE = 0.6
"""An outcome that this share had, of two or three there are, is what is usual: the others say it better."""
LONG, HISTORY = 24, 60
"""Months: what repeats is counted over two years, what happens once in a childhood over five."""
LATELY = 6
"""Months that speak of how a child is now: a quarter, of which the newest month is often not delivered yet, holds too little,
and a year too much that is over."""
OF_WHOM = {"self": "", "mother": "母の", "household": "同居者の", "siblings": "きょうだいの", "guardians": "保護者の"}
UNITS = (("日数", "日"), ("人数", "人"), ("回数", "回"), ("件数", "件"), ("時間", "時間"), ("点", "点"),
         ("額", "円"), ("所得", "円"), ("収入", "円"))  # fmt: skip
"""(how an item's name ends, what its number counts)"""
FEWEST_RUNGS = 4
"""Of two or three codes that differ in a number it is as likely only their name."""
_LEVEL = re.compile(r"階層|等級|段階|程度|ランク|級$|度$")
_RUNG = re.compile(r"(?P<before>\D*)(?P<rung>\d{1,2})(?P<after>\D*)")
_COUNTED = re.compile(r"の?(日数|回数|件数|人数|月数|冊数|額)$|(?<=[^のるいたなか])数$")
_CLAUSE = re.compile(r"[るいたないうくすつむ]$")
"""A name that ends like a clause (朝ごはんを食べない) stands in quotation marks inside a sentence."""

Entry = dict[str, Any]


@dataclass(frozen=True)
class Named:
    """What the register says of an item: its Japanese name, the types it may serve, whether it is a contact."""

    caption: str
    types: tuple[str, ...] = ()
    is_contact: bool = False


def propose(
    shape: Shape,
    named: Named,
    *,
    codes: Collection[str] | None = None,
    is_used: bool = False,
    taken: Collection[str] = (),
) -> list[Entry]:
    """Indicators for one item, as entries of ``[[indicators]]``.

    Args:
        codes: only these codes of it; None for all worth asking of.
        is_used: other indicators look at the item already: only its codes are proposed.
        taken: codes of indicators that are in use.
    """
    wanted = telling_codes(shape) if codes is None else [code for code, _ in shape.codes if code in codes]
    found: list[Entry] = []
    for whose in _of_whom(shape, named):
        made = _Maker(shape, named, whose)
        if not is_used and shape.has_numbers and not shape.is_presence:
            found += made.of_numbers()
        elif not is_used and (shape.is_presence or shape.repeats):
            found += made.of_presence()
        steps, levels = scale(shape), ladder(shape, named.caption)
        if levels and not is_used:
            found += made.of_ladder(levels)
            continue
        if whose == "siblings":
            told = steps[-2] if len(steps) > 1 else wanted
            found += [made.of_codes(told)] if told and not is_used else []
            continue
        if not is_used and steps:
            found += [made.of_step(codes, number) for number, codes in enumerate(steps, 1)]
            continue
        for number, code in enumerate(wanted, 1):
            # Of what grown-ups and children bear, some codes are the children's own.
            own = _Maker(shape, named, "self") if code in shape.childrens and whose == "household" else made
            found.append(own.of_code(code, number))
    return list(_renamed(found, taken))


def telling_codes(shape: Shape, but: Collection[str] = ()) -> list[str]:
    """The codes worth an indicator each: borne by enough, and not the usual outcome of an event; ``but`` have theirs."""
    if shape.has_numbers:
        return []
    enough = [(code, persons) for code, persons in shape.codes if persons >= FEWEST_BEARERS]
    told = [one for one in enough if not says_well(one[0])]  # what is well, the others say by their absence
    if len(enough) > 2 and told and len(told) < len(enough):
        enough = told
    elif shape.spell != STATE and len(enough) in (2, 3) and enough[0][1] >= USUAL_CODE * shape.persons:
        enough = enough[1:]
    return [code for code, _ in enough if code not in but][:MOST_CODES]


def scale(shape: Shape) -> list[list[str]]:
    """The codes of a graded answer from each grade upwards, mildest first; empty where its codes are no grades.

    How often somebody was at least so much of a worry says more than how often just so much.
    """
    grades = {code: grade(code) for code, persons in shape.codes if persons >= FEWEST_BEARERS}
    levels = {level for level in grades.values() if level}
    if (
        shape.spell == STATE
        or shape.has_numbers
        or None in grades.values()
        or 0 not in grades.values()
        or len(levels) < 2
    ):
        return []
    return [[code for code, level in grades.items() if (level or 0) >= least] for least in sorted(levels)]


def ladder(shape: Shape, caption: str) -> list[list[str]]:
    """The codes of a level (D0 to D8, 第1階層 to 第9階層) from each rung upwards, lowest first; empty where they are none.

    Codes that differ only in one number, one after another, stand in its order where they or the item are called a
    level: a fee band, a degree. Each alone few bear; a rung and all above it half of them. Other numbers are names.
    """
    numbers = {code: _RUNG.fullmatch(code) for code, persons in shape.codes if persons >= FEWEST_BEARERS}
    if len(numbers) < FEWEST_RUNGS or shape.has_numbers or not all(numbers.values()):
        return []
    said = {(m["before"], m["after"]) for m in numbers.values() if m}
    if not any(_LEVEL.search(words) for words in (caption, *("".join(one) for one in said))):
        return []
    rungs = sorted((int(m["rung"]), code) for code, m in numbers.items() if m)
    high, low = rungs[-1][0], rungs[0][0]
    if len(said) > 1 or len({rung for rung, _ in rungs}) < len(rungs) or high - low >= 2 * len(rungs):
        return []
    return [[code for _, code in rungs[n:]] for n in range(1, len(rungs))][:MOST_CODES]


def _of_whom(shape: Shape, named: Named) -> tuple[str, ...]:
    """Whose facts are asked for: a child's own, and its siblings' where the home may be behind them."""
    at_home = not named.types or set(named.types) & {"虐待", "貧困", "ヤングケアラー", "総合"}
    return (shape.whose, "siblings") if shape.whose == "self" and at_home else (shape.whose,)


@dataclass(frozen=True)
class _Maker:
    """Makes the entries of one item about one kind of relative."""

    shape: Shape
    named: Named
    whose: str

    @property
    def _who(self) -> str:
        return OF_WHOM[self.whose]

    @property
    def _named(self) -> str:
        """The item's name as it stands in captions and sentences, and whose."""
        caption = self.named.caption
        return f"{self._who}「{caption}」" if _CLAUSE.search(caption) else f"{self._who}{caption}"

    @property
    def _is_asked(self) -> bool:
        """Whether some of its codes say that all is well: then its being there tells nothing."""
        return bool(scale(self.shape)) or any(says_well(code) for code, _ in self.shape.codes)

    @property
    def is_owed(self) -> bool:
        """Whether months are told of only where there is something (unpaid bills): their number says most.

        Not answers, weights and school days, which are above nought as well, but told of nearly everybody asked.
        """
        return self.shape.spell == MONTH and self.shape.least > 0 and not self.shape.is_common

    @property
    def is_monthly(self) -> bool:
        """Whether months are told of one after another; a survey's are not, whatever month its answers are given to."""
        return self.shape.spell == MONTH and (self.is_owed or not self.shape.is_sparse)

    @property
    def _unit(self) -> str:
        """What a number counts, where the item's own name says it."""
        unit = next((f" {unit}" for end, unit in UNITS if self.named.caption.endswith(end)), "")
        scale_is_said = self.shape.is_answer and not self.is_monthly
        return unit or (f"({self.shape.least:.0f}–{self.shape.most:.0f})" if scale_is_said else "")

    def of_numbers(self) -> list[Entry]:
        """Of a number: its level lately and over long, its peak; of a yes, how often."""
        named = self._named
        if self.shape.spell not in (EVENT, MONTH):
            kinds = (("sum", "合計"), ("max", "最大")) if self.whose == "household" else (("max", ""),)
            return [
                self._entry(f"now_{kind}", f"{named}{f'({said})' if said else ''}", f"{named}{f'の{said}' if said else ''}が {{value}}{self._unit}", at="now", aggregate=kind)
                for kind, said in kinds
            ]  # fmt: skip
        if self.whose == "siblings":
            return (
                [self._count(LONG) if self.is_owed else self._mean(12)]
                if self.is_monthly
                else [self._over(HISTORY, "max", "最大")]
            )
        if self.is_owed:
            return [self._count(12), self._count(LONG), self._over(12, "max", "最大")]
        if self.is_monthly and not self.shape.is_flag:
            return [self._mean(LATELY), self._mean(12), self._mean(LONG), self._over(12, "max", "最大")]
        if self.shape.is_flag:
            if not self._unit and not self.shape.repeats:
                return [
                    self._entry(f"yes_{HISTORY}m", f"{HISTORY}か月以内の{named}", f"{named}: あり({HISTORY}か月以内)",
                                window_months=HISTORY, aggregate="max", sentence_zero=f"{named}: なし({HISTORY}か月以内)")
                ]  # fmt: skip
            said = "合計" if self._unit else "回数"
            return [self._over(LONG if self.shape.spell == MONTH else HISTORY, "sum", said, self._unit or " 回")]
        kinds = (("max", "最大"), ("last", "最新")) if self.shape.repeats else (("last", "最新"),)
        # one answer is the mood of a day, and the greatest of many most children reach once: what is answered each time says more
        level = [self._over(LONG, "mean", "平均")] if self.shape.is_answer and self.shape.repeats else []
        return level + [self._over(HISTORY, kind, said) for kind, said in kinds]

    def of_presence(self) -> list[Entry]:
        """Of what there is or is not: whether it holds, how often it was."""
        named = self._named
        if self._is_asked:
            return []
        if self.shape.spell not in (EVENT, MONTH):
            return [] if self.shape.codes else [
                self._entry("now", f"{named}", f"{named}の記録がある", at="now", aggregate="any",
                            sentence_zero=f"{named}の記録はない"),
                self._entry(f"{LONG}m", f"{LONG}か月以内の{named}", f"{LONG}か月以内に{named}の記録がある",
                            at="touching", window_months=LONG, aggregate="any",
                            sentence_zero=f"{LONG}か月以内に{named}の記録はない"),
            ]  # fmt: skip
        if self.whose == "siblings":
            return [] if self.shape.codes else [self._count(LONG)]
        return [
            self._count(LATELY),
            *([self._count(12), self._count(LONG)] if self.shape.repeats else [self._count(HISTORY)]),
        ]

    def of_code(self, code: str, number: int) -> Entry:
        """Of one code: whether it holds, or how often it was."""
        caption, who = f"{self._named}「{code}」", self.whose
        if self.shape.spell not in (EVENT, MONTH):
            several = who == "household"
            return self._entry(
                f"is_{number}", caption, f"{caption}が {{value}} 人" if several else f"{caption}に当たる", at="now",
                aggregate="count" if several else "any", codes=[code], sentence_zero=f"{caption}の記録はない",
            )  # fmt: skip
        months = LONG if self.shape.repeats or self.shape.spell == MONTH else HISTORY
        return self._entry(
            f"code_{number}", f"{months}か月以内の{caption}", f"{months}か月以内に{caption}が {{value}} 回",
            window_months=months, aggregate="count", codes=[code], sentence_zero=f"{months}か月以内に{caption}の記録はない",
        )  # fmt: skip

    def of_step(self, codes: Sequence[str], number: int) -> Entry:
        """Of a graded answer: how often it was at least so much."""
        caption = f"{self._named}「{'・'.join(codes)}」"
        return self._entry(
            f"step_{number}", f"{LONG}か月以内の{caption}", f"{LONG}か月以内に{caption}が {{value}} 回", window_months=LONG,
            aggregate="count", codes=list(codes), sentence_zero=f"{LONG}か月以内に{caption}の記録はない",
        )  # fmt: skip

    def of_ladder(self, levels: Sequence[Sequence[str]]) -> list[Entry]:
        """Of a level: in what share of the last two years' records somebody stood on each rung or above; of siblings the middle one."""
        if self.whose == "siblings":
            levels = [levels[len(levels) // 2]]
        found = []
        for number, codes in enumerate(levels, 1):
            caption = f"{self._named}が「{codes[0]}」以上"
            found.append(
                self._entry(
                    f"from_{number}", f"{LONG}か月以内に{caption}の割合", f"{LONG}か月以内の記録のうち、{caption}の割合が {{value}}",
                    window_months=LONG, aggregate="share", codes=list(codes),
                )
            )  # fmt: skip
        return found

    def of_codes(self, codes: Sequence[str]) -> Entry:
        """Of several codes together: whether any holds, or how often they were."""
        caption = f"{self._named}「{'・'.join(codes)}」"
        if self.shape.spell not in (EVENT, MONTH):
            return self._entry("is_any", caption, f"{caption}に当たる", at="now", aggregate="any", codes=list(codes),
                               sentence_zero=f"{caption}の記録はない")  # fmt: skip
        return self._entry(
            "codes", f"{HISTORY}か月以内の{caption}", f"{HISTORY}か月以内に{caption}が {{value}} 回",
            window_months=HISTORY, aggregate="count", codes=list(codes), sentence_zero=f"{HISTORY}か月以内に{caption}の記録はない",
        )  # fmt: skip

    def _mean(self, months: int) -> Entry:
        caption = self._named
        return self._entry(
            f"mean_{months}m", f"直近{months}か月の{caption}(月平均)", f"直近{months}か月の{caption}が月平均 {{value}}{self._unit}",
            window_months=months, aggregate="mean",
        )  # fmt: skip

    def _over(self, months: int, aggregate: str, said: str, unit: str | None = None) -> Entry:
        caption = self._named
        return self._entry(
            f"{aggregate}_{months}m", f"{caption}({months}か月以内の{said})", f"{months}か月以内の{caption}の{said}が {{value}}{self._unit if unit is None else unit}",
            window_months=months, aggregate=aggregate,
        )  # fmt: skip

    def _count(self, months: int) -> Entry:
        caption = self._named
        if self.shape.spell == MONTH:
            caption = f"{self._who}{_COUNTED.sub('', self.named.caption)}"
            return self._entry(
                f"{months}m", f"{caption}のある月({months}か月以内)", f"{months}か月以内に{caption}のある月が {{value}} か月",
                window_months=months, aggregate="count", sentence_zero=f"{months}か月以内に{caption}の記録はない",
            )  # fmt: skip
        return self._entry(
            f"{months}m", f"{months}か月以内の{caption}(回数)", f"{months}か月以内に{caption}が {{value}} 回",
            window_months=months, aggregate="count", sentence_zero=f"{months}か月以内に{caption}の記録はない",
        )  # fmt: skip

    def _entry(self, suffix: str, caption: str, sentence: str, **more: Any) -> Entry:
        """One entry, its keys in the order in which people write them."""
        prefix = "" if self.whose in ("self", "mother") else f"{self.whose}_"
        about = {} if self.whose == "self" else {"whose": self.whose}
        if (more.get("at"), more["aggregate"]) in (("now", "any"), ("now", "max")) and self.shape.late:
            # a list known only when it is over: it tells until the next
            more |= {"at": "touching", "window_months": min(self.shape.late, LONG)}
        order = ("at", "window_months", "aggregate", "codes")
        return {
            "code": f"{prefix}{self.shape.item}_{suffix}", "caption": caption, "item": self.shape.item, **about,
            **{key: more[key] for key in order if key in more},
            "types": list(self.named.types) or ["*"], "sign": "none",
            **({"is_contact": True} if self.named.is_contact else {}),
            "sentence": sentence, **({"sentence_zero": more["sentence_zero"]} if "sentence_zero" in more else {}),
        }  # fmt: skip


def _renamed(found: Sequence[Entry], taken: Collection[str]) -> Iterator[Entry]:
    """The entries under codes nobody has yet."""
    used = set(taken)
    for entry in found:
        code, number = entry["code"], 2
        while code in used:
            code, number = f"{entry['code']}_{number}", number + 1
        used.add(code)
        yield {**entry, "code": code}


def as_text(table: str, entries: Sequence[Entry]) -> str:
    """Entries of a table of that name as TOML, which writes words, numbers, lists and truth as JSON does."""
    return "".join(
        f"\n[[{table}]]\n"
        + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in entry.items())
        for entry in entries
    )


def unused(
    shapes: Mapping[str, Shape], entries: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Shape, list[str], bool]]:
    """The items, or codes of items, that no written indicator looks at.

    Yields:
        the item; the codes no indicator names (all of them for an item nothing looks at); whether the item is used.
    """
    for item, shape in sorted(shapes.items()):
        own = [e for e in entries if item in (e.get("item"), e.get("per"))]
        named = {code for e in own for code in e.get("codes", ())}
        codes = telling_codes(shape, named)
        if not own or codes:
            yield shape, codes, bool(own)
