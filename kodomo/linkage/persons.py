"""Persons by hand: tell what became of one, join two, part one, take it back (identity side).

Everything here is a named person's act with a reason and an audit row. Joining and parting change no
link by themselves: the next ``kodomo link`` follows them, and so does every later one, until undone.
No name, reading, birth date or address is read or shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.configuration import Home
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance.audit import AuditEvent
from kodomo.linkage.changes import KINDS, MERGE, SPLIT, UNDONE
from kodomo.linkage.decisions import decisions_made
from kodomo.store.database import Store
from kodomo.terms import Purpose
from kodomo.vault import history, people, records
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

if TYPE_CHECKING:
    from kodomo.vault.models import Person, PersonDecision, PersonEvent

SEPARATE, JOIN, UNDO = "SEPARATE", "JOIN", "UNDO"
DECISION_KINDS = {SEPARATE: "別の人と決めた", JOIN: "同じ人と決めた", UNDO: "名寄せの変更を取り消した"}

LONGEST_NUMBER = 18
"""Digits of a number of a run, decision or pair: more fit no database's number."""

Pair = tuple[str, str, bool]
"""Two records and whether they are one person's."""


class Links:
    """The newest run's links: whose each landed record is.

    Args:
        parted: what people decided about pairs of records, and still holds.
    """

    def __init__(self, table: pa.Table, parted: Iterable[Pair] = ()) -> None:
        self._parted = [(left, right) for left, right, is_same in parted if not is_same]
        refs = pc.binary_join_element_wise(
            pc.cast(table["receipt"], pa.string()), pc.cast(table["row"], pa.string()), table["role"], ":"
        )
        self._table = pa.table({"ref": refs, "number": table["person_number"], "rule": table["rule"],
                                "source": table["source"], "file": table["file"]})  # fmt: skip

    def records(self, number: int) -> list[dict[str, Any]]:
        """A person's records: ``ref``, ``rule``, ``source``, ``file``."""
        found = self._table.filter(pc.equal(self._table["number"], number))
        rows: list[dict[str, Any]] = found.drop_columns(["number"]).to_pylist()
        return rows

    def refs(self, number: int) -> list[str]:
        """A person's records as ``receipt:row:role``."""
        return [row["ref"] for row in self.records(number)]

    def register_refs(self, number: int) -> list[str]:
        """The person's records in the resident register; empty for somebody it doesn't know."""
        return [row["ref"] for row in self.records(number) if row["rule"] == "REGISTER"]

    def apart(self, one: Iterable[str], other: Iterable[str], *, is_exact: bool = False) -> list[Pair]:
        """Pairs that keep two sets of records from being one person's, now and when either is found elsewhere.

        Where both hold register entries, other records of the second set may follow the first by the rules (a
        record with the parted number belongs there), unless the sets are to be kept as they are (``is_exact``).
        """
        left, right = list(dict.fromkeys(one)), list(dict.fromkeys(other))
        register = self._registered()
        known_left, known_right = [r for r in left if r in register], [r for r in right if r in register]
        pairs = {(a, b) for a in left for b in known_right or right}
        if is_exact:
            pairs |= {(a, b) for a in known_left for b in right}
        return [(a, b, False) for a, b in sorted(pairs) if a != b]

    def together(self, refs: Iterable[str], number: int) -> list[Pair]:
        """Pairs that make records a person's, whatever was decided before about them and the person's records."""
        mine, moved = set(self.refs(number)), list(refs)
        anchors = self.register_refs(number)[:1] or self.refs(number)[:1]
        if not anchors:
            return []
        pairs = [(ref, anchors[0], True) for ref in moved if ref not in anchors]
        return [*pairs, *self._overriding(set(moved) - mine, mine, known=set(pairs))]

    def _overriding(self, moved: set[str], mine: set[str], known: set[Pair]) -> list[Pair]:
        """Each pair that was told apart is now the same: one that is left would keep all of both apart."""
        found = sorted(
            {
                (left, right, True)
                for one, other in self._parted
                for left, right in ((one, other), (other, one))
                if left in moved and right in mine
            }
        )
        return [pair for pair in found if pair not in known]

    def _registered(self) -> frozenset[str]:
        found = self._table.filter(pc.equal(self._table["rule"], "REGISTER"))
        return frozenset(found["ref"].to_pylist())


