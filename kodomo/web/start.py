"""Bring Django up for one installation (casework side)."""

from __future__ import annotations

import os

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from kodomo.configuration import Home, Municipality
from kodomo.errors import Busy
from kodomo.governance.databases import database_of
from kodomo.vault.database import database_setting

SETTINGS = "kodomo.web.settings"


def start_django(home: Home, municipality: Municipality | None) -> None:
    """Set Django up with the site's settings for this home; harmless when it already is.

    Raises:
        Busy: this process was set up as another side (a stage with the vault alone).
    """
    if not settings.configured:
        os.environ["KODOMO_HOME"] = str(home.root)
        if municipality is not None:
            os.environ["KODOMO_MUNICIPALITY"] = str(municipality.folder)
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    if not apps.ready:
        django.setup()
    if not apps.is_installed("kodomo.web"):
        raise Busy(
            "支援業務の画面は、ほかの工程と同じプロセスでは開けません。", then="kodomo serve を別に実行してください。"
        )
    point_at(home, municipality)


def point_at(home: Home, municipality: Municipality | None) -> None:
    """Let the databases and settings of this process be those of ``home``."""
    home.casework.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.vault.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.HOME = home
    if municipality is not None:
        settings.MUNICIPALITY = municipality
    casework = database_of(home, "casework", home.casework / "casework.sqlite3")
    for alias, wanted in {"default": casework, "vault": database_setting(home)}.items():
        kept = connections.databases[alias]
        if any(kept.get(key) != value for key, value in wanted.items()):
            connections[alias].close()
            is_other_kind = kept["ENGINE"] != wanted["ENGINE"]
            kept.update(wanted)
            connections[alias].settings_dict.update(wanted)
            if is_other_kind:
                del connections[alias]  # the next use makes a connection of the other kind


def migrate() -> None:
    """Bring both databases' tables up to date; where they are, this only looks."""
    from django.db.migrations.executor import MigrationExecutor

    for alias in ("default", "vault"):
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", database=alias, verbosity=0, interactive=False)
