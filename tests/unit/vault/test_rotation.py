"""Keys are replaced without losing a row, whenever the process is killed, and the old ones open nothing after."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest

from kodomo.configuration import Home
from kodomo.errors import Busy, IntegrityFault
from kodomo.vault import people
from kodomo.vault.card import Card, table_of
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring, key_file
from kodomo.vault.records import landed_facts, landed_folder, receipts
from kodomo.vault.rotation import rotate_keys

from .test_records import AT, deliver

FILES = 9  # three deliveries, each mentions, facts and rows


def card(number: int, kana: str) -> Card:
    return Card(number, name=f"人{number}", name_kana=kana, born_on="2015-05-05", is_searched=True)


@pytest.fixture
def keyring(home: Home) -> Keyring:
    keyring = open_vault(home)
    for number in range(1, 4):
        deliver(home, "s", f"d{number}", ("a", str(number)))
    from kodomo.governance.audit import AuditEvent

    with audited(home, keyring, AuditEvent(actor="試験", role="OPERATOR", action="LINK_PEOPLE"), AT):
        people.write_people(keyring, [table_of([card(1, "ヒナタ カナリ"), card(2, "ヒナタ マモリ")])])
    return keyring


def rotate(home: Home, **more: object) -> dict[str, object]:
    return rotate_keys(home=home, by="試験", at=AT + dt.timedelta(hours=1), **{"check_alone": lambda: None, **more})  # type: ignore[arg-type]


def key_names(home: Home) -> set[str]:
    return set(json.loads(key_file(home.keys).read_text()))


def test_everything_opens_with_the_new_keys_and_nothing_with_the_old(home: Home, keyring: Keyring) -> None:
    facts, key = landed_facts(home, keyring), people.find_people(keyring, "kana", "ひなた かなり")
    assert rotate(home) == {"files": FILES, "persons": 2, "resumed": False}
    fresh = Keyring.open(home.keys)
    assert landed_facts(home, fresh).equals(facts)
    assert people.find_people(fresh, "kana", "ひなた かなり") == key and len(key) == 1
    assert people.find_people(keyring, "kana", "ひなた かなり") == []
    with pytest.raises(IntegrityFault):
        landed_facts(home, keyring)
    assert not any(name.endswith(".former") for name in key_names(home))


def test_what_decisions_rest_on_stays(home: Home, keyring: Keyring) -> None:
    rotate(home)
    fresh = Keyring.open(home.keys)
    assert fresh.pseudonym("p", 1) == keyring.pseudonym("p", 1)
    assert fresh.mark("x") == keyring.mark("x") and fresh.audit == keyring.audit
    assert fresh.blind_index("x") != keyring.blind_index("x")


@pytest.mark.parametrize("survived", [0, 1, FILES - 1])
def test_killed_at_any_file_it_goes_on_and_loses_nothing(home: Home, keyring: Keyring, survived: int) -> None:
    facts = landed_facts(home, keyring)
    dying = f"""
import datetime as dt, os, signal
from pathlib import Path
from kodomo.configuration import Home
from kodomo.vault import rotation
whole, done = rotation._reseal, []
def reseal(*given):
    if len(done) == {survived}:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(whole(*given))
    return done[-1]
rotation._reseal = reseal
rotation.rotate_keys(home=Home(Path({str(home.root)!r})), by="試験", at=dt.datetime.now(dt.UTC), check_alone=lambda: None)
"""
    ended = subprocess.run([sys.executable, "-c", dying], check=False, capture_output=True)
    assert ended.returncode == -9
    # In between, both keys open: receiving and looking up go on.
    between = Keyring.open(home.keys)
    assert landed_facts(home, between).equals(facts)
    assert rotate(home) == {"files": FILES - survived, "persons": 2, "resumed": True}
    fresh = Keyring.open(home.keys)
    assert landed_facts(home, fresh).equals(facts) and len(people.find_people(fresh, "surname", "ヒナタ")) == 2


def test_it_waits_for_stages_that_seal_with_the_old_keys(home: Home, keyring: Keyring) -> None:
    def busy() -> None:
        raise Busy("実行中", then="待つ")

    with pytest.raises(Busy):
        rotate(home, check_alone=busy)
    assert landed_facts(home, Keyring.open(home.keys)).num_rows
    assert rotate(home)["resumed"] is True


def test_a_broken_file_stops_it_before_the_old_keys_are_destroyed(home: Home, keyring: Keyring) -> None:
    broken: Path = landed_folder(home) / receipts()[1].sealed_file / "facts.sealed"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-1])
    with pytest.raises(IntegrityFault):
        rotate(home)
    broken.write_bytes(whole)
    assert "seal.former" in key_names(home)
    rotate(home)
    assert landed_facts(home, Keyring.open(home.keys)).num_rows
