"""Sealed landings open only where they belong, and say which rows repeat and which were corrected."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from kodomo.configuration import Home
from kodomo.errors import IntegrityFault
from kodomo.vault import records
from kodomo.vault.database import open_vault
from kodomo.vault.keys import Keyring
from kodomo.vault.records import (
    LANDED_FACTS,
    MENTIONS,
    ROWS,
    Landing,
    land,
    landed_facts,
    landed_folder,
    landed_mentions,
    landing_schema,
    receipts,
    sweep,
)

AT = dt.datetime(2026, 4, 2, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 1)


def rows(*pairs: tuple[str, str]) -> pa.Table:
    """A receipt's rows given as (identity, content)."""
    columns = {
        "row": range(1, len(pairs) + 1),
        "identity": [identity.encode().ljust(16) for identity, _ in pairs],
        "content": [content.encode().ljust(16) for _, content in pairs],
    }
    return pa.table({name: list(values) for name, values in columns.items()}).cast(ROWS.schema())


def landing(*pairs: tuple[str, str]) -> Landing:
    """One mention and one fact for each row; the fact's number is the row's."""
    numbers = list(range(1, len(pairs) + 1))
    mentions = [
        {"row": n, "role": "subject", "kind": "observations", "name": f"人{n}", "known_from": DAY} for n in numbers
    ]
    facts = [
        {"row": n, "role": "subject", "item": "x", "number": float(n), "valid_from": DAY, "known_from": DAY}
        for n in numbers
    ]
    return Landing(
        pa.Table.from_pylist(mentions, landing_schema(MENTIONS)),
        pa.Table.from_pylist(facts, landing_schema(LANDED_FACTS)),
        rows(*pairs),
    )


def deliver(home: Home, source: str, name: str, *pairs: tuple[str, str], on: dt.date | None = None) -> None:
    keyring = open_vault(home)
    from kodomo.vault.models import Receipt

    land(home, keyring, name, landing(*pairs))
    Receipt.objects.using("vault").create(
        source=source, file_name=f"{name}.csv", sha256=name, size_bytes=1, extracted_on=on, received_at=AT, received_by="t",
        medium="MEDIA", rows_read=len(pairs), rows_landed=len(pairs), rows_quarantined=0, layout_sha256="", sealed_file=name,
    )  # fmt: skip


def test_landed_records_come_back_with_their_place(home):
    deliver(home, "a", "n1", ("x", "1"), ("x", "1"), ("y", "1"), on=DAY)
    deliver(home, "a", "n2", ("y", "2"))
    deliver(home, "b", "n3", ("x", "1"))
    keyring = open_vault(home)
    found = landed_mentions(home, keyring)
    assert found.schema.equals(MENTIONS.schema())
    assert found["source"].to_pylist() == ["a", "a", "a", "a", "b"] and found["file"].to_pylist()[3] == "n2.csv"
    assert found["is_duplicate"].to_pylist() == [False, True, False, False, False]
    assert found["is_superseded"].to_pylist() == [False, False, True, False, False]
    facts = landed_facts(home, keyring)
    assert facts.schema.equals(LANDED_FACTS.schema())
    said = sorted((f["receipt"], f["row"], f["known_to"]) for f in facts.to_pylist() if f["source"] == "a")
    assert said == [(1, 1, None), (1, 3, AT.date()), (2, 1, None)]
    assert landed_facts(home, keyring, {"b"}).num_rows == 1 and len(receipts({"a"})) == 2


def test_field_that_no_mention_fills_is_not_stored_and_still_opens(home):
    """As what was landed before there was such a column does."""
    deliver(home, "a", "n1", ("x", "1"))
    keyring = open_vault(home)
    (receipt,) = receipts()
    stored = records._read(home, keyring, receipt, "mentions").column_names
    assert "name" in stored and not {"class_name", "moved_to"} & set(stored)
    found = landed_mentions(home, keyring)
    assert found.schema.equals(MENTIONS.schema()) and found["moved_to"].to_pylist() == [None]
    row = records.read_mention(home, keyring, receipt, 1, "subject")
    assert row is not None and row["name"] == "人1" and row["class_name"] is None


def test_nothing_landed_is_an_empty_table(home):
    keyring = open_vault(home)
    assert landed_mentions(home, keyring).equals(MENTIONS.empty()) and landed_facts(home, keyring).equals(
        LANDED_FACTS.empty()
    )


def test_sealed_files_show_nothing(home):
    deliver(home, "a", "n1", ("x", "1"))
    assert "人1".encode() not in b"".join(p.read_bytes() for p in home.root.rglob("*") if p.is_file())


@pytest.mark.parametrize("harm", ["flip", "swap", "cut", "other key", "missing"])
def test_sealed_file_that_was_tampered_with_does_not_open(home, harm, tmp_path):
    deliver(home, "a", "n1", ("x", "1"))
    deliver(home, "a", "n2", ("y", "1"))
    keyring = open_vault(home)
    path = landed_folder(home) / "n1" / "mentions.sealed"
    content = bytearray(path.read_bytes())
    if harm == "flip":
        content[-1] ^= 1
    if harm == "swap":
        content = bytearray((landed_folder(home) / "n2" / "mentions.sealed").read_bytes())
    if harm == "cut":
        content = content[:20]
    path.write_bytes(content)
    if harm == "other key":
        keyring = Keyring.open(tmp_path / "other")
    if harm == "missing":
        path.unlink()
    with pytest.raises(IntegrityFault):
        landed_mentions(home, keyring)


def test_sweep_removes_what_no_receipt_names_and_nothing_else(home):
    deliver(home, "a", "n1", ("x", "1"))
    keyring = open_vault(home)
    land(home, keyring, "orphan", landing(("z", "1")))
    (landed_folder(home) / ".half.1.partial").mkdir()
    assert sweep(home) == 2 and sweep(home) == 0
    assert [p.name for p in landed_folder(home).iterdir()] == ["n1"]


def test_landing_again_under_the_same_name_replaces_what_was_left(home):
    keyring = open_vault(home)
    land(home, keyring, "n1", landing(("x", "1")))
    deliver(home, "a", "n1", ("x", "1"), ("y", "1"))
    assert landed_mentions(home, keyring).num_rows == 2


def test_landing_that_does_not_fit_its_declaration_is_not_sealed(home):
    keyring = open_vault(home)
    good = landing(("x", "1"))
    with pytest.raises(IntegrityFault):
        land(home, keyring, "n1", Landing(good.mentions.drop_columns(["name"]), good.facts, good.rows))
    assert not (landed_folder(home) / "n1").exists()


def test_one_process_may_open_several_homes(tmp_path: Path):
    first, second = Home(tmp_path / "1"), Home(tmp_path / "2")
    deliver(first, "a", "n1", ("x", "1"))
    open_vault(second)
    assert receipts() == []
    open_vault(first)
    assert len(receipts()) == 1


def test_migrations_are_what_the_models_say(home):
    open_vault(home)
    from django.core.management import call_command

    call_command("makemigrations", "vault", check=True, dry_run=True, verbosity=0)  # exits when something is missing


def test_audit_trail_of_the_vault_refuses_changes(home):
    open_vault(home)
    from django.db import DatabaseError, connections, transaction

    from kodomo.governance.audit import AuditEvent
    from kodomo.vault.database import audited

    with audited(home, open_vault(home), AuditEvent("t", "r", "a"), AT):
        pass
    for statement in ("DELETE FROM audit_events", "UPDATE audit_events SET actor = 'x'"):
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(using="vault"),
            connections["vault"].cursor() as cursor,
        ):
            cursor.execute(statement)
