"""Erase one person for good, and know their records again when they are delivered once more (identity side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.configuration import Home
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance.audit import AuditEvent
from kodomo.intake.normalise_columns import names_of, readings_of
from kodomo.linkage.changes import ERASED, RETURNED, Record
from kodomo.terms import Purpose
from kodomo.vault import erasure, history, people, records
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring
from kodomo.vault.rotation import rotate_keys

if TYPE_CHECKING:
    from kodomo.vault.models import Person

SIGNS = ("resident_number", "name", "name_kana", "born_on")
"""What a record is known again by."""


def erase(
    key: str, *, reason: str, home: Home, by: str, at: dt.datetime, check_alone: Callable[[], None]
) -> dict[str, Any]:
    """Destroy a person's sealed identity: cards, search entries, rows in deliveries and runs, and the keys of old copies.

    Numbers merged into the person go with them. The number stays as a tombstone and is never given again.
    Called again after it was interrupted, it goes on. The next run links everything anew, without the person; the
    child database keeps what was published of the pseudonym until it is published again.

    Args:
        check_alone: raises when another stage works on the vault.

    Returns:
        Counts: records and files rewritten, cards that named the person as a guardian; never a value.

    Raises:
        WrongUsage: no reason.
        NotReady: no such person.
        Busy: by ``check_alone``.
    """
    if not reason.strip():
        raise WrongUsage(
            "理由を書いてください。", where="--reason", then="消去の根拠(申出、決定の番号など)を書いてください。"
        )
    check_alone()
    keyring = open_vault(home)
    person = _find(key)
    event = AuditEvent(actor=by, role="REVIEWER", action="ERASE_PERSON_BEGIN", subject=person.person_key,
                       purpose=Purpose.LINK.label, reason=reason)  # fmt: skip
    cards = 0
    if person.erased_at is None:
        with audited(home, keyring, event, at):
            cards = _bury(home, keyring, person.pk, at)
    events = [e for e in history.events_about(person.pk) if e.kind == ERASED]
    found = [tuple(record) for e in events for record in e.records]
    numbers = {n for e in events for n in (e.number_before,) if n is not None}
    files = erasure.take_out_of_deliveries(home, keyring, found) + erasure.take_out_of_runs(home, keyring, numbers)
    rotated = rotate_keys(home=home, by=by, at=at, check_alone=check_alone)
    if rotated["resumed"]:  # it kept keys from before: what they have sealed meanwhile holds the person's rows too
        rotated = rotate_keys(home=home, by=by, at=at, check_alone=check_alone)
    done = AuditEvent(actor=by, role="REVIEWER", action="ERASE_PERSON", subject=person.person_key, purpose=Purpose.LINK.label,
                      reason=reason, detail={"records": len(found), "files": files, "numbers": len(numbers)})  # fmt: skip
    with audited(home, Keyring.open(home.keys), done, at):
        pass
    return {"key": person.person_key, "records": len(found), "numbers": len(numbers), "files_rewritten": files,
            "files_sealed_anew": rotated["files"], "guardian_cards": cards, "then": "kodomo link, kodomo publish"}  # fmt: skip


def unfinished_erasures(home: Home) -> list[str]:
    """Keys of persons whose erasure was interrupted: copies of their rows can still be opened until it is done again."""
    open_vault(home)
    return erasure.unfinished()


UNFINISHED = "消去が途中で止まった人がいます: {keys}。古い写しがまだ開けます。kodomo persons erase KEY --reason … をもう一度実行してください。"


def _find(key: str) -> Person:
    from kodomo.vault.models import Person

    found = Person.objects.using("vault").filter(person_key=key.strip()).first()
    if found is None:
        raise NotReady("その仮名キーの人はいません。", then="kodomo persons history で確かめてください。")
    return Person.objects.using("vault").get(pk=history.standing_number(found.pk))


def _bury(home: Home, keyring: Keyring, number: int, at: dt.datetime) -> int:
    """Tombstones, and one history row for each number with the records that have to go, inside the caller's transaction."""
    numbers = history.aliases(number) | {number}
    numbers |= erasure.lookalikes(keyring, numbers)
    links = people.open_run(home, keyring, people.require_run(), "links")
    mine = links.filter(pc.equal(links["person_number"], number))
    places = _records(mine)
    mentions = [_of_places(table, places) for table in records.mention_tables(home, keyring)]
    said = signs_of(pa.concat_tables(mentions)) if mentions else []
    marks = [(number, kind, text) for sign in said for kind, text in sign.marks()]
    stones = Stones(keyring, {(kind, keyring.mark(f"erased:{kind}:{text}")): [number] for _, kind, text in marks})
    others = _records(links.filter(pc.not_equal(links["person_number"], number)))
    for table in records.mention_tables(home, keyring):  # rows that no rule could give to anybody, but plainly the same
        places |= {record for _, record in stones.found_in(table)} - others
    erasure.forget_pairs(places)
    history.write_changes(None, at, [
        {"kind": ERASED, "before": n, "after": None, "records": sorted(places) if n == number else [], "facts": 0, "rules": [],
         "decision": ""} for n in sorted(numbers)
    ], after=people.highest_number())  # fmt: skip
    return erasure.bury(keyring, numbers, marks, at)