def _links(home: Home, keyring: Keyring) -> Links:
    return Links(people.open_run(home, keyring, people.require_run(), "links"), decisions_made())


def _person(key: str) -> Person:
    from kodomo.vault.models import Person

    found = Person.objects.using("vault").filter(person_key=key.strip()).first()
    if found is None:
        raise NotReady(
            "その仮名キーの人はいません。",
            then="kodomo export-links の person_key か、事例の仮名キーを確かめてください。",
        )
    return found


def _living(key: str) -> Person:
    """The person behind a key, by the alias where it was merged. Raises NotReady for one nobody is any longer."""
    from kodomo.vault.models import Person

    found = Person.objects.using("vault").get(pk=history.standing_number(_person(key).pk))
    if not found.is_current:
        raise NotReady("その人に当たる記録は、いまはありません。", then="kodomo persons history で経緯を見てください。")
    return found


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise WrongUsage(
            "理由を書いてください。", where="--reason", then="後で読む人に分かる理由を一文で書いてください。"
        )


# ---- decisions ----


def separate(
    key: str, refs: list[str], *, reason: str, home: Home, by: str, at: dt.datetime, to: str = ""
) -> dict[str, Any]:
    """Decide that some records of a person are somebody else's.

    Args:
        to: the key of the person whose they are; empty when the rules may say.
        refs: the records, as ``receipt:row:role`` (``receipt:row`` means its subject), as ``history`` lists them.

    Raises:
        NotReady: no such person.
        WrongUsage: no reason; no records; records that aren't the person's; or all of them.
    """
    _need_reason(reason)
    keyring = open_vault(home)
    links, person = _links(home, keyring), _living(key)
    wanted = [ref if ref.count(":") == 2 else f"{ref}:subject" for ref in refs]
    have = links.refs(person.pk)
    if not wanted or not set(wanted) <= set(have):
        raise WrongUsage("その人の記録ではないものがあります。", where="--records",
                         then="kodomo persons history KEY --json の records から選んでください。")  # fmt: skip
    rest = [ref for ref in have if ref not in wanted]
    if not rest:
        raise WrongUsage(
            "すべての記録を分けることはできません。", where="--records", then="残す記録を除いて指定してください。"
        )
    pairs, numbers = links.apart(wanted, rest), [person.pk]
    if to:
        other = _living(to)
        pairs, numbers = pairs + links.together(wanted, other.pk), [*numbers, other.pk]
    return _decide(SEPARATE, pairs, numbers, reason, home, keyring, by, at)


def join(key: str, other_key: str, *, reason: str, home: Home, by: str, at: dt.datetime) -> dict[str, Any]:
    """Decide that two persons are one. The next run keeps the elder one's key.

    Raises:
        NotReady: no such person.
        WrongUsage: no reason, or the same person twice.
    """
    _need_reason(reason)
    keyring = open_vault(home)
    links, one, other = _links(home, keyring), _living(key), _living(other_key)
    if one.pk == other.pk:
        raise WrongUsage("二つのキーは、すでに同じ人です。")
    pairs = _joining(links, one.pk, other.pk)
    return _decide(JOIN, pairs, [one.pk, other.pk], reason, home, keyring, by, at)


def _joining(links: Links, one: int, other: int) -> list[Pair]:
    """Whoever the register knows is the anchor; between two of them, or none, the elder.

    The anchor's own records are told too: joined, the two may be called by the other's name and birth date.
    """
    ordered = sorted((one, other), key=lambda n: (not links.register_refs(n), n))
    return links.together([*links.refs(ordered[1]), *links.refs(ordered[0])], ordered[0])


def undo(what: str, *, reason: str, home: Home, by: str, at: dt.datetime) -> dict[str, Any]:
    """Take back what a run changed (``R5``), a decision of these (``D12``), or the decision on a doubtful pair (``P7``).

    What a run merged is kept apart from now on, what it split is kept together. A decision that is taken
    back stays on record. The next run follows.

    Raises:
        NotReady: there is no such run or decision, or nothing in it to take back.
        WrongUsage: no reason, or it isn't one of the three.
    """
    _need_reason(reason)
    keyring = open_vault(home)
    kind, number = what[:1].upper(), what[1:]
    if kind not in "RDP" or not number.isdecimal() or len(number) > LONGEST_NUMBER:
        raise WrongUsage("取り消すものは R5(実行)、D12(判断)、P7(目視確認の組)の形で書いてください。")
    if kind == "R":
        return _undo_run(int(number), reason, home, keyring, by, at)
    event = _event("UNDO_DECISION", what.upper(), by, reason)
    with audited(home, keyring, event, at):
        changed = (_undo_decision if kind == "D" else _undo_pair)(int(number), reason, by, at)
        if not changed:
            raise NotReady(
                "取り消せる判断がありません。",
                where=what,
                then="番号と、すでに取り消されていないかを確かめてください。",
            )
    return {"undone": what.upper(), "then": "kodomo link"}


