"""A month's new records against a linked city: time of linking them onto the run before, against linking all anew.

    python benchmarks/linkage_month.py [--home HOME] [--rows 5000] [--seed 1] [--municipality DIR] [--out FILE.json]

HOME has received its deliveries (``kodomo demo``); without one, a city of 25,299 is made. Its landed rows are parted by chance into what was there
before and a month of ``--rows`` new ones of every source, the resident register included; HOME itself is not
changed. Prints one JSON object: seconds and CPU seconds of both runs (each in a process of its own), records
compared, and for how many records the two differ in person or key.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.configuration import SHIPPED_MUNICIPALITIES, Home, read_municipality
from kodomo.linkage.run import link_people
from kodomo.vault import people, records
from kodomo.vault.database import open_vault

DAY = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
FIGURES = ("mode", "why_anew", "mentions", "records_compared", "forms_compared", "forms_taken_over", "persons_changed")


def part(source: Home, before: Home, both: Home, rows: int, seed: int) -> int:
    """Land HOME's rows in two homes, in one without and in the other with the month; returns the month's rows."""
    keyring = open_vault(source)
    receipts = records.receipts()
    parts = [{p: records._read(source, keyring, r, p) for p in ("mentions", "facts", "rows")} for r in receipts]
    places = [(i, row) for i, tables in enumerate(parts) for row in tables["rows"]["row"].to_pylist()]
    month: dict[int, list[int]] = {}
    for i, row in random.Random(seed).sample(places, rows):  # noqa: S311 - a draw for a benchmark
        month.setdefault(i, []).append(row)
    _land(before, list(zip(receipts, parts, strict=True)), month, is_month=False)
    _link(before, anew=True)
    shutil.copytree(before.root, both.root, dirs_exist_ok=True)
    _land(both, list(zip(receipts, parts, strict=True)), month, is_month=True)
    return rows


def _land(
    home: Home, landed: list[tuple[Any, dict[str, pa.Table]]], month: dict[int, list[int]], *, is_month: bool
) -> None:
    keyring = open_vault(home)
    from kodomo.vault.models import Receipt

    for i, (receipt, tables) in enumerate(landed):
        drawn = pa.array(month.get(i, []), pa.int32())
        mine = {n: t.filter(_of(t, drawn, is_month)) for n, t in tables.items()}
        if not mine["rows"].num_rows:
            continue
        name = f"{receipt.source}-{i}-{'month' if is_month else 'before'}"
        records.land(
            home,
            keyring,
            name,
            records.Landing(records.with_empty_fields(mine["mentions"]), mine["facts"], mine["rows"]),
        )
        on = (receipt.extracted_on or DAY.date()) + dt.timedelta(days=30 * is_month)
        Receipt.objects.using("vault").create(
            source=receipt.source, file_name=name, sha256=hashlib.sha256(name.encode()).hexdigest(), size_bytes=1, extracted_on=on,
            received_at=DAY, received_by="bench", medium="MEDIA", rows_read=mine["rows"].num_rows,
            rows_landed=mine["rows"].num_rows, rows_quarantined=0, layout_sha256="", sealed_file=name,
        )  # fmt: skip


def _of(table: pa.Table, rows: pa.Array, is_month: bool) -> pa.Array:
    drawn = pc.is_in(table["row"], value_set=rows)
    return drawn if is_month else pc.invert(drawn)


def _link(home: Home, *, anew: bool, municipality: Path = SHIPPED_MUNICIPALITIES / "hinata") -> dict[str, Any]:
    given = read_municipality(municipality)
    began, cpu = time.monotonic(), time.process_time()
    result = link_people(home=home, municipality=given, by="bench", at=DAY, anew=anew)
    seconds = {"seconds": round(time.monotonic() - began, 2), "cpu_seconds": round(time.process_time() - cpu, 2)}
    return {**{name: result[name] for name in FIGURES}, **seconds}


def _apart(home: Path, municipality: Path, *, anew: bool) -> dict[str, Any]:
    words = [
        sys.executable,
        __file__,
        "--home",
        str(home),
        "--municipality",
        str(municipality),
        "--link",
        "anew" if anew else "onto",
    ]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _city(folder: Path) -> Home:
    """A city as ``kodomo demo`` makes it, received and no more."""
    home, city = folder / "home", folder / "city"
    for words in (("city", "--out", str(city)), ("receive", str(city / "extracts"))):
        command = [sys.executable, "-m", "kodomo", "--home", str(home), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    return Home(home)


def _links(home: Home) -> pa.Table:
    return people.open_run(home, open_vault(home), people.require_run(), "links")


def main() -> None:
    """Measure, or (in the process of its own) link once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--municipality", type=Path, default=SHIPPED_MUNICIPALITIES / "hinata")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--link", choices=("onto", "anew"), help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.link:
        print(json.dumps(_link(Home(words.home), anew=words.link == "anew", municipality=words.municipality)))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Home(words.home.resolve()) if words.home else _city(Path(folder))
        before, onto, anew = (Home(Path(folder) / name) for name in ("before", "onto", "anew"))
        part(source, before, onto, words.rows, words.seed)
        shutil.copytree(onto.root, anew.root)
        found = {"rows": words.rows, "onto": _apart(onto.root, words.municipality, anew=False),
                 "anew": _apart(anew.root, words.municipality, anew=True)}  # fmt: skip
        one, other = _links(onto), _links(anew)
        unequal = sum(
            a != b for a, b in zip(one["person_number"].to_pylist(), other["person_number"].to_pylist(), strict=True)
        )
    for what in ("seconds", "cpu_seconds"):
        found[f"{what}_ratio"] = round(found["onto"][what] / found["anew"][what], 2)
    found |= {"records_with_another_key": unequal, "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    text = json.dumps(found, ensure_ascii=False, indent=1)
    print(text)
    if words.out:
        words.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
