"""Nothing reaches outside: sockets are blocked in tests, and no page or setting names an outside host."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(r"https?://(?!127\.0\.0\.1|localhost|www\.w3\.org/)[\w.-]+")


def test_a_connection_is_refused_in_tests() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def test_templates_styles_and_code_name_no_outside_host() -> None:
    kinds = {".html", ".css", ".js", ".svg", ".py"}
    found = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in (ROOT / "kodomo").rglob("*")
        if path.suffix in kinds and path.is_file()
        for match in [ADDRESS.search(path.read_text(errors="ignore"))]
        if match
    ]
    assert not found


def test_query_engine_cannot_fetch_extensions() -> None:
    from kodomo.tables.engine import connect

    settings = dict(
        connect().execute("SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%extensions'").fetchall()
    )
    assert set(settings.values()) == {"false"}
