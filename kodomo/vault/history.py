"""What became of each person, run after run: merges, splits, moved records, and aliases (identity side).

Rows are written once. They hold numbers of persons and places of records, never a value of anybody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Q

if TYPE_CHECKING:
    from kodomo.vault.models import Person, PersonEvent  # Django is only there in a process that opened the vault

LONGEST_CHAIN = 1000
"""More merges in a row than anybody bears: a ring of aliases would otherwise never end."""


def write_changes(run: int | None, at: dt.datetime, changes: Iterable[Mapping[str, Any]], after: int) -> int:
    """Write what a run changed, and which numbers retired or came back, inside the caller's transaction.

    Args:
        changes: ``kind``, ``before``, ``after``, ``records``, ``facts``, ``rules``, ``decision`` of each.
        after: the highest number before the run; the persons above it are new.

    Returns:
        How many rows were written.
    """
    from kodomo.vault.models import Person, PersonEvent

    found = list(changes)
    people = Person.objects.using("vault")
    people.filter(pk__gt=after, first_run=None).update(first_run=run)
    PersonEvent.objects.using("vault").bulk_create(
        [
            PersonEvent(run=run, at=at, kind=c["kind"], number_before=c["before"], number_after=c["after"],
                        records=list(map(list, c["records"])), facts=c["facts"], rules=list(c["rules"]), decision=c["decision"])
            for c in found
        ], batch_size=1000,
    )  # fmt: skip
    for change in found:
        before, now = change["before"], change["after"]
        if change["kind"] in ("MERGE", "UNDONE"):
            people.filter(pk=before, is_current=False).update(retired_into=now)
    people.filter(is_current=True).exclude(retired_into=None).update(retired_into=None)
    return len(found)


def retired_records() -> list[dict[str, Any]]:
    """Records of retired numbers before the merge: ``receipt, row, role, person_number``, and ``into`` whom it went by now."""
    newest: dict[int, list[PersonEvent]] = {}
    for event in _of_retired():
        kept = newest.get(event.number_before or 0)
        if kept is None or kept[0].run != event.run:
            kept = newest[event.number_before or 0] = []
        kept.append(event)
    into = {number: standing_number(number) for number in newest}
    return [
        {"receipt": receipt, "row": row, "role": role, "person_number": number, "into": into[number]}
        for number, events in newest.items() for event in events for receipt, row, role in event.records
    ]  # fmt: skip


def _of_retired() -> Iterable[PersonEvent]:
    from kodomo.vault.models import Person, PersonEvent

    retired = list(Person.objects.using("vault").exclude(retired_into=None).values_list("pk", flat=True))
    for start in range(0, len(retired), 500):
        yield from PersonEvent.objects.using("vault").filter(number_before__in=retired[start : start + 500])


def last_between() -> dict[frozenset[int], tuple[str, int | None, int | None]]:
    """For two numbers: kind, number before and number after of the last time one became or left the other."""
    from kodomo.vault.models import PersonEvent

    rows = PersonEvent.objects.using("vault").filter(kind__in=("MERGE", "SPLIT", "UNDONE"))
    return {
        frozenset((before, after)): (kind, before, after)
        for kind, before, after in rows.values_list("kind", "number_before", "number_after")
        if before is not None and after is not None
    }


def aliases(number: int) -> set[int]:
    """All numbers that were merged into one, step by step."""
    from kodomo.vault.models import Person

    found: set[int] = set()
    fresh = {number}
    while fresh:
        fresh = set(Person.objects.using("vault").filter(retired_into__in=fresh).values_list("pk", flat=True)) - found
        found |= fresh
    return found


def erased_count() -> int:
    """How many numbers were erased."""
    from kodomo.vault.models import Person

    return Person.objects.using("vault").exclude(erased_at=None).count()


def told_of(number: int) -> set[tuple[int, int, str]]:
    """Records of an erased person that the history tells of already."""
    events = [event for event in events_about(number) if event.kind in ("ERASED", "RETURNED")]
    return {(receipt, row, role) for event in events for receipt, row, role in event.records}


def all_events() -> Iterator[tuple[PersonEvent, dict[int, int]]]:
    """Every change between persons, oldest first, beside the numbers that are aliases now and what they stand for."""
    from kodomo.vault.models import Person, PersonEvent

    retired = Person.objects.using("vault").exclude(retired_into=None).values_list("pk", flat=True)
    aliases = {number: standing_number(number) for number in retired}
    for event in PersonEvent.objects.using("vault").filter(kind__in=("MERGE", "SPLIT", "MOVED", "UNDONE")):
        yield event, aliases


def events_about(number: int) -> list[PersonEvent]:
    """All rows that tell of a person, oldest first."""
    from kodomo.vault.models import PersonEvent

    return list(PersonEvent.objects.using("vault").filter(Q(number_before=number) | Q(number_after=number)))


def aliases_of(keys: Collection[str]) -> dict[str, list[str]]:
    """Of some keys those that were merged into another: the key that stands now -> its aliases among them."""
    from kodomo.vault.models import Person

    people = Person.objects.using("vault")
    # A range, and no order: so the index finds the few; asked for what isn't null it would walk a city of sealed cards.
    found_retired = people.filter(retired_into__gte=0).order_by().only("pk", "person_key")
    retired = [person for person in found_retired if person.person_key in keys]
    standing = {p.person_key: standing_number(p.pk) for p in retired}
    key_of = dict(people.filter(pk__in=set(standing.values())).values_list("pk", "person_key"))
    found: dict[str, list[str]] = {}
    for alias, number in sorted(standing.items()):
        found.setdefault(key_of[number], []).append(alias)
    return found


def standing_person(key: str) -> Person | None:
    """The person a key stands for now, by the alias where it was merged; None for nobody."""
    from kodomo.vault.models import Person

    people = Person.objects.using("vault")
    number = people.filter(person_key=key).values_list("pk", flat=True).first()
    return None if number is None else people.filter(pk=standing_number(number), is_current=True).first()


def standing_number(number: int) -> int:
    """The number a person goes by now: the number itself, or what it was merged into, step by step."""
    from kodomo.vault.models import Person

    for _ in range(LONGEST_CHAIN):
        into = Person.objects.using("vault").filter(pk=number).values_list("retired_into", flat=True).first()
        if into is None:
            break
        number = into
    return number
