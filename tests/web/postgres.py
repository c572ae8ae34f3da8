"""A real PostgreSQL on a temporary data directory, reached over a socket file, for the tests that ask for it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ASKED = os.environ.get("KODOMO_TEST_DATABASE") == "postgresql"

ANSWERED_BEFORE_THE_DATABASE = frozenset({
    "test_it_refuses_what_does_not_hold_together", "test_it_refuses_what_does_not_hold_together_and_loses_no_word",
    "test_it_refuses_a_decision_that_does_not_hold_together", "test_it_refuses_a_view_without_opinion_or_words",
    "test_it_refuses_an_inquiry_without_words_or_a_day_to_come", "test_it_is_not_accepted_empty",
    "test_it_calls_no_meeting_that_could_not_decide", "test_it_makes_no_package_that_says_too_much_or_never_ends",
    "test_it_takes_in_no_form_that_is_not_the_one_that_went_out",
    "test_what_the_reading_process_refuses_is_told_in_its_words", "test_it_takes_no_sheet_that_says_nothing",
    "test_a_name_no_file_should_have_is_refused", "test_a_faulty_file_is_named_and_nothing_is_guessed",
    "test_it_needs_something_to_search_with", "test_it_needs_a_base_date_that_has_come", "test_it_serves_practitioners_alone",
})  # fmt: skip
"""Tests with many cases of what is refused for its words: which words, no database is asked; the first is tried here."""


def one_of_each_refused(items: list[Any]) -> list[Any]:
    """The tests without the further cases of those."""
    seen: set[str] = set()
    kept = []
    for item in items:
        name = item.nodeid.split("[")[0]
        if name not in seen:
            kept.append(item)
        if item.originalname in ANSWERED_BEFORE_THE_DATABASE:
            seen.add(name)
    return kept


def programs() -> Path | None:
    """Where Debian's newest PostgreSQL keeps its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def _as_its_user() -> tuple[list[str], str]:
    """PostgreSQL does not run as root: then it runs as the user Debian made for it."""
    if os.getuid() != 0:
        return [], pwd.getpwuid(os.getuid()).pw_name
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"], "postgres"


@contextmanager
def cluster(*, is_durable: bool = False) -> Iterator[str]:
    """Start a fresh server; gives what follows ``postgresql://`` and the database's name in an address.

    Args:
        is_durable: whether a commit waits for the disk, as in an office; tests don't.
    """
    bin_folder, (prefix, user) = programs(), _as_its_user()
    assert bin_folder is not None
    folder = Path(tempfile.mkdtemp(prefix="kodomo-pg-"))
    try:
        if prefix:
            shutil.chown(folder, "postgres", "postgres")
        data = str(folder / "data")
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        call = {"check": True, "env": environment, "cwd": str(folder), "stdout": subprocess.DEVNULL}
        initdb = [str(bin_folder / "initdb"), "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*prefix, *initdb], **call)  # type: ignore[call-overload]
        options = f"{'' if is_durable else '-F '}-c listen_addresses='' -c unix_socket_directories='{folder}'"
        control = [*prefix, str(bin_folder / "pg_ctl"), "-D", data, "-w"]
        subprocess.run([*control, "-l", str(folder / "log"), "-o", options, "start"], **call)  # type: ignore[call-overload]
        try:
            yield f"{user}@/{{name}}?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **call)  # type: ignore[call-overload]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """One running server and the databases of homes on it.

    Copying two databases for each test takes ten times as long as most tests: a pair that was given back is used again
    with its rows put back as they were, unless a test changed the tables themselves.
    """

    def __init__(self, address: str) -> None:
        self.address, self.made = address, 0
        self.spare: dict[str, str] | None = None
        self.shapes: dict[str, Any] = {}

    def give(self, home: Path, template: str | None = None) -> dict[str, str]:
        """Make a home's two databases, empty or as copies, and write where they are; returns their names."""
        names, self.spare = self.spare, None
        if template is None or names is None or not all(self._put_back(name) for name in names.values()):
            if names is not None:
                self._drop(names)
            names = self._make(template)
        path = home / "database.toml"
        path.unlink(missing_ok=True)
        lines = [f'{side} = "postgresql://{self.address.format(name=name)}"\n' for side, name in names.items()]
        path.touch(mode=0o600)
        path.write_text("".join(lines))
        return names

    def take(self, names: dict[str, str]) -> None:
        """Take a home's databases back."""
        if self.spare is None:
            self.spare = names
        else:
            self._drop(names)

    def _make(self, template: str | None) -> dict[str, str]:
        self.made += 1
        names = {side: f"{side}_{self.made}" for side in ("casework", "vault")}
        for side, name in names.items():
            self._run("postgres", f"CREATE DATABASE {name}" + (f" TEMPLATE {side}_{template}" if template else ""))
            if template:
                self._run(name, _REMEMBER)
                self.shapes[name] = self._run(name, _SHAPE)
        return names

    def _put_back(self, name: str) -> bool:
        """Give every table the rows it was made with; False where that can't be done."""
        import psycopg

        try:
            if self._run(name, _SHAPE) != self.shapes.get(name):
                return False
            self._run(name, _PUT_BACK)
        except psycopg.Error:
            return False
        return True

    def _drop(self, names: dict[str, str]) -> None:
        for name in names.values():
            self._run("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, database: str, statement: str) -> Any:
        import psycopg

        with psycopg.connect(f"postgresql://{self.address.format(name=database)}", autocommit=True) as connection:
            found = connection.execute(statement)  # type: ignore[call-overload]
            return found.fetchall() if found.description else None


_SHAPE = """
SELECT (SELECT md5(string_agg(c::text, ',' ORDER BY oid)) FROM (
            SELECT c.oid, relname, relkind, relnatts, relnamespace FROM pg_class c
            WHERE relnamespace IN ('public'::regnamespace, 'pristine'::regnamespace)) c),
       (SELECT md5(string_agg(tgname || tgenabled::text || tgrelid::text, ',' ORDER BY oid)) FROM pg_trigger),
       (SELECT md5(string_agg(conname, ',' ORDER BY oid)) FROM pg_constraint)
"""
"""What a test may have changed besides rows."""

_REMEMBER = """
CREATE SCHEMA pristine;
CREATE TABLE pristine.counters AS SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public';
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TABLE pristine.%I AS TABLE public.%I', 'rows_' || t, t);
    END LOOP;
END $$;
"""

_PUT_BACK = """
DO $$ DECLARE t text; c record; BEGIN
    SET LOCAL lock_timeout = '3s';
    SET LOCAL session_replication_role = replica;  -- neither foreign keys nor the trigger of the audit trail
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM public.%I', t);
        EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE SELECT * FROM pristine.%I', t, 'rows_' || t);
    END LOOP;
    FOR c IN SELECT * FROM pristine.counters LOOP
        PERFORM setval(format('public.%I', c.sequencename)::regclass, coalesce(c.last_value, 1), c.last_value IS NOT NULL);
    END LOOP;
END $$;
"""
