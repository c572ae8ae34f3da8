"""Time and memory of the whole path, from nothing to the judged city, at the sizes of the two seed cities.

Runs `kodomo demo --no-serve` in a fresh home for each size, samples the resident memory of the whole
process tree five times a second, and writes seconds per stage and the peak beside machine and versions.

    python benchmarks/path.py [RESIDENTS ...]      (default 25299 113471)
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("duckdb", "pyarrow", "splink", "ibis-framework", "lightgbm", "Django")


def tree_bytes(root: int) -> int:
    """Resident bytes of a process and all its descendants, from /proc."""
    parents: dict[int, int] = {}
    sizes: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            sizes[int(entry.name)] = int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            continue
        parents[int(entry.name)] = int(fields[1])
    family, added = {root}, True
    while added:
        more = {p for p, parent in parents.items() if parent in family} - family
        family |= more
        added = bool(more)
    return sum(sizes.get(p, 0) for p in family)


def measure(residents: int) -> dict[str, object]:
    """One run in a fresh home: seconds per stage, seconds in all, peak memory of the process tree."""
    with tempfile.TemporaryDirectory() as home:
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603  (our own command)
            [
                sys.executable,
                "-m",
                "kodomo",
                "--home",
                home,
                "demo",
                "--residents",
                str(residents),
                "--no-serve",
                "--json",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        peak = [0]
        done = threading.Event()

        def sample() -> None:
            while not done.wait(0.2):
                peak[0] = max(peak[0], tree_bytes(process.pid))

        sampler = threading.Thread(target=sample)
        sampler.start()
        out, _ = process.communicate()
        done.set()
        sampler.join()
        if process.returncode:
            raise SystemExit(f"kodomo demo ended with {process.returncode}")
        return {
            "residents": residents,
            "seconds": round(time.monotonic() - started, 1),
            "peak_gb": round(peak[0] / 1e9, 2),
            "stages": json.loads(out)["seconds"],
        }


def machine() -> dict[str, object]:
    """What was measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "versions": {name: version(name) for name in PACKAGES},
    }


def main() -> None:
    """Measure the sizes named on the command line and write `results/path.json`."""
    sizes = [int(word) for word in sys.argv[1:]] or [25_299, 113_471]
    body = {"on": time.strftime("%Y-%m-%d"), "machine": machine(), "runs": [measure(size) for size in sizes]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "path.json").write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")
    print(json.dumps(body["runs"], indent=1))


if __name__ == "__main__":
    main()
