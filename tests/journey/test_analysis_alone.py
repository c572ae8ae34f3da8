"""The analysis side works on a machine where the identity and casework sides were never installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from journey.walk import AS_OF, ROOT, Journey

ABSENT = ("vault", "intake", "linkage", "city", "assessment", "web")
BLOCK = """
import sys
class Absent:
    names = {"django", "splink", "jaconv", "jntajis", "python_calamine", "xlsxwriter", "django_otp", "axes", "csp"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from kodomo.cli import main
for stage in ("build", "judge", "evaluate"):
    if code := main([*sys.argv[1:], stage, "--as-of", "AS_OF", "--json"]):
        raise SystemExit(code)
""".replace("AS_OF", AS_OF)


def test_build_judge_evaluate_without_the_identity_side(journey: Journey, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "kodomo", tree / "kodomo", ignore=shutil.ignore_patterns("__pycache__", *ABSENT))
    shutil.copytree(ROOT / "municipalities", tree / "municipalities")
    assert not [name for name in ABSENT if (tree / "kodomo" / name).exists()]
    shutil.copytree(journey.home.store / "snapshots", tmp_path / "home" / "store" / "snapshots")
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BLOCK, "--home", str(tmp_path / "home")],
        capture_output=True, text=True, check=False, cwd=tree, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert [bool(json.loads(line)) for line in done.stdout.splitlines()] == [True, True, True]
    elsewhere = subprocess.run(
        [sys.executable, "-c", "import kodomo; print(kodomo.__file__)"],
        capture_output=True, text=True, check=True, cwd=tree, env=environment,
    )  # fmt: skip
    assert str(tree) in elsewhere.stdout
