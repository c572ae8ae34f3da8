"""Cells of rows that slipped sideways: what they hold belongs to the column beside them (identity side).

A blank typed in or left out pushes the rest of a hand-kept row one column over: a name stands under 性別, an address
under 学級. A draft lists the words of a column of codes, so such a cell would write a person into it; and one name among
1 to 4 hides that the column holds figures.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from kodomo.intake.column_words import meaning_of
from kodomo.intake.value_kinds import kinds_of_value

FEWEST_ROWS = 100
"""In fewer rows what stands once or twice may be as regular as the rest."""

SELDOM, MOST_USUAL, USUAL_SHARE = 2, 40, 0.97
"""A cell may be a stray if it stands at most so often, beside so few usual values; where these fill the column but for
such a share, no second sign is needed."""

_TELLING = {"name", "unspaced", "kana", "address", "date", "time"}


_OF_FIELD = {"name": {"name", "unspaced"}, "name_kana": {"kana"}, "address": {"address", "number"}, "born_on": {"date"}}


def without_strays(header: Sequence[str], columns: Sequence[Sequence[str]]) -> list[tuple[list[str], bool]]:
    """Each column's cells without those that seem to belong beside it, and whether words were left out."""
    counted = [Counter(_plain(cell) for cell in cells if cell.strip()) for cells in columns]
    kinds: dict[int, set[str]] = {}
    found = []
    for at, cells in enumerate(columns):
        strays: set[str] = set()
        usual = [value for value, count in counted[at].items() if count > SELDOM]
        if len(cells) >= FEWEST_ROWS and 1 <= len(usual) <= MOST_USUAL and not _is_of_people(counted[at]):
            beside = [n for n in (at - 1, at + 1) if 0 <= n < len(columns)]
            for n in beside:
                if n not in kinds:
                    kinds[n] = _main_kinds(counted[n]) & _TELLING | _OF_FIELD.get(meaning_of(header[n]).field, set())
            is_filled_up = sum(counted[at][v] for v in usual) >= USUAL_SHARE * counted[at].total()
            strays = {
                value for value in counted[at].keys() - usual
                if (is_filled_up and not any(_is_alike(value, other) for other in usual))
                or any(value in counted[n] or kinds[n] & _kinds_of(value) for n in beside)
            }  # fmt: skip
        kept = [cell for cell in cells if _plain(cell) not in strays] if strays else list(cells)
        found.append((kept, any(not value.isdecimal() for value in strays)))
    return found


def _kinds_of(value: str) -> set[str]:
    return {*kinds_of_value(value), *(("number",) if re.search(r"\d", value) else ())}


def _is_of_people(counts: Counter[str]) -> bool:
    """A column of names, addresses or dates lists no codes; few of them may be told by chance."""
    cells = Counter(dict.fromkeys(_TELLING, 0))
    for value, count in counts.items():
        if len(value) > 2:  # ある and ない are kana, too
            cells.update(dict.fromkeys(kinds_of_value(value), count))
    return any(cells[kind] >= 0.6 * counts.total() for kind in _TELLING - {"unspaced"})


def _plain(cell: str) -> str:
    return unicodedata.normalize("NFKC", cell).strip()


def _is_alike(value: str, other: str) -> bool:
    """Both codes of figures, or both of a letter and figures: the next grade is as good as the last."""
    return value[:1].isdecimal() == other[:1].isdecimal() and value.isascii() and other.isascii() and len(value) <= 3


def _main_kinds(counts: Counter[str]) -> set[str]:
    values = [value for value, _ in counts.most_common(200)]
    tally = Counter(kind for value in values for kind in kinds_of_value(value))
    return {kind for kind, count in tally.items() if count >= 0.6 * len(values)}
