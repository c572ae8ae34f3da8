"""Which database a side uses: its own SQLite file, or PostgreSQL where the installation's file says so (crosscutting).

``database.toml`` in the home folder, readable by its owner only::

    casework = "postgresql://user:password@host:5432/name"
    vault    = "postgresql:///name?host=/run/postgresql"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from kodomo.configuration import Home, read_toml
from kodomo.errors import ConfigurationFault

FILE = "database.toml"
NAMES = ("casework", "vault")

KEPT_OPEN_SECONDS = 3600
"""A new connection to PostgreSQL costs the page that opens it ten queries' time, and its first questions are slow."""

SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    # FULL: a power cut may not lose an audit row that an act was already shown for.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON",
}


def database_of(home: Home, name: str, file: Path) -> dict[str, Any]:
    """Django's DATABASES entry of one side.

    Args:
        name: "casework" or "vault".
        file: the SQLite file when the installation names no server.

    Raises:
        ConfigurationFault: the file can be read by others, has an unknown key, or an address isn't PostgreSQL's.
    """
    address = _addresses(home).get(name)
    if address is None:
        return {
            "ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": SQLITE_OPTIONS,
            # Kept open: the last one to close a file writes its whole log back, which a page would wait for.
            "CONN_MAX_AGE": KEPT_OPEN_SECONDS,
        }  # fmt: skip
    return _postgresql(str(address), home.root / FILE)


def _addresses(home: Home) -> dict[str, Any]:
    path = home.root / FILE
    if not path.exists():
        return {}
    if path.stat().st_mode & 0o077:
        raise ConfigurationFault(
            "データベースの接続先のファイルを、ほかの利用者も読めます。",
            where=str(path),
            then="持ち主だけが読めるようにしてください(chmod 600)。",
        )
    found = read_toml(path)
    unknown = sorted(set(found) - set(NAMES))
    if unknown:
        raise ConfigurationFault(
            f"知らない項目です: {'、'.join(unknown)}", where=str(path), then=f"使えるのは {'、'.join(NAMES)} です。"
        )
    return found


def _postgresql(address: str, where: Path) -> dict[str, Any]:
    parts = urlsplit(address)
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgresql", "postgres") or not name:
        # The address holds a password: it is not repeated.
        raise ConfigurationFault(
            "データベースの接続先を読めません。",
            where=str(where),
            then="postgresql://利用者:パスワード@ホスト:ポート/名前 の形で書いてください。",
        )
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
        "CONN_MAX_AGE": KEPT_OPEN_SECONDS,
        "CONN_HEALTH_CHECKS": True,
    }
