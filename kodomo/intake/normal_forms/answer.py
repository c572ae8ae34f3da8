"""What `kodomo normalise` answers for one written value: normal form, parts, and what is doubtful (identity side)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from kodomo.intake.addresses import DOUBTS as ADDRESS_DOUBTS
from kodomo.intake.addresses import read_address
from kodomo.intake.dates import ERAS
from kodomo.intake.normal_forms.kana import DOUBTS as KANA_DOUBTS
from kodomo.intake.normal_forms.kana import read_kana
from kodomo.intake.normal_forms.loose_dates import DOUBTS as DATE_DOUBTS
from kodomo.intake.normal_forms.loose_dates import read_loosely
from kodomo.intake.normal_forms.names import DOUBTS as NAME_DOUBTS
from kodomo.intake.normal_forms.names import read_name

Parts = dict[str, str | int | list[str] | None]
Reading = tuple[str | None, Parts, list[str]]
Reader = Callable[[str], Reading]

BLANK = "空欄です"
NOTHING = "読み取れるものがありません"
UNDECODABLE = "UTF-8 として読めない文字があります"


@dataclass(frozen=True)
class Answer:
    """One value's answer. ``doubts`` are Japanese words; none means that nothing was uncertain."""

    input: str
    value: str | None
    parts: Parts
    doubts: list[str]

    def as_object(self) -> dict[str, object]:
        """The answer as a JSON object."""
        return {"input": self.input, "value": self.value, "parts": self.parts, "doubts": self.doubts}


def _date(text: str) -> Reading:
    found = read_loosely(text)
    numbers = [int(n) for n in found.value.split("-")] if found.value else []
    year, month, day = [*numbers, None, None, None][:3]
    parts: Parts = {"year": year, "month": month, "day": day, "era": _in_era(found.value or "")}
    if len(found.candidates) > 1:
        parts["candidates"] = list(found.candidates)
    return found.value, parts, [DATE_DOUBTS[d] for d in found.doubts]


def _in_era(value: str) -> str | None:
    """A whole date as the Japanese calendar has it: 令和6年4月1日; a month or year only where no era changes in it."""
    if not value:
        return None
    year, *rest = value.split("-")
    first, last = (
        f"{value}-01-01"[:10] if len(value) < 10 else value,
        f"{value}-12-31"[:10] if len(value) < 10 else value,
    )
    begun = [e for e in ERAS if e.begins.isoformat() <= first]
    if not begun or begun != [e for e in ERAS if e.begins.isoformat() <= last]:
        return None
    number = int(year) - begun[-1].begins.year + 1
    units = zip(rest, ("月", "日"), strict=False)
    return f"{begun[-1].name}{'元' if number == 1 else number}年" + "".join(f"{int(n)}{unit}" for n, unit in units)


def _kana(text: str) -> Reading:
    found = read_kana(text)
    parts: Parts = {"family": found.family, "given": found.given, "key": found.key, "loose": found.loose}
    return found.value, parts, [KANA_DOUBTS[d] for d in found.doubts]


def _name(text: str) -> Reading:
    found = read_name(text)
    parts: Parts = {
        "family": found.family,
        "given": found.given,
        "key": found.key,
        "script": found.script,
        **found.extra,
    }
    return found.value, parts, [NAME_DOUBTS[d] for d in found.doubts]


def _address(text: str) -> Reading:
    found = read_address(text)
    form = found.form._asdict() if found.form else dict.fromkeys(("prefecture", "city", "town", "number", "rest"), "")
    parts: Parts = {**form, **({"street": found.street} if found.street else {})}
    return found.form.value if found.form else None, parts, [ADDRESS_DOUBTS[d] for d in dict.fromkeys(found.doubts)]


KINDS: dict[str, Reader] = {
    "date": _date, "kana": _kana, "name": _name, "address": _address,
}  # fmt: skip


def answer(kind: str, text: str) -> Answer:
    """Normalise one written value of a kind (``KINDS``). Never raises for any text.

    >>> answer("date", "令和元年5月").value
    '2019-05'
    """
    if not text.strip():
        return Answer(text, None, KINDS[kind](text)[1], [BLANK])
    value, parts, doubts = _settled(KINDS[kind], text)
    if "\ufffd" in text:
        doubts = [*doubts, UNDECODABLE]
    if value is None and not doubts:
        doubts = [NOTHING]
    return Answer(text, value, parts, doubts)


def _settled(read: Reader, text: str) -> Reading:
    """A reading whose normal form is its own normal form. Only nonsense needs a second look; what never settles has none."""
    value, parts, doubts = read(text)
    for _ in range(4):
        if value is None:
            return value, parts, doubts
        again, other_parts, other_doubts = read(value)
        if again == value:
            return value, parts, doubts
        value, parts, doubts = again, other_parts, list(dict.fromkeys((*doubts, *other_doubts)))
    return None, read("")[1], [*doubts, NOTHING]


def read_lines(streams: Iterable[BinaryIO]) -> Iterator[str]:
    """Lines of UTF-8 streams without their ends; a byte order mark is dropped, what cannot be read becomes U+FFFD."""
    for stream in streams:
        for number, line in enumerate(stream):
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", errors="replace")
            yield text.removeprefix("\ufeff") if number == 0 else text


def as_line(found: Answer) -> str:
    """One answer as one line of JSON, also when the text holds what UTF-8 cannot carry."""
    written = json.dumps(found.as_object(), ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.dumps(found.as_object())
    return written