def _undo_run(run: int, reason: str, home: Home, keyring: Keyring, by: str, at: dt.datetime) -> dict[str, Any]:
    from kodomo.vault.models import PersonEvent

    events = list(PersonEvent.objects.using("vault").filter(run=run))
    links = _links(home, keyring)
    pairs = [pair for event in events for pair in _reversed(event, links)]
    if not pairs:
        raise NotReady("その名寄せが変えたことで、取り消せるものはありません。", where=f"R{run}")
    numbers = sorted({n for e in events for n in (e.number_before, e.number_after) if n is not None})
    return {**_decide(UNDO, pairs, numbers, reason, home, keyring, by, at), "undone": f"R{run}"}


def _reversed(event: PersonEvent, links: Links) -> list[Pair]:
    """Pairs that bring the records of one change back to where they were."""
    refs = [f"{receipt}:{row}:{role}" for receipt, row, role in event.records]
    before, after = (
        None if n is None else history.standing_number(n) for n in (event.number_before, event.number_after)
    )
    if before == after and after is not None:
        was_merged = event.kind == MERGE or (event.kind == UNDONE and event.number_before != before)
        if was_merged:  # all that was the other's is kept from the rest
            return links.apart(refs, [ref for ref in links.refs(after) if ref not in refs], is_exact=True)
        return links.together(refs, after)  # parted then, and one again by now: they stay so
    if event.kind == SPLIT and before is not None and after is not None:
        return _joining(links, before, after)
    pairs = []
    if after is not None:
        pairs += links.apart(refs, [ref for ref in links.refs(after) if ref not in refs], is_exact=True)
    if before is not None:
        pairs += links.together(refs, before)
    return pairs


def _undo_decision(number: int, reason: str, by: str, at: dt.datetime) -> int:
    from kodomo.vault.models import PersonDecision

    found = PersonDecision.objects.using("vault").filter(pk=number, undone_at=None)
    return found.update(undone_by=by, undone_at=at, undone_reason=reason)


def _undo_pair(number: int, reason: str, by: str, at: dt.datetime) -> int:
    from kodomo.vault.models import DoubtfulPair

    found = DoubtfulPair.objects.using("vault").filter(pk=number).exclude(decision="")
    return found.update(decision="", decided_by="", decided_at=None)


def _decide(
    kind: str,
    pairs: list[Pair],
    numbers: list[int],
    reason: str,
    home: Home,
    keyring: Keyring,
    by: str,
    at: dt.datetime,
) -> dict[str, Any]:
    from kodomo.vault.models import Person, PersonDecision

    keys = list(
        Person.objects.using("vault").filter(pk__in=numbers).order_by("pk").values_list("person_key", flat=True)
    )
    event = _event(f"PERSONS_{kind}", keys[0] if keys else "", by, reason, keys=keys, pairs=len(pairs))
    with audited(home, keyring, event, at):
        made = PersonDecision.objects.using("vault").create(
            kind=kind, pairs=[list(pair) for pair in pairs], person_numbers=numbers, reason=reason, decided_by=by, decided_at=at
        )  # fmt: skip
    return {"decision": f"D{made.pk}", "kind": kind, "keys": keys, "pairs": len(pairs), "then": "kodomo link"}


def _event(action: str, subject: str, by: str, reason: str = "", **detail: object) -> AuditEvent:
    return AuditEvent(actor=by, role="REVIEWER", action=action, subject=subject, purpose=Purpose.LINK.label,
                      reason=reason, detail=detail)  # fmt: skip


# ---- history ----


