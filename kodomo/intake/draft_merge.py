"""Several samples of one source looked at together: what one of them lacks, another shows (identity side)."""

from __future__ import annotations

import os.path
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

FEWEST_FOR_ONE_PATTERN = 3
"""So many differing names (one per school, per month …) are written as one pattern; fewer are listed."""

FEWEST_SIGNS = 3
"""A pattern that holds fewer signs than this of its own fits other sources' files too."""

_SAME = ("format", "encoding", "delimiter")
EMPTY = "値が一つもない"


def merged(surveys: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[int]]:
    """One survey of several files of one source, led by the longest.

    Returns:
        The survey, and the positions of files left out because they are written differently.
    """
    lead = max(surveys, key=lambda s: s["rows"])
    names = _forms(lead)
    alike = [s for s in surveys if all(s[k] == lead[k] for k in _SAME)
             and len(names & _forms(s)) >= len(names) / 2]  # fmt: skip
    left_out = [at for at, s in enumerate(surveys) if s not in alike]
    found = {**lead, "shape": _shape(lead["shape"], [s["shape"] for s in alike]), "columns": _columns(lead, alike),
             "rows": sum(s["rows"] for s in alike)}  # fmt: skip
    identities = [s["identity"] for s in alike if s["rows"] > 1]
    running = {c["name"] for c in found["columns"] if c["ignore"]}
    longest = max(identities, key=len) if identities and all(identities) else []
    # What runs from 1 in one file only tells nothing apart, however it looks in another.
    found["identity"] = [name for name in longest if name not in running]
    found["individual_numbers"] = sorted({name for s in alike for name in s["individual_numbers"]})
    return found, left_out


def common_pattern(patterns: Sequence[str]) -> str | list[str]:
    """One pattern for names of one source's files, or all of them where they have too little in common."""
    different = list(dict.fromkeys(patterns))
    if len(different) == 1:
        return different[0]
    start = os.path.commonprefix(different)
    end = os.path.commonprefix([p[::-1] for p in different])[::-1]
    pattern = re.sub(r"\*+", "*", f"{start}*{end}")
    own = re.sub(r"\.[^.]*$", "", pattern)
    if len(different) >= FEWEST_FOR_ONE_PATTERN and len(re.sub(r"[*_.\-\s]", "", own)) >= FEWEST_SIGNS:
        return pattern
    return different


def _key(column: Mapping[str, Any]) -> tuple[str, int]:
    return column["name"], column["occurrence"]


def _forms(survey: Mapping[str, Any]) -> set[tuple[str, int]]:
    """The columns, whichever months they stand for: a file of 4月 to 9月 and one of 10月 to 3月 are of one source."""
    return {(re.sub(r"(?<!\d)(1[0-2]|[1-9])月", "{}月", unicodedata.normalize("NFKC", c["name"])), c["occurrence"])
            for c in survey["columns"]}  # fmt: skip


def _shape(lead: Mapping[str, Any], shapes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where the table lies in all of them: the ends of each, and a header to be searched for where it moves."""
    ends = {}
    between = [s["junk"] for s in shapes]
    for key in ("footer", "junk"):
        # What stands between the rows of one file must not end the other.
        told = list(dict.fromkeys(s[key] for s in shapes if s[key] and (key == "junk" or s[key] not in between)))
        ends[key] = told[0] if len(told) == 1 else f"({'|'.join(told)})" if told else ""
    moves = len({s["skip_top"] for s in shapes}) > 1 and bool(lead["header_rows"])
    return {**lead, **ends, "moves": moves, "short_rows": any(s["short_rows"] for s in shapes)}


def _columns(lead: Mapping[str, Any], surveys: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    order = list(dict.fromkeys(_key(c) for s in (lead, *surveys) for c in s["columns"]))
    return [_column(key, surveys, lead) for key in order]


def _column(key: tuple[str, int], surveys: Sequence[Mapping[str, Any]], lead: Mapping[str, Any]) -> dict[str, Any]:
    given = [c for s in (lead, *surveys) for c in s["columns"] if _key(c) == key]
    telling = [c for c in given if EMPTY not in c["why"]] or given
    chosen = dict(telling[0])
    if chosen["type"] in ("code", "flag", "sex"):
        chosen["codes"] = sorted({code for c in telling if c["type"] == chosen["type"] for code in c["codes"]})
    chosen["listed"] = max(c.get("listed", 0) for c in given)
    chosen["unknown"] = sorted({word for c in given for word in c["unknown"]})
    chosen["digits"] = max(c["digits"] for c in given)
    chosen["has_grades"] = any(c.get("has_grades") for c in given)
    chosen["is_zero_blank"] = any(c.get("is_zero_blank") for c in given)
    chosen["optional"] = any(key not in {_key(c) for c in s["columns"]} for s in surveys)
    # A column that another sample lacks is empty there: required, it would refuse all that sample's rows.
    chosen["is_filled"] = all(c["is_filled"] for c in given) and not chosen["optional"]
    return chosen
