"""The steps of `load.py` that need Django, each in a process of its own: fill, move, cast, count, verify."""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from load import HINATA, OTHERS, PASSWORD, PEOPLE, TABLES

from kodomo.configuration import Home, read_municipality
from kodomo.web.start import migrate, start_django

MOST_UNSEEN = 30
"""Cases nobody has looked at that one person may begin with in one run."""


def fill(home: Home) -> dict[str, Any]:
    """People with a second factor, and three years of their work."""
    from casework_years import Worker, fill_years
    from django.conf import settings

    from kodomo.governance.permissions import Role
    from kodomo.store.database import Store
    from kodomo.web.models import Authenticator, Staff

    staff = []
    for (role, office), number in {**PEOPLE, **OTHERS}.items():
        for place in range(number):
            one = Worker(
                f"{role[:2].lower()}-{office[:4]}-{place:02d}", f"{Role(role).label} {place}", Role(role), office
            )
            account = Staff.objects.create_account(
                one.username, name=one.name, role=one.role, office=one.office, password=PASSWORD
            )
            device = Authenticator.begin(account)
            Authenticator.objects.filter(pk=device.pk).update(confirmed=True)
            staff.append(one)
    until = dt.datetime.now(dt.UTC)
    counts = fill_years(home, settings.MUNICIPALITY, seed=1, until=until, staff=staff)
    judged = Store(home.store).current("judgements")
    city = next((home.root / "demo").glob("city-*")).name
    children = int(judged.manifest["files"]["subjects"]["rows"]) if judged else 0
    return {"counts": counts, "residents": int(city.split("-")[1]), "children": children}


def move(home: Home) -> dict[str, int]:
    """The rows of both SQLite files into the two PostgreSQL databases the home names; the chains stay as they are."""
    from django.db import connections

    files = {"default": home.casework / "casework.sqlite3", "vault": home.vault / "vault.sqlite3"}
    return {alias: _copy(sqlite3.connect(file), connections[alias]) for alias, file in files.items()}


def _copy(source: sqlite3.Connection, target: Any) -> int:
    """Every table's rows by COPY; the trigger of the audit trail minds only changes."""
    total, tables = 0, target.introspection.table_names()
    held = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    with target.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # rows come before those they point at
        cursor.execute("SET TIME ZONE 'UTC'")  # as SQLite's moments are written
        for table in sorted(held & set(tables) - {"django_migrations"}):
            columns = [row[1] for row in source.execute(f'PRAGMA table_info("{table}")')]
            listed = ", ".join(f'"{column}"' for column in columns)
            if table in ("django_content_type", "auth_permission"):
                cursor.execute(f'DELETE FROM "{table}"')
            with cursor.copy(f'COPY "{table}" ({listed}) FROM STDIN') as copy:
                for row in source.execute(f'SELECT {listed} FROM "{table}"'):
                    copy.write_row(row)
                    total += 1
            if "id" in columns:
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), coalesce(max(id), 1)) FROM \"{table}\""
                )
        cursor.execute("ANALYZE")
    return total


def cast(home: Home, users: int) -> dict[str, Any]:
    """Who plays: accounts with their codes, cases no two of them share, and readings to search for."""
    from kodomo.assessment.models import Case
    from kodomo.assessment.states import WORKED_STATES, CaseState
    from kodomo.governance.permissions import Role
    from kodomo.web.models import Authenticator, Staff

    rng = random.Random(7)  # noqa: S311
    people = list(Staff.objects.filter(role=Role.PRACTITIONER, is_demo=False).order_by("username"))[:users]
    unseen = {
        o: list(Case.objects.filter(state=CaseState.ARRIVED, office=o).order_by("pk"))
        for o in {p.office for p in people}
    }
    sharing = Counter(p.office for p in people)
    readings = {office: _readings(home, office, rng) for office in sharing}
    cast_ = []
    for person in people:
        mine = Case.objects.filter(caseworker=person.username, state__in=WORKED_STATES, office=person.office)
        own = [
            unseen[person.office].pop()
            for _ in range(min(MOST_UNSEEN, len(unseen[person.office]) // sharing[person.office]))
        ]
        sharing[person.office] -= 1
        cast_.append({
            "username": person.username,
            "secret": base64.b32encode(Authenticator.objects.get(user=person).secret).decode(),
            "cases": list(mine.values_list("case_number", flat=True)),
            "unseen": [case.case_number for case in own],
            "readings": rng.sample(readings[person.office], 20),
        })  # fmt: skip
    today = dt.date.today()  # noqa: DTZ011
    return {
        "people": cast_,
        "password": PASSWORD,
        "today": today.isoformat(),
        "next_on": (today + dt.timedelta(days=21)).isoformat(),
    }


def _readings(home: Home, office: str, rng: random.Random) -> list[str]:
    """Half-remembered readings of children of an office: whole, a surname with a beginning, one letter wrong."""
    from kodomo.assessment.models import Case
    from kodomo.vault.keys import Keyring
    from kodomo.vault.models import Person

    keyring = Keyring.open(home.keys)
    keys = list(Case.objects.filter(office=office).order_by("pk").values_list("child_key", flat=True))
    found = []
    for person in Person.objects.using("vault").filter(person_key__in=rng.sample(keys, min(200, len(keys)))):
        kana = json.loads(keyring.unseal(bytes(person.sealed_identity), f"person:{person.person_number}"))["name_kana"]
        surname, _, given = str(kana).replace("　", " ").partition(" ")
        found += [kana, f"{surname} {given[:2]}", surname] if given else []
    return found


def count(home: Home, heard: str) -> dict[str, dict[str, int]]:
    """For each kind of writing: how many the site said it saved, how many stand in the database once, lost and twice."""
    from django.db import connection

    saved = json.loads(Path(heard).read_text())["saved"]
    found: dict[str, dict[str, int]] = {}
    for what, (table, column) in TABLES.items():
        marks = {entry["mark"] for entry in saved if entry["what"] == what}
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {column} FROM {table} WHERE CAST({column} AS TEXT) LIKE %s",
                ["%照合の印%" if what != "draft" else "%"],
            )
            texts = [str(row[0]) for row in cursor.fetchall()]
        held = Counter(mark for text in texts for mark in marks if mark in text)
        found[what] = {
            "told": len(marks), "kept": len(held), "twice": sum(n > 1 for n in held.values()),
            "lost": len(marks) - len(held) if what != "draft" else 0,
        }  # fmt: skip
    return found


def verify(home: Home) -> dict[str, Any]:
    """Both chains from their first rows."""
    from kodomo.web.verify import verify_audit_here

    return verify_audit_here(home)


def main() -> None:
    """One step; its answer on stdout."""
    step, root, *more = sys.argv[1:]
    home = Home(Path(root))
    start_django(home, read_municipality(HINATA))
    migrate()
    steps: dict[str, Callable[[Home], Any]] = {
        "fill": fill,
        "move": move,
        "verify": verify,
        "cast": lambda h: cast(h, int(more[0])),
        "count": lambda h: count(h, more[0]),
    }
    print(json.dumps(steps[step](home), ensure_ascii=False))


if __name__ == "__main__":
    main()
