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

ASKED = os.environ.get("KODOMO_TEST_DATABASE") == "postgresql"


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
    """One running server and the databases of homes on it."""

    def __init__(self, address: str) -> None:
        self.address, self.made = address, 0

    def give(self, home: Path, template: str | None = None) -> dict[str, str]:
        """Make a home's two databases, empty or as copies, and write where they are; returns their names."""
        self.made += 1
        names = {side: f"{side}_{self.made}" for side in ("casework", "vault")}
        for side, name in names.items():
            self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {side}_{template}" if template else ""))
        path = home / "database.toml"
        path.unlink(missing_ok=True)
        lines = [f'{side} = "postgresql://{self.address.format(name=name)}"\n' for side, name in names.items()]
        path.touch(mode=0o600)
        path.write_text("".join(lines))
        return names

    def take(self, names: dict[str, str]) -> None:
        """Remove a home's databases."""
        for name in names.values():
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"postgresql://{self.address.format(name='postgres')}", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]