def person_history(key: str, *, home: Home, by: str, at: dt.datetime) -> dict[str, Any]:
    """What became of a person: each merge, split and move with its reason, and what rested on the records.

    Returns:
        Keys, runs, places of records, rules and decisions; for each change how many facts went along, and which
        judgements made before it and which returned decisions (支援要否の判断) hold one of its keys. No name.

    Raises:
        NotReady: no such person.
    """
    keyring = open_vault(home)
    person = _person(key)
    with audited(home, keyring, _event("PERSON_HISTORY", person.person_key, by), at):
        links, standing = _links(home, keyring), history.standing_number(person.pk)
        events = history.events_about(person.pk)
        receipts, spans = {r.pk: r for r in records.receipts()}, records.spans_read()
        keys = {number: keyring.pseudonym("p", number) for number in {standing, *_numbers(events)}}
        return {
            "key": person.person_key, "standing_key": keys[standing], "is_alias": standing != person.pk,
            "is_current": person.is_current, "first_run": person.first_run, "erased_at": person.erased_at,
            "events": [_told(event, keys, receipts, spans) | _touched(event, keys, home) for event in events],
            "decisions": [_told_decision(d) for d in _decisions_about(person.pk)],
            "records": links.records(person.pk),
        }  # fmt: skip


def _numbers(events: Iterable[PersonEvent]) -> set[int]:
    return {n for event in events for n in (event.number_before, event.number_after) if n is not None}


def _told(
    event: PersonEvent, keys: dict[int, str], receipts: dict[int, Any], spans: dict[int, list[list[Any]]]
) -> dict[str, Any]:
    def place(receipt: int, row: int, role: str) -> dict[str, Any]:
        known, (sheet, at) = receipts.get(receipt), records.place_of(row, spans.get(receipt, ()))
        return {"ref": f"{receipt}:{row}:{role}", "source": known.source if known else None,
                "file": known.file_name if known else None, "sheet": sheet, "row": at}  # fmt: skip

    return {
        "run": f"R{event.run}" if event.run else None, "at": event.at.isoformat(), "kind": event.kind,
        "caption": KINDS.get(event.kind, event.kind),
        "key_before": keys[event.number_before] if event.number_before is not None else None,
        "key_after": keys[event.number_after] if event.number_after is not None else None,
        "records": [place(*record) for record in event.records], "facts": event.facts,
        "rules": event.rules, "decision": event.decision or None,
    }  # fmt: skip


def _touched(event: PersonEvent, keys: dict[int, str], home: Home) -> dict[str, Any]:
    """Judgements made before the change, and decisions returned from casework, that speak of one of its keys."""
    wanted = pa.array([keys[n] for n in _numbers([event])], pa.string())
    store = Store(home.store)
    judged = []
    for name in store.names("judgements"):
        judgement = store.open("judgements", name)
        made = judgement.manifest.get("at")
        if made and dt.datetime.fromisoformat(made) > event.at:
            continue
        subjects = judgement.read("subjects", ["child_key"])
        if pc.any(pc.is_in(subjects["child_key"], value_set=wanted)).as_py():
            judged.append({"judgement": name, "as_of": judgement.manifest.get("as_of")})
    return {"judgements": judged, "casework_decisions": _returned_decisions(store, wanted)}


def _returned_decisions(store: Store, keys: pa.Array) -> list[dict[str, Any]]:
    outcomes = store.current("outcomes")
    if outcomes is None or not outcomes.holds("decisions"):
        return []
    found = outcomes.read("decisions", ["child_key", "judgement", "revision", "known_from"])
    rows: list[dict[str, Any]] = found.filter(pc.is_in(found["child_key"], value_set=keys)).to_pylist()
    return rows


def _decisions_about(number: int) -> list[PersonDecision]:
    from kodomo.vault.models import PersonDecision

    return [d for d in PersonDecision.objects.using("vault").all() if number in d.person_numbers]


def _told_decision(decision: PersonDecision) -> dict[str, Any]:
    return {
        "decision": f"D{decision.pk}", "kind": decision.kind, "caption": DECISION_KINDS.get(decision.kind, decision.kind),
        "reason": decision.reason, "decided_by": decision.decided_by, "decided_at": decision.decided_at.isoformat(),
        "undone_by": decision.undone_by or None,
        "undone_at": decision.undone_at.isoformat() if decision.undone_at else None,
        "undone_reason": decision.undone_reason or None,
    }  # fmt: skip
