from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.configuration import Home
from kodomo.errors import ConfigurationFault
from kodomo.governance.databases import database_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def say(home: Home, text: str, mode: int = 0o600) -> None:
    path = home.root / "database.toml"
    path.write_text(text)
    path.chmod(mode)


def test_a_side_has_its_own_file_when_nothing_is_said(home: Home) -> None:
    found = database_of(home, "casework", home.casework / "c.sqlite3")
    assert found["ENGINE"].endswith("sqlite3") and found["NAME"] == str(home.casework / "c.sqlite3")


def test_an_address_is_taken_apart(home: Home) -> None:
    say(home, 'casework = "postgresql://a%40b:p%3Aq@db.example:5433/case%20work?sslmode=require"')
    found = database_of(home, "casework", home.casework / "c.sqlite3")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == ("a@b", "p:q", "db.example", "5433")
    assert (found["NAME"], found["OPTIONS"]) == ("case work", {"sslmode": "require"})
    assert database_of(home, "vault", home.vault / "v.sqlite3")["ENGINE"].endswith("sqlite3")


def test_a_socket_folder_is_a_host(home: Home) -> None:
    say(home, 'vault = "postgresql:///vault?host=/run/postgresql"')
    found = database_of(home, "vault", home.vault / "v.sqlite3")
    assert (found["HOST"], found["PORT"], found["NAME"], found["OPTIONS"]) == ("/run/postgresql", "", "vault", {})


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ('casework = "postgresql://a:secret@h/x"', 0o644, "ほかの利用者も読めます"),
        ('caseworks = "postgresql://a:secret@h/x"', 0o600, "知らない項目"),
        ('casework = "mysql://a:secret@h/x"', 0o600, "接続先を読めません"),
        ('casework = "postgresql://a:secret@h/"', 0o600, "接続先を読めません"),
    ],
)
def test_a_fault_is_named_without_the_password(home: Home, text: str, mode: int, said: str) -> None:
    say(home, text, mode)
    with pytest.raises(ConfigurationFault, match=said) as refusal:
        database_of(home, "casework", home.casework / "c.sqlite3")
    assert "secret" not in str(refusal.value) + refusal.value.where + refusal.value.then
