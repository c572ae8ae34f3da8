"""The door for link review: two records side by side, and what a person decides about them, each look audited (identity side).

Names, readings, birth dates and addresses leave the vault here, two records at a time, for somebody whose
work is to tell whether they are one person. An address is withheld where either may be protected
(DV等支援措置), a part of which the register gives no basis for 名寄せ on the day is withheld too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc
from django.db.models import Q, QuerySet

from kodomo.configuration import Home
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance.audit import AuditEvent
from kodomo.governance.register import Register
from kodomo.terms import Purpose
from kodomo.vault import people
from kodomo.vault.database import audited
from kodomo.vault.keys import Keyring
from kodomo.vault.models import DoubtfulPair, Person, Receipt
from kodomo.vault.records import read_mention

SAME, DIFFERENT, HOLD, UNDO = "SAME", "DIFFERENT", "HOLD", "UNDO"
DECISIONS = {SAME: "同じ人", DIFFERENT: "別の人"}

REASONS = {
    "TWIN": "双子のどちらか、名では決まらない",
    "CLOSE_SECOND": "よく似た人がもう一人いる",
    "WEAK": "合うところが足りない",
    "RETURNED": "転出した人が戻ったように見える",
    "NAME_AND_AGE": "氏名と年齢しか分からない",
    "CLASSMATES": "同じ組に、その姓(名)のこどもが何人かいる",
    "OTHER_TIME": "番号しかなく、その日にはまだ(もう)この人の番号ではない",
    "HOLDER": "契約者の氏名は合うが、番地が合わず、同姓同名かもしれない",
    "DRAWN_NUMBER": "抜き取り確認(番号で結んだ記録から)",
    "DRAWN_NAME": "抜き取り確認(氏名と生年月日で結んだ記録から)",
    "DRAWN_OTHER": "抜き取り確認(そのほかで結んだ記録から)",
}
"""Why linkage left a pair to a person, or how the lot drew it."""

_DRAWN = "DRAWN_"

SHOWN: Mapping[str, str | None] = {
    "name": "name", "name_kana": "name_kana", "former_name": "former_name", "alias_name": "alias_name", "alias_kana": "alias_name",
    "born_on": "birth_date", "sex": "sex", "age": None, "grade": None, "school": None, "class_name": None, "seat": None,
    "child_born_on": "birth_date", "relationship": "relationship",
    "resident_number": "resident_number", "household_number": "household_number", "address": "address",
}  # fmt: skip
"""What of a record is shown, and the register's item it rests on; None where the item is the source's own."""


@dataclass(frozen=True)
class Record:
    """One of the two records, as known from ``known_on``. Hides itself from logs: the values are not in its ``repr``."""

    ref: str
    source: str
    file: str
    row: int
    known_on: dt.date | None
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Pair:
    """A doubtful pair opened: both records, why it is doubtful, and which parts are withheld.

    ``weight`` is None of a pair drawn by lot, which nothing made doubtful. ``others`` are the open pairs of the same left
    record: whom else it may be.
    """

    pair: int
    why: str
    weight: float | None
    left: Record
    right: Record
    withheld: tuple[str, ...]
    decision: str
    decided_by: str
    others: tuple[int, ...] = ()


@dataclass(frozen=True)
class PairDesk:
    """One reviewer's look at doubtful pairs. Everything it returns or changes has left an audit row."""

    home: Home
    keyring: Keyring = field(repr=False)
    by: str
    role: str
    at: dt.datetime

    def waiting(self) -> list[dict[str, Any]]:
        """Open pairs, the weightiest first, as numbers, sources and reasons: no value of anybody."""
        with self._audited("desk.pairs", ""):
            return _listed(_open_pairs())

    def decided(self, most: int) -> list[dict[str, Any]]:
        """The pairs decided last, newest first."""
        with self._audited("desk.pairs", ""):
            found = DoubtfulPair.objects.using("vault").exclude(decision="").order_by("-decided_at", "-pk")
            return _listed(found[:most])

    def both(self, pair: int, *, register: Register, on: dt.date) -> Pair:
        """Open the two records of a pair.

        Args:
            register, on: the item register and the calendar day in the city.

        Raises:
            NotReady: there is no such pair, or one of its records is gone.
            IntegrityFault: a seal does not open.
        """
        with self._audited("OPEN_PAIR", f"pair:{pair}"):
            found = _pair(pair)
            left, right = (self._mention(ref) for ref in (found.left_ref, found.right_ref))
            withheld = self._withheld(found, (left, right), register, on)
            return Pair(
                pair, REASONS.get(found.why, found.why), _weight(found), _record(found.left_ref, left, withheld),
                _record(found.right_ref, right, withheld), withheld, found.decision, found.decided_by,
                tuple(_open_pairs().filter(left_ref=found.left_ref).exclude(pk=pair).values_list("pk", flat=True)),
            )  # fmt: skip

    def decide(self, pair: int, decision: str, *, only_open: bool = False) -> dict[str, Any]:
        """Record that two records are one person's or not; it holds in every later run.

        Changes no link by itself: the next ``kodomo link`` follows it. A later decision on the same pair takes the
        earlier one's place; the audit trail keeps both.

        Args:
            only_open: only while nobody decided it: of two people at once the second is told.

        Raises:
            WrongUsage: the decision is neither SAME nor DIFFERENT.
            NotReady: there is no such pair, or it is decided already.
        """
        if decision not in DECISIONS:
            raise WrongUsage("判断は SAME(同じ人)か DIFFERENT(別の人)のどちらかです。")
        with self._audited("DECIDE_PAIR", f"pair:{pair}", decision=decision):
            found = DoubtfulPair.objects.using("vault").filter(pk=pair, **({"decision": ""} if only_open else {}))
            if not found.update(decision=decision, decided_by=self.by, decided_at=self.at):
                raise NotReady("その確認待ちの組はありません。", where=f"番号 {pair}", then="一覧を見直してください。")
        return {"pair": pair, "decision": decision}

    def hold(self, pair: int) -> None:
        """Leave a pair open for now: nothing is decided, and the trail says who looked and could not tell."""
        with self._audited("HOLD_PAIR", f"pair:{pair}"):
            _pair(pair)

    def undo(self, pair: int, reason: str) -> None:
        """Take a decision back: the pair is open again, and the next run links by its rules.

        Raises:
            WrongUsage: no reason.
            NotReady: nothing was decided.
        """
        if not reason.strip():
            raise WrongUsage("取り消す理由を書いてください。")
        with self._audited("UNDO_DECISION", f"P{pair}", reason=reason):
            found = DoubtfulPair.objects.using("vault").filter(pk=pair).exclude(decision="")
            if not found.update(decision="", decided_by="", decided_at=None):
                raise NotReady("取り消せる判断がありません。", where=f"番号 {pair}")

    def _mention(self, ref: str) -> Mapping[str, Any]:
        receipt, row, role = ref.split(":")
        found = Receipt.objects.using("vault").filter(pk=int(receipt)).first()
        read = read_mention(self.home, self.keyring, found, int(row), role) if found else None
        if found is None or read is None:
            raise NotReady("この組の記録が見つかりません。", where=ref, then="名寄せをやり直してください。")
        return {**read, "source": found.source, "file": found.file_name}

    def _withheld(
        self, pair: DoubtfulPair, records: Iterable[Mapping[str, Any]], register: Register, on: dt.date
    ) -> tuple[str, ...]:
        lawless = {part for part, item in SHOWN.items() if item and not register.allows(item, Purpose.LINK, on)}
        flagged = any(record.get("address_protection") == "1" for record in records)
        if flagged or self._may_be_protected(_refs_of_all(pair)):
            lawless.add("address")
        return tuple(part for part in SHOWN if part in lawless)

    def _may_be_protected(self, refs: Iterable[str]) -> bool:
        """Whether a person of one of the records is protected. Nobody linked at all is unknown, and unknown counts as protected."""
        links = people.open_run(self.home, self.keyring, people.require_run(), "links")
        numbers = set()
        for ref in refs:
            receipt, row, role = ref.split(":")
            of_ref = pc.and_(pc.equal(links["receipt"], int(receipt)), pc.equal(links["row"], int(row)))
            numbers |= set(links.filter(pc.and_(of_ref, pc.equal(links["role"], role)))["person_number"].to_pylist())
        known = Person.objects.using("vault").filter(pk__in=[n for n in numbers if n is not None])
        flags = list(known.values_list("is_address_protected", flat=True))
        return not flags or any(flags)

    def _audited(self, action: str, subject: str, reason: str = "", **detail: str) -> Any:
        event = AuditEvent(
            actor=self.by, role=self.role, action=action, subject=subject, purpose=Purpose.LINK.label, reason=reason,
            detail=detail,
        )  # fmt: skip
        return audited(self.home, self.keyring, event, self.at)


