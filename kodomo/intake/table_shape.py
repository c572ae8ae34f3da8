"""Where in a file's rows the table lies: junk above, header, units, totals, what follows (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from kodomo.intake.column_words import is_known
from kodomo.intake.header import combined

Rows = Sequence[Sequence[str]]

LOOKED_AT = 60
"""Rows among which the header is looked for."""

END_LABELS = ("合計", "総計", "総件数", "出力件数", "件数", "計", "平均", "以上", "総合計", "END", "EOF")
END_MARKS = ("[＊*]{3}", "※", "[-=―─]{3}")
JUNK_LABELS = (
    "延べ人数",
    "延人数",
    "実人数",
    "延べ回数",
    "小計",
    "中計",
    "頁計",
    "ページ計",
    "学年計",
    "学級計",
    "校計",
    "計",
    "合計",
    "平均",
    "のべ",
    "延べ",
)
COUNTED_LABELS = (
    "対象者",
    "対象児",
    "受診者",
    "在籍",
    "登録者",
    "参加者",
    "参加人数",
    "利用者",
    "来所者",
    "人数",
    "レコード",
    "ケンスウ",
    "ケンスー",
)
"""Words under which a count ends a table (対象者 45名, ｹﾝｽｳ,12207): they count only with a number behind them."""

_UNITS = re.compile(
    r"^[((【\[].{0,12}[))】\]]$|^[-=ー―─]{2,}$|^(円|人|日|回|点|件|歳|本|kg|cm|m3|%|全角|半角|数字|必須|任意|西暦|和暦)$"
    r"|^\d[::=]\D{1,6}([\s,、/;・]*\d[::=]\D{1,6})+$|^[A-D][-~〜][A-D]$|^0+\.0+$|^[9X]\(\d+\)$|^Y{2,4}[-/.]?M{1,2}[-/.]?D{1,2}$",
    re.I,
)
_DATAISH = re.compile(r"\d{3,}|\d[./年月日\-]\d|^\d+(\.\d+)?$|^[○×◯●]$|[一-龠々][\s　][一-龠々ぁ-んァ-ヶ]")


@dataclass
class Shape:
    """Positions in the list of a file's rows; ``skip_top`` counts lines of the file."""

    skip_top: int = 0
    header_rows: int = 1
    skip_below: int = 0
    header: list[str] = field(default_factory=list)
    first: int = 0
    """Position of the first row of data."""
    width: int = 0
    footer: str = ""
    junk: str = ""
    short_rows: bool = False
    edges: list[tuple[int, int]] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    def body(self, rows: Rows) -> list[list[str]]:
        """The rows of data alone, each as wide as the table."""
        left_out = set(self.skipped)
        head = list(self.header)
        chosen = []
        for at in range(self.first, len(rows)):
            cells = list(rows[at])
            if at not in left_out and any(cells) and cells != head:
                chosen.append((cells + [""] * (self.width - len(cells)))[: self.width])
        return chosen


def shape_of(rows: Rows, lines: Sequence[int]) -> Shape:
    """Find the table in a file's rows; ``lines`` tells on which line each row begins (from 0)."""
    found = Shape()
    if not rows:
        return found
    found.width = _width(rows)
    head, tail = _control_records(rows)
    start, depth, why = (head, 0, CONTROLLED) if head else _header(rows, found.width)
    found.header_rows = depth
    found.why["header_rows"] = why
    if depth:
        found.skip_top = lines[start]
        found.header = [cell.strip() for cell in combined([list(row) for row in rows[start : start + depth]])]
        found.width = max(found.width, len(found.header))
    else:
        found.skip_top = lines[start]
        found.header = [""] * found.width
    found.first = start + depth
    while found.first < len(rows) and depth and _is_unit_row(rows[found.first]):
        found.first += 1
        found.skip_below += 1
        found.why["skip_below"] = "見出しのすぐ下に、単位か罫線の行がある"
    if found.skip_top:
        found.why["skip_top"] = f"{'見出し' if depth else 'データ'}の上に {found.skip_top} 行ある"
    _ends(rows, found)
    if tail:
        found.skipped += range(len(rows) - len(tail), len(rows))
        found.footer = "|".join([*filter(None, [found.footer]), f"^({'|'.join(dict.fromkeys(tail))})$"])
        found.why["footer"] = "終わりを表すレコード"
    return found