def _records(links: pa.Table) -> set[Record]:
    return set(zip(*(links[c].to_pylist() for c in ("receipt", "row", "role")), strict=True))


def _of_places(table: pa.Table, places: Iterable[Record]) -> pa.Table:
    wanted = pa.array([f"{receipt}:{row}:{role}" for receipt, row, role in places], pa.string())
    return table.filter(pc.is_in(_places(table), value_set=wanted))


def _places(table: pa.Table) -> pa.ChunkedArray:
    parts = (pc.cast(table[name], pa.string()) for name in ("receipt", "row", "role"))
    return pc.binary_join_element_wise(*parts, ":")


# ---- known again ----


@dataclass(frozen=True)
class Signs:
    """What one record says of who it is, in comparison form; hides itself from logs."""

    record: Record
    number: str = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    born_on: str = field(repr=False)

    def marks(self) -> list[tuple[str, str]]:
        """Kinds and texts of marks: number and birth date alone (to find what is near), and a name with either.

        Never the number with the birth date: a record may carry a twin's number, and the twin must not go too.
        """
        found = [("number", self.number)] if self.number else []
        found += [("born", self.born_on)] if self.born_on else []
        for name in self.names:
            found += [("number+name", f"{self.number}:{name}")] if self.number else []
            found += [("name+born", f"{name}:{self.born_on}")] if self.born_on else []
        return found


def signs_of(mentions: pa.Table) -> list[Signs]:
    """The signs of each record of a table of mentions."""
    columns = {name: mentions[name].to_pylist() for name in ("receipt", "row", "role", *SIGNS)}
    names = names_of({n for n in columns["name"] if n})
    readings = readings_of({n for n in columns["name_kana"] if n})
    found = []
    for i, number in enumerate(columns["resident_number"]):
        name, reading = names.get(columns["name"][i]), readings.get(columns["name_kana"][i])
        forms = {name.key if name else "", reading.kana if reading else ""} - {""}
        place = (columns["receipt"][i], columns["row"][i], columns["role"][i])
        found.append(
            Signs(
                place, (number or "").strip().lstrip("0"), tuple(sorted(forms)), (columns["born_on"][i] or "").strip()
            )
        )
    return found


class Stones:
    """The tombstones at work: finds records of erased persons among landed ones."""

    def __init__(self, keyring: Keyring, marks: Mapping[tuple[str, str], list[int]]) -> None:
        self._keyring, self._marks = keyring, marks
        self._seen: dict[tuple[str, str], list[int]] = {}

    def found_in(self, mentions: pa.Table) -> list[tuple[int, Record]]:
        """Erased number and place of each record that is plainly an erased person's.

        A record is theirs when a name agrees beside their number or the birth date; never when it bears
        another number: that is somebody else of one name.
        """
        if not self._marks or not mentions.num_rows:
            return []
        near = pc.or_(self._any(mentions["born_on"], "born"), self._any(mentions["resident_number"], "number"))
        found = []
        for signs in signs_of(mentions.filter(near)):
            whose = self._whose(signs)
            if whose is not None:
                found.append((whose, signs.record))
        return found

    def _whose(self, signs: Signs) -> int | None:
        if signs.number and not self._owners("number", signs.number):
            return None
        for kind, text in signs.marks():
            if "+" in kind and (owners := self._owners(kind, text)):
                return owners[0]
        return None

    def _any(self, column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
        values = pc.unique(column.drop_null()).to_pylist()
        hits = [v for v in values if self._owners(kind, v.strip().lstrip("0") if kind == "number" else v.strip())]
        return pc.fill_null(pc.is_in(column, value_set=pa.array(hits, pa.string())), False)

    def _owners(self, kind: str, text: str) -> list[int]:
        if (kind, text) not in self._seen:
            self._seen[kind, text] = self._marks.get((kind, self._keyring.mark(f"erased:{kind}:{text}")), [])
        return self._seen[kind, text]


@dataclass
class Withheld:
    """Records of erased persons that were delivered again: kept out of linkage, and counted."""

    stones: Stones
    found: list[tuple[int, Record]] = field(default_factory=list)

    def passing(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The tables without records of erased persons."""
        for table in tables:
            hits = self.stones.found_in(table)
            self.found += hits
            if hits:
                wanted = pa.array([f"{r}:{row}:{role}" for _, (r, row, role) in hits], pa.string())
                table = table.filter(pc.invert(pc.is_in(_places(table), value_set=wanted)))
            yield table

    def changes(self) -> list[dict[str, Any]]:
        """What the history has to tell, as ``write_changes`` takes it: each record once."""
        by_number: dict[int, list[Record]] = {}
        for number, record in self.found:
            if record not in history.told_of(number):
                by_number.setdefault(number, []).append(record)
        return [
            {"kind": RETURNED, "before": number, "after": None, "records": found, "facts": 0, "rules": [], "decision": ""}
            for number, found in sorted(by_number.items())
        ]  # fmt: skip


def withheld(keyring: Keyring) -> Withheld:
    """What keeps erased persons out of a run, by the tombstones of the vault."""
    return Withheld(Stones(keyring, erasure.tombstone_marks()))