def open_pair_desk(home: Home, *, by: str, role: str, at: dt.datetime) -> PairDesk:
    """The door for somebody at a page, whose process has the vault's database open."""
    return PairDesk(home, Keyring.open(home.keys), by, role, at)


def waiting_count() -> int:
    """How many pairs wait for a person; a number alone, so no look at anybody."""
    return _open_pairs().count()


def _open_pairs() -> QuerySet[DoubtfulPair]:
    return DoubtfulPair.objects.using("vault").filter(decision="").order_by("-weight", "pk")


def _refs_of_all(pair: DoubtfulPair) -> set[str]:
    """The records of a pair, and of everybody else its two records may be: theirs may be the address that is shown."""
    own = (pair.left_ref, pair.right_ref)
    near = DoubtfulPair.objects.using("vault").filter(Q(left_ref__in=own) | Q(right_ref__in=own))
    return {*own, *(ref for refs in near.values_list("left_ref", "right_ref") for ref in refs)}


def _pair(number: int) -> DoubtfulPair:
    found = DoubtfulPair.objects.using("vault").filter(pk=number).first()
    if found is None:
        raise NotReady("その確認待ちの組はありません。", where=f"番号 {number}", then="一覧を見直してください。")
    return found


def _listed(pairs: Iterable[DoubtfulPair]) -> list[dict[str, Any]]:
    source_of = dict(Receipt.objects.using("vault").values_list("pk", "source"))
    return [
        {"pair": p.pk, "why": REASONS.get(p.why, p.why), "weight": _weight(p),
         "left": source_of.get(int(p.left_ref.split(":")[0]), ""), "right": source_of.get(int(p.right_ref.split(":")[0]), ""),
         "decision": DECISIONS.get(p.decision, ""), "decided_by": p.decided_by, "decided_at": p.decided_at}
        for p in pairs
    ]  # fmt: skip


def _weight(pair: DoubtfulPair) -> float | None:
    """How strongly the two agree; None where nothing was weighed: a rule asks, or a draw."""
    return None if pair.why.startswith(_DRAWN) or pair.weight == 0 else pair.weight


def _record(ref: str, mention: Mapping[str, Any], withheld: Iterable[str]) -> Record:
    hidden = set(withheld)
    values = {part: "" if part in hidden or mention[part] is None else str(mention[part]) for part in SHOWN}
    return Record(ref, mention["source"], mention["file"], int(ref.split(":")[1]), mention["known_from"], values)
