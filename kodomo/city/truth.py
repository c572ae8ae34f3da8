"""The answer key: who each row is about and what each child goes through, written where no stage reads (synthetic city)."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from kodomo.city.families import is_child
from kodomo.city.lives import Lives
from kodomo.city.notice import Noticed
from kodomo.city.people import LAST_DAY, City, Person
from kodomo.city.press import Press
from kodomo.terms import DifficultyType as Type


def write_truth(press: Press, noticed: Noticed, out: Path) -> dict[str, int]:
    """Write the answer key's files; returns rows per file."""
    out.mkdir(parents=True, exist_ok=True)
    city, ledger = press.city, press.printer.ledger
    rows: dict[str, Iterable[Sequence[object]]] = {
        "links.csv": ledger.links,
        "people.csv": (_person(p) for p in city.people),
        "kin.csv": _kin(city),
        "households.csv": _households(city),
        "difficulties.csv": _difficulties(press.lives, noticed),
        "needs.csv": _needs(press.lives),
        "canaries.csv": press.canaries,
        "mistakes.csv": ledger.mistakes,
    }
    return {name: _table(out / name, tuple(columns), rows[name]) for name, (_, columns) in ANSWER_KEY.items()}


ANSWER_KEY: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "links.csv": ("抽出ファイルの一行が、だれのことか", {
        "source": "出所のコード", "file": "ファイル名", "row": "データ行の番号(最初が 1)", "person_id": "その行の本人"}),
    "people.csv": ("その市に一度でも住んだ人", {
        "person_id": "人の番号(答えの中だけのもの)", "born_on": "生年月日", "sex": "性別 M F",
        "is_child_at_end": "末日に 18 歳以下で住んでいる", "household_id": "末日の世帯", "is_twin": "双子",
        "is_foreign": "外国籍", "moved_in": "転入したことがある", "moved_out": "転出したことがある",
        "came_back": "出て、別の宛名番号で戻った", "surname_changed": "氏が変わった",
        "is_protected": "支援措置を受けている", "resident_numbers": "持ったことのある宛名番号(空白区切り)"}),
    "kin.csv": ("親子と保護者", {"child": "子", "relative": "親・保護者", "kind": "MOTHER FATHER GUARDIAN"}),
    "households.csv": ("末日の世帯", {"person_id": "人", "household_id": "世帯"}),
    "difficulties.csv": ("子どもの困難の期間(記録に表れないものも含む)", {
        "person_id": "子", "type": "困難の類型", "first_month": "始まりの月", "last_month": "終わりの月(空: 続いている)",
        "intensity": "重さ 0–1(0.5 が境)", "registered_on": "要対協に登録された日(空: 市は知らない)"}),
    "needs.csv": ("支援を要する子どもと、つながった日", {
        "person_id": "子", "need": "支援の種類", "connected_on": "つながった日(空: つながっていない)"}),
    "canaries.csv": ("分析側に一つも現れてはならない文字列", {"kind": "種類", "value": "文字列"}),
    "mistakes.csv": ("わざと誤らせた行", {"file": "ファイル名", "row": "データ行の番号", "kind": "誤りの種類"}),
}  # fmt: skip
"""File → what a row is, and its columns. Nothing but tests and benchmarks may read them."""


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _day(day: int) -> str:
    return dt.date.fromordinal(day).isoformat()


def _person(person: Person) -> tuple[object, ...]:
    stay = person.stay_on(LAST_DAY)
    reasons = {s.reason for s in person.stays}
    return (
        person.person_id, _day(person.born), person.sex, int(is_child(person, LAST_DAY) and stay is not None),
        stay.household if stay else "", int(person.is_twin), int(person.foreign is not None), int("転入" in reasons),
        int(any(s.end_reason == "転出" for s in person.stays)), int(len({s.number for s in person.stays}) > 1),
        int(len({s.text for _, s in person.surnames}) > 1), int(person.is_protected), " ".join(person.numbers()),
    )  # fmt: skip


def _kin(city: City) -> Iterable[tuple[str, str, str]]:
    for family in city.families:
        for child in family.children:
            if child.mother is not None:
                yield child.person_id, child.mother.person_id, "MOTHER"
            if child.father is not None:
                yield child.person_id, child.father.person_id, "FATHER"
            yield child.person_id, family.guardian(LAST_DAY).person_id, "GUARDIAN"


def _households(city: City) -> Iterable[tuple[str, str]]:
    for person in city.people:
        stay = person.stay_on(LAST_DAY)
        if stay is not None:
            yield person.person_id, stay.household


def _difficulties(lives: Lives, noticed: Noticed) -> Iterable[tuple[object, ...]]:
    registered: dict[tuple[int, Type], list[int]] = {}
    for case in noticed.registrations:
        if case.child >= 0:
            registered.setdefault((case.child, case.type), []).append(case.on)
    for kind in Type:
        state = lives.states[kind]
        for child in np.flatnonzero(state.any(axis=1)).tolist():
            days = registered.get((child, kind), [])
            yield from _spells(lives, kind, child, state[child], days)


def _spells(
    lives: Lives, kind: Type, child: int, state: np.ndarray, registered: list[int]
) -> Iterable[tuple[object, ...]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], state.astype(np.int8), [0]))))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        # One number for how heavy it is: far over the threshold is heavier, one half at the threshold.
        depth = float(1 / (1 + np.exp(-1.2 * lives.excess[kind][child, first:end].mean())))
        begin, finish = int(lives.starts[first]), int(lives.starts[end - 1]) + 31
        on = next((d for d in registered if begin - 31 <= d <= finish + 400), None)
        still = end == lives.months
        yield (
            lives.children[child].person_id, kind.label, _day(begin)[:7], "" if still else _day(int(lives.starts[end - 1]))[:7],
            f"{depth:.2f}", _day(on) if on is not None else "",
        )  # fmt: skip


def _needs(lives: Lives) -> Iterable[tuple[str, str, str]]:
    for child in np.flatnonzero(lives.needs_development_support).tolist():
        connected = int(lives.connected[child])
        yield lives.children[child].person_id, "発達支援", _day(connected) if connected <= LAST_DAY else ""