CONTROLLED = "見出しはない。どの行も種別で始まり、初めと終わりに制御レコード(H・T など)がある"
MOST_CONTROLS = 3
_RECORD_KIND = re.compile("[A-Z]{1,2}|[0-9]{1,2}")


def _control_records(rows: Rows) -> tuple[int, list[str]]:
    """How many records open a file, and the kinds of those that close it, where every record begins with its kind.

    Banks' transfer files (1 header, 2 data, 8 trailer, 9 end) and what systems modelled on them write (H, D, T): the
    first and last records tell of the file, and have other fields than the data between them.
    """
    kinds = [row[0].strip() if row else "" for row in rows]
    data, count = Counter(kinds).most_common(1)[0]
    if count < 3 or not all(map(_RECORD_KIND.fullmatch, kinds)):
        return 0, []
    head = kinds.index(data)
    tail = kinds[::-1].index(data)
    usual = Counter(_filled(row) for row in rows if row[0].strip() == data).most_common(1)[0][0]
    around = [*rows[:head], *rows[len(rows) - tail :]]
    is_framed = 0 < head <= MOST_CONTROLS and 0 < tail <= MOST_CONTROLS and head + count + tail == len(rows)
    if not is_framed or any(_filled(row) > usual * 0.7 and len(row) == len(rows[head]) for row in around):
        return 0, []
    return head, kinds[len(rows) - tail :]


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _width(rows: Rows) -> int:
    """How wide most rows are; of a sheet, whose rows are all alike, up to the last filled column."""
    widths = Counter(len(row) for row in rows if any(row))
    many = [(count, width) for width, count in widths.items() if width > 1] or [(1, 1)]
    if len(widths) > 1:
        return max(many)[1]
    return max((at + 1 for row in rows for at, cell in enumerate(row) if cell), default=1)


