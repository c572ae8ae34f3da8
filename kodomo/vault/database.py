"""Open the vault's database, alone or beside the casework site's (identity side)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import DatabaseError, connections, transaction

from kodomo.configuration import Home
from kodomo.errors import StaffError
from kodomo.governance import audit
from kodomo.governance.databases import database_of
from kodomo.vault.keys import Keyring


def database_setting(home: Home) -> dict[str, Any]:
    """Django's DATABASES entry for the vault: one SQLite file in the vault's folder, or the server the home names."""
    return database_of(home, "vault", home.vault / "vault.sqlite3")


def open_vault(home: Home) -> Keyring:
    """Make the vault ready for use in this process: settings, migrations, keys.

    Where Django is not set up yet (a stage on the command line), it is set up with the vault
    alone; inside the casework site the site's own settings already name the vault.

    Raises:
        StaffError: the vault's disk is full or may not be written.
    """
    home.vault.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=["kodomo.vault"],
            DATABASES={"vault": database_setting(home), "default": {}},
            DATABASE_ROUTERS=["kodomo.vault.database.VaultRouter"],
            USE_TZ=True,
            TIME_ZONE="Asia/Tokyo",
            SECRET_KEY=secrets.token_hex(32),  # a stage signs nothing; the site has its own
        )
        django.setup()
    _point_at(home)
    try:
        _migrate()
    except DatabaseError:
        raise StaffError(
            "保管庫のデータベースを開けないか、書き込めません。",
            where=str(home.vault),
            then="空き容量と権限を確かめてから、同じコマンドをもう一度実行してください。",
            code="database",
        ) from None
    return Keyring.open(home.keys)


def _point_at(home: Home) -> None:
    """Let this process's connection lead to this home's vault, where an earlier call opened another one.

    A database that isn't one of our SQLite files (PostgreSQL, a test's in-memory database) stays.
    """
    connection, wanted = connections["vault"], database_setting(home)["NAME"]
    current = str(connection.settings_dict["NAME"])
    if current == wanted or not current.endswith("vault.sqlite3") or connection.in_atomic_block:
        return
    connection.close()
    connection.settings_dict["NAME"] = wanted


def _migrate() -> None:
    """Bring the vault's tables up to date; where they are, this is one small query."""
    from django.core.management import call_command
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections["vault"])
    wanted = [node for node in executor.loader.graph.leaf_nodes() if node[0] == "vault"]
    if executor.migration_plan(wanted):
        call_command("migrate", database="vault", app_label="vault", verbosity=0, interactive=False)


class VaultRouter:
    """The vault's models live in the ``vault`` database and nothing else does."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Reads of vault models."""
        return "vault" if model._meta.app_label == "vault" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """The vault's tables are made in the vault's database only, and nothing else is."""
        return (db == "vault") == (app_label == "vault")


@contextmanager
def audited(home: Home, keyring: Keyring, event: audit.AuditEvent, at: dt.datetime) -> Iterator[None]:
    """One transaction on the vault that holds an act and its audit row; neither is kept without the other."""
    with transaction.atomic(using="vault"):
        yield
        connection = connections["vault"]
        with connection.cursor() as cursor:
            anchor = anchor_file(home)
            sequence, mac = audit.append(cursor, keyring.audit, connection.vendor, event, at, anchor)
        transaction.on_commit(lambda: audit.write_anchor(anchor, sequence, mac), using="vault")


def anchor_file(home: Home) -> Path:
    """Where the newest MAC of the vault's audit chain is copied."""
    return home.keys / "audit-vault.anchor"
