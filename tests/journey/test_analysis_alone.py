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
raise SystemExit(main())
"""


def test_build_judge_evaluate_without_the_identity_side(journey: Journey, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "kodomo", tree / "kodomo", ignore=shutil.ignore_patterns("__pycache__", *ABSENT))
    shutil.copytree(ROOT / "municipalities", tree / "municipalities")
    assert not [name for name in ABSENT if (tree / "kodomo" / name).exists()]
    shutil.copytree(journey.home.store / "snapshots", tmp_path / "home" / "store" / "snapshots")
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
    for words in (["build"], ["judge"], ["evaluate"]):
        done = subprocess.run(
            [sys.executable, "-c", BLOCK, "--home", str(tmp_path / "home"), *words, "--as-of", AS_OF, "--json"],
            capture_output=True, text=True, check=False, cwd=tree, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        assert json.loads(done.stdout)
    elsewhere = subprocess.run(
        [sys.executable, "-c", "import kodomo; print(kodomo.__file__)"],
        capture_output=True, text=True, check=True, cwd=tree, env=environment,
    )  # fmt: skip
    assert str(tree) in elsewhere.stdout
