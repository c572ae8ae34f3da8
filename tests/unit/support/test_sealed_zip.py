"""The zip a partner opens: read back by somebody else's program and by our own reader of deliveries."""

from __future__ import annotations

import datetime as dt
import io
import random
import zipfile
from pathlib import Path

import pytest
import pyzipper

from kodomo.errors import DeliveryRefused
from kodomo.intake.aes_zip import aes_pieces
from kodomo.support.sealed_zip import LETTERS, new_password, sealed_zip

AT = dt.datetime(2026, 11, 22, 10, 20, 30, tzinfo=dt.UTC)
DRAWN = random.Random(1)  # noqa: S311  the same bytes on every run
FILES = {"reply-slip.xlsx": bytes(range(256)) * 97 + b"end", "empty.txt": b"", "one.txt": b"1"}


def test_another_program_opens_it_with_the_password_alone() -> None:
    made = sealed_zip(FILES, "kago-1234", AT, DRAWN)
    with pyzipper.AESZipFile(io.BytesIO(made)) as archive:
        archive.setpassword(b"kago-1234")
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert all(entry.wz_aes_strength == 3 and entry.wz_aes_version == 2 for entry in archive.infolist())
        assert archive.infolist()[0].date_time == (2026, 11, 22, 10, 20, 30)
        archive.setpassword(b"kago-1235")
        with pytest.raises(RuntimeError):
            archive.read("reply-slip.xlsx")


def test_our_own_reader_opens_it_and_notices_a_changed_byte(tmp_path: Path) -> None:
    path = tmp_path / "sealed.zip"
    path.write_bytes(sealed_zip(FILES, "kago-1234", AT, DRAWN))
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("reply-slip.xlsx")
    assert b"".join(aes_pieces(path, entry, "sealed.zip", "kago-1234")) == FILES["reply-slip.xlsx"]
    changed = bytearray(path.read_bytes())
    changed[100] ^= 1
    path.write_bytes(changed)
    with pytest.raises(DeliveryRefused):
        list(aes_pieces(path, entry, "sealed.zip", "kago-1234"))


def test_nothing_of_the_content_and_no_two_alike_are_seen_from_outside() -> None:
    content = {"a.txt": b"hinata" * 50}
    first, second = (sealed_zip(content, "same-word", AT, DRAWN) for _ in range(2))
    assert b"hinata" not in first and first != second


def test_passwords_are_long_and_readable_on_paper() -> None:
    drawn = {new_password(random.SystemRandom()) for _ in range(50)}
    assert len(drawn) == 50
    assert all(len(one) == 24 and set(one.replace("-", "")) <= set(LETTERS) for one in drawn)
