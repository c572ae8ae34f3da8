"""Fifty people at once on the site, on SQLite and on PostgreSQL: how long answers take, and whether anything is lost.

    python benchmarks/load.py --locust .venv-peers/bin/locust [--home PREPARED] [--databases sqlite postgresql]

Fills a demonstration home (``--home``, which is copied; else one of 113,471 residents made here) with three years of
casework, serves it by ``kodomo serve`` on loopback, lets Locust be 50 people for five minutes, and counts afterwards, for
every text the site said it had saved, how often it stands in the database; both audit chains are walked. The second
factor, the password asked again for a search, the audit row and its anchor for each page are all as in an office.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "tests" / "web")]

import postgres  # noqa: E402  (the tests' own PostgreSQL)

RESULTS = HERE / "results" / "load.json"
HINATA = HERE.parent / "municipalities" / "hinata"
RESIDENTS = 113_471
PASSWORD = "shiken-no-tame-2026"  # noqa: S105  (a made-up city's)
PEOPLE = {("PRACTITIONER", "family_centre"): 38, ("PRACTITIONER", "childcare"): 12}
OTHERS = {
    ("APPROVER", "family_centre"): 2, ("APPROVER", "childcare"): 1, ("COORDINATOR", "school_education"): 1,
    ("COMMITTEE_MEMBER", "npo"): 3,
}  # fmt: skip
KINDS = ("shortlist", "child's page", "search", "search with the password again", "save")
READS, WRITES = (4.0, 16.0), (10.0, 30.0)
"""Think times, drawn evenly: how long a person looks at a page before the next one, and takes over a short form."""

TABLES = {
    "contact": ("support_contact", "text"), "first_view": ("assessment_firstview", "text"),
    "decision": ("assessment_assessment", "reason_text"), "draft": ("assessment_draft", "content"),
    "inquiry": ("assessment_inquiry", "questions"),
}  # fmt: skip
"""Where each kind of writing stands afterwards. A later draft takes the place of an earlier one."""


def main() -> None:
    """Measure and write `results/load.json`."""
    asked = _arguments()
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kodomo-load-", dir=asked.work)))
        home = work / "home"
        _prepared(asked.home, home)
        filled = _call("fill", home)
        body: dict[str, Any] = {
            "on": time.strftime("%Y-%m-%d"), "machine": machine(), "residents": filled["residents"], "children": filled["children"],
            "casework": filled["counts"], "note": asked.note, "people": asked.users, "seconds_at_full_number": asked.duration, "haste": asked.haste,
            "think_seconds": {"reading": READS, "writing": WRITES}, "runs": [],
        }  # fmt: skip
        for database in asked.databases:
            with _on(database, home, work) as own:
                body["runs"].append(_measure(database, own, work, asked))
    print(json.dumps(body["runs"], ensure_ascii=False, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locust", type=Path, required=True)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--duration", type=int, default=300)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--haste", type=float, default=1.0)
    parser.add_argument("--note", default="", help="under which circumstances it was measured; stands in the table")
    parser.add_argument("--out", type=Path, default=None)
    return parser.parse_args()


def machine() -> dict[str, object]:
    """What was measured on."""
    names = ("Django", "waitress", "duckdb", "psycopg")
    return {
        "cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform(terse=True),
        "sqlite": sqlite3.sqlite_version, "postgresql": _postgresql(), "versions": {name: version(name) for name in names},
    }  # fmt: skip


def _postgresql() -> str:
    folder = postgres.programs()
    if folder is None:
        return ""
    done = subprocess.run([str(folder / "postgres"), "--version"], stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return done.stdout.split()[2]


def _prepared(given: Path | None, home: Path) -> None:
    if given is not None:
        shutil.copytree(given, home)
        return
    made = [sys.executable, "-m", "kodomo", "--home", str(home), "demo", "--residents", str(RESIDENTS), "--no-serve"]
    subprocess.run(made, check=True)  # noqa: S603


def _call(step: str, home: Path, *more: str) -> Any:
    """One of the steps below in a process of its own: Django is set up once in a process, for one database."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(HERE / "load_steps.py"), step, str(home), *more], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


