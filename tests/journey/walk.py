"""A walked path: the commands that were run, what they printed, and the answer key beside it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kodomo.configuration import Home

ROOT = Path(__file__).resolve().parents[2]
AS_OF = "2026-03-31"
RESIDENTS = 1_500

IN_TURN = """
import json, sys
from kodomo.cli import main
for words in json.loads(sys.argv[1]):
    if code := main(words):
        raise SystemExit(code)
"""


@dataclass
class Journey:
    """Where the walked path lies, what each command printed, and the answer key for comparing."""

    home: Home
    city: Path
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    printed: str = ""
    cpu_seconds: float = 0.0

    def run(self, *words: str) -> dict[str, Any]:
        """Run one command with --json; its object. Fails when the exit code isn't 0."""
        done = subprocess.run(
            [sys.executable, "-m", "kodomo", "--home", str(self.home.root), *words, "--json"],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        self.printed += done.stdout + done.stderr
        assert done.returncode == 0, f"{words}: {done.stderr[-3000:]}"
        assert len(done.stdout.strip().splitlines()) == 1
        body: dict[str, Any] = json.loads(done.stdout)
        self.results[next(w for w in words if not w.startswith("-") and "/" not in w)] = body
        return body

    def run_in_turn(self, *commands: tuple[str, ...]) -> list[dict[str, Any]]:
        """The same for several commands of one process, which starts up once."""
        given = json.dumps([["--home", str(self.home.root), *words, "--json"] for words in commands])
        done = subprocess.run(
            [sys.executable, "-c", IN_TURN, given], capture_output=True, text=True, check=False, cwd=ROOT
        )
        self.printed += done.stdout + done.stderr
        assert done.returncode == 0, f"{commands}: {done.stderr[-3000:]}"
        bodies: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(bodies) == len(commands)
        for words, body in zip(commands, bodies, strict=True):
            self.results[next(w for w in words if not w.startswith("-") and "/" not in w)] = body
        return bodies

    def answers(self, name: str) -> list[dict[str, str]]:
        """One file of the answer key."""
        return read_csv(self.city / "answer_key" / f"{name}.csv")


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a UTF-8 CSV file as dictionaries."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))