def _header(rows: Rows, width: int) -> tuple[int, int, str]:
    """Where the header begins, over how many rows, and how one can tell. Depth 0: there is none."""
    body = [row for row in rows[len(rows) // 3 :] if len(row) == width][:500] or list(rows)
    typed = [at for at in range(width) if _share([r[at] for r in body if len(r) > at]) > 0.8]
    for at, row in enumerate(rows[:LOOKED_AT]):
        filled = [cell.strip() for cell in row if cell.strip()]
        if len(filled) < max(min(2, width), width * 0.5) or _is_data(row, typed, body):
            continue
        known = [cell for cell in filled if is_known(cell)]
        contrast = [c for c in typed if c < len(row) and row[c].strip() and not _DATAISH.search(_plain(row[c]))]
        if len(known) < max(1, len(filled) * 0.34) and len(contrast) < 2:
            continue
        depth = _depth(rows, at, typed, body)
        why = f"知っている見出しが {len(known)} 個並び、下の行とは書き方が違う"
        before = rows[at - 1] if at else []
        if depth == 1 and _groups_above(before, row):
            return at - 1, 2, why + "。一つ上の行が、それをまとめる見出し"
        if depth == 1 and _names_above(before, row, body):
            return at - 1, 2, why + "。一つ上の行に、この行にない見出しがある"
        return at, depth, why if depth == 1 else why + f"。{depth} 段になっている"
    first = next((at for at, row in enumerate(rows) if len(row) == width and any(row)), 0)
    return first, 0, "見出しらしい行が見つからない。初めの行から下と同じ書き方をしている"


def _depth(rows: Rows, at: int, typed: list[int], body: Rows) -> int:
    """How many rows the header takes: rows below it that aren't data, where it has merged or blank cells itself."""
    depth = 1
    while at + depth < len(rows) and depth < 4:
        above, row = rows[at + depth - 1], rows[at + depth]
        filled = [c for c, cell in enumerate(row) if cell.strip()]
        has_gaps = any(not (above[c].strip() if c < len(above) else "") for c in filled)
        if not filled or not has_gaps or _is_unit_row(row) or _is_data(row, typed, body):
            break
        is_label = all(not _DATAISH.search(_plain(row[c])) and len(row[c]) <= 25 for c in filled)
        if not is_label or not set(filled) & set(typed):
            break
        depth += 1
    return depth


def _groups_above(before: Sequence[str], row: Sequence[str]) -> bool:
    """Whether the row above the names gathers some of them under one title, which tells repeated names apart."""
    names = [cell.strip() for cell in row if cell.strip()]
    titles = [at for at, cell in enumerate(before) if cell.strip()]
    return len(set(names)) < len(names) and len(titles) >= 2 and len(before) >= len(row) * 0.5


def _names_above(before: Sequence[str], row: Sequence[str], body: Rows) -> bool:
    """Whether the row above names columns that this row leaves blank: cells merged downwards beside a group's parts."""
    titles = [at for at, cell in enumerate(before) if cell.strip()]
    if len(titles) < 2 or any(_DATAISH.search(_plain(before[at])) or len(before[at]) > 25 for at in titles):
        return False
    gaps = [at for at in titles if at < len(row) and not row[at].strip()]
    return any(at < len(cells) and cells[at].strip() for at in gaps for cells in body)


def _is_data(row: Sequence[str], typed: list[int], body: Rows) -> bool:
    """Whether a row is written like the rows below it."""
    there = [c for c in typed if c < len(row) and row[c].strip() and not _is_date_label(row[c], body, c)]
    if there and sum(bool(_DATAISH.search(_plain(row[c]))) for c in there) > len(there) / 2:
        return True
    filled = [(c, cell.strip()) for c, cell in enumerate(row) if cell.strip()]
    seen = [{other[c].strip() for other in body if c < len(other)} for c, _ in filled]
    repeated = sum(cell in values for (_, cell), values in zip(filled, seen, strict=True))
    # A header repeated on each page is in the body too, whole; data repeats in some columns only.
    return 0 < repeated < len(filled) and repeated >= max(1, len(filled) * 0.2)


_DATE_LABEL = re.compile(r"\d\s?[./年月-]\s?\d|\d[月日]$|^(19|20)\d\d(0[1-9]|1[0-2])$")


def _is_date_label(cell: str, body: Rows, at: int) -> bool:
    """Whether a cell is a month or day printed above figures: a date over a column that holds none."""
    below = [row[at] for row in body[:50] if at < len(row) and row[at] != cell]
    return bool(_DATE_LABEL.search(_plain(cell))) and not any(_DATE_LABEL.search(_plain(value)) for value in below)


def _share(cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell.strip()]
    return sum(bool(_DATAISH.search(_plain(cell))) for cell in filled) / len(filled) if filled else 0.0


def _is_unit_row(row: Sequence[str]) -> bool:
    filled = [_plain(cell) for cell in row if cell.strip()]
    return bool(filled) and all(_UNITS.match(cell) for cell in filled)


def _plain(cell: str) -> str:
    # A line feed inside a header's word is no space between 氏 and 名.
    return unicodedata.normalize("NFKC", cell).replace("\n", "").strip()


def _ends(rows: Rows, found: Shape) -> None:
    """Totals and remarks at the end and in between, as patterns of their labels; never of their values."""
    labels: dict[str, list[int]] = {}
    short = []
    for at in range(found.first, len(rows)):
        first = next((cell.strip() for cell in rows[at] if cell.strip()), "")
        filled = sum(1 for cell in rows[at] if cell.strip())
        count = _count(rows[at])
        label = count or _label(first)
        if count or (
            label and (filled <= max(2, found.width * 0.6) or len(rows[at]) != found.width or _is_sums(rows[at]))
        ):
            labels.setdefault(label, []).append(at)
        elif 1 < len(rows[at]) < found.width:
            short.append(at)
    last = max((at for at in range(found.first, len(rows)) if _is_full(rows[at], found, labels)), default=found.first)
    titles = _titles(rows, found)
    for title, places in titles.items():
        labels.setdefault(title, []).extend(places)
    ending = sorted({label for label, places in labels.items() if min(places) > last})
    between = sorted({label for label, places in labels.items() if min(places) <= last})
    found.skipped = [at for places in labels.values() for at in places]
    if ending:
        found.footer = _pattern(ending)
        found.why["footer"] = "最後のほうの行が、この書き出しで終わっている"
    if between:
        found.junk = _pattern(between)
        found.why["junk"] = f"途中に、この書き出しの行が {sum(len(labels[label]) for label in between)} 行ある"
    if short and len(short) > len(rows) * 0.02:
        found.short_rows = True
        found.why["short_rows"] = f"うしろの空のセルを省いた行が {len(short)} 行ある"


_PART_TITLE = re.compile(r"^[\d一-龠々ぁ-んァ-ヶーA-Za-z・\s　]{0,12}(組|年|級|校|園|班|クラス|地区|教室)$")


def _titles(rows: Rows, found: Shape) -> dict[str, list[int]]:
    """Titles of parts (2組, 南小学校) right above a header printed anew, as patterns, with their places."""
    titles: dict[str, list[int]] = {}
    if not found.header_rows:
        return titles
    for at in range(found.first, len(rows) - 1):
        filled = [cell.strip() for cell in rows[at] if cell.strip()]
        is_above = [cell.strip() for cell in rows[at + 1]][: len(found.header)] == found.header
        if len(filled) == 1 and is_above and _PART_TITLE.match(filled[0]):
            pattern = re.sub(r"\d+", r"\\d+", _plain(filled[0]))
            titles.setdefault(pattern + "$", []).append(at)
    return titles


def _is_sums(row: Sequence[str]) -> bool:
    """Whether all that stands beside a row's label is figures."""
    filled = [_plain(cell) for cell in row if cell.strip()]
    return all(re.fullmatch(r"[\d,.]+\D{0,2}", cell) for cell in filled[1:])


def _is_full(row: Sequence[str], found: Shape, labels: dict[str, list[int]]) -> bool:
    first = next((cell.strip() for cell in row if cell.strip()), "")
    return (
        bool(first)
        and not _label(first)
        and not _count(row)
        and sum(1 for cell in row if cell.strip()) > min(2, found.width * 0.3)
    )


_LABELS = sorted({*END_LABELS, *JUNK_LABELS}, key=len, reverse=True)
_LABEL_STARTS = frozenset(label[0] for label in _LABELS) | frozenset("＊*※-=―─")
_AFTER_LABEL = re.compile(r"[\s::]*[\d,.()件人名行]*\D{0,12}$")


def _label(first: str) -> str:
    """The label by which a row of totals or a remark begins, as a pattern; empty for any other row."""
    if first[:1] not in _LABEL_STARTS and _plain(first[:1])[:1] not in _LABEL_STARTS:
        return ""
    for mark in END_MARKS:
        if re.match(mark, first):
            return mark
    plain = _plain(first).upper()
    for label in _LABELS:
        if plain.startswith(label) and _AFTER_LABEL.match(plain[len(label) :]):
            # 計良 is a surname.
            return "" if label == "計" and re.match("[一-龠]", plain[1:]) else label
    return ""


def _count(row: Sequence[str]) -> str:
    """The word by which a row begins that counts the table's rows and says nothing else, as it is printed; else empty."""
    filled = [cell.strip() for cell in row if cell.strip()]
    said = _plain(" ".join(filled))
    label = next((word for word in COUNTED_LABELS if said.startswith(word)), "") if len(filled) <= 4 else ""
    if not label or not re.fullmatch(r"(\D{1,6}?[\s::]*\d[\d,]*[名人件回]?[\s、,/]*)+", said):
        return ""
    return next((filled[0][:end] for end in range(1, len(filled[0]) + 1) if _plain(filled[0][:end]) == label), "")


def _pattern(labels: Sequence[str]) -> str:
    return f"^({'|'.join(labels)})" if len(labels) > 1 else f"^{labels[0]}"