@contextmanager
def _on(database: str, home: Path, work: Path) -> Iterator[Path]:
    """A copy of the home on one kind of database."""
    own = work / database
    shutil.copytree(home, own)
    try:
        if database == "sqlite":
            yield own
            return
        with postgres.cluster(is_durable=True) as address:
            postgres.Server(address).give(own)
            _call("move", own)
            yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _measure(database: str, home: Path, work: Path, asked: argparse.Namespace) -> dict[str, Any]:
    cast, out, port = work / "cast.json", work / "heard.json", _free_port()
    cast.touch(mode=0o600)
    cast.write_text(json.dumps(_call("cast", home, str(asked.users))))
    load_before = os.getloadavg()[0]
    with _served(home, port) as served:
        began = time.time()
        environment = {
            **os.environ,
            "KODOMO_LOAD_CAST": str(cast),
            "KODOMO_LOAD_OUT": str(out),
            "KODOMO_LOAD_HASTE": str(asked.haste),
            "KODOMO_LOAD_THINK": json.dumps([READS, WRITES]),
        }
        ramp = asked.users
        words = [str(asked.locust), "-f", str(HERE / "load_people.py"), "--headless", "--users", str(asked.users), "--spawn-rate", "1",
                 "--run-time", f"{asked.duration + ramp}s", "--stop-timeout", "10", "--only-summary", "--host", f"http://127.0.0.1:{port}"]  # fmt: skip
        done = subprocess.run(words, env=environment, stdout=sys.stderr, check=False)  # noqa: S603
        took, cpu, memory = time.time() - began, served.cpu_seconds(), served.memory_mb()
    if not out.exists():
        raise SystemExit(f"locust ended with {done.returncode}")
    heard = json.loads(out.read_text())
    audit = _call("verify", home)
    return {
        "database": database, "seconds": round(took), "requests": len(heard["samples"]),
        "requests_a_second": round(len(heard["samples"]) / took, 1), "load_average": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "server_cpu_share": round(cpu / took, 2), "server_memory_mb": memory,
        "milliseconds": _table(heard["samples"]),
        "errors": dict(Counter(fault for *_, fault in heard["samples"] if fault)),
        "saved": _call("count", home, str(out)), "audit": audit,
    }  # fmt: skip


def _table(samples: Sequence[Sequence[Any]]) -> dict[str, dict[str, float]]:
    """Times by kind of request, those that were asked for first."""
    times: dict[str, list[float]] = {}
    for name, _, took, _fault in samples:
        times.setdefault(name, []).append(took)
    every = [*(kind for kind in KINDS if kind in times), *sorted(set(times) - set(KINDS))]
    return {kind: {"count": len(times[kind]), **_percentiles(times[kind])} for kind in every}


def _percentiles(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    return {
        "p50": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
        "max": round(max(times), 1),
    }


class _Served:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        import psutil

        self.process = psutil.Process(process.pid)

    def _family(self) -> list[Any]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Seconds of processor the server took."""
        return float(sum(sum(one.cpu_times()[:2]) for one in self._family()))

    def memory_mb(self) -> int:
        """Memory the server holds."""
        held: int = sum(one.memory_info().rss for one in self._family())
        return round(held / 1e6)


@contextmanager
def _served(home: Path, port: int) -> Iterator[_Served]:
    """The site as it is served in an office."""
    words = [
        sys.executable,
        "-m",
        "kodomo",
        "--home",
        str(home),
        "--municipality",
        str(HINATA),
        "serve",
        "--port",
        str(port),
    ]
    process = subprocess.Popen(words)  # noqa: S603
    try:
        _wait_for(port)
        yield _Served(process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the site did not open")


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


if __name__ == "__main__":
    main()
